//! The commands `show lisp ...` of IOS-XE 17. They print the views of `show ip lisp ...` in the
//! text formats of [`show::xe`](crate::console::show::xe).

use super::exec::{
    IP, IPV6, JSON, LISP, ROUTER, SHOW, exec, family, instance, only, show, show_lisp,
    show_map_cache,
};
use super::row::Row;
use crate::addr::{Eid, EidPrefix, Family, InstanceId};
use crate::console::args::{Args, Fault};
use crate::console::exec::Action;
use crate::console::show::away::{AwayTable, SmrTable};
use crate::console::show::database::DatabaseTable;
use crate::console::show::map_cache::MapCacheTable;
use crate::console::show::site::{SiteTable, Which};
use crate::console::show::site_summary::Summary;
use crate::console::show::xe::census::Counted;
use crate::console::show::xe::database::database;
use crate::console::show::xe::forwarding::Forwarding;
use crate::console::show::xe::locator_hash::locator_hash;
use crate::console::show::xe::map_cache::map_cache as xe_map_cache;
use crate::console::show::{
    Listing, Page, State, dynamic_eid, fast_path, history, lisp, sessions, xe,
};
use crate::console::view::absent::Feature;
use crate::console::view::census::InstanceStatisticsView;
use crate::router::config::Config;

const PREFIX: &str = "EID prefix";
const EID: &str = "EID";
const INSTANCE: &str = "Instance-ID";
const TABLE: &str = "EID-table by its name";
const DEFAULT: &str = "The EID-table default";
const OF_VRF: &str = "The EID-table of a VRF";
const VRF: &str = "Name of the VRF";
const MAP_CACHE: &str = "Mapping cache";
const DATABASE: &str = "Local EID prefixes and their locators";
const STATISTICS: &str = "Counters of messages and packets";
const COUNTS: &str = "Counts";
const DETAILS: &str = "Show all details";
const FORWARDING: &str = "Data plane";
const REMOTE: &str = "EIDs of other sites";

/// A command about one EID-table and one family: `show lisp instance-id 0 ipv4 ...`. The line names
/// the EID-table by its instance or by its VRF.
macro_rules! of_table {
    ($rest:literal, [$($help:expr),*], $run:expr) => {
        exec(
            concat!(
                "show lisp {[<router:0-0>] instance-id <instance:0-16777215>|\
                 eid-table {default|vrf <vrf:word>}} {ipv4|ipv6} ",
                $rest,
                " [json]"
            ),
            &[
                SHOW, LISP, ROUTER, "EID-table of an instance", INSTANCE, TABLE, DEFAULT, OF_VRF,
                VRF, "IPv4 EIDs", "IPv6 EIDs", $($help,)* JSON,
            ],
            $run,
        )
    };
}

/// A command about one family, for all instances: `show lisp service ipv4 ...`.
macro_rules! of_service {
    ($rest:literal, [$($help:expr),*], $run:expr) => {
        exec(
            concat!("show lisp [<router:0-0>] service {ipv4|ipv6} ", $rest, " [json]"),
            &[
                SHOW, LISP, ROUTER, "All instances of a family", "IPv4 EIDs", "IPv6 EIDs",
                $($help,)* JSON,
            ],
            $run,
        )
    };
}

