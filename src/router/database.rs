//! The mapping database: the EID prefixes of this site and their locators (RFC 9300 section 3,
//! EID-to-RLOC Database).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::config::{Config, DatabaseMapping, LocatorSource};
use super::discovery::Discovery;
use super::event::{DatabaseChange, Event};
use super::mobility::Mobility;
use super::reason::{DatabaseReason, Departure};
use super::revision::Revision;
use super::rib::{Link, Rib};
use super::stale::Stale;
use crate::addr::{Eid, EidPrefix, Family, Rloc};
use crate::prefix_map::PrefixMap;
use crate::time::Time;

/// The way in which a local locator's address is configured. `show ip lisp database` prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LocatorOrigin {
    /// The address itself is configured.
    #[serde(rename = "cfg-addr")]
    ConfiguredAddress,
    /// An interface is configured. The address of the locator is the address of this interface.
    #[serde(rename = "cfg-intf")]
    ConfiguredInterface,
}

/// A locator of a database entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LocalLocator {
    /// The address of the locator.
    pub rloc: Rloc,
    /// The priority. A locator with a lower number is preferred. A locator with 255 is never used.
    pub priority: u8,
    /// The weight. Flows are divided among the locators of equal priority in proportion to the
    /// weights of these locators.
    pub weight: u8,
    /// The way in which the address is configured.
    pub origin: LocatorOrigin,
    /// Whether the locator belongs to this router. If not, it belongs to another xTR of the site.
    pub own: bool,
    /// Whether the router reports the locator as reachable (the R bit of a record).
    pub reachable: bool,
}

/// A local EID prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name of the locator-set; `None` for inline locators.
    pub locator_set: Option<String>,
    /// The name of the dynamic-EID, if the entry is a host of a dynamic-EID; `None` for a
    /// configured prefix.
    pub dynamic: Option<String>,
    /// The locators in the order of their addresses. The records of the router have the locators in
    /// the same order (RFC 9301 section 5.4).
    pub locators: Vec<LocalLocator>,
    /// Whether the RIB has a route to the prefix. Without a route, `show` prints
    /// `*** NO ROUTE TO EID PREFIX ***`.
    pub has_route: bool,
    /// The time at which the entry was made.
    pub created_at: Time,
    /// The time at which the locators or the route of the entry last changed.
    pub changed_at: Time,
}

impl Entry {
    /// The Locator-Status-Bits of the mapping (RFC 9300 section 5.3). Bit n is set if the n-th
    /// locator is reachable; n begins at 0. There are 32 bits, so only the first 32 locators have a
    /// bit.
    pub fn status_bits(&self) -> u32 {
        let locators = self.locators.iter().take(u32::BITS as usize).enumerate();
        locators.fold(0, |bits, (n, locator)| bits | u32::from(locator.reachable) << n)
    }

    /// Whether the entry has other locators than `before`; the state of the locators does not
    /// matter.
    fn has_other_locators_than(&self, before: &Entry) -> bool {
        let rlocs =
            |entry: &Entry| -> Vec<Rloc> { entry.locators.iter().map(|each| each.rloc).collect() };
        rlocs(self) != rlocs(before)
    }
}

/// The prefixes that one call of [`Database::reconcile`] examined, and the changes of this call.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// The prefixes that the call examined, in order. The list may contain prefixes that the
    /// database does not have.
    pub judged: Vec<EidPrefix>,
    /// The prefixes that were added or removed, or that got or lost their route.
    pub rerouted: Vec<EidPrefix>,
    /// The prefixes that kept their route, but have other locators than before, or locators in
    /// another state. The value of each prefix is the reason of its change.
    pub changed: BTreeMap<EidPrefix, DatabaseReason>,
    /// The prefixes that have other locators than before.
    pub relocated: Vec<EidPrefix>,
    /// The prefixes that were removed from the configuration, each with the time for which other
    /// routers may still cache it.
    pub deconfigured: Vec<(EidPrefix, Duration)>,
    /// The reason of each change. Every prefix that was added, removed or changed has a reason.
    pub reasons: BTreeMap<EidPrefix, DatabaseReason>,
    /// The changes, as events.
    pub events: Vec<Event>,
}

impl Changes {
    fn tell(&mut self, eid_prefix: EidPrefix, change: DatabaseChange, reason: DatabaseReason) {
        self.reasons.insert(eid_prefix, reason);
        self.events.push(Event::Database { eid_prefix, change, reason });
    }
}

