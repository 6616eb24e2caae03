//! Reads the text of a lesson. An error has the file, the line and a caret, as for scenarios.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use super::{Check, Lesson, Task};
use crate::lab::failure::Failure;
use crate::lab::file::{LabError, LabFile, Span};
use crate::lab::scenario::parse::Beside;
use crate::lab::scenario::{Action, Part, Scenario, Step, parse_part};

/// The end of the file name of a lesson.
pub const ENDING: &str = ".lesson";
/// The blocks of a lesson, for messages.
const BLOCKS: &str = "`lab`, `begin`, `hint`, `answer` and `check`";

/// Reads a lesson for `lab`. `path` is the path of the lesson in errors. `beside` reads included
/// files.
///
/// # Errors
/// A missing title or task, a block in the wrong place, or an error in a statement. Each error has
/// its file, line and position.
pub fn parse(
    path: &str,
    text: &str,
    lab: &LabFile,
    beside: &Beside<'_>,
) -> Result<Lesson, LabError> {
    let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy();
    let sources = RefCell::new(BTreeMap::from([(name.to_string(), text.to_owned())]));
    let kept = |file: &str| {
        let included = beside(file)?;
        sources.borrow_mut().insert(file.to_owned(), included.clone());
        Ok(included)
    };
    let mut reader = Reader { path, text, lines: lines(text), at: 0, lab, beside: &kept };
    let (title, prose, setup, tasks) = reader.lesson()?;
    let name = name.strip_suffix(ENDING).unwrap_or(&name).to_owned();
    let path = path.to_owned();
    let sources = sources.take();
    Ok(Lesson { name, path, title, prose, setup, tasks, sources })
}

/// A line of the file without the line end, and its position in the text.
#[derive(Clone, Copy, Debug)]
struct Line<'a> {
    start: usize,
    text: &'a str,
}

impl Line<'_> {
    /// The position of the line without the blanks around it.
    fn span(&self) -> Span {
        let start = self.start + self.text.len() - self.text.trim_start().len();
        start..start + self.text.trim().len()
    }
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    let line = |line| {
        let this = Line { start, text: str::trim_end(line) };
        start += line.len();
        this
    };
    text.split_inclusive('\n').map(line).collect()
}

/// A piece of a lesson.
enum Piece<'a> {
    /// A heading: the number of `#`, and its text.
    Heading(usize, &'a str),
    /// Text for the student.
    Prose(String),
    /// A block: its kind, and the numbers of its first line and of the line after its last line,
    /// counted from 0.
    Block(&'a str, std::ops::Range<usize>),
}

/// The lines of a lesson, one after the other.
struct Reader<'a> {
    path: &'a str,
    text: &'a str,
    lines: Vec<Line<'a>>,
    /// The number of lines that were read.
    at: usize,
    lab: &'a LabFile,
    beside: &'a Beside<'a>,
}

impl<'a> Reader<'a> {
    fn fault(&self, span: Span, message: impl Into<String>) -> LabError {
        LabError::new(self.path, self.text, Some(span), message, "")
    }

    /// Makes an error at a line, counted from 0. If the file does not have this line, the error is
    /// at the end of the text.
    fn fault_at(&self, line: usize, message: impl Into<String>) -> LabError {
        let end = self.text.len();
        self.fault(self.lines.get(line).map_or(end..end, Line::span), message)
    }

    fn lesson(&mut self) -> Result<(String, String, Scenario, Vec<Task>), LabError> {
        while self.lines.get(self.at).is_some_and(|line| line.text.trim().is_empty()) {
            self.at += 1;
        }
        let first = self.at;
        let title = match self.piece()? {
            Some(Piece::Heading(1, title)) => title.to_owned(),
            _ => return Err(self.fault_at(first, "a lesson begins with its title: `# TITLE`")),
        };
        let (mut prose, mut setup) = (String::new(), None);
        let mut tasks: Vec<Open> = Vec::new();
        loop {
            let line = self.at;
            let Some(piece) = self.piece()? else { break };
            match (piece, tasks.last_mut()) {
                (Piece::Heading(1, _), _) => {
                    let message = "a lesson has one title: write `## TITLE` for a task";
                    return Err(self.fault_at(line, message));
                }
                (Piece::Heading(_, title), last) => {
                    last.map(|task| task.expect_complete(self)).transpose()?;
                    let title = title.to_owned();
                    let task = Task { line: line + 1, title, ..Task::default() };
                    tasks.push(Open { line, task, seen: Vec::new() });
                }
                (Piece::Prose(text), None) => prose.push_str(&text),
                (Piece::Prose(text), Some(open)) => open.task.text.push_str(&text),
                (Piece::Block("lab", lines), None) if setup.is_none() => {
                    setup = Some(self.setup(lines)?);
                }
                (Piece::Block("lab", _), None) => {
                    return Err(self.fault_at(line, "a lesson can have only one block `lab`"));
                }
                (Piece::Block("lab", _), Some(_)) => {
                    return Err(self.fault_at(line, "the block `lab` stands before the first task"));
                }
                (Piece::Block(kind, _), None) => {
                    let message = format!("the block `{kind}` belongs to a task: `## TITLE`");
                    return Err(self.fault_at(line, message));
                }
                (Piece::Block(kind, lines), Some(open)) => self.block(open, kind, line, lines)?,
            }
        }
        match tasks.last() {
            Some(task) => task.expect_complete(self)?,
            None => {
                let message = "a lesson has at least one task: `## TITLE`";
                return Err(self.fault_at(self.lines.len(), message));
            }
        }
        let setup = setup.unwrap_or_default();
        let tasks = tasks.into_iter().map(|open| open.finished()).collect();
        Ok((title, prose.trim().to_owned(), setup, tasks))
    }

