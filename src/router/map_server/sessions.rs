//! The map-server's side of reliable transport: the xTRs that it accepts a session from, and the messages
//! on it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::MapServer;
use super::receive::Refusal;
use super::replay::Freshness;
use crate::addr::EidPrefix;
use crate::router::Router;
use crate::router::config::Config;
use crate::router::counters::ControlDrop;
use crate::router::deadlines::Deadlines;
use crate::router::event::Event;
use crate::router::explanations;
use crate::router::io::{Connection, TcpRequest};
use crate::router::register::LIFETIME;
use crate::router::session::{Session, SessionView};
use crate::time::Time;
use crate::wire::{
    MappingRecord, RefreshScope, Registration, RegistrationRefresh, RegistrationReject,
    RejectReason, ReliableMessage, StreamError,
};

/// Sessions at one time.
const SESSIONS: usize = 4096;
/// Rejected prefixes that are remembered for each session.
const REJECTED: usize = 4096;

/// A session with an ETR.
#[derive(Debug)]
struct MsSession {
    session: Session,
    /// The prefixes that were rejected on it: asked for again when the configuration grows.
    rejected: BTreeSet<EidPrefix>,
}

/// The sessions of a map-server.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_connection: BTreeMap<Connection, MsSession>,
    /// The RLOCs that registered by UDP and asked for a session, and until when that holds.
    admitted: Deadlines<IpAddr>,
    /// How many registrations each session has, for a `show`.
    users: BTreeMap<Connection, usize>,
    /// The sessions that have fallen and may still have registrations.
    fallen: BTreeMap<Connection, Fallen>,
    /// The number of the slot where the search for those goes on.
    cursor: usize,
}

/// A session that has fallen. The table of entries is looked through in a circle, some of it each turn,
/// for all sessions that have fallen together.
#[derive(Debug)]
struct Fallen {
    at: Time,
    /// Where the search stood when it fell, and how often it has come to the end since.
    from: usize,
    rounds: u32,
}

/// Entries that are looked at in one turn when sessions have fallen.
const LOOKS: usize = 4096;

impl Sessions {
    /// An authenticated register came from this RLOC: it may open a session.
    pub(super) fn admit(&mut self, rloc: IpAddr, now: Time) {
        while self.admitted.pop(now).is_some() {}
        if self.admitted.len() < SESSIONS {
            self.admitted.set(rloc, Some(now + LIFETIME));
        }
    }

    /// A registration came to a session.
    pub(super) fn joined(&mut self, session: Option<Connection>) {
        if let Some(connection) = session {
            *self.users.entry(connection).or_default() += 1;
        }
    }

    /// A registration has left its session.
    pub(super) fn left(&mut self, session: Option<Connection>) {
        let users = session.and_then(|connection| self.users.get_mut(&connection));
        if let Some(users) = users {
            *users -= 1;
        }
        if let Some(connection) = session
            && self.users.get(&connection) == Some(&0)
        {
            self.users.remove(&connection);
        }
    }

    /// When entries are to be looked at for sessions that have fallen: at once.
    pub(super) fn next_look(&self) -> Option<Time> {
        self.fallen.values().map(|fallen| fallen.at).min()
    }

    fn is_admitted(&self, rloc: IpAddr, now: Time) -> bool {
        self.admitted.get(&rloc).is_some_and(|until| until > now)
    }

    fn of_peer(&self, rloc: IpAddr) -> Option<Connection> {
        let mut sessions = self.by_connection.iter();
        sessions.find(|(_, each)| each.session.peer.ip() == rloc).map(|(connection, _)| *connection)
    }
}

impl MapServer {
    /// The sessions that stand, for a `show`.
    pub(in crate::router) fn session_views(&self) -> Vec<SessionView> {
        let users = |connection| self.sessions.users.get(connection).copied().unwrap_or_default();
        let sessions = self.sessions.by_connection.iter();
        sessions.map(|(connection, each)| each.session.view(users(connection))).collect()
    }

    /// The TCP port of the ETR at the other end of a session.
    pub fn session_port(&self, connection: Connection) -> Option<u16> {
        let each = self.sessions.by_connection.get(&connection)?;
        Some(each.session.peer.port())
    }

    /// Whether an xTR has a prefix registered by this session.
    fn is_on_session(&self, prefix: &EidPrefix, xtr_id: u128, connection: Connection) -> bool {
        let registration = self.registration(prefix, xtr_id);
        registration.is_some_and(|registration| registration.session == Some(connection))
    }

    /// Counts the registrations of each session anew.
    pub(super) fn count_users(&mut self) {
        self.sessions.users.clear();
        for registration in self.entries.iter().flat_map(|(_, entry)| entry.registrations.iter()) {
            self.sessions.joined(registration.session);
        }
    }

