//! Map-Registers as they arrive (RFC 9301 sections 5.6, 5.7 and 8.2).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{MapServer, Registration};
use crate::addr::Family;
use crate::router::Router;
use crate::router::counters::ControlDrop;
use crate::router::explanations;
use crate::router::io::Connection;
use crate::router::refusals::Explanation;
use crate::time::Time;
use crate::wire::{
    self, Algorithm, CONTROL_PORT, Key, MapNotify, MapRegister, MappingRecord, Nonce, RejectReason,
};

/// The largest number of xTRs whose last register is remembered.
const LAST_REGISTERS: usize = 1_000_000;

/// How a register relates to the one before it (RFC 9301 section 5.6, Nonce).
pub(super) enum Freshness {
    /// Its nonce is greater.
    Later,
    /// It is the very same octets: answered again, for the answer may have been lost, and nothing
    /// else, for anybody can repeat what was seen on the wire.
    Repeated,
    /// Its nonce is not greater than the last.
    Replayed {
        /// The last.
        last: Nonce,
    },
    /// There is no room to remember it.
    TableFull,
}

/// What is remembered of the last register of an xTR with a key, to know a replay.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastRegister {
    nonce: Nonce,
    digest: [u8; 32],
}

impl MapServer {
    /// How an authenticated register relates to the last of this xTR with this site's key.
    fn freshness(
        &mut self,
        xtr_id: u128,
        site: &Arc<str>,
        nonce: Nonce,
        payload: &[u8],
    ) -> Freshness {
        let digest: [u8; 32] = Sha256::digest(payload).into();
        let key = (xtr_id, Arc::clone(site));
        let last = self.last_registers.get(&key);
        if last.is_none() && self.last_registers.len() >= LAST_REGISTERS {
            return Freshness::TableFull;
        }
        match last {
            Some(last) if last.nonce == nonce && last.digest == digest => Freshness::Repeated,
            Some(last) if nonce <= last.nonce => Freshness::Replayed { last: last.nonce },
            _ => {
                self.last_registers.insert(key, LastRegister { nonce, digest });
                Freshness::Later
            }
        }
    }

    /// Those of `records` that this xTR has registered.
    fn registered_by(&self, xtr_id: u128, records: &[MappingRecord]) -> Vec<MappingRecord> {
        let registered = |record: &&MappingRecord| {
            let entry = self.entries.get(&record.eid_prefix);
            entry.is_some_and(|entry| entry.registrations.get(xtr_id).is_some())
        };
        records.iter().filter(registered).cloned().collect()
    }
}

/// Why a register is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// As a Registration Reject says it.
    pub reason: RejectReason,
    /// As it is counted.
    pub drop: ControlDrop,
    /// As the operator is told.
    pub told: Explanation,
}

/// A register that the holder of its site's key sent.
pub(super) struct Authenticated {
    pub key: Key,
    pub xtr_id: u128,
    /// It is the very same octets as the last: it is answered, and changes nothing.
    pub is_repeated: bool,
}

impl Router {
    /// Takes in a Map-Register by UDP (RFC 9301 section 8.2): authenticates it with the key of the site
    /// of its first record, refuses replays, registers each record that the site may have, and
    /// acknowledges those with a Map-Notify if one is wanted.
    pub(in crate::router) fn handle_map_register(
        &mut self,
        register: MapRegister,
        payload: &[u8],
        from: SocketAddr,
        to: IpAddr,
        now: Time,
    ) {
        let authenticated = match self.authenticate(&register, payload, from.ip()) {
            Ok(authenticated) => authenticated,
            Err(Refusal { drop, told, .. }) => return self.refuse(from.ip(), drop, now, || told),
        };
        let Authenticated { key, xtr_id, is_repeated } = authenticated;
        let accepted = if is_repeated {
            self.map_server.registered_by(xtr_id, &register.records)
        } else {
            if register.reliable_transport {
                self.map_server.sessions.admit(from.ip(), now);
            }
            self.register_records(&register, xtr_id, &key, from.ip(), now)
        };
        if register.want_map_notify && !accepted.is_empty() {
            self.notify(&register, accepted, &key, from, to);
        }
    }

