//! Commands that turn debugging on and off, and that choose the sessions that receive the debug
//! lines.

use super::exec::{exec, show};
use super::row::{No, Row};
use crate::console::args::{Args, Fault};
use crate::console::exec::Action;
use crate::console::show::{Page, system};
use crate::router::config::Config;

const DEBUG: &str = "Debugging functions (see also 'undebug')";
const UNDEBUG: &str = "Disable debugging functions (see also 'debug')";
const TERMINAL: &str = "Set terminal line parameters";

const LISP: &str = "Locator/ID Separation Protocol";
const CONTROL_PLANE: &str = "Control messages and their effects";
const ALL: &str = "All of them";

pub(super) const ROWS: &[Row] = &[
    Row {
        no: No::After(4),
        ..exec("debug lisp control-plane all", &[DEBUG, LISP, CONTROL_PLANE, ALL], debug)
    },
    Row { no: No::After(2), ..exec("debug all", &[DEBUG, "Enable all debugging"], debug) },
    exec("undebug all", &[UNDEBUG, "Disable all debugging"], no_debug),
    exec("undebug lisp control-plane all", &[UNDEBUG, LISP, CONTROL_PLANE, ALL], no_debug),
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

fn debug(args: &Args<'_>, config: &Config) -> Result<Action, Fault> {
    if args.negated {
        return no_debug(args, config);
    }
    Ok(Action::Debug(true))
}

fn no_debug(_: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    Ok(Action::Debug(false))
}
