//! Notifications about a changed registration. An xTR with a session gets a Mapping Notification
//! when one of its prefixes changes, or when a longer prefix inside one of its prefixes changes. An
//! xTR that registers by UDP gets a Map-Notify when another xTR takes over its prefix (RFC 9301
//! section 5.7; the reliable transport draft, section 5.5; draft-ietf-lisp-eid-mobility section
//! 4.2.3).

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::SiteEntry;
use super::answer::proxy_record;
use super::pending::{Pending, PendingNotifies};
use super::{Change, MapServer, Registration};
use crate::addr::{EidPrefix, Rloc};
use crate::router::context::Context;
use crate::router::counters::ControlDrop;
use crate::router::event::{Event, SiteRegistrationChange};
use crate::router::explanations;
use crate::router::io::Connection;
use crate::router::owner_changes::{CHANGES, Owned, WINDOW};
use crate::router::reason::{MessageReason, MovedReason, NotifyReason, SiteReason};
use crate::time::Time;
use crate::wire::{
    self, CONTROL_PORT, MapNotify, MapNotifyAck, MappingNotification, MappingRecord, Nonce,
    ReliableMessage, XtrIdentity,
};

/// The wait after each transmission of an unsolicited Map-Notify. RFC 9301 section 5.7 asks for
/// three repetitions at intervals of three seconds. Then the RFC asks for three more repetitions,
/// and the interval is doubled before each of them. After the last repetition, the map-server waits
/// once more for the acknowledgement.
const WAITS: [Duration; 7] = [
    Duration::from_secs(3),
    Duration::from_secs(3),
    Duration::from_secs(3),
    Duration::from_secs(6),
    Duration::from_secs(12),
    Duration::from_secs(24),
    Duration::from_secs(48),
];
/// The maximum number of Map-Notifies that can wait for an acknowledgement at the same time.
const PENDING: usize = 4096;

impl MapServer {
    /// The mapping of a prefix: all its registrations in one record.
    pub(in crate::router) fn mapping(&self, prefix: &EidPrefix) -> Option<MappingRecord> {
        let entry = self.entries.get(prefix)?;
        entry.is_registered().then(|| proxy_record(*prefix, entry))
    }

    pub(super) fn change(
        &self,
        prefix: EidPrefix,
        xtr_id: u128,
        before: Option<MappingRecord>,
        (is_altered, reason): (bool, SiteReason),
    ) -> Change {
        let had_mapping = before.is_some();
        let is_new = self.mapping(&prefix).map(|record| record.locators)
            != before.map(|record| record.locators);
        let replaced = Vec::new();
        Change { prefix, xtr_id, is_new, had_mapping, replaced, is_altered, reason }
    }

    /// The sessions of the xTRs that registered `prefix` or a less specific prefix. The xTR
    /// `except` is left out.
    fn sessions_around(&self, prefix: &EidPrefix, except: u128) -> BTreeSet<Connection> {
        let registrations = self.entries.covering(prefix).flat_map(|(_, entry)| {
            entry.registrations.iter().filter(|registration| registration.xtr_id != except)
        });
        registrations.filter_map(|registration| registration.session).collect()
    }
}

