//! `show lisp registration-history`: the recent registrations and withdrawals.

use super::State;
use super::columns::Columns;
use crate::addr::EidPrefix;
use crate::console::view::history::{EventRow, HistoryView};
use crate::router::map_server::HistoryEntry;

/// The view of the registration history. The view contains only events of the prefixes for which
/// `only` returns true.
pub fn view(State { router, .. }: State<'_>, only: impl Fn(&EidPrefix) -> bool) -> HistoryView {
    let row = |event: &HistoryEntry| EventRow {
        at: event.at.since(router.started_at()).as_millis().try_into().unwrap_or(u64::MAX),
        instance_id: event.prefix.instance_id(),
        eid_prefix: event.prefix.prefix(),
        source: event.source,
        reliable: event.reliable,
        registered: event.registered,
        moved: event.moved,
    };
    let events = router.map_server().history().filter(|event| only(&event.prefix));
    HistoryView { events: events.map(row).collect() }
}

/// Prints the events in the columns of IOS. The time of an event is counted from the start of the
/// router.
pub fn text(view: &HistoryView) -> String {
    let mut text = "\
Map-Server registration history
Roam = Did host move to a new location?
Prefix qualifier: + = Register Event, - = Deregister Event

"
    .to_owned();
    let columns = Columns::of([21, 9, 6, 5, 0]);
    text += &columns.line(["Timestamp (uptime)", "Instance", "Proto", "Roam", "Source"]);
    text += &columns.line(["", "", "", "", "EID prefix"]);
    for event in &view.events {
        let proto = if event.reliable { "TCP" } else { "UDP" };
        let roam = if event.moved { "Yes" } else { "No" };
        let sign = if event.registered { '+' } else { '-' };
        let EventRow { instance_id, source, eid_prefix, .. } = event;
        let (at, instance) = (uptime(event.at), format!("{:>8}", instance_id.to_string()));
        text += &columns.line([&at, &instance, proto, roam, &source.to_string()]);
        text += &Columns::of([39, 0]).line(["", &format!("{sign} {eid_prefix}")]);
    }
    text
}

/// A time since the start of the router: `00:05:44.164`.
pub(super) fn uptime(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{:03}", seconds % 60, milliseconds % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::InstanceId;

    #[test]
    fn an_event_says_how_it_came_and_below_it_for_what() {
        let udp = EventRow {
            at: 344_164,
            instance_id: InstanceId::new(4100).unwrap(),
            eid_prefix: "192.168.1.71/32".parse().unwrap(),
            source: "10.1.1.1".parse().unwrap(),
            reliable: false,
            registered: true,
            moved: false,
        };
        let tcp = EventRow { at: 344_168, reliable: true, moved: true, ..udp.clone() };
        let gone = EventRow { at: 7_444_168, reliable: true, registered: false, ..udp.clone() };
        let text = text(&HistoryView { events: vec![udp, tcp, gone] });
        let expected = "\
Map-Server registration history
Roam = Did host move to a new location?
Prefix qualifier: + = Register Event, - = Deregister Event

Timestamp (uptime)   Instance Proto Roam Source
                                         EID prefix
00:05:44.164             4100 UDP   No   10.1.1.1
                                       + 192.168.1.71/32
00:05:44.168             4100 TCP   Yes  10.1.1.1
                                       + 192.168.1.71/32
02:04:04.168             4100 TCP   No   10.1.1.1
                                       - 192.168.1.71/32
";
        assert_eq!(text, expected);
    }
}
