//! Receives the control messages of port 4342, and gives each message to the role that handles it.

use std::net::{IpAddr, SocketAddr};

use super::Router;
use super::answers::Arrival;
use super::counters::ControlDrop;
use super::event::{MessageEvent, RequestSummary};
use super::explanations;
use super::io::{Connection, ControlDatagram, TcpEvent};
use super::reason::{Report, SessionReason};
use super::register::RegistrarEvent;
use super::replies::headers;
use super::session::Session;
use super::site_records::SiteRecords;
use crate::addr::{Family, Rloc};
use crate::time::Time;
use crate::wire::{
    CONTROL_PORT, Encapsulated, MapNotify, MapRegister, MapRequest, Message, ParseError, Problem,
};

impl Router {
    /// Handles a control datagram. A datagram with invalid contents is only counted and reported.
    pub(super) fn handle_control(&mut self, datagram: &ControlDatagram<'_>, now: Time) {
        let ControlDatagram { source, destination, payload } = *datagram;
        if self.context.local.is_no_router_address(Rloc(source.ip())) {
            return self.context.refuse(
                source.ip(),
                ControlDrop::Malformed,
                now,
                explanations::forged_source,
            );
        }
        let message = match Message::parse(payload) {
            Ok(message) => message,
            Err(error) => return self.refuse_unparsed(source.ip(), &error, now),
        };
        log::debug!("{message} from {source}");
        self.tell_left_out(source.ip(), &message, payload, now);
        if self.context.traces_messages() {
            let received = MessageEvent::Received {
                message_type: message.message_type().number(),
                interface: self.context.config.interface_of(destination),
                from: source,
                to: SocketAddr::new(destination, CONTROL_PORT),
            };
            self.context.trace(|| Some(received));
        }
        self.handle_message(message, datagram, now);
    }

    /// Gives a message to the role that handles it. The role depends on the type of the message and
    /// on the roles of this router.
    fn handle_message(&mut self, message: Message, datagram: &ControlDatagram<'_>, now: Time) {
        let ControlDatagram { source, destination, payload } = *datagram;
        let arrival = Arrival {
            sender: source.ip(),
            reply_port: source.port(),
            at: Rloc(destination),
            octets: headers(Family::of(destination)) + payload.len(),
        };
        match message {
            Message::MapRequest(request) => self.handle_map_request(&request, arrival, now),
            Message::MapReply(reply) => self.handle_map_reply(&reply, source, now),
            Message::MapRegister(register) if self.context.has_role(|roles| roles.map_server) => {
                self.map_server.handle_map_register(
                    &mut self.context,
                    &register,
                    payload,
                    (source, destination),
                    now,
                );
            }
            Message::MapNotify(notify) if self.context.has_role(|roles| roles.etr) => {
                let (context, ends) = (&mut self.context, (source, destination));
                let event = self.registrar.handle_map_notify(context, notify, payload, ends, now);
                event.into_iter().for_each(|event| self.handle_registrar(event, now));
            }
            Message::Encapsulated(encapsulated) => {
                self.handle_encapsulated(&encapsulated, arrival, now);
            }
            Message::MapRegister(MapRegister { records, .. }) => {
                let told = || explanations::no_map_server(&records);
                self.context.refuse(source.ip(), ControlDrop::NotOurRole, now, told);
            }
            Message::MapNotify(MapNotify { records, .. }) => {
                let told = || explanations::no_etr(&records);
                self.context.refuse(source.ip(), ControlDrop::NotOurRole, now, told);
            }
            Message::MapNotifyAck(acknowledgement) => {
                let (context, from) = (&mut self.context, source.ip());
                self.map_server.handle_map_notify_ack(
                    context,
                    &acknowledgement,
                    payload,
                    from,
                    now,
                );
            }
            Message::Info(_) => {
                let told = explanations::nat_traversal;
                self.context.refuse(source.ip(), ControlDrop::Unsupported, now, told);
            }
        }
    }

    /// Handles an event on TCP. If this router opened the session, the ETR handles the event. If
    /// this router accepted the session, the map-server handles the event.
    pub(super) fn handle_tcp(&mut self, event: TcpEvent<'_>, now: Time) {
        match event {
            TcpEvent::Accepted { connection, peer, local } => {
                let local = SocketAddr::new(local, CONTROL_PORT);
                let session = Session::new(connection, peer, local);
                self.map_server.accept_session(&mut self.context, session, now);
            }
            TcpEvent::Connected { connection, local } => {
                let Router { registrar, context, database, .. } = self;
                if registrar.session_connected(context, database, connection, local, now) {
                    self.forget_site_registrations();
                }
            }
            TcpEvent::Bytes(connection, octets) if connection.0 >= Connection::ACCEPTED => {
                self.map_server.session_octets(&mut self.context, connection, octets, now);
            }
            TcpEvent::Bytes(connection, octets) => {
                self.registrar.session_octets(connection, octets);
                self.handle_etr_session(connection, now);
            }
            TcpEvent::Closed(connection) if connection.0 >= Connection::ACCEPTED => {
                let reason = SessionReason::ConnectionEnded;
                self.map_server.session_closed(&mut self.context, connection, reason, now);
            }
            TcpEvent::Closed(connection) => {
                let Router { registrar, context, database, .. } = self;
                registrar.session_closed(context, database, connection, now);
            }
            TcpEvent::Refused(connection) => {
                let Router { registrar, context, database, .. } = self;
                registrar.session_refused(context, database, connection, now);
            }
        }
    }

    /// Handles the messages that were received on a session with a map-server.
    fn handle_etr_session(&mut self, connection: Connection, now: Time) {
        loop {
            let Router { registrar, context, database, .. } = self;
            let Some(event) = registrar.next_event(context, database, connection, now) else {
                return;
            };
            self.handle_registrar(event, now);
            // The router updates its tables after each message, before it handles the next message.
            // A Mapping Notification may say that a host has moved. If a Refresh follows, the
            // router must not register this host again.
            self.settle(now);
        }
    }

