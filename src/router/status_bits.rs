//! Locator-Status-Bits: the xTRs of a site report in each packet which locators of the site are up
//! (RFC 9300 sections 10 and 13.1).
//!
//! Bit n of the Locator-Status-Bits is the state of the n-th locator in the mapping of the inner
//! source, according to the last Map-Reply. Both ends must have the same list of locators. So after
//! a change, packets carry no bits until the SMRs have updated the peers. Any sender can forge the
//! bits. So the bits are used only if `loc-reach-algorithm lsb-reports` declares that the network
//! is trusted.

use std::time::Duration;

use super::config::Config;
use super::context::Context;
use super::database::Database;
use super::deadlines::Deadlines;
use super::event::{Event, MappingChange};
use super::map_cache::{Entry, Locator, MapCache, Mapping};
use super::reason::MappingReason;
use super::revision::Revision;
use crate::addr::{Eid, EidPrefix, Rloc};
use crate::time::Time;
use crate::wire::DataHeader;

/// The use-LSB timer (RFC 9300 section 13.1). After the locators of a mapping have changed, packets
/// of the mapping carry no Locator-Status-Bits for this time.
const USE_LSB: Duration = Duration::from_secs(5 * 60);

/// The local mappings whose packets carry no Locator-Status-Bits.
#[derive(Debug, Default)]
pub(super) struct StatusHolds {
    until: Deadlines<EidPrefix>,
    revision: Revision,
}

impl StatusHolds {
    /// Records that the locators of the mapping of `prefix` have changed.
    fn begin(&mut self, prefix: EidPrefix, now: Time) {
        self.until.set(prefix, Some(now + USE_LSB));
        self.revision.advance();
    }

    /// The number of times that the packets of a mapping began to carry Locator-Status-Bits, or
    /// stopped carrying them. All mappings are counted together.
    pub(super) fn revision(&self) -> u64 {
        self.revision.number()
    }

    /// The next time at which the packets of a mapping carry Locator-Status-Bits again.
    pub(super) fn next_expiry(&self) -> Option<Time> {
        self.until.next()
    }

    pub(super) fn expire(&mut self, now: Time) {
        while self.until.pop(now).is_some() {
            self.revision.advance();
        }
    }

    /// Records that the locators of the mappings of `relocated` have changed.
    pub(super) fn hold(&mut self, config: &Config, relocated: &[EidPrefix], now: Time) {
        for &prefix in relocated {
            if config.loc_reach(prefix.family()).lsb_reports {
                self.begin(prefix, now);
            }
        }
    }

    /// The Locator-Status-Bits for packets of a local EID. `None` if the packets carry no bits.
    pub(super) fn bits(&self, config: &Config, database: &Database, source: Eid) -> Option<u32> {
        if !config.loc_reach(source.family()).lsb_reports {
            return None;
        }
        let (prefix, entry) = database.longest_match(source)?;
        (!self.until.contains(&prefix)).then(|| entry.status_bits())
    }
}

/// Whether the Locator-Status-Bits of a packet differ from the states of the locators that [`take`]
/// sets. If the states changed less than a second ago, only the bits of a later packet change these
/// states again.
pub(super) fn differ(
    context: &Context,
    map_cache: &MapCache,
    header: &DataHeader,
    (from, source): (Rloc, Eid),
) -> bool {
    let trusted = context.config.loc_reach(source.family()).lsb_reports;
    let Some(bits) = header.status_bits().filter(|_| trusted) else { return false };
    let Some((_, Entry { mapping: Mapping::Locators(locators), .. })) = map_cache.lookup(source)
    else {
        return false;
    };
    let is_other = |locator: &Locator| {
        !context.local.is_no_router_address(locator.rloc)
            && bits.of(locator.ordinal).is_some_and(|up| up != locator.up)
    };
    locators.iter().any(|locator| locator.rloc == from) && locators.iter().any(is_other)
}

/// Applies the Locator-Status-Bits of a packet. The packet has the source EID `source`, and the
/// locator `from` has encapsulated the packet.
pub(super) fn take(
    context: &mut Context,
    map_cache: &mut MapCache,
    header: &DataHeader,
    (from, source): (Rloc, Eid),
    now: Time,
) {
    let trusted = context.config.loc_reach(source.family()).lsb_reports;
    let Some(bits) = header.status_bits().filter(|_| trusted) else { return };
    let changed = map_cache.report_status(source, from, bits, &context.local, now);
    context.counters.status_bit_changes += changed;
    let entry = map_cache.lookup(source).filter(|_| changed > 0);
    if let Some((eid_prefix, _)) = entry {
        let (change, reason) = (MappingChange::LocatorState, MappingReason::StatusBits(from));
        context.tell(Event::Mapping { eid_prefix, change, reason });
    }
}
