//! The ETR's side of reliable transport. After a Map-Notify has shown that the map-server knows the
//! ETR, the ETR connects, waits for the Refresh that begins a session, and registers each prefix
//! once.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::machine::Event;
use super::offer::{Offer, WITHHELD_FOR};
use super::session::EtrSession;
use super::{Peer, Registrar, RegistrarEvent};
use crate::addr::{EidPrefix, Family, Rloc};
use crate::router::away::Teller;
use crate::router::config::Config;
use crate::router::context::Context;
use crate::router::counters::ControlDrop;
use crate::router::database::Database;
use crate::router::event::{Event as ChangeEvent, MapServerChange, RegistrationChange};
use crate::router::explanations;
use crate::router::io::{Connection, TcpRequest};
use crate::router::reason::{MessageReason, RegisterReason, SessionReason};
use crate::router::session::{Session, SessionState, SessionType, SessionView};
use crate::time::Time;
use crate::wire::{
    CONTROL_PORT, Key, MapRegister, MappingRecord, RegistrationRefresh, RegistrationReject,
    ReliableMessage, StreamError,
};

/// The maximum time to establish a connection, and the maximum time until the map-server sends its
/// first Refresh. After this time, the router closes the session and uses UDP.
const PATIENCE: Duration = Duration::from_secs(10);

impl Registrar {
    pub(super) fn is_up(&self, server: IpAddr) -> bool {
        let session = self.sessions.get(&server);
        session.is_some_and(|each| each.session.up_since.is_some())
    }

    /// Whether the session on a connection is up.
    pub(in crate::router) fn is_session_up(&self, connection: Connection) -> bool {
        let mut sessions = self.sessions.values().map(|each| &each.session);
        sessions.any(|each| each.connection == connection && each.up_since.is_some())
    }

    /// The next time at which a session is closed because no Refresh has arrived.
    pub(in crate::router) fn next_end_of_session(&self) -> Option<Time> {
        self.sessions.values().filter_map(|each| each.patience_until).min()
    }

    fn server_of(&self, connection: Connection) -> Option<IpAddr> {
        let mut sessions = self.sessions.iter();
        sessions.find(|(_, each)| each.session.connection == connection).map(|(server, _)| *server)
    }
}

impl Registrar {
    /// Connects to a map-server that has just acknowledged a Map-Register by UDP, if there is no
    /// session. There is one try for each Map-Notify.
    pub(super) fn connect_session(&mut self, context: &mut Context, server: IpAddr, now: Time) {
        if self.sessions.contains_key(&server) {
            return;
        }
        let Some(source) = context.local.preferred(Rloc(server).family()) else { return };
        let connection = Connection(self.next_connection);
        self.next_connection += 1;
        let peer = SocketAddr::new(server, CONTROL_PORT);
        let mut session = Session::new(connection, peer, SocketAddr::new(source.0, 0));
        session.asked(now);
        let patience_until = Some(now + PATIENCE);
        self.sessions.insert(server, EtrSession { session, patience_until });
        context.tcp(TcpRequest::Connect { connection, source, destination: Rloc(server) });
    }

    /// Handles a connection that is established. Returns false if the registrar has not opened this
    /// connection.
    pub(in crate::router) fn session_connected(
        &mut self,
        context: &mut Context,
        database: &Database,
        connection: Connection,
        local: SocketAddr,
        now: Time,
    ) -> bool {
        let Some(server) = self.server_of(connection) else { return false };
        if let Some(each) = self.sessions.get_mut(&server) {
            each.session.up_since = Some(now);
            each.session.local = local;
            each.session.answered(now);
        }
        context.tell(ChangeEvent::MapServer {
            map_server: server,
            change: MapServerChange::SessionUp(SessionReason::Connected),
        });
        let event = (Event::SessionUp, RegisterReason::SessionUp);
        self.all_registrations(context, database, server, event, now);
        true
    }

    pub(in crate::router) fn session_closed(
        &mut self,
        context: &mut Context,
        database: &Database,
        connection: Connection,
        now: Time,
    ) {
        let Some(server) = self.server_of(connection) else { return };
        self.end_session(context, database, server, SessionReason::ConnectionEnded, now);
    }

