//! How a host of a dynamic-EID range was noticed.

use serde::{Deserialize, Serialize};

/// How a host was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Discovery {
    /// It sent an ARP or ND message, or a gratuitous one.
    Neighbour,
    /// The router searched for the host because of a packet from the host.
    Packet,
    /// The router searched for the host because of a packet for the host.
    Search,
}
