//! The objects of the kernel that the configuration requires: links, addresses, rules and routes.
//! This module also makes the [`guard`] of an EID prefix.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::addr::{EidPrefix, Family};
use crate::router::config::{Config, Interface, InterfaceName, StaticTarget};
use crate::router::fragmentation::SMALLEST_MTU;
use crate::router::io::{Device, KernelObject, RouteTarget, RuleSelector, Table};
use crate::router::rib::Rib;
use crate::wire::data_header::encapsulation_len;

/// The usual MTU of an Ethernet link. The router assumes this MTU for a link that the kernel has
/// not reported yet.
const USUAL_MTU: u32 = 1500;
/// The metrics of the standby routes of a prefix begin after this number: the second route has
/// 1025, the third route has 1026. The first route has metric 0, which the kernel uses as 1024 for
/// IPv6.
const STANDBY_METRIC: u32 = 1024;

/// The priority of a rule. The rules of this router have smaller priorities than the kernel's own
/// rule for table main (32766), so the kernel uses the rules of this router first.
const FROM_LISP_MAIN: u32 = 100;
const FROM_LISP_NATIVE: u32 = 101;
const FROM_RLOC_MAIN: u32 = 102;
const FROM_RLOC_NATIVE: u32 = 103;

/// All objects that the configuration requires. Some of these objects depend on the current links.
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

/// The objects that packets need to reach `lisp0`: the device, the rules, and the routes into
/// `lisp0`.
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

/// The guard of a local EID prefix: a blackhole route. If an EID in the prefix has no other route,
/// packets for this EID do not leak into the core.
pub fn guard(prefix: EidPrefix) -> KernelObject {
    route(Table::Native, prefix.prefix(), RouteTarget::Blackhole, 0)
}

/// The routes that lead packets for EIDs into `lisp0`: the default route of an ITR, or the
/// aggregates of a proxy ITR.
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

/// The configured static routes. A configured default route leads out of the overlay. If the
/// default route of table main leads into `lisp0`, the configured default route is only for two
/// kinds of packets: packets that `lisp0` emits, and the router's own packets.
///
/// A prefix can have several routes. The first route in the configuration is used while its link is
/// up. The other routes are standby routes.
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

/// The source address of the router's own packets into the overlay. A remote host can answer to
/// this address through the overlay.
///
/// If a device was removed or is down, its address is not used, because the kernel refuses a route
/// with this source address.
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

/// The size of the largest packet that the core can carry after encapsulation. With this MTU, the
/// kernel itself sends a too-big error to the sender of a larger packet.
fn lisp_mtu(config: &Config, rib: &Rib) -> u16 {
    let rlocs = config.local_rlocs();
    let headers = rlocs.iter().map(|rloc| encapsulation_len(rloc.family())).max();
    let headers = headers.unwrap_or(encapsulation_len(Family::Ipv4));
    let of_rlocs: BTreeSet<InterfaceName> = config
        .addresses()
        .filter(|(_, net)| rlocs.iter().any(|rloc| rloc.0 == net.addr()))
        .map(|(name, _)| name)
        .collect();
    // The MTU of a loopback says nothing about the core: packets from an RLOC on a loopback may use
    // every link.
    let on_loopback = of_rlocs.iter().any(|name| name.is_loopback());
    let links = config
        .interfaces
        .keys()
        .filter(|name| !name.is_loopback())
        .filter(|name| on_loopback || of_rlocs.contains(name))
        .filter_map(|name| rib.link(&name.device()));
    let core = links.map(|link| link.mtu).min().unwrap_or(USUAL_MTU);
    // With an MTU below 1280, the kernel removes IPv6 from a device and does not put it back.
    let mtu = core.saturating_sub(headers).max(SMALLEST_MTU);
    u16::try_from(mtu).unwrap_or(u16::MAX)
}
