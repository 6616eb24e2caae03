//! Tables that are filled by packets from the network. Each table has a largest number of entries,
//! and packets cannot raise this number.
//!
//! Each entry of a [`Bounded`] table belongs to a sharer, for example a port. When a new entry is
//! added to a full table, the table removes another entry. It finds the sharer with the most
//! entries, and removes one entry of this sharer: the entry that has been unused for the longest
//! time. So if an attacker fills the table with spoofed hosts on one port, the hosts of other ports
//! keep their entries. The number of sharers can be as large as the number of entries, so no
//! function looks at all sharers. The table counts the removed entries and the new entries that it
//! refused; `show ip lisp statistics` prints both numbers.

use std::borrow::Borrow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeBounds;
use std::time::Duration;

use serde::Serialize;

use crate::time::Time;

/// The bound of a table.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// The name of the entries, as `show` prints it.
    pub name: &'static str,
    /// The largest number of entries.
    pub capacity: usize,
    /// The time after which an unused entry can be removed to make room for any new entry. An entry
    /// that was used more recently can be removed only if its sharer has at least two entries more
    /// than the sharer of the new entry.
    pub idle: Duration,
}

/// The number of entries in a table, and its limit, for `show ip lisp statistics`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fill {
    /// The name of the entries.
    pub name: &'static str,
    /// The number of entries.
    pub entries: usize,
    /// The largest number of entries.
    pub capacity: usize,
    /// The number of entries that were removed to make room for other entries, counted since the
    /// start.
    pub evicted: u64,
    /// The number of new entries that were refused, counted since the start. A new entry is refused
    /// if no other entry can be removed.
    pub turned_away: u64,
}

/// The table is full, and no entry can be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

#[derive(Debug)]
struct Held<V, S> {
    value: V,
    sharer: S,
    used_at: Time,
}

/// A table of at most [`Limit::capacity`] entries. Each entry has a key `K`, a value `V` and a
/// sharer `S`.
#[derive(Debug)]
pub struct Bounded<K, V, S = ()> {
    limit: Limit,
    entries: BTreeMap<K, Held<V, S>>,
    /// All keys; the key that has been unused for the longest time is first.
    order: BTreeSet<(Time, K)>,
    /// The keys of each sharer, for example of each port. The key that has been unused for the
    /// longest time is first.
    unused: BTreeMap<S, BTreeSet<(Time, K)>>,
    /// The sharers (for example ports) in the order of their [`Place`]. The last sharer has the
    /// most entries: the table removes the next entry from this sharer. If several sharers have the
    /// same largest number of entries, the last of these sharers has the entry that has been unused
    /// for the longest time.
    sharers: BTreeSet<Place<S>>,
    evicted: u64,
    turned_away: u64,
}

/// The number of entries of a sharer, the time of the last use of its entry that has been unused
/// for the longest time, and the sharer (for example a port).
type Place<S> = (usize, Reverse<Time>, S);

fn place<K: Ord, S: Clone>(sharer: &S, keys: &BTreeSet<(Time, K)>) -> Option<Place<S>> {
    keys.first().map(|(used_at, _)| (keys.len(), Reverse(*used_at), sharer.clone()))
}

impl<K: Ord + Clone, V, S: Ord + Clone> Bounded<K, V, S> {
    /// An empty table.
    pub fn new(limit: Limit) -> Self {
        Bounded {
            limit,
            entries: BTreeMap::new(),
            order: BTreeSet::new(),
            unused: BTreeMap::new(),
            sharers: BTreeSet::new(),
            evicted: 0,
            turned_away: 0,
        }
    }

    /// Adds an entry, or replaces the entry with the same key. The entry counts as used at `now`.
    /// If the table removes another entry to make room, the function returns the removed entry.
    ///
    /// # Errors
    /// [`Full`] if the table is full and no entry can be removed. In this case, the entries do not
    /// change.
    pub fn insert(
        &mut self,
        key: K,
        sharer: S,
        value: V,
        now: Time,
    ) -> Result<Option<(K, V)>, Full> {
        let is_new = self.remove(&key).is_none();
        let evicted = match is_new && self.entries.len() >= self.limit.capacity {
            true => Some(self.make_room(&sharer, now)?),
            false => None,
        };
        self.order.insert((now, key.clone()));
        self.change_keys(&sharer, |keys| keys.insert((now, key.clone())));
        self.entries.insert(key, Held { value, sharer, used_at: now });
        Ok(evicted)
    }

    /// Whether the table has room for a new entry of `sharer`, or can remove another entry to make
    /// room.
    pub fn has_room_for(&self, sharer: &S, now: Time) -> bool {
        self.entries.len() < self.limit.capacity || self.victim(sharer, now).is_some()
    }

    /// The entry that a full table removes to make room for a new entry of `sharer`. `None` if no
    /// entry can be removed.
    fn victim(&self, sharer: &S, now: Time) -> Option<&K> {
        let own = self.unused.get(sharer).map_or(0, BTreeSet::len);
        let (_, _, largest) = self.sharers.last()?;
        let keys = self.unused.get(largest)?;
        let (used_at, key) = keys.first()?;
        let gives_way = keys.len() > own + 1 || now.since(*used_at) >= self.limit.idle;
        gives_way.then_some(key)
    }

