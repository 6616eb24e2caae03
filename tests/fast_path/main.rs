//! The fast path beside the router's own data path: the same packets, with the same results on the
//! wire and in the counters.
//!
//! Each router is a process in a namespace of its own. Its two ports are TAP devices, so every frame
//! passes through the test: see [`world`].
//!
//! The tests need root. Without root they fail and say so; with `EIDWAY_ALLOW_SKIP=1` they pass.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;
mod compare;
mod differential;
mod kernel_objects;
#[path = "../namespaces/live.rs"]
#[allow(dead_code, reason = "some parts are for the tests of labs only")]
mod live;
mod packets;
mod path_mtu;
mod resolver;
mod super_packets;
mod tap;
mod world;
