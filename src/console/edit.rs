//! Changes a configuration, one line at a time: what the config file and `configure terminal`
//! have in common.

use super::args::Fault;
use super::grammar::{Context, Run};
use super::parse::{Match, Mismatch, match_line};
use crate::router::config::{Config, Lisp};

/// A configuration that is being written, and the place in it where the next line belongs.
#[derive(Clone, Debug)]
pub struct Editor {
    /// What has been configured so far.
    pub config: Config,
    /// Where the next line belongs.
    pub context: Context,
}

/// Why a line was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineError {
    /// It is no command.
    Syntax(Mismatch),
    /// It is one, but it cannot be done.
    Semantic(Fault),
}

impl Editor {
    /// Goes on with `config` at the top level.
    pub fn new(config: Config) -> Self {
        Editor { config, context: Context::Config }
    }

    /// The `router lisp` that is being configured.
    pub fn lisp(&mut self) -> &mut Lisp {
        self.config.lisp.get_or_insert_default()
    }

    /// Does one line; after an error the configuration may be half changed.
    pub fn apply(&mut self, line: &str) -> Result<(), LineError> {
        let (matched, context) = find(&self.context, line).map_err(LineError::Syntax)?;
        self.context = context;
        match matched.run {
            Run::Edit(edit) => edit(self, &matched.args).map_err(LineError::Semantic),
            Run::Ignore => Ok(()),
            Run::Exec(_) => {
                Err(LineError::Semantic(matched.args.fault("", "the command is no configuration")))
            }
        }
    }
}

/// Finds the command that a line is, in `context` or else in one that encloses it, as IOS leaves a
/// mode at the first line that does not belong there.
pub fn find<'t>(context: &Context, line: &'t str) -> Result<(Match<'t>, Context), Mismatch> {
    let mut here = context.clone();
    let mut best: Option<Mismatch> = None;
    loop {
        match match_line(&here, line) {
            Ok(matched) => return Ok((matched, here)),
            Err(mismatch) if best.as_ref().is_none_or(|b| mismatch.progress() > b.progress()) => {
                best = Some(mismatch);
            }
            Err(_) => {}
        }
        match here.outer() {
            Some(outer) if outer != Context::Exec => here = outer,
            _ => break,
        }
    }
    Err(best.unwrap_or(Mismatch::Incomplete { expected: Vec::new() }))
}
