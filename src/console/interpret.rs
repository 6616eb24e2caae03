//! Applies single lines to a configuration. The config file and `configure terminal` use this
//! module.

use super::args::Fault;
use super::edit::Editor;
use super::grammar::{Context, Run};
use super::parse::{Match, Mismatch, match_line};

/// The reason why a line was not applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineError {
    /// The line is not a command.
    Syntax(Mismatch),
    /// The line is a command, but it cannot be carried out.
    Semantic(Fault),
}

/// Applies one line. After an error, a part of the line may have changed the configuration.
pub fn apply(editor: &mut Editor, line: &str) -> Result<(), LineError> {
    let (matched, context) = find(&editor.context, line).map_err(LineError::Syntax)?;
    editor.context = context;
    match matched.run {
        Run::Edit(edit) => edit(editor, &matched.args).map_err(LineError::Semantic),
        Run::Ignore => Ok(()),
        Run::Exec(_) => {
            Err(LineError::Semantic(matched.args.fault("", "this is not a configuration command")))
        }
    }
}

/// Finds the command for a line in `context`. If `context` has no such command, the outer contexts
/// are searched, because IOS leaves a mode at the first line that does not belong to the mode.
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
