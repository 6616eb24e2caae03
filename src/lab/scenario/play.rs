//! The player. It runs the steps of a scenario on a stage, and writes a transcript that looks like
//! a session on IOS.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use super::expect::Packet;
use super::stage::Stage;
use super::stream::{Arrived, Heard};
use super::{Action, Bound, Captured, Ends, Ping, Scenario, Step};
use crate::addr::Family;
use crate::console::client::Answer;
use crate::lab::explain::explain;
use crate::lab::explain::journey::Question;
use crate::lab::failure::Failure;
use crate::lab::flow::FlowReport;
use crate::lab::ping::{Echos, address};
use crate::lab::verbs::link;
use crate::lab::verbs::ping::show;
use crate::wire::FrameReader;

/// The statement at which a scenario stopped early, and the reason. The text of this value has the
/// statement, the expected result and the actual result.
#[derive(Debug)]
pub struct Stopped {
    /// The file and the line of the statement.
    pub place: String,
    /// The text of the statement.
    pub statement: String,
    /// The reason.
    pub why: Why,
}

/// The reason why a scenario stopped.
#[derive(Debug)]
pub enum Why {
    /// The actual result differs from the expected result.
    Unmet {
        /// The expected result.
        expected: String,
        /// The actual result.
        seen: String,
    },
    /// The statement could not be executed.
    Failed(Failure),
}

impl From<Failure> for Why {
    fn from(failure: Failure) -> Self {
        Why::Failed(failure)
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.place, self.statement)?;
        match &self.why {
            Why::Unmet { expected, seen } => {
                write!(f, "expected: {expected}\nseen:\n{}", seen.trim_end())
            }
            Why::Failed(failure) => write!(f, "{failure}"),
        }
    }
}

impl std::error::Error for Stopped {}

/// Plays `scenario` until its end, or until a step has an unexpected result.
pub fn play(
    scenario: &Scenario,
    stage: &mut dyn Stage,
    out: &mut dyn Write,
) -> Result<(), Stopped> {
    play_with(scenario, false, stage, out)
}

/// Plays `scenario` as [`play`] does. If `explains` is true, the transcript has the paths of each
/// ping: the path of the packet and the path of the answer.
pub fn play_with(
    scenario: &Scenario,
    explains: bool,
    stage: &mut dyn Stage,
    out: &mut dyn Write,
) -> Result<(), Stopped> {
    let mut player = Player::new(stage, out);
    player.explains = explains;
    player.steps(&scenario.steps)?;
    player.captures_are_clean().map_err(|why| why.at(scenario, "the end"))
}

/// A statement that was played.
pub struct Played<'s> {
    /// The statement.
    pub step: &'s Step,
    /// The time at which the statement began, as
    /// [`RunningLab::now`](crate::lab::running::RunningLab::now) counts it.
    pub began: Duration,
    /// The time at which the statement ended.
    pub ended: Duration,
    /// The part of the transcript about this statement.
    pub transcript: String,
    /// The report of the flow, if the statement ended a flow.
    pub flow: Option<FlowReport>,
}

