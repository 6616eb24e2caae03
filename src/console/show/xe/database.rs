//! `show lisp instance-id N ipv4 database`.

use crate::console::show::database::{DatabaseTable, entry_text, locators_text};
use crate::console::show::restyled::Restyled;
use crate::console::show::span::span;
use crate::console::view::database::{Head, Row};

/// The mapping database of one family and instance, in the form of IOS-XE.
pub fn database(table: DatabaseTable) -> Restyled<DatabaseTable> {
    Restyled { table, head_text, row_text: |_, row| row_text(row) }
}

/// Prints the head. This router registers every entry that has a route, so no entry counts as
/// `do-not-register`.
fn head_text(head: &Head) -> String {
    let Head { family, eid_table, instance_id, total, no_route, inactive, .. } = head;
    let bits = head.locator_status_bits;
    let mut text = format!(
        "LISP ETR {family} Mapping Database for LISP 0 EID-table {eid_table} (IID {instance_id}), \
         LSBs: {bits:#x}\n\
         Entries total {total}, no-route {no_route}, inactive {inactive}, do-not-register 0\n\n"
    );
    if *total > 0 && total == no_route {
        text += "*** ALL ACTIVE LOCAL EID PREFIXES HAVE NO ROUTE ***\n\
                 ***    REPORTING LOCAL RLOCS AS UNREACHABLE     ***\n\n";
    }
    text
}

fn row_text(row: &Row) -> String {
    let (uptime, changed) = (span(row.uptime), span(row.last_change));
    format!(
        "{}  Uptime: {uptime}, Last-change: {changed}\n  Domain-ID: local\n  \
         Service-Insertion: N/A (0)\n{}",
        entry_text(row),
        locators_text(row)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::{Family, InstanceId};
    use crate::console::view::EidTableName;
    use crate::console::view::database::{LocatorRow, LocatorState};
    use crate::router::database::LocatorOrigin;

    fn head(no_route: usize) -> Head {
        Head {
            family: Family::Ipv6,
            eid_table: EidTableName::Default,
            instance_id: InstanceId::DEFAULT,
            locator_status_bits: 1,
            total: 3,
            no_route,
            inactive: 0,
        }
    }

    #[test]
    fn an_entry_has_the_lines_of_ios_xe() {
        let row = Row {
            eid_prefix: "2001:192:168:1::71/128".parse().unwrap(),
            dynamic_eid: Some("ROAM".to_owned()),
            locator_set: Some("RLOC".to_owned()),
            has_route: false,
            uptime: 4127,
            last_change: 4114,
            locators: vec![LocatorRow {
                rloc: "203.0.113.11".parse().unwrap(),
                priority: 10,
                weight: 10,
                source: LocatorOrigin::ConfiguredInterface,
                state: LocatorState::SelfReachable,
            }],
        };
        let expected = "\
LISP ETR IPv6 Mapping Database for LISP 0 EID-table default (IID 0), LSBs: 0x1
Entries total 3, no-route 1, inactive 0, do-not-register 0

2001:192:168:1::71/128, dynamic-eid ROAM, locator-set RLOC *** NO ROUTE TO EID PREFIX ***
  Uptime: 01:08:47, Last-change: 01:08:34
  Domain-ID: local
  Service-Insertion: N/A (0)
  Locator       Pri/Wgt  Source     State
  203.0.113.11   10/10   cfg-intf   site-self, reachable
";
        assert_eq!(head_text(&head(1)) + &row_text(&row), expected);
    }

    #[test]
    fn the_head_warns_if_no_prefix_has_a_route() {
        let text = head_text(&head(3));
        assert!(text.contains("HAVE NO ROUTE ***\n***    REPORTING"), "{text}");
        assert!(!head_text(&head(2)).contains("***"));
    }
}
