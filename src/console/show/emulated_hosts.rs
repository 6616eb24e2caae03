//! `show emulated-hosts`: the hosts that the process of this router emulates on the LANs of the
//! router.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::State;
use super::columns::Columns;
use crate::console::hosts::HostState;
use crate::console::view::emulated_hosts::{EmulatedHostRow, EmulatedHostsView};
use crate::router::config::{EmulatedHost, InterfaceName};

/// The view of all emulated hosts: running hosts, and configured hosts that do not run.
pub fn view(State { router, hosts, .. }: State<'_>) -> EmulatedHostsView {
    let mut rows = BTreeMap::new();
    for (interface, port) in &router.config().interfaces {
        for (name, host) in &port.emulated_hosts {
            rows.insert((*interface, name.clone()), configured(name, *interface, host));
        }
    }
    for (name, state) in hosts.states() {
        rows.insert((state.interface, name.clone()), running(name, state));
    }
    EmulatedHostsView { hosts: rows.into_values().collect() }
}

fn configured(name: &str, interface: InterfaceName, host: &EmulatedHost) -> EmulatedHostRow {
    EmulatedHostRow {
        name: name.to_owned(),
        interface,
        up: false,
        mac: None,
        addresses: host.addresses.clone(),
        gateways: host.gateways.values().copied().collect(),
        received: 0,
        sent: 0,
    }
}

fn running(name: String, state: HostState) -> EmulatedHostRow {
    let HostState { interface, addresses, gateways, mac, is_up, received, sent } = state;
    EmulatedHostRow {
        name,
        interface,
        up: is_up,
        mac: Some(mac.to_string()),
        addresses,
        gateways,
        received,
        sent,
    }
}

/// The text of `show emulated-hosts`.
pub fn text(view: &EmulatedHostsView) -> String {
    let columns = Columns::of([11, 16, 7, 16, 9, 9, 0]);
    let head = ["Host", "Interface", "State", "MAC address", "In", "Out", "Addresses"];
    let mut text = columns.line(head);
    for row in &view.hosts {
        let state = if row.up { "up" } else { "down" };
        let mac = row.mac.as_deref().unwrap_or("-");
        let addresses: Vec<String> = row.addresses.iter().map(IpNet::to_string).collect();
        let (received, sent) = (row.received.to_string(), row.sent.to_string());
        let (interface, addresses) = (row.interface.to_string(), addresses.join(", "));
        text += &columns.line([&row.name, &interface, state, mac, &received, &sent, &addresses]);
    }
    text
}
