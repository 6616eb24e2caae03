//! `show ip lisp database`.

use std::fmt::Write;

use super::columns::Columns;
use super::span::seconds;
use super::{ROWS_A_TURN, Rows, Table, column};
use crate::addr::{EidPrefix, Family, InstanceId};
use crate::console::view::EidTableName;
use crate::console::view::database::{Head, LocatorRow, LocatorState, Row};
use crate::router::Router;
use crate::router::database::{Entry, LocatorOrigin};
use crate::time::Time;

/// The mapping database of one family and instance.
#[derive(Debug)]
pub struct DatabaseTable {
    /// The family of the EIDs.
    pub family: Family,
    /// The instance.
    pub instance_id: InstanceId,
    /// If set, the output has only the most specific entry that covers this prefix.
    pub only: Option<EidPrefix>,
    /// The output continues after this prefix.
    pub after: Option<EidPrefix>,
}

impl Table for DatabaseTable {
    type Head = Head;
    type Row = Row;

    fn head(&self, router: &Router, _: Time) -> Result<Head, String> {
        let database = router.database().entries();
        if let Some(only) = &self.only
            && database.covering(only).next().is_none()
        {
            return Err(format!("Could not find EID {only} in database."));
        }
        let database = router.database();
        let total = database.entries().len_of(self.instance_id, self.family);
        Ok(Head {
            family: self.family,
            eid_table: EidTableName::of(router.config(), self.instance_id),
            instance_id: self.instance_id,
            locator_status_bits: database.status_bits(self.family),
            total,
            // A router has only one EID-table, so all entries of the family belong to this
            // instance.
            no_route: total.saturating_sub(database.with_route(self.family)),
            inactive: router.away().deconfigured(self.instance_id, self.family),
        })
    }

    fn rows(&mut self, router: &Router, now: Time) -> Rows<Row> {
        let database = router.database().entries();
        if let Some(only) = &self.only {
            let found = database.covering(only).last().into_iter();
            return Rows {
                rows: found.map(|(prefix, entry)| row(prefix, entry, now)).collect(),
                finished: true,
            };
        }
        let mut rows = Vec::new();
        for (prefix, entry) in
            database.iter_after(self.instance_id, self.family, self.after).take(ROWS_A_TURN)
        {
            self.after = Some(prefix);
            rows.push(row(prefix, entry, now));
        }
        Rows { finished: rows.len() < ROWS_A_TURN, rows }
    }

    fn head_text(&self, head: &Head) -> String {
        head_text(head)
    }

    fn row_text(&mut self, row: &Row) -> String {
        row_text(row)
    }
}

fn row(prefix: EidPrefix, entry: &Entry, now: Time) -> Row {
    let locators = entry.locators.iter().map(|locator| LocatorRow {
        rloc: locator.rloc.0,
        priority: locator.priority,
        weight: locator.weight,
        source: locator.origin,
        state: match (locator.own, locator.reachable) {
            (true, true) => LocatorState::SelfReachable,
            (true, false) => LocatorState::SelfUnreachable,
            (false, true) => LocatorState::OtherReachable,
            (false, false) => LocatorState::OtherUnreachable,
        },
    });
    Row {
        eid_prefix: prefix.prefix(),
        dynamic_eid: entry.dynamic.clone(),
        locator_set: entry.locator_set.clone(),
        has_route: entry.has_route,
        uptime: seconds(now.since(entry.created_at)),
        last_change: seconds(now.since(entry.changed_at)),
        locators: locators.collect(),
    }
}

fn head_text(head: &Head) -> String {
    let Head { family, eid_table, instance_id, total, no_route, inactive, .. } = head;
    let bits = head.locator_status_bits;
    let title = format!(
        "LISP ETR {family} Mapping Database for EID-table {eid_table} (IID {instance_id}), \
         LSBs: {bits:#x}"
    );
    if *total > 0 && total == no_route {
        return format!(
            "{title}, {total} entries\n\n\
             *** ALL CONFIGURED LOCAL EID PREFIXES HAVE NO ROUTE ***\n\
             ***      REPORTING LOCAL RLOCS AS UNREACHABLE       ***\n\n"
        );
    }
    format!("{title}\nEntries total {total}, no-route {no_route}, inactive {inactive}\n\n")
}

fn row_text(row: &Row) -> String {
    entry_text(row) + &locators_text(row)
}

