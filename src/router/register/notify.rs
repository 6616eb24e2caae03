//! Map-Notifies as an ETR takes them in (RFC 9301 section 5.7).

use std::net::{IpAddr, SocketAddr};

use crate::addr::Family;
use crate::router::Router;
use crate::router::config::EtrMapServer;
use crate::router::counters::ControlDrop;
use crate::router::explanations;
use crate::time::Time;
use crate::wire::{self, CONTROL_PORT, MapNotify, MapNotifyAck};

impl Router {
    /// Takes in a Map-Notify: the acknowledgement of a register, or news that want one of their own
    /// (RFC 9301 section 5.7).
    pub(in crate::router) fn handle_map_notify(
        &mut self,
        notify: MapNotify,
        payload: &[u8],
        from: SocketAddr,
        to: IpAddr,
        now: Time,
    ) {
        let server = from.ip();
        let keys: Vec<EtrMapServer> = Family::BOTH
            .into_iter()
            .filter_map(|family| self.context.config.etr_map_servers(family).get(&server).cloned())
            .collect();
        let verified = keys.iter().find_map(|peer| {
            let verified = wire::verify(payload, &peer.key).ok()?;
            Some((&peer.key, verified.form, verified.covers_identity))
        });
        let Some((key, form, covers_identity)) = verified else {
            let told = || explanations::notify_of_wrong_key(&notify.records, !keys.is_empty());
            return self.context.refuse(server, ControlDrop::Authentication, now, told);
        };
        self.context.counters.map_notifies.received += 1;
        let answered = self.registrar.acknowledged(server, notify.nonce, &notify.records, now);
        if let Some(had_bit) = answered {
            for record in &notify.records {
                self.registration_settled(record.eid_prefix, now);
            }
            return match had_bit {
                true => self.connect_session(server, now),
                false => self.tell_of_withheld_offer(server, now),
            };
        }
        let (nonce, records) = (notify.nonce, notify.records.clone());
        // A map-server whose MAC ends at the last record checks ours to there: nothing may follow.
        let xtr_identity = notify.xtr_identity.filter(|_| covers_identity);
        let acknowledgement = MapNotifyAck(MapNotify { xtr_identity, ..notify });
        let acknowledgement = acknowledgement.emit_signed_as(key, form);
        self.context.counters.map_notify_acks.sent += 1;
        self.context.send_octets(SocketAddr::new(to, CONTROL_PORT), from, acknowledgement);
        if self.registrar.is_news(server, nonce) {
            records.into_iter().for_each(|record| self.hear_news(record, server, now));
        }
    }
}
