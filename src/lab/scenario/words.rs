//! The words of a statement, and the values that a word can have: a name, a number, a time or a
//! quoted text.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Bound;
use crate::lab::file::Span;
use crate::lab::impairment::time;

/// An error message and the position of the error in the text.
pub(super) type Fault = (Span, String);

/// A word of a line.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub text: String,
    pub span: Span,
    /// Whether the word was in double quotes.
    pub quoted: bool,
}

impl Word {
    pub fn fault(&self, message: &str) -> Fault {
        (self.span.clone(), message.to_owned())
    }
}

/// Those words of a line that were not read yet.
pub(super) struct Words {
    words: std::iter::Peekable<std::vec::IntoIter<Word>>,
    /// The position of the end of the line. An error about a missing word points at this position.
    end: usize,
}

impl Words {
    /// Splits a line into words. The line begins at position `start` of the text. If a word begins
    /// with `#`, the rest of the line is a comment.
    pub fn new(start: usize, line: &str) -> Result<Self, Fault> {
        let mut words = Vec::new();
        let mut rest = line;
        loop {
            rest = rest.trim_start();
            let at = line.len() - rest.len();
            let place = |length: usize| start + at..start + at + length;
            if rest.is_empty() || rest.starts_with('#') {
                break;
            }
            let word = match rest.strip_prefix('"') {
                Some(inner) => {
                    let end = inner.find('"').ok_or_else(|| {
                        (place(rest.len()), "the closing quote is missing".to_owned())
                    })?;
                    Word { text: inner[..end].to_owned(), span: place(end + 2), quoted: true }
                }
                None => {
                    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                    Word { text: rest[..end].to_owned(), span: place(end), quoted: false }
                }
            };
            rest = &rest[word.span.len()..];
            words.push(word);
        }
        Ok(Words { words: words.into_iter().peekable(), end: start + line.len() })
    }

    pub fn peek(&mut self) -> Option<Word> {
        self.words.peek().cloned()
    }

    pub fn next(&mut self, what: &str) -> Result<Word, Fault> {
        let missing = || (self.end..self.end, format!("{what} is expected"));
        self.words.next().ok_or_else(missing)
    }

    /// Reads the next word if it is `word`. Returns true if it was read.
    pub fn take(&mut self, word: &str) -> bool {
        self.words.next_if(|next| next.text == word && !next.quoted).is_some()
    }

    pub fn expect(&mut self, expected: &str) -> Result<(), Fault> {
        let word = self.next(&format!("`{expected}`"))?;
        match word.text == expected {
            true => Ok(()),
            false => Err(word.fault(&format!("`{expected}` is expected"))),
        }
    }

    pub fn end(&mut self) -> Result<(), Fault> {
        match self.words.next() {
            None => Ok(()),
            Some(word) => Err(word.fault("the statement must end here")),
        }
    }

    pub fn name(&mut self) -> Result<String, Fault> {
        let word = self.next("a name")?;
        // A name has only these characters, because it is also used as the name of a file.
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        match !word.quoted && word.text.chars().all(plain) {
            true => Ok(word.text),
            false => Err(word.fault("a name is expected: use only letters, digits and dashes")),
        }
    }

    pub fn quoted(&mut self, what: &str) -> Result<String, Fault> {
        let word = self.next(&format!("{what} in quotes"))?;
        match word.quoted {
            true => Ok(word.text),
            false => Err(word.fault(&format!("{what} in quotes is expected"))),
        }
    }

    pub fn number<T: std::str::FromStr>(&mut self) -> Result<T, Fault> {
        let word = self.next("a number")?;
        word.text.parse().map_err(|_| word.fault("a number is expected"))
    }

    /// Reads a word as a value of type `T`, for example an address or a prefix.
    pub fn parsed<T: std::str::FromStr>(&mut self, what: &str) -> Result<T, Fault> {
        let word = self.next(what)?;
        word.text.parse().map_err(|_| word.fault(&format!("{what} is expected")))
    }

    pub fn bound(&mut self) -> Result<Bound, Fault> {
        let word = self.next("`exactly`, `at-least`, `at-most`, `N..M` or `none`")?;
        match word.text.as_str() {
            "none" => Ok(Bound::Exactly(0)),
            "exactly" => Ok(Bound::Exactly(self.number()?)),
            "at-least" => Ok(Bound::AtLeast(self.number()?)),
            "at-most" => Ok(Bound::AtMost(self.number()?)),
            range => between(range).ok_or_else(|| {
                word.fault("`exactly N`, `at-least N`, `at-most N`, `N..M` or `none` is expected")
            }),
        }
    }

    pub fn time(&mut self) -> Result<Duration, Fault> {
        let word = self.next("a time")?;
        time(&word.text).ok_or_else(|| word.fault("a time such as 50ms or 3s is expected"))
    }

    pub fn range(&mut self) -> Result<RangeInclusive<Duration>, Fault> {
        let word = self.next("a range of times")?;
        let ends = word.text.split_once("..");
        let range = ends.and_then(|(min, max)| Some(time(min)?..=time(max)?));
        let range = range.filter(|range| !range.is_empty());
        range.ok_or_else(|| word.fault("a range of times such as 1s..1.2s is expected"))
    }
}

/// Reads a range of numbers: `N..M`, where N is not larger than M.
fn between(text: &str) -> Option<Bound> {
    let (least, most) = text.split_once("..")?;
    let (least, most) = (least.parse().ok()?, most.parse().ok()?);
    (least <= most).then_some(Bound::Between(least, most))
}
