//! The Map-Requests under way, and the packets that wait for the answers to these Map-Requests (RFC
//! 9301 section 5.3).
//!
//! Any host of a LAN can make the router send Map-Requests, at any rate. So each entry of a table
//! belongs to a source host, and each family of EIDs has its own tables. If a table is full, the
//! router removes an entry of the host with the most entries: the entry of the EID that no packet
//! has needed for the longest time. So a host that sends a packet to each address of a network
//! replaces only its own entries. All requests because of SMRs together count as the requests of
//! one host. The same applies to all requests for EIDs that are away.
//!
//! After ten tries without an answer, an EID rests: the router does not request it for some time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::bounded::{Bounded, Fill, Limit};
use super::held::{Held, HeldPacket};
use super::io::DropReason;
use super::reason::RequestReason;
use crate::addr::{Eid, EidPrefix, Family};
use crate::rng::{Rng, Seed};
use crate::time::Time;
use crate::wire::Nonce;

/// The wait after the first try at a resolver, and the wait after the second try.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];
/// The number of tries without an answer after which the router does not request an EID for some
/// time (RFC 9301 section 5.3).
const TRIES: u32 = 10;
/// How long the router does not request an EID after [`TRIES`] tries without an answer.
const REST: Duration = Duration::from_secs(30);
/// The limit for the number of resting EIDs. The router does not request a resting EID for some
/// time. If the table is full, the EID that has rested for the longest time is removed, and may be
/// requested again.
const RESTING: Limit =
    Limit { name: "EIDs that wait for the next request", capacity: 16_384, idle: Duration::ZERO };
/// The maximum number of packets that wait for one EID. It is enough for the first seconds of a
/// ping, a DNS query or a TCP handshake.
const HELD_PER_EID: usize = 32;

/// Returns the limit for the number of EIDs of one family that the router requests at the same
/// time.
const fn requests(name: &'static str) -> Limit {
    Limit { name, capacity: 4096, idle: Duration::ZERO }
}

/// Returns the limit for the number of packets that wait for the EIDs of one family. A super-packet
/// counts as one packet.
const fn packets(name: &'static str) -> Limit {
    Limit { name, capacity: 2048, idle: Duration::ZERO }
}

/// The kind of the reason for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// A packet missed the map-cache.
    Packet,
    /// A Solicit-Map-Request asked this router to request the EID (RFC 9301 section 6.1).
    Smr,
    /// The EID belongs to this site, but is at another xTR, and the record about its location has
    /// expired.
    Away,
}

/// A request for the mapping of an EID. Each try of the request is one Map-Request.
#[derive(Debug)]
pub(super) struct Request {
    /// The source of the packet that missed the map-cache, or the EID that the SMR named as an EID
    /// of this site.
    pub(super) source_eid: Option<Eid>,
    /// The reason for the request.
    pub(super) why: RequestReason,
    phase: Phase,
    /// The time at which the next try is due.
    due_at: Time,
}

/// The progress of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No Map-Request has been sent yet.
    ToBegin,
    /// Map-Requests have been sent.
    Tried(Try),
}

/// One try of a request: one Map-Request. Successive tries at the same resolver are a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Try {
    /// The number of the try. The first try of a request has the number 1.
    pub(super) number: u32,
    /// The nonce of the Map-Request. All tries of a round, which go to the same resolver, have the
    /// same nonce.
    pub(super) nonce: Nonce,
}

impl Try {
    /// The try before this one; `None` for the first try.
    pub(super) fn before(self) -> Option<Try> {
        (self.number > 1).then(|| Try { number: self.number - 1, ..self })
    }

    /// The number of the try's round. The first round has the number 0. In a round, all tries go to
    /// the same resolver. Each round uses the next resolver.
    pub(super) fn round(self) -> u32 {
        self.number.saturating_sub(1) / WAITS.len() as u32
    }

    /// Whether the try is the first try of its round. In a round, all tries go to the same
    /// resolver.
    pub(super) fn starts_round(self) -> bool {
        self.place() == 0
    }