    /// A session has fallen: its registrations are like those that came by UDP, and lapse unless they are
    /// renewed. Those among the next entries are found at once, the others by [`MapServer::orphan_some`].
    fn session_fell(&mut self, connection: Connection, now: Time) {
        if self.sessions.users.contains_key(&connection) {
            let fallen = Fallen { at: now, from: self.sessions.cursor, rounds: 0 };
            self.sessions.fallen.insert(connection, fallen);
            self.orphan_some();
        }
    }

    /// Looks at some entries for registrations of sessions that have fallen.
    pub(in crate::router) fn orphan_some(&mut self) {
        let sessions = &mut self.sessions;
        if sessions.fallen.is_empty() {
            return;
        }
        let (entries, next) = self.entries.some_mut(sessions.cursor, LOOKS);
        for (prefix, entry) in entries {
            for registration in entry.registrations.iter_mut() {
                let fallen = registration.session.and_then(|session| sessions.fallen.get(&session));
                let Some(&Fallen { at, .. }) = fallen else { continue };
                sessions.left(registration.session.take());
                registration.last_registered_at = at;
                registration.lifetime = LIFETIME;
                self.expiries.insert((at + LIFETIME, prefix, registration.xtr_id));
            }
        }
        sessions.cursor = next.unwrap_or_default();
        for fallen in sessions.fallen.values_mut() {
            fallen.rounds += u32::from(next.is_none());
        }
        let Sessions { fallen, users, cursor, .. } = sessions;
        fallen.retain(|connection, fallen| {
            let is_seen = fallen.rounds > 1 || fallen.rounds == 1 && *cursor >= fallen.from;
            !is_seen && users.contains_key(connection)
        });
    }
}

impl Router {
    /// A peer connected: taken if an authenticated register came from its RLOC of late, else closed
    /// before an octet is read.
    pub(in crate::router) fn accept_session(&mut self, mut session: Session, now: Time) {
        let sessions = &self.map_server.sessions;
        let rloc = session.peer.ip();
        let listens = self.context.config.listens_on_tcp();
        let is_admitted = sessions.is_admitted(rloc, now);
        if !listens || !is_admitted || sessions.by_connection.len() >= SESSIONS {
            let told = || explanations::uninvited_session(listens, is_admitted);
            self.context.refuse(rloc, ControlDrop::UnauthenticatedSession, now, told);
            return self.context.tcp(TcpRequest::Close(session.connection));
        }
        if let Some(before) = sessions.of_peer(rloc) {
            self.context.tcp(TcpRequest::Close(before));
            self.map_server_session_closed(before, now);
            self.map_server.sessions.admit(rloc, now);
        }
        session.up_since = Some(now);
        session.asked(now);
        let connection = session.connection;
        let rejected = BTreeSet::new();
        let sessions = &mut self.map_server.sessions.by_connection;
        sessions.insert(connection, MsSession { session, rejected });
        self.context.tell(Event::EtrSession { etr: rloc, is_up: true });
        self.send_refresh(connection, RefreshScope::All, false);
    }

    /// A session has fallen; its RLOC has to register by UDP before it may open another.
    pub(in crate::router) fn map_server_session_closed(
        &mut self,
        connection: Connection,
        now: Time,
    ) {
        let Some(each) = self.map_server.sessions.by_connection.remove(&connection) else { return };
        let etr = each.session.peer.ip();
        self.context.tell(Event::EtrSession { etr, is_up: false });
        self.map_server.sessions.admitted.set(etr, None);
        self.map_server.session_fell(connection, now);
    }

    pub(super) fn send_on_session(&mut self, connection: Connection, message: ReliableMessage) {
        let Some(each) = self.map_server.sessions.by_connection.get_mut(&connection) else {
            return;
        };
        let output = each.session.send(message);
        self.context.outputs.push_back(output);
    }

    fn send_refresh(&mut self, connection: Connection, scope: RefreshScope, rejected_only: bool) {
        let refresh = RegistrationRefresh { scope, rejected_only };
        self.send_on_session(connection, ReliableMessage::RegistrationRefresh(refresh));
    }

    pub(in crate::router) fn map_server_octets(
        &mut self,
        connection: Connection,
        octets: &[u8],
        now: Time,
    ) {
        let sessions = &mut self.map_server.sessions.by_connection;
        let Some(each) = sessions.get_mut(&connection) else { return };
        each.session.push(octets);
        while let Some(each) = self.map_server.sessions.by_connection.get_mut(&connection)
            && let Some(frame) = each.session.next()
        {
            each.session.answered(now);
            let peer = each.session.peer;
            match frame.map(|frame| frame.message) {
                Ok(ReliableMessage::Registration(registration)) => {
                    self.registration(connection, &registration, peer.ip(), now);
                }
                Ok(ReliableMessage::ErrorNotification(error)) => {
                    self.context.tell(explanations::not_understood(peer.ip(), &error));
                }
                Ok(message) => {
                    let name = message.message_type().name();
                    let told = || explanations::wrong_way(name, "map-server");
                    self.context.refuse(peer.ip(), ControlDrop::NotOurRole, now, told);
                }
                Err(error) => self.map_server_bad_frame(connection, peer.ip(), &error, now),
            }
        }
    }