    /// Reads the next piece. Returns `None` at the end of the file.
    fn piece(&mut self) -> Result<Option<Piece<'a>>, LabError> {
        let number = self.at;
        let Some(&line) = self.lines.get(number) else { return Ok(None) };
        self.at += 1;
        if let Some(heading) = self.heading(number, line)? {
            return Ok(Some(heading));
        }
        let Some((fence, kind)) = fence(line.text) else {
            return Ok(Some(Piece::Prose(format!("{}\n", line.text))));
        };
        let is_end = |line: &Line<'_>| {
            let text = line.text.trim();
            text.len() >= fence && text.bytes().all(|octet| octet == b'`')
        };
        let Some(length) = self.lines[self.at..].iter().position(is_end) else {
            let message =
                format!("this block has no end: a line with {} is missing", "`".repeat(fence));
            return Err(self.fault(line.span(), message));
        };
        let inside = self.at..self.at + length;
        self.at += length + 1;
        match kind {
            "lab" | "begin" | "hint" | "answer" | "check" => Ok(Some(Piece::Block(kind, inside))),
            "" | "text" => {
                let example = self.lines[number..self.at].iter().map(|line| line.text);
                Ok(Some(Piece::Prose(example.flat_map(|line| [line, "\n"]).collect())))
            }
            _ => {
                let message = format!(
                    "there is no block `{kind}`; the blocks are {BLOCKS}, and ``` or ```text begins \
                     an example"
                );
                Err(self.fault(line.span(), message))
            }
        }
    }

    /// Reads a heading of a lesson or of a task. A deeper heading is prose.
    fn heading(&self, number: usize, line: Line<'a>) -> Result<Option<Piece<'a>>, LabError> {
        let rest = line.text.trim_start_matches('#');
        let level = line.text.len() - rest.len();
        match (level, rest.trim()) {
            (0, _) | (3.., _) => Ok(None),
            (_, "") => Err(self.fault_at(number, "the heading has no text")),
            _ if !rest.starts_with(char::is_whitespace) => {
                Err(self.fault_at(number, "a blank must follow the `#` of a heading"))
            }
            (_, title) => Ok(Some(Piece::Heading(level, title))),
        }
    }

    fn block(
        &self,
        open: &mut Open,
        kind: &'a str,
        line: usize,
        lines: std::ops::Range<usize>,
    ) -> Result<(), LabError> {
        if kind != "hint" && open.seen.iter().any(|seen| seen == kind) {
            return Err(self.fault_at(line, format!("a task can have only one block `{kind}`")));
        }
        open.seen.push(kind.to_owned());
        let task = &mut open.task;
        match kind {
            "hint" => {
                let text: Vec<&str> = self.lines[lines].iter().map(|line| line.text).collect();
                let text = text.join("\n").trim().to_owned();
                if text.is_empty() {
                    return Err(self.fault_at(line, "this hint is empty"));
                }
                task.hints.push(text);
            }
            "begin" => task.begin = self.steps(lines)?,
            "answer" => task.answer = self.commands(&self.steps(lines.clone())?, lines.end),
            _ => {
                let steps = self.steps(lines)?;
                task.checks =
                    steps.into_iter().map(|step| self.check(step)).collect::<Result<_, _>>()?;
            }
        }
        let is_empty = match kind {
            "answer" => task.answer.is_empty(),
            "check" => task.checks.is_empty(),
            _ => false,
        };
        match is_empty {
            true => Err(self.fault_at(line, format!("the block `{kind}` has no statement"))),
            false => Ok(()),
        }
    }

    /// Reads the statements of the block `lab`.
    fn setup(&self, lines: std::ops::Range<usize>) -> Result<Scenario, LabError> {
        self.expect_no(
            &["title", "middle"],
            lines.clone(),
            "the title of a lesson is its heading",
        )?;
        parse_part(self.path, self.text, self.part(&lines), self.lab, self.beside)
    }

    /// Reads the statements of a block of a task.
    fn steps(&self, lines: std::ops::Range<usize>) -> Result<Vec<Step>, LabError> {
        let message = "this statement is possible only in the block `lab`";
        self.expect_no(&["overlay", "include", "only"], lines.clone(), message)?;
        let impossible = "this statement is not possible in a lesson";
        self.expect_no(&["title", "middle"], lines.clone(), impossible)?;
        let none = |_: &str| Err(Failure::new("only the block `lab` can include a file"));
        let part = self.part(&lines);
        Ok(parse_part(self.path, self.text, part, self.lab, &none)?.steps)
    }

    fn part(&self, lines: &std::ops::Range<usize>) -> Part {
        let start = |line: usize| self.lines.get(line).map_or(self.text.len(), |line| line.start);
        Part { octets: start(lines.start)..start(lines.end), line: lines.start }
    }

    /// Returns an error if a line begins with one of these words.
    fn expect_no(
        &self,
        words: &[&str],
        mut lines: std::ops::Range<usize>,
        message: &str,
    ) -> Result<(), LabError> {
        let begins = |line: &usize| {
            let first = self.lines[*line].text.split_whitespace().next();
            first.is_some_and(|word| words.contains(&word))
        };
        lines.find(begins).map_or(Ok(()), |line| Err(self.fault_at(line, message)))
    }

    /// Returns the text of each statement, with all its lines. `end` is the number of the line
    /// after the last statement, counted from 0.
    fn commands(&self, steps: &[Step], end: usize) -> Vec<String> {
        let next = steps.iter().skip(1).map(|step| step.line - 1).chain([end]);
        let command = |(step, next): (&Step, usize)| {
            let lines: Vec<&str> = self.lines[step.line - 1..next].iter().map(|l| l.text).collect();
            let is_said = |line: &&&str| {
                let line = line.trim();
                !line.is_empty() && !line.starts_with('#')
            };
            // Comments and empty lines after the statement belong to the next statement.
            let length = lines.iter().rposition(|line| is_said(&line)).map_or(0, |last| last + 1);
            lines[..length].join("\n").trim().to_owned()
        };
        steps.iter().zip(next).map(command).collect()
    }

    /// Makes an expected result from a statement and the comment above the statement.
    fn check(&self, step: Step) -> Result<Check, LabError> {
        let is_expectation = match &step.action {
            Action::Show { expected, .. } => !expected.is_empty(),
            Action::Packets { .. } => true,
            Action::Ping { expected, .. } => !expected.is_empty(),
            _ => false,
        };
        if !is_expectation {
            let message = "a check cannot change the lab: write `show ... contains|lacks|matches`, \
                           `packets ...`, or `ping ... expect`";
            return Err(self.fault_at(step.line - 1, message));
        }
        let above = self.lines[..step.line - 1].iter().rev();
        let comment = above.map_while(|line| line.text.trim().strip_prefix('#'));
        let mut comment: Vec<&str> = comment.map(str::trim).collect();
        comment.reverse();
        let comment = comment.join(" ");
        let words = match comment.trim() {
            "" => step.action.in_words(),
            words => words.to_owned(),
        };
        Ok(Check { step, words })
    }
}

