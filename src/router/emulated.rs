//! What is told of a router's emulated hosts. They are the driver's; the protocol meets them as it
//! meets any host.

use super::io::Mac;

/// How an emulated host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
