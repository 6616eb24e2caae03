//! `lab move`: a host is plugged into another LAN, keeps its addresses and announces itself.
//!
//! Plainly, it leaves one LAN in the instant in which it joins the other. A host that makes before it
//! breaks hears both for a moment, and speaks in the one that it moves to.

use std::fmt;
use std::net::IpAddr;
use std::thread;
use std::time::Duration;

use super::flow::Flow;
use super::patience::Patience;
use super::running::expect_up;
use super::verbs::{self, Call, Step};
use super::{console, emulated, paths, ping, registration, run};
use crate::addr::Family;
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::file::{Host, Lan, Port};
use crate::lab::flow::Course;
use crate::lab::ping::{Echos, Tally};
use crate::lab::roaming::{self, Site};
use crate::lab::scenario::library;
use crate::router::config::InterfaceName;

/// The time between two echos while a move is measured: at least a hundred a second. From 10 ms on
/// `ping` waits in ticks of the kernel, and makes 16 ms of them.
const EVERY: Duration = Duration::from_millis(9);
/// How long the flow runs before the move, and after it.
const AROUND: Duration = Duration::from_secs(2);
/// Time for the registration of a host that has spoken.
const REGISTERING: Duration = Duration::from_millis(300);
/// How long a host that makes before it breaks is in both LANs: time for its registration to come
/// through.
const IN_BOTH: Duration = Duration::from_secs(1);

/// Plugs `host` into the LAN of `to`: a router, or `ROUTER:INTERFACE`. A router with several LANs
/// means the one where the lab file has the host.
pub fn move_host(lab: &Lab, host: &str, to: &str) -> Result<(), Failure> {
    let found = find(lab, host)?;
    let lan = lab.lan_of(host, to)?;
    if found.emulated {
        return hand_over(lab, host, (lan, to));
    }
    let device = &found.device;
    let call = Call::new("lan-move", &lab.name).with(&lan.name).with(host).with(device);
    verbs::run(&[Step::new("move", vec![call])], |_| ())
}

/// The router that runs a host forgets it, and another makes it anew with the same addresses, the
/// hardware address among them.
fn hand_over(lab: &Lab, host: &str, (lan, to): (&Lan, &str)) -> Result<(), Failure> {
    let (router, interface) = emulated::expect(lab, host)?;
    let next = to.split_once(':').map_or(to, |(router, _)| router);
    let port = port_of(lan, next)?;
    let eidway = run::program()?;
    // Asked before the host is gone from where it is.
    console::ask(&paths::socket(lab, next), "show clock")?;
    let mut calls = vec![emulated::stop(lab, host, (&router, &interface), &eidway)];
    calls.extend(emulated::start(lab, host, (lan, port), &eidway));
    verbs::run(&[Step::new("move", calls)], |_| ())
}

/// The same, but the host joins the LAN of `to` a moment before it leaves the LAN that it is in.
pub fn make_before_break(lab: &Lab, host: &str, to: &str) -> Result<(), Failure> {
    let found = find(lab, host)?;
    if found.emulated {
        return Err(Failure::Other(format!(
            "{host} is emulated: a router's process runs it, and cannot make it before another \
             has broken with it; move it without --make-before-break"
        )));
    }
    let device = &found.device;
    let lan = lab.lan_of(host, to)?;
    let call = Call::new("lan-join", &lab.name).with(&lan.name).with(host).with(device);
    verbs::run(&[Step::new("make", vec![call])], |_| ())?;
    wait(IN_BOTH);
    move_host(lab, host, to)
}

/// How the echos to one address of a moving host fared. Its `Display` is a line for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fared {
    /// The host that sent them.
    pub pinger: String,
    /// Whether it got an answer before the move.
    pub answered_before: bool,
    /// The moving host's address.
    pub address: IpAddr,
    /// The losses.
    pub course: Course,
}

impl fmt::Display for Fared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} pings {}: {}", self.pinger, self.address, self.course)?;
        match self.answered_before {
            true => Ok(()),
            false => f.write_str("; it had no answer before the move"),
        }
    }
}

/// Lets `how` move `host` while another host pings each of its addresses, and tells how that fared. The
/// pinger is `from`, or a host that gets answers before the move.
pub fn measured(
    lab: &Lab,
    host: &str,
    from: Option<&str>,
    how: impl FnOnce() -> Result<(), Failure>,
) -> Result<Vec<Fared>, Failure> {
    let addresses = &find(lab, host)?.addresses;
    speak(lab, host)?;
    let mut flows = Vec::new();
    for address in addresses.iter().map(ipnet::IpNet::addr) {
        let (pinger, answered_before) = pinger(lab, host, address, from)?;
        let flow = Flow::start(lab, &pinger, address, EVERY)?;
        flows.push((pinger, answered_before, address, flow));
    }
    if flows.is_empty() {
        return Err(Failure::Other(format!("{host} has no address")));
    }
    wait(AROUND);
    how()?;
    wait(AROUND);
    let fared = flows.into_iter().map(|(pinger, answered_before, address, flow)| {
        Ok(Fared { pinger, answered_before, address, course: flow.end()? })
    });
    fared.collect()
}

