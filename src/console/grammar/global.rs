//! Global configuration: the hostname, interfaces, and IOS commands without effect.

use super::context::{Context, Mode};
use super::row::{No, Row, Run, edit};
use crate::console::args::{Args, Fault};
use crate::console::edit::Editor;

const HERE: &[Mode] = &[Mode::Config];

pub(super) const ROWS: &[Row] = &[
    edit(
        HERE,
        "hostname <name:word>",
        &["Set system's network name", "This system's network name"],
        No::After(1),
        hostname,
    ),
    edit(
        HERE,
        "interface <interface:interface>",
        &["Select an interface to configure", "Interface name"],
        No::After(2),
        interface,
    ),
    edit(
        HERE,
        "router lisp [<process:0-65535>]",
        &["Enable a routing process", "Locator/ID Separation Protocol", "LISP process, 0 only"],
        No::After(2),
        router_lisp,
    ),
];

/// A command of IOS that has no effect on this router. `words` is the number of words that follow
/// `no`: 1, or 2 if several commands begin with the first word.
const fn harmless(
    modes: &'static [Mode],
    pattern: &'static str,
    help: &'static [&'static str],
    words: usize,
) -> Row {
    Row { modes, pattern, help, no: No::After(words), run: Run::Ignore }
}

/// Commands without effect that an IOS configuration may contain besides the commands of LISP.
pub(super) const HARMLESS: &[Row] = &[
    harmless(HERE, "version <version:line>", &["IOS version (ignored)", "Version"], 1),
    harmless(
        HERE,
        "service {call-home|config|dhcp|pad|password-encryption|tcp-keepalives-in|\
         tcp-keepalives-out|timestamps} [<rest:line>]",
        &[
            "Modify use of network based services",
            "Smart Call Home (ignored)",
            "Configuration from the network (ignored)",
            "DHCP (ignored)",
            "PAD (ignored)",
            "Encryption of passwords (ignored)",
            "Keepalives (ignored)",
            "Keepalives (ignored)",
            "Time stamps of messages (ignored)",
            "Options",
        ],
        2,
    ),
    harmless(
        HERE,
        "{Building configuration...|Current configuration <rest:line>}",
        &[
            "Output of show running-config (ignored)",
            "Output of show running-config (ignored)",
            "Output of show running-config (ignored)",
            "Output of show running-config (ignored)",
            "Rest of the line",
        ],
        1,
    ),
    harmless(HERE, "boot-start-marker", &["Marker (ignored)"], 1),
    harmless(HERE, "boot-end-marker", &["Marker (ignored)"], 1),
    harmless(
        HERE,
        "ip {domain|domain-lookup|cef|routing|classless|subnet-zero|source-route|forward-protocol|\
         http|tcp|icmp|ssh} [<rest:line>]",
        &[
            "Global IP configuration subcommands",
            "DNS resolver (ignored)",
            "DNS lookup (ignored)",
            "Cisco Express Forwarding (ignored)",
            "IP routing (ignored)",
            "Classless forwarding (ignored)",
            "Subnet zero (ignored)",
            "Source routing (ignored)",
            "Broadcast forwarding (ignored)",
            "HTTP server (ignored)",
            "TCP parameters (ignored)",
            "ICMP parameters (ignored)",
            "SSH (ignored)",
            "Options",
        ],
        2,
    ),
    harmless(
        HERE,
        "ipv6 {unicast-routing|cef} [<rest:line>]",
        &[
            "Global IPv6 configuration commands",
            "Unicast routing (ignored)",
            "Cisco Express Forwarding (ignored)",
            "Options",
        ],
        2,
    ),
    harmless(
        HERE,
        "{aaa|clock|control-plane|enable|logging|mmi|multilink|redundancy|username} [<rest:line>]",
        &[
            "Authentication (ignored)",
            "Time of day (ignored)",
            "Control plane services (ignored)",
            "Enable password (ignored)",
            "Logging (ignored)",
            "Modem management (ignored)",
            "Multilink (ignored)",
            "Redundancy (ignored)",
            "Users (ignored)",
            "Options",
        ],
        1,
    ),
    harmless(
        &[Mode::Line],
        "{access-class|exec-timeout|history|length|logging|privilege|speed|stopbits|transport|width} \
         [<rest:line>]",
        &[
            "(ignored)",
            "(ignored)",
            "(ignored)",
            "(ignored)",
            "(ignored)",
            "(ignored)",
            "(ignored)",
            "(ignored)",
            "(ignored)",
            "(ignored)",
            "Options",
        ],
        1,
    ),
    harmless(
        &[Mode::Interface],
        "{bandwidth|cdp|delay|duplex|keepalive|load-interval|negotiation|speed} [<rest:line>]",
        &[
            "Bandwidth (ignored)",
            "CDP (ignored)",
            "Throughput delay (ignored)",
            "Duplex (ignored)",
            "Keepalive (ignored)",
            "Interval of load calculation (ignored)",
            "Autonegotiation (ignored)",
            "Speed (ignored)",
            "Options",
        ],
        1,
    ),
    harmless(
        &[Mode::Interface],
        "ip {redirects|unreachables|route-cache|virtual-reassembly}",
        &[
            "Interface Internet Protocol config commands",
            "ICMP redirects (ignored)",
            "ICMP unreachables (ignored)",
            "Fast switching (ignored)",
            "Reassembly (ignored)",
        ],
        2,
    ),
    harmless(
        &[Mode::Interface],
        "ipv6 enable",
        &["IPv6 interface subcommands", "IPv6 is always enabled (ignored)"],
        2,
    ),
    harmless(
        &[Mode::Lisp],
        "locator-table default",
        &["Routing table of the locators", "The only one"],
        1,
    ),
];

fn hostname(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    if args.negated {
        editor.config.hostname.clear();
        return Ok(());
    }
    let name: String = args.value("name")?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.len() > 63 || !name.chars().all(allowed) {
        return Err(args.fault("name", "a name has at most 63 letters, digits, '-', '_' and '.'"));
    }
    editor.config.hostname = name;
    Ok(())
}

fn interface(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let name = args.value("interface")?;
    if args.negated {
        editor.config.interfaces.remove(&name);
        return Ok(());
    }
    editor.config.interfaces.entry(name).or_default();
    editor.context = Context::Interface(name);
    Ok(())
}

fn router_lisp(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    if args.optional::<u16>("process").is_some_and(|process| process != 0) {
        return Err(args.fault("process", "a router has one LISP process, router lisp 0"));
    }
    if args.negated {
        editor.config.lisp = None;
        return Ok(());
    }
    editor.config.lisp.get_or_insert_default();
    editor.context = Context::Lisp;
    Ok(())
}
