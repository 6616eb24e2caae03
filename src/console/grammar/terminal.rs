//! Commands of the user's terminal, and the commands that end the session.

use super::exec::exec;
use super::row::Row;
use crate::console::args::{Args, Fault};
use crate::console::exec::Action;
use crate::router::config::Config;

const TERMINAL: &str = "Set terminal line parameters";
const NO_EFFECT: &str = "A setting that has no effect on this console";
const LENGTH: &str = "Set number of lines on a screen";
const WIDTH: &str = "Set width of the display terminal";

/// The answer to `help`.
const HELP: &str = "\
A question mark (?) gives help at any place of a line.
  show ?     lists the words that can follow, with their meaning
  sh?        lists the words that begin with these letters
  show ip<Tab>  completes a word
A word can be abbreviated as long as it is unique: `sh ver` is `show version`.
";

pub(super) const ROWS: &[Row] = &[
    exec("exit", &["Exit from the EXEC"], leave),
    exec("help", &["Description of the interactive help system"], |_, _| Ok(Action::Text(HELP))),
    exec("logout", &["Exit from the EXEC"], leave),
    exec("quit", &["Exit from the EXEC"], leave),
    exec(
        "terminal length <lines:0-512>",
        &[TERMINAL, LENGTH, "Number of lines on screen (0 for no pausing)"],
        |args, _| Ok(Action::Length(args.optional("lines"))),
    ),
    exec(
        "terminal width <columns:0-512>",
        &[TERMINAL, WIDTH, "Number of characters on a screen line (0 for no limit)"],
        |args, _| Ok(Action::Width(args.optional("columns"))),
    ),
    exec(
        "terminal {default|no} length",
        &[TERMINAL, "Set a value to its default", "Negate a command", LENGTH],
        |_, _| Ok(Action::Length(None)),
    ),
    exec(
        "terminal {default|no} width",
        &[TERMINAL, "Set a value to its default", "Negate a command", WIDTH],
        |_, _| Ok(Action::Width(None)),
    ),
    exec(
        "terminal {exec|history|ip|speed|type|editing|escape-character} [<rest:line>]",
        &[
            TERMINAL, NO_EFFECT, NO_EFFECT, NO_EFFECT, NO_EFFECT, NO_EFFECT, NO_EFFECT, NO_EFFECT,
            "Options",
        ],
        |_, _| Ok(Action::Nothing),
    ),
];

fn leave(_: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    Ok(Action::Leave)
}
