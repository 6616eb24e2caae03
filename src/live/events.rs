//! `lab events`: the events of a lab that is up, as lines.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Deserialize;

use super::collector::Collector;
use super::news::News;
use crate::driver::clock::Clock;
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::netns::interrupt::Interrupt;
use crate::watch::Item;
use crate::watch::event::{Began, Ended, Event, LabEvent, LeftOut};

/// The maximum number of lines of the hub that wait for the output. If there are more, events are
/// left out.
const WAITING_LINES: usize = 1024;
/// The longest time between two checks whether the user has asked to stop, and whether the reader
/// has closed the output.
const LOOKING: Duration = Duration::from_millis(100);

/// The form of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Text for a person.
    Text,
    /// One JSON object on each line: a [`LabEvent`].
    Json,
}

/// A writer of events. It has the form of the lines, and selects the events that are written.
pub struct Writer<W> {
    out: W,
    form: Form,
    /// Whether the packets on the links are written.
    packets: bool,
}

impl<W: Write> Writer<W> {
    /// Makes a writer to `out`. The packets on the links are written only if `packets` is true.
    pub fn new(out: W, form: Form, packets: bool) -> Self {
        Writer { out, form, packets }
    }

    /// Writes an event.
    ///
    /// # Errors
    /// An error of the output.
    pub fn write(&mut self, event: &LabEvent) -> io::Result<()> {
        if matches!(event.event, Event::Hop(_)) && !self.packets {
            return Ok(());
        }
        match self.form {
            Form::Text => writeln!(self.out, "{event}"),
            Form::Json => {
                serde_json::to_writer(&mut self.out, event)?;
                writeln!(self.out)
            }
        }
    }
}

/// The parts of a line of the hub that are needed for events.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Line {
    now: u64,
    items: Vec<Item>,
    left_out: u64,
    gone: Option<String>,
}

/// The events of a lab that is up.
pub struct Events {
    lab: String,
    clock: Clock,
    lines: Receiver<Arc<str>>,
    hub: JoinHandle<()>,
    interrupted: Interrupt,
}

impl Events {
    /// Begins to collect the events of a lab.
    ///
    /// # Errors
    /// The lab is not up, its sockets belong to another user, or this process has no privilege for
    /// its namespaces.
    pub fn begin(lab: Lab) -> Result<Self, Failure> {
        let name = lab.name.clone();
        let collector = Collector::open(lab)?;
        let (clock, news) = (collector.clock(), collector.news());
        // From here on, the signals INT and TERM do not end this process. They only end the output
        // of events.
        let interrupted = Interrupt::watch()?;
        let (sender, lines) = mpsc::sync_channel(WAITING_LINES);
        let hub = collector.start();
        news.send(News::Subscribe(sender)).map_err(Failure::new)?;
        Ok(Events { lab: name, clock, lines, hub, interrupted })
    }

    /// Writes the events until a signal arrives, the reader closes the output, or the lab is down.
    ///
    /// # Errors
    /// An error of the output.
    pub fn run<W: Write + AsFd>(self, mut writer: Writer<W>) -> Result<(), Failure> {
        match self.write_all(&mut writer) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(Failure::io("writing the events")),
        }
    }

    fn write_all<W: Write + AsFd>(&self, writer: &mut Writer<W>) -> io::Result<()> {
        let now = self.clock.now().0;
        let wall_clock = Clock::wall_clock_micros().wrapping_sub(now);
        let began = Began { lab: self.lab.clone(), wall_clock };
        writer.write(&LabEvent::own(0, Event::Began(began)))?;
        while !self.interrupted.has_come() {
            match self.lines.recv_timeout(LOOKING) {
                Ok(line) => {
                    let line: Line = serde_json::from_str(&line)?;
                    if line.left_out > 0 {
                        let left_out = LeftOut { count: line.left_out };
                        writer.write(&LabEvent::own(line.now, Event::LeftOut(left_out)))?;
                    }
                    for item in line.items {
                        writer.write(&LabEvent::from(item))?;
                    }
                    if let Some(reason) = line.gone {
                        return writer
                            .write(&LabEvent::own(line.now, Event::Ended(Ended { reason })));
                    }
                    writer.out.flush()?;
                }
                Err(RecvTimeoutError::Timeout) if self.hub.is_finished() => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if is_closed(&writer.out) {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
        Ok(())
    }
}

/// Whether the reader has closed an output. `poll` reports this even if no event is requested.
fn is_closed(out: &impl AsFd) -> bool {
    let mut fds = [PollFd::new(out, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut fds, Some(&at_once)).is_ok_and(|ready| ready > 0)
}
