//! Map-Notifies as an ETR takes them in (RFC 9301 section 5.7).

use std::net::{IpAddr, SocketAddr};

use super::{Registrar, RegistrarEvent};
use crate::addr::Family;
use crate::router::config::EtrMapServer;
use crate::router::context::Context;
use crate::router::counters::ControlDrop;
use crate::router::explanations;
use crate::time::Time;
use crate::wire::{self, CONTROL_PORT, MapNotify, MapNotifyAck};

impl Registrar {
    /// Takes in a Map-Notify: the acknowledgement of a register, or news that want one of their own
    /// (RFC 9301 section 5.7).
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
            return None;
        };
        context.counters.map_notifies.received += 1;
        let answered = self.acknowledged(server, notify.nonce, &notify.records, now);
        if let Some(had_bit) = answered {
            let prefixes = notify.records.iter().map(|record| record.eid_prefix).collect();
            return Some(RegistrarEvent::Acknowledged { server, prefixes, had_bit });
        }
        let (nonce, records) = (notify.nonce, notify.records.clone());
        // A map-server whose MAC ends at the last record checks ours to there: nothing may follow.
        let xtr_identity = notify.xtr_identity.filter(|_| covers_identity);
        let acknowledgement = MapNotifyAck(MapNotify { xtr_identity, ..notify });
        let acknowledgement = acknowledgement.emit_signed_as(key, form);
        context.counters.map_notify_acks.sent += 1;
        context.send_octets(SocketAddr::new(to, CONTROL_PORT), from, acknowledgement);
        self.is_news(server, nonce).then_some(RegistrarEvent::News(server, records))
    }

    /// A map-server has acknowledged a register by UDP, and the router has followed that: a session
    /// begins if the register offered one.
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
