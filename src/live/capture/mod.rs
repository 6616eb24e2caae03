//! Captures the packets of several interfaces of a lab that is up in namespaces. All packets are in
//! one output, with the reasons of the routers as comments.
//!
//! ```text
//!   kernels ── packet sockets ─▶ Points ──▶ Waiting ──▶ Output ─▶ a pcapng file, or lines
//!   routers ── Unix sockets ───▶ Reasons ────────────────┘
//! ```
//!
//! Each frame waits for the time [`HELD`] before it is written. In this time, the earlier frames of
//! other interfaces arrive, and the routers send their reasons. So the output is in the order of
//! time.

pub mod output;
pub mod places;
mod points;
pub mod simulated;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use super::news::News;
use super::router;
use super::watchers::Watchers;
use crate::capture::filter::Filter;
use crate::capture::pcapng::Packet;
use crate::driver::clock::Clock;
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::netns::interrupt::Interrupt;
use crate::netns::{paths, running};
use crate::time::Time;
use crate::watch::comments::Reasons;
use crate::watch::stream::Told;
use output::{Form, Output};
use places::Interface;
use points::{Frame, Points};

/// The time for which a frame waits for earlier frames and for the reason of a router.
const HELD: Duration = Duration::from_millis(100);
/// The longest time to wait for frames. After this time, the capture checks whether it must end.
const LOOKING: Duration = Duration::from_millis(100);
/// The time between two checks that the lab is still up.
const LOOKING_FOR_LAB: Duration = Duration::from_secs(1);
/// The longest time to wait for the routers at the start.
const STARTING: Duration = Duration::from_secs(1);
/// The maximum number of octets of all waiting frames together. If the waiting frames have more
/// octets, the oldest frames are written at once.
const MOST_WAITING: usize = 64 << 20;
/// The age at which a reason is removed. A packet is captured soon after the router has reported
/// the reason, so an old reason is not needed any more.
const REASON_AGE: Duration = Duration::from_secs(30);
/// The maximum number of messages from routers that wait to be read. If there are more, the routers
/// leave out items.
const WAITING_NEWS: usize = 4096;

/// The packets that are captured, and the form of the output.
#[derive(Clone, Debug)]
pub struct Options {
    /// Packets that do not pass this filter are not captured.
    pub filter: Option<Filter>,
    /// The number of packets after which the capture ends.
    pub count: Option<u64>,
    /// The time after which the capture ends.
    pub time: Option<Duration>,
    /// The form of the output.
    pub form: Form,
}

/// The result of a capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The number of packets that were written.
    pub packets: u64,
    /// The number of packets that were lost, because this machine or the reader of the output was
    /// too slow.
    pub lost: u64,
    /// The number of items that the routers left out because this machine or the reader was too
    /// slow. Some of these items may have been reasons.
    pub left_out: u64,
    /// Whether the capture has ended because the lab is down.
    pub is_lab_down: bool,
}

/// A capture that has begun: its packet sockets are open.
pub struct Capture {
    lab: Lab,
    interfaces: Vec<Interface>,
    points: Points,
    interrupted: Interrupt,
    clock: Clock,
    waiting: Waiting,
    routers: Routers,
    /// The time of the last check that the lab is up.
    looked_at: Time,
}

impl Capture {
    /// Begins a capture. From now on, no packet is missed, and the signals INT and TERM end the
    /// capture.
    ///
    /// # Errors
    /// The lab is not up, or it belongs to another user.
    pub fn begin(lab: Lab, interfaces: Vec<Interface>) -> Result<Self, Failure> {
        running::expect_up(&lab)?;
        paths::expect_own_sockets(&lab.name)?;
        let interrupted = Interrupt::watch()?;
        let points = Points::open(&lab, &interfaces)?;
        let clock = Clock::start();
        let mut routers = Routers::watch(&lab);
        routers.wait_for_all(clock);
        let (waiting, looked_at) = (Waiting::default(), clock.now());
        Ok(Capture { lab, interfaces, points, interrupted, clock, waiting, routers, looked_at })
    }