impl MapServer {
    /// Reports a change, and notifies the affected xTRs.
    pub(super) fn publish(&mut self, context: &mut Context, change: Change, now: Time) {
        let Change { prefix, xtr_id, is_new, had_mapping, replaced, is_altered, reason } = change;
        if !is_new && !is_altered {
            return;
        }
        let entry = self.entries.get(&prefix);
        let change = match (entry.is_some_and(SiteEntry::is_registered), had_mapping) {
            _ if !is_new => SiteRegistrationChange::Altered,
            (false, _) => SiteRegistrationChange::Gone,
            (true, false) => SiteRegistrationChange::Registered,
            (true, true) => SiteRegistrationChange::Moved,
        };
        let configured = || self.configured_for(&prefix).map(|(_, site)| site);
        let site = entry.map(|entry| &entry.site).or_else(configured);
        let site = site.map(|site| site.to_string()).unwrap_or_default();
        context.tell(Event::SiteRegistration { eid_prefix: prefix, site, change, reason });
        if !is_new {
            return;
        }
        if let Some(before) = replaced.first() {
            self.name_duplicate(context, prefix, (before.source, xtr_id), reason, now);
        }
        // A Map-Notify about this prefix that still waits for its acknowledgement is out of date.
        // So it is not repeated.
        let notifies = &mut self.pending_notifies;
        let stale = |(_, about): &(IpAddr, EidPrefix), _: &mut Pending| *about == prefix;
        for (about, _) in notifies.pending.extract_if(.., stale) {
            notifies.due.set(about, None);
        }
        let mut sessions = self.sessions_around(&prefix, xtr_id);
        sessions.extend(replaced.iter().filter_map(|registration| registration.session));
        let notification = self.mapping_notification(prefix, xtr_id);
        for connection in sessions {
            let message = ReliableMessage::MappingNotification(notification.clone());
            let cause = MovedReason::RegistrationChanged;
            let reason = MessageReason::MappingNotification { prefix, cause };
            self.send_on_session(context, connection, message, reason);
        }
        for registration in replaced.iter().filter(|each| each.session.is_none()) {
            self.notify_replaced(context, registration, &notification, now);
        }
    }

    /// Handles a prefix that moved from the xTR at `before` to another xTR. Reports the prefix if
    /// it moves between xTRs again and again.
    fn name_duplicate(
        &mut self,
        context: &mut Context,
        prefix: EidPrefix,
        (before, xtr_id): (IpAddr, u128),
        reason: SiteReason,
        now: Time,
    ) {
        let Owned::Duplicate { is_to_be_named: true } = self.owners.changed(&prefix, now) else {
            return;
        };
        let Some(entry) = self.entries.get(&prefix) else { return };
        let site = Arc::clone(&entry.site);
        let newer = entry.registrations.get(xtr_id).map(|registration| registration.source);
        let (by, changes, seconds) = ((newer, before), CHANGES as u32, WINDOW.as_secs());
        context.tell(Event::SiteRegistration {
            eid_prefix: prefix,
            site: site.to_string(),
            change: SiteRegistrationChange::Duplicate { by, changes, seconds },
            reason,
        });
    }

    /// Notifies an xTR that has just registered `prefix` through its session. The notifications are
    /// about the registrations of other xTRs inside `prefix`: the xTR got no notification when
    /// these registrations changed.
    pub(super) fn tell_more_specifics(
        &mut self,
        context: &mut Context,
        prefix: &EidPrefix,
        xtr_id: u128,
        connection: Connection,
    ) {
        let inside = self.entries.covered_by(prefix);
        let of_others: Vec<(EidPrefix, u128)> = inside
            .filter(|(inner, entry)| inner != prefix && entry.registrations.get(xtr_id).is_none())
            .filter_map(|(inner, entry)| Some((inner, entry.registrations.iter().next()?.xtr_id)))
            .collect();
        for (inner, other) in of_others {
            let notification = self.mapping_notification(inner, other);
            let cause = MovedReason::RegisteredAround(*prefix);
            let reason = MessageReason::MappingNotification { prefix: inner, cause };
            let message = ReliableMessage::MappingNotification(notification);
            self.send_on_session(context, connection, message, reason);
        }
    }

    /// The Mapping Notification for a prefix. If the prefix is not registered, the record has a TTL
    /// of zero and no locators.
    fn mapping_notification(&self, prefix: EidPrefix, xtr_id: u128) -> MappingNotification {
        let record = self.mapping(&prefix).unwrap_or_else(|| MappingRecord {
            authoritative: false,
            ..MappingRecord::of_site(prefix, 0, Vec::new())
        });
        let entry = self.entries.get(&prefix);
        let last = entry.and_then(|entry| entry.registrations.get(xtr_id));
        let identity = last.and_then(|registration| registration.identity);
        let xtr_identity = identity.unwrap_or(XtrIdentity { xtr_id, site_id: 0 });
        MappingNotification { xtr_identity, record }
    }

