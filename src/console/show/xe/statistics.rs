//! `show lisp instance-id N ipv4 statistics` and `show lisp service ipv4 statistics`.

use std::fmt::Display;

use crate::addr::{Family, InstanceId};
use crate::console::show::columns::Columns;
use crate::console::show::span::span_or_never;
use crate::console::show::{State, statistics};
use crate::console::view::census::{InstanceStatisticsView, MapCacheCensus};
use crate::router::counters::{ControlDrop, Counters, InOut};

/// The view of the counters of the router, and of the map-cache of a family and instance.
pub fn view(
    State { router, now, .. }: State<'_>,
    family: Family,
    instance_id: InstanceId,
    map_cache: MapCacheCensus,
) -> InstanceStatisticsView {
    let (requests, registers) = router.recent();
    let mut statistics = statistics::view(router, family, now);
    statistics.instance_id = instance_id;
    statistics.map_cache_size = router.map_cache().entries().len_of(instance_id, family);
    InstanceStatisticsView {
        statistics,
        recent_map_requests: requests.counts(now),
        recent_map_registers: registers.counts(now),
        map_cache_created: router.map_cache().created,
        map_cache_deleted: router.map_cache().deleted,
        map_cache,
    }
}

/// Prints the counters for one instance.
pub fn instance(view: &InstanceStatisticsView) -> String {
    let id = view.statistics.instance_id;
    let mut lines = Lines::new(&format!("for instance ID {id}"), view);
    lines.control_packets(view);
    lines.errors();
    lines.cache(view);
    lines.say("  Number of EID-prefixes in map-cache:", view.map_cache.entries);
    lines.rejected(view);
    lines.say("  Number of times signal suppression was turned on:", 0);
    lines.say("  Time since last signal suppressed change:", "never");
    lines.say("  Number of negative entries in map-cache:", view.map_cache.negative);
    lines.say("  Total number of RLOCs in map-cache:", view.map_cache.locators);
    let MapCacheCensus { entries, negative, locators, .. } = view.map_cache;
    let mapped = entries.saturating_sub(negative).max(1);
    lines.say("  Average RLOCs per EID-prefix:", locators / mapped);
    lines.say("  Policy active entries:", 0);
    lines.forwarding(&view.statistics.counters);
    lines.router(view);
    lines.0
}

/// Prints the counters for all instances.
pub fn service(view: &InstanceStatisticsView) -> String {
    let mut lines = Lines::new("for all EID instances", view);
    lines.control_packets(view);
    lines.errors();
    lines.cache(view);
    lines.rejected(view);
    lines.forwarding(&view.statistics.counters);
    lines.router(view);
    lines.0
}

struct Lines(String);

impl Lines {
    fn new(subject: &str, view: &InstanceStatisticsView) -> Self {
        let cleared = span_or_never(view.statistics.last_cleared);
        Lines(format!("LISP EID Statistics {subject} - last cleared: {cleared}\n"))
    }

    fn title(&mut self, title: &str) {
        self.0 += title;
        self.0.push('\n');
    }

    fn say(&mut self, label: &str, value: impl Display) {
        self.0 += &Columns::of([52, 0]).line([label, &value.to_string()]);
    }

    fn in_out(&mut self, label: &str, InOut { received, sent }: InOut) {
        self.say(label, format_args!("{received}/{sent}"));
    }

    /// Prints counters of a feature that this router does not have.
    fn none(&mut self, labels: &[&str]) {
        for label in labels {
            self.say(label, "0/0");
        }
    }

    /// Prints counts of the last five seconds, of the last minute and of the last five minutes.
    fn recent(&mut self, label: &str, [seconds, minute, minutes]: [u64; 3]) {
        self.say(label, format_args!("{seconds}/{minute}/{minutes}"));
    }