    fn map_server_bad_frame(
        &mut self,
        connection: Connection,
        peer: IpAddr,
        error: &StreamError,
        now: Time,
    ) {
        self.context.refuse(peer, ControlDrop::Malformed, now, || explanations::bad_frame(error));
        if let Some(notification) = error.bad_frame().notification.clone() {
            self.send_on_session(connection, ReliableMessage::ErrorNotification(notification));
        }
        if matches!(error, StreamError::Fatal(_)) {
            self.context.tcp(TcpRequest::Close(connection));
            self.map_server_session_closed(connection, now);
        }
    }

    /// A Registration: the same as a Map-Register with one record, and always answered.
    fn registration(
        &mut self,
        connection: Connection,
        registration: &Registration,
        source: IpAddr,
        now: Time,
    ) {
        let record = registration.record().clone();
        let eid_prefix = record.eid_prefix;
        let answer = match self.take_registration(connection, registration, source, now) {
            Ok(()) => ReliableMessage::RegistrationAck(eid_prefix),
            Err(refusal) => {
                let Refusal { reason, drop, told } = refusal;
                self.context.refuse(source, drop, now, || told);
                let sessions = &mut self.map_server.sessions.by_connection;
                if let Some(each) = sessions.get_mut(&connection)
                    && each.rejected.len() < REJECTED
                {
                    each.rejected.insert(eid_prefix);
                }
                ReliableMessage::RegistrationReject(RegistrationReject { reason, eid_prefix })
            }
        };
        self.send_on_session(connection, answer);
    }

    fn take_registration(
        &mut self,
        connection: Connection,
        registration: &Registration,
        source: IpAddr,
        now: Time,
    ) -> Result<(), Refusal> {
        let register = registration.register();
        let record = registration.record();
        let authenticated = self.authenticate(register, registration.octets(), source, now)?;
        let xtr_id = authenticated.xtr_id;
        if authenticated.freshness == Freshness::Repeated {
            return self.take_repeated(record, xtr_id);
        }
        let by = (&authenticated, source, Some(connection));
        let is_news = !self.map_server.is_on_session(&record.eid_prefix, xtr_id, connection);
        match self.register_record(register, record, by, now) {
            Ok(()) => {
                let sessions = &mut self.map_server.sessions.by_connection;
                if let Some(each) = sessions.get_mut(&connection) {
                    each.rejected.remove(&record.eid_prefix);
                }
                if is_news && record.ttl_minutes > 0 {
                    self.tell_more_specifics(&record.eid_prefix, xtr_id, connection);
                }
                Ok(())
            }
            Err(not_taken) => {
                let site = self.map_server.configured_for(&record.eid_prefix);
                let site = site.map(|(_, site)| Arc::clone(site)).unwrap_or_default();
                let (drop, told) = not_taken.explain(record.eid_prefix, &site);
                Err(Refusal { reason: RejectReason::Other, drop, told })
            }
        }
    }

    /// Handles the last Registration of an xTR once more: it is acknowledged if it is still true.
    fn take_repeated(&self, record: &MappingRecord, xtr_id: u128) -> Result<(), Refusal> {
        let prefix = record.eid_prefix;
        let registered = self.map_server.registration(&prefix, xtr_id).is_some();
        if registered == (record.ttl_minutes > 0) {
            return Ok(());
        }
        let site = self.map_server.configured_for(&prefix);
        let told = explanations::repetition_of_moved(prefix, site.map_or("", |(_, site)| site));
        Err(Refusal { reason: RejectReason::Other, drop: ControlDrop::Replay, told })
    }

    /// Closes every session.
    pub(in crate::router) fn close_map_server_sessions(&mut self, now: Time) {
        let sessions = self.map_server.sessions.by_connection.keys();
        let all: Vec<Connection> = sessions.copied().collect();
        for connection in all {
            self.context.tcp(TcpRequest::Close(connection));
            self.map_server_session_closed(connection, now);
        }
    }

