//! Echo-nonce: the router learns from data packets whether a locator can be reached (RFC 9300
//! section 10.1).
//!
//! In the Echo-Nonce-request state, each packet to a locator carries a nonce. The xTR of this
//! locator sends the nonce back in its own packets. The state ends in two cases. In the first case,
//! the nonce comes back: our packets arrive. In the second case, the xTR still sends packets, but
//! without the nonce: our packets do not arrive. If the xTR sends no packets at all, the router
//! learns nothing, because traffic may flow in one direction only. So the state lasts until the xTR
//! sends a packet.
//!
//! The E bit of a Map-Reply says that a site supports echo-nonce (RFC 9301 section 5.4). The router
//! asks only sites that have set this bit. If both ends ask at the same time, each end suspends its
//! own request and answers first. A sender that can forge packets can also forge echoes. So the
//! router uses echo-nonce only if `loc-reach-algorithm echo-nonce` is configured: this line means
//! that the network is trusted.

use std::collections::BTreeMap;
use std::time::Duration;

use super::bounded::{Bounded, Limit};
use super::config::Config;
use super::context::Context;
use super::deadlines::Deadlines;
use super::reachability::UNREACHABLE_FOR;
use super::revision::Revision;
use crate::addr::{Family, Rloc};
use crate::rng::{Rng, Seed};
use crate::time::Time;
use crate::wire::MappingRecord;
use crate::wire::data_header::NonceField;

/// The time from the end of one request to the start of the next request.
const REQUEST_INTERVAL: Duration = Duration::from_secs(60);
/// The longest time that an echo may take. If a packet without the nonce arrives after this time,
/// the router concludes that the other xTR did not receive the nonce.
const ECHO_WAIT: Duration = Duration::from_secs(3);
/// The Echo-Nonce-request-state timer: the longest time for which a request is suspended.
const SUSPENSION: Duration = Duration::from_secs(3);
/// The router asks at most this number of locators at the same time. If one more locator is added,
/// the router removes a locator to which it sends no packet. If all locators are in use, the new
/// locator is not asked.
const PEERS: usize = 1024;
/// The router has to echo the nonces of at most this number of locators at the same time. If one
/// more locator asks for an echo, the router deletes the nonce that has waited for the longest time
/// for a packet to its locator.
const OWED: Limit = Limit { name: "Nonces to echo", capacity: 1024, idle: Duration::ZERO };
/// The router begins or changes at most this number of echoes in one second. There is a limit
/// because each of these changes begins a new forwarding generation.
const ANSWERS_A_SECOND: u32 = 64;

/// An Echo-Nonce-request state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Request {
    /// The nonce, 24 bits.
    nonce: u32,
    /// The time of the first packet with the nonce. After a suspension of the request, this is the
    /// time of the first packet after the suspension. `None` if the router has not sent this packet
    /// yet.
    since: Option<Time>,
    /// Whether the request is suspended: the other xTR asks too, and this router answers first.
    suspended: bool,
}

/// The information that a packet gives about the path to its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Echo {
    /// The packet gives no information.
    Silent,
    /// The sender asks for the echo of a nonce that is new to this router.
    Asked,
    /// The sender echoed our nonce.
    Returned,
    /// The sender should have echoed our nonce, and did not.
    Missing,
}

/// The echo-nonce states of the locators of other xTRs.
#[derive(Debug)]
pub(super) struct EchoNonce {
    /// The locators of the sites that support echo-nonce, each with its open request.
    requests: BTreeMap<Rloc, Option<Request>>,
    /// For each locator, the time at which its next request begins or the suspension of its request
    /// ends.
    due: Deadlines<Rloc>,
    /// For each locator, the nonce that this router has to echo.
    owed: Bounded<Rloc, u32>,
    /// The current second, and the number of echoes that this router began or changed in this
    /// second.
    answers: (u64, u32),
    revision: Revision,
    rng: Rng,
}

impl EchoNonce {
    pub(super) fn new(seed: &Seed) -> Self {
        EchoNonce {
            requests: BTreeMap::new(),
            due: Deadlines::default(),
            owed: Bounded::new(OWED),
            answers: (0, 0),
            revision: Revision::default(),
            rng: Rng::new(seed, "echo nonce"),
        }
    }

    /// The number of times that this router changed the nonce of its packets to a locator.
    pub(super) fn revision(&self) -> u64 {
        self.revision.number()
    }

    /// The time at which the next request begins, or the next suspension ends.
    pub(super) fn next_request(&self) -> Option<Time> {
        self.due.next()
    }