pub(super) const ROWS: &[Row] = &[
    of_table!("", [], |args, config| {
        let (family, id) = table(args, config)?;
        show(Page::new(move |state| lisp::view(state, family, id), xe::lisp::instance))
    }),
    of_table!(
        "map-cache [{detail|{<prefix:prefix>|<eid:address>} [detail]}]",
        [MAP_CACHE, DETAILS, PREFIX, EID, DETAILS],
        |args, config| show(Listing::new(xe_map_cache(map_cache(args, config)?)))
    ),
    of_table!("database [{<prefix:prefix>|<eid:address>}]", [DATABASE, PREFIX, EID], show_database),
    of_table!(
        "away [{<prefix:prefix>|<eid:address>}]",
        ["Local EIDs that are away from this site", PREFIX, EID],
        show_away
    ),
    of_table!("smr", ["EIDs for which this router sends or has received SMRs"], |args, config| {
        let (family, instance_id) = table(args, config)?;
        show(Listing::new(SmrTable { family, instance_id, after: None }))
    }),
    of_table!("statistics", [STATISTICS], |args, config| {
        show_statistics(table(args, config)?, xe::statistics::instance)
    }),
    of_table!(
        "server [{summary|detail|registration-history|{<prefix:prefix>|<eid:address>} \
         [registration-history]}]",
        [
            "Sites of the map-server and their registrations",
            COUNTS,
            DETAILS,
            "Recent registrations and withdrawals",
            PREFIX,
            EID,
            "Recent registrations and withdrawals"
        ],
        show_server
    ),
    of_table!("forwarding eid remote", [FORWARDING, "EIDs", REMOTE], |args, config| {
        let table = map_cache(args, config)?;
        show(Listing::new(Forwarding { table, with_instance: true }))
    }),
    exec(
        "show lisp {[<router:0-0>] instance-id <instance:0-16777215>|\
         eid-table {default|vrf <vrf:word>}} dynamic-eid [{summary|detail}] [json]",
        &[
            SHOW,
            LISP,
            ROUTER,
            "EID-table of an instance",
            INSTANCE,
            TABLE,
            DEFAULT,
            OF_VRF,
            VRF,
            "EIDs that may move",
            "A line each",
            "Also show the ranges and the activity",
            JSON,
        ],
        show_dynamic_eid,
    ),
    exec(
        "show lisp dynamic-eid [{summary|detail}] [json]",
        &[
            SHOW,
            LISP,
            "EIDs that may move",
            "A line each",
            "Also show the ranges and the activity",
            JSON,
        ],
        show_dynamic_eid,
    ),
    of_service!("", [], |args, config| {
        let (family, id) = table(args, config)?;
        show(Page::new(move |state| lisp::view(state, family, id), xe::lisp::service))
    }),
    of_service!("summary", [COUNTS], |args, config| {
        let (family, id) = table(args, config)?;
        show(Counted::new(
            (family, id),
            move |state, census| xe::service_summary::view(state, family, id, census),
            xe::service_summary::text,
        ))
    }),
    of_service!("map-cache", [MAP_CACHE], |args, config| {
        show(Listing::new(xe_map_cache(map_cache(args, config)?)))
    }),
    of_service!("database", [DATABASE], show_database),
    of_service!("statistics", [STATISTICS], |args, config| {
        show_statistics(table(args, config)?, xe::statistics::service)
    }),
    exec(
        "show lisp [{<router:0-0>|vrf <vrf:word>}] session [{established|all|<peer:address>}] \
         [json]",
        &[
            SHOW,
            LISP,
            ROUTER,
            OF_VRF,
            VRF,
            "Sessions of reliable transport",
            "Only the sessions that are up",
            "All sessions",
            "Details of the session with this peer",
            JSON,
        ],
        show_session,
    ),
    exec("show lisp [<router:0-0>] [json]", &[SHOW, LISP, ROUTER, JSON], |_, _| {
        show(Page::new(xe::router_lisp::view, xe::router_lisp::text))
    }),
    exec(
        "show lisp [<router:0-0>] locator-set [<set:word>] [json]",
        &[SHOW, LISP, ROUTER, "The locator-sets of the configuration", "Locator-set name", JSON],
        show_locator_sets,
    ),
    exec(
        "show lisp {remote-locator-set|ddt|extranet|decapsulation filter|platform} [json]",
        &[
            SHOW,
            LISP,
            "Sets of locators of other sites",
            "Delegated database tree",
            "Policies between instances",
            "Decapsulation of packets",
            "RLOCs from which packets are decapsulated",
            "Limits of this router",
            JSON,
        ],
        show_absent,
    ),
    exec(
        "show {ip|ipv6} lisp forwarding [eid remote] [json]",
        &[SHOW, IP, IPV6, LISP, FORWARDING, "EIDs", REMOTE, JSON],
        |args, config| {
            let table = map_cache(args, config)?;
            show(Listing::new(Forwarding { table, with_instance: false }))
        },
    ),
    exec(
        "show {ip|ipv6} lisp fast-path [json]",
        &[SHOW, IP, IPV6, LISP, "Forwarding of known flows in the kernel", JSON],
        |_, _| show(Page::new(fast_path::view, fast_path::text)),
    ),
    exec(
        "show {ip|ipv6} lisp locator-hash <eid:address> [json]",
        &[SHOW, IP, IPV6, LISP, "The locators for the flows to an EID", EID, JSON],
        |args, config| show(Listing::new(locator_hash(map_cache(args, config)?))),
    ),
    exec(
        "show {ip|ipv6} lisp summary [json]",
        &[SHOW, IP, IPV6, LISP, COUNTS, JSON],
        |args, config| {
            let (family, id) = table(args, config)?;
            show(Counted::new(
                (family, id),
                move |state, census| xe::service_summary::view(state, family, id, census),
                xe::service_summary::text,
            ))
        },
    ),
    exec(
        "show {ip|ipv6} lisp instance-id <instance:0-16777215> [json]",
        &[SHOW, IP, IPV6, LISP, "The roles and the tables of an instance", INSTANCE, JSON],
        show_lisp,
    ),
    exec(
        "show {ip|ipv6} lisp eid-table {default|vrf <vrf:word>} map-cache \
         [{<prefix:prefix>|<eid:address>}] [detail] [json]",
        &[SHOW, IP, IPV6, LISP, TABLE, DEFAULT, OF_VRF, VRF, MAP_CACHE, PREFIX, EID, DETAILS, JSON],
        |args, config| {
            table(args, config)?;
            show_map_cache(args, config)
        },
    ),
];

