//! When to ask again for an object that the kernel or the process has lost or refused.
//!
//! A thing that vanishes is put back at once. When one vanishes again each time, another
//! program removes it: after three times in ten seconds it is put back every thirty seconds, so that
//! the two do not keep each other busy. One that was refused is asked for again a moment later, for an
//! object that it needs may be on its way, and after three times every thirty seconds too.

use std::collections::BTreeMap;
use std::time::Duration;

use super::deadlines::Deadlines;
use crate::time::Time;

/// How often a thing is put back at once within [`WINDOW`].
const QUICK: usize = 3;
/// A thing that stood for so long is at rest.
const WINDOW: Duration = Duration::from_secs(10);
/// How long a restless thing is left alone.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long after a refusal it is asked again.
const MOMENT: Duration = Duration::from_millis(250);

/// The verdict on a thing that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Ask for it now.
    Now,
    /// It is due later; `first` when it has just become restless.
    Later {
        /// Nothing has been said of it yet.
        first: bool,
    },
}

/// The things that have vanished or were refused lately.
#[derive(Debug)]
pub struct Losses<T> {
    /// A thing that is at rest again stays until it is looked at; there is one for each object at most.
    restless: BTreeMap<T, Attempts>,
    due: Deadlines<T>,
}

impl<T> Default for Losses<T> {
    fn default() -> Self {
        Losses { restless: BTreeMap::new(), due: Deadlines::default() }
    }
}

/// The instants at which a thing was asked for again.
#[derive(Debug, Default)]
struct Attempts {
    /// The last ones, at most [`QUICK`].
    at: Vec<Time>,
    /// It is asked for every [`PATIENCE`].
    patient: bool,
    /// That the kernel refuses it has been said.
    refused: bool,
}

impl<T: Ord + Clone> Losses<T> {
    /// A thing has vanished.
    pub fn vanished(&mut self, object: T, now: Time) -> Verdict {
        let attempts = self.attempts(&object, now);
        if !attempts.patient && attempts.lately(now) < QUICK {
            attempts.made(now);
            self.due.set(object, None);
            return Verdict::Now;
        }
        let first = !std::mem::replace(&mut attempts.patient, true);
        self.wait(object, now, PATIENCE);
        Verdict::Later { first }
    }

    /// The kernel has refused a thing. Says whether that is news.
    pub fn refused(&mut self, object: T, now: Time) -> bool {
        let attempts = self.attempts(&object, now);
        let first = !std::mem::replace(&mut attempts.refused, true);
        attempts.patient |= attempts.lately(now) >= QUICK;
        let wait = if attempts.patient { PATIENCE } else { MOMENT };
        self.wait(object, now, wait);
        first
    }

    /// A thing is wanted no more, or has been asked for in another way.
    pub fn forget(&mut self, object: &T) {
        self.restless.remove(object);
        self.due.set(object.clone(), None);
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        *self = Losses::default();
    }

    /// The things that are to be asked for again by `now`, in the order in which they are made.
    pub fn take_due(&mut self, now: Time) -> Vec<T> {
        let mut due: Vec<_> = std::iter::from_fn(|| self.due.pop(now)).collect();
        due.sort();
        for object in &due {
            self.restless.entry(object.clone()).or_default().made(now);
        }
        due
    }

    /// When something is due.
    pub fn next_due(&self) -> Option<Time> {
        self.due.next()
    }

    /// Whether a thing is to be asked for again later.
    pub fn is_due(&self, object: &T) -> bool {
        self.due.contains(object)
    }

    fn attempts(&mut self, object: &T, now: Time) -> &mut Attempts {
        let is_due = self.due.contains(object);
        let attempts = self.restless.entry(object.clone()).or_default();
        let is_at_rest = attempts.at.last().is_none_or(|&last| now.since(last) > WINDOW);
        if is_at_rest && !is_due {
            *attempts = Attempts::default();
        }
        attempts
    }

    fn wait(&mut self, object: T, now: Time, wait: Duration) {
        if !self.due.contains(&object) {
            self.due.set(object, Some(now + wait));
        }
    }
}

impl Attempts {
    fn lately(&self, now: Time) -> usize {
        self.at.iter().filter(|&&at| now.since(at) <= WINDOW).count()
    }

    fn made(&mut self, now: Time) {
        if self.at.len() == QUICK {
            self.at.remove(0);
        }
        self.at.push(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::io::KernelObject;

    const THING: KernelObject = KernelObject::Namespace;

    fn at(millis: u64) -> Time {
        Time::ZERO + Duration::from_millis(millis)
    }

    #[test]
    fn what_vanishes_again_three_times_in_ten_seconds_is_put_back_every_thirty() {
        let mut losses = Losses::default();
        for millis in [0, 2000, 4000] {
            assert_eq!(losses.vanished(THING, at(millis)), Verdict::Now);
        }
        assert_eq!(losses.vanished(THING, at(6000)), Verdict::Later { first: true });
        assert_eq!(losses.vanished(THING, at(7000)), Verdict::Later { first: false });
        assert_eq!(losses.take_due(at(35_999)), []);
        assert_eq!(losses.next_due().unwrap(), at(36_000));
        assert_eq!(losses.take_due(at(36_000)), [THING]);
        assert_eq!(losses.vanished(THING, at(37_000)), Verdict::Later { first: false });
        assert_eq!(losses.take_due(at(67_000)), [THING]);
        // It has stayed for ten seconds: the other program has given up.
        assert_eq!(losses.vanished(THING, at(77_001)), Verdict::Now);
    }

    #[test]
    fn what_vanishes_now_and_then_is_put_back_at_once() {
        let mut losses = Losses::default();
        for second in (0..100).step_by(4) {
            assert_eq!(losses.vanished(THING, at(second * 1000)), Verdict::Now, "{second}");
        }
        assert_eq!(losses.next_due(), None);
    }

    #[test]
    fn what_is_refused_is_asked_again_soon_and_then_seldom() {
        let mut losses = Losses::default();
        assert!(losses.refused(THING, at(0)), "said once");
        let mut asked = Vec::new();
        for _ in 0..5 {
            let due = losses.next_due().unwrap();
            assert_eq!(losses.take_due(due), [THING]);
            asked.push(due.0 / 1000);
            assert!(!losses.refused(THING, due));
        }
        assert_eq!(asked, [250, 500, 750, 30_750, 60_750]);
        losses.forget(&THING);
        assert_eq!(losses.next_due(), None);
    }
}
