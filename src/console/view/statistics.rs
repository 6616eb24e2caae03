//! The data of `show ip lisp statistics`.

use serde::{Deserialize, Serialize};

use crate::addr::InstanceId;
use crate::router::bounded::Fill;
use crate::router::counters::Counters;
use crate::router::descriptors::Descriptors;

/// The counters of a router. They count for the whole router, not for one family.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatisticsView {
    /// The instance of the map-cache.
    pub instance_id: InstanceId,
    /// All counters of the router.
    #[serde(flatten)]
    pub counters: Counters,
    /// Entries of the map-cache for the family.
    pub map_cache_size: usize,
    /// Entries that were rejected because the map-cache was full of entries in use.
    pub map_cache_rejected: u64,
    /// Idle entries that were replaced by others because the map-cache was full.
    pub map_cache_evicted: u64,
    /// The tables that hosts and map-servers can fill.
    pub bounded_tables: Vec<FillRow>,
    /// The file descriptors of the process; none on the simulator.
    pub descriptors: Option<Descriptors>,
}

/// How full a table is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FillRow {
    /// The name of its entries.
    pub name: String,
    /// The number of entries.
    pub entries: usize,
    /// The most entries that the table can hold.
    pub capacity: usize,
    /// Entries that were replaced by others, since the start.
    pub evicted: u64,
    /// Entries that were rejected because none could be replaced, since the start.
    pub turned_away: u64,
}

impl From<Fill> for FillRow {
    fn from(Fill { name, entries, capacity, evicted, turned_away }: Fill) -> Self {
        FillRow { name: name.to_owned(), entries, capacity, evicted, turned_away }
    }
}