/// A task that is not completely read yet.
struct Open {
    /// The line of the task's heading, counted from 0.
    line: usize,
    task: Task,
    /// The kinds of the blocks that were read.
    seen: Vec<String>,
}

impl Open {
    fn expect_complete(&self, reader: &Reader<'_>) -> Result<(), LabError> {
        let missing =
            ["answer", "check"].into_iter().find(|kind| !self.seen.iter().any(|s| s == kind));
        if let Some(kind) = missing {
            let message = format!("this task has no block `{kind}`");
            return Err(reader.fault_at(self.line, message));
        }
        let captures: Vec<&str> = self
            .task
            .begin
            .iter()
            .filter_map(|step| match &step.action {
                Action::Capture { name, .. } => Some(name.as_str()),
                _ => None,
            })
            .collect();
        for Check { step, .. } in &self.task.checks {
            if let Action::Packets { capture, .. } = &step.action
                && !captures.contains(&capture.as_str())
            {
                let message = format!(
                    "the block `begin` of this task has no capture {capture}: write `capture \
                     {capture} = NODE:INTERFACE` there"
                );
                return Err(reader.fault_at(step.line - 1, message));
            }
        }
        Ok(())
    }

    fn finished(self) -> Task {
        let text = self.task.text.trim().to_owned();
        Task { text, ..self.task }
    }
}

/// Reads the first line of a fenced block: the number of its backquotes, and the word after them.
fn fence(line: &str) -> Option<(usize, &str)> {
    let line = line.trim_start();
    let word = line.trim_start_matches('`');
    let length = line.len() - word.len();
    (length >= 3 && !word.contains('`')).then(|| (length, word.trim()))
}
