//! The data of `show ip lisp database`.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::EidTableName;
use crate::addr::{Family, InstanceId};
use crate::router::database::LocatorOrigin;

/// The fields above the entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The family of the EIDs.
    pub family: Family,
    /// The EID-table of the instance.
    pub eid_table: EidTableName,
    /// The instance.
    pub instance_id: InstanceId,
    /// Bit n is set when the locator n of some entry is reachable.
    pub locator_status_bits: u32,
    /// How many entries there are.
    pub total: usize,
    /// How many of them lack a route.
    pub no_route: usize,
    /// How many are kept although they were removed from the configuration.
    pub inactive: usize,
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its EID prefix.
    pub eid_prefix: IpNet,
    /// The dynamic-EID, if the entry is one of its hosts.
    pub dynamic_eid: Option<String>,
    /// The locator-set, unless the entry has locators of its own.
    pub locator_set: Option<String>,
    /// Whether the RIB has a route to it. An entry without a route is not registered.
    pub has_route: bool,
    /// Seconds since it was configured.
    pub uptime: u64,
    /// Seconds since its locators or its route changed.
    pub last_change: u64,
    /// The locators, in the order of their addresses.
    pub locators: Vec<LocatorRow>,
}

/// A locator of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocatorRow {
    /// Its address.
    pub rloc: IpAddr,
    /// Lower is preferred.
    pub priority: u8,
    /// Its share of the traffic.
    pub weight: u8,
    /// The origin of its address.
    pub source: LocatorOrigin,
    /// Its owner, and whether it can be reached.
    pub state: LocatorState,
}

/// The state of a locator of the database: of this router, or of another router of the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LocatorState {
    /// This router's own, and usable.
    #[serde(rename = "site-self, reachable")]
    SelfReachable,
    /// This router's own, but not usable.
    #[serde(rename = "site-self, unreachable")]
    SelfUnreachable,
    /// Of another router, and reported as reachable.
    #[serde(rename = "site-other, report-reachable")]
    OtherReachable,
    /// Of another router, and reported as unreachable.
    #[serde(rename = "site-other, report-unreachable")]
    OtherUnreachable,
}
