//! The fast path beside the router's own data path: the same packets, with the same results on the
//! wire and in the counters. Also: handovers under many events, and the end of a router.
//!
//! Each router is a process in a namespace of its own. Its two ports are TAP devices, so every frame
//! passes through the test: see [`world`].
//!
//! The tests need root. Without root they fail and say so; with `EIDWAY_ALLOW_SKIP=1` they pass.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;
mod compare;
mod differential;
mod flapping;
mod kernel_objects;
mod life;
#[path = "../namespaces/live.rs"]
#[allow(dead_code, reason = "some parts are for the tests of labs only")]
mod live;
mod numbered;
mod packets;
mod path_mtu;
mod resolver;
mod status_bits;
mod super_packets;
mod tap;
#[path = "../shared/transfer.rs"]
mod transfer;
mod transfers;
mod world;
