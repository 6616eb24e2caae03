//! Asking the mapping system: Map-Requests of an ITR, their retries, and the packets that wait for
//! the answer (RFC 9301 sections 5.2 and 5.3).
//!
//! A request begins at the first Map-Resolver, waits one second and then two, and goes to the next
//! resolver with a nonce of its own; the resolvers are taken in turn. After ten tries its EID rests for
//! half a minute, in which it is not asked for again. What is under way, [`super::outstanding`] keeps.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::Router;
use super::counters::ControlDrop;
use super::event::{MessageEvent, RequestSummary};
use super::explanations;
use super::held::HeldPacket;
use super::io::DropReason;
use super::locators::LocalRlocs;
use super::map_cache::{Learned, Locator, Mapping};
use super::news::About;
use super::outstanding::{Cause, Request, starts_turn};
use super::overclaim::{Claims, Taken};
use super::reachability::Source;
use crate::addr::{Eid, EidPrefix, Rloc};
use crate::time::Time;
use crate::wire::{
    Action, CONTROL_PORT, Encapsulated, LocatorRecord, MapReply, MapRequest, MappingRecord,
    Message, Nonce,
};

/// The record TTL that leaves the time to the receiver (RFC 9301 section 5.4).
const RECEIVER_DECIDES: u32 = u32::MAX;
/// What this receiver decides: a day.
const DECIDED_TTL: Duration = Duration::from_secs(24 * 3600);

/// What this router has sent a nonce for: a Map-Reply with the nonce is its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NonceOwner {
    /// A question to a map-server about its news.
    News(About),
    /// A Map-Request for the mapping of an EID.
    Request(Eid),
}

impl Router {
    /// Whether a packet may wait until `eid` is resolved. Changes nothing.
    ///
    /// # Errors
    /// The reason why [`Router::hold`] would turn it away.
    pub(super) fn may_hold(&self, eid: Eid) -> Result<(), DropReason> {
        if !self.resolver.is_pending(eid) && self.context.config.itr_map_resolvers(eid.family()).is_empty() {
            return Err(DropReason::NoMapResolver);
        }
        self.resolver.may_hold(eid)
    }

    /// Keeps a packet until `eid` is resolved, and asks for it. `packet` is copied only if there is room.
    pub(super) fn hold(
        &mut self,
        eid: Eid,
        source: Eid,
        packet: impl FnOnce() -> HeldPacket,
        now: Time,
    ) -> Result<(), DropReason> {
        self.may_hold(eid)?;
        if !self.resolver.is_pending(eid) {
            self.begin((eid, Some(source)), Cause::Packet, now, now);
        }
        let gone = self.resolver.hold(eid, source, packet, now)?;
        self.context.give_up(gone.into_iter().collect(), DropReason::HoldQueueFull);
        // A packet does not wait until an SMR's request may begin.
        if self.resolver.is_yet_to_begin(eid) {
            self.ask(eid, now);
        }
        Ok(())
    }

    /// Begins a request whose first try is due at `at`. The packets of one that gives way to it are
    /// dropped.
    fn begin(&mut self, (eid, source): (Eid, Option<Eid>), cause: Cause, at: Time, now: Time) {
        let gone = self.resolver.begin((eid, source), cause, at, now);
        self.context.give_up(gone, DropReason::HoldQueueFull);
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
        let lisp = self.context.config.lisp.as_ref();
        let delay = lisp.and_then(|lisp| lisp.service(eid.family()).itr_smr_delay_ms).unwrap_or(0);
        let delay = self.resolver.random_delay(u64::from(delay));
        if self.context.config.itr_map_resolvers(eid.family()).is_empty() {
            let told = || explanations::smr_without_resolver(eid);
            return self.context.refuse(source, ControlDrop::NotOurRole, now, told);
        }
        self.begin((eid, source_eid), Cause::Smr, at + delay, now);
        self.retry_requests(now);
    }

    /// Asks again for an EID that is away; an answer is taken by [`Router::away_answered`].
    pub(super) fn ask_again(&mut self, eid: Eid, now: Time) {
        let can_ask =
            !self.resolver.is_pending(eid) && !self.servers_for(eid, Cause::Away).is_empty();
        if can_ask {
            self.begin((eid, None), Cause::Away, now, now);
            self.ask(eid, now);
        }
    }