/// The data of a prefix that has to be in the database.
struct Wanted<'a> {
    mapping: &'a DatabaseMapping,
    /// The name of the dynamic-EID, and the way in which the host was found. `None` if the prefix
    /// is not a host.
    dynamic: Option<(&'a str, Discovery)>,
    has_route: bool,
}

/// Returns the data of `prefix`, if the prefix has to be in the database. Two kinds of prefixes
/// have to be in the database: a configured prefix, and the prefix of a host of a dynamic-EID
/// range, if the host is on a LAN of this router.
fn wanted<'a>(
    config: &'a Config,
    rib: &Rib,
    mobility: &'a Mobility,
    prefix: EidPrefix,
) -> Option<Wanted<'a>> {
    let table = config.lisp.as_ref()?.eid_tables.get(&prefix.instance_id())?;
    let host = mobility.host(prefix).and_then(|host| {
        let range = host.range.prefix();
        let mapping =
            table.dynamic_eids.get(mobility.name_of(&host.range)?)?.database.get(&range)?;
        let dynamic = Some((host.name.as_str(), host.discovery));
        Some(Wanted { mapping, dynamic, has_route: true })
    });
    host.or_else(|| {
        let mapping = table.database.get(&prefix.prefix())?;
        Some(Wanted { mapping, dynamic: None, has_route: rib.has_route(prefix.prefix()) })
    })
}

/// The reason why an entry changed. The entry existed before, and its host is the same as before.
/// `site` says whether at least one prefix of the family has a route, before the change and after
/// the change.
fn reason(before: &Entry, after: &Entry, site: (bool, bool)) -> DatabaseReason {
    match (before.has_route, after.has_route) {
        (false, true) => return DatabaseReason::RouteFound,
        (true, false) => return DatabaseReason::RouteLost,
        _ => {}
    }
    let configured = |entry: &Entry| -> Vec<LocalLocator> {
        let locators = entry.locators.iter();
        locators.map(|locator| LocalLocator { reachable: true, ..locator.clone() }).collect()
    };
    let mut states = before.locators.iter().zip(&after.locators);
    let changed = states.find(|(before, after)| before.reachable != after.reachable);
    match (changed, site) {
        (None, _) => DatabaseReason::LocatorsConfigured,
        _ if configured(before) != configured(after) => DatabaseReason::LocatorsConfigured,
        (_, (true, false)) => DatabaseReason::SiteUnreachable,
        (_, (false, true)) => DatabaseReason::SiteReachable,
        (Some((_, after)), _) if after.reachable => DatabaseReason::LocatorUp(after.rloc),
        (Some((_, after)), _) => DatabaseReason::LocatorDown(after.rloc),
    }
}

/// How long other routers may cache a record of `prefix`.
fn ttl(config: &Config, prefix: EidPrefix) -> Duration {
    let minutes = config.etr_map_cache_ttl(prefix.family());
    Duration::from_secs(u64::from(minutes) * 60)
}

/// The local EID prefixes of all instances and both families.
#[derive(Debug, Default)]
pub struct Database {
    entries: PrefixMap<Entry>,
    /// The number of entries that have a route, in all instances: first for IPv4 EIDs, then for
    /// IPv6 EIDs.
    with_route: [usize; 2],
    /// The number of entries that are hosts of dynamic-EIDs: first IPv4 EIDs, then IPv6 EIDs.
    dynamic: [usize; 2],
    /// For each Locator-Status-Bit, the number of entries that have the bit set: first for IPv4
    /// EIDs, then for IPv6 EIDs.
    with_bit: [[usize; u32::BITS as usize]; 2],
    revision: Revision,
}

