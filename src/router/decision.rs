//! A decision on a packet of EIDs, as plain data: the verdict, the reason, and the changes in the
//! router that follow from the packet.
//!
//! [`Router::explain`](super::Router::explain) returns a decision and changes nothing. Only
//! `carry_out.rs` acts on a decision.

use serde::{Deserialize, Serialize};

use super::io::{DropReason, Encapsulation, Outer};
use super::mobility::Discovery;
use crate::addr::{Eid, EidPrefix, InstanceId, Rloc};
use crate::packet::{IpHeader, Load, Packet};
use crate::prefix_map::Slot;
use crate::wire::DataHeader;

/// A decision on a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The treatment of the packet.
    pub verdict: Verdict,
    /// The reason.
    pub because: Because,
    /// The TTL or hop limit that the packet gets. [`Verdict::Forward`] subtracts one from this
    /// value.
    pub ttl: u8,
    /// The type of service or traffic class that the packet gets.
    pub tos: u8,
    /// The changes in the router that follow from the packet.
    pub wants: Wants,
}

/// The treatment of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A packet from the site is encapsulated to a locator.
    Encapsulate(Encapsulation),
    /// A packet from the site is forwarded without LISP.
    Native,
    /// A packet from the core is for an EID of the site.
    Deliver,
    /// A packet from the core is for a host that moved away, and is encapsulated to the new locator
    /// of the host.
    Forward(Encapsulation),
    /// The router keeps a copy of the packet, which waits.
    Hold(Awaited),
    /// The packet is dropped.
    Drop(DropReason),
}

/// The reason of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Awaited {
    /// The mapping of its destination.
    Mapping,
    /// The destination of the packet, a host that the router is looking for.
    Host,
}

/// From where a packet was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `lisp0`.
    Site,
    /// The data port.
    Core {
        /// The outer headers.
        outer: Outer,
        /// The LISP header.
        lisp: DataHeader,
    },
}

impl Origin {
    /// The xTR that encapsulated the packet.
    pub(super) fn encapsulator(&self) -> Option<Rloc> {
        match self {
            Origin::Site => None,
            Origin::Core { outer, .. } => Some(Rloc(outer.source)),
        }
    }
}

/// All data about a packet of EIDs on which the router decides, except its octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Transit {
    pub instance_id: InstanceId,
    /// The header as the packet has it.
    pub header: IpHeader,
    /// The number of packets on the wire that the packet stands for, and of their octets.
    pub load: Load,
    pub origin: Origin,
    /// Whether the packet has waited. Such a packet does not wait for a mapping again, and its LISP
    /// header has been read already.
    pub has_waited: bool,
}

impl Transit {
    /// A packet that has just arrived.
    pub(super) fn new(
        instance_id: InstanceId,
        header: IpHeader,
        origin: Origin,
        packet: &Packet<'_>,
    ) -> Self {
        let load = packet.load(header.total_len);
        Transit { instance_id, header, load, origin, has_waited: false }
    }

    /// The source of the packet.
    pub(super) fn source(&self) -> Eid {
        Eid::new(self.instance_id, self.header.source)
    }

    /// The destination of the packet.
    pub(super) fn destination(&self) -> Eid {
        Eid::new(self.instance_id, self.header.destination)
    }
}

/// The changes in the router that follow from a packet, in addition to its verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Wants {
    /// The consequence of the check of the source.
    pub source: SourceWant,
    /// Read the nonce and the Locator-Status-Bits of the LISP header (RFC 9300 section 10).
    pub read_header: bool,
    /// Note the encapsulator as a peer of this local prefix: the router sends the peer an SMR when
    /// the mapping changes.
    pub hear: Option<EidPrefix>,
    /// Search for the source, a host that has not been found.
    pub search_source: bool,
    /// Count the packet for this entry of the map-cache.
    pub count: Option<Slot>,
    /// Count that the nonce of the packet begins a request for its echo (RFC 9300 section 10.1).
    pub begin_echo: bool,
    /// The note to make in the flow cache.
    pub remember: FlowWant,
    /// Search for the destination, a host that has not been found.
    pub search_destination: Option<Discovery>,
    /// Send an SMR to the encapsulator, because its mapping is old (RFC 9301 section 6.1).
    pub solicit: bool,
    /// Tell the sender of the packet that the path permits no more than this number of octets.
    pub tell_too_big: Option<u32>,
}

