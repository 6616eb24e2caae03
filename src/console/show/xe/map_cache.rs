//! `show lisp instance-id N ipv4 map-cache`.

use crate::console::show::columns::Columns;
use crate::console::show::map_cache::{MapCacheTable, entry_text, locator_detail};
use crate::console::show::restyled::Restyled;
use crate::console::show::span::span;
use crate::console::show::{column, locator_state};
use crate::console::view::TableHead;
use crate::console::view::map_cache::{LocatorRow, Row};

/// The map-cache of one family and instance, in the form of IOS-XE.
pub fn map_cache(table: MapCacheTable) -> Restyled<MapCacheTable> {
    Restyled { table, head_text, row_text: |table, row| row_text(row, table.detail) }
}

fn row_text(row: &Row, detail: bool) -> String {
    entry_text(row, detail, "static-send-map-request", locators_text)
}

fn head_text(head: &TableHead) -> String {
    format!(
        "LISP {} Mapping Cache for LISP 0 EID-table {} (IID {}), {} entries\n\n",
        head.family, head.eid_table, head.instance_id, head.total
    )
}

/// Prints the locators. For each locator, the last column of IOS-XE contains the instance of the
/// encapsulated packets. This router prints a dash in this column, because a locator has no
/// instance of its own.
pub(super) fn locators_text(locators: &[LocatorRow], detail: bool) -> String {
    let addresses = locators.iter().map(|locator| locator.rloc.to_string().len());
    let states = locators.iter().map(|locator| locator_state(locator.state).len());
    let widths = [2, column("Locator", addresses), 10, column("State", states), 12, 0];
    let columns = Columns::of(widths);
    let mut text = columns.line(["", "Locator", "Uptime", "State", "Pri/Wgt", "Encap-IID"]);
    for locator in locators {
        let LocatorRow { rloc, uptime, state, priority, weight } = locator;
        let (rloc, since) = (rloc.to_string(), span(*uptime));
        let weights = format!("{priority:3}/{weight}");
        text += &columns.line(["", &rloc, &since, locator_state(*state), &weights, "  -"]);
        if detail {
            text += &locator_detail(*uptime);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::view::LocatorAddress;
    use crate::console::view::map_cache::EntryState;
    use crate::console::view::map_cache::LocatorState;
    use crate::router::map_cache::Source;

    fn entry(locators: &[(&str, LocatorState)]) -> Row {
        let locators = locators.iter().map(|(rloc, state)| LocatorRow {
            rloc: LocatorAddress::Ip(rloc.parse().unwrap()),
            uptime: 2050,
            state: *state,
            priority: 10,
            weight: 10,
        });
        Row {
            eid_prefix: "194.168.1.72/32".parse().unwrap(),
            uptime: 2050,
            expires: Some(84_350),
            source: Source::MapReply,
            state: EntryState::Complete,
            proxy_etr: false,
            last_modified: 2050,
            map_source: Some("11.1.2.2".parse().unwrap()),
            packets: 57_553,
            bytes: 5_755_300,
            last_used: Some(1421),
            locators: locators.collect(),
        }
    }

    #[test]
    fn an_entry_has_the_columns_of_ios_xe() {
        let expected = "\
194.168.1.72/32, uptime: 00:34:10, expires: 23:25:50, via map-reply, complete
  Sources: map-reply
  State: complete, last modified: 00:34:10, map-source: 11.1.2.2
  Idle, Packets out: 57553(5755300 bytes) (~ 00:23:41 ago)
  Locator      Uptime    State  Pri/Wgt     Encap-IID
  22.22.22.22  00:34:10  up      10/10        -
    Last up-down state change:         00:34:10, state change count: 1
    Last route reachability change:    00:34:10, state change count: 1
    Last priority / weight change:     never/never
    RLOC-probing loc-status algorithm:
      Last RLOC-probe sent:            never
";
        let row = entry(&[("22.22.22.22", LocatorState::Up)]);
        assert_eq!(row_text(&row, true), expected);
    }

    #[test]
    fn the_column_of_the_states_is_as_wide_as_the_longest_state() {
        let row = entry(&[("10.0.1.2", LocatorState::Up), ("10.0.1.5", LocatorState::Unreachable)]);
        let expected = "\
194.168.1.72/32, uptime: 00:34:10, expires: 23:25:50, via map-reply, complete
  Locator   Uptime    State        Pri/Wgt     Encap-IID
  10.0.1.2  00:34:10  up            10/10        -
  10.0.1.5  00:34:10  unreachable   10/10        -
";
        assert_eq!(row_text(&row, false), expected);
    }

    #[test]
    fn a_static_entry_names_its_source_in_one_word() {
        let mut row = entry(&[]);
        (row.source, row.state, row.expires) = (Source::Static, EntryState::SendMapRequest, None);
        let expected = "\
194.168.1.72/32, uptime: 00:34:10, expires: never, via static-send-map-request
  Negative cache entry, action: send-map-request
";
        assert_eq!(row_text(&row, false), expected);
        assert!(row_text(&row, true).contains("  Sources: static-send-map-request\n"));
    }
}
