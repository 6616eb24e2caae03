//! The data of `show ip lisp dynamic-eid`, for the summary and for the details.

use std::net::IpAddr;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EidTableName, as_text};
use crate::addr::InstanceId;
use crate::router::config::InterfaceName;
use crate::router::mobility::Discovery;

/// The ranges of roaming hosts, and the hosts that are on the LANs of this router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DynamicEidView {
    /// The instance.
    pub instance_id: InstanceId,
    /// The EID-table of the instance.
    pub eid_table: EidTableName,
    /// The ranges, sorted by name and prefix.
    pub ranges: Vec<RangeRow>,
}

/// A range of roaming hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DynamicEidRange")]
pub struct RangeRow {
    /// The name of the dynamic-EID that contains the range.
    pub name: String,
    /// The EID prefix of the range.
    #[schemars(with = "String")]
    pub eid_prefix: IpNet,
    /// The name of the locator-set. Absent if the range has its own locators.
    pub locator_set: Option<String>,
    /// The hosts of the range on the LANs of this router.
    pub hosts: Vec<HostRow>,
}

/// A roaming host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DynamicEidHost")]
pub struct HostRow {
    /// The address of the host.
    pub eid: IpAddr,
    /// The interface on which the host was found.
    #[serde(with = "as_text")]
    #[schemars(with = "String")]
    pub interface: InterfaceName,
    /// Seconds since the host was found.
    pub uptime: u64,
    /// Seconds since the latest detection of the host.
    pub last_seen: u64,
    /// How the router found the host.
    pub discovered_by: Discovery,
}
