//! Matches a line against the commands of a mode, as IOS does. A keyword may be abbreviated if no
//! other keyword begins with the abbreviation. An error points at the wrong word.

use std::ops::Range;

use super::args::{Args, Bound};
use super::grammar::{Command, Context, Mode, No, Position, Run, Word, accepted, commands};

/// The reason why a line is not a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// A word is not allowed at its position.
    Invalid {
        /// The octets of the word in the line.
        span: Range<usize>,
        /// The number of correct characters at the start of the word. An allowed keyword begins
        /// with these characters.
        fits: usize,
        /// The words that are allowed at this position.
        expected: Vec<String>,
    },
    /// A word is an abbreviation of several keywords.
    Ambiguous {
        /// The octets of the word in the line.
        span: Range<usize>,
        /// The keywords that begin with the abbreviation.
        candidates: Vec<String>,
    },
    /// The line ends before the command is complete.
    Incomplete {
        /// The words that may come next.
        expected: Vec<String>,
    },
}

/// A line that is a command.
pub struct Match<'t> {
    /// The effect of the command.
    pub run: Run,
    /// The words of the line.
    pub args: Args<'t>,
}

/// The words of a line, as ranges of octets.
pub fn tokens(line: &str) -> Vec<Range<usize>> {
    let mut tokens = Vec::new();
    let mut start = None;
    for (at, c) in line.char_indices() {
        match (c.is_whitespace(), start) {
            (true, Some(from)) => {
                tokens.push(from..at);
                start = None;
            }
            (false, None) => start = Some(at),
            _ => {}
        }
    }
    tokens.extend(start.map(|from| from..line.len()));
    tokens
}

/// The quality with which a word fits a position. A smaller value is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Keyword,
    Abbreviation,
    Value,
    Anything,
}

fn fit(word: &Word, text: &str) -> Option<Fit> {
    match word {
        Word::Keyword(keyword) if keyword.eq_ignore_ascii_case(text) => Some(Fit::Keyword),
        Word::Keyword(keyword) => {
            let start = keyword.get(..text.len())?;
            start.eq_ignore_ascii_case(text).then_some(Fit::Abbreviation)
        }
        Word::Argument(kind) if !kind.accepts(text) => None,
        Word::Argument(kind) if kind.takes_anything() => Some(Fit::Anything),
        Word::Argument(_) => Some(Fit::Value),
    }
}

/// A command that matches all words so far, and the fit of each word.
#[derive(Clone)]
struct Thread {
    command: &'static Command,
    at: Option<usize>,
    words: Vec<Bound>,
    fits: Vec<Fit>,
}

impl Thread {
    fn next(&self) -> impl Iterator<Item = (usize, &'static Position)> {
        let pattern = &self.command.pattern;
        let next = pattern.next(self.at).iter();
        next.map(|&at| (at, &pattern.positions()[at]))
    }

    fn may_end(&self, negated: bool) -> bool {
        let Some(at) = self.at else { return false };
        let pattern = &self.command.pattern;
        let enough = match self.command.no {
            No::After(words) => negated && pattern.positions()[at].index + 1 >= words,
            No::Never => false,
        };
        pattern.ends_at(at) || enough
    }
}

/// The state of the matching after some words of a line: all commands that still match.
pub struct Matching {
    threads: Vec<Thread>,
    negated: bool,
}

/// A word that may come next, as `?` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// A keyword, the placeholder of a value, or `<cr>`.
    pub word: String,
    /// The help of the word.
    pub help: &'static str,
    /// Whether the word is a keyword. Only a keyword can be completed.
    pub keyword: bool,
}

impl Matching {
    /// The state before the first word of a command. `negated` is true if `no` or `default`
    /// precedes the command.
    pub fn new(context: &Context, negated: bool) -> Self {
        Matching::among(commands(context.mode()), negated)
    }

    fn among(commands: impl Iterator<Item = &'static Command>, negated: bool) -> Self {
        let threads = commands
            .filter(|command| !negated || command.no != No::Never)
            .map(|command| Thread { command, at: None, words: Vec::new(), fits: Vec::new() })
            .collect();
        Matching { threads, negated }
    }

