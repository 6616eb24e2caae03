//! The hand-in of a student: the commands of a lesson in a file, for the teacher.
//!
//! A hand-in is a file of JSON lines. Its first line has the lab and the lesson, with the checksum
//! of each of their files. Each further line has a command, and the last line has the number of
//! commands. Each line begins with a checksum. It is computed from the other text of this line and
//! from the checksum of the previous line. So the reader finds damage and its place. The checksums
//! are no signature: a person who changes a file on purpose can compute them.
//!
//! ```text
//! {"sum":"5f..","head":{"eidway":"0.1.0","version":1,"lab":"gsmr",...,"seed":1,"place":"simulator"}}
//! {"sum":"c2..","command":{"at_us":0,"task":1,"line":"ping B A"}}
//! {"sum":"07..","command":{"at_us":1004000,"task":1,"console":"xTR2","line":"show ip lisp map-cache"}}
//! {"sum":"9b..","end":{"commands":2}}
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Lesson;
use super::learner::Command;
use crate::lab::Lab;
use crate::lab::failure::Failure;

/// The version of the format.
const VERSION: u32 = 1;
/// The maximum number of commands of a hand-in.
const MOST_COMMANDS: usize = 10_000;
/// The maximum time of a command: a week after the start of the lab.
const LATEST: Duration = Duration::from_secs(7 * 86_400);
/// The number of characters of the checksum of a line.
const LINE_SUM: usize = 16;

/// The place where a lesson was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "LessonPlace")]
pub enum Place {
    /// The simulator.
    Simulator,
    /// Network namespaces. A replay on the simulator can have other times.
    Namespaces,
}

/// The first line of a hand-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The version of the program.
    pub eidway: String,
    /// The version of the format.
    pub version: u32,
    /// The name of the lab in its lab file.
    pub lab: String,
    /// The name of the lesson.
    pub lesson: String,
    /// The checksums of the lab file and of the configurations, by the names of these files.
    pub lab_files: BTreeMap<String, String>,
    /// The checksums of the lesson and of the files that it includes, by the names of these files.
    pub lesson_files: BTreeMap<String, String>,
    /// The seed of the simulator.
    pub seed: u64,
    /// The place where the lesson was done.
    pub place: Place,
}

/// A line of a hand-in.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Head(Head),
    Command {
        at_us: u64,
        task: usize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        console: Option<String>,
        line: String,
    },
    End {
        commands: usize,
    },
}

impl Head {
    /// Makes the first line of a hand-in for this lesson. `lab` is the lab without the overlays of
    /// the lesson.
    pub fn new(lab: &Lab, lesson: &Lesson, seed: u64, place: Place) -> Self {
        let configs = lab.file.routers().map(|(_, file)| file);
        let text = |file: &str| lab.text(file).unwrap_or_default().to_owned();
        let mut lab_files: BTreeMap<String, String> =
            configs.map(|file| (file.to_owned(), sum(&text(file)))).collect();
        lab_files.insert("lab.toml".to_owned(), sum(&lab.file.text));
        let sources = lesson.sources.iter();
        Head {
            eidway: env!("CARGO_PKG_VERSION").to_owned(),
            version: VERSION,
            lab: lab.file.name.clone(),
            lesson: lesson.name.clone(),
            lab_files,
            lesson_files: sources.map(|(file, text)| (file.clone(), sum(text))).collect(),
            seed,
            place,
        }
    }

    /// Checks that this hand-in belongs to this version of the lab and of the lesson.
    ///
    /// # Errors
    /// The lab is another lab, or a file differs. The error has the name of the lab or of the file.
    pub fn expect(&self, lab: &Lab, lesson: &Lesson) -> Result<(), Failure> {
        let here = Head::new(lab, lesson, self.seed, self.place);
        if self.lab != here.lab {
            return Err(Failure::Other(format!(
                "the hand-in is from the lab {}, but this is the lab {}",
                self.lab, here.lab
            )));
        }
        let pairs = [
            ("lab", &self.lab_files, &here.lab_files),
            ("lesson", &self.lesson_files, &here.lesson_files),
        ];
        for (of, theirs, ours) in pairs {
            let names = theirs.keys().chain(ours.keys());
            let different: Vec<&str> = names
                .filter(|name| theirs.get(*name) != ours.get(*name))
                .map(String::as_str)
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect();
            if !different.is_empty() {
                let name = if of == "lab" { &self.lab } else { &self.lesson };
                return Err(Failure::Other(format!(
                    "the hand-in is from another version of the {of} {name}: these files \
                     differ: {}",
                    different.join(", ")
                )));
            }
        }
        Ok(())
    }
}

