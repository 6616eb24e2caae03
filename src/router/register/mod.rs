//! The ETR's registrations with its map-servers (RFC 9301 sections 5.6, 5.7 and 8.2; the reliable
//! transport draft).
//!
//! Every prefix with a route is registered with every map-server of its family. By UDP, the router
//! repeats the registration once a minute. At first, it also repeats the registration after one
//! second, two seconds, four seconds and so on, until a Map-Notify acknowledges the Map-Register.
//! The reason is that a lab is ready only after its last Map-Register has arrived. After the first
//! Map-Notify, the ETR also connects by TCP. If the map-server accepts the session, each prefix is
//! registered once on the session, without a timer. When the session ends, the router uses UDP
//! again. [`machine`] is the table of the draft, and [`mod@offer`] decides which Map-Registers ask
//! for a session.
//!
//! Prefixes that are due by UDP at the same time are registered in one message, if this message
//! fits into the smallest MTU that every path has.

mod clock;
mod machine;
mod nonces;
mod notify;
mod offer;
mod reliable;
mod send;
mod session;
mod status;
mod wanted;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use machine::{Action, Event, State, transition};
use nonces::Nonces;
use offer::Offer;
use session::EtrSession;
pub use status::RegistrationStatus;
pub(super) use wanted::registers_around;

use super::away::Teller;
use super::deadlines::Deadlines;
use super::event::{self, RegistrationChange};
use super::reason::{AcknowledgementReason, MessageReason, RegisterReason};
use crate::addr::{EidPrefix, Family};
use crate::rng::{Rng, Seed};
use crate::time::Time;
use crate::wire::{MappingRecord, Nonce};

/// The time between two Map-Registers by UDP for one prefix (RFC 9301 section 5.6).
const PERIOD: Duration = Duration::from_secs(60);
/// The random part of [`PERIOD`], as a fraction. Because of this part, the routers of a lab do not
/// send at the same time.
const JITTER: f64 = 0.1;
/// The wait before the first repetition if no Map-Notify has arrived. Each further wait is twice as
/// long, up to [`PERIOD`].
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// How long a map-server keeps a registration that is not renewed (RFC 9301 section 8.2).
pub const LIFETIME: Duration = Duration::from_secs(180);
/// The maximum number of unsolicited Map-Notifies whose nonces are stored for each map-server.
const NEWS: usize = 64;

/// A map-server, and a family of EIDs.
type Peer = (Family, IpAddr);

/// The state of the registration of one prefix with one map-server.
#[derive(Clone, Copy, Debug)]
struct RegistrationEntry {
    state: State,
    /// The time at which the next Map-Register by UDP is due. Only the state [`State::Periodic`]
    /// has this time.
    due_at: Option<Time>,
    /// The wait after the next Map-Register, as long as no Map-Register is acknowledged.
    retry: Duration,
    /// The nonce of the last Map-Register by UDP, until its Map-Notify arrives.
    nonce: Option<Nonce>,
    /// Whether the last Map-Register by UDP offered reliable transport.
    had_bit: bool,
    /// Whether the next Map-Register is due because of a change. If not, it is due because the last
    /// Map-Register had no answer, or because the period between two Map-Registers is over.
    is_changed: bool,
    /// The reason for the next Map-Register. This reason is not used for a repetition of a
    /// Map-Register that has no answer.
    why: RegisterReason,
    /// The number of successive Map-Registers without an answer in time.
    unanswered: u32,
    /// The time at which the last Map-Notify or Registration Ack arrived.
    acknowledged_at: Option<Time>,
    /// Whether an event has reported that the last acknowledgement is too old.
    is_lapsed: bool,
}

impl RegistrationEntry {
    /// Returns the reason for a Map-Register by UDP that is due now.
    fn reason(&self) -> RegisterReason {
        match self.nonce.is_some() && !self.is_changed {
            true => RegisterReason::Unanswered(self.unanswered),
            false => self.why,
        }
    }

    /// Whether the router knows that the map-server has the registration.
    fn is_acknowledged(&self, now: Time) -> bool {
        match self.state {
            State::Stable | State::Periodic => {
                let by_timer = self.state == State::Periodic;
                self.acknowledged_at.is_some_and(|at| !by_timer || now.since(at) < LIFETIME)
            }
            State::AckWait | State::Rejected => false,
        }
    }

    /// Whether the registration is complete, so that the map-server will send no more answers about
    /// the last change.
    fn is_settled(&self, now: Time) -> bool {
        match self.state {
            State::Stable | State::Rejected => true,
            State::Periodic => self.nonce.is_none() && self.due_at.is_some_and(|at| at > now),
            State::AckWait => false,
        }
    }
}

