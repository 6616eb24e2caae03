//! `show ip lisp map-cache`.

use super::columns::Columns;
use super::span::{seconds, span, span_or_never};
use super::{ROWS_A_TURN, Rows, Table, column, locator_address, locator_state};
use crate::addr::{EidPrefix, Family, InstanceId};
use crate::console::view::map_cache::{EntryState, LocatorRow, LocatorState, Row};
use crate::console::view::{EidTableName, LocatorAddress, TableHead};
use crate::router::Router;
use crate::router::map_cache::{Entry, Locator, Mapping, Source};
use crate::router::reachability::Reach;
use crate::time::Time;

/// The activity check period of IOS, in seconds. After each packet, an entry is active for this
/// time.
const ACTIVITY_PERIOD: u64 = 60;
/// The text of IOS for the source of a static entry.
const STATIC: &str = "static send map-request";

/// The map-cache of one family and instance.
#[derive(Debug)]
pub struct MapCacheTable {
    /// The family of the EIDs.
    pub family: Family,
    /// The instance.
    pub instance_id: InstanceId,
    /// If set, the output has only the most specific entry that covers this prefix.
    pub only: Option<EidPrefix>,
    /// Whether to print details: the source and the activity of each entry, and the changes of each
    /// locator.
    pub detail: bool,
    /// The output continues after this prefix.
    pub after: Option<EidPrefix>,
}

impl Table for MapCacheTable {
    type Head = TableHead;
    type Row = Row;

    fn head(&self, router: &Router, _: Time) -> Result<TableHead, String> {
        let entries = router.map_cache().entries();
        if let Some(only) = &self.only
            && entries.covering(only).next().is_none()
        {
            return Err(format!("Could not find EID {only} in map-cache."));
        }
        Ok(TableHead {
            family: self.family,
            eid_table: EidTableName::of(router.config(), self.instance_id),
            instance_id: self.instance_id,
            total: entries.len_of(self.instance_id, self.family),
        })
    }

    fn rows(&mut self, router: &Router, now: Time) -> Rows<Row> {
        let entries = router.map_cache().entries();
        if let Some(only) = &self.only {
            let found = entries.covering(only).last().into_iter();
            return Rows {
                rows: found.map(|(prefix, entry)| row(prefix, entry, router, now)).collect(),
                finished: true,
            };
        }
        let mut rows = Vec::new();
        for (prefix, entry) in
            entries.iter_after(self.instance_id, self.family, self.after).take(ROWS_A_TURN)
        {
            self.after = Some(prefix);
            rows.push(row(prefix, entry, router, now));
        }
        Rows { finished: rows.len() < ROWS_A_TURN, rows }
    }

    fn head_text(&self, head: &TableHead) -> String {
        format!(
            "LISP {} Mapping Cache for EID-table {} (IID {}), {} entries\n\n",
            head.family, head.eid_table, head.instance_id, head.total
        )
    }

    fn row_text(&mut self, row: &Row) -> String {
        row_text(row, self.detail)
    }
}

pub(super) fn row(prefix: EidPrefix, entry: &Entry, router: &Router, now: Time) -> Row {
    let lisp = router.config().lisp.as_ref();
    let has_petr = lisp.is_some_and(|lisp| !lisp.service(prefix.family()).use_petr.is_empty());
    let locators = match &entry.mapping {
        Mapping::Locators(locators) => &locators[..],
        _ => &[],
    };
    Row {
        eid_prefix: prefix.prefix(),
        uptime: seconds(now.since(entry.created_at)),
        expires: entry.expires_at.map(|at| seconds(now.until(at))),
        source: entry.source,
        state: match entry.mapping {
            Mapping::Locators(_) => EntryState::Complete,
            Mapping::ForwardNative => EntryState::ForwardNative,
            Mapping::SendMapRequest => EntryState::SendMapRequest,
            Mapping::Drop => EntryState::Drop,
        },
        proxy_etr: has_petr && entry.mapping == Mapping::ForwardNative,
        last_modified: seconds(now.since(entry.modified_at)),
        map_source: entry.map_source,
        packets: entry.usage.packets(),
        bytes: entry.usage.bytes(),
        last_used: entry.usage.used_at().map(|at| seconds(now.since(at))),
        locators: locator_rows(prefix, entry, locators, router, now),
    }
}

/// The rows of the usable locators and of the opaque locators, in the order of the mapping record.
/// An opaque locator is not an IP address.
fn locator_rows(
    prefix: EidPrefix,
    entry: &Entry,
    locators: &[Locator],
    router: &Router,
    now: Time,
) -> Vec<LocatorRow> {
    let usable = locators.iter().map(|locator| {
        let row = LocatorRow {
            rloc: LocatorAddress::Ip(locator.rloc.0),
            uptime: seconds(now.since(locator.since)),
            state: match router.reachability().of(locator) {
                Reach::Down(_) => LocatorState::Down,
                Reach::Unreachable(_) => LocatorState::Unreachable,
                Reach::Up => LocatorState::Up,
            },
            priority: locator.priority,
            weight: locator.weight,
        };
        (locator.ordinal, row)
    });
    let opaque = router.map_cache().opaque(&prefix).iter().map(|locator| {
        let row = LocatorRow {
            rloc: locator_address(&locator.address),
            uptime: seconds(now.since(entry.modified_at)),
            state: LocatorState::Unusable,
            priority: locator.priority,
            weight: locator.weight,
        };
        (locator.ordinal, row)
    });
    let mut rows: Vec<(u8, LocatorRow)> = usable.chain(opaque).collect();
    rows.sort_by_key(|(ordinal, _)| *ordinal);
    rows.into_iter().map(|(_, row)| row).collect()
}

