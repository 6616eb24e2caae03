//! The map-server and the map-resolver: registrations of sites, and what they say of an EID
//! (RFC 9301 sections 4.2, 5.6, 8.1 to 8.4).
//!
//! A prefix of a site is configured; an ETR that has the site's key may register it, and longer ones
//! inside it where the configuration says so. A registration lapses three minutes after it was last
//! renewed. A Map-Request for a registered prefix is forwarded to the ETR (or answered here, if the
//! ETR wants that); any other gets a negative answer for the largest prefix that it is true of.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::Router;
use super::config::Config;
use super::counters::ControlDrop;
use super::register::LIFETIME;
use crate::addr::{Eid, EidPrefix, Family, Rloc};
use crate::prefix_map::PrefixMap;
use crate::time::{Deadline, Time};
use crate::wire::{
    self, Action, Algorithm, CONTROL_PORT, Encapsulated, Key, MapNotify, MapRegister, MapReply,
    MapRequest, MappingRecord, Message, Nonce,
};

/// The largest number of registered prefixes that are not configured.
const MORE_SPECIFICS: usize = 1_000_000;
/// The largest number of xTRs that may share a prefix.
const XTRS_PER_PREFIX: usize = 64;
/// The largest number of xTRs whose last register is remembered.
const LAST_REGISTERS: usize = 1_000_000;
/// TTL of the negative answer for a prefix that a site has but no ETR has registered (RFC 9301
/// section 8.1).
const UNREGISTERED_TTL_MINUTES: u32 = 1;
/// TTL of the negative answer for what no site has.
const UNKNOWN_TTL_MINUTES: u32 = 15;

/// One xTR's registration of an EID prefix.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The RLOC that it came from.
    pub source: IpAddr,
    /// 128 bits that name the xTR; made of its RLOC when it did not say (I bit clear).
    pub xtr_id: u128,
    /// 64 bits that name its site.
    pub site_id: u64,
    /// The record as registered, with TTL and locators.
    pub record: MappingRecord,
    /// The P bit: the map-server answers Map-Requests itself.
    pub proxy_reply: bool,
    /// The M bit: a Map-Notify is wanted.
    pub map_notify: bool,
    /// The nonce of the last accepted register.
    pub nonce: Nonce,
    /// The algorithm of its authentication.
    pub algorithm: Algorithm,
    /// When the xTR first registered the prefix.
    pub first_registered_at: Time,
    /// When it last did.
    pub last_registered_at: Time,
}

impl Registration {
    /// When the registration lapses.
    pub fn expires_at(&self) -> Time {
        self.last_registered_at + LIFETIME
    }

    /// How long ITRs may cache the mapping.
    pub fn ttl(&self) -> Duration {
        Duration::from_secs(u64::from(self.record.ttl_minutes) * 60)
    }
}

/// An EID prefix of a site: configured, or registered as a more specific of one.
#[derive(Clone, Debug)]
pub struct SiteEntry {
    /// The site's name.
    pub site: String,
    /// Takes registrations of longer prefixes; false for one that is not configured.
    pub accept_more_specifics: bool,
    /// The configured prefix that this one is a more specific of; `None` when it is configured
    /// itself.
    pub origin: Option<EidPrefix>,
    /// By xTR-ID.
    pub registrations: BTreeMap<u128, Registration>,
    /// Registers with wrong authentication.
    pub authentication_failures: u64,
}

impl SiteEntry {
    fn new(site: &str, accept_more_specifics: bool, origin: Option<EidPrefix>) -> Self {
        SiteEntry {
            site: site.to_owned(),
            accept_more_specifics,
            origin,
            registrations: BTreeMap::new(),
            authentication_failures: 0,
        }
    }

    /// Whether any xTR has it registered.
    pub fn is_registered(&self) -> bool {
        !self.registrations.is_empty()
    }
}

/// How a register relates to the one before it (RFC 9301 section 5.6, Nonce).
enum Freshness {
    /// Its nonce is greater.
    Later,
    /// It is the very same octets: answered again, for the answer may have been lost, and nothing
    /// else, for anybody can repeat what was seen on the wire.
    Repeated,
    /// Its nonce is not greater.
    Replayed,
    /// There is no room to remember it.
    TableFull,
}

