//! Applies a new configuration. The router computes again only the data that depend on the change.

use std::collections::BTreeSet;

use super::Router;
use super::config::Config;
use super::config_change::ConfigChange;
use super::decision::Rule;
use super::io::DropReason;
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
        if change.addresses {
            self.configure_addresses();
            self.stale.routes = true;
            self.find_neighbours(now);
        }
        match change.sites {
            true => self.map_server.reconfigure(&self.context.config),
            false => {
                self.map_server.reconfigure_prefixes(&self.context.config, &change.site_prefixes)
            }
        }
        self.stale.prefixes.extend(change.mappings);
        self.stale.routes |= change.routes;
        let is_site = change.sites || !change.site_prefixes.is_empty();
        if is_site {
            let only = Some(&change.site_prefixes).filter(|_| !change.sites);
            self.map_server.refresh_sessions(&mut self.context, &before, only, now);
        }
    }

    fn configure_wholly(&mut self, before: &Config, now: Time) {
        self.stale.all = true;
        self.configure_addresses();
        self.proxy_etrs = Family::BOTH.map(|family| {
            let lisp = self.context.config.lisp.as_ref();
            let petrs = lisp.map_or(&[][..], |lisp| &lisp.service(family).use_petr);
            locators::as_mapping(&self.context.config, petrs)
        });
        self.reconcile_static_map_cache(now);
        self.map_server.reconfigure(&self.context.config);
        self.echo_nonce.reconfigure(&self.context.config);
        let held = self.mobility.reconfigure(&self.context.config);
        self.context.give_up(held, (DropReason::EidAway, Rule::RangeDeconfigured), now);
        self.reconcile_ranges(now);
        let Router { registrar, context, database, .. } = self;
        registrar.renew_sessions(context, database, before, now);
        self.find_neighbours(now);
        self.map_server.refresh_sessions(&mut self.context, before, None, now);
    }

    /// Updates the data that depend on the addresses of the interfaces: the router's own locators,
    /// the sockets of these locators, and the source addresses that a host must not use.
    fn configure_addresses(&mut self) {
        self.process.open_wanted(&mut self.context, &self.rib, &self.paths);
        self.configured.advance();
        self.context.local = LocalRlocs::of(&self.context.config);
        self.context.own_addresses =
            self.context.config.addresses().map(|(_, net)| net.addr()).collect();
        self.sources = SourceCheck::of(&self.context.config);
    }

    /// Updates the static entries of the map-cache. An ITR has a static entry for all EIDs
    /// (`0.0.0.0/0`, `::/0`). Each `map-cache PREFIX map-request` line adds an entry, for example
    /// for the aggregates of a proxy ITR.
    fn reconcile_static_map_cache(&mut self, now: Time) {
        let config = &self.context.config;
        let families = Family::BOTH.into_iter().filter(|family| config.roles(*family).itr);
        let defaults = families.flat_map(|family| {
            config.instances().map(move |id| EidPrefix::new(id, family.default_prefix()))
        });
        let wanted: BTreeSet<EidPrefix> = defaults.chain(config.static_map_cache()).collect();
        self.map_cache.reconcile_static(&wanted, now);
    }
}
