//! Reads the text of a scenario into its steps. An error has the file, the line and a caret.

use std::path::Path;
use std::time::Duration;

use super::words::{Fault, Word, Words};
use super::{
    Action, Answers, Bound, Captured, Ends, Flap, LinkChange, Ping, Place, Printed, Scenario, Step,
};
use crate::lab::failure::Failure;
use crate::lab::file::{LabError, LabFile, Node, Span};
use crate::lab::impairment::{Impairment, NONE};
use crate::lab::link_target::Target;
use crate::lab::ping::Echos;
use crate::lab::plugging::Plugging;

/// The time within which a `show` must print the expected text, if the statement has no `within`.
const PATIENCE: Duration = Duration::from_secs(5);

/// A function that returns the text of the file with this name. The file is in the directory of the
/// scenario.
pub type Beside<'a> = dyn Fn(&str) -> Result<String, Failure> + 'a;

/// Reads a scenario for `lab`. `path` is the path of the scenario in errors. `beside` reads
/// included files.
///
/// # Errors
/// An unknown statement, a node or port that the lab does not have, a file that cannot be read, or
/// a file that includes itself. Each error has its file, line and position.
pub fn parse(
    path: &str,
    text: &str,
    lab: &LabFile,
    beside: &Beside<'_>,
) -> Result<Scenario, LabError> {
    parse_part(path, text, Part { octets: 0..text.len(), line: 0 }, lab, beside)
}

/// A part of a file. It consists of complete lines.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// The position of the part in the text of the file, in octets.
    pub octets: Span,
    /// The number of lines before the part.
    pub line: usize,
}

/// Reads the statements in a part of a file. `text` is the text of the whole file. The line numbers
/// in the scenario, and the positions of errors, are counted from the beginning of the whole file.
///
/// # Errors
/// The errors of [`parse`].
pub fn parse_part(
    path: &str,
    text: &str,
    part: Part,
    lab: &LabFile,
    beside: &Beside<'_>,
) -> Result<Scenario, LabError> {
    let mut scenario = Scenario { path: path.to_owned(), ..Scenario::default() };
    read(path, text, part, (lab, beside), &mut vec![path.to_owned()], &mut scenario)?;
    Ok(scenario)
}

/// Adds the statements in a part of a file to `scenario`. `open` has the files that are being read:
/// the scenario first, then each included file.
fn read(
    path: &str,
    text: &str,
    Part { octets, line }: Part,
    (lab, beside): (&LabFile, &Beside<'_>),
    open: &mut Vec<String>,
    scenario: &mut Scenario,
) -> Result<(), LabError> {
    let until_end = &text[..octets.end];
    let mut parser = Parser { path, text: until_end, offset: octets.start, line, lab, beside };
    parser.file(open, scenario).map_err(|wrong| match wrong {
        Wrong::Here((span, message)) => LabError::new(path, text, Some(span), message, ""),
        Wrong::Included(error) => error,
    })
}

/// An error in the file that is being read, or an error in a file that this file includes.
enum Wrong {
    Here(Fault),
    Included(LabError),
}

impl From<Fault> for Wrong {
    fn from(fault: Fault) -> Self {
        Wrong::Here(fault)
    }
}

/// The lines of a file, one after the other.
pub(super) struct Parser<'a> {
    path: &'a str,
    /// The text of the file until the end of the part that is read.
    text: &'a str,
    /// The position of the first octet that was not read yet.
    offset: usize,
    /// The number of the last line that was read. The first line of the file is 1.
    pub(super) line: usize,
    lab: &'a LabFile,
    beside: &'a Beside<'a>,
}

