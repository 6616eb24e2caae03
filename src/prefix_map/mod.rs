//! A map from EID prefixes to values, with longest-prefix match.
//!
//! Values are stored in numbered slots. Each instance has two tries, one for IPv4 and one for IPv6.
//! A trie finds the slot of a prefix. The entries are sorted by address, and entries with the same
//! address are sorted by mask length. So a table with the same entries is always printed in the
//! same order.

mod bits;
mod trie;

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use serde::Serialize;

use crate::addr::{Eid, EidPrefix, Family, InstanceId};
use bits::Prefix;
use trie::Trie;

/// A key of the IPv4 trie or of the IPv6 trie.
#[derive(Clone, Copy)]
enum Key {
    V4(Prefix<u32>),
    V6(Prefix<u128>),
}

impl Key {
    fn of(prefix: IpNet) -> Self {
        match prefix {
            IpNet::V4(net) => Key::V4(Prefix { bits: net.addr().to_bits(), len: net.prefix_len() }),
            IpNet::V6(net) => Key::V6(Prefix { bits: net.addr().to_bits(), len: net.prefix_len() }),
        }
    }

    fn host(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Key::V4(Prefix { bits: address.to_bits(), len: 32 }),
            IpAddr::V6(address) => Key::V6(Prefix { bits: address.to_bits(), len: 128 }),
        }
    }
}

/// The two tries of one instance.
#[derive(Clone, Debug, Default)]
struct Tries {
    v4: Trie<u32>,
    v6: Trie<u128>,
}

/// The position of a value. The position is valid as long as the value is in the map. After that,
/// another value may have the same position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Slot(u32);

/// A value and its prefix. In memory, the prefix precedes the value, because the prefix shows
/// whether a slot is in use. The first field of a value should be the field that is read most
/// often: then most lookups read only one cache line.
#[derive(Clone, Debug)]
#[repr(C)]
struct Place<V> {
    prefix: EidPrefix,
    value: V,
}

/// A map from EID prefixes to values. The documentation of the module describes the order of the
/// entries.
#[derive(Clone, Debug)]
pub struct PrefixMap<V> {
    instances: BTreeMap<InstanceId, Tries>,
    /// The slots. The last slot is always in use.
    slots: Vec<Option<Place<V>>>,
    /// The numbers of empty slots. The last number in the list is used first. Some numbers in the
    /// list may be outdated, because the slot was removed or is in use again.
    free: Vec<u32>,
}

impl<V> Default for PrefixMap<V> {
    fn default() -> Self {
        PrefixMap { instances: BTreeMap::new(), slots: Vec::new(), free: Vec::new() }
    }
}

impl<V> PrefixMap<V> {
    /// Makes an empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stores `value` at exactly `prefix`. Returns the previous value at this prefix.
    pub fn insert(&mut self, prefix: EidPrefix, value: V) -> Option<V> {
        self.insert_slot(prefix, value).1
    }

    /// Stores `value` at exactly `prefix`. Returns the slot of `value`, and the previous value at
    /// this prefix.
    pub fn insert_slot(&mut self, prefix: EidPrefix, value: V) -> (Slot, Option<V>) {
        let is_empty = |slot: u32| matches!(self.slots.get(slot as usize), Some(None));
        while self.free.pop_if(|slot| !is_empty(*slot)).is_some() {}
        let fresh = self.free.last().copied().unwrap_or(self.slots.len() as u32);
        let tries = self.instances.entry(prefix.instance_id()).or_default();
        let mut index = |slot| match Key::of(prefix.prefix()) {
            Key::V4(key) => tries.v4.insert(key, slot),
            Key::V6(key) => tries.v6.insert(key, slot),
        };
        let slot = match index(fresh) {
            // The new value uses the slot of the old value.
            Some(before) => {
                index(before);
                before
            }
            None if self.free.pop().is_some() => fresh,
            None => {
                self.slots.push(None);
                fresh
            }
        };
        let before = self.slots[slot as usize].replace(Place { prefix, value });
        (Slot(slot), before.map(|place| place.value))
    }

