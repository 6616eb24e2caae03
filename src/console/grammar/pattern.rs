//! The pattern of a command. The notation of the tables is compiled to an automaton.
//!
//! The documentation of the [grammar](super) explains the notation with an example. The automaton
//! is Glushkov's position automaton: each state is a word of the pattern. One lookup in a table
//! gives the words that may come next.

use super::argument::Kind;
use crate::router::config::InterfaceKind;

/// The keyword or value at one position of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// A fixed word. An abbreviation matches if no other keyword at this position begins with the
    /// abbreviation. Upper case and lower case letters are equal.
    Keyword(&'static str),
    /// A value of this kind.
    Argument(Kind),
}

/// One position of a pattern, with its name and help.
#[derive(Clone, Debug)]
pub struct Position {
    /// The keyword or value at this position.
    pub word: Word,
    /// The name by which the function of the command finds the word: the keyword itself, or the
    /// name of the argument.
    pub name: &'static str,
    /// Whether the position is a value or a part of a value. In `ethernet 1/0`, `ethernet` is a
    /// keyword and a part of a value.
    pub argument: bool,
    /// The help that `?` shows.
    pub help: &'static str,
    /// The number of the word in the notation. The first word has number 0. The name of an
    /// interface is one word of the notation, but several positions.
    pub index: usize,
}

/// A compiled pattern: an automaton.
#[derive(Debug, Default)]
pub struct Pattern {
    positions: Vec<Position>,
    first: Vec<usize>,
    follow: Vec<Vec<usize>>,
    last: Vec<usize>,
}

/// A part of a pattern: the positions at its start and the positions at its end.
#[derive(Clone, Default)]
struct Part {
    first: Vec<usize>,
    last: Vec<usize>,
    /// Whether the part may be left out.
    empty: bool,
}

impl Pattern {
    /// Compiles the `parts`, one after the other, as one pattern. `help` has one text for each word
    /// of the parts.
    ///
    /// Panics if a part or `help` is wrong. The tables are a part of the program, so an error in a
    /// table is a bug. A test compiles every row.
    pub fn new(parts: &[&'static str], help: &[&'static str]) -> Self {
        let symbols: Vec<&'static str> = parts.iter().flat_map(|part| symbols(part)).collect();
        let mut compiler =
            Compiler { pattern: Pattern::default(), symbols: &symbols, help, words: 0 };
        let whole = compiler.choice();
        assert!(compiler.symbols.is_empty(), "unbalanced: {parts:?}");
        assert_eq!(compiler.words, help.len(), "a help text for each word: {parts:?}");
        assert!(!whole.empty, "empty: {parts:?}");
        let mut pattern = compiler.pattern;
        pattern.first = whole.first;
        pattern.last = whole.last;
        pattern
    }

    /// Compiles the `parts` as [`Pattern::new`] does. All words have the same help.
    pub fn with_one_help(parts: &[&'static str], help: &'static str) -> Self {
        let is_word = |symbol: &&str| !matches!(*symbol, "[" | "]" | "{" | "}" | "|");
        let words = parts.iter().flat_map(|part| symbols(part)).filter(is_word).count();
        Pattern::new(parts, &vec![help; words])
    }

    /// All positions of the pattern.
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }

    /// The positions that may follow the position `at`. If `at` is `None`, returns the positions at
    /// which a command may begin.
    pub fn next(&self, at: Option<usize>) -> &[usize] {
        at.map_or(&self.first, |at| &self.follow[at])
    }

    /// Whether a command may end at the position.
    pub fn ends_at(&self, at: usize) -> bool {
        self.last.contains(&at)
    }
}

struct Compiler<'a> {
    pattern: Pattern,
    symbols: &'a [&'static str],
    help: &'a [&'static str],
    words: usize,
}

