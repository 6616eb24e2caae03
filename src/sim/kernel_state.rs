//! The state of the kernels of a simulation, in the same form as for a lab in namespaces.

use std::net::IpAddr;

use ipnet::IpNet;

use super::kernel::table::{Entry, Flow, Leads};
use super::kernel::{DeviceKind, Kernel};
use super::node::{HostNode, Node};
use super::{Sim, SimError};
use crate::addr::{Family, is_ipv6_link_local};
use crate::host::neighbour::{Neighbours, State};
use crate::lab::kernel::{LinkState, Neighbour, Route, RouteQuery};

impl Sim {
    /// Returns the devices of a node.
    ///
    /// # Errors
    /// An error if no node has the name `name`.
    pub fn link_states(&self, name: &str) -> Result<Vec<LinkState>, SimError> {
        let mut links = match &self.nodes[self.find(name)?.0].node {
            Node::Host(host) => vec![host_link(host)],
            other => other.kernel().map(kernel_links).unwrap_or_default(),
        };
        for link in &mut links {
            // Only the name of a LAN is returned. The name of a cable exists only in the simulator.
            let segment = self.lan_of(name, &link.device)?;
            let found = segment.and_then(|segment| self.links().find(|it| it.name == segment));
            link.lan = found.filter(|segment| segment.is_lan).map(|lan| lan.name.clone());
        }
        Ok(links)
    }

    /// Returns the route of a packet at a node.
    ///
    /// # Errors
    /// An error if no node has the name `name`.
    pub fn route_of(&self, name: &str, query: &RouteQuery) -> Result<Route, SimError> {
        Ok(match &self.nodes[self.find(name)?.0].node {
            Node::Host(host) => host_route(host, query),
            other => other.kernel().map_or(Route::Missing, |kernel| kernel_route(kernel, query)),
        })
    }
}

fn host_link(host: &HostNode) -> LinkState {
    LinkState {
        device: host.device.clone(),
        up: host.up,
        carrier: host.carrier,
        mtu: host.host.config().mtu.into(),
        addresses: host.host.config().addresses.clone(),
        neighbours: neighbours(host.host.neighbours()),
        ..LinkState::default()
    }
}

fn kernel_links(kernel: &Kernel) -> Vec<LinkState> {
    let link = |device: &super::kernel::NetDevice| {
        let addresses = device.addresses.iter().copied();
        LinkState {
            device: device.name.clone(),
            up: device.up,
            carrier: device.carrier || device.kind == DeviceKind::Loopback,
            mtu: device.mtu.into(),
            addresses: addresses.filter(|net| !is_ipv6_link_local(net.addr())).collect(),
            lan: None,
            proxy_arp: device.proxy_arp,
            proxies: device.proxies.iter().copied().collect(),
            neighbours: neighbours(&device.neighbours),
        }
    };
    kernel.devices().map(link).collect()
}

/// Returns the route of a packet at a host. A host forwards no packets.
fn host_route(host: &HostNode, query: &RouteQuery) -> Route {
    let config = host.host.config();
    if host.host.owns(query.destination) {
        return Route::Local;
    }
    if query.input.is_some() {
        return Route::NotForwarding;
    }
    let Some(next_hop) = host.host.next_hop(query.destination) else {
        return Route::Missing;
    };
    let family = Family::of(query.destination);
    let of_family = |net: &&IpNet| Family::of(net.addr()) == family;
    let on_link = config.addresses.iter().find(|net| net.contains(&query.destination));
    Route::Out {
        device: host.device.clone(),
        gateway: (next_hop != query.destination).then_some(next_hop),
        prefix: Some(on_link.map_or(family.default_prefix(), IpNet::trunc)),
        source: on_link.or_else(|| config.addresses.iter().find(of_family)).map(IpNet::addr),
    }
}

fn kernel_route(kernel: &Kernel, query: &RouteQuery) -> Route {
    let RouteQuery { destination, source, input } = query;
    if kernel.is_local(*destination) {
        return Route::Local;
    }
    if input.is_some() && !kernel.forwards(Family::of(*destination)) {
        return Route::NotForwarding;
    }
    let is_tunnel = |name: &String| {
        let device = kernel.devices().find(|device| device.name == *name);
        device.is_some_and(|device| device.kind == DeviceKind::Tunnel)
    };
    let from_lisp = input.as_ref().is_some_and(is_tunnel);
    let flow = Flow { destination: *destination, source: *source, from_lisp };
    match kernel.route_row(&flow) {
        None => Route::Missing,
        Some((prefix, Entry { leads: Leads::Out { device, gateway }, .. })) => Route::Out {
            device: kernel.device(device).name.clone(),
            gateway,
            prefix: Some(prefix),
            source: kernel.source_for(*destination),
        },
        Some((_, Entry { leads: Leads::Blackhole, .. })) => Route::Blackhole,
        Some((_, Entry { leads: Leads::Unreachable, .. })) => Route::Unreachable,
    }
}

fn neighbours(table: &Neighbours) -> Vec<Neighbour> {
    let neighbour = |(address, state): (IpAddr, State)| {
        let name = match state {
            State::Incomplete => "incomplete",
            State::Reachable => "reachable",
            State::Stale => "stale",
            State::Delay => "delay",
            State::Probe => "probe",
            State::Failed => "failed",
        };
        let is_known = !matches!(state, State::Incomplete | State::Failed);
        Neighbour { address, state: name.to_owned(), is_known }
    };
    table.iter().map(neighbour).collect()
}