    /// Removes and returns the value at exactly `prefix`.
    pub fn remove(&mut self, prefix: &EidPrefix) -> Option<V> {
        let tries = self.instances.get_mut(&prefix.instance_id())?;
        let slot = match Key::of(prefix.prefix()) {
            Key::V4(key) => tries.v4.remove(key),
            Key::V6(key) => tries.v6.remove(key),
        }?;
        self.free.push(slot);
        let value = self.slots[slot as usize].take().map(|place| place.value);
        self.trim();
        value
    }

    /// Removes empty slots at the end. Releases their memory if most of the memory of the slots is
    /// unused.
    fn trim(&mut self) {
        const FEW: usize = 64;
        while self.slots.pop_if(|place| place.is_none()).is_some() {}
        let len = self.slots.len();
        if self.slots.capacity() > 4 * len + FEW {
            self.slots.shrink_to(2 * len);
        }
        if self.free.len() > 2 * len + FEW {
            self.free.retain(|slot| (*slot as usize) < len);
            self.free.shrink_to_fit();
        }
    }

    /// Removes all values.
    pub fn clear(&mut self) {
        *self = PrefixMap::default();
    }

    /// Removes each entry for which `keep` returns false, in all instances and in both families.
    pub fn retain(&mut self, mut keep: impl FnMut(EidPrefix, &V) -> bool) {
        let all = self.iter();
        let gone: Vec<EidPrefix> =
            all.filter(|(prefix, value)| !keep(*prefix, value)).map(|(prefix, _)| prefix).collect();
        for prefix in gone {
            self.remove(&prefix);
        }
    }

    /// Returns the slot of the value at exactly `prefix`.
    pub fn slot(&self, prefix: &EidPrefix) -> Option<Slot> {
        let tries = self.instances.get(&prefix.instance_id())?;
        match Key::of(prefix.prefix()) {
            Key::V4(key) => tries.v4.get(key),
            Key::V6(key) => tries.v6.get(key),
        }
        .map(Slot)
    }

    /// Returns the slot of the longest prefix that contains `eid`.
    pub fn longest_match_slot(&self, eid: Eid) -> Option<Slot> {
        let tries = self.instances.get(&eid.instance_id)?;
        match Key::host(eid.address) {
            Key::V4(key) => tries.v4.longest_match(key).map(|(_, slot)| Slot(slot)),
            Key::V6(key) => tries.v6.longest_match(key).map(|(_, slot)| Slot(slot)),
        }
    }

    /// Returns the value in a slot, with its prefix.
    pub fn at(&self, Slot(slot): Slot) -> Option<(EidPrefix, &V)> {
        let Place { prefix, value } = self.slots.get(slot as usize)?.as_ref()?;
        Some((*prefix, value))
    }

    /// Returns the prefix in a slot, and a mutable reference to its value.
    pub fn at_mut(&mut self, Slot(slot): Slot) -> Option<(EidPrefix, &mut V)> {
        let Place { prefix, value } = self.slots.get_mut(slot as usize)?.as_mut()?;
        Some((*prefix, value))
    }

    /// Returns the longest prefix that contains `eid`, and a mutable reference to its value.
    pub fn longest_match_mut(&mut self, eid: Eid) -> Option<(EidPrefix, &mut V)> {
        self.at_mut(self.longest_match_slot(eid)?)
    }

    /// Returns a mutable reference to the value at exactly `prefix`.
    pub fn get_mut(&mut self, prefix: &EidPrefix) -> Option<&mut V> {
        self.at_mut(self.slot(prefix)?).map(|(_, value)| value)
    }

    /// Returns the value at exactly `prefix`.
    pub fn get(&self, prefix: &EidPrefix) -> Option<&V> {
        self.at(self.slot(prefix)?).map(|(_, value)| value)
    }

    /// Whether there is a value at exactly `prefix`.
    pub fn contains(&self, prefix: &EidPrefix) -> bool {
        self.slot(prefix).is_some()
    }

