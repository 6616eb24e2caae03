//! The inputs and outputs of the core as text. The log and `eidway replay` use this text.

use std::fmt::{self, Display, Formatter};

use super::debugging::DebugType;
use super::io::{
    Command, Device, DropReason, Encapsulation, Fragmentation, HostWish, IcmpError, Inbound,
    KernelEvent, KernelObject, KernelRequest, KernelRoute, LISP_DEVICE, LigQuestion,
    NeighbourState, Outbound, PathEvent, ProcessEvent, ProcessObject, ProcessRequest, RouteTarget,
    RuleSelector, Table, TcpEvent, TcpRequest,
};
use crate::addr::Family;
use crate::wire::IcmpErrorKind;

impl Display for Device {
    /// Prints the Linux name.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Table::Native => "table 4341",
            Table::Main => "table main",
        })
    }
}

impl Display for RouteTarget {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            RouteTarget::NextHop(address) => write!(f, "via {address}"),
            RouteTarget::Device(device) => write!(f, "by {device}"),
            RouteTarget::Blackhole => f.write_str("that drops packets"),
            RouteTarget::Unreachable => f.write_str("that rejects packets as unreachable"),
        }
    }
}

impl Display for KernelObject {
    /// Prints an object of the kernel as a noun with its article.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            KernelObject::Namespace => f.write_str("the settings of the namespace"),
            KernelObject::Link { device, up, mtu, proxy_arp, mac, mobility } => {
                write!(f, "the settings of {device}: {}", if *up { "up" } else { "down" })?;
                mtu.map_or(Ok(()), |mtu| write!(f, ", MTU {mtu}"))?;
                mac.map_or(Ok(()), |mac| write!(f, ", hardware address {mac}"))?;
                f.write_str(if *proxy_arp { ", proxy ARP" } else { "" })?;
                f.write_str(if *mobility { ", hosts may roam" } else { "" })
            }
            KernelObject::Address { device, address, connected } => {
                let alone = if *connected { "" } else { " without a route to its network" };
                write!(f, "the address {address} of {device}{alone}")
            }
            KernelObject::Rule { family, priority, selector, table } => {
                let family = family_name(*family);
                write!(f, "the {family} rule {priority}, ")?;
                match selector {
                    RuleSelector::FromLisp => write!(f, "from lisp0 to {table}"),
                    RuleSelector::Source(rloc) => write!(f, "from {rloc} to {table}"),
                }
            }
            KernelObject::Route { table, prefix, target, metric, source } => {
                write!(f, "the route to {prefix} {target} in {table}")?;
                match metric {
                    0 => Ok(()),
                    metric => write!(f, ", metric {metric}"),
                }?;
                source.map_or(Ok(()), |source| write!(f, ", with source {source}"))
            }
            KernelObject::ProxyNeighbour { device, address } => {
                write!(f, "the proxy neighbour entry for {address} on {device}")
            }
        }
    }
}

/// Names the objects in one line. If there are many objects, names only the first six.
pub fn list(objects: &[KernelObject]) -> String {
    const NAMED: usize = 6;
    let named: Vec<String> = objects.iter().take(NAMED).map(KernelObject::to_string).collect();
    let named = named.join("; ");
    match objects.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named}; and {more} more"),
    }
}

fn family_name(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "IPv4",
        Family::Ipv6 => "IPv6",
    }
}

impl Display for KernelRequest {
    /// Prints a request to the kernel as a verb with its object: `add the address 10.0.0.1/24 of
    /// et0-0`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            KernelRequest::Add(object) => write!(f, "add {object}"),
            KernelRequest::Remove(object) => write!(f, "remove {object}"),
            KernelRequest::Probe { device, address } => {
                write!(f, "ask whether {address} is on {device}")
            }
            KernelRequest::Watch { device, address } => write!(f, "watch {address} on {device}"),
            KernelRequest::Forget { device, address } => {
                write!(f, "forget the hardware address of {address} on {device}")
            }
            KernelRequest::Announce { device, address } => {
                write!(f, "announce {address} on {device}")
            }
        }
    }
}

impl Display for KernelRoute {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let KernelRoute { prefix, device, gateway, metric } = self;
        write!(f, "route to {prefix} by {device}")?;
        gateway.map_or(Ok(()), |gateway| write!(f, " via {gateway}"))?;
        if *metric > 0 { write!(f, ", metric {metric}") } else { Ok(()) }
    }
}

