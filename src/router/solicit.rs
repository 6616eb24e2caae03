//! The Solicit-Map-Requests that this router sends: Generalized SMR (RFC 9301 section 6.1).
//!
//! A router sends SMRs for two reasons. The first reason is a packet for an away EID: the xTR that
//! encapsulated the packet has an old mapping, so the router sends an SMR to this xTR, within
//! limits. The second reason is a change of a local mapping. In this case, the router does not wait
//! for a packet. It sends SMRs to the peers that sent or received packets in the last minute, and
//! to the configured peers. An ETR keeps no list of the ITRs that cached its mappings, so it does
//! not know the other ITRs.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::bounded::{Bounded, Fill, Limit};
use super::config::Config;
use super::context::Context;
use super::deadlines::Deadlines;
use super::event::{MessageEvent, RequestSummary};
use super::map_cache::MapCache;
use super::rate::Rate;
use super::reason::{DatabaseReason, MessageReason, SmrPeer, SmrReason};
use crate::addr::{Eid, EidPrefix, Rloc};
use crate::prefix_map::PrefixMap;
use crate::rng::{Rng, Seed};
use crate::time::Time;
use crate::wire::{CONTROL_PORT, MapRequest, Message, Nonce};

/// The minimum time between two SMRs about one EID to one RLOC.
const INTERVAL: Duration = Duration::from_secs(3);
/// The maximum rate of SMRs to one RLOC, for all EIDs: `burst` SMRs immediately, and one more after
/// each `interval`.
const RATE: Rate = Rate { burst: 8, interval: Duration::from_secs(3) };
/// A peer that sent a packet within this time gets an SMR when a mapping changes (RFC 9301 section
/// 6.1).
const RECENT: Duration = Duration::from_secs(60);
/// The maximum time for which SMRs about a changed mapping wait until the map-servers have the new
/// mapping.
const REGISTRATION_WAIT: Duration = Duration::from_secs(1);
/// The maximum number of repetitions of an SMR about a changed mapping. The SMR is repeated if its
/// peer still sends packets.
const REPEATS: u32 = 2;
/// The maximum number of peers that are stored for each local prefix. If there are more peers, the
/// peer that was silent for the longest time is removed.
const PEERS: usize = 64;
/// The limit of the table of recent SMRs. The table has an entry for each pair of an EID and an
/// RLOC. If the table is full, the router removes the oldest pair of the RLOC that has the most
/// pairs.
const SAID: Limit = Limit { name: "SMRs sent recently", capacity: 16_384, idle: Duration::ZERO };
/// The maximum number of RLOCs for which SMRs are counted. If the table is full, the RLOC that got
/// no SMR for the longest time is removed.
const BUCKETS: Limit =
    Limit { name: "RLOCs that got an SMR recently", capacity: 16_384, idle: Duration::ZERO };
/// The limit for the number of SMRs that may be repeated. If the table is full, the router removes
/// the oldest SMR of the prefix that has the most SMRs.
const REPEATED: Limit = Limit { name: "SMRs to repeat", capacity: 16_384, idle: Duration::ZERO };

/// A remote xTR that sent packets to a local prefix.
#[derive(Clone, Copy, Debug)]
struct Peer {
    last_at: Time,
    inner_source: Eid,
    inner_destination: Eid,
}

/// An SMR about a changed mapping. The router may repeat this SMR.
#[derive(Clone, Copy, Debug)]
struct Repeat {
    left: u32,
    /// The time of the latest attempt to send the SMR. A limit may have prevented this attempt.
    said_at: Time,
    /// Whether a limit prevented the latest attempt. If so, the peer does not know the change, and
    /// the SMR is sent even if the peer sends no packets.
    is_owed: bool,
    solicitation: Solicitation,
}

/// An SMR that must be sent, with its peer and its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Solicitation {
    /// The peer.
    to: Rloc,
    /// The EID that the peer should request.
    solicited: Eid,
    /// An EID or EID prefix of the peer.
    record: EidPrefix,
    /// The reason for the SMR.
    reason: SmrReason,
}