impl<'a> Parser<'a> {
    fn file(&mut self, open: &mut Vec<String>, scenario: &mut Scenario) -> Result<(), Wrong> {
        while let Some((start, text)) = self.next_line() {
            let mut words = Words::new(start, text)?;
            let Some(verb) = words.peek() else {
                continue;
            };
            let line = self.line;
            match verb.text.as_str() {
                "title" => {
                    words.next("title")?;
                    scenario.title = words.quoted("the title")?;
                    words.end()?;
                }
                "also" => {
                    words.next("also")?;
                    words.expect("impaired")?;
                    words.end()?;
                    scenario.also_impaired = true;
                }
                "only" => {
                    words.next("only")?;
                    words.expect("simulated")?;
                    words.end()?;
                    scenario.only_simulated = true;
                }
                "include" => self.include(&mut words, open, scenario)?,
                "overlay" => {
                    words.next("overlay")?;
                    let node = self.router(&mut words)?;
                    let block = self.block(&mut words)?;
                    words.end()?;
                    let overlay = scenario.overlays.entry(node).or_default();
                    block.iter().for_each(|line| overlay.push_str(&format!("{line}\n")));
                }
                _ => {
                    let action = self.action(&mut words, start, text)?;
                    let path = self.path.to_owned();
                    scenario.steps.push(Step { path, line, text: text.trim().to_owned(), action });
                }
            }
        }
        Ok(())
    }

    /// Reads `include "FILE"`. The file is in the same directory.
    fn include(
        &self,
        words: &mut Words,
        open: &mut Vec<String>,
        scenario: &mut Scenario,
    ) -> Result<(), Wrong> {
        words.next("include")?;
        let word = words.peek();
        let name = words.quoted("a file")?;
        words.end()?;
        let fault = |message: String| word.map_or((0..0, message.clone()), |w| w.fault(&message));
        if name.contains('/') {
            return Err(fault(
                "the file must be in the directory of the scenario: write only its name".to_owned(),
            )
            .into());
        }
        let path = Path::new(self.path).with_file_name(&name).display().to_string();
        if open.contains(&path) {
            return Err(fault(format!("{name} includes itself")).into());
        }
        let text = (self.beside)(&name).map_err(|failure| fault(failure.to_string()))?;
        open.push(path.clone());
        let whole = Part { octets: 0..text.len(), line: 0 };
        let parsed = read(&path, &text, whole, (self.lab, self.beside), open, scenario);
        open.pop();
        parsed.map_err(Wrong::Included)
    }

    /// Returns the next line without its end, and the position of the line in the text.
    fn next_line(&mut self) -> Option<(usize, &'a str)> {
        let start = self.offset;
        let line = self.text[start..].split_inclusive('\n').next()?;
        self.offset += line.len();
        self.line += 1;
        Some((start, line.trim_end()))
    }

    /// Reads a block: `{`, lines, and a line that begins with `}`. After the call, `words` has the
    /// words after `}`.
    fn block(&mut self, words: &mut Words) -> Result<Vec<String>, Fault> {
        let lines = self.lines(words)?;
        Ok(lines.into_iter().map(|(_, line)| line.to_owned()).collect())
    }

    /// Returns the lines of a block, each with its position in the text.
    pub(super) fn lines(&mut self, words: &mut Words) -> Result<Vec<(usize, &'a str)>, Fault> {
        let open = words.next("{")?;
        if open.text != "{" {
            return Err(open.fault("{ is expected"));
        }
        words.end()?;
        let mut block = Vec::new();
        loop {
            let Some((start, line)) = self.next_line() else {
                return Err(open.fault("this block has no end: a line with `}` is missing"));
            };
            if let Some(rest) = line.trim_start().strip_prefix('}') {
                // The words after `}` belong to the statement that has this block.
                *words = Words::new(start + line.len() - rest.len(), rest)?;
                return Ok(block);
            }
            block.push((start, line));
        }
    }

