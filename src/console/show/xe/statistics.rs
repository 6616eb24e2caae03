//! `show lisp instance-id N ipv4 statistics` and `show lisp service ipv4 statistics`.

use std::fmt::Display;

use crate::addr::{Family, InstanceId};
use crate::console::show::columns::Columns;
use crate::console::show::span::span_or_never;
use crate::console::show::{State, statistics};
use crate::console::view::census::{InstanceStatisticsView, MapCacheCensus};
use crate::router::counters::{ControlDrop, Counters, InOut};
use crate::router::io::DropReason;

/// The labels of the counters for publications and subscriptions.
const PUBLICATIONS: &[&str] = &[
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
];
/// The labels of the counters for wireless LAN controllers, in the order of the output.
const SUBSCRIBES: &[&str] = &[
    "  WLC Map-Subscribe records in/out:",
    "    Map-Subscribe failures in/out:",
    "  WLC Map-Unsubscribe records in/out:",
    "    Map-Unsubscribe failures in/out:",
];
const WLC_REGISTERS: &[&str] = &[
    "  WLC Map-Register records in/out:",
    "    WLC AP Map-Register in/out:",
    "    WLC Client Map-Register in/out:",
    "    WLC Map-Register failures in/out:",
];
const WLC_NOTIFIES: &[&str] = &[
    "  WLC Map-Notify records in/out:",
    "    WLC AP Map-Notify in/out:",
    "    WLC Client Map-Notify in/out:",
    "    WLC Map-Notify failures in/out:",
];
/// The labels of the counters for a delegated database tree (RFC 8111), in the order of the output.
const DDT_ERRORS: &[&str] = &["  DDT Requests failed:"];
const DDT_DROPS: &str = "  DDT ITR Map-Requests dropped:";
const DDT_MESSAGES: &[&str] = &["  DDT-Map-Requests in/out:", "  DDT-Map-Referrals in/out:"];
const DDT_FORMATS: &[&str] = &["  Map-Referral format errors:"];
/// The labels of the counters for a re-encapsulating router.
const RTR: &[&str] = &["  RTR Map-Requests forwarded:", "  RTR Map-Notifies forwarded:"];
/// The labels of the counters for routers with several instances.
const EXTRANETS: &[&str] = &["    Extranet SMR cross-IID Map-Requests in:"];
const FORWARDS: &[&str] = &["    Map-Resolver Map-Requests forwarded:"];
const AF_DISABLED: &[&str] = &["    Map-Server AF disabled:"];
const DISALLOWED: &[&str] = &["    Disallowed locators:"];
const TTL_ALERTS: &[&str] = &["  Mapping record TTL alerts:"];
const SOURCES: &[&str] =
    &["  Map-Request invalid source rloc drops:", "  Map-Register invalid source rloc drops:"];
const NSF: &[&str] = &["  NSF CEF replay entry count"];
const SIGNALS: &[&str] = &["  Number of times signal suppression was turned on:"];
const POLICIES: &[&str] = &["  Policy active entries:"];
const FORMATS: &[&str] = &["  Map-Request format errors:", "  Map-Reply format errors:"];
const PACKETS: &[&str] = &[
    "  Invalid IP version drops:",
    "  Invalid IP header drops:",
    "  Invalid IP proto field drops:",
    "  Invalid packet size drops:",
    "  Invalid LISP control port drops:",
    "  Invalid LISP checksum drops:",
];

/// The labels of the counters that are always zero. Each group of counters has a reason.
pub const ALWAYS_ZERO: &[(&str, &[&[&str]])] = &[
    ("this router does not publish mappings", &[PUBLICATIONS]),
    ("this router is no wireless LAN controller", &[SUBSCRIBES, WLC_REGISTERS, WLC_NOTIFIES]),
    (
        "this router has no delegated database tree",
        &[DDT_ERRORS, &[DDT_DROPS], DDT_MESSAGES, DDT_FORMATS],
    ),
    ("this router is no RTR", &[RTR]),
    ("this router has one instance", &[EXTRANETS, POLICIES]),
    ("this map-resolver is always the map-server too: see the next line", &[FORWARDS]),
    ("this map-server accepts both families and all locators", &[AF_DISABLED, DISALLOWED]),
    (
        "this router accepts every TTL, and accepts requests and registrations from every source",
        &[TTL_ALERTS, SOURCES],
    ),
    ("this router does not restart its forwarding apart from its control plane", &[NSF]),
    ("this router limits Map-Requests by EID, and does not suppress signals", &[SIGNALS]),
    ("`Unknown packet drops` counts all messages that cannot be read", &[FORMATS]),
    ("the kernel drops these packets, and does not tell the router", &[PACKETS]),
];

