//! Stores which locators cannot be reached, and the sources that report this (RFC 9300 section 10).
//!
//! The reports of each [`Source`] are stored separately, for a time that depends on the source. The
//! R bit and the Locator-Status-Bits are about the locators of one mapping, and are stored together
//! with these locators ([`Locator`]). ICMP, the kernel and echo-nonce report that an RLOC cannot be
//! reached. A report about an RLOC is valid for all mappings, and is stored in this table for a
//! limited time. The time is limited, because the router sends no probes and so gets no report that
//! the RLOC can be reached again. The other modules call [`Reachability::of`].

use std::net::IpAddr;
use std::time::Duration;

use super::bounded::{Bounded, Fill, Limit};
use super::deadlines::Deadlines;
use super::event::{Event, LocatorChange, ReachableAgain};
pub use super::locator::Source;
use super::map_cache::Locator;
use super::revision::Revision;
use crate::addr::Rloc;
use crate::time::Time;

/// How long the router prefers other locators to an unreachable locator.
pub(super) const UNREACHABLE_FOR: Duration = Duration::from_secs(15);
/// The limit for the number of reports that a locator cannot be reached. There is one report for
/// each pair of locator and source. If the table is full, the router removes the oldest report of
/// the reporter that has the most reports.
const LEFT: Limit =
    Limit { name: "Reports of unreachable locators", capacity: 1024, idle: Duration::ZERO };

/// Whether packets may be sent to a locator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The locator is up, and no source reports that it cannot be reached.
    Up,
    /// The locator is up, but cannot be reached. The locator is used only if no other locator of
    /// the mapping can be used.
    Unreachable(Source),
    /// The site of the locator reports that the locator is down. The locator is never used.
    Down(Source),
}

/// A locator, and a source that reports that the locator cannot be reached.
type Key = (Rloc, Source);

/// The locators that cannot be reached.
#[derive(Debug)]
pub struct Reachability {
    /// The reports. The sharer of a report (see [`Bounded`]) is the router that reported by ICMP,
    /// or `None` if this router itself is the reporter.
    unreachable: Bounded<Key, (), Option<IpAddr>>,
    /// The time at which each report ends.
    until: Deadlines<Key>,
    revision: Revision,
    /// The reports that have ended and that the caller has not taken yet.
    changes: Vec<(Rloc, ReachableAgain)>,
}

impl Default for Reachability {
    fn default() -> Self {
        Reachability {
            unreachable: Bounded::new(LEFT),
            until: Deadlines::default(),
            revision: Revision::default(),
            changes: Vec::new(),
        }
    }
}

impl Reachability {
    /// Whether packets may be sent to a locator of a mapping.
    pub fn of(&self, locator: &Locator) -> Reach {
        match (locator.up, self.unreachable(locator.rloc)) {
            (false, _) => Reach::Down(locator.source),
            (true, Some(source)) => Reach::Unreachable(source),
            (true, None) => Reach::Up,
        }
    }

    /// The first source that reports that an RLOC cannot be reached. `None` if no source reports
    /// this.
    pub fn unreachable(&self, rloc: Rloc) -> Option<Source> {
        if self.unreachable.is_empty() {
            return None;
        }
        let of_rloc = (rloc, Source::RBit)..=(rloc, Source::EchoNonce);
        self.unreachable.range(of_rloc).next().map(|(&(_, source), ())| source)
    }

    /// The RLOCs that cannot be reached, each with the source that reports this, and the time at
    /// which this report ends.
    pub fn all_unreachable(&self) -> impl Iterator<Item = (Rloc, Source, Option<Time>)> {
        self.unreachable.keys().map(|key| (key.0, key.1, self.until.get(key)))
    }

