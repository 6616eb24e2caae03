//! A decision on a packet from or to an EID, as plain data: the verdict, the reason, and the
//! changes in the router that follow from the packet.
//!
//! [`Router::explain`](super::Router::explain) returns a decision and changes nothing. Only
//! `carry_out.rs` carries out a decision.

use schemars::JsonSchema;
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
    /// The reason for the verdict.
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
    /// A packet from the core is for a host that moved away. The packet is encapsulated to the new
    /// locator of the host.
    Forward(Encapsulation),
    /// The packet waits, and the router keeps a copy of it.
    Hold(Awaited),
    /// The packet is dropped.
    Drop(DropReason),
}

/// The event that a packet waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Awaited {
    /// The packet waits for the mapping of its destination.
    Mapping,
    /// The packet waits until the router finds its destination, which is a host.
    Host,
}

/// The interface or port on which a packet was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The packet was received on `lisp0`: it is from the site.
    Site,
    /// The packet was received on the LISP data port, UDP 4341: it is from the core.
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

/// The data that a decision needs about a packet from or to an EID, except the octets of the
/// packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Transit {
    pub instance_id: InstanceId,
    /// The IP header of the packet.
    pub header: IpHeader,
    /// The number of packets on the wire, and the number of their octets. A super-packet counts as
    /// its segments.
    pub load: Load,
    pub origin: Origin,
    /// Whether the packet has waited. A packet that has waited does not wait for a mapping again,
    /// and its LISP header has already been read.
    pub has_waited: bool,
}

impl Transit {
    /// Makes the data of a packet that has just arrived.
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
    /// The action that follows from the check of the inner source.
    pub source: SourceWant,
    /// Whether to read the nonce and the Locator-Status-Bits of the LISP header (RFC 9300 section
    /// 10).
    pub read_header: bool,
    /// The local prefix for which the router records the encapsulator as a peer. If the mapping of
    /// this prefix changes, the router sends an SMR to each peer.
    pub hear: Option<EidPrefix>,
    /// Whether to search for the host with the source address. The router has not found this host
    /// yet.
    pub search_source: bool,
    /// The map-cache entry that counts the packet.
    pub count: Option<Slot>,
    /// Whether to record and count that the nonce of the packet begins an Echo-Nonce request (RFC
    /// 9300 section 10.1).
    pub begin_echo: bool,
    /// The data that the flow cache stores about the packet.
    pub remember: FlowWant,
    /// If the router has to search for the host with the destination address, the way in which the
    /// router noticed this host. The router has not found the host yet.
    pub search_destination: Option<Discovery>,
    /// Whether to send an SMR to the encapsulator, because the encapsulator has an old mapping (RFC
    /// 9301 section 6.1).
    pub solicit: bool,
    /// If the packet is too big for its path, the largest size that the path permits, in octets.
    /// The router tells the sender of the packet this size.
    pub tell_too_big: Option<u32>,
}

/// The action that follows from the check of the inner source of a packet from the core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceWant {
    /// There is nothing to do.
    #[default]
    Nothing,
    /// Store that the source is not an EID at this site. The next packet from this source then
    /// needs no lookup.
    Note,
    /// Ask the host whether it is still on the port on which the router found the host before.
    AskHost,
}

/// The data that the flow cache stores about a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlowWant {
    /// The flow cache stores nothing.
    #[default]
    Nothing,
    /// The flow cache stores that a packet of the flow was sent to its locator. The router then
    /// believes an ICMP error about the packet.
    Sent,
    /// The flow cache stores the same as for `Sent`, and also the decision. The next packets of the
    /// flow get the same decision.
    Decision,
}

/// The reason of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Because {
    /// The rule.
    pub rule: Rule,
    /// The line of a table to which the rule was applied. `None` if the rule was applied to no
    /// line.
    pub line: Option<TableLine>,
}

impl Because {
    /// Makes a reason that has no line of a table.
    pub(super) fn rule(rule: Rule) -> Self {
        Because { rule, line: None }
    }

    /// Makes a reason that has the line of the table to which the rule was applied.
    pub(super) fn line(rule: Rule, table: Table, prefix: EidPrefix) -> Self {
        Because { rule, line: Some(TableLine { table, prefix }) }
    }
}

