//! The mapping database: the EID prefixes of this site and their locators (RFC 9300 section 3,
//! EID-to-RLOC Database).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use super::Link;
use super::config::{Config, DatabaseMapping, LocatorSource};
use super::mobility::Host;
use super::rib::Rib;
use crate::addr::{Eid, EidPrefix, Family, InstanceId, Rloc};
use crate::prefix_map::PrefixMap;
use crate::time::Time;

/// Where the address of a local locator comes from, as `show ip lisp database` prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum LocatorOrigin {
    /// Configured as an address.
    #[serde(rename = "cfg-addr")]
    ConfiguredAddress,
    /// The address of a configured interface.
    #[serde(rename = "cfg-intf")]
    ConfiguredInterface,
}

/// A locator of a database entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LocalLocator {
    /// Its address.
    pub rloc: Rloc,
    /// Lower is preferred; 255 is never used.
    pub priority: u8,
    /// The share of flows among equal priorities.
    pub weight: u8,
    /// Where the address comes from.
    pub origin: LocatorOrigin,
    /// Whether it is this router's own; otherwise another xTR's of the site.
    pub own: bool,
    /// Whether it is reported as reachable (the R bit).
    pub reachable: bool,
}

/// A local EID prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The locator-set's name, or `None` for inline locators.
    pub locator_set: Option<String>,
    /// The name of the dynamic-EID whose host this is; `None` for a configured prefix.
    pub dynamic: Option<String>,
    /// In the order of their addresses, as records carry them (RFC 9301 section 5.4).
    pub locators: Vec<LocalLocator>,
    /// Whether the RIB has a route to it: without one it is `*** NO ROUTE TO EID PREFIX ***`.
    pub has_route: bool,
    /// When it was configured.
    pub created_at: Time,
    /// When its locators or its route last changed.
    pub changed_at: Time,
}

impl Entry {
    /// The Locator-Status-Bits of the mapping: bit n is set while its n-th locator is reachable
    /// (RFC 9300 section 5.3); there are bits for 32.
    pub fn status_bits(&self) -> u32 {
        let locators = self.locators.iter().take(u32::BITS as usize).enumerate();
        locators.fold(0, |bits, (n, locator)| bits | u32::from(locator.reachable) << n)
    }

    /// Whether other locators are in it than in `before`, whatever their state.
    fn has_other_locators_than(&self, before: &Entry) -> bool {
        let rlocs =
            |entry: &Entry| -> Vec<Rloc> { entry.locators.iter().map(|each| each.rloc).collect() };
        rlocs(self) != rlocs(before)
    }
}

/// What a reconciliation changed, beside what came.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// The prefixes that had a route and have one, and whose locators are others than before.
    pub changed: BTreeSet<EidPrefix>,
    /// The prefixes to whose locators others came or of whose locators some went.
    pub relocated: Vec<EidPrefix>,
    /// The prefixes that were configured and are no more, and for how long others may have them
    /// cached.
    pub deconfigured: Vec<(EidPrefix, Duration)>,
}

/// A prefix that is to be in the database.
struct Wanted<'a> {
    mapping: &'a DatabaseMapping,
    dynamic: Option<&'a str>,
}

/// The configured prefixes, and the hosts of dynamic-EID ranges that are here.
fn wanted<'a>(
    config: &'a Config,
    hosts: &'a BTreeMap<Eid, Host>,
) -> BTreeMap<EidPrefix, Wanted<'a>> {
    let fixed = config.database();
    let fixed = fixed.map(|(prefix, mapping)| (prefix, Wanted { mapping, dynamic: None }));
    let ranges: BTreeMap<EidPrefix, &DatabaseMapping> =
        config.dynamic_eids().map(|(_, range, mapping)| (range, mapping)).collect();
    let hosts = hosts.iter().filter_map(move |(eid, host)| {
        let mapping = ranges.get(&host.range).copied()?;
        Some((eid.host_prefix(), Wanted { mapping, dynamic: Some(&host.name) }))
    });
    fixed.chain(hosts).collect()
}

/// How long other routers may have a record of `prefix` cached.
fn ttl(config: &Config, prefix: EidPrefix) -> Duration {
    let minutes = config.etr_map_cache_ttl(prefix.family());
    Duration::from_secs(u64::from(minutes) * 60)
}

/// The local EID prefixes of all instances and both families.
#[derive(Debug, Default)]
pub struct Database {
    entries: PrefixMap<Entry>,
}