    fn control_packets(&mut self, view: &InstanceStatisticsView) {
        let counters = &view.statistics.counters;
        self.title("Control Packets:");
        self.in_out("  Map-Requests in/out:", counters.map_requests);
        self.recent("    Map-Requests in (5 sec/1 min/5 min):", view.recent_map_requests);
        self.in_out("    Encapsulated Map-Requests in/out:", counters.encapsulated);
        self.in_out("    RLOC-probe Map-Requests in/out:", counters.probes);
        self.in_out("    SMR-based Map-Requests in/out:", counters.smr_invoked);
        self.say("    Extranet SMR cross-IID Map-Requests in:", 0);
        let unanswered = format_args!("0/{}", counters.map_requests_unanswered).to_string();
        self.say("    Map-Requests expired on-queue/no-reply", unanswered);
        self.say("    Map-Resolver Map-Requests forwarded:", 0);
        self.say("    Map-Server Map-Requests forwarded:", counters.forwarded);
        self.replies(counters);
        self.registers(view);
        self.publications();
    }

    fn replies(&mut self, counters: &Counters) {
        let records = InOut {
            received: counters.authoritative_records.received + counters.other_records.received,
            sent: counters.authoritative_records.sent + counters.other_records.sent,
        };
        self.in_out("  Map-Reply records in/out:", records);
        self.in_out("    Authoritative records in/out:", counters.authoritative_records);
        self.in_out("    Non-authoritative records in/out:", counters.other_records);
        self.in_out("    Negative records in/out:", counters.negative_map_replies);
        self.in_out("    RLOC-probe records in/out:", counters.probe_records);
        self.say("    Map-Server Proxy-Reply records out:", counters.proxy_records);
        self.none(&[
            "  WLC Map-Subscribe records in/out:",
            "    Map-Subscribe failures in/out:",
            "  WLC Map-Unsubscribe records in/out:",
            "    Map-Unsubscribe failures in/out:",
        ]);
    }

    fn registers(&mut self, view: &InstanceStatisticsView) {
        let counters = &view.statistics.counters;
        self.in_out("  Map-Register records in/out:", counters.map_registers);
        self.recent("    Map-Registers in (5 sec/1 min/5 min):", view.recent_map_registers);
        self.say("    Map-Server AF disabled:", 0);
        self.dropped(counters, "    Not valid site eid prefix:", ControlDrop::NotASitePrefix);
        self.dropped(counters, "    Authentication failures:", ControlDrop::Authentication);
        self.say("    Disallowed locators:", 0);
        self.dropped(counters, "    Miscellaneous:", ControlDrop::Replay);
        self.none(&[
            "  WLC Map-Register records in/out:",
            "    WLC AP Map-Register in/out:",
            "    WLC Client Map-Register in/out:",
            "    WLC Map-Register failures in/out:",
        ]);
        self.in_out("  Map-Notify records in/out:", counters.map_notifies);
        self.say("    Authentication failures:", 0);
        self.none(&[
            "  WLC Map-Notify records in/out:",
            "    WLC AP Map-Notify in/out:",
            "    WLC Client Map-Notify in/out:",
            "    WLC Map-Notify failures in/out:",
        ]);
    }

    fn publications(&mut self) {
        self.title("  Publish-Subscribe in/out:");
        self.none(&[
            "    Subscription Request records in/out:",
            "      IID subscription requests in/out:",
            "      Pub-refresh subscription requests in/out:",
            "      Policy subscription requests in/out:",
            "    Subscription Request failures in/out:",
            "    Subscription Status records in/out:",
            "      End of Publication records in/out:",
            "      Subscription rejected records in/out:",
            "      Subscription removed records in/out:",
            "    Subscription Status failures in/out:",
            "    Solicit Subscription records in/out:",
            "    Solicit Subscription failures in/out:",
            "    Publication records in/out:",
            "    Publication failures in/out:",
        ]);
    }

    fn errors(&mut self) {
        self.title("Errors:");
        self.say("  Mapping record TTL alerts:", 0);
        self.say("  Map-Request invalid source rloc drops:", 0);
        self.say("  Map-Register invalid source rloc drops:", 0);
        self.say("  DDT Requests failed:", 0);
        self.say("  DDT ITR Map-Requests dropped:", "0 (nonce-collision: 0, bad-xTR-nonce: 0)");
    }

