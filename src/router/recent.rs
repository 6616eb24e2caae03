//! Counts events in the last seconds and minutes.

use crate::time::Time;

/// The number of seconds for which the numbers of events are stored.
const SECONDS: u64 = 300;
/// The periods for which [`Recent::counts`] returns the numbers of events, in seconds. `show lisp
/// ... statistics` prints these numbers.
const SPANS: [u64; 3] = [5, 60, SECONDS];

/// The number of events in each of the last [`SECONDS`] seconds.
#[derive(Clone, Debug)]
pub struct Recent {
    /// The number of the current second.
    second: u64,
    /// The number of events in each second. The index is the number of the second, modulo
    /// [`SECONDS`].
    events: [u32; SECONDS as usize],
}

impl Default for Recent {
    fn default() -> Self {
        Recent { second: 0, events: [0; SECONDS as usize] }
    }
}

impl Recent {
    /// Counts an event.
    pub(super) fn count(&mut self, now: Time) {
        let second = now.0 / 1_000_000;
        for passed in self.second + 1..=second.min(self.second + SECONDS) {
            self.events[place(passed)] = 0;
        }
        self.second = self.second.max(second);
        let events = &mut self.events[place(self.second)];
        *events = events.saturating_add(1);
    }

    /// The numbers of events in the last five seconds, in the last minute and in the last five
    /// minutes.
    pub fn counts(&self, now: Time) -> [u64; 3] {
        let second = now.0 / 1_000_000;
        SPANS.map(|span| {
            let first =
                (second + 1).saturating_sub(span).max((self.second + 1).saturating_sub(SECONDS));
            (first..=self.second).map(|at| u64::from(self.events[place(at)])).sum()
        })
    }
}

fn place(second: u64) -> usize {
    (second % SECONDS) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_counts_in_each_span_until_the_span_is_over() {
        let mut recent = Recent::default();
        assert_eq!(recent.counts(Time::ZERO), [0, 0, 0]);
        for second in [0, 0, 1, 3] {
            recent.count(Time::from_secs(second));
        }
        for (second, counts) in [
            (3, [4, 4, 4]),
            (4, [4, 4, 4]),
            (5, [2, 4, 4]),
            (8, [0, 4, 4]),
            (60, [0, 2, 4]),
            (299, [0, 0, 4]),
            (300, [0, 0, 2]),
            (303, [0, 0, 0]),
        ] {
            assert_eq!(recent.counts(Time::from_secs(second)), counts, "{second}");
        }
    }

    #[test]
    fn a_second_takes_the_place_of_the_second_five_minutes_before() {
        let mut recent = Recent::default();
        recent.count(Time::from_secs(7));
        recent.count(Time::from_secs(307));
        assert_eq!(recent.counts(Time::from_secs(307)), [1, 1, 1]);
        recent.count(Time::from_secs(100_000));
        assert_eq!(recent.counts(Time::from_secs(100_000)), [1, 1, 1]);
    }
}
