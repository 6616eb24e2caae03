//! What is told of a router's emulated hosts. They are the driver's; the protocol meets them as it
//! meets any host.

use super::io::Mac;
use crate::host::frame::HardwareAddress;

/// How an emulated host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostState {
    /// Its hardware address.
    pub mac: HardwareAddress,
    /// It is plugged in.
    pub is_up: bool,
    /// Ethernet frames that came.
    pub received: u64,
    /// Ethernet frames that left.
    pub sent: u64,
}

impl HostState {
    /// Its hardware address as IOS prints it.
    pub fn mac(&self) -> Mac {
        Mac(self.mac)
    }
}
