//! `show lisp instance-id N ipv4` and `show lisp service ipv4`.

use crate::console::show::lisp::{Lines, joined, local_rloc, role_lines, smrs};
use crate::console::show::span::span;
use crate::console::view::lisp::LispView;
use crate::router::smr_guard::{SMR_SUPPRESSION, SMRS_PER_ENTRY};

/// The number that IOS-XE prints as the limit of a table that has no limit.
const NO_LIMIT: u32 = u32::MAX;

/// Prints the view of one instance and family.
pub fn instance(view: &LispView) -> String {
    let mut lines = Lines::default();
    lines.say("  Instance ID:", &view.instance_id.to_string());
    lines.say("  Router-lisp ID:", "0");
    lines.say("  Locator table:", "default");
    lines.say("  EID table:", &view.eid_table.to_string());
    roles(&mut lines, view);
    lines.say("  Site Registration Limit:", "0");
    let source = view.map_request_source.map(|address| address.to_string());
    let derived = || "derived from EID destination".to_owned();
    lines.say("  Map-Request source:", &source.unwrap_or_else(derived));
    peers(&mut lines, view, true);
    algorithms(&mut lines, view);
    map_cache(&mut lines, view);
    database(&mut lines, view);
    lines.title("  Publication entries exported to:");
    for table in ["    Map-cache:", "    RIB:", "    Database:", "    Prefix-list:"] {
        lines.say(table, "0");
    }
    lines.title("  Site-registeration entries exported to:");
    for table in ["    Map-cache:", "    RIB:"] {
        lines.say(table, "0");
    }
    lines.say("  Encapsulation type:", "lisp");
    lines.text()
}

/// Prints the view of one family, for all instances.
pub fn service(view: &LispView) -> String {
    let mut lines = Lines::default();
    lines.title("Information applicable to all EID instances:");
    lines.say("  Router-lisp ID:", "0");
    lines.say("  Locator table:", "default");
    roles(&mut lines, view);
    peers(&mut lines, view, false);
    algorithms(&mut lines, view);
    lines.title("  Map-cache:");
    lines.say("    Map-cache limit:", &view.map_cache_limit.to_string());
    lines.say("    Map-cache activity check period:", "60 secs");
    lines.say("    Persistent map-cache:", "disabled");
    lines.title("  Database:");
    lines.say("    Dynamic database mapping limit:", &view.dynamic_eid_limit.to_string());
    lines.text()
}

fn roles(lines: &mut Lines, view: &LispView) {
    role_lines(lines, view);
    for feature in [
        "  Mr-use-petr:",
        "  First-Packet pETR:",
        "  Multiple IP per MAC support:",
        "  Delegated Database Tree (DDT):",
        "  Multicast Flood Access-Tunnel:",
        "  Publication-Subscription:",
    ] {
        lines.say(feature, "disabled");
    }
}

/// Adds the lines about the peers of the router. If `with_times` is true, the line of a map-server
/// also contains the time since the latest Map-Notify from this map-server.
fn peers(lines: &mut Lines, view: &LispView, with_times: bool) {
    let resolvers: Vec<String> = view.map_resolvers.iter().map(ToString::to_string).collect();
    lines.list("  ITR Map-Resolver(s):", &resolvers);
    let servers = view.map_servers.iter().map(|server| match server.last_notify {
        Some(ago) if with_times => format!("{} ({})", server.address, span(ago)),
        _ => server.address.to_string(),
    });
    lines.list("  ETR Map-Server(s):", &servers.collect::<Vec<_>>());
    lines.say("  xTR-ID:", &view.xtr_id.to_string());
    lines.say("  site-ID:", "unspecified");
    lines.say("  ITR local RLOC (last resort):", &local_rloc(view));
    let petrs = joined(&view.proxy_etrs, ", ");
    let petrs = if petrs.is_empty() { "none" } else { &petrs };
    lines.say("  ITR use proxy ETR RLOC(Encap IID):", petrs);
    lines.say("  ITR Solicit Map Request (SMR):", smrs(view));
    lines.say("    Max SMRs per map-cache entry:", &format!("{SMRS_PER_ENTRY} more specifics"));
    lines.say("    Multiple SMR suppression time:", &format!("{} secs", SMR_SUPPRESSION.as_secs()));
    lines.say("  ETR accept mapping data:", "disabled, verify disabled");
    lines.say("  ETR map-cache TTL:", &span(view.etr_map_cache_ttl));
}

