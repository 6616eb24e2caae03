//! Watches the kernels of the nodes: the state of each port, and the packets on the links.
//!
//! One thread waits for changes of ports and for packets. The packets are read only while a page
//! watches. A fast flow is sampled: each port has a share of packets, and the kernel drops the
//! packets that are not read in time.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::news::{News, Seen};
use super::watchers::Watchers;
use crate::driver::clock::Clock;
use crate::driver::netlink::monitor::LinkMonitor;
use crate::driver::tap_point::{Side, TapPoint};
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::file::name::SWITCH;
use crate::netns::raw::inside;
use crate::netns::{paths, run};
use crate::time::Time;
use crate::watch::item::Class;
use crate::watch::packet;

/// The number of packets of a port that may be shown at once. The next constant is the time after
/// which one more packet may be shown.
const BURST: u64 = 200;
const INTERVAL: Duration = Duration::from_millis(10);
/// The time for which a port with a fast flow is not read.
const REST: Duration = Duration::from_millis(40);
/// The maximum number of frames that are read from a port in one turn.
const FRAMES_A_TURN: usize = 64;
/// The longest wait. After it, the thread looks whether a page still watches.
const WAIT: Duration = Duration::from_millis(200);
/// The length of an Ethernet header.
const ETHERNET: usize = 14;

/// The kernels of a lab.
pub struct Ground {
    places: Vec<Place>,
    taps: Vec<Tap>,
    clock: Clock,
}

/// A namespace.
struct Place {
    /// The node, or [`SWITCH`].
    node: String,
    namespace: String,
    monitor: LinkMonitor,
    /// The index of each device.
    devices: BTreeMap<String, u32>,
}

/// A port with an open tap.
struct Tap {
    node: String,
    device: String,
    index: u32,
    point: TapPoint,
    /// The number of packets that may be shown now.
    allowed: u64,
    allowed_at: Time,
    rests_until: Time,
}

impl Ground {
    /// Opens a monitor in each namespace of a lab.
    ///
    /// # Errors
    /// The lab is not up, or this process has no privilege for its namespaces.
    pub fn open(lab: &Lab) -> Result<Self, Failure> {
        let nodes = lab.file.nodes.keys().map(String::as_str).chain([SWITCH]);
        let mut places = Vec::new();
        for node in nodes.filter(|node| paths::has_namespace(lab, node)) {
            let namespace = paths::namespace(lab, node);
            let monitor = inside(&namespace, LinkMonitor::open)?;
            let devices = BTreeMap::new();
            places.push(Place { node: node.to_owned(), namespace, monitor, devices });
        }
        Ok(Ground { places, taps: Vec::new(), clock: Clock::start() })
    }

    /// Reports the links and packets until the receiver of the news is closed.
    pub fn watch(mut self, lab: &Lab, watchers: &Watchers, news: &SyncSender<News>) {
        for at in 0..self.places.len() {
            self.read_links(at, news);
        }
        loop {
            if watchers.are_there() {
                self.open_taps(lab);
            } else {
                self.taps.clear();
            }
            let Ok((changed, filled)) = self.wait() else { return };
            for at in changed {
                if !self.read_links(at, news) {
                    return;
                }
            }
            for at in filled {
                if !self.read_frames(at, news) {
                    return;
                }
            }
        }
    }

    /// Waits until a link has changed or a frame has arrived. Returns the numbers of their places
    /// and taps.
    fn wait(&self) -> io::Result<(Vec<usize>, Vec<usize>)> {
        let now = self.clock.now();
        let awake: Vec<usize> =
            (0..self.taps.len()).filter(|&at| self.taps[at].rests_until <= now).collect();
        let rests = self.taps.iter().map(|tap| tap.rests_until).filter(|&until| until > now);
        let wait = rests.map(|until| now.until(until)).min().unwrap_or(WAIT).min(WAIT);
        let monitors = self.places.iter().map(|place| place.monitor.as_fd());
        let points = awake.iter().map(|&at| self.taps[at].point.as_fd());
        let mut fds: Vec<PollFd<'_>> =
            monitors.chain(points).map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let is_ready = |fd: &PollFd<'_>| !fd.revents().is_empty();
        let ready: Vec<bool> = fds.iter().map(is_ready).collect();
        let (monitors, points) = ready.split_at(self.places.len());
        let changed = monitors.iter().enumerate().filter(|(_, ready)| **ready);
        let filled = awake.iter().zip(points).filter(|(_, ready)| **ready);
        Ok((changed.map(|(at, _)| at).collect(), filled.map(|(&at, _)| at).collect()))
    }

