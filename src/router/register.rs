//! The ETR's registrations with its map-servers (RFC 9301 sections 5.6, 5.7 and 8.2).
//!
//! Every prefix with a route is registered with every map-server of its family once a minute, and
//! again after one second, two, four ... until a Map-Notify says that it arrived: a lab is up when
//! the last of them has. Prefixes that are due together share a message as long as it fits the
//! smallest MTU that every path has.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::config::EtrMapServer;
use super::counters::ControlDrop;
use super::{RegistrationStatus, Router};
use crate::addr::{EidPrefix, Family, Rloc};
use crate::rng::{Rng, Seed};
use crate::time::{Deadline, Time};
use crate::wire::{
    self, CONTROL_PORT, MapNotify, MapNotifyAck, MapRegister, MappingRecord, Nonce, XtrIdentity,
};

/// Time between registers of a prefix (RFC 9301 section 5.6).
const PERIOD: Duration = Duration::from_secs(60);
/// The part of the period that is random, so that the routers of a lab do not speak at once.
const JITTER: f64 = 0.1;
/// Time to the first repetition while no Map-Notify has come; doubles up to [`PERIOD`].
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// How long a map-server keeps a registration (RFC 9301 section 8.2).
pub const LIFETIME: Duration = Duration::from_secs(180);
/// Octets of records in one register: what a packet of 576 octets holds beside IPv4 and UDP
/// headers, the fixed part with the longest authentication data in use, xTR-ID and Site-ID.
const RECORDS_LEN: usize = 576 - 20 - 8 - (16 + 20) - 24;

/// A map-server, for the EIDs of one family.
type Peer = (Family, IpAddr);

/// How the registration of one prefix with one map-server stands.
#[derive(Clone, Copy, Debug)]
struct Standing {
    /// When the next register is due.
    due_at: Time,
    /// The wait after it, while none is acknowledged.
    retry: Duration,
    /// The nonce of the last register, until its Map-Notify comes.
    nonce: Option<Nonce>,
    /// When the last Map-Notify came.
    acknowledged_at: Option<Time>,
}

/// The registrations of an ETR.
#[derive(Debug)]
pub(super) struct Registrar {
    standings: BTreeMap<Peer, BTreeMap<EidPrefix, Standing>>,
    last_nonce: u64,
    rng: Rng,
}