    /// Returns the interfaces whose devices do not exist now. The packets of such an interface are
    /// captured as soon as its device exists.
    pub fn missing(&self) -> impl Iterator<Item = &Interface> {
        self.points.missing().map(|at| &self.interfaces[at])
    }

    /// Captures until a signal arrives, the reader of `out` closes it, the lab is down, or a limit
    /// of `options` is reached.
    ///
    /// # Errors
    /// An error of a packet socket or of `out`.
    pub fn run(mut self, options: Options, out: impl Write + AsFd) -> Result<Report, Failure> {
        let Options { filter, count, time, form } = options;
        let until = time.map(|time| self.clock.now() + time);
        let reader = out.as_fd().try_clone_to_owned().map_err(Failure::io("the output"))?;
        let mut output = Output::new(out, form, &self.lab.name, &self.interfaces, (filter, count));
        let mut is_lab_down = false;
        let ended = loop {
            if let Err(error) = output.flush() {
                break Err(error);
            }
            is_lab_down = is_lab_down || self.is_lab_down();
            let now = self.clock.now();
            let is_over = until.is_some_and(|until| now >= until) || self.interrupted.has_come();
            if output.is_full() || is_over || is_lab_down {
                break Ok(());
            }
            let left = until.map_or(LOOKING, |until| now.until(until).min(LOOKING));
            let wait = if self.waiting.is_empty() { left } else { left.min(HELD / 4) };
            let ready = self.points.wait(Some(reader.as_fd()), wait).map_err(Failure::new)?;
            if ready.is_output_closed {
                break Err(io::ErrorKind::BrokenPipe.into());
            }
            let mut frames = Vec::new();
            self.points.read(&ready, &mut frames)?;
            self.waiting.add(frames);
            self.routers.read();
            let due = wall_clock().saturating_sub(HELD);
            self.waiting.take_until(due, |frame| output.add(&frame, &self.routers.reasons));
        };
        match ended.and_then(|()| self.finish(&mut output)) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            ended => ended.map_err(Failure::io("writing the capture"))?,
        }
        let lost = self.points.counts().map(|(_, lost)| lost).sum();
        let left_out = self.routers.left_out;
        Ok(Report { packets: output.packets, lost, left_out, is_lab_down })
    }

    /// Writes the frames that still wait. For each interface, writes the number of received frames
    /// and the number of lost frames.
    fn finish<W: Write>(&mut self, output: &mut Output<W>) -> io::Result<()> {
        let mut frames = Vec::new();
        // An error means that a device was just removed. Such a device has no more frames.
        let _ = self.points.read_all(wall_clock(), &mut frames);
        self.waiting.add(frames);
        if !output.is_full() && !self.waiting.is_empty() {
            // During this time, the routers may still report their reasons for the last frames.
            thread::sleep(HELD);
            self.routers.read();
            let reasons = &self.routers.reasons;
            self.waiting.take_until(Duration::MAX, |frame| output.add(&frame, reasons));
        }
        let at = wall_clock();
        for (interface, (received, lost)) in (0..).zip(self.points.counts()) {
            output.add_statistics(interface, at, received, lost);
        }
        output.flush()
    }

    /// Returns whether the lab is down. Checks this at most once in the time [`LOOKING_FOR_LAB`].
    /// Without a check, returns false.
    fn is_lab_down(&mut self) -> bool {
        let now = self.clock.now();
        if now.since(self.looked_at) < LOOKING_FOR_LAB {
            return false;
        }
        self.looked_at = now;
        running::expect_up(&self.lab).is_err()
    }
}

fn wall_clock() -> Duration {
    Duration::from_micros(Clock::wall_clock_micros())
}

/// The frames that wait. The key is the time of the frame, and a number that increases with each
/// frame that is read.
#[derive(Debug, Default)]
struct Waiting {
    frames: BTreeMap<(Duration, u64), Frame>,
    read: u64,
    octets: usize,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    fn add(&mut self, frames: Vec<Frame>) {
        for frame in frames {
            self.read += 1;
            self.octets += frame.octets.len();
            self.frames.insert((frame.at, self.read), frame);
        }
    }

