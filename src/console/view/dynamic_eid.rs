//! The data of `show ip lisp dynamic-eid`, summary and detail.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::as_text;
use crate::addr::InstanceId;
use crate::router::config::InterfaceName;
use crate::router::mobility::Discovery;

/// The ranges of roaming hosts, and the hosts that are here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DynamicEidView {
    /// The instance.
    pub instance_id: InstanceId,
    /// The ranges, by name and prefix.
    pub ranges: Vec<RangeRow>,
}

/// A range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangeRow {
    /// The dynamic-EID to which it belongs.
    pub name: String,
    /// The range.
    pub eid_prefix: IpNet,
    /// Its locator-set, unless the range has locators of its own.
    pub locator_set: Option<String>,
    /// Its hosts that are here.
    pub hosts: Vec<HostRow>,
}

/// A host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostRow {
    /// Its address.
    pub eid: IpAddr,
    /// The interface where it was found.
    #[serde(with = "as_text")]
    pub interface: InterfaceName,
    /// Seconds since it was found.
    pub uptime: u64,
    /// Seconds since the router last noticed it.
    pub last_seen: u64,
    /// How it was found.
    pub discovered_by: Discovery,
}
