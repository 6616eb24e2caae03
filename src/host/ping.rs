//! What a ping sends, what became of each echo, and the report that IOS prints.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;

use crate::time::Time;

/// When the next echo leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As soon as the one before is answered or given up, as IOS does.
    Answered,
    /// At this interval, whatever became of the one before.
    Every(Duration),
}

/// What to ping, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PingRequest {
    /// Whom.
    pub destination: IpAddr,
    /// How many echoes.
    pub count: u16,
    /// Octets of the whole IP packet; raised to 44 (IPv4) or 64 (IPv6) when less, which is the
    /// headers and 16 octets of data.
    pub size: u16,
    /// How long an echo waits for its answer.
    pub timeout: Duration,
    /// When the next one leaves.
    pub pace: Pace,
    /// TTL or hop limit.
    pub ttl: u8,
}

impl PingRequest {
    /// What IOS sends by default: five echoes of 100 octets, two seconds each.
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

/// What became of an echo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Still on its way.
    Waiting,
    /// Answered after this long.
    Reply(Duration),
    /// Not answered in time.
    Timeout,
    /// A router or the destination said unreachable.
    Unreachable,
    /// A router said too big, and how big is not.
    TooBig(u32),
    /// A router said that the TTL was used up.
    TtlExceeded,
}

impl Outcome {
    /// The character that IOS prints for it.
    fn mark(self) -> char {
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
    /// When it left.
    pub sent_at: Time,
    /// What became of it.
    pub outcome: Outcome,
}

/// A ping, running or done. Prints as IOS's block:
/// `Sending 5, 100-byte ICMP Echos to ...`, the marks, the success rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PingReport {
    /// What was asked.
    pub request: PingRequest,
    /// The echoes sent until this instant, by sequence number.
    pub probes: Vec<Probe>,
}

impl PingReport {
    /// A ping that has sent nothing.
    pub fn new(request: PingRequest) -> Self {
        PingReport { request, probes: Vec::new() }
    }

    /// Whether every echo has left and none waits.
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

    /// Echoes answered.
    pub fn received(&self) -> usize {
        self.round_trips().count()
    }

    /// One character an echo: `!!.U`.
    pub fn marks(&self) -> String {
        self.probes.iter().map(|p| p.outcome.mark()).collect()
    }
}

impl fmt::Display for PingReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PingRequest { destination, count, size, timeout, .. } = self.request;
        let timeout = timeout.as_secs();
        writeln!(
            f,
            "Sending {count}, {size}-byte ICMP Echos to {destination}, timeout is {timeout} \
             seconds:"
        )?;
        writeln!(f, "{}", self.marks())?;
        let (sent, received) = (self.probes.len(), self.received());
        let percent = (received * 100).checked_div(sent).unwrap_or(0);
        write!(f, "Success rate is {percent} percent ({received}/{sent})")?;
        if received > 0 {
            let millis = |span: Duration| span.as_micros().div_ceil(1000);
            let sum: Duration = self.round_trips().sum();
            let mean = sum / u32::try_from(received).unwrap_or(u32::MAX);
            let least = self.round_trips().min().unwrap_or_default();
            let most = self.round_trips().max().unwrap_or_default();
            let (least, mean, most) = (millis(least), millis(mean), millis(most));
            write!(f, ", round-trip min/avg/max = {least}/{mean}/{most} ms")?;
        }
        writeln!(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_prints_as_ios_does() {
        let mut report = PingReport::new(PingRequest::new([172, 16, 0, 12].into()));
        let reply = |millis| Outcome::Reply(Duration::from_millis(millis));
        for outcome in [Outcome::Timeout, reply(4), reply(8), Outcome::Unreachable, reply(6)] {
            report.probes.push(Probe { sent_at: Time::ZERO, outcome });
        }
        assert_eq!(
            report.to_string(),
            "Sending 5, 100-byte ICMP Echos to 172.16.0.12, timeout is 2 seconds:\n\
             .!!U!\n\
             Success rate is 60 percent (3/5), round-trip min/avg/max = 4/6/8 ms\n"
        );
        assert!(report.is_done());
    }

    #[test]
    fn a_ping_without_an_answer_has_no_round_trip() {
        let mut report = PingReport::new(PingRequest::new([172, 16, 0, 12].into()));
        report.probes = vec![Probe { sent_at: Time::ZERO, outcome: Outcome::Timeout }; 5];
        let text = report.to_string();
        assert!(text.ends_with(".....\nSuccess rate is 0 percent (0/5)\n"), "{text}");
    }
}
