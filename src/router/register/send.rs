//! Sends the Map-Registers of an ETR. These messages register prefixes and withdraw prefixes.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::machine::{Action, Event};
use super::wanted::registers;
use super::{Peer, Registrar};
use crate::addr::{EidPrefix, Family, Rloc};
use crate::router::config::Config;
use crate::router::context::Context;
use crate::router::database::{Changes, Database};
use crate::router::event::{Event as ChangeEvent, MapServerChange};
use crate::router::reason::{MessageReason, RegisterReason};
use crate::router::site_records;
use crate::time::Time;
use crate::wire::{CONTROL_PORT, MapRegister, MappingRecord, Nonce, XtrIdentity};

/// The maximum number of octets of records in one Map-Register. A packet has at most 576 octets.
/// The other octets are needed for the IPv4 and UDP headers, the fixed part with the longest
/// authentication data in use, the xTR-ID and the Site-ID.
const RECORDS_LEN: usize = 576 - 20 - 8 - (16 + 20) - 24;

impl Registrar {
    /// Updates the registrations of the prefixes in `changes.judged`. Withdraws a prefix that is
    /// not configured any more or has no route. Registers a new prefix.
    pub(in crate::router) fn reconcile(
        &mut self,
        context: &mut Context,
        database: &Database,
        changes: &Changes,
        now: Time,
    ) {
        let prefixes = &changes.judged;
        let configured = Family::BOTH.into_iter().flat_map(|family| {
            context.config.etr_map_servers(family).keys().map(move |&server| (family, server))
        });
        let configured: BTreeSet<Peer> = configured.collect();
        let standing = self.standings.keys().copied().collect();
        let (mut created, mut deleted) = (Vec::new(), Vec::new());
        for &peer in configured.union(&standing) {
            for &prefix in prefixes.iter().filter(|prefix| prefix.family() == peer.0) {
                let entry = database.get(&prefix).filter(|_| configured.contains(&peer));
                let wanted = entry.is_some_and(|entry| registers(&context.config, prefix, entry));
                match (self.stands(peer, prefix), wanted) {
                    (false, true) => created.push((peer, prefix)),
                    (true, false) => {
                        let change = changes.reasons.get(&prefix).copied();
                        let why = change.map(RegisterReason::Withdrawn);
                        deleted.push((peer, prefix, why.unwrap_or(RegisterReason::Deconfigured)));
                    }
                    _ => {}
                }
            }
        }
        self.withdraw(context, database, &deleted, now);
        for (peer, prefix) in created {
            let session_up = self.is_up(peer.1);
            let change = changes.reasons.get(&prefix).copied();
            let why = change.map(RegisterReason::MappingChanged);
            let why = why.unwrap_or(RegisterReason::Configured);
            let event = Event::Created { session_up };
            self.registration_event(context, database, (peer, prefix), (event, why), now);
        }
        self.end_unused_sessions(context, database, now);
    }

    /// Registers a prefix again with all its map-servers, for the reason `why`.
    pub(in crate::router) fn renew(
        &mut self,
        context: &mut Context,
        database: &Database,
        prefix: EidPrefix,
        why: RegisterReason,
        now: Time,
    ) {
        let peers: Vec<Peer> = self.standings.keys().copied().collect();
        for peer in peers {
            let event = (Event::Changed, why);
            self.registration_event(context, database, (peer, prefix), event, now);
        }
    }

    /// Withdraws all registrations, because the router is about to stop.
    pub(in crate::router) fn withdraw_all(
        &mut self,
        context: &mut Context,
        database: &Database,
        now: Time,
    ) {
        let why = RegisterReason::Stopping;
        let all = self.all().into_iter().map(|(peer, prefix)| (peer, prefix, why));
        let all: Vec<_> = all.collect();
        self.withdraw(context, database, &all, now);
    }

    /// Applies an event to a registration according to the table in `machine.rs`, and sends the
    /// resulting messages on TCP.
    pub(super) fn registration_event(
        &mut self,
        context: &mut Context,
        database: &Database,
        (peer, prefix): (Peer, EidPrefix),
        (event, why): (Event, RegisterReason),
        now: Time,
    ) {
        if self.step(peer, prefix, event, why, now) == Action::SendRegistration
            && let Some(entry) = database.get(&prefix)
        {
            let record = site_records::record(&context.config, prefix, entry);
            self.send_registration(context, peer, record, why, now);
        }
    }

    /// Deletes registrations. By UDP, the router sends a Map-Register with a TTL of zero. This
    /// Map-Register requests no Map-Notify and is not repeated. If the Map-Register is lost, the
    /// map-server's own timer ends the registration.
    fn withdraw(
        &mut self,
        context: &mut Context,
        database: &Database,
        deleted: &[(Peer, EidPrefix, RegisterReason)],
        now: Time,
    ) {
        let mut by_udp: BTreeMap<Peer, Vec<MappingRecord>> = BTreeMap::new();
        for &(peer, prefix, why) in deleted {
            let record =
                MappingRecord { ttl_minutes: 0, ..last_record(&context.config, database, prefix) };
            match self.step(peer, prefix, Event::Deleted, why, now) {
                Action::WithdrawByTcp => self.send_registration(context, peer, record, why, now),
                Action::WithdrawByUdp => by_udp.entry(peer).or_default().push(record),
                _ => {}
            }
        }
        for (peer, records) in by_udp {
            for records in chunks(records) {
                let (prefix, others) = (records[0].eid_prefix, records.len() - 1);
                let has_bit = self.offers_session(context, peer, prefix, now);
                let register = self.register(&context.config, peer, records, has_bit);
                let of_first = deleted.iter().find(|each| (each.0, each.1) == (peer, prefix));
                let Some(&(.., cause)) = of_first else { continue };
                let reason = MessageReason::MapRegister { prefix, others, cause };
                self.send_register(context, peer, register, reason);
            }
        }
    }

