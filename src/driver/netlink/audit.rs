//! Compares the kernel's objects with the objects that the router has made.
//!
//! An event only determines which part of the kernel's state must be compared. The router's own
//! requests also cause events, and these events arrive late. The router does not confuse them with
//! changes by other programs, because it compares the present state of the kernel.
//!
//! The kernel does not report every change. It sends no event when an IPv6 route loses its source
//! address, when a proxy entry is deleted, or when most of the settings change. So the router reads
//! the routes again after an address was deleted, and reads proxy entries and settings at regular
//! intervals.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;
use std::io;
use std::mem;
use std::net::IpAddr;

use ipnet::IpNet;
use netlink_bindings::traits::NetlinkRequest;
use netlink_bindings::{rt_addr, rt_link, rt_neigh, rt_rule};

use super::event::{self, LinkDetail, RouteState};
use super::link::{self, LISP_QUEUE_LEN};
use super::neighbour;
use super::request;
use super::socket::{Message, RequestSocket};
use super::sysctl::{self, AddressGeneration, NamespaceFiles};
use crate::addr::{Family, is_ipv6_link_local};
use crate::router::io::{
    Device, KernelObject, LISP_DEVICE, LISP_GROUP, RouteTarget, RuleSelector, Table,
};
use crate::router::made::{IPV6_METRIC, Made};

/// The parts of the kernel's state that must be read again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stale {
    /// Whether links and their settings must be read again.
    pub links: bool,
    /// Whether addresses must be read again.
    pub addresses: bool,
    /// Whether policy rules must be read again.
    pub rules: bool,
    /// Whether routes must be read again.
    pub routes: bool,
    /// Whether the settings under `/proc/sys` and the proxy entries must be read again. The kernel
    /// sends no events for these parts.
    pub untold: bool,
}

impl Stale {
    /// All parts must be read again.
    pub const ALL: Stale =
        Stale { links: true, addresses: true, rules: true, routes: true, untold: true };

    /// Whether any part must be read again.
    pub fn any(self) -> bool {
        self.links || self.addresses || self.rules || self.routes || self.untold
    }
}

/// The fields of a route that are compared: destination, metric and action.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteKey {
    table: u32,
    prefix: IpNet,
    metric: u32,
    kind: u8,
    gateway: Option<IpAddr>,
    /// The device of a route that has no gateway.
    device: Option<u32>,
    source: Option<IpAddr>,
}

/// The routes that exist in the kernel. They are compared with the routes that the router has made.
#[derive(Debug, Default)]
pub struct FoundRoutes {
    ours: BTreeSet<RouteKey>,
    /// The connected routes: the index of a device, and the network of an address of this device.
    connected: BTreeSet<(u32, IpNet)>,
}

impl FoundRoutes {
    /// Adds a route that was found in a dump of the kernel's routes.
    pub fn take(&mut self, route: &RouteState<'_>) {
        let Some(prefix) = route.prefix() else { return };
        let (device, gateway) = (route.device(), route.gateway());
        if route.protocol() == request::ROUTE_PROTOCOL {
            let leads = route.kind() == libc::RTN_UNICAST && gateway.is_none();
            self.ours.insert(RouteKey {
                table: route.table(),
                prefix,
                metric: route.metric(),
                kind: route.kind(),
                gateway,
                device: device.filter(|_| leads),
                source: route.source(),
            });
        }
        if let Some(device) = device
            && route.is_connected()
        {
            self.connected.insert((device, prefix));
        }
    }
}

/// The flag `RTEXT_FILTER_SKIP_STATS`. If a request has this flag, the dump of links contains no
/// statistics.
const SKIP_STATISTICS: u32 = 1 << 3;

/// The fields of a policy rule that are compared: family, priority, source address, incoming
/// device, table, and the device group whose routes the rule ignores.
type RuleKey = (Family, u32, Option<IpAddr>, Option<CString>, u32, Option<u32>);

/// The state that was read from the kernel. A part that was not read is `None`.
#[derive(Debug, Default)]
struct Found {
    /// The index of each device. The key is the name of the device.
    indices: BTreeMap<String, u32>,
    /// The links. The key is the index of the device.
    links: Option<BTreeMap<u32, LinkDetail>>,
    /// The addresses. Each entry has the index of the device, the address, and true if the address
    /// was added without a connected route.
    addresses: Option<BTreeSet<(u32, IpNet, bool)>>,
    rules: Option<BTreeSet<RuleKey>>,
    proxies: Option<BTreeSet<neighbour::Key>>,
    /// The links whose settings differ from the stored settings ([`Settled`]), and the links
    /// without stored settings.
    suspects: BTreeSet<u32>,
    /// Whether at least one setting of the namespace was changed. The value is false if the
    /// settings were not checked.
    namespace_is_turned: bool,
}

