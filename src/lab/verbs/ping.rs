//! The commands `lab ping` and `lab pingall`.

use std::io::{self, Write};
use std::net::IpAddr;

use crate::addr::Family;
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::ping::{Echos, Matrix, Pair, Tally, opening};
use crate::lab::running::RunningLab;

/// Pings from a node, and prints the lines of IOS on `out`. Each outcome is printed as soon as it
/// is known.
///
/// # Errors
/// The node cannot send pings ([`RunningLab::expect_ping`]), or `out` cannot be written.
pub fn show<L: RunningLab + ?Sized>(
    lab: &mut L,
    from: &str,
    target: IpAddr,
    echos: Echos,
    out: &mut dyn Write,
) -> Result<Tally, Failure> {
    // If the node cannot send pings, the function returns before anything is printed.
    lab.expect_ping(from)?;
    let printed = |result: io::Result<()>| result.map_err(Failure::io("standard output"));
    printed(write!(out, "{}", opening(target, echos)).and_then(|()| out.flush()))?;
    let mut result = Ok(());
    let tally = lab.ping(from, target, echos, &mut |outcome| {
        let mark = write!(out, "{}", outcome.mark()).and_then(|()| out.flush());
        if result.is_ok() {
            result = mark;
        }
    })?;
    printed(result.and_then(|()| writeln!(out, "\n{tally}")))?;
    Ok(tally)
}

/// Pings from every host of the lab to every other host, in both families.
///
/// # Errors
/// A host cannot send pings ([`RunningLab::expect_ping`]).
pub fn all(lab: &Lab, running: &mut dyn RunningLab, echos: Echos) -> Result<Matrix, Failure> {
    let (mut cells, mut pings) = (Vec::new(), Vec::new());
    for (family, ip) in [(Family::Ipv4, 4), (Family::Ipv6, 6)] {
        let hosts = || lab.file.hosts().filter(move |(_, host)| host.address(family).is_some());
        for (from, _) in hosts() {
            for (to, host) in hosts().filter(|&(to, _)| to != from) {
                if let Some(target) = host.address(family) {
                    cells.push((ip, from, to));
                    pings.push((from.to_owned(), target));
                }
            }
        }
    }
    let tallies = running.ping_each(&pings, echos)?;
    let pair = |((ip, from, to), tally): ((u8, &str, &str), Tally)| Pair {
        ip,
        from: from.to_owned(),
        to: to.to_owned(),
        tally,
    };
    let hosts = lab.file.hosts().map(|(name, _)| name.to_owned()).collect();
    Ok(Matrix { hosts, pairs: cells.into_iter().zip(tallies).map(pair).collect() })
}
