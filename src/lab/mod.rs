//! Labs: the lab file, the language of scenarios and the player, and the counts of pings and flows.
//!
//! A lab is a directory with a `lab.toml` ([`file`]), one IOS-style `.conf` for each router, and
//! scenarios. A loaded [`Lab`] has the texts of all these files. This code reads no file, starts no
//! program and has no clock: [`netns`](crate::netns) and [`sim`](crate::sim) bring a lab up.

pub mod asked;
pub mod built_in;
pub mod check;
pub mod failure;
pub mod file;
pub mod flow;
pub mod loaded;
pub mod ping;
pub mod registration;
pub mod roaming;
pub mod running;
pub mod scenario;
pub mod unregistered;
pub mod verbs;
pub mod wiring;

pub use loaded::Lab;
