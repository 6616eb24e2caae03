//! Interface configuration.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};

use super::{Context, Mode, No, Row, edit};
use crate::addr::Family;
use crate::console::args::{Args, Fault};
use crate::console::edit::Editor;
use crate::router::config::{Interface, InterfaceName};

const HERE: &[Mode] = &[Mode::Interface];
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
        "ipv6 address <prefix:prefix6>",
        &[
            "IPv6 interface subcommands",
            "Configure IPv6 address on interface",
            "IPv6 address and length of its prefix",
        ],
        No::After(2),
        ipv6_address,
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
fn current<'a>(editor: &'a mut Editor, args: &Args<'_>) -> Result<&'a mut Interface, Fault> {
    let name = name(editor, args)?;
    Ok(editor.config.interfaces.entry(name).or_default())
}

fn name(editor: &Editor, args: &Args<'_>) -> Result<InterfaceName, Fault> {
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

fn mtu(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let mtu = (!args.negated).then(|| args.value("mtu")).transpose()?;
    current(editor, args)?.mtu = mtu;
    Ok(())
}

/// The IPv4 address of the line with its network's length, and the word to blame for it.
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

/// The first address of an interface is its primary one, which `ip address` without `secondary`
/// replaces.
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
            return Err(args.fault(word, "this is the primary address already"));
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
    let net: Option<IpNet> = args.optional("prefix");
    if args.negated {
        return remove_address(editor, args, Family::Ipv6, net);
    }
    let net = args.value("prefix")?;
    check_address(editor, args, net, "prefix")?;
    let addresses = &mut current(editor, args)?.addresses;
    match addresses.iter_mut().find(|other| other.addr() == net.addr()) {
        Some(other) => *other = net,
        None => addresses.push(net),
    }
    Ok(())
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

/// An address is a host's, and no other interface has it.
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
    let own = name(editor, args)?;
    let mut others = editor.config.addresses().filter(|(name, _)| *name != own);
    match others.find(|(_, other)| other.addr() == address) {
        Some((name, _)) => Err(args.fault(word, format!("{address} is the address of {name}"))),
        None => Ok(()),
    }
}
