//! The changes in a router. The core outputs each change as plain data, in an
//! [`Output::Event`](super::io::Output).
//!
//! The core does not format events. Other parts make text from them: the lines of the log
//! ([`Log`](super::logging::Log)), the lines of `debug lisp control-plane`
//! ([`debug`](super::debug)), records, traces and pages.

use std::fmt::{self, Display, Formatter};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::away::Producer;
use super::counters::ControlDrop;
use super::disbelief::Disbelief;
use super::discovery::Discovery;
use super::interface_name::InterfaceName;
use super::io::{KernelObject, ProcessObject};
pub use super::message_event::{MessageEvent, RequestSummary};
use super::packet_event::PacketEvent;
use super::reason::{
    AcknowledgementReason, AwayReason, DatabaseReason, HostLoss, MappingReason, RegisterReason,
    SessionReason, SiteReason,
};
use super::refusals::Explanation;
use crate::addr::{Eid, EidPrefix, Rloc};
use crate::wire::IcmpErrorKind;

/// A change in a router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// An entry of the map-cache changed.
    Mapping {
        /// The EID prefix of the entry.
        eid_prefix: EidPrefix,
        /// The change.
        change: MappingChange,
        /// The reason.
        reason: MappingReason,
    },
    /// An entry of the away table changed.
    Away {
        /// The EID prefix of the entry.
        eid_prefix: EidPrefix,
        /// The cause of the entry.
        producer: Producer,
        /// The change.
        change: AwayChange,
        /// The reason.
        reason: AwayReason,
    },
    /// An entry of the database, which is a local EID prefix, was added, changed or removed.
    Database {
        /// The EID prefix.
        eid_prefix: EidPrefix,
        /// The change.
        change: DatabaseChange,
        /// The reason.
        reason: DatabaseReason,
    },
    /// A host of a dynamic-EID range was found, moved or was lost.
    Host {
        /// The EID of the host.
        eid: Eid,
        /// The port that the host is on, or was on.
        port: InterfaceName,
        /// The change.
        change: HostChange,
    },
    /// A registration of this router changed. The router is an ETR.
    Registration {
        /// The EID prefix.
        eid_prefix: EidPrefix,
        /// The map-server.
        map_server: IpAddr,
        /// The change.
        change: RegistrationChange,
    },
    /// A registration at this router changed. This router is the map-server.
    SiteRegistration {
        /// The EID prefix.
        eid_prefix: EidPrefix,
        /// The site.
        site: String,
        /// The change.
        change: SiteRegistrationChange,
        /// The reason.
        reason: SiteReason,
    },
    /// The state of a map-server changed. This router is an ETR of the map-server.
    MapServer {
        /// The address of the map-server.
        map_server: IpAddr,
        /// The change of the state.
        change: MapServerChange,
    },
    /// A reliable session with an ETR went up or down. This router is the map-server.
    EtrSession {
        /// The ETR.
        etr: IpAddr,
        /// Whether the session is up.
        is_up: bool,
        /// The reason.
        reason: SessionReason,
    },
    /// The other end of a reliable session refused a message of this router.
    MessageRefused {
        /// The other end.
        peer: IpAddr,
        /// The type of the message.
        message_type: u16,
        /// The Message ID of the refused message.
        message_id: u32,
        /// The error that the peer reports.
        error: String,
    },
    /// A finding about a locator of another router. This router sends packets to the locator.
    Locator {
        /// The locator.
        rloc: Rloc,
        /// The finding about the locator.
        change: LocatorChange,
    },
    /// The router does not believe ICMP errors about a locator.
    IcmpDisbelieved {
        /// The locator.
        rloc: Rloc,
        /// The sender of the latest ICMP error.
        reporter: IpAddr,
        /// The kind of the ICMP error.
        kind: IcmpErrorKind,
        /// Why the router does not believe the error.
        why: Disbelief,
        /// The number of ICMP errors that the router did not believe.
        count: u64,
    },
    /// The router refused a control message.
    Refused {
        /// The sender of the message.
        source: IpAddr,
        /// The reason.
        reason: ControlDrop,
        /// The text for the operator.
        explanation: Explanation,
        /// Whether the log has a line for this message. One summary line reports all messages that
        /// have no line of their own.
        is_logged: bool,
    },
    /// For each reason, the number of control messages that were refused in one minute and have no
    /// line of their own.
    RefusedMore(Vec<(ControlDrop, u64)>),
    /// The wall clock is behind the time of the last nonce that a previous run sent in a
    /// Map-Register.
    ClockBehind {
        /// The difference in seconds.
        by: u64,
    },
    /// The state of a port changed to up or to down, but the configuration of the router did not
    /// change.
    PortSetByHand {
        /// The name of the port.
        port: String,
        /// The Linux device of the port.
        device: String,
        /// Whether the new state is up.
        is_up: bool,
    },
    /// The state of a kernel object has changed. This router needs the object.
    KernelObject {
        /// The object.
        object: KernelObject,
        /// The change.
        change: KernelObjectChange,
    },
    /// The state of a process object has changed. The process of this router has to hold the object
    /// open.
    ProcessObject {
        /// The object.
        object: ProcessObject,
        /// The change.
        change: ProcessObjectChange,
    },
    /// Objects vanished from the kernel, and the router puts them into the kernel again.
    PutBack(Vec<KernelObject>),
    /// The kernel refused a request that does not add an object. The string is the error text of
    /// the operating system.
    KernelRefused(String),
    /// A control message was received or sent. The router outputs this event only while debugging
    /// is on.
    Message(MessageEvent),
    /// The router decided on a packet from or to an EID. The router outputs this event only while
    /// debugging of packets is on.
    Packet(PacketEvent),
}