/// The view of the counters of the router, and of the counts of the map-cache for one family and
/// instance.
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
    lines.zero(SIGNALS);
    lines.say("  Time since last signal suppressed change:", "never");
    lines.say("  Number of negative entries in map-cache:", view.map_cache.negative);
    lines.say("  Total number of RLOCs in map-cache:", view.map_cache.locators);
    let MapCacheCensus { entries, negative, locators, .. } = view.map_cache;
    let mapped = entries.saturating_sub(negative).max(1);
    lines.say("  Average RLOCs per EID-prefix:", locators / mapped);
    lines.zero(POLICIES);
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

    /// Prints counters that are always zero.
    fn zero(&mut self, labels: &[&str]) {
        for label in labels {
            self.say(label, 0);
        }
    }

    /// Prints pairs of counters that are always zero.
    fn none(&mut self, labels: &[&str]) {
        for label in labels {
            self.say(label, "0/0");
        }
    }

    /// Prints three counts: of the last five seconds, of the last minute and of the last five
    /// minutes.
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
        self.zero(EXTRANETS);
        let unanswered = format_args!("0/{}", counters.map_requests_unanswered).to_string();
        self.say("    Map-Requests expired on-queue/no-reply", unanswered);
        self.zero(FORWARDS);
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
        self.none(SUBSCRIBES);
    }

    fn registers(&mut self, view: &InstanceStatisticsView) {
        let counters = &view.statistics.counters;
        self.in_out("  Map-Register records in/out:", counters.map_registers);
        self.recent("    Map-Registers in (5 sec/1 min/5 min):", view.recent_map_registers);
        self.zero(AF_DISABLED);
        self.dropped(counters, "    Not valid site eid prefix:", ControlDrop::NotASitePrefix);
        let failures = drops(counters, ControlDrop::Authentication);
        let of_notifies = counters.map_notify_authentication;
        self.say("    Authentication failures:", failures.saturating_sub(of_notifies));
        self.zero(DISALLOWED);
        self.dropped(counters, "    Miscellaneous:", ControlDrop::Replay);
        self.none(WLC_REGISTERS);
        self.in_out("  Map-Notify records in/out:", counters.map_notifies);
        self.say("    Authentication failures:", of_notifies);
        self.none(WLC_NOTIFIES);
    }

    fn publications(&mut self) {
        self.title("  Publish-Subscribe in/out:");
        self.none(PUBLICATIONS);
    }

    fn errors(&mut self) {
        self.title("Errors:");
        self.zero(TTL_ALERTS);
        self.zero(SOURCES);
        self.zero(DDT_ERRORS);
        self.say(DDT_DROPS, "0 (nonce-collision: 0, bad-xTR-nonce: 0)");
    }

    fn cache(&mut self, view: &InstanceStatisticsView) {
        let (created, deleted) = (view.map_cache_created, view.map_cache_deleted);
        self.title("Cache Related:");
        self.say("  Cache entries created/deleted:", format_args!("{created}/{deleted}"));
        self.zero(NSF);
    }

    fn rejected(&mut self, view: &InstanceStatisticsView) {
        let rejected = view.statistics.map_cache_rejected;
        self.say("  Number of rejected EID-prefixes due to limit:", rejected);
    }

    fn forwarding(&mut self, counters: &Counters) {
        self.title("Forwarding:");
        let reasons = [DropReason::HoldQueueFull, DropReason::NoMapResolver];
        let dropped: u64 = reasons.iter().filter_map(|reason| counters.drops.get(reason)).sum();
        let signals = format!("{} (+ dropped {dropped})", counters.held);
        self.say("  Number of data signals processed:", signals);
        let reports = format!("{} (+ dropped 0)", counters.status_bit_changes);
        self.say("  Number of reachability reports:", reports);
        self.say("  Number of SMR signals dropped:", counters.smrs_suppressed);
    }

    /// Prints the counters that do not depend on an instance. On IOS-XE too, these counters are for
    /// the whole router.
    fn router(&mut self, view: &InstanceStatisticsView) {
        let counters = &view.statistics.counters;
        let cleared = span_or_never(view.statistics.last_cleared);
        self.title(&format!("LISP RLOC Statistics - last cleared: {cleared}"));
        self.title("Control Packets:");
        self.zero(RTR);
        self.none(DDT_MESSAGES);
        self.title("Errors:");
        self.zero(FORMATS);
        self.zero(DDT_FORMATS);
        self.title(&format!("LISP Miscellaneous Statistics - last cleared: {cleared}"));
        self.title("Errors:");
        self.zero(PACKETS);
        let unsupported = "  Unsupported LISP packet type drops:";
        self.dropped(counters, unsupported, ControlDrop::Unsupported);
        // The router has one counter for all messages that it cannot read.
        self.dropped(counters, "  Unknown packet drops:", ControlDrop::Malformed);
    }

    fn dropped(&mut self, counters: &Counters, label: &str, reason: ControlDrop) {
        self.say(label, drops(counters, reason));
    }
}

fn drops(counters: &Counters, reason: ControlDrop) -> u64 {
    counters.control_drops.get(&reason).copied().unwrap_or_default()
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
        counters.control_drops.insert(ControlDrop::Authentication, 5);
        counters.map_notify_authentication = 2;
        counters.drops.insert(DropReason::HoldQueueFull, 9);
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
            "    Authentication failures:                        3\n    Disallowed",
            "    Authentication failures:                        2\n  WLC Map-Notify",
            "  Number of data signals processed:                 0 (+ dropped 9)\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        for label in ALWAYS_ZERO.iter().flat_map(|(_, groups)| groups.iter().copied()).flatten() {
            assert_eq!(text.matches(label).count(), 1, "{label}");
        }
        let all = service(&view);
        assert!(all.starts_with("LISP EID Statistics for all EID instances - last cleared: "));
        assert!(!all.contains("Average RLOCs"), "{all}");
    }
}
