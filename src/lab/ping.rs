//! The echos of `lab ping` and `lab pingall`, and their outcomes in the form of IOS.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::Lab;
use super::failure::Failure;
use crate::addr::Family;
use crate::console::running::forms::{self, Opening, RoundTrips};

/// The time to wait for an answer, in seconds. IOS prints it as `timeout is 2 seconds`.
pub const TIMEOUT_SECONDS: u16 = 2;

/// The echos to send.
#[derive(Clone, Copy, Debug)]
pub struct Echos {
    /// The number of echos.
    pub count: u32,
    /// The length of each IP packet in octets.
    pub size: u16,
    /// Whether the don't-fragment bit is set.
    pub df: bool,
}

impl Default for Echos {
    /// Returns five echos of 100 octets, as in IOS.
    fn default() -> Self {
        Echos { count: 5, size: 100, df: false }
    }
}

/// The outcome of one echo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// `!`: the echo was answered after this round-trip time.
    Answered(Duration),
    /// `.`: no answer arrived before the timeout.
    Lost,
    /// `U`: an ICMP error says that the destination cannot be reached.
    Unreachable,
    /// `M`: an ICMP error says that the packet is too big.
    TooBig,
}

impl Outcome {
    /// Returns the character that IOS prints for this outcome.
    pub fn mark(self) -> char {
        match self {
            Outcome::Answered(_) => '!',
            Outcome::Lost => '.',
            Outcome::Unreachable => 'U',
            Outcome::TooBig => 'M',
        }
    }
}

/// The outcomes of all echos. The text of this value is the last line that IOS prints for a ping.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "PingTally")]
pub struct Tally {
    /// The number of echos that were sent.
    pub sent: u32,
    /// The number of echos that were answered.
    pub received: u32,
    /// The characters that IOS prints, one for each echo.
    pub marks: String,
    /// The round-trip times of the answered echos, in microseconds.
    pub round_trips_us: Vec<u64>,
}

impl Tally {
    /// Adds the outcome of an echo.
    pub fn add(&mut self, outcome: Outcome) {
        self.sent += 1;
        self.marks.push(outcome.mark());
        if let Outcome::Answered(time) = outcome {
            self.received += 1;
            self.round_trips_us.push(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        }
    }

    /// Whether every echo was answered.
    pub fn is_complete(&self) -> bool {
        self.received == self.sent
    }

    /// Returns the percentage of echos without an answer. It is rounded up, so that a loss is never
    /// shown as 0.
    pub fn loss_percent(&self) -> u32 {
        ((self.sent - self.received) * 100).div_ceil(self.sent.max(1))
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = &self.round_trips_us;
        let round_trips = times.iter().min().zip(times.iter().max()).map(|(&min, &max)| {
            RoundTrips { min, average: times.iter().sum::<u64>() / times.len() as u64, max }
        });
        f.write_str(&forms::success_rate(self.sent, self.received, round_trips))
    }
}

/// Returns the address for `target`. `target` is an address, or the name of a host of the lab.
pub fn address(lab: &Lab, target: &str, family: Option<Family>) -> Result<IpAddr, Failure> {
    if let Ok(address) = target.parse() {
        return Ok(address);
    }
    let Some((_, host)) = lab.file.hosts().find(|(name, _)| *name == target) else {
        let hosts: Vec<_> = lab.file.hosts().map(|(name, _)| name).collect();
        return Err(Failure::Other(format!(
            "{target:?} is not an address or a host of lab {}; the lab has the hosts {}",
            lab.name,
            hosts.join(", ")
        )));
    };
    let families = match family {
        Some(family) => vec![family],
        None => Family::BOTH.to_vec(),
    };
    let mut found = families.into_iter().filter_map(|family| host.address(family));
    found.next().ok_or_else(|| {
        Failure::Other(format!("host {target} has no address of the requested family"))
    })
}

/// Returns the lines that IOS prints before the outcome of the first echo.
pub fn opening(target: IpAddr, echos: Echos) -> String {
    let Echos { count, size, df } = echos;
    let timeout = Duration::from_secs(TIMEOUT_SECONDS.into());
    forms::opening(&Opening { target, count, size, timeout, source: None, df })
}

/// The outcomes of pings from every host to every other host, for IPv4 and IPv6.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "PingMatrix")]
pub struct Matrix {
    /// The names of the hosts, in order.
    pub hosts: Vec<String>,
    /// The pairs of hosts, sorted by family, then by source, then by target.
    pub pairs: Vec<Pair>,
}

/// The pings from one host to another host in one family: a cell of the matrix.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "PingPair")]
pub struct Pair {
    /// The IP version, 4 or 6.
    pub ip: u8,
    /// The host that sends.
    pub from: String,
    /// The host that receives.
    pub to: String,
    /// The outcomes of the echos.
    #[serde(flatten)]
    pub tally: Tally,
}

impl Matrix {
    /// Whether every echo was answered.
    pub fn is_complete(&self) -> bool {
        self.pairs.iter().all(|pair| pair.tally.is_complete())
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells: BTreeMap<_, _> = self
            .pairs
            .iter()
            .map(|pair| ((pair.ip, &pair.from, &pair.to), pair.tally.loss_percent()))
            .collect();
        for (ip, title) in [(4, "IPv4 loss"), (6, "IPv6 loss")] {
            write!(f, "{title:10}")?;
            for host in &self.hosts {
                write!(f, " {host:>8}")?;
            }
            writeln!(f)?;
            for from in &self.hosts {
                write!(f, "{from:10}")?;
                for to in &self.hosts {
                    let cell = match cells.get(&(ip, from, to)) {
                        Some(percent) => format!("{percent}%"),
                        None => "-".to_owned(),
                    };
                    write!(f, " {cell:>8}")?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_is_that_of_ios() {
        let mut tally = Tally::default();
        for _ in 0..5 {
            tally.add(Outcome::Answered(Duration::from_micros(130)));
        }
        let target = "172.16.0.12".parse().unwrap();
        let block = opening(target, Echos::default());
        assert_eq!(
            format!("{block}{}\n{tally}", tally.marks),
            "Type escape sequence to abort.\n\
             Sending 5, 100-byte ICMP Echos to 172.16.0.12, timeout is 2 seconds:\n\
             !!!!!\n\
             Success rate is 100 percent (5/5), round-trip min/avg/max = 1/1/1 ms"
        );
    }

    #[test]
    fn without_an_answer_there_is_no_round_trip() {
        let mut tally = Tally::default();
        tally.add(Outcome::Lost);
        tally.add(Outcome::Unreachable);
        assert_eq!(tally.to_string(), "Success rate is 0 percent (0/2)");
        assert_eq!((tally.marks.as_str(), tally.loss_percent()), (".U", 100));
    }
}
