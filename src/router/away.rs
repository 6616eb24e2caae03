//! The away table contains the EIDs of this site that are away: they have no route, were removed
//! from the configuration, or are registered by another xTR (draft-ietf-lisp-eid-mobility section
//! 4.2.4; `show ip lisp away`).
//!
//! If a packet for an away EID arrives, the xTR that encapsulated it has an old mapping. The router
//! does not deliver the packet. It sends an SMR to that xTR, so that the xTR asks for the mapping
//! again. If both the database and this table have a prefix for an EID, the longer prefix decides
//! where the EID is. If the two prefixes have the same length, the EID is away.
//!
//! The network can cause only a limited number of entries ([`Stay`]). All other entries come from
//! the configuration. If an entry has a route in the kernel, the router removes this route together
//! with the entry.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::bounded::{Bounded, Fill, Limit};
use super::deadlines::Deadlines;
use super::event::{AwayChange, Event};
use super::io::Connection;
use super::map_cache::Locator;
pub use super::producer::Producer;
use super::reason::{AwayReason, Report};
use super::revision::Revision;
use crate::addr::{Eid, EidPrefix, Family, InstanceId};
use crate::prefix_map::PrefixMap;
use crate::time::Time;

/// How a map-server sent a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teller {
    /// The map-server sent a Mapping Notification on this session. The map-server will also send
    /// the next change of the mapping, so the mapping is true while the session is up.
    Session(Connection),
    /// The map-server sent a datagram: a Map-Notify or a Map-Reply.
    Datagram,
}

/// How long an entry stays in the away table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stay {
    /// The entry stays as long as the configuration and the routes require it.
    Permanent,
    /// The entry stays until this time. The entry is for a prefix that was removed from the
    /// configuration. At this time, no other router has the prefix in its map-cache any more: the
    /// TTL of each record has ended.
    Until(Time),
    /// The entry stays until this time. The entry is for a host that became silent or was not
    /// found. The table has at most [`SILENT`] entries of this kind.
    Silent(Time),
    /// A map-server sent a mapping, and the entry stays as long as this mapping is true. The table
    /// has at most [`TOLD`] entries of this kind.
    Told {
        /// How the map-server sent the mapping.
        by: Teller,
        /// The TTL of the record.
        ttl: Duration,
        /// The time at which the TTL of the record ends. If the session is up at this time, the
        /// entry stays. If the session is down, the router asks the mapping system again.
        checked_at: Time,
        /// Whether the router has asked the mapping system again. If there is no answer before
        /// `checked_at`, the entry is removed.
        is_asked: bool,
    },
}

impl Stay {
    /// The time at which the entry is removed or checked.
    fn due_at(self) -> Option<Time> {
        match self {
            Stay::Permanent => None,
            Stay::Until(at) | Stay::Silent(at) => Some(at),
            Stay::Told { checked_at, .. } => Some(checked_at),
        }
    }
}

/// The largest number of entries for silent hosts. If one more entry is added, the entry of the
/// host that became silent first is removed. If a packet arrives for a host without an entry, the
/// router searches for the host, as for every EID of a dynamic-EID range.
const SILENT: Limit = Limit { name: "Silent hosts", capacity: 4096, idle: Duration::ZERO };
/// The largest number of [`Stay::Told`] entries. If one more entry is added, the oldest entry is
/// removed.
const TOLD: Limit = Limit { name: "EIDs at other xTRs", capacity: 16_384, idle: Duration::ZERO };
/// How long the router waits for an answer when it asks the mapping system again.
const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// An entry of the away table. It says why and for how long an EID prefix of this site is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The cause of the entry.
    pub producer: Producer,
    /// The time at which the entry was made.
    pub created_at: Time,
    /// How long the entry stays in the away table.
    pub stay: Stay,
    /// The locators of the EID, if a map-server sent them.
    pub locators: Vec<Locator>,
}

impl Entry {
    /// Makes an entry without locators.
    pub(super) fn new(producer: Producer, stay: Stay, now: Time) -> Self {
        Entry { producer, created_at: now, stay, locators: Vec::new() }
    }

    /// Makes an entry from the `mapping` that a map-server sent.
    pub(super) fn told(producer: Producer, mapping: Elsewhere, now: Time) -> Self {
        let Elsewhere { locators, by, ttl, report: _ } = mapping;
        let stay = Stay::Told { by, ttl, checked_at: now + ttl, is_asked: false };
        Entry { producer, created_at: now, stay, locators }
    }

    /// Whether this entry and the entry `other` have the same effect on packets.
    fn is_like(&self, other: &Entry) -> bool {
        self.producer == other.producer
            && self.locators.len() == other.locators.len()
            && self.locators.iter().zip(&other.locators).all(|(own, other)| own.is_like(other))
    }
}

