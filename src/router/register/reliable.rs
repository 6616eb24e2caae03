//! The ETR's side of reliable transport: it connects once a Map-Notify has shown that the map-server
//! knows it, waits for the Refresh that begins a session, and registers each prefix once.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::machine::Event;
use super::offer::{Offer, WITHHELD_FOR};
use super::{Peer, Registrar};
use crate::addr::{EidPrefix, Family, Rloc};
use crate::router::Router;
use crate::router::away::{Producer, Teller};
use crate::router::config::Config;
use crate::router::counters::ControlDrop;
use crate::router::event::{self, MapServerChange, RegistrationChange};
use crate::router::explanations;
use crate::router::io::{Connection, TcpRequest};
use crate::router::session::{Session, SessionState, SessionType, SessionView};
use crate::time::{Deadline, Time};
use crate::wire::{
    CONTROL_PORT, Key, MapRegister, MappingRecord, RegistrationRefresh, RegistrationReject,
    ReliableMessage, StreamError,
};

/// How long a connection may take to stand, and a map-server to send its first Refresh: one that
/// does neither is left for UDP.
const PATIENCE: Duration = Duration::from_secs(10);

/// A session with a map-server.
#[derive(Debug)]
pub(super) struct EtrSession {
    session: Session,
    /// When it is given up, until the first Refresh has come.
    patience_until: Option<Time>,
}

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

    pub(super) fn next_session_deadline(&self) -> Option<Deadline> {
        let at = self.sessions.values().filter_map(|each| each.patience_until).min()?;
        Some(Deadline { at, why: "reliable session without Refresh" })
    }

    fn server_of(&self, connection: Connection) -> Option<IpAddr> {
        let mut sessions = self.sessions.iter();
        sessions.find(|(_, each)| each.session.connection == connection).map(|(server, _)| *server)
    }
}

impl Router {
    /// Connects to a map-server that has just acknowledged a register by UDP, if there is no session:
    /// one try for each Map-Notify.
    pub(super) fn connect_session(&mut self, server: IpAddr, now: Time) {
        if self.registrar.sessions.contains_key(&server) {
            return;
        }
        let Some(source) = self.context.local.preferred(Rloc(server).family()) else { return };
        let connection = Connection(self.registrar.next_connection);
        self.registrar.next_connection += 1;
        let peer = SocketAddr::new(server, CONTROL_PORT);
        let mut session = Session::new(connection, peer, SocketAddr::new(source.0, 0));
        session.asked(now);
        let patience_until = Some(now + PATIENCE);
        self.registrar.sessions.insert(server, EtrSession { session, patience_until });
        self.context.tcp(TcpRequest::Connect { connection, source, destination: Rloc(server) });
    }

    pub(in crate::router) fn session_connected(
        &mut self,
        connection: Connection,
        local: SocketAddr,
        now: Time,
    ) {
        let Some(server) = self.registrar.server_of(connection) else { return };
        if let Some(each) = self.registrar.sessions.get_mut(&server) {
            each.session.up_since = Some(now);
            each.session.local = local;
            each.session.answered(now);
        }
        self.told_of(server, MapServerChange::SessionUp);
        // What others have registered inside our prefixes may have changed unheard; it is told again.
        let told = self.away.told().filter(|(_, each)| each.producer == Producer::SiteRegistration);
        let told: Vec<EidPrefix> = told.map(|(prefix, _)| prefix).collect();
        for prefix in told {
            self.away.remove(&prefix, Producer::SiteRegistration);
        }
        self.reconcile(now);
        self.all_registrations(server, Event::SessionUp, now);
    }

    pub(in crate::router) fn etr_session_closed(&mut self, connection: Connection, now: Time) {
        let Some(server) = self.registrar.server_of(connection) else { return };
        self.end_session(server, now);
    }

    /// A map-server has refused TCP.
    pub(in crate::router) fn etr_session_refused(&mut self, connection: Connection, now: Time) {
        let Some(server) = self.registrar.server_of(connection) else { return };
        if self.registrar.offers.entry(server).or_default().refused(now) {
            let again_in = WITHHELD_FOR.as_secs() / 60;
            self.told_of(server, MapServerChange::RefusesTcp { again_in });
        }
        self.end_session(server, now);
    }

    /// A map-server has answered a register that did not ask for a session.
    pub(super) fn tell_of_withheld_offer(&mut self, server: IpAddr, now: Time) {
        let withheld = Offer::Withheld { until: now + WITHHELD_FOR };
        if self.registrar.offers.get(&server) == Some(&withheld) {
            let again_in = WITHHELD_FOR.as_secs() / 60;
            self.told_of(server, MapServerChange::AnswersNoOffer { again_in });
        }
    }

