//! The names that a configuration gives to addresses and to commands: `ip host` and `alias`.

use std::net::IpAddr;

use super::context::Mode;
use super::row::{No, Row, edit};
use crate::console::args::{Args, Fault};
use crate::console::edit::Editor;

const HERE: &[Mode] = &[Mode::Config];
/// The maximum number of addresses of a name, as on IOS.
const MOST_ADDRESSES: usize = 8;

pub(super) const ROWS: &[Row] = &[
    edit(
        HERE,
        "ip host <name:word> <addresses:line>",
        &[
            "Global IP configuration subcommands",
            "Add an entry to the ip hostname table",
            "Name of host",
            "Host IP addresses",
        ],
        No::After(3),
        host,
    ),
    edit(
        HERE,
        "ipv6 host <name:word> <addresses:line>",
        &[
            "Global IPv6 configuration commands",
            "Add an entry to the hostname table",
            "Name of host",
            "Host IPv6 addresses",
        ],
        No::After(3),
        host,
    ),
    edit(
        HERE,
        "alias exec <name:word> <text:line>",
        &[
            "Create command alias",
            "Exec level (privileged) mode commands",
            "Alias name",
            "Text that replaces the alias name",
        ],
        No::After(3),
        alias,
    ),
];

/// Sets the addresses of a name. A name has one list of addresses for both families. `ip host`
/// replaces only the IPv4 addresses in this list, and `ipv6 host` only the IPv6 addresses.
fn host(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let name: String = args.value("name")?;
    let is_ipv6 = args.has("ipv6");
    let mut found = Vec::new();
    for text in args.text("addresses").into_iter().flat_map(str::split_whitespace) {
        match text.parse::<IpAddr>() {
            Ok(address) if address.is_ipv6() == is_ipv6 => found.push(address),
            _ if args.negated => {}
            _ => {
                let family = if is_ipv6 { "IPv6" } else { "IPv4" };
                let message = format!("{text} is not an {family} address");
                return Err(args.fault("addresses", message));
            }
        }
    }
    if found.len() > MOST_ADDRESSES {
        let message = format!("a name can have at most {MOST_ADDRESSES} addresses");
        return Err(args.fault("addresses", message));
    }
    let hosts = &mut editor.config.hosts;
    let addresses = hosts.entry(name.clone()).or_default();
    match args.negated && !found.is_empty() {
        true => addresses.retain(|address| !found.contains(address)),
        false => addresses.retain(|address| address.is_ipv6() != is_ipv6),
    }
    if !args.negated {
        addresses.extend(found);
        addresses.sort_by_key(|address| address.is_ipv6());
    }
    if addresses.is_empty() {
        hosts.remove(&name);
    }
    Ok(())
}

fn alias(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let name: String = args.value("name")?;
    if args.negated {
        editor.config.aliases.remove(&name);
        return Ok(());
    }
    let text: String = args.value("text")?;
    editor.config.aliases.insert(name, text);
    Ok(())
}
