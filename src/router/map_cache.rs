//! The map-cache of an ITR: its mappings for EIDs of other sites (RFC 9300 section 3, RFC 9301
//! section 5.5).
//!
//! A learned entry expires after the TTL of its record. A static entry makes the ITR send
//! Map-Requests. An entry that is learned again is overwritten and keeps its uptime, as in IOS.
//!
//! Memory is limited. Each family of an instance holds at most `map-cache-limit` entries. An entry
//! with one locator has at most 300 octets, so the default limit of a million entries needs 300 MB.
//! When a family is full, a new mapping replaces a learned entry that is not in use. If several
//! entries are not in use, it replaces the entry that was used least recently. So a host that sends
//! a packet to each address of a /8 cannot remove an entry that is in use. When all entries are in
//! use, the new mapping is rejected. Replaced entries and rejected mappings are counted.

mod second_path;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounded::{Bounded, Fill, Limit};
use super::event::{Event, MappingChange};
pub use super::locator::Locator;
use super::locator::Source as LocatorSource;
use super::locators::LocalRlocs;
use super::opaque::{OpaqueLocator, OpaqueLocators};
use super::reason::MappingReason;
use super::revision::Revision;
use crate::addr::{Eid, EidPrefix, Family, InstanceId, Rloc};
use crate::packet::Load;
use crate::prefix_map::{PrefixMap, Slot};
use crate::time::Time;
use crate::wire::{MappingRecord, StatusBits};

/// The maximum number of entries of a family if `map-cache-limit` is not configured.
pub const DEFAULT_LIMIT: usize = 1_000_000;
/// How long an entry is in use after its last packet. An entry with only one packet does not count
/// as in use. The reason: a host that scans a network sends one packet to each EID, but two hosts
/// that communicate send more.
const IN_USE: Duration = Duration::from_secs(60);
/// Data packets change the locator states of an entry at most once in this time.
const STATUS_INTERVAL: Duration = Duration::from_secs(1);
/// The maximum number of entries that are examined to make room for one entry. This limits the work
/// for one mapping, even if many entries have come into use or `map-cache-limit` has been lowered.
const LOOKS: usize = 64;

/// The action of an ITR for a packet that matches a map-cache entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mapping {
    /// Encapsulate to one of these locators. The list is empty if all locators of the record are
    /// opaque (not IP addresses). In this case there is a mapping, but no usable locator.
    Locators(Box<[Locator]>),
    /// Forward without LISP, or to a proxy ETR (ACT 1).
    ForwardNative,
    /// Send a Map-Request (ACT 2).
    SendMapRequest,
    /// Drop (ACT 0 with no locators, and ACT 3 to 5).
    Drop,
}

impl Mapping {
    /// Whether this mapping and `other` have the same effect on packets.
    fn is_like(&self, other: &Mapping) -> bool {
        match (self, other) {
            (Mapping::Locators(own), Mapping::Locators(other)) => {
                own.len() == other.len()
                    && own.iter().zip(other).all(|(own, other)| own.is_like(other))
            }
            (own, other) => own == other,
        }
    }
}

/// The origin of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "MapCacheSource")]
pub enum Source {
    /// The entry is configured, or it is the default entry of an ITR.
    Static,
    /// The entry comes from a Map-Reply.
    MapReply,
}

/// An entry of the map-cache. There may be a million entries, so the fields that every packet needs
/// come first and are close together in memory.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Entry {
    /// The packets that used the entry. They include the packets that the flow cache forwarded.
    pub usage: Usage,
    /// The action for packets that match the entry.
    pub mapping: Mapping,
    /// The origin of the entry.
    pub source: Source,
    /// The sender of the latest Map-Reply.
    pub map_source: Option<IpAddr>,
    /// The time at which the prefix was added to the map-cache.
    pub created_at: Time,
    /// The time at which the mapping last changed.
    pub modified_at: Time,
    /// The time at which the entry expires; `None` for a static entry.
    pub expires_at: Option<Time>,
    /// The position of the entry in the order of eviction: the value that `idle_at` had when the
    /// entry was added or last examined. Packets that use the entry later do not change this
    /// position.
    queued_at: Time,
}

/// The packets that used an entry.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    packets: u64,
    bytes: u64,
    /// The time of the last packet. It has no meaning if there are no packets.
    used_at: Time,
}

impl Usage {
    /// Counts the packets of `load`. They used the entry at `now`.
    pub fn count(&mut self, load: Load, now: Time) {
        self.packets = self.packets.wrapping_add(load.packets);
        self.bytes = self.bytes.wrapping_add(load.bytes);
        self.used_at = now;
    }