    fn action(&mut self, words: &mut Words, start: usize, text: &str) -> Result<Action, Fault> {
        let within = match words.take("within") {
            true => Some(words.time()?),
            false => None,
        };
        let verb = words.next("a statement")?;
        if within.is_some() && !matches!(verb.text.as_str(), "show" | "ping" | "receive") {
            let message = "only `show`, `ping` and `receive` can have `within TIME`";
            return Err(verb.fault(message));
        }
        let action = match verb.text.as_str() {
            "at" => return self.at(words, start, text),
            "show" => self.show(words, within.unwrap_or(PATIENCE))?,
            "ping" => self.ping(words, within)?,
            "flow" => self.flow(words)?,
            "end" => {
                let name = words.name()?;
                let lost = words.take("lost").then(|| words.bound()).transpose()?;
                Action::End { name, lost }
            }
            "capture" => {
                let name = words.name()?;
                words.expect("=")?;
                let port = self.place(words)?;
                let flawed = if words.take("flawed") { words.number()? } else { 0 };
                Action::Capture { name, port, flawed }
            }
            "packets" => packets(words)?,
            "replay" => self.replay(words)?,
            "send" => self.send(words)?,
            "connect" => self.connect(words)?,
            "receive" => Self::receive(words, within.unwrap_or(PATIENCE))?,
            "middle" => Action::Middle,
            "move" => self.move_host(words)?,
            "address" => {
                let host = self.host(words)?;
                let word = words.next("an address")?;
                let address = word.text.parse();
                let address = address.map_err(|_| word.fault("ADDRESS/LENGTH is expected"))?;
                Action::Address { host, address }
            }
            "stop" => Action::Stop { node: self.router(words)? },
            "kill" => Action::Kill { node: self.router(words)? },
            "start" => Action::Start { node: self.router(words)? },
            "link" => self.link(words)?,
            "impair" => self.impair(words)?,
            "wait" => Action::Wait(words.time()?),
            _ => return Err(verb.fault(&format!("{} is not a statement", verb.text))),
        };
        words.end()?;
        Ok(action)
    }

    /// Reads `HOST to ROUTER`, and then the manner of the move.
    fn move_host(&self, words: &mut Words) -> Result<Action, Fault> {
        let host = self.host(words)?;
        words.expect("to")?;
        let to = words.next("a router")?.text;
        let named = Plugging::NAMED.into_iter();
        let mut named = named.filter(|how| how.word().is_some_and(|word| words.take(word)));
        Ok(Action::Move { host, to, how: named.next().unwrap_or_default() })
    }

    /// Reads the name of a host.
    fn host(&self, words: &mut Words) -> Result<String, Fault> {
        self.node(words, |node| matches!(node, Node::Host(_)), "host")
    }

    /// Reads `PORT up`, `PORT down`, `PORT mtu OCTETS` or `PORT flap [count N] [down TIME] [up
    /// TIME]`.
    fn link(&self, words: &mut Words) -> Result<Action, Fault> {
        let port = self.place(words)?;
        let state = words.next("`up`, `down`, `mtu` or `flap`")?;
        let change = match state.text.as_str() {
            "up" => LinkChange::Up,
            "down" => LinkChange::Down,
            "mtu" => LinkChange::Mtu(words.number()?),
            "flap" => return Ok(Action::Flap { port, flap: flap(words)? }),
            _ => return Err(state.fault("`up`, `down`, `mtu` or `flap` is expected")),
        };
        Ok(Action::Link { port, change })
    }

    /// Reads `LINK [direction NODE-to-NODE] WORDS`, where the words are those of [`Impairment`].
    fn impair(&self, words: &mut Words) -> Result<Action, Fault> {
        let link = words.next("a link")?;
        let mut target = Target::find(self.lab, &link.text).map_err(|error| link.fault(&error))?;
        let mut impairment = Impairment::default();
        let mut key = words.next(&format!("an impairment or `{NONE}`"))?;
        loop {
            match key.text.as_str() {
                NONE => {}
                "direction" => {
                    let direction = words.next("NODE-to-NODE")?;
                    let towards = target.towards(self.lab, &direction.text);
                    target = towards.map_err(|error| direction.fault(&error))?;
                }
                _ => {
                    let value = words.peek().map(|word| word.text).unwrap_or_default();
                    impairment.set(&key.text, &value).map_err(|error| key.fault(&error))?;
                    words.next("a value")?;
                }
            }
            if words.peek().is_none() {
                break;
            }
            key = words.next("an impairment")?;
        }
        let fits = impairment.check().and_then(|()| target.mtu(self.lab, &impairment));
        fits.map_err(|error| link.fault(&error))?;
        Ok(Action::Impair { target, impairment })
    }

