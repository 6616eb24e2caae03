//! The data of `show ip lisp fast-path`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::console::machine::FastPathCounts;

/// The fast path: the kernel forwards the packets of flows that the router knows. Both families
/// have one common fast path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FastPathView {
    /// Whether the fast path is in use.
    pub in_use: bool,
    /// The reason why the process of the router forwards all packets. Absent if the fast path is in
    /// use.
    pub reason: Option<String>,
    /// The counts. Absent if the router has no programs in the kernel.
    pub counts: Option<FastPathCounts>,
}