impl Registrar {
    /// Nonces begin at `wall_clock`, microseconds: above those of the router's last run.
    pub(super) fn new(seed: &Seed, wall_clock: u64) -> Self {
        Registrar {
            standings: BTreeMap::new(),
            last_nonce: wall_clock,
            rng: Rng::new(seed, "register jitter"),
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Deadline> {
        let due = self.standings.values().flat_map(BTreeMap::values).map(|each| each.due_at);
        due.min().map(|at| Deadline { at, why: "map-register" })
    }

    fn next_nonce(&mut self) -> Nonce {
        self.last_nonce += 1;
        Nonce(self.last_nonce)
    }

    /// Makes the set of registrations that of `wanted`; returns what is to be withdrawn.
    fn reconcile(
        &mut self,
        wanted: &BTreeMap<Peer, BTreeSet<EidPrefix>>,
        now: Time,
    ) -> Vec<(Peer, EidPrefix)> {
        let mut withdrawn = Vec::new();
        for (&peer, standings) in &mut self.standings {
            let keep = wanted.get(&peer);
            standings.retain(|&prefix, _| {
                let stays = keep.is_some_and(|prefixes| prefixes.contains(&prefix));
                if !stays {
                    withdrawn.push((peer, prefix));
                }
                stays
            });
        }
        for (&peer, prefixes) in wanted {
            let standings = self.standings.entry(peer).or_default();
            for &prefix in prefixes {
                standings.entry(prefix).or_insert(Standing {
                    due_at: now,
                    retry: FIRST_RETRY,
                    nonce: None,
                    acknowledged_at: None,
                });
            }
        }
        self.standings.retain(|_, standings| !standings.is_empty());
        withdrawn
    }

    /// Makes `prefix` due at once with all its map-servers: its mapping changed.
    fn refresh(&mut self, prefix: EidPrefix, now: Time) {
        for standings in self.standings.values_mut() {
            if let Some(standing) = standings.get_mut(&prefix) {
                standing.due_at = now;
                standing.retry = FIRST_RETRY;
            }
        }
    }

    fn due(&self, now: Time) -> Vec<(Peer, Vec<EidPrefix>)> {
        let due = |standings: &BTreeMap<EidPrefix, Standing>| {
            let due = standings.iter().filter(|(_, standing)| standing.due_at <= now);
            due.map(|(prefix, _)| *prefix).collect::<Vec<_>>()
        };
        let each = self.standings.iter().map(|(&peer, standings)| (peer, due(standings)));
        each.filter(|(_, prefixes)| !prefixes.is_empty()).collect()
    }

    /// A register with these prefixes has been sent.
    fn sent(&mut self, peer: Peer, prefixes: &[EidPrefix], nonce: Nonce, now: Time) {
        let period = self.rng.jittered(PERIOD, JITTER);
        let Some(standings) = self.standings.get_mut(&peer) else {
            return;
        };
        for prefix in prefixes {
            if let Some(standing) = standings.get_mut(prefix) {
                standing.due_at = now + standing.retry.min(period);
                standing.retry = (standing.retry * 2).min(PERIOD);
                standing.nonce = Some(nonce);
            }
        }
    }

    /// A Map-Notify came; returns whether it acknowledges anything outstanding.
    fn acknowledged(
        &mut self,
        server: IpAddr,
        nonce: Nonce,
        records: &[MappingRecord],
        now: Time,
    ) -> bool {
        let period = self.rng.jittered(PERIOD, JITTER);
        let mut any = false;
        for (_, standings) in self.standings.iter_mut().filter(|((_, at), _)| *at == server) {
            for record in records {
                let Some(standing) = standings.get_mut(&record.eid_prefix) else {
                    continue;
                };
                if standing.nonce == Some(nonce) {
                    standing.nonce = None;
                    standing.acknowledged_at = Some(now);
                    standing.retry = FIRST_RETRY;
                    standing.due_at = now + period;
                    any = true;
                }
            }
        }
        any
    }
}

impl Router {
    /// Brings the registrations in line with the configuration and the routes: what has neither is
    /// withdrawn, what came is registered.
    pub(super) fn reconcile_registrations(&mut self, now: Time) {
        let mut wanted: BTreeMap<Peer, BTreeSet<EidPrefix>> = BTreeMap::new();
        for (prefix, entry) in self.database.entries().iter().filter(|(_, entry)| entry.has_route) {
            let family = prefix.family();
            if self.config.roles(family).etr && !entry.locators.is_empty() {
                for &server in self.etr_map_servers(family).keys() {
                    wanted.entry((family, server)).or_default().insert(prefix);
                }
            }
        }
        let withdrawn = self.registrar.reconcile(&wanted, now);
        self.withdraw(&withdrawn);
    }

    /// Registers a prefix anew with all its map-servers: its locators changed.
    pub(super) fn refresh_registration(&mut self, prefix: EidPrefix, now: Time) {
        self.registrar.refresh(prefix, now);
    }

    /// Withdraws everything: the router is about to stop.
    pub(super) fn withdraw_registrations(&mut self, now: Time) {
        let withdrawn = self.registrar.reconcile(&BTreeMap::new(), now);
        self.withdraw(&withdrawn);
    }

    /// Sends registers with a TTL of zero. They ask for no Map-Notify and are not repeated: what is
    /// lost, the map-server's own timer makes good.
    fn withdraw(&mut self, withdrawn: &[(Peer, EidPrefix)]) {
        let mut records: BTreeMap<Peer, Vec<MappingRecord>> = BTreeMap::new();
        for &(peer, prefix) in withdrawn {
            let mut record = match self.database.get(&prefix) {
                Some(entry) => self.record(prefix, entry),
                None => self.empty_record(prefix),
            };
            record.ttl_minutes = 0;
            records.entry(peer).or_default().push(record);
        }
        for (peer, records) in records {
            for records in chunks(records) {
                self.send_register(peer, records, false);
            }
        }
    }

    fn empty_record(&self, prefix: EidPrefix) -> MappingRecord {
        MappingRecord {
            ttl_minutes: 0,
            eid_prefix: prefix,
            action: wire::Action::NoAction,
            authoritative: true,
            map_version: 0,
            locators: Vec::new(),
        }
    }

    /// Sends the registers that are due.
    pub(super) fn register_due(&mut self, now: Time) {
        for (peer, prefixes) in self.registrar.due(now) {
            let records = prefixes
                .iter()
                .filter_map(|prefix| Some(self.record(*prefix, self.database.get(prefix)?)))
                .collect();
            for records in chunks(records) {
                let prefixes: Vec<_> = records.iter().map(|record| record.eid_prefix).collect();
                let nonce = self.send_register(peer, records, true);
                self.registrar.sent(peer, &prefixes, nonce, now);
            }
        }
    }

    fn send_register(
        &mut self,
        peer: Peer,
        records: Vec<MappingRecord>,
        want_map_notify: bool,
    ) -> Nonce {
        let nonce = self.registrar.next_nonce();
        let (family, server) = peer;
        let Some(map_server) = self.etr_map_servers(family).get(&server).cloned() else {
            // The map-server was taken out of the configuration: it knows our key no more than we
            // know its; its own timer ends the registration.
            return nonce;
        };
        let Some(source) = self.local.preferred(Rloc(server).family()) else {
            return nonce;
        };
        let register = MapRegister {
            proxy_reply: map_server.proxy_reply,
            want_map_notify,
            nonce,
            records,
            xtr_identity: Some(XtrIdentity { xtr_id: self.xtr_id, site_id: 0 }),
            ..MapRegister::default()
        };
        self.counters.map_registers.sent += 1;
        let from = SocketAddr::new(source.0, CONTROL_PORT);
        let to = SocketAddr::new(server, CONTROL_PORT);
        log::debug!("{register} to {to}");
        self.send_octets(from, to, register.emit_signed(&map_server.key));
        nonce
    }

    /// Takes in a Map-Notify: the acknowledgement of a register, or news that want one of their own
    /// (RFC 9301 section 5.7).
    pub(super) fn handle_map_notify(
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
            .filter_map(|family| self.etr_map_servers(family).get(&server).cloned())
            .collect();
        let Some(peer) = keys.iter().find(|peer| wire::verify(payload, &peer.key).is_ok()) else {
            return self.counters.ignored(ControlDrop::Authentication);
        };
        self.counters.map_notifies.received += 1;
        if self.registrar.acknowledged(server, notify.nonce, &notify.records, now) {
            return;
        }
        let acknowledgement = MapNotifyAck(notify).emit_signed(&peer.key);
        self.counters.map_notify_acks.sent += 1;
        self.send_octets(SocketAddr::new(to, CONTROL_PORT), from, acknowledgement);
    }

    fn etr_map_servers(&self, family: Family) -> &BTreeMap<IpAddr, EtrMapServer> {
        static NONE: BTreeMap<IpAddr, EtrMapServer> = BTreeMap::new();
        let lisp = self.config.lisp.as_ref();
        lisp.map_or(&NONE, |lisp| &lisp.service(family).etr_map_servers)
    }

    /// How far registration has come, a row a family and map-server.
    pub fn registrations(&self, now: Time) -> Vec<RegistrationStatus> {
        let mut rows = Vec::new();
        for family in Family::BOTH.into_iter().filter(|family| self.config.roles(*family).etr) {
            for &map_server in self.etr_map_servers(family).keys() {
                let standings = self.registrar.standings.get(&(family, map_server));
                let of_all = || standings.into_iter().flat_map(BTreeMap::values);
                let fresh = |standing: &&Standing| {
                    standing.acknowledged_at.is_some_and(|at| now.since(at) < LIFETIME)
                };
                rows.push(RegistrationStatus {
                    family,
                    map_server,
                    prefixes: self
                        .database
                        .entries()
                        .iter()
                        .filter(|(p, _)| p.family() == family)
                        .count(),
                    registered: of_all().count(),
                    acknowledged: of_all().filter(fresh).count(),
                    last_notify_at: of_all().filter_map(|each| each.acknowledged_at).max(),
                });
            }
        }
        rows
    }
}

/// Records in as few messages as keep to [`RECORDS_LEN`] each; one that is longer goes alone.
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
