//! Starts and stops emulated hosts (`emulated = true`), and pings from them. An emulated host runs
//! in the process of a router.
//!
//! The lab file defines the home of an emulated host: the LAN of the host, and the router on this
//! LAN that runs the host at first. The lab sends the configuration of the host to this router, as
//! lines on the router's console. Then it connects the host's device to the LAN. After a move, the
//! lab file does not show which router runs the host, so the routers must be asked. To move a host,
//! the lab stops it at one router and starts it at another.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use super::console::Console;
use super::running::{self, expect_up};
use super::time_limit::TimeLimit;
use super::verbs::Call;
use super::{console, paths};
use crate::addr::Family;
use crate::console::emulated_host;
use crate::console::protocol::{Echo, HostAnswer, HostRequest, HostTask};
use crate::console::view::emulated_hosts::EmulatedHostsView;
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::file::{Host, Lan, Mac, Port};
use crate::lab::flow::FlowReport;
use crate::lab::ping::{Echos, Outcome, Tally};
use crate::rng::{Rng, Seed};
use crate::router::config::EmulatedHost;
use crate::router::io;

/// Returns the emulated host with the name `node`. Returns `None` if this node is not an emulated
/// host.
pub fn find<'a>(lab: &'a Lab, node: &str) -> Option<&'a Host> {
    let mut hosts = lab.file.hosts();
    hosts.find(|(name, host)| *name == node && host.emulated).map(|(_, host)| host)
}

/// The names of the emulated hosts of the lab.
pub fn names(lab: &Lab) -> impl Iterator<Item = &str> {
    lab.file.hosts().filter(|(_, host)| host.emulated).map(|(name, _)| name)
}

/// The call that starts a host in the router of `port` and connects the host to `lan`.
pub fn start(lab: &Lab, name: &str, (lan, port): (&Lan, &Port), eidway: &Path) -> Option<Call> {
    let call = Call::new("host-start", &lab.name).with(&lan.name).with(&port.node);
    let call = call.with(&port.interface).with(name).with(eidway.display());
    let lines = emulated_host(name, &made_of(name, find(lab, name)?));
    Some(lines.into_iter().fold(call, Call::with))
}

/// The calls that start the hosts at their homes. If `only_missing` is true, a host is started only
/// in one case: the router at its home is running, and no router runs the host.
pub fn start_at_home(lab: &Lab, only_missing: bool, eidway: &Path) -> Vec<Call> {
    let is_missing = |name: &str, port: &Port| {
        running::pid(lab, &port.node).is_some() && whereabouts(lab, name).is_none()
    };
    let call = |name| {
        let (lan, port) = lab.file.home(name)?;
        let is_due = !only_missing || is_missing(name, port);
        is_due.then(|| start(lab, name, (lan, port), eidway)).flatten()
    };
    names(lab).filter_map(call).collect()
}

/// The call that stops a host in the router that runs it.
pub fn stop(lab: &Lab, name: &str, (router, interface): (&str, &str), eidway: &Path) -> Call {
    let call = Call::new("host-stop", &lab.name).with(router).with(interface);
    call.with(name).with(eidway.display())
}

/// Makes the configuration of a host for its router. A host keeps its hardware address when it
/// moves. So the address is not random: it comes from the lab file, or is computed from the name of
/// the host.
fn made_of(name: &str, host: &Host) -> EmulatedHost {
    let drawn = || {
        let [a, b, c, d, e, ..] = Rng::new(&Seed::from_number(0), name).next_u64().to_be_bytes();
        Mac([2, a, b, c, d, e])
    };
    let gateways = host.gateways.iter().map(|&via| (Family::of(via), via));
    EmulatedHost {
        addresses: host.addresses.clone(),
        gateways: gateways.collect(),
        mac: Some(io::Mac(host.mac.unwrap_or_else(drawn).0)),
    }
}

/// Returns the router that runs a host, and the interface of this router on the host's LAN. The
/// first router that is asked is the router at the home of the host.
pub fn whereabouts(lab: &Lab, name: &str) -> Option<(String, String)> {
    let home = lab.file.home(name).map(|(_, port)| port.node.as_str());
    let others =
        lab.file.routers().map(|(router, _)| router).filter(|router| Some(*router) != home);
    home.into_iter().chain(others).find_map(|router| {
        let command = "show emulated-hosts";
        let view: EmulatedHostsView = console::view(&paths::socket(lab, router), command).ok()?;
        let host = view.hosts.into_iter().find(|host| host.name == name)?;
        Some((router.to_owned(), host.interface.to_string()))
    })
}

/// Returns the router that runs a host, and the interface of this router on the host's LAN. Returns
/// an error if no router runs the host.
pub fn expect(lab: &Lab, name: &str) -> Result<(String, String), Failure> {
    expect_up(lab)?;
    whereabouts(lab, name)
        .ok_or_else(|| Failure::Other(format!("no router of lab {} runs host {name}", lab.name)))
}

/// A running ping of an emulated host.
#[derive(Debug)]
pub struct HostPing {
    console: Console,
    name: String,
    number: u32,
}