    /// Sends a Map-Notify to an xTR that registers by UDP, because another xTR has taken over its
    /// prefix. The Map-Notify is repeated until the xTR acknowledges it.
    fn notify_replaced(
        &mut self,
        context: &mut Context,
        replaced: &Registration,
        notification: &MappingNotification,
        now: Time,
    ) {
        let prefix = notification.record.eid_prefix;
        let Some((_, site)) = self.configured_for(&prefix) else { return };
        let site = site.to_owned();
        let Some(key) = context.config.site_key(&site).cloned() else { return };
        let pending = &mut self.pending_notifies;
        if pending.pending.len() >= PENDING {
            let told = || explanations::too_many_notifies(prefix);
            return context.refuse(replaced.source, ControlDrop::TableFull, now, told);
        }
        let nonce = Nonce(pending.rng.next_u64());
        let notify = MapNotify {
            nonce,
            records: vec![notification.record.clone()],
            // The Map-Notify has an xTR-ID only if the Map-Register had one. The same is true for a
            // Map-Notify that acknowledges a Map-Register.
            xtr_identity: replaced.identity.map(|_| notification.xtr_identity),
            ..MapNotify::default()
        };
        let octets = notify.emit_signed_as(&key, replaced.form);
        let waiting = Pending { nonce, octets, key, tries: 0 };
        pending.pending.insert((replaced.source, prefix), waiting);
        pending.due.set((replaced.source, prefix), Some(now));
        self.repeat_map_notifies(context, now);
    }

    /// Sends the Map-Notifies that are due. Deletes a Map-Notify that is still not acknowledged
    /// after its last wait.
    pub(in crate::router) fn repeat_map_notifies(&mut self, context: &mut Context, now: Time) {
        while let Some(about) = self.pending_notifies.due.pop(now) {
            let PendingNotifies { pending, due, .. } = &mut self.pending_notifies;
            let Some(each) = pending.get_mut(&about) else { continue };
            let Some(wait) = WAITS.get(each.tries) else {
                pending.remove(&about);
                continue;
            };
            let unacknowledged = each.tries;
            each.tries += 1;
            due.set(about, Some(now + *wait));
            let (to, octets) = (about.0, each.octets.clone());
            let Some(source) = context.local.preferred(Rloc(to).family()) else { continue };
            context.counters.map_notifies.sent += 1;
            let from = SocketAddr::new(source.0, CONTROL_PORT);
            let taken_over = NotifyReason::TakenOver { prefix: about.1, unacknowledged };
            let ends = (from, SocketAddr::new(to, CONTROL_PORT));
            context.send_octets(ends, octets, MessageReason::MapNotify(taken_over));
        }
    }

    /// Handles a Map-Notify-Ack. The acknowledged Map-Notify is not repeated any more.
    pub(in crate::router) fn handle_map_notify_ack(
        &mut self,
        context: &mut Context,
        acknowledgement: &MapNotifyAck,
        payload: &[u8],
        from: IpAddr,
        now: Time,
    ) {
        let nonce = acknowledgement.0.nonce;
        let pending = &mut self.pending_notifies.pending;
        let answers = |(to, _): &(IpAddr, EidPrefix), each: &Pending| {
            *to == from && each.nonce == nonce && wire::verify(payload, &each.key).is_ok()
        };
        let answered = pending.iter().find(|(about, each)| answers(about, each));
        let Some(answered) = answered.map(|(about, _)| *about) else {
            let told = || explanations::unasked_acknowledgement(&acknowledgement.0.records);
            return context.refuse(from, ControlDrop::UnknownNonce, now, told);
        };
        pending.remove(&answered);
        self.pending_notifies.due.set(answered, None);
        context.counters.map_notify_acks.received += 1;
    }

    /// Removes the registrations that were not renewed in time, and notifies the affected xTRs.
    pub(in crate::router) fn expire_registrations(&mut self, context: &mut Context, now: Time) {
        for change in self.expire(now) {
            self.publish(context, change, now);
        }
    }
}
