//! The map-server and the map-resolver. They accept the registrations of sites, and answer requests
//! for EIDs (RFC 9301 sections 4.2, 5.6, 8.1 to 8.4).
//!
//! The configuration gives each site its prefixes. An ETR with the key of the site may register
//! these prefixes. If the configuration allows this, the ETR may also register longer prefixes
//! inside these prefixes. A registration expires three minutes after its last renewal. A
//! Map-Request for a registered prefix is forwarded to the ETR. If the ETR asked the map-server for
//! proxy replies, the map-server answers the Map-Request itself. Any other Map-Request gets a
//! negative answer. This answer is for the largest prefix that contains the EID and has no mapping.

mod answer;
mod entry;
mod fallen;
mod history;
mod notify;
mod pending;
mod receive;
mod reconfigure;
mod registration;
mod registrations;
mod reliable;
mod replay;
mod sessions;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use entry::SiteEntry;
use history::History;
pub use history::{HISTORY, HistoryEntry};
use pending::PendingNotifies;
pub use registration::Registration;
pub use registrations::Registrations;
use replay::Registers;
use sessions::Sessions;

use super::counters::ControlDrop;
use super::event::Event;
use super::explanations;
use super::owner_changes::OwnerChanges;
use super::reason::SiteReason;
use super::refusals::Explanation;
use crate::addr::{EidPrefix, Rloc};
use crate::prefix_map::PrefixMap;
use crate::rng::Seed;
use crate::time::Time;
use crate::wire::Address;

/// The maximum number of registered prefixes that are not configured.
const MORE_SPECIFICS: usize = 1_000_000;
/// The maximum number of xTRs that may share a prefix.
const XTRS_PER_PREFIX: usize = 64;

/// The effect on the registrations of other xTRs when an xTR registers the same prefix with other
/// locators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Others {
    /// The other registrations are removed, because the prefix has moved.
    GiveWay,
    /// The other registrations are kept, and the new registration is added (the merge bit).
    Join,
    /// The other registrations are kept, and the new registration is refused. A repeated
    /// Map-Register must not take a prefix from another xTR.
    Stay,
}

/// The reason to refuse a record of a Map-Register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NotTaken {
    /// The prefix does not belong to the site whose key signed the Map-Register.
    NoSite,
    /// A table is full: there are too many prefixes, or too many xTRs have registered this prefix.
    Full,
    /// The prefix already belongs to another xTR, and the Map-Register is a repetition
    /// ([`Others::Stay`]).
    TakenOver,
}

impl NotTaken {
    /// Returns the counter for the refused record, and the text for the operator.
    fn explain(self, prefix: EidPrefix, site: &str) -> (ControlDrop, Explanation) {
        match self {
            NotTaken::NoSite => {
                (ControlDrop::NotASitePrefix, explanations::record_not_taken(prefix, site))
            }
            NotTaken::Full => (ControlDrop::TableFull, explanations::map_server_full(prefix, site)),
            NotTaken::TakenOver => {
                (ControlDrop::Replay, explanations::repetition_of_moved(prefix, site))
            }
        }
    }
}

/// A change that a Map-Register or the expiry of a registration causes.
#[derive(Debug)]
struct Change {
    /// The prefix.
    pub prefix: EidPrefix,
    /// The xTR that registered or withdrew.
    pub xtr_id: u128,
    /// Whether the mapping after the change differs from the mapping before it.
    pub is_new: bool,
    /// Whether there was a mapping before the change.
    pub had_mapping: bool,
    /// The registrations of other xTRs that the new registration replaced.
    pub replaced: Vec<Registration>,
    /// Whether a registration was added, removed, or has other values. The nonce and the times of a
    /// registration do not count.
    pub is_altered: bool,
    /// The reason for the change.
    pub reason: SiteReason,
}

/// All sites of a map-server.
#[derive(Debug, Default)]
pub struct MapServer {
    entries: PrefixMap<SiteEntry>,
    expiries: BTreeSet<(Time, EidPrefix, u128)>,
    registers: Registers,
    more_specifics: usize,
    sessions: Sessions,
    pending_notifies: PendingNotifies,
    history: History,
    /// The prefixes that moved from one xTR to another recently.
    owners: OwnerChanges<EidPrefix>,
    /// The changes of the configured prefixes. The caller has not taken these changes yet.
    changes: Vec<Event>,
}

