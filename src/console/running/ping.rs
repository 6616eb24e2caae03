//! `ping`: sends echo requests one after another, and prints a character for each request.

use std::time::Duration;

use super::forms::{self, Opening, RoundTrips};
use super::{Piece, Running};
use crate::addr::Family;
use crate::console::probes::{Ends, Kind, Probe, ProbeSocket};
use crate::router::Router;
use crate::time::Time;
use crate::wire::IcmpErrorKind;
use crate::wire::probe::Meaning;

/// The number of characters in a line of outcomes.
const LINE: u32 = 70;
/// The minimum time between two echo requests, so that a ping does not occupy the router.
const PACE: Duration = Duration::from_millis(1);
/// The minimum time to wait for an answer, even if the user chose a timeout of 0 seconds.
const LEAST_WAIT: Duration = Duration::from_millis(10);
/// The TTL of an echo request.
const TTL: u8 = 255;

/// The options of a ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PingOptions {
    /// The number of echo requests.
    pub count: u32,
    /// The size of each IP packet, in octets.
    pub size: u16,
    /// The time to wait for an answer.
    pub timeout: Duration,
    /// Whether the packets must not be fragmented.
    pub df: bool,
    /// Whether the first lines name the source address.
    pub shows_source: bool,
}

impl Default for PingOptions {
    /// The values that IOS uses.
    fn default() -> Self {
        let timeout = Duration::from_secs(2);
        PingOptions { count: 5, size: 100, timeout, df: false, shows_source: false }
    }
}

/// A ping that runs.
pub struct Ping {
    ends: Ends,
    options: PingOptions,
    socket: Box<dyn ProbeSocket>,
    state: State,
    sent: u32,
    received: u32,
    sent_at: Option<Time>,
    /// The shortest and the longest round-trip time, and the sum of all round-trip times, in
    /// microseconds.
    times: Option<(u64, u64, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The first lines are not printed yet.
    New,
    /// The next echo request is due.
    Next,
    /// The latest echo request waits for its answer.
    Waiting,
    /// The final line is due.
    Last,
    Ended,
}

impl Ping {
    /// A ping that begins with its first [`Running::poll`].
    pub fn new(ends: Ends, options: PingOptions, socket: Box<dyn ProbeSocket>) -> Self {
        Ping {
            ends,
            options,
            socket,
            state: State::New,
            sent: 0,
            received: 0,
            sent_at: None,
            times: None,
        }
    }

    fn opening(&self) -> String {
        let Ping { ends, options, .. } = self;
        forms::opening(&Opening {
            target: ends.destination,
            count: options.count,
            size: options.size,
            timeout: options.timeout,
            source: ends.source.filter(|_| options.shows_source),
            df: options.df,
        })
    }

    /// The number of the latest echo request, which is also its ICMP sequence number.
    fn number(&self) -> u16 {
        self.sent as u16
    }

    fn send(&mut self, now: Time) {
        self.sent += 1;
        self.sent_at = Some(now);
        self.state = State::Waiting;
        let PingOptions { size, df, .. } = self.options;
        let probe = Probe { kind: Kind::Echo, number: self.number(), ttl: TTL, size, df };
        self.socket.send(&probe, now);
    }

    /// The time at which the latest echo request counts as lost.
    fn lost_at(&self) -> Option<Time> {
        self.sent_at.map(|at| at + self.options.timeout.max(LEAST_WAIT))
    }

    /// The outcome of the latest echo request, if it is known.
    fn outcome(&mut self, now: Time) -> Option<char> {
        let sent_at = self.sent_at?;
        while let Some(heard) = self.socket.receive(now) {
            if heard.number != self.number() {
                continue;
            }
            if heard.meaning == Meaning::Reply {
                self.received += 1;
                let time = u64::try_from(heard.at.since(sent_at).as_micros()).unwrap_or(u64::MAX);
                let (min, max, sum) = self.times.unwrap_or((time, time, 0));
                self.times = Some((min.min(time), max.max(time), sum.saturating_add(time)));
            }
            return Some(mark(Family::of(self.ends.destination), heard.meaning));
        }
        (self.lost_at()? <= now).then_some('.')
    }

    /// Selects the next step after an outcome. Returns the character of the outcome. After the last
    /// character of a line, also returns a line end.
    fn after_outcome(&mut self, mark: char) -> String {
        let is_last = self.sent >= self.options.count;
        self.state = if is_last { State::Last } else { State::Next };
        let ends_line = self.sent.is_multiple_of(LINE) && !is_last;
        if ends_line { format!("{mark}\n") } else { mark.to_string() }
    }

    fn last_line(&self) -> String {
        let round_trips = self.times.map(|(min, max, sum)| RoundTrips {
            min,
            average: sum / u64::from(self.received.max(1)),
            max,
        });
        format!("\n{}\n", forms::success_rate(self.sent, self.received, round_trips))
    }
}

impl Running for Ping {
    fn poll(&mut self, _: &Router, now: Time) -> Piece {
        match self.state {
            State::New => {
                self.state = if self.options.count == 0 { State::Last } else { State::Next };
                return Piece::Text(self.opening());
            }
            State::Next if self.sent_at.is_none_or(|at| at + PACE <= now) => self.send(now),
            State::Next | State::Waiting => {}
            State::Last => {
                self.state = State::Ended;
                return Piece::Text(self.last_line());
            }
            State::Ended => return Piece::End,
        }
        match self.state {
            State::Waiting => match self.outcome(now) {
                Some(mark) => Piece::Text(self.after_outcome(mark)),
                None => Piece::Wait,
            },
            _ => Piece::Wait,
        }
    }

    fn poll_timeout(&self) -> Option<Time> {
        match self.state {
            State::Next => self.sent_at.map(|at| at + PACE),
            State::Waiting => self.lost_at(),
            State::New | State::Last | State::Ended => None,
        }
    }

    fn has_answer(&self) -> bool {
        self.state == State::Waiting && self.socket.has_answer()
    }

    fn interrupt(&mut self) {
        match self.state {
            State::New => self.state = State::Ended,
            // The latest echo request has no outcome, so it is not counted.
            State::Waiting => {
                self.sent -= 1;
                self.state = State::Last;
            }
            State::Next => self.state = State::Last,
            State::Last | State::Ended => {}
        }
    }
}

/// The character that IOS prints for an outcome. For an IPv6 ping, some characters differ from the
/// characters for an IPv4 ping.
fn mark(family: Family, meaning: Meaning) -> char {
    match (family, meaning) {
        (_, Meaning::Reply) => '!',
        (Family::Ipv4, Meaning::Unreachable(_)) => 'U',
        (Family::Ipv4, Meaning::TooBig(_)) => 'M',
        (Family::Ipv4, Meaning::TtlExceeded) => '&',
        (Family::Ipv4, Meaning::SourceQuench) => 'Q',
        (Family::Ipv6, Meaning::Unreachable(kind)) => match kind {
            IcmpErrorKind::NetUnreachable => 'U',
            IcmpErrorKind::HostUnreachable => 'H',
            IcmpErrorKind::PortUnreachable => 'P',
            IcmpErrorKind::Prohibited => 'A',
            _ => '@',
        },
        (Family::Ipv6, Meaning::TooBig(_)) => 'B',
        (Family::Ipv6, Meaning::TtlExceeded) => 'T',
        (_, Meaning::SourceQuench | Meaning::Other) => '?',
    }
}
