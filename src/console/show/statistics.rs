//! `show ip lisp statistics`.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::columns::Columns;
use super::span::{seconds, span_or_never};
use crate::addr::Family;
use crate::console::view::statistics::{FillRow, StatisticsView};
use crate::router::Router;
use crate::router::bounded::Fill;
use crate::router::counters::{ControlDrop, InOut};
use crate::router::descriptors::Descriptors;
use crate::router::io::DropReason;
use crate::time::Time;

/// The view of the counters of a router, and of the size of the map-cache for one family of EIDs.
pub fn view(router: &Router, family: Family, now: Time) -> StatisticsView {
    let instance_id = router.config().instance_of_command(None);
    let map_cache = router.map_cache();
    StatisticsView {
        instance_id,
        last_cleared: router.cleared_at().map(|at| seconds(now.since(at))),
        counters: router.counters().clone(),
        map_cache_size: map_cache.entries().len_of(instance_id, family),
        map_cache_rejected: map_cache.rejected,
        map_cache_evicted: map_cache.evicted,
        bounded_tables: fills(router).into_iter().map(FillRow::from).collect(),
        descriptors: router.descriptors(),
    }
}

/// The number of entries and the limit of each table that other machines can fill with their
/// messages and packets.
fn fills(router: &Router) -> Vec<Fill> {
    let hosts = router.mobility().fills().into_iter();
    hosts
        .chain(router.away().fills())
        .chain([router.news_fill(), router.map_cache().used_fill(), router.refusals().fill()])
        .chain([router.lig().fill()])
        .chain(router.resolver_fills())
        .chain(router.smr_fills())
        .chain([router.reachability().fill()])
        .chain(router.paths().fills())
        .chain(router.reply_limits())
        .collect()
}

struct Lines(String);

impl Lines {
    fn say(&mut self, label: &str, value: impl Display) {
        self.0 += &Columns::of([52, 0]).line([label, &value.to_string()]);
    }

    fn in_out(&mut self, label: &str, InOut { received, sent }: InOut) {
        self.say(label, format_args!("{received}/{sent}"));
    }
}

/// Prints the counters in the format of IOS, then the counters that IOS does not have.
pub fn text(view: &StatisticsView) -> String {
    let counters = &view.counters;
    let mut lines = Lines(format!(
        "LISP EID Statistics for instance ID {} - last cleared: {}\nControl Packets:\n",
        view.instance_id,
        span_or_never(view.last_cleared),
    ));
    lines.in_out("  Map-Requests in/out:", counters.map_requests);
    lines.in_out("    Encapsulated Map-Requests in/out:", counters.encapsulated);
    lines.in_out("    RLOC-probe Map-Requests in/out:", counters.probes);
    lines.in_out("    SMR Map-Requests in/out:", counters.smrs);
    lines.in_out("    SMR-based Map-Requests in/out:", counters.smr_invoked);
    lines.say("    Map-Server Map-Requests forwarded:", counters.forwarded);
    lines.in_out("  Map-Reply records in/out:", counters.map_replies);
    lines.in_out("    Negative records in/out:", counters.negative_map_replies);
    lines.say("    Negative records cut to the request:", counters.negative_records_cut);
    lines.in_out("  Map-Register records in/out:", counters.map_registers);
    lines.say("    Stored nonces deleted to make room:", counters.forgotten_nonces);
    lines.in_out("  Map-Notify records in/out:", counters.map_notifies);
    lines.in_out("  Map-Notify-Ack in/out:", counters.map_notify_acks);
    lines.say("  Locators of other address families, not used:", counters.opaque_locators);
    lines.0 += "Control Packets without effect:\n";
    for reason in ControlDrop::ALL {
        drop_line(&mut lines, reason.describe(), &counters.control_drops, &reason);
    }
    lines.0 += "Cache Related:\n";
    lines.say("  Number of EID-prefixes in map-cache:", view.map_cache_size);
    lines.say("  Number of rejected EID-prefixes due to limit:", view.map_cache_rejected);
    lines.say("  Number of EID-prefixes evicted for new ones:", view.map_cache_evicted);
    lines.0 += "Bounded tables, entries/limit, evicted, refused:\n";
    for FillRow { name, entries, capacity, evicted, turned_away } in &view.bounded_tables {
        let fill = format_args!("{entries}/{capacity}, {evicted}, {turned_away}");
        lines.say(&format!("  {name}:"), fill);
    }
    if let Some(Descriptors { limit, ran_out }) = view.descriptors {
        lines.0 += "File descriptors:\n";
        lines.say("  Limit:", limit);
        lines.say("  Times that no descriptor was free:", ran_out);
    }
    lines.0 += "Forwarding:\n";
    lines.say("  Packets encapsulated:", counters.encapsulations);
    lines.say("  Packets decapsulated:", counters.decapsulations);
    lines.say("  Packets forwarded natively:", counters.native);
    lines.say("    because the source is not a local EID:", counters.native_foreign_source);
    lines.say("  Packets held for a Map-Reply or a host:", counters.held);
    lines.say("  Searches for hosts refused:", counters.searches_refused);
    lines.say("  Number of SMR signals dropped:", counters.smrs_suppressed);
    lines.say("  Locators found unreachable:", counters.unreachable_rlocs);
    lines.say("  Locator states changed by status bits:", counters.status_bit_changes);
    lines.in_out("  Echo-nonce requests in/out:", counters.nonces);
    lines.say("    Nonces of this router that were echoed:", counters.nonces_echoed);
    lines.say("  Path MTUs learned:", counters.path_mtus);
    lines.say("  ICMP Time Exceeded relayed to hosts:", counters.time_exceeded_relayed);
    lines.say("  ICMP errors from the core without effect:", counters.icmp_ignored);
    lines.say("  ICMP errors about packets that were not sent:", counters.icmp_disbelieved);
    lines.0 += "Packet drops:\n";
    for reason in DropReason::ALL {
        drop_line(&mut lines, reason.describe(), &counters.drops, &reason);
    }
    lines.0
}

fn drop_line<R: Ord>(lines: &mut Lines, what: &str, drops: &BTreeMap<R, u64>, reason: &R) {
    let count = drops.get(reason).copied().unwrap_or_default();
    lines.say(&format!("  {what}:"), count);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_stand_in_the_column_of_ios() {
        let mut view = StatisticsView::default();
        view.counters.map_requests = InOut { received: 3, sent: 4 };
        view.counters.dropped(DropReason::NoRouteToEid, 1);
        let text = text(&view);
        for line in [
            "LISP EID Statistics for instance ID 0 - last cleared: never\n",
            "  Map-Requests in/out:                              3/4\n",
            "    SMR-based Map-Requests in/out:                  0/0\n",
            "  No route to local EID:                            1\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
    }

    #[test]
    fn drops_are_named_in_json() {
        let mut view = StatisticsView::default();
        view.counters.dropped(DropReason::NoRouteToEid, 1);
        let json = super::super::json(&view);
        assert!(json.contains(r#""drops":{"no-route-to-eid":1}"#), "{json}");
    }
}
