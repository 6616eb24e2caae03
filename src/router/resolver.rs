//! Requests to the mapping system: Map-Requests of an ITR, their retries, and the packets that wait
//! for the answer (RFC 9301 sections 5.2 and 5.3).
//!
//! A request starts at the first Map-Resolver. Each resolver is tried twice. The wait is one second
//! after the first try, and two seconds after the second try. If there is no answer, the next
//! resolver is tried with a new nonce. After the last resolver, the first resolver is tried again.
//! After ten tries, the EID rests for half a minute, and the router does not request it during this
//! time. [`super::outstanding`] stores the requests under way.

use std::net::{IpAddr, SocketAddr};

use super::config::Config;
use super::context::Context;
use super::counters::ControlDrop;
use super::decision::Rule;
use super::event::{MessageEvent, RequestSummary};
use super::explanations;
use super::held::HeldPacket;
use super::io::DropReason;
use super::outstanding::{Cause, Outstanding, Request};
use super::reason::{MessageReason, RequestReason};
use super::smr_guard::SmrGuard;
use crate::addr::{Eid, Rloc};
use crate::rng::Seed;
use crate::time::Time;
use crate::wire::{CONTROL_PORT, Encapsulated, MapRequest, Message, Nonce};

/// The part of an ITR that sends requests to the mapping system.
#[derive(Debug)]
pub(super) struct Resolver {
    /// The requests under way.
    pub outstanding: Outstanding,
    /// The limits of the requests that SMRs cause.
    pub smr_guard: SmrGuard,
}

impl Resolver {
    pub(super) fn new(seed: &Seed) -> Self {
        Resolver { outstanding: Outstanding::new(seed), smr_guard: SmrGuard::default() }
    }

    /// Whether a packet may wait until `eid` is resolved. This function changes nothing.
    ///
    /// # Errors
    /// If the packet may not wait, the error is the reason.
    pub(super) fn may_hold(&self, context: &Context, eid: Eid) -> Result<(), DropReason> {
        if !self.outstanding.is_pending(eid)
            && context.config.itr_map_resolvers(eid.family()).is_empty()
        {
            return Err(DropReason::NoMapResolver);
        }
        self.outstanding.may_hold(eid)
    }

    /// Stores a packet until `eid` is resolved, and requests this EID. The function `packet`, which
    /// copies the packet, is called only if the packet can be stored.
    pub(super) fn hold(
        &mut self,
        context: &mut Context,
        eid: Eid,
        source: Eid,
        packet: impl FnOnce() -> HeldPacket,
        now: Time,
    ) -> Result<(), DropReason> {
        self.may_hold(context, eid)?;
        if !self.outstanding.is_pending(eid) {
            let why = RequestReason::NoMapping { source, eid };
            self.begin(context, (eid, Some(source)), why, now, now);
        }
        let gone = self.outstanding.hold(eid, source, packet, now)?;
        let full = (DropReason::HoldQueueFull, Rule::HoldQueueFull);
        context.give_up(gone.into_iter().collect(), full, now);
        // An SMR can cause a request with a delayed start. A packet does not wait for this delay,
        // so the request starts now.
        if self.outstanding.is_yet_to_begin(eid) {
            self.ask(context, eid, now);
        }
        Ok(())
    }

    /// Begins a request. Its first try is due at `at`. If another request is evicted, the packets
    /// that wait for the other request are dropped.
    fn begin(
        &mut self,
        context: &mut Context,
        (eid, source): (Eid, Option<Eid>),
        why: RequestReason,
        at: Time,
        now: Time,
    ) {
        let gone = self.outstanding.begin((eid, source), why, at, now);
        context.give_up(gone, (DropReason::HoldQueueFull, Rule::HoldQueueFull), now);
    }

    /// Requests an EID because of an SMR from `source`. The request is sent at `at`, plus a random
    /// delay if a delay is configured.
    pub(super) fn solicited(
        &mut self,
        context: &mut Context,
        (eid, source_eid): (Eid, Option<Eid>),
        source: IpAddr,
        at: Time,
        now: Time,
    ) {
        let service = context.config.service(eid.family());
        let delay = service.and_then(|service| service.itr_smr_delay_ms).unwrap_or(0);
        let delay = self.outstanding.random_delay(u64::from(delay));
        if context.config.itr_map_resolvers(eid.family()).is_empty() {
            let told = || explanations::smr_without_resolver(eid);
            return context.refuse(source, ControlDrop::NotOurRole, now, told);
        }
        let why = RequestReason::Smr { eid, by: source };
        self.begin(context, (eid, source_eid), why, at + delay, now);
        self.retry_requests(context, now);
    }

