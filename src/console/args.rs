//! The words of a line that matched a command, by the names under which its handler asks for them.

use std::ops::Range;
use std::str::FromStr;

/// The reason why a well-formed command cannot be carried out, and the word that causes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// One sentence, without the leading `%`.
    pub message: String,
    /// The octets of the line that are wrong.
    pub span: Range<usize>,
    /// Whether these octets are the value of an argument, and not a keyword or the whole line.
    pub in_value: bool,
}

/// A word of a line, and its meaning.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The name of the keyword or argument. Keywords and arguments have separate names.
    pub name: &'static str,
    /// Whether it is a value, or a part of a value.
    pub argument: bool,
    /// Its octets in the line.
    pub span: Range<usize>,
}

/// A line that matched a command.
#[derive(Clone, Debug)]
pub struct Args<'t> {
    line: &'t str,
    words: Vec<Bound>,
    /// Whether the line began with `no`.
    pub negated: bool,
}

impl<'t> Args<'t> {
    /// The words of `line`, in the order of the line.
    pub fn new(line: &'t str, words: Vec<Bound>, negated: bool) -> Self {
        Args { line, words, negated }
    }

    /// Whether the line resets to the default. `no` does the same for most commands, but not for a
    /// command that is in force by default.
    pub fn is_default(&self) -> bool {
        let first = self.line.split_whitespace().next();
        self.negated && first.is_some_and(|word| word.eq_ignore_ascii_case("default"))
    }

    /// Whether the line has a keyword.
    pub fn has(&self, keyword: &str) -> bool {
        self.span(keyword, false).is_some()
    }

    /// Whether the line has an argument.
    pub fn given(&self, argument: &str) -> bool {
        self.span(argument, true).is_some()
    }

    /// An argument as typed, including the blanks inside it.
    pub fn text(&self, argument: &str) -> Option<&'t str> {
        self.span(argument, true).map(|span| &self.line[span])
    }

    /// The value of an argument that may be left out.
    pub fn optional<T: FromStr>(&self, argument: &str) -> Option<T> {
        self.text(argument)?.parse().ok()
    }

    /// The value of an argument that the pattern requires; a fault when the argument is missing.
    pub fn value<T: FromStr>(&self, argument: &str) -> Result<T, Fault> {
        self.optional(argument)
            .ok_or_else(|| self.fault(argument, format!("{argument} is missing")))
    }

    /// A fault at the argument or else the keyword with this name, or at the whole line.
    pub fn fault(&self, name: &str, message: impl Into<String>) -> Fault {
        let value = self.span(name, true);
        let in_value = value.is_some();
        let span = value.or_else(|| self.span(name, false)).unwrap_or(0..self.line.len());
        Fault { message: message.into(), span, in_value }
    }

    fn span(&self, name: &str, argument: bool) -> Option<Range<usize>> {
        let mut spans = self
            .words
            .iter()
            .filter(|word| word.name == name && word.argument == argument)
            .map(|word| &word.span);
        let first = spans.next()?;
        let end = spans.next_back().map_or(first.end, |last| last.end);
        Some(first.start..end)
    }
}
