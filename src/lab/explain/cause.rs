//! The causes of the loss of a packet, each with a remedy.

use std::fmt;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::router::decision::Rule;

/// The loss of a packet or of a control message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Loss {
    /// The node at which the packet or message is lost.
    pub node: String,
    /// The cause as a word.
    #[schemars(with = "String")]
    pub cause: Cause,
    /// The cause as a sentence, with addresses and devices.
    pub because: String,
    /// The remedy.
    pub to_do: String,
    /// The section of the standard that demands this loss, if there is one.
    pub section: Option<String>,
    /// The loss that caused this loss, if there is one. For example, a router drops a packet
    /// because the Map-Request for the destination of the packet was lost at another node.
    pub root: Option<Box<Loss>>,
}

impl Loss {
    pub(super) fn new(node: &str, cause: Cause, because: impl Into<String>) -> Self {
        Loss {
            node: node.to_owned(),
            because: because.into(),
            to_do: cause.remedy(node),
            section: cause.section().map(str::to_owned),
            cause,
            root: None,
        }
    }

    pub(super) fn with_root(self, root: Option<Loss>) -> Self {
        match root {
            None => self,
            Some(root) => Loss { root: Some(Box::new(root)), ..self },
        }
    }

    pub(super) fn with_remedy(self, to_do: Option<String>) -> Self {
        match to_do {
            None => self,
            Some(to_do) => Loss { to_do, ..self },
        }
    }

    /// Returns the first cause: the end of the chain of [`Loss::root`].
    pub fn first_cause(&self) -> &Loss {
        self.root.as_ref().map_or(self, |root| root.first_cause())
    }
}

/// The cause of a loss. In JSON, it is a word, for example `link-down`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The device is administratively down.
    LinkDown,
    /// The link of the device has no carrier: its other end is down.
    NoCarrier,
    /// A host has no default gateway, and the destination is not on its link.
    NoDefaultGateway,
    /// The kernel has no route to the destination.
    NoRoute,
    /// The route drops packets, and the node sends no error.
    Blackhole,
    /// The route drops packets, and the node sends an ICMP error.
    UnreachableRoute,
    /// The node does not forward packets of other nodes.
    NotForwarding,
    /// No node on the link has the address of the next hop.
    NoNeighbour,
    /// The node with the address of the next hop is on the link, but the device of this node is
    /// down.
    NeighbourDown,
    /// The packet is larger than the MTU of a device, and must not be fragmented.
    TooBig,
    /// The packet comes back to a node, because the routes form a loop.
    RoutingLoop,
    /// The process of the router does not run.
    RouterStopped,
    /// The encapsulated packet arrives at a node without LISP.
    NoLisp,
    /// The packet is lost because the router applies this rule to it.
    Rule(Rule),
    /// The node that receives the Map-Request is not a map-resolver.
    NotAMapResolver,
    /// The ETR does not answer the Map-Request, because the EID is not at its site.
    EtrSilent,
    /// No map-server has a registration of the EID.
    NotRegistered,
    /// No site of the map-server contains the EID.
    NoSite,
    /// The map-server refuses the registration, because the authentication data is wrong.
    WrongKey,
    /// The map-server refuses the registration for another reason.
    RegistrationRefused,
    /// The ETR of the site does not have the EID in its database.
    NoDatabaseMapping,
    /// The ETR has no map-server.
    NoMapServer,
    /// The ETR does not register the EID, because the ETR has no route to the EID.
    EidWithoutRoute,
    /// The map-cache has an old negative entry. The EID is registered now.
    OldNegativeMapping,
}

impl Cause {
    /// Returns the cause as a word.
    pub fn name(self) -> String {
        let name = match self {
            Cause::LinkDown => "link-down",
            Cause::NoCarrier => "no-carrier",
            Cause::NoDefaultGateway => "no-default-gateway",
            Cause::NoRoute => "no-route",
            Cause::Blackhole => "blackhole",
            Cause::UnreachableRoute => "unreachable-route",
            Cause::NotForwarding => "not-forwarding",
            Cause::NoNeighbour => "no-neighbour",
            Cause::NeighbourDown => "neighbour-down",
            Cause::TooBig => "too-big",
            Cause::RoutingLoop => "routing-loop",
            Cause::RouterStopped => "router-stopped",
            Cause::NoLisp => "no-lisp",
            Cause::NotAMapResolver => "not-a-map-resolver",
            Cause::EtrSilent => "etr-silent",
            Cause::NotRegistered => "not-registered",
            Cause::NoSite => "no-site",
            Cause::WrongKey => "wrong-key",
            Cause::RegistrationRefused => "registration-refused",
            Cause::NoDatabaseMapping => "no-database-mapping",
            Cause::NoMapServer => "no-map-server",
            Cause::EidWithoutRoute => "eid-without-route",
            Cause::OldNegativeMapping => "old-negative-mapping",
            Cause::Rule(rule) => return rule.name(),
        };
        name.to_owned()
    }

