//! Translates a request of the router into netlink requests.
//!
//! All requests can be repeated. A request to add an object succeeds if the object already exists.
//! A request to remove an object succeeds if the object does not exist. So a router can start even
//! if a killed router has left objects in the kernel.

use std::ffi::CString;
use std::io;
use std::net::IpAddr;

use ipnet::IpNet;
use netlink_bindings::{rt_addr, rt_route, rt_rule};

use super::link::{self, Settings};
use super::neighbour;
use super::socket::RequestSocket;
use super::sysctl;
use crate::addr::{Family, is_ipv6_link_local};
use crate::driver::announce;
use crate::router::io::{
    Device, KernelObject, KernelRequest, LISP_DEVICE, LISP_GROUP, RouteTarget, RuleSelector, Table,
};

/// The protocol number of the router's routes (`proto 143` in `ip route`). The router recognises
/// its own routes by this number, and never removes a route of another program.
pub const ROUTE_PROTOCOL: u8 = 143;
/// The value `FR_ACT_TO_TBL`: a rule selects a table for the route lookup.
const LOOKUP_TABLE: u8 = 1;
/// The metric of an IPv6 connected route. The kernel makes a connected route for the network of
/// each address.
const IPV6_CONNECTED_METRIC: u32 = 256;

/// Carries out a request. When this function returns, the request is complete.
pub fn apply(socket: &mut RequestSocket, request: &KernelRequest) -> io::Result<()> {
    match request {
        KernelRequest::Add(object) => unless(&[libc::EEXIST], add(socket, object)),
        KernelRequest::Remove(object) => unless(
            &[libc::ENOENT, libc::ESRCH, libc::ENODEV, libc::EADDRNOTAVAIL],
            remove(socket, object),
        ),
        KernelRequest::Probe { device, address } => {
            neighbour::probe(socket, (index(socket, &device.name())?, *address))
        }
        KernelRequest::Watch { device, address } => {
            neighbour::watch(socket, (index(socket, &device.name())?, *address))
        }
        KernelRequest::Forget { device, address } => {
            unless(&[libc::ENOENT, libc::ENODEV], forget(socket, *device, *address))
        }
        KernelRequest::Announce { device, address } => {
            announce::announce(index(socket, &device.name())?, *address)
        }
    }
}

fn forget(socket: &mut RequestSocket, device: Device, address: IpAddr) -> io::Result<()> {
    neighbour::forget(socket, (index(socket, &device.name())?, address))
}

/// Returns the kernel's number for a table.
pub fn table_number(table: Table) -> u32 {
    match table {
        Table::Native => LISP_GROUP,
        Table::Main => u32::from(libc::RT_TABLE_MAIN),
    }
}

/// Returns the kernel's number for an address family.
pub fn address_family(family: Family) -> u8 {
    match family {
        Family::Ipv4 => libc::AF_INET as u8,
        Family::Ipv6 => libc::AF_INET6 as u8,
    }
}

fn unless(harmless: &[i32], outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.raw_os_error().is_some_and(|n| harmless.contains(&n)) => Ok(()),
        other => other,
    }
}

fn add(socket: &mut RequestSocket, object: &KernelObject) -> io::Result<()> {
    match *object {
        KernelObject::Namespace => {
            sysctl::prepare_namespace()?;
            add_kernel_rules(socket)
        }
        KernelObject::Link { device, up, mtu, proxy_arp, mac, mobility } => {
            let settings = Settings { up, mtu, proxy_arp, mac, mobility };
            link::set(socket, device, &settings)
        }
        KernelObject::Address { device, address, connected } => {
            if is_ipv6_link_local(address.addr()) {
                link::take_generated_address(socket, device)?;
            }
            let header = address_header(socket, device, address)?;
            let mut request = rt_addr::Request::new().set_change().op_newaddr_do(&header);
            encode_address(request.encode(), address.addr(), connected);
            socket.change(&request)?;
            if connected { add_network(socket, &header, address) } else { Ok(()) }
        }
        KernelObject::Rule { family, priority, selector, table } => {
            let header = rule_header(family, selector);
            let request = rt_rule::Request::new().set_create().set_excl();
            let mut request = request.op_newrule_do(&header);
            encode_rule(request.encode(), priority, selector, table);
            socket.change(&request)
        }
        KernelObject::Route { table, prefix, target, metric, source } => {
            let header = route_header(prefix, target);
            let device = route_device(socket, target)?;
            let mut request = rt_route::Request::new().set_change().op_newroute_do(&header);
            encode_route(request.encode(), table, prefix, target, device, metric, source);
            socket.change(&request)
        }
        KernelObject::ProxyNeighbour { device, address } => {
            neighbour::add_proxy(socket, (index(socket, &device.name())?, address))
        }
    }
}