/// A line of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableLine {
    /// The table.
    pub table: Table,
    /// The EID prefix of the line. It is the longest prefix in the table that contains the address.
    pub prefix: EidPrefix,
}

/// A table that a decision depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "DecisionTable")]
pub enum Table {
    /// The map-cache: a learned entry.
    MapCache,
    /// The map-cache: a static entry, which makes the router send a Map-Request.
    StaticMapCache,
    /// The local EID prefixes.
    Database,
    /// The away table: the EIDs of this site that are not at this xTR.
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
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "DecisionRule")]
pub enum Rule {
    /// The packet is not an IPv4 or IPv6 packet, or is damaged.
    NotIp,
    /// The packet is link-local, multicast or broadcast.
    LinkScoped,
    /// The packet is from the site, and the router is neither ITR nor proxy ITR for the family.
    NoItr,
    /// The packet is from the site. Its destination was found on a LAN of this router after the
    /// kernel had sent the packet to `lisp0`.
    HostIsHere,
    /// The packet is from the site, and its destination is a local EID that has no route.
    LocalEidWithoutRoute,
    /// The packet is from the site, and its source is not an EID of the site.
    ForeignSource,
    /// The packet is from the site, and the map-cache has no entry for its destination.
    NoMapCacheEntry,
    /// The packet is from the site, and the mapping of its destination has locators.
    Mapping,
    /// The packet is from the site. The mapping of its destination is negative and has the action
    /// "natively forward".
    NegativeMapping,
    /// The packet is from the site. The mapping of its destination is negative, and a proxy ETR is
    /// configured.
    ProxyEtr,
    /// The packet is from the site, and the mapping of its destination has the action "drop".
    DroppingMapping,
    /// No locator can be used. Each locator is down, has a priority that forbids its use, or
    /// belongs to an address family in which this router has no locator.
    NoUsableLocator,
    /// The packet is larger than the path to its locator permits, and must not be fragmented.
    TooBig,
    /// The packet is from the site, and the router has to ask for the mapping of its destination.
    MissingMapping,
    /// The packet is from the site. The router has to ask for the mapping, and no map-resolver is
    /// configured.
    NoMapResolver,
    /// The packet is from the site. Too many packets already wait for the mapping.
    HoldQueueFull,
    /// The packet is from the site. The router received no Map-Reply for the destination, and waits
    /// before it sends the next Map-Request.
    Resting,
    /// The packet is from the site. It has waited for a mapping once, and does not wait again.
    WaitedInVain,
    /// The packet is for a host that may be on a port of this router, and the router is looking for
    /// the host.
    HostIsSought,
    /// The packet is from the core, and its LISP header cannot be read.
    BadLispHeader,
    /// The packet is from the core, and its instance is not configured.
    UnknownInstance,
    /// The packet is from the core, and the router is neither ETR nor proxy ETR for the family.
    NoEtr,
    /// The packet is from the core. Its outer header is marked as congested, and the inner
    /// transport does not support ECN.
    EcnMismatch,
    /// The packet is from the core, and the smaller of its outer TTL and its inner TTL is 0.
    OuterTtlExpired,
    /// The packet is from the core, and its inner source is an address of the router.
    SourceIsRouter,
    /// The packet is from the core, and its inner source is an EID at this xTR.
    SourceIsHere,
    /// The packet is from the core, and its destination is an EID at this xTR.
    LocalEid,
    /// The packet is from the core. The router is a proxy ETR, which decapsulates packets for all
    /// EIDs.
    AnyEid,
    /// The packet is from the core, and its destination is not an EID of the site.
    NotOurEid,
    /// The packet is from the core, and its destination is a local EID that has no route.
    EidWithoutRoute,
    /// The packet is from the core, and its destination is an EID of this site that is away.
    EidAway,
    /// The packet is from the core. Its destination moved to another xTR, and the router knows the
    /// locator of this xTR.
    EidMoved,
    /// The packet is from the core. Its destination may be on a port of this router, but the router
    /// has no room for another search.
    NoRoomToSearch,
    /// The packet waited for a mapping, and no Map-Request was answered.
    NoMapReply,
    /// The packet was held until its destination was found. The destination is at this router, but
    /// the table of hosts is full.
    NoRoomForHost,
    /// The packet waited for its destination, and the dynamic-EID range of the destination was
    /// removed from the configuration.
    RangeDeconfigured,
}

