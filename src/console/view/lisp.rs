//! The data of `show ip lisp`.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EidTableName, XtrId};
use crate::addr::InstanceId;
use crate::router::config::{LocReach, Roles};

/// The roles, the peers and the table sizes of the router, for one family of EIDs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LispView {
    /// The instance.
    pub instance_id: InstanceId,
    /// The EID-table of the instance.
    pub eid_table: EidTableName,
    /// The roles of the router.
    pub roles: Roles,
    /// The locators from which the proxy ITR encapsulates packets.
    pub proxy_itr_rlocs: Vec<IpAddr>,
    /// The configured inner source address of Map-Requests. If absent, the source address is the
    /// requested EID.
    pub map_request_source: Option<IpAddr>,
    /// The map-resolvers, in the order in which the router uses them.
    pub map_resolvers: Vec<IpAddr>,
    /// The map-servers at which the ETR registers.
    pub map_servers: Vec<MapServerRow>,
    /// The xTR-ID of the router.
    pub xtr_id: XtrId,
    /// The first IPv4 locator of the router. If the router has no IPv4 locator, the first locator
    /// of the router.
    pub local_rloc: Option<IpAddr>,
    /// The proxy ETRs.
    pub proxy_etrs: Vec<IpAddr>,
    /// The TTL of the mappings that this router registers, in seconds. Other routers may store such
    /// a mapping for this time.
    pub etr_map_cache_ttl: u64,
    /// The enabled algorithms that determine the reachability of locators in the data plane.
    pub loc_reach: LocReach,
    /// Whether the ITR ignores SMRs.
    pub ignores_smrs: bool,
    /// The number of static entries of the map-cache.
    pub map_cache_static: usize,
    /// The number of entries of the map-cache.
    pub map_cache_size: usize,
    /// The maximum number of entries of the map-cache.
    pub map_cache_limit: usize,
    /// The number of entries of the mapping database.
    pub database_size: usize,
    /// The number of database entries for hosts of dynamic-EIDs.
    pub database_dynamic: usize,
    /// The maximum number of hosts of dynamic-EIDs, of both families.
    pub dynamic_eid_limit: usize,
    /// The number of EID prefixes that were removed from the configuration, but are still in the
    /// away table.
    pub database_inactive: usize,
    /// Whether the kernel forwards the packets of flows that the router knows.
    pub fast_path: bool,
    /// The reason why the process of the router forwards all packets. Absent if the kernel forwards
    /// packets.
    pub fast_path_reason: Option<String>,
}

/// A map-server at which the ETR registers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MapServerRow {
    /// The address of the map-server.
    pub address: IpAddr,
    /// The number of prefixes in the database.
    pub prefixes: usize,
    /// The number of registered prefixes. A prefix without a route is not registered.
    pub registered: usize,
    /// The number of registered prefixes that the map-server has acknowledged recently.
    pub acknowledged: usize,
    /// Seconds since the latest Map-Notify from the map-server.
    pub last_notify: Option<u64>,
}
