//! The losses of a flow. A flow is a ping that runs in the background.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// The result of a flow. Its text is one line for a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FlowReport {
    /// The number of echos that were sent. An echo is not counted if the flow ended before this
    /// echo could be answered.
    pub sent: u64,
    /// The number of echos that were answered.
    pub received: u64,
    /// The longest interruption in milliseconds: the longest time without an answer, minus the time
    /// between two echos. The time without an answer may be before the first answer, between two
    /// answers, or after the last answer.
    pub out_ms: u64,
    /// Whether echos were still answered at the end of the flow.
    pub is_back: bool,
}

/// The maximum round-trip time for the last answer of a flow. If no answer arrives within this
/// time, the flow has an interruption at its end.
const ROUND_TRIP: Duration = Duration::from_millis(200);

impl FlowReport {
    /// Makes the report of a flow. `sent` is the number of echos that are counted. `first` and
    /// `last` are the times of the first and the last echo. `answers` has the times of the answers,
    /// in order. One clock measures all these times. `every` is the time between two echos.
    pub fn of(
        sent: u64,
        (first, last): (Duration, Duration),
        answers: &[Duration],
        every: Duration,
    ) -> Self {
        let mut instants = vec![first];
        instants.extend(answers);
        instants.push(last);
        let gaps = instants.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
        let out = gaps.max().unwrap_or_default().saturating_sub(every);
        let heard = answers.last().copied();
        FlowReport {
            sent,
            received: answers.len() as u64,
            out_ms: u64::try_from(out.as_millis()).unwrap_or(u64::MAX),
            is_back: heard.is_some_and(|heard| last <= heard + every + ROUND_TRIP),
        }
    }

    /// Returns the number of echos without an answer.
    pub fn lost(self) -> u64 {
        self.sent.saturating_sub(self.received)
    }
}

impl fmt::Display for FlowReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sent, lost, out_ms) = (self.sent, self.lost(), self.out_ms);
        write!(f, "{lost} of {sent} packets lost")?;
        match (self.received, self.is_back) {
            (0, _) => f.write_str(", no answers"),
            (_, true) => write!(f, ", longest interruption {out_ms} ms"),
            (_, false) => write!(f, ", still no answer after {:.1} s", out_ms as f64 / 1000.0),
        }
    }
}