/// The settings of links, in the kernel's format. The settings of a link are stored when a check
/// finds no wrong setting of the link. The next check compares these octets, because this is faster
/// than to read each setting.
#[derive(Debug, Default)]
pub struct Settled {
    /// The settings of each link. The key is the index of the link.
    links: BTreeMap<u32, Vec<u8>>,
    namespace: NamespaceFiles,
}

impl Settled {
    /// Deletes the stored settings of links. The caller is about to change settings, or needs other
    /// settings from now on.
    pub fn forget(&mut self) {
        self.links.clear();
    }
}

/// Reads the parts in `stale` from the kernel. If the caller has just read the routes, it passes
/// them in `routes`. Returns the lost objects in the order in which they must be made again. A lost
/// object was made by the router and is not as the router has made it any more. `is_running`
/// returns true for a link that has been up for some time.
pub fn take_lost(
    socket: &mut RequestSocket,
    (made, settled): (&mut Made, &mut Settled),
    stale: Stale,
    routes: Option<&FoundRoutes>,
    is_running: impl Fn(u32) -> bool,
) -> io::Result<Vec<KernelObject>> {
    let mut found = Found::default();
    let mut links = read_links(socket)?;
    found.indices = links.iter().map(|(index, link)| (link.device.clone(), *index)).collect();
    if stale.untold || stale.links {
        read_clocks(socket, &mut links)?;
        let is_other =
            |(index, link): &(&u32, &LinkDetail)| settled.links.get(index) != Some(&link.settings);
        found.suspects = links.iter().filter(is_other).map(|(index, _)| *index).collect();
    }
    if stale.untold && made.has(&KernelObject::Namespace) {
        found.namespace_is_turned = settled.namespace.are_turned();
    }
    if stale.addresses {
        found.addresses = Some(read_addresses(socket)?);
    }
    if stale.rules {
        found.rules = Some(read_rules(socket)?);
    }
    if stale.untold && made.has_proxies() {
        found.proxies = Some(read_proxies(socket)?);
    }
    let settings: BTreeMap<u32, Vec<u8>> =
        links.iter_mut().map(|(index, link)| (*index, mem::take(&mut link.settings))).collect();
    found.links = stale.links.then_some(links);
    let lost = made.take_lost(routes.is_some(), |object| !found.has(object, routes, &is_running));
    found.settle(settings, &lost, settled);
    Ok(lost)
}

impl Found {
    /// Returns true if an object in the kernel is still as the router has made it. Parts that were
    /// not read from the kernel are not compared.
    fn has(
        &self,
        object: &KernelObject,
        routes: Option<&FoundRoutes>,
        is_running: &impl Fn(u32) -> bool,
    ) -> bool {
        let index = |device: Device| self.indices.get(&device.name()).copied();
        match *object {
            KernelObject::Namespace => {
                let has_all = |rules: &BTreeSet<RuleKey>| {
                    let mut rows = request::KERNEL_RULES.iter();
                    rows.all(|&(family, priority, table)| {
                        rules.contains(&(family, priority, None, None, u32::from(table), None))
                    })
                };
                self.rules.as_ref().is_none_or(has_all) && !self.namespace_is_turned
            }
            KernelObject::Link { device, .. } => {
                let Some(index) = index(device) else { return false };
                let found = self.links.as_ref().and_then(|links| links.get(&index));
                found.is_none_or(|found| is_as_made(found, object))
                    && !self.is_turned(object)
                    && !(is_running(index) && self.lacks_link_local(device, index, routes))
            }
            KernelObject::Address { device, address, connected } => {
                let Some(index) = index(device) else { return false };
                let row = (index, address, !connected);
                let is_there = self.addresses.as_ref().is_none_or(|rows| rows.contains(&row));
                let has_network = routes.is_none_or(|routes| {
                    !(connected && has_network(address) && is_running(index))
                        || routes.connected.contains(&(index, address.trunc()))
                });
                is_there && has_network && !self.is_turned(object)
            }
            KernelObject::Rule { family, priority, selector, table } => {
                let row = rule_key(family, priority, selector, table);
                self.rules.as_ref().is_none_or(|rules| rules.contains(&row))
            }
            KernelObject::Route { target, .. } => routes.is_none_or(|routes| {
                let device = match target {
                    RouteTarget::Device(device) => match index(device) {
                        Some(index) => Some(index),
                        None => return false,
                    },
                    _ => None,
                };
                route_key(object, device).is_none_or(|key| routes.ours.contains(&key))
            }),
            KernelObject::ProxyNeighbour { device, address } => {
                let Some(index) = index(device) else { return false };
                self.proxies.as_ref().is_none_or(|rows| rows.contains(&(index, address)))
            }
        }
    }

