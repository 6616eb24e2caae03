//! The reasons of the control messages that a router sends by UDP and by reliable transport.

use std::fmt::{self, Display, Formatter};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{DatabaseReason, MOBILITY, Reason};
use crate::addr::{Eid, EidPrefix, Rloc};
use crate::router::counters::ControlDrop;

/// The reason why the router sends a control message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageReason {
    /// A Map-Request to a map-resolver or map-server.
    MapRequest {
        /// The cause of the first try.
        cause: RequestReason,
        /// The number of the try. The first try has the number 1.
        attempt: u32,
        /// The server that did not answer the previous try.
        silent: Option<IpAddr>,
    },
    /// A Map-Request that this map-server forwards.
    ForwardedRequest {
        /// The requested EID prefix.
        asked: EidPrefix,
        /// The registered prefix that contains the requested EID.
        registered: EidPrefix,
        /// The ETR that registered this prefix.
        etr: Rloc,
    },
    /// A Map-Reply.
    MapReply {
        /// The ITR-RLOC of the Map-Request.
        itr: Rloc,
        /// The requested EID prefix.
        asked: EidPrefix,
        /// The reason for the contents of the first record.
        cause: ReplyReason,
    },
    /// A Solicit-Map-Request.
    Smr(SmrReason),
    /// A Map-Register by UDP, or a Registration by reliable transport.
    MapRegister {
        /// The EID prefix to which the cause applies.
        prefix: EidPrefix,
        /// The number of other prefixes in the message.
        others: usize,
        /// The cause.
        cause: RegisterReason,
    },
    /// A Map-Notify.
    MapNotify(NotifyReason),
    /// A Map-Notify-Ack. The map-server repeats its Map-Notify until the Map-Notify-Ack arrives.
    MapNotifyAck {
        /// The map-server.
        server: IpAddr,
    },
    /// A Registration Refresh.
    RegistrationRefresh(RefreshReason),
    /// A Registration Ack: the map-server accepted the Registration of this prefix.
    RegistrationAck(EidPrefix),
    /// A Registration Reject.
    RegistrationReject {
        /// The prefix.
        prefix: EidPrefix,
        /// The fault of the Registration.
        fault: ControlDrop,
    },
    /// A Mapping Notification.
    MappingNotification {
        /// The prefix in the notification.
        prefix: EidPrefix,
        /// The cause.
        cause: MovedReason,
    },
    /// An Error Notification: the peer sent a frame that the router cannot read.
    ErrorNotification {
        /// The peer.
        peer: IpAddr,
    },
}

/// The cause of a Map-Request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestReason {
    /// The map-cache has no mapping for the destination of a packet.
    NoMapping {
        /// The source of the packet.
        source: Eid,
        /// The destination of the packet.
        eid: Eid,
    },
    /// An SMR was received.
    Smr {
        /// The solicited EID.
        eid: Eid,
        /// The sender of the SMR.
        by: IpAddr,
    },
    /// The record about the location of a local EID is older than the TTL of this record.
    AwayRecordExpired {
        /// The EID.
        eid: Eid,
    },
    /// The map-server must confirm its Map-Notify.
    Notification {
        /// The prefix of the Map-Notify.
        prefix: EidPrefix,
        /// The map-server.
        server: IpAddr,
    },
    /// The operator entered the command `lig`.
    Lig {
        /// The EID of the command.
        eid: Eid,
    },
}

/// The reason for the contents of the first record of a Map-Reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReplyReason {
    /// The EID is in this EID prefix of the site.
    LocalEid(EidPrefix),
    /// An RLOC-probe asked for this EID prefix of the site.
    Probe(EidPrefix),
    /// An RLOC-probe asked this proxy ETR.
    ProxyEtrProbe,
    /// An ETR registered this prefix, and asked the map-server to answer in place of the ETR.
    ProxyReply(EidPrefix),
    /// This prefix is registered, but none of its locators is an IP address, so no ETR can be
    /// asked.
    OpaqueLocators(EidPrefix),
    /// The EID is in a prefix of a site, but in no registered prefix. The answer is for this part
    /// of the site's prefix.
    NotRegistered(EidPrefix),
    /// The EID is in no prefix of a site. The answer is for this prefix.
    NotAnEid(EidPrefix),
}

/// The reason of an SMR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmrReason {
    /// A packet for an EID that is away was received.
    PacketForAway {
        /// The source of the packet.
        source: Eid,
        /// The destination of the packet.
        eid: Eid,
    },
    /// The mapping of a local prefix changed.
    MappingChanged {
        /// The local prefix.
        prefix: EidPrefix,
        /// The change.
        change: DatabaseReason,
        /// The relation of the receiver to the prefix.
        peer: SmrPeer,
        /// Whether the SMR is repeated, because the receiver still sends packets.
        is_repeated: bool,
    },
}