/// A change of an entry of the map-cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MappingChange {
    /// The entry is new.
    Learned,
    /// The entry has another action or other locators.
    Changed,
    /// A Map-Reply confirmed the entry: its TTL begins again.
    Renewed,
    /// The state of locators of the entry changed.
    LocatorState,
    /// The entry expired, was cleared, or was replaced by another entry.
    Gone,
    /// A static entry was added.
    StaticAdded,
    /// A static entry was removed.
    StaticRemoved,
}

/// A change of an entry of the away table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AwayChange {
    /// The entry was added, or has other locators.
    Added,
    /// The entry was removed.
    Removed,
}

/// A change of a local EID prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DatabaseChange {
    /// The prefix was added.
    Added,
    /// The route, the locators or the state of the locators of the prefix changed.
    Changed,
    /// The prefix was removed.
    Removed,
}

/// A change of a host of a dynamic-EID range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostChange {
    /// The host is on a LAN of this router.
    Found {
        /// The way in which the router found the host.
        discovery: Discovery,
        /// Whether the host is a duplicate. The log reports a duplicate only with the line of
        /// [`HostChange::Duplicate`].
        is_duplicate: bool,
    },
    /// The host is on a LAN of this router, although a map-server says that the host is elsewhere.
    /// The router registers the host again.
    Confirmed,
    /// The host has stopped answering.
    Silent,
    /// The host is no longer in the table of hosts, for this reason.
    Lost(HostLoss),
    /// The host is at another xTR.
    MovedAway {
        /// Whether the host is a duplicate, as in [`HostChange::Found`].
        is_duplicate: bool,
    },
    /// The host was found alternately at this router and at another xTR: more than `changes` times
    /// in `seconds` seconds.
    Duplicate {
        /// The largest permitted number of changes. There were more changes than this number.
        changes: u32,
        /// The length of the time window in seconds.
        seconds: u64,
        /// This router waits for this number of seconds before it claims the host again.
        wait: u64,
    },
    /// The table of hosts has no room for the host.
    TurnedAway {
        /// The number of times that the router has refused a host.
        times: u64,
        /// The number of hosts on the LANs of this router.
        hosts: usize,
    },
}

/// A change of a registration of this router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegistrationChange {
    /// The router begins the registration.
    Begun(RegisterReason),
    /// The map-server acknowledged the registration: for the first time, or again after the
    /// registration was pending or had lapsed.
    Acknowledged(AcknowledgementReason),
    /// The router sent the registration again, and the registration is not acknowledged yet.
    Pending(RegisterReason),
    /// The map-server rejects the registration, with this reason.
    Rejected(String),
    /// The last acknowledgement is too old: the map-server may have lost the registration.
    Lapsed,
    /// The router ended the registration.
    Ended(RegisterReason),
}

/// A change of a registration at a map-server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SiteRegistrationChange {
    /// An xTR registered a prefix that had no registration.
    Registered,
    /// Another xTR registered the prefix, or the locators of the prefix have changed.
    Moved,
    /// The registrations changed, but the mapping is the same: for example, a second xTR registered
    /// the same locators.
    Altered,
    /// The last registration of the prefix ended.
    Gone,
    /// The prefix was configured for the site, or got other options.
    Configured,
    /// The prefix and its registrations were removed from the configuration.
    Deconfigured,
    /// Two xTRs registered the prefix alternately: more than `changes` times in `seconds` seconds.
    Duplicate {
        /// The source addresses of the Map-Registers of the two xTRs. The address of the newer
        /// Map-Register is first, and may be unknown.
        by: (Option<IpAddr>, IpAddr),
        /// The largest permitted number of changes. There were more changes than this number.
        changes: u32,
        /// The length of the time window in seconds.
        seconds: u64,
    },
}

