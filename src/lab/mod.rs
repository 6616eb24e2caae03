//! Labs: what a lab is, and how one is brought to life in Linux network namespaces.
//!
//! A lab is a directory with a `lab.toml` ([`file`]) and one IOS-style `.conf` per router.

pub mod check;
pub mod console;
pub mod emulated;
pub mod environment;
pub mod failure;
pub mod file;
pub mod flow;
pub mod inside;
pub mod interrupt;
pub mod lock;
pub mod move_host;
pub mod neighbour_tables;
pub mod open;
pub mod patience;
pub mod ping;
pub mod plan;
pub mod registered_at;
pub mod registration;
pub mod roaming;
pub mod run;
pub mod scenario;
pub mod status;
pub mod text;
pub mod unregistered;
pub mod verbs;
pub mod wiring;
