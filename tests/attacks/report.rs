//! The figures of an attack, and the verdict about the labs.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use eidway::netns::{open, paths};

use crate::live::Live;
use crate::pace::Sent;
use crate::{MOST_LOG, MOST_MEMORY, PINGS_FOR_A_LOSS};

/// The outcomes of pings.
#[derive(Debug)]
pub struct Pings {
    pub sent: u64,
    pub lost: u64,
}

impl Pings {
    /// Waits for the end of a `ping -q`.
    pub fn of(ping: Child) -> Self {
        let output = ping.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let summary = text.lines().find(|line| line.contains("packets transmitted"));
        let numbers = summary.unwrap_or_else(|| panic!("no summary: {text}")).split(' ');
        let numbers: Vec<u64> = numbers.filter_map(|word| word.parse().ok()).collect();
        Pings { sent: numbers[0], lost: numbers[0] - numbers[1] }
    }
}

/// A router at one time.
#[derive(Debug)]
pub struct Router {
    name: &'static str,
    process: String,
    /// Resident octets.
    memory: u64,
    /// The number of octets of its log, including the former file.
    log: u64,
    last_lines: String,
    /// Its console answers.
    answers: bool,
    /// Processor time, in seconds.
    busy: f64,
    /// The number of IP packets that have arrived in its namespace.
    received: u64,
}

impl Router {
    pub fn of(live: &Live, name: &'static str) -> Self {
        let process = live.processes(name).trim().to_owned();
        let log = paths::log(&open::open(&live.name, None).unwrap(), name);
        let len = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
        let former = log.with_extension("log.1");
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // utime and stime, in ticks of a hundredth of a second.
        let ticks: u64 =
            stat.split(' ').skip(13).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
        Router {
            name,
            memory: resident(&process),
            log: len(&log) + len(&former),
            last_lines: last_lines(&log),
            answers: live.console(name, &["show clock"]).starts_with('*'),
            busy: ticks as f64 / 100.0,
            received: received(&process),
            process,
        }
    }
}

/// The column InReceives of the kernel's table.
fn received(process: &str) -> u64 {
    let table = fs::read_to_string(format!("/proc/{process}/net/snmp")).unwrap_or_default();
    let mut rows = table.lines().filter(|line| line.starts_with("Ip:")).map(str::split_whitespace);
    let (Some(names), Some(values)) = (rows.next(), rows.next()) else { return 0 };
    let found = names.zip(values).find(|(name, _)| *name == "InReceives");
    found.and_then(|(_, value)| value.parse().ok()).unwrap_or_default()
}

fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let mut lines: Vec<&str> = text.lines().rev().take(10).collect();
    lines.reverse();
    lines.join("\n")
}

fn resident(process: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let kibibytes = line.split_whitespace().next().and_then(|number| number.parse::<u64>().ok());
    kibibytes.unwrap_or_default() * 1024
}

/// All figures.
#[derive(Debug)]
pub struct Report {
    pub span: Duration,
    /// The number of packets that X has sent to the routers.
    pub from_core: u64,
    pub sent: Vec<Sent>,
    pub lost: Pings,
    pub other_lost: Pings,
    pub before: Vec<Router>,
    pub after: Vec<Router>,
}

impl Report {
    /// Whether all conditions are met.
    pub fn has_held(&self) -> bool {
        self.lost.lost <= self.lost.sent.div_ceil(PINGS_FOR_A_LOSS)
            && self.lost.sent > 0
            && self.other_lost.lost == 0
            // Otherwise the network has dropped the packets, and not the routers.
            && self.arrived() >= self.from_core / 10 * 9
            && self.routers().all(|(before, after)| {
                after.process == before.process
                    && after.answers
                    && after.memory <= MOST_MEMORY
                    && after.log <= MOST_LOG
            })
    }

    fn arrived(&self) -> u64 {
        self.routers().map(|(before, after)| after.received.saturating_sub(before.received)).sum()
    }

    fn routers(&self) -> impl Iterator<Item = (&Router, &Router)> {
        self.before.iter().zip(&self.after)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.span.as_secs_f64();
        writeln!(f, "{:<34}{:>12}{:>10}{:>10}", "attack", "sent", "a second", "refused")?;
        let line = |f: &mut fmt::Formatter<'_>, name: &str, packets: u64, refused: u64| {
            let rate = packets as f64 / seconds;
            writeln!(f, "{name:<34}{packets:>12}{rate:>10.0}{refused:>10}")
        };
        for Sent { name, packets, refused } in &self.sent {
            line(f, name, *packets, *refused)?;
        }
        let sum = |of: fn(&Sent) -> u64| self.sent.iter().map(of).sum();
        line(f, "together", sum(|sent| sent.packets), sum(|sent| sent.refused))?;
        for (lab, Pings { sent, lost }) in
            [("attacked lab", &self.lost), ("other lab", &self.other_lost)]
        {
            writeln!(f, "{lab}: B pings A: {sent} sent, {lost} lost")?;
        }
        let (from_core, arrived) = (self.from_core, self.arrived());
        writeln!(f, "{from_core} packets from the core, {arrived} in all came to the routers")?;
        let head = ["MiB before", "MiB after", "log, octets", "CPU, s", "process"];
        writeln!(f, "{:<10}{}", "router", head.map(|word| format!("{word:>13}")).concat())?;
        for (before, after) in self.routers() {
            let mebibytes = |octets: u64| octets as f64 / f64::from(1 << 20);
            let process = match (after.process == before.process, after.answers) {
                (true, true) => "the same",
                (true, false) => "silent",
                (false, _) => "another",
            };
            writeln!(
                f,
                "{:<10}{:>13.1}{:>13.1}{:>13}{:>13.1}{process:>13}",
                after.name,
                mebibytes(before.memory),
                mebibytes(after.memory),
                after.log,
                after.busy - before.busy,
            )?;
        }
        for router in self.after.iter().filter(|router| router.log > MOST_LOG) {
            writeln!(f, "the log of {} ends:\n{}", router.name, router.last_lines)?;
        }
        write!(f, "{}", if self.has_held() { "== held" } else { "== NOT HELD" })
    }
}