/// A mapping that a map-server sent. It says that the EID is at another xTR.
#[derive(Clone, Debug)]
pub(super) struct Elsewhere {
    /// The locators of the EID. Locators that are not IP addresses are left out.
    pub locators: Vec<Locator>,
    /// How the map-server sent the mapping.
    pub by: Teller,
    /// The TTL of the record.
    pub ttl: Duration,
    /// The message of the map-server.
    pub report: Report,
}

/// The away table: the EIDs of this site that are away, in all instances and both families.
#[derive(Debug)]
pub struct AwayTable {
    entries: PrefixMap<Entry>,
    /// The entries with [`Stay::Silent`].
    silent: Bounded<EidPrefix, ()>,
    /// The entries with [`Stay::Told`].
    told: Bounded<EidPrefix, ()>,
    due: Deadlines<EidPrefix>,
    /// The prefixes of added or removed entries, if these entries [lead to another
    /// xTR](Producer::leads_elsewhere). The router has to change the kernel for these prefixes.
    moved: BTreeSet<EidPrefix>,
    /// The number of [`Producer::Deconfigured`] entries of each instance and family.
    deconfigured: BTreeMap<(InstanceId, Family), usize>,
    /// The changes that the caller has not taken yet.
    changes: Vec<Event>,
    revision: Revision,
}

impl Default for AwayTable {
    fn default() -> Self {
        AwayTable {
            entries: PrefixMap::new(),
            silent: Bounded::new(SILENT),
            told: Bounded::new(TOLD),
            due: Deadlines::default(),
            moved: BTreeSet::new(),
            deconfigured: BTreeMap::new(),
            changes: Vec::new(),
            revision: Revision::default(),
        }
    }
}

