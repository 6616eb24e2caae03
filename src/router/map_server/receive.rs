//! Handles received Map-Registers (RFC 9301 sections 5.6, 5.7 and 8.2).

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::replay::{Candidate, Freshness};
use super::{MapServer, NotTaken, Others, Registration, SiteEntry};
use crate::addr::{EidPrefix, Family};
use crate::prefix_map::PrefixMap;
use crate::router::config::Config;
use crate::router::context::Context;
use crate::router::counters::ControlDrop;
use crate::router::explanations;
use crate::router::io::{Connection, Output};
use crate::router::kept::{KeptNonces, KeyPrint, NonceRequest, Sender};
use crate::router::reason::{MessageReason, NotifyReason};
use crate::router::refusals::Explanation;
use crate::time::Time;
use crate::wire::{
    self, CONTROL_PORT, Key, MacForm, MapNotify, MapRegister, MappingRecord, RejectReason,
    Verified, XtrIdentity,
};

impl MapServer {
    /// Returns the records in `records` whose prefix this xTR has registered.
    fn registered_by(&self, xtr_id: u128, records: &[MappingRecord]) -> Vec<MappingRecord> {
        let registered =
            |record: &&MappingRecord| self.registration(&record.eid_prefix, xtr_id).is_some();
        records.iter().filter(registered).cloned().collect()
    }

    /// The registration of a prefix by an xTR.
    pub(super) fn registration(&self, prefix: &EidPrefix, xtr_id: u128) -> Option<&Registration> {
        self.entries.get(prefix)?.registrations.get(xtr_id)
    }
}

/// The xTRs that have at least one registration.
fn live_xtrs(entries: &PrefixMap<SiteEntry>) -> BTreeSet<u128> {
    let registrations = entries.iter().flat_map(|(_, entry)| entry.registrations.iter());
    registrations.map(|registration| registration.xtr_id).collect()
}

/// The reason to refuse a Map-Register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The reason in the Registration Reject.
    pub reason: RejectReason,
    /// The counter for the refused message.
    pub drop: ControlDrop,
    /// The text for the operator.
    pub told: Explanation,
}

/// A Map-Register that is signed with the key of its site and is not a replay.
pub(super) struct Authenticated {
    /// The key of the site.
    pub key: Key,
    /// The form of the MAC (message authentication code) in the Map-Register. The MAC of the answer
    /// has the same form.
    pub form: MacForm,
    /// The xTR-ID and the Site-ID of the Map-Register, if the MAC covers these two fields. If the
    /// MAC does not cover these fields, any sender may have written them.
    pub identity: Option<XtrIdentity>,
    /// 128 bits that identify the sender of the Map-Register: the authenticated xTR-ID, or a value
    /// made from the source address if there is no authenticated xTR-ID.
    pub xtr_id: u128,
    /// Whether the Map-Register is new or a repetition.
    pub freshness: Freshness,
}

impl MapServer {
    /// Handles a Map-Register received by UDP (RFC 9301 section 8.2). Authenticates the
    /// Map-Register with the key of its site, refuses a replay, and registers each record that the
    /// site may register. Acknowledges these records with a Map-Notify if the ETR asks for a
    /// Map-Notify.
    pub(in crate::router) fn handle_map_register(
        &mut self,
        context: &mut Context,
        register: &MapRegister,
        payload: &[u8],
        (from, to): (SocketAddr, IpAddr),
        now: Time,
    ) {
        let authenticated = match self.authenticate(context, register, payload, from.ip(), now) {
            Ok(authenticated) => authenticated,
            Err(Refusal { drop, told, .. }) => {
                return context.refuse(from.ip(), drop, now, || told);
            }
        };
        let accepted = match authenticated.freshness {
            Freshness::Repeated => self.registered_by(authenticated.xtr_id, &register.records),
            freshness => {
                // If the Map-Register may be a replay, its source may be forged. So this source may
                // not open a session.
                if register.reliable_transport && freshness == (Freshness::New { proven: true }) {
                    self.sessions.admit(from.ip(), now);
                }
                self.register_records(context, register, &authenticated, from, now)
            }
        };
        if register.want_map_notify {
            notify(context, register, accepted, &authenticated, (from, to));
        }
    }