    /// Returns true if a port has lost the IPv6 link-local address that the kernel has made, or the
    /// connected route of this address.
    fn lacks_link_local(&self, device: Device, index: u32, routes: Option<&FoundRoutes>) -> bool {
        let network = request::link_local_network();
        let lacks_address = self.addresses.as_ref().is_some_and(|rows| {
            let mut rows = rows.iter().filter(|(on, ..)| *on == index);
            !rows.any(|(_, address, _)| is_ipv6_link_local(address.addr()))
        });
        let lacks_route = routes.is_some_and(|it| !it.connected.contains(&(index, network)));
        link::is_port(device)
            && (lacks_address || lacks_route)
            && sysctl::generates_address(&device.name())
    }

    /// Stores the settings of the links in `suspects`. Leaves out a link if one of its objects is
    /// in `lost`.
    fn settle(
        &self,
        mut settings: BTreeMap<u32, Vec<u8>>,
        lost: &[KernelObject],
        settled: &mut Settled,
    ) {
        let on = |object: &KernelObject| match object {
            KernelObject::Link { device, .. } | KernelObject::Address { device, .. } => {
                self.indices.get(&device.name()).copied()
            }
            _ => None,
        };
        let wrong: BTreeSet<u32> = lost.iter().filter_map(on).collect();
        settled.links.retain(|index, _| settings.contains_key(index));
        for index in self.suspects.difference(&wrong) {
            settled.links.extend(settings.remove_entry(index));
        }
    }

    /// Returns true if a setting of an object was changed. Only links in `suspects` are checked.
    fn is_turned(&self, object: &KernelObject) -> bool {
        let off = |device: &str| sysctl::is_generation_turned(device, AddressGeneration::Off);
        let (KernelObject::Link { device, .. } | KernelObject::Address { device, .. }) = object
        else {
            return false;
        };
        let index = self.indices.get(&device.name());
        if !index.is_some_and(|index| self.suspects.contains(index)) {
            return false;
        }
        match *object {
            KernelObject::Link { device, proxy_arp, mobility, .. } => {
                let name = device.name();
                sysctl::is_device_turned(&name, proxy_arp, mobility)
                    || (name == LISP_DEVICE && off(&name))
            }
            KernelObject::Address { device, address, .. } => {
                is_ipv6_link_local(address.addr()) && off(&device.name())
            }
            _ => false,
        }
    }
}

/// Returns true if a link is still as the router has made it. A port that a user has set down also
/// counts as unchanged.
fn is_as_made(link: &LinkDetail, object: &KernelObject) -> bool {
    let KernelObject::Link { device, up, mtu, mac, .. } = *object else { return true };
    let is_up = match (device, up) {
        (Device::Lisp, _) => link.up == up,
        (Device::Interface(_), true) => true,
        (Device::Interface(_), false) => !link.up || link.device == "lo",
    };
    let of_lisp = (link.group, link.queue_len) == (LISP_GROUP, LISP_QUEUE_LEN);
    is_up
        && mtu.is_none_or(|mtu| link.mtu == u32::from(mtu))
        && mac.is_none_or(|mac| link.mac == Some(mac))
        && (device != Device::Lisp || of_lisp)
}

/// Returns true if the kernel makes a route for the network of an address. It makes no route if the
/// prefix contains only one address.
fn has_network(address: IpNet) -> bool {
    address.prefix_len() < Family::of(address.addr()).bits()
}

fn route_key(object: &KernelObject, device: Option<u32>) -> Option<RouteKey> {
    let KernelObject::Route { table, prefix, target, metric, source } = *object else {
        return None;
    };
    let metric = match (Family::of(prefix.addr()), metric) {
        (Family::Ipv6, 0) => IPV6_METRIC,
        _ => metric,
    };
    let gateway = match target {
        RouteTarget::NextHop(gateway) => Some(gateway),
        _ => None,
    };
    let (table, kind) = (request::table_number(table), request::route_kind(target));
    Some(RouteKey { table, prefix: prefix.trunc(), metric, kind, gateway, device, source })
}

