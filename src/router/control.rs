//! The dispatch of control messages: what came on port 4342, by type and by role.

use std::net::SocketAddr;

use super::Router;
use super::counters::ControlDrop;
use super::debug;
use super::io::{ControlDatagram, Output};
use crate::addr::{Family, Rloc};
use crate::time::Time;
use crate::wire::{CONTROL_PORT, Encapsulated, MapRequest, Message, ParseError, Problem};

impl Router {
    /// Takes in a control datagram. Whatever it holds, nothing worse happens than that it is counted.
    pub(super) fn handle_control(&mut self, datagram: &ControlDatagram<'_>, now: Time) {
        let ControlDatagram { source, destination, payload } = *datagram;
        if self.local.is_nobodys(Rloc(source.ip())) {
            return self.counters.ignored(ControlDrop::Malformed);
        }
        let message = match Message::parse(payload) {
            Ok(message) => message,
            Err(error) => return self.ignore_unparsed(source, &error),
        };
        log::debug!("{message} from {source}");
        if self.debugging {
            let interface = self.config.interface_of(destination).map(|name| name.to_string());
            let to = SocketAddr::new(destination, CONTROL_PORT);
            self.debug(debug::received(message.message_type(), interface, source, to));
        }
        match message {
            Message::MapRequest(request) => {
                self.handle_map_request(&request, source, Rloc(destination), now);
            }
            Message::MapReply(reply) => self.handle_map_reply(&reply, source, now),
            Message::MapRegister(register) if self.has_role(|roles| roles.map_server) => {
                self.handle_map_register(register, payload, source, destination, now);
            }
            Message::MapNotify(notify) if self.has_role(|roles| roles.etr) => {
                self.handle_map_notify(notify, payload, source, destination, now);
            }
            Message::Encapsulated(encapsulated) => {
                self.handle_encapsulated(&encapsulated, Rloc(destination), now);
            }
            Message::MapRegister(_) | Message::MapNotify(_) => {
                self.counters.ignored(ControlDrop::NotOurRole);
            }
            Message::MapNotifyAck(acknowledgement) => {
                self.handle_map_notify_ack(&acknowledgement, payload, source.ip());
            }
            Message::Info(_) => self.counters.ignored(ControlDrop::Unsupported),
        }
    }

    fn ignore_unparsed(&mut self, source: SocketAddr, error: &ParseError) {
        log::debug!("from {source}: {error}");
        self.counters.ignored(match error.problem {
            Problem::UnknownType { .. } => ControlDrop::Unsupported,
            _ => ControlDrop::Malformed,
        });
    }

    /// A Map-Request that came by itself: an SMR, a probe, or a plain question to an ETR.
    fn handle_map_request(&mut self, request: &MapRequest, from: SocketAddr, to: Rloc, now: Time) {
        if let Some(line) = debug::request_received(request) {
            self.debug(line);
        }
        if self.is_mapping_system() && (request.smr || request.probe) {
            return self.counters.ignored(ControlDrop::ProbeToMappingSystem);
        }
        if request.smr {
            return self.handle_smr(request, now);
        }
        match request.probe {
            true => self.counters.probes.received += 1,
            false => self.counters.map_requests.received += 1,
        }
        if request.do_not_reply {
            return;
        }
        if !self.has_role(|roles| roles.etr) {
            return self.counters.ignored(ControlDrop::NotOurRole);
        }
        self.answer_map_request(request, from, Some(to), now);
    }

    /// A Map-Request inside an Encapsulated Control Message: to the map-resolver of this router, or
    /// forwarded by a map-server to its ETR.
    fn handle_encapsulated(&mut self, encapsulated: &Encapsulated, to: Rloc, now: Time) {
        self.counters.encapsulated.received += 1;
        let request = match MapRequest::parse(&encapsulated.message) {
            Ok(request) => request,
            Err(error) => return self.ignore_unparsed(encapsulated.source, &error),
        };
        if request.probe || request.smr {
            return self.counters.ignored(ControlDrop::ProbeToMappingSystem);
        }
        match request.smr_invoked {
            true => self.counters.smr_invoked.received += 1,
            false => self.counters.map_requests.received += 1,
        }
        if let Some(line) = debug::request_received(&request) {
            self.debug(line);
        }
        let ours = request.records.first().is_some_and(|record| {
            let eid = record.eid_prefix.network();
            let roles = self.config.roles(eid.family());
            roles.etr && self.database.longest_match(eid).is_some()
        });
        if self.has_role(|roles| roles.map_resolver) && !ours {
            self.resolve_map_request(encapsulated, &request, to, now);
        } else if self.has_role(|roles| roles.etr) {
            self.answer_map_request(&request, encapsulated.source, Some(to), now);
        } else {
            self.counters.ignored(ControlDrop::NotOurRole);
        }
    }

    /// Whether the router only serves the mapping system, so that what is a matter between xTRs has no
    /// business here (RFC 9301 section 6.1).
    fn is_mapping_system(&self) -> bool {
        self.has_role(|roles| roles.map_server || roles.map_resolver)
            && !self.has_role(|roles| roles.itr || roles.etr || roles.proxy_itr || roles.proxy_etr)
    }

    fn has_role(&self, is: impl Fn(super::config::Roles) -> bool) -> bool {
        Family::BOTH.into_iter().any(|family| is(self.config.roles(family)))
    }

    /// Sends a message from one of the router's own RLOCs.
    pub(super) fn send_control(&mut self, from: SocketAddr, to: SocketAddr, message: &Message) {
        log::debug!("{message} to {to}");
        self.send_octets(from, to, message.emit());
    }

    /// Sends a message that has been emitted, for it is signed.
    pub(super) fn send_octets(&mut self, source: SocketAddr, to: SocketAddr, payload: Vec<u8>) {
        self.outputs.push_back(Output::Control { source, destination: to, payload });
    }
}
