//! The echo requests of a ping, and their outcomes.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;

use crate::time::Time;

/// The rule for the time at which the next echo request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// The next echo request is sent when the previous echo request is answered or has timed out,
    /// as in IOS.
    Answered,
    /// The next echo request is sent after this interval, also if the previous echo request is not
    /// answered yet.
    Every(Duration),
}

/// The number of echo requests of a ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// The ping ends after this number of echo requests.
    Of(u16),
    /// The ping goes on until it is stopped.
    Endless {
        /// The number of outcomes that the report keeps. Older outcomes are only counted.
        kept: usize,
    },
}

impl Count {
    /// Returns the number of echo requests after which the ping ends. Returns `None` if the ping
    /// goes on until it is stopped.
    pub fn last(self) -> Option<u64> {
        match self {
            Count::Of(count) => Some(count.into()),
            Count::Endless { .. } => None,
        }
    }
}

/// The destination of a ping, and its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PingRequest {
    /// The destination of the ping.
    pub destination: IpAddr,
    /// The number of echo requests.
    pub count: Count,
    /// The number of octets of each whole IP packet. A smaller value is raised to 44 (IPv4) or 64
    /// (IPv6): the headers and 16 octets of data.
    pub size: u16,
    /// The time for which an echo request waits for its answer.
    pub timeout: Duration,
    /// The rule for the time at which the next echo request is sent.
    pub pace: Pace,
    /// The TTL or the hop limit of the echo requests.
    pub ttl: u8,
}

impl PingRequest {
    /// Returns the default ping of IOS: five echo requests of 100 octets, with a timeout of two
    /// seconds each.
    pub fn new(destination: IpAddr) -> Self {
        PingRequest {
            destination,
            count: Count::Of(5),
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
    /// The echo requests that have been sent, in the order of their sequence numbers. The report of
    /// an endless ping keeps only the newest echo requests.
    pub probes: VecDeque<Probe>,
    /// The counts of the echo requests that were sent before those in `probes`.
    pub earlier: Counted,
}

/// Echo requests whose outcomes are only counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// The number of echo requests.
    pub sent: u64,
    /// The number of echo requests that were answered.
    pub answered: u64,
}

impl PingReport {
    /// Makes the report of a ping that has sent nothing yet.
    pub fn new(request: PingRequest) -> Self {
        PingReport { request, probes: VecDeque::new(), earlier: Counted::default() }
    }

    /// Returns the number of echo requests that have been sent.
    pub fn sent(&self) -> u64 {
        self.earlier.sent + self.probes.len() as u64
    }

    /// Returns the number of echo requests that were answered.
    pub fn answered(&self) -> u64 {
        self.earlier.answered + self.round_trips().count() as u64
    }

    /// Adds an echo request. If the report then has more echo requests than it may keep, the oldest
    /// echo request is removed and only counted.
    pub fn add(&mut self, probe: Probe) {
        self.probes.push_back(probe);
        let Count::Endless { kept } = self.request.count else { return };
        if self.probes.len() > kept
            && let Some(oldest) = self.probes.pop_front()
        {
            self.earlier.sent += 1;
            self.earlier.answered += u64::from(matches!(oldest.outcome, Outcome::Reply(_)));
        }
    }

    /// Returns the echo request with this sequence number, if its outcome is kept. The sequence
    /// number after 65535 is 0.
    pub fn probe_mut(&mut self, seq_no: u16) -> Option<&mut Probe> {
        let after = usize::from((self.sent() as u16).wrapping_sub(seq_no));
        let index = self.probes.len().checked_sub(after + 1)?;
        self.probes.get_mut(index)
    }

    /// Whether every echo request has been sent, and no echo request still waits for its answer.
    pub fn is_done(&self) -> bool {
        self.request.count.last().is_some_and(|last| self.sent() >= last)
            && self.probes.iter().all(|p| p.outcome != Outcome::Waiting)
    }

    /// Returns the round-trip times of the answered echo requests in `probes`, in the order in
    /// which these echo requests were sent.
    pub fn round_trips(&self) -> impl Iterator<Item = Duration> {
        self.probes.iter().filter_map(|probe| match probe.outcome {
            Outcome::Reply(span) => Some(span),
            _ => None,
        })
    }

    /// Returns one character for each echo request that is kept, for example `!!.U`.
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
        report.probes = outcomes.map(|outcome| Probe { sent_at: Time::ZERO, outcome }).into();
        assert_eq!(report.marks(), ".!MU.");
        assert!(!report.is_done());
        report.probes[4].outcome = Outcome::TtlExceeded;
        assert_eq!(report.marks(), ".!MU&");
        assert!(report.is_done());
    }

    #[test]
    fn an_endless_ping_counts_all_echos_and_keeps_the_newest() {
        let count = Count::Endless { kept: 3 };
        let request = PingRequest { count, ..PingRequest::new([172, 16, 0, 12].into()) };
        let mut report = PingReport::new(request);
        for number in 1..=200_000_u32 {
            report.add(Probe { sent_at: Time::ZERO, outcome: Outcome::Waiting });
            let last = report.probe_mut(number as u16).expect("the last one is kept");
            last.outcome = match number % 4 {
                0 => Outcome::Timeout,
                _ => Outcome::Reply(Duration::ZERO),
            };
        }
        assert_eq!((report.sent(), report.answered()), (200_000, 150_000));
        assert_eq!(report.marks(), "!!.");
        let last = 200_000_u32 as u16;
        assert!(report.probe_mut(last - 2).is_some());
        assert!(report.probe_mut(last - 3).is_none(), "only counted");
        assert!(report.probe_mut(last + 1).is_none(), "not sent yet");
        assert!(!report.is_done());
    }
}
