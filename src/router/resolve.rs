//! Asking the mapping system: Map-Requests of an ITR, their retries, and the packets that wait for
//! the answer (RFC 9301 sections 5.2 and 5.3).
//!
//! A request begins at the first Map-Resolver, waits one second and then two, and goes to the next
//! resolver with a nonce of its own; the resolvers are taken in turn. After ten tries it rests for
//! half a minute, in which its EID is not asked for again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::Router;
use super::counters::ControlDrop;
use super::debug;
use super::explanations;
use super::io::DropReason;
use super::locators::LocalRlocs;
use super::map_cache::{Learned, Locator, Mapping};
use super::overclaim::Taken;
use super::verdict::{Held, HeldPacket};
use crate::addr::{Eid, EidPrefix, Rloc};
use crate::prefix_map::PrefixMap;
use crate::rng::{Rng, Seed};
use crate::time::{Deadline, Time};
use crate::wire::{
    Action, CONTROL_PORT, Encapsulated, LocatorRecord, MapReply, MapRequest, MappingRecord,
    Message, Nonce,
};

/// The wait after the first and the second try at a resolver.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];
/// Tries before a request rests (RFC 9301 section 5.3).
const TRIES: u32 = 10;
/// How long it rests.
const REST: Duration = Duration::from_secs(30);
/// EIDs that are asked for, or rest, at one time: a scan must not grow memory without bound.
const REQUESTS: usize = 4096;
/// Packets that wait for one EID: the first seconds of a ping, a DNS query, a TCP handshake.
const HELD_PER_EID: usize = 32;
/// Packets that wait in all.
const HELD: usize = 2048;
/// The record TTL that leaves the time to the receiver (RFC 9301 section 5.4).
const RECEIVER_DECIDES: u32 = u32::MAX;
/// What this receiver decides: a day.
const DECIDED_TTL: Duration = Duration::from_secs(24 * 3600);

/// Why an EID is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// A packet missed the map-cache.
    Packet,
    /// A Solicit-Map-Request told us to (RFC 9301 section 6.1).
    Smr,
    /// A local EID is elsewhere, and the record that said so has outlived its TTL.
    Away,
}

#[derive(Debug)]
struct Request {
    eid: Eid,
    /// Whose packet missed, or the EID that the SMR named as ours.
    source_eid: Option<Eid>,
    cause: Cause,
    nonce: Nonce,
    tries: u32,
    /// When the next try is due, or the rest ends.
    due_at: Time,
    held: Held,
}

impl Request {
    fn is_resting(&self) -> bool {
        self.tries >= TRIES && self.nonce == Nonce(0)
    }
}

/// The outstanding requests.
#[derive(Debug)]
pub(super) struct Resolver {
    requests: PrefixMap<Request>,
    nonces: BTreeMap<Nonce, EidPrefix>,
    due: BTreeSet<(Time, EidPrefix)>,
    /// How many are held, a super-packet being one.
    held: usize,
    /// How many packets on the wire these are.
    waiting: u64,
    rng: Rng,
}

