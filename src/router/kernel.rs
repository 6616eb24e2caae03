//! What the router wants of its namespace's kernel.
//!
//! The wish is a set, computed from the configuration alone: links, addresses, rules, routes. A
//! change of the configuration is the difference of two sets; a link that comes back is told again
//! what belongs on it, for the kernel drops addresses and routes with a link and does not put them
//! back.
//!
//! ```text
//! 100  iif lisp0   lookup main suppress_ifgroup 4341   what Eidway emits, but never back into lisp0
//! 101  iif lisp0   lookup 4341
//! 102  from RLOC   lookup main suppress_ifgroup 4341   its own control and encapsulated packets
//! 103  from RLOC   lookup 4341
//! table 4341: the native default, a blackhole for each local EID prefix, and unreachable for the rest
//! ```
//! Each was tried without. Without the rules of the RLOCs, the router's own packet to a peer's port 4341
//! entered `lisp0` again and nothing worked. With copies of the site's routes and the default in the
//! table of `lisp0` instead of the suppressed main, routes vanished with a link without a word, and one
//! ping circled `lisp0` a hundred thousand times a second. Without the blackholes, packets leaked into
//! the core while a site's link was down; `unreachable` in their place told hosts what the mapping
//! system was about to mend.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::config::{Config, Interface, InterfaceKind, InterfaceName, StaticTarget};
use super::io::{Device, KernelObject, KernelRequest, RouteTarget, RuleSelector, Table};
use super::rib::Rib;
use crate::addr::{EidPrefix, Family};

/// Octets that an IPv4 RLOC puts in front: IPv4 20, UDP 8, LISP 8.
const OVERHEAD_V4: u32 = 36;
/// Octets that an IPv6 RLOC puts in front: IPv6 40, UDP 8, LISP 8.
const OVERHEAD_V6: u32 = 56;
/// `lisp0` never goes lower: below 1280 the kernel takes IPv6 off a device and does not put it
/// back.
const SMALLEST_MTU: u32 = 1280;
/// An Ethernet's, for links that have not been seen yet.
const USUAL_MTU: u32 = 1500;
/// Added to the metric of the second and further routes of a prefix. Metric 0, which the first has, is
/// 1024 to the kernel for IPv6.
const STANDBY_METRIC: u32 = 1024;

/// Rule priorities: before table main's own 32766.
const FROM_LISP_MAIN: u32 = 100;
const FROM_LISP_NATIVE: u32 = 101;
const FROM_RLOC_MAIN: u32 = 102;
const FROM_RLOC_NATIVE: u32 = 103;

/// What has been asked of the kernel and stands.
#[derive(Debug, Default)]
pub struct Kernel {
    /// What the configuration wants.
    fixed: BTreeSet<KernelObject>,
    /// What EIDs that came or went want beside it.
    mobile: BTreeMap<EidPrefix, BTreeSet<KernelObject>>,
    /// How many of these EIDs want each: instances share the tables of the kernel.
    wanted_by: BTreeMap<KernelObject, usize>,
    /// The MTU that a link had before one was configured; `None` if it had not been seen.
    own_mtus: BTreeMap<InterfaceName, Option<u16>>,
}

impl Kernel {
    /// The requests that lead from what stands to what is wanted. Removals come first: the
    /// kernel matches a route by less than all its fields, so removing an old one after its
    /// successor came could take the successor.
    ///
    /// `fixed` is what the configuration wants, if that may have changed, and `mobile` what EIDs that
    /// came or went want now.
    pub fn reconcile(
        &mut self,
        fixed: Option<BTreeSet<KernelObject>>,
        mobile: BTreeMap<EidPrefix, BTreeSet<KernelObject>>,
    ) -> Vec<KernelRequest> {
        let none = BTreeSet::new();
        let mut touched: Vec<KernelObject> = Vec::new();
        if let Some(fixed) = &fixed {
            touched.extend(self.fixed.symmetric_difference(fixed));
        }
        for (prefix, after) in &mobile {
            let before = self.mobile.get(prefix).unwrap_or(&none);
            touched.extend(before.symmetric_difference(after));
        }
        touched.sort();
        touched.dedup();
        let (stood, others): (Vec<_>, Vec<_>) =
            touched.into_iter().partition(|object| self.stands(object));
        if let Some(fixed) = fixed {
            self.fixed = fixed;
        }
        for (prefix, after) in mobile {
            self.replace(prefix, after);
        }
        let gone = stood.into_iter().rev().filter(|object| !self.stands(object));
        let come = others.into_iter().filter(|object| self.stands(object));
        gone.map(KernelRequest::Remove).chain(come.map(KernelRequest::Add)).collect()
    }

    fn stands(&self, object: &KernelObject) -> bool {
        self.fixed.contains(object) || self.wanted_by.contains_key(object)
    }