impl Display for KernelEvent {
    /// Prints an event of the kernel as a sentence.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            KernelEvent::Link { device, up, carrier, mtu } => {
                let state = match (up, carrier) {
                    (false, _) => "is set down",
                    (true, false) => "is up without a carrier",
                    (true, true) => "is up",
                };
                write!(f, "{device} {state}, MTU {mtu}")
            }
            KernelEvent::LinkGone { device } => write!(f, "{device} is deleted"),
            KernelEvent::Routes(routes) => write!(f, "table main has {} routes", routes.len()),
            KernelEvent::RouteAdded(route) => write!(f, "the {route} is added"),
            KernelEvent::RouteRemoved(route) => write!(f, "the {route} is removed"),
            KernelEvent::Neighbour { device, address, state } => match state {
                NeighbourState::Known(mac) => {
                    write!(f, "{address} on {device} has the hardware address {mac}")
                }
                NeighbourState::Failed => write!(f, "{address} on {device} does not answer"),
                NeighbourState::Absent => {
                    write!(f, "{address} on {device} has no known hardware address")
                }
            },
            KernelEvent::NeighbourTable { family, entries, limit } => {
                write!(f, "the neighbour table of {family} has {entries} entries of {limit}")
            }
            KernelEvent::Lost(objects) => {
                write!(f, "{} vanished from the kernel", list(objects))
            }
            KernelEvent::Refused { request, error } => {
                write!(f, "the kernel refused to {request}: {error}")
            }
        }
    }
}

impl Display for ProcessObject {
    /// Prints an object of the process as a noun.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            ProcessObject::Tunnel => f.write_str(LISP_DEVICE),
            ProcessObject::Sockets { rloc, fragmentation } => {
                let packets = match fragmentation {
                    Fragmentation::Never => "",
                    Fragmentation::ByPath => " (the kernel fragments packets for the path)",
                    Fragmentation::Always => " (packets may be fragmented)",
                };
                write!(f, "the UDP sockets of {rloc}{packets}")
            }
            ProcessObject::Listener(rloc) => write!(f, "the TCP listener of {rloc}"),
            ProcessObject::Host(HostWish { interface, name, .. }) => {
                write!(f, "the emulated host {name} on {interface}")
            }
        }
    }
}

impl Display for ProcessRequest {
    /// Prints a request to the process as a verb with its object.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            ProcessRequest::Open(object) => write!(f, "open {object}"),
            ProcessRequest::Close(object) => write!(f, "close {object}"),
        }
    }
}

impl Display for ProcessEvent {
    /// Prints an event of the process as a sentence.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            ProcessEvent::Lost(object) => write!(f, "{object} has gone"),
            ProcessEvent::Refused { object, error } => {
                write!(f, "{object} cannot be opened: {error}")
            }
        }
    }
}

impl Display for TcpEvent<'_> {
    /// Prints an event on TCP as a sentence.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            TcpEvent::Connected { connection, local } => {
                write!(f, "connection {} is established from {local}", connection.0)
            }
            TcpEvent::Accepted { connection, peer, local } => {
                write!(f, "connection {} is accepted from {peer} to {local}", connection.0)
            }
            TcpEvent::Bytes(connection, octets) => {
                write!(f, "connection {} delivers {} octets", connection.0, octets.len())
            }
            TcpEvent::Closed(connection) => write!(f, "connection {} has ended", connection.0),
            TcpEvent::Refused(connection) => write!(f, "connection {} is refused", connection.0),
        }
    }
}

impl Display for TcpRequest {
    /// Prints a request about TCP as a verb with its object.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            TcpRequest::Connect { connection, source, destination } => {
                write!(f, "open connection {} from {source} to {destination}", connection.0)
            }
            TcpRequest::Send(connection, octets, _) => {
                write!(f, "send {} octets on connection {}", octets.len(), connection.0)
            }
            TcpRequest::Close(connection) => write!(f, "close connection {}", connection.0),
        }
    }
}

impl Display for PathEvent {
    /// Prints an event about a path as a sentence.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            PathEvent::NoRoute(rloc) => write!(f, "there is no route to locator {rloc}"),
            PathEvent::Icmp(IcmpError { rloc, port, reporter, kind, .. }) => {
                let what = kind.describe();
                write!(
                    f,
                    "{reporter} reports an ICMP error about a packet to port {port} of {rloc}: \
                     {what}"
                )?;
                match kind {
                    IcmpErrorKind::TooBig { mtu } => write!(f, ", MTU {mtu}"),
                    _ => Ok(()),
                }
            }
        }
    }
}

impl Display for Command {
    /// Prints the command as the user types it.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Command::ClearMapCache { family, prefix } => {
                let family = if *family == Family::Ipv4 { "ip" } else { "ipv6" };
                write!(f, "clear {family} lisp map-cache")?;
                prefix.map_or(Ok(()), |prefix| write!(f, " {prefix}"))
            }
            Command::Lig(LigQuestion { eid, resolver, requests }) => {
                write!(f, "lig {}", eid.address)?;
                if let Some(resolver) = resolver {
                    write!(f, " to {resolver}")?;
                }
                write!(f, " count {requests}")
            }
            Command::Debug { types, on } => {
                let words: Vec<&str> = types.types().map(DebugType::word).collect();
                let debug = if *on { "debug" } else { "undebug" };
                write!(f, "{debug} lisp {}", words.join(", "))
            }
            Command::ClearStatistics => f.write_str("clear counters"),
            Command::ClearSessions(None) => f.write_str("clear lisp session *"),
            Command::ClearSessions(Some(peer)) => write!(f, "clear lisp session {peer}"),
            Command::Watch(true) => f.write_str("watch"),
            Command::Watch(false) => f.write_str("no watch"),
            Command::AskNeighbours => f.write_str("clear arp-cache"),
        }
    }
}

