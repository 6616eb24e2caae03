//! Converts the records of messages to the form that the map-cache and the away table use.

use std::net::IpAddr;
use std::time::Duration;

use super::locators::LocalRlocs;
use super::map_cache::{Learned, Locator, Mapping};
use super::reachability::Source;
use crate::time::Time;
use crate::wire::{Action, LocatorRecord, MappingRecord};

/// A record with this TTL leaves the choice of the TTL to the receiver (RFC 9301 section 5.4).
const RECEIVER_DECIDES: u32 = u32::MAX;
/// The TTL that this receiver chooses: a day.
const DECIDED_TTL: Duration = Duration::from_secs(24 * 3600);

/// How long a record is valid.
pub(super) fn ttl(record: &MappingRecord) -> Duration {
    match record.ttl_minutes {
        RECEIVER_DECIDES => DECIDED_TTL,
        minutes => Duration::from_secs(u64::from(minutes) * 60),
    }
}

/// Converts a record of a Map-Reply to the form that the map-cache uses.
pub(super) fn learned(
    record: &MappingRecord,
    local: &LocalRlocs,
    from: IpAddr,
    now: Time,
) -> Learned {
    let (prefix, mapping) = (record.eid_prefix, mapping(record, local, now));
    Learned { prefix, mapping, ttl: ttl(record), map_source: from, solicited: false }
}

/// Converts the locators of a record to the form that a mapping uses. Locators that are not IP
/// addresses are left out. The ordinal of a locator is its position among all locators of the
/// record. A locator is marked as down if no router can have its address.
pub(super) fn locators(record: &MappingRecord, local: &LocalRlocs, now: Time) -> Vec<Locator> {
    let locator = |(locator, ordinal): (&LocatorRecord, u8)| {
        let rloc = locator.ip()?;
        let (priority, weight) = (locator.priority, locator.weight);
        let up = locator.reachable && !local.is_no_router_address(rloc);
        Some(Locator { rloc, priority, weight, ordinal, up, source: Source::RBit, since: now })
    };
    // A record has 255 locators at most, so each locator gets an ordinal.
    record.locators.iter().zip(0..=u8::MAX).filter_map(locator).collect()
}

fn mapping(record: &MappingRecord, local: &LocalRlocs, now: Time) -> Mapping {
    if !record.locators.is_empty() {
        return Mapping::Locators(locators(record, local, now).into());
    }
    match record.action {
        Action::NativelyForward => Mapping::ForwardNative,
        Action::SendMapRequest => Mapping::SendMapRequest,
        _ => Mapping::Drop,
    }
}
