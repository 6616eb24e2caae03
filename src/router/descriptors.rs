//! The file descriptors of the process, for `show ip lisp statistics`. The driver reports them
//! ([`Input::Descriptors`](super::io::Input)). A router on the simulator has no file descriptors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The state of the descriptors of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Descriptors {
    /// The largest number of descriptors that the process may have.
    pub limit: u64,
    /// The number of times that a listener needed a descriptor and no descriptor was free. Each
    /// time, the clients of the listener had to wait.
    pub ran_out: u64,
}
