//! The data of `show emulated-hosts`.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::as_text;
use crate::router::config::InterfaceName;

/// The hosts of a router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmulatedHostsView {
    /// The hosts, by interface, then by name.
    pub hosts: Vec<EmulatedHostRow>,
}

/// A host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmulatedHostRow {
    /// Its name.
    pub name: String,
    /// The router's interface on the host's LAN.
    #[serde(with = "as_text")]
    pub interface: InterfaceName,
    /// Whether its stack runs and it is plugged in.
    pub up: bool,
    /// Its hardware address in the notation of IOS, when the host runs.
    pub mac: Option<String>,
    /// Its addresses, with the prefix lengths of their networks.
    pub addresses: Vec<IpNet>,
    /// Its default gateways.
    pub gateways: Vec<IpAddr>,
    /// Ethernet frames that it has received.
    pub received: u64,
    /// Ethernet frames that it has sent.
    pub sent: u64,
}