/// The recent packets of peers, and the SMRs to these peers.
#[derive(Debug)]
pub(super) struct Solicitor {
    /// The peers, by local prefix. If no peer has sent packets to a prefix for [`RECENT`], the
    /// prefix has no peers.
    peers: PrefixMap<BTreeMap<Rloc, Peer>>,
    /// The time at which the peers of each prefix can be deleted.
    forgotten_at: Deadlines<EidPrefix>,
    /// The EIDs and RLOCs of the SMRs that were sent within the last [`INTERVAL`]. The sharer of an
    /// SMR (see [`Bounded`]) is its RLOC.
    said: Bounded<(Eid, Rloc), (), Rloc>,
    /// The time at which [`RATE`] allows a full burst to each RLOC again.
    full_at: Bounded<Rloc, Time>,
    /// Changed prefixes whose registration is not complete yet.
    changed: Deadlines<EidPrefix>,
    /// The latest change of each prefix in `changed`.
    changes: BTreeMap<EidPrefix, DatabaseReason>,
    /// The SMRs to repeat, by local prefix and peer. Each SMR is due one [`INTERVAL`] after it was
    /// added. The sharer of an SMR (see [`Bounded`]) is its prefix.
    repeats: Bounded<(EidPrefix, Rloc), Repeat, EidPrefix>,
    /// The prefix and the peer of the last recorded packet, and the time of this packet in whole
    /// seconds. Most packets have the same values as the previous packet, and the router does not
    /// record these packets.
    last_heard: Option<(EidPrefix, Rloc, u64)>,
    rng: Rng,
}

impl Solicitor {
    pub(super) fn new(seed: &Seed) -> Self {
        Solicitor {
            peers: PrefixMap::new(),
            forgotten_at: Deadlines::default(),
            said: Bounded::new(SAID),
            full_at: Bounded::new(BUCKETS),
            changed: Deadlines::default(),
            changes: BTreeMap::new(),
            repeats: Bounded::new(REPEATED),
            last_heard: None,
            rng: Rng::new(seed, "smr nonce"),
        }
    }

    /// The time at which the next SMR must be repeated.
    pub(super) fn next_repetition(&self) -> Option<Time> {
        self.repeats.first_use().map(|at| at + INTERVAL)
    }

    /// The time at which SMRs are sent to the peers of a changed mapping, even if the mapping is
    /// not registered yet.
    pub(super) fn next_solicitation(&self) -> Option<Time> {
        self.changed.next()
    }

    /// The fill levels of the tables.
    pub(super) fn fills(&self) -> [Fill; 3] {
        [self.said.fill(), self.full_at.fill(), self.repeats.fill()]
    }

    // If one of the three tables is full, it always evicts another entry. So no new entry is
    // rejected.

    fn repeat_later(
        &mut self,
        prefix: EidPrefix,
        (left, is_owed): (u32, bool),
        solicitation: Solicitation,
        now: Time,
    ) {
        let repeat = Repeat { left, said_at: now, is_owed, solicitation };
        let _ = self.repeats.insert((prefix, solicitation.to), prefix, repeat, now);
    }

    /// Records that the peer `from` sent a packet for the local prefix `prefix`. The precision of
    /// the recorded time is one second.
    pub(super) fn heard(&mut self, prefix: EidPrefix, from: Rloc, source: Eid, to: Eid, now: Time) {
        let this = Some((prefix, from, now.0 / 1_000_000));
        if self.last_heard == this {
            return;
        }
        self.last_heard = this;
        self.forget_silent(now);
        self.forgotten_at.set(prefix, Some(now + RECENT));
        let peer = Peer { last_at: now, inner_source: source, inner_destination: to };
        let Some(peers) = self.peers.get_mut(&prefix) else {
            self.peers.insert(prefix, BTreeMap::from([(from, peer)]));
            return;
        };
        if peers.len() >= PEERS && !peers.contains_key(&from) {
            let silent = peers.iter().min_by_key(|(_, peer)| peer.last_at).map(|(rloc, _)| *rloc);
            if let Some(silent) = silent {
                peers.remove(&silent);
            }
        }
        peers.insert(from, peer);
    }

    /// If no peer has sent packets to a prefix for [`RECENT`], deletes all peers of this prefix.
    pub(super) fn forget_silent(&mut self, now: Time) {
        while let Some(prefix) = self.forgotten_at.pop(now) {
            self.peers.remove(&prefix);
        }
    }

    /// Whether an SMR about `eid` may be sent to `to` at `now`. If the SMR may be sent, counts it.
    fn admit(&mut self, eid: Eid, to: Rloc, now: Time) -> bool {
        self.said.expire(INTERVAL, now);
        self.full_at.expire(RATE.unused_after(), now);
        if self.said.contains_key(&(eid, to)) {
            return false;
        }
        let Some(full_at) = RATE.admit(self.full_at.get(&to).copied(), now) else { return false };
        let _ = self.said.insert((eid, to), to, (), now);
        let _ = self.full_at.insert(to, (), full_at, now);
        true
    }
}