    /// The number of packets that used the entry.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// The number of octets of the packets that used the entry.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The time at which a packet last used the entry.
    pub fn used_at(&self) -> Option<Time> {
        (self.packets > 0).then_some(self.used_at)
    }
}

impl Entry {
    /// Returns a static entry, which makes the ITR send Map-Requests.
    fn asking(created_at: Time) -> Self {
        Entry {
            mapping: Mapping::SendMapRequest,
            source: Source::Static,
            map_source: None,
            created_at,
            modified_at: created_at,
            expires_at: None,
            usage: Usage::default(),
            queued_at: created_at,
        }
    }

    /// From this time on, the entry can be evicted, if no further packet uses it.
    fn idle_at(&self) -> Time {
        match self.usage.packets {
            0 => self.created_at,
            1 => self.usage.used_at,
            _ => self.usage.used_at + IN_USE,
        }
    }
}

/// A mapping from a Map-Reply.
#[derive(Clone, Debug)]
pub struct Learned {
    /// The EID prefix of the mapping.
    pub prefix: EidPrefix,
    /// The action for packets that match the mapping.
    pub mapping: Mapping,
    /// The TTL of the record.
    pub ttl: Duration,
    /// The sender of the Map-Reply.
    pub map_source: IpAddr,
    /// Whether an SMR caused the Map-Request.
    pub solicited: bool,
}

/// The limit of [`Used`], the table of locators in use. If the table is full, the least recently
/// used locator is removed.
const IN_SIGHT: Limit = Limit { name: "Locators in use", capacity: 16_384, idle: Duration::ZERO };
/// How long a locator remains in [`Used`] after the last packet for an entry with this locator.
const SIGHT: Duration = Duration::from_secs(60);

/// The locators in use, for each instance and family. The value is one EID prefix whose mapping
/// contains the locator.
pub(super) type Used = Bounded<(InstanceId, Family, Rloc), EidPrefix>;

/// The entries of all instances and both families.
#[derive(Debug)]
pub struct MapCache {
    entries: PrefixMap<Entry>,
    /// The static prefixes, each with the time at which it was added. A learned entry of the same
    /// prefix hides the static entry. The static entry is visible again after the learned entry is
    /// removed.
    statics: PrefixMap<Time>,
    /// The times at which learned entries expire, the earliest first.
    expiries: BTreeSet<(Time, Slot)>,
    /// Learned entries in the order of eviction (`queued_at`). Packets do not change this order. A
    /// search for an entry to evict moves used entries to their correct position.
    evictions: BTreeMap<(InstanceId, Family), BTreeSet<(Time, Slot)>>,
    /// Learned prefixes for which an SMR caused the latest Map-Request.
    solicited: BTreeSet<EidPrefix>,
    /// The locators of each entry that a packet used in the last minute. Precision: one second.
    /// With this table, a search for these locators does not examine all entries.
    used: Used,
    opaque: OpaqueLocators,
    revision: Revision,
    /// The number of mappings that were rejected: the family was full, with all entries in use.
    pub rejected: u64,
    /// The number of entries that new mappings replaced.
    pub evicted: u64,
    /// The number of entries that were added since the start.
    pub created: u64,
    /// The number of entries that were removed since the start.
    pub deleted: u64,
    /// The changes that the caller has not taken yet.
    changes: Vec<Event>,
}

impl Default for MapCache {
    fn default() -> Self {
        MapCache {
            entries: PrefixMap::new(),
            statics: PrefixMap::new(),
            expiries: BTreeSet::new(),
            evictions: BTreeMap::new(),
            solicited: BTreeSet::new(),
            used: Bounded::new(IN_SIGHT),
            opaque: OpaqueLocators::default(),
            revision: Revision::default(),
            rejected: 0,
            evicted: 0,
            created: 0,
            deleted: 0,
            changes: Vec::new(),
        }
    }
}

