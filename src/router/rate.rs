//! Limits of rates. A limit allows a burst of actions, and one more action after each interval.

use std::time::Duration;

use crate::time::Time;

/// A limit for the rate of actions. The state of a limit is a time: from this time on, the limit
/// allows a full burst again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    /// The number of actions in a full burst: they may follow each other without a wait.
    pub burst: u32,
    /// The time after which one more action is allowed.
    pub interval: Duration,
}

impl Rate {
    /// The state after one more action at `now`, or `None` if this action is not allowed. `full_at`
    /// is the state before the action; it is `None` for a limit that was never used.
    pub(super) fn admit(self, full_at: Option<Time>, now: Time) -> Option<Time> {
        let full_at = full_at.map_or(now, |at| now.max(at)) + self.interval;
        (now.until(full_at) <= self.unused_after()).then_some(full_at)
    }

    /// The time after which the state of a limit without actions can be deleted, because the state
    /// has no effect any more.
    pub(super) fn unused_after(self) -> Duration {
        self.interval * self.burst
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_admitted_at_once_and_one_more_after_each_interval() {
        let rate = Rate { burst: 3, interval: Duration::from_secs(2) };
        let mut full_at = None;
        let mut admitted = |now: Time| {
            let next = rate.admit(full_at, now);
            full_at = next.or(full_at);
            next.is_some()
        };
        let at = Time::from_secs;
        assert_eq!((0..9).filter(|_| admitted(at(10))).count(), 3);
        assert!(!admitted(at(11)) && admitted(at(12)) && !admitted(at(12)));
        assert_eq!((0..9).filter(|_| admitted(at(100))).count(), 3);
    }
}
