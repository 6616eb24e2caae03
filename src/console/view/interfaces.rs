//! The data of `show interfaces` and `show ip interface brief`.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::as_text;
use crate::router::config::InterfaceName;

/// The interfaces of a router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfacesView {
    /// The interfaces, in the order of their names.
    pub interfaces: Vec<InterfaceRow>,
}

/// An interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceRow {
    /// Its name.
    #[serde(with = "as_text")]
    pub name: InterfaceName,
    /// The Linux device.
    pub device: String,
    /// Whether `shutdown` is configured.
    pub shutdown: bool,
    /// Whether the device was set down by hand, without `shutdown` in the configuration.
    pub down_by_hand: bool,
    /// Whether the device exists and is up.
    pub up: bool,
    /// Whether the link has carrier.
    pub line_protocol: bool,
    /// Octets; absent if the device does not exist and no MTU is configured.
    pub mtu: Option<u32>,
    /// The configured description.
    pub description: Option<String>,
    /// The addresses with their prefix lengths; the first of each family is the primary one.
    pub addresses: Vec<IpNet>,
}
