//! `show ip lisp`: the roles, the peers and the table sizes of the router, for one family of EIDs.

use std::net::IpAddr;

use super::columns::Columns;
use super::span::{seconds, span};
use super::{State, fast_path};
use crate::addr::{Family, InstanceId, Rloc};
use crate::console::view::lisp::{LispView, MapServerRow};
use crate::console::view::{EidTableName, XtrId};
use crate::router::Router;
use crate::router::config::{LocReach, Service};
use crate::router::map_cache::{DEFAULT_LIMIT, Source};
use crate::router::smr_guard::{SMR_SUPPRESSION, SMRS_PER_ENTRY};
use crate::time::Time;

/// The view of the router for a family of EIDs and an instance.
pub fn view(state: State<'_>, family: Family, id: InstanceId) -> LispView {
    let State { router, now, .. } = state;
    let fast_path_reason = fast_path::reason(state);
    let config = router.config();
    let nothing = Service::default();
    let service = config.lisp.as_ref().map_or(&nothing, |lisp| lisp.service(family));
    let rlocs = config.local_rlocs();
    let ipv4 = rlocs.iter().find(|rloc| rloc.family() == Family::Ipv4);
    let limit = service.map_cache_limit.and_then(|limit| usize::try_from(limit).ok());
    LispView {
        instance_id: id,
        eid_table: EidTableName::of(config, id),
        roles: config.roles(family),
        proxy_itr_rlocs: service.proxy_itr.iter().map(|rloc| rloc.0).collect(),
        map_request_source: service.map_request_source,
        map_resolvers: service.itr_map_resolvers.clone(),
        map_servers: map_servers(router, family, service, now),
        xtr_id: XtrId(router.xtr_id()),
        local_rloc: ipv4.or(rlocs.first()).map(|rloc| rloc.0),
        proxy_etrs: service
            .use_petr
            .iter()
            .filter_map(|petr| config.resolve_locator(&petr.source))
            .map(|Rloc(address)| address)
            .collect(),
        etr_map_cache_ttl: 60 * u64::from(config.etr_map_cache_ttl(family)),
        loc_reach: config.loc_reach(family),
        map_cache_static: configured_static(router, family, id),
        map_cache_size: router.map_cache().entries().len_of(id, family),
        ignores_smrs: service.ignores_smrs,
        map_cache_limit: limit.unwrap_or(DEFAULT_LIMIT),
        database_size: router.database().entries().len_of(id, family),
        database_dynamic: router.database().dynamic_entries(family),
        dynamic_eid_limit: router.mobility().hosts().fill().capacity,
        database_inactive: router.away().deconfigured(id, family),
        fast_path: fast_path_reason.is_none(),
        fast_path_reason,
    }
}

/// Counts the static entries of the map-cache. The function looks up only the configured prefixes
/// and the default entry of an ITR, because the map-cache has no other static entries.
fn configured_static(router: &Router, family: Family, id: InstanceId) -> usize {
    let config = router.config();
    let default = crate::addr::EidPrefix::new(id, family.default_prefix());
    let entries = router.map_cache().entries();
    let tables = config.lisp.iter().flat_map(|lisp| lisp.eid_tables.get(&id));
    let configured = tables
        .flat_map(|table| &table.map_requests)
        .map(|prefix| crate::addr::EidPrefix::new(id, *prefix))
        .filter(|prefix| prefix.family() == family && *prefix != default);
    configured
        .chain([default])
        .filter_map(|prefix| entries.get(&prefix))
        .filter(|entry| entry.source == Source::Static)
        .count()
}

/// Returns a row for each configured map-server. The row contains the number of prefixes that are
/// registered at the map-server.
fn map_servers(router: &Router, family: Family, service: &Service, now: Time) -> Vec<MapServerRow> {
    let registrations = router.registrations(now);
    let servers = service.etr_map_servers.keys();
    servers
        .map(|&address| {
            let status = registrations
                .iter()
                .find(|status| status.family == family && status.map_server == address);
            let notified_at = status.and_then(|status| status.last_notify_at);
            MapServerRow {
                address,
                prefixes: status.map_or(0, |status| status.prefixes),
                registered: status.map_or(0, |status| status.registered),
                acknowledged: status.map_or(0, |status| status.acknowledged),
                last_notify: notified_at.map(|at| seconds(now.since(at))),
            }
        })
        .collect()
}

