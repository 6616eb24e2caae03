//! The data of `show ip lisp statistics`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::addr::InstanceId;
use crate::router::bounded::Fill;
use crate::router::counters::Counters;
use crate::router::descriptors::Descriptors;

/// The counters of a router. The counters are for the whole router, not for one family of EIDs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatisticsView {
    /// The instance of the map-cache.
    pub instance_id: InstanceId,
    /// Seconds since the counters were cleared. Absent if they were never cleared.
    pub last_cleared: Option<u64>,
    /// All counters of the router.
    #[serde(flatten)]
    pub counters: Counters,
    /// The number of map-cache entries of the family.
    pub map_cache_size: usize,
    /// The number of entries that were not stored, because the map-cache was full and all its
    /// entries were in use.
    pub map_cache_rejected: u64,
    /// The number of idle entries that other entries replaced, because the map-cache was full.
    pub map_cache_evicted: u64,
    /// The tables that other machines can fill.
    pub bounded_tables: Vec<FillRow>,
    /// The file descriptors of the process. Absent on the simulator.
    pub descriptors: Option<Descriptors>,
}

/// The number of entries of a table, and its limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FillRow {
    /// The name of the entries.
    pub name: String,
    /// The number of entries.
    pub entries: usize,
    /// The maximum number of entries.
    pub capacity: usize,
    /// The number of entries that other entries replaced, since the start of the router.
    pub evicted: u64,
    /// The number of entries that were not stored since the start of the router, because they could
    /// replace no other entry.
    pub turned_away: u64,
}

impl From<Fill> for FillRow {
    fn from(Fill { name, entries, capacity, evicted, turned_away }: Fill) -> Self {
        FillRow { name: name.to_owned(), entries, capacity, evicted, turned_away }
    }
}
