//! The lines of a config file that the router does not carry out, and the reasons.

use std::fmt;
use std::fmt::Write;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use schemars::JsonSchema;
use serde::Serialize;

/// The maximum number of problems that a report keeps.
const MOST_PROBLEMS: usize = 1000;

/// The kind of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "ConfigProblemKind")]
pub enum ProblemKind {
    /// The line is wrong. The router applies neither the line nor the lines of its block.
    Refused,
    /// The line contradicts another line, or names an object that no other line defines.
    Contradiction,
    /// The line is about a function of LISP that the router does not have. The line is kept as a
    /// comment.
    NotSupported,
    /// The line has no meaning in a LISP lab. It is ignored.
    Ignored,
    /// The line is carried out, but there is a warning about it.
    Warning,
}

/// A line that is not carried out, or a warning about a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ConfigProblem")]
pub struct Problem {
    /// The kind of the problem.
    pub kind: ProblemKind,
    /// The number of the line. The first line has number 1.
    pub line: usize,
    /// The number of the first wrong character of the line. The first character has number 1.
    pub column: usize,
    /// The line.
    pub text: String,
    /// The number of octets of the file before the line.
    #[serde(skip)]
    pub start: usize,
    /// The positions of the wrong octets in the line.
    pub span: Range<usize>,
    /// The mode in which the line stands. The text is the name of the mode in the prompt, for
    /// example `config-router-lisp`.
    pub mode: String,
    /// The error message.
    pub message: String,
    /// The words that are expected at the error. This text may be empty.
    pub expected: String,
    /// The number of lines that are skipped, because they belong to the block of this line.
    pub skipped: usize,
}

/// The result of the check of a configuration file, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ConfigCheck")]
pub struct FileCheck {
    /// The path of the file.
    pub file: String,
    /// The reason why the file cannot be read. Absent if it was read.
    pub error: Option<String>,
    /// The lines that a router would not carry out, and the lines with a warning.
    pub problems: Vec<Problem>,
    /// The number of problems that are not in `problems`, because this list is full.
    pub more: usize,
}

impl Problem {
    /// The positions of the wrong octets in the file.
    pub fn span_in_file(&self) -> Range<usize> {
        self.start + self.span.start..self.start + self.span.end
    }

    /// The message, and the number of skipped lines if there are any.
    pub fn sentence(&self) -> String {
        let mut sentence = self.message.clone();
        match self.skipped {
            0 => {}
            1 => sentence += "; the line in the block of this line is skipped",
            lines => write!(sentence, "; the {lines} lines in the block of this line are skipped")
                .expect("a String takes everything"),
        }
        sentence
    }

    fn render(&self, name: &str, renderer: &Renderer) -> String {
        let caret = AnnotationKind::Primary.span(self.span.clone()).label(&self.expected);
        let source = Snippet::source(&self.text).line_start(self.line).path(name).annotation(caret);
        let level = if self.kind == ProblemKind::Refused { Level::ERROR } else { Level::WARNING };
        let sentence = self.sentence();
        let title = level.primary_title(&sentence);
        let mode = format!("the line stands in the mode `{}`", self.mode);
        renderer.render(&[title.element(source).element(Level::NOTE.message(&mode))])
    }
}

/// All problems of a config file. `Display` prints the report without colour. For each line, it
/// prints the number of the line, a caret below the error, and the expected words. One warning
/// names all ignored lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The name of the file, as given by the caller.
    pub name: String,
    /// The first problems, in the order of the lines.
    pub problems: Vec<Problem>,
    /// The number of problems that are not in `problems`, because this list is full.
    pub more: usize,
    /// Whether a line was refused.
    has_refused: bool,
    /// Whether the latest refused line is in `problems`.
    is_listed: bool,
}

impl std::error::Error for Report {}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl Report {
    pub(super) fn new(name: &str) -> Self {
        Report {
            name: name.to_owned(),
            problems: Vec::new(),
            more: 0,
            has_refused: false,
            is_listed: false,
        }
    }

    pub(super) fn add(&mut self, mut problem: Problem) {
        let before = problem.text.get(..problem.span.start);
        problem.column = before.map_or(0, |before| before.chars().count()) + 1;
        let is_refused = problem.kind == ProblemKind::Refused;
        let is_listed = self.problems.len() < MOST_PROBLEMS;
        self.has_refused |= is_refused;
        if is_refused {
            self.is_listed = is_listed;
        }
        if is_listed {
            self.problems.push(problem);
        } else {
            self.more += 1;
        }
    }

    /// Adds 1 to the number of skipped lines of the latest refused line. The skipped line belongs
    /// to the block of this refused line.
    pub(super) fn skipped(&mut self) {
        let mut problems = self.problems.iter_mut().rev();
        if self.is_listed
            && let Some(last) = problems.find(|problem| problem.kind == ProblemKind::Refused)
        {
            last.skipped += 1;
        }
    }

    pub(super) fn sort(&mut self) {
        self.problems.sort_by_key(|problem| problem.line);
    }

    /// Whether a line of the file was refused.
    pub fn is_refused(&self) -> bool {
        self.has_refused
    }

    /// Whether the file has no problem.
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// All problems except the ignored lines. An ignored line has no meaning in a LISP lab.
    pub fn matter(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.kind != ProblemKind::Ignored)
    }

    /// The text of the problems, in colour if `colour` is true.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut reports: Vec<String> =
            self.matter().map(|problem| problem.render(&self.name, &renderer)).collect();
        reports.extend(self.ignored());
        if self.more > 0 {
            reports.push(format!("error: {} more lines are wrong", self.more));
        }
        reports.join("\n\n")
    }

    /// The warning that names all lines that have no meaning in a LISP lab.
    fn ignored(&self) -> Option<String> {
        let ignored = || self.problems.iter().filter(|it| it.kind == ProblemKind::Ignored);
        let mut text = match ignored().count() {
            0 => return None,
            1 => "warning: this line has no meaning in a LISP lab and is ignored".to_owned(),
            lines => {
                format!(
                    "warning: these {lines} lines have no meaning in a LISP lab and are ignored"
                )
            }
        };
        let width = ignored().next_back()?.line.to_string().len();
        write!(text, "\n{:width$}--> {}", "", self.name).ok()?;
        for problem in ignored() {
            write!(text, "\n{:width$} | {}", problem.line, problem.text).ok()?;
        }
        Some(text)
    }

    /// A line of text for each problem, for a log. One line of text names all lines that have no
    /// meaning in a LISP lab.
    pub fn log_lines(&self) -> Vec<String> {
        let name = &self.name;
        let mut lines: Vec<String> = self
            .matter()
            .map(|problem| {
                let line = problem.text.trim();
                let (number, sentence) = (problem.line, problem.sentence());
                match problem.kind {
                    ProblemKind::Refused => {
                        let expected = &problem.expected;
                        let expected = if expected.is_empty() {
                            String::new()
                        } else {
                            format!(", {expected}")
                        };
                        format!("{name}:{number}: `{line}` is not applied: {sentence}{expected}")
                    }
                    _ => format!("{name}:{number}: {sentence}"),
                }
            })
            .collect();
        let ignored = self.problems.iter().filter(|it| it.kind == ProblemKind::Ignored);
        let ignored: Vec<String> =
            ignored.map(|it| format!("`{}` ({})", it.text.trim(), it.line)).collect();
        if !ignored.is_empty() {
            let named = ignored.join(", ");
            lines.push(format!(
                "{name}: these lines have no meaning in a LISP lab and are ignored: {named}"
            ));
        }
        lines
    }
}
