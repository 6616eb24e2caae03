//! Adds and removes devices, addresses, routes and rules, and notifies the process as netlink does.
//!
//! If a link is set down, its routes are removed. As on Linux, there is no notification of each
//! route, so the process reads the whole table again. When the link comes up again, its connected
//! routes return. Its static routes do not return.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::table::{Entry, Leads, Rule};
use super::{DeviceId, DeviceKind, Kernel, NetDevice};
use crate::addr::{Family, is_ipv6_link_local};
use crate::host::frame::HardwareAddress;
use crate::host::neighbour::{Clocks, Neighbours};
use crate::router::io::{
    Device, KernelEvent, KernelObject, KernelRequest, KernelRoute, Mac, RouteTarget, Table,
};
use crate::router::made::IPV6_METRIC;

/// The timers of a port for roaming hosts. They have the values that `driver/netlink` sets.
const MOBILITY_CLOCKS: Clocks =
    Clocks { reachable: Duration::from_secs(2), first_probe: Duration::from_secs(1) };

/// The metric of connected IPv6 routes.
const IPV6_CONNECTED_METRIC: u32 = 256;

const NO_DEVICE: &str = "No such device";
const NO_ROUTE_TO_GATEWAY: &str = "Nexthop has invalid gateway";
const DEVICE_DOWN: &str = "Network is down";

impl Kernel {
    /// Creates a device. The new device is down. A new port has no carrier. A new tunnel has
    /// carrier, because its process has opened it.
    ///
    /// If a deleted device is created again, it gets its old ID and is still plugged into its link.
    pub fn add_device(&mut self, name: &str, kind: DeviceKind, mtu: u16) -> DeviceId {
        let is_it = |device: &NetDevice| !device.is_there && device.name == name;
        let deleted = self.devices.iter().position(is_it);
        let id = DeviceId(deleted.unwrap_or(self.devices.len()));
        let device = NetDevice {
            name: name.to_owned(),
            is_there: true,
            kind,
            up: false,
            carrier: kind != DeviceKind::Port,
            mtu,
            own_mtu: mtu,
            addresses: Vec::new(),
            unconnected: BTreeSet::new(),
            proxy_arp: false,
            mac: [0x02, 0, 0, 0, 0, id.0 as u8],
            mobility: false,
            proxies: BTreeSet::new(),
            neighbours: Neighbours::default(),
        };
        match self.devices.get_mut(id.0) {
            Some(place) => *place = device,
            None => self.devices.push(device),
        }
        self.tell_link(id);
        id
    }

    /// Sends the whole present state to the process, and drops earlier events. After this call, the
    /// process has the same information as a process that has just started and read all tables.
    pub fn announce(&mut self) {
        self.events.clear();
        let there = self.devices.iter().enumerate().filter(|(_, device)| device.is_there);
        let there: Vec<DeviceId> = there.map(|(at, _)| DeviceId(at)).collect();
        there.into_iter().for_each(|id| self.tell_link(id));
        self.tell_neighbours();
        self.tell_routes();
    }

    /// Does the work of `ip link set DEVICE address MAC`. If the address changes, the neighbours on
    /// the link are deleted.
    pub fn set_mac(&mut self, id: DeviceId, mac: HardwareAddress) {
        if self.device(id).mac != mac {
            self.devices[id.0].mac = mac;
            self.flush_neighbours(id);
        }
    }

    /// Does the work of `ip link set DEVICE up|down`.
    pub fn set_up(&mut self, id: DeviceId, up: bool) {
        let device = &mut self.devices[id.0];
        if device.up == up {
            return;
        }
        device.up = up;
        self.link_changed = true;
        let device = &self.devices[id.0];
        if up {
            for address in device.addresses.clone() {
                self.add_connected(id, address);
            }
        } else {
            self.routing.remove_device(id);
            // As on Linux with `keep_addr_on_down`, global IPv6 addresses stay and IPv6 link-local
            // addresses are removed.
            self.devices[id.0].addresses.retain(|net| !is_ipv6_link_local(net.addr()));
        }
        self.tell_link(id);
        if !up {
            self.flush_neighbours(id);
        }
        self.tell_routes();
        self.tell_losses();
    }

    /// Sets whether the link of a device has carrier. The routes of the device stay.
    pub fn set_carrier(&mut self, id: DeviceId, carrier: bool) {
        let device = &mut self.devices[id.0];
        if device.carrier != carrier {
            device.carrier = carrier;
            self.tell_link(id);
            if !carrier {
                self.flush_neighbours(id);
            }
            self.tell_routes();
            self.tell_losses();
        }
    }

