//! A map from EID prefixes to values, with longest-prefix match.
//!
//! One pair of tries (IPv4, IPv6) an instance, keyed by plain integers: measured about twice as
//! fast as tries over `ipnet` keys. Iteration is in the order of the address and then of the mask
//! length, so the same table prints the same way every time.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use prefix_trie::PrefixMap as Trie;

use crate::addr::{Eid, EidPrefix, Family, InstanceId};

type KeyV4 = (u32, u8);
type KeyV6 = (u128, u8);

/// A trie key of either family.
#[derive(Clone, Copy)]
enum Key {
    V4(KeyV4),
    V6(KeyV6),
}

impl Key {
    fn of(prefix: IpNet) -> Self {
        match prefix {
            IpNet::V4(net) => Key::V4((net.addr().to_bits(), net.prefix_len())),
            IpNet::V6(net) => Key::V6((net.addr().to_bits(), net.prefix_len())),
        }
    }

    fn host(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Key::V4((address.to_bits(), 32)),
            IpAddr::V6(address) => Key::V6((address.to_bits(), 128)),
        }
    }
}

fn prefix_v4(instance_id: InstanceId, (bits, len): KeyV4) -> EidPrefix {
    let net = Ipv4Net::new_assert(bits.into(), len);
    EidPrefix::new(instance_id, net.into())
}

fn prefix_v6(instance_id: InstanceId, (bits, len): KeyV6) -> EidPrefix {
    let net = Ipv6Net::new_assert(bits.into(), len);
    EidPrefix::new(instance_id, net.into())
}

/// The two tries of one instance.
#[derive(Clone, Debug)]
struct Tables<V> {
    v4: Trie<KeyV4, V>,
    v6: Trie<KeyV6, V>,
}

impl<V> Tables<V> {
    fn new() -> Self {
        Tables { v4: Trie::new(), v6: Trie::new() }
    }
}

/// Values by EID prefix; see the module for its order.
#[derive(Clone, Debug)]
pub struct PrefixMap<V> {
    instances: BTreeMap<InstanceId, Tables<V>>,
}

impl<V> Default for PrefixMap<V> {
    fn default() -> Self {
        PrefixMap { instances: BTreeMap::new() }
    }
}

impl<V> PrefixMap<V> {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts `value` at exactly `prefix` and returns what stood there.
    pub fn insert(&mut self, prefix: EidPrefix, value: V) -> Option<V> {
        let tables = self.instances.entry(prefix.instance_id()).or_insert_with(Tables::new);
        match Key::of(prefix.prefix()) {
            Key::V4(key) => tables.v4.insert(key, value),
            Key::V6(key) => tables.v6.insert(key, value),
        }
    }

    /// Takes out what stands at exactly `prefix`.
    pub fn remove(&mut self, prefix: &EidPrefix) -> Option<V> {
        let tables = self.instances.get_mut(&prefix.instance_id())?;
        match Key::of(prefix.prefix()) {
            Key::V4(key) => tables.v4.remove(&key),
            Key::V6(key) => tables.v6.remove(&key),
        }
    }

    /// Takes out everything.
    pub fn clear(&mut self) {
        self.instances.clear();
    }

