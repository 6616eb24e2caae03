//! Reads a config file. As in the console, a wrong line is reported, and all other lines are
//! applied.

use super::blocks::Blocks;
use super::contradictions::{Contradiction, contradictions};
use super::edit::Editor;
use super::grammar::{Accepted, Context, Mode, Treatment};
use super::interpret::{self, Keep, LineError, Taken};
use super::parse::{Mismatch, match_mode};
use super::problem::{Problem, ProblemKind, Report};
use crate::router::config::Config;
use crate::router::unsupported::Place;

/// The maximum number of alternatives after the word "expected" in an error message.
const MOST_EXPECTED: usize = 8;

/// A config file that was read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The configuration of the lines that were carried out.
    pub config: Config,
    /// The problems of the file: lines that were not carried out, and contradictions between lines.
    pub report: Report,
}

/// Reads a whole config file. If a line is wrong, the whole file is refused. A file that has only
/// warnings is not refused. `name` is the name of the file in error messages.
///
/// # Errors
/// All problems of the file, if at least one line is refused.
pub fn parse_config(name: &str, text: &str) -> Result<Config, Report> {
    let Reading { config, report } = read_config(name, text);
    if report.is_refused() { Err(report) } else { Ok(config) }
}

/// Reads a whole config file. A wrong line changes nothing.
///
/// Blank lines have no effect. A line that begins with `!` has no effect either. The exception is a
/// line `! not supported: LINE`: the configuration keeps `LINE` as a comment. Indentation has a
/// meaning only in the block of a line that is not carried out ([`blocks`](super::blocks)). The
/// line `end` leaves all modes. The reader also reads the lines after `end`.
pub fn read_config(name: &str, text: &str) -> Reading {
    merge_config(Config::default(), name, text)
}

/// Reads a whole config file, as [`read_config`] does, and applies its lines to `config`. The
/// report does not contain the contradictions that were in `config` before.
pub fn merge_config(config: Config, name: &str, text: &str) -> Reading {
    let known = contradictions(&config);
    let mut reader = Reader::new(config);
    let mut report = Report::new(name);
    for place in lines(text) {
        let place = LineOfFile { mode: reader.editor.context.clone(), ..place };
        let line = place.line;
        match reader.take(line) {
            Ok(Taken::Applied) => {}
            Ok(Taken::Skipped(_)) => report.skipped(),
            Ok(Taken::Accepted(row)) => report.add(accepted(&place, row)),
            Ok(Taken::Exec) => report.add(place.problem(ProblemKind::Ignored, of_exec(line))),
            Ok(Taken::Nothing | Taken::Kept(..)) => {}
            Err(error) => report.add(refused(&place, error)),
        }
        for message in reader.editor.warnings.drain(..) {
            report.add(place.problem(ProblemKind::Warning, message));
        }
        let end = reader.blocks.text_end();
        if end.is_some_and(|end| !text[place.start + line.len()..].contains(end)) {
            reader.blocks.end_text();
        }
    }
    let mut found = contradictions(&reader.editor.config);
    found.retain(|contradiction| !known.contains(contradiction));
    let mut places: Vec<_> = found.iter().map(|found| blamed(text, found)).collect();
    find_modes(text, &mut places);
    for (place, contradiction) in places.iter().zip(found) {
        report.add(place.problem(ProblemKind::Contradiction, contradiction.message));
    }
    report.sort();
    Reading { config: reader.editor.config, report }
}

/// The lines of a file.
fn lines(text: &str) -> impl Iterator<Item = LineOfFile<'_>> {
    let mut start = 0;
    text.split_inclusive('\n').enumerate().map(move |(index, raw)| {
        let (number, line, mode) = (index + 1, raw.trim_end(), Context::Config);
        let place = LineOfFile { number, start, line, mode };
        start += raw.len();
        place
    })
}

