//! A test for plain English, for readers whose language is another. It finds words that make a
//! sentence hard to read. It reads the comments and string literals of Rust, the comments of
//! scripts and scenarios, and Markdown. It leaves out code blocks, `code`, "quotations" and
//! questions.
//!
//! The rule is in CONTRIBUTING, Style, with examples.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use proc_macro2::{TokenStream, TokenTree};
use regex::Regex;

/// The folders and files that are read, below the root of the repository.
const READ: &str =
    "src tests benches lab netns-scripts .ci README.md CONTRIBUTING.md SECURITY.md CHANGELOG.md";

/// Folders that are not read: their files are not ours, or no person reads them.
const SKIPPED: [&str; 3] = ["target", "corpus", "artifacts"];

/// The maximum number of findings below these paths, while a folder is being improved. Other paths
/// must have no finding.
const MOST: [(&str, usize); 0] = [];

/// A pattern, and the wording to use in its place. In a pattern, `\x00` is the start of a sentence.
struct Rule {
    pattern: Regex,
    better: &'static str,
}

/// Nouns for people. After one of these nouns, a clause with "who" is easy to read.
const PEOPLE: &str = "one|ones|person|persons|people|user|users|reader|readers|student|students|newcomer\
                      |newcomers|operator|operators|those|anyone|author|authors|teacher|teachers";

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    [
        (
            r"\b(whoever|whomever|whosoever|somebody|nobody|anybody)\b",
            "name the role: the sender, the peer, a process, the operator; or write `no router`, `no one`",
        ),
        (r"\bwhatever\b", "write `any`, `every` or `also if`, and the noun"),
        (
            r"\bwhat\b",
            "name the thing: \"Returns the output of `ip`\", not \"returns what it prints\"",
        ),
        (
            r"\b(routers?|process) (that |could )?plays?\b|\bplayed by (a|the|its) router\b|\bplay a host\b",
            "a router runs an emulated host",
        ),
        (
            r"\bwhom?\b",
            "name the role: \"Returns the sender\", not \"returns who sent it\"",
        ),
        (
            r"(\x00 *|\b(?:of|to|for|from|by|with|know|knows|known|say|says|tell|tells|in) )whose\b",
            "name the owner: \"the process that pings\", not \"whose ping it is\"",
        ),
    ]
    .into_iter()
    .map(|(pattern, better)| {
        let pattern = Regex::new(&format!("(?i){pattern}")).unwrap();
        Rule { pattern, better }
    })
    .collect()
});

/// Names of types that are metaphors, with better names.
const METAPHORS: [(&str, &str); 6] = [
    ("Said", "the thing that was said: `Reply`, `Report`"),
    ("Course", "`Progress`, or the thing that goes on"),
    ("Desk", "`Session`, or what it edits"),
    ("Whereabouts", "`Place` or `Location`"),
    ("Standing", "`State` or `Status`"),
    ("Patience", "`Deadline` or `Timeout`"),
];

/// A hard word in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    file: String,
    line: usize,
    word: String,
    /// The line that contains the word.
    text: String,
    better: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { file, line, word, text, better } = self;
        write!(f, "{file}:{line}: {word:?} in \"{text}\"\n    {better}")
    }
}

/// A passage of text, as pieces. Each piece has the number of its line.
type Passage = Vec<(usize, String)>;

/// The findings in a file.
fn findings(file: &str, text: &str) -> Vec<Finding> {
    let extension = Path::new(file).extension().and_then(|extension| extension.to_str());
    let (prose, names) = match extension {
        Some("rs") => rust(file, text),
        Some("md") => (markdown(text), Vec::new()),
        Some("scenario" | "toml" | "sh") => (hash_comments(text), Vec::new()),
        None if text.starts_with("#!") => (hash_comments(text), Vec::new()),
        _ => return Vec::new(),
    };
    let mut findings: Vec<Finding> =
        prose.iter().flat_map(|passage| hard_words(file, passage)).collect();
    findings.extend(names.into_iter().filter_map(|(line, name)| metaphor(file, line, &name)));
    findings.sort();
    findings
}