    /// Handles a map-server that has refused TCP.
    pub(in crate::router) fn session_refused(
        &mut self,
        context: &mut Context,
        database: &Database,
        connection: Connection,
        now: Time,
    ) {
        let Some(server) = self.server_of(connection) else { return };
        if self.offers.entry(server).or_default().refused(now) {
            let again_in = WITHHELD_FOR.as_secs() / 60;
            context.tell(ChangeEvent::MapServer {
                map_server: server,
                change: MapServerChange::RefusesTcp { again_in },
            });
        }
        self.end_session(context, database, server, SessionReason::ConnectionEnded, now);
    }

    /// Handles the answer to a Map-Register that did not ask for a session. If the router stops
    /// asking for sessions because of this answer, tells the operator.
    pub(super) fn tell_of_withheld_offer(
        &mut self,
        context: &mut Context,
        server: IpAddr,
        now: Time,
    ) {
        let withheld = Offer::Withheld { until: now + WITHHELD_FOR };
        if self.offers.get(&server) == Some(&withheld) {
            let again_in = WITHHELD_FOR.as_secs() / 60;
            context.tell(ChangeEvent::MapServer {
                map_server: server,
                change: MapServerChange::AnswersNoOffer { again_in },
            });
        }
    }

    fn end_session(
        &mut self,
        context: &mut Context,
        database: &Database,
        server: IpAddr,
        reason: SessionReason,
        now: Time,
    ) {
        let ended = self.sessions.remove(&server);
        if ended.is_some_and(|each| each.session.up_since.is_some()) {
            context.tell(ChangeEvent::MapServer {
                map_server: server,
                change: MapServerChange::SessionDown(reason),
            });
            let event = (Event::SessionDown, RegisterReason::SessionDown);
            self.all_registrations(context, database, server, event, now);
        }
    }

    fn close_session(
        &mut self,
        context: &mut Context,
        database: &Database,
        server: IpAddr,
        reason: SessionReason,
        now: Time,
    ) {
        if let Some(each) = self.sessions.get(&server) {
            context.tcp(TcpRequest::Close(each.session.connection));
        }
        self.end_session(context, database, server, reason, now);
    }

    /// Closes the session with the map-server `only`. If `only` is `None`, closes all sessions. A
    /// router that stops calls this function before it removes its routes, because the messages
    /// that close a session need routes.
    pub(in crate::router) fn close_sessions(
        &mut self,
        context: &mut Context,
        database: &Database,
        only: Option<IpAddr>,
        reason: SessionReason,
        now: Time,
    ) {
        let is_wanted = |server: &IpAddr| only.is_none_or(|only| only == *server);
        let servers: Vec<IpAddr> = self.sessions.keys().copied().filter(is_wanted).collect();
        for server in servers {
            self.close_session(context, database, server, reason, now);
        }
    }

    /// Closes each session that has not received its first Refresh in time.
    pub(in crate::router) fn end_silent_sessions(
        &mut self,
        context: &mut Context,
        database: &Database,
        now: Time,
    ) {
        let silent = |each: &EtrSession| each.patience_until.is_some_and(|at| at <= now);
        let sessions = self.sessions.iter();
        let silent: Vec<IpAddr> =
            sessions.filter(|(_, each)| silent(each)).map(|(server, _)| *server).collect();
        for server in silent {
            self.close_session(context, database, server, SessionReason::NoRefresh, now);
        }
    }

    /// Closes each session with a map-server that is not configured any more. If reliable
    /// registration is turned off, closes all sessions.
    pub(super) fn end_unused_sessions(
        &mut self,
        context: &mut Context,
        database: &Database,
        now: Time,
    ) {
        let lisp = context.config.lisp.as_ref();
        let by_udp = lisp.is_none_or(|lisp| lisp.no_reliable_registration);
        let configured = |server: &IpAddr| {
            lisp.is_some_and(|lisp| {
                lisp.ipv4.etr_map_servers.contains_key(server)
                    || lisp.ipv6.etr_map_servers.contains_key(server)
            })
        };
        self.offers.retain(|server, _| configured(server));
        let sessions = self.sessions.keys().copied();
        let unused: Vec<IpAddr> = sessions.filter(|server| by_udp || !configured(server)).collect();
        for server in unused {
            self.close_session(context, database, server, SessionReason::Deconfigured, now);
        }
    }

