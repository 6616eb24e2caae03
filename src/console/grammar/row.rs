//! A command of the grammar: its modes, its words, and its effect.

use ipnet::IpNet;

use super::context::Mode;
use crate::addr::Family;
use crate::console::args::{Args, Fault};
use crate::console::edit::Editor;
use crate::console::exec::Action;
use crate::router::config::Config;

/// The meaning of `no COMMAND`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum No {
    /// There is no such form: the command changes no configuration.
    Never,
    /// The handler undoes the command. The line must have this many words of the pattern, and may
    /// have the others.
    After(usize),
}

/// The effect of a command.
#[derive(Clone, Copy)]
pub enum Run {
    /// Changes the configuration or the context.
    Edit(fn(&mut Editor, &Args<'_>) -> Result<(), Fault>),
    /// Shows something or acts on the router.
    Exec(fn(&Args<'_>, &Config) -> Result<Action, Fault>),
    /// Accepted so that pasted configurations load: the command has no meaning for a virtual
    /// router, or it states a default.
    Ignore,
}

/// A command.
#[derive(Clone, Copy)]
pub struct Row {
    /// The modes in which it exists.
    pub modes: &'static [Mode],
    /// Its words, in the notation of [`Pattern`](super::Pattern).
    pub pattern: &'static str,
    /// The help for `?` of each word of the notation.
    pub help: &'static [&'static str],
    /// Its `no` form.
    pub no: No,
    /// Its effect.
    pub run: Run,
}

/// A row that edits the configuration.
pub(super) const fn edit(
    modes: &'static [Mode],
    pattern: &'static str,
    help: &'static [&'static str],
    no: No,
    run: fn(&mut Editor, &Args<'_>) -> Result<(), Fault>,
) -> Row {
    Row { modes, pattern, help, no, run: Run::Edit(run) }
}

/// A prefix of the family required here, with the host bits cleared as IOS does.
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