/// The consequence of the check of the inner source of a packet from the core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceWant {
    /// Nothing.
    #[default]
    Nothing,
    /// Note that the source is elsewhere, so that its next packet needs no lookup.
    Note,
    /// Ask the host, which was found here, whether it is still here.
    AskHost,
}

/// A note in the flow cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlowWant {
    /// Nothing.
    #[default]
    Nothing,
    /// That a packet of the flow was sent to its locator: then the router believes an ICMP error
    /// about the packet.
    Sent,
    /// The same as `Sent`, and the decision: the next packets of the flow get the same decision.
    Decision,
}

/// The reason of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Because {
    /// The rule.
    pub rule: Rule,
    /// The line of a table that decided, if there is one.
    pub line: Option<TableLine>,
}

impl Because {
    /// A rule that needs no table.
    pub(super) fn rule(rule: Rule) -> Self {
        Because { rule, line: None }
    }

    /// A rule, and the line that it was applied to.
    pub(super) fn line(rule: Rule, table: Table, prefix: EidPrefix) -> Self {
        Because { rule, line: Some(TableLine { table, prefix }) }
    }
}

/// A line of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableLine {
    /// The table.
    pub table: Table,
    /// The EID prefix of the line: the longest prefix that contains the address.
    pub prefix: EidPrefix,
}

/// A table that a decision depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Table {
    /// The map-cache: a learned entry.
    MapCache,
    /// The map-cache: a static entry, which makes the router send a Map-Request.
    StaticMapCache,
    /// The local EID prefixes.
    Database,
    /// The local EIDs that are not here.
    Away,
}

impl Table {
    /// The name of the table.
    pub fn describe(self) -> &'static str {
        match self {
            Table::MapCache => "map-cache",
            Table::StaticMapCache => "static map-cache",
            Table::Database => "database",
            Table::Away => "away table",
        }
    }
}

/// The rule that decided on a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The packet is not an IPv4 or IPv6 packet, or is damaged.
    NotIp,
    /// The packet is link-local, multicast or broadcast.
    LinkScoped,
    /// From the site: the router is neither ITR nor proxy ITR for the family.
    NoItr,
    /// From the site: its destination was found here after the kernel had sent the packet to
    /// `lisp0`.
    HostIsHere,
    /// From the site: its destination is a local EID that has no route.
    LocalEidWithoutRoute,
    /// From the site: its source is not an EID of the site.
    ForeignSource,
    /// From the site: the map-cache has no entry for its destination.
    NoMapCacheEntry,
    /// From the site: the mapping of its destination has locators.
    Mapping,
    /// From the site: the mapping of its destination is negative, with the action to forward
    /// natively.
    NegativeMapping,
    /// From the site: the mapping of its destination is negative, and there is a proxy ETR.
    ProxyEtr,
    /// From the site: the mapping of its destination has the action drop.
    DroppingMapping,
    /// No locator can be used: each is down, has an address family that the router does not have,
    /// or has a priority that forbids its use.
    NoUsableLocator,
    /// The packet is larger than the path to its locator permits, and must not be fragmented.
    TooBig,
    /// From the site: the router has to ask for the mapping of its destination.
    MissingMapping,
    /// From the site: the router has to ask for the mapping, and no Map-Resolver is configured.
    NoMapResolver,
    /// From the site: the largest number of packets already wait for the mapping.
    HoldQueueFull,
    /// From the site: no Map-Reply was received for its destination, and the router waits before it
    /// sends the next Map-Request.
    Resting,
    /// From the site: the packet has waited for a mapping, and would have to wait again.
    WaitedInVain,
    /// The packet is for a host that may be on a port here, and the router is looking for the host.
    HostIsSought,
    /// From the core: the LISP header cannot be read.
    BadLispHeader,
    /// From the core: the instance is not configured.
    UnknownInstance,
    /// From the core: the router is neither ETR nor proxy ETR for the family.
    NoEtr,
    /// From the core: the outer header is marked as congested, and the inner transport does not
    /// support ECN.
    EcnMismatch,
    /// From the core: the outer TTL was used up.
    OuterTtlExpired,
    /// From the core: the inner source is an address of the router.
    SourceIsRouter,
    /// From the core: the inner source is an EID that is here.
    SourceIsHere,
    /// From the core: its destination is an EID that is here.
    LocalEid,
    /// From the core: a proxy ETR decapsulates packets for every EID.
    AnyEid,
    /// From the core: its destination is not an EID of the site.
    NotOurEid,
    /// From the core: its destination is a local EID that has no route.
    EidWithoutRoute,
    /// From the core: its destination is away.
    EidAway,
    /// From the core: its destination moved to another xTR, whose locator is known.
    EidMoved,
    /// From the core: its destination may be here, and there is no room to search for the host.
    NoRoomToSearch,
}