    /// The sites changed: rejected prefixes may come again, and a prefix that lost its place or has another
    /// key is asked for, to be acknowledged or rejected.
    pub(in crate::router) fn refresh_sessions(
        &mut self,
        before: &Config,
        only: Option<&BTreeSet<EidPrefix>>,
        now: Time,
    ) {
        if !self.context.config.listens_on_tcp() {
            return self.close_map_server_sessions(now);
        }
        let (old, new) = (site_prefixes(before, only), site_prefixes(&self.context.config, only));
        let grown = new.keys().any(|prefix| !old.contains_key(prefix));
        let changed: Vec<EidPrefix> = old
            .iter()
            .filter(|(prefix, key)| new.get(prefix) != Some(key))
            .map(|(prefix, _)| *prefix)
            .collect();
        let sessions = self.map_server.sessions.by_connection.iter();
        let sessions: Vec<(Connection, bool)> =
            sessions.map(|(connection, each)| (*connection, !each.rejected.is_empty())).collect();
        for (connection, has_rejected) in sessions {
            if grown && has_rejected {
                self.send_refresh(connection, RefreshScope::All, true);
            }
            for prefix in &changed {
                self.send_refresh(connection, RefreshScope::CoveredBy(*prefix), false);
            }
        }
    }
}

/// The configured EID prefixes and the keys of their sites: all, or of these alone.
fn site_prefixes<'a>(
    config: &'a Config,
    only: Option<&BTreeSet<EidPrefix>>,
) -> BTreeMap<EidPrefix, Option<&'a [u8]>> {
    let sites = config.lisp.iter().flat_map(|lisp| lisp.sites.values());
    let mut prefixes = BTreeMap::new();
    for site in sites {
        let key = site.key.as_ref().map(|key| key.secret.as_slice());
        match only {
            None => prefixes.extend(site.eid_prefixes.keys().map(|prefix| (*prefix, key))),
            Some(only) => {
                let of_site = only.iter().filter(|prefix| site.eid_prefixes.contains_key(prefix));
                prefixes.extend(of_site.map(|prefix| (*prefix, key)));
            }
        }
    }
    prefixes.retain(|prefix, _| config.roles(prefix.family()).map_server);
    prefixes
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::super::fixture::{map_server, prefix, registration};
    use super::super::{MapServer, Others};
    use super::*;

    const ONE: Connection = Connection(1);
    const OTHER: Connection = Connection(2);

    fn host(number: u32) -> EidPrefix {
        prefix(&format!("{}/32", Ipv4Addr::from_bits(0x0a00_0000 + number)))
    }

    fn register(server: &mut MapServer, number: u32, xtr_id: u128, session: Option<Connection>) {
        let registration = registration(host(number), "203.0.113.11", xtr_id, 1440);
        let registration = super::super::Registration { session, ..registration };
        assert!(server.register(registration, Others::GiveWay, Time::ZERO).is_ok());
    }

    fn on_session(server: &MapServer, session: Connection) -> usize {
        let registrations = server.entries.iter().flat_map(|(_, entry)| entry.registrations.iter());
        registrations.filter(|each| each.session == Some(session)).count()
    }

    #[test]
    fn the_users_of_a_session_are_the_registrations_that_it_has() {
        let mut server = map_server(&[prefix("10.0.0.0/8")]);
        for step in 0..3000_u32 {
            let (number, xtr_id) = (step * 7919 % 50, u128::from(step % 3));
            let session = [None, Some(ONE), Some(OTHER)][step as usize * 31 % 7 % 3];
            match step % 4 {
                0 => server.withdraw(&host(number), xtr_id, Time::ZERO),
                _ => register(&mut server, number, xtr_id, session),
            }
            for session in [ONE, OTHER] {
                let users = server.sessions.users.get(&session).copied().unwrap_or_default();
                assert_eq!(users, on_session(&server, session), "{step}");
            }
        }
        server.session_fell(ONE, Time::ZERO);
        assert_eq!(on_session(&server, ONE), 0);
        assert!(server.sessions.fallen.is_empty() && !server.sessions.users.contains_key(&ONE));
    }

    #[test]
    fn the_end_of_a_large_session_takes_many_turns_and_finds_all_of_it() {
        const COUNT: u32 = 4 * LOOKS as u32;
        let mut server = map_server(&[prefix("10.0.0.0/8")]);
        for number in 0..COUNT {
            register(&mut server, number, 1, Some([ONE, OTHER][number as usize % 2]));
        }
        server.session_fell(ONE, Time(5));
        assert!(on_session(&server, ONE) >= COUNT as usize / 2 - LOOKS, "no more in one turn");
        assert_eq!(server.sessions.next_look(), Some(Time(5)));
        server.session_fell(OTHER, Time(7));
        // Meanwhile the table becomes much smaller.
        for number in COUNT / 8..COUNT {
            server.withdraw(&host(number), 1, Time(7));
        }
        let turns = (0..20).take_while(|_| {
            server.orphan_some();
            server.sessions.next_look().is_some()
        });
        assert!(turns.count() < 8);
        assert_eq!((on_session(&server, ONE), on_session(&server, OTHER)), (0, 0));
        assert_eq!(server.expiries.len() as u32, COUNT / 8);
        assert!(server.sessions.users.is_empty());
    }
}
