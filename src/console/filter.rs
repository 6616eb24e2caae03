//! Filters for the output of a command, such as `| include REGEX`, and files for the output, as in
//! `| redirect FILE`. A filter works line by line, so a long output is not held in memory.

use regex_lite::Regex;

use super::flash::{self, Destination};
use super::show::Format;
use super::view::system::RunningView;

/// The names of the filters that may follow `|`, each with its help for `?`.
pub const FILTERS: &[(&str, &str)] = &[
    ("append", "Append the output to a file"),
    ("begin", "Begin with the line that matches"),
    ("count", "Count number of lines which match regexp"),
    ("exclude", "Exclude lines that match"),
    ("include", "Include lines that match"),
    ("json", "As JSON"),
    ("redirect", "Write the output to a file"),
    ("section", "Include lines that match, and the indented lines below them"),
    ("tee", "Write the output to a file, and print it"),
];

/// The argument that may follow the filter `name`, and the help for this argument at `?`. `None` if
/// this filter has no argument, or if no filter has this name.
pub fn argument(name: &str) -> Option<(&'static str, &'static str)> {
    match filter_named(name).ok()? {
        "json" => None,
        "append" | "redirect" | "tee" => Some(FILE),
        _ => Some(("LINE", "Regular Expression")),
    }
}

/// The word that stands for a file name in the help, and the help text of this word.
const FILE: (&str, &str) = ("WORD", "Name of a file in flash:, such as flash:output");

/// A command and the filters for its output.
pub struct Piped<'t> {
    /// The command: the part of the line before the bar.
    pub command: &'t str,
    /// The format of the output.
    pub format: Format,
    /// Selects the output lines to print.
    pub filter: Filter,
    /// The file into which the selected lines are written.
    pub file: Option<Destination>,
    /// Whether the line has a bar.
    pub is_piped: bool,
}

/// Selects lines of an output. Each stage selects from the lines that the previous stage has
/// selected.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    stages: Vec<Stage>,
}

/// One filter.
#[derive(Clone, Debug)]
struct Stage {
    kind: Kind,
    /// The start of a line of the output. The end of this line has not arrived yet.
    partial: String,
    count: usize,
    /// Whether `begin` has found a matching line.
    begun: bool,
    /// The indentation of the latest line that `section` matched. Lines with a deeper indentation
    /// are printed too.
    section: Option<usize>,
}

#[derive(Clone, Debug)]
enum Kind {
    Begin(Regex),
    Count(Regex),
    Exclude(Regex),
    Include(Regex),
    Section(Regex),
}

/// Splits a line at its bars (`|`) into a command and the filters for its output. The error is a
/// message for the user.
pub fn parse(line: &str) -> Result<Piped<'_>, String> {
    let (command, mut rest) = match line.split_once('|') {
        Some((command, rest)) => (command, Some(rest)),
        None => (line, None),
    };
    let is_piped = rest.is_some();
    let mut format = Format::Text;
    let mut filter = Filter::default();
    let mut file = None;
    while let Some(text) = rest.take() {
        let text = text.trim_start();
        let end = text.find([' ', '\t', '|']).unwrap_or(text.len());
        let (name, argument) = (filter_named(&text[..end])?, text[end..].trim_start());
        if ["append", "redirect", "tee"].contains(&name) {
            file = Some(destination(name, argument.trim_end())?);
        } else if name == "json" {
            format = Format::Json;
            rest = argument.strip_prefix('|');
            if rest.is_none() && !argument.is_empty() {
                return Err(format!("Invalid input after json: {}", argument.trim_end()));
            }
        } else {
            let (pattern, next) = match next_filter(argument) {
                Some((pattern, next)) => (pattern, Some(next)),
                None => (argument, None),
            };
            filter.stages.push(Stage::new(kind(name, pattern.trim())?));
            rest = next;
        }
    }
    Ok(Piped { command, format, filter, file, is_piped })
}

/// The file of `| redirect FILE`, `| append FILE` and `| tee [/append] FILE`. No bar may follow the
/// name of the file.
fn destination(name: &str, argument: &str) -> Result<Destination, String> {
    let words: Vec<&str> = argument.split_whitespace().collect();
    let (appends, text) = match words.as_slice() {
        [] => return Err("Incomplete command.".to_owned()),
        ["/append", text] if name == "tee" => (true, *text),
        [text] => (name == "append", *text),
        [_, extra, ..] => {
            return Err(format!("Invalid input after the name of the file: {extra}"));
        }
    };
    Ok(Destination { file: flash::file(text)?, appends, prints: name == "tee" })
}