fn rule_key(family: Family, priority: u32, selector: RuleSelector, table: Table) -> RuleKey {
    let (source, device) = match selector {
        RuleSelector::FromLisp => (None, CString::new(LISP_DEVICE).ok()),
        RuleSelector::Source(rloc) => (Some(rloc.0), None),
    };
    let suppressed = (table == Table::Main).then_some(LISP_GROUP);
    (family, priority, source, device, request::table_number(table), suppressed)
}

fn read_links(socket: &mut RequestSocket) -> io::Result<BTreeMap<u32, LinkDetail>> {
    let mut request = rt_link::Request::new().op_getlink_dump(&Default::default());
    request.encode().push_ext_mask(SKIP_STATISTICS);
    let rows = socket.dump(&request, |message, rows| rows.extend(event::decode_detail(message)))?;
    Ok(rows.into_iter().collect())
}

/// Reads the timers of the neighbour tables, and appends the timers of each link to the settings of
/// this link.
fn read_clocks(
    socket: &mut RequestSocket,
    links: &mut BTreeMap<u32, LinkDetail>,
) -> io::Result<()> {
    let request = rt_neigh::Request::new().op_getneightbl_dump(&Default::default());
    let rows: Vec<(u32, Vec<u8>)> = socket.dump(&request, |message, rows| {
        let (_, table) = rt_neigh::OpGetneightblDump::decode_reply(message.payload);
        if let Ok(clocks) = table.get_parms()
            && let Ok(index) = clocks.get_ifindex()
        {
            rows.push((index, clocks.get_buf().to_vec()));
        }
    })?;
    for (index, clocks) in rows {
        if let Some(link) = links.get_mut(&index) {
            link.settings.extend(clocks);
        }
    }
    Ok(())
}

fn read_addresses(socket: &mut RequestSocket) -> io::Result<BTreeSet<(u32, IpNet, bool)>> {
    let request = rt_addr::Request::new().op_getaddr_dump(&Default::default());
    let rows = socket.dump(&request, |message, rows| rows.extend(decode_address(message)))?;
    Ok(rows.into_iter().collect())
}

fn decode_address(message: &Message<'_>) -> Option<(u32, IpNet, bool)> {
    let (header, attributes) = rt_addr::OpNewaddrDo::decode_request(message.payload);
    // In a message about an IPv6 address, `get_address` returns the local address, and the
    // attribute that `get_local` reads is missing.
    let address = attributes.get_local().or_else(|_| attributes.get_address()).ok()?;
    let net = IpNet::new(address, header.ifa_prefixlen).ok()?;
    let flags = attributes.get_flags().unwrap_or(u32::from(header.ifa_flags));
    Some((header.ifa_index, net, flags & libc::IFA_F_NOPREFIXROUTE != 0))
}

fn read_rules(socket: &mut RequestSocket) -> io::Result<BTreeSet<RuleKey>> {
    let mut rules = BTreeSet::new();
    for family in Family::BOTH {
        let family_number = request::address_family(family);
        let header = rt_rule::FibRuleHdr { family: family_number, ..Default::default() };
        let request = rt_rule::Request::new().op_getrule_dump(&header);
        rules.extend(socket.dump(&request, |message, rows| {
            let (_, rule) = rt_rule::OpNewruleDo::decode_request(message.payload);
            rows.push((
                family,
                rule.get_priority().unwrap_or(0),
                rule.get_src().ok(),
                rule.get_iifname().ok().map(CString::from),
                rule.get_table().unwrap_or(0),
                rule.get_suppress_ifgroup().ok(),
            ));
        })?);
    }
    Ok(rules)
}

fn read_proxies(socket: &mut RequestSocket) -> io::Result<BTreeSet<neighbour::Key>> {
    let mut proxies = BTreeSet::new();
    for family in Family::BOTH {
        let header = rt_neigh::Ndmsg {
            ndm_family: request::address_family(family),
            ndm_flags: rt_neigh::NtfFlags::Proxy as u8,
            ..Default::default()
        };
        let request = rt_neigh::Request::new().op_getneigh_dump(&header);
        let rows = socket.dump(&request, |message, rows| {
            rows.extend(neighbour::decode_proxy(message));
        })?;
        proxies.extend(rows);
    }
    Ok(proxies)
}

/// Returns true if a route that was deleted or replaced may be one of the router's routes.
pub fn may_be_ours(route: &RouteState<'_>) -> bool {
    let is_ours = route.protocol() == request::ROUTE_PROTOCOL;
    is_ours || route.is_connected() || route.table() == request::table_number(Table::Native)
}