fn metaphor(file: &str, line: usize, name: &str) -> Option<Finding> {
    let (_, better) = METAPHORS.iter().find(|(metaphor, _)| *metaphor == name)?;
    let (file, word) = (file.to_owned(), name.to_owned());
    Some(Finding { file, line, text: word.clone(), word, better: format!("write {better}") })
}

fn hard_words(file: &str, passage: &Passage) -> Vec<Finding> {
    let mut text = String::from("\0 ");
    let mut starts = Vec::new();
    for (line, piece) in passage {
        starts.push((text.len(), *line));
        text.push_str(piece);
        text.push(' ');
    }
    let text = without_quotations(&text);
    let text = sentence_ends().replace_all(&text, |ends: &regex::Captures<'_>| {
        // The text keeps its length in octets, so that positions still give the line numbers.
        format!("{}\0{}", &ends[1], &ends[2])
    });
    let mut findings = Vec::new();
    for rule in RULES.iter() {
        for found in rule.pattern.find_iter(&text) {
            let word = found.as_str().trim_start_matches(['\0', ' ']);
            if is_question(&text, found.start()) || is_of_people(&text, found.start(), word) {
                continue;
            }
            let at = found.end() - word.len();
            let line =
                starts.iter().rev().find(|(start, _)| *start <= at).map_or(0, |start| start.1);
            let piece = &passage.iter().find(|(number, _)| *number == line).unwrap().1;
            findings.push(Finding {
                file: file.to_owned(),
                line,
                word: word.to_lowercase(),
                text: piece.trim().to_owned(),
                better: rule.better.to_owned(),
            });
        }
    }
    findings
}

/// The end of a sentence: its last mark and the blanks after it.
fn sentence_ends() -> &'static Regex {
    static ENDS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"([.!?:;]) ( *)").unwrap());
    &ENDS
}

/// Whether the sentence at the position `at` ends with a question mark.
fn is_question(text: &str, at: usize) -> bool {
    let end = text[at..].char_indices().skip(1).find(|(_, c)| matches!(c, '.' | '?' | '!' | '\0'));
    end.is_some_and(|(_, c)| c == '?')
}

/// Whether a word that begins with "who" follows a noun for people, as in "users who".
fn is_of_people(text: &str, at: usize, word: &str) -> bool {
    static NOUN: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(&format!(r"(?i)\b(?:{PEOPLE})( else| there)?,? $")).unwrap());
    word.to_lowercase().starts_with("who") && NOUN.is_match(&text[..at])
}

