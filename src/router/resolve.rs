//! Handles received Map-Replies (RFC 9301 section 5.4), and the packets that waited for them.

use std::net::SocketAddr;

use super::Router;
use super::counters::ControlDrop;
use super::event::MessageEvent;
use super::explanations;
use super::map_cache::Learned;
use super::mapping_records::learned;
use super::news::About;
use super::outstanding::{Cause, Request};
use super::overclaim::{Claims, Taken};
use crate::addr::{Eid, EidPrefix};
use crate::time::Time;
use crate::wire::{LocatorRecord, MapReply, MappingRecord, Nonce};

/// The purpose of a nonce that this router has sent. A Map-Reply with this nonce is the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NonceOwner {
    /// A question to a map-server about its notification.
    News(About),
    /// A Map-Request for the mapping of an EID.
    Request(Eid),
    /// A Map-Request of the command `lig`. The value is the number of the query.
    Lig(u64),
}

impl Router {
    /// The purpose of a nonce; `None` if the router waits for no answer with this nonce.
    pub(super) fn owner_of(&self, nonce: Nonce) -> Option<NonceOwner> {
        let news = self.news.asked(nonce).map(NonceOwner::News);
        let request = || self.resolver.outstanding.asked_with(nonce).map(NonceOwner::Request);
        let lig = || self.lig.asked_with(nonce).map(NonceOwner::Lig);
        news.or_else(request).or_else(lig)
    }

    /// Processes a Map-Reply (RFC 9301 section 5.4) according to the purpose of its nonce.
    pub(super) fn handle_map_reply(&mut self, reply: &MapReply, from: SocketAddr, now: Time) {
        self.context.counters.map_replies.received += 1;
        self.context.counters.replied(reply, |count| &mut count.received);
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
        let eid = match owner {
            Some(NonceOwner::Lig(number)) => {
                // For an ITR, the answer has the same effect as the answer to a request of the ITR:
                // the mapping is stored. Other routers store nothing.
                let asked = self.lig.answered(number, reply, from.ip(), now);
                let is_itr = |eid: &Eid| {
                    let roles = self.context.config.roles(eid.family());
                    roles.itr || roles.proxy_itr
                };
                let Some(eid) = asked.filter(is_itr) else { return };
                eid
            }
            Some(NonceOwner::Request(eid)) => eid,
            Some(NonceOwner::News(_)) | None => {
                let told = || explanations::unasked_reply(reply);
                return self.context.refuse(from.ip(), ControlDrop::UnknownNonce, now, told);
            }
        };
        self.mapping_answered(eid, reply, from, now);
    }

    /// Processes the answer to a Map-Request for the mapping of an EID. Nothing changes if no
    /// record covers the requested EID.
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
        // After an EID has returned, the answer may be the router's own record. This answer is not
        // stored: when the EID leaves again, the stored record would be wrong.
        let held = claims.hold(&reply.records, covering, |record| self.is_own(record));
        claims.tell(&held, &mut self.context, from.ip(), now);
        let answer = held.taken.iter().find(|taken| taken.record.eid_prefix.contains(eid));
        // If a reply has no accepted record for the EID, the reply is ignored and the next resolver
        // is asked.
        let Some(answer) = answer.map(|taken| taken.record.eid_prefix) else { return };
        let limit = self.map_cache_limit(eid);
        let cause = self.resolver.outstanding.request(eid).map(Request::cause);
        for Taken { told, record } in &held.taken {
            self.echo_nonce.learn_of(&self.context.config, told, reply.echo_nonce, now);
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
        self.away_answered(held.taken.iter().map(|taken| taken.told), from.ip(), now);
    }

    /// Whether a record is for a local prefix and has a locator of this router.
    fn is_own(&self, record: &MappingRecord) -> bool {
        let mut rlocs = record.locators.iter().filter_map(LocatorRecord::ip);
        self.database.get(&record.eid_prefix).is_some()
            && rlocs.any(|rloc| self.context.local.contains(rloc.0))
    }

    /// Ends the request that was answered, and all other requests that the answer covers.
    fn answered(&mut self, asked: Eid, by: EidPrefix, now: Time) {
        for eid in self.resolver.outstanding.pending_within(&by) {
            let same_mapping =
                eid == asked || self.map_cache.lookup(eid).is_some_and(|(found, _)| found == by);
            if same_mapping {
                let held = self.resolver.outstanding.end_request(eid);
                self.release(held, now);
            }
        }
    }

    fn map_cache_limit(&self, eid: Eid) -> usize {
        let service = self.context.config.service(eid.family());
        let limit = service.and_then(|service| service.map_cache_limit);
        limit.map_or(super::map_cache::DEFAULT_LIMIT, |limit| limit as usize)
    }
}