fn algorithms(lines: &mut Lines, view: &LispView) {
    lines.title("  Locator Status Algorithms:");
    lines.say("    RLOC-probe algorithm:", "disabled");
    lines.say("    RLOC-probe on route change:", "N/A (periodic probing disabled)");
    lines.say("    RLOC-probe on member change:", "disabled");
    let reports = if view.loc_reach.lsb_reports { "process" } else { "ignore" };
    lines.say("    LSB reports:", reports);
    lines.say("    IPv4 RLOC minimum mask length:", "/0");
    lines.say("    IPv6 RLOC minimum mask length:", "/0");
}

fn map_cache(lines: &mut Lines, view: &LispView) {
    let (size, limit) = (view.map_cache_size, view.map_cache_limit);
    lines.title("  Map-cache:");
    lines.say("    Static mappings configured:", &view.map_cache_static.to_string());
    lines.say("    Map-cache size/limit:", &format!("{size}/{limit}"));
    lines.say("    Imported route count/limit:", "0/5000");
    lines.say("    Map-cache activity check period:", "60 secs");
    lines.say("    Map-cache signal suppress:", "disabled");
    lines.say("    Conservative-allocation:", "disabled");
    lines.say("    Map-cache FIB updates:", "established");
    lines.say("    Persistent map-cache:", "disabled");
    lines.say("    Map-cache activity-tracking:", "enabled");
}

fn database(lines: &mut Lines, view: &LispView) {
    let LispView { database_size, database_dynamic, dynamic_eid_limit, .. } = view;
    let configured = database_size.saturating_sub(*database_dynamic);
    lines.title("  Database:");
    lines.say("    Total database mapping size:", &database_size.to_string());
    lines.say("    static database size/limit:", &format!("{configured}/{NO_LIMIT}"));
    let dynamic = format!("{database_dynamic}/{dynamic_eid_limit}");
    lines.say("    dynamic database size/limit:", &dynamic);
    lines.say("    route-import database size/limit:", "0/5000");
    lines.say("    import-site-reg database size/limit:", &format!("0/{NO_LIMIT}"));
    lines.say("    dummy database size/limit:", &format!("0/{NO_LIMIT}"));
    lines.say("    import-publication database size/limit:", &format!("0/{NO_LIMIT}"));
    lines.say("    proxy database size:", "0");
    lines.say("    Inactive (deconfig/away) size:", &view.database_inactive.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::view::lisp::MapServerRow;

    #[test]
    fn static_and_dynamic_entries_are_counted_apart() {
        let view = LispView {
            database_size: 5,
            database_dynamic: 2,
            dynamic_eid_limit: 65_536,
            map_servers: vec![MapServerRow {
                address: "192.0.2.1".parse().unwrap(),
                prefixes: 5,
                registered: 5,
                acknowledged: 5,
                last_notify: Some(12),
            }],
            ..LispView::default()
        };
        let text = instance(&view);
        for line in [
            "  ETR Map-Server(s):                        192.0.2.1 (00:00:12)\n",
            "  ITR local RLOC (last resort):             *** NOT FOUND ***\n",
            "    Total database mapping size:            5\n",
            "    static database size/limit:             3/4294967295\n",
            "    dynamic database size/limit:            2/65536\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        let text = service(&view);
        for line in [
            "Information applicable to all EID instances:\n",
            "  ETR Map-Server(s):                        192.0.2.1\n",
            "    Dynamic database mapping limit:         65536\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
    }
}
