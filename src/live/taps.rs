//! The taps at the links of a lab. They receive the packets that the pages show.
//!
//! A flow can have more packets per second than the pages can show. Then all taps take the same
//! sample of the packets ([`Sampling`]). The share of the sample becomes smaller until the pages
//! can show all packets in it ([`Sampler`]).

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use super::news::{News, Seen};
use super::sampler::{Limit, Sampler};
use crate::driver::tap_filter::Sampling;
use crate::driver::tap_point::{self, TapPoint, Tapped};
use crate::netns::raw::inside;
use crate::sim::trace;
use crate::time::Time;
use crate::watch::item::Class;

/// The limit for packets of hosts on all links together. The next constant is the limit for all
/// other packets.
const HOSTS: Limit = Limit { a_second: 500, at_once: 1000 };
const CONTROL: Limit = Limit { a_second: 1000, at_once: 2000 };
/// The time between a read of the taps and the next read. So if packets arrive fast, this process
/// wakes up once for a group of packets, and not for each packet.
const REST: Duration = Duration::from_millis(5);
/// The interval at which the sample changes to other packets. This matters for a flow of equal
/// packets, because a sample has all of these packets or none.
const SALTED: Duration = Duration::from_secs(1);
/// The maximum number of frames that are read from a tap in one turn.
const FRAMES_A_TURN: usize = 64;

/// The place of a tap: the port that sends the packets, and the device at the other end of the
/// link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The node that sends the packets.
    pub node: String,
    /// The device of the node.
    pub device: String,
    /// The namespace of the device at the other end of the link.
    pub namespace: String,
    /// The index of the device at the other end of the link.
    pub index: u32,
}

/// An open tap.
struct Tap {
    place: Place,
    point: TapPoint,
}

/// The open taps of a lab.
pub struct Taps {
    taps: Vec<Tap>,
    hosts: Sampler,
    control: Sampler,
    salt: u32,
    salted_at: Time,
    /// The time at which the taps are read again.
    pub rest_until: Time,
    buffer: Vec<u8>,
}

impl Taps {
    /// Makes the value without open taps. `now` is the present time.
    pub fn new(now: Time) -> Self {
        Taps {
            taps: Vec::new(),
            hosts: Sampler::new(HOSTS, now),
            control: Sampler::new(CONTROL, now),
            salt: 0,
            salted_at: now,
            rest_until: now,
            buffer: tap_point::buffer(),
        }
    }

    /// Opens a tap at each place in `places` that has no tap. Closes the taps at all other places.
    /// If the namespace or the device of a place no longer exists, no tap is opened there.
    pub fn set_places(&mut self, places: Vec<Place>) {
        self.taps.retain(|tap| places.contains(&tap.place));
        let sampling = self.sampling();
        for place in places {
            if self.taps.iter().any(|tap| tap.place == place) {
                continue;
            }
            let open = || TapPoint::open(place.index, sampling);
            if let Ok(point) = inside(&place.namespace, open) {
                self.taps.push(Tap { place, point });
            }
        }
    }

    /// The descriptors of the taps, in the order of their numbers.
    pub fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.taps.iter().map(|tap| tap.point.as_fd())
    }

    /// Reads the taps with the numbers `filled`, reports their packets, and adapts the shares.
    /// Returns false if the receiver of `news` was dropped.
    pub fn read(&mut self, filled: &[usize], now: Time, news: &SyncSender<News>) -> bool {
        if !filled.is_empty() {
            self.rest_until = now + REST;
        }
        filled.iter().all(|&at| self.read_one(at, true, news)) && self.adapt(now, news)
    }

    /// Reads the frames of a tap, and reports their packets. If `hosts` is false, the packets of
    /// hosts are left out. Returns false if the receiver of `news` was dropped.
    fn read_one(&mut self, at: usize, hosts: bool, news: &SyncSender<News>) -> bool {
        let Tap { place, point } = &self.taps[at];
        let mut left_out = 0;
        for _ in 0..FRAMES_A_TURN {
            // An error means that the device is down. The tap goes on when the device is up again.
            let Ok(Some(Tapped { at, octets, .. })) = point.receive(&mut self.buffer) else {
                break;
            };
            let is_of_hosts = is_of_hosts(octets);
            if is_of_hosts && !hosts {
                left_out += 1;
                continue;
            }
            let sampler = if is_of_hosts { &mut self.hosts } else { &mut self.control };
            sampler.count(1);
            let (node, device) = (place.node.clone(), place.device.clone());
            let sent_us = at.as_micros() as u64;
            let seen = Seen { node, device, sent_us, octets: octets.to_vec() };
            if news.send(News::Seen(seen)).is_err() {
                return false;
            }
        }
        // The kernel does not report the class of a frame that it has dropped. The frame is counted
        // as a packet of hosts, because the fast flows are those of hosts.
        let dropped = point.take_dropped().unwrap_or(0);
        if hosts {
            self.hosts.count(dropped);
        }
        left_out += dropped;
        left_out == 0 || news.send(News::LeftOut(left_out)).is_ok()
    }

    /// Adapts the shares. Returns false if the receiver of `news` was dropped.
    fn adapt(&mut self, now: Time, news: &SyncSender<News>) -> bool {
        let before = self.sampling();
        let (hosts, control) = (self.hosts.adapt(now), self.control.adapt(now));
        let is_whole = (self.hosts.one_of(), self.control.one_of()) == (1, 1);
        if !is_whole && now.since(self.salted_at) >= SALTED {
            self.salt = self.salt.wrapping_add(1);
            self.salted_at = now;
        }
        let sampling = self.sampling();
        if sampling == before {
            return true;
        }
        // After an error, the tap keeps the old share until the next change.
        self.taps.iter().for_each(|tap| drop(tap.point.sample(sampling)));
        if sampling.hosts > before.hosts {
            // The frames that wait now were taken when the share was larger. So their packets of
            // hosts are left out.
            if !(0..self.taps.len()).all(|at| self.read_one(at, false, news)) {
                return false;
            }
        }
        let is_known = !(hosts || control);
        is_known || news.send(News::Sampled(sampling.hosts, sampling.control)).is_ok()
    }

    fn sampling(&self) -> Sampling {
        let (hosts, control) = (self.hosts.one_of(), self.control.one_of());
        Sampling { hosts, control, salt: self.salt }
    }
}

/// Whether a frame has a packet of hosts, encapsulated or not.
fn is_of_hosts(frame: &[u8]) -> bool {
    matches!(trace::class(frame), Class::Data | Class::Native)
}