    /// Does what is due: the next try of each request, or the end of its rest.
    pub(super) fn retry_requests(&mut self, now: Time) {
        self.resolver.end_rests(now);
        while let Some(eid) = self.resolver.next_due(now) {
            self.ask(eid, now);
        }
    }

    /// Sends the next Map-Request for an EID, or lets it rest when all tries have been.
    fn ask(&mut self, eid: Eid, now: Time) {
        let Some(turn) = self.resolver.next_try(eid, now) else {
            let held = self.resolver.rest(eid, now);
            return self.context.give_up(held, DropReason::Unresolved);
        };
        let Some(request) = self.resolver.request(eid) else { return };
        let attempt = request.tries;
        let message = self.map_request(eid, request);
        let resolvers = self.servers_for(eid, request.cause);
        let in_turn = |turn: u32| resolvers.get(turn as usize % resolvers.len().max(1)).copied();
        let Some(resolver) = in_turn(turn) else { return };
        let before = turn.checked_sub(1).and_then(in_turn);
        let Some(source) = self.context.local.preferred(Rloc(resolver).family()) else { return };
        let smr = message.smr_invoked;
        if let Some(before) = before.filter(|before| *before != resolver && starts_turn(attempt)) {
            let eid_prefix = eid.host_prefix();
            let next = MessageEvent::NextResolver {
                eid_prefix,
                smr_invoked: smr,
                from: before,
                to: resolver,
            };
            self.context.trace(|| Some(next));
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
        self.context.trace(|| {
            let request = RequestSummary::of(request)?;
            let sent =
                MessageEvent::RequestSent { request, attempt, inner_source, source, resolver };
            Some(sent)
        });
        if request.smr_invoked {
            self.context.counters.smr_invoked.sent += 1;
            self.smr_guard.asked_at(eid, now);
        } else {
            self.context.counters.map_requests.sent += 1;
        }
        self.context.counters.encapsulated.sent += 1;
        let inner_source = SocketAddr::new(inner_source, CONTROL_PORT);
        let inner_destination = SocketAddr::new(eid.address, CONTROL_PORT);
        let encapsulated = Encapsulated::new(inner_source, inner_destination, request.emit());
        let from = SocketAddr::new(source.0, CONTROL_PORT);
        let to = SocketAddr::new(resolver, CONTROL_PORT);
        self.context.send_control(from, to, &Message::Encapsulated(encapsulated));
    }

    fn map_request(&self, eid: Eid, request: &Request) -> MapRequest {
        MapRequest {
            from_pitr: self.context.config.roles(eid.family()).proxy_itr,
            smr_invoked: request.cause == Cause::Smr,
            nonce: request.nonce,
            source_eid: request.source_eid,
            itr_rlocs: self.context.local.itr_rlocs(),
            records: vec![eid.host_prefix().into()],
            ..MapRequest::default()
        }
    }

    /// Who is asked for an EID, in turn: the map-resolvers; about an EID that is away, the ETR's
    /// map-servers if there is no resolver.
    fn servers_for(&self, eid: Eid, cause: Cause) -> Vec<IpAddr> {
        match self.context.config.itr_map_resolvers(eid.family()) {
            [] if cause == Cause::Away => {
                self.context.config.etr_map_servers(eid.family()).keys().copied().collect()
            }
            resolvers => resolvers.to_vec(),
        }
    }

    fn map_request_source(&self, eid: Eid) -> Option<IpAddr> {
        self.context.config.lisp.as_ref()?.service(eid.family()).map_request_source
    }

    /// What a nonce was sent for.
    pub(super) fn owner_of(&self, nonce: Nonce) -> Option<NonceOwner> {
        let news = self.news.asked(nonce).map(NonceOwner::News);
        news.or_else(|| self.resolver.asked_with(nonce).map(NonceOwner::Request))
    }

    /// Takes in a Map-Reply (RFC 9301 section 5.4): it goes to the owner of its nonce.
    pub(super) fn handle_map_reply(&mut self, reply: &MapReply, from: SocketAddr, now: Time) {
        self.context.counters.map_replies.received += 1;
        let (nonce, records) = (reply.nonce.0, reply.records.len());
        self.context.trace(|| Some(MessageEvent::ReplyReceived { nonce, records }));
        let owner = self.owner_of(reply.nonce);
        if let Some(NonceOwner::News(about)) = owner {
            return self.news_answered(about, reply, from.ip(), now);
        }
        if reply.probe && reply.records.iter().any(|record| !record.authoritative) {
            let told = || explanations::unauthoritative_probe_reply(reply);
            return self.context.refuse(from.ip(), ControlDrop::Malformed, now, told);
        }
        let Some(NonceOwner::Request(eid)) = owner else {
            let told = || explanations::unasked_reply(reply);
            return self.context.refuse(from.ip(), ControlDrop::UnknownNonce, now, told);
        };
        self.mapping_answered(eid, reply, from, now);
    }

    /// Takes in the answer to a Map-Request for the mapping of an EID. Only records that cover what was
    /// asked change anything.
    fn mapping_answered(&mut self, eid: Eid, reply: &MapReply, from: SocketAddr, now: Time) {
        let Some(covering) = reply.records.iter().find(|record| record.eid_prefix.contains(eid))
        else {
            let told = || explanations::reply_without_eid(reply, eid);
            return self.context.refuse(from.ip(), ControlDrop::WrongRecord, now, told);
        };
        if covering.locators.is_empty() {
            self.context.counters.negative_map_replies.received += 1;
        }
        let claims = Claims::of(&self.context.config, &self.map_cache, &self.away, eid);
        // Who has just got an EID back is answered by itself: not to be kept, for it would stand
        // in the way when the EID goes again.
        let held = claims.hold(&reply.records, covering, |record| self.is_own(record));
        claims.tell(&held, &mut self.context, from.ip(), now);
        let answer = held.taken.iter().find(|taken| taken.record.eid_prefix.contains(eid));
        // A reply without one is as if it had not come: the next resolver is asked.
        let Some(answer) = answer.map(|taken| taken.record.eid_prefix) else { return };
        let limit = self.map_cache_limit(eid);
        let cause = self.resolver.request(eid).map(|request| request.cause);
        for Taken { told, record } in &held.taken {
            self.learn_who_echoes(told, reply.echo_nonce, now);
            let solicited = cause == Some(Cause::Smr) && record.eid_prefix.contains(eid);
            let learned = learned(record, &self.context.local, from.ip(), now);
            let learned = Learned { solicited, ..learned };
            if self.map_cache.learn(learned, eid, limit, now) {
                self.context.counters.took(record);
                self.map_cache.keep_opaque(record);
            } else {
                let told = || explanations::map_cache_full(record.eid_prefix, limit);
                self.context.refuse(from.ip(), ControlDrop::TableFull, now, told);
            }
        }
        self.answered(eid, answer, now);
        self.away_answered(held.taken.iter().map(|taken| taken.told), now);
    }

    /// Whether a record is that of a local prefix, with a locator of ours.
    fn is_own(&self, record: &MappingRecord) -> bool {
        let mut rlocs = record.locators.iter().filter_map(LocatorRecord::ip);
        self.database.get(&record.eid_prefix).is_some()
            && rlocs.any(|rloc| self.context.local.contains(rloc.0))
    }

    /// Ends the request that was answered, and every other one that the answer covers too.
    fn answered(&mut self, asked: Eid, by: EidPrefix, now: Time) {
        for eid in self.resolver.pending_within(&by) {
            let same_mapping =
                eid == asked || self.map_cache.lookup(eid).is_some_and(|(found, _)| found == by);
            if same_mapping {
                let held = self.resolver.end_request(eid);
                self.release(held, now);
            }
        }
    }

    fn map_cache_limit(&self, eid: Eid) -> usize {
        let lisp = self.context.config.lisp.as_ref();
        let limit = lisp.and_then(|lisp| lisp.service(eid.family()).map_cache_limit);
        limit.map_or(super::map_cache::DEFAULT_LIMIT, |limit| limit as usize)
    }
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
        Some(Locator { rloc, priority, weight, ordinal, up, source: Source::RBit, since: now })
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
