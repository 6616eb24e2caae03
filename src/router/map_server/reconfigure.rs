//! Sets the configured prefixes of the sites: all prefixes, or only the prefixes that one line of
//! the configuration changes.

use std::collections::{BTreeMap, BTreeSet};

use super::{MapServer, SiteEntry};
use crate::addr::EidPrefix;
use crate::router::config::Config;
use crate::router::event::{Event, SiteRegistrationChange};
use crate::router::reason::SiteReason;

/// Returns the site for which a prefix is configured, and whether the prefix accepts more
/// specifics. If two sites have the same prefix, the prefix belongs to the site whose name is last
/// in sort order.
fn configured<'a>(config: &'a Config, prefix: &EidPrefix) -> Option<(&'a str, bool)> {
    let lisp = config.lisp.as_ref().filter(|_| config.roles(prefix.family()).map_server)?;
    lisp.sites.iter().rev().find_map(|(name, site)| {
        let options = site.eid_prefixes.get(prefix)?;
        Some((name.as_str(), options.accept_more_specifics))
    })
}

/// Returns the event which reports that a prefix and its registrations are removed.
fn deconfigured(eid_prefix: EidPrefix, entry: &SiteEntry) -> Event {
    let (site, reason) = (entry.site.to_string(), SiteReason::Deconfigured);
    let change = SiteRegistrationChange::Deconfigured;
    Event::SiteRegistration { eid_prefix, site, change, reason }
}

impl MapServer {
    /// Replaces the configured prefixes by the prefixes of `config`. A registration is kept if its
    /// configured prefix still belongs to the same site.
    pub(in crate::router) fn reconfigure(&mut self, config: &Config) {
        let mut configured: BTreeMap<EidPrefix, (&str, bool)> = BTreeMap::new();
        for (name, site) in config.lisp.iter().flat_map(|lisp| &lisp.sites) {
            for (prefix, options) in &site.eid_prefixes {
                if config.roles(prefix.family()).map_server {
                    configured.insert(*prefix, (name, options.accept_more_specifics));
                }
            }
        }
        let stays = |prefix: EidPrefix, entry: &SiteEntry| match entry.origin {
            None => configured.get(&prefix).is_some_and(|(site, _)| **site == *entry.site),
            Some(origin) => {
                !configured.contains_key(&prefix)
                    && configured
                        .get(&origin)
                        .is_some_and(|&(site, accepts)| accepts && *site == *entry.site)
            }
        };
        let gone = self.entries.iter().filter(|(at, entry)| !stays(*at, entry));
        let gone = gone.map(|(at, entry)| deconfigured(at, entry));
        self.changes.extend(gone);
        self.entries.retain(stays);
        for (prefix, of_site) in configured {
            self.set_configured(prefix, of_site);
        }
        let entries = &self.entries;
        self.expiries.retain(|(_, prefix, xtr_id)| {
            entries.get(prefix).is_some_and(|entry| entry.registrations.get(*xtr_id).is_some())
        });
        self.more_specifics =
            self.entries.iter().filter(|(_, entry)| entry.origin.is_some()).count();
        self.count_users();
        let sites = config.lisp.as_ref().map(|lisp| &lisp.sites);
        self.registers.retain_sites(|site| sites.is_some_and(|sites| sites.contains_key(site)));
    }

    /// Does the work of [`MapServer::reconfigure`] if only the prefixes in `prefixes` were added,
    /// were removed or have other options. The cost grows only with the number of registrations in
    /// these prefixes.
    pub(in crate::router) fn reconfigure_prefixes(
        &mut self,
        config: &Config,
        prefixes: &BTreeSet<EidPrefix>,
    ) {
        for &prefix in prefixes {
            let wanted = configured(config, &prefix);
            let stays = |at: EidPrefix, entry: &SiteEntry| match entry.origin {
                None => at != prefix || wanted.is_some_and(|(site, _)| *site == *entry.site),
                Some(_) if at == prefix => wanted.is_none(),
                Some(origin) => {
                    origin != prefix
                        || wanted.is_some_and(|(site, takes)| takes && *site == *entry.site)
                }
            };
            let inside = self.entries.covered_by(&prefix);
            let gone = inside.filter(|(at, entry)| !stays(*at, entry)).map(|(at, _)| at);
            for at in gone.collect::<Vec<_>>() {
                self.take_out(&at);
            }
            if let Some(of_site) = wanted {
                self.set_configured(prefix, of_site);
            }
        }
    }