/// The text with `code` and "quotations" replaced by other characters of equal length.
fn without_quotations(text: &str) -> String {
    static QUOTED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"``[^`]*``|`[^`]*`|"[^"]*"|“[^”]*”"#).unwrap());
    QUOTED
        .replace_all(text, |quoted: &regex::Captures<'_>| "x".repeat(quoted[0].len()))
        .into_owned()
}

/// The passages and the names of a Rust source. The passages are the comments, and the string
/// literals of more than one word.
fn rust(file: &str, text: &str) -> (Vec<Passage>, Vec<(usize, String)>) {
    let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut tree = Tokens::default();
    tree.collect(text, tokens);
    // A `//` begins a comment if it is not inside a literal.
    let mut code: Vec<bool> = vec![false; text.len()];
    tree.code.iter().for_each(|range| code[range.clone()].fill(true));
    let mut passages = Vec::new();
    let mut open = Passage::new();
    let mut start = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let comment = line.find("//").filter(|at| !code[start + at]);
        let is_alone = comment.is_some_and(|at| line[..at].trim().is_empty());
        let words = comment.map(|at| line[at..].trim_start_matches(['/', '!']).trim());
        if !is_alone || words.is_some_and(str::is_empty) {
            passages.push(std::mem::take(&mut open));
        }
        if let Some(words) = words {
            open.push((index + 1, words.to_owned()));
        }
        if !is_alone {
            passages.push(std::mem::take(&mut open));
        }
        start += line.len();
    }
    passages.push(open);
    let mut passages: Vec<Passage> =
        passages.into_iter().flat_map(|p| without_diagrams(&p)).collect();
    passages.extend(tree.strings);
    (passages, tree.names)
}

/// The passages between the code blocks of a comment.
fn without_diagrams(passage: &Passage) -> Vec<Passage> {
    let mut passages = vec![Passage::new()];
    let mut inside = false;
    for (line, words) in passage {
        if words.starts_with("```") {
            inside = !inside;
            passages.push(Passage::new());
        } else if !inside {
            passages.last_mut().unwrap().push((*line, words.clone()));
        }
    }
    passages
}

/// The literals and names of a file.
#[derive(Default)]
struct Tokens {
    /// The octets of all literals.
    code: Vec<std::ops::Range<usize>>,
    strings: Vec<Passage>,
    names: Vec<(usize, String)>,
}

impl Tokens {
    fn collect(&mut self, text: &str, tokens: TokenStream) {
        for token in tokens {
            let span = token.span();
            // A doc comment is also a token: an attribute `#[doc = ".."]`. Its source text begins
            // with a slash.
            if text[span.byte_range()].starts_with("//") {
                continue;
            }
            match token {
                TokenTree::Group(group) => self.collect(text, group.stream()),
                TokenTree::Ident(name) => self.names.push((span.start().line, name.to_string())),
                TokenTree::Literal(literal) => {
                    self.code.push(span.byte_range());
                    if let Ok(string) = syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                        self.string(span.start().line, &string.value());
                    }
                }
                TokenTree::Punct(_) => {}
            }
        }
    }

    /// Adds a string literal. It leaves out the places where `format!` puts values, and the words
    /// of tcpdump and IOS.
    fn string(&mut self, line: usize, words: &str) {
        static VALUES: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"\{[^{} ]*\}|who has|Who Last").unwrap());
        if words.contains(' ') {
            let words = VALUES.replace_all(words, "x");
            let paragraphs = words.split("\n\n");
            let prose =
                |text: &str| vec![(line, text.split_whitespace().collect::<Vec<_>>().join(" "))];
            self.strings.extend(paragraphs.map(prose));
        }
    }
}

/// The paragraphs outside code blocks.
fn markdown(text: &str) -> Vec<Passage> {
    let mut passages = vec![Passage::new()];
    let mut inside = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if inside || line.starts_with("    ") && passages.last().unwrap().is_empty() {
            continue;
        } else if line.trim().is_empty() {
            passages.push(Passage::new());
        } else {
            passages.last_mut().unwrap().push((index + 1, line.trim().to_owned()));
        }
    }
    passages
}

/// The comments of a script, a scenario or a TOML file.
fn hash_comments(text: &str) -> Vec<Passage> {
    let mut passages = vec![Passage::new()];
    for (index, line) in text.lines().enumerate() {
        match line.find('#').map(|at| line.split_at(at)) {
            Some((before, words)) if before.is_empty() || before.ends_with(' ') => {
                let words = words.trim_start_matches(['#', '!', ':', ' ']);
                if words.is_empty() || !before.trim().is_empty() {
                    passages.push(Passage::new());
                }
                passages.last_mut().unwrap().push((index + 1, words.to_owned()));
            }
            _ => passages.push(Passage::new()),
        }
    }
    passages
}

/// All files of [`READ`] and below, as paths relative to the root of the repository.
fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open: Vec<PathBuf> = READ.split(' ').map(PathBuf::from).collect();
    let mut files = Vec::new();
    while let Some(path) = open.pop() {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !root.join(&path).is_dir() {
            files.push(path);
        } else if !SKIPPED.contains(&name) {
            let entries = fs::read_dir(root.join(&path)).unwrap();
            open.extend(entries.map(|entry| path.join(entry.unwrap().file_name())));
        }
    }
    files.sort();
    files
}

