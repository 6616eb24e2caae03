//! Interface configuration.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::argument::mac;
use super::context::{Context, Mode};
use super::row::{No, Row, edit};
use crate::addr::{Family, is_ipv6_link_local};
use crate::console::args::{Args, Fault};
use crate::console::edit::Editor;
use crate::router::config::{Interface, InterfaceName};

const HERE: &[Mode] = &[Mode::Interface];
/// The prefix length of a link-local address (RFC 4291 section 2.5.6).
const LINK_LOCAL_LENGTH: u8 = 64;
const IP: &str = "Interface Internet Protocol config commands";

pub(super) const ROWS: &[Row] = &[
    edit(
        HERE,
        "description <text:line>",
        &["Interface specific description", "Up to 240 characters describing this interface"],
        No::After(1),
        description,
    ),
    edit(
        HERE,
        "encapsulation dot1Q <vlan:1-4094>",
        &["Set encapsulation type for an interface", "IEEE 802.1Q Virtual LAN", "VLAN ID"],
        No::After(2),
        vlan,
    ),
    edit(
        HERE,
        "ip address {<address:ipv4> <mask:mask>|<prefix:prefix4>} [secondary]",
        &[
            IP,
            "Set the IP address of an interface",
            "IP address",
            "IP subnet mask",
            "IP address and length of its mask",
            "Make this IP address a secondary address",
        ],
        No::After(2),
        ip_address,
    ),
    edit(HERE, "ip proxy-arp", &[IP, "Enable proxy ARP"], No::After(2), proxy_arp),
    edit(
        HERE,
        "ipv6 address {<prefix:prefix6>|<address:ipv6> link-local}",
        &[
            "IPv6 interface subcommands",
            "Configure IPv6 address on interface",
            "IPv6 address and length of its prefix",
            "IPv6 link-local address",
            "Use this address as the link-local address",
        ],
        No::After(2),
        ipv6_address,
    ),
    edit(
        HERE,
        "lisp mobility [dynamic-eid] <name:word> [nbr-proxy-reply requests <requests:1-10>]",
        &[
            "Locator/ID Separation Protocol",
            "Detect the hosts of a dynamic-EID range on this interface",
            "Name of a dynamic-EID follows",
            "Name of the dynamic-EID",
            "Ignored: the kernel answers ARP and neighbour discovery requests for EIDs that are \
             away",
            "Number of requests",
            "Number of requests",
        ],
        No::After(2),
        lisp_mobility,
    ),
    edit(
        HERE,
        "mac-address <mac:mac>",
        &["Manually set interface MAC address", "MAC address"],
        No::After(1),
        mac_address,
    ),
    edit(
        HERE,
        "mtu <mtu:576-9216>",
        &["Set the interface Maximum Transmission Unit (MTU)", "MTU size in bytes"],
        No::After(1),
        mtu,
    ),
    edit(HERE, "shutdown", &["Shutdown the selected interface"], No::After(1), shutdown),
];

/// The interface that is being configured.
pub(super) fn current<'a>(
    editor: &'a mut Editor,
    args: &Args<'_>,
) -> Result<&'a mut Interface, Fault> {
    let name = name(editor, args)?;
    Ok(editor.config.interfaces.entry(name).or_default())
}

pub(super) fn name(editor: &Editor, args: &Args<'_>) -> Result<InterfaceName, Fault> {
    match editor.context {
        Context::Interface(name) => Ok(name),
        _ => Err(args.fault("", "no interface is selected")),
    }
}

fn description(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let text = (!args.negated).then(|| args.value("text")).transpose()?;
    current(editor, args)?.description = text;
    Ok(())
}

fn shutdown(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    current(editor, args)?.shutdown = !args.negated;
    Ok(())
}

fn proxy_arp(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    current(editor, args)?.proxy_arp = !args.negated;
    Ok(())
}

fn vlan(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let vlan = (!args.negated).then(|| args.value("vlan")).transpose()?;
    let name = name(editor, args)?;
    let is_subinterface = name.is_subinterface();
    if is_subinterface {
        current(editor, args)?.vlan = vlan;
    }
    if vlan.is_some() {
        editor.warn(match is_subinterface {
            true => format!(
                "the frames of {name} have no tags, because {name} has a separate link in the lab"
            ),
            false => format!("the line is ignored: {name} is not a subinterface"),
        });
    }
    Ok(())
}

fn mtu(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let mtu = (!args.negated).then(|| args.value("mtu")).transpose()?;
    current(editor, args)?.mtu = mtu;
    Ok(())
}

/// Adds a dynamic-EID to the interface. This function does not check that the dynamic-EID exists,
/// because in a file the dynamic-EID is defined after the interface. The module
/// [`contradictions`](crate::console::contradictions) checks this.
fn lisp_mobility(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let name: Option<String> = args.optional("name");
    if args.has("nbr-proxy-reply") && !args.negated {
        editor.warn(
            "`nbr-proxy-reply` is ignored: the kernel answers ARP and neighbour discovery requests \
             for EIDs that are away",
        );
    }
    let names = &mut current(editor, args)?.lisp_mobility;
    match name {
        Some(name) if args.negated => drop(names.remove(&name)),
        Some(name) => drop(names.insert(name)),
        None => names.clear(),
    }
    Ok(())
}

fn mac_address(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let address = args.text("mac").filter(|_| !args.negated).and_then(mac);
    if let Some(address) = address {
        let is_group = address.0[0] & 1 == 1;
        if is_group || address.0 == [0; 6] {
            return Err(args.fault("mac", format!("{address} is not a unicast MAC address")));
        }
    }
    current(editor, args)?.mac = address;
    Ok(())
}