/// A change that the registrar reports to its router, because other roles depend on the change.
#[derive(Debug)]
pub(super) enum RegistrarEvent {
    /// A map-server has acknowledged these prefixes by UDP. After the router has processed this
    /// event, it calls [`Registrar::follow_acknowledgement`].
    Acknowledged {
        /// The map-server.
        server: IpAddr,
        /// The prefixes.
        prefixes: Vec<EidPrefix>,
        /// Whether the Map-Register offered reliable transport.
        had_bit: bool,
    },
    /// A map-server has acknowledged or rejected a prefix by TCP.
    Answered(EidPrefix),
    /// A map-server reports on a session that another xTR has registered a prefix. The values are
    /// the record with the locators of the other xTR, the session, and the map-server.
    Elsewhere(MappingRecord, Teller, IpAddr),
    /// A Map-Notify reports prefixes that another xTR has registered. The values are the map-server
    /// and the records. The Map-Notify may be an old message.
    News(IpAddr, Vec<MappingRecord>),
}

/// The registrations of an ETR.
#[derive(Debug)]
pub(super) struct Registrar {
    standings: BTreeMap<Peer, BTreeMap<EidPrefix, RegistrationEntry>>,
    /// The deadlines of the Map-Registers by UDP: each [`RegistrationEntry::due_at`].
    due: Deadlines<(Peer, EidPrefix)>,
    /// The sessions of reliable transport, by map-server. One session is for both address families.
    sessions: BTreeMap<IpAddr, EtrSession>,
    /// Whether the router offers reliable transport to each map-server.
    offers: BTreeMap<IpAddr, Offer>,
    next_connection: u64,
    nonces: Nonces,
    /// The nonces of the last [`NEWS`] unsolicited Map-Notifies of each map-server.
    news: BTreeMap<IpAddr, VecDeque<Nonce>>,
    rng: Rng,
    /// The changes that the caller has not taken yet.
    changes: Vec<event::Event>,
    /// 128 bits that identify this router.
    xtr_id: u128,
}

/// Returns the event for a change of a registration.
fn changed(
    (_, map_server): Peer,
    eid_prefix: EidPrefix,
    change: RegistrationChange,
) -> event::Event {
    event::Event::Registration { eid_prefix, map_server, change }
}

/// Returns the message, or the change of the session, that acknowledges a registration when `event`
/// happens.
fn acknowledgement(event: Event) -> AcknowledgementReason {
    match event {
        Event::SessionUp => AcknowledgementReason::SessionUp,
        Event::SessionDown => AcknowledgementReason::SessionDown,
        _ => AcknowledgementReason::RegistrationAck,
    }
}

impl Registrar {
    /// Removes and returns the changes since the last call.
    pub(super) fn take_changes(&mut self) -> Vec<event::Event> {
        std::mem::take(&mut self.changes)
    }

    /// Creates a registrar. Its nonces begin at `wall_clock` (microseconds), which is normally
    /// greater than the nonces of the router's previous run.
    pub(super) fn new(seed: &Seed, wall_clock: u64, xtr_id: u128) -> Self {
        Registrar {
            standings: BTreeMap::new(),
            due: Deadlines::default(),
            sessions: BTreeMap::new(),
            offers: BTreeMap::new(),
            next_connection: 0,
            nonces: Nonces::new(wall_clock),
            news: BTreeMap::new(),
            rng: Rng::new(seed, "register jitter"),
            xtr_id,
            changes: Vec::new(),
        }
    }

    /// The time at which the next Map-Register is due.
    pub(super) fn next_register(&self) -> Option<Time> {
        self.due.next()
    }

    /// The prefixes that are registered with a map-server, or must be registered.
    fn prefixes_with(&self, server: IpAddr) -> Vec<(Peer, EidPrefix)> {
        let of_server = self.standings.iter().filter(|((_, at), _)| *at == server);
        of_server
            .flat_map(|(&peer, standings)| standings.keys().map(move |&prefix| (peer, prefix)))
            .collect()
    }

