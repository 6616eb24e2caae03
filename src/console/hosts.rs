//! The interface between a console and the emulated hosts of its router. The driver and the
//! simulator run the hosts. A session passes requests to the hosts, and `show emulated-hosts`
//! prints the states of the hosts.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::machine::Machine;
use super::protocol::{Echo, HostAnswer, HostRequest, HostTask};
use crate::host::ping::{Count, Outcome, Pace, PingReport, PingRequest, Probe};
use crate::host::{Host, PingId};
use crate::router::config::InterfaceName;
use crate::router::io::Mac;
use crate::time::Time;

/// The maximum number of pings that one host runs at the same time.
const MOST_PINGS: usize = 16;

/// The emulated hosts of one router.
pub trait Hosts {
    /// The states of the running hosts, by the names of the hosts.
    fn states(&self) -> BTreeMap<String, HostState>;

    /// Passes a task to a host. Returns the answer of the host.
    ///
    /// # Errors
    /// The error is a sentence for the user: no host has this name ([`no_host`]), or the host
    /// refuses the task ([`Pings::handle`]).
    fn handle(&mut self, request: &HostRequest, now: Time) -> Result<HostAnswer, String>;

    /// The machine of the router. `None` if the router has no machine, as in a replay.
    fn machine(&self) -> Option<&dyn Machine> {
        None
    }

    /// The machine of the router, as a mutable reference.
    fn machine_mut(&mut self) -> Option<&mut dyn Machine> {
        None
    }
}

/// The state of a running emulated host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostState {
    /// The router's interface on the host's LAN.
    pub interface: InterfaceName,
    /// The addresses of the host, with the prefix lengths of their networks.
    pub addresses: Vec<IpNet>,
    /// The default gateways of the host.
    pub gateways: Vec<IpAddr>,
    /// The hardware address of the host.
    pub mac: Mac,
    /// Whether the host is connected to its LAN.
    pub is_up: bool,
    /// The number of Ethernet frames that the host has received.
    pub received: u64,
    /// The number of Ethernet frames that the host has sent.
    pub sent: u64,
}

/// An implementation of [`Hosts`] for a router that has no emulated hosts.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHosts;

impl Hosts for NoHosts {
    fn states(&self) -> BTreeMap<String, HostState> {
        BTreeMap::new()
    }

    fn handle(&mut self, request: &HostRequest, _: Time) -> Result<HostAnswer, String> {
        Err(no_host(&request.name))
    }
}

/// The error message if a router has no host with this name.
pub fn no_host(name: &str) -> String {
    format!("there is no emulated host {name}")
}

/// The pings that consoles have started on one host.
#[derive(Debug, Default)]
pub struct Pings(Vec<PingId>);

impl Pings {
    /// Carries out a task of the host: starts a ping, returns the report of a ping, or stops a
    /// ping. The host sends the first echo of a new ping in its next [`Host::poll`].
    ///
    /// # Errors
    /// The error is a sentence for the user: no ping has this number, or too many pings are
    /// running.
    pub fn handle(&mut self, host: &mut Host, task: &HostTask) -> Result<HostAnswer, String> {
        match *task {
            HostTask::Ping { to, count, size, every_ms } => {
                self.make_room(host)?;
                let pace = every_ms.map(Duration::from_millis);
                let pace = pace.map_or(Pace::Answered, Pace::Every);
                let count = Count::Of(count);
                let id = host.start_ping(PingRequest { count, size, pace, ..PingRequest::new(to) });
                self.0.push(id);
                Ok(HostAnswer { ping: Some(id.number()), ..HostAnswer::default() })
            }
            HostTask::Watch(number) => {
                let report = host.ping(self.find(number)?);
                report.map(answer).ok_or_else(|| no_ping(number))
            }
            HostTask::Stop(number) => {
                let id = self.find(number)?;
                self.0.retain(|other| *other != id);
                host.stop_ping(id).as_ref().map(answer).ok_or_else(|| no_ping(number))
            }
        }
    }

    fn find(&self, number: u32) -> Result<PingId, String> {
        let found = self.0.iter().copied().find(|id| id.number() == number);
        found.ok_or_else(|| no_ping(number))
    }

    /// If the host has the maximum number of pings, removes a ping that has finished. A finished
    /// ping can remain, because a client may end its session without stopping its ping.
    fn make_room(&mut self, host: &mut Host) -> Result<(), String> {
        if self.0.len() < MOST_PINGS {
            return Ok(());
        }
        let is_done = |id: &PingId| host.ping(*id).is_none_or(PingReport::is_done);
        let Some(at) = self.0.iter().position(is_done) else {
            let name = &host.config().name;
            return Err(format!("{name} already runs {MOST_PINGS} pings"));
        };
        host.stop_ping(self.0.remove(at));
        Ok(())
    }
}

fn no_ping(number: u32) -> String {
    format!("there is no ping {number}")
}

fn answer(report: &PingReport) -> HostAnswer {
    let echo = |probe: &Probe| Echo {
        sent_us: probe.sent_at.0,
        mark: if probe.outcome == Outcome::Waiting { '?' } else { probe.outcome.mark() },
        round_trip_us: match probe.outcome {
            Outcome::Reply(time) => Some(u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
            _ => None,
        },
    };
    HostAnswer {
        ping: None,
        is_done: report.is_done(),
        echos: report.probes.iter().map(echo).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::HostConfig;
    use crate::rng::Seed;

    fn host() -> Host {
        let config = HostConfig {
            name: "C".to_owned(),
            addresses: vec!["10.10.10.10/24".parse().unwrap()],
            gateways: Vec::new(),
            mtu: 1500,
            mac: None,
        };
        Host::new(config, &Seed::from_number(1), Time::ZERO).unwrap()
    }

    #[test]
    fn a_ping_is_known_by_its_number_until_it_is_stopped() {
        let (mut host, mut pings) = (host(), Pings::default());
        let to = "10.10.10.1".parse().unwrap();
        let ping = HostTask::Ping { to, count: 1, size: 100, every_ms: None };
        let number = pings.handle(&mut host, &ping).unwrap().ping.unwrap();
        host.poll(Time::ZERO);
        let watched = pings.handle(&mut host, &HostTask::Watch(number)).unwrap();
        assert_eq!((watched.ping, watched.is_done), (None, false));
        assert_eq!(watched.echos.iter().map(|echo| echo.mark).collect::<String>(), "?");
        pings.handle(&mut host, &HostTask::Stop(number)).unwrap();
        for task in [HostTask::Watch(number), HostTask::Stop(number)] {
            assert_eq!(pings.handle(&mut host, &task).unwrap_err(), no_ping(number));
        }
    }

    #[test]
    fn pings_that_nobody_ends_make_room_when_they_are_done() {
        let (mut host, mut pings) = (host(), Pings::default());
        let to = "10.10.10.1".parse().unwrap();
        let ping = HostTask::Ping { to, count: 1, size: 100, every_ms: None };
        for _ in 0..MOST_PINGS {
            pings.handle(&mut host, &ping).unwrap();
        }
        host.poll(Time::ZERO);
        let refused = pings.handle(&mut host, &ping).unwrap_err();
        assert_eq!(refused, format!("C already runs {MOST_PINGS} pings"));
        host.poll(Time::from_secs(10));
        pings.handle(&mut host, &ping).unwrap();
        assert_eq!(pings.0.len(), MOST_PINGS);
    }
}
