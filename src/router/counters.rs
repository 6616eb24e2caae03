//! The counters of a router; `show ip lisp statistics` prints them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::io::DropReason;
use crate::wire::MappingRecord;

/// Control messages of one kind, in and out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InOut {
    /// Received and understood.
    pub received: u64,
    /// Sent.
    pub sent: u64,
}

/// Why a control datagram had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlDrop {
    /// Not a well-formed message.
    Malformed,
    /// A type that this router does not handle.
    Unsupported,
    /// A role that is not configured here.
    NotOurRole,
    /// A Map-Reply, Map-Notify or acknowledgement that answers nothing that was asked.
    UnknownNonce,
    /// Wrong or missing authentication.
    Authentication,
    /// A registration for a prefix of no site, or more specific than allowed.
    NotASitePrefix,
    /// A register whose nonce is not greater than the last.
    Replay,
    /// A Map-Request for an EID that is not ours or must not be answered.
    NotOurEid,
    /// A probe or SMR that was sent to the mapping system (RFC 9301 section 6.1).
    ProbeToMappingSystem,
    /// An SMR for an EID that is not cached.
    SmrNotCached,
    /// An SMR, request or reply over a rate limit.
    RateLimited,
    /// A reply that covers no part of the request.
    WrongRecord,
    /// A record of a reply, or a part of one, that covers more than the answer to the request may.
    Overclaim,
    /// A TCP connection from an RLOC that has not registered, or to a map-server that takes none.
    UnauthenticatedSession,
    /// A table that is bounded was full.
    TableFull,
    /// A record whose EID is no IP prefix of an instance: it is left out, the others are taken.
    NotAnIpEid,
    /// A record of a Map-Request beyond those that are looked up or fit its reply: the others are
    /// answered.
    TooManyRecords,
    /// An encapsulated Map-Request that map-servers have forwarded too often.
    InnerTtlExpired,
    /// A map-server told of an EID, and denies it when it is asked.
    OldNews,
}

impl ControlDrop {
    /// All of them, in the order in which they are printed.
    pub const ALL: [ControlDrop; 19] = [
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
        ControlDrop::RateLimited,
        ControlDrop::WrongRecord,
        ControlDrop::Overclaim,
        ControlDrop::UnauthenticatedSession,
        ControlDrop::TableFull,
        ControlDrop::NotAnIpEid,
        ControlDrop::TooManyRecords,
        ControlDrop::InnerTtlExpired,
        ControlDrop::OldNews,
    ];

    /// Whether it also happens where every router is well configured: a message that came twice or
    /// late, or more of them than a limit lets through.
    pub fn is_everyday(self) -> bool {
        matches!(
            self,
            ControlDrop::UnknownNonce
                | ControlDrop::NotOurEid
                | ControlDrop::SmrNotCached
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
            ControlDrop::Replay => "Nonce not greater than the last",
            ControlDrop::NotOurEid => "Not a local EID",
            ControlDrop::ProbeToMappingSystem => "Probe or SMR to the mapping system",
            ControlDrop::SmrNotCached => "SMR for an EID not cached",
            ControlDrop::RateLimited => "Rate limited",
            ControlDrop::WrongRecord => "Reply does not cover the request",
            ControlDrop::Overclaim => "Reply for more than was asked",
            ControlDrop::UnauthenticatedSession => "Unauthenticated reliable session",
            ControlDrop::TableFull => "Table full",
            ControlDrop::NotAnIpEid => "Records whose EID is no IP prefix",
            ControlDrop::TooManyRecords => "Records beyond those answered",
            ControlDrop::InnerTtlExpired => "Forwarded too often",
            ControlDrop::OldNews => "Map-Notify that is not true any more",
        }
    }
}

/// All counters of a router, since its start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Map-Requests, SMRs and probes not among them.
    pub map_requests: InOut,
    /// Encapsulated Control Messages.
    pub encapsulated: InOut,
    /// Solicit-Map-Requests.
    pub smrs: InOut,
    /// SMRs that a limit held back.
    pub smrs_suppressed: u64,
    /// Map-Requests that an SMR invoked.
    pub smr_invoked: InOut,
    /// RLOC-probe requests.
    pub probes: InOut,
    /// Map-Replies.
    pub map_replies: InOut,
    /// Negative ones among them.
    pub negative_map_replies: InOut,
    /// Records without locators that were cut to the static map-cache entry that asked.
    pub negative_records_cut: u64,
    /// Map-Registers.
    pub map_registers: InOut,
    /// Map-Notifies.
    pub map_notifies: InOut,
    /// Map-Notify-Acks.
    pub map_notify_acks: InOut,
    /// Opaque locators in records that were taken: kept, sent again, and not used.
    pub opaque_locators: u64,
    /// Last nonces of Map-Registers that gave way to those of other xTRs: replays of their
    /// messages are not known any more.
    pub forgotten_nonces: u64,
    /// Map-Requests that the map-server forwarded to an ETR.
    pub forwarded: u64,
    /// Packets encapsulated.
    pub encapsulations: u64,
    /// Packets decapsulated.
    pub decapsulations: u64,
    /// Packets for a host that moved away, encapsulated to where it is.
    pub forwarded_away: u64,
    /// Packets of `lisp0` forwarded natively.
    pub native: u64,
    /// Packets whose source is no local EID, forwarded natively for that.
    pub native_foreign_source: u64,
    /// Times that a locator was found unreachable by ICMP, for want of a route, or by echo-nonce.
    pub unreachable_rlocs: u64,
    /// Times that the Locator-Status-Bits of a packet changed the state of a locator.
    pub status_bit_changes: u64,
    /// Nonces that others asked for the echo of, and that this router did.
    pub nonces: InOut,
    /// Of the latter, how many came back.
    pub nonces_echoed: u64,
    /// Times that ICMP told the MTU of a path.
    pub path_mtus: u64,
    /// ICMP errors Time Exceeded of the core that went on to a host.
    pub time_exceeded_relayed: u64,
    /// ICMP errors of the core without effect.
    pub icmp_ignored: u64,
    /// ICMP errors about packets that this router has not sent.
    pub icmp_disbelieved: u64,
    /// Searches for hosts that were refused for want of room.
    pub searches_refused: u64,
    /// Packets held for a Map-Reply.
    pub held: u64,
    /// Packets of EIDs that stopped here.
    pub drops: BTreeMap<DropReason, u64>,
    /// Control datagrams without effect; `Context::refuse` alone counts them, and tells of each.
    pub control_drops: BTreeMap<ControlDrop, u64>,
}

impl Counters {
    /// Counts packets on the wire that stopped: of a super-packet, all of its segments.
    pub fn dropped(&mut self, reason: DropReason, packets: u64) {
        *self.drops.entry(reason).or_default() += packets;
    }

    /// Counts the opaque locators of a record that was taken.
    pub fn took(&mut self, record: &MappingRecord) {
        let opaque = record.locators.iter().filter(|locator| locator.ip().is_none());
        self.opaque_locators += opaque.count() as u64;
    }
}
