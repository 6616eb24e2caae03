//! How a host of a dynamic-EID range was noticed.

use serde::{Deserialize, Serialize};

/// How a host was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Discovery {
    /// It spoke ARP or ND, or sent a gratuitous one.
    Neighbour,
    /// A packet of its own made us look for it.
    Packet,
    /// A packet for it made us look for it.
    Search,
}
