//! Decides when the router requests an object again. The kernel or the process has lost this
//! object, or has refused to make it.
//!
//! A lost object is requested again immediately. If the object is lost again after each request,
//! another program removes it. So after three requests in ten seconds, the object is requested only
//! every thirty seconds. Otherwise the router and the other program would be busy all the time. A
//! refused object is requested again after a quarter of a second, because another object that the
//! refused object needs may appear soon. After three refusals, the refused object too is requested
//! only every thirty seconds.

use std::collections::BTreeMap;
use std::time::Duration;

use super::deadlines::Deadlines;
use crate::time::Time;

/// The maximum number of immediate requests for an object within [`WINDOW`].
const QUICK: usize = 3;
/// An object is "at rest" when it has not been lost or refused for this time after a request. Until
/// then, the object is "restless".
const WINDOW: Duration = Duration::from_secs(10);
/// The interval between the requests for an object that was lost or refused too often.
const PATIENCE: Duration = Duration::from_secs(30);
/// The time from a refusal to the next request for the object.
const MOMENT: Duration = Duration::from_millis(250);

/// The verdict on a missing object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Request the object immediately.
    Now,
    /// Request the object later.
    Later {
        /// Whether the router must report that the object is now requested only every [`PATIENCE`].
        /// This value is true once. It can be true again after the object has been at rest.
        first: bool,
    },
}

/// The objects that have recently vanished or were refused.
#[derive(Debug)]
pub struct Losses<T> {
    /// The attempts for each object. The entry of an object at rest remains until the object is
    /// lost or refused the next time. Then the entry is reset.
    restless: BTreeMap<T, Attempts>,
    due: Deadlines<T>,
}

impl<T> Default for Losses<T> {
    fn default() -> Self {
        Losses { restless: BTreeMap::new(), due: Deadlines::default() }
    }
}

/// The times at which an object was requested again.
#[derive(Debug, Default)]
struct Attempts {
    /// The times of the latest requests, at most [`QUICK`].
    at: Vec<Time>,
    /// Whether the object is requested only once in each interval of [`PATIENCE`].
    patient: bool,
    /// Whether the refusal of the object has been reported.
    refused: bool,
}

impl<T: Ord + Clone> Losses<T> {
    /// Handles an object that has vanished. Returns whether to request the object again now or
    /// later.
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

    /// Handles an object that was refused. Returns whether the caller must report this refusal.
    pub fn refused(&mut self, object: T, now: Time) -> bool {
        let attempts = self.attempts(&object, now);
        let first = !std::mem::replace(&mut attempts.refused, true);
        attempts.patient |= attempts.lately(now) >= QUICK;
        let wait = if attempts.patient { PATIENCE } else { MOMENT };
        self.wait(object, now, wait);
        first
    }

    /// Deletes the entry of an object. The caller does this if the object is not wanted any more,
    /// or if the object was requested for a reason other than a loss or a refusal.
    pub fn forget(&mut self, object: &T) {
        self.restless.remove(object);
        self.due.set(object.clone(), None);
    }

    /// Deletes all entries.
    pub fn clear(&mut self) {
        *self = Losses::default();
    }

    /// Removes and returns the objects that are due at `now`, in the order in which the router
    /// makes objects.
    pub fn take_due(&mut self, now: Time) -> Vec<T> {
        let mut due: Vec<_> = std::iter::from_fn(|| self.due.pop(now)).collect();
        due.sort();
        for object in &due {
            self.restless.entry(object.clone()).or_default().made(now);
        }
        due
    }

    /// The time at which the next object is due.
    pub fn next_due(&self) -> Option<Time> {
        self.due.next()
    }

    /// Whether an object will be requested again later.
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
        // The object has been present for ten seconds, so it is at rest again.
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