    /// Keeps the entries of every instance and family for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(EidPrefix, &V) -> bool) {
        for (&instance_id, tables) in &mut self.instances {
            tables.v4.retain(|key, value| keep(prefix_v4(instance_id, *key), value));
            tables.v6.retain(|key, value| keep(prefix_v6(instance_id, *key), value));
        }
    }

    /// The value of the longest prefix that holds `eid`, to change it.
    pub fn longest_match_mut(&mut self, eid: Eid) -> Option<(EidPrefix, &mut V)> {
        let id = eid.instance_id;
        let tables = self.instances.get_mut(&id)?;
        match Key::host(eid.address) {
            Key::V4(key) => tables.v4.get_lpm_mut(&key).map(|(key, v)| (prefix_v4(id, key), v)),
            Key::V6(key) => tables.v6.get_lpm_mut(&key).map(|(key, v)| (prefix_v6(id, key), v)),
        }
    }

    /// The value at exactly `prefix`, to change it.
    pub fn get_mut(&mut self, prefix: &EidPrefix) -> Option<&mut V> {
        let tables = self.instances.get_mut(&prefix.instance_id())?;
        match Key::of(prefix.prefix()) {
            Key::V4(key) => tables.v4.get_mut(&key),
            Key::V6(key) => tables.v6.get_mut(&key),
        }
    }

    /// The value at exactly `prefix`.
    pub fn get(&self, prefix: &EidPrefix) -> Option<&V> {
        let tables = self.instances.get(&prefix.instance_id())?;
        match Key::of(prefix.prefix()) {
            Key::V4(key) => tables.v4.get(&key),
            Key::V6(key) => tables.v6.get(&key),
        }
    }

    /// Whether a value stands at exactly `prefix`.
    pub fn contains(&self, prefix: &EidPrefix) -> bool {
        self.get(prefix).is_some()
    }

    /// The value of the longest prefix that holds `eid`.
    pub fn longest_match(&self, eid: Eid) -> Option<(EidPrefix, &V)> {
        let id = eid.instance_id;
        let tables = self.instances.get(&id)?;
        match Key::host(eid.address) {
            Key::V4(key) => tables.v4.get_lpm(&key).map(|(key, v)| (prefix_v4(id, key), v)),
            Key::V6(key) => tables.v6.get_lpm(&key).map(|(key, v)| (prefix_v6(id, key), v)),
        }
    }

    /// The entries that cover `prefix` (itself included), the shortest first.
    pub fn covering<'a>(
        &'a self,
        prefix: &EidPrefix,
    ) -> Box<dyn Iterator<Item = (EidPrefix, &'a V)> + 'a> {
        let id = prefix.instance_id();
        let Some(tables) = self.instances.get(&id) else { return Box::new(std::iter::empty()) };
        match Key::of(prefix.prefix()) {
            Key::V4(key) => {
                Box::new(tables.v4.cover(&key).map(move |(key, v)| (prefix_v4(id, key), v)))
            }
            Key::V6(key) => {
                Box::new(tables.v6.cover(&key).map(move |(key, v)| (prefix_v6(id, key), v)))
            }
        }
    }

    /// The entries inside `prefix` (itself included), in order.
    pub fn covered_by<'a>(
        &'a self,
        prefix: &EidPrefix,
    ) -> Box<dyn Iterator<Item = (EidPrefix, &'a V)> + 'a> {
        let id = prefix.instance_id();
        let Some(tables) = self.instances.get(&id) else {
            return Box::new(std::iter::empty());
        };
        match Key::of(prefix.prefix()) {
            Key::V4(key) => {
                Box::new(tables.v4.children(&key).map(move |(key, v)| (prefix_v4(id, key), v)))
            }
            Key::V6(key) => {
                Box::new(tables.v6.children(&key).map(move |(key, v)| (prefix_v6(id, key), v)))
            }
        }
    }

    /// The entries of one instance and family in order, after `after` when it is given: a `show`
    /// keeps the last prefix that it printed and goes on from there. `after` need not be present.
    pub fn iter_after<'a>(
        &'a self,
        id: InstanceId,
        family: Family,
        after: Option<EidPrefix>,
    ) -> Box<dyn Iterator<Item = (EidPrefix, &'a V)> + 'a> {
        let Some(tables) = self.instances.get(&id) else {
            return Box::new(std::iter::empty());
        };
        let after = after.map(|prefix| Key::of(prefix.prefix()));
        match family {
            Family::Ipv4 => {
                let entries = match after {
                    Some(Key::V4(key)) => tables.v4.iter_from(&key, false),
                    _ => tables.v4.iter(),
                };
                Box::new(entries.map(move |(key, v)| (prefix_v4(id, key), v)))
            }
            Family::Ipv6 => {
                let entries = match after {
                    Some(Key::V6(key)) => tables.v6.iter_from(&key, false),
                    _ => tables.v6.iter(),
                };
                Box::new(entries.map(move |(key, v)| (prefix_v6(id, key), v)))
            }
        }
    }

    /// Every entry: by instance, IPv4 before IPv6.
    pub fn iter(&self) -> impl Iterator<Item = (EidPrefix, &V)> {
        self.instances.iter().flat_map(|(&id, tables)| {
            let v4 = tables.v4.iter().map(move |(key, v)| (prefix_v4(id, key), v));
            let v6 = tables.v6.iter().map(move |(key, v)| (prefix_v6(id, key), v));
            v4.chain(v6)
        })
    }

    /// Every entry, to change the values; in the order of [`PrefixMap::iter`].
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (EidPrefix, &mut V)> {
        self.instances.iter_mut().flat_map(|(&id, tables)| {
            let v4 = tables.v4.iter_mut().map(move |(key, v)| (prefix_v4(id, key), v));
            let v6 = tables.v6.iter_mut().map(move |(key, v)| (prefix_v6(id, key), v));
            v4.chain(v6)
        })
    }

    /// The number of entries of one instance and family.
    pub fn len_of(&self, id: InstanceId, family: Family) -> usize {
        self.instances.get(&id).map_or(0, |tables| match family {
            Family::Ipv4 => tables.v4.len(),
            Family::Ipv6 => tables.v6.len(),
        })
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.instances.values().map(|tables| tables.v4.len() + tables.v6.len()).sum()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

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