    /// Reads `NODE: COMMAND / COMMAND`. The text of a command is not split into words, and quotes
    /// in it are ordinary characters.
    fn at(&self, words: &mut Words, start: usize, text: &str) -> Result<Action, Fault> {
        let word = words.next("NODE:")?;
        let Some(node) = word.text.strip_suffix(':') else {
            return Err(word.fault("NODE: COMMAND / COMMAND is expected"));
        };
        let node = self.known(&word, node, |node| matches!(node, Node::Router { .. }), "router")?;
        let commands = &text[word.span.end - start..];
        let commands: Vec<String> = commands.split(" / ").map(|c| c.trim().to_owned()).collect();
        if commands.iter().any(String::is_empty) {
            return Err(word.fault("a command is missing"));
        }
        Ok(Action::At { node, commands })
    }

    fn show(&mut self, words: &mut Words, within: Duration) -> Result<Action, Fault> {
        let node = self.router(words)?;
        let command = words.quoted("the command")?;
        let mut expected = Vec::new();
        while let Some(word) = words.peek() {
            words.next("an expectation")?;
            match word.text.as_str() {
                "contains" => expected.push(Printed::Contains(words.quoted("the text")?)),
                "lacks" => expected.push(Printed::Lacks(words.quoted("the text")?)),
                "matches" => expected.push(Printed::Matches(self.block(words)?)),
                _ => {
                    return Err(
                        word.fault("the next word must be `contains`, `lacks` or `matches`")
                    );
                }
            }
        }
        Ok(Action::Show { node, command, expected, within })
    }

    fn ping(&self, words: &mut Words, within: Option<Duration>) -> Result<Action, Fault> {
        let ends = self.ends(words)?;
        let Echos { count, size, df } = Echos::default();
        let mut ping = Ping { ends, count, size, df };
        let mut expected = Vec::new();
        while let Some(word) = words.peek() {
            words.next("an option")?;
            match word.text.as_str() {
                "count" => ping.count = words.number()?,
                "size" => ping.size = words.number()?,
                "df" => ping.df = true,
                "expect" => expected.extend(answers(words)?),
                _ => return Err(word.fault("`count`, `size`, `df` or `expect` is expected")),
            }
        }
        Ok(Action::Ping { ping, expected, within })
    }

    /// Reads `NAME = FROM TO every TIME`.
    fn flow(&self, words: &mut Words) -> Result<Action, Fault> {
        let name = words.name()?;
        words.expect("=")?;
        let ends = self.ends(words)?;
        words.expect("every")?;
        Ok(Action::Flow { name, ends, every: words.time()? })
    }

    fn ends(&self, words: &mut Words) -> Result<Ends, Fault> {
        let from = self.node(words, |_| true, "node")?;
        let word = words.next("a host or an address")?;
        let to = match word.text.parse::<std::net::IpAddr>() {
            Ok(_) => word.text,
            Err(_) => self.known(&word, &word.text, |n| matches!(n, Node::Host(_)), "host")?,
        };
        Ok(Ends { from, to, ipv6: words.take("ipv6") })
    }

    fn router(&self, words: &mut Words) -> Result<String, Fault> {
        self.node(words, |node| matches!(node, Node::Router { .. }), "router")
    }

    pub(super) fn node(
        &self,
        words: &mut Words,
        fits: impl Fn(&Node) -> bool,
        what: &str,
    ) -> Result<String, Fault> {
        let word = words.next(&format!("a {what}"))?;
        self.known(&word, &word.text, fits, what)
    }