/// Prints the first line of an entry.
pub(super) fn entry_text(row: &Row) -> String {
    let mut text = row.eid_prefix.to_string();
    if let Some(name) = &row.dynamic_eid {
        let _ = write!(text, ", dynamic-eid {name}");
    }
    if let Some(set) = &row.locator_set {
        let _ = write!(text, ", locator-set {set}");
    }
    if !row.has_route {
        text += " *** NO ROUTE TO EID PREFIX ***";
    }
    text.push('\n');
    text
}

/// Prints the locators of an entry.
pub(super) fn locators_text(row: &Row) -> String {
    let cells = row.locators.iter().map(|locator| locator.rloc.to_string().len());
    let width = column("Locator", cells);
    let columns = Columns::of([2, width, 9, 11, 0]);
    let mut text = columns.line(["", "Locator", "Pri/Wgt", "Source", "State"]);
    for locator in &row.locators {
        let LocatorRow { rloc, priority, weight, source, state } = locator;
        let rloc = rloc.to_string();
        let state = match state {
            LocatorState::SelfReachable => "site-self, reachable",
            LocatorState::SelfUnreachable => "site-self, unreachable",
            LocatorState::OtherReachable => "site-other, report-reachable",
            LocatorState::OtherUnreachable => "site-other, report-unreachable",
        };
        text +=
            &columns.line(["", &rloc, &format!("{priority:3}/{weight}"), origin(*source), state]);
    }
    text
}

/// The name of the origin of a locator.
pub(super) fn origin(source: LocatorOrigin) -> &'static str {
    match source {
        LocatorOrigin::ConfiguredAddress => "cfg-addr",
        LocatorOrigin::ConfiguredInterface => "cfg-intf",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head for a database in which exactly one entry has no route.
    fn head(locator_status_bits: u32, total: usize) -> Head {
        Head {
            family: Family::Ipv4,
            eid_table: EidTableName::Default,
            instance_id: InstanceId::DEFAULT,
            locator_status_bits,
            total,
            no_route: 1,
            inactive: 0,
        }
    }

    fn entry(prefix: &str, set: Option<&str>, has_route: bool, rloc: &str, weight: u8) -> Row {
        Row {
            eid_prefix: prefix.parse().unwrap(),
            dynamic_eid: None,
            locator_set: set.map(str::to_owned),
            has_route,
            uptime: 0,
            last_change: 0,
            locators: vec![LocatorRow {
                rloc: rloc.parse().unwrap(),
                priority: 1,
                weight,
                source: LocatorOrigin::ConfiguredAddress,
                state: LocatorState::SelfReachable,
            }],
        }
    }

    #[test]
    fn the_document_s_database_of_xtr1() {
        let head = head(1, 3);
        let set = Some("set1");
        let mut text = head_text(&head);
        text += &row_text(&entry("10.10.10.0/24", set, true, "203.0.113.11", 100));
        text += &row_text(&entry("172.16.0.0/24", set, false, "203.0.113.11", 100));
        let expected = "\
LISP ETR IPv4 Mapping Database for EID-table default (IID 0), LSBs: 0x1
Entries total 3, no-route 1, inactive 0

10.10.10.0/24, locator-set set1
  Locator       Pri/Wgt  Source     State
  203.0.113.11    1/100  cfg-addr   site-self, reachable
172.16.0.0/24, locator-set set1 *** NO ROUTE TO EID PREFIX ***
  Locator       Pri/Wgt  Source     State
  203.0.113.11    1/100  cfg-addr   site-self, reachable
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_roaming_host_names_its_dynamic_eid() {
        let mut row = entry("172.16.0.12/32", Some("set1"), true, "203.0.113.11", 100);
        row.dynamic_eid = Some("ROAM".to_owned());
        let text = row_text(&row);
        assert!(text.starts_with("172.16.0.12/32, dynamic-eid ROAM, locator-set set1\n"), "{text}");
    }

    #[test]
    fn when_no_eid_has_a_route_the_locators_are_reported_unreachable() {
        let head = head(0, 1);
        let mut row = entry("1.1.1.0/24", None, false, "2.2.2.2", 50);
        row.locators[0].state = LocatorState::SelfUnreachable;
        let expected = "\
LISP ETR IPv4 Mapping Database for EID-table default (IID 0), LSBs: 0x0, 1 entries

*** ALL CONFIGURED LOCAL EID PREFIXES HAVE NO ROUTE ***
***      REPORTING LOCAL RLOCS AS UNREACHABLE       ***

1.1.1.0/24 *** NO ROUTE TO EID PREFIX ***
  Locator  Pri/Wgt  Source     State
  2.2.2.2    1/50   cfg-addr   site-self, unreachable
";
        assert_eq!(head_text(&head) + &row_text(&row), expected);
    }
}
