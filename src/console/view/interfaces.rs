//! The data of `show interfaces` and `show ip interface brief`.

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::as_text;
use crate::router::config::InterfaceName;

/// The interfaces of a router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InterfacesView {
    /// The interfaces, sorted by name.
    pub interfaces: Vec<InterfaceRow>,
}

/// An interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InterfaceRow {
    /// The name of the interface.
    #[serde(with = "as_text")]
    #[schemars(with = "String")]
    pub name: InterfaceName,
    /// The name of the Linux device.
    pub device: String,
    /// Whether `shutdown` is configured.
    pub shutdown: bool,
    /// Whether the device is down although `shutdown` is not configured. In this case, an
    /// administrator has set the device down with a Linux command.
    pub down_by_hand: bool,
    /// Whether the device exists and is up.
    pub up: bool,
    /// Whether the link has a carrier.
    pub line_protocol: bool,
    /// The MTU in octets. Absent if the device does not exist and no MTU is configured.
    pub mtu: Option<u32>,
    /// The configured description.
    pub description: Option<String>,
    /// The addresses with their prefix lengths. The first address of each family is the primary
    /// address.
    #[schemars(with = "Vec<String>")]
    pub addresses: Vec<IpNet>,
    /// Whether the router answers ARP requests for addresses of other hosts.
    pub proxy_arp: bool,
    /// The names of the dynamic-EIDs whose hosts may appear on this interface.
    pub lisp_mobility: Vec<String>,
}