/// Finds the line of the file that causes a contradiction.
fn blamed<'a>(text: &'a str, contradiction: &Contradiction) -> LineOfFile<'a> {
    let words: Vec<&str> = contradiction.words.split_whitespace().collect();
    let has_words = |place: &LineOfFile<'_>| {
        let of_line: Vec<&str> =
            place.line.split([' ', '\t', '/']).filter(|w| !w.is_empty()).collect();
        let is_same =
            |part: &[&str]| part.iter().zip(&words).all(|(a, b)| a.eq_ignore_ascii_case(b));
        !place.line.trim_start().starts_with('!') && of_line.windows(words.len()).any(is_same)
    };
    let mut found = lines(text).filter(has_words);
    let place = found.nth(contradiction.before).or_else(|| lines(text).find(has_words));
    place.unwrap_or(LineOfFile { number: 1, start: 0, line: "", mode: Context::Config })
}

/// Sets the mode of each place to the mode of the configuration before the line at this place.
fn find_modes(text: &str, places: &mut [LineOfFile<'_>]) {
    let last = places.iter().map(|place| place.number).max().unwrap_or(0);
    let mut reader = Reader::new(Config::default());
    for line in lines(text).take(last) {
        for place in places.iter_mut().filter(|place| place.number == line.number) {
            place.mode = reader.editor.context.clone();
        }
        // The error is dropped here, because the report of the file already contains it.
        let _ = reader.take(line.line);
    }
}

/// The configuration after the lines that were read so far. A wrong line may change a part of the
/// configuration before its error is found. The reader then returns to its latest copy of the
/// configuration, and repeats the changes that were made after this copy. The reader does not copy
/// the configuration at each line, because reading a long file would then be slow.
struct Reader<'a> {
    editor: Editor,
    copy: Editor,
    blocks: Blocks,
    /// The lines that changed the configuration after the latest copy.
    since: Vec<Change<'a>>,
}

/// A line that changed the configuration.
enum Change<'a> {
    Line(&'a str),
    Accepted(&'static Accepted, Context, &'a str),
    Kept(Place, Keep),
}

impl<'a> Reader<'a> {
    fn new(config: Config) -> Self {
        let editor = Editor::new(config);
        Reader { copy: editor.clone(), editor, blocks: Blocks::default(), since: Vec::new() }
    }

    /// Applies a line to the configuration. If the line is wrong, returns the reason, and the
    /// configuration stays unchanged.
    fn take(&mut self, line: &'a str) -> Result<Taken, LineError> {
        let context = self.editor.context.clone();
        let mut taken = interpret::take(&mut self.editor, &mut self.blocks, line);
        if matches!(taken, Err(LineError::Syntax(_))) && is_exec(&context, line) {
            self.blocks.applied(line, false);
            taken = Ok(Taken::Exec);
        }
        leave_exec(&mut self.editor);
        let change = match &taken {
            Ok(Taken::Applied) => Some(Change::Line(line)),
            Ok(Taken::Kept(place, keep)) => Some(Change::Kept(place.clone(), keep.clone())),
            Ok(Taken::Accepted(row)) if row.treatment == Treatment::Kept => {
                Some(Change::Accepted(row, self.editor.context.clone(), line))
            }
            _ => None,
        };
        self.since.extend(change);
        if matches!(taken, Err(LineError::Semantic(_))) {
            self.restore();
        }
        taken
    }

    fn restore(&mut self) {
        for change in self.since.drain(..) {
            match change {
                // This line had no error the first time, so it has no error now.
                Change::Line(line) => drop(interpret::apply(&mut self.copy, line)),
                Change::Accepted(row, context, line) => {
                    self.copy.context = context;
                    let negated = interpret::is_negated(line);
                    interpret::accept(&mut self.copy, &mut Blocks::default(), row, line, negated);
                }
                Change::Kept(place, keep) => drop(interpret::keep(&mut self.copy, place, keep)),
            }
            leave_exec(&mut self.copy);
        }
        self.editor.config = self.copy.config.clone();
    }
}

