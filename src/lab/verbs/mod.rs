//! The verbs of `eidway lab` that work on a running lab, in namespaces or on the simulator.

pub mod host_console;
pub mod list;
pub mod move_host;
pub mod ping;
pub mod registered_at;
pub mod router;
pub mod status;