    fn replace(&mut self, prefix: EidPrefix, after: BTreeSet<KernelObject>) {
        for &object in &after {
            *self.wanted_by.entry(object).or_default() += 1;
        }
        let before = match after.is_empty() {
            true => self.mobile.remove(&prefix),
            false => self.mobile.insert(prefix, after),
        };
        for object in before.into_iter().flatten() {
            if let Entry::Occupied(mut count) = self.wanted_by.entry(object) {
                *count.get_mut() -= 1;
                if *count.get() == 0 {
                    count.remove();
                }
            }
        }
    }

    /// The prefixes that want something beside the configuration.
    pub fn prefixes(&self) -> impl Iterator<Item = EidPrefix> {
        self.mobile.keys().copied()
    }

    /// What the configuration wants, as the links are.
    pub fn fixed(&mut self, config: &Config, rib: &Rib) -> BTreeSet<KernelObject> {
        self.remember_mtus(config, rib);
        wanted(config, rib, &self.own_mtus)
    }

    /// The requests that make again, in order, what stands and was lost.
    fn again(&self, lost: impl Fn(&&KernelObject) -> bool) -> Vec<KernelRequest> {
        let mobile: BTreeSet<KernelObject> = self.wanted_by.keys().copied().collect();
        let lost = self.fixed.union(&mobile).filter(lost);
        lost.copied().map(KernelRequest::Add).collect()
    }

    /// A link whose configured MTU goes gets back the one that it had: the kernel knows no other.
    fn remember_mtus(&mut self, config: &Config, rib: &Rib) {
        for (&name, _) in config.interfaces.iter().filter(|(_, each)| each.mtu.is_some()) {
            let own = || rib.link(&name.device()).and_then(|link| u16::try_from(link.mtu).ok());
            self.own_mtus.entry(name).or_insert_with(own);
        }
    }

    /// The requests that set up a device that has just appeared: plugged in late, or made again.
    pub fn introduce(&self, device: &str) -> Vec<KernelRequest> {
        let of_device = |object: &&KernelObject| match object {
            KernelObject::Link { device: on, .. } => on.name() == device,
            _ => false,
        };
        self.again(of_device)
    }

    /// The requests that put back what the kernel may have dropped when `device` went down: its
    /// addresses and every route.
    pub fn reassert(&self, device: &str) -> Vec<KernelRequest> {
        let lost = |object: &&KernelObject| match object {
            KernelObject::Address { device: on, .. } => on.name() == device,
            KernelObject::Route { .. } => true,
            KernelObject::ProxyNeighbour { device: on, .. } => on.name() == device,
            KernelObject::Link { .. } | KernelObject::Rule { .. } => false,
        };
        self.again(lost)
    }

    /// The requests that leave the kernel as it was found.
    pub fn withdraw(&mut self) -> Vec<KernelRequest> {
        let mut objects = std::mem::take(&mut self.fixed);
        objects.extend(std::mem::take(&mut self.wanted_by).into_keys());
        self.mobile.clear();
        objects.into_iter().rev().map(KernelRequest::Remove).collect()
    }
}

fn wanted(
    config: &Config,
    rib: &Rib,
    own_mtus: &BTreeMap<InterfaceName, Option<u16>>,
) -> BTreeSet<KernelObject> {
    let mut objects = BTreeSet::new();
    for (&name, interface) in &config.interfaces {
        let device = Device::Interface(name);
        let own_mtu = own_mtus.get(&name).map(|own| own.unwrap_or(USUAL_MTU as u16));
        objects.insert(KernelObject::Link {
            device,
            up: !interface.shutdown,
            mtu: interface.mtu.or(own_mtu),
            proxy_arp: interface.proxy_arp,
            mac: interface.mac,
            mobility: !interface.lisp_mobility.is_empty(),
        });
        for &address in &interface.addresses {
            let connected = !config.is_roaming(interface, address);
            objects.insert(KernelObject::Address { device, address, connected });
        }
    }
    if config.needs_tunnel() {
        objects.extend(tunnel(config, rib));
    }
    objects.extend(static_routes(config));
    objects
}

/// `lisp0`, the rules, the guards and the routes into `lisp0`.
fn tunnel(config: &Config, rib: &Rib) -> BTreeSet<KernelObject> {
    let mut objects = BTreeSet::new();
    let mtu = Some(lisp_mtu(config, rib));
    objects.insert(KernelObject::Link {
        device: Device::Lisp,
        up: true,
        mtu,
        proxy_arp: false,
        mac: None,
        mobility: false,
    });
    let rule = |family, priority, selector, table| KernelObject::Rule {
        family,
        priority,
        selector,
        table,
    };
    for family in Family::BOTH {
        let from_lisp = RuleSelector::FromLisp;
        objects.insert(rule(family, FROM_LISP_MAIN, from_lisp, Table::Main));
        objects.insert(rule(family, FROM_LISP_NATIVE, from_lisp, Table::Native));
        let all = family.default_prefix();
        objects.insert(route(Table::Native, all, RouteTarget::Unreachable, u32::MAX));
        objects.extend(into_lisp(config, rib, family));
    }
    for rloc in config.local_rlocs() {
        let selector = RuleSelector::Source(rloc);
        objects.insert(rule(rloc.family(), FROM_RLOC_MAIN, selector, Table::Main));
        objects.insert(rule(rloc.family(), FROM_RLOC_NATIVE, selector, Table::Native));
    }
    let ranges = config.dynamic_eids().map(|(_, range, _)| range);
    for prefix in config.database().map(|(prefix, _)| prefix).chain(ranges) {
        objects.insert(route(Table::Native, prefix.prefix(), RouteTarget::Blackhole, 0));
    }
    objects
}