impl Rule {
    /// Returns the rule for a packet that has to wait, if the router cannot keep the packet. The
    /// packet is dropped for `reason`.
    pub(super) fn of_no_room(reason: DropReason) -> Self {
        match reason {
            DropReason::NoMapResolver => Rule::NoMapResolver,
            DropReason::Unresolved => Rule::Resting,
            DropReason::EidAway => Rule::NoRoomToSearch,
            _ => Rule::HoldQueueFull,
        }
    }

    /// The name of the rule in JSON, for example `foreign-source`.
    pub fn name(self) -> String {
        let json = serde_json::to_value(self).unwrap_or_default();
        json.as_str().unwrap_or_default().to_owned()
    }

    /// The rule in a sentence.
    pub fn describe(self) -> &'static str {
        match self {
            Rule::NotIp => "The packet is not a complete IP packet",
            Rule::LinkScoped => "LISP does not carry link-local, multicast or broadcast packets",
            Rule::NoItr => "The router is not an ITR or proxy ITR for the address family",
            Rule::HostIsHere => "The destination is a host that this router has found on a LAN",
            Rule::LocalEidWithoutRoute => "The destination is a local EID without a route",
            Rule::ForeignSource => "The source is not an EID of the site",
            Rule::NoMapCacheEntry => "The map-cache has no entry for the destination",
            Rule::Mapping => "The mapping for the destination has locators",
            Rule::NegativeMapping => "The mapping for the destination is negative",
            Rule::ProxyEtr => "The mapping is negative, and a proxy ETR is configured",
            Rule::DroppingMapping => "The mapping for the destination has the action drop",
            Rule::NoUsableLocator => "The mapping has no usable locator",
            Rule::TooBig => "The packet is too big for the path to the locator",
            Rule::MissingMapping => "The router requests the mapping for the destination",
            Rule::NoMapResolver => "No Map-Resolver is configured",
            Rule::HoldQueueFull => "Too many packets already wait for the mapping",
            Rule::Resting => "No Map-Reply came, and the next Map-Request is not due yet",
            Rule::WaitedInVain => "The packet has already waited for a mapping once",
            Rule::HostIsSought => {
                "The destination may be a host on a LAN, and the router searches for the host"
            }
            Rule::BadLispHeader => "The LISP header cannot be read",
            Rule::UnknownInstance => "The instance-ID is not configured",
            Rule::NoEtr => "The router is not an ETR or proxy ETR for the address family",
            Rule::EcnMismatch => {
                "The outer header is marked as congested, but the transport of the inner packet \
                 does not support ECN"
            }
            Rule::OuterTtlExpired => "The TTL of the packet reached 0 on the path",
            Rule::SourceIsRouter => "The inner source is an address of this router",
            Rule::SourceIsHere => "The inner source is an EID that is at this site",
            Rule::LocalEid => "The destination is an EID of the site",
            Rule::AnyEid => "The router is a proxy ETR, which decapsulates packets for all EIDs",
            Rule::NotOurEid => "The destination is not an EID of the site",
            Rule::EidWithoutRoute => "The destination is a local EID without a route",
            Rule::EidAway => "The destination is an EID of the site, but it is not at this xTR",
            Rule::EidMoved => "The destination moved to another xTR",
            Rule::NoRoomToSearch => {
                "The router cannot search for the destination, because there are too many searches"
            }
            Rule::NoMapReply => "The router received no Map-Reply to its Map-Requests",
            Rule::NoRoomForHost => {
                "The destination was found on a LAN, but the table of hosts is full"
            }
            Rule::RangeDeconfigured => {
                "The dynamic-EID range of the destination was removed from the configuration"
            }
        }
    }

    /// The section of the standard from which the rule comes.
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
            Rule::HoldQueueFull | Rule::Resting | Rule::WaitedInVain | Rule::NoMapReply => {
                "RFC 9301 section 5.3"
            }
            Rule::HostIsHere
            | Rule::HostIsSought
            | Rule::NoRoomToSearch
            | Rule::NoRoomForHost
            | Rule::RangeDeconfigured => "draft-ietf-lisp-eid-mobility section 4",
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
