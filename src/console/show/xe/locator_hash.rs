//! `show ip lisp locator-hash EID`: the locators to which the router distributes the flows to an
//! EID.

use super::map_cache::locators_text;
use crate::console::show::map_cache::{MapCacheTable, entry_state};
use crate::console::show::restyled::Restyled;
use crate::console::view::map_cache::Row;

/// The entry of the map-cache for one EID.
pub fn locator_hash(table: MapCacheTable) -> Restyled<MapCacheTable> {
    Restyled { table, head_text: |_| HEAD.to_owned(), row_text: |_, row| row_text(row) }
}

const HEAD: &str =
    "The hash of the addresses, the protocol and the ports of a packet selects its locator.\n";

fn row_text(row: &Row) -> String {
    let locators = match row.locators.as_slice() {
        [] => String::new(),
        locators => locators_text(locators, false),
    };
    format!("{}, state: {}\n{locators}", row.eid_prefix, entry_state(row.state))
}
