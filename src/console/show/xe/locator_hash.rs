//! `show ip lisp locator-hash EID`: the locators among which the flows to an EID are divided.

use super::map_cache::locators_text;
use crate::console::show::map_cache::{MapCacheTable, entry_state};
use crate::console::show::{Rows, Table};
use crate::console::view::TableHead;
use crate::console::view::map_cache::Row;
use crate::router::Router;
use crate::time::Time;

/// The entry of the map-cache for one EID.
#[derive(Debug)]
pub struct LocatorHash(pub MapCacheTable);

impl Table for LocatorHash {
    type Head = TableHead;
    type Row = Row;

    fn head(&self, router: &Router, now: Time) -> Result<TableHead, String> {
        self.0.head(router, now)
    }

    fn rows(&mut self, router: &Router, now: Time) -> Rows<Row> {
        self.0.rows(router, now)
    }

    fn head_text(&self, _: &TableHead) -> String {
        "The hash of the addresses, the protocol and the ports of a packet selects its locator.\n"
            .to_owned()
    }

    fn row_text(&mut self, row: &Row) -> String {
        let locators = match row.locators.as_slice() {
            [] => String::new(),
            locators => locators_text(locators, false),
        };
        format!("{}, state: {}\n{locators}", row.eid_prefix, entry_state(row.state))
    }
}