/// Returns the treatment of received SMRs in the words of IOS.
pub(super) fn smrs(view: &LispView) -> &'static str {
    if view.ignores_smrs { "ignore" } else { "accept and process" }
}

/// Prints the view in the format of IOS. The lines about features that this router does not have
/// are left out.
pub fn text(view: &LispView) -> String {
    let mut lines = Lines::default();
    roles(&mut lines, view);
    peers(&mut lines, view);
    lines.say("  ITR Solicit Map Request (SMR):", smrs(view));
    lines.say("    Max SMRs per map-cache entry:", &format!("{SMRS_PER_ENTRY} more specifics"));
    lines.say("    Multiple SMR suppression time:", &format!("{} secs", SMR_SUPPRESSION.as_secs()));
    lines.say("  ETR accept mapping data:", "disabled, verify disabled");
    lines.say("  ETR map-cache TTL:", &span(view.etr_map_cache_ttl));
    lines.title("  Locator Status Algorithms:");
    let LocReach { lsb_reports, echo_nonce } = view.loc_reach;
    lines.say("    RLOC-probe algorithm:", "disabled");
    lines.say("    Echo-nonce algorithm:", if echo_nonce { "enabled" } else { "disabled" });
    lines.say("    LSB reports:", if lsb_reports { "process" } else { "ignore" });
    lines.title("  Map-cache:");
    lines.say("    Static mappings configured:", &view.map_cache_static.to_string());
    let (size, limit) = (view.map_cache_size, view.map_cache_limit);
    lines.say("    Map-cache size/limit:", &format!("{size}/{limit}"));
    lines.say("    Map-cache activity check period:", "60 secs");
    lines.title("  Database:");
    let size = view.database_size;
    lines.say("    Total database mapping size:", &size.to_string());
    let inactive = view.database_inactive.to_string();
    lines.say("    Inactive (deconfig/away) size:", &inactive);
    lines.say("  Encapsulation type:", "lisp");
    let data_path = match &view.fast_path_reason {
        Some(reason) => format!("process ({reason})"),
        None => "kernel for known flows, process for all others".to_owned(),
    };
    lines.say("  Data path:", &data_path);
    lines.0
}

/// Lines with a label and a value.
#[derive(Default)]
pub(super) struct Lines(String);

impl Lines {
    /// All lines, as one text.
    pub(super) fn text(self) -> String {
        self.0
    }

    /// Adds a line without a value.
    pub(super) fn title(&mut self, title: &str) {
        self.0 += &format!("{title}\n");
    }

    /// Adds a line with a label and a value.
    pub(super) fn say(&mut self, label: &str, value: &str) {
        self.0 += &Columns::of([44, 0]).line([label, value]);
    }

    /// Adds a line for each value. Only the first line has the label.
    pub(super) fn list(&mut self, label: &str, values: &[String]) {
        match values {
            [] => self.say(label, "*** NOT FOUND ***"),
            [first, rest @ ..] => {
                self.say(label, first);
                for value in rest {
                    self.say("", value);
                }
            }
        }
    }
}

fn roles(lines: &mut Lines, view: &LispView) {
    lines.say("  Instance ID:", &view.instance_id.to_string());
    lines.say("  Router-lisp ID:", "0");
    lines.say("  Locator table:", "default");
    lines.say("  EID table:", &view.eid_table.to_string());
    role_lines(lines, view);
    lines.say("  Delegated Database Tree (DDT):", "disabled");
    lines.say("  Site Registration Limit:", "0");
}