impl Resolver {
    pub(super) fn new(seed: &Seed) -> Self {
        Resolver {
            requests: PrefixMap::new(),
            nonces: BTreeMap::new(),
            due: BTreeSet::new(),
            held: 0,
            waiting: 0,
            rng: Rng::new(seed, "map-request nonce"),
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Deadline> {
        self.due.first().map(|&(at, _)| Deadline { at, why: "map-request retry" })
    }

    /// Packets on the wire that wait for a mapping.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Whether an EID is being asked for, or rests.
    pub(super) fn is_pending(&self, eid: Eid) -> bool {
        self.requests.contains(&eid.host_prefix())
    }

    /// The EID that is asked for again with this nonce, because it is away.
    pub(super) fn asked_again(&self, nonce: Nonce) -> Option<Eid> {
        let request = self.requests.get(self.nonces.get(&nonce)?)?;
        (request.cause == Cause::Away).then_some(request.eid)
    }

    /// Whether the first try for an EID is still to come.
    fn is_yet_to_begin(&self, eid: Eid) -> bool {
        self.requests.get(&eid.host_prefix()).is_some_and(|request| request.tries == 0)
    }

    /// Begins a request that is due at `at`; false when there are too many.
    fn begin(&mut self, eid: Eid, source_eid: Option<Eid>, cause: Cause, at: Time) -> bool {
        if self.requests.len() >= REQUESTS {
            return false;
        }
        let prefix = eid.host_prefix();
        let nonce = Nonce(0);
        let held = Held::new();
        let request = Request { eid, source_eid, cause, nonce, tries: 0, due_at: at, held };
        self.requests.insert(prefix, request);
        self.due.insert((at, prefix));
        true
    }

    fn hold(&mut self, eid: Eid, packet: impl FnOnce() -> HeldPacket) -> Result<(), DropReason> {
        let request = self.requests.get_mut(&eid.host_prefix());
        let request = request.ok_or(DropReason::HoldQueueFull)?;
        if request.is_resting() {
            return Err(DropReason::Unresolved);
        }
        if request.held.len() >= HELD_PER_EID || self.held >= HELD {
            return Err(DropReason::HoldQueueFull);
        }
        let packet = packet();
        self.waiting += packet.packets;
        request.held.push_back(packet);
        self.held += 1;
        Ok(())
    }

    /// Takes a request out, with the packets that wait for it.
    fn end(&mut self, prefix: &EidPrefix) -> Option<Request> {
        let request = self.requests.remove(prefix)?;
        self.nonces.remove(&request.nonce);
        self.due.remove(&(request.due_at, *prefix));
        self.no_longer_held(&request.held);
        Some(request)
    }

    /// Ends the request for an EID, and returns the packets that waited for it.
    pub(super) fn end_request(&mut self, eid: Eid) -> Held {
        self.end(&eid.host_prefix()).map(|request| request.held).unwrap_or_default()
    }

    fn next_due(&self, now: Time) -> Option<EidPrefix> {
        self.due.first().filter(|(at, _)| *at <= now).map(|&(_, prefix)| prefix)
    }

    fn set_due(&mut self, prefix: EidPrefix, at: Time) {
        let Some(request) = self.requests.get_mut(&prefix) else {
            return;
        };
        self.due.remove(&(request.due_at, prefix));
        request.due_at = at;
        self.due.insert((at, prefix));
    }

    /// Counts a try and sets when the next is due; `None` when the last one has been. Returns the number
    /// of the turn, from 0 up: each turn is at the next resolver.
    fn next_try(&mut self, prefix: EidPrefix, now: Time) -> Option<u32> {
        let request = self.requests.get_mut(&prefix)?;
        if request.tries >= TRIES {
            return None;
        }
        let tries_each = WAITS.len() as u32;
        let attempt = request.tries;
        request.tries += 1;
        if attempt.is_multiple_of(tries_each) {
            self.nonces.remove(&request.nonce);
            request.nonce = loop {
                let nonce = Nonce(self.rng.next_u64());
                if nonce != Nonce(0) && !self.nonces.contains_key(&nonce) {
                    break nonce;
                }
            };
            self.nonces.insert(request.nonce, prefix);
        }
        self.set_due(prefix, now + WAITS[(attempt % tries_each) as usize]);
        Some(attempt / tries_each)
    }

    fn no_longer_held(&mut self, held: &Held) {
        self.held -= held.len();
        self.waiting -= held.iter().map(|each| each.packets).sum::<u64>();
    }

    /// Lets a request rest: its nonce answers nothing more. Returns the packets that it held.
    fn rest(&mut self, prefix: EidPrefix, now: Time) -> Held {
        let Some(request) = self.requests.get_mut(&prefix) else {
            return Held::new();
        };
        self.nonces.remove(&request.nonce);
        request.nonce = Nonce(0);
        let given_up = std::mem::take(&mut request.held);
        self.no_longer_held(&given_up);
        self.set_due(prefix, now + REST);
        given_up
    }
}

impl Router {
    /// Keeps a packet until `eid` is resolved, and asks for it. `packet` is copied only if there is room.
    pub(super) fn hold(
        &mut self,
        eid: Eid,
        source: Eid,
        packet: impl FnOnce() -> HeldPacket,
        now: Time,
    ) -> Result<(), DropReason> {
        if !self.resolver.is_pending(eid) {
            if self.map_resolvers(eid).is_empty() {
                return Err(DropReason::NoMapResolver);
            }
            if !self.resolver.begin(eid, Some(source), Cause::Packet, now) {
                return Err(DropReason::HoldQueueFull);
            }
            self.resolver.hold(eid, packet)?;
            self.ask(eid.host_prefix(), now);
            return Ok(());
        }
        self.resolver.hold(eid, packet)?;
        // A packet does not wait until an SMR's request may begin.
        if self.resolver.is_yet_to_begin(eid) {
            self.ask(eid.host_prefix(), now);
        }
        Ok(())
    }

    /// Asks for an EID because an SMR from `source` said so: at `at`, after a random delay where one is
    /// configured.
    pub(super) fn solicited(
        &mut self,
        (eid, source_eid): (Eid, Option<Eid>),
        source: IpAddr,
        at: Time,
        now: Time,
    ) {
        let lisp = self.config.lisp.as_ref();
        let delay = lisp.and_then(|lisp| lisp.service(eid.family()).itr_smr_delay_ms).unwrap_or(0);
        let delay = Duration::from_millis(self.resolver.rng.below(u64::from(delay) + 1));
        let has_resolver = !self.map_resolvers(eid).is_empty();
        if !has_resolver || !self.resolver.begin(eid, source_eid, Cause::Smr, at + delay) {
            let told = || explanations::smr_without_request(eid, has_resolver);
            return self.refuse(source, ControlDrop::TableFull, now, told);
        }
        self.retry_requests(now);
    }

    /// Asks again for an EID that is away; an answer is taken by [`Router::away_answered`].
    pub(super) fn ask_again(&mut self, eid: Eid, now: Time) {
        let can_ask =
            !self.resolver.is_pending(eid) && !self.servers_for(eid, Cause::Away).is_empty();
        if can_ask && self.resolver.begin(eid, None, Cause::Away, now) {
            self.ask(eid.host_prefix(), now);
        }
    }

    /// Does what is due: the next try of each request, or the end of its rest.
    pub(super) fn retry_requests(&mut self, now: Time) {
        while let Some(prefix) = self.resolver.next_due(now) {
            let resting = self.resolver.requests.get(&prefix).is_none_or(Request::is_resting);
            if resting {
                self.resolver.end(&prefix);
            } else {
                self.ask(prefix, now);
            }
        }
    }

    /// Sends the next Map-Request for `prefix`, or lets it rest when all tries have been.
    fn ask(&mut self, prefix: EidPrefix, now: Time) {
        let Some(turn) = self.resolver.next_try(prefix, now) else {
            let held = self.resolver.rest(prefix, now);
            return self.give_up(held, DropReason::Unresolved);
        };
        let Some(request) = self.resolver.requests.get(&prefix) else { return };
        let (eid, attempt) = (request.eid, request.tries);
        let message = self.map_request(request);
        let resolvers = self.servers_for(eid, request.cause);
        let in_turn = |turn: u32| resolvers.get(turn as usize % resolvers.len().max(1)).copied();
        let Some(resolver) = in_turn(turn) else { return };
        let before = turn.checked_sub(1).and_then(in_turn);
        let Some(source) = self.local.preferred(Rloc(resolver).family()) else { return };
        let smr = message.smr_invoked;
        if let Some(before) = before.filter(|before| *before != resolver && starts_turn(attempt)) {
            self.debug(debug::switching(prefix, smr, before, resolver));
        }
        self.send_map_request(&message, attempt, (source, resolver), now);
    }

    /// Sends a Map-Request of one record to the mapping system, encapsulated: `attempt` is its number
    /// among those for its EID, from 1 on.
    pub(super) fn send_map_request(
        &mut self,
        request: &MapRequest,
        attempt: u32,
        (source, resolver): (Rloc, IpAddr),
        now: Time,
    ) {
        let Some(eid) = request.records.first().map(|record| record.eid_prefix.network()) else {
            return;
        };
        let inner_source = self.map_request_source(eid).unwrap_or(eid.address);
        let sent = debug::Try { request, attempt, inner_source, source, resolver };
        for line in debug::request_sent(&sent) {
            self.debug(line);
        }
        if request.smr_invoked {
            self.counters.smr_invoked.sent += 1;
            self.smr_guard.asked_at(eid, now);
        } else {
            self.counters.map_requests.sent += 1;
        }
        self.counters.encapsulated.sent += 1;
        let inner_source = SocketAddr::new(inner_source, CONTROL_PORT);
        let inner_destination = SocketAddr::new(eid.address, CONTROL_PORT);
        let encapsulated = Encapsulated::new(inner_source, inner_destination, request.emit());
        let from = SocketAddr::new(source.0, CONTROL_PORT);
        let to = SocketAddr::new(resolver, CONTROL_PORT);
        self.send_control(from, to, &Message::Encapsulated(encapsulated));
    }

    fn map_request(&self, request: &Request) -> MapRequest {
        MapRequest {
            from_pitr: self.config.roles(request.eid.family()).proxy_itr,
            smr_invoked: request.cause == Cause::Smr,
            nonce: request.nonce,
            source_eid: request.source_eid,
            itr_rlocs: self.local.itr_rlocs(),
            records: vec![request.eid.host_prefix().into()],
            ..MapRequest::default()
        }
    }

    /// Who is asked for an EID, in turn: the map-resolvers; about an EID that is away, the ETR's
    /// map-servers if there is no resolver.
    fn servers_for(&self, eid: Eid, cause: Cause) -> Vec<IpAddr> {
        match self.map_resolvers(eid) {
            [] if cause == Cause::Away => {
                self.etr_map_servers(eid.family()).keys().copied().collect()
            }
            resolvers => resolvers.to_vec(),
        }
    }

    fn map_resolvers(&self, eid: Eid) -> &[IpAddr] {
        let lisp = self.config.lisp.as_ref();
        lisp.map_or(&[], |lisp| &lisp.service(eid.family()).itr_map_resolvers)
    }

    fn map_request_source(&self, eid: Eid) -> Option<IpAddr> {
        self.config.lisp.as_ref()?.service(eid.family()).map_request_source
    }

    /// Takes in a Map-Reply (RFC 9301 section 5.4). Only one whose nonce is outstanding and whose
    /// records cover what was asked changes anything.
    pub(super) fn handle_map_reply(&mut self, reply: &MapReply, from: SocketAddr, now: Time) {
        self.counters.map_replies.received += 1;
        self.debug(debug::reply_received(reply));
        if self.news_answered(reply, from.ip(), now) {
            return;
        }
        if reply.probe && reply.records.iter().any(|record| !record.authoritative) {
            let told = || explanations::unauthoritative_probe_reply(reply);
            return self.refuse(from.ip(), ControlDrop::Malformed, now, told);
        }
        let Some(&asked) = self.resolver.nonces.get(&reply.nonce) else {
            let told = || explanations::unasked_reply(reply);
            return self.refuse(from.ip(), ControlDrop::UnknownNonce, now, told);
        };
        let eid = asked.network();
        let Some(covering) = reply.records.iter().find(|record| record.eid_prefix.contains(eid))
        else {
            let told = || explanations::reply_without_eid(reply, eid);
            return self.refuse(from.ip(), ControlDrop::WrongRecord, now, told);
        };
        if covering.locators.is_empty() {
            self.counters.negative_map_replies.received += 1;
        }
        let claims = self.claims(eid);
        // Who has just got an EID back is answered by itself: not to be kept, for it would stand
        // in the way when the EID goes again.
        let held = claims.hold(&reply.records, covering, |record| self.is_own(record));
        self.tell_overclaims(&claims, &held, from.ip(), now);
        let answer = held.taken.iter().find(|taken| taken.record.eid_prefix.contains(eid));
        // A reply without one is as if it had not come: the next resolver is asked.
        let Some(answer) = answer.map(|taken| taken.record.eid_prefix) else { return };
        let limit = self.map_cache_limit(eid);
        let cause = self.resolver.requests.get(&asked).map(|request| request.cause);
        for Taken { told, record } in &held.taken {
            self.learn_who_echoes(told, reply.echo_nonce, now);
            let solicited = cause == Some(Cause::Smr) && record.eid_prefix.contains(eid);
            let learned = learned(record, &self.local, from.ip(), now);
            let learned = Learned { solicited, ..learned };
            if self.map_cache.learn(learned, eid, limit, now) {
                self.counters.took(record);
                self.map_cache.keep_opaque(record);
            } else {
                let told = || explanations::map_cache_full(record.eid_prefix, limit);
                self.refuse(from.ip(), ControlDrop::TableFull, now, told);
            }
        }
        self.answered(asked, answer, now);
        self.away_answered(held.taken.iter().map(|taken| taken.told), now);
    }

    /// Whether a record is that of a local prefix, with a locator of ours.
    fn is_own(&self, record: &MappingRecord) -> bool {
        let mut rlocs = record.locators.iter().filter_map(LocatorRecord::ip);
        self.database.get(&record.eid_prefix).is_some()
            && rlocs.any(|rloc| self.local.contains(rloc.0))
    }

    /// Ends the request that was answered, and every other one that the answer covers too.
    fn answered(&mut self, asked: EidPrefix, by: EidPrefix, now: Time) {
        let covered: Vec<EidPrefix> = std::iter::once(asked)
            .chain(self.resolver.requests.covered_by(&by).map(|(prefix, _)| prefix))
            .collect();
        for prefix in covered {
            let same_mapping = prefix == asked
                || self.map_cache.lookup(prefix.network()).is_some_and(|(found, _)| found == by);
            if same_mapping && let Some(request) = self.resolver.end(&prefix) {
                self.release(request.eid.instance_id, request.held, now);
            }
        }
    }

    fn map_cache_limit(&self, eid: Eid) -> usize {
        let lisp = self.config.lisp.as_ref();
        let limit = lisp.and_then(|lisp| lisp.service(eid.family()).map_cache_limit);
        limit.map_or(super::map_cache::DEFAULT_LIMIT, |limit| limit as usize)
    }
}

/// Whether the try of this number, from 1 on, is the first at its resolver.
fn starts_turn(attempt: u32) -> bool {
    attempt % WAITS.len() as u32 == 1
}

/// How long a record holds.
pub(super) fn ttl(record: &MappingRecord) -> Duration {
    match record.ttl_minutes {
        RECEIVER_DECIDES => DECIDED_TTL,
        minutes => Duration::from_secs(u64::from(minutes) * 60),
    }
}

/// A record of a Map-Reply as the map-cache takes it.
fn learned(record: &MappingRecord, local: &LocalRlocs, from: IpAddr, now: Time) -> Learned {
    let (prefix, mapping) = (record.eid_prefix, mapping(record, local, now));
    Learned { prefix, mapping, ttl: ttl(record), map_source: from, solicited: false }
}

/// The locators of a record that are IP addresses, each with its place among all, as a mapping holds
/// them: those that are no router's are down.
pub(super) fn locators(record: &MappingRecord, local: &LocalRlocs, now: Time) -> Vec<Locator> {
    let locator = |(locator, ordinal): (&LocatorRecord, u8)| {
        let rloc = locator.ip()?;
        let (priority, weight) = (locator.priority, locator.weight);
        let up = locator.reachable && !local.is_nobodys(rloc);
        Some(Locator { rloc, priority, weight, ordinal, up, since: now })
    };
    // A record has 255 locators at most.
    record.locators.iter().zip(0..=u8::MAX).filter_map(locator).collect()
}

fn mapping(record: &MappingRecord, local: &LocalRlocs, now: Time) -> Mapping {
    if !record.locators.is_empty() {
        return Mapping::Locators(locators(record, local, now).into());
    }
    match record.action {
        Action::NativelyForward => Mapping::ForwardNative,
        Action::SendMapRequest => Mapping::SendMapRequest,
        _ => Mapping::Drop,
    }
}
