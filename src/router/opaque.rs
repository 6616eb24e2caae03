//! The opaque locators of map-cache entries: locators that are not IP addresses. They are stored
//! only so that a `show` command can list them. No other part of the router reads them.
//!
//! The map-cache may have a million entries, and most entries have no opaque locators. So the
//! opaque locators are not stored in the entries.

use std::time::Duration;

use super::bounded::{Bounded, Limit};
use crate::addr::EidPrefix;
use crate::time::Time;
use crate::wire::{Address, MappingRecord};

/// The maximum number of stored opaque locators. If the table is full, the opaque locators of a new
/// mapping are counted ([`super::counters::Counters::opaque_locators`]), but not stored.
const KEPT: usize = 16_384;
/// The maximum number of mappings with stored opaque locators. A full table accepts no more
/// mappings.
const MAPPINGS: Limit =
    Limit { name: "Mappings with opaque locators", capacity: KEPT, idle: Duration::MAX };
/// The maximum number of octets of all stored addresses together. A full table accepts no more
/// addresses.
const OCTETS: usize = 4 << 20;

/// A locator that is not an IP address. The router sends nothing to this locator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpaqueLocator {
    /// The address and its type.
    pub address: Address,
    /// The priority of the locator in its record.
    pub priority: u8,
    /// The weight of the locator in its record.
    pub weight: u8,
    /// The position of the locator among all locators of the record.
    pub ordinal: u8,
}

/// The opaque locators of the learned entries. An entry without opaque locators has no row.
#[derive(Debug)]
pub(super) struct OpaqueLocators {
    by_prefix: Bounded<EidPrefix, Kept>,
    locators: usize,
    octets: usize,
}

impl Default for OpaqueLocators {
    fn default() -> Self {
        OpaqueLocators { by_prefix: Bounded::new(MAPPINGS), locators: 0, octets: 0 }
    }
}

#[derive(Debug)]
struct Kept {
    locators: Box<[OpaqueLocator]>,
    octets: usize,
}

impl OpaqueLocators {
    /// Stores the opaque locators of a learned record. They replace the stored opaque locators of
    /// the same prefix.
    pub(super) fn keep(&mut self, record: &MappingRecord) {
        self.forget(&record.eid_prefix);
        let locators = opaque_of(record);
        let octets = locators.iter().map(|locator| locator.address.emitted_len()).sum();
        let full = self.locators + locators.len() > KEPT || self.octets + octets > OCTETS;
        if locators.is_empty() || full {
            return;
        }
        let (number, kept) = (locators.len(), Kept { locators, octets });
        // Every entry has the same time of use, because entries are never removed by age.
        if self.by_prefix.insert(record.eid_prefix, (), kept, Time::ZERO).is_ok() {
            self.locators += number;
            self.octets += octets;
        }
    }

    /// Removes the opaque locators of `prefix`, because its entry was removed.
    pub(super) fn forget(&mut self, prefix: &EidPrefix) {
        if let Some(gone) = self.by_prefix.remove(prefix) {
            self.locators -= gone.locators.len();
            self.octets -= gone.octets;
        }
    }

    /// The opaque locators of an entry, in the order of its record.
    pub(super) fn of(&self, prefix: &EidPrefix) -> &[OpaqueLocator] {
        self.by_prefix.get(prefix).map_or(&[], |kept| &kept.locators)
    }
}

fn opaque_of(record: &MappingRecord) -> Box<[OpaqueLocator]> {
    // A record has 255 locators at most, so each locator gets an ordinal.
    let locators = record.locators.iter().zip(0..=u8::MAX);
    let opaque = locators.filter(|(locator, _)| locator.ip().is_none());
    opaque
        .map(|(locator, ordinal)| OpaqueLocator {
            address: locator.rloc.clone(),
            priority: locator.priority,
            weight: locator.weight,
            ordinal,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::{Eid, InstanceId};
    use crate::wire::LocatorRecord;

    fn record(number: u32, names: usize, length: usize) -> MappingRecord {
        let host = Eid::new(InstanceId::DEFAULT, std::net::Ipv4Addr::from_bits(number).into());
        let name = LocatorRecord {
            rloc: Address::Name(vec![b'x'; length].into()),
            ..LocatorRecord::unicast([192, 0, 2, 1].into(), 254, 0)
        };
        let mut locators = vec![LocatorRecord::unicast([192, 0, 2, 1].into(), 1, 100)];
        locators.extend(vec![name; names]);
        MappingRecord::of_site(host.host_prefix(), 1440, locators)
    }

    #[test]
    fn opaque_locators_are_kept_with_their_places_and_go_with_their_entry() {
        let mut table = OpaqueLocators::default();
        let record = record(1, 2, 9);
        table.keep(&record);
        let kept = table.of(&record.eid_prefix).iter();
        assert_eq!(kept.map(|locator| locator.ordinal).collect::<Vec<_>>(), [1, 2]);
        table.forget(&record.eid_prefix);
        assert!(table.of(&record.eid_prefix).is_empty());
        assert_eq!((table.locators, table.octets), (0, 0));
    }

    #[test]
    fn many_or_long_ones_are_not_kept_without_bound() {
        for length in [1, 250, 60_000] {
            let mut table = OpaqueLocators::default();
            for number in 0..1000 {
                table.keep(&record(number, 254, length));
            }
            assert!(table.locators <= KEPT && table.octets <= OCTETS, "{length}");
            let held: usize = table.by_prefix.iter().map(|(_, kept)| kept.locators.len()).sum();
            assert_eq!(held, table.locators);
            for number in 0..1000 {
                table.forget(&record(number, 0, 0).eid_prefix);
            }
            assert_eq!((table.locators, table.octets), (0, 0), "{length}");
        }
    }
}
