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

impl Discovery {
    /// Returns the end of a sentence about the way. The sentence begins with "The host".
    pub fn describe(self) -> &'static str {
        match self {
            Discovery::Neighbour => "sent an ARP or ND message on a LAN of this router",
            Discovery::Packet => "answered a search on a LAN, because a packet came from it",
            Discovery::Search => "answered a search on a LAN, because a packet came for it",
        }
    }
}
