//! Starts labs on virtual time, waits until all prefixes of a lab are registered, and pings from
//! the hosts of a lab.

use std::net::IpAddr;
use std::time::Duration;

use super::{Sim, SimError, build};
use crate::addr::Family;
use crate::console::show::refusals;
use crate::host::ping::{Count, Outcome, PingReport, PingRequest};
use crate::lab::ping::{Echos, Outcome as Counted, Tally};
use crate::lab::{self, Lab};
use crate::lab::{registration, unregistered};
use crate::rng::Seed;

/// The routers of a lab must register their prefixes within this virtual time.
const REGISTRATION_PATIENCE: Duration = Duration::from_secs(60);

impl Sim {
    /// Pings from a host until the ping ends. Meanwhile, all other nodes continue to run.
    ///
    /// # Errors
    /// An error if `from` is not the name of a host, or if the ping has no end.
    pub fn ping(&mut self, from: &str, request: PingRequest) -> Result<PingReport, SimError> {
        let Count::Of(count) = request.count else { return Err(SimError::EndlessPing) };
        let id = self.with_host(from, |host| host.start_ping(request))?;
        let done = |sim: &Sim| {
            let host = sim.host(from).ok();
            host.and_then(|host| host.ping(id)).is_none_or(PingReport::is_done)
        };
        // Every echo request has its own timeout. This limit has an effect only if the host does
        // nothing.
        let longest = request.timeout * (u32::from(count) + 1);
        self.run_while_not(self.now() + longest, done);
        let report = self.with_host(from, |host| host.stop_ping(id))?;
        Ok(report.unwrap_or_else(|| PingReport::new(request)))
    }

    /// Returns the first address of a host in `family`.
    ///
    /// # Errors
    /// An error if `name` is not the name of a host, or if the host has no address in `family`.
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

    /// Runs until every registration is acknowledged, as `lab up` does. A ping before the
    /// registration could put a negative entry into a map-cache.
    ///
    /// # Errors
    /// An error if the registration takes longer than one minute of virtual time.
    pub fn run_until_registered(&mut self) -> Result<(), SimError> {
        let deadline = self.now() + REGISTRATION_PATIENCE;
        if self.run_while_not(deadline, Sim::is_registered) {
            Ok(())
        } else {
            let (time_limit, why) = (REGISTRATION_PATIENCE, self.why_unregistered());
            Err(SimError::NotRegistered { time_limit, why })
        }
    }

    /// Returns the reasons why prefixes are not registered, as the text that
    /// [`crate::lab::unregistered`] makes.
    fn why_unregistered(&self) -> String {
        let routers = self.routers().map(|(name, router)| unregistered::Router {
            name: name.to_owned(),
            addresses: router.config().addresses().map(|(_, net)| net.addr()).collect(),
            registrations: registration::of(router, self.now()),
            refusals: refusals::view(router, self.now()).refusals,
        });
        unregistered::explain(&routers.collect::<Vec<_>>())
    }
}

/// Builds a lab from its files, and switches it on. No virtual time passes.
///
/// # Errors
/// An error if the lab or one of its configurations is wrong.
pub fn lab_start(lab: &Lab, seed: Seed) -> Result<Sim, SimError> {
    lab::wiring::expect(lab).map_err(|failure| SimError::Config(failure.to_string()))?;
    let configs = build::parse_configs(lab)?;
    Sim::build(&lab.file, &configs, seed)
}

/// Builds a lab from its files, and runs the lab until all its prefixes are registered.
///
/// # Errors
/// The errors of [`lab_start`] and of [`Sim::run_until_registered`].
pub fn lab_up(lab: &Lab, seed: Seed) -> Result<Sim, SimError> {
    let mut sim = lab_start(lab, seed)?;
    sim.run_until_registered()?;
    Ok(sim)
}

/// Makes the request for a ping. An emulated host always sets the don't-fragment bit.
pub(super) fn request(destination: IpAddr, echos: Echos) -> PingRequest {
    PingRequest {
        count: Count::Of(u16::try_from(echos.count).unwrap_or(u16::MAX)),
        size: echos.size,
        ..PingRequest::new(destination)
    }
}

/// Converts the report of a ping to the result of `lab ping`. Calls `seen` with the outcome of each
/// echo request.
pub(super) fn tally(report: &PingReport, seen: &mut dyn FnMut(Counted)) -> Tally {
    let mut tally = Tally::default();
    for probe in &report.probes {
        let outcome = match probe.outcome {
            Outcome::Reply(span) => Counted::Answered(span),
            Outcome::Waiting | Outcome::Timeout => Counted::Lost,
            Outcome::Unreachable | Outcome::TtlExceeded => Counted::Unreachable,
            Outcome::TooBig(_) => Counted::TooBig,
        };
        seen(outcome);
        tally.add(outcome);
    }
    tally
}
