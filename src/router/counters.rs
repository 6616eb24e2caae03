//! The counters of a router; `show ip lisp statistics` prints them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::io::DropReason;
use crate::wire::{MapReply, MappingRecord};

/// The numbers of received and sent control messages of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InOut {
    /// The messages that were received and could be read.
    pub received: u64,
    /// The messages that were sent.
    pub sent: u64,
}

/// The reason why a control datagram, or a part of it, had no effect.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ControlDrop {
    /// A datagram that is not a valid LISP message.
    Malformed,
    /// A message of a type that this router does not handle.
    Unsupported,
    /// A message for a role that this router does not have.
    NotOurRole,
    /// A Map-Reply, Map-Notify or acknowledgement for which this router has no open request.
    UnknownNonce,
    /// A message whose authentication is wrong or missing.
    Authentication,
    /// A registration for a prefix that belongs to no site, or for a more specific prefix, if the
    /// site accepts no more specific prefixes.
    NotASitePrefix,
    /// A Map-Register that the map-server has received before, or a Map-Register whose nonce is not
    /// greater than the last nonce of the same sender.
    Replay,
    /// A Map-Request for an EID that is not at this site, or a Map-Request that the router must not
    /// answer.
    NotOurEid,
    /// A probe or an SMR to the mapping system (RFC 9301 section 6.1): the message was
    /// encapsulated, or this router is a map-server or a map-resolver and has no other role.
    ProbeToMappingSystem,
    /// An SMR for an EID that is not in the map-cache.
    SmrNotCached,
    /// An SMR that the configuration tells the router to ignore.
    SmrIgnored,
    /// An SMR, a request or a reply that exceeds a rate limit.
    RateLimited,
    /// A reply that does not cover the requested EID.
    WrongRecord,
    /// A Map-Request that the router cannot answer, because it can send a reply to none of the
    /// ITR-RLOCs of the request.
    NoReplyPath,
    /// A record of a Map-Reply that covers more EIDs than the request permits. The router uses only
    /// a part of the record, or ignores the record.
    Overclaim,
    /// A TCP connection from an RLOC that has not registered, or a TCP connection to a router that
    /// accepts no connections.
    UnauthenticatedSession,
    /// A message for which a table of limited size had no room.
    TableFull,
    /// A record whose EID is not an IP prefix of an instance. The router leaves out this record and
    /// uses the other records.
    NotAnIpEid,
    /// A record of a Map-Request that the router does not answer, because the request has too many
    /// records or the reply has no room for the answer. The router answers the other records.
    TooManyRecords,
    /// An encapsulated Map-Request that map-servers have forwarded too often.
    InnerTtlExpired,
    /// A Map-Notify that is no longer true. The router asked the map-server about the EID, and the
    /// map-server gave another answer.
    OldNews,
}

impl ControlDrop {
    /// All variants, in the order in which they are printed.
    pub const ALL: [ControlDrop; 21] = [
        ControlDrop::Malformed,
        ControlDrop::Unsupported,
        ControlDrop::NotOurRole,
        ControlDrop::UnknownNonce,
        ControlDrop::Authentication,
        ControlDrop::NotASitePrefix,
        ControlDrop::Replay,
        ControlDrop::NotOurEid,
        ControlDrop::ProbeToMappingSystem,
        ControlDrop::SmrNotCached,
        ControlDrop::SmrIgnored,
        ControlDrop::RateLimited,
        ControlDrop::WrongRecord,
        ControlDrop::NoReplyPath,
        ControlDrop::Overclaim,
        ControlDrop::UnauthenticatedSession,
        ControlDrop::TableFull,
        ControlDrop::NotAnIpEid,
        ControlDrop::TooManyRecords,
        ControlDrop::InnerTtlExpired,
        ControlDrop::OldNews,
    ];

    /// Whether this drop also happens if all routers are configured correctly. For example, a
    /// message arrives twice or late, or more messages arrive than a limit permits.
    pub fn is_everyday(self) -> bool {
        matches!(
            self,
            ControlDrop::UnknownNonce
                | ControlDrop::NotOurEid
                | ControlDrop::SmrNotCached
                | ControlDrop::SmrIgnored
                | ControlDrop::RateLimited
                | ControlDrop::NotAnIpEid
                | ControlDrop::OldNews
        )
    }

    /// The cause in a few words.
    pub fn describe(self) -> &'static str {
        match self {
            ControlDrop::Malformed => "Format errors",
            ControlDrop::Unsupported => "Unsupported LISP packet type",
            ControlDrop::NotOurRole => "Role not configured",
            ControlDrop::UnknownNonce => "Unknown nonce",
            ControlDrop::Authentication => "Authentication failures",
            ControlDrop::NotASitePrefix => "Not valid site EID prefix",
            ControlDrop::Replay => "Nonce not greater than the last nonce",
            ControlDrop::NotOurEid => "Not a local EID",
            ControlDrop::ProbeToMappingSystem => "Probe or SMR to the mapping system",
            ControlDrop::SmrNotCached => "SMR for an EID that is not in the map-cache",
            ControlDrop::SmrIgnored => "SMR ignored by configuration",
            ControlDrop::RateLimited => "Rate limited",
            ControlDrop::WrongRecord => "Reply does not cover the request",
            ControlDrop::NoReplyPath => "Map-Request without a usable ITR-RLOC",
            ControlDrop::Overclaim => "Reply covers more than the request",
            ControlDrop::UnauthenticatedSession => "Unauthenticated reliable session",
            ControlDrop::TableFull => "Table full",
            ControlDrop::NotAnIpEid => "Records with an EID that is not an IP prefix",
            ControlDrop::TooManyRecords => "Records above the limit for one reply",
            ControlDrop::InnerTtlExpired => "Forwarded too often",
            ControlDrop::OldNews => "Map-Notify that the map-server denies",
        }
    }
}