/// What is remembered of the last register of an xTR with a key, to know a replay.
#[derive(Clone, Copy, Debug)]
struct LastRegister {
    nonce: Nonce,
    digest: [u8; 32],
}

/// All sites of a map-server.
#[derive(Debug, Default)]
pub struct MapServer {
    entries: PrefixMap<SiteEntry>,
    expiries: BTreeSet<(Time, EidPrefix, u128)>,
    last_registers: BTreeMap<(u128, String), LastRegister>,
    more_specifics: usize,
}

/// What the map-server says of an EID.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    /// Ask this ETR.
    Forward(Rloc),
    /// The ETRs want the map-server to answer; the record, not authoritative.
    Proxy(MappingRecord),
    /// There is no mapping for this prefix.
    Negative { prefix: EidPrefix, ttl_minutes: u32 },
}

impl MapServer {
    /// Every EID prefix of every site, for a `show`.
    pub fn entries(&self) -> &PrefixMap<SiteEntry> {
        &self.entries
    }

    pub(super) fn next_deadline(&self) -> Option<Deadline> {
        self.expiries.first().map(|&(at, ..)| Deadline { at, why: "registration expiry" })
    }

    /// Makes the configured prefixes those of `config`; registrations under a prefix that stays
    /// with its site stay.
    pub(super) fn reconfigure(&mut self, config: &Config) {
        let mut configured: BTreeMap<EidPrefix, (&str, bool)> = BTreeMap::new();
        for (name, site) in config.lisp.iter().flat_map(|lisp| &lisp.sites) {
            for (prefix, options) in &site.eid_prefixes {
                if config.roles(prefix.family()).map_server {
                    configured.insert(*prefix, (name, options.accept_more_specifics));
                }
            }
        }
        let stays = |prefix: EidPrefix, entry: &SiteEntry| match entry.origin {
            None => configured.get(&prefix).is_some_and(|(site, _)| *site == entry.site),
            Some(origin) => {
                !configured.contains_key(&prefix)
                    && configured
                        .get(&origin)
                        .is_some_and(|&(site, accepts)| accepts && site == entry.site)
            }
        };
        self.entries.retain(stays);
        for (prefix, (site, accept_more_specifics)) in configured {
            match self.entries.get_mut(&prefix) {
                Some(entry) => entry.accept_more_specifics = accept_more_specifics,
                None => {
                    let entry = SiteEntry::new(site, accept_more_specifics, None);
                    self.entries.insert(prefix, entry);
                }
            }
        }
        let entries = &self.entries;
        self.expiries.retain(|(_, prefix, xtr_id)| {
            entries.get(prefix).is_some_and(|entry| entry.registrations.contains_key(xtr_id))
        });
        self.more_specifics =
            self.entries.iter().filter(|(_, entry)| entry.origin.is_some()).count();
    }

    /// The configured prefix that a registration of `prefix` falls under, and its site: itself, or
    /// the longest one around it, which must take more specifics.
    fn configured_for(&self, prefix: &EidPrefix) -> Option<(EidPrefix, &str)> {
        let configured = self.entries.covering(prefix).filter(|(_, entry)| entry.origin.is_none());
        let (origin, entry) = configured.last()?;
        let allowed = origin == *prefix || entry.accept_more_specifics;
        allowed.then_some((origin, entry.site.as_str()))
    }

    /// How an authenticated register relates to the last of this xTR with this site's key.
    fn freshness(&mut self, xtr_id: u128, site: &str, nonce: Nonce, payload: &[u8]) -> Freshness {
        let digest: [u8; 32] = Sha256::digest(payload).into();
        let key = (xtr_id, site.to_owned());
        let last = self.last_registers.get(&key);
        if last.is_none() && self.last_registers.len() >= LAST_REGISTERS {
            return Freshness::TableFull;
        }
        match last {
            Some(last) if last.nonce == nonce && last.digest == digest => Freshness::Repeated,
            Some(last) if nonce <= last.nonce => Freshness::Replayed,
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
            entry.is_some_and(|entry| entry.registrations.contains_key(&xtr_id))
        };
        records.iter().filter(registered).cloned().collect()
    }

