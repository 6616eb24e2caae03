//! Reads the text of a script: its head and its steps. README.md explains how to write a script.

use std::path::Path;
use std::time::Duration;

use super::message;
use super::phrase::Phrase;
use super::words::number;

/// A script.
#[derive(Debug)]
pub struct Script {
    /// The directory and the name of the file without its extension, for example
    /// `9301/5.2-probe-reply`.
    pub name: String,
    /// The requirements that the script shows.
    pub rules: Vec<Rule>,
    /// The file in `routers` with the configuration of the router.
    pub router: String,
    /// The configuration of the script. It follows the configuration of the file.
    pub config: String,
    /// Names of messages that the script ignores.
    pub ignored: Vec<String>,
    pub steps: Vec<Step>,
}

/// The line that names a requirement: `rule 9301 5.2 MUST probe-reply`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub line: usize,
    pub rfc: u32,
    pub section: String,
    pub level: String,
    pub name: String,
}

#[derive(Debug)]
pub struct Step {
    pub line: usize,
    /// The text of the step in the script.
    pub text: String,
    pub delay: Delay,
    pub what: What,
}

/// The time from the previous step to this step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delay {
    After(Duration),
    Between(Duration, Duration),
}

#[derive(Debug)]
pub enum What {
    /// `< PHRASE {change}`: an input of the router.
    Give(Phrase, Vec<Change>),
    /// `> PHRASE {check}`: an expected output of the router.
    Expect(Phrase, Vec<Check>),
    /// `nothing`: the router has no output after the previous step.
    Nothing,
    /// `show COMMAND => TEXT`: a line of the output contains the text. `show COMMAND !=> TEXT`: no
    /// line contains the text.
    Show { command: String, text: String, present: bool },
    /// `configure`, followed by a configuration and the line `end`.
    Configure(String),
}

/// A change of the octets of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// `{octet 2 = 0x40}`: sets an octet.
    Set(usize, u8),
    /// `{octet 2 or 0x40}`: sets bits of an octet.
    Or(usize, u8),
    /// `{cut 20}`: keeps only this number of octets.
    Cut(usize),
    /// `{sign}`: signs the message again with the default key, after the changes that come before.
    Sign,
}

/// A condition for the octets of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// `{octet 1 and 0x1f = 0}`: bits of an octet have a value.
    Octet { at: usize, mask: u8, value: u8 },
    /// `{at most 548 octets}`: the maximum length of the message.
    AtMost(usize),
}

/// An error in a script, with its file and line: `9301/x.conform:12: ...`.
pub type Fault = String;

impl Script {
    /// Reads a script from the text of a file.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Fault> {
        let file = path.file_stem().unwrap_or_default().to_string_lossy();
        let directory = path.parent().and_then(Path::file_name).unwrap_or_default();
        let name = format!("{}/{file}", directory.to_string_lossy());
        let mut script = Script {
            name: name.clone(),
            rules: Vec::new(),
            router: String::new(),
            config: String::new(),
            ignored: Vec::new(),
            steps: Vec::new(),
        };
        let mut lines = Lines::of(text);
        while let Some((line, text)) = lines.next() {
            let at = |why: String| format!("{name}.conform:{line}: {why}");
            script.take(line, &text, &mut lines).map_err(at)?;
        }
        let missing = |what: &str| format!("{name}.conform: a line `{what}` is missing");
        if script.rules.is_empty() {
            return Err(missing("rule RFC SECTION LEVEL NAME"));
        }
        if script.router.is_empty() {
            return Err(missing("router NAME"));
        }
        if script.steps.is_empty() {
            return Err(missing("+SECONDS < ..."));
        }
        Ok(script)
    }

    fn take(&mut self, line: usize, text: &str, lines: &mut Lines<'_>) -> Result<(), String> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        match word {
            "rule" => self.rules.push(rule(line, rest)?),
            "router" if !rest.is_empty() => self.router = rest.to_owned(),
            "ignore" if !rest.is_empty() => self.ignored.push(rest.to_owned()),
            "config" if rest.is_empty() => self.config = lines.block()?,
            _ if word.starts_with('+') => {
                let delay = delay(&word[1..])?;
                let what = what(rest.trim(), lines)?;
                self.steps.push(Step { line, text: squeezed(text), delay, what });
            }
            _ => {
                return Err(format!(
                    "`{word}`: expected rule RFC SECTION LEVEL NAME, router NAME, ignore MESSAGE, \
                     config, or +SECONDS"
                ));
            }
        }
        Ok(())
    }
}

