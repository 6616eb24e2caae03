//! The queries of the command `lig` (RFC 6835): Map-Requests that the operator asks for. A query is
//! independent of the Map-Requests of the ITR: no packet waits for a query.
//!
//! Each Map-Request of a query has a new nonce. If no answer arrives in time, the next Map-Request
//! goes to the next map-resolver.

use std::net::IpAddr;
use std::time::Duration;

use super::bounded::{Bounded, Fill, Limit};
use super::context::Context;
use super::io::LigQuestion;
use super::reason::{MessageReason, RequestReason};
use super::resolver::Resolver;
use crate::addr::{Eid, Rloc};
use crate::rng::{Rng, Seed};
use crate::time::Time;
use crate::wire::{MapReply, MapRequest, MappingRecord, Nonce};

/// The maximum number of queries. If the table is full, the oldest query is removed.
const QUERIES: Limit = Limit { name: "lig queries", capacity: 64, idle: Duration::ZERO };
/// The maximum time from a Map-Request to its answer.
const WAIT: Duration = Duration::from_secs(2);
/// The time from the start of a query to its deletion. The console must read the result within this
/// time.
const KEPT: Duration = Duration::from_secs(60);

/// The answer to a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The sender of the Map-Reply.
    pub from: IpAddr,
    /// The time from the Map-Request to the Map-Reply.
    pub round_trip: Duration,
    /// The record of the Map-Reply, with an EID prefix that contains the requested EID.
    pub record: MappingRecord,
}

/// The state of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The parameters of the query.
    pub question: LigQuestion,
    /// The number of Map-Requests that were sent.
    pub sent: u8,
    /// The map-resolver of the latest Map-Request. `None` if no Map-Request could be sent.
    pub resolver: Option<IpAddr>,
    /// The answer, if there is one.
    pub answer: Option<Answer>,
    nonce: Nonce,
    sent_at: Time,
}

impl Query {
    /// Whether the query has ended, with or without an answer.
    pub fn is_done(&self) -> bool {
        self.due_at().is_none()
    }

    /// The time at which the latest Map-Request counts as lost. `None` if the query has ended.
    fn due_at(&self) -> Option<Time> {
        (self.answer.is_none() && self.resolver.is_some()).then(|| self.sent_at + WAIT)
    }
}

/// The queries of the consoles.
#[derive(Debug)]
pub struct Queries {
    /// The queries. The key is the number of the query.
    table: Bounded<u64, Query>,
    last_number: u64,
    rng: Rng,
}

impl Queries {
    pub(super) fn new(seed: &Seed) -> Self {
        Queries { table: Bounded::new(QUERIES), last_number: 0, rng: Rng::new(seed, "lig nonce") }
    }

    /// The number that the next query will get.
    pub fn next_number(&self) -> u64 {
        self.last_number + 1
    }

    /// The query with the number `number`. A query is deleted one minute after its start.
    pub fn get(&self, number: u64) -> Option<&Query> {
        self.table.get(&number)
    }

    /// The fill level of the table of queries.
    pub fn fill(&self) -> Fill {
        self.table.fill()
    }

    /// Returns the number of the query that waits for an answer with the nonce `nonce`.
    pub(super) fn asked_with(&self, nonce: Nonce) -> Option<u64> {
        let mut waiting = self.table.iter().filter(|(_, query)| !query.is_done());
        waiting.find(|(_, query)| query.nonce == nonce).map(|(&number, _)| number)
    }

    /// The next time at which a Map-Request is due or a query can be deleted.
    pub(super) fn next_work(&self) -> Option<Time> {
        let due = self.table.iter().filter_map(|(_, query)| query.due_at()).min();
        let expiry = self.table.first_use().map(|at| at + KEPT);
        [due, expiry].into_iter().flatten().min()
    }

    /// Begins a query and sends its first Map-Request.
    pub(super) fn begin(
        &mut self,
        context: &mut Context,
        resolver: &mut Resolver,
        question: LigQuestion,
        now: Time,
    ) {
        self.last_number += 1;
        let nonce = Nonce(0);
        let query = Query { question, sent: 0, resolver: None, answer: None, nonce, sent_at: now };
        // If the table is full, another query is removed, so this insertion does not fail.
        let _ = self.table.insert(self.last_number, (), query, now);
        self.ask(context, resolver, self.last_number, now);
    }

    /// Sends the next Map-Request of each query whose latest Map-Request counts as lost. Deletes
    /// the queries that began more than one minute ago.
    pub(super) fn work(&mut self, context: &mut Context, resolver: &mut Resolver, now: Time) {
        self.table.expire(KEPT, now);
        let is_due = |query: &Query| query.due_at().is_some_and(|at| at <= now);
        let due = self.table.iter().filter(|(_, query)| is_due(query)).map(|(&number, _)| number);
        for number in due.collect::<Vec<u64>>() {
            self.ask(context, resolver, number, now);
        }
    }

    /// Sends the next Map-Request of a query. Ends the query if all its Map-Requests have been
    /// sent, or if the router cannot send a Map-Request.
    fn ask(&mut self, context: &mut Context, resolver: &mut Resolver, number: u64, now: Time) {
        let Some(query) = self.table.get_mut(&number) else { return };
        let eid = query.question.eid;
        let configured = context.config.itr_map_resolvers(eid.family());
        let in_turn = configured.get(usize::from(query.sent) % configured.len().max(1)).copied();
        let server = query.question.resolver.or(in_turn);
        let ends = server
            .and_then(|server| Some((context.local.preferred(Rloc(server).family())?, server)));
        let Some(ends) = ends.filter(|_| query.sent < query.question.requests) else {
            query.resolver = None;
            return;
        };
        let silent = query.resolver;
        query.sent += 1;
        query.resolver = Some(ends.1);
        query.nonce = Nonce(self.rng.next_u64());
        query.sent_at = now;
        let request = MapRequest {
            from_pitr: context.config.roles(eid.family()).proxy_itr,
            nonce: query.nonce,
            itr_rlocs: context.local.itr_rlocs(),
            records: vec![eid.host_prefix().into()],
            ..MapRequest::default()
        };
        let attempt = u32::from(query.sent);
        let cause = RequestReason::Lig { eid };
        let reason = MessageReason::MapRequest { cause, attempt, silent };
        resolver.send_map_request(context, &request, reason, ends, now);
    }

    /// Stores the answer to a query. Returns the EID of the query.
    pub(super) fn answered(
        &mut self,
        number: u64,
        reply: &MapReply,
        from: IpAddr,
        now: Time,
    ) -> Option<Eid> {
        let query = self.table.get_mut(&number)?;
        let eid = query.question.eid;
        let mut records = reply.records.iter();
        if let Some(record) = records.find(|record| record.eid_prefix.contains(eid)) {
            let round_trip = now.since(query.sent_at);
            query.answer = Some(Answer { from, round_trip, record: record.clone() });
        }
        Some(eid)
    }
}