    /// Takes in one record of an authenticated register. Returns whether it was accepted.
    fn register(&mut self, registration: Registration, merge: bool, now: Time) -> bool {
        let prefix = registration.record.eid_prefix;
        let Some((origin, site)) = self.configured_for(&prefix) else {
            return false;
        };
        let site = site.to_owned();
        if registration.record.ttl_minutes == 0 {
            self.withdraw(&prefix, registration.xtr_id);
            return true;
        }
        if !self.entries.contains(&prefix) {
            if self.more_specifics >= MORE_SPECIFICS {
                return false;
            }
            self.more_specifics += 1;
            self.entries.insert(prefix, SiteEntry::new(&site, false, Some(origin)));
        }
        let Some(entry) = self.entries.get_mut(&prefix) else {
            return false;
        };
        let before = entry.registrations.remove(&registration.xtr_id);
        if let Some(before) = &before {
            self.expiries.remove(&(before.expires_at(), prefix, before.xtr_id));
        }
        // Another locator set without the merge bit is a move: it replaces what others registered.
        if !merge {
            let moved = |other: &Registration| !same_locators(other, &registration);
            for gone in entry.registrations.extract_if(.., |_, other| moved(other)) {
                self.expiries.remove(&(gone.1.expires_at(), prefix, gone.0));
            }
        }
        if entry.registrations.len() >= XTRS_PER_PREFIX {
            return false;
        }
        let first_registered_at = before.map_or(now, |before| before.first_registered_at);
        let registration = Registration { first_registered_at, ..registration };
        self.expiries.insert((registration.expires_at(), prefix, registration.xtr_id));
        entry.registrations.insert(registration.xtr_id, registration);
        true
    }

    /// Takes out one xTR's registration; nobody else's.
    fn withdraw(&mut self, prefix: &EidPrefix, xtr_id: u128) {
        let Some(entry) = self.entries.get_mut(prefix) else {
            return;
        };
        if let Some(gone) = entry.registrations.remove(&xtr_id) {
            self.expiries.remove(&(gone.expires_at(), *prefix, xtr_id));
        }
        if entry.origin.is_some() && !entry.is_registered() {
            self.entries.remove(prefix);
            self.more_specifics -= 1;
        }
    }

    /// Takes out the registrations that were not renewed.
    pub(super) fn expire(&mut self, now: Time) {
        while let Some(&(at, prefix, xtr_id)) = self.expiries.first() {
            if at > now {
                break;
            }
            self.expiries.remove(&(at, prefix, xtr_id));
            self.withdraw(&prefix, xtr_id);
        }
    }

    /// What the registrations say of `eid`; ETRs are asked at RLOCs of the families in `reachable`.
    fn answer(&self, eid: Eid, reachable: &[Family]) -> Answer {
        let host = eid.host_prefix();
        let registered = self.entries.covering(&host).filter(|(_, entry)| entry.is_registered());
        if let Some((prefix, entry)) = registered.last() {
            let registrations = entry.registrations.values();
            if registrations.clone().any(|registration| registration.proxy_reply) {
                return Answer::Proxy(proxy_record(prefix, entry));
            }
            if let Some(etr) = choose_etr(entry, reachable) {
                return Answer::Forward(etr);
            }
        }
        self.negative(eid)
    }

    /// The negative answer for an EID without registration: for the part of a configured prefix
    /// around it in which nothing is registered, or else for the largest prefix in which no site
    /// has anything (RFC 9301 section 8.1).
    fn negative(&self, eid: Eid) -> Answer {
        let host = eid.host_prefix();
        let configured = self.entries.covering(&host).filter(|(_, entry)| entry.origin.is_none());
        match configured.last() {
            Some((configured, _)) => {
                let registered = |hole: &EidPrefix| {
                    self.entries.covered_by(hole).any(|(_, entry)| entry.is_registered())
                };
                let prefix = least_specific(eid, configured.mask_len(), registered);
                Answer::Negative { prefix, ttl_minutes: UNREGISTERED_TTL_MINUTES }
            }
            None => {
                let known = |hole: &EidPrefix| self.entries.covered_by(hole).next().is_some();
                let prefix = least_specific(eid, 0, known);
                Answer::Negative { prefix, ttl_minutes: UNKNOWN_TTL_MINUTES }
            }
        }
    }
}