/// A change of the state of a map-server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MapServerChange {
    /// The reliable session with the map-server is up.
    SessionUp(SessionReason),
    /// The reliable session with the map-server is down.
    SessionDown(SessionReason),
    /// The map-server refuses TCP. The router asks for a session again after some minutes.
    RefusesTcp {
        /// The number of minutes until this router asks for a session again.
        again_in: u64,
    },
    /// The map-server does not answer Map-Registers that ask for a session. For some minutes, this
    /// router sends Map-Registers that do not ask for a session.
    AnswersNoOffer {
        /// The number of minutes until this router asks for a session again.
        again_in: u64,
    },
    /// The map-server has not answered this router's latest Map-Registers. The router increases the
    /// nonces of its Map-Registers.
    Unanswered {
        /// The number of Map-Registers without an answer.
        registers: u32,
        /// The first increase of the nonces, in minutes.
        raised_by: u64,
        /// The router increases the nonces again after this number of further Map-Registers.
        again_after: u32,
    },
    /// This router has no locator of the map-server's address family.
    NoLocator,
    /// The map-server reported a prefix and does not confirm its report.
    Unconfirmed {
        /// The prefix.
        eid_prefix: EidPrefix,
        /// The reported locators of the prefix. The list is empty if no xTR registers the prefix.
        locators: Vec<String>,
        /// The router believes the report for this number of minutes.
        minutes: u32,
    },
}

/// A finding about a locator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LocatorChange {
    /// The locator cannot be reached.
    Unreachable(Unreachable),
    /// A finding [`LocatorChange::Unreachable`] is no longer valid, for this reason.
    Reachable(ReachableAgain),
    /// A router reported the MTU of the path to the locator.
    PathMtu {
        /// The MTU in octets. It includes the outer headers.
        mtu: u32,
        /// The router that reported the MTU.
        reporter: IpAddr,
    },
}

/// The reason why a locator cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unreachable {
    /// The kernel has no route to the locator.
    NoRoute,
    /// A router of the core reports by ICMP that the locator cannot be reached.
    Icmp {
        /// The router.
        reporter: IpAddr,
        /// The kind of the ICMP error.
        kind: IcmpErrorKind,
    },
    /// The locator does not echo nonces (RFC 9300 section 10.1).
    NoEcho,
}

/// The reason why a finding [`LocatorChange::Unreachable`] is no longer valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReachableAgain {
    /// The finding was valid for a short time only. The router tries the locator again.
    TimeOver,
    /// The kernel has a new route, which may lead to the locator.
    NewRoute,
    /// The table of findings was full, and a newer finding replaced this finding.
    TableFull,
}

/// A change of an object of the kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KernelObjectChange {
    /// The object vanishes again and again.
    Vanishes,
    /// The object waits for its link. The string is the error text of the operating system.
    WaitsForLink(String),
    /// The kernel refused to make the object, and the router will ask again. The string is the
    /// error text of the operating system.
    Refused(String),
}

/// A change of an object that the process of this router has to hold open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessObjectChange {
    /// The object was deleted. The router makes it again.
    MadeAgain,
    /// The object vanishes again and again.
    Vanishes,
    /// The object cannot be opened, and the router will try again. The string is the error text of
    /// the operating system.
    Refused(String),
}

impl HostChange {
    /// The kind of the event; see [`Event::kind`].
    pub(super) fn kind(self) -> &'static str {
        match self {
            HostChange::Found { .. } => "host-found",
            HostChange::Confirmed => "host-confirmed",
            HostChange::Silent => "host-silent",
            HostChange::Lost(_) => "host-lost",
            HostChange::MovedAway { .. } => "host-moved-away",
            HostChange::Duplicate { .. } => "host-duplicate",
            HostChange::TurnedAway { .. } => "host-turned-away",
        }
    }
}

impl MappingChange {
    /// The kind of the event; see [`Event::kind`].
    fn kind(&self) -> &'static str {
        match self {
            MappingChange::Learned => "mapping-learned",
            MappingChange::Changed => "mapping-changed",
            MappingChange::Renewed => "mapping-renewed",
            MappingChange::LocatorState => "mapping-locator-state",
            MappingChange::Gone => "mapping-gone",
            MappingChange::StaticAdded => "mapping-static-added",
            MappingChange::StaticRemoved => "mapping-static-removed",
        }
    }
}

impl RegistrationChange {
    /// The kind of the event; see [`Event::kind`].
    fn kind(&self) -> &'static str {
        match self {
            RegistrationChange::Begun(_) => "registration-begun",
            RegistrationChange::Acknowledged(_) => "registration-acknowledged",
            RegistrationChange::Pending(_) => "registration-pending",
            RegistrationChange::Lapsed => "registration-lapsed",
            RegistrationChange::Ended(_) => "registration-ended",
            RegistrationChange::Rejected(_) => "registration-rejected",
        }
    }
}

