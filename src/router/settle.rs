//! The end of each input. The router updates its tables, its registrations, the kernel and its
//! peers. The update uses the configuration, the state of the kernel and the hosts on the ports of
//! this router.

use std::collections::{BTreeMap, BTreeSet};

use super::Router;
use super::away::{self, Producer, Stay};
use super::database::Changes;
use super::io::KernelObject;
use super::kernel;
use super::reason::{AwayReason, DatabaseReason, RegisterReason};
use super::stale::Stale;
use crate::addr::EidPrefix;
use crate::time::Time;

impl Router {
    /// Ends an input. Reconciles all parts that are stale because of this input. Then does the work
    /// that waits until the parts are up to date. For example, it removes the route of an away
    /// entry that has ended.
    pub(super) fn settle(&mut self, now: Time) {
        while !self.is_settled() {
            let requests = std::mem::take(&mut self.stale.requests);
            let released = std::mem::take(&mut self.stale.released);
            self.reconcile(now);
            self.context.request(requests);
            for held in released {
                self.release(held, now);
            }
        }
        self.mobility.departures.clear();
        self.registrar.keep_nonce(&mut self.context);
        self.context.tell_all(self.map_cache.take_changes());
        self.context.tell_all(self.away.take_changes());
        self.context.tell_all(self.mobility.take_changes());
        self.context.tell_all(self.registrar.take_changes());
        self.context.tell_all(self.map_server.take_changes());
        self.context.tell_all(self.reachability.take_changes());
        self.process.settle(&mut self.context, &self.rib, &self.paths);
    }

    /// Whether all tables are up to date.
    pub(super) fn is_settled(&self) -> bool {
        self.stale.is_empty() && !self.away.has_moved()
    }

    /// Reconciles [`Stale`] objects with the configuration, the state of the kernel and the hosts
    /// on the ports of this router. For each prefix, one function returns the correct state of an
    /// entry, a registration or an object of the kernel. After a new configuration or a change of a
    /// link, this function is called for all prefixes.
    pub(super) fn reconcile(&mut self, now: Time) {
        let stale = std::mem::take(&mut self.stale);
        let Stale { routes, all, .. } = stale;
        let mut changes =
            self.database.reconcile(&self.context.config, &self.rib, &self.mobility, &stale, now);
        self.context.tell_all(std::mem::take(&mut changes.events));
        self.status_holds.hold(&self.context.config, &changes.relocated, now);
        let solicit = self.reconcile_away(&changes, all, now);
        let mut mobile = stale.prefixes;
        let moved = self.away.take_moved();
        self.mobility.forget_former_ports(&moved, &self.away);
        mobile.extend(moved);
        self.reconcile_kernel(mobile, (routes, all));
        let Router { registrar, context, database, .. } = self;
        registrar.reconcile(context, database, &changes, now);
        for (prefix, change) in changes.changed {
            let why = RegisterReason::MappingChanged(change);
            registrar.renew(context, database, prefix, why, now);
        }
        for (prefix, change) in solicit {
            self.solicitor.mapping_changed(prefix, change, now);
            self.registration_settled(prefix, now);
        }
    }

    /// Sends SMRs to the peers of a changed prefix, unless its registration is still in progress.
    pub(super) fn registration_settled(&mut self, prefix: EidPrefix, now: Time) {
        if self.solicitor.awaits_registration(&prefix) && self.registrar.is_settled(prefix, now) {
            self.solicitor.registered(&mut self.context, &self.map_cache, prefix, now);
        }
    }