    /// Applies an event to one registration according to the table in `machine.rs`. Carries out the
    /// actions that concern the timer. Returns the action.
    fn step(
        &mut self,
        peer: Peer,
        prefix: EidPrefix,
        event: Event,
        why: RegisterReason,
        now: Time,
    ) -> Action {
        let period = self.rng.jittered(PERIOD, JITTER);
        let standings = self.standings.entry(peer).or_default();
        let before = standings.get(&prefix).copied();
        let (next, action) = transition(before.map(|standing| standing.state), event);
        let Some(state) = next else {
            if standings.remove(&prefix).is_some() {
                self.changes.push(changed(peer, prefix, RegistrationChange::Ended(why)));
            }
            self.due.set((peer, prefix), None);
            if standings.is_empty() {
                self.standings.remove(&peer);
            }
            return action;
        };
        let blank = RegistrationEntry {
            state,
            due_at: None,
            retry: FIRST_RETRY,
            nonce: None,
            had_bit: false,
            is_changed: false,
            why,
            unanswered: 0,
            acknowledged_at: None,
            is_lapsed: false,
        };
        let mut standing = RegistrationEntry { state, ..before.unwrap_or(blank) };
        match action {
            Action::StartTimerNow => {
                (standing.due_at, standing.retry) = (Some(now), FIRST_RETRY);
                (standing.is_changed, standing.why) = (true, why);
            }
            Action::StopTimer => standing.due_at = None,
            Action::StartTimer => {
                (standing.due_at, standing.retry) = (Some(now + period), FIRST_RETRY);
                (standing.unanswered, standing.is_changed, standing.why) = (0, true, why);
                standing.acknowledged_at = Some(now);
            }
            _ => {}
        }
        if event == Event::Ack {
            standing.acknowledged_at = Some(now);
        }
        let was_acknowledged = before.is_some_and(|before| before.is_acknowledged(now));
        let begun = before.is_none().then_some(RegistrationChange::Begun(why));
        let is_acknowledged = standing.is_acknowledged(now);
        standing.is_lapsed &= !is_acknowledged;
        let acknowledged = match (was_acknowledged, is_acknowledged) {
            (false, true) => Some(RegistrationChange::Acknowledged(acknowledgement(event))),
            (true, false) => Some(RegistrationChange::Pending(why)),
            _ => None,
        };
        let changes = begun.into_iter().chain(acknowledged);
        self.changes.extend(changes.map(|change| changed(peer, prefix, change)));
        standings.insert(prefix, standing);
        self.due.set((peer, prefix), standing.due_at);
        action
    }

    /// All registrations, by map-server and prefix.
    fn all(&self) -> Vec<(Peer, EidPrefix)> {
        let standings = self.standings.iter();
        standings
            .flat_map(|(&peer, standings)| standings.keys().map(move |&prefix| (peer, prefix)))
            .collect()
    }

    fn stands(&self, peer: Peer, prefix: EidPrefix) -> bool {
        self.standings.get(&peer).is_some_and(|standings| standings.contains_key(&prefix))
    }

    /// Removes the deadlines that have passed, and returns the registrations of these deadlines.
    /// The caller sets the next deadlines.
    fn take_due(&mut self, now: Time) -> BTreeMap<Peer, BTreeSet<EidPrefix>> {
        let mut due: BTreeMap<Peer, BTreeSet<EidPrefix>> = BTreeMap::new();
        while let Some((peer, prefix)) = self.due.pop(now) {
            due.entry(peer).or_default().insert(prefix);
        }
        due
    }

    /// Reports each prefix in `prefixes` whose last acknowledgement is too old.
    fn tell_lapsed(&mut self, peer: Peer, prefixes: &[EidPrefix], now: Time) {
        let Some(standings) = self.standings.get_mut(&peer) else { return };
        for prefix in prefixes {
            let Some(standing) = standings.get_mut(prefix) else { continue };
            let is_old = standing.acknowledged_at.is_some() && !standing.is_acknowledged(now);
            if is_old && !standing.is_lapsed {
                standing.is_lapsed = true;
                self.changes.push(changed(peer, *prefix, RegistrationChange::Lapsed));
            }
        }
    }

    /// Returns the reason for a Map-Register with these prefixes: the reason of the first prefix
    /// that has changed. If no prefix has changed, returns the reason of the first prefix.
    fn register_reason(&self, peer: Peer, prefixes: &[EidPrefix]) -> Option<MessageReason> {
        let standings = self.standings.get(&peer)?;
        let reason = |prefix: &EidPrefix| Some((*prefix, standings.get(prefix)?.reason()));
        let is_usual =
            |why| matches!(why, RegisterReason::Periodic | RegisterReason::Unanswered(_));
        let mut reasons = prefixes.iter().filter_map(reason);
        let first = reasons.next()?;
        let (prefix, cause) = match is_usual(first.1) {
            true => reasons.find(|(_, why)| !is_usual(*why)).unwrap_or(first),
            false => first,
        };
        Some(MessageReason::MapRegister { prefix, others: prefixes.len() - 1, cause })
    }

