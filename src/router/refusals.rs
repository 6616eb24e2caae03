//! Control messages that are refused: each is counted, and the operator is told.
//!
//! A line says what was refused, from which address, why, and what to do. `debug lisp
//! control-plane` has one for each message. The log has one a minute for each pair of source and
//! reason, 32 a minute in all, and one more that sums up the rest when the minute ends: a sender
//! that changes its address with each message fills neither the log nor the table.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::Router;
use super::counters::ControlDrop;
use crate::time::{Deadline, Time};

/// The time in which a source and a reason have one line, and the log [`LINES`].
const MINUTE: Duration = Duration::from_secs(60);
/// Lines of one minute.
const LINES: u32 = 32;
/// Pairs of source and reason that are remembered; the one that was silent for the longest time
/// makes room.
const REMEMBERED: usize = 256;

/// The explanation of a refused message for the operator. The line names the source beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The message: `Map-Register for 192.168.0.0/24 of site SITE_2`.
    pub what: String,
    /// The cause, a clause: `its key is wrong`.
    pub why: String,
    /// What to do, a clause: `compare ..`.
    pub advice: String,
}

impl Explanation {
    pub(super) fn new(
        what: impl Into<String>,
        why: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Explanation { what: what.into(), why: why.into(), advice: advice.into() }
    }

    /// The whole line, without a full stop, as a line of a log has none.
    fn line(&self, source: IpAddr) -> String {
        let Explanation { what, why, advice } = self;
        format!("refused {what} from {source}: {why}; {advice}")
    }
}

/// The messages of one source that were refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// How many.
    pub count: u64,
    /// When the first of them came.
    pub first_at: Time,
    /// When the last of them came.
    pub last_at: Time,
    /// The explanation of the last one that had a line.
    pub explanation: Explanation,
    said_at: Option<Time>,
}

/// The messages that were refused recently.
#[derive(Debug, Default)]
pub struct Refusals {
    recent: BTreeMap<(IpAddr, ControlDrop), Refusal>,
    forgotten: u64,
    minute: Option<Minute>,
}

/// A minute with refusals.
#[derive(Debug)]
struct Minute {
    ends_at: Time,
    lines: u32,
    /// Messages without a line.
    rest: BTreeMap<ControlDrop, u64>,
}

impl Refusals {
    /// The messages that were refused recently, by source and reason.
    pub fn recent(&self) -> &BTreeMap<(IpAddr, ControlDrop), Refusal> {
        &self.recent
    }

    /// How many rows of [`Refusals::recent`] made room for others.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The end of the minute matters only if messages without a line are to be summed up.
    pub(super) fn next_deadline(&self) -> Option<Deadline> {
        let minute = self.minute.as_ref().filter(|minute| !minute.rest.is_empty())?;
        Some(Deadline { at: minute.ends_at, why: "sum of refused messages" })
    }

    /// Counts a message, or `count` parts of one. `explain` is asked when it gets a line in the log, when there is no
    /// explanation yet, and when somebody debugs. Returns the line, and whether the log gets it.
    fn add(
        &mut self,
        (source, reason, count): (IpAddr, ControlDrop, u64),
        debugging: bool,
        explain: impl FnOnce() -> Explanation,
        now: Time,
    ) -> Option<(String, bool)> {
        let minute = self.minute.get_or_insert(Minute::begins(now));
        let known = self.recent.get(&(source, reason));
        let said_at = known.and_then(|refusal| refusal.said_at);
        let is_due = said_at.is_none_or(|at| now.since(at) >= MINUTE);
        let is_said = is_due && minute.lines < LINES;
        let without_line = count - u64::from(is_said);
        minute.lines += u32::from(is_said);
        if without_line > 0 {
            *minute.rest.entry(reason).or_default() += without_line;
        }
        let explanation = (known.is_none() || is_said || debugging).then(explain);
        let line = explanation.as_ref().map(|explanation| (explanation.line(source), is_said));
        match (self.recent.get_mut(&(source, reason)), explanation) {
            (Some(refusal), explanation) => {
                refusal.count += count;
                refusal.last_at = now;
                if let Some(explanation) = explanation {
                    refusal.explanation = explanation;
                }
                refusal.said_at = if is_said { Some(now) } else { refusal.said_at };
            }
            (None, Some(explanation)) => {
                self.make_room();
                let said_at = is_said.then_some(now);
                let (first_at, last_at) = (now, now);
                let refusal = Refusal { count, first_at, last_at, explanation, said_at };
                self.recent.insert((source, reason), refusal);
            }
            (None, None) => {}
        }
        line
    }

    fn make_room(&mut self) {
        if self.recent.len() < REMEMBERED {
            return;
        }
        let oldest = self.recent.iter().min_by_key(|(_, refusal)| refusal.last_at);
        if let Some(oldest) = oldest.map(|(key, _)| *key) {
            self.recent.remove(&oldest);
            self.forgotten += 1;
        }
    }

    /// Ends the minute when it is over; returns the line about what had none.
    fn end_minute(&mut self, now: Time) -> Option<String> {
        let minute = self.minute.take_if(|minute| minute.ends_at <= now)?;
        let sum: u64 = minute.rest.values().sum();
        let of_reason = |(reason, count): (&ControlDrop, &u64)| {
            format!("{count} for {}", reason.describe().to_lowercase())
        };
        let reasons: Vec<String> = minute.rest.iter().map(of_reason).collect();
        (sum > 0).then(|| {
            let reasons = reasons.join(", ");
            format!("refused {sum} more in a minute: {reasons}; see `show lisp refusals`")
        })
    }
}

impl Minute {
    fn begins(now: Time) -> Self {
        Minute { ends_at: now + MINUTE, lines: 0, rest: BTreeMap::new() }
    }
}

impl Router {
    /// Refuses a control message that came from the address `source`: counts it under `reason`, and
    /// tells the operator. `explain` is called only if its text is used.
    pub(super) fn refuse(
        &mut self,
        source: IpAddr,
        reason: ControlDrop,
        now: Time,
        explain: impl FnOnce() -> Explanation,
    ) {
        self.refuse_parts(source, (reason, 1), now, explain);
    }

    /// Refuses so many parts of a control message, such as its records: each counts, and one line tells
    /// of all.
    pub(super) fn refuse_parts(
        &mut self,
        source: IpAddr,
        (reason, count): (ControlDrop, usize),
        now: Time,
        explain: impl FnOnce() -> Explanation,
    ) {
        let count = count as u64;
        if count == 0 {
            return;
        }
        *self.counters.control_drops.entry(reason).or_default() += count;
        self.sum_up_refusals(now);
        let debugging = self.debugging;
        let told = self.refusals.add((source, reason, count), debugging, explain, now);
        let Some((line, is_said)) = told else { return };
        self.debug(format!("LISP: {line}"));
        if !is_said {
            return;
        }
        match reason.is_everyday() {
            true => self.notice(line),
            false => self.warn(line),
        }
    }

    /// Sums up the messages without a line in the minute that is over.
    pub(super) fn sum_up_refusals(&mut self, now: Time) {
        if let Some(line) = self.refusals.end_minute(now) {
            self.warn(line);
        }
    }

    /// The control messages that were refused of late.
    pub fn refusals(&self) -> &Refusals {
        &self.refusals
    }
}
