//! Labs in real namespaces with real hosts and real `ping`: the built program, as a person uses it.
//!
//! They need root. Without it they fail and say so; `EIDWAY_ALLOW_SKIP=1` lets them pass. Each
//! test has labs of its own, so that all run side by side, and takes them down in every case.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod capture;
mod clock;
mod descriptors;
mod document;
mod emulated;
mod explain;
mod flaps;
mod forged;
mod hands;
mod hostile;
mod killed;
mod labs;
mod leaving;
mod lessons;
mod links;
mod live;
mod logs;
mod moves;
mod paths;
mod pcap;
mod probe_forms;
mod probes;
mod readme;
mod records;
mod resolvers;
mod size;
mod strangers;
mod web;
