//! The echo requests of a ping, and their outcomes.

use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;

use crate::time::Time;

/// The rule for the time at which the next echo request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// The next echo request is sent when the last echo request is answered or has timed out, as in
    /// IOS.
    Answered,
    /// The next echo request is sent after this interval, also if the last echo request is not
    /// answered yet.
    Every(Duration),
}

/// The destination of a ping, and its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PingRequest {
    /// The destination of the ping.
    pub destination: IpAddr,
    /// The number of echo requests.
    pub count: u16,
    /// The number of octets of each whole IP packet. A smaller value is raised to 44 (IPv4) or 64
    /// (IPv6): the headers and 16 octets of data.
    pub size: u16,
    /// The time for which an echo request waits for its answer.
    pub timeout: Duration,
    /// The rule for the time at which the next echo request is sent.
    pub pace: Pace,
    /// TTL or hop limit.
    pub ttl: u8,
}

impl PingRequest {
    /// Returns the default ping of IOS: five echo requests of 100 octets, with a timeout of two
    /// seconds each.
    pub fn new(destination: IpAddr) -> Self {
        PingRequest {
            destination,
            count: 5,
            size: 100,
            timeout: Duration::from_secs(2),
            pace: Pace::Answered,
            ttl: 64,
        }
    }
}

/// The outcome of an echo request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// There is no answer yet.
    Waiting,
    /// The answer came after this time.
    Reply(Duration),
    /// No answer came in time.
    Timeout,
    /// A router or the destination reported that the destination is unreachable.
    Unreachable,
    /// A router reported that the packet is too big. The number is the largest size that is not too
    /// big, in octets.
    TooBig(u32),
    /// A router reported that the TTL of the packet expired.
    TtlExceeded,
}

impl Outcome {
    /// Returns the character that IOS prints for this outcome.
    pub fn mark(self) -> char {
        match self {
            Outcome::Reply(_) => '!',
            Outcome::Waiting | Outcome::Timeout => '.',
            Outcome::Unreachable => 'U',
            Outcome::TooBig(_) => 'M',
            Outcome::TtlExceeded => '&',
        }
    }
}

/// One echo request of a ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The time at which the echo request was sent.
    pub sent_at: Time,
    /// The outcome of the echo request.
    pub outcome: Outcome,
}

/// The report of a ping, which may be running or done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PingReport {
    /// The destination of the ping, and its options.
    pub request: PingRequest,
    /// The echo requests that have been sent, in the order of their sequence numbers.
    pub probes: Vec<Probe>,
}

impl PingReport {
    /// Makes the report of a ping that has sent nothing yet.
    pub fn new(request: PingRequest) -> Self {
        PingReport { request, probes: Vec::new() }
    }

    /// Whether every echo request has been sent, and no echo request still waits for its answer.
    pub fn is_done(&self) -> bool {
        self.probes.len() >= usize::from(self.request.count)
            && self.probes.iter().all(|p| p.outcome != Outcome::Waiting)
    }

    /// Returns the round-trip times of the answered echo requests, in the order in which they were
    /// sent.
    pub fn round_trips(&self) -> impl Iterator<Item = Duration> {
        self.probes.iter().filter_map(|probe| match probe.outcome {
            Outcome::Reply(span) => Some(span),
            _ => None,
        })
    }

    /// Returns one character for each echo request, for example `!!.U`.
    pub fn marks(&self) -> String {
        self.probes.iter().map(|p| p.outcome.mark()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_one_mark_an_echo_and_is_done_when_none_waits() {
        let mut report = PingReport::new(PingRequest::new([172, 16, 0, 12].into()));
        let outcomes = [
            Outcome::Timeout,
            Outcome::Reply(Duration::from_millis(4)),
            Outcome::TooBig(1280),
            Outcome::Unreachable,
            Outcome::Waiting,
        ];
        report.probes = outcomes.map(|outcome| Probe { sent_at: Time::ZERO, outcome }).to_vec();
        assert_eq!(report.marks(), ".!MU.");
        assert!(!report.is_done());
        report.probes[4].outcome = Outcome::TtlExceeded;
        assert_eq!(report.marks(), ".!MU&");
        assert!(report.is_done());
    }
}
