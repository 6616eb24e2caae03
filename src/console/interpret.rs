//! Carries out single lines of a configuration. The reader of config files and `configure terminal`
//! use this module.
//!
//! A line is carried out, accepted, skipped or refused:
//!
//! - If a command of the [grammar](super::grammar) fits the line, the line changes the
//!   configuration.
//! - If the table of [accepted lines](super::grammar::ACCEPTED) contains the line, the line is
//!   ignored or kept as a comment.
//! - If the line belongs to the [block](super::blocks) of a refused line, the line is skipped.
//! - Any other line is refused.
//!
//! A comment may follow a command. The comment begins with a blank and `!`.

use super::args::Fault;
use super::blocks::{Blocks, Step};
use super::edit::Editor;
use super::grammar::{Accepted, Context, Extent, Mode, Run, Treatment, opened};
use super::parse::{Match, Mismatch, match_accepted, match_line, match_mode};
use crate::addr::Family;
use crate::router::unsupported::Place;

/// The reason why a line was not applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineError {
    /// The line is not a command.
    Syntax(Mismatch),
    /// The line is a command, but it cannot be carried out.
    Semantic(Fault),
}

/// The result for a line, if the line is not refused.
#[derive(Clone, Debug)]
pub enum Taken {
    /// The command was carried out.
    Applied,
    /// The line has no effect: a comment, the end of a block, or a line of an ignored block.
    Nothing,
    /// The line is accepted, but it is not carried out.
    Accepted(&'static Accepted),
    /// The line is kept as a comment, for one of two reasons. Either the line belongs to the block
    /// of a kept line, or the line is a comment `! not supported: LINE` from `show running-config`.
    Kept(Place, Keep),
    /// The line is skipped, because it belongs to the block of a refused line. The value is the
    /// refused line.
    Skipped(String),
    /// The editor is in exec mode, so the line may be an exec command. The line does not belong to
    /// a block that is skipped.
    Exec,
}

/// A line that the configuration keeps as a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    /// The opener of the block, if `line` belongs to the block of another kept line. `None` if
    /// `line` belongs to no block.
    pub opener: Option<String>,
    /// The kept line.
    pub line: String,
}

/// Carries out, accepts, skips or refuses one line. After an error, a part of the configuration may
/// have changed, but the mode has not changed. The list of open blocks is correct also after an
/// error.
pub fn take(editor: &mut Editor, blocks: &mut Blocks, line: &str) -> Result<Taken, LineError> {
    match blocks.step(&editor.context, line) {
        Step::Nothing => Ok(Taken::Nothing),
        Step::Skipped { opener } => Ok(Taken::Skipped(opener)),
        Step::Kept { place, opener, line } => {
            Ok(keep(editor, place, Keep { opener: Some(opener), line }))
        }
        Step::Comment { line } => {
            let opener = blocks.kept_opener(&line);
            Ok(match place(&editor.context) {
                Some((place, _)) => keep(editor, place, Keep { opener, line }),
                None => Taken::Nothing,
            })
        }
        Step::Outside if editor.context == Context::Exec => Ok(Taken::Exec),
        Step::Outside => take_outside(editor, blocks, line),
    }
}

/// Carries out, accepts or refuses a line that belongs to no open block. An open block is a block
/// whose opener was refused, ignored or kept.
fn take_outside(editor: &mut Editor, blocks: &mut Blocks, line: &str) -> Result<Taken, LineError> {
    let before = editor.context.clone();
    let mismatch = match apply(editor, line) {
        Ok(()) => {
            let mut outer = std::iter::successors(Some(before), Context::outer);
            let opens = outer.all(|context| context != editor.context);
            blocks.applied(line, opens);
            return Ok(Taken::Applied);
        }
        Err(LineError::Syntax(mismatch)) => mismatch,
        Err(fault) => {
            editor.context = before;
            blocks.refused(&editor.context, line);
            return Err(fault);
        }
    };
    if matches!(mismatch, Mismatch::Invalid { .. })
        && let Some((row, context, negated)) = find_accepted(&before, line)
    {
        editor.context = context;
        return Ok(accept(editor, blocks, row, line, negated));
    }
    blocks.refused(&before, line);
    Err(LineError::Syntax(mismatch))
}

/// Carries out a command of the grammar, without regard to blocks.
pub fn apply(editor: &mut Editor, line: &str) -> Result<(), LineError> {
    let (matched, context) = find(&editor.context, line)
        .or_else(|mismatch| {
            let command = before_comment(line).ok_or_else(|| mismatch.clone())?;
            find(&editor.context, command).map_err(|_| mismatch)
        })
        .map_err(LineError::Syntax)?;
    editor.context = context;
    match matched.run {
        Run::Edit(edit) => edit(editor, &matched.args).map_err(LineError::Semantic)?,
        Run::Accept(_) => {}
        Run::Exec(_) => {
            let fault = matched.args.fault("", "this is not a configuration command");
            return Err(LineError::Semantic(fault));
        }
    }
    if matched.args.negated {
        editor.config.remove_orphaned_lines();
    }
    Ok(())
}

/// If a comment follows the command in a line, returns the part before the comment. The comment
/// begins with ` !`. If the line has no comment, returns `None`.
fn before_comment(line: &str) -> Option<&str> {
    let (command, _) = line.split_once(" !")?;
    (!command.trim().is_empty()).then_some(command)
}

/// Stores a line as a comment in the configuration, at `place`.
pub fn keep(editor: &mut Editor, place: Place, keep: Keep) -> Taken {
    let unsupported = &mut editor.config.unsupported;
    match &keep.opener {
        Some(opener) => unsupported.add_below(place.clone(), opener, &keep.line),
        None => unsupported.add(place.clone(), &keep.line),
    }
    Taken::Kept(place, keep)
}

