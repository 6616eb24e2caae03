//! The commands `show lisp packet` and `show lisp map-request`. They show a decision of the router,
//! and they do not change the router.

use std::net::IpAddr;

use super::exec::{JSON, LISP, SHOW, exec, show};
use super::row::Row;
use crate::addr::{Eid, Family};
use crate::console::args::{Args, Fault};
use crate::console::exec::Action;
use crate::console::show::Page;
use crate::console::show::packet::{Question, request_text, request_view, text, view};
use crate::router::config::Config;

/// The default size of a packet in octets, as for `ping`.
const SIZE: u16 = 100;

pub(super) const ROWS: &[Row] = &[
    exec(
        "show lisp packet <eid:address> [from <address:address>] [encapsulated-by <peer:address>] \
         [size <size:48-65535>] [df-bit] [json]",
        &[
            SHOW,
            LISP,
            "The decision on a packet that would arrive now",
            "Destination of the packet",
            "Source of the packet",
            "An address; by default an EID of this router",
            "A packet from the core, not from the site",
            "RLOC of the xTR that encapsulated the packet",
            "Size of the packet",
            "Octets, with the IP header",
            "The packet must not be fragmented",
            JSON,
        ],
        show_packet,
    ),
    exec(
        "show lisp map-request <eid:address> [json]",
        &[SHOW, LISP, "The answer to a Map-Request that would arrive now", "Requested EID", JSON],
        |args, config| {
            let eid = Eid::new(config.instance_of_command(None), args.value("eid")?);
            show(Page::new(move |state| request_view(state, eid), request_text))
        },
    ),
];

fn show_packet(args: &Args<'_>, config: &Config) -> Result<Action, Fault> {
    let destination: IpAddr = args.value("eid")?;
    let source: Option<IpAddr> = args.optional("address");
    let family = Family::of(destination);
    if source.is_some_and(|source| Family::of(source) != family) {
        return Err(args.fault("address", format!("an {family} address is expected")));
    }
    let question = Question {
        instance_id: config.instance_of_command(None),
        source,
        destination,
        size: args.optional("size").unwrap_or(SIZE),
        df: args.has("df-bit"),
        encapsulated_by: args.optional("peer"),
    };
    show(Page::new(move |state| view(state, &question), text))
}
