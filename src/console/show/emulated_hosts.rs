//! `show emulated-hosts`: the hosts that this router plays.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use super::columns::Columns;
use crate::router::Router;
use crate::time::Time;

/// The hosts of a router.
#[derive(Clone, Debug, Serialize)]
pub struct EmulatedHostsView {
    /// By interface, then by name.
    pub hosts: Vec<EmulatedHostRow>,
}

/// A host.
#[derive(Clone, Debug, Serialize)]
pub struct EmulatedHostRow {
    /// Its name.
    pub name: String,
    /// The router's interface whose LAN it is on.
    pub interface: String,
    /// Its stack runs and it is plugged in.
    pub up: bool,
    /// As IOS prints it, once it runs.
    pub mac: Option<String>,
    /// With the length of their network.
    pub addresses: Vec<IpNet>,
    /// Its default gateways.
    pub gateways: Vec<IpAddr>,
    /// Ethernet frames that came.
    pub received: u64,
    /// Ethernet frames that left.
    pub sent: u64,
}

/// Looks at all hosts.
pub fn view(router: &Router, _: Time) -> EmulatedHostsView {
    let ports = router.config().interfaces.iter();
    let hosts = ports.flat_map(|(interface, port)| {
        port.emulated_hosts.iter().map(move |(name, host)| {
            let state = router.emulated_hosts().get(name);
            EmulatedHostRow {
                name: name.clone(),
                interface: interface.to_string(),
                up: state.is_some_and(|state| state.is_up),
                mac: state.map(|state| state.mac.to_string()),
                addresses: host.addresses.clone(),
                gateways: host.gateways.values().copied().collect(),
                received: state.map_or(0, |state| state.received),
                sent: state.map_or(0, |state| state.sent),
            }
        })
    });
    EmulatedHostsView { hosts: hosts.collect() }
}

/// `show emulated-hosts`.
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