/// The lines of a script without comments. A line that begins with a blank continues the previous
/// line.
struct Lines<'a> {
    lines: Vec<(usize, &'a str)>,
    next: usize,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line)).collect();
        Lines { lines, next: 0 }
    }

    fn next(&mut self) -> Option<(usize, String)> {
        loop {
            let &(line, text) = self.lines.get(self.next)?;
            self.next += 1;
            let mut text = uncommented(text).trim().to_owned();
            if text.is_empty() {
                continue;
            }
            while let Some((_, more)) = self.lines.get(self.next)
                && more.starts_with(' ')
            {
                text.push(' ');
                text.push_str(uncommented(more).trim());
                self.next += 1;
            }
            return Some((line, text.trim_end().to_owned()));
        }
    }

    /// The next lines until `end`, unchanged.
    fn block(&mut self) -> Result<String, String> {
        let rest = &self.lines[self.next..];
        let len = rest.iter().position(|(_, text)| *text == "end").ok_or("`end` is missing")?;
        self.next += len + 1;
        Ok(rest[..len].iter().flat_map(|(_, text)| [text, "\n"]).collect())
    }
}

fn uncommented(line: &str) -> &str {
    if line.trim_start().starts_with('#') {
        return "";
    }
    line.split(" # ").next().unwrap_or_default()
}

fn rule(line: usize, text: &str) -> Result<Rule, String> {
    let expected = || format!("`rule {text}`: expected rule RFC SECTION LEVEL NAME");
    let words: Vec<_> = text.split_whitespace().collect();
    let [rfc, section, level @ .., name] = &words[..] else { return Err(expected()) };
    if level.is_empty() {
        return Err(expected());
    }
    Ok(Rule {
        line,
        rfc: rfc.parse().map_err(|_| expected())?,
        section: (*section).to_owned(),
        level: level.join(" "),
        name: (*name).to_owned(),
    })
}

fn delay(text: &str) -> Result<Delay, String> {
    match text.split_once("..") {
        None => seconds(text).map(Delay::After),
        Some((least, most)) => Ok(Delay::Between(seconds(least)?, seconds(most)?)),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let bad = || format!("`+{text}`: seconds expected, as +0, +1.5 or +54..66");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.len() > 6 {
        return Err(bad());
    }
    let whole: u64 = whole.parse().map_err(|_| bad())?;
    let micros: u64 = format!("{fraction:0<6}").parse().map_err(|_| bad())?;
    Ok(Duration::from_micros(whole * 1_000_000 + micros))
}

fn what(text: &str, lines: &mut Lines<'_>) -> Result<What, String> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    match word {
        "<" => {
            let (phrase, braces) = braced(rest)?;
            let changes = braces.iter().map(|text| change(text)).collect::<Result<_, _>>()?;
            Ok(What::Give(Phrase::parse(&phrase)?, changes))
        }
        ">" => {
            let (phrase, braces) = braced(rest)?;
            let checks = braces.iter().map(|text| check(text)).collect::<Result<_, _>>()?;
            Ok(What::Expect(Phrase::parse(&phrase)?, checks))
        }
        "nothing" if rest.is_empty() => Ok(What::Nothing),
        "configure" if rest.is_empty() => lines.block().map(What::Configure),
        "show" => {
            let (command, text) = rest.split_once("=>").ok_or("`=> TEXT` is missing")?;
            let (command, present) = match command.trim().strip_suffix('!') {
                Some(command) => (command.trim(), false),
                None => (command.trim(), true),
            };
            Ok(What::Show { command: format!("show {command}"), text: squeezed(text), present })
        }
        _ => Err(format!(
            "`{word}`: expected < INPUT, > OUTPUT, nothing, show COMMAND => TEXT or configure"
        )),
    }
}