/// The lines about the roles of a router.
pub(super) fn role_lines(lines: &mut Lines, view: &LispView) {
    let on = |is: bool| if is { "enabled" } else { "disabled" };
    let roles = view.roles;
    let proxy_itr = if roles.proxy_itr {
        format!("enabled RLOCs: {}", joined(&view.proxy_itr_rlocs, ", "))
    } else {
        "disabled".to_owned()
    };
    lines.say("  Ingress Tunnel Router (ITR):", on(roles.itr));
    lines.say("  Egress Tunnel Router (ETR):", on(roles.etr));
    lines.say("  Proxy-ITR Router (PITR):", &proxy_itr);
    lines.say("  Proxy-ETR Router (PETR):", on(roles.proxy_etr));
    lines.say("  NAT-traversal Router (NAT-RTR):", "disabled");
    lines.say("  Mobility First-Hop Router:", "disabled");
    lines.say("  Map Server (MS):", on(roles.map_server));
    lines.say("  Map Resolver (MR):", on(roles.map_resolver));
}

fn peers(lines: &mut Lines, view: &LispView) {
    let source = view.map_request_source.map(|address| address.to_string());
    let derived = "derived from EID destination".to_owned();
    lines.say("  Map-Request source:", &source.unwrap_or(derived));
    let resolvers: Vec<String> = view.map_resolvers.iter().map(IpAddr::to_string).collect();
    lines.list("  ITR Map-Resolver(s):", &resolvers);
    let servers: Vec<String> = view
        .map_servers
        .iter()
        .map(|server| match server.last_notify {
            Some(ago) => format!("{} ({})", server.address, span(ago)),
            None => server.address.to_string(),
        })
        .collect();
    lines.list("  ETR Map-Server(s):", &servers);
    lines.say("  xTR-ID:", &view.xtr_id.to_string());
    lines.say("  site-ID:", "unspecified");
    lines.say("  ITR local RLOC (last resort):", &local_rloc(view));
    let petrs = joined(&view.proxy_etrs, ", ");
    let petrs = if petrs.is_empty() { "none" } else { &petrs };
    lines.say("  ITR use proxy ETR RLOC(s):", petrs);
}

/// The locator that the router uses for Map-Requests, if there is one.
pub(super) fn local_rloc(view: &LispView) -> String {
    let rloc = view.local_rloc.map(|address| address.to_string());
    rloc.unwrap_or_else(|| "*** NOT FOUND ***".to_owned())
}

/// Joins the addresses into one text. `separator` stands between two addresses.
pub(super) fn joined(addresses: &[IpAddr], separator: &str) -> String {
    let addresses: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
    addresses.join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::config::Roles;

    fn sample() -> LispView {
        LispView {
            roles: Roles { itr: true, etr: true, ..Roles::default() },
            map_resolvers: ["209.165.201.41", "209.165.201.31"]
                .map(|address| address.parse().unwrap())
                .to_vec(),
            map_servers: vec![MapServerRow {
                address: "209.165.201.31".parse().unwrap(),
                prefixes: 3,
                registered: 3,
                acknowledged: 3,
                last_notify: Some(12),
            }],
            xtr_id: XtrId(0x50e5_aae2_dbb7_e2df_761b_5ee7_e174_f775),
            local_rloc: Some("203.0.113.11".parse().unwrap()),
            etr_map_cache_ttl: 86_400,
            ..LispView::default()
        }
    }

    #[test]
    fn labels_and_values_stand_in_the_columns_of_ios() {
        let text = text(&sample());
        for line in [
            "  Instance ID:                              0\n",
            "  Ingress Tunnel Router (ITR):              enabled\n",
            "  Proxy-ITR Router (PITR):                  disabled\n",
            "  Map-Request source:                       derived from EID destination\n",
            "  ITR Map-Resolver(s):                      209.165.201.41\n",
            "                                            209.165.201.31\n",
            "  ETR Map-Server(s):                        209.165.201.31 (00:00:12)\n",
            "  xTR-ID:                                   \
             0x50E5AAE2-0xDBB7E2DF-0x761B5EE7-0xE174F775\n",
            "  ETR map-cache TTL:                        1d00h\n",
            "    Inactive (deconfig/away) size:          0\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
    }

    #[test]
    fn json_tells_of_each_map_server() {
        let json = super::super::json(&sample());
        let server = concat!(
            r#""map_servers":[{"address":"209.165.201.31","prefixes":3,"registered":3,"#,
            r#""acknowledged":3,"last_notify":12}]"#
        );
        assert!(json.contains(server), "{json}");
        assert!(json.contains(r#""roles":{"itr":true,"etr":true,"#), "{json}");
    }
}