impl MapCache {
    /// Removes and returns the changes of entries since the last call.
    pub fn take_changes(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.changes)
    }

    /// Replaces the set of static entries by `wanted`. Static entries cause Map-Requests for the
    /// EIDs that they cover. A static entry that remains keeps its uptime.
    pub fn reconcile_static(&mut self, wanted: &BTreeSet<EidPrefix>, now: Time) {
        let gone = self.statics.iter().map(|(prefix, _)| prefix);
        let gone: Vec<EidPrefix> = gone.filter(|prefix| !wanted.contains(prefix)).collect();
        if !gone.is_empty() {
            self.revision.advance();
        }
        for prefix in gone {
            self.statics.remove(&prefix);
            self.tell(prefix, MappingChange::StaticRemoved, MappingReason::Deconfigured);
        }
        let statics = &self.statics;
        let entries = self.entries.len();
        self.entries
            .retain(|prefix, entry| entry.source != Source::Static || statics.contains(&prefix));
        self.deleted += (entries - self.entries.len()) as u64;
        for &prefix in wanted {
            if self.statics.contains(&prefix) {
                continue;
            }
            self.statics.insert(prefix, now);
            self.revision.advance();
            self.tell(prefix, MappingChange::StaticAdded, MappingReason::Configured);
            if !self.entries.contains(&prefix) {
                self.created += 1;
                self.entries.insert(prefix, Entry::asking(now));
            }
        }
    }

    fn tell(&mut self, eid_prefix: EidPrefix, change: MappingChange, reason: MappingReason) {
        self.changes.push(Event::Mapping { eid_prefix, change, reason });
    }

    /// The longest static prefix that contains an EID.
    pub(super) fn static_around(&self, eid: Eid) -> Option<EidPrefix> {
        self.statics.longest_match(eid).map(|(prefix, _)| prefix)
    }

    /// Adds a mapping for `asked`, the EID that was requested (RFC 9301 section 5.5):
    ///
    /// - If an entry with this prefix exists, it is overwritten in place and keeps its uptime.
    /// - A new prefix replaces a more specific entry that contains `asked`, because the reply shows
    ///   that this entry is not valid any more. Other more specific entries remain. The new entry
    ///   expires no later than the first of these entries, so that it does not outlive any of them.
    /// - A TTL of zero removes the prefix.
    ///
    /// Returns false if the mapping was rejected: its prefix is new, the family already has `limit`
    /// entries, and none of them can be evicted.
    pub fn learn(&mut self, learned: Learned, asked: Eid, limit: usize, now: Time) -> bool {
        let prefix = learned.prefix;
        let mut expires_at = now + learned.ttl;
        for (inner, inner_expires_at) in self.learned_inside(&prefix) {
            if inner.contains(asked) {
                self.forget(&inner, MappingReason::ReplacedBy(prefix));
            } else {
                expires_at = expires_at.min(inner_expires_at);
            }
        }
        if learned.ttl.is_zero() {
            self.forget_learned(&prefix, MappingReason::TtlOfZero(learned.map_source));
            return true;
        }
        if !self.entries.contains(&prefix) && !self.make_room(&prefix, limit, now) {
            self.rejected += 1;
            return false;
        }
        self.put(learned, expires_at, now);
        true
    }

    /// The learned entries that are more specific than `prefix`, each with its time of expiry.
    fn learned_inside(&self, prefix: &EidPrefix) -> Vec<(EidPrefix, Time)> {
        if prefix.mask_len() == prefix.family().bits() {
            return Vec::new();
        }
        let inside = self.entries.covered_by(prefix).filter(|(inner, _)| inner != prefix);
        inside.filter_map(|(inner, entry)| Some((inner, entry.expires_at?))).collect()
    }

    /// Evicts idle entries if necessary. Returns whether there is room for one more entry in the
    /// instance and family of `prefix`.
    fn make_room(&mut self, prefix: &EidPrefix, limit: usize, now: Time) -> bool {
        let table = (prefix.instance_id(), prefix.family());
        for _ in 0..LOOKS {
            if self.entries.len_of(table.0, table.1) < limit {
                return true;
            }
            let queue = self.evictions.entry(table).or_default();
            let Some(&(queued_at, slot)) = queue.first().filter(|(at, _)| *at <= now) else {
                return false;
            };
            let Some((victim, entry)) = self.entries.at_mut(slot) else { return false };
            let idle_at = entry.idle_at();
            if idle_at > queued_at {
                entry.queued_at = idle_at;
                queue.remove(&(queued_at, slot));
                queue.insert((idle_at, slot));
            } else {
                self.forget(&victim, MappingReason::Evicted);
                self.evicted += 1;
            }
        }
        self.entries.len_of(table.0, table.1) < limit
    }

    fn put(&mut self, learned: Learned, expires_at: Time, now: Time) {
        let prefix = learned.prefix;
        let before = self.remove(&prefix);
        self.created += u64::from(before.is_none());
        let mapping = keep_uptimes(learned.mapping, before.as_ref());
        let changed = before.as_ref().is_none_or(|entry| !entry.mapping.is_like(&mapping));
        let is_new = before.as_ref().is_none_or(|entry| entry.source == Source::Static);
        let change = match (changed, is_new) {
            (true, true) => MappingChange::Learned,
            (true, false) => MappingChange::Changed,
            (false, _) => MappingChange::Renewed,
        };
        self.tell(prefix, change, MappingReason::MapReply(learned.map_source));
        let mut entry = Entry {
            modified_at: match &before {
                Some(entry) if !changed => entry.modified_at,
                _ => now,
            },
            mapping,
            source: Source::MapReply,
            map_source: Some(learned.map_source),
            created_at: before.as_ref().map_or(now, |entry| entry.created_at),
            expires_at: Some(expires_at),
            usage: before.map(|entry| entry.usage).unwrap_or_default(),
            queued_at: now,
        };
        entry.queued_at = entry.idle_at();
        if learned.solicited {
            self.solicited.insert(prefix);
        }
        let queued_at = entry.queued_at;
        self.revision.advance();
        let (slot, _) = self.entries.insert_slot(prefix, entry);
        self.expiries.insert((expires_at, slot));
        let queue = self.evictions.entry((prefix.instance_id(), prefix.family())).or_default();
        queue.insert((queued_at, slot));
    }

    fn remove(&mut self, prefix: &EidPrefix) -> Option<Entry> {
        let slot = self.entries.slot(prefix)?;
        let entry = self.entries.remove(prefix)?;
        self.revision.advance();
        if let Some(expires_at) = entry.expires_at {
            self.solicited.remove(prefix);
            self.opaque.forget(prefix);
            self.expiries.remove(&(expires_at, slot));
            if let Some(queue) = self.evictions.get_mut(&(prefix.instance_id(), prefix.family())) {
                queue.remove(&(entry.queued_at, slot));
            }
        }
        Some(entry)
    }

    /// Removes an entry. If the entry hid a static entry, the static entry is visible again.
    fn forget(&mut self, prefix: &EidPrefix, reason: MappingReason) {
        let removed = self.remove(prefix);
        self.deleted += u64::from(removed.is_some());
        if removed.is_some_and(|entry| entry.source != Source::Static) {
            self.tell(*prefix, MappingChange::Gone, reason);
        }
        if let Some(&created_at) = self.statics.get(prefix) {
            self.revision.advance();
            self.created +=
                u64::from(self.entries.insert(*prefix, Entry::asking(created_at)).is_none());
        }
    }

    /// The number of times that entries were added, removed or changed.
    pub(super) fn revision(&self) -> u64 {
        self.revision.number()
    }

    /// Removes the learned entry of a prefix.
    pub(super) fn forget_learned(&mut self, prefix: &EidPrefix, reason: MappingReason) {
        if self.entries.get(prefix).is_some_and(|entry| entry.source == Source::MapReply) {
            self.forget(prefix, reason);
        }
    }

    /// Deletes the learned entry of the prefix `only`. If `only` is `None`, deletes all learned
    /// entries of a family in an instance.
    pub fn clear(&mut self, id: InstanceId, family: Family, only: Option<EidPrefix>) {
        if let Some(prefix) = only {
            return self.forget_learned(&prefix, MappingReason::Cleared);
        }
        let learned: Vec<EidPrefix> = self
            .entries
            .iter_after(id, family, None)
            .filter(|(_, entry)| entry.source == Source::MapReply)
            .map(|(prefix, _)| prefix)
            .collect();
        for prefix in learned {
            self.forget(&prefix, MappingReason::Cleared);
        }
    }

    /// Removes the entries that have expired.
    pub fn expire(&mut self, now: Time) {
        self.used.expire(SIGHT, now);
        while let Some(&(at, slot)) = self.expiries.first() {
            let Some((prefix, _)) = self.entries.at(slot).filter(|_| at <= now) else { break };
            self.forget(&prefix, MappingReason::Expired);
        }
    }

    /// The time at which the next entry expires.
    pub fn next_expiry(&self) -> Option<Time> {
        self.expiries.first().map(|&(at, _)| at)
    }

    /// Returns the entry for packets to an EID, and the slot and the prefix of this entry.
    pub fn find(&self, eid: Eid) -> Option<(Slot, EidPrefix, &Entry)> {
        let slot = self.entries.longest_match_slot(eid)?;
        let (prefix, entry) = self.entries.at(slot)?;
        Some((slot, prefix, entry))
    }

    /// Counts the packets of `load` for the entry at `slot`, which [`MapCache::find`] returned. The
    /// caller must not have added or removed an entry since that call.
    pub fn count_use(&mut self, slot: Slot, load: Load, now: Time) {
        if let Some((prefix, entry)) = self.entries.at_mut(slot) {
            count(&mut self.used, prefix, entry, load, now);
        }
    }

    /// Applies the Locator-Status-Bits of a packet from the EID `eid`. The locator `from`
    /// encapsulated the packet. If `from` is a locator of the entry that covers the EID, the bits
    /// set the states of the locators of this entry. Returns the number of locators that changed
    /// their state. Every packet repeats the bits, so the states of an entry change at most once in
    /// each [`STATUS_INTERVAL`].
    pub(super) fn report_status(
        &mut self,
        eid: Eid,
        from: Rloc,
        bits: StatusBits,
        local: &LocalRlocs,
        now: Time,
    ) -> u64 {
        let slot = self.entries.longest_match_slot(eid);
        let entry = slot.and_then(|slot| self.entries.at_mut(slot));
        let Some((_, Entry { mapping: Mapping::Locators(locators), .. })) = entry else { return 0 };
        let settled = |locator: &Locator| now.since(locator.since) >= STATUS_INTERVAL;
        if !locators.iter().any(|locator| locator.rloc == from) || !locators.iter().all(settled) {
            return 0;
        }
        let mut changed = 0;
        for locator in
            locators.iter_mut().filter(|locator| !local.is_no_router_address(locator.rloc))
        {
            let Some(up) = bits.of(locator.ordinal).filter(|up| *up != locator.up) else {
                continue;
            };
            (locator.up, locator.source, locator.since) = (up, LocatorSource::StatusBits, now);
            changed += 1;
        }
        if changed > 0 {
            self.revision.advance();
        }
        changed
    }

    /// The locators of each entry that a packet used in the last minute.
    pub(super) fn used(&self, now: Time) -> impl Iterator<Item = (InstanceId, EidPrefix, Rloc)> {
        let recent = self.used.used_since(now.before(SIGHT));
        recent.map(|(&(instance_id, _, rloc), &prefix)| (instance_id, prefix, rloc))
    }

    /// Whether a packet used an entry with this locator in the last minute.
    pub(super) fn is_used(&self, rloc: Rloc) -> bool {
        self.evictions.keys().any(|&(id, family)| self.used.contains_key(&(id, family, rloc)))
    }

    /// The fill level of the table of the locators in use.
    pub fn used_fill(&self) -> Fill {
        self.used.fill()
    }

    /// The entry with the longest prefix that contains `eid`.
    pub fn lookup(&self, eid: Eid) -> Option<(EidPrefix, &Entry)> {
        self.entries.longest_match(eid)
    }

    /// The learned prefixes for which an SMR caused the latest Map-Request, in sort order.
    pub fn solicited(&self) -> &BTreeSet<EidPrefix> {
        &self.solicited
    }

    /// Stores the opaque locators of a learned record. They remain stored as long as the entry of
    /// the record exists.
    pub(super) fn keep_opaque(&mut self, record: &MappingRecord) {
        let entry = self.entries.get(&record.eid_prefix);
        if entry.is_some_and(|entry| entry.source == Source::MapReply) {
            self.opaque.keep(record);
        }
    }

    /// The opaque locators of an entry, in the order of its record, for a `show` command.
    pub fn opaque(&self, prefix: &EidPrefix) -> &[OpaqueLocator] {
        self.opaque.of(prefix)
    }

    /// The entries, for a `show` command.
    pub fn entries(&self) -> &PrefixMap<Entry> {
        &self.entries
    }
}