/// The text with one blank in place of each group of blanks.
pub fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Splits a text into the part before the braces and the content of each pair of braces.
fn braced(text: &str) -> Result<(String, Vec<String>), String> {
    let Some((phrase, mut rest)) = text.split_once('{') else {
        return Ok((text.to_owned(), Vec::new()));
    };
    let mut braces = Vec::new();
    loop {
        let (brace, after) = rest.split_once('}').ok_or("`}` is missing")?;
        braces.push(squeezed(brace));
        match after.trim_start().strip_prefix('{') {
            Some(next) => rest = next,
            None if after.trim().is_empty() => return Ok((phrase.trim().to_owned(), braces)),
            None => return Err(format!("`{}` stands after `}}`", after.trim())),
        }
    }
}

fn value<T: TryFrom<u128>>(word: &str) -> Result<T, String> {
    let value = number(word).and_then(|value| T::try_from(value).ok());
    value.ok_or(format!("`{word}`: a number that fits is expected"))
}

fn change(text: &str) -> Result<Change, String> {
    match text.split(' ').collect::<Vec<_>>()[..] {
        ["octet", at, "=", octet] => Ok(Change::Set(value(at)?, value(octet)?)),
        ["octet", at, "or", octet] => Ok(Change::Or(value(at)?, value(octet)?)),
        ["cut", len] => Ok(Change::Cut(value(len)?)),
        ["sign"] => Ok(Change::Sign),
        _ => Err(format!("`{{{text}}}`: expected octet N = X, octet N or X, cut N, or sign")),
    }
}

fn check(text: &str) -> Result<Check, String> {
    match text.split(' ').collect::<Vec<_>>()[..] {
        ["octet", at, "=", octet] => {
            Ok(Check::Octet { at: value(at)?, mask: 0xff, value: value(octet)? })
        }
        ["octet", at, "and", mask, "=", octet] => {
            Ok(Check::Octet { at: value(at)?, mask: value(mask)?, value: value(octet)? })
        }
        ["at", "most", len, "octets"] => Ok(Check::AtMost(value(len)?)),
        _ => Err(format!(
            "`{{{text}}}`: expected octet N = X, octet N and MASK = X, or at most N octets"
        )),
    }
}

impl Change {
    /// Applies the change.
    ///
    /// # Errors
    /// The message has too few octets for the change.
    pub fn apply(&self, octets: &mut Vec<u8>) -> Result<(), String> {
        match *self {
            Change::Set(at, value) => *octet(octets, at)? = value,
            Change::Or(at, value) => *octet(octets, at)? |= value,
            Change::Cut(len) => octets.truncate(len),
            Change::Sign => message::sign(octets)?,
        }
        Ok(())
    }
}

fn octet(octets: &mut [u8], at: usize) -> Result<&mut u8, String> {
    let len = octets.len();
    octets.get_mut(at).ok_or(format!("{len} octets have no octet {at}"))
}

impl Check {
    /// The reason why the condition does not hold. `None` if it holds.
    pub fn fails(&self, octets: &[u8]) -> Option<String> {
        match *self {
            Check::Octet { at, mask, value } => {
                let seen = octets.get(at).map(|octet| octet & mask);
                (seen != Some(value)).then(|| format!("octet {at} and {mask:#x} is {seen:?}"))
            }
            Check::AtMost(len) => (octets.len() > len).then(|| format!("{} octets", octets.len())),
        }
    }
}