impl SiteRegistrationChange {
    /// The kind of the event; see [`Event::kind`].
    fn kind(&self) -> &'static str {
        match self {
            SiteRegistrationChange::Registered => "site-registered",
            SiteRegistrationChange::Moved => "site-moved",
            SiteRegistrationChange::Altered => "site-altered",
            SiteRegistrationChange::Configured => "site-configured",
            SiteRegistrationChange::Deconfigured => "site-deconfigured",
            SiteRegistrationChange::Gone => "site-gone",
            SiteRegistrationChange::Duplicate { .. } => "site-duplicate",
        }
    }
}

impl Event {
    /// The kind of the event in the style of a JSON name. For each kind, the log limits the number
    /// of lines.
    pub fn kind(&self) -> &'static str {
        match self {
            Event::Mapping { change, .. } => change.kind(),
            Event::Away { change: AwayChange::Added, .. } => "away-added",
            Event::Away { change: AwayChange::Removed, .. } => "away-removed",
            Event::Database { change, .. } => match change {
                DatabaseChange::Added => "database-added",
                DatabaseChange::Changed => "database-changed",
                DatabaseChange::Removed => "database-removed",
            },
            Event::Host { change, .. } => change.kind(),
            Event::Registration { change, .. } => change.kind(),
            Event::SiteRegistration { change, .. } => change.kind(),
            Event::MapServer { change, .. } => match change {
                MapServerChange::SessionUp(_) => "session-up",
                MapServerChange::SessionDown(_) => "session-down",
                MapServerChange::RefusesTcp { .. } => "map-server-refuses-tcp",
                MapServerChange::AnswersNoOffer { .. } => "map-server-answers-no-offer",
                MapServerChange::Unanswered { .. } => "registers-unanswered",
                MapServerChange::NoLocator => "map-server-without-locator",
                MapServerChange::Unconfirmed { .. } => "news-unconfirmed",
            },
            Event::EtrSession { is_up: true, .. } => "etr-session-up",
            Event::EtrSession { is_up: false, .. } => "etr-session-down",
            Event::MessageRefused { .. } => "message-refused",
            Event::Locator { change, .. } => match change {
                LocatorChange::Unreachable(_) => "locator-unreachable",
                LocatorChange::Reachable(_) => "locator-reachable",
                LocatorChange::PathMtu { .. } => "path-mtu",
            },
            Event::IcmpDisbelieved { .. } => "icmp-disbelieved",
            Event::Refused { .. } => "refused",
            Event::RefusedMore(_) => "refused-more",
            Event::ClockBehind { .. } => "clock-behind",
            Event::PortSetByHand { is_up: true, .. } => "port-up-by-hand",
            Event::PortSetByHand { is_up: false, .. } => "port-down-by-hand",
            Event::KernelObject { change, .. } => match change {
                KernelObjectChange::Vanishes => "object-vanishes",
                KernelObjectChange::WaitsForLink(_) => "object-waits",
                KernelObjectChange::Refused(_) => "object-refused",
            },
            Event::ProcessObject { change, .. } => match change {
                ProcessObjectChange::MadeAgain => "process-made-again",
                ProcessObjectChange::Vanishes => "process-vanishes",
                ProcessObjectChange::Refused(_) => "process-refused",
            },
            Event::PutBack(_) => "put-back",
            Event::KernelRefused(_) => "kernel-refused",
            Event::Message(_) => "message",
            Event::Packet(_) => "packet",
        }
    }
}

impl Display for Event {
    /// Writes the kind and the subject of the event, for example `mapping-learned 10.0.0.0/8`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        match self {
            Event::Mapping { eid_prefix, .. }
            | Event::Away { eid_prefix, .. }
            | Event::Database { eid_prefix, .. }
            | Event::Registration { eid_prefix, .. }
            | Event::SiteRegistration { eid_prefix, .. } => write!(f, " {eid_prefix}"),
            Event::Host { eid, port, .. } => write!(f, " {eid} {port}"),
            Event::MapServer { map_server, .. } => write!(f, " {map_server}"),
            Event::EtrSession { etr, .. } => write!(f, " {etr}"),
            Event::MessageRefused { peer, .. } => write!(f, " {peer}"),
            Event::Locator { rloc, .. } | Event::IcmpDisbelieved { rloc, .. } => {
                write!(f, " {rloc}")
            }
            Event::Refused { source, .. } => write!(f, " {source}"),
            Event::PortSetByHand { device, .. } => write!(f, " {device}"),
            Event::KernelObject { object, .. } => write!(f, " {object}"),
            Event::ProcessObject { object, .. } => write!(f, " {object}"),
            Event::RefusedMore(_)
            | Event::ClockBehind { .. }
            | Event::PutBack(_)
            | Event::KernelRefused(_)
            | Event::Message(_)
            | Event::Packet(_) => Ok(()),
        }
    }
}