    /// Records a source's report that an RLOC cannot be reached. The report is valid for
    /// [`UNREACHABLE_FOR`] from `now`.
    pub(super) fn leave(
        &mut self,
        rloc: Rloc,
        source: Source,
        reporter: Option<IpAddr>,
        now: Time,
    ) {
        let key = (rloc, source);
        if !self.unreachable.contains_key(&key) {
            self.revision.advance();
        }
        // A full table always evicts another entry, so no new entry is rejected.
        if let Ok(Some((other, ()))) = self.unreachable.insert(key, reporter, (), now) {
            self.until.set(other, None);
            self.changes.push((other.0, ReachableAgain::TableFull));
        }
        self.until.set(key, Some(now + UNREACHABLE_FOR));
    }

    /// Ends all reports of a source, for all RLOCs.
    pub(super) fn forget(&mut self, source: Source) {
        let gone: Vec<Key> =
            self.unreachable.keys().filter(|key| key.1 == source).copied().collect();
        gone.into_iter().for_each(|key| self.end(key, ReachableAgain::NewRoute));
    }

    /// Ends each report that is not valid any more.
    pub(super) fn expire(&mut self, now: Time) {
        while let Some(key) = self.until.pop(now) {
            self.end(key, ReachableAgain::TimeOver);
        }
    }

    fn end(&mut self, key: Key, why: ReachableAgain) {
        self.until.set(key, None);
        if self.unreachable.remove(&key).is_some() {
            self.revision.advance();
            self.changes.push((key.0, why));
        }
    }

    /// Removes the reports that have ended since the last call, and returns them as events.
    pub(super) fn take_changes(&mut self) -> Vec<Event> {
        let changes = std::mem::take(&mut self.changes).into_iter();
        let event = |(rloc, why)| Event::Locator { rloc, change: LocatorChange::Reachable(why) };
        changes.map(event).collect()
    }

    /// The time at which the next report ends.
    pub(super) fn next_expiry(&self) -> Option<Time> {
        self.until.next()
    }

    /// The fill level of the table of reports.
    pub fn fill(&self) -> Fill {
        self.unreachable.fill()
    }

    /// The number of times that the table has changed.
    pub(super) fn revision(&self) -> u64 {
        self.revision.number()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rloc(last: u8) -> Rloc {
        Rloc([203, 0, 113, last].into())
    }

    #[test]
    fn each_source_is_believed_for_a_time_of_its_own() {
        let mut reachability = Reachability::default();
        reachability.leave(rloc(1), Source::Route, None, Time::ZERO);
        reachability.leave(rloc(1), Source::EchoNonce, None, Time::from_secs(10));
        assert_eq!(reachability.unreachable(rloc(1)), Some(Source::Route));
        assert_eq!(reachability.unreachable(rloc(2)), None);
        reachability.expire(Time::from_secs(15));
        assert_eq!(reachability.unreachable(rloc(1)), Some(Source::EchoNonce));
        assert_eq!(reachability.next_expiry(), Some(Time::from_secs(25)));
        reachability.expire(Time::from_secs(25));
        assert_eq!(reachability.unreachable(rloc(1)), None);
        assert_eq!((reachability.fill().entries, reachability.next_expiry()), (0, None));
    }

    #[test]
    fn to_forget_a_source_leaves_the_others() {
        let mut reachability = Reachability::default();
        for source in [Source::Icmp, Source::Route, Source::EchoNonce] {
            reachability.leave(rloc(1), source, None, Time::ZERO);
        }
        reachability.leave(rloc(2), Source::Route, None, Time::ZERO);
        reachability.forget(Source::Route);
        let left: Vec<_> =
            reachability.all_unreachable().map(|(rloc, source, _)| (rloc, source)).collect();
        assert_eq!(left, [(rloc(1), Source::Icmp), (rloc(1), Source::EchoNonce)]);
    }

    #[test]
    fn what_gave_way_has_no_deadline() {
        let mut reachability = Reachability::default();
        for number in 0..2 * LEFT.capacity as u16 {
            let [high, low] = number.to_be_bytes();
            let rloc = Rloc([203, 0, high, low].into());
            reachability.leave(rloc, Source::Icmp, Some(rloc.0), Time::ZERO);
        }
        assert_eq!(reachability.until.len(), LEFT.capacity);
        assert_eq!(reachability.fill().entries, LEFT.capacity);
    }
}