/// Returns a function that filters a configuration. The function keeps each matching line and the
/// indented lines below it.
///
/// # Errors
/// A message for the user, if the regular expression is not valid.
pub fn sections(pattern: &str) -> Result<impl Fn(RunningView) -> RunningView + use<>, String> {
    let regex =
        Regex::new(pattern).map_err(|_| format!("Invalid regular expression: {pattern}"))?;
    Ok(move |view: RunningView| {
        let mut stage = Stage::new(Kind::Section(regex.clone()));
        let lines = view.running_config.into_iter().filter(|line| stage.wants(line));
        RunningView { running_config: lines.collect() }
    })
}

/// Splits the argument of a filter at the bar before the next filter. A blank precedes this bar,
/// and the name of a filter follows it. Other bars belong to the regular expression.
fn next_filter(argument: &str) -> Option<(&str, &str)> {
    let bars = argument.match_indices('|').map(|(at, _)| at);
    let is_next = |at: &usize| {
        let is_apart = argument[..*at].ends_with(char::is_whitespace);
        let name = argument[at + 1..].split_whitespace().next().unwrap_or_default();
        is_apart && filter_named(name).is_ok()
    };
    bars.into_iter().find(is_next).map(|at| (&argument[..at], &argument[at + 1..]))
}

/// The message about an unknown name of a filter.
const FILTER_NAMES: &str = "A filter is append, begin, count, exclude, include, json, redirect, \
                            section or tee";

/// The filter whose name begins with the given abbreviation.
fn filter_named(name: &str) -> Result<&'static str, String> {
    let mut fitting = FILTERS.iter().filter(|(filter, _)| filter.starts_with(name));
    match (fitting.next(), fitting.next()) {
        (Some((filter, _)), None) if !name.is_empty() => Ok(filter),
        (Some(_), Some(_)) if !name.is_empty() => Err(format!("Ambiguous filter:  \"{name}\"")),
        _ => Err(FILTER_NAMES.to_owned()),
    }
}

fn kind(name: &str, pattern: &str) -> Result<Kind, String> {
    if pattern.is_empty() {
        return Err("Incomplete command.".to_owned());
    }
    let regex =
        Regex::new(pattern).map_err(|_| format!("Invalid regular expression: {pattern}"))?;
    Ok(match name {
        "begin" => Kind::Begin(regex),
        "count" => Kind::Count(regex),
        "exclude" => Kind::Exclude(regex),
        "include" => Kind::Include(regex),
        _ => Kind::Section(regex),
    })
}

impl Filter {
    /// A filter of one stage. `name` is the name of the filter.
    ///
    /// # Errors
    /// A message for the user, if no filter has this name, or if the regular expression is not
    /// valid.
    pub fn of(name: &str, pattern: &str) -> Result<Self, String> {
        Ok(Filter { stages: vec![Stage::new(kind(filter_named(name)?, pattern.trim())?)] })
    }

    /// Adds a piece of the output. Returns the selected lines of this piece.
    pub fn push(&mut self, text: String) -> String {
        self.stages.iter_mut().fold(text, |text, stage| stage.push(text))
    }

    /// Returns a new filter: first the stages of this filter, then the stages of `then`. This
    /// filter has no stages after the call.
    pub fn and(&mut self, then: Filter) -> Filter {
        let mut stages = std::mem::take(&mut self.stages);
        stages.extend(then.stages);
        Filter { stages }
    }

    /// Ends the output. Returns the remaining selected lines. For `count`, returns a line with the
    /// number of matching lines.
    pub fn finish(&mut self) -> String {
        self.stages.iter_mut().fold(String::new(), |text, stage| {
            let selected = stage.push(text);
            selected + &stage.finish()
        })
    }
}

impl Stage {
    fn new(kind: Kind) -> Self {
        Stage { kind, partial: String::new(), count: 0, begun: false, section: None }
    }

    /// Adds a piece of the output. Returns the selected lines of this piece.
    fn push(&mut self, text: String) -> String {
        self.partial += &text;
        let whole = self.partial.rfind('\n').map_or(0, |end| end + 1);
        let rest = self.partial.split_off(whole);
        let lines = std::mem::replace(&mut self.partial, rest);
        let mut wanted = String::new();
        for line in lines.split_inclusive('\n') {
            if self.wants(line) {
                wanted += line;
            }
        }
        wanted
    }

