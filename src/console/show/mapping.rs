//! Prints one mapping for `lig`. The text has the form of a map-cache entry.

use super::locator_address;
use super::map_cache::{row, row_text};
use crate::addr::EidPrefix;
use crate::console::view::map_cache::{EntryState, LocatorRow, LocatorState, Row};
use crate::router::Router;
use crate::router::map_cache::Source;
use crate::time::Time;
use crate::wire::{Action, LocatorRecord, MappingRecord};

/// The text of the map-cache entry for a prefix. `None` if the map-cache has no entry for the
/// prefix, or if the entry is not from a Map-Reply.
pub fn entry_text(prefix: EidPrefix, router: &Router, now: Time) -> Option<String> {
    let entry = router.map_cache().entries().get(&prefix)?;
    let is_learned = entry.source == Source::MapReply;
    is_learned.then(|| row_text(&row(prefix, entry, router, now), false))
}

/// The text of a mapping record that is not in the map-cache.
pub fn record_text(record: &MappingRecord) -> String {
    let state = match record.action {
        _ if !record.locators.is_empty() => EntryState::Complete,
        Action::NativelyForward => EntryState::ForwardNative,
        Action::SendMapRequest => EntryState::SendMapRequest,
        _ => EntryState::Drop,
    };
    let locator = |locator: &LocatorRecord| LocatorRow {
        rloc: locator_address(&locator.rloc),
        uptime: 0,
        state: if locator.reachable { LocatorState::Up } else { LocatorState::Down },
        priority: locator.priority,
        weight: locator.weight,
    };
    let row = Row {
        eid_prefix: record.eid_prefix.prefix(),
        uptime: 0,
        expires: Some(u64::from(record.ttl_minutes) * 60),
        source: Source::MapReply,
        state,
        proxy_etr: false,
        last_modified: 0,
        map_source: None,
        packets: 0,
        bytes: 0,
        last_used: None,
        locators: record.locators.iter().map(locator).collect(),
    };
    row_text(&row, false)
}