/// Writes a hand-in, line by line.
#[derive(Debug, Default)]
pub struct Writer {
    /// The checksum of the latest line.
    last: String,
    commands: usize,
}

impl Writer {
    /// Begins a hand-in. Returns the writer, and the first line with its line end.
    pub fn new(head: &Head) -> (Self, String) {
        let mut writer = Writer::default();
        let line = writer.line(&Line::Head(head.clone()));
        (writer, line)
    }

    /// Returns the line of a command.
    pub fn command(&mut self, command: &Command) -> String {
        self.commands += 1;
        self.line(&Line::Command {
            at_us: u64::try_from(command.at.as_micros()).unwrap_or(u64::MAX),
            task: command.task + 1,
            console: command.console.clone(),
            line: command.line.clone(),
        })
    }

    /// Returns the last line.
    pub fn end(mut self) -> String {
        let commands = self.commands;
        self.line(&Line::End { commands })
    }

    fn line(&mut self, line: &Line) -> String {
        // Strings, numbers and maps of strings always have a JSON form.
        let json = serde_json::to_string(line).unwrap_or_default();
        let body = json.trim_start_matches('{');
        self.last = line_sum(&self.last, body);
        format!("{{\"sum\":\"{}\",{body}\n", self.last)
    }
}

/// A hand-in that was read from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandIn {
    /// The first line.
    pub head: Head,
    /// The commands, in order.
    pub commands: Vec<Command>,
}

/// Reads the text of a hand-in.
///
/// # Errors
/// The text is not a complete hand-in. The error has the number of the line.
pub fn read(text: &str) -> Result<HandIn, Failure> {
    let (mut last, mut head, mut commands) = (String::new(), None, Vec::new());
    let mut number = 0;
    let mut lines = text.lines();
    for line in lines.by_ref() {
        number += 1;
        let wrong = |why: &str| Failure::Other(format!("line {number}: {why}"));
        match (parsed(line, &mut last).map_err(wrong)?, &head) {
            (Line::Head(found), None) if found.version == VERSION => head = Some(found),
            (Line::Head(found), None) => {
                let version = found.version;
                return Err(wrong(&format!(
                    "the format has version {version}, but this program reads version {VERSION}"
                )));
            }
            (Line::Command { at_us, task, console, line }, Some(_)) => {
                let at = Duration::from_micros(at_us);
                let earlier = commands.last().map_or(Duration::ZERO, |last: &Command| last.at);
                if at < earlier || at > LATEST || commands.len() == MOST_COMMANDS {
                    return Err(wrong(
                        "the time of this command is wrong, or the file has too many commands",
                    ));
                }
                let task = task.saturating_sub(1);
                commands.push(Command { at, task, console, line });
            }
            (Line::End { commands: count }, Some(_)) if count == commands.len() => break,
            _ => return Err(wrong("this line is in the wrong place")),
        }
    }
    let is_complete = text.ends_with('\n') && text.lines().next_back().is_some_and(is_end);
    if lines.next().is_some() {
        return Err(Failure::Other(format!("line {}: there is text after the end", number + 1)));
    }
    match head.filter(|_| is_complete) {
        Some(head) => Ok(HandIn { head, commands }),
        None => Err(Failure::Other(format!(
            "line {number}: the last line is missing: the file was cut off, or the lesson has not \
             ended"
        ))),
    }
}

fn is_end(line: &str) -> bool {
    line.contains("\"end\":{")
}