    /// Removes the frames up to the time `due`, and calls `take` with each removed frame. If all
    /// waiting frames together have more than [`MOST_WAITING`] octets, the oldest frames are also
    /// removed.
    fn take_until(&mut self, due: Duration, mut take: impl FnMut(Packet<'_>)) {
        while let Some(first) = self.frames.first_entry() {
            if first.key().0 > due && self.octets <= MOST_WAITING {
                return;
            }
            let Frame { interface, at, direction, octets } = first.remove();
            self.octets -= octets.len();
            take(Packet { interface, at, direction, frame: &octets });
        }
    }
}

/// The routers of the lab, and their reasons.
struct Routers {
    news: Receiver<News>,
    reasons: Reasons,
    /// The name of each router, and the time at which the clock of the router started, in
    /// microseconds since 1970. The time is absent until the router has sent this time.
    routers: Vec<(String, Option<u64>)>,
    left_out: u64,
}

impl Routers {
    /// Begins to watch the routers of a lab.
    fn watch(lab: &Lab) -> Self {
        let (sender, news) = mpsc::sync_channel(WAITING_NEWS);
        let watchers = Watchers::default();
        watchers.set(1);
        let mut routers = Vec::new();
        for (source, (node, _)) in lab.file.routers().enumerate() {
            routers.push((node.to_owned(), None));
            let (socket, watchers, news) =
                (paths::socket(lab, node), watchers.clone(), sender.clone());
            // The thread ends when the receiver of `news` is dropped.
            thread::spawn(move || router::watch(source, &socket, &watchers, &news));
        }
        Routers { news, reasons: Reasons::default(), routers, left_out: 0 }
    }

    /// Waits until each router sends its items or does not run, but not longer than the time
    /// [`STARTING`].
    fn wait_for_all(&mut self, clock: Clock) {
        let mut answered = BTreeSet::new();
        while answered.len() < self.routers.len() && clock.now() < Time::ZERO + STARTING {
            let Ok(news) = self.news.recv_timeout(LOOKING) else { continue };
            if let News::Told { source, told: Told::Began(_) }
            | News::Runs { source, runs: false } = &news
            {
                answered.insert(*source);
            }
            self.take(news);
        }
    }

    /// Reads the waiting messages from routers. Removes old reasons.
    fn read(&mut self) {
        while let Ok(news) = self.news.try_recv() {
            self.take(news);
        }
        let old = wall_clock().saturating_sub(REASON_AGE);
        self.reasons.forget_before(u64::try_from(old.as_micros()).unwrap_or(0));
    }

    fn take(&mut self, news: News) {
        let News::Told { source, told } = news else { return };
        let Some((node, began)) = self.routers.get_mut(source) else { return };
        match told {
            Told::Began(at) => *began = Some(at),
            Told::Item(item) => {
                let at = began.unwrap_or(0).saturating_add(item.at);
                self.reasons.note(node, at, &item.kind);
            }
            Told::LeftOut(count) => self.left_out += count,
            Told::State(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::pcapng::Direction;

    fn frame(interface: u32, millis: u64, len: usize) -> Frame {
        let at = Duration::from_millis(millis);
        Frame { interface, at, direction: Direction::In, octets: vec![0; len] }
    }

    #[test]
    fn the_frames_of_all_interfaces_are_taken_in_the_order_of_time() {
        let mut waiting = Waiting::default();
        waiting.add(vec![frame(0, 30, 1), frame(0, 50, 1)]);
        waiting.add(vec![frame(1, 20, 1), frame(1, 30, 1)]);
        let mut taken = Vec::new();
        waiting.take_until(Duration::from_millis(40), |it| {
            taken.push((it.at.as_millis(), it.interface))
        });
        assert_eq!(taken, [(20, 1), (30, 0), (30, 1)]);
        assert_eq!((waiting.frames.len(), waiting.octets), (1, 1));
    }

    #[test]
    fn the_memory_of_waiting_frames_has_a_bound() {
        let mut waiting = Waiting::default();
        waiting.add((0..9).map(|at| frame(0, at, MOST_WAITING / 4)).collect());
        let mut taken = 0;
        waiting.take_until(Duration::ZERO, |_| taken += 1);
        assert_eq!((taken, waiting.frames.len()), (5, 4));
    }
}
