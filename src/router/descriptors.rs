//! File descriptors of the process, for `show ip lisp statistics`. The driver reports them
//! ([`Input::Descriptors`](super::io::Input)); a router on the simulator has none.

use serde::{Deserialize, Serialize};

/// The state of the descriptors of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptors {
    /// How many descriptors the process may have.
    pub limit: u64,
    /// How often no descriptor was free when a listener needed one, so that its clients had to
    /// wait.
    pub ran_out: u64,
}
