//! The numbers of entries of a map-cache, and the views that contain these numbers:
//! `show lisp service summary` and `show lisp instance-id N statistics`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::EidTableName;
use super::statistics::StatisticsView;
use crate::addr::{Family, InstanceId};
use crate::router::config::Roles;

/// The numbers of entries of the map-cache of a family and instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MapCacheCensus {
    /// The number of all entries.
    pub entries: u64,
    /// The number of entries without locators.
    pub negative: u64,
    /// The number of locators of all entries.
    pub locators: u64,
    /// The number of entries that packets have not used recently.
    pub idle: u64,
}

/// The data of `show lisp instance-id N ipv4 statistics`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstanceStatisticsView {
    /// The counters and the sizes of the tables.
    #[serde(flatten)]
    pub statistics: StatisticsView,
    /// The numbers of received Map-Requests: in the last five seconds, in the last minute and in
    /// the last five minutes.
    pub recent_map_requests: [u64; 3],
    /// The numbers of received Map-Registers: in the last five seconds, in the last minute and in
    /// the last five minutes.
    pub recent_map_registers: [u64; 3],
    /// The number of entries that the router added to its map-caches since the start.
    pub map_cache_created: u64,
    /// The number of entries that the router removed from its map-caches since the start.
    pub map_cache_deleted: u64,
    /// The map-cache of the family and instance.
    pub map_cache: MapCacheCensus,
}

/// The data of `show lisp service ipv4 summary`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceSummaryView {
    /// The family of the EIDs.
    pub family: Family,
    /// The instance.
    pub instance_id: InstanceId,
    /// The EID-table of the instance.
    pub eid_table: EidTableName,
    /// The roles of the router.
    pub roles: Roles,
    /// The number of database entries.
    pub database_size: usize,
    /// The number of database entries without a route.
    pub database_no_route: usize,
    /// The number of EID prefixes that were removed from the configuration, but are still in the
    /// away table.
    pub database_inactive: usize,
    /// The map-cache.
    pub map_cache: MapCacheCensus,
}