impl MapServer {
    /// Removes and returns the changes of the configured prefixes since the last call.
    pub(super) fn take_changes(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.changes)
    }

    pub(super) fn new(seed: &Seed) -> Self {
        MapServer { pending_notifies: PendingNotifies::new(seed), ..MapServer::default() }
    }

    /// Every EID prefix of every site, for a `show` command.
    pub fn entries(&self) -> &PrefixMap<SiteEntry> {
        &self.entries
    }

    /// The time at which the next registration expires.
    pub(super) fn next_expiry(&self) -> Option<Time> {
        self.expiries.first().map(|&(at, ..)| at)
    }

    /// The time at which the next Map-Notify must be sent again.
    pub(super) fn next_notify(&self) -> Option<Time> {
        self.pending_notifies.next_repetition()
    }

    /// The next time at which entries must be searched for registrations of ended sessions.
    pub(super) fn next_look(&self) -> Option<Time> {
        self.sessions.next_look()
    }

    /// Recent registrations and withdrawals, the oldest first.
    pub fn history(&self) -> impl Iterator<Item = &HistoryEntry> {
        self.history.entries()
    }

    /// Returns the configured prefix to which a registration of `prefix` belongs, and the site of
    /// the configured prefix. The configured prefix is `prefix` itself, or the longest configured
    /// prefix that contains `prefix`. In the second case, the configured prefix must accept more
    /// specifics.
    fn configured_for(&self, prefix: &EidPrefix) -> Option<(EidPrefix, &Arc<str>)> {
        let configured = self.entries.covering(prefix).filter(|(_, entry)| entry.origin.is_none());
        let (origin, entry) = configured.last()?;
        let allowed = origin == *prefix || entry.accept_more_specifics;
        allowed.then_some((origin, &entry.site))
    }

    /// The longest configured prefix that covers `prefix`, and the site of this configured prefix.
    /// The site may refuse registrations of `prefix`.
    pub fn configured_site(&self, prefix: &EidPrefix) -> Option<(EidPrefix, &str)> {
        let configured = self.entries.covering(prefix).filter(|(_, entry)| entry.origin.is_none());
        configured.last().map(|(configured, entry)| (configured, &*entry.site))
    }

    /// Handles one record of an authenticated Map-Register. Returns the change, or the reason to
    /// refuse the record.
    fn register(
        &mut self,
        registration: Registration,
        others: Others,
        now: Time,
    ) -> Result<Change, NotTaken> {
        let prefix = registration.record.eid_prefix;
        let (origin, site) = self.configured_for(&prefix).ok_or(NotTaken::NoSite)?;
        let site = Arc::clone(site);
        let xtr_id = registration.xtr_id;
        let mapping_before = self.mapping(&prefix);
        if registration.record.ttl_minutes == 0 {
            let is_altered = self.withdraw(&prefix, xtr_id, now);
            let reason = SiteReason::Withdrawn(registration.source);
            return Ok(self.change(prefix, xtr_id, mapping_before, (is_altered, reason)));
        }
        if !self.entries.contains(&prefix) {
            if self.more_specifics >= MORE_SPECIFICS {
                return Err(NotTaken::Full);
            }
            self.more_specifics += 1;
            self.entries.insert(prefix, SiteEntry::new(site, false, Some(origin)));
        }
        let entry = self.entries.get_mut(&prefix).ok_or(NotTaken::Full)?;
        let is_other =
            |other: &Registration| other.xtr_id != xtr_id && !same_locators(other, &registration);
        if others == Others::Stay && entry.registrations.iter().any(is_other) {
            return Err(NotTaken::TakenOver);
        }
        let before = entry.registrations.remove(xtr_id);
        // A registration with other locators and without the merge bit is a move. It replaces the
        // registrations of other xTRs.
        let moved = |other: &Registration| others == Others::GiveWay && is_other(other);
        let replaced = entry.registrations.take_if(|other| moved(other));
        for gone in before.iter().chain(&replaced) {
            self.sessions.left(gone.session);
        }
        if entry.registrations.len() >= XTRS_PER_PREFIX {
            return Err(NotTaken::Full);
        }
        let is_same = before.as_ref().is_some_and(|before| before.is_like(&registration));
        let is_altered = !is_same || !replaced.is_empty();
        let reason = match registration.session {
            Some(_) => SiteReason::Registration(registration.source),
            None => SiteReason::MapRegister(registration.source),
        };
        let first_registered_at = before.as_ref().map_or(now, |before| before.first_registered_at);
        let registration = Registration { first_registered_at, ..registration };
        let told = before.as_ref().is_some_and(|before| before.session == registration.session);
        if !told || !replaced.is_empty() {
            self.history.registered(&registration, !replaced.is_empty(), now);
        }
        if let Some(at) = registration.expires_at() {
            self.expiries.insert((at, prefix, xtr_id));
        }
        self.sessions.joined(registration.session);
        entry.registrations.insert(registration);
        for gone in before.iter().chain(&replaced) {
            self.forget_expiry(gone);
        }
        let change = self.change(prefix, xtr_id, mapping_before, (is_altered, reason));
        Ok(Change { replaced, ..change })
    }

    /// Removes the expiry of a registration that does not exist any more. The expiry remains if a
    /// newer registration of the same xTR for this prefix expires at exactly the same time.
    fn forget_expiry(&mut self, gone: &Registration) {
        let prefix = gone.record.eid_prefix;
        let entry = self.entries.get(&prefix);
        let current = entry.and_then(|entry| entry.registrations.get(gone.xtr_id));
        let same = current.is_some_and(|current| current.expires_at() == gone.expires_at());
        if let Some(at) = gone.expires_at().filter(|_| !same) {
            self.expiries.remove(&(at, prefix, gone.xtr_id));
        }
    }

    /// Removes the registration of one xTR. The registrations of all other xTRs remain. Returns
    /// whether the xTR had a registration.
    fn withdraw(&mut self, prefix: &EidPrefix, xtr_id: u128, now: Time) -> bool {
        let Some(entry) = self.entries.get_mut(prefix) else { return false };
        let gone = entry.registrations.remove(xtr_id);
        if entry.origin.is_some() && !entry.is_registered() {
            self.entries.remove(prefix);
            self.more_specifics -= 1;
        }
        if let Some(gone) = &gone {
            self.sessions.left(gone.session);
            self.forget_expiry(gone);
            self.history.withdrawn(gone, now);
        }
        gone.is_some()
    }

    /// Removes the registrations that were not renewed in time. Returns the changes.
    fn expire(&mut self, now: Time) -> Vec<Change> {
        let mut changes = Vec::new();
        while let Some(&(at, prefix, xtr_id)) = self.expiries.first() {
            if at > now {
                break;
            }
            self.expiries.remove(&(at, prefix, xtr_id));
            let before = self.mapping(&prefix);
            let is_altered = self.withdraw(&prefix, xtr_id, now);
            changes.push(self.change(prefix, xtr_id, before, (is_altered, SiteReason::Expired)));
        }
        changes
    }
}

