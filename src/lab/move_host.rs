//! `lab move`: a host is plugged into another LAN, keeps its addresses and announces itself.
//!
//! Plainly, it leaves one LAN in the instant in which it joins the other. A host that makes before it
//! breaks hears both for a moment, and speaks in the one that it moves to.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::failure::Failure;
use super::file::{Host, Lan};
use super::flow::{Course, Flow};
use super::open::Lab;
use super::patience::Patience;
use super::verbs::{self, Call, Step};
use super::{console, emulated, run};

/// The time between two echos while a move is measured: at least a hundred a second. From 10 ms on
/// `ping` waits in ticks of the kernel, and makes 16 ms of them.
const EVERY: Duration = Duration::from_millis(9);
/// How long the flow runs before the move, and after it.
const AROUND: Duration = Duration::from_secs(2);
/// How long a host that makes before it breaks is in both LANs: time for its registration to come
/// through.
const IN_BOTH: Duration = Duration::from_secs(1);

/// Plugs `host` into the LAN of `to`: a router, or `ROUTER:INTERFACE`. A router with several LANs
/// means the one where the lab file has the host.
pub fn move_host(lab: &Lab, host: &str, to: &str) -> Result<(), Failure> {
    let found = find(lab, host)?;
    let lan = lan_of(lab, host, to)?;
    if found.emulated {
        return hand_over(lab, host, (lan, to));
    }
    let device = &found.device;
    let call = Call::new("lan-move", &lab.name).with(&lan.name).with(host).with(device);
    verbs::run(&[Step::new("move", vec![call])], |_| ())
}

/// The router that plays a host forgets it, and another makes it anew with the same addresses, the
/// hardware address among them.
fn hand_over(lab: &Lab, host: &str, (lan, to): (&Lan, &str)) -> Result<(), Failure> {
    let (router, interface) = emulated::expect(lab, host)?;
    let next = to.split_once(':').map_or(to, |(router, _)| router);
    let port = lan.ports.iter().find(|port| port.node == next);
    let port = port.ok_or_else(|| Failure::Other(format!("{to} has no LAN")))?;
    let eidway = run::program()?;
    // Asked before the host is gone from where it is.
    console::ask(&lab.socket(next), "show clock")?;
    let mut calls = vec![emulated::stop(lab, host, (&router, &interface), &eidway)];
    calls.extend(emulated::start(lab, host, (lan, port), &eidway));
    verbs::run(&[Step::new("move", calls)], |_| ())
}

/// The same, but the host joins the LAN of `to` a moment before it leaves the LAN that it is in.
pub fn make_before_break(lab: &Lab, host: &str, to: &str) -> Result<(), Failure> {
    let found = find(lab, host)?;
    if found.emulated {
        return Err(Failure::Other(format!(
            "{host} is emulated: a router's process plays it, and cannot make it before another \
             has broken with it; move it without --make-before-break"
        )));
    }
    let device = &found.device;
    let lan = lan_of(lab, host, to)?;
    let call = Call::new("lan-join", &lab.name).with(&lan.name).with(host).with(device);
    verbs::run(&[Step::new("make", vec![call])], |_| ())?;
    wait(IN_BOTH);
    move_host(lab, host, to)
}

/// How the echos to one address of a moving host fared. Its `Display` is a line for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fared {
    /// The host's address.
    pub address: IpAddr,
    /// What was lost.
    pub course: Course,
}

impl fmt::Display for Fared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.address, self.course)
    }
}

/// Lets `how` move `host` while another host pings each of its addresses, and tells how that fared.
pub fn measured(
    lab: &Lab,
    host: &str,
    how: impl FnOnce() -> Result<(), Failure>,
) -> Result<Vec<Fared>, Failure> {
    let addresses = &find(lab, host)?.addresses;
    if addresses.is_empty() {
        return Err(Failure::Other(format!("{host} has no address")));
    }
    // Whoever is far away hears of the move last.
    let others = lab.file.hosts().map(|(name, _)| name).filter(|name| *name != host);
    let Some(other) = others.last() else {
        return Err(Failure::Other(format!("lab {} has no other host to ping {host}", lab.name)));
    };
    let mut flows = Vec::new();
    for address in addresses.iter().map(ipnet::IpNet::addr) {
        flows.push((address, Flow::start(lab, other, address, EVERY)?));
    }
    wait(AROUND);
    how()?;
    wait(AROUND);
    let ended = |(address, flow): (IpAddr, Flow)| Ok(Fared { address, course: flow.end()? });
    flows.into_iter().map(ended).collect()
}

fn wait(time: Duration) {
    let patience = Patience::of(time);
    while patience.pause() {}
}

fn find<'a>(lab: &'a Lab, host: &str) -> Result<&'a Host, Failure> {
    lab.expect_node(host)?;
    lab.expect_up()?;
    let mut hosts = lab.file.hosts();
    let found = hosts.find(|(name, _)| *name == host);
    found.map(|(_, host)| host).ok_or_else(|| Failure::Other(format!("{host} is no host")))
}

/// The LAN that `to` means for a host.
pub fn lan_of<'a>(lab: &'a Lab, host: &str, to: &str) -> Result<&'a Lan, Failure> {
    let (router, interface) = match to.split_once(':') {
        Some((router, interface)) => (router, Some(super::run::device(lab, router, interface)?)),
        None => (to, None),
    };
    lab.expect_router(router)?;
    let fits = |lan: &&Lan| {
        lan.ports.iter().any(|port| {
            port.node == router && interface.as_ref().is_none_or(|device| *device == port.device)
        })
    };
    let lans: Vec<&Lan> = lab.file.lans.iter().filter(fits).collect();
    let home = |lan: &&&Lan| lan.ports.iter().any(|port| port.node == host);
    match (&lans[..], lans.iter().find(home)) {
        ([lan], _) | (_, Some(lan)) => Ok(lan),
        ([], None) => Err(Failure::Other(format!("{to} has no LAN"))),
        (_, None) => {
            let ports = lans.iter().flat_map(|lan| &lan.ports).filter(|port| port.node == router);
            let names: Vec<String> = ports.map(ToString::to_string).collect();
            Err(Failure::Other(format!("{to} has several LANs: {}", names.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_router_means_its_only_lan_or_the_hosts_own() {
        let lab = Lab::open("gsmr", None).unwrap();
        let name = |host: &str, to: &str| lan_of(&lab, host, to).map(|lan| lan.name.clone());
        assert_eq!(name("A", "xTR2").unwrap(), "siteB");
        assert_eq!(name("A", "xTR1").unwrap(), "siteA");
        assert_eq!(name("B", "xTR1:Ethernet2/0").unwrap(), "siteC");
        let error = name("B", "xTR1").unwrap_err().to_string();
        assert!(error.contains("xTR1:Ethernet3/0"), "{error}");
        assert!(name("A", "Core1").is_err() && name("A", "nobody").is_err());
    }
}