impl Database {
    /// Changes the entries so that they match the configuration, the routes and the hosts on this
    /// router's LANs.
    pub(super) fn reconcile(
        &mut self,
        config: &Config,
        rib: &Rib,
        mobility: &Mobility,
        stale: &Stale,
        now: Time,
    ) -> Changes {
        let mut judged: Vec<EidPrefix> = stale.prefixes.iter().copied().collect();
        if stale.all {
            judged.extend(config.database().map(|(prefix, _)| prefix));
            judged.extend(mobility.hosts().keys().map(Eid::host_prefix));
            judged.extend(self.entries.iter().map(|(prefix, _)| prefix));
            judged.sort();
            judged.dedup();
        }
        let judge = |prefix| (prefix, wanted(config, rib, mobility, prefix));
        let mut wanted: BTreeMap<_, _> = judged.into_iter().map(judge).collect();
        let before = self.any_route();
        for (prefix, wanted) in &wanted {
            let had = self.get(prefix).is_some_and(|entry| entry.has_route);
            let has = wanted.as_ref().is_some_and(|wanted| wanted.has_route);
            let count = &mut self.with_route[prefix.family() as usize];
            *count = *count + usize::from(has) - usize::from(had);
            let was_dynamic = self.get(prefix).is_some_and(|entry| entry.dynamic.is_some());
            let is_dynamic = wanted.as_ref().is_some_and(|wanted| wanted.dynamic.is_some());
            let count = &mut self.dynamic[prefix.family() as usize];
            *count = *count + usize::from(is_dynamic) - usize::from(was_dynamic);
        }
        let any_route = self.any_route();
        for family in Family::BOTH {
            // The locators of this router are reachable only while at least one prefix of the
            // family has a route. So all prefixes change when the first prefix gets a route, and
            // when the last prefix loses its route.
            if before[family as usize] != any_route[family as usize] && !stale.all {
                let of_family = self.entries.iter().map(|(prefix, _)| prefix);
                wanted.extend(of_family.filter(|prefix| prefix.family() == family).map(judge));
            }
        }
        let mut changes = Changes::default();
        for (prefix, wanted) in wanted {
            changes.judged.push(prefix);
            let Some(wanted) = wanted else {
                self.take_out(config, mobility, prefix, &mut changes);
                continue;
            };
            let family = prefix.family() as usize;
            let excludes_default = config
                .service(prefix.family())
                .is_some_and(|service| service.locator_excludes_default);
            let leads_to = |rloc: Rloc| !excludes_default || rib.has_route(rloc.0.into());
            let locators =
                local_locators(config, rib, wanted.mapping, (any_route[family], &leads_to));
            let site = (before[family], any_route[family]);
            let departure = mobility.departure(prefix);
            self.put(prefix, wanted, (locators, site, departure), &mut changes, now);
        }
        changes
    }

    fn count_bits(&mut self, family: Family, bits: u32, are_set: bool) {
        for (bit, count) in self.with_bit[family as usize].iter_mut().enumerate() {
            if bits & 1 << bit != 0 {
                *count = if are_set { *count + 1 } else { *count - 1 };
            }
        }
    }

    /// The Locator-Status-Bits that are set in at least one entry of a family.
    pub fn status_bits(&self, family: Family) -> u32 {
        let counts = self.with_bit[family as usize].iter().enumerate();
        counts.fold(0, |bits, (bit, count)| bits | u32::from(*count > 0) << bit)
    }

    /// The number of entries of a family that have a route.
    pub fn with_route(&self, family: Family) -> usize {
        self.with_route[family as usize]
    }

    /// The number of entries of a family that are hosts of dynamic-EIDs.
    pub fn dynamic_entries(&self, family: Family) -> usize {
        self.dynamic[family as usize]
    }

    /// Whether at least one entry has a route: first for IPv4 EIDs, then for IPv6 EIDs.
    fn any_route(&self) -> [bool; 2] {
        self.with_route.map(|count| count > 0)
    }

    fn put(
        &mut self,
        prefix: EidPrefix,
        wanted: Wanted<'_>,
        (locators, site, departure): (Vec<LocalLocator>, (bool, bool), Departure),
        changes: &mut Changes,
        now: Time,
    ) {
        let before = self.entries.get(&prefix);
        let mut entry = Entry {
            locator_set: match wanted.mapping {
                DatabaseMapping::LocatorSet(name) => Some(name.clone()),
                DatabaseMapping::Inline(_) => None,
            },
            dynamic: wanted.dynamic.map(|(name, _)| name.to_owned()),
            locators,
            has_route: wanted.has_route,
            created_at: before.map_or(now, |before| before.created_at),
            changed_at: before.map_or(now, |before| before.changed_at),
        };
        if before.is_some_and(|before| *before == entry) {
            return;
        }
        let change = before.map_or(DatabaseChange::Added, |_| DatabaseChange::Changed);
        let discovery = wanted.dynamic.map(|(_, discovery)| discovery);
        let reason = match (before, discovery) {
            (None, None) => DatabaseReason::Configured,
            (Some(before), None) if before.dynamic.is_some() => DatabaseReason::HostLeft(departure),
            (Some(before), _) if before.dynamic == entry.dynamic => reason(before, &entry, site),
            (_, Some(discovery)) => DatabaseReason::HostFound(discovery),
            (Some(before), None) => reason(before, &entry, site),
        };
        changes.tell(prefix, change, reason);
        if before.is_none_or(|before| before.has_route != entry.has_route) {
            changes.rerouted.push(prefix);
        }
        let registered = |before: &Entry| before.has_route && entry.has_route;
        if before.is_some_and(|before| registered(before) && before.locators != entry.locators) {
            changes.changed.insert(prefix, reason);
        }
        if before.is_some_and(|before| entry.has_other_locators_than(before)) {
            changes.relocated.push(prefix);
        }
        entry.changed_at = now;
        self.revision.advance();
        self.count_bits(prefix.family(), entry.status_bits(), true);
        if let Some(before) = self.entries.insert(prefix, entry) {
            self.count_bits(prefix.family(), before.status_bits(), false);
        }
    }