fn same_locators(one: &Registration, other: &Registration) -> bool {
    rlocs(one) == rlocs(other)
}

/// The locators of a registration: an RLOC for each IP locator, and the address of each opaque
/// locator.
fn rlocs(registration: &Registration) -> BTreeSet<Result<Rloc, &Address>> {
    let locators = registration.record.locators.iter();
    locators.map(|locator| locator.ip().ok_or(&locator.rloc)).collect()
}

#[cfg(test)]
mod fixture {
    use std::collections::BTreeMap;
    use std::net::IpAddr;

    use super::*;
    use crate::addr::{Eid, InstanceId};
    use crate::router::config::{Config, Lisp, Service, Site, SitePrefix};
    use crate::router::register::LIFETIME;
    use crate::wire::{self, Algorithm, MacForm, MappingRecord, Nonce, XtrIdentity};

    pub(super) fn prefix(text: &str) -> EidPrefix {
        EidPrefix::new(InstanceId::DEFAULT, text.parse().unwrap())
    }

    pub(super) fn eid(text: &str) -> Eid {
        Eid::new(InstanceId::DEFAULT, text.parse().unwrap())
    }

    /// A map-server with one site. The site has these prefixes, and accepts more specifics of each.
    pub(super) fn map_server(prefixes: &[EidPrefix]) -> MapServer {
        let options = SitePrefix { accept_more_specifics: true };
        let eid_prefixes = prefixes.iter().map(|prefix| (*prefix, options)).collect();
        let service = Service { map_server: true, ..Service::default() };
        let lisp = Lisp {
            ipv4: service.clone(),
            ipv6: service,
            sites: BTreeMap::from([("site".to_owned(), Site { eid_prefixes, ..Site::default() })]),
            ..Lisp::default()
        };
        let mut map_server = MapServer::default();
        map_server.reconfigure(&Config { lisp: Some(lisp), ..Config::default() });
        map_server
    }