    fn known(
        &self,
        word: &Word,
        name: &str,
        fits: impl Fn(&Node) -> bool,
        what: &str,
    ) -> Result<String, Fault> {
        let nodes = || self.lab.nodes.iter().filter(|(_, node)| fits(node));
        match nodes().find(|(known, _)| *known == name) {
            Some(_) => Ok(name.to_owned()),
            None => {
                let names: Vec<&str> = nodes().map(|(name, _)| name.as_str()).collect();
                Err(word.fault(&format!(
                    "this is not a {what} of the lab; the lab has {}",
                    names.join(", ")
                )))
            }
        }
    }

    fn place(&self, words: &mut Words) -> Result<Place, Fault> {
        let word = words.next("NODE:INTERFACE")?;
        let Some((node, interface)) = word.text.split_once(':') else {
            return Err(word.fault("NODE:INTERFACE is expected"));
        };
        let node = self.known(&word, node, |_| true, "node")?;
        let mut ports = self.lab.ports().filter(|port| port.node == node);
        let special = matches!(interface, "any" | "lisp0" | "lo");
        if !special
            && !ports.any(|port| [&port.interface, &port.device].contains(&&interface.to_owned()))
        {
            return Err(word.fault(&format!("{node} has no link on {interface}")));
        }
        Ok(Place { node, interface: interface.to_owned() })
    }
}

/// Reads `[count N] [down TIME] [up TIME]`.
fn flap(words: &mut Words) -> Result<Flap, Fault> {
    let mut flap = Flap::default();
    while let Some(word) = words.peek() {
        words.next("an option")?;
        match word.text.as_str() {
            "count" => flap.count = words.number()?,
            "down" => flap.down = words.time()?,
            "up" => flap.up = words.time()?,
            _ => return Err(word.fault("`count`, `down` or `up` is expected")),
        }
    }
    Ok(flap)
}

/// Reads `NAME COUNT "FILTER"` or `NAME "FILTER" ...`.
fn packets(words: &mut Words) -> Result<Action, Fault> {
    let capture = words.name()?;
    if words.peek().is_some_and(|word| !word.quoted) {
        let expected = Captured::Count(words.bound()?);
        return Ok(Action::Packets { capture, filter: words.quoted("a filter")?, expected });
    }
    let filter = words.quoted("a filter")?;
    let word = words.next("`within`, `spaced` or a field")?;
    let expected = match word.text.as_str() {
        "within" => {
            let within = words.time()?;
            words.expect("after")?;
            Captured::After { filter: words.quoted("a filter")?, within }
        }
        "spaced" => {
            let (gaps, more) = several(words, Words::range)?;
            Captured::Spaced { gaps, more }
        }
        _ => {
            words.expect("reads")?;
            let letter = |words: &mut Words| Ok(words.next("a letter for each packet")?.text);
            let (letters, more) = several(words, letter)?;
            Captured::Reads { field: word.text, letters, more }
        }
    };
    Ok(Action::Packets { capture, filter, expected })
}

/// Reads one or more values, until the end of the line. Also returns whether the line ends with
/// `...`.
fn several<T>(
    words: &mut Words,
    mut one: impl FnMut(&mut Words) -> Result<T, Fault>,
) -> Result<(Vec<T>, bool), Fault> {
    let mut all = vec![one(words)?];
    while words.peek().is_some() {
        if words.take("...") {
            return Ok((all, true));
        }
        all.push(one(words)?);
    }
    Ok((all, false))
}

/// Reads `COUNT [rtt MIN..MAX]` or `rtt MIN..MAX`.
fn answers(words: &mut Words) -> Result<Vec<Answers>, Fault> {
    let mut all = Vec::new();
    match words.peek() {
        Some(word) if word.quoted => all.push(Answers::Marks(words.quoted("marks")?)),
        Some(word) if word.text.parse::<u64>().is_ok() => {
            all.push(Answers::Count(Bound::Exactly(words.number()?)));
        }
        Some(word) if word.text == "rtt" => {}
        _ => all.push(Answers::Count(words.bound()?)),
    }
    if words.take("rtt") {
        all.push(Answers::RoundTrips(words.range()?));
    }
    Ok(all)
}
