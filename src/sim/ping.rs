//! Pings on virtual time: `lab ping --sim` and `lab pingall --sim`.

use std::io::Write;
use std::net::IpAddr;
use std::time::Duration;

use super::{Sim, SimError, build};
use crate::addr::Family;
use crate::console::parse_config;
use crate::host::ping::{PingReport, PingRequest};
use crate::lab::file::LabFile;
use crate::rng::Seed;

/// How long a lab may take to register, on virtual time.
const REGISTRATION_PATIENCE: Duration = Duration::from_secs(60);
/// The seed of a lab that names none.
const DEFAULT_SEED: u64 = 1;

impl Sim {
    /// Lets a host ping to the end, while everything else goes on.
    ///
    /// # Errors
    /// When `from` is no host.
    pub fn ping(&mut self, from: &str, request: PingRequest) -> Result<PingReport, SimError> {
        let id = self.with_host(from, |host| host.start_ping(request))?;
        let done = |sim: &Sim| {
            let host = sim.host(from).ok();
            host.and_then(|host| host.ping(id)).is_none_or(PingReport::is_done)
        };
        // Every echo ends by its own timeout, so this only guards against a host that sleeps.
        let longest = request.timeout * (u32::from(request.count) + 1);
        self.run_while_not(self.now() + longest, done);
        let report = self.with_host(from, |host| host.stop_ping(id))?;
        Ok(report.unwrap_or_else(|| PingReport::new(request)))
    }

    /// The first address of `family` of a host.
    ///
    /// # Errors
    /// When it is no host or has no such address.
    pub fn host_address(&self, name: &str, family: Family) -> Result<IpAddr, SimError> {
        let addresses = &self.host(name)?.config().addresses;
        let mut addresses = addresses.iter().map(|net| net.addr());
        let found = addresses.find(|&address| Family::of(address) == family);
        found.ok_or_else(|| SimError::NoAddress {
            name: name.to_owned(),
            family: family.to_string(),
        })
    }

    /// Whether a Map-Notify has acknowledged every registration of every router.
    pub fn is_registered(&self) -> bool {
        self.routers().all(|(_, router)| {
            let registrations = router.registrations(self.now());
            registrations.iter().all(|status| status.acknowledged >= status.prefixes)
        })
    }

    /// Runs until every registration is acknowledged, as `lab up` does: an earlier ping would
    /// cache a negative mapping.
    ///
    /// # Errors
    /// When that takes longer than a minute.
    pub fn run_until_registered(&mut self) -> Result<(), SimError> {
        let deadline = self.now() + REGISTRATION_PATIENCE;
        if self.run_while_not(deadline, Sim::is_registered) {
            Ok(())
        } else {
            Err(SimError::NotRegistered(REGISTRATION_PATIENCE))
        }
    }
}

/// A lab, built from its file and run until it is registered.
///
/// # Errors
/// What is wrong with the lab, its configurations or its registrations.
pub fn lab_up(lab: &LabFile, seed: Seed) -> Result<Sim, SimError> {
    let parse = |name: &str, text: &str| parse_config(name, text).map_err(|e| e.to_string());
    let configs = build::read_configs(lab, parse)?;
    let mut sim = Sim::build(lab, &configs, seed)?;
    sim.run_until_registered()?;
    Ok(sim)
}

/// `lab ping LAB FROM TO --sim`: brings the lab up on virtual time, pings `count` times from host
/// to host and writes what IOS would print. `to` is a host's name or an address.
///
/// # Errors
/// What [`lab_up`] says, an unknown host or address, or a failing `out`.
pub fn lab_ping(
    lab: &LabFile,
    from: &str,
    to: &str,
    count: u16,
    ipv6: bool,
    out: &mut dyn Write,
) -> Result<PingReport, SimError> {
    let mut sim = lab_up(lab, Seed::from_number(DEFAULT_SEED))?;
    let family = if ipv6 { Family::Ipv6 } else { Family::Ipv4 };
    let destination = match to.parse() {
        Ok(address) => address,
        Err(_) => sim.host_address(to, family)?,
    };
    let request = PingRequest { count, ..PingRequest::new(destination) };
    let report = sim.ping(from, request)?;
    write!(out, "{report}")?;
    Ok(report)
}

/// One row of `lab pingall`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PingRow {
    /// The pinging host.
    pub from: String,
    /// The pinged host.
    pub to: String,
    /// What became of it.
    pub report: PingReport,
}

/// `lab pingall LAB --sim`: every host pings every other, in both families, in the file's order;
/// `A -> B 172.16.0.12: !!!!!` a line.
///
/// # Errors
/// What [`lab_up`] says, or a failing `out`.
pub fn lab_pingall(
    lab: &LabFile,
    count: u16,
    out: &mut dyn Write,
) -> Result<Vec<PingRow>, SimError> {
    let mut sim = lab_up(lab, Seed::from_number(DEFAULT_SEED))?;
    let mut rows = Vec::new();
    for family in Family::BOTH {
        for (from, source) in lab.hosts() {
            for (to, host) in lab.hosts().filter(|&(to, _)| to != from) {
                let Some(destination) = host.address(family) else {
                    continue;
                };
                if source.address(family).is_none() {
                    continue;
                }
                let request = PingRequest { count, ..PingRequest::new(destination) };
                let report = sim.ping(from, request)?;
                writeln!(out, "{from} -> {to} {destination}: {}", report.marks())?;
                rows.push(PingRow { from: from.to_owned(), to: to.to_owned(), report });
            }
        }
    }
    Ok(rows)
}
