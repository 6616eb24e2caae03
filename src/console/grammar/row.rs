//! A row of the grammar: a command, and the modes, the words and the effect of the command.

use ipnet::IpNet;

use super::accepted::Accepted;
use super::context::Mode;
use crate::addr::Family;
use crate::console::args::{Args, Fault};
use crate::console::edit::Editor;
use crate::console::exec::Action;
use crate::router::config::Config;

/// The meaning of `no COMMAND`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum No {
    /// The command has no `no` form. Either the command changes no configuration, or the `no` form
    /// of another command removes the settings of this command.
    Never,
    /// The command has a `no` form, and the same function carries out both forms. At least this
    /// number of words of the pattern must follow `no`. The other words of the pattern may follow
    /// too.
    After(usize),
}

/// The effect of a command.
#[derive(Clone, Copy)]
pub enum Run {
    /// Changes the configuration or the mode.
    Edit(fn(&mut Editor, &Args<'_>) -> Result<(), Fault>),
    /// Shows data of the router, or carries out an action.
    Exec(fn(&Args<'_>, &Config) -> Result<Action, Fault>),
    /// The router accepts the command but does not carry it out. So a configuration of IOS with
    /// this command can be loaded.
    Accept(&'static Accepted),
}

/// A row of the grammar: one command.
#[derive(Clone, Copy)]
pub struct Row {
    /// The modes in which the command exists.
    pub modes: &'static [Mode],
    /// The words of the command, in the notation of [`Pattern`](super::Pattern).
    pub pattern: &'static str,
    /// The help texts for `?`, one for each word of the pattern.
    pub help: &'static [&'static str],
    /// The `no` form of the command.
    pub no: No,
    /// The effect of the command.
    pub run: Run,
}

/// Makes a row for a command that edits the configuration.
pub(super) const fn edit(
    modes: &'static [Mode],
    pattern: &'static str,
    help: &'static [&'static str],
    no: No,
    run: fn(&mut Editor, &Args<'_>) -> Result<(), Fault>,
) -> Row {
    Row { modes, pattern, help, no, run: Run::Edit(run) }
}

/// The prefix in the line. Host bits are cleared, as on IOS. If `family` is given, the prefix must
/// be of this family.
pub(super) fn prefix_of(
    args: &Args<'_>,
    name: &str,
    family: Option<Family>,
) -> Result<IpNet, Fault> {
    let prefix: IpNet = args.value(name)?;
    match family {
        Some(family) if Family::of(prefix.addr()) != family => {
            Err(args.fault(name, format!("an {family} prefix is expected")))
        }
        _ => Ok(prefix.trunc()),
    }
}
