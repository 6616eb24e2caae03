//! Reads a config file: applies all lines, or shows the wrong ones and applies none.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::contradictions::contradictions;
use super::edit::Editor;
use super::grammar::Context;
use super::interpret::{self, LineError};
use super::parse::Mismatch;
use crate::router::config::Config;

/// The most wrong lines that an error lists.
const MOST_PROBLEMS: usize = 20;

/// The most alternatives that "expected" lists.
const MOST_EXPECTED: usize = 8;

/// The errors of a config file. Its `Display` shows each wrong line with its number, a caret
/// and the expected words, without colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The name of the file, as given by the caller.
    pub name: String,
    /// Its text.
    pub text: String,
    /// The first wrong lines, never empty.
    pub problems: Vec<Problem>,
    /// How many more wrong lines there are.
    pub more: usize,
}

/// A wrong line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its number, from 1.
    pub line: usize,
    /// The octets of the file that are wrong.
    pub span: Range<usize>,
    /// The error.
    pub message: String,
    /// The words expected there; may be empty.
    pub expected: String,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl ConfigError {
    /// The wrong lines, in colour when `colour` is set.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut reports: Vec<String> =
            self.problems.iter().map(|p| self.report(&renderer, p)).collect();
        if self.more > 0 {
            reports.push(format!("error: {} more wrong lines", self.more));
        }
        reports.join("\n\n")
    }

    fn report(&self, renderer: &Renderer, problem: &Problem) -> String {
        let caret = AnnotationKind::Primary.span(problem.span.clone()).label(&problem.expected);
        let source = Snippet::source(&self.text).path(&self.name).annotation(caret);
        let title = Level::ERROR.primary_title(&problem.message);
        renderer.render(&[title.element(source)])
    }
}

/// Reads a whole config file. `name` is its name in errors.
///
/// Blank lines and lines that begin with `!` have no effect. Indentation does not matter. `end`
/// ends a block of modes, but not the file.
pub fn parse_config(name: &str, text: &str) -> Result<Config, ConfigError> {
    let mut reader = Reader::new();
    // The line that introduced each contradiction; a later line may still resolve the
    // contradiction.
    let mut contradicting: BTreeMap<String, Problem> = BTreeMap::new();
    let mut problems = Vec::new();
    let mut more = 0;
    // Lines below a wrong line that opens a mode would all be wrong too; they are skipped.
    let mut skip_deeper_than: Option<usize> = None;
    let mut start = 0;
    for (index, raw) in text.split_inclusive('\n').enumerate() {
        let line_start = start;
        start += raw.len();
        let line = raw.trim_end();
        let indent = line.len() - line.trim_start().len();
        if line.trim_start().is_empty() || line.trim_start().starts_with('!') {
            continue;
        }
        if skip_deeper_than.is_some_and(|depth| indent > depth) {
            continue;
        }
        skip_deeper_than = None;
        let Err(error) = reader.take(line) else {
            let found = contradictions(&reader.editor.config);
            contradicting.retain(|message, _| found.contains(message));
            for message in found {
                let blame = || whole_line(index + 1, line_start, line, message.clone());
                contradicting.entry(message.clone()).or_insert_with(blame);
            }
            continue;
        };
        skip_deeper_than = Some(indent);
        if problems.len() < MOST_PROBLEMS {
            problems.push(problem(index + 1, line_start, line, error));
        } else {
            more += 1;
        }
    }
    // Contradictions may be effects of wrong lines, so they are reported only if no line is wrong.
    if problems.is_empty() {
        problems.extend(contradicting.into_values().take(MOST_PROBLEMS));
        problems.sort_by_key(|problem| problem.line);
    }
    if problems.is_empty() {
        return Ok(reader.editor.config);
    }
    Err(ConfigError { name: name.to_owned(), text: text.to_owned(), problems, more })
}

/// The configuration made by the lines so far. A wrong line may have been applied in part. Then the
/// right lines are applied again to the last copy. A new copy at each line would make long files
/// slow.
struct Reader<'a> {
    editor: Editor,
    copy: Editor,
    /// The lines since the last copy, all of them right.
    since: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    fn new() -> Self {
        let editor = Editor::new(Config::default());
        Reader { copy: editor.clone(), editor, since: Vec::new() }
    }

    /// Applies a line. If the line is wrong, returns the reason and leaves the configuration as it
    /// was.
    fn take(&mut self, line: &'a str) -> Result<(), LineError> {
        let outcome = apply(&mut self.editor, line);
        if outcome.is_ok() {
            self.since.push(line);
        } else {
            for line in self.since.drain(..) {
                // The line was right before, so it is right again.
                let _ = apply(&mut self.copy, line);
            }
            self.editor = self.copy.clone();
        }
        outcome
    }
}

/// Applies a line; `end` ends a block of modes, but not the file.
fn apply(editor: &mut Editor, line: &str) -> Result<(), LineError> {
    interpret::apply(editor, line)?;
    if editor.context == Context::Exec {
        editor.context = Context::Config;
    }
    Ok(())
}

fn problem(number: usize, start: usize, line: &str, error: LineError) -> Problem {
    let (span, message, expected) = match error {
        LineError::Syntax(Mismatch::Invalid { span, expected, .. }) => {
            (span, "invalid input".to_owned(), one_of(&expected))
        }
        LineError::Syntax(Mismatch::Ambiguous { span, candidates }) => {
            (span, "ambiguous command".to_owned(), one_of(&candidates))
        }
        LineError::Syntax(Mismatch::Incomplete { expected }) => {
            (line.len()..line.len(), "incomplete command".to_owned(), one_of(&expected))
        }
        LineError::Semantic(fault) => (fault.span, fault.message, String::new()),
    };
    let indent = line.len() - line.trim_start().len();
    let from = span.start.max(indent);
    Problem { line: number, span: start + from..start + span.end.max(from), message, expected }
}

fn whole_line(number: usize, start: usize, line: &str, message: String) -> Problem {
    let indent = line.len() - line.trim_start().len();
    let span = start + indent..start + line.len();
    Problem { line: number, span, message, expected: String::new() }
}

fn one_of(expected: &[String]) -> String {
    let named: Vec<&str> = expected.iter().take(MOST_EXPECTED).map(String::as_str).collect();
    let rest = if expected.len() > MOST_EXPECTED { ", ..." } else { "" };
    match named.as_slice() {
        [] => String::new(),
        [only] => format!("expected {only}"),
        several => format!("expected one of {}{rest}", several.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_line_leaves_what_the_others_have_made_and_its_mode() {
        let right = [
            "router lisp",
            " eid-table default instance-id 0",
            "  map-cache 10.0.0.0/8 map-request",
        ];
        let wrong = [
            "  database-mapping 10.0.0.0/8 locator-set nowhere",
            "  database-mapping 10.0.0.1/8 locator-set",
            "ip address",
        ];
        let (mut reader, mut alone) = (Reader::new(), Reader::new());
        for line in right {
            assert!(reader.take(line).is_ok() && alone.take(line).is_ok(), "{line}");
            for line in wrong {
                assert!(reader.take(line).is_err(), "{line}");
            }
            assert_eq!(reader.editor.config, alone.editor.config, "{line}");
            assert_eq!(reader.editor.context, alone.editor.context, "{line}");
        }
    }
}