/// All counters of a router.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counters {
    /// Map-Requests, except SMRs, SMR-invoked Map-Requests and probes.
    pub map_requests: InOut,
    /// Encapsulated Control Messages.
    pub encapsulated: InOut,
    /// Solicit-Map-Requests.
    pub smrs: InOut,
    /// SMRs that the router did not send because of a limit.
    pub smrs_suppressed: u64,
    /// Map-Requests that an SMR invoked.
    pub smr_invoked: InOut,
    /// RLOC-probe requests.
    pub probes: InOut,
    /// EIDs for which the router sent Map-Requests and received no answer to any of them.
    pub map_requests_unanswered: u64,
    /// Map-Replies.
    pub map_replies: InOut,
    /// The authoritative records of Map-Replies.
    pub authoritative_records: InOut,
    /// The other records of Map-Replies: they are not authoritative.
    pub other_records: InOut,
    /// The records of Map-Replies to RLOC-probes.
    pub probe_records: InOut,
    /// The records of proxy Map-Replies, which the map-server sent in place of ETRs.
    pub proxy_records: u64,
    /// Negative Map-Replies; `map_replies` counts them too.
    pub negative_map_replies: InOut,
    /// Records without locators that the router cut to a longer prefix: the prefix of the static
    /// map-cache entry that caused the request.
    pub negative_records_cut: u64,
    /// Map-Registers.
    pub map_registers: InOut,
    /// Map-Notifies.
    pub map_notifies: InOut,
    /// Map-Notifies with wrong authentication; `control_drops` counts them too.
    pub map_notify_authentication: u64,
    /// Map-Notify-Acks.
    pub map_notify_acks: InOut,
    /// Opaque locators in accepted records. The router stores these locators and sends them in its
    /// own messages, but does not use them.
    pub opaque_locators: u64,
    /// The number of times that the router deleted the last nonce of an xTR to make room for the
    /// nonces of other xTRs. After this, the router cannot detect a replay of a Map-Register of
    /// this xTR.
    pub forgotten_nonces: u64,
    /// Map-Requests that the map-server forwarded to an ETR.
    pub forwarded: u64,
    /// Packets that were encapsulated.
    pub encapsulations: u64,
    /// Packets that were decapsulated.
    pub decapsulations: u64,
    /// Packets for a host that moved away. The router encapsulated them to the new locator of the
    /// host.
    pub forwarded_away: u64,
    /// Packets from `lisp0` that were forwarded natively.
    pub native: u64,
    /// Packets that were forwarded natively because their source is not a local EID.
    pub native_foreign_source: u64,
    /// The number of times that a locator was found unreachable: by ICMP, by echo-nonce, or because
    /// there is no route.
    pub unreachable_rlocs: u64,
    /// The number of times that the Locator-Status-Bits of a packet changed the state of a locator.
    pub status_bit_changes: u64,
    /// Nonces for which the sender requests an echo: received from other xTRs, and sent by this
    /// router.
    pub nonces: InOut,
    /// Nonces of this router that other xTRs echoed.
    pub nonces_echoed: u64,
    /// The number of times that an ICMP error reported the MTU of a path.
    pub path_mtus: u64,
    /// ICMP Time Exceeded errors from the core that the router relayed to a host.
    pub time_exceeded_relayed: u64,
    /// ICMP errors from the core that had no effect.
    pub icmp_ignored: u64,
    /// ICMP errors about packets that this router has not sent.
    pub icmp_disbelieved: u64,
    /// Refused searches for hosts: the table of searches had no room.
    pub searches_refused: u64,
    /// Packets that waited for a mapping, or until the host of their destination was found.
    pub held: u64,
    /// Packets from and to EIDs that this router dropped, counted for each reason.
    pub drops: BTreeMap<DropReason, u64>,
    /// Control datagrams without effect, counted for each reason. Only `refuse` and `refuse_parts`
    /// of `Context` count and report them.
    pub control_drops: BTreeMap<ControlDrop, u64>,
}

impl Counters {
    /// Counts dropped packets, as packets on the wire: a super-packet counts as the number of its
    /// segments.
    pub fn dropped(&mut self, reason: DropReason, packets: u64) {
        *self.drops.entry(reason).or_default() += packets;
    }

    /// Counts the records of a Map-Reply. `end` selects the counter of received records or the
    /// counter of sent records.
    pub fn replied(&mut self, reply: &MapReply, end: fn(&mut InOut) -> &mut u64) {
        let all = reply.records.len() as u64;
        let authoritative = reply.records.iter().filter(|record| record.authoritative);
        let authoritative = authoritative.count() as u64;
        *end(&mut self.authoritative_records) += authoritative;
        *end(&mut self.other_records) += all - authoritative;
        if reply.probe {
            *end(&mut self.probe_records) += all;
        }
    }

    /// Counts the opaque locators of an accepted record.
    pub fn took(&mut self, record: &MappingRecord) {
        let opaque = record.locators.iter().filter(|locator| locator.ip().is_none());
        self.opaque_locators += opaque.count() as u64;
    }
}