/// Lets a host speak to its gateways: one that may roam is found, and registered, when it is heard.
/// An ITR that asks for it before that holds a negative answer for a minute.
fn speak(lab: &Lab, host: &str) -> Result<(), Failure> {
    let once = Echos { count: 1, ..Echos::default() };
    for gateway in &find(lab, host)?.gateways {
        // A gateway of link-local address is at every link, and ping wants to know at which.
        let is_link_local = matches!(gateway, IpAddr::V6(via) if via.is_unicast_link_local());
        if !is_link_local {
            ping::ping(lab, host, *gateway, once, |_| ())?;
        }
    }
    wait(REGISTERING);
    Ok(())
}

/// The host that pings `address` of `host`, and whether it gets an answer: `from`, or else the first of
/// all hosts to get one. The last of the lab is asked first: it is far away and hears of a move last.
fn pinger(
    lab: &Lab,
    host: &str,
    address: IpAddr,
    from: Option<&str>,
) -> Result<(String, bool), Failure> {
    let family = Family::of(address);
    let mut candidates: Vec<&str> = match from {
        Some(from) => vec![from],
        None => {
            let has = |other: &Host| other.address(family).is_some();
            let others = lab.file.hosts().filter(|(name, other)| *name != host && has(other));
            others.map(|(name, _)| name).collect()
        }
    };
    candidates.reverse();
    let Some(first) = candidates.first() else {
        let name = &lab.name;
        return Err(Failure::Other(format!(
            "lab {name} has no other {family} host to ping {host}"
        )));
    };
    let once = Echos { count: 1, ..Echos::default() };
    let asked: Vec<Result<Tally, Failure>> = thread::scope(|scope| {
        let ask = |&from: &&'_ str| ping::ping(lab, from, address, once, |_| ());
        let asked: Vec<_> = candidates.iter().map(|from| scope.spawn(move || ask(from))).collect();
        let lost = |_| Err(Failure::new("a thread of a ping has failed"));
        asked.into_iter().map(|one| one.join().unwrap_or_else(lost)).collect()
    });
    for (from, tally) in candidates.iter().zip(asked) {
        if tally?.received > 0 {
            return Ok(((*from).to_owned(), true));
        }
    }
    Ok(((*first).to_owned(), false))
}

/// Refuses a move to a port where no packet would reach the host, and says which lines are missing at
/// which router.
pub fn expect_roaming(lab: &Lab, host: &str, to: &str) -> Result<(), Failure> {
    let found = find(lab, host)?;
    let next = port_of(lab.lan_of(host, to)?, to.split(':').next().unwrap_or(to))?;
    let home = lab.file.home(host).map_or(next, |(_, port)| port);
    let config = |node: &str| registration::running_config(lab, node);
    let (from_config, to_config) = (config(&home.node)?, config(&next.node)?);
    let from = Site { router: &home.node, config: &from_config, interface: interface(home)? };
    let to = Site { router: &next.node, config: &to_config, interface: interface(next)? };
    let strange = roaming::strange(found, to);
    if strange.is_empty() {
        return Ok(());
    }
    let mut missing = roaming::missing(found, [from, to]);
    for (node, _) in lab.file.routers() {
        let server = config(node).ok();
        missing
            .extend(server.and_then(|config| roaming::missing_at_map_server(found, node, &config)));
    }
    let strange: Vec<String> = strange.iter().map(ToString::to_string).collect();
    let mut text = format!(
        "{host} stays where it is: at {next} nothing is configured for {}, so no packet would reach it.",
        strange.join(" and ")
    );
    for one in missing {
        text.push_str(&format!("\nMissing at {}:\n{one}", one.router));
    }
    let overlay = library::overlay_for(lab, &next.node, &to, found);
    if let Some(overlay) = overlay {
        let name = &lab.name;
        text.push_str(&format!(
            "\nThe lab brings this along: eidway lab down {name}, then eidway lab up {} --with {overlay}",
            lab.asked_for
        ));
    }
    text.push_str("\n--anyway plugs it in nevertheless");
    Err(Failure::Other(text))
}

fn port_of<'a>(lan: &'a Lan, router: &str) -> Result<&'a Port, Failure> {
    let port = lan.ports.iter().find(|port| port.node == router);
    port.ok_or_else(|| Failure::Other(format!("{router} has no LAN")))
}

fn interface(port: &Port) -> Result<InterfaceName, Failure> {
    port.interface.parse().map_err(Failure::Other)
}

fn wait(time: Duration) {
    let patience = Patience::of(time);
    while patience.pause() {}
}

fn find<'a>(lab: &'a Lab, host: &str) -> Result<&'a Host, Failure> {
    lab.expect_node(host)?;
    expect_up(lab)?;
    lab.expect_host(host)
}
