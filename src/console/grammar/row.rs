//! A command of the grammar: where it may be given, its words, and its effect.

use ipnet::IpNet;

use super::context::Mode;
use crate::addr::Family;
use crate::console::args::{Args, Fault};
use crate::console::edit::Editor;
use crate::console::exec::Action;
use crate::router::config::Config;

/// What `no COMMAND` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum No {
    /// There is none: the command changes no configuration.
    Never,
    /// The handler undoes the command. The first so many words must be given; what follows them
    /// in the pattern may be.
    After(usize),
}

/// What a command does.
#[derive(Clone, Copy)]
pub enum Run {
    /// Changes the configuration or the context.
    Edit(fn(&mut Editor, &Args<'_>) -> Result<(), Fault>),
    /// Shows or does something.
    Exec(fn(&Args<'_>, &Config) -> Result<Action, Fault>),
    /// Accepted so that pasted configurations load: it has no meaning for a virtual router, or it
    /// states a default.
    Ignore,
}

/// A command.
#[derive(Clone, Copy)]
pub struct Row {
    /// Where it may be given.
    pub modes: &'static [Mode],
    /// Its words, in the notation of [`Pattern`](super::Pattern).
    pub pattern: &'static str,
    /// What `?` says of each word of the notation.
    pub help: &'static [&'static str],
    /// Its `no` form.
    pub no: No,
    /// What it does.
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

/// A prefix of the family that the place asks for, host bits cleared as IOS does.
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
