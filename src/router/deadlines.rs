//! The deadlines of the rows of a table. With this type, the router finds the rows that are due,
//! and does not look at the other rows. So the cost depends only on the number of rows that are
//! due.

use std::collections::{BTreeMap, BTreeSet};

use crate::time::Time;

/// Keys with one deadline each, in the order of their deadlines. Keys with equal deadlines are in
/// the order of the keys.
#[derive(Debug)]
pub struct Deadlines<K> {
    at: BTreeMap<K, Time>,
    due: BTreeSet<(Time, K)>,
}

impl<K> Default for Deadlines<K> {
    fn default() -> Self {
        Deadlines { at: BTreeMap::new(), due: BTreeSet::new() }
    }
}

impl<K: Ord + Clone> Deadlines<K> {
    /// Sets the deadline of a key, in place of its previous deadline. `None` means that the key is
    /// never due.
    pub fn set(&mut self, key: K, at: Option<Time>) {
        let before = match at {
            Some(at) => self.at.insert(key.clone(), at),
            None => self.at.remove(&key),
        };
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.due.remove(&(before, key.clone()));
        }
        if let Some(at) = at {
            self.due.insert((at, key));
        }
    }

    /// The deadline of a key. `None` if the key has no deadline.
    pub fn get(&self, key: &K) -> Option<Time> {
        self.at.get(key).copied()
    }

    /// Whether a key has a deadline.
    pub fn contains(&self, key: &K) -> bool {
        self.at.contains_key(key)
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.at.len()
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Removes and returns the next key that is due at `now` or earlier. A caller repeats this call
    /// until it returns `None`. These calls look only at the keys that are due, and at the first
    /// key that is not due.
    pub fn pop(&mut self, now: Time) -> Option<K> {
        self.next().filter(|at| *at <= now)?;
        let (_, key) = self.due.pop_first()?;
        self.at.remove(&key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::cmp::Ordering;

    use super::*;

    #[test]
    fn a_key_is_due_once_at_what_was_set_last() {
        let mut deadlines = Deadlines::default();
        deadlines.set("a", Some(Time(5)));
        deadlines.set("b", Some(Time(3)));
        deadlines.set("c", Some(Time(3)));
        deadlines.set("a", Some(Time(1)));
        deadlines.set("c", None);
        assert_eq!(deadlines.next(), Some(Time(1)));
        assert_eq!((deadlines.pop(Time(0)), deadlines.pop(Time(3))), (None, Some("a")));
        assert_eq!((deadlines.pop(Time(3)), deadlines.pop(Time(9))), (Some("b"), None));
        assert_eq!(deadlines.next(), None);
    }

    thread_local! {
        static VISITS: Cell<u32> = const { Cell::new(0) };
    }

    /// A key that counts the comparisons of keys.
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Counted(u32);

    impl PartialOrd for Counted {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    impl Ord for Counted {
        fn cmp(&self, other: &Self) -> Ordering {
            VISITS.set(VISITS.get() + 1);
            self.0.cmp(&other.0)
        }
    }

    #[test]
    fn a_turn_looks_at_what_is_due_and_not_at_what_is_there() {
        let mut deadlines = Deadlines::default();
        for key in 0..100_000 {
            deadlines.set(Counted(key), Some(Time(u64::from(key))));
        }
        VISITS.set(0);
        assert_eq!(deadlines.next(), Some(Time(0)));
        assert_eq!(VISITS.get(), 0, "the next deadline is known");
        for key in 0..3 {
            assert_eq!(deadlines.pop(Time(2)), Some(Counted(key)));
        }
        assert_eq!(deadlines.pop(Time(2)), None);
        assert!(VISITS.get() < 3 * 300, "{} visits for 3 of 100000", VISITS.get());
    }
}
