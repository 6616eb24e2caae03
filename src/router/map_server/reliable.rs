//! Reliable transport on the side of the map-server: the sessions that it accepts, and the messages
//! on these sessions.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::MapServer;
use super::receive::Refusal;
use super::replay::Freshness;
use super::sessions::{MsSession, SESSIONS};
use crate::addr::EidPrefix;
use crate::router::config::Config;
use crate::router::context::Context;
use crate::router::counters::ControlDrop;
use crate::router::event::Event;
use crate::router::explanations;
use crate::router::io::{Connection, TcpRequest};
use crate::router::reason::{MessageReason, RefreshReason, SessionReason};
use crate::router::session::Session;
use crate::time::Time;
use crate::wire::{
    MappingRecord, RefreshScope, Registration, RegistrationRefresh, RegistrationReject,
    RejectReason, ReliableMessage, StreamError,
};

/// The maximum number of rejected prefixes that are stored for each session.
const REJECTED: usize = 4096;

impl MapServer {
    /// Handles a new connection of a peer. The session is accepted if an authenticated Map-Register
    /// was recently received from the RLOC of the peer, and if the table of sessions is not full.
    /// Otherwise the session is closed before an octet is read.
    pub(in crate::router) fn accept_session(
        &mut self,
        context: &mut Context,
        mut session: Session,
        now: Time,
    ) {
        let sessions = &self.sessions;
        let rloc = session.peer.ip();
        let listens = context.config.listens_on_tcp();
        let is_admitted = sessions.is_admitted(rloc, now);
        if !listens || !is_admitted || sessions.by_connection.len() >= SESSIONS {
            let told = || explanations::uninvited_session(listens, is_admitted);
            let reason = match listens && is_admitted {
                true => ControlDrop::TableFull,
                false => ControlDrop::UnauthenticatedSession,
            };
            context.refuse(rloc, reason, now, told);
            return context.tcp(TcpRequest::Close(session.connection));
        }
        if let Some(before) = sessions.of_peer(rloc) {
            context.tcp(TcpRequest::Close(before));
            self.session_closed(context, before, SessionReason::Replaced, now);
            self.sessions.admit(rloc, now);
        }
        session.up_since = Some(now);
        session.asked(now);
        let connection = session.connection;
        let rejected = BTreeSet::new();
        let sessions = &mut self.sessions.by_connection;
        sessions.insert(connection, MsSession { session, rejected });
        let reason = SessionReason::Accepted;
        context.tell(Event::EtrSession { etr: rloc, is_up: true, reason });
        self.send_refresh(context, connection, RefreshReason::SessionUp);
    }

    /// Handles the end of a session. The RLOC of the peer must register by UDP before it may open
    /// another session.
    pub(in crate::router) fn session_closed(
        &mut self,
        context: &mut Context,
        connection: Connection,
        reason: SessionReason,
        now: Time,
    ) {
        let Some(each) = self.sessions.by_connection.remove(&connection) else { return };
        let etr = each.session.peer.ip();
        context.tell(Event::EtrSession { etr, is_up: false, reason });
        self.sessions.admitted.set(etr, None);
        self.session_fell(connection, now);
    }

    pub(super) fn send_on_session(
        &mut self,
        context: &mut Context,
        connection: Connection,
        message: ReliableMessage,
        reason: MessageReason,
    ) {
        let Some(each) = self.sessions.by_connection.get_mut(&connection) else {
            return;
        };
        let output = each.session.send(message, reason);
        context.outputs.push_back(output);
    }

    fn send_refresh(
        &mut self,
        context: &mut Context,
        connection: Connection,
        reason: RefreshReason,
    ) {
        let (scope, rejected_only) = match reason {
            RefreshReason::SessionUp => (RefreshScope::All, false),
            RefreshReason::SitesGrown => (RefreshScope::All, true),
            RefreshReason::SiteChanged(prefix) => (RefreshScope::CoveredBy(prefix), false),
        };
        let refresh = RegistrationRefresh { scope, rejected_only };
        let message = ReliableMessage::RegistrationRefresh(refresh);
        let reason = MessageReason::RegistrationRefresh(reason);
        self.send_on_session(context, connection, message, reason);
    }

