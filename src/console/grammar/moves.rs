//! The `show` commands for mobility and for refused control messages. The commands for mobility
//! show EIDs that are away, roaming hosts, and sessions with map-servers. Over a session, a
//! map-server notifies this router of moved EIDs.

use super::exec::{IP, IPV6, JSON, LISP, SHOW, exec, family, instance, only, show};
use super::row::Row;
use crate::console::args::{Args, Fault};
use crate::console::exec::Action;
use crate::console::show::away::{AwayTable, SmrTable};
use crate::console::show::{Listing, Page, dynamic_eid, history, refusals};
use crate::router::config::Config;

const OTHER: &str = "An instance other than the first";
const INSTANCE: &str = "Instance-ID";
const ROAMING: &str = "EIDs that may move";

pub(super) const ROWS: &[Row] = &[
    exec(
        "show {ip|ipv6} lisp [instance-id <instance:0-16777215>] away \
         [{<prefix:prefix>|<eid:address>}] [json]",
        &[
            SHOW,
            IP,
            IPV6,
            LISP,
            OTHER,
            INSTANCE,
            "Local EIDs that are away from this site",
            "EID prefix",
            "EID",
            JSON,
        ],
        show_away,
    ),
    exec(
        "show {ip|ipv6} lisp [instance-id <instance:0-16777215>] smr [json]",
        &[
            SHOW,
            IP,
            IPV6,
            LISP,
            OTHER,
            INSTANCE,
            "EIDs for which this router sends or has received SMRs",
            JSON,
        ],
        show_smr,
    ),
    exec(
        "show {ip|ipv6} lisp [instance-id <instance:0-16777215>] dynamic-eid {summary|detail} \
         [json]",
        &[
            SHOW,
            IP,
            IPV6,
            LISP,
            OTHER,
            INSTANCE,
            ROAMING,
            "A line each",
            "Also show the ranges and the activity",
            JSON,
        ],
        show_dynamic_eid,
    ),
    exec(
        "show lisp registration-history [json]",
        &[SHOW, LISP, "Recent registrations and withdrawals", JSON],
        |_, _| show(Page::new(|state| history::view(state, |_| true), history::text)),
    ),
    exec(
        "show lisp refusals [json]",
        &[SHOW, LISP, "Control messages that were refused recently, and the reasons", JSON],
        |_, _| show(Page::new(|state| refusals::view(state.router, state.now), refusals::text)),
    ),
];

fn show_away(args: &Args<'_>, config: &Config) -> Result<Action, Fault> {
    show(Listing::new(AwayTable {
        family: family(args),
        instance_id: instance(args, config),
        only: only(args, config)?,
        after: None,
    }))
}

fn show_smr(args: &Args<'_>, config: &Config) -> Result<Action, Fault> {
    let instance_id = instance(args, config);
    show(Listing::new(SmrTable { family: family(args), instance_id, after: None }))
}

fn show_dynamic_eid(args: &Args<'_>, config: &Config) -> Result<Action, Fault> {
    let (id, family) = (instance(args, config), family(args));
    let text = if args.has("detail") { dynamic_eid::detail } else { dynamic_eid::summary };
    show(Page::new(move |state| dynamic_eid::view(state, id, Some(family)), text))
}
