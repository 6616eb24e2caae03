//! `router lisp`: locator-sets, and the commands that enter the modes inside `router lisp`.

use std::net::IpAddr;

use ipnet::IpNet;

use super::context::{Context, Mode};
use super::row::{No, Row, edit};
use crate::addr::{Family, InstanceId, Rloc};
use crate::console::args::{Args, Fault};
use crate::console::edit::Editor;
use crate::router::config::{ConfiguredLocator, DatabaseMapping, LocatorSource, Service};

pub(super) const ROWS: &[Row] = &[
    edit(
        &[Mode::Lisp],
        "locator-set <name:word>",
        &["Configure a locator-set", "Locator-set name"],
        No::After(2),
        locator_set,
    ),
    edit(
        &[Mode::Lisp],
        "eid-table {default|vrf <vrf:word>} instance-id <instance:0-16777215>",
        &[
            "Configure an EID-table",
            "The default routing table",
            "The routing table of a VRF",
            "VRF name",
            "Instance-ID of the EIDs",
            "Instance-ID",
        ],
        No::After(6),
        eid_table,
    ),
    edit(
        &[Mode::Lisp],
        "instance-id <instance:0-16777215>",
        &["Configure an instance", "Instance-ID"],
        No::After(2),
        instance,
    ),
    edit(
        &[Mode::Lisp],
        "service {ipv4|ipv6}",
        &["Configure a service of all instances", "IPv4 EIDs", "IPv6 EIDs"],
        No::After(2),
        service,
    ),
    edit(
        &[Mode::Instance],
        "service {ipv4|ipv6}",
        &["Configure a service of the instance", "IPv4 EIDs", "IPv6 EIDs"],
        No::After(2),
        instance_service,
    ),
    edit(
        &[Mode::Instance, Mode::InstanceService],
        "eid-table {default|vrf <vrf:word>}",
        &[
            "Bind an EID-table",
            "The default routing table",
            "The routing table of a VRF",
            "VRF name",
        ],
        No::After(1),
        bind_eid_table,
    ),
    edit(
        &[Mode::LocatorSet],
        "{<rloc:address>|{IPv4-interface|IPv6-interface} <interface:interface>} \
         [priority <priority:0-255>] [weight <weight:0-100>]",
        &[
            "Locator address",
            "Locator is the IPv4 address of an interface",
            "Locator is the IPv6 address of an interface",
            "Interface name",
            "Priority of the locator",
            "Lower is preferred, 255 is never used (default 1)",
            "Weight of the locator",
            "Share of the traffic among locators of equal priority (default 100)",
        ],
        No::After(4),
        locator,
    ),
    edit(
        &[Mode::Lisp],
        "loc-reach-algorithm {echo-nonce|lsb-reports}",
        &[
            "Configure a locator reachability algorithm",
            "Ask the xTR of a locator to echo a nonce (RFC 9300, 10.1)",
            "Send Locator-Status-Bits, and use the received ones (RFC 9300, 10)",
        ],
        No::After(2),
        loc_reach_algorithm,
    ),
    edit(
        &[Mode::Lisp],
        "reliable-registration",
        &["Register by TCP with map-servers that accept TCP (default)"],
        No::After(1),
        reliable_registration,
    ),
];

fn locator_set(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let name: String = args.value("name")?;
    let lisp = editor.lisp();
    if !args.negated {
        lisp.locator_sets.entry(name.clone()).or_default();
        editor.context = Context::LocatorSet(name);
        return Ok(());
    }
    let mut mappings = lisp.eid_tables.values().flat_map(|table| {
        let dynamic = table.dynamic_eids.values().flat_map(|dynamic| &dynamic.database);
        table.database.iter().chain(dynamic)
    });
    let user = mappings
        .find(|(_, mapping)| matches!(mapping, DatabaseMapping::LocatorSet(set) if *set == name));
    if let Some((prefix, _)) = user {
        return Err(args.fault("name", format!("database-mapping {prefix} uses the locator-set")));
    }
    lisp.locator_sets.remove(&name);
    Ok(())
}

/// The instance-ID in a line.
pub(super) fn instance_id(args: &Args<'_>) -> Result<InstanceId, Fault> {
    let number: u32 = args.value("instance")?;
    InstanceId::new(number)
        .ok_or_else(|| args.fault("instance", "an instance-ID has at most 24 bits"))
}

