//! The data of `show arp` and `show ipv6 neighbors`.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::as_text;
use crate::addr::Family;
use crate::router::config::InterfaceName;

/// The head of the table of neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "NeighbourHead")]
pub struct Head {
    /// The family of the addresses.
    pub family: Family,
}

/// A host or a router on a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NeighbourRow {
    /// The address.
    pub address: IpAddr,
    /// Minutes since the latest report of the kernel about the neighbour. Absent for an address of
    /// this router.
    pub age: Option<u64>,
    /// The hardware address.
    pub mac: String,
    /// The interface.
    #[serde(with = "as_text")]
    #[schemars(with = "String")]
    pub interface: InterfaceName,
}