    /// Sends a new request for an EID that is away. The answer contains the location of the EID.
    pub(super) fn ask_again(&mut self, context: &mut Context, eid: Eid, now: Time) {
        let can_ask = !self.outstanding.is_pending(eid)
            && !servers_for(&context.config, eid, Cause::Away).is_empty();
        if can_ask {
            self.begin(context, (eid, None), RequestReason::AwayRecordExpired { eid }, now, now);
            self.ask(context, eid, now);
        }
    }

    /// Does the work that is due: sends the next try of each request, and permits requests again
    /// for EIDs that rest.
    pub(super) fn retry_requests(&mut self, context: &mut Context, now: Time) {
        self.outstanding.end_rests(now);
        while let Some(eid) = self.outstanding.next_due(now) {
            self.ask(context, eid, now);
        }
    }

    /// Sends the next Map-Request for an EID. After the last try, the router does not request the
    /// EID for some time.
    fn ask(&mut self, context: &mut Context, eid: Eid, now: Time) {
        let Some(attempt) = self.outstanding.next_try(eid, now) else {
            context.counters.map_requests_unanswered += 1;
            let held = self.outstanding.rest(eid, now);
            return context.give_up(held, (DropReason::Unresolved, Rule::NoMapReply), now);
        };
        let Some(request) = self.outstanding.request(eid) else { return };
        let message = map_request(context, eid, request, attempt.nonce);
        let why = request.why;
        let resolvers = servers_for(&context.config, eid, request.cause());
        let of_round = |round: u32| resolvers.get(round as usize % resolvers.len().max(1)).copied();
        let Some(resolver) = of_round(attempt.round()) else { return };
        let before = attempt.round().checked_sub(1).and_then(of_round);
        let Some(source) = context.local.preferred(Rloc(resolver).family()) else { return };
        let smr = message.smr_invoked;
        if let Some(before) = before.filter(|before| *before != resolver && attempt.starts_round())
        {
            let eid_prefix = eid.host_prefix();
            let next = MessageEvent::NextResolver {
                eid_prefix,
                smr_invoked: smr,
                from: before,
                to: resolver,
            };
            context.trace(|| Some(next));
        }
        let silent = attempt.before().and_then(|before| of_round(before.round()));
        let reason = MessageReason::MapRequest { cause: why, attempt: attempt.number, silent };
        self.send_map_request(context, &message, reason, (source, resolver), now);
    }

    /// Sends an encapsulated Map-Request with one record to the mapping system.
    pub(super) fn send_map_request(
        &mut self,
        context: &mut Context,
        request: &MapRequest,
        reason: MessageReason,
        (source, resolver): (Rloc, IpAddr),
        now: Time,
    ) {
        let Some(eid) = request.records.first().map(|record| record.eid_prefix.network()) else {
            return;
        };
        let inner_source = map_request_source(&context.config, eid).unwrap_or(eid.address);
        context.trace(|| {
            let request = RequestSummary::of(request)?;
            let attempt = match reason {
                MessageReason::MapRequest { attempt, .. } => attempt,
                _ => 1,
            };
            let sent =
                MessageEvent::RequestSent { request, attempt, inner_source, source, resolver };
            Some(sent)
        });
        if request.smr_invoked {
            context.counters.smr_invoked.sent += 1;
            self.smr_guard.asked_at(eid, now);
        } else {
            context.counters.map_requests.sent += 1;
        }
        context.counters.encapsulated.sent += 1;
        let inner_source = SocketAddr::new(inner_source, CONTROL_PORT);
        let inner_destination = SocketAddr::new(eid.address, CONTROL_PORT);
        let encapsulated = Encapsulated::new(inner_source, inner_destination, request.emit());
        let from = SocketAddr::new(source.0, CONTROL_PORT);
        let to = SocketAddr::new(resolver, CONTROL_PORT);
        context.send_control((from, to), &Message::Encapsulated(encapsulated), reason);
    }
}

fn map_request(context: &Context, eid: Eid, request: &Request, nonce: Nonce) -> MapRequest {
    MapRequest {
        from_pitr: context.config.roles(eid.family()).proxy_itr,
        smr_invoked: request.cause() == Cause::Smr,
        nonce,
        source_eid: request.source_eid,
        itr_rlocs: context.local.itr_rlocs(),
        records: vec![eid.host_prefix().into()],
        ..MapRequest::default()
    }
}

/// Returns the servers that the router asks for an EID, one after the other. These are the
/// map-resolvers. If no map-resolver is configured and the EID is away, these are the map-servers
/// of the ETR.
fn servers_for(config: &Config, eid: Eid, cause: Cause) -> Vec<IpAddr> {
    match config.itr_map_resolvers(eid.family()) {
        [] if cause == Cause::Away => {
            config.etr_map_servers(eid.family()).keys().copied().collect()
        }
        resolvers => resolvers.to_vec(),
    }
}

fn map_request_source(config: &Config, eid: Eid) -> Option<IpAddr> {
    config.service(eid.family())?.map_request_source
}