    /// Counts an unanswered Map-Register for each prefix in `prefixes` that is due again because
    /// its last Map-Register had no answer. Returns the largest number of successive unanswered
    /// Map-Registers for one prefix.
    fn count_unanswered(&mut self, peer: Peer, prefixes: &[EidPrefix]) -> u32 {
        let Some(standings) = self.standings.get_mut(&peer) else { return 0 };
        let mut most = 0;
        let mut had_bit = BTreeSet::new();
        for prefix in prefixes {
            let Some(standing) = standings.get_mut(prefix) else { continue };
            if standing.nonce.is_some() && !standing.is_changed {
                standing.unanswered = standing.unanswered.saturating_add(1);
                most = most.max(standing.unanswered);
                had_bit.insert(standing.had_bit);
            }
        }
        let offer = self.offers.entry(peer.1).or_default();
        had_bit.into_iter().for_each(|had_bit| offer.unanswered(had_bit));
        most
    }

    /// Whether the next Map-Register of a prefix offers reliable transport.
    fn offers_reliable_transport(&mut self, peer: Peer, prefix: EidPrefix, now: Time) -> bool {
        let standing = self.standings.get(&peer).and_then(|standings| standings.get(&prefix));
        let unanswered = standing.map_or(0, |standing| standing.unanswered);
        self.offers.entry(peer.1).or_default().is_made(unanswered, now)
    }

    /// Records that a Map-Register with these prefixes has been sent by UDP.
    fn sent(&mut self, peer: Peer, prefixes: &[EidPrefix], nonce: Nonce, had_bit: bool, now: Time) {
        let period = self.rng.jittered(PERIOD, JITTER);
        let Some(standings) = self.standings.get_mut(&peer) else { return };
        for prefix in prefixes {
            if let Some(standing) = standings.get_mut(prefix) {
                standing.due_at = Some(now + standing.retry.min(period));
                standing.retry = (standing.retry * 2).min(PERIOD);
                standing.nonce = Some(nonce);
                (standing.had_bit, standing.is_changed) = (had_bit, false);
                standing.why = RegisterReason::Periodic;
                self.due.set((peer, *prefix), standing.due_at);
            }
        }
    }

    /// Processes a Map-Notify. If the Map-Notify acknowledges an outstanding Map-Register, returns
    /// whether that Map-Register offered reliable transport.
    fn acknowledged(
        &mut self,
        server: IpAddr,
        nonce: Nonce,
        records: &[MappingRecord],
        now: Time,
    ) -> Option<bool> {
        let period = self.rng.jittered(PERIOD, JITTER);
        let mut answered = None;
        for (&peer, standings) in self.standings.iter_mut().filter(|((_, at), _)| *at == server) {
            for record in records {
                let Some(standing) = standings.get_mut(&record.eid_prefix) else { continue };
                if standing.nonce == Some(nonce) {
                    standing.nonce = None;
                    if !standing.is_acknowledged(now) {
                        let by = AcknowledgementReason::MapNotify;
                        let change = RegistrationChange::Acknowledged(by);
                        self.changes.push(changed(peer, record.eid_prefix, change));
                    }
                    (standing.acknowledged_at, standing.is_lapsed) = (Some(now), false);
                    standing.retry = FIRST_RETRY;
                    standing.unanswered = 0;
                    let compares = match answered {
                        Some(_) => false,
                        None => {
                            self.offers.entry(server).or_default().answered(standing.had_bit, now)
                        }
                    };
                    if compares {
                        standing.why = RegisterReason::OfferTested;
                    }
                    if standing.state == State::Periodic {
                        standing.due_at = Some(now + if compares { FIRST_RETRY } else { period });
                        self.due.set((peer, record.eid_prefix), standing.due_at);
                    }
                    answered = Some(standing.had_bit);
                    self.nonces.answered(server);
                }
            }
        }
        answered
    }

    /// Checks whether an authenticated Map-Notify is new, and stores its nonce. This Map-Notify
    /// acknowledges no Map-Register. A map-server repeats its notifications until they are
    /// acknowledged. Any observer can replay a notification about a host, even after the host has
    /// returned. So a repeated notification changes nothing (RFC 9301 section 5.7).
    fn is_news(&mut self, server: IpAddr, nonce: Nonce) -> bool {
        let heard = self.news.entry(server).or_default();
        if heard.contains(&nonce) {
            return false;
        }
        if heard.len() >= NEWS {
            heard.pop_front();
        }
        heard.push_back(nonce);
        true
    }

    /// Whether the registration of `prefix` is complete with all map-servers.
    pub(super) fn is_settled(&self, prefix: EidPrefix, now: Time) -> bool {
        let mut standings = self.standings.values().filter_map(|standings| standings.get(&prefix));
        standings.all(|standing| standing.is_settled(now))
    }

    /// Whether the router knows that every map-server has the registration of `prefix`.
    pub(super) fn is_acknowledged(&self, prefix: EidPrefix, now: Time) -> bool {
        let standings = self.standings.values().filter_map(|standings| standings.get(&prefix));
        standings.clone().count() > 0 && standings.clone().all(|each| each.is_acknowledged(now))
    }
}