/// The shortest prefix around `eid`, of at least `min_len` bits, that holds nothing `taken`.
fn least_specific(eid: Eid, min_len: u8, taken: impl Fn(&EidPrefix) -> bool) -> EidPrefix {
    let host = eid.host_prefix();
    (min_len..host.mask_len())
        .filter_map(|len| ipnet::IpNet::new(eid.address, len).ok())
        .map(|net| EidPrefix::new(eid.instance_id, net))
        .find(|hole| !taken(hole))
        .unwrap_or(host)
}

fn same_locators(one: &Registration, other: &Registration) -> bool {
    let rlocs = |registration: &Registration| -> BTreeSet<Option<Rloc>> {
        registration.record.locators.iter().map(|locator| locator.ip()).collect()
    };
    rlocs(one) == rlocs(other)
}

/// What a map-server answers for ETRs: their locators together, as nobody's own and not
/// authoritative (RFC 9301 section 8.3).
fn proxy_record(prefix: EidPrefix, entry: &SiteEntry) -> MappingRecord {
    let mut locators: Vec<wire::LocatorRecord> = Vec::new();
    let mut ttl_minutes = u32::MAX;
    for registration in entry.registrations.values() {
        ttl_minutes = ttl_minutes.min(registration.record.ttl_minutes);
        for locator in &registration.record.locators {
            let known = locators.iter().any(|known| known.rloc == locator.rloc);
            if !known && locators.len() < usize::from(u8::MAX) {
                locators.push(wire::LocatorRecord { local: false, ..locator.clone() });
            }
        }
    }
    wire::sort_locators(&mut locators);
    MappingRecord {
        ttl_minutes,
        eid_prefix: prefix,
        action: Action::NoAction,
        authoritative: false,
        map_version: 0,
        locators,
    }
}

/// The ETR that a Map-Request goes to: the reachable own locator with the lowest priority of any
/// xTR that registered, else the RLOC that a register came from.
fn choose_etr(entry: &SiteEntry, reachable: &[Family]) -> Option<Rloc> {
    let registrations = entry.registrations.values();
    let own = registrations.clone().flat_map(|registration| &registration.record.locators);
    let best = own
        .filter(|locator| locator.local && locator.reachable)
        .filter_map(|locator| Some((locator.priority, locator.ip()?)))
        .filter(|(_, rloc)| reachable.contains(&rloc.family()))
        .min();
    let sources = registrations.map(|registration| Rloc(registration.source));
    best.map(|(_, rloc)| rloc)
        .or_else(|| sources.filter(|rloc| reachable.contains(&rloc.family())).min())
}

impl Router {
    /// Takes in a Map-Register (RFC 9301 section 8.2): authenticates it with the key of the site of
    /// its first record, refuses replays, registers each record that the site may have, and
    /// acknowledges those with a Map-Notify if one is wanted.
    pub(super) fn handle_map_register(
        &mut self,
        register: MapRegister,
        payload: &[u8],
        from: SocketAddr,
        to: IpAddr,
        now: Time,
    ) {
        let Some(first) = register.records.first().map(|record| record.eid_prefix) else {
            return self.counters.ignored(ControlDrop::Malformed);
        };
        let Some((origin, site)) = self.map_server.configured_for(&first) else {
            return self.counters.ignored(ControlDrop::NotASitePrefix);
        };
        let site = site.to_owned();
        let key = self.site_key(&site).cloned();
        let Some(key) = key.filter(|key| wire::verify(payload, key).is_ok()) else {
            if let Some(entry) = self.map_server.entries.get_mut(&origin) {
                entry.authentication_failures += 1;
            }
            return self.counters.ignored(ControlDrop::Authentication);
        };
        self.counters.map_registers.received += 1;
        let xtr_id = register.xtr_identity.map_or_else(|| id_of(from.ip()), |id| id.xtr_id);
        let accepted = match self.map_server.freshness(xtr_id, &site, register.nonce, payload) {
            Freshness::Later => self.register_records(&register, xtr_id, &key, from.ip(), now),
            Freshness::Repeated => self.map_server.registered_by(xtr_id, &register.records),
            Freshness::Replayed => return self.counters.ignored(ControlDrop::Replay),
            Freshness::TableFull => return self.counters.ignored(ControlDrop::TableFull),
        };
        if register.want_map_notify && !accepted.is_empty() {
            self.notify(&register, accepted, &key, from, to);
        }
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
            let registration = Registration {
                source,
                xtr_id,
                site_id: register.xtr_identity.map_or(0, |id| id.site_id),
                record: record.clone(),
                proxy_reply: register.proxy_reply,
                map_notify: register.want_map_notify,
                nonce: register.nonce,
                algorithm: Algorithm::from_number(register.authentication.algorithm)
                    .unwrap_or(key.algorithm),
                first_registered_at: now,
                last_registered_at: now,
            };
            if same_key && self.map_server.register(registration, register.merge, now) {
                accepted.push(record.clone());
            } else {
                self.counters.ignored(ControlDrop::NotASitePrefix);
            }
        }
        accepted
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

