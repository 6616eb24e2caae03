//! `show lisp instance-id N ipv4 forwarding eid remote` and `show ip lisp forwarding eid remote`:
//! the map-cache as the data plane uses it.

use crate::console::show::columns::Columns;
use crate::console::show::map_cache::MapCacheTable;
use crate::console::show::{Rows, Table};
use crate::console::view::TableHead;
use crate::console::view::map_cache::{EntryState, LocatorState, Row};
use crate::router::Router;
use crate::time::Time;

/// The map-cache of one family and instance, in the form of the data plane.
#[derive(Debug)]
pub struct Forwarding {
    /// The map-cache.
    pub table: MapCacheTable,
    /// Whether the output has a column for the instance of the encapsulated packets, as on IOS-XE.
    pub with_instance: bool,
}

const COLUMNS: Columns<4> = Columns::of([23, 12, 24, 0]);

impl Table for Forwarding {
    type Head = TableHead;
    type Row = Row;

    fn head(&self, router: &Router, now: Time) -> Result<TableHead, String> {
        self.table.head(router, now)
    }

    fn rows(&mut self, router: &Router, now: Time) -> Rows<Row> {
        self.table.rows(router, now)
    }

    fn head_text(&self, _: &TableHead) -> String {
        let instance = if self.with_instance { "encap_iid" } else { "" };
        COLUMNS.line(["Prefix", "Fwd action", "Locator status bits", instance])
    }

    fn row_text(&mut self, row: &Row) -> String {
        let instance = if self.with_instance { "N/A" } else { "" };
        let (prefix, bits) = (row.eid_prefix.to_string(), format!("0x{:08x}", status_bits(row)));
        let action = match row.state {
            EntryState::Complete => "encap",
            EntryState::ForwardNative if row.proxy_etr => "encap",
            EntryState::ForwardNative => "fwd-native",
            EntryState::SendMapRequest => "signal",
            EntryState::Drop => "drop",
        };
        let line = COLUMNS.line([&prefix, action, &bits, instance]);
        format!("{line}  packets/bytes       {}/{}\n", row.packets, row.bytes)
    }
}

/// The Locator-Status-Bits of an entry: bit n is set if locator n is up.
fn status_bits(row: &Row) -> u32 {
    let up = row.locators.iter().enumerate().filter(|(_, it)| it.state == LocatorState::Up);
    up.filter_map(|(ordinal, _)| 1_u32.checked_shl(ordinal.try_into().ok()?)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::{Family, InstanceId};
    use crate::console::view::LocatorAddress;
    use crate::console::view::map_cache::LocatorRow;
    use crate::router::map_cache::Source;

    #[test]
    fn an_entry_has_an_action_and_the_bits_of_its_locators() {
        let instance_id = InstanceId::DEFAULT;
        let table = MapCacheTable {
            family: Family::Ipv4,
            instance_id,
            only: None,
            detail: false,
            after: None,
        };
        let locator = |state| LocatorRow {
            rloc: LocatorAddress::Ip("192.0.2.1".parse().unwrap()),
            uptime: 1,
            state,
            priority: 1,
            weight: 1,
        };
        let row = Row {
            eid_prefix: "192.168.1.0/24".parse().unwrap(),
            uptime: 1,
            expires: None,
            source: Source::MapReply,
            state: EntryState::Complete,
            proxy_etr: false,
            last_modified: 1,
            map_source: None,
            packets: 3,
            bytes: 300,
            last_used: None,
            locators: vec![locator(LocatorState::Down), locator(LocatorState::Up)],
        };
        let expected = "\
192.168.1.0/24         encap       0x00000002              N/A
  packets/bytes       3/300
";
        assert_eq!(Forwarding { table, with_instance: true }.row_text(&row), expected);
    }
}
