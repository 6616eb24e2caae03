//! The objects of the kernel that the configuration asks for: links, addresses, rules and routes; and the
//! guard of an EID prefix.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::addr::{EidPrefix, Family};
use crate::router::config::{Config, Interface, InterfaceKind, InterfaceName, StaticTarget};
use crate::router::fragmentation::SMALLEST_MTU;
use crate::router::io::{Device, KernelObject, RouteTarget, RuleSelector, Table};
use crate::router::rib::Rib;
use crate::wire::data_header::encapsulation_len;

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

/// All of it, as the links are.
pub fn wanted(
    config: &Config,
    rib: &Rib,
    own_mtus: &BTreeMap<InterfaceName, Option<u16>>,
) -> BTreeSet<KernelObject> {
    let mut objects = BTreeSet::from([KernelObject::Namespace]);
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

/// `lisp0`, the rules and the routes into `lisp0`.
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
    objects
}

/// The guard of a local EID prefix: packets for EIDs of it without a route do not leak into the core.
pub fn guard(prefix: EidPrefix) -> KernelObject {
    route(Table::Native, prefix.prefix(), RouteTarget::Blackhole, 0)
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
/// main is `lisp0`, only packets that `lisp0` emits or the router itself sends may take it.
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
/// Not one of a device that has gone or is down: the kernel takes no route whose source is not an
/// address in use.
fn first_eid_address(config: &Config, rib: &Rib, family: Family) -> Option<IpAddr> {
    let is_there = |(name, interface): &(&InterfaceName, &Interface)| {
        let is_up = rib.link(&name.device()).is_none_or(|link| link.up);
        !interface.shutdown && !rib.has_gone(&name.device()) && is_up
    };
    let interfaces = config.interfaces.iter().filter(is_there);
    interfaces
        .flat_map(|(_, interface)| &interface.addresses)
        .map(IpNet::addr)
        .find(|&address| Family::of(address) == family && config.is_local_eid(address))
}

/// The largest packet that fits the core once it is encapsulated: then the kernel itself answers
/// too-big to the sender of a larger one.
fn lisp_mtu(config: &Config, rib: &Rib) -> u16 {
    let rlocs = config.local_rlocs();
    let headers = rlocs.iter().map(|rloc| encapsulation_len(rloc.family())).max();
    let headers = headers.unwrap_or(encapsulation_len(Family::Ipv4));
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
    // With an MTU below 1280 the kernel takes IPv6 off a device and does not put it back.
    let mtu = core.saturating_sub(headers).max(SMALLEST_MTU);
    u16::try_from(mtu).unwrap_or(u16::MAX)
}
