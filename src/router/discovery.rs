//! The way in which the router noticed a host of a dynamic-EID range.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The way in which the router noticed a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Discovery {
    /// The host sent an ARP or ND message, for example a gratuitous ARP message.
    Neighbour,
    /// The router searched for the host because of a packet from the host.
    Packet,
    /// The router searched for the host because of a packet for the host.
    Search,
}
