//! Labs in real namespaces with real hosts and real `ping`. The tests call the built program.
//!
//! The tests need root. Without root they fail and say so; with `EIDWAY_ALLOW_SKIP=1` they pass.
//! Each test has its own labs, so that all tests can run at the same time. Each test takes its labs
//! down in every case.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod capture;
mod captures;
mod clock;
mod data_path;
mod descriptors;
mod document;
mod emulated;
mod events;
mod explain;
mod export;
mod flaps;
mod forged;
mod hands;
mod hostile;
mod impaired;
mod killed;
mod labs;
mod large;
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
mod programs;
mod readme;
mod records;
mod resolvers;
mod size;
mod strangers;
mod together;
#[path = "../shared/transfer.rs"]
mod transfer;
mod user;
mod web;
