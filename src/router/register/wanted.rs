//! Decides which EID prefixes must be registered.

use crate::addr::EidPrefix;
use crate::router::config::Config;
use crate::router::database::{self, Database};

/// Whether the router registers a prefix. `entry` is the entry of the prefix in the database.
pub(super) fn registers(config: &Config, prefix: EidPrefix, entry: &database::Entry) -> bool {
    let family = prefix.family();
    entry.has_route
        && !entry.locators.is_empty()
        && config.roles(family).etr
        && !config.etr_map_servers(family).is_empty()
}

/// Whether a prefix is inside a prefix that this router registers, and is not in the database
/// itself. A map-server sends notifications only about prefixes of this kind.
pub(in crate::router) fn registers_around(
    config: &Config,
    database: &Database,
    prefix: &EidPrefix,
) -> bool {
    let mut covering = database.entries().covering(prefix);
    database.get(prefix).is_none() && covering.any(|(at, entry)| registers(config, at, entry))
}