impl HostPing {
    /// Begins a ping. `every` is the time between two echos. If it is `None`, the next echo is sent
    /// when the previous echo is answered or lost.
    pub fn start(
        lab: &Lab,
        name: &str,
        to: IpAddr,
        (count, size): (u16, u16),
        every: Option<Duration>,
    ) -> Result<Self, Failure> {
        let (router, _) = expect(lab, name)?;
        let mut console = Console::connect(&paths::socket(lab, &router))?;
        let every_ms = every.map(|every| u64::try_from(every.as_millis()).unwrap_or(u64::MAX));
        let task = HostTask::Ping { to, count, size, every_ms };
        let answer = console.host(&HostRequest { name: name.to_owned(), task })?;
        let number = answer
            .ping
            .ok_or_else(|| Failure::new("the router returned no number for the ping"))?;
        Ok(HostPing { console, name: name.to_owned(), number })
    }

    fn ask(&mut self, task: HostTask) -> Result<HostAnswer, Failure> {
        self.console.host(&HostRequest { name: self.name.clone(), task })
    }

    /// Ends the ping and returns its result as the report of a flow. `every` is the time between
    /// two echos.
    pub fn end(mut self, every: Duration) -> Result<FlowReport, Failure> {
        let answer = self.ask(HostTask::Stop(self.number))?;
        Ok(flow_report(&answer.echos, every))
    }
}

/// Pings from an emulated host. The parameters and the result have the same meanings as those of
/// [`super::ping::ping`].
pub fn ping(
    lab: &Lab,
    name: &str,
    target: IpAddr,
    echos: Echos,
    mut seen: impl FnMut(Outcome),
) -> Result<Tally, Failure> {
    let count = u16::try_from(echos.count).unwrap_or(u16::MAX);
    let mut ping = HostPing::start(lab, name, target, (count, echos.size), None)?;
    let mut tally = Tally::default();
    let time_limit = TimeLimit::of(Duration::MAX);
    loop {
        let answer = ping.ask(HostTask::Watch(ping.number))?;
        let known = answer.echos.iter().map_while(outcome).skip(tally.sent as usize);
        for outcome in known.collect::<Vec<_>>() {
            seen(outcome);
            tally.add(outcome);
        }
        if answer.is_done || !time_limit.pause() {
            ping.ask(HostTask::Stop(ping.number))?;
            return Ok(tally);
        }
    }
}

/// Returns the outcome of an echo, or `None` if the outcome is not known yet.
fn outcome(echo: &Echo) -> Option<Outcome> {
    match (echo.mark, echo.round_trip_us) {
        ('?', _) => None,
        (_, Some(micros)) => Some(Outcome::Answered(Duration::from_micros(micros))),
        ('M', _) => Some(Outcome::TooBig),
        ('U' | '&', _) => Some(Outcome::Unreachable),
        _ => Some(Outcome::Lost),
    }
}

/// Makes the report of a flow. An echo that has no outcome at the end of the flow is not counted.
fn flow_report(echos: &[Echo], every: Duration) -> FlowReport {
    let instant = Duration::from_micros;
    let answers = echos.iter().filter_map(|echo| Some(instant(echo.sent_us + echo.round_trip_us?)));
    let mut answers: Vec<Duration> = answers.collect();
    answers.sort_unstable();
    let end = |echo: Option<&Echo>| echo.map_or(Duration::ZERO, |echo| instant(echo.sent_us));
    let under_way = echos.last().is_some_and(|echo| echo.mark == '?');
    let sent = (echos.len() - usize::from(under_way)) as u64;
    FlowReport::of(sent, (end(echos.first()), end(echos.last())), &answers, every)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_started_with_the_lines_of_its_configuration() {
        let lab = super::super::open::open("gsmr", Some("x")).unwrap();
        let call = start(&lab, "C", lab.file.home("C").unwrap(), Path::new("eidway")).unwrap();
        let text = call.to_string();
        let begin = "netns-scripts/host-start x siteC xTR1 Ethernet2/0 C eidway ";
        assert!(text.starts_with(begin), "{text}");
        for line in [
            "'emulated-host C ip address 10.10.10.10 255.255.255.0 gateway 10.10.10.1'",
            "'emulated-host C ipv6 address 2001:db8:a10::10/64 gateway 2001:db8:a10::1'",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        assert_eq!(
            text,
            start(&lab, "C", lab.file.home("C").unwrap(), "eidway".as_ref()).unwrap().to_string()
        );
        assert!(start(&lab, "A", lab.file.home("C").unwrap(), Path::new("eidway")).is_none());
    }

    #[test]
    fn a_course_counts_the_longest_silence_and_not_what_is_under_way() {
        let echo = |at: u64, round_trip: Option<u64>| Echo {
            sent_us: at * 1000,
            mark: if round_trip == Some(0) { '?' } else { '!' },
            round_trip_us: round_trip.filter(|&micros| micros > 0),
        };
        let echos = [echo(0, Some(100)), echo(10, None), echo(20, Some(100)), echo(30, Some(0))];
        let found = flow_report(&echos, Duration::from_millis(10));
        assert_eq!(found, FlowReport { sent: 3, received: 2, out_ms: 10, is_back: true });
    }
}