impl Rule {
    /// The rule in a sentence.
    pub fn describe(self) -> &'static str {
        match self {
            Rule::NotIp => "The packet is no complete IP packet",
            Rule::LinkScoped => "LISP does not carry link-local, multicast or broadcast packets",
            Rule::NoItr => "The router is neither ITR nor proxy ITR for the family",
            Rule::HostIsHere => "The destination is a host that was found here",
            Rule::LocalEidWithoutRoute => "The destination is a local EID without a route",
            Rule::ForeignSource => "The source is no EID of the site",
            Rule::NoMapCacheEntry => "The map-cache has no entry for the destination",
            Rule::Mapping => "The mapping of the destination has locators",
            Rule::NegativeMapping => "The mapping of the destination is negative",
            Rule::ProxyEtr => "The mapping is negative, and a proxy ETR is configured",
            Rule::DroppingMapping => "The mapping of the destination says drop",
            Rule::NoUsableLocator => "No locator can be used",
            Rule::TooBig => "The packet is too big for the path to the locator",
            Rule::MissingMapping => "The mapping of the destination is asked for",
            Rule::NoMapResolver => "No Map-Resolver is configured",
            Rule::HoldQueueFull => "As many packets wait for the mapping as may",
            Rule::Resting => "No Map-Reply came, and the next Map-Request is not due yet",
            Rule::WaitedInVain => "The packet has waited for a mapping once",
            Rule::HostIsSought => "The destination may be a host here, and is looked for",
            Rule::BadLispHeader => "The LISP header cannot be read",
            Rule::UnknownInstance => "The instance-ID is not configured",
            Rule::NoEtr => "The router is neither ETR nor proxy ETR for the family",
            Rule::EcnMismatch => {
                "The packet is marked congested, and its transport does not know ECN"
            }
            Rule::OuterTtlExpired => "The TTL was used up on the way",
            Rule::SourceIsRouter => "The inner source is an address of this router",
            Rule::SourceIsHere => "The inner source is an EID that is here",
            Rule::LocalEid => "The destination is an EID of the site",
            Rule::AnyEid => "A proxy ETR decapsulates for all EIDs",
            Rule::NotOurEid => "The destination is no EID of the site",
            Rule::EidWithoutRoute => "The destination is a local EID without a route",
            Rule::EidAway => "The destination is an EID of the site that is away",
            Rule::EidMoved => "The destination moved to another xTR",
            Rule::NoRoomToSearch => "There is no room to look for the destination",
        }
    }

    /// The section of the standard that the rule comes from.
    pub fn section(self) -> &'static str {
        match self {
            Rule::NotIp | Rule::LinkScoped => "RFC 9300 section 4.2",
            Rule::NoItr | Rule::ForeignSource | Rule::Mapping => "RFC 9300 section 4.2",
            Rule::LocalEidWithoutRoute | Rule::NoMapCacheEntry => "RFC 9300 section 4.2",
            Rule::NegativeMapping | Rule::DroppingMapping => "RFC 9301 section 5.4",
            Rule::ProxyEtr => "RFC 6832 section 6",
            Rule::NoUsableLocator => "RFC 9300 section 9",
            Rule::TooBig => "RFC 9300 section 7.2",
            Rule::MissingMapping | Rule::NoMapResolver => "RFC 9301 section 5.2",
            Rule::HoldQueueFull | Rule::Resting | Rule::WaitedInVain => "RFC 9301 section 5.3",
            Rule::HostIsHere | Rule::HostIsSought | Rule::NoRoomToSearch => {
                "draft-ietf-lisp-eid-mobility section 4"
            }
            Rule::BadLispHeader => "RFC 9300 section 5.3",
            Rule::UnknownInstance => "RFC 9300 section 8",
            Rule::NoEtr | Rule::LocalEid | Rule::NotOurEid => "RFC 9300 section 4.2",
            Rule::AnyEid => "RFC 6832 section 6",
            Rule::EcnMismatch => "RFC 6040 section 4.2",
            Rule::OuterTtlExpired => "RFC 9300 section 5.3",
            Rule::SourceIsRouter | Rule::SourceIsHere => "RFC 9300 section 16",
            Rule::EidWithoutRoute => "RFC 9301 section 6.1",
            Rule::EidAway | Rule::EidMoved => "draft-ietf-lisp-eid-mobility section 4.2.4",
        }
    }
}