    /// Handles a change of the keys or of reliable registration. A session depends on the key that
    /// opened it. If the key of a map-server changed, the router registers all prefixes again by
    /// UDP. The map-server then rejects the registrations that it does not accept any more. If
    /// reliable registration was turned on, the router immediately sends a Map-Register that offers
    /// reliable transport.
    pub(in crate::router) fn renew_sessions(
        &mut self,
        context: &mut Context,
        database: &Database,
        before: &Config,
        now: Time,
    ) {
        let (old, new) = (etr_keys(before), etr_keys(&context.config));
        let is_off = |config: &Config| {
            config.lisp.as_ref().is_some_and(|lisp| lisp.no_reliable_registration)
        };
        let is_turned_on = is_off(before) && !is_off(&context.config);
        for ((_, server), _) in new.iter().filter(|(peer, key)| {
            let old = old.get(peer);
            old.is_some_and(|old| is_turned_on || old != *key)
        }) {
            self.close_session(context, database, *server, SessionReason::KeyChanged, now);
            let event = (Event::Changed, RegisterReason::KeyChanged);
            self.all_registrations(context, database, *server, event, now);
        }
    }

    fn all_registrations(
        &mut self,
        context: &mut Context,
        database: &Database,
        server: IpAddr,
        event: (Event, RegisterReason),
        now: Time,
    ) {
        for of_server in self.prefixes_with(server) {
            self.registration_event(context, database, of_server, event, now);
        }
    }

    /// Sends one record as a Registration on the session.
    pub(super) fn send_registration(
        &mut self,
        context: &mut Context,
        peer: Peer,
        record: MappingRecord,
        cause: RegisterReason,
        now: Time,
    ) {
        let (family, server) = peer;
        let prefix = record.eid_prefix;
        let register = MapRegister {
            want_map_notify: true,
            ..self.register(&context.config, peer, vec![record], true)
        };
        let Some(key) =
            context.config.etr_map_servers(family).get(&server).map(|each| each.key.clone())
        else {
            return;
        };
        let Some(each) = self.sessions.get_mut(&server) else { return };
        log::debug!("{register} to {server} by reliable transport");
        each.session.asked(now);
        let reason = MessageReason::MapRegister { prefix, others: 0, cause };
        let output = each.session.send_registration(&register, &key, reason);
        context.outputs.push_back(output);
    }

    /// Stores octets that have arrived on a session. [`Registrar::next_event`] reads these octets.
    pub(in crate::router) fn session_octets(&mut self, connection: Connection, octets: &[u8]) {
        let each = self.sessions.values_mut().find(|each| each.session.connection == connection);
        if let Some(each) = each {
            each.session.push(octets);
        }
    }

    /// Processes the messages that have arrived on a session. Stops after the first message to
    /// which the router has to react, and returns the event of this message.
    pub(in crate::router) fn next_event(
        &mut self,
        context: &mut Context,
        database: &Database,
        connection: Connection,
        now: Time,
    ) -> Option<RegistrarEvent> {
        loop {
            let server = self.server_of(connection)?;
            let event = match self.sessions.get_mut(&server)?.session.next()? {
                Ok(frame) => self.message((context, database), server, frame.message, now),
                Err(error) => {
                    self.bad_frame(context, database, server, &error, now);
                    None
                }
            };
            if event.is_some() {
                return event;
            }
        }
    }

    fn bad_frame(
        &mut self,
        context: &mut Context,
        database: &Database,
        server: IpAddr,
        error: &StreamError,
        now: Time,
    ) {
        context.refuse(server, ControlDrop::Malformed, now, || explanations::bad_frame(error));
        let notification = error.bad_frame().notification.clone();
        if let Some(each) = self.sessions.get_mut(&server)
            && let Some(notification) = notification
        {
            let message = ReliableMessage::ErrorNotification(notification);
            let reason = MessageReason::ErrorNotification { peer: server };
            let output = each.session.send(message, reason);
            context.outputs.push_back(output);
        }
        if matches!(error, StreamError::Fatal(_)) {
            self.close_session(context, database, server, SessionReason::Unreadable, now);
        }
    }