    /// Checks that the sender of a Map-Register has the key of its site, and that the Map-Register
    /// is not a replay. The site of the Map-Register is the site of the first record whose prefix
    /// belongs to a site. So a record whose prefix belongs to no site does not make the other
    /// records invalid.
    pub(super) fn authenticate(
        &mut self,
        context: &mut Context,
        register: &MapRegister,
        payload: &[u8],
        from: IpAddr,
        now: Time,
    ) -> Result<Authenticated, Refusal> {
        let refusal = |reason, drop, told| Refusal { reason, drop, told };
        let other = |drop, told| refusal(RejectReason::Other, drop, told);
        let Some(first) = register.records.first().map(|record| record.eid_prefix) else {
            return Err(other(ControlDrop::Malformed, explanations::registers_nothing()));
        };
        let Some((first, origin, site)) = self.site_of(register) else {
            let told = explanations::no_site(first);
            return Err(refusal(RejectReason::NotASitePrefix, ControlDrop::NotASitePrefix, told));
        };
        let key = context.config.site_key(&site).cloned();
        let has_key = key.is_some();
        let verified = key.as_ref().and_then(|key| wire::verify(payload, key).ok());
        let (Some(key), Some(verified)) = (key, verified) else {
            if let Some(entry) = self.entries.get_mut(&origin) {
                entry.authentication_failures += 1;
            }
            let told = explanations::wrong_key(first, &site, has_key);
            let reason = RejectReason::AuthenticationFailure;
            return Err(refusal(reason, ControlDrop::Authentication, told));
        };
        context.counters.map_registers.received += 1;
        context.recent_registers.count(now);
        let Verified { form, covered, covers_identity } = verified;
        let identity = register.xtr_identity.filter(|_| covers_identity);
        let sender = Sender::of(identity, from);
        let candidate = Candidate {
            site: &site,
            key: KeyPrint::of(&key),
            order: context.config.site(&site).map(|site| site.nonce_order).unwrap_or_default(),
            sender,
            source: from,
            nonce: register.nonce,
            covered,
        };
        let freshness = self.judge(context, &candidate, now);
        let nonce = register.nonce;
        let replay = match freshness {
            Freshness::NotGreater { last } => {
                explanations::nonce_not_greater(first, &site, (nonce, last), &sender)
            }
            Freshness::CameBefore { newest } => {
                explanations::octets_came_before(first, &site, (nonce, newest))
            }
            Freshness::New { .. } | Freshness::Renewed | Freshness::Repeated => {
                let xtr_id = sender.xtr_id();
                return Ok(Authenticated { key, form, identity, xtr_id, freshness });
            }
        };
        if let Some(entry) = self.entries.get_mut(&origin) {
            entry.replays += 1;
        }
        Err(other(ControlDrop::Replay, replay))
    }

    /// Returns the first prefix in a Map-Register that belongs to a site. Also returns the
    /// configured prefix that contains this prefix, and the site.
    fn site_of(&self, register: &MapRegister) -> Option<(EidPrefix, EidPrefix, Arc<str>)> {
        let mut prefixes = register.records.iter().map(|record| record.eid_prefix);
        prefixes.find_map(|prefix| {
            let (origin, site) = self.configured_for(&prefix)?;
            Some((prefix, origin, Arc::clone(site)))
        })
    }

    /// Decides whether a Map-Register is new, a repetition or a replay. Stores a new Map-Register
    /// for later decisions.
    fn judge(&mut self, context: &mut Context, candidate: &Candidate<'_>, now: Time) -> Freshness {
        let MapServer { registers, entries, .. } = self;
        let (freshness, requests) = registers.judge(candidate, || live_xtrs(entries), now);
        let forgotten = requests.iter().filter(|it| matches!(it, NonceRequest::Forget(_))).count();
        context.counters.forgotten_nonces += forgotten as u64;
        context.outputs.extend(requests.into_iter().map(Output::Nonce));
        freshness
    }

    /// Restores the stored nonces of Map-Registers that this router received in previous runs.
    pub(in crate::router) fn restore_taken_nonces(&mut self, kept: &KeptNonces, now: Time) {
        self.registers.restore(kept, now);
    }