impl Compiler<'_> {
    fn take(&mut self, symbol: &str) -> bool {
        let there = self.symbols.first() == Some(&symbol);
        if there {
            self.symbols = &self.symbols[1..];
        }
        there
    }

    fn choice(&mut self) -> Part {
        let mut all = self.sequence();
        while self.take("|") {
            let other = self.sequence();
            all.first.extend(other.first);
            all.last.extend(other.last);
            all.empty |= other.empty;
        }
        all
    }

    fn sequence(&mut self) -> Part {
        let mut all = Part { empty: true, ..Part::default() };
        while let Some(&symbol) = self.symbols.first() {
            if matches!(symbol, "|" | "]" | "}") {
                break;
            }
            let part = self.item();
            all = self.then(all, part);
        }
        all
    }

    fn item(&mut self) -> Part {
        for (open, close) in [("[", "]"), ("{", "}")] {
            if self.take(open) {
                let mut part = self.choice();
                assert!(self.take(close), "{close} is missing");
                part.empty |= open == "[";
                return part;
            }
        }
        let symbol = self.symbols[0];
        self.symbols = &self.symbols[1..];
        self.word(symbol)
    }

    fn word(&mut self, symbol: &'static str) -> Part {
        let argument = symbol.strip_prefix('<').and_then(|s| s.strip_suffix('>'));
        let part = match argument {
            None => self.position(Word::Keyword(symbol), symbol, false),
            Some(argument) => {
                let (name, kind) = argument.split_once(':').expect("<name:kind>");
                match kind {
                    "interface" => self.interface(name),
                    kind => self.argument(kind, name),
                }
            }
        };
        self.words += 1;
        part
    }

    fn argument(&mut self, kind: &'static str, name: &'static str) -> Part {
        let kind = Kind::named(kind);
        let part = self.position(Word::Argument(kind.clone()), name, true);
        if kind == Kind::Line {
            let at = part.last[0];
            self.pattern.follow[at].push(at);
        }
        part
    }

    /// Adds the name of an interface: `Ethernet1/0` in one word, or `ethernet 1/0` in two words.
    fn interface(&mut self, name: &'static str) -> Part {
        let mut all = self.position(Word::Argument(Kind::Interface), name, true);
        for kind in InterfaceKind::ALL {
            let number = Word::Argument(Kind::InterfaceNumber(kind));
            let kind = self.position(Word::Keyword(kind.name()), name, true);
            let number = self.position(number, name, true);
            let both = self.then(kind, number);
            all.first.extend(both.first);
            all.last.extend(both.last);
        }
        all
    }

    fn position(&mut self, word: Word, name: &'static str, argument: bool) -> Part {
        let at = self.pattern.positions.len();
        self.pattern.positions.push(Position {
            word,
            name,
            argument,
            help: self.help.get(self.words).copied().unwrap_or_default(),
            index: self.words,
        });
        self.pattern.follow.push(Vec::new());
        Part { first: vec![at], last: vec![at], empty: false }
    }

    fn then(&mut self, mut one: Part, other: Part) -> Part {
        for &at in &one.last {
            self.pattern.follow[at].extend(&other.first);
        }
        if one.empty {
            one.first.extend(other.first);
        }
        if other.empty {
            one.last.extend(other.last);
        } else {
            one.last = other.last;
        }
        one.empty &= other.empty;
        one
    }
}

/// Splits the notation into symbols. A bracket, brace or bar is one symbol, and `<...>` is one
/// symbol.
fn symbols(text: &'static str) -> Vec<&'static str> {
    let mut symbols = Vec::new();
    let mut rest = text.trim_start();
    while let Some(start) = rest.chars().next() {
        let len = match start {
            '[' | ']' | '{' | '}' | '|' => 1,
            '<' => rest.find('>').expect("> is missing") + 1,
            _ => {
                rest.find(|c: char| c.is_whitespace() || "[]{}|<".contains(c)).unwrap_or(rest.len())
            }
        };
        let (symbol, tail) = rest.split_at(len);
        symbols.push(symbol);
        rest = tail.trim_start();
    }
    symbols
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(pattern: &Pattern, at: Option<usize>) -> Vec<&'static str> {
        let names = pattern.next(at).iter();
        names.map(|&at| pattern.positions()[at].name).collect()
    }

    #[test]
    fn optional_words_and_choices_say_what_may_follow() {
        let pattern = Pattern::new(&["{a|b} c [d <n:0-9>] [e]"], &[""; 6]);
        assert_eq!(next(&pattern, None), ["a", "b"]);
        assert_eq!(next(&pattern, Some(0)), ["c"]);
        assert_eq!(next(&pattern, Some(2)), ["d", "e"]);
        assert_eq!(next(&pattern, Some(3)), ["n"]);
        assert_eq!(next(&pattern, Some(4)), ["e"]);
        let ends: Vec<usize> = (0..6).filter(|&at| pattern.ends_at(at)).collect();
        assert_eq!(ends, [2, 4, 5]);
    }

    #[test]
    fn a_line_goes_on() {
        let pattern = Pattern::new(&["description <text:line>"], &[""; 2]);
        assert_eq!(next(&pattern, Some(1)), ["text"]);
    }
}