    /// Matches the next word of `line`.
    pub fn step(&mut self, line: &str, span: Range<usize>) -> Result<(), Mismatch> {
        let text = &line[span.clone()];
        let mut found: Vec<(Fit, &'static Position, Thread)> = Vec::new();
        for thread in &self.threads {
            for (at, position) in thread.next() {
                let Some(fit) = fit(&position.word, text) else {
                    continue;
                };
                let mut thread = thread.clone();
                thread.at = Some(at);
                thread.words.push(Bound {
                    name: position.name,
                    argument: position.argument,
                    span: span.clone(),
                });
                thread.fits.push(fit);
                found.push((fit, position, thread));
            }
        }
        if found.is_empty() {
            return Err(self.invalid(text, span));
        }
        self.threads = choose(found, span)?;
        Ok(())
    }

    /// The words that may come next, in the order of the tables. Each word is listed once. `<cr>`
    /// is the last word if the line may end here.
    pub fn expected(&self) -> Vec<Next> {
        let mut all: Vec<Next> = Vec::new();
        for (_, position) in self.threads.iter().flat_map(Thread::next) {
            let keyword = matches!(position.word, Word::Keyword(_));
            let word = match &position.word {
                Word::Keyword(word) => (*word).to_owned(),
                Word::Argument(kind) => kind.to_string(),
            };
            // The list does not contain the placeholder `INTERFACE`, because it already contains a
            // keyword for each kind of interface, for example `Ethernet`.
            if word != "INTERFACE" && all.iter().all(|next| next.word != word) {
                all.push(Next { word, help: position.help, keyword });
            }
        }
        if self.may_end() {
            all.push(Next { word: "<cr>".to_owned(), help: "", keyword: false });
        }
        all
    }

    /// Whether the words so far are a complete command.
    pub fn may_end(&self) -> bool {
        self.threads.iter().any(|thread| thread.may_end(self.negated))
    }

    /// Matches all words of `line`.
    fn whole(mut self, line: &str, words: Vec<Range<usize>>) -> Result<Match<'_>, Mismatch> {
        for span in words {
            self.step(line, span)?;
        }
        self.finish(line)
    }

    /// The command that matches the whole `line`.
    pub fn finish(self, line: &str) -> Result<Match<'_>, Mismatch> {
        let incomplete = Mismatch::Incomplete { expected: self.expected_words() };
        let negated = self.negated;
        self.threads
            .into_iter()
            .filter(|thread| thread.may_end(negated))
            .min_by(|one, other| one.fits.cmp(&other.fits))
            .map(|thread| Match {
                run: thread.command.run,
                args: Args::new(line, thread.words, negated),
            })
            .ok_or(incomplete)
    }

    fn expected_words(&self) -> Vec<String> {
        self.expected().into_iter().map(|next| next.word).collect()
    }

    fn invalid(&self, text: &str, span: Range<usize>) -> Mismatch {
        let next = self.threads.iter().flat_map(Thread::next);
        let common = |keyword: &str| {
            let pairs = keyword.chars().zip(text.chars());
            pairs.take_while(|(one, other)| one.eq_ignore_ascii_case(other)).count()
        };
        let fits = next.filter_map(|(_, position)| match &position.word {
            Word::Keyword(keyword) => Some(common(keyword)),
            Word::Argument(_) => None,
        });
        Mismatch::Invalid { span, fits: fits.max().unwrap_or(0), expected: self.expected_words() }
    }
}

/// Selects the best matches of a word. If the word is a complete keyword, the keywords that it
/// abbreviates are removed. If the word abbreviates several keywords and also fits a value, only
/// the value remains. If the word abbreviates several keywords and fits no value, the word is
/// ambiguous.
fn choose(
    found: Vec<(Fit, &'static Position, Thread)>,
    span: Range<usize>,
) -> Result<Vec<Thread>, Mismatch> {
    let exact = found.iter().any(|(fit, ..)| *fit == Fit::Keyword);
    let mut candidates: Vec<String> = Vec::new();
    for (fit, position, _) in &found {
        if let (Fit::Abbreviation, Word::Keyword(keyword)) = (fit, &position.word)
            && candidates.iter().all(|other| other != keyword)
        {
            candidates.push((*keyword).to_owned());
        }
    }
    let ambiguous = !exact && candidates.len() > 1;
    if ambiguous && found.iter().all(|(fit, ..)| *fit == Fit::Abbreviation) {
        return Err(Mismatch::Ambiguous { span, candidates });
    }
    let drop_abbreviations = exact || ambiguous;
    let kept =
        found.into_iter().filter(|(fit, ..)| !(drop_abbreviations && *fit == Fit::Abbreviation));
    Ok(kept.map(|(.., thread)| thread).collect())
}

/// Matches a line against the commands of one context. If a command has a `no` form, `no` may
/// precede the command. In configuration modes, `default` may also precede the command. `default`
/// resets the setting to its default value.
pub fn match_line<'t>(context: &Context, line: &'t str) -> Result<Match<'t>, Mismatch> {
    match_mode(context.mode(), line)
}

/// Matches a line against the commands of one mode.
pub fn match_mode(mode: Mode, line: &str) -> Result<Match<'_>, Mismatch> {
    let (negated, tokens) = negation(mode, line);
    Matching::among(commands(mode), negated).whole(line, tokens)
}

/// Matches a line against the lines that are accepted in one mode, but are not carried out. The
/// keywords of the line must not be abbreviated, because an abbreviated line is more often a
/// mistake in a different command.
pub fn match_accepted(mode: Mode, line: &str) -> Option<Match<'_>> {
    let (negated, tokens) = negation(mode, line);
    let matched = Matching::among(accepted(mode), negated).whole(line, tokens).ok();
    matched.filter(|matched| matched.args.is_unabbreviated())
}

