//! The words of a line, after the line matched a command. The handler of the command finds a word
//! by the name of its keyword or argument.

use std::ops::Range;
use std::str::FromStr;

/// An error in a line. The line matches a command, but the router cannot carry out the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The error message: one sentence, without the leading `%`.
    pub message: String,
    /// The positions of the wrong octets in the line.
    pub span: Range<usize>,
    /// Whether the wrong octets are the value of an argument. If not, they are a keyword or the
    /// whole line.
    pub in_value: bool,
}

/// A word of a line, and its meaning.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The name of the keyword or argument. A keyword and an argument may have the same name. They
    /// are still different words.
    pub name: &'static str,
    /// Whether the word is a value, or a part of a value.
    pub argument: bool,
    /// The octets of the word in the line.
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
    /// Makes the arguments from the `words` of `line`. The words have the same order as in the
    /// line.
    pub fn new(line: &'t str, words: Vec<Bound>, negated: bool) -> Self {
        Args { line, words, negated }
    }

    /// Whether the line begins with `default`. `default` resets a setting to its default value. For
    /// most settings, `no` does the same. But if a setting is on by default, `no` turns the setting
    /// off.
    pub fn is_default(&self) -> bool {
        let first = self.line.split_whitespace().next();
        self.negated && first.is_some_and(|word| word.eq_ignore_ascii_case("default"))
    }

    /// The number of keywords in the line.
    pub fn keywords(&self) -> usize {
        self.words.iter().filter(|word| !word.argument).count()
    }

    /// Whether each keyword of the line is written in full.
    pub fn is_unabbreviated(&self) -> bool {
        let mut keywords = self.words.iter().filter(|word| !word.argument);
        keywords.all(|word| self.line[word.span.clone()].eq_ignore_ascii_case(word.name))
    }

    /// Whether the line contains the keyword.
    pub fn has(&self, keyword: &str) -> bool {
        self.span(keyword, false).is_some()
    }

    /// Whether the line contains the argument.
    pub fn given(&self, argument: &str) -> bool {
        self.span(argument, true).is_some()
    }

    /// The text of an argument as the user typed it, including the blanks inside the text.
    pub fn text(&self, argument: &str) -> Option<&'t str> {
        self.span(argument, true).map(|span| &self.line[span])
    }

    /// The value of an optional argument, or `None` if the line does not contain the argument.
    pub fn optional<T: FromStr>(&self, argument: &str) -> Option<T> {
        self.text(argument)?.parse().ok()
    }

    /// The value of a required argument. If the argument is missing, the result is a fault.
    pub fn value<T: FromStr>(&self, argument: &str) -> Result<T, Fault> {
        self.optional(argument)
            .ok_or_else(|| self.fault(argument, format!("{argument} is missing")))
    }

    /// A fault that points at the argument `name`. If the line does not have this argument, the
    /// fault points at the keyword `name`. If the line has neither the argument nor the keyword,
    /// the fault points at the whole line.
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
