//! The state of a router's emulated hosts, for `show emulated-hosts`. The driver plays them and tells
//! it ([`Input::EmulatedHosts`](super::io::Input)); the protocol meets them as it meets any host.

use serde::{Deserialize, Serialize};

use super::io::Mac;

/// How an emulated host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostState {
    /// Its hardware address.
    pub mac: Mac,
    /// It is plugged in.
    pub is_up: bool,
    /// Ethernet frames that came.
    pub received: u64,
    /// Ethernet frames that left.
    pub sent: u64,
}
