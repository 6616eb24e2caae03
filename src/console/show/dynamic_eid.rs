//! `show ip lisp dynamic-eid`: the ranges of roaming hosts. For each range, the command shows the
//! hosts on the LANs of this router.

use std::fmt::Write;

use super::State;
use super::columns::Columns;
use super::span::{seconds, span, span_or_never};
use crate::addr::{Eid, Family, InstanceId};
use crate::console::view::EidTableName;
use crate::console::view::dynamic_eid::{DynamicEidView, HostRow, RangeRow};
use crate::router::config::DatabaseMapping;
use crate::router::mobility::{Discovery, Host};
use crate::time::Time;

/// The view of the ranges of one family, or of both families.
pub fn view(
    State { router, now, .. }: State<'_>,
    instance_id: InstanceId,
    family: Option<Family>,
) -> DynamicEidView {
    let mut ranges: Vec<RangeRow> = Vec::new();
    for (name, range, mapping) in router.config().dynamic_eids() {
        let wanted = family.is_none_or(|family| family == range.family());
        if range.instance_id() != instance_id || !wanted {
            continue;
        }
        let hosts = router.mobility().hosts().iter();
        let hosts = hosts.filter(|(_, host)| host.range == range && host.name == name);
        ranges.push(RangeRow {
            name: name.to_owned(),
            eid_prefix: range.prefix(),
            locator_set: match mapping {
                DatabaseMapping::LocatorSet(set) => Some(set.clone()),
                DatabaseMapping::Inline(_) => None,
            },
            hosts: hosts.map(|(eid, host)| host_row(eid, host, now)).collect(),
        });
    }
    let eid_table = EidTableName::of(router.config(), instance_id);
    DynamicEidView { instance_id, eid_table, ranges }
}

fn host_row(eid: &Eid, host: &Host, now: Time) -> HostRow {
    HostRow {
        eid: eid.address,
        interface: host.interface,
        uptime: seconds(now.since(host.found_at)),
        last_seen: seconds(now.since(host.last_seen_at)),
        discovered_by: host.discovery,
    }
}

/// Prints one line for each host. The kernel probes silent hosts, so the number of pending pings is
/// always 0.
pub fn summary(view: &DynamicEidView) -> String {
    let DynamicEidView { instance_id, eid_table, .. } = view;
    let title = format!(
        "LISP Dynamic EID Summary for router 0, IID {instance_id}, EID-table {eid_table}\n\n"
    );
    title + &rows_text(view)
}

/// Prints the headings and one line for each host.
pub(super) fn rows_text(view: &DynamicEidView) -> String {
    let columns = Columns::of([21, 24, 14, 10, 10, 0]);
    let head = ["Dyn-EID Name", "Dynamic-EID", "Interface", "Uptime", "Last", "Pending"];
    let mut text = columns.line(head);
    text += &columns.line(["", "", "", "", "Packet", "Ping Count"]);
    for range in &view.ranges {
        for host in &range.hosts {
            let (uptime, last) = (span(host.uptime), span(host.last_seen));
            let (eid, port) = (host.eid.to_string(), host.interface.short());
            text += &columns.line([&range.name, &eid, &port, &uptime, &last, "0"]);
        }
    }
    text
}

/// Prints one paragraph for each range.
pub fn detail(view: &DynamicEidView) -> String {
    let title = format!("LISP Dynamic EID Information for EID-table {}\n", view.eid_table);
    title + &ranges_text(view)
}

/// Prints one paragraph for each range, after a blank line.
pub(super) fn ranges_text(view: &DynamicEidView) -> String {
    let mut text = String::new();
    for range in &view.ranges {
        let RangeRow { name, eid_prefix, .. } = range;
        let _ =
            write!(text, "\nDynamic-EID name: {name}\n  Database-mapping EID-prefix: {eid_prefix}");
        if let Some(set) = &range.locator_set {
            let _ = write!(text, ", locator-set {set}");
        }
        let hosts = range.hosts.len();
        let _ = writeln!(
            text,
            "\n  Registering more-specific dynamic-EIDs\n  \
             Map-Server(s): none configured, use global Map-Server\n  \
             Site-based multicast Map-Notify group: none configured\n  \
             Number of roaming dynamic-EIDs discovered: {hosts}"
        );
        let last = range.hosts.iter().min_by_key(|host| host.uptime);
        if let Some(last) = last {
            let ago = span_or_never(Some(last.uptime));
            let _ = writeln!(text, "  Last dynamic-EID discovered: {}, {ago} ago", last.eid);
        }
        for host in &range.hosts {
            let HostRow { eid, interface, .. } = host;
            let (uptime, last) = (span(host.uptime), span(host.last_seen));
            let how = discovery(host.discovered_by);
            let _ = writeln!(text, "    {eid}, {interface}, uptime: {uptime}");
            let _ = writeln!(text, "      last activity: {last}, discovered by: {how}");
        }
    }
    text
}

fn discovery(how: Discovery) -> &'static str {
    match how {
        Discovery::Neighbour => "Neighbor Discovery",
        Discovery::Packet => "Packet Reception",
        Discovery::Search => "Search",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn sample() -> DynamicEidView {
        let host = HostRow {
            eid: "192.168.0.1".parse().unwrap(),
            interface: "e1/0".parse().unwrap(),
            uptime: 4645,
            last_seen: 23,
            discovered_by: Discovery::Packet,
        };
        let range = RangeRow {
            name: "192".to_owned(),
            eid_prefix: "192.168.0.0/24".parse().unwrap(),
            locator_set: Some("RLOC".to_owned()),
            hosts: vec![host],
        };
        let eid_table = EidTableName::Default;
        DynamicEidView { instance_id: InstanceId::DEFAULT, eid_table, ranges: vec![range] }
    }

    #[test]
    fn detail_tells_of_each_range_and_its_hosts() {
        let expected = "\
LISP Dynamic EID Information for EID-table default

Dynamic-EID name: 192
  Database-mapping EID-prefix: 192.168.0.0/24, locator-set RLOC
  Registering more-specific dynamic-EIDs
  Map-Server(s): none configured, use global Map-Server
  Site-based multicast Map-Notify group: none configured
  Number of roaming dynamic-EIDs discovered: 1
  Last dynamic-EID discovered: 192.168.0.1, 01:17:25 ago
    192.168.0.1, Ethernet1/0, uptime: 01:17:25
      last activity: 00:00:23, discovered by: Packet Reception
";
        assert_eq!(detail(&sample()), expected);
    }

    #[test]
    fn a_line_a_host_in_the_columns_of_ios() {
        let expected = "\
LISP Dynamic EID Summary for router 0, IID 0, EID-table default

Dyn-EID Name         Dynamic-EID             Interface     Uptime    Last      Pending
                                                                     Packet    Ping Count
192                  192.168.0.1             Et1/0         01:17:25  00:00:23  0
";
        assert_eq!(summary(&sample()), expected);
    }
}
