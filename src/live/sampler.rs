//! Computes a share of the packets of one class, so that the pages can show all packets in this
//! share.

use std::time::Duration;

use crate::time::Time;

/// The time over which the rate of the packets is measured. The measurement ends earlier if the
/// taps have taken all packets that the limit allows ([`Sampler::left`]).
const WINDOW: Duration = Duration::from_millis(250);
/// The shortest time over which a rate is measured.
const SHORTEST: Duration = Duration::from_millis(5);
/// The smallest share: one of this number of packets.
const SMALLEST: u32 = 1 << 20;

/// The limit for the packets of a class.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// The number of packets per second that the pages can show for a long time.
    pub a_second: u64,
    /// The number of packets in a burst that the pages can show.
    pub at_once: u64,
}

/// The share of the packets of a class that the taps take, and the number of the packets that were
/// taken.
///
/// The taps take one of N packets, where N is a power of two. The share becomes smaller as soon as
/// there are too many packets. The share becomes larger when the rate of the taken packets is at
/// most a quarter of the limit. So a constant rate of packets does not make the share smaller and
/// larger in turn.
#[derive(Debug)]
pub struct Sampler {
    limit: Limit,
    one_of: u32,
    /// The number of packets that the taps may take until the limit is reached.
    left: u64,
    /// The number of packets that were taken since the start of the window.
    taken: u64,
    since: Time,
}

impl Sampler {
    /// Makes a sampler. At first, the taps take all packets.
    pub fn new(limit: Limit, now: Time) -> Self {
        Sampler { limit, one_of: 1, left: limit.at_once, taken: 0, since: now }
    }

    /// Returns the share as a number N: the taps take one of N packets.
    pub fn one_of(&self) -> u32 {
        self.one_of
    }

    /// Counts packets that were taken.
    pub fn count(&mut self, packets: u64) {
        self.taken += packets;
        self.left = self.left.saturating_sub(packets);
    }

    /// Adapts the share to the packets that were counted. Returns whether the share has changed.
    pub fn adapt(&mut self, now: Time) -> bool {
        let elapsed = now.since(self.since);
        if self.left > 0 && elapsed < WINDOW {
            return false;
        }
        let micros = elapsed.max(SHORTEST).as_micros().try_into().unwrap_or(u64::MAX);
        let rate = self.taken.saturating_mul(1_000_000) / micros;
        let before = self.one_of;
        if self.left == 0 {
            let factor = rate.div_ceil(self.limit.a_second).next_power_of_two();
            let factor = u32::try_from(factor).unwrap_or(SMALLEST).clamp(2, SMALLEST);
            self.one_of = self.one_of.saturating_mul(factor).min(SMALLEST);
            self.left = self.limit.at_once / 2;
        } else {
            let mut rate = rate;
            while self.one_of > 1 && rate * 4 <= self.limit.a_second {
                (self.one_of, rate) = (self.one_of / 2, rate * 2);
            }
            let more = self.limit.a_second.saturating_mul(micros) / 1_000_000;
            self.left = (self.left + more).min(self.limit.at_once);
        }
        (self.taken, self.since) = (0, now);
        self.one_of != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit { a_second: 500, at_once: 1000 };

    /// Lets a flow of `rate` packets a second run for `seconds`. The sampler adapts every 5 ms.
    /// Returns the number of packets that were taken.
    fn run(sampler: &mut Sampler, now: &mut Time, rate: u64, seconds: u64) -> u64 {
        let mut all = 0;
        let (mut sent, mut seen) = (0, 0);
        for _ in 0..seconds * 200 {
            *now = *now + Duration::from_millis(5);
            sent += rate * 5;
            // `sent` counts thousandths of a packet. The taken packets are evenly distributed.
            let taken = (sent / 1000 - seen) / u64::from(sampler.one_of());
            seen += taken * u64::from(sampler.one_of());
            sampler.count(taken);
            all += taken;
            if sampler.adapt(*now) {
                seen = sent / 1000;
            }
        }
        all
    }

    #[test]
    fn a_slow_flow_and_a_burst_are_taken_whole() {
        let mut now = Time::ZERO;
        let mut sampler = Sampler::new(LIMIT, now);
        assert_eq!(run(&mut sampler, &mut now, 400, 20), 8000);
        sampler.count(900);
        run(&mut sampler, &mut now, 0, 10);
        assert_eq!(sampler.one_of(), 1);
    }

    #[test]
    fn a_fast_flow_is_sampled_at_once_and_steadily_and_whole_again_after_it() {
        let mut now = Time::ZERO;
        let mut sampler = Sampler::new(LIMIT, now);
        for rate in [100_000, 3_000_000, 20_000] {
            let first = run(&mut sampler, &mut now, rate, 2);
            assert!(first < 20_000, "{rate}: {first}");
            let share = sampler.one_of();
            assert!(rate / u64::from(share) <= 500, "{rate}: 1 of {share}");
            let steady = run(&mut sampler, &mut now, rate, 30);
            assert!((30 * 125..=30 * 500).contains(&steady), "{rate}: {steady}");
            assert_eq!(sampler.one_of(), share, "{rate}: the share does not change to and fro");
        }
        run(&mut sampler, &mut now, 10, 10);
        assert_eq!(sampler.one_of(), 1);
    }

    #[test]
    fn the_share_has_a_bound() {
        let mut now = Time::ZERO;
        let mut sampler = Sampler::new(LIMIT, now);
        for _ in 0..100 {
            sampler.count(u64::MAX / 2);
            now = now + Duration::from_millis(1);
            sampler.adapt(now);
        }
        assert_eq!(sampler.one_of(), SMALLEST);
    }
}