    fn cache(&mut self, view: &InstanceStatisticsView) {
        let (created, deleted) = (view.map_cache_created, view.map_cache_deleted);
        self.title("Cache Related:");
        self.say("  Cache entries created/deleted:", format_args!("{created}/{deleted}"));
        self.say("  NSF CEF replay entry count", 0);
    }

    fn rejected(&mut self, view: &InstanceStatisticsView) {
        let rejected = view.statistics.map_cache_rejected;
        self.say("  Number of rejected EID-prefixes due to limit:", rejected);
    }

    fn forwarding(&mut self, counters: &Counters) {
        self.title("Forwarding:");
        let dropped = |count: u64| format!("{count} (+ dropped 0)");
        self.say("  Number of data signals processed:", dropped(counters.held));
        self.say("  Number of reachability reports:", dropped(counters.status_bit_changes));
        self.say("  Number of SMR signals dropped:", counters.smrs_suppressed);
    }

    /// Prints the counters that do not depend on an instance. IOS-XE also has these counters for
    /// the whole router.
    fn router(&mut self, view: &InstanceStatisticsView) {
        let counters = &view.statistics.counters;
        let cleared = span_or_never(view.statistics.last_cleared);
        self.title(&format!("LISP RLOC Statistics - last cleared: {cleared}"));
        self.title("Control Packets:");
        self.say("  RTR Map-Requests forwarded:", 0);
        self.say("  RTR Map-Notifies forwarded:", 0);
        self.say("  DDT-Map-Requests in/out:", "0/0");
        self.say("  DDT-Map-Referrals in/out:", "0/0");
        self.title("Errors:");
        self.say("  Map-Request format errors:", 0);
        self.say("  Map-Reply format errors:", 0);
        self.say("  Map-Referral format errors:", 0);
        self.title(&format!("LISP Miscellaneous Statistics - last cleared: {cleared}"));
        self.title("Errors:");
        for label in [
            "  Invalid IP version drops:",
            "  Invalid IP header drops:",
            "  Invalid IP proto field drops:",
            "  Invalid packet size drops:",
            "  Invalid LISP control port drops:",
            "  Invalid LISP checksum drops:",
        ] {
            self.say(label, 0);
        }
        let unsupported = "  Unsupported LISP packet type drops:";
        self.dropped(counters, unsupported, ControlDrop::Unsupported);
        // The router has one counter for all messages that it cannot read.
        self.dropped(counters, "  Unknown packet drops:", ControlDrop::Malformed);
    }

    fn dropped(&mut self, counters: &Counters, label: &str, reason: ControlDrop) {
        self.say(label, counters.control_drops.get(&reason).copied().unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counters_of_the_router_stand_under_the_labels_of_ios_xe() {
        let mut view = InstanceStatisticsView::default();
        let counters = &mut view.statistics.counters;
        counters.authoritative_records = InOut { received: 3, sent: 4 };
        counters.other_records = InOut { received: 1, sent: 0 };
        counters.control_drops.insert(ControlDrop::Malformed, 7);
        view.recent_map_registers = [1, 2, 3];
        (view.map_cache_created, view.map_cache_deleted) = (5, 2);
        view.map_cache = MapCacheCensus { entries: 3, negative: 1, locators: 4, idle: 0 };
        let text = instance(&view);
        for line in [
            "LISP EID Statistics for instance ID 0 - last cleared: never\n",
            "  Map-Reply records in/out:                         4/4\n",
            "    Map-Registers in (5 sec/1 min/5 min):           1/2/3\n",
            "  Cache entries created/deleted:                    5/2\n",
            "  Average RLOCs per EID-prefix:                     2\n",
            "  Unknown packet drops:                             7\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        let all = service(&view);
        assert!(all.starts_with("LISP EID Statistics for all EID instances - last cleared: "));
        assert!(!all.contains("Average RLOCs"), "{all}");
    }
}
