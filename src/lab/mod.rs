//! Labs: the lab file, the scenarios and their player, the lessons, and the results of pings and
//! flows.
//!
//! A lab is a directory with a `lab.toml` ([`file`]), a `.conf` for each router, scenarios and
//! lessons. A `.conf` has the form of IOS. A loaded [`Lab`] has the texts of all these files. The
//! code of this module reads no file, starts no program and has no clock. The modules
//! [`netns`](crate::netns) and [`sim`](crate::sim) bring a lab up.

pub mod asked;
pub mod auto_core;
pub mod built_in;
pub mod check;
pub mod explain;
pub mod export;
pub mod failure;
pub mod file;
pub mod flow;
pub mod graph;
pub mod impairment;
pub mod kernel;
pub mod lesson;
pub mod link_target;
pub mod loaded;
pub mod page;
pub mod ping;
pub mod plugging;
pub mod registration;
pub mod rename;
pub mod report;
pub mod roaming;
pub mod running;
pub mod scenario;
pub mod starter;
pub mod testbed;
pub mod texts;
pub mod unregistered;
pub mod verbs;
pub mod verdicts;
pub mod wiring;

pub use loaded::Lab;
