//! Finds lost objects. An object is lost if the kernel made it at the request of the process, and
//! another program removed it later.

use std::net::IpAddr;

use super::configure::{connected, rule};
use super::table::{Entry, Leads};
use super::{DeviceKind, Kernel, NetDevice};
use crate::addr::Family;
use crate::router::io::{Device, KernelEvent, KernelObject, LISP_DEVICE, Mac, RouteTarget, Table};
use crate::router::made::IPV6_METRIC;

impl Kernel {
    /// Notifies the process of lost objects: the process requested these objects, and another
    /// program removed them.
    pub(super) fn tell_losses(&mut self) {
        let mut made = std::mem::take(&mut self.made);
        let lost = made.take_lost(true, |object| !self.is_made(object));
        self.made = made;
        if !lost.is_empty() {
            self.events.push_back(KernelEvent::Lost(lost));
        }
    }

    /// Returns the state of the kernel as sorted lines: one line for each device, address, rule,
    /// route and setting.
    pub fn state(&self) -> Vec<String> {
        let mut lines = vec![format!("forwards {:?}", self.forwards)];
        for device in self.devices.iter().filter(|device| device.is_there) {
            let NetDevice { name, up, carrier, mtu, mac, proxy_arp, mobility, .. } = device;
            lines.push(format!(
                "{name} up {up} carrier {carrier} mtu {mtu} mac {mac:x?} proxy-arp {proxy_arp} \
                 mobility {mobility} proxies {:?}",
                device.proxies
            ));
            lines.extend(device.addresses.iter().map(|address| {
                format!("{name} {address} connected {}", !device.unconnected.contains(address))
            }));
        }
        for family in Family::BOTH {
            lines.push(format!("{family} main {}", self.routing.has_main_rule(family)));
        }
        lines.extend(self.routing.rules().map(|rule| format!("{rule:?}")));
        for table in [Table::Main, Table::Native] {
            let rows = self.routing.table(table).iter();
            lines.extend(rows.map(|(prefix, entry)| format!("{table}: {prefix} {entry:?}")));
        }
        lines.sort();
        lines
    }

    fn named(&self, device: &Device) -> Option<&NetDevice> {
        self.device_id(&device.name()).map(|id| self.device(id))
    }

    fn is_made(&self, object: &KernelObject) -> bool {
        match *object {
            KernelObject::Namespace => {
                let has_main = |family| self.routing.has_main_rule(family);
                self.forwards == [true; 2] && Family::BOTH.into_iter().all(has_main)
            }
            KernelObject::Link { device, up, mtu, proxy_arp, mac, mobility } => {
                self.named(&device).is_some_and(|port| {
                    // If a user sets a port down, the port stays down. This is not a lost object.
                    let is_up = match up {
                        true => port.up || port.name != LISP_DEVICE,
                        false => !port.up || port.kind == DeviceKind::Loopback,
                    };
                    is_up
                        && mtu.is_none_or(|mtu| port.mtu == mtu)
                        && mac.is_none_or(|Mac(mac)| port.mac == mac)
                        && port.proxy_arp == (proxy_arp && !mobility)
                        && port.mobility == mobility
                })
            }
            KernelObject::Address { device, address, connected: has_network } => {
                self.named(&device).is_some_and(|port| {
                    port.addresses.contains(&address)
                        && port.unconnected.contains(&address) != has_network
                        && (!has_network || !port.up || self.is_connected(&device, address))
                })
            }
            KernelObject::Rule { .. } => {
                rule(*object).is_some_and(|rule| self.routing.has_rule(&rule))
            }
            KernelObject::Route { table, prefix, target, metric, source } => {
                let metric = match (Family::of(prefix.addr()), metric) {
                    (Family::Ipv6, 0) => IPV6_METRIC,
                    _ => metric,
                };
                let mut rows = self.routing.table(table).of(prefix).iter();
                rows.any(|entry| {
                    !entry.connected
                        && (entry.metric, entry.source) == (metric, source)
                        && self.leads_to(entry, target)
                })
            }
            KernelObject::ProxyNeighbour { device, address } => {
                self.named(&device).is_some_and(|port| port.proxies.contains(&address))
            }
        }
    }

    /// Whether the connected route of an address exists.
    fn is_connected(&self, device: &Device, address: ipnet::IpNet) -> bool {
        let Some(id) = self.device_id(&device.name()) else { return false };
        connected(id, address).is_none_or(|(prefix, _)| {
            let mut rows = self.routing.table(Table::Main).of(prefix).iter();
            rows.any(|entry| entry.connected && entry.device() == Some(id))
        })
    }

    fn leads_to(&self, entry: &Entry, target: RouteTarget) -> bool {
        let by = |wanted: IpAddr| matches!(entry.leads, Leads::Out { gateway: Some(gateway), .. } if gateway == wanted);
        match target {
            RouteTarget::NextHop(gateway) => by(gateway),
            RouteTarget::Device(device) => {
                let id = self.device_id(&device.name());
                id.is_some_and(|device| entry.leads == Leads::Out { device, gateway: None })
            }
            RouteTarget::Blackhole => entry.leads == Leads::Blackhole,
            RouteTarget::Unreachable => entry.leads == Leads::Unreachable,
        }
    }
}
