//! Compares results with the expectations in a scenario, and describes the differences.

use std::fmt;
use std::time::Duration;

use super::{Answers, Bound, Captured, Printed};
use crate::capture::summary::Summary;
use crate::capture::{Capture, Selected};
use crate::lab::failure::Failure;
use crate::lab::ping::Tally;

impl Bound {
    /// Whether `count` satisfies this bound.
    pub fn holds(self, count: u64) -> bool {
        match self {
            Bound::Exactly(wanted) => count == wanted,
            Bound::AtLeast(least) => count >= least,
            Bound::AtMost(most) => count <= most,
            Bound::Between(least, most) => (least..=most).contains(&count),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Exactly(count) => write!(f, "exactly {count}"),
            Bound::AtLeast(count) => write!(f, "at least {count}"),
            Bound::AtMost(count) => write!(f, "at most {count}"),
            Bound::Between(least, most) => write!(f, "{least} to {most}"),
        }
    }
}

impl Printed {
    /// Whether `text` satisfies this expectation.
    pub fn holds(&self, text: &str) -> bool {
        match self {
            Printed::Contains(part) => text.lines().any(|line| spaced(line).contains(part)),
            Printed::Lacks(part) => !text.lines().any(|line| spaced(line).contains(part)),
            Printed::Matches(block) => {
                let lines: Vec<&str> = text.lines().collect();
                let same = |lines: &[&str]| {
                    lines.iter().zip(block).all(|(line, pattern)| line_matches(pattern, line))
                };
                lines.windows(block.len()).any(same)
            }
        }
    }
}

impl fmt::Display for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Printed::Contains(part) => write!(f, "contains {part:?}"),
            Printed::Lacks(part) => write!(f, "lacks {part:?}"),
            Printed::Matches(block) => write!(f, "matches\n{}", block.join("\n")),
        }
    }
}

/// Whether a printed line matches a line of the pattern.
fn line_matches(pattern: &str, line: &str) -> bool {
    wildcard(&spaced(pattern), &spaced(line))
}

/// Returns the words of a line, with one space between them.
fn spaced(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether `text` matches `pattern`. In the pattern, `*` stands for any text. The function searches
/// each part between two stars from the end of the previous part, and takes the first position. If
/// `text` matches, this search always finds a match.
fn wildcard(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(start) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match text.split_once(part) {
            Some((_, rest)) => text = rest,
            None => return false,
        }
    }
    text.ends_with(last)
}

impl Answers {
    /// Whether the outcomes of the echos satisfy this expectation.
    pub fn holds(&self, tally: &Tally) -> bool {
        match self {
            Answers::Count(bound) => bound.holds(tally.received.into()),
            Answers::Marks(marks) => tally.marks == *marks,
            Answers::RoundTrips(range) => {
                let mut times = tally.round_trips_us.iter().map(|&us| Duration::from_micros(us));
                tally.received > 0 && times.all(|time| range.contains(&time))
            }
        }
    }
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answers::Count(bound) => write!(f, "{bound} answered"),
            Answers::Marks(marks) => f.write_str(marks),
            Answers::RoundTrips(range) => {
                write!(f, "each round trip in {:?}..{:?}", range.start(), range.end())
            }
        }
    }
}

/// A captured packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The time since the beginning of the capture.
    pub at: Duration,
    /// The value of the field that the statement asks for.
    pub value: String,
    /// A line that describes the packet to a person.
    pub summary: String,
}

impl Packet {
    /// Returns the packets of a capture that match a display filter, with the values of `field`.
    ///
    /// # Errors
    /// The filter is wrong, or the field is unknown.
    pub fn select(capture: &Capture, filter: &str, field: &str) -> Result<Vec<Packet>, Failure> {
        let packet = |found: Selected| Packet {
            at: found.at,
            value: found.value,
            summary: Summary(&capture.frames()[found.index].packet).to_string(),
        };
        Ok(capture.select(filter, field)?.into_iter().map(packet).collect())
    }
}

impl Captured {
    /// Whether `packets` satisfy this expectation. If the expectation has a second filter, `others`
    /// are the packets that pass it.
    pub fn holds(&self, packets: &[Packet], others: &[Packet]) -> bool {
        match self {
            Captured::Count(bound) => bound.holds(packets.len() as u64),
            Captured::After { within, .. } => {
                self.later(packets, others).is_some_and(|later| later <= *within)
            }
            Captured::Spaced { gaps, more } => {
                let times = packets.windows(2).map(|pair| pair[1].at.saturating_sub(pair[0].at));
                are_so_many(packets, gaps.len() + 1, *more)
                    && times.zip(gaps).all(|(time, gap)| gap.contains(&time))
            }
            Captured::Reads { letters, more, .. } => {
                are_so_many(packets, letters.len(), *more) && same_shape(letters, packets)
            }
        }
    }

    /// Returns the time from the first packet of `others` to the next packet of `packets`. Returns
    /// `None` if this expectation is not [`Captured::After`], or if one of these packets does not
    /// exist.
    pub fn later(&self, packets: &[Packet], others: &[Packet]) -> Option<Duration> {
        let Captured::After { .. } = self else { return None };
        let other = others.first()?;
        let next = packets.iter().find(|packet| packet.at >= other.at)?;
        Some(next.at - other.at)
    }
}

fn are_so_many(packets: &[Packet], wanted: usize, more: bool) -> bool {
    packets.len() == wanted || more && packets.len() > wanted
}

/// Whether packets with the same letter have the same value, and packets with different letters
/// have different values.
fn same_shape(letters: &[String], packets: &[Packet]) -> bool {
    let pairs: Vec<_> = letters.iter().zip(packets).collect();
    pairs.iter().all(|(letter, packet)| {
        pairs.iter().all(|(other, second)| (letter == other) == (packet.value == second.value))
    })
}

impl fmt::Display for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Captured::Count(bound) => write!(f, "{bound} packets"),
            Captured::After { filter, within } => write!(f, "within {within:?} after {filter}"),
            Captured::Spaced { gaps, more } => {
                write!(f, "{} packets, spaced", gaps.len() + 1)?;
                gaps.iter().try_for_each(|gap| write!(f, " {:?}..{:?}", gap.start(), gap.end()))?;
                f.write_str(and_more(*more))
            }
            Captured::Reads { field, letters, more } => {
                write!(f, "{field}: {}{}", letters.join(" "), and_more(*more))
            }
        }
    }
}

fn and_more(more: bool) -> &'static str {
    if more { " ..." } else { "" }
}