pub(super) fn row_text(row: &Row, detail: bool) -> String {
    entry_text(row, detail, STATIC, locators_text)
}

/// Prints an entry. `via_static` is the text for the source of a static entry. `locators_text`
/// prints the locators.
pub(super) fn entry_text(
    row: &Row,
    detail: bool,
    via_static: &str,
    locators_text: fn(&[LocatorRow], bool) -> String,
) -> String {
    let via = match row.source {
        Source::Static => via_static.to_owned(),
        Source::MapReply => format!("map-reply, {}", entry_state(row.state)),
    };
    let uptime = span(row.uptime);
    let expires = span_or_never(row.expires);
    let prefix = row.eid_prefix;
    let mut text = format!("{prefix}, uptime: {uptime}, expires: {expires}, via {via}\n");
    if detail {
        text += &detail_text(row, via_static);
    }
    if row.state == EntryState::Complete {
        text += &locators_text(&row.locators, detail);
    } else if row.proxy_etr {
        text += "  Encapsulating to proxy ETR\n";
    } else {
        text += &format!("  Negative cache entry, action: {}\n", entry_state(row.state));
    }
    text
}

/// Whether an entry is idle. An entry is idle if no packet has used it in the activity check
/// period.
pub(super) fn is_idle(entry: &Entry, now: Time) -> bool {
    let used_at = entry.usage.used_at().unwrap_or(entry.created_at);
    seconds(now.since(used_at)) >= ACTIVITY_PERIOD
}

/// The name of the state of an entry.
pub(super) fn entry_state(state: EntryState) -> &'static str {
    match state {
        EntryState::Complete => "complete",
        EntryState::ForwardNative => "forward-native",
        EntryState::SendMapRequest => "send-map-request",
        EntryState::Drop => "drop",
    }
}

/// Prints the lines about the source and the activity of an entry. `static_source` is the text for
/// the source of a static entry.
pub(super) fn detail_text(row: &Row, static_source: &str) -> String {
    let (sources, map_source) = match row.source {
        Source::Static => (static_source, "local".to_owned()),
        Source::MapReply => {
            let source = row.map_source.map(|address| address.to_string());
            ("map-reply", source.unwrap_or_else(|| "local".to_owned()))
        }
    };
    let modified = span(row.last_modified);
    let idle_for = row.last_used.unwrap_or(row.uptime);
    let activity = if idle_for < ACTIVITY_PERIOD { "Active" } else { "Idle" };
    let last = row.last_used.map(|ago| format!(" (~ {} ago)", span(ago))).unwrap_or_default();
    format!(
        "  Sources: {sources}\n  State: {}, last modified: {modified}, map-source: {map_source}\n  \
         {activity}, Packets out: {}({} bytes){last}\n",
        entry_state(row.state),
        row.packets,
        row.bytes
    )
}

fn locators_text(locators: &[LocatorRow], detail: bool) -> String {
    let cells = locators.iter().map(|locator| locator.rloc.to_string().len());
    let width = column("Locator", cells);
    let columns = Columns::of([2, width, 10, 11, 0]);
    let mut text = columns.line(["", "Locator", "Uptime", "State", "Pri/Wgt"]);
    for locator in locators {
        let LocatorRow { rloc, uptime, state, priority, weight } = locator;
        let since = span(*uptime);
        let (rloc, state) = (rloc.to_string(), locator_state(*state));
        text += &columns.line(["", &rloc, &since, state, &format!("{priority:3}/{weight}")]);
        if detail {
            text += &locator_detail(*uptime);
        }
    }
    text
}

