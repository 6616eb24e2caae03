//! The data of `show emulated-hosts`.

use std::net::IpAddr;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::as_text;
use crate::router::config::InterfaceName;

/// The emulated hosts of a router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmulatedHostsView {
    /// The hosts, sorted by interface and then by name.
    pub hosts: Vec<EmulatedHostRow>,
}

/// An emulated host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmulatedHostRow {
    /// The name of the host.
    pub name: String,
    /// The router's interface on the host's LAN.
    #[serde(with = "as_text")]
    #[schemars(with = "String")]
    pub interface: InterfaceName,
    /// Whether the network stack of the host runs, and the host is connected to its LAN.
    pub up: bool,
    /// The hardware address of the host in the notation of IOS. Absent if the host does not run.
    pub mac: Option<String>,
    /// The addresses of the host, with the prefix lengths of their networks.
    #[schemars(with = "Vec<String>")]
    pub addresses: Vec<IpNet>,
    /// The default gateways of the host.
    pub gateways: Vec<IpAddr>,
    /// The number of Ethernet frames that the host has received.
    pub received: u64,
    /// The number of Ethernet frames that the host has sent.
    pub sent: u64,
}