    fn finish(&mut self) -> String {
        let last = std::mem::take(&mut self.partial);
        let wanted = !last.is_empty() && self.wants(&last);
        match &self.kind {
            Kind::Count(_) => {
                format!("Number of lines which match regexp = {}\n", self.count)
            }
            _ if wanted => last,
            _ => String::new(),
        }
    }

    fn wants(&mut self, line: &str) -> bool {
        let line = line.trim_end();
        match &self.kind {
            Kind::Include(regex) => regex.is_match(line),
            Kind::Exclude(regex) => !regex.is_match(line),
            Kind::Begin(regex) => {
                self.begun |= regex.is_match(line);
                self.begun
            }
            Kind::Count(regex) => {
                self.count += usize::from(regex.is_match(line));
                false
            }
            Kind::Section(regex) => {
                let indent = line.len() - line.trim_start().len();
                if self.section.is_some_and(|section| indent > section) {
                    return true;
                }
                self.section = regex.is_match(line).then_some(indent);
                self.section.is_some()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "one\n two\n  three\nfour\n two\n";

    fn filtered(line: &str) -> String {
        let mut filter = parse(line).ok().unwrap().filter;
        let mut text = String::new();
        // A piece of the output may end in the middle of a line.
        for piece in ["one\n t", "wo\n  thr", "ee\nfour\n two\n"] {
            text += &filter.push(piece.to_owned());
        }
        text + &filter.finish()
    }

    #[test]
    fn each_filter_chooses_its_lines() {
        assert_eq!(filtered("show x"), OUTPUT);
        assert_eq!(filtered("show x | include ^ *t"), " two\n  three\n two\n");
        assert_eq!(filtered("show x | exclude two|three"), "one\nfour\n");
        assert_eq!(filtered("show x | begin four"), "four\n two\n");
        assert_eq!(filtered("show x | section one"), "one\n two\n  three\n");
        assert_eq!(filtered("show x | count two"), "Number of lines which match regexp = 2\n");
    }

    #[test]
    fn a_filter_may_be_abbreviated_and_json_may_come_before_it() {
        assert_eq!(filtered("show x | inc four"), "four\n");
        let piped = parse("show x | json").ok().unwrap();
        assert_eq!((piped.command, piped.format), ("show x ", Format::Json));
        assert_eq!(filtered("show x | json | include four"), "four\n");
    }

    #[test]
    fn each_of_several_filters_selects_from_the_lines_of_the_one_before() {
        assert_eq!(filtered("show x | inc two|three | exc three"), " two\n two\n");
        assert_eq!(filtered("show x | b three | c t"), "Number of lines which match regexp = 2\n");
        let sections = filtered("show x | section one | exclude one | count t");
        assert_eq!(sections, "Number of lines which match regexp = 2\n");
        assert_eq!(filtered("show x | json | inc one|four | inc f"), "four\n");
        // A bar without a filter after it belongs to the regular expression.
        assert_eq!(filtered("show x | include one |four"), "four\n");
    }

    #[test]
    fn an_output_goes_into_a_file_of_the_router() {
        for (line, name, appends, prints) in [
            ("show x | redirect flash:a.txt", "a.txt", false, false),
            ("show x | red bootflash:/A-1", "A-1", false, false),
            ("show x | append a ", "a", true, false),
            ("show x | inc one|two | tee flash:a", "a", false, true),
            ("show x | json | tee /append a", "a", true, true),
        ] {
            let file = parse(line).ok().unwrap().file.unwrap();
            assert_eq!(file.file.as_str(), name, "{line}");
            assert_eq!((file.appends, file.prints), (appends, prints), "{line}");
        }
        assert!(parse("show x | include redirect a").ok().unwrap().file.is_none());
    }

    #[test]
    fn a_wrong_filter_is_told() {
        for line in [
            "show x | foo",
            "show x |",
            "show x | include",
            "show x | include (",
            "show x | json |",
            "show x | json y",
            "show x | redirect",
            "show x | redirect ../file",
            "show x | redirect /etc/passwd",
            "show x | redirect tftp://192.0.2.1/file",
            "show x | redirect flash:a flash:b",
            "show x | redirect /append a",
            "show x | redirect a | include x",
            "show x | tee /append",
            "show x | append nvram:startup-config",
            "show x | include one | foo (",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