impl Solicitor {
    /// Sends an SMR to the xTR that encapsulated a packet for an away EID.
    pub(super) fn solicit_sender(
        &mut self,
        context: &mut Context,
        from: Rloc,
        source: Eid,
        away: Eid,
        now: Time,
    ) {
        let record = source.host_prefix();
        let reason = SmrReason::PacketForAway { source, eid: away };
        self.solicit(context, Solicitation { to: from, solicited: away, record, reason }, now);
    }

    /// Handles a change of the mapping of a local prefix. The SMRs to the peers of this prefix are
    /// sent after the map-servers have the new mapping, because a peer that asks too early gets the
    /// old mapping or no mapping. But the SMRs do not wait longer than [`REGISTRATION_WAIT`].
    pub(super) fn mapping_changed(&mut self, prefix: EidPrefix, change: DatabaseReason, now: Time) {
        self.changed.set(prefix, Some(now + REGISTRATION_WAIT));
        self.changes.insert(prefix, change);
    }

    /// Whether the SMRs to the peers of a prefix wait until the registration of the prefix is
    /// complete.
    pub(super) fn awaits_registration(&self, prefix: &EidPrefix) -> bool {
        self.changed.contains(prefix)
    }

    /// Sends SMRs to the peers of a changed prefix, because the registration of this prefix is not
    /// in progress any more.
    pub(super) fn registered(
        &mut self,
        context: &mut Context,
        map_cache: &MapCache,
        prefix: EidPrefix,
        now: Time,
    ) {
        self.changed.set(prefix, None);
        self.solicit_peers(context, map_cache, prefix, now);
    }

    /// If the registration of a changed mapping takes too long, sends SMRs to the peers of this
    /// mapping.
    pub(super) fn solicit_due(&mut self, context: &mut Context, map_cache: &MapCache, now: Time) {
        while let Some(prefix) = self.changed.pop(now) {
            self.solicit_peers(context, map_cache, prefix, now);
        }
    }

    /// Sends SMRs to the peers of a changed prefix. These are the peers that sent packets to the
    /// prefix in the last minute, the peers to which this router sent packets in the last minute,
    /// and the configured peers.
    fn solicit_peers(
        &mut self,
        context: &mut Context,
        map_cache: &MapCache,
        prefix: EidPrefix,
        now: Time,
    ) {
        let Some(change) = self.changes.remove(&prefix) else { return };
        let changed = (prefix, change);
        for solicitation in self.recent_peers(&context.config, map_cache, changed, now) {
            let is_owed = !self.solicit(context, solicitation, now);
            self.repeat_later(prefix, (REPEATS, is_owed), solicitation, now);
        }
        // After these SMRs, the next packet is recorded, even if an earlier packet arrived in the
        // same second.
        self.last_heard = None;
    }

    fn recent_peers(
        &self,
        config: &Config,
        map_cache: &MapCache,
        (prefix, change): (EidPrefix, DatabaseReason),
        now: Time,
    ) -> Vec<Solicitation> {
        let because = |peer| SmrReason::MappingChanged { prefix, change, peer, is_repeated: false };
        let mut peers: BTreeMap<Rloc, Solicitation> = BTreeMap::new();
        let network = prefix.network();
        for (id, record, to) in map_cache.used(now) {
            if (id, record.family()) == (prefix.instance_id(), prefix.family()) {
                let reason = because(SmrPeer::GotPackets);
                peers.insert(to, Solicitation { to, solicited: network, record, reason });
            }
        }
        for (_, heard) in self.peers.covered_by(&prefix) {
            for (&to, peer) in heard.iter().filter(|(_, peer)| now.since(peer.last_at) < RECENT) {
                let record = peer.inner_source.host_prefix();
                let solicited = peer.inner_destination;
                let reason = because(SmrPeer::SentPackets);
                peers.insert(to, Solicitation { to, solicited, record, reason });
            }
        }
        let service = config.service(prefix.family());
        for &to in service.into_iter().flat_map(|service| &service.etr_smr_peers) {
            let reason = because(SmrPeer::Configured);
            let unknown = Solicitation { to, solicited: network, record: prefix, reason };
            peers.entry(to).or_insert(unknown);
        }
        peers.into_values().collect()
    }