    pub(in crate::router) fn session_octets(
        &mut self,
        context: &mut Context,
        connection: Connection,
        octets: &[u8],
        now: Time,
    ) {
        let sessions = &mut self.sessions.by_connection;
        let Some(each) = sessions.get_mut(&connection) else { return };
        each.session.push(octets);
        while let Some(each) = self.sessions.by_connection.get_mut(&connection)
            && let Some(frame) = each.session.next()
        {
            each.session.answered(now);
            let peer = each.session.peer;
            match frame.map(|frame| frame.message) {
                Ok(ReliableMessage::Registration(registration)) => {
                    self.registration_came(context, connection, &registration, peer, now);
                }
                Ok(ReliableMessage::ErrorNotification(error)) => {
                    context.tell(explanations::not_understood(peer.ip(), &error));
                }
                Ok(message) => {
                    let name = message.message_type().name();
                    let told = || explanations::wrong_way(name, "map-server");
                    context.refuse(peer.ip(), ControlDrop::NotOurRole, now, told);
                }
                Err(error) => self.bad_frame(context, connection, peer.ip(), &error, now),
            }
        }
    }

    fn bad_frame(
        &mut self,
        context: &mut Context,
        connection: Connection,
        peer: IpAddr,
        error: &StreamError,
        now: Time,
    ) {
        context.refuse(peer, ControlDrop::Malformed, now, || explanations::bad_frame(error));
        if let Some(notification) = error.bad_frame().notification.clone() {
            let message = ReliableMessage::ErrorNotification(notification);
            let reason = MessageReason::ErrorNotification { peer };
            self.send_on_session(context, connection, message, reason);
        }
        if matches!(error, StreamError::Fatal(_)) {
            context.tcp(TcpRequest::Close(connection));
            self.session_closed(context, connection, SessionReason::Unreadable, now);
        }
    }

    /// Handles a Registration like a Map-Register with one record, and always answers the
    /// Registration.
    fn registration_came(
        &mut self,
        context: &mut Context,
        connection: Connection,
        registration: &Registration,
        source: SocketAddr,
        now: Time,
    ) {
        let record = registration.record().clone();
        let eid_prefix = record.eid_prefix;
        let taken = self.take_registration(context, connection, registration, source, now);
        let (answer, reason) = match taken {
            Ok(()) => (
                ReliableMessage::RegistrationAck(eid_prefix),
                MessageReason::RegistrationAck(eid_prefix),
            ),
            Err(refusal) => {
                let Refusal { reason, drop, told } = refusal;
                context.refuse(source.ip(), drop, now, || told);
                let sessions = &mut self.sessions.by_connection;
                if let Some(each) = sessions.get_mut(&connection)
                    && each.rejected.len() < REJECTED
                {
                    each.rejected.insert(eid_prefix);
                }
                let reject = RegistrationReject { reason, eid_prefix };
                (
                    ReliableMessage::RegistrationReject(reject),
                    MessageReason::RegistrationReject { prefix: eid_prefix, fault: drop },
                )
            }
        };
        self.send_on_session(context, connection, answer, reason);
    }

