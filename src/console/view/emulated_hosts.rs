//! The data of `show emulated-hosts`.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::as_text;
use crate::router::config::InterfaceName;

/// The hosts of a router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmulatedHostsView {
    /// By interface, then by name.
    pub hosts: Vec<EmulatedHostRow>,
}

/// A host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmulatedHostRow {
    /// Its name.
    pub name: String,
    /// The router's interface at its LAN.
    #[serde(with = "as_text")]
    pub interface: InterfaceName,
    /// Its stack runs and it is plugged in.
    pub up: bool,
    /// Its hardware address in the notation of IOS, once it runs.
    pub mac: Option<String>,
    /// With the length of their network.
    pub addresses: Vec<IpNet>,
    /// Its default gateways.
    pub gateways: Vec<IpAddr>,
    /// Ethernet frames that it has received.
    pub received: u64,
    /// Ethernet frames that it has sent.
    pub sent: u64,
}
