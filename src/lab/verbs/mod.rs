//! The verbs of `eidway lab` on a lab that is up, both in namespaces and on the simulator.

pub mod move_host;
pub mod ping;
pub mod registered_at;
pub mod router;
pub mod status;
