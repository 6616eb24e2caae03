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
    /// The map-resolvers, in the order in which requests are sent to them.
    pub map_resolvers: Vec<IpAddr>,
    /// The map-servers at which the ETR registers.
    pub map_servers: Vec<MapServerRow>,
    /// The xTR-ID of the router.
    pub xtr_id: XtrId,
    /// The router's first IPv4 locator, or else its first locator.
    pub local_rloc: Option<IpAddr>,
    /// Proxy ETRs.
    pub proxy_etrs: Vec<IpAddr>,
    /// Seconds for which others may keep our mappings.
    pub etr_map_cache_ttl: u64,
    /// The data-plane reachability algorithms in use.
    pub loc_reach: LocReach,
    /// Static entries of the map-cache.
    pub map_cache_static: usize,
    /// Entries of the map-cache.
    pub map_cache_size: usize,
    /// The most entries of the map-cache.
    pub map_cache_limit: usize,
    /// Entries of the mapping database.
    pub database_size: usize,
    /// Entries of the database that are kept although they were removed from the configuration.
    pub database_inactive: usize,
}

/// A map-server of the ETR.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapServerRow {
    /// Its address.
    pub address: IpAddr,
    /// How many prefixes the database has.
    pub prefixes: usize,
    /// How many of them have a route and so are registered.
    pub registered: usize,
    /// How many of the registered prefixes the map-server has acknowledged recently.
    pub acknowledged: usize,
    /// Seconds since its last Map-Notify.
    pub last_notify: Option<u64>,
}
