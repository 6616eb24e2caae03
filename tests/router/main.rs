//! Tests of the rules of the standards at one router. They check inputs, outputs, and their times.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bench;
mod bounds;
mod circling;
mod core_errors;
mod data_path;
mod decisions;
mod gsmr;
mod held;
mod hostile;
mod icmp_forged;
mod kernel;
mod map_server;
mod network;
mod newcomers;
mod news;
mod octets;
mod overclaim;
mod pools;
mod process;
mod reachability;
mod reflection;
mod refusals;
mod register;
mod relay;
mod reliable;
mod replay;
mod resolve;
mod scan;
mod searches;
mod smr;
mod source_check;
mod told;