/// Returns to the global configuration after a line `end`. `end` leaves all modes, but it does not
/// end the file.
fn leave_exec(editor: &mut Editor) {
    if editor.context == Context::Exec {
        editor.context = Context::Config;
    }
}

/// Whether a line is an exec command. The caller has found that the line is not a command of its
/// mode. A published configuration may begin with `configure terminal`, end with `write memory`, or
/// have a `do` command inside.
fn is_exec(context: &Context, line: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or_default();
    let is_command = || match_mode(Mode::Exec, line).is_ok();
    first.eq_ignore_ascii_case("do") || *context == Context::Config && is_command()
}

fn of_exec(line: &str) -> String {
    format!(
        "`{}` is an exec command and is ignored: a configuration file may contain only \
         configuration commands",
        line.trim()
    )
}

/// A line, and its place in the file.
struct LineOfFile<'a> {
    number: usize,
    /// The number of octets of the file before the line.
    start: usize,
    line: &'a str,
    /// The mode in which the line stands.
    mode: Context,
}

impl LineOfFile<'_> {
    /// A problem of the whole line.
    fn problem(&self, kind: ProblemKind, message: String) -> Problem {
        let indent = self.line.len() - self.line.trim_start().len();
        Problem {
            kind,
            line: self.number,
            column: 1,
            text: self.line.to_owned(),
            start: self.start,
            span: indent..self.line.len(),
            mode: self.mode.prompt().trim_matches(['(', ')']).to_owned(),
            message,
            expected: String::new(),
            skipped: 0,
        }
    }
}

fn accepted(place: &LineOfFile<'_>, row: &Accepted) -> Problem {
    let kind = match row.treatment {
        Treatment::Kept => ProblemKind::NotSupported,
        _ => ProblemKind::Ignored,
    };
    place.problem(kind, interpret::warning(place.line, row))
}

fn refused(place: &LineOfFile<'_>, error: LineError) -> Problem {
    let end = place.line.len();
    let (span, message, expected) = match error {
        LineError::Syntax(Mismatch::Invalid { span, expected, .. }) => {
            (span, "invalid input".to_owned(), one_of(&expected))
        }
        LineError::Syntax(Mismatch::Ambiguous { span, candidates }) => {
            (span, "ambiguous command".to_owned(), one_of(&candidates))
        }
        LineError::Syntax(Mismatch::Incomplete { expected }) => {
            (end..end, "incomplete command".to_owned(), one_of(&expected))
        }
        LineError::Semantic(fault) => (fault.span, fault.message, String::new()),
    };
    let whole = place.problem(ProblemKind::Refused, message);
    let from = span.start.max(whole.span.start);
    Problem { span: from..span.end.max(from), expected, ..whole }
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
            " encapsulation vxlan",
            " service ethernet",
            "  itr",
            " eid-table default instance-id 0",
            "  map-cache 10.0.0.0/8 map-request",
            "  ! not supported: sgt",
        ];
        let wrong = [
            "        database-mapping 10.0.0.1/8 127.0.0.1 priority 1 weight 1",
            "      database-mapping 10.0.0.0/8 locator-set",
            "    ip address",
        ];
        let new = || Reader::new(Config::default());
        let (mut reader, mut alone) = (new(), new());
        for line in right {
            assert!(reader.take(line).is_ok() && alone.take(line).is_ok(), "{line}");
            // After ` service ethernet` and `  itr`, the lines of `wrong` have a deeper indentation
            // than the kept line ` service ethernet`. So they belong to the block of this kept line
            // and are not refused.
            if [" service ethernet", "  itr"].contains(&line) {
                continue;
            }
            for line in wrong {
                assert!(reader.take(line).is_err(), "{line}");
            }
            assert_eq!(reader.editor.config, alone.editor.config, "{line}");
            assert_eq!(reader.editor.context, alone.editor.context, "{line}");
        }
    }
}