/// Plays `scenario` as [`play`] does, and calls `told` after each statement. The result of the last
/// played statement may be unexpected.
pub fn play_each(
    scenario: &Scenario,
    stage: &mut dyn Stage,
    told: &mut dyn FnMut(Played<'_>),
) -> Result<(), Stopped> {
    let transcript = Transcript::default();
    let mut out = transcript.clone();
    let mut player = Player::new(stage, &mut out);
    for step in &scenario.steps {
        let began = player.stage.now();
        let result = player.steps(std::slice::from_ref(step));
        let ended = player.stage.now();
        let flow = player.flow.take();
        told(Played { step, began, ended, transcript: transcript.take(), flow });
        result?;
    }
    player.captures_are_clean().map_err(|why| why.at(scenario, "the end"))
}

/// A transcript that is read while the player writes it.
#[derive(Clone, Default)]
struct Transcript(Rc<RefCell<Vec<u8>>>);

impl Transcript {
    /// Returns the text since the last call.
    fn take(&self) -> String {
        String::from_utf8_lossy(&self.0.take()).into_owned()
    }
}

impl Write for Transcript {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Why {
    /// Makes an error for a point of the run that is not a line in the scenario.
    pub(super) fn at(self, scenario: &Scenario, point: &str) -> Stopped {
        Stopped { place: scenario.path.clone(), statement: point.to_owned(), why: self }
    }
}

/// The state of a scenario that is running, with its results so far.
pub(crate) struct Player<'a> {
    pub stage: &'a mut dyn Stage,
    out: &'a mut dyn Write,
    /// Whether each ping is explained. A ping with an unexpected result is always explained.
    pub explains: bool,
    streams: BTreeMap<String, FrameReader>,
    /// The number of packets in each capture that are malformed on purpose. A capture without such
    /// packets is not in the map.
    flawed: BTreeMap<String, usize>,
    /// Whether captures continue after a `packets` statement.
    keeps_captures: bool,
    /// The report of the last flow that ended.
    flow: Option<FlowReport>,
    /// The longest time limit that a statement can have.
    patience: Duration,
}

impl<'a> Player<'a> {
    pub fn new(stage: &'a mut dyn Stage, out: &'a mut dyn Write) -> Self {
        Player {
            stage,
            out,
            explains: false,
            streams: BTreeMap::new(),
            flawed: BTreeMap::new(),
            keeps_captures: false,
            flow: None,
            patience: Duration::MAX,
        }
    }

    /// Creates a player that only reads the lab: captures continue after a `packets` statement. The
    /// time limit of a statement is never longer than `patience`.
    pub fn looking(stage: &'a mut dyn Stage, out: &'a mut dyn Write, patience: Duration) -> Self {
        Player { keeps_captures: true, patience, ..Player::new(stage, out) }
    }

    /// Plays these steps, until the last one or until a step has an unexpected result.
    pub fn steps(&mut self, steps: &[Step]) -> Result<(), Stopped> {
        for step in steps {
            self.step(step).map_err(|why| Stopped {
                place: format!("{}:{}", step.path, step.line),
                statement: step.text.clone(),
                why,
            })?;
        }
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<(), Why> {
        match &step.action {
            Action::At { node, commands } => {
                for command in commands {
                    let reply = self.stage.console(node, command)?;
                    self.session(node, command, &reply);
                    if !reply.done.ok {
                        return Err(unmet("a command without an error", reply.text));
                    }
                }
                return Ok(());
            }
            Action::Show { node, command, expected, within } => {
                return self.show(node, command, expected, *within);
            }
            Action::Ping { ping, expected, within } => {
                return self.ping(ping, expected, *within);
            }
            _ => self.say(&format!("-- {}", step.text)),
        }
        match &step.action {
            Action::At { .. } | Action::Show { .. } | Action::Ping { .. } => {}
            Action::Flow { name, ends, every } => {
                let target = self.target(ends)?;
                self.stage.flow(name, &ends.from, target, *every)?;
            }
            Action::End { name, lost } => return self.end(name, *lost),
            Action::Capture { name, port, flawed } => {
                self.flawed.insert(name.clone(), *flawed);
                self.stage.capture(name, port)?;
            }
            Action::Packets { capture, filter, expected } => {
                return self.packets(capture, filter, expected);
            }
            Action::Replay { what, node } => self.stage.replay(what, node)?,
            Action::Send { node, datagrams } => self.stage.send(node, datagrams)?,
            Action::Connect { name, node, source, destination } => {
                self.streams.insert(name.clone(), FrameReader::new());
                self.stage.connect(name, node, *source, *destination)?;
            }
            Action::Transmit { name, octets } => self.stage.transmit(name, octets)?,
            Action::Receive { name, expected, within } => {
                return self.receive(name, expected, *within);
            }
            Action::Middle => {}
            Action::Move { host, to, how } => self.stage.move_host(host, to, *how)?,
            Action::Address { host, address } => self.stage.address(host, *address)?,
            Action::Stop { node } => self.stage.stop(node, false, &mut |_| ())?,
            Action::Kill { node } => self.stage.stop(node, true, &mut |_| ())?,
            Action::Start { node } => self.stage.start(node, &mut |_| ())?,
            Action::Link { port, change } => self.stage.link(port, *change)?,
            Action::Flap { port, flap } => link::flap(self.stage, port, *flap)?,
            Action::Impair { target, impairment } => self.stage.impair(*target, impairment)?,
            Action::Wait(time) => self.stage.pass(*time)?,
        }
        Ok(())
    }

    fn target(&self, Ends { to, ipv6, .. }: &Ends) -> Result<IpAddr, Failure> {
        let family = if *ipv6 { Family::Ipv6 } else { Family::Ipv4 };
        address(self.stage.lab(), to, Some(family))
    }

    /// Writes a line of the transcript. If the line cannot be written, the scenario continues.
    pub fn say(&mut self, text: &str) {
        let _ = writeln!(self.out, "{}", text.trim_end());
        let _ = self.out.flush();
    }

    /// Writes a command and its answer, in the form of a terminal session.
    fn session(&mut self, node: &str, command: &str, reply: &Answer) {
        let prompt = match reply.asked_at.as_str() {
            "" => format!("{node}#"),
            prompt => prompt.to_owned(),
        };
        self.say(&format!("{prompt}{command}\n{}", reply.text));
    }

    fn show(
        &mut self,
        node: &str,
        command: &str,
        expected: &[super::Printed],
        within: Duration,
    ) -> Result<(), Why> {
        let deadline = self.stage.now() + within.min(self.patience);
        loop {
            let reply = self.stage.ask_once(node, command)?;
            let unseen = expected.iter().find(|expected| !expected.holds(&reply.text));
            if unseen.is_some() && self.stage.now() < deadline {
                self.stage.pass(PAUSE)?;
                continue;
            }
            self.session(node, command, &reply);
            return match unseen {
                Some(unseen) => Err(unmet(unseen, reply.text)),
                None if !reply.done.ok => Err(unmet("a command without an error", reply.text)),
                None => Ok(()),
            };
        }
    }

    pub fn ping(
        &mut self,
        ping: &Ping,
        expected: &[super::Answers],
        within: Option<Duration>,
    ) -> Result<(), Why> {
        let deadline = self.stage.now() + within.unwrap_or_default().min(self.patience);
        let Ends { from, to, ipv6 } = &ping.ends;
        self.say(&format!("{from}>ping {}{to}", if *ipv6 { "ipv6 " } else { "" }));
        let target = self.target(&ping.ends)?;
        let echos = Echos { count: ping.count, size: ping.size, df: ping.df };
        loop {
            let mut block = Vec::new();
            let out: &mut dyn Write = if within.is_some() { &mut block } else { &mut *self.out };
            let tally = show(self.stage, from, target, echos, out)?;
            let unseen = expected.iter().find(|expected| !expected.holds(&tally));
            if unseen.is_some() && self.stage.now() < deadline {
                self.stage.pass(PAUSE)?;
                continue;
            }
            if !block.is_empty() {
                self.say(&String::from_utf8_lossy(&block));
            }
            // A player that only reads the lab repeats its ping. It does not explain each attempt.
            if self.explains || unseen.is_some() && !self.keeps_captures {
                self.explain(ping, target);
            }
            return match unseen {
                Some(expected) => Err(unmet(expected, format!("{}\n{tally}", tally.marks))),
                None => Ok(()),
            };
        }
    }

    /// Writes the paths of a ping into the transcript: the path of the packet and the path of its
    /// answer.
    fn explain(&mut self, ping: &Ping, to: IpAddr) {
        let from = ping.ends.from.clone();
        let question = Question { from, to, size: ping.size, df: ping.df };
        let text = match explain(self.stage, &question) {
            Ok(journey) => journey.to_string(),
            Err(failure) => format!("no explanation: {failure}"),
        };
        for line in text.lines() {
            self.say(&format!("   {line}"));
        }
    }

    fn end(&mut self, name: &str, lost: Option<Bound>) -> Result<(), Why> {
        let course = self.stage.end(name)?;
        self.say(&format!("   {course}"));
        self.flow = Some(course);
        match lost.filter(|lost| !lost.holds(course.lost())) {
            Some(lost) => Err(unmet(format!("{lost} lost"), course.to_string())),
            None => Ok(()),
        }
    }

    /// Waits for the next message on a connection, or for the end of the connection.
    fn receive(&mut self, name: &str, expected: &Heard, within: Duration) -> Result<(), Why> {
        let deadline = self.stage.now() + within;
        loop {
            let Arrived { octets, end } = self.stage.arrived(name)?;
            let reader = self.streams.entry(name.to_owned()).or_default();
            reader.push(&octets);
            if let Some(frame) = reader.next() {
                let frame = frame.map_err(|error| unmet(expected, error.to_string()))?;
                self.say(&format!("   {frame}"));
                return match expected.is_message(&frame) {
                    true => Ok(()),
                    false => Err(unmet(expected, frame.to_string())),
                };
            }
            match end {
                Some(end) if expected.is_end(end) => {
                    self.say(&format!("   {end}"));
                    return Ok(());
                }
                Some(end) => return Err(unmet(expected, end.to_string())),
                None if self.stage.now() >= deadline => return Err(unmet(expected, "nothing")),
                None => self.stage.pass(PAUSE)?,
            }
        }
    }

    fn packets(&mut self, capture: &str, filter: &str, expected: &Captured) -> Result<(), Why> {
        let (field, other) = match expected {
            Captured::Reads { field, .. } => (field.as_str(), None),
            Captured::After { filter, .. } => ("frame.number", Some(filter)),
            _ => ("frame.number", None),
        };
        if !self.keeps_captures {
            self.stage.end_capture(capture)?;
        }
        let deadline = self.stage.now() + ON_ITS_WAY.min(self.patience);
        let (packets, others) = loop {
            let packets = self.stage.packets(capture, filter, field)?;
            let others = match other {
                Some(filter) => self.stage.packets(capture, filter, field)?,
                None => Vec::new(),
            };
            let may_change = self.keeps_captures && self.stage.now() < deadline;
            if expected.holds(&packets, &others) || !may_change {
                break (packets, others);
            }
            self.stage.pass(PAUSE)?;
        };
        if expected.holds(&packets, &others) {
            others.iter().chain(&packets).for_each(|packet| self.say(&line(packet)));
            if let Some(later) = expected.later(&packets, &others) {
                self.say(&format!("   {:.2} ms later", later.as_secs_f64() * 1000.0));
            }
            return Ok(());
        }
        let mut seen: Vec<String> = others.iter().chain(&packets).map(line).collect();
        if seen.is_empty() {
            seen.push("no such packet".to_owned());
        }
        Err(unmet(expected, seen.join("\n")))
    }

    pub fn captures_are_clean(&mut self) -> Result<(), Why> {
        for (name, flaws) in self.stage.flaws()? {
            let flawed = self.flawed.get(&name).copied().unwrap_or_default();
            if flaws.len() != flawed {
                let expected = format!("{flawed} malformed packets in the capture {name}");
                return Err(unmet(expected, flaws.join("\n")));
            }
        }
        Ok(())
    }
}

/// The time between two attempts to find an expected state.
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// The maximum time that a player waits for a packet of a capture that continues.
const ON_ITS_WAY: Duration = Duration::from_millis(200);

pub(super) fn unmet(expected: impl fmt::Display, seen: impl Into<String>) -> Why {
    Why::Unmet { expected: expected.to_string(), seen: seen.into() }
}

/// Returns the line about a packet in a transcript.
pub(crate) fn line(packet: &Packet) -> String {
    format!("   {:9.4} {}", packet.at.as_secs_f64(), packet.summary)
}
