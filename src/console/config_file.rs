//! Reads a config file. If all lines are right, all are applied. If a line is wrong, none is
//! applied and the wrong lines are shown.

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

/// The maximum number of wrong lines that an error lists.
const MOST_PROBLEMS: usize = 20;

/// The maximum number of alternatives after "expected".
const MOST_EXPECTED: usize = 8;

/// The errors of a config file. `Display` shows each wrong line with its number, a caret below the
/// error and the expected words, without colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The name of the file, as given by the caller.
    pub name: String,
    /// The text of the file.
    pub text: String,
    /// The first wrong lines. The list is never empty.
    pub problems: Vec<Problem>,
    /// The number of wrong lines that are not in `problems`.
    pub more: usize,
}

/// A wrong line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The number of the line. The first line has number 1.
    pub line: usize,
    /// The octets of the file that are wrong.
    pub span: Range<usize>,
    /// The error message.
    pub message: String,
    /// The words that are expected at the error. This text may be empty.
    pub expected: String,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl ConfigError {
    /// The text of the errors, in colour if `colour` is true.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut reports: Vec<String> =
            self.problems.iter().map(|p| self.report(&renderer, p)).collect();
        if self.more > 0 {
            reports.push(format!("error: {} more lines are wrong", self.more));
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

/// Reads a whole config file. `name` is the name of the file in error messages.
///
/// Blank lines and lines that begin with `!` have no effect. Indentation does not matter. The line
/// `end` leaves all modes; the lines after it are read too.
pub fn parse_config(name: &str, text: &str) -> Result<Config, ConfigError> {
    let mut reader = Reader::new();
    // The contradictions so far, each with the line that caused it. A later line may still resolve
    // a contradiction.
    let mut contradicting: BTreeMap<String, Problem> = BTreeMap::new();
    let mut problems = Vec::new();
    let mut more = 0;
    // The lines below a wrong line that opens a mode are skipped, because each of them would be
    // wrong too.
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
    // A contradiction may be the effect of a wrong line, so contradictions are reported only if no
    // line is wrong.
    if problems.is_empty() {
        problems.extend(contradicting.into_values().take(MOST_PROBLEMS));
        problems.sort_by_key(|problem| problem.line);
    }
    if problems.is_empty() {
        return Ok(reader.editor.config);
    }
    Err(ConfigError { name: name.to_owned(), text: text.to_owned(), problems, more })
}

/// The configuration that results from the lines so far. A wrong line may change a part of the
/// configuration before its error is found. The reader then returns to its last copy of the
/// configuration and applies the later right lines again. The reader does not make a copy at each
/// line, because a copy at each line would make long files slow.
struct Reader<'a> {
    editor: Editor,
    copy: Editor,
    /// The lines since the last copy. All of them are right.
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
                // The line had no error the first time, so it has no error now.
                let _ = apply(&mut self.copy, line);
            }
            self.editor = self.copy.clone();
        }
        outcome
    }
}

/// Applies a line. `end` leaves all modes, but it does not end the file.
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
            "  database-mapping 10.0.0.0/8 127.0.0.1 priority 1 weight 1",
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
