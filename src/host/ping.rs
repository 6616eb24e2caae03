//! The echoes of a ping, and their results.

use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;

use crate::time::Time;

/// When the next echo is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As soon as the echo before it is answered or given up, as IOS does.
    Answered,
    /// At this interval, with or without an answer to the echo before it.
    Every(Duration),
}

/// The destination of a ping, and its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PingRequest {
    /// The destination.
    pub destination: IpAddr,
    /// The number of echoes.
    pub count: u16,
    /// Octets of the whole IP packet. A smaller value is raised to 44 (IPv4) or 64 (IPv6): the
    /// headers and 16 octets of data.
    pub size: u16,
    /// How long an echo waits for its answer.
    pub timeout: Duration,
    /// When the next echo is sent.
    pub pace: Pace,
    /// TTL or hop limit.
    pub ttl: u8,
}

impl PingRequest {
    /// The default of IOS: five echoes of 100 octets, two seconds each.
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

/// The result of an echo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Not answered yet.
    Waiting,
    /// Answered after this long.
    Reply(Duration),
    /// Not answered in time.
    Timeout,
    /// A router or the destination reported that it is unreachable.
    Unreachable,
    /// A router reported that the packet is too big, and the largest size that is not too big.
    TooBig(u32),
    /// A router reported that the TTL expired.
    TtlExceeded,
}

impl Outcome {
    /// The character that IOS prints for it.
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

/// One echo of a ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// When it was sent.
    pub sent_at: Time,
    /// Its result.
    pub outcome: Outcome,
}

/// A ping, running or done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PingReport {
    /// The request.
    pub request: PingRequest,
    /// The echoes sent so far, by sequence number.
    pub probes: Vec<Probe>,
}

impl PingReport {
    /// A ping that has sent nothing.
    pub fn new(request: PingRequest) -> Self {
        PingReport { request, probes: Vec::new() }
    }

    /// Whether every echo has been sent and none is waiting.
    pub fn is_done(&self) -> bool {
        self.probes.len() >= usize::from(self.request.count)
            && self.probes.iter().all(|p| p.outcome != Outcome::Waiting)
    }

    /// Round-trip times of the answered echoes, in the order in which they were sent.
    pub fn round_trips(&self) -> impl Iterator<Item = Duration> {
        self.probes.iter().filter_map(|probe| match probe.outcome {
            Outcome::Reply(span) => Some(span),
            _ => None,
        })
    }

    /// One character for each echo: `!!.U`.
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