    /// Removes an entry to make room for a new entry of `sharer`.
    fn make_room(&mut self, sharer: &S, now: Time) -> Result<(K, V), Full> {
        let victim = self.victim(sharer, now).cloned();
        let taken = victim.and_then(|key| Some((key.clone(), self.remove(&key)?)));
        match taken {
            Some(_) => self.evicted += 1,
            None => self.turned_away += 1,
        }
        taken.ok_or(Full)
    }

    /// Changes the keys of a sharer, and updates the place of this sharer in the order of the
    /// sharers.
    fn change_keys(&mut self, sharer: &S, change: impl FnOnce(&mut BTreeSet<(Time, K)>) -> bool) {
        let keys = self.unused.entry(sharer.clone()).or_default();
        let before = place(sharer, keys);
        change(keys);
        let after = place(sharer, keys);
        if keys.is_empty() {
            self.unused.remove(sharer);
        }
        if before != after {
            before.map(|place| self.sharers.remove(&place));
            after.map(|place| self.sharers.insert(place));
        }
    }

    /// Removes an entry.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let (key, held) = self.entries.remove_entry(key)?;
        let place = (held.used_at, key);
        self.order.remove(&place);
        self.change_keys(&held.sharer, |keys| keys.remove(&place));
        Some(held.value)
    }

    /// Removes all entries of a sharer, for example of a port. Returns the keys of these entries.
    /// The key that has been unused for the longest time is first.
    pub fn remove_all_of(&mut self, sharer: &S) -> Vec<K> {
        let keys: Vec<K> = self.keys_of(sharer).cloned().collect();
        for key in &keys {
            self.remove(key);
        }
        keys
    }

    /// Removes the entries that have been unused for `span` or longer.
    pub fn expire(&mut self, span: Duration, now: Time) {
        while self.pop_unused(span, now).is_some() {}
    }

    /// Removes the entry that has been unused for the longest time, if it has been unused for
    /// `span` or longer.
    pub fn pop_unused(&mut self, span: Duration, now: Time) -> Option<(K, V)> {
        let (_, key) = self.order.first().filter(|(at, _)| now.since(*at) >= span)?;
        let key = key.clone();
        self.remove(&key).map(|value| (key, value))
    }

    /// The sharer with the fewest entries (for example a port), and the key of its entry that has
    /// been unused for the longest time.
    pub fn first_of_smallest(&self) -> Option<(&S, &K)> {
        let (_, _, sharer) = self.sharers.first()?;
        self.keys_of(sharer).next().map(|key| (sharer, key))
    }

    /// The time of the last use of the entry that has been unused for the longest time.
    pub fn first_use(&self) -> Option<Time> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Keeps the entries for which `keep` returns true, and removes the others.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &V) -> bool) {
        let gone = self.entries.iter().filter(|(key, held)| !keep(key, &held.value));
        let gone: Vec<K> = gone.map(|(key, _)| key.clone()).collect();
        for key in gone {
            self.remove(&key);
        }
    }

    /// Returns the value of a key, and marks the entry as used at `now`.
    pub fn use_at(&mut self, key: &K, now: Time) -> Option<&mut V> {
        let held = self.entries.get_mut(key)?;
        let used_at = std::mem::replace(&mut held.used_at, now);
        if used_at != now {
            let sharer = held.sharer.clone();
            let (before, after) = ((used_at, key.clone()), (now, key.clone()));
            self.order.remove(&before);
            self.order.insert(after.clone());
            self.change_keys(&sharer, |keys| {
                keys.remove(&before);
                keys.insert(after)
            });
        }
        self.entries.get_mut(key).map(|held| &mut held.value)
    }

    /// The value of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|held| &held.value)
    }

    /// The value of a key, as a mutable reference. The call does not mark the entry as used.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|held| &mut held.value)
    }

    /// Whether a key has an entry.
    pub fn contains_key(&self, key: &K) -> bool {
        self.entries.contains_key(key)
    }

    /// The entries in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, held)| (key, &held.value))
    }

    /// The entries whose keys lie in a range, in the order of the keys.
    pub fn range(&self, keys: impl RangeBounds<K>) -> impl Iterator<Item = (&K, &V)> {
        self.entries.range(keys).map(|(key, held)| (key, &held.value))
    }

    /// The entries whose keys lie in a range, in the order of the keys, each with the time of its
    /// last use.
    pub fn uses(&self, keys: impl RangeBounds<K>) -> impl Iterator<Item = (&K, &V, Time)> {
        self.entries.range(keys).map(|(key, held)| (key, &held.value, held.used_at))
    }

    /// The keys in their order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.entries.keys()
    }

    /// The keys of a sharer, for example of a port. The key that has been unused for the longest
    /// time is first.
    pub fn keys_of(&self, sharer: &S) -> impl Iterator<Item = &K> {
        self.unused.get(sharer).into_iter().flatten().map(|(_, key)| key)
    }

    /// The entries that were used at `since` or later. The most recently used entry is first.
    pub fn used_since(&self, since: Time) -> impl Iterator<Item = (&K, &V)> {
        let keys = self.order.iter().rev().take_while(move |(at, _)| *at >= since);
        keys.filter_map(|(_, key)| Some((key, self.get(key)?)))
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the table has no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The number of entries, the limit, and the numbers of removed and refused entries.
    pub fn fill(&self) -> Fill {
        Fill {
            name: self.limit.name,
            entries: self.entries.len(),
            capacity: self.limit.capacity,
            evicted: self.evicted,
            turned_away: self.turned_away,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(idle: Duration) -> Bounded<u32, char, &'static str> {
        Bounded::new(Limit { name: "letters", capacity: 4, idle })
    }

    fn keys(table: &Bounded<u32, char, &'static str>) -> Vec<u32> {
        table.keys().copied().collect()
    }

    #[test]
    fn the_longest_unused_gives_way_and_is_counted() {
        let mut table = table(Duration::ZERO);
        for key in 0..4 {
            assert_eq!(table.insert(key, "a", 'x', Time(u64::from(key))), Ok(None));
        }
        table.use_at(&0, Time(9));
        assert_eq!(table.insert(7, "a", 'y', Time(10)), Ok(Some((1, 'x'))));
        assert_eq!(
            table.insert(7, "b", 'z', Time(11)),
            Ok(None),
            "one that is there needs no room"
        );
        assert_eq!((keys(&table), table.get(&7)), (vec![0, 2, 3, 7], Some(&'z')));
        let fill = table.fill();
        assert_eq!((fill.entries, fill.evicted, fill.turned_away), (4, 1, 0));
    }

    #[test]
    fn entries_in_use_are_kept_and_the_new_one_is_turned_away() {
        let mut table = table(Duration::from_micros(5));
        for key in 0..4 {
            table.insert(key, "a", 'x', Time(0)).unwrap();
        }
        assert_eq!(table.insert(7, "a", 'y', Time(4)), Err(Full));
        assert_eq!((keys(&table), table.fill().turned_away), (vec![0, 1, 2, 3], 1));
        assert_eq!(table.insert(7, "a", 'y', Time(5)), Ok(Some((0, 'x'))));
    }

    #[test]
    fn the_sharer_that_has_the_most_makes_room_for_others() {
        let mut table = table(Duration::from_secs(1));
        for key in 0..4 {
            table.insert(key, "greedy", 'x', Time(u64::from(key))).unwrap();
        }
        assert_eq!(table.insert(7, "modest", 'y', Time(4)), Ok(Some((0, 'x'))));
        assert_eq!(table.insert(8, "modest", 'y', Time(4)), Ok(Some((1, 'x'))));
        assert_eq!(table.insert(9, "modest", 'y', Time(4)), Err(Full), "it has as many now");
        assert_eq!(table.insert(9, "third", 'y', Time(4)), Ok(Some((2, 'x'))));
    }

    #[test]
    fn of_sharers_that_have_as_many_the_longest_unused_makes_room() {
        let mut table = table(Duration::ZERO);
        for (key, sharer) in ["d", "b", "c", "a"].into_iter().enumerate() {
            table.insert(key as u32, sharer, 'x', Time(key as u64)).unwrap();
        }
        table.use_at(&0, Time(4));
        assert_eq!(table.insert(7, "e", 'y', Time(5)), Ok(Some((1, 'x'))));
        assert_eq!(table.insert(8, "f", 'y', Time(6)), Ok(Some((2, 'x'))));
        table.expire(Duration::from_micros(3), Time(6));
        assert_eq!((keys(&table), table.first_use()), (vec![0, 7, 8], Some(Time(4))));
    }

    #[test]
    fn the_order_of_use_has_the_keys_of_the_entries_and_no_others() {
        let mut table = table(Duration::ZERO);
        for step in 0..1000_u32 {
            let (key, now) = (step * 7919 % 11, Time(u64::from(step)));
            match step % 5 {
                0 => drop(table.remove(&key)),
                1 => drop(table.use_at(&key, now)),
                2 => table.retain(|other, _| *other != key),
                _ => drop(table.insert(key, ["a", "b"][key as usize % 2], 'x', now)),
            }
            let order: BTreeSet<(Time, u32)> = table.unused.values().flatten().copied().collect();
            let of_entry = |(key, held): (&u32, &Held<char, _>)| (held.used_at, *key);
            assert_eq!(order, table.entries.iter().map(of_entry).collect());
            assert_eq!(order, table.order);
            let places = table.unused.iter().filter_map(|(sharer, keys)| place(sharer, keys));
            assert_eq!(table.sharers, places.collect());
            assert!(table.len() <= 4 && table.unused.values().all(|keys| !keys.is_empty()));
        }
        assert_eq!(table.remove_all_of(&"a").len() + table.remove_all_of(&"b").len(), 4);
        assert!(table.is_empty() && table.unused.is_empty() && table.sharers.is_empty());
        assert!(table.order.is_empty());
    }
}
