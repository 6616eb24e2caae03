//! Plays a record: makes the recorded calls on a new router, and compares the outputs of this
//! router with the recorded outputs.

use std::fmt::{self, Display, Formatter};
use std::io::Read;
use std::str::FromStr;

use super::show::Shown;
use super::step::{Call, Change, Outcome, Step, Verdict, changes};
use super::{ReadError, Reader};
use crate::console::parse_config;
use crate::packet::Packet;
use crate::router::config::Config;
use crate::router::io::{Input, Output};
use crate::router::{Router, Start};
use crate::time::Time;

/// A record that is played on a router.
#[derive(Debug)]
pub struct Replay<R> {
    reader: Reader<R>,
    router: Router,
    eidway: String,
    started_at: Time,
    /// The number and the time of the latest step.
    step: u64,
    at: Time,
}

/// The point at which a replay stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// The replay stops after the step with this number, for example `120`.
    Step(u64),
    /// The replay stops before the first step after this time, for example `12.5s` or `12.5`.
    Time(Time),
    /// The replay stops at the end of the record.
    End,
}

impl Until {
    /// Whether this point is before the step that has the number `step` and the time `at`.
    pub fn is_before(self, step: u64, at: Time) -> bool {
        match self {
            Until::Step(last) => step > last,
            Until::Time(last) => at > last,
            Until::End => false,
        }
    }
}

impl FromStr for Until {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(step) = text.parse() {
            return Ok(Until::Step(step));
        }
        let seconds: Option<f64> = text.strip_suffix('s').unwrap_or(text).parse().ok();
        match seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0) {
            Some(seconds) => Ok(Until::Time(Time((seconds * 1e6).round() as u64))),
            None => Err("write the number of a step (120) or a time in seconds (12.5s)"),
        }
    }
}

/// The result of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The outputs are as recorded.
    Same,
    /// The outputs differ from the record. Later steps would differ too.
    Differs(Box<Difference>),
    /// No step was made: the record has ended, or the point to stop is reached.
    Stopped,
}

/// The point at which a replay differs from its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The number of the step.
    pub step: u64,
    /// The time of the step.
    pub at: Time,
    /// The call of the step as one line of text.
    pub call: String,
    /// The name of the part that differs.
    pub what: String,
    /// The value in the record.
    pub expected: String,
    /// The value in the replay.
    pub seen: String,
}

impl Display for Difference {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Difference { step, at, call, what, expected, seen } = self;
        writeln!(f, "step {step} at {at} differs: {call}")?;
        write!(f, "  {what}\n  expected: {expected}\n  seen:     {seen}")
    }
}

impl<R: Read> Replay<R> {
    /// Reads the start of a record and starts a router for it. The first call of
    /// [`Replay::advance`] compares the outputs of the start with the record.
    ///
    /// # Errors
    /// The source is not a record, or the record does not begin with the start of a router.
    pub fn open(from: R) -> Result<Self, ReadError> {
        let mut reader = Reader::open(from)?;
        let nothing = || ReadError::Cut { step: 0, octets: 0 };
        let (Step { at, call }, _) = reader.peek()?.ok_or_else(nothing)?;
        let Call::Start { eidway, seed, wall_clock, config } = call else {
            let what = "the step does not start a router".to_owned();
            return Err(ReadError::Damaged { step: 0, what });
        };
        let config = read_config(0, config)?;
        let eidway = eidway.to_owned();
        let router = Router::new(Start { config, seed, wall_clock, now: at });
        Ok(Replay { reader, router, eidway, started_at: at, step: 0, at })
    }

    /// Returns the router in its state after the latest step.
    pub fn router(&self) -> &Router {
        &self.router
    }

    /// Returns the router for a console session. The caller must prevent the session from changing
    /// the router.
    pub(super) fn router_mut(&mut self) -> &mut Router {
        &mut self.router
    }

    /// Returns the version of the Eidway that wrote the record.
    pub fn eidway(&self) -> &str {
        &self.eidway
    }

    /// Returns the recorded time of the router's start.
    pub fn started_at(&self) -> Time {
        self.started_at
    }

    /// Returns the number of the latest step.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Returns the time of the latest step.
    pub fn at(&self) -> Time {
        self.at
    }

    /// Makes the next step, unless it is after `until`. Calls `see` with the recorded step.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn advance(
        &mut self,
        until: Until,
        see: &mut dyn FnMut(u64, &Step<'_>, &Outcome),
    ) -> Result<Progress, ReadError> {
        let number = self.reader.number();
        let Some(at) = self.reader.next_at()? else {
            return Ok(Progress::Stopped);
        };
        if until.is_before(number, at) {
            return Ok(Progress::Stopped);
        }
        let Some((step, expected)) = self.reader.next_step()? else {
            return Ok(Progress::Stopped);
        };
        see(number, &step, &expected);
        (self.step, self.at) = (number, step.at);
        let mut seen = make(&mut self.router, number, &step)?;
        seen.outputs = take_outputs(&mut self.router, &expected);
        Ok(match difference(&expected, &seen) {
            None => Progress::Same,
            Some((what, expected, seen)) => {
                let (step, at, call) = (number, step.at, step.call.to_string());
                Progress::Differs(Box::new(Difference { step, at, call, what, expected, seen }))
            }
        })
    }