/// Returns the state before the first word of the command, and the words of the command. If the
/// line begins with `no` or `default`, the command begins after this word.
pub fn begin(context: &Context, line: &str) -> (Matching, Vec<Range<usize>>) {
    let (negated, tokens) = negation(context.mode(), line);
    (Matching::new(context, negated), tokens)
}

/// Whether a line begins with `no` or `default`, and the words of the line without this first word.
fn negation(mode: Mode, line: &str) -> (bool, Vec<Range<usize>>) {
    let mut tokens = tokens(line);
    let first = tokens.first().map(|span| &line[span.clone()]);
    let negations: &[&str] = if mode == Mode::Exec { &["no"] } else { &["no", "default"] };
    let negated =
        first.is_some_and(|word| negations.iter().any(|no| no.eq_ignore_ascii_case(word)));
    if negated {
        tokens.remove(0);
    }
    (negated, tokens)
}

impl Mismatch {
    /// The progress of the matching before the error. If several errors are possible, the error
    /// with the largest progress is printed, because this error helps the user most.
    pub fn progress(&self) -> (usize, usize) {
        match self {
            Mismatch::Invalid { span, fits, .. } => (span.start, *fits),
            Mismatch::Ambiguous { span, .. } => (span.end, 0),
            Mismatch::Incomplete { .. } => (usize::MAX, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mismatch(context: &Context, line: &str) -> Mismatch {
        match match_line(context, line) {
            Ok(_) => panic!("{line:?} matched"),
            Err(mismatch) => mismatch,
        }
    }

    #[test]
    fn a_beginning_stands_for_its_keyword() {
        let matched = match_line(&Context::Config, "rout LI").ok().unwrap();
        assert!(matched.args.has("lisp"));
        let line = "ipv4 itr map-res 192.0.2.1";
        assert!(match_line(&Context::Lisp, line).is_ok());
    }

    #[test]
    fn a_whole_keyword_is_not_ambiguous_with_a_longer_one() {
        assert!(match_line(&Context::Config, "ip route 10.0.0.0 255.0.0.0 Null0").is_ok());
    }

    #[test]
    fn several_keywords_with_one_beginning_are_ambiguous() {
        let Mismatch::Ambiguous { span, candidates } = mismatch(&Context::Lisp, "i") else {
            panic!("not ambiguous");
        };
        assert_eq!(span, 0..1);
        assert_eq!(candidates, ["instance-id", "ipv4", "ipv6"]);
    }

    #[test]
    fn an_invalid_word_is_pointed_at_where_it_goes_wrong() {
        let found = mismatch(&Context::Lisp, "ipv4 etr map-sorver 192.0.2.1");
        let Mismatch::Invalid { span, fits, expected } = found else {
            panic!("not invalid");
        };
        assert_eq!((span, fits), (9..19, 5));
        assert_eq!(
            expected,
            ["map-server", "map-cache-ttl", "smr-peer", "forward-away", "source-check", "<cr>"]
        );
    }

    #[test]
    fn a_missing_end_says_what_is_expected() {
        let expected = ["key", "proxy-reply"].map(str::to_owned).to_vec();
        assert_eq!(
            mismatch(&Context::Lisp, "ipv4 etr map-server 192.0.2.1"),
            Mismatch::Incomplete { expected }
        );
    }

    #[test]
    fn a_no_form_may_stop_early() {
        assert!(match_line(&Context::Lisp, "no ipv4 etr map-server 192.0.2.1").is_ok());
        assert!(match_line(&Context::Lisp, "no ipv4 etr map-server").is_err());
        assert!(match_line(&Context::Config, "no exit").is_err());
        assert!(match_line(&Context::Config, "no ip").is_err());
        assert!(match_accepted(Mode::Config, "no ip domain lookup").is_some());
        assert!(match_accepted(Mode::Config, "no ip").is_none());
        assert!(match_accepted(Mode::Config, "no ip dom lookup").is_none(), "whole words only");
    }

    #[test]
    fn an_interface_may_have_a_blank() {
        for line in ["interface ethernet 1/0", "int Ethernet1/0", "interface e1/0"] {
            let matched = match_line(&Context::Config, line).ok().unwrap();
            let name: crate::router::config::InterfaceName =
                matched.args.value("interface").unwrap();
            assert_eq!(name.to_string(), "Ethernet1/0", "{line}");
        }
    }

    #[test]
    fn a_word_that_is_also_a_keyword_is_taken_where_only_it_fits() {
        let context = Context::Site("A".to_owned());
        let key = match_line(&context, "authentication-key 0").ok().unwrap();
        assert_eq!(key.args.text("key"), Some("0"));
        let key = match_line(&context, "authentication-key 0 0").ok().unwrap();
        assert_eq!(key.args.text("key"), Some("0"));
    }
}