    /// Does the work of `ip link set DEVICE mtu N`. If `mtu` is `None`, the device gets the MTU of
    /// its link.
    pub fn set_mtu(&mut self, id: DeviceId, mtu: Option<u16>) {
        let device = &mut self.devices[id.0];
        let mtu = mtu.unwrap_or(device.own_mtu);
        if device.mtu != mtu {
            device.mtu = mtu;
            self.tell_link(id);
        }
    }

    /// Does the work of `ip address add`. Also adds the connected route of the address.
    pub fn add_address(&mut self, id: DeviceId, address: IpNet) {
        let device = &mut self.devices[id.0];
        device.unconnected.remove(&address);
        if !device.addresses.contains(&address) {
            device.addresses.push(address);
        }
        if device.up
            && let Some((prefix, entry)) = self.add_connected(id, address)
        {
            self.tell_route(Table::Main, prefix, &entry, true);
        }
    }

    /// Does the work of `ip address add ... noprefixroute`. Adds no connected route.
    pub fn add_unconnected_address(&mut self, id: DeviceId, address: IpNet) {
        self.remove_address(id, address);
        let device = &mut self.devices[id.0];
        device.addresses.push(address);
        device.unconnected.insert(address);
    }

    /// Does the work of `ip address delete`. If no other address of the network is left, the
    /// connected route of the network is removed too. IPv4 routes with this source address are
    /// removed. IPv6 routes with this source address stay, but lose the source address. If the
    /// device has no IPv4 address left, all IPv4 routes through the device are removed.
    pub fn remove_address(&mut self, id: DeviceId, address: IpNet) {
        if self.device(id).addresses.contains(&address) {
            self.take_address(id, address);
            let family = Family::of(address.addr());
            let mut others = self.device(id).addresses.iter();
            if family == Family::Ipv4 && !others.any(|other| Family::of(other.addr()) == family) {
                let gone = self.routing.remove_routes(|_, prefix, entry| {
                    Family::of(prefix.addr()) == family && entry.device() == Some(id)
                });
                self.tell_removed(gone);
            }
            if !self.has_address(address.addr()) {
                self.forget_source(address.addr());
            }
        }
    }

    /// Whether any device, up or down, has this address.
    fn has_address(&self, address: IpAddr) -> bool {
        let nets = self.devices.iter().flat_map(|device| &device.addresses);
        nets.into_iter().any(|net| net.addr() == address)
    }

    fn forget_source(&mut self, address: IpAddr) {
        let of_source =
            |_: Table, _: IpNet, entry: &Entry| !entry.connected && entry.source == Some(address);
        let gone = self.routing.remove_routes(of_source);
        if address.is_ipv6() {
            for (table, prefix, entry) in gone {
                let entry = Entry { source: None, ..entry };
                self.routing.table_mut(table).add(prefix, entry);
            }
        } else {
            self.tell_removed(gone);
        }
    }

    /// Notifies the process that these routes were removed.
    pub(super) fn tell_removed(&mut self, gone: Vec<(Table, IpNet, Entry)>) {
        for (table, prefix, entry) in gone {
            self.tell_route(table, prefix, &entry, false);
        }
    }

    fn take_address(&mut self, id: DeviceId, address: IpNet) {
        let device = &mut self.devices[id.0];
        let before = device.addresses.len();
        device.addresses.retain(|&other| other != address);
        let is_gone = device.addresses.len() < before;
        let was_connected = !device.unconnected.remove(&address);
        let mut connected_ones =
            device.addresses.iter().filter(|other| !device.unconnected.contains(*other));
        let network = address.trunc();
        let is_kept = connected_ones.any(|other| other.trunc() == network);
        if !is_gone || !was_connected || is_kept {
            return;
        }
        if let Some((prefix, entry)) = connected(id, address)
            && self.routing.table_mut(Table::Main).remove(prefix, &entry)
        {
            self.tell_route(Table::Main, prefix, &entry, false);
        }
    }