    /// Sends each due Map-Register by UDP.
    pub(in crate::router) fn register_due(
        &mut self,
        context: &mut Context,
        database: &Database,
        now: Time,
    ) {
        for (peer, prefixes) in self.take_due(now) {
            let sends = |registrar: &mut Self, prefix: &EidPrefix| {
                let why = RegisterReason::Periodic;
                registrar.step(peer, *prefix, Event::Timer, why, now) == Action::SendMapRegister
            };
            let due: Vec<EidPrefix> =
                prefixes.into_iter().filter(|prefix| sends(self, prefix)).collect();
            self.tell_lapsed(peer, &due, now);
            let unanswered = self.count_unanswered(peer, &due);
            self.registers_unanswered(context, peer.1, unanswered, now);
            let (with_bit, without): (Vec<EidPrefix>, Vec<EidPrefix>) = due
                .into_iter()
                .partition(|prefix| self.offers_session(context, peer, *prefix, now));
            for (has_bit, prefixes) in [(true, with_bit), (false, without)] {
                let records = prefixes
                    .into_iter()
                    .map(|prefix| last_record(&context.config, database, prefix));
                for records in chunks(records.collect()) {
                    let prefixes: Vec<_> = records.iter().map(|record| record.eid_prefix).collect();
                    let register = MapRegister {
                        want_map_notify: true,
                        ..self.register(&context.config, peer, records, has_bit)
                    };
                    let Some(reason) = self.register_reason(peer, &prefixes) else { continue };
                    let nonce = self.send_register(context, peer, register, reason);
                    self.sent(peer, &prefixes, nonce, has_bit, now);
                }
            }
        }
    }

    /// Whether the next Map-Register by UDP for a prefix offers reliable transport.
    fn offers_session(
        &mut self,
        context: &mut Context,
        peer: Peer,
        prefix: EidPrefix,
        now: Time,
    ) -> bool {
        let lisp = context.config.lisp.as_ref();
        lisp.is_some_and(|lisp| !lisp.no_reliable_registration)
            && self.offers_reliable_transport(peer, prefix, now)
    }

    fn send_register(
        &mut self,
        context: &mut Context,
        peer: Peer,
        register: MapRegister,
        reason: MessageReason,
    ) -> Nonce {
        let nonce = register.nonce;
        let (family, server) = peer;
        let key =
            context.config.etr_map_servers(family).get(&server).map(|server| server.key.clone());
        // A map-server that was removed from the configuration has no key any more, so no message
        // is sent to this map-server. The map-server's own timer ends the registrations.
        let Some(key) = key else { return nonce };
        let Some(source) = context.local.preferred(Rloc(server).family()) else {
            context.tell(ChangeEvent::MapServer {
                map_server: server,
                change: MapServerChange::NoLocator,
            });
            return nonce;
        };
        context.counters.map_registers.sent += 1;
        let from = SocketAddr::new(source.0, CONTROL_PORT);
        let to = SocketAddr::new(server, CONTROL_PORT);
        log::debug!("{register} to {to}");
        context.send_octets((from, to), register.emit_signed(&key), reason);
        nonce
    }

    /// Returns a Map-Register with the next nonce, for UDP or for a Registration. The Map-Register
    /// requests no Map-Notify.
    pub(super) fn register(
        &mut self,
        config: &Config,
        (family, server): Peer,
        records: Vec<MappingRecord>,
        reliable_transport: bool,
    ) -> MapRegister {
        let configured = config.etr_map_servers(family).get(&server);
        let proxy_reply = configured.is_some_and(|server| server.proxy_reply);
        MapRegister {
            proxy_reply,
            reliable_transport,
            nonce: self.nonces.next(),
            records,
            xtr_identity: Some(XtrIdentity { xtr_id: self.xtr_id, site_id: 0 }),
            ..MapRegister::default()
        }
    }
}

/// Returns the record of a prefix. If the prefix is not in the database any more, the record has no
/// locators.
fn last_record(config: &Config, database: &Database, prefix: EidPrefix) -> MappingRecord {
    match database.get(&prefix) {
        Some(entry) => site_records::record(config, prefix, entry),
        None => MappingRecord::of_site(prefix, 0, Vec::new()),
    }
}

/// Divides records into as few messages as possible. A message has at most [`RECORDS_LEN`] octets
/// of records. A longer record gets a message of its own.
fn chunks(records: Vec<MappingRecord>) -> Vec<Vec<MappingRecord>> {
    let mut chunks: Vec<Vec<MappingRecord>> = Vec::new();
    let mut room = 0;
    for record in records {
        let len = record.emitted_len();
        match chunks.last_mut() {
            Some(chunk) if len <= room && chunk.len() < usize::from(u8::MAX) => {
                room -= len;
                chunk.push(record);
            }
            _ => {
                room = RECORDS_LEN.saturating_sub(len);
                chunks.push(vec![record]);
            }
        }
    }
    chunks
}