    fn end_session(&mut self, server: IpAddr, now: Time) {
        let ended = self.registrar.sessions.remove(&server);
        if ended.is_some_and(|each| each.session.up_since.is_some()) {
            self.told_of(server, MapServerChange::SessionDown);
            self.all_registrations(server, Event::SessionDown, now);
        }
    }

    fn close_session(&mut self, server: IpAddr, now: Time) {
        if let Some(each) = self.registrar.sessions.get(&server) {
            self.context.tcp(TcpRequest::Close(each.session.connection));
        }
        self.end_session(server, now);
    }

    /// Closes every session: the router is about to stop, and a goodbye needs the routes that go next.
    pub(in crate::router) fn close_etr_sessions(&mut self, now: Time) {
        let servers: Vec<IpAddr> = self.registrar.sessions.keys().copied().collect();
        for server in servers {
            self.close_session(server, now);
        }
    }

    /// Gives up the sessions that no Refresh began.
    pub(super) fn end_silent_sessions(&mut self, now: Time) {
        let silent = |each: &EtrSession| each.patience_until.is_some_and(|at| at <= now);
        let sessions = self.registrar.sessions.iter();
        let silent: Vec<IpAddr> =
            sessions.filter(|(_, each)| silent(each)).map(|(server, _)| *server).collect();
        for server in silent {
            self.close_session(server, now);
        }
    }

    /// Closes the sessions with map-servers that nothing is registered with, or not by TCP.
    pub(super) fn end_unused_sessions(&mut self, now: Time) {
        let lisp = self.context.config.lisp.as_ref();
        let by_udp = lisp.is_none_or(|lisp| lisp.no_reliable_registration);
        let configured = |server: &IpAddr| {
            lisp.is_some_and(|lisp| {
                lisp.ipv4.etr_map_servers.contains_key(server)
                    || lisp.ipv6.etr_map_servers.contains_key(server)
            })
        };
        self.registrar.offers.retain(|server, _| configured(server));
        let sessions = self.registrar.sessions.keys().copied();
        let unused: Vec<IpAddr> = sessions.filter(|server| by_udp || !configured(server)).collect();
        for server in unused {
            self.close_session(server, now);
        }
    }

    /// A session is of the key that opened it: with another one, everything is registered anew by UDP,
    /// and what the map-server does not believe any more lapses there. Where reliable registration was
    /// turned on, a register that offers it goes at once.
    pub(in crate::router) fn renew_sessions(&mut self, before: &Config, now: Time) {
        let (old, new) = (etr_keys(before), etr_keys(&self.context.config));
        let is_off = |config: &Config| {
            config.lisp.as_ref().is_some_and(|lisp| lisp.no_reliable_registration)
        };
        let is_turned_on = is_off(before) && !is_off(&self.context.config);
        for ((_, server), _) in new.iter().filter(|(peer, key)| {
            let old = old.get(peer);
            old.is_some_and(|old| is_turned_on || old != *key)
        }) {
            self.close_session(*server, now);
            self.all_registrations(*server, Event::Changed, now);
        }
    }

    fn all_registrations(&mut self, server: IpAddr, event: Event, now: Time) {
        for (peer, prefix) in self.registrar.prefixes_with(server) {
            self.registration_event(peer, prefix, event, now);
        }
    }

    /// Sends one record as a Registration.
    pub(super) fn send_registration(&mut self, peer: Peer, record: MappingRecord, now: Time) {
        let (family, server) = peer;
        let register =
            MapRegister { want_map_notify: true, ..self.register(peer, vec![record], true) };
        let Some(key) = self.context.config.etr_map_servers(family).get(&server).map(|each| each.key.clone())
        else {
            return;
        };
        let Some(each) = self.registrar.sessions.get_mut(&server) else { return };
        log::debug!("{register} to {server} by reliable transport");
        each.session.asked(now);
        let output = each.session.send_registration(&register, &key);
        self.context.outputs.push_back(output);
    }

    pub(in crate::router) fn etr_octets(
        &mut self,
        connection: Connection,
        octets: &[u8],
        now: Time,
    ) {
        let Some(server) = self.registrar.server_of(connection) else { return };
        if let Some(each) = self.registrar.sessions.get_mut(&server) {
            each.session.push(octets);
        }
        while let Some(frame) =
            self.registrar.sessions.get_mut(&server).and_then(|each| each.session.next())
        {
            match frame {
                Ok(frame) => self.etr_message(server, frame.message, now),
                Err(error) => self.etr_bad_frame(server, &error, now),
            }
        }
    }