impl SmrReason {
    /// Returns the reason for a repetition of the same SMR.
    pub fn repeated(self) -> Self {
        match self {
            SmrReason::PacketForAway { .. } => self,
            SmrReason::MappingChanged { prefix, change, peer, .. } => {
                SmrReason::MappingChanged { prefix, change, peer, is_repeated: true }
            }
        }
    }
}

/// The relation of the receiver of an SMR to the changed prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmrPeer {
    /// The receiver sent packets to the prefix recently.
    SentPackets,
    /// This router sent packets to the receiver recently.
    GotPackets,
    /// The configuration names the receiver (`etr smr-peer`).
    Configured,
}

/// The cause of a Map-Register or Registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegisterReason {
    /// The local mapping is new or has changed.
    MappingChanged(DatabaseReason),
    /// The registration is withdrawn, because the local prefix lost its route, was removed, or was
    /// the prefix of a host that left.
    Withdrawn(DatabaseReason),
    /// The configuration now requires a registration of the prefix with this map-server.
    Configured,
    /// The configuration requires no registration of the prefix with this map-server any more.
    Deconfigured,
    /// The router is about to stop, and withdraws its registrations.
    Stopping,
    /// The last registration is about a minute old.
    Periodic,
    /// The map-server has not acknowledged this number of successive Map-Registers.
    Unanswered(u32),
    /// The map-server answered a Map-Register that did not offer a session. The router offers a
    /// session once more, to find out whether the offer makes the map-server drop Map-Registers.
    OfferTested,
    /// The reliable session with the map-server ended.
    SessionDown,
    /// The reliable session with the map-server came up.
    SessionUp,
    /// The key of the map-server changed, or reliable registration was turned on.
    KeyChanged,
    /// A host is here, although the map-server reported the host at another xTR.
    HostConfirmed,
    /// With a Registration Refresh, the map-server asked for all registrations.
    Refresh,
    /// With a Registration Refresh, the map-server asked for the rejected registrations.
    RefreshRejected,
    /// The map-server acknowledged a registration that it had rejected.
    LateAck,
    /// The map-server rejected the registration.
    Rejected,
}

/// The reason of a Map-Notify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotifyReason {
    /// The Map-Notify acknowledges a Map-Register.
    Registered {
        /// The first registered prefix.
        prefix: EidPrefix,
        /// The ETR.
        etr: IpAddr,
    },
    /// Another xTR has taken over the prefix of the receiver.
    TakenOver {
        /// The prefix.
        prefix: EidPrefix,
        /// The number of earlier Map-Notifies that the receiver did not acknowledge.
        unacknowledged: usize,
    },
}

/// The reason of a Registration Refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefreshReason {
    /// The session has just begun.
    SessionUp,
    /// Prefixes were added to the sites, and some registrations of the ETR were rejected before.
    SitesGrown,
    /// A site prefix was removed, or its site has another key.
    SiteChanged(EidPrefix),
}

/// The cause of a Mapping Notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MovedReason {
    /// The registrations of the prefix changed.
    RegistrationChanged,
    /// The receiver has just registered this prefix. The registered prefix contains the prefix in
    /// the notification.
    RegisteredAround(EidPrefix),
}

impl Display for MessageReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            MessageReason::MapRequest { cause, attempt, silent } => {
                write!(f, "{cause}")?;
                match silent {
                    Some(silent) => {
                        write!(f, "; this is try {attempt}, because {silent} did not answer")
                    }
                    None => Ok(()),
                }
            }
            MessageReason::ForwardedRequest { asked, registered, etr } => {
                write!(f, "{etr} registered {registered}, which contains the requested {asked}")
            }
            MessageReason::MapReply { itr, asked, cause } => {
                write!(f, "{itr} requested {asked}, and {cause}")
            }
            MessageReason::Smr(reason) => reason.fmt(f),
            MessageReason::MapRegister { prefix, others, cause } => {
                write!(f, "{}: {prefix}", cause.describe())?;
                if *others > 0 {
                    write!(f, " and {others} more")?;
                }
                cause.change().map_or(Ok(()), |change| write!(f, " ({change})"))
            }
            MessageReason::MapNotify(reason) => reason.fmt(f),
            MessageReason::MapNotifyAck { server } => {
                write!(f, "The map-server {server} repeats its Map-Notify until it is acknowledged")
            }
            MessageReason::RegistrationRefresh(reason) => reason.fmt(f),
            MessageReason::RegistrationAck(prefix) => {
                write!(f, "The map-server accepted the Registration of {prefix}")
            }
            MessageReason::RegistrationReject { prefix, fault } => {
                write!(
                    f,
                    "The map-server refused the Registration of {prefix}: {}",
                    fault.describe()
                )
            }
            MessageReason::MappingNotification { prefix, cause } => match cause {
                MovedReason::RegistrationChanged => {
                    write!(f, "The receiver is told that the registrations of {prefix} changed")
                }
                MovedReason::RegisteredAround(around) => {
                    write!(
                        f,
                        "The receiver registered {around}, and another xTR has registered {prefix} \
                         inside this prefix"
                    )
                }
            },
            MessageReason::ErrorNotification { peer } => {
                write!(f, "{peer} sent a message that this router cannot read")
            }
        }
    }
}