/// Returns the family and the instance of the EID-table that the line names.
fn table(args: &Args<'_>, config: &Config) -> Result<(Family, InstanceId), Fault> {
    let Some(name) = args.text("vrf") else {
        return Ok((family(args), instance(args, config)));
    };
    let mut tables = config.lisp.iter().flat_map(|lisp| &lisp.eid_tables);
    let table = tables.find(|(_, table)| table.vrf.as_deref() == Some(name));
    match table {
        Some((id, _)) => Ok((family(args), *id)),
        None => Err(args.fault("vrf", format!("there is no EID-table vrf {name}"))),
    }
}

fn map_cache(args: &Args<'_>, config: &Config) -> Result<MapCacheTable, Fault> {
    let (family, instance_id) = table(args, config)?;
    let only = only(args, config)?;
    let detail = args.has("detail") || only.is_some();
    Ok(MapCacheTable { family, instance_id, only, detail, after: None })
}

fn show_database(args: &Args<'_>, config: &Config) -> Result<Action, Fault> {
    let (family, instance_id) = table(args, config)?;
    let only = only(args, config)?;
    show(Listing::new(database(DatabaseTable { family, instance_id, only, after: None })))
}

fn show_away(args: &Args<'_>, config: &Config) -> Result<Action, Fault> {
    let (family, instance_id) = table(args, config)?;
    let only = only(args, config)?;
    show(Listing::new(AwayTable { family, instance_id, only, after: None }))
}

fn show_statistics(
    (family, id): (Family, InstanceId),
    text: fn(&InstanceStatisticsView) -> String,
) -> Result<Action, Fault> {
    show(Counted::new(
        (family, id),
        move |state, census| xe::statistics::view(state, family, id, census),
        text,
    ))
}

fn show_server(args: &Args<'_>, config: &Config) -> Result<Action, Fault> {
    let (family, id) = table(args, config)?;
    let only = only(args, config)?;
    if args.has("summary") {
        return show(Summary::of(id, family));
    }
    if args.has("registration-history") {
        let wanted = move |prefix: &EidPrefix| match &only {
            Some(only) => only == prefix,
            None => prefix.instance_id() == id && prefix.family() == family,
        };
        let view = move |state: State<'_>| history::view(state, wanted);
        return show(Page::new(view, xe::server::history));
    }
    let which = match only {
        Some(_) if args.given("eid") => Which::Eid(Eid::new(id, args.value("eid")?)),
        Some(prefix) => Which::Prefix(prefix),
        None => Which::Table(id, family),
    };
    let detail = args.has("detail") || only.is_some();
    show(Listing::new(SiteTable::new(which, detail)))
}

fn show_dynamic_eid(args: &Args<'_>, config: &Config) -> Result<Action, Fault> {
    let (_, id) = table(args, config)?;
    let text = match args.has("summary") {
        true => xe::dynamic_eid::summary,
        false => xe::dynamic_eid::detail,
    };
    show(Page::new(move |state| dynamic_eid::view(state, id, None), text))
}

fn show_session(args: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    if let Some(name) = args.text("vrf").filter(|name| *name != "default") {
        return Err(args.fault("vrf", format!("there is no VRF {name}")));
    }
    let which = match args.optional("peer") {
        Some(peer) => sessions::Which::With(peer),
        None if args.has("established") => sessions::Which::Established,
        None => sessions::Which::All,
    };
    let text = match which {
        sessions::Which::With(_) => sessions::detail,
        sessions::Which::All | sessions::Which::Established => sessions::text,
    };
    show(Page::new(move |state| sessions::view(state, which), text))
}

fn show_locator_sets(args: &Args<'_>, config: &Config) -> Result<Action, Fault> {
    let only = args.text("set").map(str::to_owned);
    if let Some(name) = &only
        && !config.lisp.as_ref().is_some_and(|lisp| lisp.locator_sets.contains_key(name))
    {
        return Err(args.fault("set", format!("there is no locator-set {name}")));
    }
    show(Page::new(
        move |state| xe::router_lisp::locator_sets(state, only.as_deref()),
        xe::router_lisp::locator_sets_text,
    ))
}

fn show_absent(args: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    let features = [
        ("remote-locator-set", Feature::RemoteLocatorSets),
        ("ddt", Feature::Ddt),
        ("extranet", Feature::Extranets),
        ("filter", Feature::DecapsulationFilter),
    ];
    let feature = features.into_iter().find(|(word, _)| args.has(word));
    let feature = feature.map_or(Feature::Platform, |(_, feature)| feature);
    show(Page::new(move |_| xe::absent::view(feature), xe::absent::text))
}
