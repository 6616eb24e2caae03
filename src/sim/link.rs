//! Links and LANs, and their impairments.
//!
//! Every link has its own generator of random numbers. A link draws equally many random numbers for
//! each packet. Therefore, if one setting of one link changes, all other random results stay the
//! same.

use std::collections::BTreeMap;
use std::time::Duration;

use super::NodeId;
use super::kernel::DeviceId;
use crate::host::frame::{HardwareAddress, is_group};
use crate::lab::impairment::{Counts, Direction, Fate, Impairment};
use crate::rng::{Rng, Seed};
use crate::time::Time;

/// The minimum time that a packet needs to cross a link, even if the impairment of the link has no
/// delay. Without this minimum, two nodes could exchange packets endlessly without any progress of
/// the clock.
const LEAST_DELAY: Duration = Duration::from_micros(50);

/// The maximum number of hardware addresses that a bridge learns.
const LEARNED: usize = 4096;

/// One end of a link, or one port of a LAN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attachment {
    /// The node.
    pub node: NodeId,
    /// The device of the node.
    pub device: DeviceId,
}

/// The configuration of a link.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkConfig {
    /// The name of the link in traces and commands.
    pub name: String,
    /// The length of the largest IP packet that the link carries, in octets.
    pub mtu: u16,
    /// The impairment of the packets on the link.
    pub impairment: Impairment,
}

impl LinkConfig {
    /// Makes the configuration of a link without impairment, with an MTU of 1500 octets.
    pub fn new(name: impl Into<String>) -> Self {
        LinkConfig { name: name.into(), mtu: 1500, impairment: Impairment::default() }
    }
}

/// A cable between two ports, or a bridge with any number of ports.
#[derive(Debug)]
pub struct Segment {
    /// The name of the link or LAN.
    pub name: String,
    /// The length of the largest IP packet that the segment carries, in octets.
    pub mtu: u16,
    /// The ports that are plugged in, in the order in which they were plugged in.
    pub ports: Vec<Attachment>,
    /// Whether the segment is a bridge. If it is a bridge, the carrier of a port does not depend on
    /// other ports.
    pub is_lan: bool,
    /// Whether the segment works. A cable works if it is not cut, and a bridge works if it runs.
    pub up: bool,
    /// The impairment for each port that is not in `directions` yet.
    impairment: Impairment,
    /// The directions of the segment. The key of a direction is its sending port.
    directions: BTreeMap<Attachment, Direction>,
    /// The port of each hardware address that a bridge has learned.
    learned: BTreeMap<HardwareAddress, Attachment>,
    rng: Rng,
}

impl Segment {
    /// Makes a segment that is up.
    pub fn new(config: LinkConfig, ports: Vec<Attachment>, is_lan: bool, seed: &Seed) -> Self {
        let rng = Rng::new(seed, &format!("link {}", config.name));
        Segment {
            name: config.name,
            mtu: config.mtu,
            ports,
            is_lan,
            up: true,
            impairment: config.impairment,
            directions: BTreeMap::new(),
            learned: BTreeMap::new(),
            rng,
        }
    }

    /// Returns the ports that receive a frame from the port `from`. If the destination address is
    /// known, a bridge sends the frame to the port of that address only.
    pub fn receivers(&mut self, from: Attachment, frame: &[u8]) -> Vec<Attachment> {
        let others = self.ports.iter().copied().filter(|&port| port != from);
        let (Some(&to), Some(&source)) = (frame.first_chunk(), frame[6..].first_chunk()) else {
            return Vec::new();
        };
        if !self.is_lan {
            return others.collect();
        }
        if self.learned.len() < LEARNED || self.learned.contains_key(&source) {
            self.learned.insert(source, from);
        }
        match self.learned.get(&to).filter(|_| !is_group(to)) {
            Some(&port) => others.filter(|&other| other == port).collect(),
            None => others.collect(),
        }
    }

    /// Plugs a port into the segment.
    pub fn plug(&mut self, port: Attachment) {
        if !self.ports.contains(&port) {
            self.ports.push(port);
        }
    }

    /// Pulls a port out of the segment. A bridge also deletes the addresses that it learned on this
    /// port.
    pub fn unplug(&mut self, port: Attachment) {
        self.ports.retain(|&other| other != port);
        self.learned.retain(|_, &mut other| other != port);
    }