impl AwayTable {
    /// Returns the changes since the last call of this function.
    pub(super) fn take_changes(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.changes)
    }

    /// Returns the prefixes of the entries that were added or removed since the last call, if these
    /// entries lead to another xTR.
    pub(super) fn take_moved(&mut self) -> BTreeSet<EidPrefix> {
        std::mem::take(&mut self.moved)
    }

    /// Whether the router still has to change the kernel for an entry that was added or removed.
    pub(super) fn has_moved(&self) -> bool {
        !self.moved.is_empty()
    }

    /// Adds an entry for a prefix. If the table has an entry for this prefix with the same
    /// producer, the new entry keeps the creation time of the old entry.
    pub(super) fn insert(
        &mut self,
        prefix: EidPrefix,
        mut entry: Entry,
        reason: AwayReason,
        now: Time,
    ) {
        let before = self.unlink(prefix);
        if let Some(before) = before.as_ref().filter(|before| before.producer == entry.producer) {
            entry.created_at = before.created_at;
        }
        if !before.is_some_and(|before| before.is_like(&entry)) {
            self.tell(prefix, entry.producer, AwayChange::Added, reason);
        }
        let gives_way = match entry.stay {
            Stay::Permanent | Stay::Until(_) => None,
            Stay::Silent(_) => self.silent.insert(prefix, (), (), now).ok().flatten(),
            Stay::Told { .. } => self.told.insert(prefix, (), (), now).ok().flatten(),
        };
        if let Some((other, ())) = gives_way {
            self.take_out(other, AwayReason::TableFull);
        }
        self.due.set(prefix, entry.stay.due_at());
        if entry.producer.leads_elsewhere() {
            self.moved.insert(prefix);
        }
        if entry.producer == Producer::Deconfigured {
            *self.deconfigured.entry((prefix.instance_id(), prefix.family())).or_default() += 1;
        }
        self.entries.insert(prefix, entry);
    }

    fn tell(
        &mut self,
        eid_prefix: EidPrefix,
        producer: Producer,
        change: AwayChange,
        reason: AwayReason,
    ) {
        self.revision.advance();
        self.changes.push(Event::Away { eid_prefix, producer, change, reason });
    }

    /// Removes an entry.
    fn take_out(&mut self, prefix: EidPrefix, reason: AwayReason) {
        if let Some(entry) = self.unlink(prefix) {
            self.tell(prefix, entry.producer, AwayChange::Removed, reason);
        }
    }

    /// The number of times that an entry was added, was removed, or got other locators.
    pub(super) fn revision(&self) -> u64 {
        self.revision.number()
    }

    /// Removes an entry, and all data that belong to the entry. All functions that remove an entry
    /// call this function.
    fn unlink(&mut self, prefix: EidPrefix) -> Option<Entry> {
        let entry = self.entries.remove(&prefix)?;
        self.silent.remove(&prefix);
        self.told.remove(&prefix);
        self.due.set(prefix, None);
        if entry.producer.leads_elsewhere() {
            self.moved.insert(prefix);
        }
        if entry.producer == Producer::Deconfigured
            && let Some(count) = self.deconfigured.get_mut(&(prefix.instance_id(), prefix.family()))
        {
            *count -= 1;
        }
        Some(entry)
    }

    /// Removes the entry of a prefix if the entry has this `producer`. Returns whether an entry was
    /// removed.
    pub(super) fn remove(
        &mut self,
        prefix: &EidPrefix,
        producer: Producer,
        reason: AwayReason,
    ) -> bool {
        let matches = self.entries.get(prefix).is_some_and(|entry| entry.producer == producer);
        if matches {
            self.take_out(*prefix, reason);
        }
        matches
    }

    /// Keeps the entries for which `keep` returns true, and removes the others. `reason` is the
    /// reason of the removal.
    pub(super) fn retain(
        &mut self,
        mut keep: impl FnMut(EidPrefix, &Entry) -> bool,
        reason: AwayReason,
    ) {
        let all = self.entries.iter();
        let gone: Vec<EidPrefix> =
            all.filter(|(prefix, entry)| !keep(*prefix, entry)).map(|(prefix, _)| prefix).collect();
        for prefix in gone {
            self.take_out(prefix, reason);
        }
    }

    /// The [`Stay::Told`] entries, each with its prefix.
    pub(super) fn told(&self) -> impl Iterator<Item = (EidPrefix, &Entry)> {
        let entry = |prefix: &EidPrefix| Some((*prefix, self.entries.get(prefix)?));
        self.told.keys().filter_map(entry)
    }

    /// Handles the entries that are due. The caller must ask the mapping system about each returned
    /// prefix.
    /// - If a map-server sent the entry on a session, and this session is up (`is_up`), the entry
    ///   stays for another TTL.
    /// - If the session is down, or if the mapping was received in a datagram, the function returns
    ///   the prefix of the entry. The entry stays for [`ANSWER_WAIT`].
    /// - If the router has asked the mapping system already, and the entry is due again, the entry
    ///   is removed.
    /// - All other entries are removed.
    pub(super) fn expire(
        &mut self,
        is_up: impl Fn(Connection) -> bool,
        now: Time,
    ) -> Vec<EidPrefix> {
        let mut to_ask = Vec::new();
        while let Some(prefix) = self.due.pop(now) {
            let Some(Entry { stay, .. }) = self.entries.get_mut(&prefix) else { continue };
            match stay {
                Stay::Told { by: Teller::Session(connection), ttl, checked_at, .. }
                    if is_up(*connection) =>
                {
                    *checked_at = now + *ttl;
                }
                Stay::Told { is_asked, checked_at, .. } if !*is_asked => {
                    (*is_asked, *checked_at) = (true, now + ANSWER_WAIT);
                    to_ask.push(prefix);
                }
                Stay::Told { .. } => {
                    self.take_out(prefix, AwayReason::NoAnswer);
                    continue;
                }
                Stay::Permanent | Stay::Until(_) | Stay::Silent(_) => {
                    self.take_out(prefix, AwayReason::Expired);
                    continue;
                }
            }
            self.due.set(prefix, stay.due_at());
        }
        to_ask
    }

    /// Whether the router has asked the mapping system again about `prefix`.
    pub(super) fn is_asked(&self, prefix: &EidPrefix) -> bool {
        let entry = self.entries.get(prefix);
        entry.is_some_and(|entry| matches!(entry.stay, Stay::Told { is_asked: true, .. }))
    }

    /// The next time at which an entry is removed or checked.
    pub(super) fn next_expiry(&self) -> Option<Time> {
        self.due.next()
    }

    /// The entry of the longest prefix that contains `eid`.
    pub fn longest_match(&self, eid: Eid) -> Option<(EidPrefix, &Entry)> {
        self.entries.longest_match(eid)
    }

    /// The entries, for a `show` command.
    pub fn entries(&self) -> &PrefixMap<Entry> {
        &self.entries
    }

    /// The number of [`Producer::Deconfigured`] entries of an instance and a family.
    pub fn deconfigured(&self, instance_id: InstanceId, family: Family) -> usize {
        self.deconfigured.get(&(instance_id, family)).copied().unwrap_or_default()
    }

    /// The number of entries and the limit, for each kind of entry that the network can cause.
    pub fn fills(&self) -> [Fill; 2] {
        [self.silent.fill(), self.told.fill()]
    }
}
