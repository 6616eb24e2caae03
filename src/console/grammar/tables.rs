//! `eid-table`: the mapping database, the database of each `dynamic-eid`, and the static entries of
//! the map-cache.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::context::{Context, Mode};
use super::dynamic_eid;
use super::lisp::{configured_locator, locator_source, put_locator};
use super::row::{No, Row, edit, prefix_of};
use crate::addr::Family;
use crate::console::args::{Args, Fault};
use crate::console::edit::Editor;
use crate::router::config::DatabaseMapping;

const DATABASES: &[Mode] = &[
    Mode::EidTable,
    Mode::InstanceService,
    Mode::Instance,
    Mode::Service,
    Mode::Lisp,
    Mode::DynamicEid,
];

pub(super) const ROWS: &[Row] = &[
    edit(
        DATABASES,
        "database-mapping <prefix:prefix> \
         {locator-set <set:word>|\
         {<rloc:address>|{IPv4-interface|IPv6-interface} <interface:interface>} \
         [priority <priority:0-255>] [weight <weight:0-100>]}",
        &[
            "Configure a local EID prefix and its locators",
            "EID prefix",
            "Locators of a locator-set",
            "Locator-set name",
            "Locator address",
            "Locator is the IPv4 address of an interface",
            "Locator is the IPv6 address of an interface",
            "Interface name",
            "Priority of the locator",
            "Lower is preferred, 255 is never used (default 1)",
            "Weight of the locator",
            "Share of the traffic among locators of equal priority (default 100)",
        ],
        No::After(2),
        database_mapping,
    ),
    edit(
        Mode::EID_TABLES,
        "map-cache <prefix:prefix> map-request",
        &[
            "Configure a static map-cache entry",
            "EID prefix",
            "Send a map-request for EIDs that the prefix covers",
        ],
        No::After(2),
        map_cache,
    ),
];

/// The family of the `service` block in which the line stands. `None` outside of a `service` block.
/// A prefix in the block must be of this family.
fn family(editor: &Editor) -> Option<Family> {
    match editor.context {
        Context::InstanceService(_, family) | Context::Service(family) => Some(family),
        _ => None,
    }
}

/// The database in the present mode. In the mode of a dynamic-EID, it is the database of the
/// dynamic-EID. In any other mode, it is the database of the EID-table.
fn database<'a>(
    editor: &'a mut Editor,
    args: &Args<'_>,
) -> Result<&'a mut BTreeMap<IpNet, DatabaseMapping>, Fault> {
    let context = editor.context.clone();
    let table = editor.eid_table(args)?;
    Ok(match context {
        Context::DynamicEid { name, .. } => {
            &mut table.dynamic_eids.entry(name).or_default().database
        }
        _ => &mut table.database,
    })
}

fn database_mapping(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let prefix = prefix_of(args, "prefix", family(editor))?;
    if args.negated {
        return no_database_mapping(editor, args, prefix);
    }
    dynamic_eid::check_range(editor, args, prefix)?;
    if let Some(set) = args.text("set") {
        // The locator-set may be empty now, because its locators may follow in a later line.
        editor.lisp().locator_sets.entry(set.to_owned()).or_default();
        let mapping = DatabaseMapping::LocatorSet(set.to_owned());
        database(editor, args)?.insert(prefix, mapping);
        return Ok(());
    }
    let locator = configured_locator(args, locator_source(args)?);
    let mapping = database(editor, args)?
        .entry(prefix)
        .or_insert_with(|| DatabaseMapping::Inline(Vec::new()));
    match mapping {
        DatabaseMapping::Inline(locators) => put_locator(locators, locator),
        DatabaseMapping::LocatorSet(set) => {
            let word = if args.given("rloc") { "rloc" } else { "interface" };
            return Err(args.fault(word, format!("{prefix} uses locator-set {set}")));
        }
    }
    Ok(())
}

/// Removes the locator that the line names. The whole mapping is removed if the line names no
/// locator, or if no locator remains.
fn no_database_mapping(editor: &mut Editor, args: &Args<'_>, prefix: IpNet) -> Result<(), Fault> {
    let database = database(editor, args)?;
    if (args.given("rloc") || args.given("interface"))
        && let Some(DatabaseMapping::Inline(locators)) = database.get_mut(&prefix)
    {
        let source = locator_source(args)?;
        locators.retain(|locator| locator.source != source);
        if !locators.is_empty() {
            return Ok(());
        }
    }
    match database.remove(&prefix) {
        Some(_) => Ok(()),
        None => Err(args.fault("prefix", format!("there is no database-mapping {prefix}"))),
    }
}

fn map_cache(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let prefix = prefix_of(args, "prefix", family(editor))?;
    let table = editor.eid_table(args)?;
    if args.negated {
        table.map_requests.remove(&prefix);
    } else {
        table.map_requests.insert(prefix);
    }
    Ok(())
}
