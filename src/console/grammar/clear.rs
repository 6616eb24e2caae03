//! The commands that clear counters, sessions and other state.

use std::net::IpAddr;

use super::exec::{IP, IPV6, LISP, exec};
use super::row::Row;
use crate::console::args::{Args, Fault};
use crate::console::exec::Action;
use crate::router::config::Config;
use crate::router::io::Command;

const CLEAR: &str = "Reset functions";
const SESSION: &str = "Sessions of reliable transport";
const ALL: &str = "All of them";
const PEER: &str = "The session with this peer";
const ASK: &str = "Send ARP or neighbour discovery requests to all neighbours again";

pub(super) const ROWS: &[Row] = &[
    exec(
        "clear counters [<interface:interface>]",
        &[
            CLEAR,
            "Counters of this router",
            "Interface name (no effect: LISP does not count by interface)",
        ],
        clear_counters,
    ),
    exec(
        "clear {ip|ipv6} lisp statistics",
        &[CLEAR, IP, IPV6, LISP, "Counters of messages and packets, of both families"],
        clear_counters,
    ),
    exec(
        "clear lisp session {*|<peer:address>}",
        &[CLEAR, LISP, SESSION, ALL, PEER],
        clear_sessions,
    ),
    exec(
        "clear lisp vrf <vrf:word> session {*|<peer:address>}",
        &[CLEAR, LISP, "VRF", "The name of the VRF: default", SESSION, ALL, PEER],
        clear_sessions,
    ),
    exec("clear logging", &[CLEAR, "The lines of `show logging`"], |_, _| Ok(Action::ClearLog)),
    exec(
        "clear ip arp [<address:ipv4>]",
        &[CLEAR, IP, ASK, "Address of a neighbour"],
        ask_neighbours,
    ),
    exec("clear arp-cache", &[CLEAR, ASK], ask_neighbours),
    exec("clear ipv6 neighbors", &[CLEAR, IPV6, ASK], ask_neighbours),
    exec(
        "clear {ip|ipv6} route {*|<prefix:line>}",
        &[CLEAR, IP, IPV6, "Routes", ALL, "Destination"],
        |_, _| {
            let text = "The routes come from the configuration and from LISP, so no route can be \
                        cleared. If a route is missing, the router adds it again.\n";
            Ok(Action::Text(text))
        },
    ),
];

fn clear_counters(_: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    Ok(Action::Command(Command::ClearStatistics))
}

fn clear_sessions(args: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    if args.text("vrf").is_some_and(|vrf| !vrf.eq_ignore_ascii_case("default")) {
        return Err(args.fault("vrf", "all sessions are in the VRF default"));
    }
    let peer: Option<IpAddr> = args.optional("peer");
    Ok(Action::Command(Command::ClearSessions(peer)))
}

fn ask_neighbours(_: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    Ok(Action::Command(Command::AskNeighbours))
}
