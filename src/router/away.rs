//! The away table: local EIDs that are not here (draft-ietf-lisp-eid-mobility section 4.2.4; `show ip
//! lisp away`).
//!
//! A packet that is decapsulated for an away EID came by a mapping that is no longer true: it is not
//! delivered, and its sender is solicited to ask again. Of the database and this table the longer
//! prefix says where an EID is; on equal length it is away.
//!
//! The entries of the network are bounded ([`Stay`]); those of the configuration, by the
//! configuration. However an entry ends, the kernel's route of it ends with it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::bounded::{Bounded, Fill, Limit};
use super::deadlines::Deadlines;
use super::event::{AwayChange, Event};
use super::io::Connection;
use super::map_cache::Locator;
pub use super::producer::Producer;
use super::revision::Revision;
use crate::addr::{Eid, EidPrefix, Family, InstanceId};
use crate::prefix_map::PrefixMap;
use crate::time::Time;

/// How a map-server told of a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teller {
    /// By a Mapping Notification on this session: it also tells of the next change, so that the mapping
    /// is true while the session is up.
    Session(Connection),
    /// By a datagram: a Map-Notify, or a Map-Reply.
    Datagram,
}

/// How long an entry stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stay {
    /// As long as the configuration and the routes say so.
    Permanent,
    /// Until then: a prefix that was de-configured, when its last record in a map-cache has expired.
    Until(Time),
    /// Until then: a host that fell silent or was not found. It has one of [`SILENT`] places.
    Silent(Time),
    /// As long as a map-server's word holds. It has one of [`TOLD`] places.
    Told {
        /// How it was told.
        by: Teller,
        /// The TTL of the record.
        ttl: Duration,
        /// When the record's TTL has passed: the entry stays if the session is up, and else the mapping
        /// system is asked again.
        checked_at: Time,
        /// The mapping system has been asked again: without an answer by `checked_at`, the entry goes.
        is_asked: bool,
    },
}

impl Stay {
    /// When the entry goes, or its word is checked.
    fn due_at(self) -> Option<Time> {
        match self {
            Stay::Permanent => None,
            Stay::Until(at) | Stay::Silent(at) => Some(at),
            Stay::Told { checked_at, .. } => Some(checked_at),
        }
    }
}

/// Hosts that fell silent, at one time: the one that did so first gives way. A packet for one that is
/// not here any more makes the router look for it, as for every EID of its range.
const SILENT: Limit = Limit { name: "Silent hosts", capacity: 4096, idle: Duration::ZERO };
/// Prefixes that map-servers said to be elsewhere, at one time: the one that was told of first gives way.
const TOLD: Limit = Limit { name: "EIDs elsewhere", capacity: 16_384, idle: Duration::ZERO };
/// How long the mapping system has to answer when it is asked again.
const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// A prefix that is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its cause.
    pub producer: Producer,
    /// Since when.
    pub created_at: Time,
    /// How long it stays.
    pub stay: Stay,
    /// Where the EID is, as far as a map-server said.
    pub locators: Vec<Locator>,
}

impl Entry {
    /// An entry without locators.
    pub(super) fn new(producer: Producer, stay: Stay, now: Time) -> Self {
        Entry { producer, created_at: now, stay, locators: Vec::new() }
    }

    /// An entry for a prefix that is at `mapping`, as a map-server told.
    pub(super) fn told(producer: Producer, mapping: Elsewhere, now: Time) -> Self {
        let Elsewhere { locators, by, ttl } = mapping;
        let stay = Stay::Told { by, ttl, checked_at: now + ttl, is_asked: false };
        Entry { producer, created_at: now, stay, locators }
    }

    /// Whether packets are treated alike with this entry and with another.
    fn is_like(&self, other: &Entry) -> bool {
        self.producer == other.producer
            && self.locators.len() == other.locators.len()
            && self.locators.iter().zip(&other.locators).all(|(own, other)| own.is_like(other))
    }
}

/// Where an EID is, as a map-server told.
#[derive(Clone, Debug)]
pub(super) struct Elsewhere {
    /// Its locators, at least one.
    pub locators: Vec<Locator>,
    /// How it was told.
    pub by: Teller,
    /// The TTL of the record.
    pub ttl: Duration,
}

