//! The data of `show interfaces` and `show ip interface brief`.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::as_text;
use crate::router::config::InterfaceName;

/// The interfaces of a router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfacesView {
    /// In the order of their names.
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
    /// `shutdown` is configured.
    pub shutdown: bool,
    /// The device was set down by hand: `shutdown` is not configured.
    pub down_by_hand: bool,
    /// The device is there and up.
    pub up: bool,
    /// The other end is there.
    pub line_protocol: bool,
    /// Octets, when the device is there or an MTU is configured.
    pub mtu: Option<u32>,
    /// As configured.
    pub description: Option<String>,
    /// With the length of their network; the first of a family is the primary one.
    pub addresses: Vec<IpNet>,
}