    /// The position of the try in its round. The first try has the position 0.
    fn place(self) -> usize {
        self.number.saturating_sub(1) as usize % WAITS.len()
    }
}

impl From<RequestReason> for Cause {
    fn from(why: RequestReason) -> Self {
        match why {
            RequestReason::NoMapping { .. } => Cause::Packet,
            RequestReason::Smr { .. } => Cause::Smr,
            // Map-Requests for a notification or for `lig` are not in this table.
            RequestReason::AwayRecordExpired { .. }
            | RequestReason::Notification { .. }
            | RequestReason::Lig { .. } => Cause::Away,
        }
    }
}

impl Request {
    /// The kind of the reason for the request.
    pub(super) fn cause(&self) -> Cause {
        self.why.into()
    }

    /// The last try. Returns `None` before the first try.
    fn last_try(&self) -> Option<Try> {
        match self.phase {
            Phase::ToBegin => None,
            Phase::Tried(last) => Some(last),
        }
    }
}

/// The requests under way for the EIDs of a family, and the packets that wait for the answers.
#[derive(Debug)]
struct Tables {
    /// The requests, by EID. The sharer of a request (see [`Bounded`]) is the source host of the
    /// packet that caused the request. All requests because of SMRs have the same sharer. All
    /// requests for EIDs that are away also have one common sharer.
    requests: Bounded<Eid, Request, (Cause, Option<Eid>)>,
    /// The waiting packets. The key is the EID for which the packet waits, and the number of the
    /// packet in the order of arrival. The sharer of a packet (see [`Bounded`]) is its source host.
    packets: Bounded<(Eid, u64), HeldPacket, Eid>,
}

/// The Map-Requests under way, and the EIDs that rest: the router does not request them for some
/// time.
#[derive(Debug)]
pub(super) struct Outstanding {
    of_ipv4: Tables,
    of_ipv6: Tables,
    resting: Bounded<Eid, ()>,
    nonces: BTreeMap<Nonce, Eid>,
    due: BTreeSet<(Time, Eid)>,
    /// The number of waiting packets. Each segment of a super-packet counts as one packet.
    waiting: u64,
    /// The number that the next waiting packet gets.
    next_packet: u64,
    rng: Rng,
}

impl Tables {
    fn new(requests: Limit, packets: Limit) -> Self {
        Tables { requests: Bounded::new(requests), packets: Bounded::new(packets) }
    }
}

impl Outstanding {
    pub(super) fn new(seed: &Seed) -> Self {
        Outstanding {
            of_ipv4: Tables::new(
                requests("Map-Requests for IPv4 EIDs"),
                packets("Packets that wait for IPv4 EIDs"),
            ),
            of_ipv6: Tables::new(
                requests("Map-Requests for IPv6 EIDs"),
                packets("Packets that wait for IPv6 EIDs"),
            ),
            resting: Bounded::new(RESTING),
            nonces: BTreeMap::new(),
            due: BTreeSet::new(),
            waiting: 0,
            next_packet: 0,
            rng: Rng::new(seed, "map-request nonce"),
        }
    }

    fn tables(&self, family: Family) -> &Tables {
        match family {
            Family::Ipv4 => &self.of_ipv4,
            Family::Ipv6 => &self.of_ipv6,
        }
    }

    fn tables_mut(&mut self, family: Family) -> &mut Tables {
        match family {
            Family::Ipv4 => &mut self.of_ipv4,
            Family::Ipv6 => &mut self.of_ipv6,
        }
    }

    /// The time at which the next try is due.
    pub(super) fn next_retry(&self) -> Option<Time> {
        self.due.first().map(|&(at, _)| at)
    }

    /// The next time at which a resting EID may be requested again.
    pub(super) fn next_end_of_rest(&self) -> Option<Time> {
        self.resting.first_use().map(|at| at + REST)
    }