/// The routes that lead packets of EIDs into `lisp0`: an ITR's default, a proxy ITR's aggregates.
fn into_lisp(config: &Config, rib: &Rib, family: Family) -> Vec<KernelObject> {
    let roles = config.roles(family);
    let target = RouteTarget::Device(Device::Lisp);
    if roles.itr {
        return vec![KernelObject::Route {
            table: Table::Main,
            prefix: family.default_prefix(),
            target,
            metric: 0,
            source: first_eid_address(config, rib, family),
        }];
    }
    let aggregates = config.static_map_cache().filter(|prefix| prefix.family() == family);
    aggregates
        .filter(|_| roles.proxy_itr)
        .map(|prefix| route(Table::Main, prefix.prefix(), target, 0))
        .collect()
}

/// The configured static routes. The default leads out of the overlay; where the default of table
/// main is `lisp0`, only what `lisp0` emits and what the router itself sends may take it.
///
/// Of several routes of one prefix the first, in the order in which the configuration prints them, is
/// used while its link is up, and the others stand by.
fn static_routes(config: &Config) -> Vec<KernelObject> {
    let mut objects = Vec::new();
    let mut before: Option<(IpNet, u32)> = None;
    for configured in &config.static_routes {
        let metric = match before {
            Some((prefix, metric)) if prefix == configured.prefix => metric.max(STANDBY_METRIC) + 1,
            _ => 0,
        };
        before = Some((configured.prefix, metric));
        let target = match configured.target {
            StaticTarget::NextHop(gateway) => RouteTarget::NextHop(gateway),
            StaticTarget::Interface(name) => RouteTarget::Device(Device::Interface(name)),
            StaticTarget::Null => RouteTarget::Blackhole,
        };
        let family = Family::of(configured.prefix.addr());
        let is_default = configured.prefix.prefix_len() == 0;
        if is_default && config.needs_tunnel() {
            objects.push(route(Table::Native, configured.prefix, target, metric));
        }
        if !(is_default && config.roles(family).itr) {
            objects.push(route(Table::Main, configured.prefix, target, metric));
        }
    }
    objects
}

fn route(table: Table, prefix: IpNet, target: RouteTarget, metric: u32) -> KernelObject {
    KernelObject::Route { table, prefix, target, metric, source: None }
}

/// The address that the router's own packets into the overlay carry: one that the other side can
/// answer through the overlay.
///
/// Not one of a device that has gone: the kernel drops a route along with the address that is its
/// source, and does not say so.
fn first_eid_address(config: &Config, rib: &Rib, family: Family) -> Option<IpAddr> {
    let is_there = |(name, interface): &(&InterfaceName, &Interface)| {
        !interface.shutdown && !rib.has_gone(&name.device())
    };
    let interfaces = config.interfaces.iter().filter(is_there);
    interfaces
        .flat_map(|(_, interface)| &interface.addresses)
        .map(IpNet::addr)
        .find(|&address| Family::of(address) == family && config.is_local_eid(address))
}

/// The largest packet that fits the core once it is encapsulated: then the kernel itself answers
/// too-big to whoever sends more.
fn lisp_mtu(config: &Config, rib: &Rib) -> u16 {
    let rlocs = config.local_rlocs();
    let overhead = match rlocs.iter().any(|rloc| rloc.family() == Family::Ipv6) {
        true => OVERHEAD_V6,
        false => OVERHEAD_V4,
    };
    let of_rlocs: BTreeSet<InterfaceName> = config
        .addresses()
        .filter(|(_, net)| rlocs.iter().any(|rloc| rloc.0 == net.addr()))
        .map(|(name, _)| name)
        .collect();
    // A loopback's own MTU says nothing about the core: an RLOC there may use every link.
    let on_loopback = of_rlocs.iter().any(|name| name.kind == InterfaceKind::Loopback);
    let links = config
        .interfaces
        .keys()
        .filter(|name| name.kind == InterfaceKind::Ethernet)
        .filter(|name| on_loopback || of_rlocs.contains(name))
        .filter_map(|name| rib.link(&name.device()));
    let core = links.map(|link| link.mtu).min().unwrap_or(USUAL_MTU);
    let mtu = core.saturating_sub(overhead).max(SMALLEST_MTU);
    u16::try_from(mtu).unwrap_or(u16::MAX)
}