    fn set_configured(&mut self, prefix: EidPrefix, (site, accept_more_specifics): (&str, bool)) {
        match self.entries.get_mut(&prefix) {
            Some(entry) if entry.accept_more_specifics == accept_more_specifics => return,
            Some(entry) => entry.accept_more_specifics = accept_more_specifics,
            None => {
                let entry = SiteEntry::new(site.into(), accept_more_specifics, None);
                self.entries.insert(prefix, entry);
            }
        }
        let (site, reason) = (site.to_owned(), SiteReason::Configured);
        let change = SiteRegistrationChange::Configured;
        self.changes.push(Event::SiteRegistration { eid_prefix: prefix, site, change, reason });
    }

    /// Removes a prefix and all its registrations.
    fn take_out(&mut self, prefix: &EidPrefix) {
        let Some(entry) = self.entries.remove(prefix) else { return };
        self.changes.push(deconfigured(*prefix, &entry));
        self.more_specifics -= usize::from(entry.origin.is_some());
        for registration in entry.registrations.iter() {
            self.sessions.left(registration.session);
            self.forget_expiry(registration);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Rng, Seed};
    use crate::router::config::{Lisp, SitePrefix};
    use crate::router::io::Connection;
    use crate::router::map_server::fixture::{map_server, prefix, registration};
    use crate::router::map_server::{Others, Registration};
    use crate::time::Time;

    const PREFIXES: [&str; 6] =
        ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3/32", "10.2.0.0/16", "11.0.0.0/8"];

    fn state(server: &MapServer) -> String {
        let entries: Vec<_> = server.entries.iter().collect();
        let MapServer { expiries, more_specifics, sessions, .. } = server;
        format!("{entries:#?}\n{expiries:?}\n{more_specifics}\n{sessions:?}")
    }

    #[test]
    fn prefixes_that_change_one_by_one_leave_what_the_whole_configuration_does() {
        for seed in 0..200 {
            let mut rng = Rng::new(&Seed::from_number(seed), "lines");
            let mut config = Config { lisp: Some(Lisp::default()), ..Config::default() };
            let lisp = config.lisp.as_mut().unwrap();
            lisp.ipv4.map_server = true;
            for name in ["S", "T"] {
                lisp.sites.entry(name.to_owned()).or_default();
            }
            let (mut by_line, mut wholly) = (map_server(&[]), map_server(&[]));
            wholly.reconfigure(&config);
            for step in 0..60 {
                let changed = prefix(PREFIXES[rng.below(6) as usize]);
                if rng.below(2) > 0 {
                    let xtr_id = rng.below(3).into();
                    let session = (rng.below(2) > 0).then_some(Connection(rng.below(2)));
                    let at = registration(changed, "192.0.2.1", xtr_id, 1440);
                    let at = Registration { session, ..at };
                    for server in [&mut by_line, &mut wholly] {
                        let _ = server.register(at.clone(), Others::Join, Time(step));
                    }
                    continue;
                }
                let accept_more_specifics = rng.below(2) > 0;
                let lisp = config.lisp.as_mut().unwrap();
                let site = lisp.sites.values_mut().nth(rng.below(2) as usize).unwrap();
                match rng.below(3) {
                    0 => drop(site.eid_prefixes.remove(&changed)),
                    _ => drop(
                        site.eid_prefixes.insert(changed, SitePrefix { accept_more_specifics }),
                    ),
                }
                by_line.reconfigure_prefixes(&config, &BTreeSet::from([changed]));
                wholly.reconfigure(&config);
                assert_eq!(state(&by_line), state(&wholly), "seed {seed}, step {step}");
            }
        }
    }
}