    /// Returns the longest prefix that contains `eid`, with its value.
    pub fn longest_match(&self, eid: Eid) -> Option<(EidPrefix, &V)> {
        self.at(self.longest_match_slot(eid)?)
    }

    /// Returns the entries whose prefix covers `prefix`, beginning with the shortest prefix. An
    /// entry at `prefix` itself is included.
    pub fn covering<'a>(
        &'a self,
        prefix: &EidPrefix,
    ) -> Box<dyn Iterator<Item = (EidPrefix, &'a V)> + 'a> {
        let Some(tries) = self.instances.get(&prefix.instance_id()) else {
            return Box::new(std::iter::empty());
        };
        match Key::of(prefix.prefix()) {
            Key::V4(key) => Box::new(self.stand_in(tries.v4.covering(key).map(|(_, slot)| slot))),
            Key::V6(key) => Box::new(self.stand_in(tries.v6.covering(key).map(|(_, slot)| slot))),
        }
    }

    /// Returns the entries inside `prefix`, in the order of the map. An entry at `prefix` itself is
    /// included.
    pub fn covered_by<'a>(
        &'a self,
        prefix: &EidPrefix,
    ) -> Box<dyn Iterator<Item = (EidPrefix, &'a V)> + 'a> {
        let Some(tries) = self.instances.get(&prefix.instance_id()) else {
            return Box::new(std::iter::empty());
        };
        match Key::of(prefix.prefix()) {
            Key::V4(key) => Box::new(self.stand_in(tries.v4.covered_by(key).map(|(_, slot)| slot))),
            Key::V6(key) => Box::new(self.stand_in(tries.v6.covered_by(key).map(|(_, slot)| slot))),
        }
    }

    /// Returns the entries of one instance and one family, in the order of the map. If `after` is
    /// `Some`, returns only the entries after this prefix. So a `show` command can continue after
    /// the last prefix that it has printed. The prefix `after` need not be in the map.
    pub fn iter_after<'a>(
        &'a self,
        id: InstanceId,
        family: Family,
        after: Option<EidPrefix>,
    ) -> Box<dyn Iterator<Item = (EidPrefix, &'a V)> + 'a> {
        let Some(tries) = self.instances.get(&id) else {
            return Box::new(std::iter::empty());
        };
        let key = after.map(|prefix| Key::of(prefix.prefix()));
        let slots: Box<dyn Iterator<Item = u32> + 'a> = match (family, key) {
            (Family::Ipv4, Some(Key::V4(key))) => {
                Box::new(tries.v4.iter_from(key).map(|(_, slot)| slot))
            }
            (Family::Ipv6, Some(Key::V6(key))) => {
                Box::new(tries.v6.iter_from(key).map(|(_, slot)| slot))
            }
            (Family::Ipv4, _) => Box::new(tries.v4.iter().map(|(_, slot)| slot)),
            (Family::Ipv6, _) => Box::new(tries.v6.iter().map(|(_, slot)| slot)),
        };
        Box::new(self.stand_in(slots).skip_while(move |(prefix, _)| Some(*prefix) == after))
    }

    /// Returns all entries. They are sorted by instance. In each instance, the IPv4 entries precede
    /// the IPv6 entries.
    pub fn iter(&self) -> impl Iterator<Item = (EidPrefix, &V)> {
        let slots = self.instances.values().flat_map(|tries| {
            let v4 = tries.v4.iter().map(|(_, slot)| slot);
            v4.chain(tries.v6.iter().map(|(_, slot)| slot))
        });
        self.stand_in(slots)
    }

    /// Returns all entries, with mutable references to their values. The order of the entries has
    /// no meaning, but it is the same after the same sequence of changes.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (EidPrefix, &mut V)> {
        self.slots.iter_mut().flatten().map(|place| (place.prefix, &mut place.value))
    }

    /// Returns the entries in at most `most` slots, beginning with the slot number `from`, with
    /// mutable references to their values. Also returns the number of the next slot, or `None` at
    /// the end. A caller can read the whole map with many calls from slot 0 to the end. An entry
    /// that is in the map from the first call to the last call is returned by one of these calls.
    pub fn some_mut(
        &mut self,
        from: usize,
        most: usize,
    ) -> (impl Iterator<Item = (EidPrefix, &mut V)>, Option<usize>) {
        let end = (from + most).min(self.slots.len());
        let next = Some(end).filter(|end| *end < self.slots.len());
        let slots = self.slots.get_mut(from..end).unwrap_or_default();
        (slots.iter_mut().flatten().map(|place| (place.prefix, &mut place.value)), next)
    }

    fn stand_in<'a>(
        &'a self,
        slots: impl Iterator<Item = u32> + 'a,
    ) -> impl Iterator<Item = (EidPrefix, &'a V)> + 'a {
        slots.filter_map(|slot| self.at(Slot(slot)))
    }

    /// Returns the instances that have entries now, or had entries earlier.
    pub fn instances(&self) -> impl Iterator<Item = InstanceId> {
        self.instances.keys().copied()
    }

    /// Returns the number of entries of one instance and family.
    pub fn len_of(&self, id: InstanceId, family: Family) -> usize {
        self.instances.get(&id).map_or(0, |tries| match family {
            Family::Ipv4 => tries.v4.len(),
            Family::Ipv6 => tries.v6.len(),
        })
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.instances.values().map(|tries| tries.v4.len() + tries.v6.len()).sum()
    }

    /// Whether the map has no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> EidPrefix {
        EidPrefix::new(InstanceId::DEFAULT, text.parse().unwrap())
    }

    fn eid(text: &str) -> Eid {
        Eid::new(InstanceId::DEFAULT, text.parse().unwrap())
    }

    fn sample() -> PrefixMap<&'static str> {
        let mut map = PrefixMap::new();
        for text in ["0.0.0.0/0", "172.16.0.0/24", "172.16.0.128/25", "10.0.0.0/8", "::/0"] {
            map.insert(prefix(text), text);
        }
        map
    }

    #[test]
    fn the_longest_match_wins_within_its_family_and_instance() {
        let map = sample();
        assert_eq!(map.longest_match(eid("172.16.0.130")).unwrap().1, &"172.16.0.128/25");
        assert_eq!(map.longest_match(eid("172.16.0.12")).unwrap().1, &"172.16.0.0/24");
        assert_eq!(map.longest_match(eid("2001:db8::1")).unwrap().1, &"::/0");
        let elsewhere = Eid::new(InstanceId::new(9).unwrap(), "172.16.0.12".parse().unwrap());
        assert!(map.longest_match(elsewhere).is_none());
    }

    #[test]
    fn a_cursor_goes_on_after_a_prefix_that_has_gone() {
        let mut map = sample();
        let gone = prefix("10.0.0.0/8");
        map.remove(&gone);
        let rest: Vec<_> = map
            .iter_after(InstanceId::DEFAULT, Family::Ipv4, Some(gone))
            .map(|(_, text)| *text)
            .collect();
        assert_eq!(rest, ["172.16.0.0/24", "172.16.0.128/25"]);
    }

    #[test]
    fn covering_goes_from_the_shortest_to_the_prefix_itself() {
        let map = sample();
        let cover: Vec<_> =
            map.covering(&prefix("172.16.0.128/25")).map(|(_, text)| *text).collect();
        assert_eq!(cover, ["0.0.0.0/0", "172.16.0.0/24", "172.16.0.128/25"]);
    }

    #[test]
    fn covered_by_holds_the_prefix_itself_and_what_lies_in_it() {
        let map = sample();
        let inside: Vec<_> =
            map.covered_by(&prefix("172.16.0.0/24")).map(|(_, text)| *text).collect();
        assert_eq!(inside, ["172.16.0.0/24", "172.16.0.128/25"]);
        assert_eq!(map.len_of(InstanceId::DEFAULT, Family::Ipv4), 4);
    }
}
