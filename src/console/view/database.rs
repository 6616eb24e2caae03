//! The data of `show ip lisp database`.

use std::net::IpAddr;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::EidTableName;
use crate::addr::{Family, InstanceId};
use crate::router::database::LocatorOrigin;

/// The fields that are printed above the entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DatabaseHead")]
pub struct Head {
    /// The family of the EIDs.
    pub family: Family,
    /// The EID-table of the instance.
    pub eid_table: EidTableName,
    /// The instance.
    pub instance_id: InstanceId,
    /// The locator-status-bits. Bit n is set if locator n of at least one entry is reachable.
    pub locator_status_bits: u32,
    /// The number of entries.
    pub total: usize,
    /// The number of entries without a route.
    pub no_route: usize,
    /// The number of EID prefixes that were removed from the configuration, but are still in the
    /// away table.
    pub inactive: usize,
}

/// An entry of the mapping database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DatabaseRow")]
pub struct Row {
    /// The EID prefix of the entry.
    #[schemars(with = "String")]
    pub eid_prefix: IpNet,
    /// The name of the dynamic-EID, if the entry is a host of a dynamic-EID.
    pub dynamic_eid: Option<String>,
    /// The name of the locator-set. Absent if the entry has its own locators.
    pub locator_set: Option<String>,
    /// Whether the RIB has a route to the prefix. An entry without a route is not registered.
    pub has_route: bool,
    /// Seconds since the entry was configured.
    pub uptime: u64,
    /// Seconds since the latest change of the entry's locators or route.
    pub last_change: u64,
    /// The locators, in the order of their addresses.
    pub locators: Vec<LocatorRow>,
}

/// A locator of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DatabaseLocator")]
pub struct LocatorRow {
    /// The address of the locator.
    pub rloc: IpAddr,
    /// The priority of the locator. A lower value is preferred.
    pub priority: u8,
    /// The weight of the locator: its share of the traffic.
    pub weight: u8,
    /// The origin of the address.
    pub source: LocatorOrigin,
    /// Whether the locator belongs to this router, and whether it is reachable.
    pub state: LocatorState,
}

/// The state of a locator of the database. The locator belongs to this router or to another router
/// of the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LocalLocatorState")]
pub enum LocatorState {
    /// The locator belongs to this router and is usable.
    #[serde(rename = "site-self, reachable")]
    SelfReachable,
    /// The locator belongs to this router and is not usable.
    #[serde(rename = "site-self, unreachable")]
    SelfUnreachable,
    /// The locator belongs to another router, and this router reports it as reachable.
    #[serde(rename = "site-other, report-reachable")]
    OtherReachable,
    /// The locator belongs to another router, and this router reports it as unreachable.
    #[serde(rename = "site-other, report-unreachable")]
    OtherUnreachable,
}