    fn etr_bad_frame(&mut self, server: IpAddr, error: &StreamError, now: Time) {
        self.context.refuse(server, ControlDrop::Malformed, now, || explanations::bad_frame(error));
        let notification = error.bad_frame().notification.clone();
        if let Some(each) = self.registrar.sessions.get_mut(&server)
            && let Some(notification) = notification
        {
            let output = each.session.send(ReliableMessage::ErrorNotification(notification));
            self.context.outputs.push_back(output);
        }
        if matches!(error, StreamError::Fatal(_)) {
            self.close_session(server, now);
        }
    }

    fn etr_message(&mut self, server: IpAddr, message: ReliableMessage, now: Time) {
        match message {
            ReliableMessage::RegistrationRefresh(refresh) => self.refresh(server, &refresh, now),
            ReliableMessage::RegistrationAck(prefix) => {
                self.registration_answer(server, prefix, Event::Ack, now);
            }
            ReliableMessage::RegistrationReject(reject) => {
                let RegistrationReject { eid_prefix, reason } = reject;
                let change = RegistrationChange::Rejected(reason.to_string());
                let map_server = server;
                self.context.tell(event::Event::Registration { eid_prefix, map_server, change });
                self.registration_answer(server, eid_prefix, Event::Reject, now);
            }
            ReliableMessage::MappingNotification(notification) => {
                if notification.xtr_identity.xtr_id != self.xtr_id {
                    let session = self.registrar.sessions.get(&server);
                    let Some(each) = session else { return };
                    let by = Teller::Session(each.session.connection);
                    self.mapping_elsewhere(&notification.record, by, now);
                }
            }
            ReliableMessage::ErrorNotification(error) => {
                self.context.tell(explanations::not_understood(server, &error));
            }
            ReliableMessage::Registration(_) => {
                let told = || explanations::wrong_way("Registration", "ETR");
                self.context.refuse(server, ControlDrop::NotOurRole, now, told);
            }
        }
    }

    fn registration_answer(&mut self, server: IpAddr, prefix: EidPrefix, event: Event, now: Time) {
        if let Some(each) = self.registrar.sessions.get_mut(&server) {
            each.session.answered(now);
        }
        self.registration_event((prefix.family(), server), prefix, event, now);
        self.registration_settled(prefix, now);
    }

    fn refresh(&mut self, server: IpAddr, refresh: &RegistrationRefresh, now: Time) {
        if let Some(each) = self.registrar.sessions.get_mut(&server) {
            each.patience_until = None;
            self.registrar.offers.insert(server, Offer::Kept);
        }
        let event = match refresh.rejected_only {
            true => Event::RefreshRejected,
            false => Event::Refresh,
        };
        for (peer, prefix) in self.registrar.prefixes_with(server) {
            if refresh.scope.includes(&prefix) {
                self.registration_event(peer, prefix, event, now);
            }
        }
    }

    /// The ETR's sessions, one a map-server.
    pub(in crate::router) fn registrar_sessions(&self) -> Vec<SessionView> {
        let lisp = self.context.config.lisp.iter();
        let servers: std::collections::BTreeSet<IpAddr> = lisp
            .flat_map(|lisp| {
                lisp.ipv4.etr_map_servers.keys().chain(lisp.ipv6.etr_map_servers.keys())
            })
            .copied()
            .collect();
        let view = |server: IpAddr| match self.registrar.sessions.get(&server) {
            Some(each) => each.session.view(self.registrar.users(server)),
            None => SessionView {
                peer: SocketAddr::new(server, CONTROL_PORT),
                local: None,
                kind: SessionType::Active,
                state: SessionState::Down,
                up_since: None,
                round_trip: None,
                messages: (0, 0),
                bytes: (0, 0),
                users: 0,
            },
        };
        servers.into_iter().map(view).collect()
    }
}

/// The keys of the map-servers that a configuration registers with.
fn etr_keys(config: &Config) -> BTreeMap<Peer, Key> {
    let families = Family::BOTH.into_iter().flat_map(|family| {
        let service = config.lisp.as_ref().map(|lisp| lisp.service(family));
        let servers = service.into_iter().flat_map(|service| &service.etr_map_servers);
        servers.map(move |(&server, each)| ((family, server), each.key.clone()))
    });
    families.collect()
}