/// Restores the route for the network of an IPv4 address. The kernel makes this route when the
/// address is added for the first time. A user may have removed the route. If the address is then
/// added again, the kernel restores the route only for IPv6.
fn add_network(
    socket: &mut RequestSocket,
    header: &rt_addr::Ifaddrmsg,
    address: IpNet,
) -> io::Result<()> {
    if address.addr().is_ipv6() || address.prefix_len() >= Family::Ipv4.bits() {
        return Ok(());
    }
    add_connected(socket, header.ifa_index, address.trunc(), Some(address.addr()))
}

/// Makes the connected route of an address with the same attributes as the kernel would use. So the
/// kernel removes the route when the address is removed.
pub fn add_connected(
    socket: &mut RequestSocket,
    index: u32,
    network: IpNet,
    source: Option<IpAddr>,
) -> io::Result<()> {
    let header = rt_route::Rtmsg {
        rtm_family: address_family(Family::of(network.addr())),
        rtm_dst_len: network.prefix_len(),
        rtm_protocol: libc::RTPROT_KERNEL,
        rtm_scope: libc::RT_SCOPE_LINK,
        rtm_type: libc::RTN_UNICAST,
        ..Default::default()
    };
    // An IPv6 route is added without the flag EXCL. With EXCL, the kernel would refuse the route if
    // another device has a route to this network.
    let request = rt_route::Request::new().set_create();
    let request = if source.is_some() { request.set_excl() } else { request.set_append() };
    let mut request = request.op_newroute_do(&header);
    let mut attributes = request
        .encode()
        .push_table(u32::from(libc::RT_TABLE_MAIN))
        .push_dst(network.addr())
        .push_oif(index);
    attributes = match source {
        Some(source) => attributes.push_prefsrc(source),
        None => attributes.push_priority(IPV6_CONNECTED_METRIC),
    };
    drop(attributes);
    // A device that is down has no routes, so ENETDOWN is not an error. When the device goes up,
    // the kernel adds all its connected routes.
    unless(&[libc::EEXIST, libc::ENETDOWN], socket.change(&request))
}

/// The rules that the kernel makes in a new namespace. `ip rule flush` removes these rules.
pub const KERNEL_RULES: [(Family, u32, u8); 3] = [
    (Family::Ipv4, 32766, libc::RT_TABLE_MAIN),
    (Family::Ipv4, 32767, libc::RT_TABLE_DEFAULT),
    (Family::Ipv6, 32766, libc::RT_TABLE_MAIN),
];

fn add_kernel_rules(socket: &mut RequestSocket) -> io::Result<()> {
    for (family, priority, table) in KERNEL_RULES {
        let header = rt_rule::FibRuleHdr {
            family: address_family(family),
            action: LOOKUP_TABLE,
            ..Default::default()
        };
        let mut request = rt_rule::Request::new().set_create().set_excl().op_newrule_do(&header);
        request
            .encode()
            .push_priority(priority)
            .push_table(u32::from(table))
            .push_protocol(libc::RTPROT_KERNEL);
        unless(&[libc::EEXIST], socket.change(&request))?;
    }
    Ok(())
}

fn remove(socket: &mut RequestSocket, object: &KernelObject) -> io::Result<()> {
    match *object {
        KernelObject::Namespace | KernelObject::Link { .. } => Ok(()),
        KernelObject::ProxyNeighbour { device, address } => {
            neighbour::remove_proxy(socket, (index(socket, &device.name())?, address))
        }
        KernelObject::Address { device, address, .. } => {
            let header = address_header(socket, device, address)?;
            let mut request = rt_addr::Request::new().op_deladdr_do(&header);
            request.encode().push_local(address.addr());
            let removed = socket.change(&request);
            if is_ipv6_link_local(address.addr()) {
                link::generate_address(device)?;
            }
            removed
        }
        KernelObject::Rule { family, priority, selector, table } => {
            let header = rule_header(family, selector);
            let mut request = rt_rule::Request::new().op_delrule_do(&header);
            encode_rule(request.encode(), priority, selector, table);
            socket.change(&request)
        }
        KernelObject::Route { table, prefix, target, metric, source } => {
            let mut header = route_header(prefix, target);
            header.rtm_scope = libc::RT_SCOPE_NOWHERE; // The route may have any scope.
            let device = route_device(socket, target)?;
            let mut request = rt_route::Request::new().op_delroute_do(&header);
            encode_route(request.encode(), table, prefix, target, device, metric, source);
            socket.change(&request)
        }
    }
}