/// Prints the lines about the changes of a locator. `uptime` is the number of seconds since the
/// state of the locator changed.
pub(super) fn locator_detail(uptime: u64) -> String {
    let since = span(uptime);
    format!(
        "    Last up-down state change:         {since}, state change count: 1\n    \
         Last route reachability change:    {since}, state change count: 1\n    \
         Last priority / weight change:     never/never\n    \
         RLOC-probing loc-status algorithm:\n      \
         Last RLOC-probe sent:            never\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(detail: bool) -> MapCacheTable {
        MapCacheTable {
            family: Family::Ipv4,
            instance_id: InstanceId::DEFAULT,
            only: None,
            detail,
            after: None,
        }
    }

    fn entry(prefix: &str, state: EntryState, uptime: u64, expires: Option<u64>) -> Row {
        Row {
            eid_prefix: prefix.parse().unwrap(),
            uptime,
            expires,
            source: if expires.is_some() { Source::MapReply } else { Source::Static },
            state,
            proxy_etr: false,
            last_modified: uptime,
            map_source: expires.map(|_| "4.4.4.4".parse().unwrap()),
            packets: 0,
            bytes: 0,
            last_used: None,
            locators: Vec::new(),
        }
    }

    fn locator(rloc: &str, uptime: u64, priority: u8, weight: u8) -> LocatorRow {
        let rloc = LocatorAddress::Ip(rloc.parse().unwrap());
        LocatorRow { rloc, uptime, state: LocatorState::Up, priority, weight }
    }

    #[test]
    fn the_head_counts_and_is_followed_by_a_blank_line() {
        let mut head = TableHead {
            family: Family::Ipv4,
            eid_table: EidTableName::Default,
            instance_id: InstanceId::DEFAULT,
            total: 3,
        };
        assert_eq!(
            table(false).head_text(&head),
            "LISP IPv4 Mapping Cache for EID-table default (IID 0), 3 entries\n\n"
        );
        head.instance_id = InstanceId::new(101).unwrap();
        head.family = Family::Ipv6;
        assert_eq!(
            table(false).head_text(&head),
            "LISP IPv6 Mapping Cache for EID-table default (IID 101), 3 entries\n\n"
        );
    }

    #[test]
    fn the_document_s_map_cache_of_xtr2_before_and_after() {
        let mut fresh = entry("10.20.20.0/24", EntryState::Complete, 5, Some(86_394));
        fresh.locators = vec![locator("203.0.113.11", 5, 1, 100)];
        let rows = [
            entry("0.0.0.0/0", EntryState::SendMapRequest, 12_765, None),
            fresh,
            entry("172.16.0.0/24", EntryState::ForwardNative, 3588, Some(51)),
        ];
        let text: String = rows.iter().map(|row| row_text(row, false)).collect();
        let expected = "\
0.0.0.0/0, uptime: 03:32:45, expires: never, via static send map-request
  Negative cache entry, action: send-map-request
10.20.20.0/24, uptime: 00:00:05, expires: 23:59:54, via map-reply, complete
  Locator       Uptime    State      Pri/Wgt
  203.0.113.11  00:00:05  up           1/100
172.16.0.0/24, uptime: 00:59:48, expires: 00:00:51, via map-reply, forward-native
  Negative cache entry, action: forward-native
";
        assert_eq!(text, expected);
    }

    #[test]
    fn the_locator_column_grows_with_the_longest_locator() {
        let mut row = entry("5.5.5.0/24", EntryState::Complete, 40_841, Some(45_715));
        row.locators = vec![locator("4.4.4.4", 40_684, 1, 50)];
        let expected = "\
5.5.5.0/24, uptime: 11:20:41, expires: 12:41:55, via map-reply, complete
  Locator  Uptime    State      Pri/Wgt
  4.4.4.4  11:18:04  up           1/50
";
        assert_eq!(row_text(&row, false), expected);
        row.locators.push(locator("2001:db8::1", 5, 10, 10));
        let expected = "  Locator      Uptime    State      Pri/Wgt
  4.4.4.4      11:18:04  up           1/50
  2001:db8::1  00:00:05  up          10/10
";
        assert_eq!(locators_text(&row.locators, false), expected);
    }

    #[test]
    fn detail_says_where_an_entry_comes_from_and_whether_it_is_used() {
        let mut row = entry("5.5.5.0/24", EntryState::Complete, 14, Some(86_385));
        row.locators = vec![locator("4.4.4.4", 14, 1, 50)];
        let expected = "\
5.5.5.0/24, uptime: 00:00:14, expires: 23:59:45, via map-reply, complete
  Sources: map-reply
  State: complete, last modified: 00:00:14, map-source: 4.4.4.4
  Active, Packets out: 0(0 bytes)
  Locator  Uptime    State      Pri/Wgt
  4.4.4.4  00:00:14  up           1/50
    Last up-down state change:         00:00:14, state change count: 1
    Last route reachability change:    00:00:14, state change count: 1
    Last priority / weight change:     never/never
    RLOC-probing loc-status algorithm:
      Last RLOC-probe sent:            never
";
        assert_eq!(row_text(&row, true), expected);
        (row.packets, row.bytes, row.last_used) = (57_553, 5_755_300, Some(1421));
        let idle = "  Idle, Packets out: 57553(5755300 bytes) (~ 00:23:41 ago)\n";
        assert!(row_text(&row, true).contains(idle));
    }

    #[test]
    fn with_a_proxy_etr_a_native_entry_encapsulates() {
        let mut row = entry("4.0.0.0/8", EntryState::ForwardNative, 897, Some(894));
        row.proxy_etr = true;
        let expected = "\
4.0.0.0/8, uptime: 00:14:57, expires: 00:14:54, via map-reply, forward-native
  Encapsulating to proxy ETR
";
        assert_eq!(row_text(&row, false), expected);
    }
}
