//! The packet sockets of a capture, and their devices.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::places::Interface;
use crate::capture::pcapng::Direction;
use crate::driver::netlink::monitor::LinkMonitor;
use crate::driver::tap_point::{self, TapPoint};
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::netns::raw::inside;
use crate::netns::{paths, running};

/// The maximum number of frames that are read from a socket in one turn. After that, the other
/// sockets have their turn.
const FRAMES_A_TURN: usize = 1000;

/// A frame that was read.
#[derive(Debug)]
pub struct Frame {
    /// The number of the interface.
    pub interface: u32,
    /// The time at which the frame was captured, since 1970.
    pub at: Duration,
    /// The direction, seen from the interface.
    pub direction: Direction,
    /// The octets.
    pub octets: Vec<u8>,
}

/// A namespace with devices of the capture.
struct Place {
    namespace: String,
    monitor: LinkMonitor,
}

/// The socket of an interface. There is no socket while the device does not exist.
struct Point {
    /// The number of the place that has the device.
    place: usize,
    device: String,
    open: Option<(u32, TapPoint)>,
    received: u64,
    lost: u64,
}

/// The sockets of a capture.
pub struct Points {
    places: Vec<Place>,
    points: Vec<Point>,
    buffer: Vec<u8>,
}

/// The result of [`Points::wait`]: the places with a changed link, and the points with a frame.
#[derive(Debug, Default)]
pub struct Ready {
    places: Vec<usize>,
    points: Vec<usize>,
    /// Whether the reader has closed the output.
    pub is_output_closed: bool,
}

impl Points {
    /// Opens a socket at each interface. The number of an interface is its position in
    /// `interfaces`.
    ///
    /// # Errors
    /// The lab is not up, or this process has no privilege for its namespaces.
    pub fn open(lab: &Lab, interfaces: &[Interface]) -> Result<Self, Failure> {
        let mut opened =
            Points { places: Vec::new(), points: Vec::new(), buffer: tap_point::buffer() };
        for Interface { device: (node, device), .. } in interfaces {
            running::expect_namespace(lab, node)?;
            let namespace = paths::namespace(lab, node);
            let known = opened.places.iter().position(|place| place.namespace == namespace);
            let place = match known {
                Some(place) => place,
                None => {
                    let monitor = inside(&namespace, LinkMonitor::open)?;
                    opened.places.push(Place { namespace, monitor });
                    opened.places.len() - 1
                }
            };
            let device = device.clone();
            opened.points.push(Point { place, device, open: None, received: 0, lost: 0 });
        }
        for place in 0..opened.places.len() {
            opened.follow(place, &mut Vec::new())?;
        }
        Ok(opened)
    }

    /// Returns the numbers of the interfaces whose devices do not exist now.
    pub fn missing(&self) -> impl Iterator<Item = usize> {
        self.points.iter().enumerate().filter(|(_, it)| it.open.is_none()).map(|(at, _)| at)
    }

    /// Returns two numbers for each interface: the number of received frames, and the number of
    /// frames that were lost because this program did not read them in time.
    pub fn counts(&self) -> impl Iterator<Item = (u64, u64)> {
        self.points.iter().map(|point| (point.received, point.lost))
    }

    /// Waits until a frame arrives, a link changes, or the reader closes `out`, but not longer than
    /// the time `most`.
    ///
    /// # Errors
    /// An error of the kernel.
    pub fn wait(&self, out: Option<BorrowedFd<'_>>, most: Duration) -> io::Result<Ready> {
        let monitors = self.places.iter().map(|place| place.monitor.as_fd());
        let open =
            || self.points.iter().enumerate().filter_map(|(at, it)| Some((at, it.open.as_ref()?)));
        let points = open().map(|(_, (_, point))| point.as_fd());
        let mut fds: Vec<PollFd<'_>> =
            monitors.chain(points).map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        // `poll` reports an error of `out` even if no event of `out` is requested.
        fds.extend(out.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::empty())));
        let timeout =
            Timespec { tv_sec: most.as_secs().cast_signed(), tv_nsec: most.subsec_nanos().into() };
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut happened = fds.iter().map(|fd| !fd.revents().is_empty());
        let places = (0..self.places.len()).filter(|_| happened.next() == Some(true)).collect();
        let points = open().filter(|_| happened.next() == Some(true)).map(|(at, _)| at).collect();
        Ok(Ready { places, points, is_output_closed: happened.next() == Some(true) })
    }

    /// Reads the frames of the points in `ready`, and the changes of links of the places in
    /// `ready`. Appends the frames to `frames`.
    ///
    /// # Errors
    /// An error of a socket.
    pub fn read(&mut self, ready: &Ready, frames: &mut Vec<Frame>) -> Result<(), Failure> {
        for &at in &ready.points {
            self.read_point(at, frames).map_err(Failure::io(&self.points[at].device))?;
        }
        for &place in &ready.places {
            self.follow(place, frames)?;
        }
        Ok(())
    }

    /// Reads the frames that wait at all sockets. Frames after the time `until` may stay in the
    /// sockets.
    ///
    /// # Errors
    /// An error of a socket.
    pub fn read_all(&mut self, until: Duration, frames: &mut Vec<Frame>) -> io::Result<()> {
        for at in 0..self.points.len() {
            loop {
                let before = frames.len();
                self.read_point(at, frames)?;
                let is_later = frames.last().is_some_and(|frame| frame.at > until);
                if frames.len() == before || is_later {
                    break;
                }
            }
        }
        Ok(())
    }

    fn read_point(&mut self, at: usize, frames: &mut Vec<Frame>) -> io::Result<()> {
        let Point { open, received, lost, .. } = &mut self.points[at];
        let Some((_, point)) = open else { return Ok(()) };
        for _ in 0..FRAMES_A_TURN {
            match point.receive(&mut self.buffer) {
                Ok(Some(tapped)) => {
                    let direction = if tapped.is_sent { Direction::Out } else { Direction::In };
                    let octets = tapped.octets.to_vec();
                    frames.push(Frame { interface: at as u32, at: tapped.at, direction, octets });
                    *received += 1;
                }
                Ok(None) => break,
                // The device is down. When the device is up again, the socket receives frames
                // again.
                Err(error) if error.kind() == io::ErrorKind::NetworkDown => {}
                Err(error) => return Err(error),
            }
        }
        *lost += point.take_dropped()?;
        Ok(())
    }

    /// Opens a socket at each new device of a place. Closes the sockets of devices that no longer
    /// exist.
    fn follow(&mut self, place: usize, frames: &mut Vec<Frame>) -> Result<(), Failure> {
        let Place { namespace, monitor } = &mut self.places[place];
        let links = monitor.read().map_err(Failure::io(&*namespace))?;
        let namespace = namespace.clone();
        for at in 0..self.points.len() {
            let Point { place: of, device, open, .. } = &self.points[at];
            let index = links.iter().find(|link| link.device == *device).map(|link| link.index);
            if *of != place || index == open.as_ref().map(|(index, _)| *index) {
                continue;
            }
            // The old socket may still have frames of a device that no longer exists. An error of
            // this socket is expected.
            let _ = self.read_point(at, frames);
            self.points[at].open = match index {
                Some(index) => match inside(&namespace, || TapPoint::open_for_all(index)) {
                    Ok(point) => Some((index, point)),
                    // The new device no longer exists either. This function is called again when a
                    // link of the place changes.
                    Err(_) if self.points[at].received > 0 => None,
                    Err(error) => return Err(error),
                },
                None => None,
            };
        }
        Ok(())
    }
}