    fn take_registration(
        &mut self,
        context: &mut Context,
        connection: Connection,
        registration: &Registration,
        source: SocketAddr,
        now: Time,
    ) -> Result<(), Refusal> {
        let register = registration.register();
        let record = registration.record();
        let authenticated =
            self.authenticate(context, register, registration.octets(), source.ip(), now)?;
        let xtr_id = authenticated.xtr_id;
        if authenticated.freshness == Freshness::Repeated {
            return self.take_repeated(record, xtr_id);
        }
        let by = (&authenticated, source, Some(connection));
        let is_news = !self.is_on_session(&record.eid_prefix, xtr_id, connection);
        match self.register_record(context, register, record, by, now) {
            Ok(()) => {
                let sessions = &mut self.sessions.by_connection;
                if let Some(each) = sessions.get_mut(&connection) {
                    each.rejected.remove(&record.eid_prefix);
                }
                if is_news && record.ttl_minutes > 0 {
                    self.tell_more_specifics(context, &record.eid_prefix, xtr_id, connection);
                }
                Ok(())
            }
            Err(not_taken) => {
                let site = self.configured_for(&record.eid_prefix);
                let site = site.map(|(_, site)| Arc::clone(site)).unwrap_or_default();
                let (drop, told) = not_taken.explain(record.eid_prefix, &site);
                Err(Refusal { reason: RejectReason::Other, drop, told })
            }
        }
    }

    /// Handles a repetition of the last Registration of an xTR. The repetition is acknowledged if
    /// it still agrees with the registrations of the map-server.
    fn take_repeated(&self, record: &MappingRecord, xtr_id: u128) -> Result<(), Refusal> {
        let prefix = record.eid_prefix;
        let registered = self.registration(&prefix, xtr_id).is_some();
        if registered == (record.ttl_minutes > 0) {
            return Ok(());
        }
        let site = self.configured_for(&prefix);
        let told = explanations::repetition_of_moved(prefix, site.map_or("", |(_, site)| site));
        Err(Refusal { reason: RejectReason::Other, drop: ControlDrop::Replay, told })
    }

    /// Closes the sessions with the peer `only`. If `only` is `None`, closes all sessions.
    pub(in crate::router) fn close_sessions(
        &mut self,
        context: &mut Context,
        only: Option<IpAddr>,
        reason: SessionReason,
        now: Time,
    ) {
        let sessions = self.sessions.by_connection.iter();
        let sessions =
            sessions.filter(|(_, each)| only.is_none_or(|only| only == each.session.peer.ip()));
        let all: Vec<Connection> = sessions.map(|(connection, _)| *connection).collect();
        for connection in all {
            context.tcp(TcpRequest::Close(connection));
            self.session_closed(context, connection, reason, now);
        }
    }

    /// Handles a change of the sites. If prefixes were added, the map-server asks the ETRs to
    /// register their rejected prefixes again. If a prefix was removed or has another key, the
    /// map-server asks the ETRs to register this prefix again. The map-server then acknowledges or
    /// rejects the new registration.
    pub(in crate::router) fn refresh_sessions(
        &mut self,
        context: &mut Context,
        before: &Config,
        only: Option<&BTreeSet<EidPrefix>>,
        now: Time,
    ) {
        if !context.config.listens_on_tcp() {
            return self.close_sessions(context, None, SessionReason::Deconfigured, now);
        }
        let (old, new) = (site_prefixes(before, only), site_prefixes(&context.config, only));
        let grown = new.keys().any(|prefix| !old.contains_key(prefix));
        let changed: Vec<EidPrefix> = old
            .iter()
            .filter(|(prefix, key)| new.get(prefix) != Some(key))
            .map(|(prefix, _)| *prefix)
            .collect();
        let sessions = self.sessions.by_connection.iter();
        let sessions: Vec<(Connection, bool)> =
            sessions.map(|(connection, each)| (*connection, !each.rejected.is_empty())).collect();
        for (connection, has_rejected) in sessions {
            if grown && has_rejected {
                self.send_refresh(context, connection, RefreshReason::SitesGrown);
            }
            for prefix in &changed {
                self.send_refresh(context, connection, RefreshReason::SiteChanged(*prefix));
            }
        }
    }
}

/// The configured EID prefixes, each with the key of its site: all prefixes, or only the prefixes
/// in `only`.
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
