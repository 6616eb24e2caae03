//! `lab ping` and `lab pingall`: the ping of the machine, in the words of IOS.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::net::IpAddr;
use std::thread;
use std::time::Duration;

use serde::Serialize;

use super::emulated;
use super::failure::Failure;
use super::inside;
use super::open::Lab;
use crate::addr::Family;

/// The octets of an ICMP echo's own header, the same in both families.
const ICMP_HEADER: u16 = 8;
/// The wait for an answer: `timeout is 2 seconds`.
const TIMEOUT_SECONDS: u16 = 2;

/// What to send.
#[derive(Clone, Copy, Debug)]
pub struct Echos {
    /// How many echos.
    pub count: u32,
    /// The octets of each IP packet.
    pub size: u16,
    /// With the don't-fragment bit.
    pub df: bool,
}

impl Default for Echos {
    /// Five of 100 octets, as IOS does.
    fn default() -> Self {
        Echos { count: 5, size: 100, df: false }
    }
}

/// What became of one echo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// `!`: answered after so long.
    Answered(Duration),
    /// `.`: nothing came in time.
    Lost,
    /// `U`: somebody said that the destination cannot be reached.
    Unreachable,
    /// `M`: somebody said that the packet is too big.
    TooBig,
}

impl Outcome {
    /// The character that IOS prints.
    pub fn mark(self) -> char {
        match self {
            Outcome::Answered(_) => '!',
            Outcome::Lost => '.',
            Outcome::Unreachable => 'U',
            Outcome::TooBig => 'M',
        }
    }
}

/// What became of all echos. Its `Display` is the last line of IOS's block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Echos sent.
    pub sent: u32,
    /// Echos answered.
    pub received: u32,
    /// One character for each echo.
    pub marks: String,
    /// The round-trip times, in microseconds.
    pub round_trips_us: Vec<u64>,
}

impl Tally {
    /// Counts one echo.
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

    /// The share of echos without an answer, in percent, rounded up: a loss is never shown as 0.
    pub fn loss_percent(&self) -> u32 {
        ((self.sent - self.received) * 100).div_ceil(self.sent.max(1))
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sent, received) = (self.sent, self.received);
        let percent = received * 100 / sent.max(1);
        write!(f, "Success rate is {percent} percent ({received}/{sent})")?;
        let times = &self.round_trips_us;
        let (Some(min), Some(max)) = (times.iter().min(), times.iter().max()) else {
            return Ok(());
        };
        let average = times.iter().sum::<u64>() / times.len() as u64;
        // IOS counts whole milliseconds and has no zero.
        let [min, average, max] = [*min, average, *max].map(|us| us.div_ceil(1000).max(1));
        write!(f, ", round-trip min/avg/max = {min}/{average}/{max} ms")
    }
}

/// The address that `target` means: itself, or that of a host of the lab.
pub fn address(lab: &Lab, target: &str, family: Option<Family>) -> Result<IpAddr, Failure> {
    if let Ok(address) = target.parse() {
        return Ok(address);
    }
    let Some((_, host)) = lab.file.hosts().find(|(name, _)| *name == target) else {
        let hosts: Vec<_> = lab.file.hosts().map(|(name, _)| name).collect();
        return Err(Failure::Other(format!(
            "{target:?} is neither an address nor a host of lab {}: {}",
            lab.name,
            hosts.join(", ")
        )));
    };
    let families = match family {
        Some(family) => vec![family],
        None => Family::BOTH.to_vec(),
    };
    let mut found = families.into_iter().filter_map(|family| host.address(family));
    found
        .next()
        .ok_or_else(|| Failure::Other(format!("host {target} has no address of that family")))
}

/// IOS's block before the first mark.
pub fn opening(target: IpAddr, echos: Echos) -> String {
    let Echos { count, size, df } = echos;
    let df = if df { "Packet sent with the DF bit set\n" } else { "" };
    format!(
        "Type escape sequence to abort.\nSending {count}, {size}-byte ICMP Echos to {target}, \
         timeout is {TIMEOUT_SECONDS} seconds:\n{df}"
    )
}

/// Pings `target` from a node, one echo after the other as IOS does: the next goes as soon as
/// the one before is answered or lost. `seen` is told each outcome as it comes.
pub fn ping(
    lab: &Lab,
    node: &str,
    target: IpAddr,
    echos: Echos,
    mut seen: impl FnMut(Outcome),
) -> Result<Tally, Failure> {
    if emulated::find(lab, node).is_some() {
        return emulated::ping(lab, node, target, echos, seen);
    }
    let mut tally = Tally::default();
    for _ in 0..echos.count {
        let outcome = echo(lab, node, target, echos)?;
        seen(outcome);
        tally.add(outcome);
    }
    Ok(tally)
}

/// Pings and prints IOS's block on `out`, mark by mark.
pub fn show(
    lab: &Lab,
    node: &str,
    target: IpAddr,
    echos: Echos,
    out: &mut dyn Write,
) -> Result<Tally, Failure> {
    // What cannot be done is said before anything is printed.
    match emulated::find(lab, node) {
        Some(_) => drop(emulated::expect(lab, node)?),
        None => drop(inside::program(lab, node, "ping")?),
    }
    let printed = |result: io::Result<()>| result.map_err(Failure::io("standard output"));
    printed(write!(out, "{}", opening(target, echos)).and_then(|()| out.flush()))?;
    let mut result = Ok(());
    let tally = ping(lab, node, target, echos, |outcome| {
        let mark = write!(out, "{}", outcome.mark()).and_then(|()| out.flush());
        if result.is_ok() {
            result = mark;
        }
    })?;
    printed(result.and_then(|()| writeln!(out, "\n{tally}")))?;
    Ok(tally)
}

