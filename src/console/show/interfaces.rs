//! `show interfaces` and `show ip interface brief`.

use std::fmt::Write;

use ipnet::IpNet;

use super::State;
use super::columns::Columns;
use crate::addr::Family;
use crate::console::view::interfaces::{InterfaceRow, InterfacesView};
use crate::router::config::InterfaceName;

pub(super) fn status(row: &InterfaceRow) -> &'static str {
    match (row.shutdown, row.up) {
        (true, _) => "administratively down",
        (false, true) => "up",
        (false, false) => "down",
    }
}

pub(super) fn protocol(row: &InterfaceRow) -> &'static str {
    if row.line_protocol { "up" } else { "down" }
}

/// The view of all interfaces, or of the interface `only`.
pub fn view(State { router, .. }: State<'_>, only: Option<InterfaceName>) -> InterfacesView {
    let interfaces = router.config().interfaces.iter();
    let rows = interfaces.filter(|(name, _)| only.is_none_or(|only| only == **name)).map(
        |(name, interface)| {
            let link = router.link(name);
            // The address of a loopback interface is on the Linux device `lo`, which is always up.
            let loopback = name.is_loopback();
            let up = !interface.shutdown && (loopback || link.is_some_and(|link| link.up));
            InterfaceRow {
                name: *name,
                device: name.device(),
                shutdown: interface.shutdown,
                down_by_hand: router.is_down_by_hand(name),
                up,
                line_protocol: up && (loopback || link.is_some_and(|link| link.carrier)),
                mtu: link.map(|link| link.mtu).or(interface.mtu.map(u32::from)),
                description: interface.description.clone(),
                addresses: interface.addresses.clone(),
                proxy_arp: interface.proxy_arp,
                lisp_mobility: interface.lisp_mobility.iter().cloned().collect(),
            }
        },
    );
    InterfacesView { interfaces: rows.collect() }
}

/// The view of all interfaces.
pub fn all(state: State<'_>) -> InterfacesView {
    view(state, None)
}

/// The text of `show interfaces`.
pub fn text(view: &InterfacesView) -> String {
    let mut text = String::new();
    for row in &view.interfaces {
        let (status, protocol) = (status(row), protocol(row));
        let by_hand = if row.down_by_hand { " (set down by hand)" } else { "" };
        let _ = writeln!(text, "{} is {status}{by_hand}, line protocol is {protocol}", row.name);
        let _ = writeln!(text, "  Hardware is Linux device {}", row.device);
        if let Some(description) = &row.description {
            let _ = writeln!(text, "  Description: {description}");
        }
        let mut secondary = "";
        for address in &row.addresses {
            match address {
                IpNet::V4(_) => {
                    let title = if secondary.is_empty() { "Internet" } else { "Secondary" };
                    let _ = writeln!(text, "  {title} address is {address}");
                    secondary = "secondary";
                }
                IpNet::V6(_) => {
                    let _ = writeln!(text, "  IPv6 address is {address}");
                }
            }
        }
        if let Some(mtu) = row.mtu {
            let _ = writeln!(text, "  MTU {mtu} bytes");
        }
    }
    text
}

/// The text of `show ip interface brief`.
pub fn brief(view: &InterfacesView) -> String {
    let columns = Columns::of([27, 16, 4, 7, 22, 0]);
    let head = ["Interface", "IP-Address", "OK?", "Method", "Status", "Protocol"];
    let mut text = columns.line(head);
    for row in &view.interfaces {
        let mut addresses = row.addresses.iter().map(IpNet::addr);
        let primary = addresses.find(|address| Family::of(*address) == Family::Ipv4);
        let (address, method) = match primary {
            Some(address) => (address.to_string(), "manual"),
            None => ("unassigned".to_owned(), "unset"),
        };
        let (name, status) = (row.name.to_string(), status(row));
        text += &columns.line([&name, &address, "YES", method, status, protocol(row)]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, up: bool, addresses: &[&str]) -> InterfaceRow {
        InterfaceRow {
            name: name.parse().unwrap(),
            device: "et1-0".to_owned(),
            shutdown: !up,
            down_by_hand: false,
            up,
            line_protocol: up,
            mtu: Some(1500),
            description: None,
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            proxy_arp: false,
            lisp_mobility: Vec::new(),
        }
    }

    #[test]
    fn brief_is_a_line_an_interface() {
        let view = InterfacesView {
            interfaces: vec![
                row("Ethernet0/0", true, &["203.0.113.11/24"]),
                row("Ethernet1/0", false, &[]),
            ],
        };
        let expected = "\
Interface                  IP-Address      OK? Method Status                Protocol
Ethernet0/0                203.0.113.11    YES manual up                    up
Ethernet1/0                unassigned      YES unset  administratively down down
";
        assert_eq!(brief(&view), expected);
    }

    #[test]
    fn an_interface_tells_its_state_and_addresses() {
        let addresses = ["172.16.0.1/24", "172.16.1.1/24", "2001:db8:a::1/64"];
        let view = InterfacesView { interfaces: vec![row("Ethernet1/0", true, &addresses)] };
        let expected = "\
Ethernet1/0 is up, line protocol is up
  Hardware is Linux device et1-0
  Internet address is 172.16.0.1/24
  Secondary address is 172.16.1.1/24
  IPv6 address is 2001:db8:a::1/64
  MTU 1500 bytes
";
        assert_eq!(text(&view), expected);
    }
}
