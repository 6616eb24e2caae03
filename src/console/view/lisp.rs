//! The data of `show ip lisp`.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::XtrId;
use crate::addr::InstanceId;
use crate::router::config::{LocReach, Roles};

/// The roles of a router for a family of EIDs, its peers, and the sizes of its tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LispView {
    /// The instance.
    pub instance_id: InstanceId,
    /// The roles.
    pub roles: Roles,
    /// The locators of a proxy ITR.
    pub proxy_itr_rlocs: Vec<IpAddr>,
    /// The inner source of Map-Requests; the EID itself when absent.
    pub map_request_source: Option<IpAddr>,
    /// In the order in which they are asked.
    pub map_resolvers: Vec<IpAddr>,
    /// Where the ETR registers.
    pub map_servers: Vec<MapServerRow>,
    /// The router's own.
    pub xtr_id: XtrId,
    /// The router's first IPv4 locator, or else its first.
    pub local_rloc: Option<IpAddr>,
    /// Proxy ETRs.
    pub proxy_etrs: Vec<IpAddr>,
    /// Seconds that others may keep our mappings.
    pub etr_map_cache_ttl: u64,
    /// The data-plane algorithms of reachability that are in use.
    pub loc_reach: LocReach,
    /// Static entries of the map-cache.
    pub map_cache_static: usize,
    /// Entries of the map-cache.
    pub map_cache_size: usize,
    /// How many it may hold.
    pub map_cache_limit: usize,
    /// Entries of the mapping database.
    pub database_size: usize,
    /// Entries that are kept though the configuration has them no longer.
    pub database_inactive: usize,
}

/// A map-server of the ETR.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapServerRow {
    /// Its address.
    pub address: IpAddr,
    /// How many prefixes the database has.
    pub prefixes: usize,
    /// How many of them have a route and so are being registered.
    pub registered: usize,
    /// How many of these it has acknowledged of late.
    pub acknowledged: usize,
    /// Seconds since its last Map-Notify.
    pub last_notify: Option<u64>,
}
