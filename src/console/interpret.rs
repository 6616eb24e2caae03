//! Applies lines to a configuration, one at a time: the config file and `configure terminal` do the same.

use super::args::Fault;
use super::edit::Editor;
use super::grammar::{Context, Run};
use super::parse::{Match, Mismatch, match_line};

/// Why a line was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineError {
    /// It is no command.
    Syntax(Mismatch),
    /// It is one, but it cannot be done.
    Semantic(Fault),
}

/// Does one line; after an error the configuration may be half changed.
pub fn apply(editor: &mut Editor, line: &str) -> Result<(), LineError> {
    let (matched, context) = find(&editor.context, line).map_err(LineError::Syntax)?;
    editor.context = context;
    match matched.run {
        Run::Edit(edit) => edit(editor, &matched.args).map_err(LineError::Semantic),
        Run::Ignore => Ok(()),
        Run::Exec(_) => {
            Err(LineError::Semantic(matched.args.fault("", "the command is no configuration")))
        }
    }
}

/// Finds the command that a line is, in `context` or else in one that encloses it, as IOS leaves a
/// mode at the first line that does not belong there.
fn find<'t>(context: &Context, line: &'t str) -> Result<(Match<'t>, Context), Mismatch> {
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
