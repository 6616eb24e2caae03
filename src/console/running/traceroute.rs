//! `traceroute`: sends UDP datagrams with a growing TTL, and prints the router at which each TTL
//! expires.

use std::net::IpAddr;
use std::time::Duration;

use super::forms::milliseconds;
use super::{Piece, Running};
use crate::console::probes::{Ends, Heard, Kind, Probe, ProbeSocket, number_of, port};
use crate::router::Router;
use crate::time::Time;
use crate::wire::IcmpErrorKind;
use crate::wire::probe::Meaning;

/// The size of each IP packet, in octets.
const SIZE: u16 = 60;

/// The options of a traceroute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TracerouteOptions {
    /// The time to wait for an answer.
    pub timeout: Duration,
    /// The number of datagrams for each TTL.
    pub probes: u16,
    /// The first TTL.
    pub first_ttl: u8,
    /// The last TTL.
    pub last_ttl: u8,
}

impl Default for TracerouteOptions {
    /// The values that IOS uses.
    fn default() -> Self {
        let timeout = Duration::from_secs(3);
        TracerouteOptions { timeout, probes: 3, first_ttl: 1, last_ttl: 30 }
    }
}

/// A traceroute that runs.
pub struct Traceroute {
    ends: Ends,
    /// The name of the destination, if the user gave a name.
    name: Option<String>,
    options: TracerouteOptions,
    socket: Box<dyn ProbeSocket>,
    state: State,
    ttl: u8,
    /// The number of sent datagrams with this TTL.
    sent: u16,
    /// The number of all sent datagrams.
    sent_in_all: u16,
    sent_at: Time,
    /// The router that sent the latest answer for this TTL.
    answered_by: Option<IpAddr>,
    /// Whether the traceroute is at its end: the destination has answered, or a router has answered
    /// that the destination is unreachable.
    is_found: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The first lines are not printed yet.
    New,
    /// The next datagram is due.
    Next,
    /// The latest datagram waits for its answer.
    Waiting,
    /// The line of this TTL is complete.
    EndOfLine,
    Ended,
}

impl Traceroute {
    /// A traceroute that begins with its first [`Running::poll`].
    pub fn new(
        ends: Ends,
        name: Option<String>,
        options: TracerouteOptions,
        socket: Box<dyn ProbeSocket>,
    ) -> Self {
        Traceroute {
            ends,
            name,
            options,
            socket,
            state: State::New,
            ttl: options.first_ttl,
            sent: 0,
            sent_in_all: 0,
            sent_at: Time::ZERO,
            answered_by: None,
            is_found: false,
        }
    }

    fn opening(&self) -> String {
        let destination = self.ends.destination;
        let rest = match destination {
            IpAddr::V4(_) => "VRF info: (vrf in name/id, vrf out name/id)\n",
            IpAddr::V6(_) => "\n",
        };
        let target = match &self.name {
            Some(name) => format!("{name} ({destination})"),
            None => destination.to_string(),
        };
        format!("Type escape sequence to abort.\nTracing the route to {target}\n{rest}")
    }

    fn send(&mut self, now: Time) {
        self.sent += 1;
        self.sent_in_all = self.sent_in_all.wrapping_add(1);
        self.sent_at = now;
        self.state = State::Waiting;
        let (number, ttl) = (self.sent_in_all, self.ttl);
        self.socket.send(&Probe { kind: Kind::Udp, number, ttl, size: SIZE, df: false }, now);
    }

    /// The outcome of the latest datagram as text, if it is known.
    fn outcome(&mut self, now: Time) -> Option<String> {
        let expected = number_of(port(self.sent_in_all));
        while let Some(heard) = self.socket.receive(now) {
            if heard.number == expected
                && let Some(from) = heard.from
            {
                return Some(self.answered(&heard, from));
            }
        }
        (self.sent_at + self.options.timeout <= now).then(|| " * ".to_owned())
    }

    fn answered(&mut self, heard: &Heard, from: IpAddr) -> String {
        let address = match self.answered_by.replace(from) {
            Some(before) if before == from => String::new(),
            None if self.sent == 1 => from.to_string(),
            _ => format!("\n    {from}"),
        };
        self.is_found |= matches!(heard.meaning, Meaning::Unreachable(_));
        let time = u64::try_from(heard.at.since(self.sent_at).as_micros()).unwrap_or(u64::MAX);
        let time = format!(" {} msec", milliseconds(time));
        let outcome = match heard.meaning {
            Meaning::Reply | Meaning::TtlExceeded => &time,
            Meaning::Unreachable(kind) => match kind {
                IcmpErrorKind::PortUnreachable => &time,
                IcmpErrorKind::NetUnreachable => " !N ",
                IcmpErrorKind::HostUnreachable => " !H ",
                IcmpErrorKind::Prohibited => " !A ",
                _ => " !P ",
            },
            Meaning::SourceQuench => " !Q ",
            Meaning::TooBig(_) | Meaning::Other => " ? ",
        };
        address + outcome
    }

    /// Selects the next step after an outcome: the next datagram, or the end of the line.
    fn go_on(&mut self) {
        let is_last = self.sent >= self.options.probes;
        self.state = if is_last { State::EndOfLine } else { State::Next };
    }

    /// Selects the next step after the last outcome of a TTL: the next TTL, or the end of the
    /// command.
    fn next_ttl(&mut self) {
        let is_last = self.is_found || self.ttl >= self.options.last_ttl;
        self.state = if is_last { State::Ended } else { State::Next };
        self.ttl = self.ttl.saturating_add(1);
        self.sent = 0;
        self.answered_by = None;
    }
}

impl Running for Traceroute {
    fn poll(&mut self, _: &Router, now: Time) -> Piece {
        match self.state {
            State::New => {
                self.state = State::Next;
                Piece::Text(self.opening())
            }
            State::Next => {
                let begins_line = self.sent == 0;
                self.send(now);
                match begins_line {
                    true => Piece::Text(format!("{:3} ", self.ttl)),
                    false => Piece::Wait,
                }
            }
            State::Waiting => match self.outcome(now) {
                Some(text) => {
                    self.go_on();
                    Piece::Text(text)
                }
                None => Piece::Wait,
            },
            State::EndOfLine => {
                self.next_ttl();
                Piece::Text("\n".to_owned())
            }
            State::Ended => Piece::End,
        }
    }

    fn poll_timeout(&self) -> Option<Time> {
        (self.state == State::Waiting).then(|| self.sent_at + self.options.timeout)
    }

    fn has_answer(&self) -> bool {
        self.state == State::Waiting && self.socket.has_answer()
    }

    fn interrupt(&mut self) {
        self.is_found = true;
        self.state = match self.state {
            State::New | State::Ended => State::Ended,
            State::Next if self.sent == 0 => State::Ended,
            State::Next | State::Waiting | State::EndOfLine => State::EndOfLine,
        };
    }
}
