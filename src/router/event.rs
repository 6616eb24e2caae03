//! The changes in a router. The core outputs each change as plain data, in an
//! [`Output::Event`](super::io::Output).
//!
//! The core does not format events. Other parts make text from them: the lines of the log
//! ([`Log`](super::logging::Log)), the lines of `debug lisp control-plane`
//! ([`debug`](super::debug)), records, traces and pages.

use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::away::Producer;
use super::counters::ControlDrop;
use super::disbelief::Disbelief;
use super::discovery::Discovery;
use super::interface_name::InterfaceName;
use super::io::{KernelObject, ProcessObject};
use super::packet_event::PacketEvent;
use super::refusals::Explanation;
use crate::addr::{Eid, EidPrefix, Rloc};
use crate::wire::{IcmpErrorKind, MapRequest};

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
    },
    /// An entry of the away table changed.
    Away {
        /// The EID prefix of the entry.
        eid_prefix: EidPrefix,
        /// The cause of the entry.
        producer: Producer,
        /// The change.
        change: AwayChange,
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
    /// A registration changed. This router, as an ETR, made the registration.
    Registration {
        /// The EID prefix.
        eid_prefix: EidPrefix,
        /// The map-server.
        map_server: IpAddr,
        /// The change.
        change: RegistrationChange,
    },
    /// A registration changed. Another router made the registration at this router, which is a
    /// map-server.
    SiteRegistration {
        /// The EID prefix.
        eid_prefix: EidPrefix,
        /// The site.
        site: String,
        /// The change.
        change: SiteRegistrationChange,
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
        /// The sender of the last error.
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
    /// The numbers of control messages that were refused in one minute and have no line of their
    /// own: one number for each reason.
    RefusedMore(Vec<(ControlDrop, u64)>),
    /// The wall clock is earlier than the last nonce that an earlier run sent in a Map-Register.
    ClockBehind {
        /// The difference in seconds.
        by: u64,
    },
    /// A port was set up or down. The configuration of the router did not cause this.
    PortSetByHand {
        /// The name of the port.
        port: String,
        /// The Linux device of the port.
        device: String,
        /// Whether the port was set up.
        is_up: bool,
    },
    /// A change of a kernel object that this router wants.
    KernelObject {
        /// The object.
        object: KernelObject,
        /// The change.
        change: KernelObjectChange,
    },
    /// A change of an object that the process of this router holds open.
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
    /// The router decided on a packet of EIDs. The router outputs this event only while debugging
    /// of packets is on.
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
    /// The entry expired, was cleared, or was replaced by another entry.
    Gone,
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
    /// The host is on a LAN of this router, although a map-server says that it is elsewhere. The
    /// router registers the host again.
    Confirmed,
    /// The host has stopped answering.
    Silent,
    /// The host is no longer in the table of hosts: its port has no link, its port does not serve
    /// the range of the host, or the table needed the place for another host.
    Lost,
    /// Another xTR has the host.
    MovedAway {
        /// Whether the host is a duplicate, as in [`HostChange::Found`].
        is_duplicate: bool,
    },
    /// The host was found alternately at this router and at another xTR: more than `changes` times
    /// in `seconds`.
    Duplicate {
        /// The largest permitted number of changes. There were more changes than this number.
        changes: u32,
        /// The length of the time window in seconds.
        seconds: u64,
        /// The number of seconds that this router waits before it claims the host again.
        wait: u64,
    },
    /// There is no room for the host.
    TurnedAway {
        /// The number of refusals of hosts, in total.
        times: u64,
        /// The number of hosts on the LANs of this router.
        hosts: usize,
    },
}

/// A change of a registration of this router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegistrationChange {
    /// The map-server acknowledged the registration for the first time.
    Acknowledged,
    /// The map-server rejects the registration, with this reason.
    Rejected(String),
}

/// A change of a registration at a map-server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SiteRegistrationChange {
    /// An xTR registered a prefix that had no registration.
    Registered,
    /// Another xTR registered the prefix, or its locators have changed.
    Moved,
    /// The last registration of the prefix ended.
    Gone,
    /// Two xTRs registered the prefix alternately: more than `changes` times in `seconds`.
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
    SessionUp,
    /// The reliable session with the map-server is down.
    SessionDown,
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
    /// The map-server has not answered the last Map-Registers. The router increases the nonces of
    /// its Map-Registers.
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
        /// The number of minutes for which the router believes the report.
        minutes: u32,
    },
}

/// A finding about a locator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LocatorChange {
    /// The locator cannot be reached.
    Unreachable(Unreachable),
    /// The path to the locator has an MTU that a router reported.
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