    /// Does the work of `ip route replace`. The error is the message of Linux. The device of the
    /// route must be up.
    pub fn add_route(
        &mut self,
        table: Table,
        prefix: IpNet,
        leads: Leads,
        metric: u32,
        source: Option<IpAddr>,
    ) -> Result<(), &'static str> {
        if let Leads::Out { device, .. } = leads
            && !self.device(device).up
        {
            return Err(DEVICE_DOWN);
        }
        let entry = static_entry(prefix, leads, metric, source);
        if self.routing.table_mut(table).add(prefix, entry) {
            self.tell_route(table, prefix, &entry, true);
        }
        Ok(())
    }

    /// Does the work of `ip route replace PREFIX via GATEWAY` in table main.
    pub fn add_static(&mut self, prefix: IpNet, gateway: IpAddr) -> Result<(), &'static str> {
        let leads = self.via(gateway)?;
        self.add_route(Table::Main, prefix, leads, 0, None)
    }

    /// Returns the next hop of a route through `gateway`. The gateway must be in a connected
    /// network.
    pub fn via(&self, gateway: IpAddr) -> Result<Leads, &'static str> {
        let table = self.routing.table(Table::Main);
        let entry = table.lookup(gateway, |entry| entry.connected).ok_or(NO_ROUTE_TO_GATEWAY)?;
        let device = entry.device().ok_or(NO_ROUTE_TO_GATEWAY)?;
        let gateway = Some(gateway);
        Ok(Leads::Out { device, gateway })
    }

    /// Carries out a request of the process, or reports to the process that the request was
    /// refused.
    pub fn apply(&mut self, request: KernelRequest) {
        let done = match request {
            KernelRequest::Add(object) => self.make(object),
            KernelRequest::Remove(object) => self.unmake(object),
            KernelRequest::Probe { device, address } => {
                self.resolve(&device).map(|id| self.probe(id, address, false))
            }
            KernelRequest::Watch { device, address } => {
                self.resolve(&device).map(|id| self.probe(id, address, true))
            }
            KernelRequest::Forget { device, address } => {
                self.resolve(&device).map(|id| self.forget(id, address))
            }
            KernelRequest::Announce { device, address } => {
                self.resolve(&device).map(|id| self.announce_host(id, address))
            }
        };
        match done {
            Ok(()) => self.made.done(&request),
            Err(error) => {
                self.made.refused(&request);
                let error = error.to_owned();
                self.events.push_back(KernelEvent::Refused { request, error });
            }
        }
        // A change of a link or of an address may remove other objects too.
        if let KernelRequest::Add(KernelObject::Link { .. })
        | KernelRequest::Remove(KernelObject::Address { .. })
        | KernelRequest::Add(KernelObject::Address { connected: false, .. }) = request
        {
            self.tell_losses();
        }
    }

    fn make(&mut self, object: KernelObject) -> Result<(), &'static str> {
        match object {
            KernelObject::Namespace => {
                self.forwards = [true; 2];
                self.routing.set_main_rule(Family::Ipv4, true);
                self.routing.set_main_rule(Family::Ipv6, true);
                Ok(())
            }
            KernelObject::Link { device, up, mtu, proxy_arp, mac, mobility } => {
                let id = self.resolve(&device)?;
                let port = &mut self.devices[id.0];
                port.proxy_arp = proxy_arp && !mobility;
                port.mobility = mobility;
                port.neighbours.clocks = if mobility { MOBILITY_CLOCKS } else { Clocks::default() };
                if let Some(Mac(mac)) = mac {
                    self.set_mac(id, mac);
                }
                self.set_mtu(id, mtu);
                self.set_up(id, up);
                Ok(())
            }
            KernelObject::Address { device, address, connected } => {
                let id = self.resolve(&device)?;
                if connected {
                    self.add_address(id, address);
                } else {
                    self.add_unconnected_address(id, address);
                }
                Ok(())
            }
            KernelObject::Rule { .. } => {
                self.routing.add_rule(rule(object).ok_or(NO_DEVICE)?);
                Ok(())
            }
            KernelObject::Route { table, prefix, target, metric, source } => {
                let leads = self.leads(target)?;
                self.add_route(table, prefix, leads, metric, source)?;
                let entry = static_entry(prefix, leads, metric, source);
                self.of_process.insert((table, prefix, entry));
                Ok(())
            }
            KernelObject::ProxyNeighbour { device, address } => {
                let id = self.resolve(&device)?;
                self.devices[id.0].proxies.insert(address);
                Ok(())
            }
        }
    }

    /// Removes an object. If the object is missing, there is nothing to do. Only a missing device
    /// is an error.
    fn unmake(&mut self, object: KernelObject) -> Result<(), &'static str> {
        match object {
            KernelObject::Namespace | KernelObject::Link { .. } => Ok(()),
            KernelObject::ProxyNeighbour { device, address } => {
                let id = self.resolve(&device)?;
                self.devices[id.0].proxies.remove(&address);
                Ok(())
            }
            KernelObject::Address { device, address, .. } => {
                let id = self.resolve(&device)?;
                self.remove_address(id, address);
                Ok(())
            }
            KernelObject::Rule { .. } => {
                self.routing.remove_rule(&rule(object).ok_or(NO_DEVICE)?);
                Ok(())
            }
            KernelObject::Route { table, prefix, target, metric, source } => {
                // If the network of the gateway was removed earlier, this route was removed
                // together with the network.
                let leads = match target {
                    RouteTarget::NextHop(gateway) => self.leads_by_gateway(table, prefix, gateway),
                    _ => Some(self.leads(target)?),
                };
                if let Some(leads) = leads {
                    let entry = static_entry(prefix, leads, metric, source);
                    self.of_process.remove(&(table, prefix, entry));
                    if self.routing.table_mut(table).remove(prefix, &entry) {
                        self.tell_route(table, prefix, &entry, false);
                    }
                }
                Ok(())
            }
        }
    }

    pub(super) fn leads(&self, target: RouteTarget) -> Result<Leads, &'static str> {
        match target {
            RouteTarget::NextHop(gateway) => self.via(gateway),
            RouteTarget::Device(device) => {
                Ok(Leads::Out { device: self.resolve(&device)?, gateway: None })
            }
            RouteTarget::Blackhole => Ok(Leads::Blackhole),
            RouteTarget::Unreachable => Ok(Leads::Unreachable),
        }
    }

    /// Returns the next hop of the existing route for `prefix` through `gateway`.
    fn leads_by_gateway(&self, table: Table, prefix: IpNet, gateway: IpAddr) -> Option<Leads> {
        let mut rows = self.routing.table(table).iter();
        rows.find_map(|(other, entry)| match entry.leads {
            Leads::Out { gateway: via, .. } => {
                (other == prefix.trunc() && via == Some(gateway)).then_some(entry.leads)
            }
            _ => None,
        })
    }

    fn resolve(&self, device: &Device) -> Result<DeviceId, &'static str> {
        self.device_id(&device.name()).ok_or(NO_DEVICE)
    }

    fn add_connected(&mut self, id: DeviceId, address: IpNet) -> Option<(IpNet, Entry)> {
        if self.device(id).unconnected.contains(&address) {
            return None;
        }
        let (prefix, entry) = connected(id, address)?;
        let added = self.routing.table_mut(Table::Main).add(prefix, entry);
        added.then_some((prefix, entry))
    }

    pub(super) fn tell_link(&mut self, id: DeviceId) {
        let NetDevice { ref name, up, carrier, mtu, .. } = self.devices[id.0];
        self.events.push_back(KernelEvent::Link {
            device: name.clone(),
            up,
            // On Linux, a device that is down is reported without carrier.
            carrier: up && carrier,
            mtu: u32::from(mtu),
        });
    }

    pub(super) fn tell_link_gone(&mut self, id: DeviceId) {
        let device = self.device(id).name.clone();
        self.events.push_back(KernelEvent::LinkGone { device });
    }

    pub(super) fn tell_routes(&mut self) {
        let rows = self.routing.table(Table::Main).iter();
        let routes = rows.filter_map(|(prefix, entry)| self.unicast(prefix, entry)).collect();
        self.events.push_back(KernelEvent::Routes(routes));
    }

    fn tell_route(&mut self, table: Table, prefix: IpNet, entry: &Entry, added: bool) {
        if table == Table::Main
            && let Some(route) = self.unicast(prefix, entry)
        {
            self.events.push_back(if added {
                KernelEvent::RouteAdded(route)
            } else {
                KernelEvent::RouteRemoved(route)
            });
        }
    }

    fn unicast(&self, prefix: IpNet, entry: &Entry) -> Option<KernelRoute> {
        let Leads::Out { device, gateway } = entry.leads else {
            return None;
        };
        Some(KernelRoute {
            prefix: prefix.trunc(),
            device: self.device(device).name.clone(),
            gateway,
            metric: entry.metric,
        })
    }
}