fn echo(lab: &Lab, node: &str, target: IpAddr, echos: Echos) -> Result<Outcome, Failure> {
    let ip_header = match Family::of(target) {
        Family::Ipv4 => 20,
        Family::Ipv6 => 40,
    };
    let payload = echos.size.saturating_sub(ip_header + ICMP_HEADER);
    let mut command = inside::program(lab, node, "ping")?;
    command.args(["-n", "-c", "1"]);
    command.args(["-W", &TIMEOUT_SECONDS.to_string(), "-s", &payload.to_string()]);
    match (echos.df, Family::of(target)) {
        (true, _) => command.args(["-M", "do"]),
        (false, Family::Ipv4) => command.args(["-M", "dont"]),
        // An IPv6 packet is never fragmented on its way: there is no bit to leave out.
        (false, Family::Ipv6) => &mut command,
    };
    let output =
        command.arg(target.to_string()).env("LC_ALL", "C").output().map_err(Failure::io("ping"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    // ping ends with 1 when nothing came back, with 2 when it could not do its work at all.
    match outcome(&format!("{text}{errors}")) {
        Outcome::Lost if output.status.code() != Some(1) => {
            Err(Failure::Other(format!("ping {target}: {}", errors.trim_end())))
        }
        outcome => Ok(outcome),
    }
}

/// Reads what `ping -c 1` printed.
fn outcome(text: &str) -> Outcome {
    let says = |part: &str| text.contains(part);
    if says("bytes from") {
        let time = text.split("time=").nth(1).and_then(|rest| rest.split(' ').next());
        let millis: f64 = time.and_then(|time| time.parse().ok()).unwrap_or(0.0);
        Outcome::Answered(Duration::from_secs_f64(millis.max(0.0) / 1000.0))
    } else if says("Frag needed") || says("Packet too big") || says("essage too long") {
        Outcome::TooBig
    } else if says("nreachable") || says("rohibited") || says("Filtered") {
        Outcome::Unreachable
    } else {
        Outcome::Lost
    }
}

/// What became of the pings of every host to every other, of both families.
#[derive(Clone, Debug, Serialize)]
pub struct Matrix {
    /// The hosts, in order.
    pub hosts: Vec<String>,
    /// By family, source and target.
    pub pairs: Vec<Pair>,
}

/// One cell of the matrix.
#[derive(Clone, Debug, Serialize)]
pub struct Pair {
    /// 4 or 6.
    pub ip: u8,
    /// Who sent.
    pub from: String,
    /// Who was to answer.
    pub to: String,
    /// What became of it.
    #[serde(flatten)]
    pub tally: Tally,
}

impl Matrix {
    /// Whether nothing was lost.
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

/// Pings from every host of the lab to every other, all sources at once.
pub fn all(lab: &Lab, echos: Echos) -> Result<Matrix, Failure> {
    let hosts: Vec<String> = lab.file.hosts().map(|(name, _)| name.to_owned()).collect();
    let rows: Vec<Result<Vec<Pair>, Failure>> = thread::scope(|scope| {
        let rows: Vec<_> =
            hosts.iter().map(|from| scope.spawn(move || row(lab, from, echos))).collect();
        let lost = |_| Err(Failure::new("a thread of pingall has failed"));
        rows.into_iter().map(|row| row.join().unwrap_or_else(lost)).collect()
    });
    let rows: Result<Vec<_>, _> = rows.into_iter().collect();
    Ok(Matrix { hosts, pairs: rows?.into_iter().flatten().collect() })
}

fn row(lab: &Lab, from: &str, echos: Echos) -> Result<Vec<Pair>, Failure> {
    let own: Vec<Family> = match lab.file.hosts().find(|(name, _)| *name == from) {
        Some((_, host)) => {
            let families = Family::BOTH.into_iter();
            families.filter(|&family| host.address(family).is_some()).collect()
        }
        None => Vec::new(),
    };
    let mut pairs = Vec::new();
    for family in own {
        for (to, host) in lab.file.hosts().filter(|(to, _)| *to != from) {
            let Some(target) = host.address(family) else {
                continue;
            };
            pairs.push(Pair {
                ip: if family == Family::Ipv4 { 4 } else { 6 },
                from: from.to_owned(),
                to: to.to_owned(),
                tally: ping(lab, from, target, echos, |_| ())?,
            });
        }
    }
    Ok(pairs)
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

    #[test]
    fn the_words_of_ping_are_understood() {
        let cases = [
            ("64 bytes from fd00::2: icmp_seq=1 ttl=64 time=1.25 ms", '!'),
            ("1 packets transmitted, 0 received, 100% packet loss, time 0ms", '.'),
            ("From 10.0.0.1 icmp_seq=1 Destination Net Unreachable", 'U'),
            ("From fd00::1 icmp_seq=1 Destination unreachable: No route", 'U'),
            ("From 10.0.0.1 icmp_seq=1 Frag needed and DF set (mtu = 1464)", 'M'),
            ("From fd00::1 icmp_seq=1 Packet too big: mtu=1464", 'M'),
            ("ping: local error: message too long, mtu=1464", 'M'),
        ];
        for (text, mark) in cases {
            assert_eq!(outcome(text).mark(), mark, "{text}");
        }
        let micros = Duration::from_micros(1250);
        assert_eq!(outcome(cases[0].0), Outcome::Answered(micros));
    }
}