    /// Changes the impairment of the packets that the port `from` sends from now on. If `from` is
    /// `None`, changes the impairment for all ports.
    pub fn impair(&mut self, from: Option<Attachment>, impairment: Impairment) {
        match from {
            Some(from) => self.direction(from).impairment = impairment,
            None => {
                self.impairment = impairment;
                let all = self.directions.values_mut();
                all.for_each(|direction| direction.impairment = impairment);
            }
        }
    }

    /// Returns the impairment of the packets that the port `from` sends, and the counts of these
    /// packets.
    pub fn sent_by(&self, from: Attachment) -> (Impairment, Counts) {
        let direction = self.directions.get(&from);
        direction.map_or((self.impairment, Counts::default()), |it| (it.impairment, it.counts))
    }

    fn direction(&mut self, from: Attachment) -> &mut Direction {
        let impairment = self.impairment;
        self.directions.entry(from).or_insert_with(|| Direction::new(impairment))
    }

    /// Decides the fate of a frame that the port `from` sends. The frame has the length `octets`.
    pub fn send(&mut self, from: Attachment, octets: usize, now: Time) -> Fate {
        // The method `direction` cannot be called here. It would borrow the whole segment, but
        // `rng` is also borrowed.
        let impairment = self.impairment;
        let made = || Direction::new(impairment);
        let direction = self.directions.entry(from).or_insert_with(made);
        direction.send(octets, now + LEAST_DELAY, &mut self.rng)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: Attachment = Attachment { node: NodeId(0), device: DeviceId(0) };

    fn segment(impairment: Impairment, seed: u64) -> Segment {
        let config = LinkConfig { impairment, ..LinkConfig::new("wire") };
        Segment::new(config, vec![FROM], false, &Seed::from_number(seed))
    }

    fn run(impairment: Impairment, seed: u64) -> Vec<Vec<Time>> {
        let mut segment = segment(impairment, seed);
        let send = |at: u64| match segment.send(FROM, 100, Time(at * 1000)) {
            Fate::Arrives { at, copies } => vec![at; copies],
            Fate::Lost | Fate::QueueFull => Vec::new(),
        };
        (0..1000).map(send).collect()
    }

    #[test]
    fn one_direction_is_impaired_without_the_other() {
        let other = Attachment { node: NodeId(1), device: DeviceId(0) };
        let mut segment = segment(Impairment::default(), 1);
        let lossy = Impairment { loss: 100.0, ..Impairment::default() };
        segment.impair(Some(other), lossy);
        assert_eq!(segment.send(other, 100, Time::ZERO), Fate::Lost);
        assert_ne!(segment.send(FROM, 100, Time::ZERO), Fate::Lost);
        segment.impair(None, Impairment::default());
        assert_ne!(segment.send(other, 100, Time::ZERO), Fate::Lost);
        assert_eq!([other, FROM].map(|from| segment.sent_by(from).1.sent), [2, 1]);
    }

    #[test]
    fn a_faultless_link_carries_everything_once_and_takes_its_time() {
        for (at, arrivals) in run(Impairment::default(), 1).into_iter().enumerate() {
            assert_eq!(arrivals, [Time(at as u64 * 1000) + LEAST_DELAY]);
        }
    }

    #[test]
    fn faults_come_from_the_seed_and_near_their_rate() {
        let impairment = Impairment { loss: 20.0, duplicate: 10.0, ..Impairment::default() };
        let first = run(impairment, 1);
        assert_eq!(first, run(impairment, 1));
        assert_ne!(first, run(impairment, 2));
        let count = |copies| first.iter().filter(|a| a.len() == copies).count();
        assert!((150..250).contains(&count(0)), "{} lost", count(0));
        assert!((50..110).contains(&count(2)), "{} twice", count(2));
    }

    #[test]
    fn jitter_keeps_the_order_and_reorder_breaks_it() {
        let jittery = Impairment {
            delay: Duration::from_millis(10),
            jitter: Duration::from_millis(5),
            ..Impairment::default()
        };
        let arrivals: Vec<Time> = run(jittery, 1).concat();
        assert!(arrivals.is_sorted());
        let reorder = Impairment { reorder: 5.0, ..jittery };
        assert!(!run(reorder, 1).concat().is_sorted());
    }

    #[test]
    fn more_loss_does_not_move_the_duplicates() {
        let duplicating = Impairment { duplicate: 10.0, ..Impairment::default() };
        let lossy = Impairment { loss: 30.0, ..duplicating };
        for (calm, lossy) in run(duplicating, 1).iter().zip(run(lossy, 1)) {
            assert!(lossy.is_empty() || lossy == *calm);
        }
    }
}
