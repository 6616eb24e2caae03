//! `dynamic-eid`: EID ranges of roaming hosts. A router registers each host of a range separately,
//! when the router finds the host on one of its LANs.

use ipnet::IpNet;

use super::context::{Context, Mode};
use super::row::{No, Row, edit};
use crate::console::args::{Args, Fault};
use crate::console::edit::Editor;

pub(super) const ROWS: &[Row] = &[edit(
    Mode::EID_TABLES,
    "dynamic-eid <name:word>",
    &["Configure EIDs that may move", "Name of the dynamic-EID"],
    No::After(2),
    dynamic_eid,
)];

fn dynamic_eid(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let name: String = args.value("name")?;
    let context = editor.context.clone();
    let dynamic_eids = &mut editor.eid_table(args)?.dynamic_eids;
    if args.negated {
        dynamic_eids.remove(&name);
        return Ok(());
    }
    dynamic_eids.entry(name.clone()).or_default();
    editor.context = Context::DynamicEid { within: Box::new(context), name };
    Ok(())
}

/// Checks the EID prefix of a line against the other prefixes of the same EID-table. A range
/// belongs to one dynamic-EID only. A range may lie inside a larger static mapping. A static
/// mapping must not lie inside a range or be equal to a range. Otherwise the static mapping would
/// state that all its hosts are at this site, although a host of the range may have moved away.
pub(super) fn check_range(
    editor: &mut Editor,
    args: &Args<'_>,
    prefix: IpNet,
) -> Result<(), Fault> {
    let context = editor.context.clone();
    let table = editor.eid_table(args)?;
    let refuse = |message: String| Err(args.fault("prefix", message));
    let Context::DynamicEid { name: own, .. } = context else {
        for (name, dynamic) in &table.dynamic_eids {
            let mut ranges = dynamic.database.keys();
            if let Some(range) = ranges.find(|range| range.contains(&prefix)) {
                return refuse(format!("{prefix} lies in the range {range} of dynamic-eid {name}"));
            }
        }
        return Ok(());
    };
    if let Some(mapping) = table.database.keys().find(|mapping| prefix.contains(*mapping)) {
        return refuse(format!("{prefix} is not more specific than database-mapping {mapping}"));
    }
    let mut others = table.dynamic_eids.iter().filter(|(name, _)| **name != own);
    match others.find(|(_, dynamic)| dynamic.database.contains_key(&prefix)) {
        Some((name, _)) => refuse(format!("dynamic-eid {name} already has {prefix}")),
        None => Ok(()),
    }
}
