//! `emulated-host`, a command that IOS does not have. It configures hosts that the router itself
//! emulates on the LAN of an interface. Each line adds a setting to a host. `no emulated-host NAME`
//! removes the host and all its settings.

use ipnet::{IpNet, Ipv4Net};

use super::argument::mac;
use super::context::Mode;
use super::interface::{current, name as interface_name};
use super::row::{No, Row, edit};
use crate::addr::Family;
use crate::console::args::{Args, Fault};
use crate::console::edit::Editor;
use crate::router::config::EmulatedHost;

const HERE: &[Mode] = &[Mode::Interface];
const HOST: &str = "A host that this router emulates on the LAN of the interface";
const NAME: &str = "Name of the host";

pub(super) const ROWS: &[Row] = &[
    edit(
        HERE,
        "emulated-host <name:word> ip address {<address:ipv4> <mask:mask>|<prefix:prefix4>} \
         [gateway <gateway:ipv4>]",
        &[
            HOST,
            NAME,
            "Internet Protocol settings of the host",
            "IP address of the host",
            "IP address",
            "IP subnet mask",
            "IP address and length of its mask",
            "Default gateway of the host",
            "IP address of the gateway",
        ],
        No::After(2),
        ip_address,
    ),
    edit(
        HERE,
        "emulated-host <name:word> ipv6 address <prefix:prefix6> [gateway <gateway:ipv6>]",
        &[
            HOST,
            NAME,
            "IPv6 settings of the host",
            "IPv6 address of the host",
            "IPv6 address and length of its prefix",
            "Default gateway of the host",
            "IPv6 address of the gateway",
        ],
        No::Never,
        ipv6_address,
    ),
    edit(
        HERE,
        "emulated-host <name:word> mac-address <mac:mac>",
        &[HOST, NAME, "MAC address of the host (default: a random address)", "MAC address"],
        No::Never,
        mac_address,
    ),
];

/// The host that the line names. The host is created if it is missing.
fn host<'a>(editor: &'a mut Editor, args: &Args<'_>) -> Result<&'a mut EmulatedHost, Fault> {
    let name: String = args.value("name")?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.len() > EmulatedHost::LONGEST_NAME || !name.chars().all(fits) {
        let most = EmulatedHost::LONGEST_NAME;
        let message = format!(
            "the name of a host can have at most {most} characters: letters, digits, - and _"
        );
        return Err(args.fault("name", message));
    }
    let here = interface_name(editor, args)?;
    let mut others = editor.config.interfaces.iter().filter(|(other, _)| **other != here);
    if let Some((other, _)) = others.find(|(_, port)| port.emulated_hosts.contains_key(&name)) {
        return Err(args.fault("name", format!("{other} already has a host with the name {name}")));
    }
    Ok(current(editor, args)?.emulated_hosts.entry(name).or_default())
}

fn ip_address(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    if args.negated {
        let name: String = args.value("name")?;
        current(editor, args)?.emulated_hosts.remove(&name);
        return Ok(());
    }
    let address = if args.given("prefix") {
        args.value("prefix")?
    } else {
        Ipv4Net::with_netmask(args.value("address")?, args.value("mask")?)
            .map_err(|_| args.fault("mask", "the mask is not contiguous"))?
            .into()
    };
    add_address(editor, args, address)
}

fn ipv6_address(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let address = args.value("prefix")?;
    add_address(editor, args, address)
}

fn add_address(editor: &mut Editor, args: &Args<'_>, address: IpNet) -> Result<(), Fault> {
    let word = if args.given("prefix") { "prefix" } else { "address" };
    let ip = address.addr();
    if ip.is_unspecified() || ip.is_multicast() || ip.is_loopback() {
        return Err(args.fault(word, format!("a host cannot have the address {ip}")));
    }
    let gateway = args.optional("gateway");
    let host = host(editor, args)?;
    let most = EmulatedHost::MOST_ADDRESSES;
    let known = host.addresses.iter().position(|other| other.addr() == ip);
    match known {
        Some(at) => host.addresses[at] = address,
        None if host.addresses.len() < most => host.addresses.push(address),
        None => return Err(args.fault(word, format!("a host can have at most {most} addresses"))),
    }
    host.addresses.sort_by_key(|net| Family::of(net.addr()));
    if let Some(gateway) = gateway {
        host.gateways.insert(Family::of(ip), gateway);
    }
    Ok(())
}

fn mac_address(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let address = args.text("mac").and_then(mac);
    if let Some(address) = address.filter(|a| a.0[0] & 1 == 1 || a.0 == [0; 6]) {
        return Err(args.fault("mac", format!("{address} is not a unicast MAC address")));
    }
    host(editor, args)?.mac = address;
    Ok(())
}