/// The away EIDs of all instances and both families.
#[derive(Debug)]
pub struct AwayTable {
    entries: PrefixMap<Entry>,
    /// The entries that stay [`Stay::Silent`].
    silent: Bounded<EidPrefix, ()>,
    /// The entries that are [`Stay::Told`].
    told: Bounded<EidPrefix, ()>,
    due: Deadlines<EidPrefix>,
    /// Entries that came and went and [lead elsewhere](Producer::leads_elsewhere): the kernel is to know
    /// them.
    moved: BTreeSet<EidPrefix>,
    /// How many entries are [`Producer::Deconfigured`], by instance and family.
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
    /// The changes since the last call.
    pub(super) fn take_changes(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.changes)
    }

    /// The entries that lead elsewhere and came or went since the last call.
    pub(super) fn take_moved(&mut self) -> BTreeSet<EidPrefix> {
        std::mem::take(&mut self.moved)
    }

    /// Whether anything came or went that the kernel has not been told of.
    pub(super) fn has_moved(&self) -> bool {
        !self.moved.is_empty()
    }

    /// Puts a prefix into the table; one that is there with the same producer keeps its age.
    pub(super) fn insert(&mut self, prefix: EidPrefix, mut entry: Entry, now: Time) {
        let before = self.unlink(prefix);
        if let Some(before) = before.as_ref().filter(|before| before.producer == entry.producer) {
            entry.created_at = before.created_at;
        }
        if !before.is_some_and(|before| before.is_like(&entry)) {
            self.tell(prefix, entry.producer, AwayChange::Added);
        }
        let gives_way = match entry.stay {
            Stay::Permanent | Stay::Until(_) => None,
            Stay::Silent(_) => self.silent.insert(prefix, (), (), now).ok().flatten(),
            Stay::Told { .. } => self.told.insert(prefix, (), (), now).ok().flatten(),
        };
        if let Some((other, ())) = gives_way {
            self.take_out(other);
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

    fn tell(&mut self, eid_prefix: EidPrefix, producer: Producer, change: AwayChange) {
        self.revision.advance();
        self.changes.push(Event::Away { eid_prefix, producer, change });
    }

    /// Takes an entry out.
    fn take_out(&mut self, prefix: EidPrefix) {
        if let Some(entry) = self.unlink(prefix) {
            self.tell(prefix, entry.producer, AwayChange::Removed);
        }
    }

    /// How often an entry has come, gone or changed where it says that its EID is.
    pub(super) fn revision(&self) -> u64 {
        self.revision.number()
    }

    /// The only way out of the table: all that hangs on an entry goes with it.
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

    /// Takes a prefix out if `producer` put it in.
    pub(super) fn remove(&mut self, prefix: &EidPrefix, producer: Producer) -> bool {
        let matches = self.entries.get(prefix).is_some_and(|entry| entry.producer == producer);
        if matches {
            self.take_out(*prefix);
        }
        matches
    }

    /// Keeps the entries for which `keep` says so.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(EidPrefix, &Entry) -> bool) {
        let all = self.entries.iter();
        let gone: Vec<EidPrefix> =
            all.filter(|(prefix, entry)| !keep(*prefix, entry)).map(|(prefix, _)| prefix).collect();
        for prefix in gone {
            self.take_out(prefix);
        }
    }

    /// The prefixes that map-servers told of.
    pub(super) fn told(&self) -> impl Iterator<Item = (EidPrefix, &Entry)> {
        let entry = |prefix: &EidPrefix| Some((*prefix, self.entries.get(prefix)?));
        self.told.keys().filter_map(entry)
    }

    /// Removes the entries whose time has passed. An entry that was told on a session that `is_up` stays
    /// for another TTL. Returns the others whose TTL has passed: the mapping system is to be asked about
    /// them, and they go if it does not answer.
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
                _ => {
                    self.take_out(prefix);
                    continue;
                }
            }
            self.due.set(prefix, stay.due_at());
        }
        to_ask
    }

    /// Whether the mapping system has been asked again about `prefix`.
    pub(super) fn is_asked(&self, prefix: &EidPrefix) -> bool {
        let entry = self.entries.get(prefix);
        entry.is_some_and(|entry| matches!(entry.stay, Stay::Told { is_asked: true, .. }))
    }

    /// When an entry goes, or its word is checked.
    pub(super) fn next_expiry(&self) -> Option<Time> {
        self.due.next()
    }

    /// The entry of the longest prefix that holds `eid`.
    pub fn longest_match(&self, eid: Eid) -> Option<(EidPrefix, &Entry)> {
        self.entries.longest_match(eid)
    }

    /// The entries, for a `show`.
    pub fn entries(&self) -> &PrefixMap<Entry> {
        &self.entries
    }

    /// How many local EIDs of a family are away for having been taken out of the configuration.
    pub fn deconfigured(&self, instance_id: InstanceId, family: Family) -> usize {
        self.deconfigured.get(&(instance_id, family)).copied().unwrap_or_default()
    }

    /// How full the table is of entries of the network.
    pub fn fills(&self) -> [Fill; 2] {
        [self.silent.fill(), self.told.fill()]
    }
}