impl Reason for MessageReason {
    fn section(&self) -> &'static str {
        match self {
            MessageReason::MapRequest { silent: Some(_), .. } => "RFC 9301 section 5.3",
            MessageReason::MapRequest { cause, .. } => cause.section(),
            MessageReason::ForwardedRequest { .. } => "RFC 9301 section 8.3",
            MessageReason::MapReply { cause, .. } => cause.section(),
            MessageReason::Smr(_) => "RFC 9301 section 6.1",
            MessageReason::MapRegister { cause, .. } => cause.section(),
            MessageReason::MapNotify(NotifyReason::Registered { .. })
            | MessageReason::MapNotifyAck { .. } => "RFC 9301 section 5.7",
            MessageReason::MapNotify(NotifyReason::TakenOver { .. }) => MOBILITY,
            MessageReason::RegistrationRefresh(_) => {
                "draft-kouvelas-lisp-map-server-reliable-transport section 5.4"
            }
            MessageReason::RegistrationAck(_) => {
                "draft-kouvelas-lisp-map-server-reliable-transport section 5.2"
            }
            MessageReason::RegistrationReject { .. } => {
                "draft-kouvelas-lisp-map-server-reliable-transport section 5.3"
            }
            MessageReason::MappingNotification { .. } => {
                "draft-kouvelas-lisp-map-server-reliable-transport section 5.5"
            }
            MessageReason::ErrorNotification { .. } => {
                "draft-kouvelas-lisp-map-server-reliable-transport section 4"
            }
        }
    }
}

impl Display for RequestReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            RequestReason::NoMapping { source, eid } => {
                let (source, eid) = (source.address, eid.address);
                write!(f, "The map-cache has no mapping for a packet from {source} to {eid}")
            }
            RequestReason::Smr { eid, by } => {
                write!(f, "An SMR from {by} solicited a Map-Request for {}", eid.address)
            }
            RequestReason::AwayRecordExpired { eid } => {
                write!(f, "The record about the location of {} has expired", eid.address)
            }
            RequestReason::Notification { prefix, server } => {
                write!(f, "The map-server {server} has to confirm its Map-Notify about {prefix}")
            }
            RequestReason::Lig { eid } => {
                write!(f, "The operator asked for the mapping of {} with lig", eid.address)
            }
        }
    }
}

impl RequestReason {
    fn section(self) -> &'static str {
        match self {
            RequestReason::NoMapping { .. } => "RFC 9301 section 5.2",
            RequestReason::Smr { .. } => "RFC 9301 section 6.1",
            RequestReason::AwayRecordExpired { .. } => MOBILITY,
            RequestReason::Notification { .. } => "RFC 9301 section 5.7",
            RequestReason::Lig { .. } => "RFC 6835 section 3",
        }
    }
}

impl Display for ReplyReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            ReplyReason::LocalEid(prefix) => write!(f, "{prefix} is an EID prefix of this site"),
            ReplyReason::Probe(prefix) => {
                write!(f, "probes whether a locator of {prefix} is reachable")
            }
            ReplyReason::ProxyEtrProbe => f.write_str("probes whether this proxy ETR is reachable"),
            ReplyReason::ProxyReply(prefix) => {
                write!(f, "the ETR of {prefix} asked this map-server to answer")
            }
            ReplyReason::OpaqueLocators(prefix) => {
                write!(f, "{prefix} has no locator to which a Map-Request can be sent")
            }
            ReplyReason::NotRegistered(prefix) => write!(f, "no ETR has registered {prefix}"),
            ReplyReason::NotAnEid(prefix) => write!(f, "{prefix} is in no EID prefix of a site"),
        }
    }
}

impl ReplyReason {
    fn section(self) -> &'static str {
        match self {
            ReplyReason::LocalEid(_) => "RFC 9301 section 5.5",
            ReplyReason::Probe(_) => "RFC 9301 section 7.1",
            ReplyReason::ProxyEtrProbe => "RFC 6832 section 6",
            ReplyReason::ProxyReply(_) | ReplyReason::OpaqueLocators(_) => "RFC 9301 section 8.3",
            ReplyReason::NotRegistered(_) | ReplyReason::NotAnEid(_) => "RFC 9301 section 8.1",
        }
    }
}