    fn site_key(&self, site: &str) -> Option<&Key> {
        self.config.lisp.as_ref()?.sites.get(site)?.key.as_ref()
    }

    /// Resolves a Map-Request that came encapsulated to the map-resolver (RFC 9301 section 8.4): to
    /// the ETR, or to the ITR with an answer of our own.
    pub(super) fn resolve_map_request(
        &mut self,
        encapsulated: &Encapsulated,
        request: &MapRequest,
        asked: Rloc,
    ) {
        let Some(record) = request.records.first() else {
            return self.counters.ignored(ControlDrop::Malformed);
        };
        let eid = record.eid_prefix.network();
        let families: Vec<Family> = self.local.itr_rlocs().iter().map(Rloc::family).collect();
        let record = match self.map_server.answer(eid, &families) {
            Answer::Forward(etr) => return self.forward(encapsulated, etr),
            Answer::Proxy(record) => record,
            Answer::Negative { prefix, ttl_minutes } => MappingRecord {
                ttl_minutes,
                eid_prefix: prefix,
                action: Action::NativelyForward,
                authoritative: false,
                map_version: 0,
                locators: Vec::new(),
            },
        };
        let Some((source, destination)) = self.reply_path(request, Some(asked)) else {
            return self.counters.ignored(ControlDrop::WrongRecord);
        };
        let reply = MapReply {
            probe: false,
            echo_nonce: false,
            security: false,
            nonce: request.nonce,
            records: vec![record],
        };
        let port = encapsulated.source.port();
        self.send_map_reply(source, SocketAddr::new(destination.0, port), reply);
    }

    fn forward(&mut self, encapsulated: &Encapsulated, etr: Rloc) {
        let Some(source) = self.local.preferred(etr.family()) else {
            return;
        };
        self.counters.forwarded += 1;
        self.counters.encapsulated.sent += 1;
        let message = Encapsulated { to_etr: false, to_ms: false, ..encapsulated.clone() };
        let from = SocketAddr::new(source.0, CONTROL_PORT);
        let to = SocketAddr::new(etr.0, CONTROL_PORT);
        self.send_control(from, to, &Message::Encapsulated(message));
    }
}