    /// Reads the links of a place. Returns false if the receiver of the news has gone.
    fn read_links(&mut self, at: usize, news: &SyncSender<News>) -> bool {
        let place = &mut self.places[at];
        let Ok(links) = place.monitor.read() else { return true };
        place.devices = links.iter().map(|link| (link.device.clone(), link.index)).collect();
        news.send(News::Links { node: place.node.clone(), links }).is_ok()
    }

    /// Opens a tap for each port that has none. A port with another device has a new tap.
    fn open_taps(&mut self, lab: &Lab) {
        let index = |place: &str, device: &str| {
            let place = self.places.iter().find(|it| it.node == place)?;
            Some((place.namespace.clone(), *place.devices.get(device)?))
        };
        let mut missing = Vec::new();
        let mut present = Vec::new();
        for port in lab.file.ports() {
            let (place, device) = run::end_of(lab, &port.node, &port.device);
            let Some((namespace, index)) = index(place, &device) else { continue };
            let is_open = |tap: &Tap| {
                tap.node == port.node && tap.device == port.device && tap.index == index
            };
            present.push((port.node.clone(), port.device.clone(), index));
            if !self.taps.iter().any(is_open) {
                // The device of an emulated host is the other end of its cable: the frames of the
                // host arrive there.
                let side = if place == SWITCH { Side::Received } else { Side::Sent };
                missing.push((port, namespace, index, side));
            }
        }
        self.taps.retain(|tap| {
            present.iter().any(|(node, device, index)| {
                (node, device, index) == (&tap.node, &tap.device, &tap.index)
            })
        });
        for (port, namespace, index, side) in missing {
            let Ok(point) = inside(&namespace, || TapPoint::open(index, side)) else { continue };
            self.taps.push(Tap {
                node: port.node.clone(),
                device: port.device.clone(),
                index,
                point,
                allowed: BURST,
                allowed_at: self.clock.now(),
                rests_until: Time::ZERO,
            });
        }
    }

    /// Reads the frames of a tap. Returns false if the receiver of the news has gone.
    fn read_frames(&mut self, at: usize, news: &SyncSender<News>) -> bool {
        let now = self.clock.now();
        let tap = &mut self.taps[at];
        let new = now.since(tap.allowed_at).as_millis() / INTERVAL.as_millis();
        if let Some(new) = u64::try_from(new).ok().filter(|&new| new > 0) {
            tap.allowed = (tap.allowed + new).min(BURST);
            tap.allowed_at = now;
        }
        let mut left_out = 0;
        let mut octets = Vec::new();
        for _ in 0..FRAMES_A_TURN {
            let sent_us = match tap.point.receive(&mut octets) {
                Ok(Some(sent_us)) => sent_us,
                Ok(None) => break,
                Err(_) => {
                    // The device is gone. The tap is opened again if the device comes back.
                    tap.index = 0;
                    return true;
                }
            };
            if tap.allowed == 0 && is_traffic(&octets) {
                left_out += 1;
                continue;
            }
            tap.allowed = tap.allowed.saturating_sub(1);
            let (node, device) = (tap.node.clone(), tap.device.clone());
            let seen = Seen { node, device, sent_us, octets: octets.clone() };
            if news.send(News::Seen(seen)).is_err() {
                return false;
            }
        }
        left_out += tap.point.take_dropped().unwrap_or(0);
        if left_out > 0 {
            tap.rests_until = now + REST;
            return news.send(News::LeftOut(left_out)).is_ok();
        }
        true
    }
}

/// Whether a frame is traffic of hosts, encapsulated or not. Such frames are sampled.
fn is_traffic(frame: &[u8]) -> bool {
    matches!(packet::class(frame.get(ETHERNET..).unwrap_or_default()), Class::Data | Class::Native)
}
