//! File descriptors of the process, for `show ip lisp statistics`. The driver tells of them
//! ([`Input::Descriptors`](super::io::Input)); a router on the simulator has none.

use serde::{Deserialize, Serialize};

/// How the process stands with its descriptors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptors {
    /// How many it may have.
    pub limit: u64,
    /// How often none was free at a listener, so that its clients had to wait.
    pub ran_out: u64,
}