/// Counts the packets of `load` for an entry. The first packet of each second marks the locators of
/// the entry as in use.
fn count(used: &mut Used, prefix: EidPrefix, entry: &mut Entry, load: Load, now: Time) {
    let second = |at: Time| at.0 / 1_000_000;
    let is_first = entry.usage.used_at().is_none_or(|at| second(at) != second(now));
    entry.usage.count(load, now);
    if is_first && let Mapping::Locators(locators) = &entry.mapping {
        for locator in locators {
            let key = (prefix.instance_id(), prefix.family(), locator.rloc);
            // If the table is full, another locator is removed, so this insertion does not fail.
            let _ = used.insert(key, (), prefix, now);
        }
    }
}

/// Copies the uptime of each locator with an unchanged state from the old entry, `before`.
fn keep_uptimes(mut mapping: Mapping, before: Option<&Entry>) -> Mapping {
    let old = before.map(|entry| &entry.mapping);
    if let (Mapping::Locators(locators), Some(Mapping::Locators(old))) = (&mut mapping, old) {
        for locator in locators {
            let same = old.iter().find(|old| old.rloc == locator.rloc && old.up == locator.up);
            if let Some(same) = same {
                locator.since = same.since;
            }
        }
    }
    mapping
}

#[cfg(test)]
mod tests;
