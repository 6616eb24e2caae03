//! `show ip cef`: the next hop of the packets for each prefix, or for one address.

use std::fmt::Write;
use std::net::IpAddr;

use super::columns::Columns;
use super::routes::{self, RouteTable};
use super::{Rows, State, Table};
use crate::addr::{Eid, Family};
use crate::console::view::routes::{CefRow, CefView, Head, Hop, RouteRow, RouteSource};
use crate::router::Router;
use crate::router::map_cache::Mapping;
use crate::time::Time;

/// The forwarding table of a family.
#[derive(Debug)]
pub struct CefTable(RouteTable);

impl CefTable {
    /// The whole table.
    pub fn new(family: Family) -> Self {
        CefTable(RouteTable::new(family, None))
    }
}

impl Table for CefTable {
    type Head = Head;
    type Row = CefRow;

    fn head(&self, router: &Router, now: Time) -> Result<Head, String> {
        self.0.head(router, now)
    }

    fn rows(&mut self, router: &Router, now: Time) -> Rows<CefRow> {
        let Rows { rows, finished } = self.0.rows(router, now);
        Rows { rows: rows.iter().map(row).collect(), finished }
    }

    fn head_text(&self, _: &Head) -> String {
        COLUMNS.line(["Prefix", "Next Hop", "Interface"])
    }

    fn row_text(&mut self, row: &CefRow) -> String {
        let (hop, interface) = match &row.hop {
            Hop::Receive(interface) => ("receive".to_owned(), interface.as_str()),
            Hop::Attached(interface) => ("attached".to_owned(), interface.as_str()),
            Hop::Via(router, interface) => (router.to_string(), interface.as_str()),
            Hop::Lisp | Hop::NoLocator => ("attached".to_owned(), LISP),
            Hop::Drop => ("drop".to_owned(), "Null0"),
        };
        COLUMNS.line([&row.prefix.to_string(), &hop, interface])
    }
}

/// The widths of the columns, as in IOS.
const COLUMNS: Columns<3> = Columns::of([21, 21, 0]);
/// The interface into the overlay, as IOS names it.
const LISP: &str = "LISP0";

fn row(route: &RouteRow) -> CefRow {
    let path = route.paths.first();
    let interface = path.map(|path| path.interface.clone()).unwrap_or_default();
    let hop = match (route.source, path.and_then(|path| path.next_hop)) {
        (RouteSource::Local, _) => Hop::Receive(interface),
        (_, Some(hop)) => Hop::Via(hop, interface),
        (RouteSource::Lisp, None) if interface == LISP => Hop::Lisp,
        (RouteSource::Static, None) if interface == "Null0" => Hop::Drop,
        _ => Hop::Attached(interface),
    };
    CefRow { prefix: route.prefix, hop, locators: Vec::new(), packets: None }
}

/// The view of the next hop for one address. If the packets enter the overlay, the map-cache
/// decides the next hop.
pub fn to(state: State<'_>, address: IpAddr, detail: bool) -> CefView {
    let entry = routes::to(state, address).route.as_ref().map(row);
    // An ITR uses the configured default route only for packets without a mapping. All other
    // packets that match this route enter the overlay.
    let is_itr = state.router.roles(Family::of(address)).itr;
    let enters_overlay = entry
        .as_ref()
        .is_some_and(|entry| entry.hop == Hop::Lisp || (is_itr && entry.prefix.prefix_len() == 0));
    let entry = match enters_overlay {
        true => by_map_cache(state.router, address).or(entry),
        false => entry,
    };
    CefView { address, detail, entry }
}

fn by_map_cache(router: &Router, address: IpAddr) -> Option<CefRow> {
    let eid = Eid::new(router.config().instance_of_command(None), address);
    let (prefix, entry) = router.map_cache().lookup(eid)?;
    let (hop, locators) = match &entry.mapping {
        Mapping::Locators(locators) if !locators.is_empty() => {
            (Hop::Lisp, locators.iter().map(|locator| locator.rloc.0).collect())
        }
        Mapping::Locators(_) | Mapping::SendMapRequest => (Hop::NoLocator, Vec::new()),
        Mapping::Drop => (Hop::Drop, Vec::new()),
        Mapping::ForwardNative => return None,
    };
    let packets = Some((entry.usage.packets(), entry.usage.bytes()));
    Some(CefRow { prefix: prefix.prefix(), hop, locators, packets })
}

/// The text of `show ip cef ADDRESS [detail]`.
pub fn to_text(view: &CefView) -> String {
    let Some(CefRow { prefix, hop, locators, packets }) = &view.entry else {
        return "%Prefix not found\n".to_owned();
    };
    let is_lisp = matches!(hop, Hop::Lisp | Hop::NoLocator);
    let mut text = match (view.detail, is_lisp) {
        (false, _) => format!("{prefix}\n"),
        (true, false) => format!("{prefix}, epoch 0\n"),
        (true, true) => {
            format!("{prefix}, epoch 0, flags [subtree context, check lisp eligibility]\n")
        }
    };
    if let (true, Some((packets, bytes))) = (view.detail, packets) {
        let action = match hop {
            Hop::Lisp => "encap",
            Hop::NoLocator => "signal",
            _ => "drop",
        };
        let _ = writeln!(
            text,
            "  LISP remote EID: {packets} packets {bytes} bytes fwd action {action}"
        );
    }
    let _ = match hop {
        Hop::Receive(interface) => writeln!(text, "  receive for {interface}"),
        Hop::Attached(interface) => writeln!(text, "  attached to {interface}"),
        Hop::Via(hop, interface) => writeln!(text, "  nexthop {hop} {interface}"),
        Hop::Lisp if locators.is_empty() => writeln!(text, "  attached to {LISP}"),
        Hop::Lisp => locators.iter().try_for_each(|rloc| writeln!(text, "  nexthop {rloc} {LISP}")),
        Hop::NoLocator => writeln!(text, "  attached to {LISP}"),
        Hop::Drop => writeln!(text, "  attached to Null0"),
    };
    text
}