    fn take_out(
        &mut self,
        config: &Config,
        mobility: &Mobility,
        prefix: EidPrefix,
        changes: &mut Changes,
    ) {
        let Some(before) = self.entries.remove(&prefix) else { return };
        self.revision.advance();
        self.count_bits(prefix.family(), before.status_bits(), false);
        let reason = match before.dynamic {
            Some(_) => DatabaseReason::HostLeft(mobility.departure(prefix)),
            None => DatabaseReason::Deconfigured,
        };
        changes.tell(prefix, DatabaseChange::Removed, reason);
        changes.rerouted.push(prefix);
        if before.dynamic.is_none() {
            changes.deconfigured.push((prefix, ttl(config, prefix)));
        }
    }

    /// The prefixes that may get or lose their route because a route to `to` is added or removed.
    /// [`Rib::has_route`] looks at a route to `to` only for these prefixes.
    pub(super) fn related_to(&self, to: IpNet) -> BTreeSet<EidPrefix> {
        let of_instance = |id| {
            let at = EidPrefix::new(id, to);
            let covering = self.entries.covering(&at).map(|(prefix, _)| prefix);
            // The default route counts only for the default prefix itself, and not for the prefixes
            // inside it.
            let inside = (to.prefix_len() > 0).then(|| self.entries.covered_by(&at));
            covering.chain(inside.into_iter().flatten().map(|(prefix, _)| prefix))
        };
        self.entries.instances().flat_map(of_instance).collect()
    }

    /// The number of times that an entry was added, removed or changed.
    pub(super) fn revision(&self) -> u64 {
        self.revision.number()
    }

    /// The entries, for a `show` command.
    pub fn entries(&self) -> &PrefixMap<Entry> {
        &self.entries
    }

    /// The entry for exactly this prefix.
    pub fn get(&self, prefix: &EidPrefix) -> Option<&Entry> {
        self.entries.get(prefix)
    }

    /// The entry of the longest prefix that contains `eid`.
    pub fn longest_match(&self, eid: Eid) -> Option<(EidPrefix, &Entry)> {
        self.entries.longest_match(eid)
    }
}

/// The locators of a mapping. A locator of this router is reachable while the link of its address
/// is up and at least one EID prefix of the family has a route. A locator of another xTR is
/// reported as reachable if `leads_to` returns true for its address.
fn local_locators(
    config: &Config,
    rib: &Rib,
    mapping: &DatabaseMapping,
    (any_route, leads_to): (bool, &dyn Fn(Rloc) -> bool),
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
                reachable: match link {
                    Some(link) => any_route && link_up(link),
                    None => leads_to(rloc),
                },
            })
        })
        .collect();
    locators.sort_by_key(|locator| locator.rloc);
    locators
}

/// Whether the state of a locator in the mappings may depend on a route to `to`.
pub(super) fn locators_depend_on(config: &Config, to: IpNet) -> bool {
    let excludes_default =
        |family| config.service(family).is_some_and(|service| service.locator_excludes_default);
    if !Family::BOTH.into_iter().any(excludes_default) {
        return false;
    }
    let dynamic = config.dynamic_eids().map(|(_, _, mapping)| mapping);
    let mappings = config.database().map(|(_, mapping)| mapping).chain(dynamic);
    let locators = mappings.flat_map(|mapping| config.mapping_locators(mapping));
    let mut rlocs = locators.filter_map(|locator| config.resolve_locator(&locator.source));
    rlocs.any(|rloc| to.contains(&rloc.0))
}
