//! `eid-table`: the mapping database and the static entries of the map-cache.

use super::lisp::{configured_locator, put_locator, rloc};
use super::{Context, Mode, No, Row, edit, prefix_of};
use crate::addr::Family;
use crate::console::args::{Args, Fault};
use crate::console::edit::Editor;
use crate::router::config::{DatabaseMapping, EidTable, LocatorSource};

const HERE: &[Mode] = &[Mode::EidTable, Mode::InstanceService];

pub(super) const ROWS: &[Row] = &[
    edit(
        HERE,
        "database-mapping <prefix:prefix> \
         {locator-set <set:word>|<rloc:address> priority <priority:0-255> weight <weight:0-100>}",
        &[
            "Configure a local EID prefix and its locators",
            "EID prefix",
            "Locators of a locator-set",
            "Locator-set name",
            "Locator address",
            "Priority of the locator",
            "Lower is preferred, 255 is never used",
            "Weight of the locator",
            "Share of the traffic among equal priorities",
        ],
        No::After(2),
        database_mapping,
    ),
    edit(
        HERE,
        "map-cache <prefix:prefix> map-request",
        &[
            "Configure a static map-cache entry",
            "EID prefix",
            "Send a map-request for what the prefix covers",
        ],
        No::After(2),
        map_cache,
    ),
];

/// The table that is being configured, and the only family that its prefixes may have.
fn current<'a>(
    editor: &'a mut Editor,
    args: &Args<'_>,
) -> Result<(&'a mut EidTable, Option<Family>), Fault> {
    let (id, family) = match editor.context {
        Context::EidTable(id) => (id, None),
        Context::InstanceService(id, family) => (id, Some(family)),
        _ => return Err(args.fault("", "no EID-table is selected")),
    };
    Ok((editor.lisp().eid_tables.entry(id).or_default(), family))
}

fn database_mapping(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    if args.negated {
        return no_database_mapping(editor, args);
    }
    if let Some(set) = args.text("set") {
        if !editor.lisp().locator_sets.contains_key(set) {
            return Err(args.fault("set", format!("there is no locator-set {set}")));
        }
        let (table, family) = current(editor, args)?;
        let prefix = prefix_of(args, "prefix", family)?;
        let mapping = DatabaseMapping::LocatorSet(set.to_owned());
        table.database.insert(prefix, mapping);
        return Ok(());
    }
    let locator = configured_locator(args, LocatorSource::Address(rloc(args, "rloc")?))?;
    let (table, family) = current(editor, args)?;
    let prefix = prefix_of(args, "prefix", family)?;
    let mapping =
        table.database.entry(prefix).or_insert_with(|| DatabaseMapping::Inline(Vec::new()));
    match mapping {
        DatabaseMapping::Inline(locators) => put_locator(locators, locator),
        DatabaseMapping::LocatorSet(set) => {
            return Err(args.fault("rloc", format!("{prefix} uses locator-set {set}")));
        }
    }
    Ok(())
}

/// Takes out the locator that the line names, or the whole mapping; the last locator takes the
/// mapping with it.
fn no_database_mapping(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let (table, family) = current(editor, args)?;
    let prefix = prefix_of(args, "prefix", family)?;
    if args.given("rloc")
        && let Some(DatabaseMapping::Inline(locators)) = table.database.get_mut(&prefix)
    {
        let source = LocatorSource::Address(rloc(args, "rloc")?);
        locators.retain(|locator| locator.source != source);
        if !locators.is_empty() {
            return Ok(());
        }
    }
    match table.database.remove(&prefix) {
        Some(_) => Ok(()),
        None => Err(args.fault("prefix", format!("there is no database-mapping {prefix}"))),
    }
}

fn map_cache(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let (table, family) = current(editor, args)?;
    let prefix = prefix_of(args, "prefix", family)?;
    if args.negated {
        table.map_requests.remove(&prefix);
    } else {
        table.map_requests.insert(prefix);
    }
    Ok(())
}