    /// Adds local prefixes that lost their route or their configuration to the away table. If a
    /// prefix is configured and has a route again, removes it from the away table. If this router
    /// does not register a prefix any more, also removes the away entries inside this prefix. The
    /// reason: no map-server would report the end of these entries. Returns the prefixes for which
    /// SMRs must be sent, each with its change. A prefix that lost its route is not returned,
    /// because its SMRs are sent when packets for this prefix arrive.
    fn reconcile_away(
        &mut self,
        changes: &Changes,
        all: bool,
        now: Time,
    ) -> BTreeMap<EidPrefix, DatabaseReason> {
        let mut solicit = changes.changed.clone();
        let away = |producer, stay| away::Entry::new(producer, stay, now);
        for &(prefix, ttl) in &changes.deconfigured {
            let change = DatabaseReason::Deconfigured;
            let reason = AwayReason::Database(change);
            self.away.remove(&prefix, Producer::NoRoute, reason);
            let entry = away(Producer::Deconfigured, Stay::Until(now + ttl));
            self.away.insert(prefix, entry, reason, now);
            solicit.insert(prefix, change);
        }
        for &prefix in &changes.judged {
            let entry = self.database.get(&prefix).filter(|entry| entry.dynamic.is_none());
            let Some(entry) = entry else { continue };
            let configured = AwayReason::Database(DatabaseReason::Configured);
            let back = self.away.remove(&prefix, Producer::Deconfigured, configured);
            if !self.context.config.roles(prefix.family()).etr {
                self.away.remove(&prefix, Producer::NoRoute, AwayReason::NotAnEtr);
                continue;
            }
            if !entry.has_route {
                let reason = AwayReason::Database(DatabaseReason::RouteLost);
                self.away.insert(prefix, away(Producer::NoRoute, Stay::Permanent), reason, now);
                continue;
            }
            let found = AwayReason::Database(DatabaseReason::RouteFound);
            if self.away.remove(&prefix, Producer::NoRoute, found) {
                solicit.insert(prefix, DatabaseReason::RouteFound);
            } else if back {
                solicit.insert(prefix, DatabaseReason::Configured);
            }
        }
        match all {
            true => self.remove_orphaned_site_entries(None),
            false => changes
                .rerouted
                .iter()
                .for_each(|prefix| self.remove_orphaned_site_entries(Some(prefix))),
        }
        solicit
    }

    /// Removes the away entries that no map-server will update any more. If `inside` is given,
    /// removes only the entries inside this prefix.
    fn remove_orphaned_site_entries(&mut self, inside: Option<&EidPrefix>) {
        let untold = |(prefix, entry): (EidPrefix, &away::Entry)| {
            let told = entry.producer == Producer::SiteRegistration;
            (told && !self.registers_around(&prefix)).then_some(prefix)
        };
        let untold: Vec<EidPrefix> = match inside {
            Some(inside) => self.away.entries().covered_by(inside).filter_map(untold).collect(),
            None => self.away.told().filter_map(untold).collect(),
        };
        for prefix in untold {
            let reason = AwayReason::NotReportedAnyMore;
            self.away.remove(&prefix, Producer::SiteRegistration, reason);
        }
    }

    /// Updates the objects of the kernel for `prefixes`. If `routes` is true, also updates the
    /// objects that belong to no EID. If `all` is true, updates all objects.
    fn reconcile_kernel(&mut self, mut prefixes: BTreeSet<EidPrefix>, (routes, all): (bool, bool)) {
        if all {
            prefixes.extend(self.kernel_prefixes());
            prefixes.extend(self.kernel.prefixes());
        }
        let objects = |prefix| (prefix, self.kernel_objects(prefix));
        let of_prefixes = prefixes.into_iter().map(objects).collect();
        let fixed = (routes || all).then(|| self.kernel.fixed(&self.context.config, &self.rib));
        let requests = self.kernel.reconcile(fixed, of_prefixes);
        self.context.request(requests);
    }

    /// The objects that the kernel should have for an EID prefix: the guard of a configured prefix,
    /// the route to a host, or the route into `lisp0` for a prefix that is at another xTR.
    pub(super) fn kernel_objects(&self, prefix: EidPrefix) -> BTreeSet<KernelObject> {
        let mut objects = self.mobility.kernel_objects(prefix, &self.away);
        let is_configured =
            self.context.config.mapping(&prefix).is_some() || self.mobility.is_range(&prefix);
        if is_configured && self.context.config.needs_tunnel() {
            objects.insert(kernel::guard(prefix));
        }
        objects
    }

    /// The prefixes for which the kernel may need an object.
    pub(super) fn kernel_prefixes(&self) -> BTreeSet<EidPrefix> {
        let mut prefixes = self.mobility.kernel_prefixes(&self.away);
        prefixes.extend(self.context.config.database().map(|(prefix, _)| prefix));
        prefixes.extend(self.context.config.dynamic_eids().map(|(_, range, _)| range));
        prefixes
    }
}