/// A control message that was received or sent, with the data that `debug lisp control-plane`
/// prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageEvent {
    /// A message was received.
    Received {
        /// The type of the message (RFC 9301 section 5.1).
        message_type: u8,
        /// The interface that has the destination address of the message.
        interface: Option<InterfaceName>,
        /// The sender.
        from: SocketAddr,
        /// The receiver.
        to: SocketAddr,
    },
    /// A Map-Request was received.
    RequestReceived(RequestSummary),
    /// An SMR was received. The router will send a Map-Request.
    RequestScheduled {
        /// The solicited EID.
        eid: Eid,
        /// The EID of the first record of the SMR. If a Cisco router sent the SMR, this is an EID
        /// of this site.
        own: Option<Eid>,
    },
    /// The router received a Map-Request, but the D bit of the request forbids an answer.
    NotReplying(Eid),
    /// A Map-Request was sent.
    RequestSent {
        /// The contents of the Map-Request.
        request: RequestSummary,
        /// The number of the attempt for this EID; the first attempt is number 1.
        attempt: u32,
        /// The source of the inner IP header.
        inner_source: IpAddr,
        /// The source of the outer IP header.
        source: Rloc,
        /// The map-resolver.
        resolver: IpAddr,
    },
    /// The router sends a Map-Request to the next map-resolver.
    NextResolver {
        /// The prefix that is asked for.
        eid_prefix: EidPrefix,
        /// Whether an SMR invoked the request.
        smr_invoked: bool,
        /// The map-resolver that has not answered.
        from: IpAddr,
        /// The next map-resolver.
        to: IpAddr,
    },
    /// A Map-Reply was received.
    ReplyReceived {
        /// The nonce of the Map-Reply.
        nonce: u64,
        /// The number of records of the Map-Reply.
        records: usize,
    },
    /// A map-server forwarded a Map-Request.
    RequestForwarded {
        /// The registered prefix.
        eid_prefix: EidPrefix,
        /// The site.
        site: String,
        /// The ETR that the request was forwarded to.
        etr: Rloc,
    },
    /// An SMR was sent.
    SmrSent {
        /// The contents of the SMR.
        smr: RequestSummary,
        /// The locator of this router.
        source: Rloc,
        /// The locator of the solicited ITR.
        to: Rloc,
    },
}

/// The parts of a Map-Request that a debug line prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestSummary {
    /// The prefix of the first record of the Map-Request.
    pub eid_prefix: EidPrefix,
    /// The number of records of the Map-Request.
    pub records: usize,
    /// The source EID.
    pub source_eid: Option<Eid>,
    /// The locators to which the reply may be sent.
    pub itr_rlocs: Vec<Rloc>,
    /// The nonce.
    pub nonce: u64,
    /// The P bit: the request is a probe.
    pub probe: bool,
    /// The S bit: the request is an SMR.
    pub smr: bool,
    /// The s bit: an SMR invoked the request.
    pub smr_invoked: bool,
    /// The p bit: the request is from a proxy ITR.
    pub from_pitr: bool,
    /// The D bit: the sender wants no Map-Reply.
    pub do_not_reply: bool,
}

impl HostChange {
    /// The kind of the event; see [`Event::kind`].
    pub(super) fn kind(self) -> &'static str {
        match self {
            HostChange::Found { .. } => "host-found",
            HostChange::Confirmed => "host-confirmed",
            HostChange::Silent => "host-silent",
            HostChange::Lost => "host-lost",
            HostChange::MovedAway { .. } => "host-moved-away",
            HostChange::Duplicate { .. } => "host-duplicate",
            HostChange::TurnedAway { .. } => "host-turned-away",
        }
    }
}

impl Event {
    /// The kind of the event in the style of a JSON name. The log limits the number of its lines
    /// for each kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Event::Mapping { change, .. } => match change {
                MappingChange::Learned => "mapping-learned",
                MappingChange::Changed => "mapping-changed",
                MappingChange::Gone => "mapping-gone",
            },
            Event::Away { change: AwayChange::Added, .. } => "away-added",
            Event::Away { change: AwayChange::Removed, .. } => "away-removed",
            Event::Host { change, .. } => change.kind(),
            Event::Registration { change, .. } => match change {
                RegistrationChange::Acknowledged => "registration-acknowledged",
                RegistrationChange::Rejected(_) => "registration-rejected",
            },
            Event::SiteRegistration { change, .. } => match change {
                SiteRegistrationChange::Registered => "site-registered",
                SiteRegistrationChange::Moved => "site-moved",
                SiteRegistrationChange::Gone => "site-gone",
                SiteRegistrationChange::Duplicate { .. } => "site-duplicate",
            },
            Event::MapServer { change, .. } => match change {
                MapServerChange::SessionUp => "session-up",
                MapServerChange::SessionDown => "session-down",
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
    /// The kind and the subject of the event, for example `mapping-learned 10.0.0.0/8`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        match self {
            Event::Mapping { eid_prefix, .. }
            | Event::Away { eid_prefix, .. }
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

impl RequestSummary {
    /// The summary of a Map-Request; `None` if the request has no records.
    pub(super) fn of(request: &MapRequest) -> Option<Self> {
        Some(RequestSummary {
            eid_prefix: request.records.first()?.eid_prefix,
            records: request.records.len(),
            source_eid: request.source_eid,
            itr_rlocs: request.itr_rlocs.clone(),
            nonce: request.nonce.0,
            probe: request.probe,
            smr: request.smr,
            smr_invoked: request.smr_invoked,
            from_pitr: request.from_pitr,
            do_not_reply: request.do_not_reply,
        })
    }
}