    /// Makes steps until the outputs of a step are not as recorded, or until the replay stops.
    /// Returns the progress of the last step, which is never [`Progress::Same`].
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn run(&mut self, until: Until) -> Result<Progress, ReadError> {
        loop {
            match self.advance(until, &mut |_, _, _| ())? {
                Progress::Same => {}
                other => return Ok(other),
            }
        }
    }
}

/// Polls the router as many times as the recorded router was polled after the same call. If the
/// last recorded poll returned `None`, this poll counts too.
fn take_outputs(router: &mut Router, expected: &Outcome) -> Vec<Output> {
    let polls = expected.outputs.len() + usize::from(expected.drained);
    std::iter::from_fn(|| router.poll_output()).take(polls).collect()
}

fn read_config(step: u64, text: &str) -> Result<Config, ReadError> {
    let config = parse_config("running-config", text);
    config.map_err(|error| ReadError::Config { step, what: error.to_string() })
}

/// Makes the call of a step on the router.
fn make(router: &mut Router, number: u64, step: &Step<'_>) -> Result<Outcome, ReadError> {
    let now = step.at;
    let mut outcome = Outcome::default();
    let input = match &step.call {
        // The caller has already made the router from this call.
        Call::Start { .. } if number == 0 => return Ok(outcome),
        Call::Start { .. } => {
            let what = "the step starts a router that already runs".to_owned();
            return Err(ReadError::Damaged { step: number, what });
        }
        Call::Timeout => {
            router.handle_timeout(now);
            return Ok(outcome);
        }
        &Call::Encapsulate { instance_id, packet: before, segment_size } => {
            let mut after = before.to_vec();
            let mut packet = Packet { bytes: &mut after, segment_size };
            let verdict = router.encapsulate(instance_id, &mut packet, now);
            outcome.verdict = Verdict::Outbound(verdict);
            outcome.changes = changes(before, &after);
            return Ok(outcome);
        }
        &Call::Decapsulate { ref outer, datagram: before, segment_size } => {
            let mut after = before.to_vec();
            let mut packet = Packet { bytes: &mut after, segment_size };
            let verdict = router.decapsulate(outer, &mut packet, now);
            outcome.verdict = Verdict::Inbound(verdict);
            outcome.changes = changes(before, &after);
            return Ok(outcome);
        }
        Call::Control(datagram) => Input::Control(*datagram),
        Call::Kernel(event) => Input::Kernel(event.clone()),
        Call::Process(event) => Input::Process(event.clone()),
        Call::Tcp(event) => Input::Tcp(*event),
        Call::Path(event) => Input::Path(event.clone()),
        Call::Configure(text) => Input::Configure(Box::new(read_config(number, text)?)),
        Call::Command(command) => Input::Command(command.clone()),
        Call::Descriptors(figures) => Input::Descriptors(*figures),
        Call::Nonces(kept) => Input::Nonces(kept.clone()),
        Call::Stop => Input::Stop,
    };
    router.handle(input, now);
    Ok(outcome)
}

/// Returns the first part that differs: its name, its recorded value and its value in the replay.
/// Returns `None` if no part differs.
fn difference(expected: &Outcome, seen: &Outcome) -> Option<(String, String, String)> {
    if expected.verdict != seen.verdict {
        let (expected, seen) = (expected.verdict.to_string(), seen.verdict.to_string());
        return Some(("the verdict".to_owned(), expected, seen));
    }
    if expected.changes != seen.changes {
        let what = "the octets that the router changed in the packet".to_owned();
        return Some((what, changed(&expected.changes), changed(&seen.changes)));
    }
    let outputs = expected.outputs.len().max(seen.outputs.len());
    let at = (0..outputs).find(|&at| expected.outputs.get(at) != seen.outputs.get(at))?;
    let (expected, seen) = (expected.outputs.get(at), seen.outputs.get(at));
    let what = format!("output {}", at + 1);
    let lines = (line(expected), line(seen));
    // If both lines are equal, the difference is in a part that a line does not show, for example a
    // signature.
    if lines.0 == lines.1 {
        return Some((what, whole(expected), whole(seen)));
    }
    Some((what, lines.0, lines.1))
}

/// Returns the changes as text, for example `octet 8 becomes 0x3f, octet 10 becomes 0x12`.
fn changed(changes: &[Change]) -> String {
    let change = |Change { at, octet }: &Change| format!("octet {at} becomes {octet:#04x}");
    match changes {
        [] => "none".to_owned(),
        changes => changes.iter().map(change).collect::<Vec<_>>().join(", "),
    }
}

/// Returns an output as text, with all its fields.
fn whole(output: Option<&Output>) -> String {
    output.map_or_else(|| "nothing".to_owned(), crate::console::show::json)
}

fn line(output: Option<&Output>) -> String {
    output.map_or_else(|| "nothing".to_owned(), |output| Shown(output).to_string())
}