    /// The number of packets that wait for a mapping. Each segment of a super-packet counts as one
    /// packet.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting
    }

    /// The fill levels of the tables.
    pub(super) fn fills(&self) -> Vec<Fill> {
        let of = |tables: &Tables| [tables.requests.fill(), tables.packets.fill()];
        let of_both = [&self.of_ipv4, &self.of_ipv6].into_iter().flat_map(of);
        of_both.chain([self.resting.fill()]).collect()
    }

    /// Returns a random time of at most `milliseconds` milliseconds.
    pub(super) fn random_delay(&mut self, milliseconds: u64) -> Duration {
        Duration::from_millis(self.rng.below(milliseconds + 1))
    }

    /// The request for an EID.
    pub(super) fn request(&self, eid: Eid) -> Option<&Request> {
        self.tables(eid.family()).requests.get(&eid)
    }

    /// The EID of the request that has the nonce `nonce`.
    pub(super) fn asked_with(&self, nonce: Nonce) -> Option<Eid> {
        self.nonces.get(&nonce).copied()
    }

    /// Whether there is a request for an EID because the EID is away.
    pub(super) fn is_asked_again(&self, eid: Eid) -> bool {
        self.request(eid).is_some_and(|request| request.cause() == Cause::Away)
    }

    /// Whether there is a request for an EID, or the EID rests. The router must not request a
    /// resting EID for some time.
    pub(super) fn is_pending(&self, eid: Eid) -> bool {
        self.request(eid).is_some() || self.resting.contains_key(&eid)
    }

    /// Whether there is a request for an EID, and its first Map-Request has not been sent yet.
    pub(super) fn is_yet_to_begin(&self, eid: Eid) -> bool {
        self.request(eid).is_some_and(|request| request.phase == Phase::ToBegin)
    }

    /// The [pending](Outstanding::is_pending) EIDs within a prefix.
    pub(super) fn pending_within(&self, prefix: &EidPrefix) -> Vec<Eid> {
        let within = || prefix.network()..=prefix.last();
        let requests = self.tables(prefix.family()).requests.range(within());
        let resting = self.resting.range(within());
        requests.map(|(eid, _)| *eid).chain(resting.map(|(eid, _)| *eid)).collect()
    }

    /// Begins a request for an EID that is not [pending](Outstanding::is_pending). The request is
    /// due at `at`. If this request replaces the request for another EID, returns the packets that
    /// waited for the other EID.
    pub(super) fn begin(
        &mut self,
        (eid, source_eid): (Eid, Option<Eid>),
        why: RequestReason,
        at: Time,
        now: Time,
    ) -> Held {
        let cause = Cause::from(why);
        // The source EID in an SMR is not verified, so this EID is not the sharer.
        let sharer = (cause, source_eid.filter(|_| cause == Cause::Packet));
        let request = Request { source_eid, why, phase: Phase::ToBegin, due_at: at };
        self.due.insert((at, eid));
        match self.tables_mut(eid.family()).requests.insert(eid, sharer, request, now) {
            Ok(Some((gone, request))) => self.ended(gone, &request),
            _ => Held::new(),
        }
    }

    /// Checks that one more packet may wait for an EID.
    ///
    /// # Errors
    /// If the packet may not wait, the error is the reason.
    pub(super) fn may_hold(&self, eid: Eid) -> Result<(), DropReason> {
        if self.resting.contains_key(&eid) {
            return Err(DropReason::Unresolved);
        }
        let waiting = self.tables(eid.family()).packets.range(all_of(eid)).count();
        if waiting < HELD_PER_EID { Ok(()) } else { Err(DropReason::HoldQueueFull) }
    }

    /// Stores a packet from `source` until the EID `eid` is resolved. The EID must be requested
    /// already, and [`Outstanding::may_hold`] must allow that the packet waits. If another packet
    /// is evicted, returns the evicted packet.
    pub(super) fn hold(
        &mut self,
        eid: Eid,
        source: Eid,
        packet: impl FnOnce() -> HeldPacket,
        now: Time,
    ) -> Result<Option<HeldPacket>, DropReason> {
        let number = self.next_packet;
        let tables = self.tables_mut(eid.family());
        if tables.requests.use_at(&eid, now).is_none() {
            return Err(DropReason::HoldQueueFull);
        }
        let packet = packet();
        let packets = packet.packets;
        let gone = tables.packets.insert((eid, number), source, packet, now);
        let gone = gone.unwrap_or_default().map(|(_, packet)| packet);
        self.next_packet += 1;
        self.waiting += packets;
        self.waiting -= gone.as_ref().map_or(0, |gone| gone.packets);
        Ok(gone)
    }

    /// Ends the request for an EID, or ends the time in which the EID must not be requested.
    /// Returns the packets that waited for the EID.
    pub(super) fn end_request(&mut self, eid: Eid) -> Held {
        self.resting.remove(&eid);
        match self.tables_mut(eid.family()).requests.remove(&eid) {
            Some(request) => self.ended(eid, &request),
            None => Held::new(),
        }
    }

    /// Deletes the nonce and the due time of a removed request. Removes and returns the packets
    /// that waited for the EID.
    fn ended(&mut self, eid: Eid, request: &Request) -> Held {
        if let Some(last) = request.last_try() {
            self.nonces.remove(&last.nonce);
        }
        self.due.remove(&(request.due_at, eid));
        let packets = &mut self.tables_mut(eid.family()).packets;
        let keys: Vec<_> = packets.range(all_of(eid)).map(|(key, _)| *key).collect();
        let held: Held = keys.iter().filter_map(|key| packets.remove(key)).collect();
        self.waiting -= held.iter().map(|packet| packet.packets).sum::<u64>();
        held
    }

    /// Stops the requests for an EID for some time, and returns the packets that waited for the
    /// EID.
    pub(super) fn rest(&mut self, eid: Eid, now: Time) -> Held {
        let held = self.end_request(eid);
        // If the table is full, another EID is removed, so this insertion does not fail.
        let _ = self.resting.insert(eid, (), (), now);
        held
    }

    /// Permits requests again for each EID that has rested for [`REST`].
    pub(super) fn end_rests(&mut self, now: Time) {
        self.resting.expire(REST, now);
    }

    /// The next EID for which a try is due.
    pub(super) fn next_due(&self, now: Time) -> Option<Eid> {
        self.due.first().filter(|(at, _)| *at <= now).map(|&(_, eid)| eid)
    }

    /// Begins the next try, and sets the time of the try after this one. Returns `None` if the
    /// request has had [`TRIES`] tries.
    pub(super) fn next_try(&mut self, eid: Eid, now: Time) -> Option<Try> {
        let last = self.request(eid)?.last_try();
        let number = last.map_or(0, |last| last.number) + 1;
        if number > TRIES {
            return None;
        }
        let next = match last {
            Some(last) if !(Try { number, ..last }).starts_round() => Try { number, ..last },
            last => {
                if let Some(last) = last {
                    self.nonces.remove(&last.nonce);
                }
                Try { number, nonce: self.new_nonce(eid) }
            }
        };
        let request = self.tables_mut(eid.family()).requests.get_mut(&eid)?;
        let was_due_at = request.due_at;
        let due_at = now + WAITS[next.place()];
        request.phase = Phase::Tried(next);
        request.due_at = due_at;
        self.due.remove(&(was_due_at, eid));
        self.due.insert((due_at, eid));
        Some(next)
    }

    /// Returns a new nonce for the request for `eid`. No other request has this nonce.
    fn new_nonce(&mut self, eid: Eid) -> Nonce {
        loop {
            let nonce = Nonce(self.rng.next_u64());
            if nonce != Nonce(0) && !self.nonces.contains_key(&nonce) {
                self.nonces.insert(nonce, eid);
                return nonce;
            }
        }
    }
}

/// The keys of the packets that wait for an EID.
fn all_of(eid: Eid) -> std::ops::RangeInclusive<(Eid, u64)> {
    (eid, 0)..=(eid, u64::MAX)
}