/// The lines that are not in the branch `main` yet. They tell a new finding from a known finding.
/// Empty without git.
fn new_lines(root: &Path) -> String {
    let arguments = ["diff", "--unified=0", "main", "--"];
    let diff = Command::new("git").args(arguments).current_dir(root).output();
    let diff = diff.map(|diff| String::from_utf8_lossy(&diff.stdout).into_owned());
    let diff = diff.unwrap_or_default();
    diff.lines().filter(|line| line.starts_with('+')).collect::<Vec<_>>().join("\n")
}

/// The report on a row of [`MOST`], if its paths have more findings than the row allows.
fn excess(below: &str, limit: usize, found: &[&Finding], root: &Path) -> Option<String> {
    if found.len() <= limit {
        return None;
    }
    let new = new_lines(root);
    let is_new = |finding: &&&Finding| new.contains(finding.text.as_str());
    let mut told: Vec<String> = found.iter().filter(is_new).map(|f| f.to_string()).collect();
    if told.is_empty() {
        told = found.iter().map(|finding| finding.to_string()).collect();
    }
    Some(format!("{below}: {} findings, at most {limit}:\n{}", found.len(), told.join("\n")))
}

#[test]
fn comments_messages_and_documents_are_in_plain_english() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    for file in files() {
        let name = file.to_str().unwrap();
        // This file is not read, because it contains the list of words.
        if let (false, Ok(text)) = (name == file!(), fs::read_to_string(root.join(&file))) {
            all.extend(findings(name, &text));
        }
    }
    let is_below = |path: &str, row: &str| row.split(' ').any(|below| path.starts_with(below));
    let row = |path: &str| MOST.iter().position(|(row, _)| is_below(path, row));
    let mut failures = Vec::new();
    for index in (0..MOST.len()).map(Some).chain([None]) {
        let (below, limit) = index.map_or(("elsewhere", 0), |index| MOST[index]);
        let found: Vec<&Finding> = all.iter().filter(|f| row(&f.file) == index).collect();
        failures.extend(excess(below, limit, &found, root));
    }
    assert!(failures.is_empty(), "hard to read:\n{}", failures.join("\n"));
}

#[test]
fn a_hard_word_is_found_and_a_plain_one_is_not() {
    for (file, text, lines) in [
        ("a.rs", "/// Returns what it prints.\nfn f() {}", vec![1]),
        ("a.rs", "fn f() {} // Whoever asks.", vec![1]),
        ("a.rs", "/// Waits,\n/// for nobody knows it.\nfn f() {}", vec![2]),
        ("a.rs", "/// Who sent it.\nfn f() {}", vec![1]),
        ("a.rs", "/// Does it.\n/// Whose ping it is.\nfn f() {}", vec![2]),
        ("a.rs", "fn f() { g(\"tells what is wrong\") }", vec![1]),
        ("a.rs", "fn f() { g!(\n\"a https://x\", \"ends what runs\") }", vec![2]),
        ("a.rs", "struct Whereabouts;", vec![1]),
        ("a.toml", "# Hosts that the router plays.", vec![1]),
        ("a.rs", "//! What it is? It is what it is.", vec![1]),
        ("a.md", "Text.\n\n- what it does\n", vec![3]),
        ("a.scenario", "ping A B # what is there\n", vec![1]),
        ("run", "#!/bin/sh\n# Says who is there.\n", vec![2]),
        ("a.rs", "/// The EIDs whose request waits.\nfn what() {}", vec![]),
        ("a.rs", "// What is it?\n// For users who ask \"what\" or `what`.", vec![]),
        ("a.rs", "/// ```\n/// what\n/// ```\nfn f() { g(\"what\") }", vec![]),
        ("a.md", "```\nwhat\n```\n\n    what\n", vec![]),
        ("a.rs", "fn f() { g(\"{what}: {who:?}\", \"ARP who has {a}, tell {b}\") }", vec![]),
        ("a.hex", "what", vec![]),
    ] {
        let found: Vec<usize> = findings(file, text).iter().map(|finding| finding.line).collect();
        assert_eq!(found, lines, "{file}: {text:?}");
    }
}
