//! The short and the long lists of interfaces: `show interfaces description`, `show interfaces
//! status`, `show ip interface`, `show ipv6 interface` and `show protocols`.

use std::fmt::Write;

use ipnet::IpNet;

use super::columns::Columns;
use super::interfaces::{protocol, status};
use crate::addr::{Family, is_ipv6_link_local};
use crate::console::view::interfaces::{InterfaceRow, InterfacesView};

/// The text of `show interfaces description`.
pub fn description(view: &InterfacesView) -> String {
    let columns = Columns::of([31, 15, 9, 0]);
    let mut text = columns.line(["Interface", "Status", "Protocol", "Description"]);
    for row in &view.interfaces {
        let status = if row.shutdown { "admin down" } else { status(row) };
        let description = row.description.as_deref().unwrap_or_default();
        text += &columns.line([&short_name(row), status, protocol(row), description]);
    }
    text
}

/// The text of `show interfaces status`.
pub fn status_list(view: &InterfacesView) -> String {
    let columns = Columns::of([10, 19, 13, 11, 7, 6, 0]);
    let mut text = columns.line(["Port", "Name", "Status", "Vlan", "Duplex", "Speed", "Type"]);
    for row in &view.interfaces {
        let status = match (row.shutdown, row.line_protocol) {
            (true, _) => "disabled",
            (false, true) => "connected",
            (false, false) => "notconnect",
        };
        let name = row.description.as_deref().unwrap_or_default();
        let name: String = name.chars().take(18).collect();
        text += &columns.line([&short_name(row), &name, status, "routed", "auto", "auto", "Linux"]);
    }
    text
}

/// The name of an interface as IOS shortens it in lists: `Et0/0`, `Lo0`.
fn short_name(row: &InterfaceRow) -> String {
    let name = row.name.to_string();
    let digits = name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len());
    let (kind, number) = name.split_at(digits);
    format!("{}{number}", kind.chars().take(2).collect::<String>())
}

/// The first line about an interface.
fn title(row: &InterfaceRow) -> String {
    format!("{} is {}, line protocol is {}\n", row.name, status(row), protocol(row))
}

fn of_family(row: &InterfaceRow, family: Family) -> impl Iterator<Item = &IpNet> {
    row.addresses.iter().filter(move |net| Family::of(net.addr()) == family)
}

/// The text of `show ip interface`.
pub fn ip_interface(view: &InterfacesView) -> String {
    let mut text = String::new();
    for row in &view.interfaces {
        text += &title(row);
        let mut addresses = of_family(row, Family::Ipv4);
        let Some(primary) = addresses.next() else {
            text += "  Internet protocol processing disabled\n";
            continue;
        };
        let _ = writeln!(text, "  Internet address is {primary}");
        text += "  Broadcast address is 255.255.255.255\n";
        text += "  Address determined by setup command\n";
        for secondary in addresses {
            let _ = writeln!(text, "  Secondary address {secondary}");
        }
        text += &settings(row, Family::Ipv4);
    }
    text
}

fn settings(row: &InterfaceRow, family: Family) -> String {
    let mut text = String::new();
    if let Some(mtu) = row.mtu {
        let _ = writeln!(text, "  MTU is {mtu} bytes");
    }
    if family == Family::Ipv4 {
        let proxy = if row.proxy_arp { "enabled" } else { "disabled" };
        let _ = writeln!(text, "  Proxy ARP is {proxy}");
    }
    for name in &row.lisp_mobility {
        let _ = writeln!(text, "  LISP mobility is enabled for dynamic-EID {name}");
    }
    text
}

/// The text of `show ipv6 interface`.
pub fn ipv6_interface(view: &InterfacesView) -> String {
    let mut text = String::new();
    for row in view.interfaces.iter().filter(|row| of_family(row, Family::Ipv6).next().is_some()) {
        text += &title(row);
        let (local, global): (Vec<&IpNet>, Vec<&IpNet>) =
            of_family(row, Family::Ipv6).partition(|net| is_ipv6_link_local(net.addr()));
        for net in local {
            let _ = writeln!(text, "  IPv6 is enabled, link-local address is {}", net.addr());
        }
        text += "  Global unicast address(es):\n";
        for net in global {
            let _ = writeln!(text, "    {}, subnet is {}", net.addr(), net.trunc());
        }
        text += &settings(row, Family::Ipv6);
    }
    text
}

/// The text of `show ipv6 interface brief`.
pub fn ipv6_brief(view: &InterfacesView) -> String {
    let mut text = String::new();
    for row in &view.interfaces {
        let (name, status, protocol) = (row.name.to_string(), status(row), protocol(row));
        let _ = writeln!(text, "{name:23}[{status}/{protocol}]");
        let mut addresses = of_family(row, Family::Ipv6).peekable();
        if addresses.peek().is_none() {
            text += "    unassigned\n";
        }
        for net in addresses {
            let _ = writeln!(text, "    {}", net.addr());
        }
    }
    text
}

/// The text of `show protocols`.
pub fn protocols(view: &InterfacesView) -> String {
    let mut text =
        "Global values:\n  Internet Protocol routing is enabled\n  IPv6 routing is enabled\n"
            .to_owned();
    for row in &view.interfaces {
        text += &title(row);
        for net in &row.addresses {
            let family = if net.addr().is_ipv4() { "Internet" } else { "IPv6" };
            let _ = writeln!(text, "  {family} address is {net}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> InterfacesView {
        let row =
            |name: &str, up: bool, description: Option<&str>, addresses: &[&str]| InterfaceRow {
                name: name.parse().unwrap(),
                device: "et0-0".to_owned(),
                shutdown: !up,
                down_by_hand: false,
                up,
                line_protocol: up,
                mtu: Some(1500),
                description: description.map(str::to_owned),
                addresses: addresses.iter().map(|net| net.parse().unwrap()).collect(),
                proxy_arp: false,
                lisp_mobility: vec!["ROAM".to_owned()],
            };
        InterfacesView {
            interfaces: vec![
                row("Ethernet0/0", true, Some("core"), &["203.0.113.11/24", "2001:db8::1/64"]),
                row("Loopback0", false, None, &[]),
            ],
        }
    }

    #[test]
    fn the_lists_have_the_columns_of_ios() {
        assert_eq!(
            description(&view()),
            "\
Interface                      Status         Protocol Description
Et0/0                          up             up       core
Lo0                            admin down     down
"
        );
        assert_eq!(
            status_list(&view()),
            "\
Port      Name               Status       Vlan       Duplex Speed Type
Et0/0     core               connected    routed     auto   auto  Linux
Lo0                          disabled     routed     auto   auto  Linux
"
        );
        assert_eq!(
            ipv6_brief(&view()),
            "\
Ethernet0/0            [up/up]
    2001:db8::1
Loopback0              [administratively down/down]
    unassigned
"
        );
    }

    #[test]
    fn an_interface_without_an_address_processes_no_internet_protocol() {
        let text = ip_interface(&view());
        assert!(text.contains("  Internet address is 203.0.113.11/24\n"), "{text}");
        assert!(text.contains("  LISP mobility is enabled for dynamic-EID ROAM\n"), "{text}");
        assert!(text.ends_with("down\n  Internet protocol processing disabled\n"), "{text}");
        assert!(!ipv6_interface(&view()).contains("Loopback0"));
    }
}