    /// Deletes all states, because echo-nonce is not configured.
    fn clear(&mut self) {
        self.revision.advance();
        self.requests.clear();
        self.due = Deadlines::default();
        self.owed = Bounded::new(OWED);
    }

    /// Stores whether the site of `rloc` supports echo-nonce. `echoes` is the E bit of a Map-Reply.
    fn learn(&mut self, rloc: Rloc, echoes: bool, now: Time) {
        if !echoes {
            if self.requests.remove(&rloc).is_some() {
                self.revision.advance();
            }
            self.due.set(rloc, None);
        } else if !self.requests.contains_key(&rloc) && self.has_room() {
            self.requests.insert(rloc, None);
            self.due.set(rloc, Some(now));
        }
    }

    fn has_room(&mut self) -> bool {
        if self.requests.len() >= PEERS {
            let is_idle = |request: &Request| request.since.is_none() && !request.suspended;
            let mut requests = self.requests.iter();
            let idle = requests.find(|(_, request)| request.as_ref().is_some_and(is_idle));
            if let Some(idle) = idle.map(|(rloc, _)| *rloc) {
                self.requests.remove(&idle);
                self.revision.advance();
            }
        }
        self.requests.len() < PEERS
    }

    /// Begins the requests that are due. Resumes the requests whose suspension is over.
    pub(super) fn ask_due(&mut self, now: Time) {
        while let Some(rloc) = self.due.pop(now) {
            let nonce = match self.requests.get(&rloc) {
                Some(Some(request)) => request.nonce,
                _ => self.fresh_nonce(),
            };
            let request = Request { nonce, since: None, suspended: false };
            self.requests.insert(rloc, Some(request));
            self.revision.advance();
        }
    }

    /// A nonce that is not in use for another locator (RFC 9300 section 5.3).
    fn fresh_nonce(&mut self) -> u32 {
        loop {
            let nonce = (self.rng.next_u64() >> 40) as u32;
            let mut others = self.requests.values().flatten();
            if others.all(|request| request.nonce != nonce) {
                return nonce;
            }
        }
    }

    /// The nonce of the next packets to `rloc`, and whether the first of these packets begins a
    /// request.
    fn nonce(&self, rloc: Rloc) -> (NonceField, bool) {
        let request = self.requests.get(&rloc).and_then(Option::as_ref);
        if let Some(request) = request.filter(|request| !request.suspended) {
            let begins = request.since.is_none();
            return (NonceField::Nonce { nonce: request.nonce, echo: true }, begins);
        }
        let owed = self.owed.get(&rloc);
        let echo = |&nonce: &u32| NonceField::Nonce { nonce, echo: false };
        (owed.map_or(NonceField::None, echo), false)
    }

    /// Stores the time at which the first packet with the nonce of a request is sent to `rloc`.
    fn note_begin(&mut self, rloc: Rloc, now: Time) {
        if let Some(Some(request)) = self.requests.get_mut(&rloc) {
            request.since.get_or_insert(now);
        }
    }

    /// Handles the nonce field of a packet from `rloc`.
    fn heard(&mut self, rloc: Rloc, nonce: NonceField, now: Time) -> Echo {
        if let NonceField::Nonce { nonce, echo: true } = nonce {
            return self.owe(rloc, nonce, now);
        }
        if self.owed.remove(&rloc).is_some() {
            self.revision.advance();
        }
        let Some(state) = self.requests.get_mut(&rloc) else { return Echo::Silent };
        let Some(request) = state else { return Echo::Silent };
        let (ended, next_at) = if nonce == (NonceField::Nonce { nonce: request.nonce, echo: false })
        {
            (Echo::Returned, now + REQUEST_INTERVAL)
        } else if request.since.is_some_and(|since| now.since(since) >= ECHO_WAIT) {
            // The next request begins at the time at which the router uses the locator again.
            (Echo::Missing, now + UNREACHABLE_FOR)
        } else {
            if request.suspended {
                request.suspended = false;
                self.due.set(rloc, None);
                self.revision.advance();
            }
            return Echo::Silent;
        };
        *state = None;
        self.revision.advance();
        self.due.set(rloc, Some(next_at));
        ended
    }