impl Database {
    /// Brings the entries in line with the configuration, the routes and the hosts that are here.
    pub(super) fn reconcile(
        &mut self,
        config: &Config,
        rib: &Rib,
        hosts: &BTreeMap<Eid, Host>,
        now: Time,
    ) -> Changes {
        let wanted = wanted(config, hosts);
        let mut changes = Changes::default();
        self.entries.retain(|prefix, entry| {
            let stays = wanted.contains_key(&prefix);
            if !stays && entry.dynamic.is_none() {
                changes.deconfigured.push((prefix, ttl(config, prefix)));
            }
            stays
        });
        for family in Family::BOTH {
            let of_family = || wanted.iter().filter(|(prefix, _)| prefix.family() == family);
            let has_route = |prefix: EidPrefix, wanted: &Wanted<'_>| {
                wanted.dynamic.is_some() || rib.has_route(prefix.prefix())
            };
            let any_route = of_family().any(|(prefix, wanted)| has_route(*prefix, wanted));
            for (&prefix, wanted) in of_family() {
                let before = self.entries.get(&prefix);
                let mut entry = Entry {
                    locator_set: match wanted.mapping {
                        DatabaseMapping::LocatorSet(name) => Some(name.clone()),
                        DatabaseMapping::Inline(_) => None,
                    },
                    dynamic: wanted.dynamic.map(str::to_owned),
                    locators: local_locators(config, rib, wanted.mapping, any_route),
                    has_route: has_route(prefix, wanted),
                    created_at: before.map_or(now, |before| before.created_at),
                    changed_at: before.map_or(now, |before| before.changed_at),
                };
                if before.is_some_and(|before| *before == entry) {
                    continue;
                }
                let registered = |before: &Entry| before.has_route && entry.has_route;
                if before
                    .is_some_and(|before| registered(before) && before.locators != entry.locators)
                {
                    changes.changed.insert(prefix);
                }
                if before.is_some_and(|before| entry.has_other_locators_than(before)) {
                    changes.relocated.push(prefix);
                }
                entry.changed_at = now;
                self.entries.insert(prefix, entry);
            }
        }
        changes
    }

    /// The entries, for a `show`.
    pub fn entries(&self) -> &PrefixMap<Entry> {
        &self.entries
    }

    /// The entry of exactly `prefix`.
    pub fn get(&self, prefix: &EidPrefix) -> Option<&Entry> {
        self.entries.get(prefix)
    }

    /// The entry of the longest prefix that holds `eid`.
    pub fn longest_match(&self, eid: Eid) -> Option<(EidPrefix, &Entry)> {
        self.entries.longest_match(eid)
    }

    /// Whether a family has entries and none of them has a route: then the router reports its own
    /// locators as unreachable (IOS: `*** ALL CONFIGURED LOCAL EID PREFIXES HAVE NO ROUTE ***`).
    pub fn all_without_route(&self, instance_id: InstanceId, family: Family) -> bool {
        let mut entries = self.entries.iter_after(instance_id, family, None).peekable();
        entries.peek().is_some() && entries.all(|(_, entry)| !entry.has_route)
    }
}

/// The locators of a mapping. An own locator is reachable while the link of its address is up and
/// any EID of the family has a route.
fn local_locators(
    config: &Config,
    rib: &Rib,
    mapping: &DatabaseMapping,
    any_route: bool,
) -> Vec<LocalLocator> {
    let locators = config.mapping_locators(mapping).iter();
    let mut locators: Vec<LocalLocator> = locators
        .filter_map(|configured| {
            let rloc = config.resolve_locator(&configured.source)?;
            let interface = config.interface_of(rloc.0);
            let link = interface.map(|name| rib.link(&name.device()));
            let link_up = |link: Option<Link>| link.is_none_or(|link| link.up && link.carrier);
            Some(LocalLocator {
                rloc,
                priority: configured.priority,
                weight: configured.weight,
                origin: match configured.source {
                    LocatorSource::Address(_) => LocatorOrigin::ConfiguredAddress,
                    LocatorSource::Interface(..) => LocatorOrigin::ConfiguredInterface,
                },
                own: interface.is_some(),
                reachable: link.is_none_or(|link| any_route && link_up(link)),
            })
        })
        .collect();
    locators.sort_by_key(|locator| locator.rloc);
    locators
}