    /// Acts on an event of the registrar.
    fn handle_registrar(&mut self, event: RegistrarEvent, now: Time) {
        match event {
            RegistrarEvent::Acknowledged { server, prefixes, had_bit } => {
                for prefix in prefixes {
                    self.registration_settled(prefix, now);
                }
                let context = &mut self.context;
                self.registrar.follow_acknowledgement(context, server, had_bit, now);
            }
            RegistrarEvent::Answered(prefix) => self.registration_settled(prefix, now),
            RegistrarEvent::Elsewhere(record, by, server) => {
                self.mapping_elsewhere(&record, by, Report::MappingNotification(server), now);
            }
            RegistrarEvent::News(server, records) => {
                records.into_iter().for_each(|record| self.hear_news(record, server, now));
            }
        }
    }

    /// Reports the records that the parser left out of a message because their EIDs are not IP
    /// prefixes.
    fn tell_left_out(&mut self, source: IpAddr, message: &Message, octets: &[u8], now: Time) {
        let left_out = message.records_left_out(octets);
        let told = || explanations::not_an_ip_eid(message.message_type(), left_out);
        self.context.refuse_parts(source, (ControlDrop::NotAnIpEid, left_out), now, told);
    }

    fn refuse_unparsed(&mut self, source: IpAddr, error: &ParseError, now: Time) {
        let reason = match error.problem {
            Problem::UnknownType { .. } => ControlDrop::Unsupported,
            _ => ControlDrop::Malformed,
        };
        self.context.refuse(source, reason, now, || explanations::octets(error));
    }

    /// Handles a Map-Request that is not encapsulated: an SMR, a probe, or a plain request to an
    /// ETR.
    fn handle_map_request(&mut self, request: &MapRequest, arrival: Arrival, now: Time) {
        let sender = arrival.sender;
        self.debug_received(request);
        if self.is_mapping_system() && (request.smr || request.probe) {
            return self.refuse_at_mapping_system(sender, request, now);
        }
        if request.smr {
            let Router { resolver, context, map_cache, .. } = self;
            return resolver.handle_smr(context, map_cache, request, sender, now);
        }
        match request.probe {
            true => self.context.counters.probes.received += 1,
            false => self.context.took_request(now),
        }
        if request.do_not_reply {
            return;
        }
        if !self.context.has_role(|roles| roles.etr || roles.proxy_etr && request.probe) {
            return self.refuse_request(sender, request, now);
        }
        self.answer_map_request(request, arrival, now);
    }

    fn answer_map_request(&mut self, request: &MapRequest, arrival: Arrival, now: Time) {
        let Router { context, replies, database, away, .. } = self;
        replies.answer_map_request(context, SiteRecords { database, away }, request, arrival, now);
    }

    fn debug_received(&mut self, request: &MapRequest) {
        self.context.trace(|| RequestSummary::of(request).map(MessageEvent::RequestReceived));
    }

    fn refuse_request(&mut self, source: IpAddr, request: &MapRequest, now: Time) {
        let told = || explanations::nobody_asked(request);
        self.context.refuse(source, ControlDrop::NotOurRole, now, told);
    }

    fn refuse_at_mapping_system(&mut self, source: IpAddr, request: &MapRequest, now: Time) {
        let told = || explanations::at_mapping_system(request);
        self.context.refuse(source, ControlDrop::ProbeToMappingSystem, now, told);
    }

    /// Handles a Map-Request inside an Encapsulated Control Message. There are two cases: this
    /// router is a map-resolver and an ITR sent the message, or this router is an ETR and a
    /// map-server forwarded the message. A map-server that is not a map-resolver also answers (RFC
    /// 9301 section 8.3), because ETRs ask their map-server whether a notification is still true.
    fn handle_encapsulated(&mut self, encapsulated: &Encapsulated, arrival: Arrival, now: Time) {
        let source = arrival.sender;
        self.context.counters.encapsulated.received += 1;
        let message = match MapRequest::parse(&encapsulated.message) {
            Ok(request) => Message::MapRequest(request),
            Err(error) => return self.refuse_unparsed(source, &error, now),
        };
        self.tell_left_out(source, &message, &encapsulated.message, now);
        let Message::MapRequest(request) = message else { return };
        if request.probe || request.smr {
            return self.refuse_at_mapping_system(source, &request, now);
        }
        match request.smr_invoked {
            true => self.context.counters.smr_invoked.received += 1,
            false => self.context.took_request(now),
        }
        self.debug_received(&request);
        if self.own_request_came_back(&request, source, now) {
            return;
        }
        let arrival = Arrival { reply_port: encapsulated.source.port(), ..arrival };
        if self.context.has_role(|roles| roles.map_resolver || roles.map_server) {
            let Router { context, replies, map_server, database, away, .. } = self;
            let answering = (replies, SiteRecords { database, away });
            let asked = (encapsulated, &request);
            map_server.resolve_map_request(context, answering, asked, arrival, now);
        } else if self.context.has_role(|roles| roles.etr) {
            self.answer_map_request(&request, arrival, now);
        } else {
            self.refuse_request(source, &request, now);
        }
    }

    /// Whether the router is a map-server or map-resolver, and has no other role. An xTR must not
    /// send SMRs or probes to this kind of router (RFC 9301 section 6.1).
    fn is_mapping_system(&self) -> bool {
        self.context.has_role(|roles| roles.map_server || roles.map_resolver)
            && !self
                .context
                .has_role(|roles| roles.itr || roles.etr || roles.proxy_itr || roles.proxy_etr)
    }
}