fn eid_table(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let id = instance_id(args)?;
    open_table(editor, args, id, Context::EidTable(id))?;
    if !args.negated {
        editor.eid_table(args)?.vrf = args.optional("vrf");
    }
    Ok(())
}

fn bind_eid_table(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    editor.eid_table(args)?.vrf = args.optional("vrf").filter(|_| !args.negated);
    Ok(())
}

fn instance(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let id = instance_id(args)?;
    open_table(editor, args, id, Context::Instance(id))
}

fn open_table(
    editor: &mut Editor,
    args: &Args<'_>,
    id: InstanceId,
    context: Context,
) -> Result<(), Fault> {
    if args.negated {
        editor.lisp().eid_tables.remove(&id);
    } else {
        editor.open_table(id, args, "instance")?;
        editor.context = context;
    }
    Ok(())
}

fn family(args: &Args<'_>) -> Family {
    if args.has("ipv6") { Family::Ipv6 } else { Family::Ipv4 }
}

fn service(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let family = family(args);
    match args.negated {
        true => *editor.lisp().service_mut(family) = Service::default(),
        false => editor.context = Context::Service(family),
    }
    Ok(())
}

/// Enters the service of an instance. `no` removes everything that the service configures: the
/// roles of the router for the family, and the EIDs of the family.
fn instance_service(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let family = family(args);
    if args.negated {
        service(editor, args)?;
        let table = editor.eid_table(args)?;
        let others: Vec<IpNet> = table.database.keys().copied().collect();
        for prefix in others.into_iter().filter(|net| Family::of(net.addr()) == family) {
            table.database.remove(&prefix);
        }
        table.map_requests.retain(|net| Family::of(net.addr()) != family);
    } else if let Context::Instance(id) = editor.context {
        editor.context = Context::InstanceService(id, family);
    }
    Ok(())
}

fn locator(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let Context::LocatorSet(set) = editor.context.clone() else {
        return Err(args.fault("", "no locator-set is selected"));
    };
    let source = locator_source(args)?;
    let locators = editor.lisp().locator_sets.entry(set).or_default();
    if args.negated {
        locators.retain(|other| other.source != source);
        return Ok(());
    }
    put_locator(locators, configured_locator(args, source));
    Ok(())
}

pub(super) fn loc_reach_algorithm(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let loc_reach = &mut editor.lisp().loc_reach;
    let algorithm = match args.has("echo-nonce") {
        true => &mut loc_reach.echo_nonce,
        false => &mut loc_reach.lsb_reports,
    };
    *algorithm = !args.negated;
    Ok(())
}

fn reliable_registration(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    editor.lisp().no_reliable_registration = args.negated && !args.is_default();
    Ok(())
}

/// The address in a line, if it can be an RLOC: a unicast address, but not a loopback address.
pub(super) fn rloc(args: &Args<'_>, name: &str) -> Result<Rloc, Fault> {
    let address: IpAddr = args.value(name)?;
    if address.is_unspecified() || address.is_multicast() || address.is_loopback() {
        return Err(args.fault(name, format!("{address} cannot be a locator")));
    }
    Ok(Rloc(address))
}

/// The locator that a line names: an address, or an interface whose address is the locator.
pub(super) fn locator_source(args: &Args<'_>) -> Result<LocatorSource, Fault> {
    if args.given("rloc") {
        return Ok(LocatorSource::Address(rloc(args, "rloc")?));
    }
    let family = if args.has("IPv6-interface") { Family::Ipv6 } else { Family::Ipv4 };
    Ok(LocatorSource::Interface(family, args.value("interface")?))
}

/// The default priority and weight of a locator or a proxy ETR. Each default applies if the line
/// does not contain the value.
pub const LOCATOR_DEFAULT: (u8, u8) = (1, 100);

/// A locator with the given `source`. The priority and weight come from the line.
pub(super) fn configured_locator(args: &Args<'_>, source: LocatorSource) -> ConfiguredLocator {
    ConfiguredLocator {
        source,
        priority: args.optional("priority").unwrap_or(LOCATOR_DEFAULT.0),
        weight: args.optional("weight").unwrap_or(LOCATOR_DEFAULT.1),
    }
}

/// Adds a locator at the end of the list. If the list has a locator with the same address or
/// interface, the new locator replaces it.
pub(super) fn put_locator(locators: &mut Vec<ConfiguredLocator>, locator: ConfiguredLocator) {
    match locators.iter_mut().find(|other| other.source == locator.source) {
        Some(other) => *other = locator,
        None => locators.push(locator),
    }
}
