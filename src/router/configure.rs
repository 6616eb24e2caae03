//! A new configuration takes effect: what it changes, and nothing else, is made anew.

use std::collections::BTreeSet;

use super::Router;
use super::config::Config;
use super::config_change::ConfigChange;
use super::io::{DropReason, KernelObject};
use super::kernel;
use super::locators::{self, LocalRlocs};
use super::source_check::SourceCheck;
use crate::addr::{EidPrefix, Family};
use crate::time::Time;

impl Router {
    pub(super) fn configure(&mut self, config: Config, now: Time) {
        let before = std::mem::replace(&mut self.context.config, config);
        let change = ConfigChange::between(&before, &self.context.config);
        if change.rest {
            return self.configure_wholly(&before, now);
        }
        match change.sites {
            true => self.map_server.reconfigure(&self.context.config),
            false => {
                self.map_server.reconfigure_prefixes(&self.context.config, &change.site_prefixes)
            }
        }
        self.stale.prefixes.extend(change.mappings);
        self.stale.routes |= change.routes;
        self.reconcile(now);
        let is_site = change.sites || !change.site_prefixes.is_empty();
        if is_site {
            let only = Some(&change.site_prefixes).filter(|_| !change.sites);
            self.map_server.refresh_sessions(&mut self.context, &before, only, now);
        }
    }

    fn configure_wholly(&mut self, before: &Config, now: Time) {
        self.process.open_wanted(&mut self.context, &self.rib, &self.paths);
        self.stale.all = true;
        self.configured.advance();
        self.context.local = LocalRlocs::of(&self.context.config);
        self.context.own_addresses =
            self.context.config.addresses().map(|(_, net)| net.addr()).collect();
        self.sources = SourceCheck::of(&self.context.config);
        self.proxy_etrs = Family::BOTH.map(|family| {
            let lisp = self.context.config.lisp.as_ref();
            let petrs = lisp.map_or(&[][..], |lisp| &lisp.service(family).use_petr);
            locators::as_mapping(&self.context.config, petrs)
        });
        self.reconcile_static_map_cache(now);
        self.map_server.reconfigure(&self.context.config);
        self.reconfigure_echo_nonce();
        let held = self.mobility.reconfigure(&self.context.config);
        self.context.give_up(held, DropReason::EidAway);
        self.reconcile_ranges(now);
        let Router { registrar, context, database, .. } = self;
        registrar.renew_sessions(context, database, before, now);
        self.reconcile(now);
        self.find_neighbours(now);
        self.map_server.refresh_sessions(&mut self.context, before, None, now);
    }

    /// An ITR asks for everything (`0.0.0.0/0`, `::/0`), a proxy ITR for its aggregates.
    fn reconcile_static_map_cache(&mut self, now: Time) {
        let instance_id = self.context.config.default_instance();
        let defaults = Family::BOTH
            .into_iter()
            .filter(|family| self.context.config.roles(*family).itr)
            .map(|family| EidPrefix::new(instance_id, family.default_prefix()));
        let wanted: BTreeSet<EidPrefix> =
            defaults.chain(self.context.config.static_map_cache()).collect();
        self.map_cache.reconcile_static(&wanted, now);
    }

    /// Brings the kernel's objects of these prefixes in line; with `routes` those of no EID too, and with
    /// `all` those of every prefix.
    pub(super) fn reconcile_kernel(
        &mut self,
        mut prefixes: BTreeSet<EidPrefix>,
        (routes, all): (bool, bool),
    ) {
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

    /// What the kernel is to have for an EID prefix: the guard of one that is configured, the route to a
    /// host, or into `lisp0` to one that is elsewhere.
    pub(super) fn kernel_objects(&self, prefix: EidPrefix) -> BTreeSet<KernelObject> {
        let mut objects = self.mobility.kernel_objects(prefix, &self.away);
        let is_configured =
            self.context.config.mapping(&prefix).is_some() || self.mobility.is_range(&prefix);
        if is_configured && self.context.config.needs_tunnel() {
            objects.insert(kernel::guard(prefix));
        }
        objects
    }

    /// The prefixes for which the kernel may be to have something.
    pub(super) fn kernel_prefixes(&self) -> BTreeSet<EidPrefix> {
        let mut prefixes = self.mobility.kernel_prefixes(&self.away);
        prefixes.extend(self.context.config.database().map(|(prefix, _)| prefix));
        prefixes.extend(self.context.config.dynamic_eids().map(|(_, range, _)| range));
        prefixes
    }
}