/// Accepts a line of the table of accepted lines. A line `no LINE` removes the kept line `LINE`. If
/// the configuration has no kept line `LINE`, it keeps the text `no LINE` as a comment.
pub fn accept(
    editor: &mut Editor,
    blocks: &mut Blocks,
    row: &'static Accepted,
    line: &str,
    negated: bool,
) -> Taken {
    if row.treatment != Treatment::Kept {
        if !negated {
            blocks.accepted(row, line, None);
        }
        // The router does not have the function of an ignored line. So the `no` form of this line
        // changes nothing, and the user needs no warning.
        let is_told = row.treatment == Treatment::Ignored && !negated;
        return if is_told { Taken::Accepted(row) } else { Taken::Nothing };
    }
    let (place, family) = place(&editor.context).unwrap_or_else(|| {
        // A line of the old style stands in the global configuration, but it belongs to LISP.
        editor.lisp();
        (Place::Lisp, None)
    });
    let positive = after_no(line, negated);
    let of_family =
        family.map_or_else(String::new, |f| format!("{} ", f.to_string().to_lowercase()));
    let text = format!("{of_family}{positive}");
    let opposite = format!("no {text}");
    let unsupported = &mut editor.config.unsupported;
    if !negated {
        unsupported.remove(&place, &opposite);
        unsupported.add(place.clone(), &text);
        blocks.accepted(row, &line.replace(line.trim(), &text), Some(place));
        return Taken::Accepted(row);
    }
    let was_kept = unsupported.remove(&place, &text);
    if was_kept || line.trim_start().starts_with("default") {
        unsupported.remove(&place, &opposite);
        return Taken::Nothing;
    }
    unsupported.add(place, &opposite);
    Taken::Accepted(row)
}

/// Whether a line begins with `no` or `default`.
pub fn is_negated(line: &str) -> bool {
    let first = line.split_whitespace().next();
    first.is_some_and(|word| ["no", "default"].iter().any(|no| no.eq_ignore_ascii_case(word)))
}

/// Returns the line without its first word, if `negated` is true.
fn after_no(line: &str, negated: bool) -> &str {
    let line = line.trim();
    match line.split_once(char::is_whitespace) {
        Some((_, rest)) if negated => rest.trim_start(),
        _ => line,
    }
}

/// Whether a line belongs to a configuration: it is a line of the global configuration, or it opens
/// a mode.
pub fn is_configuration(line: &str) -> bool {
    let (mode, line) = (Mode::Config, line.trim());
    let is_command = match_mode(mode, line).is_ok() || match_accepted(mode, line).is_some();
    // A user may type `exit` and `end` in exec mode, so these words do not show that the line
    // belongs to a configuration.
    (is_command || opened(mode, line).is_some()) && !matches!(line, "end" | "exit")
}

/// The warning about an accepted line. It states the reason why the router does not carry out the
/// line.
pub fn warning(line: &str, row: &Accepted) -> String {
    let line = line.trim();
    let block = if matches!(row.extent, Extent::Line) { "" } else { " with its block" };
    let reason = row.reason;
    match row.treatment {
        Treatment::Kept => {
            format!("`{line}` is not supported and is kept as a comment{block}: {reason}")
        }
        _ => format!("`{line}` has no meaning in a LISP lab and is ignored{block}: {reason}"),
    }
}

/// The place where the lines of a mode are kept as comments. For a mode inside a `service` block,
/// the result also has the family of the service. The comment stands outside of the block, so it
/// must name this family.
fn place(context: &Context) -> Option<(Place, Option<Family>)> {
    Some(match context {
        Context::Exec
        | Context::Config
        | Context::Line { .. }
        | Context::Vrf(_)
        | Context::VrfFamily(..) => return None,
        Context::Interface(name) => (Place::Interface(*name), None),
        Context::Lisp => (Place::Lisp, None),
        Context::LocatorSet(name) => (Place::LocatorSet(name.clone()), None),
        Context::Site(name) => (Place::Site(name.clone()), None),
        Context::EidTable(id) | Context::Instance(id) => (Place::EidTable(*id), None),
        Context::Service(family) => (Place::Lisp, Some(*family)),
        Context::InstanceService(id, family) => (Place::EidTable(*id), Some(*family)),
        Context::DynamicEid { name, .. } => {
            (Place::DynamicEid(context.instance()?, name.clone()), None)
        }
    })
}

/// Finds the command for a line in `context`. If `context` has no command for the line, searches
/// the outer contexts. IOS also leaves a mode at the first line that does not belong to the mode.
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

/// Finds the row for a line in the table of accepted lines, for `context` or one of its outer
/// contexts. If several rows fit, the result is the row with the largest number of words. If
/// several of these rows have the same number of words, the result is the row of the innermost
/// context. The last value is true if the line begins with `no` or `default`.
fn find_accepted(context: &Context, line: &str) -> Option<(&'static Accepted, Context, bool)> {
    let contexts = std::iter::successors(Some(context.clone()), Context::outer);
    let mut best: Option<(usize, &'static Accepted, Context, bool)> = None;
    for here in contexts {
        let Some(Match { run: Run::Accept(row), args }) = match_accepted(here.mode(), line) else {
            continue;
        };
        let words = args.keywords();
        if best.as_ref().is_none_or(|(most, ..)| words > *most) {
            best = Some((words, row, here, args.negated));
        }
    }
    best.map(|(_, row, context, negated)| (row, context, negated))
}
