//! The verbs of `eidway lab`. Some verbs work on a running lab, in namespaces or on the simulator.
//! Other verbs work on the files of a lab.

pub mod host_console;
pub mod impair;
pub mod link;
pub mod list;
pub mod move_host;
pub mod ping;
pub mod registered_at;
pub mod router;
pub mod show;
pub mod status;
