//! The lines of `lab events`. Each event in a lab is one line: JSON for programs, or text for a
//! person.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::item::{
    Change, Decision, Direction, Hop, HopFate, Item, Kind, LogLine, Message, Reason,
};

/// A line of `lab events --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LabEvent {
    /// The time in microseconds since the start of the command. On the simulator, the time since
    /// the start of the lab.
    pub at: u64,
    /// The number of the event. The fields `sent`, `answers` and `cause` of other events refer to
    /// this number. Absent for an event of the command itself.
    pub n: Option<u64>,
    /// The event.
    pub event: Event,
}

/// The kinds of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "LabEventKind")]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    /// A router sent or received a LISP message.
    Message(Message),
    /// A packet was put on a link.
    Hop(Hop),
    /// A router or a kernel made a decision about a packet.
    Decision(Decision),
    /// A table of a router changed, a port changed, or the process of a router started or ended.
    Change(Change),
    /// A router wrote a line to its log.
    Log(LogLine),
    /// The first line.
    Began(Began),
    /// Events are missing here, because the reader or the machine is too slow.
    LeftOut(LeftOut),
    /// The last line, if the lab ends.
    Ended(Ended),
}

/// The data of the first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Began {
    /// The lab.
    pub lab: String,
    /// The time of the start in microseconds since 1970.
    pub wall_clock: u64,
}

/// The data of a line that stands for missing events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LeftOut {
    /// The number of missing events.
    pub count: u64,
}

/// The data of the last line, if the lab ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Ended {
    /// The reason why the lab has ended.
    pub reason: String,
}

impl From<Item> for LabEvent {
    fn from(item: Item) -> Self {
        let event = match item.kind {
            Kind::Message(message) => Event::Message(message),
            Kind::Hop(hop) => Event::Hop(hop),
            Kind::Decision(decision) => Event::Decision(decision),
            Kind::Change(change) => Event::Change(change),
            Kind::Log(line) => Event::Log(line),
        };
        LabEvent { at: item.at, n: Some(item.n), event }
    }
}

impl LabEvent {
    /// Makes an event of the command itself. Such an event has no number.
    pub fn own(at: u64, event: Event) -> Self {
        LabEvent { at, n: None, event }
    }
}

impl fmt::Display for LabEvent {
    /// Writes the event in one line: the time in seconds, the node, the event and its reason.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>5}.{:06} ", self.at / 1_000_000, self.at % 1_000_000)?;
        let reason = match &self.event {
            Event::Message(Message { node, direction, summary, reason, .. }) => {
                let verb = if *direction == Direction::Sent { "sent" } else { "received" };
                write!(f, "{node} {verb} {summary}")?;
                reason.as_ref()
            }
            Event::Hop(Hop { segment, from, to, fate, summary, .. }) => {
                let fate = if *fate == HopFate::Lost { " [lost]" } else { "" };
                write!(f, "{from} > {} on {segment}: {summary}{fate}", to.join(", "))?;
                None
            }
            Event::Decision(Decision { node, summary, verdict, locator, reason, .. }) => {
                write!(f, "{node} {verdict} {summary}")?;
                if let Some(locator) = locator {
                    write!(f, " to {locator}")?;
                }
                Some(reason)
            }
            Event::Change(Change { node, table, text, reason, .. }) => {
                write!(f, "{node} {table}: {text}")?;
                reason.as_ref()
            }
            Event::Log(LogLine { node, severity, text }) => {
                write!(f, "{node} {severity}: {}", text.replace('\n', " / "))?;
                None
            }
            Event::Began(Began { lab, .. }) => {
                write!(f, "{lab}: events begin")?;
                None
            }
            Event::LeftOut(LeftOut { count }) => {
                write!(f, "{count} events are left out here")?;
                None
            }
            Event::Ended(Ended { reason }) => {
                write!(f, "{reason}")?;
                None
            }
        };
        match reason {
            Some(Reason { text, section: Some(section) }) => write!(f, " ({text} [{section}])"),
            Some(Reason { text, section: None }) => write!(f, " ({text})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_an_object_for_programs_and_a_line_for_a_person() {
        let text = "a\nb".to_owned();
        let log = LogLine { node: "xTR1".to_owned(), severity: "notice".to_owned(), text };
        let event = LabEvent::from(Item { n: 7, at: 1_000_009, kind: Kind::Log(log) });
        assert_eq!(event.to_string(), "    1.000009 xTR1 notice: a / b");
        let json = serde_json::to_string(&event).unwrap();
        let expected = r#"{"at":1000009,"n":7,"event":{"kind":"log","node":"xTR1","severity":"notice","text":"a\nb"}}"#;
        assert_eq!(json, expected);
    }
}