    /// Handles the request of `rloc` for the echo of a nonce. If this router is asking `rloc` too,
    /// this router suspends its own request.
    fn owe(&mut self, rloc: Rloc, nonce: u32, now: Time) -> Echo {
        let request = self.requests.get_mut(&rloc).and_then(Option::as_mut);
        if let Some(request) = request.filter(|request| !request.suspended) {
            *request = Request { since: None, suspended: true, ..*request };
            self.due.set(rloc, Some(now + SUSPENSION));
            self.revision.advance();
        }
        let second = now.0 / 1_000_000;
        if self.answers.0 != second {
            self.answers = (second, 0);
        }
        if self.owed.get(&rloc) == Some(&nonce) || self.answers.1 >= ANSWERS_A_SECOND {
            return Echo::Silent;
        }
        self.answers.1 += 1;
        // The table refuses no entry, because it always removes an older entry.
        let _ = self.owed.insert(rloc, (), nonce, now);
        self.revision.advance();
        Echo::Asked
    }

    /// The nonce field of the packets to `to` whose inner packets belong to `family`, and whether
    /// the first of these packets begins a request.
    pub(super) fn nonce_for(
        &self,
        config: &Config,
        to: Rloc,
        family: Family,
    ) -> (NonceField, bool) {
        match config.loc_reach(family).echo_nonce {
            true => self.nonce(to),
            false => (NonceField::None, false),
        }
    }

    /// Stores the time of a packet to `to` that begins a request, and counts the packet.
    pub(super) fn begin(&mut self, context: &mut Context, to: Rloc, now: Time) {
        self.note_begin(to, now);
        context.counters.nonces.sent += 1;
    }

    /// Handles the nonce field of a packet from `from` with an inner packet of `family`. Returns
    /// true if the field shows that packets to `from` do not arrive.
    pub(super) fn take(
        &mut self,
        context: &mut Context,
        nonce: NonceField,
        (from, family): (Rloc, Family),
        now: Time,
    ) -> bool {
        if !context.config.loc_reach(family).echo_nonce {
            return false;
        }
        match self.heard(from, nonce, now) {
            Echo::Silent => {}
            Echo::Asked => context.counters.nonces.received += 1,
            Echo::Returned => context.counters.nonces_echoed += 1,
            Echo::Missing => return true,
        }
        false
    }

    /// Learns from a Map-Reply whether the site of a record supports echo-nonce. `echoes` is the E
    /// bit of the Map-Reply.
    pub(super) fn learn_of(
        &mut self,
        config: &Config,
        record: &MappingRecord,
        echoes: bool,
        now: Time,
    ) {
        if config.loc_reach(record.eid_prefix.family()).echo_nonce {
            let rlocs = record.locators.iter().filter_map(|locator| locator.ip());
            rlocs.for_each(|rloc| self.learn(rloc, echoes, now));
        }
    }

    /// Deletes all states if the new configuration has no echo-nonce.
    pub(super) fn reconfigure(&mut self, config: &Config) {
        if !Family::BOTH.iter().any(|family| config.loc_reach(*family).echo_nonce) {
            self.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rloc(number: u16) -> Rloc {
        let [high, low] = number.to_be_bytes();
        Rloc([203, 0, high, low].into())
    }

    fn asks(nonce: NonceField) -> bool {
        matches!(nonce, NonceField::Nonce { echo: true, .. })
    }

    #[test]
    fn who_is_sent_nothing_makes_room_for_another_that_echoes() {
        let mut echo_nonce = EchoNonce::new(&Seed::from_number(1));
        for number in 0..PEERS as u16 {
            echo_nonce.learn(rloc(number), true, Time::ZERO);
        }
        echo_nonce.ask_due(Time::ZERO);
        for used in 1..PEERS as u16 {
            assert!(asks(echo_nonce.nonce(rloc(used)).0));
            echo_nonce.note_begin(rloc(used), Time::ZERO);
        }
        echo_nonce.learn(rloc(5000), true, Time::ZERO);
        echo_nonce.ask_due(Time::ZERO);
        assert!(asks(echo_nonce.nonce(rloc(5000)).0));
        echo_nonce.note_begin(rloc(5000), Time::ZERO);
        assert!(!echo_nonce.requests.contains_key(&rloc(0)));
        echo_nonce.learn(rloc(5001), true, Time::ZERO);
        assert_eq!(echo_nonce.requests.len(), PEERS, "all are in use");
        assert!(!echo_nonce.requests.contains_key(&rloc(5001)));
    }

    #[test]
    fn a_flood_of_askers_neither_grows_the_table_nor_shuts_others_out() {
        let mut echo_nonce = EchoNonce::new(&Seed::from_number(1));
        for number in 0..3 * PEERS as u16 {
            let now = Time::from_secs(number.into());
            assert_eq!(echo_nonce.owe(rloc(number), 7, now), Echo::Asked);
        }
        assert_eq!(echo_nonce.owed.len(), OWED.capacity);
        assert!(echo_nonce.owed.contains_key(&rloc(3 * PEERS as u16 - 1)));
    }
}
