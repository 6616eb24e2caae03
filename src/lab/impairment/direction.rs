//! One direction of a link. This module decides whether and when each packet arrives.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Impairment;
use crate::rng::Rng;
use crate::time::Time;

/// The maximum number of packets that are on the way in one direction of an impaired link.
pub const MOST_PACKETS: usize = 10_000;
/// The maximum number of octets that are on the way in one direction of an impaired link.
pub const MOST_OCTETS: usize = 16 * 1024 * 1024;
/// The longest time that a packet waits for the packets before it, if the link has a rate.
const LONGEST_WAIT: Duration = Duration::from_millis(200);

/// The counters of the packets in one direction of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ImpairedPackets")]
pub struct Counts {
    /// The packets that were sent.
    pub sent: u64,
    /// The packets that were lost because of the percentage `loss`.
    pub lost: u64,
    /// The packets that arrived twice.
    pub duplicated: u64,
    /// The packets that were sent without the delay and overtook other packets.
    pub reordered: u64,
    /// The packets that were dropped because the queue was full: too many packets were on the way,
    /// or the rate would have made the packet wait too long.
    pub queue_full: u64,
    /// The packets that the sending device refused, for example because it was down.
    pub refused: u64,
}

/// The fate of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The packet is lost.
    Lost,
    /// The packet is dropped, because the queue is full.
    QueueFull,
    /// The packet arrives.
    Arrives {
        /// The time of its arrival.
        at: Time,
        /// The number of copies that arrive: one or two.
        copies: usize,
    },
}

/// One direction of a link. Packets stay in order, unless the impairment reorders them.
#[derive(Debug, Default)]
pub struct Direction {
    /// The impairment of the packets from now on.
    pub impairment: Impairment,
    /// The counters of the packets until now.
    pub counts: Counts,
    /// The time at which the last octet of the last packet was sent, if the link has a rate.
    sent_at: Time,
    /// The time at which the last packet arrives, not counting packets that overtake other packets.
    last_arrival: Time,
    /// The packets that are on the way: the time of arrival and the number of octets of each
    /// packet.
    on_the_way: BinaryHeap<Reverse<(Time, usize)>>,
    octets_on_the_way: usize,
}

impl Direction {
    /// Makes a direction without packets.
    pub fn new(impairment: Impairment) -> Self {
        Direction { impairment, ..Direction::default() }
    }

    /// Returns the fate of a packet that is sent at `now`. `octets` is the length of the packet
    /// with its Ethernet header. The function takes the same number of random numbers for each
    /// packet. So one impairment does not change the random events of another impairment.
    pub fn send(&mut self, octets: usize, now: Time, rng: &mut Rng) -> Fate {
        let Impairment { delay, jitter, loss, duplicate, reorder, rate, .. } = self.impairment;
        let lost = happens(rng, loss);
        let copies = if happens(rng, duplicate) { 2 } else { 1 };
        let overtakes = happens(rng, reorder);
        let jitter = u64::try_from(jitter.as_micros()).unwrap_or(u64::MAX / 4);
        let swing = Duration::from_micros(rng.below(2 * jitter + 1));
        self.counts.sent += 1;
        if lost {
            self.counts.lost += 1;
            return Fate::Lost;
        }
        let begins = if rate.is_some() { now.max(self.sent_at) } else { now };
        if self.is_full(octets, now) || begins.since(now) > LONGEST_WAIT {
            self.counts.queue_full += 1;
            return Fate::QueueFull;
        }
        let sent_at = begins + rate.map_or(Duration::ZERO, |rate| rate.time_for(octets));
        self.sent_at = sent_at;
        let mut at = sent_at;
        if !overtakes {
            at = at + (delay + swing).saturating_sub(Duration::from_micros(jitter));
            at = at.max(self.last_arrival);
            self.last_arrival = at;
        }
        self.counts.duplicated += u64::from(copies == 2);
        self.counts.reordered += u64::from(overtakes);
        if !self.impairment.is_none() {
            self.on_the_way.push(Reverse((at, octets)));
            self.octets_on_the_way += octets;
        }
        Fate::Arrives { at, copies }
    }

    /// Returns whether the queue is too full for a packet of this length. Removes the packets that
    /// have arrived from the queue.
    fn is_full(&mut self, octets: usize, now: Time) -> bool {
        while let Some(&Reverse((at, arrived))) = self.on_the_way.peek()
            && at <= now
        {
            self.on_the_way.pop();
            self.octets_on_the_way -= arrived;
        }
        self.on_the_way.len() >= MOST_PACKETS || self.octets_on_the_way + octets > MOST_OCTETS
    }
}

/// Takes one random number. Returns true with a probability of `percent` percent.
fn happens(rng: &mut Rng, percent: f64) -> bool {
    const WHOLE: u64 = 1_000_000;
    let share = (percent / 100.0 * WHOLE as f64) as u64;
    rng.below(WHOLE) < share
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;

    fn direction(text: &str) -> (Direction, Rng) {
        let impairment = text.parse().unwrap();
        let rng = Rng::new(&Seed::from_number(1), "direction");
        (Direction::new(impairment), rng)
    }

    #[test]
    fn a_rate_sends_packets_one_after_another_and_drops_those_that_wait_too_long() {
        let (mut direction, mut rng) = direction("rate 1Mbit delay 10ms");
        let mut send = || direction.send(1250, Time::ZERO, &mut rng);
        let arrives = |millis: u64| Fate::Arrives { at: Time(millis * 1000), copies: 1 };
        // A packet of 1250 octets takes 10 ms at 1 Mbit/s.
        assert_eq!([send(), send(), send()], [arrives(20), arrives(30), arrives(40)]);
        let rest: Vec<Fate> = (0..20).map(|_| send()).collect();
        assert_eq!((rest[17], rest[18]), (arrives(220), Fate::QueueFull));
        assert_eq!(direction.counts.queue_full, 2);
    }

    #[test]
    fn the_packets_on_the_way_are_bounded_in_number_and_in_octets() {
        let full = |octets: usize| {
            let (mut direction, mut rng) = direction("delay 1s");
            let mut sent = 0;
            while direction.send(octets, Time::ZERO, &mut rng) != Fate::QueueFull {
                sent += 1;
            }
            let later = direction.send(octets, Time::from_secs(2), &mut rng);
            assert!(matches!(later, Fate::Arrives { .. }), "room after the arrivals");
            sent
        };
        assert_eq!(full(100), MOST_PACKETS);
        assert_eq!(full(9000), MOST_OCTETS / 9000);
    }

    #[test]
    fn each_packet_is_counted() {
        let (mut direction, mut rng) = direction("delay 1ms loss 20% duplicate 10% reorder 5%");
        for at in 0..1000 {
            direction.send(100, Time(at * 1000), &mut rng);
        }
        let Counts { sent, lost, duplicated, reordered, queue_full, refused } = direction.counts;
        assert_eq!((sent, queue_full, refused), (1000, 0, 0));
        assert!((150..250).contains(&lost), "{lost}");
        assert!((40..120).contains(&duplicated) && (15..70).contains(&reordered));
    }
}