fn address_header(
    socket: &RequestSocket,
    device: Device,
    address: IpNet,
) -> io::Result<rt_addr::Ifaddrmsg> {
    Ok(rt_addr::Ifaddrmsg {
        ifa_family: address_family(Family::of(address.addr())),
        ifa_prefixlen: address.prefix_len(),
        ifa_index: index(socket, &device.name())?,
        ..Default::default()
    })
}

fn encode_address(
    attributes: rt_addr::PushAddrAttrs<&mut Vec<u8>>,
    address: IpAddr,
    connected: bool,
) {
    let nodad = if address.is_ipv6() { libc::IFA_F_NODAD } else { 0 };
    let alone = if connected { 0 } else { libc::IFA_F_NOPREFIXROUTE };
    attributes.push_local(address).push_address(address).push_flags(nodad | alone);
}

/// The network that contains all IPv6 link-local addresses.
pub fn link_local_network() -> IpNet {
    IpNet::new(std::net::Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0).into(), 64)
        .expect("64 is below 128")
}

fn rule_header(family: Family, selector: RuleSelector) -> rt_rule::FibRuleHdr {
    rt_rule::FibRuleHdr {
        family: address_family(family),
        src_len: match selector {
            RuleSelector::FromLisp => 0,
            RuleSelector::Source(_) => family.bits(),
        },
        action: LOOKUP_TABLE,
        ..Default::default()
    }
}

fn encode_rule(
    attributes: rt_rule::PushFibRuleAttrs<&mut Vec<u8>>,
    priority: u32,
    selector: RuleSelector,
    table: Table,
) {
    let attributes = attributes.push_priority(priority).push_table(table_number(table));
    let attributes = match selector {
        RuleSelector::FromLisp => {
            let name = CString::new(LISP_DEVICE).expect("the name holds no zero octet");
            attributes.push_iifname(&name)
        }
        RuleSelector::Source(rloc) => attributes.push_src(rloc.0),
    };
    if table == Table::Main {
        attributes.push_suppress_ifgroup(LISP_GROUP);
    }
}

/// Returns the type (`RTN_*`) of a kernel route with the target `target`.
pub fn route_kind(target: RouteTarget) -> u8 {
    match target {
        RouteTarget::NextHop(_) | RouteTarget::Device(_) => libc::RTN_UNICAST,
        RouteTarget::Blackhole => libc::RTN_BLACKHOLE,
        RouteTarget::Unreachable => libc::RTN_UNREACHABLE,
    }
}

fn route_header(prefix: IpNet, target: RouteTarget) -> rt_route::Rtmsg {
    let scope = match target {
        RouteTarget::Device(_) => libc::RT_SCOPE_LINK,
        _ => libc::RT_SCOPE_UNIVERSE,
    };
    rt_route::Rtmsg {
        rtm_family: address_family(Family::of(prefix.addr())),
        rtm_dst_len: prefix.prefix_len(),
        rtm_protocol: ROUTE_PROTOCOL,
        rtm_scope: scope,
        rtm_type: route_kind(target),
        ..Default::default()
    }
}

fn route_device(socket: &RequestSocket, target: RouteTarget) -> io::Result<Option<u32>> {
    match target {
        RouteTarget::Device(device) => index(socket, &device.name()).map(Some),
        _ => Ok(None),
    }
}

fn encode_route(
    attributes: rt_route::PushRouteAttrs<&mut Vec<u8>>,
    table: Table,
    prefix: IpNet,
    target: RouteTarget,
    device: Option<u32>,
    metric: u32,
    source: Option<IpAddr>,
) {
    let mut attributes = attributes.push_table(table_number(table)).push_priority(metric);
    if prefix.prefix_len() > 0 {
        attributes = attributes.push_dst(prefix.network());
    }
    if let RouteTarget::NextHop(gateway) = target {
        attributes = attributes.push_gateway(gateway);
    }
    if let Some(device) = device {
        attributes = attributes.push_oif(device);
    }
    if let Some(source) = source {
        attributes.push_prefsrc(source);
    }
}

/// Returns the index of the device with the name `name`.
///
/// # Errors
/// ENODEV if there is no device with this name.
pub fn index(socket: &RequestSocket, name: &str) -> io::Result<u32> {
    Ok(rustix::net::netdevice::name_to_index(socket.fd(), name)?)
}