    /// Returns the section of the standard that demands the loss, if there is one.
    pub fn section(self) -> Option<&'static str> {
        match self {
            Cause::Rule(rule) => Some(rule.section()),
            Cause::TooBig => Some("RFC 9300 section 7"),
            Cause::NoLisp => Some("RFC 9300 section 4.2"),
            Cause::NotAMapResolver => Some("RFC 9301 section 8.4"),
            Cause::EtrSilent => Some("RFC 9301 section 5.4"),
            Cause::NotRegistered | Cause::NoSite | Cause::OldNegativeMapping => {
                Some("RFC 9301 section 8.1")
            }
            Cause::WrongKey | Cause::RegistrationRefused => Some("RFC 9301 section 5.6"),
            Cause::NoDatabaseMapping | Cause::NoMapServer | Cause::EidWithoutRoute => {
                Some("RFC 9301 section 8.2")
            }
            _ => None,
        }
    }

    /// Returns the remedy for this cause at a node.
    pub fn remedy(self, node: &str) -> String {
        let remedy = match self {
            Cause::LinkDown => "set the interface up (`no shutdown`, or `eidway lab link ... up`)",
            Cause::NoCarrier => "set the other end of the link up",
            Cause::NoDefaultGateway => "give the host a default gateway",
            Cause::NoRoute => "add a route to the destination, or send the packet by LISP",
            Cause::Blackhole | Cause::UnreachableRoute => {
                "remove this route, or restore the preferred route"
            }
            Cause::NotForwarding => "send the packet to a router, or turn on forwarding",
            Cause::NoNeighbour => "connect the node with this address, or correct the address",
            Cause::NeighbourDown => "enable the device of the neighbour",
            Cause::TooBig => "send smaller packets, or permit fragmentation, or raise the MTU",
            Cause::RoutingLoop => "correct the routes that form the loop",
            Cause::RouterStopped => "start the router (`eidway lab start`)",
            Cause::NoLisp => "correct the locator in the mapping",
            Cause::NotAMapResolver => {
                "configure `ipv4 map-resolver` at this node, or another map-resolver at the ITR"
            }
            Cause::EtrSilent => "compare the database of the ETR with `show lisp site`",
            Cause::NotRegistered => "register the EID: see `show ip lisp` and the log at its ETR",
            Cause::NoSite => {
                "add the EID prefix to a `site`. If the destination is outside of LISP, add a \
                 route to it in the core"
            }
            Cause::WrongKey => "use the key of the site in `etr map-server ... key`",
            Cause::RegistrationRefused => "see `show lisp refusals` at the map-server",
            Cause::NoDatabaseMapping => "add a `database-mapping` for the EID",
            Cause::NoMapServer => "configure `etr map-server`",
            Cause::EidWithoutRoute => "restore the route to the EID prefix: set its interface up",
            Cause::OldNegativeMapping => {
                "wait until the entry expires, or `clear ip lisp map-cache`"
            }
            Cause::Rule(rule) => rule_remedy(rule),
        };
        format!("at {node}: {remedy}")
    }
}

/// Returns the remedy for a rule that leads to the loss of a packet, although the router that
/// applies the rule does not drop the packet. For example, the router forwards the packet without
/// LISP, and a core router drops it.
fn rule_remedy(rule: Rule) -> &'static str {
    match rule {
        Rule::ForeignSource => "add the source to the database of the ITR (`database-mapping`)",
        Rule::NoMapCacheEntry => "configure `map-cache PREFIX map-request`, or `itr map-resolver`",
        Rule::NegativeMapping => "register the EID, or configure `use-petr`",
        Rule::HostIsSought => "connect the host to a LAN of the router",
        _ => "see `show drops`",
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
