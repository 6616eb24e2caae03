//! `lab move`: plugs a host into another LAN. The host keeps its addresses and announces itself.
//!
//! By default the host leaves one LAN in the instant in which it joins the other. With
//! make-before-break it receives from both for a moment, and sends only in the new LAN.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::addr::{Family, is_ipv6_link_local};
use crate::lab::Lab;
use crate::lab::asked::running_config;
use crate::lab::failure::Failure;
use crate::lab::file::{Host, Port};
use crate::lab::flow::FlowReport;
use crate::lab::ping::Echos;
use crate::lab::roaming::{self, Missing, Site};
use crate::lab::running::{Plugging, RunningLab};
use crate::lab::scenario::library;
use crate::router::config::InterfaceName;

/// The time between two echos while a move is measured: at least a hundred per second. From 10 ms
/// on, `ping` waits in ticks of the kernel, and 10 ms would become 16 ms.
const EVERY: Duration = Duration::from_millis(9);
/// How long the flow runs before the move, and again after it.
const AROUND: Duration = Duration::from_secs(2);
/// The time for the registration of a host that has sent a packet.
const REGISTERING: Duration = Duration::from_millis(300);
/// The result of the echos to one address of a moving host. Its `Display` is a line for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fared {
    /// The host that sent them.
    pub pinger: String,
    /// Whether the pinger got an answer before the move.
    pub answered_before: bool,
    /// The moving host's address.
    pub address: IpAddr,
    /// The losses.
    pub course: FlowReport,
}

impl fmt::Display for Fared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} pings {}: {}", self.pinger, self.address, self.course)?;
        match self.answered_before {
            true => Ok(()),
            false => f.write_str("; there was no answer before the move"),
        }
    }
}

/// Moves `host` to the LAN of `to` while another host pings each of its addresses, and returns the
/// losses. The pinger is `from`, or a host that gets answers before the move.
///
/// # Errors
/// A host without an address, a lab without a pinger, and the errors of [`RunningLab::move_host`].
pub fn measured(
    lab: &Lab,
    running: &mut dyn RunningLab,
    (host, to): (&str, &str),
    from: Option<&str>,
    how: Plugging,
) -> Result<Vec<Fared>, Failure> {
    let addresses = &lab.expect_host(host)?.addresses;
    speak(lab, running, host)?;
    let mut flows = Vec::new();
    for address in addresses.iter().map(ipnet::IpNet::addr) {
        let (pinger, answered_before) = pinger(lab, running, host, address, from)?;
        running.flow(&address.to_string(), &pinger, address, EVERY)?;
        flows.push((pinger, answered_before, address));
    }
    if flows.is_empty() {
        return Err(Failure::Other(format!("{host} has no address")));
    }
    running.pass(AROUND)?;
    running.move_host(host, to, how)?;
    running.pass(AROUND)?;
    let fared = flows.into_iter().map(|(pinger, answered_before, address)| {
        let course = running.end(&address.to_string())?;
        Ok(Fared { pinger, answered_before, address, course })
    });
    fared.collect()
}

/// Pings the gateways of a host. A router finds and registers a host that may roam when it receives
/// a packet from the host. An ITR that asks for the host earlier keeps a negative answer for a
/// minute.
fn speak(lab: &Lab, running: &mut dyn RunningLab, host: &str) -> Result<(), Failure> {
    let once = Echos { count: 1, ..Echos::default() };
    for gateway in &lab.expect_host(host)?.gateways {
        // A link-local address exists on every link, so ping would need the name of the device.
        if !is_ipv6_link_local(*gateway) {
            running.ping(host, *gateway, once, &mut |_| ())?;
        }
    }
    running.pass(REGISTERING)
}

/// The host that pings `address` of `host`, and whether it gets an answer: `from`, or else the
/// first host that gets one. The lab's last host is tried first: it is far away and learns of a
/// move last.
fn pinger(
    lab: &Lab,
    running: &mut dyn RunningLab,
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
    let pings: Vec<(String, IpAddr)> =
        candidates.iter().map(|from| ((*from).to_owned(), address)).collect();
    let tallies = running.ping_each(&pings, once)?;
    if let Some(at) = tallies.iter().position(|tally| tally.received > 0) {
        return Ok((candidates[at].to_owned(), true));
    }
    Ok(((*first).to_owned(), false))
}

/// Refuses a move to a port where no packet would reach the host, and names the missing lines of
/// each router.
///
/// # Errors
/// The missing lines; a node that is not a host, and a router that does not answer.
pub fn expect_roaming(
    lab: &Lab,
    running: &mut dyn RunningLab,
    host: &str,
    to: &str,
) -> Result<(), Failure> {
    let found = lab.expect_host(host)?;
    let next = lab.lan_of(host, to)?.port_of(to.split(':').next().unwrap_or(to))?;
    let home = lab.file.home(host).map_or(next, |(_, port)| port);
    let mut config =
        |node: &str| running_config(node, &mut |command| running.console(node, command));
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
    let overlay = library::overlay_for(lab, &next.node, &to, found);
    Err(not_configured(lab, (host, next), &strange, &missing, overlay))
}

/// The error for a host that no packet would reach at a port.
fn not_configured(
    lab: &Lab,
    (host, next): (&str, &Port),
    strange: &[IpAddr],
    missing: &[Missing],
    overlay: Option<String>,
) -> Failure {
    let strange: Vec<String> = strange.iter().map(ToString::to_string).collect();
    let mut text = format!(
        "{host} was not moved: {next} has no configuration for {}, so no packet would reach \
         {host}.",
        strange.join(" and ")
    );
    for one in missing {
        text.push_str(&format!("\nMissing at {}:\n{one}", one.router));
    }
    if let Some(overlay) = overlay {
        let name = &lab.name;
        text.push_str(&format!(
            "\nThe lab has an overlay with this configuration: run `eidway lab down {name}`, then \
             `eidway lab up {} --with {overlay}`",
            lab.asked_for
        ));
    }
    text.push_str("\nThe option --anyway moves the host without this configuration");
    Failure::Other(text)
}

fn interface(port: &Port) -> Result<InterfaceName, Failure> {
    port.interface.parse().map_err(Failure::Other)
}