/// Reads a line. Before the call, `last` is the checksum of the previous line. After the call,
/// `last` is the checksum of this line.
fn parsed(line: &str, last: &mut String) -> Result<Line, &'static str> {
    let no_hand_in = "this is not a line of a hand-in";
    let rest = line.strip_prefix("{\"sum\":\"").ok_or(no_hand_in)?;
    let (sum, body) = rest.split_once("\",").ok_or(no_hand_in)?;
    if sum != line_sum(last, body) {
        return Err("this line, or the line before it, was changed or lost");
    }
    sum.clone_into(last);
    serde_json::from_str(&format!("{{{body}")).map_err(|_| no_hand_in)
}

/// Returns the checksum of a text: SHA-256 in hexadecimal digits.
fn sum(text: &str) -> String {
    base16ct::lower::encode_string(&Sha256::digest(text.as_bytes()))
}

fn line_sum(last: &str, body: &str) -> String {
    let mut sum = sum(&format!("{last}{body}"));
    sum.truncate(LINE_SUM);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::{built_in, lesson};

    fn head() -> (Lab, Lesson, Head) {
        let lab = built_in::find("gsmr").unwrap().unwrap();
        let lesson = lesson::find(&lab, "g2").unwrap();
        let head = Head::new(&lab, &lesson, 7, Place::Simulator);
        (lab, lesson, head)
    }

    fn written() -> (String, Vec<Command>) {
        let command = |at: u64, console: Option<&str>, line: &str| Command {
            at: Duration::from_micros(at),
            task: 0,
            console: console.map(str::to_owned),
            line: line.to_owned(),
        };
        let commands = vec![
            command(5, None, "ping B A"),
            command(9, Some("xTR1"), "show \"it\""),
            command(9, None, "send map-request at Core1 {\n smr\n}"),
        ];
        let (mut writer, mut text) = Writer::new(&head().2);
        commands.iter().for_each(|command| text += &writer.command(command));
        text += &writer.end();
        (text, commands)
    }

    #[test]
    fn a_hand_in_is_read_as_it_was_written() {
        let (text, commands) = written();
        let (lab, lesson, head) = head();
        let hand_in = read(&text).unwrap();
        assert_eq!(hand_in, HandIn { head, commands });
        hand_in.head.expect(&lab, &lesson).unwrap();
    }

    #[test]
    fn damage_is_found_with_its_line() {
        let (text, _) = written();
        let lines: Vec<&str> = text.lines().collect();
        let error = |text: &str| read(text).unwrap_err().to_string();
        for (number, line) in lines.iter().enumerate() {
            let digit = if line.contains("ping") { ("ping", "pong") } else { ("\":", "\" :") };
            let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            changed[number] = line.replacen(digit.0, digit.1, 2);
            let found = error(&(changed.join("\n") + "\n"));
            assert!(found.starts_with(&format!("line {}: ", number + 1)), "{number}: {found}");
            let mut lost = lines.clone();
            lost.remove(number);
            assert!(read(&(lost.join("\n") + "\n")).is_err(), "line {number} is lost");
        }
        for cut in 0..text.len() {
            assert!(read(&text[..cut]).is_err(), "cut at {cut}");
        }
        assert!(error(&format!("{text}more\n")).contains("line 6: there is text after the end"));
        assert!(error("").contains("the last line is missing"));
        let later = text.replace("\"version\":1", "\"version\":2");
        assert!(error(&later).contains("line 1: "));
    }

    #[test]
    fn another_lab_and_another_version_of_the_lesson_are_refused_by_name() {
        let (mut lab, mut lesson, head) = head();
        lesson.sources.insert("g2-no-route.lesson".to_owned(), "# Other\n".to_owned());
        let error = |lab: &Lab, lesson: &Lesson| head.expect(lab, lesson).unwrap_err().to_string();
        let expected = "the hand-in is from another version of the lesson g2-no-route: these \
                        files differ: g2-no-route.lesson";
        assert_eq!(error(&lab, &lesson), expected);
        lab.set_text("xTR1.conf", "hostname xTR1\n".to_owned());
        let found = error(&lab, &lesson);
        assert!(
            found.contains("version of the lab gsmr: these files differ: xTR1.conf"),
            "{found}"
        );
        let other = built_in::find("two-sites").unwrap().unwrap();
        assert!(
            error(&other, &lesson)
                .contains("the hand-in is from the lab gsmr, but this is the lab two-sites")
        );
    }
}
