//! The exec commands `ping`, `traceroute` and `lig`.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;

use super::exec::exec;
use super::row::Row;
use crate::addr::{Eid, Family};
use crate::console::args::{Args, Fault};
use crate::console::exec::{Action, LigRequest, LigTarget, ProbeCommand, ProbeRequest};
use crate::console::running::{PingOptions, Source, TracerouteOptions};
use crate::router::config::Config;

/// The message of IOS for a name that has no address.
const UNKNOWN: &str = "Unrecognized host or address, or protocol not running.";
/// The message for an option that a line contains twice.
const TWICE: &str = "the line contains this option twice";

/// The pattern for five options in any order. The pattern has five optional places, and each place
/// accepts each of the options.
macro_rules! in_any_order {
    ($option:literal) => {
        concat!("[", $option, " [", $option, " [", $option, " [", $option, " [", $option, "]]]]]")
    };
}

/// The help texts of a command with [`in_any_order`]: first the help texts of the words before the
/// options, then, for each place, the help texts of all options.
const fn with_options<const ALL: usize, const FIRST: usize, const OPTIONS: usize>(
    first: [&'static str; FIRST],
    options: [&'static str; OPTIONS],
) -> [&'static str; ALL] {
    let mut all = [""; ALL];
    let mut at = 0;
    while at < ALL {
        all[at] = if at < FIRST { first[at] } else { options[(at - FIRST) % OPTIONS] };
        at += 1;
    }
    all
}

const ADDRESS: &str = "Address to reach";
const NAME: &str = "Name of a host (see show hosts)";

const PING_HELP: [&str; 5 + 5 * 10] = with_options(
    ["Send echo messages", "IPv4 echo", "IPv6 echo", ADDRESS, NAME],
    [
        "Specify the source",
        "Interface of the source",
        "Address of the source",
        "Specify the number of echo messages",
        "Number of echo messages",
        "Specify the size of each packet",
        "Octets of each IP packet",
        "Specify the time to wait for an answer",
        "Seconds",
        "Do not fragment the packets",
    ],
);

const TRACE: &str = "Trace the route to a destination";
const TRACE_HELP: [&str; 6 + 5 * 11] = with_options(
    [TRACE, TRACE, "IPv4 trace", "IPv6 trace", ADDRESS, NAME],
    [
        "Specify the source",
        "Interface of the source",
        "Address of the source",
        "Specify the time to wait for an answer",
        "Seconds",
        "Specify the number of packets for each TTL",
        "Packets for each TTL",
        "Specify the first and the last TTL",
        "First TTL",
        "Last TTL",
        "Print addresses, not names (this router has no names)",
    ],
);

pub(super) const ROWS: &[Row] = &[
    exec(
        concat!(
            "ping [{ip|ipv6}] {<target:address>|<name:word>} ",
            in_any_order!(
                "{source {<interface:interface>|<source:address>}|repeat <count:1-2147483647>\
                 |size <size:36-18024>|timeout <timeout:0-3600>|df-bit}"
            )
        ),
        &PING_HELP,
        ping,
    ),
    exec(
        concat!(
            "{traceroute|trace} [{ip|ipv6}] {<target:address>|<name:word>} ",
            in_any_order!(
                "{source {<interface:interface>|<source:address>}|timeout <timeout:1-3600>\
                 |probe <probes:1-65535>|ttl <first:1-255> <last:1-255>|numeric}"
            )
        ),
        &TRACE_HELP,
        traceroute,
    ),
    exec(
        "lig {<target:address>|self [{ipv4|ipv6}]|<name:word>} \
         [{to <resolver:address> [count <count:1-5>]|count <count:1-5> [to <resolver:address>]}]",
        &[
            "LISP Internet Groper: ask the mapping system for a mapping",
            "EID to ask for",
            "Ask for an EID of this router, to see whether it is registered",
            "An IPv4 EID of this router",
            "An IPv6 EID of this router",
            NAME,
            "Ask this map-resolver",
            "Address of the map-resolver",
            "Specify the maximum number of Map-Requests",
            "Number of Map-Requests",
            "Specify the maximum number of Map-Requests",
            "Number of Map-Requests",
            "Ask this map-resolver",
            "Address of the map-resolver",
        ],
        lig,
    ),
];

/// The value of an option, or its default. The same option must not be in a line twice.
fn option<T: FromStr>(args: &Args<'_>, name: &str, default: T) -> Result<T, Fault> {
    match args.given(name) {
        true => args.optional(name).ok_or_else(|| args.fault(name, TWICE)),
        false => Ok(default),
    }
}

/// The target in a line: an address, or a name and one of its addresses. If the line does not name
/// a family, an IPv4 address is preferred.
fn target(
    args: &Args<'_>,
    config: &Config,
    family: Option<Family>,
) -> Result<(IpAddr, Option<String>), Fault> {
    let fits = |address: &IpAddr| family.is_none_or(|family| Family::of(*address) == family);
    if args.given("target") {
        let target: IpAddr = args.value("target")?;
        return match family.filter(|_| !fits(&target)) {
            Some(family) => Err(args.fault("target", format!("an {family} address is expected"))),
            None => Ok((target, None)),
        };
    }
    let name: String = args.value("name")?;
    let mut addresses: Vec<IpAddr> = config.hosts.get(&name).cloned().unwrap_or_default();
    let mut interfaces = config.interfaces.values();
    let emulated = interfaces.find_map(|interface| interface.emulated_hosts.get(&name));
    addresses.extend(emulated.iter().flat_map(|host| &host.addresses).map(IpNet::addr));
    addresses.retain(fits);
    let found = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
    let unknown = || Fault { in_value: false, ..args.fault("name", UNKNOWN) };
    Ok((*found.ok_or_else(unknown)?, Some(name)))
}

/// Returns the action of a command that sends packets. The target and the source come from the
/// line.
fn request(args: &Args<'_>, config: &Config, command: ProbeCommand) -> Result<Action, Fault> {
    let family = match (args.has("ip"), args.has("ipv6")) {
        (true, _) => Some(Family::Ipv4),
        (_, true) => Some(Family::Ipv6),
        _ => None,
    };
    let (target, name) = target(args, config, family)?;
    let source = match (args.given("interface"), args.given("source")) {
        (true, true) => return Err(args.fault("source", TWICE)),
        (true, false) => Some(Source::Interface(args.value("interface")?)),
        (false, true) => Some(Source::Address(args.value("source")?)),
        (false, false) => None,
    };
    Ok(Action::Probe(ProbeRequest { target, name, source, command }))
}

fn ping(args: &Args<'_>, config: &Config) -> Result<Action, Fault> {
    let default = PingOptions::default();
    let options = PingOptions {
        count: option(args, "count", default.count)?,
        size: option(args, "size", default.size)?,
        timeout: Duration::from_secs(option(args, "timeout", default.timeout.as_secs())?),
        df: args.has("df-bit"),
        shows_source: args.has("source"),
    };
    request(args, config, ProbeCommand::Ping(options))
}

fn traceroute(args: &Args<'_>, config: &Config) -> Result<Action, Fault> {
    let default = TracerouteOptions::default();
    let options = TracerouteOptions {
        timeout: Duration::from_secs(option(args, "timeout", default.timeout.as_secs())?),
        probes: option(args, "probes", default.probes)?,
        first_ttl: option(args, "first", default.first_ttl)?,
        last_ttl: option(args, "last", default.last_ttl)?,
    };
    if options.first_ttl > options.last_ttl {
        return Err(args.fault("last", "the last TTL must not be less than the first TTL"));
    }
    request(args, config, ProbeCommand::Traceroute(options))
}

fn lig(args: &Args<'_>, config: &Config) -> Result<Action, Fault> {
    let target = match args.has("self") {
        true if args.has("ipv6") => LigTarget::Own(Family::Ipv6),
        true => LigTarget::Own(Family::Ipv4),
        false => {
            let (address, name) = target(args, config, None)?;
            LigTarget::Eid(Eid::new(config.instance_of_command(None), address), name)
        }
    };
    let (resolver, requests) = (args.optional("resolver"), args.optional("count").unwrap_or(3));
    Ok(Action::Lig(LigRequest { target, resolver, requests }))
}
