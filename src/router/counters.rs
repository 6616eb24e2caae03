//! The counters of a router; `show ip lisp statistics` prints them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::io::DropReason;
use crate::wire::MappingRecord;

/// Control messages of one kind, received and sent.
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
    /// A message for a role that is not configured here.
    NotOurRole,
    /// A Map-Reply, Map-Notify or acknowledgement for which this router has no open request.
    UnknownNonce,
    /// Wrong or missing authentication.
    Authentication,
    /// A registration for a prefix that no site has, or that is more specific than allowed.
    NotASitePrefix,
    /// A Map-Register whose nonce is not greater than the last one.
    Replay,
    /// A Map-Request for an EID that is not ours or that the router must not answer for.
    NotOurEid,
    /// A probe or SMR that was sent to the mapping system (RFC 9301 section 6.1).
    ProbeToMappingSystem,
    /// An SMR for an EID that is not cached.
    SmrNotCached,
    /// An SMR, request or reply over a rate limit.
    RateLimited,
    /// A reply that covers no part of the request.
    WrongRecord,
    /// A record of a reply, or a part of a record, that covers more than the answer to the request
    /// may.
    Overclaim,
    /// A TCP connection from an RLOC that has not registered, or to a router that accepts no
    /// connections.
    UnauthenticatedSession,
    /// A table that is bounded was full.
    TableFull,
    /// A record whose EID is not an IP prefix of an instance. The router leaves out this record and
    /// takes the others.
    NotAnIpEid,
    /// A record of a Map-Request that is not answered, because there are too many records to look
    /// up or to put into one reply. The other records are answered.
    TooManyRecords,
    /// An encapsulated Map-Request that map-servers have forwarded too often.
    InnerTtlExpired,
    /// A Map-Notify about an EID that its map-server denies when the router asks.
    OldNews,
}

impl ControlDrop {
    /// All variants, in the order in which they are printed.
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

    /// Whether this drop also happens when all routers are well configured: a message arrives twice
    /// or late, or more messages arrive than a limit permits.
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
    /// Negative Map-Replies; `map_replies` counts them too.
    pub negative_map_replies: InOut,
    /// Records without locators that were cut to the prefix of the static map-cache entry that
    /// caused the request.
    pub negative_records_cut: u64,
    /// Map-Registers.
    pub map_registers: InOut,
    /// Map-Notifies.
    pub map_notifies: InOut,
    /// Map-Notify-Acks.
    pub map_notify_acks: InOut,
    /// Opaque locators in accepted records. The router keeps them and sends them again, but does
    /// not use them.
    pub opaque_locators: u64,
    /// Last nonces of Map-Registers that were deleted to make room for those of other xTRs. The
    /// router cannot detect replays of the messages with the deleted nonces.
    pub forgotten_nonces: u64,
    /// Map-Requests that the map-server forwarded to an ETR.
    pub forwarded: u64,
    /// Packets encapsulated.
    pub encapsulations: u64,
    /// Packets decapsulated.
    pub decapsulations: u64,
    /// Packets for a host that moved away, encapsulated to its new locator.
    pub forwarded_away: u64,
    /// Packets from `lisp0` that were forwarded natively.
    pub native: u64,
    /// Packets that were forwarded natively because their source is not a local EID.
    pub native_foreign_source: u64,
    /// How often a locator was found unreachable: by ICMP, by echo-nonce, or because there is no
    /// route.
    pub unreachable_rlocs: u64,
    /// How often the Locator-Status-Bits of a packet changed the state of a locator.
    pub status_bit_changes: u64,
    /// Nonces for which an echo was requested: by other xTRs (received) and by this router (sent).
    pub nonces: InOut,
    /// How many of this router's nonces were echoed.
    pub nonces_echoed: u64,
    /// How often an ICMP error reported the MTU of a path.
    pub path_mtus: u64,
    /// ICMP errors Time Exceeded from the core that were relayed to a host.
    pub time_exceeded_relayed: u64,
    /// ICMP errors from the core that had no effect.
    pub icmp_ignored: u64,
    /// ICMP errors about packets that this router has not sent.
    pub icmp_disbelieved: u64,
    /// Searches for hosts that were refused because there was no room.
    pub searches_refused: u64,
    /// Packets held for a Map-Reply.
    pub held: u64,
    /// Packets of EIDs that were dropped here.
    pub drops: BTreeMap<DropReason, u64>,
    /// Control datagrams without effect. Only `Context::refuse` counts and reports them.
    pub control_drops: BTreeMap<ControlDrop, u64>,
}

impl Counters {
    /// Counts packets on the wire that were dropped. A super-packet counts as the number of its
    /// segments.
    pub fn dropped(&mut self, reason: DropReason, packets: u64) {
        *self.drops.entry(reason).or_default() += packets;
    }

    /// Counts the opaque locators of an accepted record.
    pub fn took(&mut self, record: &MappingRecord) {
        let opaque = record.locators.iter().filter(|locator| locator.ip().is_none());
        self.opaque_locators += opaque.count() as u64;
    }
}
