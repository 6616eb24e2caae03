//! The tables of a router, as its console shows them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::addr::Family;
use crate::lab::failure::Failure;
use crate::lab::running::RunningLab;

/// The tables, each with the command that shows it. In a command, `{ip}` is replaced by `ip` or
/// `ipv6`. A command without `{ip}` shows both families.
const TABLES: [(&str, &str); 7] = [
    ("map-cache", "show {ip} lisp map-cache"),
    ("database", "show {ip} lisp database"),
    ("away", "show {ip} lisp away"),
    ("dynamic-eids", "show lisp dynamic-eid detail"),
    ("sites", "show lisp site detail"),
    ("sessions", "show lisp session"),
    ("smr", "show {ip} lisp smr"),
];

/// A table of a router.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Table {
    /// The name of the table, as in [`Change::table`](super::item::Change::table).
    pub table: String,
    /// The family of the EIDs. Absent if the table is for both families.
    pub family: Option<Family>,
    /// The command that shows the table.
    pub command: String,
    /// The text that the command prints.
    pub text: String,
    /// The JSON of the command. It is null if the router refuses the command.
    pub view: Value,
}

/// Returns the tables of a router. A table that the router refuses to show is left out: for
/// example, a router that is no map-server has no sites.
///
/// # Errors
/// The router does not run or does not answer.
pub fn of(lab: &mut dyn RunningLab, node: &str) -> Result<Vec<Table>, Failure> {
    let mut tables = Vec::new();
    for (table, pattern) in TABLES {
        let families: &[Option<Family>] = match pattern.contains("{ip}") {
            true => &[Some(Family::Ipv4), Some(Family::Ipv6)],
            false => &[None],
        };
        for &family in families {
            let ip = if family == Some(Family::Ipv6) { "ipv6" } else { "ip" };
            let command = pattern.replace("{ip}", ip);
            let shown = lab.console(node, &command)?;
            if !shown.done.ok {
                continue;
            }
            let json = lab.console(node, &format!("{command} | json"))?;
            let view = serde_json::from_str(&json.text).unwrap_or(Value::Null);
            let (table, text) = (table.to_owned(), shown.text);
            tables.push(Table { table, family, command, text, view });
        }
    }
    Ok(tables)
}
