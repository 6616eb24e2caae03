//! `lab move`: moves a host to another LAN. The host keeps its addresses and announces itself.
//!
//! By default, the host leaves the old LAN at the moment when it joins the new LAN. With
//! make-before-break, it is in both LANs for a moment: it receives from both, and sends only in the
//! new LAN.

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
use crate::lab::plugging::Plugging;
use crate::lab::roaming::{self, Missing, Site};
use crate::lab::running::RunningLab;
use crate::lab::scenario::library;
use crate::router::config::InterfaceName;

/// The time between two echos while a move is measured. There are more than a hundred echos per
/// second. If this time were 10 ms or more, `ping` would wait in whole clock ticks of the kernel:
/// 10 ms would become 16 ms.
const EVERY: Duration = Duration::from_millis(9);
/// The time for which the pings continue before the move, and again after the move.
const AROUND: Duration = Duration::from_secs(2);
/// The time within which a host is registered after it has sent a packet.
const REGISTERING: Duration = Duration::from_millis(300);
/// The result of the echos to one address of a host that moves. Its text is one line for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fared {
    /// The host that sends the echos.
    pub pinger: String,
    /// Whether the host that sends the echos got an answer before the move.
    pub answered_before: bool,
    /// The address of the host that moves.
    pub address: IpAddr,
    /// The losses of the echos to this address.
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

/// Moves `host` to the LAN of `to`, while another host pings each address of `host`. Returns the
/// losses. The other host is `from`. If `from` is `None`, it is a host that gets answers before the
/// move.
///
/// # Errors
/// `host` has no address, the lab has no other host that can send pings, or
/// [`RunningLab::move_host`] has returned an error.
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

/// Pings the gateways of `host` from `host`. A router detects and registers a roaming host when it
/// receives a packet from the host. If an ITR asks for the host's mapping before the registration,
/// the ITR keeps a negative answer for a minute.
fn speak(lab: &Lab, running: &mut dyn RunningLab, host: &str) -> Result<(), Failure> {
    let once = Echos { count: 1, ..Echos::default() };
    for gateway in &lab.expect_host(host)?.gateways {
        // A link-local address exists on every link, so `ping` would also need the name of the
        // device. Such gateways are not pinged.
        if !is_ipv6_link_local(*gateway) {
            running.ping(host, *gateway, once, &mut |_| ())?;
        }
    }
    running.pass(REGISTERING)
}

/// Returns the host that pings `address` of `host`, and whether that host gets an answer. If `from`
/// is given, `from` is the host that pings. If not, all other hosts are tried, and the first host
/// that gets an answer is used. The last host of the lab is tried first, because it is far away:
/// the routers there learn of a move last.
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

/// Checks that packets reach a host at its new port. Returns an error otherwise.
///
/// # Errors
/// No packet would reach the host. This error has the missing lines of each router. There is also
/// an error if the node is not a host, or if a router does not answer.
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

/// Makes the error for a host that no packet would reach at its new port.
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