    fn register_records(
        &mut self,
        context: &mut Context,
        register: &MapRegister,
        authenticated: &Authenticated,
        source: SocketAddr,
        now: Time,
    ) -> Vec<MappingRecord> {
        let mut accepted = Vec::new();
        for record in &register.records {
            let site = self.configured_for(&record.eid_prefix);
            let same_key = site.is_some_and(|(_, site)| {
                context
                    .config
                    .site_key(site)
                    .is_some_and(|other| other.secret == authenticated.key.secret)
            });
            // A legacy map-server ignores withdrawals. Its registrations end only when they expire.
            if record.ttl_minutes == 0 && is_legacy(&context.config, record.eid_prefix.family()) {
                continue;
            }
            let by = (authenticated, source, None);
            let taken = match same_key {
                true => self.register_record(context, register, record, by, now),
                false => Err(NotTaken::NoSite),
            };
            match taken {
                Ok(()) => accepted.push(record.clone()),
                Err(not_taken) => {
                    let site = self.site_of(register).map(|(.., site)| site).unwrap_or_default();
                    let (drop, told) = not_taken.explain(record.eid_prefix, &site);
                    context.refuse(source.ip(), drop, now, || told);
                }
            }
        }
        accepted
    }

    /// Registers one record of an authenticated Map-Register, and notifies the affected xTRs. `by`
    /// is the authenticated Map-Register, its source and its session.
    pub(super) fn register_record(
        &mut self,
        context: &mut Context,
        register: &MapRegister,
        record: &MappingRecord,
        by: (&Authenticated, SocketAddr, Option<Connection>),
        now: Time,
    ) -> Result<(), NotTaken> {
        let (&Authenticated { form, identity, xtr_id, freshness, .. }, source, session) = by;
        let registration = Registration {
            source: source.ip(),
            source_port: source.port(),
            xtr_id,
            identity,
            is_proven: freshness == (Freshness::New { proven: true }),
            record: record.clone(),
            proxy_reply: register.proxy_reply,
            map_notify: register.want_map_notify,
            nonce: register.nonce,
            form,
            first_registered_at: now,
            last_registered_at: now,
            lifetime: Registration::lifetime(record, register.ttl_for_timeout),
            session,
        };
        let others = match (register.merge, freshness) {
            (true, _) => Others::Join,
            (false, Freshness::Renewed) => Others::Stay,
            (false, _) => Others::GiveWay,
        };
        let change = self.register(registration, others, now)?;
        context.counters.took(record);
        self.publish(context, change, now);
        Ok(())
    }
}

/// Whether the map-server is configured as `legacy` for EIDs of a family.
fn is_legacy(config: &Config, family: Family) -> bool {
    config.service(family).is_some_and(|service| service.map_server_legacy)
}

/// Sends a Map-Notify that acknowledges the accepted records of a Map-Register. If no record was
/// accepted, no Map-Notify is sent.
fn notify(
    context: &mut Context,
    register: &MapRegister,
    records: Vec<MappingRecord>,
    authenticated: &Authenticated,
    (from, to): (SocketAddr, IpAddr),
) {
    let Authenticated { key, form, identity, .. } = authenticated;
    let Some(prefix) = records.first().map(|record| record.eid_prefix) else { return };
    let notify = MapNotify {
        built_for_rtr: false,
        nonce: register.nonce,
        authentication: wire::Authentication::default(),
        records,
        // RFC 9301 section 5.6 can be read in two ways: the MAC ends at the last record, or it also
        // covers the xTR-ID after the records. An ETR checks our MAC in the same way in which it
        // makes its own MAC. If no xTR-ID follows the records, both ways give the same MAC. So the
        // Map-Notify has an xTR-ID only if the MAC of the ETR covers an xTR-ID. We never sign an
        // xTR-ID that is not proven.
        xtr_identity: *identity,
    };
    context.counters.map_notifies.sent += 1;
    let source = SocketAddr::new(to, CONTROL_PORT);
    let destination = SocketAddr::new(from.ip(), CONTROL_PORT);
    let octets = notify.emit_signed_as(key, *form);
    let reason = MessageReason::MapNotify(NotifyReason::Registered { prefix, etr: from.ip() });
    context.send_octets((source, destination), octets, reason);
}
