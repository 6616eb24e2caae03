//! Processes the Map-Notifies that an ETR receives (RFC 9301 section 5.7).

use std::net::{IpAddr, SocketAddr};

use super::{Registrar, RegistrarEvent};
use crate::addr::Family;
use crate::router::config::EtrMapServer;
use crate::router::context::Context;
use crate::router::counters::ControlDrop;
use crate::router::explanations;
use crate::router::reason::MessageReason;
use crate::time::Time;
use crate::wire::{self, CONTROL_PORT, MapNotify, MapNotifyAck};

impl Registrar {
    /// Processes a Map-Notify. It either acknowledges a Map-Register, or is a notification that
    /// needs a Map-Notify-Ack (RFC 9301 section 5.7).
    pub(in crate::router) fn handle_map_notify(
        &mut self,
        context: &mut Context,
        notify: MapNotify,
        payload: &[u8],
        (from, to): (SocketAddr, IpAddr),
        now: Time,
    ) -> Option<RegistrarEvent> {
        let server = from.ip();
        let keys: Vec<EtrMapServer> = Family::BOTH
            .into_iter()
            .filter_map(|family| context.config.etr_map_servers(family).get(&server).cloned())
            .collect();
        let verified = keys.iter().find_map(|peer| {
            let verified = wire::verify(payload, &peer.key).ok()?;
            Some((&peer.key, verified.form, verified.covers_identity))
        });
        let Some((key, form, covers_identity)) = verified else {
            let told = || explanations::notify_of_wrong_key(&notify.records, !keys.is_empty());
            context.refuse(server, ControlDrop::Authentication, now, told);
            context.counters.map_notify_authentication += 1;
            return None;
        };
        context.counters.map_notifies.received += 1;
        let answered = self.acknowledged(server, notify.nonce, &notify.records, now);
        if let Some(had_bit) = answered {
            let prefixes = notify.records.iter().map(|record| record.eid_prefix).collect();
            return Some(RegistrarEvent::Acknowledged { server, prefixes, had_bit });
        }
        let (nonce, records) = (notify.nonce, notify.records.clone());
        // Some map-servers check a MAC only up to the last record. For these map-servers, nothing
        // may follow the records in our message.
        let xtr_identity = notify.xtr_identity.filter(|_| covers_identity);
        let acknowledgement = MapNotifyAck(MapNotify { xtr_identity, ..notify });
        let acknowledgement = acknowledgement.emit_signed_as(key, form);
        context.counters.map_notify_acks.sent += 1;
        let ends = (SocketAddr::new(to, CONTROL_PORT), from);
        context.send_octets(ends, acknowledgement, MessageReason::MapNotifyAck { server });
        self.is_news(server, nonce).then_some(RegistrarEvent::News(server, records))
    }

    /// Continues after the router has processed the acknowledgement of a Map-Register by UDP. If
    /// the Map-Register offered a session, starts the session.
    pub(in crate::router) fn follow_acknowledgement(
        &mut self,
        context: &mut Context,
        server: IpAddr,
        had_bit: bool,
        now: Time,
    ) {
        match had_bit {
            true => self.connect_session(context, server, now),
            false => self.tell_of_withheld_offer(context, server, now),
        }
    }
}