    fn message(
        &mut self,
        (context, database): (&mut Context, &Database),
        server: IpAddr,
        message: ReliableMessage,
        now: Time,
    ) -> Option<RegistrarEvent> {
        match message {
            ReliableMessage::RegistrationRefresh(refresh) => {
                self.refresh(context, database, server, &refresh, now);
            }
            ReliableMessage::RegistrationAck(prefix) => {
                let event = (Event::Ack, RegisterReason::LateAck);
                self.registration_answer(context, database, (server, prefix), event, now);
                return Some(RegistrarEvent::Answered(prefix));
            }
            ReliableMessage::RegistrationReject(RegistrationReject { eid_prefix, reason }) => {
                let change = RegistrationChange::Rejected(reason.to_string());
                let map_server = server;
                context.tell(ChangeEvent::Registration { eid_prefix, map_server, change });
                let about = (server, eid_prefix);
                let event = (Event::Reject, RegisterReason::Rejected);
                self.registration_answer(context, database, about, event, now);
                return Some(RegistrarEvent::Answered(eid_prefix));
            }
            ReliableMessage::MappingNotification(notification)
                if notification.xtr_identity.xtr_id != self.xtr_id =>
            {
                let session = &self.sessions.get(&server)?.session;
                let by = Teller::Session(session.connection);
                return Some(RegistrarEvent::Elsewhere(notification.record, by, server));
            }
            ReliableMessage::MappingNotification(_) => {}
            ReliableMessage::ErrorNotification(error) => {
                context.tell(explanations::not_understood(server, &error));
            }
            ReliableMessage::Registration(_) => {
                let told = || explanations::wrong_way("Registration", "ETR");
                context.refuse(server, ControlDrop::NotOurRole, now, told);
            }
        }
        None
    }

    fn registration_answer(
        &mut self,
        context: &mut Context,
        database: &Database,
        (server, prefix): (IpAddr, EidPrefix),
        event: (Event, RegisterReason),
        now: Time,
    ) {
        if let Some(each) = self.sessions.get_mut(&server) {
            each.session.answered(now);
        }
        let peer = (prefix.family(), server);
        self.registration_event(context, database, (peer, prefix), event, now);
    }

    fn refresh(
        &mut self,
        context: &mut Context,
        database: &Database,
        server: IpAddr,
        refresh: &RegistrationRefresh,
        now: Time,
    ) {
        if let Some(each) = self.sessions.get_mut(&server) {
            each.patience_until = None;
            self.offers.insert(server, Offer::Kept);
        }
        let event = match refresh.rejected_only {
            true => (Event::RefreshRejected, RegisterReason::RefreshRejected),
            false => (Event::Refresh, RegisterReason::Refresh),
        };
        for (peer, prefix) in self.prefixes_with(server) {
            if refresh.scope.includes(&prefix) {
                self.registration_event(context, database, (peer, prefix), event, now);
            }
        }
    }

    /// The sessions of the ETR, one for each configured map-server.
    pub(in crate::router) fn session_views(&self, config: &Config) -> Vec<SessionView> {
        let lisp = config.lisp.iter();
        let servers: std::collections::BTreeSet<IpAddr> = lisp
            .flat_map(|lisp| {
                lisp.ipv4.etr_map_servers.keys().chain(lisp.ipv6.etr_map_servers.keys())
            })
            .copied()
            .collect();
        let view = |server: IpAddr| match self.sessions.get(&server) {
            Some(each) => each.session.view(),
            None => SessionView {
                connection: None,
                peer: SocketAddr::new(server, CONTROL_PORT),
                local: None,
                kind: SessionType::Active,
                state: SessionState::Down,
                up_since: None,
                round_trip: None,
                messages: (0, 0),
                bytes: (0, 0),
                users: Vec::new(),
            },
        };
        servers.into_iter().map(view).collect()
    }
}

/// Returns the keys of the map-servers at which the ETR of a configuration registers.
fn etr_keys(config: &Config) -> BTreeMap<Peer, Key> {
    let families = Family::BOTH.into_iter().flat_map(|family| {
        let service = config.lisp.as_ref().map(|lisp| lisp.service(family));
        let servers = service.into_iter().flat_map(|service| &service.etr_map_servers);
        servers.map(move |(&server, each)| ((family, server), each.key.clone()))
    });
    families.collect()
}