    /// Repeats each SMR about a changed mapping if its peer still sends packets, or if a limit
    /// prevented the latest SMR.
    pub(super) fn repeat_smrs(&mut self, context: &mut Context, now: Time) {
        while let Some(((prefix, to), repeat)) = self.repeats.pop_unused(INTERVAL, now) {
            let since = now.since(repeat.said_at);
            let heard = self.peers.covered_by(&prefix).any(|(_, peers)| {
                peers.get(&to).is_some_and(|peer| now.since(peer.last_at) < since)
            });
            if !heard && !repeat.is_owed {
                continue;
            }
            let reason = repeat.solicitation.reason.repeated();
            let solicitation = Solicitation { reason, ..repeat.solicitation };
            let is_owed = !self.solicit(context, solicitation, now);
            if repeat.left > 1 {
                let left = repeat.left - 1;
                self.repeat_later(prefix, (left, is_owed), repeat.solicitation, now);
            }
        }
    }

    /// Sends one SMR within the limits. The SMR is sent directly to the peer, with the bits that
    /// Cisco sets. The solicited EID is the Source-EID, and the peer's EID is the record. Returns
    /// false if a limit does not allow the SMR now.
    fn solicit(&mut self, context: &mut Context, solicitation: Solicitation, now: Time) -> bool {
        let Solicitation { to, solicited, record, reason } = solicitation;
        let Some(source) = context.local.preferred(to.family()) else { return true };
        let system = context.local.contains(to.0)
            || context.local.is_no_router_address(to)
            || context.config.is_map_server(to.0);
        if system {
            return true;
        }
        if !self.admit(solicited, to, now) {
            context.counters.smrs_suppressed += 1;
            return false;
        }
        let smr = MapRequest {
            probe: true,
            smr: true,
            do_not_reply: true,
            nonce: Nonce(self.rng.next_u64()),
            source_eid: Some(solicited),
            itr_rlocs: vec![source],
            records: vec![record.into()],
            ..MapRequest::default()
        };
        context.counters.smrs.sent += 1;
        context
            .trace(|| Some(MessageEvent::SmrSent { smr: RequestSummary::of(&smr)?, source, to }));
        let from = SocketAddr::new(source.0, CONTROL_PORT);
        let to = SocketAddr::new(to.0, CONTROL_PORT);
        let reason = MessageReason::Smr(reason);
        context.send_control((from, to), &Message::MapRequest(smr), reason);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::InstanceId;

    fn eid(last: u8) -> Eid {
        Eid::new(InstanceId::DEFAULT, [172, 16, 0, last].into())
    }

    fn rloc(last: u8) -> Rloc {
        Rloc([198, 51, 100, last].into())
    }

    #[test]
    fn one_smr_about_an_eid_to_an_rloc_in_three_seconds() {
        let mut solicitor = Solicitor::new(&Seed::from_number(1));
        assert!(solicitor.admit(eid(12), rloc(21), Time::ZERO));
        assert!(!solicitor.admit(eid(12), rloc(21), Time(2_999_999)));
        assert!(solicitor.admit(eid(12), rloc(22), Time(1)), "another RLOC is another limit");
        assert!(solicitor.admit(eid(12), rloc(21), Time::from_secs(3)));
    }

    #[test]
    fn eight_smrs_to_an_rloc_at_once_then_one_each_three_seconds() {
        let mut solicitor = Solicitor::new(&Seed::from_number(1));
        let mut admitted =
            |at: Time| (0..=255).filter(|&last| solicitor.admit(eid(last), rloc(21), at)).count();
        assert_eq!(admitted(Time::ZERO), 8);
        assert_eq!(admitted(Time::from_secs(2)), 0);
        assert_eq!(admitted(Time::from_secs(3)), 1);
    }

    #[test]
    fn the_longest_silent_peer_makes_room() {
        let mut solicitor = Solicitor::new(&Seed::from_number(1));
        let prefix = EidPrefix::new(InstanceId::DEFAULT, "172.16.0.0/24".parse().unwrap());
        for last in 0..100 {
            solicitor.heard(prefix, rloc(last), eid(1), eid(2), Time(u64::from(last)));
        }
        let peers = solicitor.peers.get(&prefix).unwrap();
        assert_eq!(peers.len(), PEERS);
        assert!(peers.contains_key(&rloc(99)) && !peers.contains_key(&rloc(0)));
    }
}