impl Display for SmrReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            SmrReason::PacketForAway { source, eid } => {
                let (source, eid) = (source.address, eid.address);
                write!(f, "A packet from {source} came for {eid}, which is away")
            }
            SmrReason::MappingChanged { prefix, change, peer, is_repeated } => {
                write!(f, "The mapping of {prefix} changed ({change}), and the receiver ")?;
                f.write_str(match (peer, is_repeated) {
                    (_, true) => "still uses the old mapping for its packets",
                    (SmrPeer::SentPackets, false) => "sent packets to this prefix recently",
                    (SmrPeer::GotPackets, false) => "received packets from this router recently",
                    (SmrPeer::Configured, false) => "is a configured SMR peer",
                })
            }
        }
    }
}

impl RegisterReason {
    /// Returns the cause in words, without the prefix.
    fn describe(self) -> &'static str {
        match self {
            RegisterReason::MappingChanged(_) => "A local mapping is new or changed",
            RegisterReason::Withdrawn(_) => "A local mapping is withdrawn",
            RegisterReason::Configured => {
                "The configuration now requires a registration with this map-server"
            }
            RegisterReason::Deconfigured => {
                "The configuration does not require a registration any more"
            }
            RegisterReason::Stopping => "The router stops and withdraws its registrations",
            RegisterReason::Periodic => "A registration is renewed each minute",
            RegisterReason::Unanswered(_) => "The map-server did not acknowledge a registration",
            RegisterReason::OfferTested => {
                "The router tests whether the map-server drops Map-Registers that offer a session"
            }
            RegisterReason::SessionDown => "The session with the map-server ended",
            RegisterReason::SessionUp => "The session with the map-server came up",
            RegisterReason::KeyChanged => "The key or the transport of a registration changed",
            RegisterReason::HostConfirmed => "A host is here, although it was reported elsewhere",
            RegisterReason::Refresh => "The map-server asked for the registrations again",
            RegisterReason::RefreshRejected => {
                "The map-server asked for the rejected registrations again"
            }
            RegisterReason::LateAck => "The map-server acknowledged a rejected registration",
            RegisterReason::Rejected => "The map-server rejected a registration",
        }
    }

    /// The change of the local mapping. `None` if there is another cause.
    fn change(self) -> Option<DatabaseReason> {
        match self {
            RegisterReason::MappingChanged(change) | RegisterReason::Withdrawn(change) => {
                Some(change)
            }
            _ => None,
        }
    }

    /// The section of the standard or draft.
    fn section(self) -> &'static str {
        match self {
            RegisterReason::MappingChanged(_)
            | RegisterReason::Configured
            | RegisterReason::Periodic
            | RegisterReason::Unanswered(_) => "RFC 9301 section 5.6",
            RegisterReason::Withdrawn(_)
            | RegisterReason::Deconfigured
            | RegisterReason::Stopping
            | RegisterReason::KeyChanged => "RFC 9301 section 8.2",
            RegisterReason::HostConfirmed => MOBILITY,
            RegisterReason::OfferTested
            | RegisterReason::SessionDown
            | RegisterReason::SessionUp
            | RegisterReason::Refresh
            | RegisterReason::RefreshRejected
            | RegisterReason::LateAck
            | RegisterReason::Rejected => {
                "draft-kouvelas-lisp-map-server-reliable-transport section 6.2"
            }
        }
    }
}

impl Display for RegisterReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.describe())?;
        self.change().map_or(Ok(()), |change| write!(f, " ({change})"))
    }
}

impl Reason for RegisterReason {
    fn section(&self) -> &'static str {
        RegisterReason::section(*self)
    }
}

impl Display for NotifyReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            NotifyReason::Registered { prefix, etr } => {
                write!(f, "The map-server acknowledges the Map-Register of {etr} for {prefix}")
            }
            NotifyReason::TakenOver { prefix, unacknowledged } => {
                write!(f, "Another xTR has registered {prefix}")?;
                match unacknowledged {
                    0 => Ok(()),
                    before => write!(f, "; {before} earlier Map-Notifies were not acknowledged"),
                }
            }
        }
    }
}

impl Display for RefreshReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            RefreshReason::SessionUp => f.write_str(
                "The session began, and the ETR must register its prefixes on this session",
            ),
            RefreshReason::SitesGrown => f.write_str(
                "Prefixes were added to the sites, so rejected registrations may be accepted now",
            ),
            RefreshReason::SiteChanged(prefix) => {
                write!(f, "The site prefix {prefix} was removed, or its site has another key")
            }
        }
    }
}
