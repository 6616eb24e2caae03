//! Commands that turn debugging on and off, and the command that chooses whether debug lines are
//! sent to a session.

use super::exec::{exec, show};
use super::row::{No, Row};
use crate::console::args::{Args, Fault};
use crate::console::exec::Action;
use crate::console::show::{Page, system};
use crate::router::config::Config;
use crate::router::debugging::{DebugType, Debugging};

const DEBUG: &str = "Debugging functions (see also 'undebug')";
const UNDEBUG: &str = "Disable debugging functions (see also 'debug')";
const TERMINAL: &str = "Set terminal line parameters";

const LISP: &str = "Locator/ID Separation Protocol";
const CONTROL_PLANE: &str = "Control messages and their effects";
const FORWARDING: &str = "Decisions on packets of EIDs (the first packets of a flow)";
const ALL: &str = "All of them";

/// The help texts of the kinds of debug lines, in the order of the words in [`DEBUG_LISP`].
const KINDS: [&str; 9] = [
    ALL,
    "Received and refused messages",
    "Registrations at this map-server",
    "Map-Requests that this map-server forwards",
    "The map-cache, and the Map-Requests for it",
    "Local EID prefixes and their registrations",
    "Solicit-Map-Requests, and the Map-Requests that they invoke",
    "Hosts of dynamic-EID ranges, and EIDs that are away",
    "The same as eid-discovery",
];

const DEBUG_LISP: &str = "debug lisp control-plane {all|messages|map-server-registration|\
     map-server-map-request|remote-eid-cache|local-eid-database|solicit-map-request|\
     eid-discovery|dynamic-eid}";
const UNDEBUG_LISP: &str = "undebug lisp control-plane {all|messages|map-server-registration|\
     map-server-map-request|remote-eid-cache|local-eid-database|solicit-map-request|\
     eid-discovery|dynamic-eid}";

/// The help texts of a command that names kinds of debug lines. `first` is the help text for the
/// first word of the command.
const fn with_kinds(first: &'static str) -> [&'static str; 12] {
    let [a, b, c, d, e, f, g, h, i] = KINDS;
    [first, LISP, CONTROL_PLANE, a, b, c, d, e, f, g, h, i]
}

const DEBUG_HELP: [&str; 12] = with_kinds(DEBUG);
const UNDEBUG_HELP: [&str; 12] = with_kinds(UNDEBUG);

pub(super) const ROWS: &[Row] = &[
    Row { no: No::After(4), ..exec(DEBUG_LISP, &DEBUG_HELP, debug_kind) },
    Row {
        no: No::After(3),
        ..exec("debug lisp forwarding [all]", &[DEBUG, LISP, FORWARDING, ALL], debug_kind)
    },
    Row { no: No::After(2), ..exec("debug all", &[DEBUG, "Enable all debugging"], debug_all) },
    exec("undebug all", &[UNDEBUG, "Disable all debugging"], |_, _| {
        Ok(Action::Debug(Debugging::ALL, false))
    }),
    exec(UNDEBUG_LISP, &UNDEBUG_HELP, undebug_kind),
    exec("undebug lisp forwarding [all]", &[UNDEBUG, LISP, FORWARDING, ALL], undebug_kind),
    exec(
        "show debugging [json]",
        &["Show running system information", "State of each debugging option", "As JSON"],
        |_, _| show(Page::new(system::debugging, system::debugging_text)),
    ),
    exec(
        "terminal [no] monitor",
        &[TERMINAL, "Negate a command", "Copy debug output to the current terminal line"],
        |args, _| Ok(Action::Monitor(!args.has("no"))),
    ),
];

fn debug_all(args: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    Ok(Action::Debug(Debugging::ALL, !args.negated))
}

fn debug_kind(args: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    Ok(Action::Debug(kinds(args), !args.negated))
}

fn undebug_kind(args: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    Ok(Action::Debug(kinds(args), false))
}

/// The kinds of debug lines that the words of the command name.
fn kinds(args: &Args<'_>) -> Debugging {
    if args.has("dynamic-eid") {
        return Debugging::only(DebugType::EidDiscovery);
    }
    let named = DebugType::ALL.into_iter().find(|kind| args.has(kind.word()));
    named.map_or(Debugging::CONTROL_PLANE, Debugging::only)
}