/// Returns the connected route of an address. A host address (/32, /128) and an IPv6 link-local
/// address have no connected route.
pub(super) fn connected(device: DeviceId, address: IpNet) -> Option<(IpNet, Entry)> {
    let family = Family::of(address.addr());
    if address.prefix_len() == family.bits() || is_ipv6_link_local(address.addr()) {
        return None;
    }
    let (metric, source) = match family {
        Family::Ipv4 => (0, Some(address.addr())),
        Family::Ipv6 => (IPV6_CONNECTED_METRIC, None),
    };
    let entry =
        Entry { metric, connected: true, leads: Leads::Out { device, gateway: None }, source };
    Some((address.trunc(), entry))
}

pub(super) fn static_entry(
    prefix: IpNet,
    leads: Leads,
    metric: u32,
    source: Option<IpAddr>,
) -> Entry {
    let ipv6_default = metric == 0 && Family::of(prefix.addr()) == Family::Ipv6;
    Entry {
        metric: if ipv6_default { IPV6_METRIC } else { metric },
        connected: false,
        leads,
        source,
    }
}

pub(super) fn rule(object: KernelObject) -> Option<Rule> {
    match object {
        KernelObject::Rule { family, priority, selector, table } => {
            Some(Rule { priority, family, selector, table })
        }
        _ => None,
    }
}