    /// Whether a register comes from a holder of the key of its first record's site, and whether it is
    /// later than that xTR's last.
    pub(super) fn authenticate(
        &mut self,
        register: &MapRegister,
        payload: &[u8],
        from: IpAddr,
    ) -> Result<Authenticated, Refusal> {
        let refusal = |reason, drop, told| Refusal { reason, drop, told };
        let other = |drop, told| refusal(RejectReason::Other, drop, told);
        let Some(first) = register.records.first().map(|record| record.eid_prefix) else {
            return Err(other(ControlDrop::Malformed, explanations::registers_nothing()));
        };
        let Some((origin, site)) = self.map_server.configured_for(&first) else {
            let told = explanations::no_site(first);
            return Err(refusal(RejectReason::NotASitePrefix, ControlDrop::NotASitePrefix, told));
        };
        let site = Arc::clone(site);
        let key = self.site_key(&site).cloned();
        let has_key = key.is_some();
        let Some(key) = key.filter(|key| wire::verify(payload, key).is_ok()) else {
            if let Some(entry) = self.map_server.entries.get_mut(&origin) {
                entry.authentication_failures += 1;
            }
            let told = explanations::wrong_key(first, &site, has_key);
            let reason = RejectReason::AuthenticationFailure;
            return Err(refusal(reason, ControlDrop::Authentication, told));
        };
        self.counters.map_registers.received += 1;
        let xtr_id = register.xtr_identity.map_or_else(|| id_of(from), |id| id.xtr_id);
        let nonce = register.nonce;
        let is_repeated = match self.map_server.freshness(xtr_id, &site, nonce, payload) {
            Freshness::Later => false,
            Freshness::Repeated => true,
            Freshness::Replayed { last } => {
                let told = explanations::replay(first, &site, nonce, last);
                return Err(other(ControlDrop::Replay, told));
            }
            Freshness::TableFull => {
                let told = explanations::map_server_full(first, &site);
                return Err(other(ControlDrop::TableFull, told));
            }
        };
        Ok(Authenticated { key, xtr_id, is_repeated })
    }

    fn register_records(
        &mut self,
        register: &MapRegister,
        xtr_id: u128,
        key: &Key,
        source: IpAddr,
        now: Time,
    ) -> Vec<MappingRecord> {
        let mut accepted = Vec::new();
        for record in &register.records {
            let site = self.map_server.configured_for(&record.eid_prefix);
            let same_key = site.is_some_and(|(_, site)| {
                self.site_key(site).is_some_and(|other| other.secret == key.secret)
            });
            // A map-server of the old kind knows no withdrawal: its timer is all that it has.
            if record.ttl_minutes == 0 && self.is_legacy(record.eid_prefix.family()) {
                continue;
            }
            if same_key && self.register_record(register, record, (xtr_id, source, None), now) {
                accepted.push(record.clone());
            } else {
                let first = register.records.first().map(|first| first.eid_prefix);
                let first = first.and_then(|first| self.map_server.configured_for(&first));
                let site = first.map(|(_, site)| Arc::clone(site)).unwrap_or_default();
                let told = || explanations::record_not_taken(record.eid_prefix, &site);
                self.refuse(source, ControlDrop::NotASitePrefix, now, told);
            }
        }
        accepted
    }

    /// Registers one record of an authenticated register, and tells those whom it concerns. `by` is the
    /// xTR's ID, its RLOC and its session. Returns whether it was accepted.
    pub(super) fn register_record(
        &mut self,
        register: &MapRegister,
        record: &MappingRecord,
        by: (u128, IpAddr, Option<Connection>),
        now: Time,
    ) -> bool {
        let (xtr_id, source, session) = by;
        let algorithm = Algorithm::from_number(register.authentication.algorithm);
        let registration = Registration {
            source,
            xtr_id,
            site_id: register.xtr_identity.map_or(0, |id| id.site_id),
            record: record.clone(),
            proxy_reply: register.proxy_reply,
            map_notify: register.want_map_notify,
            nonce: register.nonce,
            algorithm: algorithm.unwrap_or(Algorithm::HmacSha1),
            first_registered_at: now,
            last_registered_at: now,
            session,
        };
        match self.map_server.register(registration, register.merge, now) {
            Some(change) => {
                self.counters.took(record);
                self.publish(change, now);
                true
            }
            None => false,
        }
    }

    fn notify(
        &mut self,
        register: &MapRegister,
        records: Vec<MappingRecord>,
        key: &Key,
        from: SocketAddr,
        to: IpAddr,
    ) {
        let notify = MapNotify {
            built_for_rtr: false,
            nonce: register.nonce,
            authentication: wire::Authentication::default(),
            records,
            xtr_identity: register.xtr_identity,
        };
        // The answer is signed as the register was: the ETR knows that algorithm.
        let algorithm = Algorithm::from_number(register.authentication.algorithm);
        let key = Key { algorithm: algorithm.unwrap_or(key.algorithm), ..key.clone() };
        self.counters.map_notifies.sent += 1;
        let source = SocketAddr::new(to, CONTROL_PORT);
        let destination = SocketAddr::new(from.ip(), CONTROL_PORT);
        self.send_octets(source, destination, notify.emit_signed(&key));
    }

    pub(super) fn site_key(&self, site: &str) -> Option<&Key> {
        self.config.lisp.as_ref()?.sites.get(site)?.key.as_ref()
    }

    pub(super) fn is_legacy(&self, family: Family) -> bool {
        let lisp = self.config.lisp.as_ref();
        lisp.is_some_and(|lisp| lisp.service(family).map_server_legacy)
    }
}

/// The name of an xTR that gave none: its RLOC.
fn id_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}