impl Display for Encapsulation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "from {} to {}", self.source, self.destination)
    }
}

impl Display for Outbound {
    /// Prints the verdict on the packet.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Outbound::Encapsulate(encapsulation) => write!(f, "is encapsulated {encapsulation}"),
            Outbound::Native => f.write_str("is forwarded natively"),
            Outbound::Held => f.write_str("waits for a Map-Reply, or for the search for its host"),
            Outbound::Dropped(reason) => write!(f, "is dropped: {}", reason.explain()),
        }
    }
}

impl Display for Inbound {
    /// Prints the verdict on the packet.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Inbound::Deliver { instance_id, len } => {
                write!(f, "is delivered to instance {instance_id}, {len} octets")
            }
            Inbound::Forward { encapsulation, .. } => {
                write!(f, "is encapsulated {encapsulation}, because its host has moved")
            }
            Inbound::Held => f.write_str("waits until its host is found"),
            Inbound::Dropped(reason) => write!(f, "is dropped: {}", reason.explain()),
        }
    }
}

impl DropReason {
    /// Returns the cause of the drop as a sentence without a full stop.
    pub fn explain(self) -> &'static str {
        match self {
            DropReason::NotIp => "the packet is not a complete IPv4 or IPv6 packet",
            DropReason::LinkScoped => {
                "LISP does not forward link-local, multicast or broadcast packets"
            }
            DropReason::NotAnItr => {
                "this router is not an ITR or proxy ITR for the address family of the packet"
            }
            DropReason::LocalEidNoRoute => {
                "the destination of the packet is a local EID, but the router has no route to it"
            }
            DropReason::MappingDrops => "the mapping for the destination has the action drop",
            DropReason::NoUsableLocator => "the mapping for the destination has no usable locator",
            DropReason::TooBigForPath => "the packet is too big for the path to the locator",
            DropReason::NoMapResolver => "no map-resolver is configured",
            DropReason::HoldQueueFull => "too many packets wait for Map-Replies",
            DropReason::Unresolved => "no Map-Reply came for the destination of the packet",
            DropReason::BadDataHeader => "the packet has no LISP header",
            DropReason::BadInnerPacket => "the inner packet is not a complete IPv4 or IPv6 packet",
            DropReason::InnerLinkScoped => {
                "LISP does not forward a link-local or multicast inner packet"
            }
            DropReason::UnknownInstance => {
                "the instance-ID of the packet is not configured on this router"
            }
            DropReason::NotAnEtr => {
                "this router is not an ETR or proxy ETR for the address family of the packet"
            }
            DropReason::NotOurEid => "the destination of the packet is not an EID of this router",
            DropReason::NoRouteToEid => {
                "the destination of the packet is a local EID, but the router has no route to it"
            }
            DropReason::SourceIsHere => "the inner source of the packet is at this site",
            DropReason::EidAway => "the destination, a local EID, is not at this xTR",
            DropReason::OuterTtlExpired => "the TTL of the packet reached 0 on the path",
            DropReason::EcnMismatch => {
                "the outer header is marked as congested, but the transport of the inner packet \
                 does not support ECN"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::Rloc;
    use crate::router::config::InterfaceName;

    fn port() -> Device {
        Device::Interface(InterfaceName::of_device("et1-0").unwrap())
    }

    #[test]
    fn what_the_kernel_refuses_is_said_in_a_sentence() {
        let route = KernelObject::Route {
            table: Table::Main,
            prefix: "172.16.0.12/32".parse().unwrap(),
            target: RouteTarget::Device(port()),
            metric: 0,
            source: None,
        };
        let error = "Network is down".to_owned();
        let refused = KernelEvent::Refused { request: KernelRequest::Add(route), error };
        assert_eq!(
            refused.to_string(),
            "the kernel refused to add the route to 172.16.0.12/32 by et1-0 in table main: Network is \
             down"
        );
        let rule = KernelObject::Rule {
            family: Family::Ipv4,
            priority: 1000,
            selector: RuleSelector::Source(Rloc("203.0.113.11".parse().unwrap())),
            table: Table::Main,
        };
        assert_eq!(rule.to_string(), "the IPv4 rule 1000, from 203.0.113.11 to table main");
    }

    #[test]
    fn a_verdict_is_a_sentence_about_the_packet() {
        let dropped = Inbound::Dropped(DropReason::NoRouteToEid).to_string();
        assert_eq!(
            dropped,
            "is dropped: the destination of the packet is a local EID, but the router has no route to it"
        );
    }

    /// The names that Rust derives (`Debug`) contain braces, or words with capital letters inside.
    #[test]
    fn no_cause_of_a_drop_reads_like_rust() {
        for reason in DropReason::ALL {
            let text = reason.explain();
            assert!(text.contains(' ') && !text.contains(['{', '(', '.']), "{text}");
        }
    }
}