/// Returns the IPv4 address and prefix length in the line, and the name of the argument that
/// contains the address. A fault can point at this argument.
fn ipv4_net(args: &Args<'_>) -> Result<Option<(IpNet, &'static str)>, Fault> {
    if args.given("prefix") {
        return Ok(Some((args.value("prefix")?, "prefix")));
    }
    if !args.given("address") {
        return Ok(None);
    }
    let address: Ipv4Addr = args.value("address")?;
    let mask: Ipv4Addr = args.value("mask")?;
    let net = Ipv4Net::with_netmask(address, mask)
        .map_err(|_| args.fault("mask", "the mask is not contiguous"))?;
    Ok(Some((net.into(), "address")))
}

/// Sets, adds or removes an address. The first address of an interface is its primary address. The
/// line `ip address` without `secondary` replaces the primary address.
fn ip_address(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let net = ipv4_net(args)?;
    if args.negated {
        return remove_address(editor, args, Family::Ipv4, net.map(|(net, _)| net));
    }
    let Some((net, word)) = net else {
        return Err(args.fault("", "an address and its mask are expected"));
    };
    check_address(editor, args, net, word)?;
    let addresses = &mut current(editor, args)?.addresses;
    let primary = addresses.first().copied().filter(|net| Family::of(net.addr()) == Family::Ipv4);
    if args.has("secondary") {
        if primary.is_none() {
            return Err(args.fault("secondary", "a primary address must be configured first"));
        }
        if primary.is_some_and(|primary| primary.addr() == net.addr()) {
            return Err(args.fault(word, "this address is already the primary address"));
        }
    }
    addresses.retain(|other| other.addr() != net.addr());
    let ipv4 = addresses.iter().take_while(|net| Family::of(net.addr()) == Family::Ipv4).count();
    if args.has("secondary") {
        addresses.insert(ipv4, net);
    } else {
        if primary.is_some_and(|primary| addresses.first() == Some(&primary)) {
            addresses.remove(0);
        }
        addresses.insert(0, net);
    }
    Ok(())
}

fn ipv6_address(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let net = ipv6_net(args)?;
    if args.negated {
        return remove_address(editor, args, Family::Ipv6, net.map(|(net, _)| net));
    }
    let Some((net, word)) = net else {
        return Err(args.fault("", "an address and the length of its prefix are expected"));
    };
    check_address(editor, args, net, word)?;
    let addresses = &mut current(editor, args)?.addresses;
    if is_ipv6_link_local(net.addr()) {
        addresses.retain(|other| !is_ipv6_link_local(other.addr()));
    }
    match addresses.iter_mut().find(|other| other.addr() == net.addr()) {
        Some(other) => *other = net,
        None => addresses.push(net),
    }
    Ok(())
}

/// Returns the IPv6 address and prefix length in the line, and the name of the argument that
/// contains the address. A fault can point at this argument. The network of a link-local address is
/// `fe80::/64`, as on every link.
fn ipv6_net(args: &Args<'_>) -> Result<Option<(IpNet, &'static str)>, Fault> {
    if args.given("prefix") {
        let net: IpNet = args.value("prefix")?;
        if is_ipv6_link_local(net.addr()) {
            let message = "a link-local address needs the word link-local after it";
            return Err(args.fault("prefix", message));
        }
        return Ok(Some((net, "prefix")));
    }
    if !args.given("address") {
        return Ok(None);
    }
    let address: Ipv6Addr = args.value("address")?;
    if !address.is_unicast_link_local() {
        return Err(args.fault("address", format!("{address} is not a link-local address")));
    }
    let net = Ipv6Net::new(address, LINK_LOCAL_LENGTH)
        .map_err(|error| args.fault("address", error.to_string()))?;
    Ok(Some((net.into(), "address")))
}

fn remove_address(
    editor: &mut Editor,
    args: &Args<'_>,
    family: Family,
    net: Option<IpNet>,
) -> Result<(), Fault> {
    current(editor, args)?.addresses.retain(|other| match net {
        Some(net) => *other != net,
        None => Family::of(other.addr()) != family,
    });
    Ok(())
}

/// Checks that an address can be the address of a host, and that no other interface has this
/// address. The second check has two exceptions. Interfaces for roaming hosts may have the same
/// address, because this address is the gateway of these hosts. Interfaces may have the same IPv6
/// link-local address, because a link-local address is valid on one link only.
fn check_address(editor: &Editor, args: &Args<'_>, net: IpNet, word: &str) -> Result<(), Fault> {
    let address = net.addr();
    let unusable = address.is_unspecified()
        || address.is_multicast()
        || address.is_loopback()
        || net.prefix_len() == 0;
    let edge = match (address, net) {
        (IpAddr::V4(address), IpNet::V4(net)) if net.prefix_len() < 31 => {
            address == net.network() || address == net.broadcast()
        }
        _ => false,
    };
    if unusable || edge {
        let length = net.prefix_len();
        return Err(args.fault(word, format!("Bad mask /{length} for address {address}")));
    }
    if is_ipv6_link_local(net.addr()) {
        return Ok(());
    }
    let own = name(editor, args)?;
    let interfaces = &editor.config.interfaces;
    let roams = |name: InterfaceName| {
        interfaces.get(&name).is_some_and(|port| !port.lisp_mobility.is_empty())
    };
    let mut others = editor.config.addresses().filter(|(name, _)| *name != own && !roams(*name));
    match others.find(|(_, other)| other.addr() == address) {
        Some((name, _)) => {
            Err(args.fault(word, format!("{name} already has the address {address}")))
        }
        None => Ok(()),
    }
}
