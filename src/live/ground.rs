//! Watches the kernels of the nodes: the state of each port, and the packets on the links.
//!
//! One thread waits for changes of ports and for packets. The packets are read only while a page
//! watches the lab.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::news::News;
use super::taps::{self, Taps};
use super::watchers::Watchers;
use crate::driver::clock::Clock;
use crate::driver::netlink::monitor::LinkMonitor;
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::file::Port;
use crate::lab::file::name::SWITCH;
use crate::netns::raw::inside;
use crate::netns::{paths, run};

/// The longest time for which the thread waits. After this time, it checks whether a page still
/// watches the lab.
const WAIT: Duration = Duration::from_millis(200);

/// The kernels of a lab.
pub struct Ground {
    places: Vec<Place>,
    taps: Taps,
    /// Whether the taps are open at the links that exist now.
    are_taps_set: bool,
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
        let clock = Clock::start();
        Ok(Ground { places, taps: Taps::new(clock.now()), are_taps_set: false, clock })
    }

    /// Reports the present links of all namespaces to `news`.
    pub fn report_links(&mut self, news: &SyncSender<News>) {
        for at in 0..self.places.len() {
            self.read_links(at, news);
        }
    }

    /// Reports the changes of links, and the packets, to `news`, until the receiver of `news` is
    /// dropped.
    pub fn watch(mut self, lab: &Lab, watchers: &Watchers, news: &SyncSender<News>) {
        let mut was_watched = false;
        loop {
            let is_watched = watchers.are_there();
            if is_watched != was_watched || is_watched && !self.are_taps_set {
                let places = if is_watched { self.tap_places(lab) } else { Vec::new() };
                self.taps.set_places(places);
                (was_watched, self.are_taps_set) = (is_watched, true);
            }
            let Ok((changed, filled)) = self.wait() else { return };
            for at in changed {
                if !self.read_links(at, news) {
                    return;
                }
            }
            if !self.taps.read(&filled, self.clock.now(), news) {
                return;
            }
        }
    }

    /// Waits until a link has changed or a frame has arrived. Returns the numbers of the places
    /// with a changed link, and the numbers of the taps with a frame.
    fn wait(&self) -> io::Result<(Vec<usize>, Vec<usize>)> {
        let rest = self.clock.now().until(self.taps.rest_until);
        let (wait, taps) = if rest.is_zero() { (WAIT, Some(&self.taps)) } else { (rest, None) };
        let monitors = self.places.iter().map(|place| place.monitor.as_fd());
        let points = taps.into_iter().flat_map(Taps::fds);
        let mut fds: Vec<PollFd<'_>> =
            monitors.chain(points).map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        let (monitors, points) = ready.split_at(self.places.len());
        let numbers = |ready: &[bool]| (0..ready.len()).filter(|&at| ready[at]).collect();
        Ok((numbers(monitors), numbers(points)))
    }

    /// Reads the links of a place, and reports them. Returns false if the receiver of `news` was
    /// dropped.
    fn read_links(&mut self, at: usize, news: &SyncSender<News>) -> bool {
        let place = &mut self.places[at];
        let Ok(links) = place.monitor.read() else { return true };
        place.devices = links.iter().map(|link| (link.device.clone(), link.index)).collect();
        self.are_taps_set = false;
        news.send(News::Links { node: place.node.clone(), links }).is_ok()
    }

    /// Returns the places of the taps. For each port, the place is the device at the other end of
    /// the link, if this device exists.
    fn tap_places(&self, lab: &Lab) -> Vec<taps::Place> {
        let place_of = |port: &Port, (place, device): (&str, String)| {
            let place = self.places.iter().find(|it| it.node == place)?;
            Some(taps::Place {
                node: port.node.clone(),
                device: port.device.clone(),
                namespace: place.namespace.clone(),
                index: *place.devices.get(&device)?,
            })
        };
        let cables = lab.file.links.iter().flat_map(|link| {
            let [a, b] = &link.ends;
            [(a, b), (b, a)]
        });
        let cables = cables.filter_map(|(port, other)| {
            let end = run::end_of(lab, &other.node, &other.device);
            place_of(port, end)
        });
        let plugs = lab.file.lans.iter().flat_map(|lan| &lan.ports).filter_map(|port| {
            // The device of an emulated host is itself in the namespace of the switch.
            let device = match run::end_of(lab, &port.node, &port.device) {
                (SWITCH, device) => device,
                _ => port.switch_device(),
            };
            place_of(port, (SWITCH, device))
        });
        cables.chain(plugs).collect()
    }
}
