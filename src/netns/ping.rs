//! `lab ping` and `lab pingall` in namespaces. They use the ping program of this machine, and the
//! pings of emulated hosts.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::thread;
use std::time::Duration;

use super::{emulated, inside};
use crate::addr::Family;
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::ping::{Echos, Outcome, TIMEOUT_SECONDS, Tally};

/// The length of the header of an ICMP echo, in octets. It is equal for IPv4 and IPv6.
const ICMP_HEADER: u16 = 8;

/// Pings `target` from a node in the manner of IOS: the next echo is sent as soon as the previous
/// echo is answered or lost. Calls `seen` with each outcome as soon as the outcome is known.
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
        // IPv6 has no don't-fragment bit, because routers never fragment an IPv6 packet.
        (false, Family::Ipv6) => &mut command,
    };
    let output =
        command.arg(target.to_string()).env("LC_ALL", "C").output().map_err(Failure::io("ping"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    // The exit status of ping is 1 if no answer arrived, and 2 for any other error.
    match outcome(&format!("{text}{errors}")) {
        Outcome::Lost if output.status.code() != Some(1) => {
            Err(Failure::Other(format!("`ping {target}` fails: {}", errors.trim_end())))
        }
        outcome => Ok(outcome),
    }
}

/// Reads the outcome from the output of `ping -c 1`.
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

/// Sends several pings. Each item of `pings` is a node and the address that this node pings.
/// Different nodes ping at the same time. Each node sends its own pings one after the other. The
/// results are in the order of `pings`.
pub fn each(lab: &Lab, pings: &[(String, IpAddr)], echos: Echos) -> Result<Vec<Tally>, Failure> {
    let mut of_node: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, (from, _)) in pings.iter().enumerate() {
        of_node.entry(from).or_default().push(at);
    }
    let one = |at: usize| {
        let (from, target) = &pings[at];
        Ok((at, ping(lab, from, *target, echos, |_| ())?))
    };
    let rows: Vec<Result<Vec<(usize, Tally)>, Failure>> = thread::scope(|scope| {
        let row = |row: Vec<usize>| row.into_iter().map(one).collect();
        let rows = of_node.into_values().map(|of| scope.spawn(move || row(of)));
        let rows: Vec<_> = rows.collect();
        let lost = |_| Err(Failure::new("a thread of a ping has failed"));
        rows.into_iter().map(|row| row.join().unwrap_or_else(lost)).collect()
    });
    let mut tallies = BTreeMap::new();
    for row in rows {
        tallies.extend(row?);
    }
    Ok(tallies.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

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