/// The name of an xTR that gave none: its RLOC.
fn id_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::addr::InstanceId;
    use crate::router::config::{Lisp, Service, Site, SitePrefix};

    fn prefix(text: &str) -> EidPrefix {
        EidPrefix::new(InstanceId::DEFAULT, text.parse().unwrap())
    }

    fn eid(text: &str) -> Eid {
        Eid::new(InstanceId::DEFAULT, text.parse().unwrap())
    }

    /// A map-server with one site that has these prefixes, all with accept-more-specifics.
    fn map_server(prefixes: &[EidPrefix]) -> MapServer {
        let options = SitePrefix { accept_more_specifics: true };
        let eid_prefixes = prefixes.iter().map(|prefix| (*prefix, options)).collect();
        let service = Service { map_server: true, ..Service::default() };
        let lisp = Lisp {
            ipv4: service.clone(),
            ipv6: service,
            sites: BTreeMap::from([("site".to_owned(), Site { key: None, eid_prefixes })]),
            ..Lisp::default()
        };
        let mut map_server = MapServer::default();
        map_server.reconfigure(&Config { lisp: Some(lisp), ..Config::default() });
        map_server
    }

    fn registration(prefix: EidPrefix, rloc: &str, xtr_id: u128, ttl_minutes: u32) -> Registration {
        let source: IpAddr = rloc.parse().unwrap();
        let locator = wire::LocatorRecord {
            priority: 1,
            weight: 100,
            multicast_priority: 255,
            multicast_weight: 0,
            local: true,
            probed: false,
            reachable: true,
            rloc: wire::Address::Ip(source),
        };
        Registration {
            source,
            xtr_id,
            site_id: 0,
            record: MappingRecord {
                ttl_minutes,
                eid_prefix: prefix,
                action: Action::NoAction,
                authoritative: true,
                map_version: 0,
                locators: vec![locator],
            },
            proxy_reply: false,
            map_notify: true,
            nonce: Nonce(1),
            algorithm: Algorithm::HmacSha1,
            first_registered_at: Time::ZERO,
            last_registered_at: Time::ZERO,
        }
    }

    fn register(server: &mut MapServer, prefix: EidPrefix, rloc: &str, xtr_id: u128) -> bool {
        server.register(registration(prefix, rloc, xtr_id, 1440), false, Time::ZERO)
    }

    fn negative(server: &MapServer, asked: &str) -> (String, u32) {
        match server.answer(eid(asked), &[Family::Ipv4]) {
            Answer::Negative { prefix, ttl_minutes } => (prefix.to_string(), ttl_minutes),
            other => panic!("{asked}: {other:?}"),
        }
    }

    #[test]
    fn a_configured_prefix_without_registration_is_answered_for_one_minute() {
        let mut server = map_server(&[prefix("172.16.0.0/24")]);
        assert_eq!(negative(&server, "172.16.0.12"), ("172.16.0.0/24".to_owned(), 1));
        register(&mut server, prefix("172.16.0.13/32"), "203.0.113.11", 1);
        assert_eq!(negative(&server, "172.16.0.12"), ("172.16.0.12/32".to_owned(), 1));
        let mut server = map_server(&[prefix("172.16.0.0/24")]);
        register(&mut server, prefix("172.16.0.128/25"), "203.0.113.11", 1);
        assert_eq!(negative(&server, "172.16.0.12"), ("172.16.0.0/25".to_owned(), 1));
    }

    #[test]
    fn the_holes_of_the_reference_network() {
        let sites = [
            "172.16.0.0/24",
            "192.168.0.0/24",
            "10.10.10.0/24",
            "10.20.20.0/24",
            "2001:db8:a::/64",
            "2001:db8:b::/64",
            "2001:db8:a10::/64",
            "2001:db8:a20::/64",
        ];
        let server = map_server(&sites.map(prefix));
        for (asked, hole) in [
            ("10.0.0.99", "10.0.0.0/13"),
            ("10.99.0.5", "10.64.0.0/10"),
            ("2001:db8:10::99", "2001:db8:10::/44"),
        ] {
            assert_eq!(negative(&server, asked), (hole.to_owned(), 15));
        }
    }

    proptest! {
        /// The hole by definition: of all prefixes around the EID that touch no known prefix, the
        /// shortest. Eight bits of the address vary, so that brute force can look everywhere.
        #[test]
        fn a_hole_is_the_least_specific_prefix_that_touches_nothing_known(
            known in prop::collection::vec((0u8..=255, 24u8..=32), 0..12),
            asked in 0u8..=255,
        ) {
            let net = |last: u8, len: u8| {
                let address: IpAddr = [10, 0, 0, last].into();
                EidPrefix::new(InstanceId::DEFAULT, ipnet::IpNet::new(address, len).unwrap())
            };
            let known: Vec<EidPrefix> = known.into_iter().map(|(last, len)| net(last, len)).collect();
            let asked = Eid::new(InstanceId::DEFAULT, [10, 0, 0, asked].into());
            prop_assume!(!known.iter().any(|prefix| prefix.contains(asked)));
            let octet = match asked.address {
                IpAddr::V4(address) => address.octets()[3],
                IpAddr::V6(_) => unreachable!("the EID is IPv4"),
            };
            let expected = if known.is_empty() {
                prefix("0.0.0.0/0")
            } else {
                (24..=32)
                    .map(|len| net(octet, len))
                    .find(|hole| !known.iter().any(|prefix| prefix.overlaps(hole)))
                    .unwrap()
            };
            let answer = map_server(&known).answer(asked, &[Family::Ipv4]);
            prop_assert_eq!(
                answer,
                Answer::Negative { prefix: expected, ttl_minutes: UNKNOWN_TTL_MINUTES }
            );
        }
    }

    #[test]
    fn only_prefixes_of_a_site_and_allowed_more_specifics_are_registered() {
        let mut server = map_server(&[prefix("172.16.0.0/24")]);
        assert!(register(&mut server, prefix("172.16.0.0/24"), "203.0.113.11", 1));
        assert!(register(&mut server, prefix("172.16.0.128/25"), "203.0.113.11", 1));
        assert!(!register(&mut server, prefix("172.16.0.0/23"), "203.0.113.11", 1));
        assert!(!register(&mut server, prefix("10.99.0.0/24"), "203.0.113.11", 1));
    }

    #[test]
    fn a_request_goes_to_the_etr_of_the_longest_registration() {
        let mut server = map_server(&[prefix("172.16.0.0/24")]);
        register(&mut server, prefix("172.16.0.0/24"), "203.0.113.11", 1);
        register(&mut server, prefix("172.16.0.128/25"), "198.51.100.21", 2);
        let asked = |text| server.answer(eid(text), &[Family::Ipv4]);
        let etr = |text: &str| Answer::Forward(Rloc(text.parse().unwrap()));
        assert_eq!(asked("172.16.0.12"), etr("203.0.113.11"));
        assert_eq!(asked("172.16.0.130"), etr("198.51.100.21"));
    }

    #[test]
    fn another_locator_set_replaces_and_the_same_joins() {
        let mut server = map_server(&[prefix("172.16.0.0/24")]);
        let site = prefix("172.16.0.0/24");
        register(&mut server, site, "203.0.113.11", 1);
        register(&mut server, site, "203.0.113.11", 2);
        assert_eq!(server.entries.get(&site).unwrap().registrations.len(), 2);
        register(&mut server, site, "198.51.100.21", 3);
        let left: Vec<u128> =
            server.entries.get(&site).unwrap().registrations.keys().copied().collect();
        assert_eq!(left, [3]);
        assert_eq!(server.expiries.len(), 1);
    }

    #[test]
    fn a_ttl_of_zero_takes_out_the_senders_registration_only() {
        let mut server = map_server(&[prefix("172.16.0.0/24")]);
        let host = prefix("172.16.0.12/32");
        register(&mut server, host, "198.51.100.21", 2);
        let late = registration(host, "203.0.113.11", 1, 0);
        assert!(server.register(late, false, Time::ZERO), "acknowledged and ignored");
        assert!(server.entries.get(&host).is_some());
        let own = registration(host, "198.51.100.21", 2, 0);
        assert!(server.register(own, false, Time::ZERO));
        assert!(server.entries.get(&host).is_none(), "a more specific goes with its last xTR");
        assert_eq!(server.more_specifics, 0);
    }

    #[test]
    fn a_registration_lapses_after_three_minutes() {
        let mut server = map_server(&[prefix("172.16.0.0/24")]);
        register(&mut server, prefix("172.16.0.0/24"), "203.0.113.11", 1);
        server.expire(Time(179_999_999));
        assert!(server.entries.get(&prefix("172.16.0.0/24")).unwrap().is_registered());
        server.expire(Time::from_secs(180));
        assert!(!server.entries.get(&prefix("172.16.0.0/24")).unwrap().is_registered());
        assert_eq!(server.next_deadline(), None);
    }

    #[test]
    fn a_proxy_reply_is_nobodys_own_and_not_authoritative() {
        let mut server = map_server(&[prefix("172.16.0.0/24")]);
        let site = prefix("172.16.0.0/24");
        let wants =
            Registration { proxy_reply: true, ..registration(site, "203.0.113.11", 1, 1440) };
        server.register(wants, false, Time::ZERO);
        let Answer::Proxy(record) = server.answer(eid("172.16.0.12"), &[Family::Ipv4]) else {
            panic!("the map-server is to answer");
        };
        assert!(!record.authoritative && record.locators.iter().all(|locator| !locator.local));
        assert_eq!(record.ttl_minutes, 1440);
    }

    #[test]
    fn a_site_that_is_taken_away_takes_its_registrations_along() {
        let mut server = map_server(&[prefix("172.16.0.0/24")]);
        register(&mut server, prefix("172.16.0.128/25"), "203.0.113.11", 1);
        server.reconfigure(&Config::default());
        assert!(server.entries.is_empty());
        assert_eq!((server.expiries.len(), server.more_specifics), (0, 0));
    }
}
