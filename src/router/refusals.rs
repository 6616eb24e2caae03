//! Counts the control messages that are refused, and reports them to the operator.
//!
//! The line about a refused message names the message, its source, the reason and the remedy.
//! `debug lisp control-plane` prints a line for each message. The number of lines in the log is
//! limited: one line a minute for each pair of source and reason, 16 lines a minute for each
//! reason, and 32 lines a minute for all reasons together. The first line of each reason in a
//! minute is always written. At the end of the minute, one more line contains the numbers of the
//! messages without a line. So a sender that changes its address with each message cannot fill the
//! log or the table. Lines about messages that are refused for other reasons are still written.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bounded::{Bounded, Fill, Limit};
use super::counters::ControlDrop;
use crate::time::Time;

/// The period in which the lines of the log about refused messages are counted. In this time, each
/// pair of source and reason gets at most one line.
const MINUTE: Duration = Duration::from_secs(60);
/// The maximum number of lines in one minute. The first line of each reason is always written.
const LINES: u32 = 32;
/// The maximum number of lines in one minute for one reason.
const LINES_OF_REASON: u32 = 16;
/// For each reason, at most this number of new pairs of source and reason is stored in one minute.
/// Further pairs are only counted, because it must cost less to refuse a message than to send it.
const NEW_OF_REASON: u32 = 64;
/// The limit for the number of stored pairs of source and reason. If the table is full, the router
/// finds the reason with the most sources. Of these sources, it removes the source that was silent
/// for the longest time.
const REMEMBERED: Limit = Limit { name: "Refusals", capacity: 256, idle: Duration::ZERO };

/// The explanation of a refused message for the operator. The line also names the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The refused message, for example `Map-Register for 192.168.0.0/24 of site SITE_2`.
    pub what: String,
    /// The cause as a clause, for example `its key is wrong`.
    pub why: String,
    /// The remedy as a clause, for example `compare ..`.
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

    /// Returns the whole line for a message from `source`. Like all lines of the log, the line has
    /// no full stop at its end.
    pub(super) fn line(&self, source: IpAddr) -> String {
        let Explanation { what, why, advice } = self;
        format!("refused {what} from {source}: {why}; {advice}")
    }
}

/// The refused messages of one source and one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The number of these messages.
    pub count: u64,
    /// The time at which the first message of this source and reason arrived.
    pub first_at: Time,
    /// The time at which the last message of this source and reason arrived.
    pub last_at: Time,
    /// The explanation of the last message that got a line in the log.
    pub explanation: Explanation,
    said_at: Option<Time>,
}

/// The messages that were refused recently.
#[derive(Debug)]
pub struct Refusals {
    recent: Bounded<(IpAddr, ControlDrop), Refusal, ControlDrop>,
    /// The number of messages that got no row in `recent`.
    unremembered: u64,
    minute: Option<Minute>,
}

/// The numbers of lines and messages in one minute.
#[derive(Debug)]
struct Minute {
    ends_at: Time,
    lines: u32,
    of_reason: BTreeMap<ControlDrop, OfReason>,
}

/// The refused messages of one minute and one reason.
#[derive(Debug, Default)]
struct OfReason {
    lines: u32,
    /// The number of sources stored since the start of the minute.
    new: u32,
    /// The number of messages that got no line in the log.
    rest: u64,
}

impl Default for Refusals {
    fn default() -> Self {
        Refusals { recent: Bounded::new(REMEMBERED), unremembered: 0, minute: None }
    }
}

impl Refusals {
    /// The messages that were refused recently, by source and reason.
    pub fn recent(&self) -> impl Iterator<Item = (&(IpAddr, ControlDrop), &Refusal)> {
        self.recent.iter()
    }

    /// The number of rows of [`Refusals::recent`] that were evicted, plus the number of messages
    /// that got no row.
    pub fn forgotten(&self) -> u64 {
        self.recent.fill().evicted + self.unremembered
    }

    /// The fill level of the table of [`Refusals::recent`].
    pub fn fill(&self) -> Fill {
        self.recent.fill()
    }

    /// The time of the next summary in the log: the end of the minute. `None` if each refused
    /// message got a line of its own.
    pub(super) fn next_sum(&self) -> Option<Time> {
        let minute = self.minute.as_ref()?;
        let has_rest = minute.of_reason.values().any(|of_reason| of_reason.rest > 0);
        has_rest.then_some(minute.ends_at)
    }

    /// Counts a message, or `count` parts of a message. `explain` is called if the message gets a
    /// line in the log, if its source must be stored, or if debugging is on. If the message gets a
    /// line or debugging is on, returns the explanation, and whether the explanation must be
    /// written to the log.
    pub(super) fn add(
        &mut self,
        (source, reason, count): (IpAddr, ControlDrop, u64),
        debugging: bool,
        explain: impl FnOnce() -> Explanation,
        now: Time,
    ) -> Option<(Explanation, bool)> {
        let key = (source, reason);
        let minute = self.minute.get_or_insert_with(|| Minute::begins(now));
        let known = self.recent.use_at(&key, now);
        let said_at = known.as_ref().and_then(|refusal| refusal.said_at);
        let is_due = said_at.is_none_or(|at| now.since(at) >= MINUTE);
        let is_said = is_due && minute.takes_line(reason);
        let of_reason = minute.of_reason.entry(reason).or_default();
        of_reason.rest += count - u64::from(is_said);
        let is_new = known.is_none() && (is_said || of_reason.new < NEW_OF_REASON);
        let explanation = (is_new || is_said || debugging).then(explain);
        let told = (is_said || debugging).then(|| explanation.clone()).flatten();
        let told = told.map(|explanation| (explanation, is_said));
        match (known, explanation) {
            (Some(refusal), explanation) => {
                refusal.count += count;
                refusal.last_at = now;
                if let Some(explanation) = explanation {
                    refusal.explanation = explanation;
                }
                refusal.said_at = if is_said { Some(now) } else { refusal.said_at };
            }
            (None, Some(explanation)) if is_new => {
                of_reason.new += 1;
                let said_at = is_said.then_some(now);
                let (first_at, last_at) = (now, now);
                let refusal = Refusal { count, first_at, last_at, explanation, said_at };
                let full = self.recent.insert(key, reason, refusal, now).is_err();
                self.unremembered += u64::from(full);
            }
            (None, _) => self.unremembered += 1,
        }
        told
    }

    /// If the minute is over, ends it. For each reason, returns the number of messages that got no
    /// line in the log.
    pub(super) fn end_minute(&mut self, now: Time) -> Option<Vec<(ControlDrop, u64)>> {
        let minute = self.minute.take_if(|minute| minute.ends_at <= now)?;
        let rest = minute.of_reason.iter().map(|(reason, of_reason)| (*reason, of_reason.rest));
        let rest: Vec<(ControlDrop, u64)> = rest.filter(|(_, count)| *count > 0).collect();
        (!rest.is_empty()).then_some(rest)
    }
}

impl Minute {
    fn begins(now: Time) -> Self {
        Minute { ends_at: now + MINUTE, lines: 0, of_reason: BTreeMap::new() }
    }

    /// Whether a message that is refused for `reason` gets a line in the log. If it gets a line,
    /// counts the line.
    fn takes_line(&mut self, reason: ControlDrop) -> bool {
        let of_reason = self.of_reason.entry(reason).or_default();
        let is_left = self.lines < LINES && of_reason.lines < LINES_OF_REASON;
        let takes = is_left || of_reason.lines == 0;
        self.lines += u32::from(takes);
        of_reason.lines += u32::from(takes);
        takes
    }
}
