//! When to request again an object that the kernel or the process has lost or refused.
//!
//! A lost object is added again immediately. When the object is lost again each time, another
//! program is removing it. So after three losses in ten seconds, the object is added again only
//! every thirty seconds; otherwise the router and the other program would keep each other busy. A
//! refused object is requested again a moment later, because an object that it needs may be about
//! to appear. After three refusals, it is requested every thirty seconds too.

use std::collections::BTreeMap;
use std::time::Duration;

use super::deadlines::Deadlines;
use crate::time::Time;

/// How often an object is added again immediately within [`WINDOW`].
const QUICK: usize = 3;
/// An object that was present for this time is at rest.
const WINDOW: Duration = Duration::from_secs(10);
/// How long the router waits before it requests a restless object again.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long after a refusal the object is requested again.
const MOMENT: Duration = Duration::from_millis(250);

/// The verdict on a missing object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Request the object immediately.
    Now,
    /// The object is due later.
    Later {
        /// The object has just become restless, and this has not been reported yet.
        first: bool,
    },
}

/// The objects that have recently vanished or were refused.
#[derive(Debug)]
pub struct Losses<T> {
    /// An object that is at rest again remains here until it is next looked at. There is at most
    /// one entry for each object.
    restless: BTreeMap<T, Attempts>,
    due: Deadlines<T>,
}

impl<T> Default for Losses<T> {
    fn default() -> Self {
        Losses { restless: BTreeMap::new(), due: Deadlines::default() }
    }
}

/// The instants at which an object was requested again.
#[derive(Debug, Default)]
struct Attempts {
    /// The last instants, at most [`QUICK`].
    at: Vec<Time>,
    /// Whether the object is requested only every [`PATIENCE`].
    patient: bool,
    /// Whether the refusal of the object has been reported.
    refused: bool,
}

impl<T: Ord + Clone> Losses<T> {
    /// An object has vanished.
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

    /// The kernel has refused an object. Returns whether this refusal is still to be reported.
    pub fn refused(&mut self, object: T, now: Time) -> bool {
        let attempts = self.attempts(&object, now);
        let first = !std::mem::replace(&mut attempts.refused, true);
        attempts.patient |= attempts.lately(now) >= QUICK;
        let wait = if attempts.patient { PATIENCE } else { MOMENT };
        self.wait(object, now, wait);
        first
    }

    /// An object is not wanted any more, or has been requested in another manner.
    pub fn forget(&mut self, object: &T) {
        self.restless.remove(object);
        self.due.set(object.clone(), None);
    }

    /// Deletes all entries.
    pub fn clear(&mut self) {
        *self = Losses::default();
    }

    /// The objects that are to be requested again by `now`, in the order in which they are made.
    pub fn take_due(&mut self, now: Time) -> Vec<T> {
        let mut due: Vec<_> = std::iter::from_fn(|| self.due.pop(now)).collect();
        due.sort();
        for object in &due {
            self.restless.entry(object.clone()).or_default().made(now);
        }
        due
    }

    /// When the next object is due.
    pub fn next_due(&self) -> Option<Time> {
        self.due.next()
    }

    /// Whether an object is to be requested again later.
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
        // The object has been present for ten seconds: the other program has given up.
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