    pub(super) fn registration(
        prefix: EidPrefix,
        rloc: &str,
        xtr_id: u128,
        ttl_minutes: u32,
    ) -> Registration {
        let source: IpAddr = rloc.parse().unwrap();
        let locator = wire::LocatorRecord::unicast(source, 1, 100);
        Registration {
            source,
            source_port: wire::CONTROL_PORT,
            xtr_id,
            identity: Some(XtrIdentity { xtr_id, site_id: 0 }),
            is_proven: true,
            record: MappingRecord::of_site(prefix, ttl_minutes, vec![locator]),
            proxy_reply: false,
            map_notify: true,
            nonce: Nonce(1),
            form: MacForm::of_first(Algorithm::HmacSha1),
            first_registered_at: Time::ZERO,
            last_registered_at: Time::ZERO,
            lifetime: LIFETIME,
            session: None,
        }
    }

    pub(super) fn register(
        server: &mut MapServer,
        prefix: EidPrefix,
        rloc: &str,
        xtr_id: u128,
    ) -> bool {
        server
            .register(registration(prefix, rloc, xtr_id, 1440), Others::GiveWay, Time::ZERO)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::{map_server, prefix, register, registration};
    use super::*;

    #[test]
    fn only_prefixes_of_a_site_and_allowed_more_specifics_are_registered() {
        let mut server = map_server(&[prefix("172.16.0.0/24")]);
        assert!(register(&mut server, prefix("172.16.0.0/24"), "203.0.113.11", 1));
        assert!(register(&mut server, prefix("172.16.0.128/25"), "203.0.113.11", 1));
        assert!(!register(&mut server, prefix("172.16.0.0/23"), "203.0.113.11", 1));
        assert!(!register(&mut server, prefix("10.99.0.0/24"), "203.0.113.11", 1));
    }

    #[test]
    fn another_locator_set_replaces_and_the_same_joins() {
        let mut server = map_server(&[prefix("172.16.0.0/24")]);
        let site = prefix("172.16.0.0/24");
        register(&mut server, site, "203.0.113.11", 1);
        register(&mut server, site, "203.0.113.11", 2);
        assert_eq!(server.entries.get(&site).unwrap().registrations.len(), 2);
        register(&mut server, site, "198.51.100.21", 3);
        let left = server.entries.get(&site).unwrap().registrations.iter();
        let left: Vec<u128> = left.map(|registration| registration.xtr_id).collect();
        assert_eq!(left, [3]);
        assert_eq!(server.expiries.len(), 1);
    }

    #[test]
    fn another_name_for_a_locator_is_no_move_and_another_name_alone_is_one() {
        let site = prefix("172.16.0.0/24");
        let name = |text: &str| Address::Name(text.as_bytes().into());
        let named = |text: &str| {
            let address = Address::Ip([203, 0, 113, 11].into());
            Address::List(vec![address, name(text)])
        };
        let left_of = |first: Address, second: Address| {
            let mut server = map_server(&[site]);
            for (xtr_id, rloc) in [(1, first), (2, second)] {
                let mut registration = registration(site, "203.0.113.11", xtr_id, 1440);
                registration.record.locators[0].rloc = rloc;
                server.register(registration, Others::GiveWay, Time::ZERO).unwrap();
            }
            server.entries.get(&site).unwrap().registrations.len()
        };
        assert_eq!(left_of(named("a"), named("b")), 2);
        assert_eq!(left_of(name("a"), name("a")), 2);
        assert_eq!(left_of(name("a"), name("b")), 1);
    }

    #[test]
    fn a_ttl_of_zero_takes_out_the_senders_registration_only() {
        let mut server = map_server(&[prefix("172.16.0.0/24")]);
        let host = prefix("172.16.0.12/32");
        register(&mut server, host, "198.51.100.21", 2);
        let late = registration(host, "203.0.113.11", 1, 0);
        assert!(
            server.register(late, Others::GiveWay, Time::ZERO).is_ok(),
            "acknowledged and ignored"
        );
        assert!(server.entries.get(&host).is_some());
        let own = registration(host, "198.51.100.21", 2, 0);
        assert!(server.register(own, Others::GiveWay, Time::ZERO).is_ok());
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
        assert_eq!(server.next_expiry(), None);
    }

    #[test]
    fn a_site_that_is_taken_away_takes_its_registrations_along() {
        let mut server = map_server(&[prefix("172.16.0.0/24")]);
        register(&mut server, prefix("172.16.0.128/25"), "203.0.113.11", 1);
        server.reconfigure(&crate::router::config::Config::default());
        assert!(server.entries.is_empty());
        assert_eq!((server.expiries.len(), server.more_specifics), (0, 0));
    }
}
