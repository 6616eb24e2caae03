//! The commands of a lesson: its own commands, the statements of scenarios, and the consoles of
//! routers.

use std::io;
use std::time::Duration;

use super::{Command, Learner, Say, TaskState, WIDTH};
use crate::console::protocol::{Request, Response};
use crate::lab::failure::Failure;
use crate::lab::lesson::markdown::plain;
use crate::lab::scenario::play::{Player, Stopped, Why, line as packet_line};
use crate::lab::scenario::stage::Stage;
use crate::lab::scenario::{Action, Step, parse};

/// The name of the file in errors about a command.
const TYPED: &str = "command";
/// The longest time that a command may take in the lab.
const LONGEST: Duration = Duration::from_secs(3600);
/// The maximum number of packets that a command may send.
const MOST_PACKETS: u32 = 10_000;
/// The answer to `next` before the task is done.
const NOT_DONE: &str = "This task is not done yet: `check` says which result is missing, and `skip` \
                        leaves it out.\n";
/// The maximum number of packets that a list shows.
const LISTED: usize = 100;

/// The commands that are not statements, with their help.
const VERBS: [(&str, &str); 10] = [
    ("help", "this list"),
    ("task", "the text of the task once more"),
    ("tasks", "the list of all tasks, with the state of each task"),
    ("hint", "the next hint of the task"),
    ("check", "check the task, and say which result is missing"),
    ("next", "go on to the next task, when this task is done"),
    ("again", "begin the task again, with empty captures"),
    ("skip", "leave the task out"),
    ("packets", "packets CAPTURE [\"FILTER\"]: the packets of a capture"),
    ("quit", "end the lesson"),
];

/// The statements of scenarios that are useful in a lesson, as examples.
const STATEMENTS: [&str; 14] = [
    "at ROUTER: show ip lisp map-cache / show ip lisp away",
    "ping NODE HOST [ipv6] [count N] [size N] [df]",
    "wait 60s",
    "flow NAME = NODE HOST every 100ms   and later   end NAME",
    "capture NAME = NODE:INTERFACE   and later   packets NAME \"lisp\"",
    "move HOST to ROUTER [make-before-break]   or break-before-make",
    "link NODE:INTERFACE down   or up, or mtu 1400, or flap",
    "impair NODE:NODE delay 20ms loss 1%   or none",
    "address HOST ADDRESS/LENGTH",
    "stop ROUTER",
    "kill ROUTER",
    "start ROUTER",
    "replay NAME \"FILTER\" at NODE",
    "send map-request at NODE from ADDRESS to ADDRESS {   and fields, until a line }",
];

impl Learner {
    /// Carries out a line. Returns whether the line was understood and carried out.
    pub(super) fn line(&mut self, stage: &mut dyn Stage, line: &str, say: &mut Say<'_>) -> bool {
        if let Some((node, _)) = self.console.clone() {
            return self.at_console(stage, &node, line, say);
        }
        let Some(text) = self.complete_statement(line) else { return true };
        let first = text.split_whitespace().next().unwrap_or_default().to_owned();
        if first.is_empty() || first.starts_with('#') {
            return true;
        }
        self.note(stage, None, &text);
        match text.as_str() {
            "help" => say(Response::Text(help())),
            "task" => {
                self.print_task(say);
                false
            }
            "tasks" => say(Response::Text(self.list())),
            "hint" => {
                let text = self.hint();
                say(Response::Text(text))
            }
            "check" => {
                self.check(stage, say);
                false
            }
            "next" if self.is_met() => {
                self.next(stage, say);
                false
            }
            "next" => say(Response::Text(NOT_DONE.to_owned())),
            "again" => {
                self.again(stage, say);
                false
            }
            "skip" => {
                self.skip(stage, say);
                false
            }
            "quit" | "exit" => {
                self.has_quit = true;
                false
            }
            _ => return self.hand(stage, &first, &text, say),
        };
        true
    }

    /// Adds a line to the statement, and returns the statement if it is complete. If a line ends
    /// with `{`, the statement continues until a line that begins with `}`.
    fn complete_statement(&mut self, line: &str) -> Option<String> {
        let is_open = |text: &str| text.trim_end().ends_with('{');
        let (text, is_complete) = match self.block.take() {
            Some(text) => {
                let ends = line.trim_start().starts_with('}') && !is_open(line);
                (format!("{text}\n{line}"), ends)
            }
            None => (line.trim().to_owned(), !is_open(line)),
        };
        if is_complete {
            return Some(text);
        }
        self.block = Some(text);
        None
    }

    fn note(&mut self, stage: &mut dyn Stage, console: Option<&str>, line: &str) {
        let (at, task) = (stage.now(), self.task);
        let (console, line) = (console.map(str::to_owned), line.to_owned());
        self.commands.push(Command { at, task, console, line });
    }

    /// Carries out a command that acts on the lab, and then checks whether the task is done.
    fn hand(&mut self, stage: &mut dyn Stage, first: &str, text: &str, say: &mut Say<'_>) -> bool {
        let name = first.trim_end_matches(['#', '>', ':']);
        let is_router = stage.lab().file.routers().any(|(router, _)| router == name);
        let rest = text[first.len()..].trim();
        let ok = match is_router {
            true if rest.is_empty() => return self.open_console(stage, name, say),
            true => self.statement(stage, &format!("at {name}: {rest}"), say),
            false => match listing(text) {
                Some((capture, filter)) => list_packets(stage, capture, filter, say),
                None => self.statement(stage, text, say),
            },
        };
        self.say_debug_lines(stage, say);
        self.glance(stage, say);
        ok
    }

    fn statement(&mut self, stage: &mut dyn Stage, text: &str, say: &mut Say<'_>) -> bool {
        let step = match statement(stage, text) {
            Ok(step) => step,
            Err(failure) => {
                say(Response::Error(format!("{failure}\n`help` lists the commands.")));
                return false;
            }
        };
        if let Action::At { node, commands } = &step.action {
            commands.iter().for_each(|command| self.hear_monitor(node, command));
        }
        let mut out = Lines { say };
        let played = Player::looking(stage, &mut out, LONGEST).steps(std::slice::from_ref(&step));
        let Err(Stopped { why, .. }) = played else { return true };
        match (why, &step.action) {
            // The output of the router shows the error.
            (Why::Unmet { .. }, Action::At { .. }) => {}
            (Why::Unmet { expected, seen }, _) => {
                let seen = seen.trim_end();
                say(Response::Error(format!("expected: {expected}; seen:\n{seen}")));
            }
            (Why::Failed(failure), _) => {
                say(Response::Error(failure.to_string()));
            }
        }
        false
    }

    fn open_console(&mut self, stage: &mut dyn Stage, node: &str, say: &mut Say<'_>) -> bool {
        match stage.converse(node, Request::Line(String::new()), say) {
            Ok(done) => {
                self.console = Some((node.to_owned(), done.prompt));
                true
            }
            Err(failure) => {
                say(Response::Error(failure.to_string()));
                false
            }
        }
    }

    /// Carries out a line at the console of a router.
    fn at_console(
        &mut self,
        stage: &mut dyn Stage,
        node: &str,
        line: &str,
        say: &mut Say<'_>,
    ) -> bool {
        if !line.trim().is_empty() {
            self.note(stage, Some(node), line);
            self.hear_monitor(node, line);
        }
        let ok = match stage.converse(node, Request::Line(line.to_owned()), say) {
            Ok(done) if done.closed => {
                stage.end_session(node);
                self.monitors.remove(node);
                self.console = None;
                done.ok
            }
            Ok(done) => {
                self.console = Some((node.to_owned(), done.prompt));
                done.ok
            }
            Err(failure) => {
                say(Response::Error(failure.to_string()));
                self.console = None;
                false
            }
        };
        if !line.trim().is_empty() {
            self.say_debug_lines(stage, say);
            self.glance(stage, say);
        }
        ok
    }

    /// Checks whether the command is `terminal monitor`. If so, the student gets the debug lines of
    /// this router.
    fn hear_monitor(&mut self, node: &str, command: &str) {
        let mut words = command.split_whitespace();
        let is = |word: Option<&str>, whole: &str| word.is_some_and(|word| whole.starts_with(word));
        if is(words.next(), "terminal") && is(words.next(), "monitor") {
            self.monitors.insert(node.to_owned());
        }
    }

    /// Prints the debug lines of the routers that the student monitors.
    fn say_debug_lines(&mut self, stage: &mut dyn Stage, say: &mut Say<'_>) {
        for node in &self.monitors {
            let _ = stage.converse(node, Request::Line(String::new()), say);
        }
    }

    fn hint(&mut self) -> String {
        let Some(task) = self.lesson.tasks.get(self.task) else {
            return "There are no more tasks.\n".to_owned();
        };
        let number = task.hints.len();
        if number == 0 {
            return "This task has no hint.\n".to_owned();
        }
        // After the last hint, the first hint is shown again.
        let shown = self.hints % number;
        self.hints += 1;
        self.hints_of[self.task] = self.hints_of[self.task].max(shown + 1);
        let text = plain(&task.hints[shown], WIDTH);
        format!("Hint {} of {number}:\n{text}", shown + 1)
    }

    fn skip(&mut self, stage: &mut dyn Stage, say: &mut Say<'_>) {
        match self.states.get_mut(self.task) {
            None => return self.print_task(say),
            Some(TaskState::Met(_)) => {}
            Some(state) => *state = TaskState::Skipped,
        }
        self.next(stage, say);
    }

    fn again(&mut self, stage: &mut dyn Stage, say: &mut Say<'_>) {
        match self.states.get_mut(self.task) {
            None => self.print_task(say),
            Some(state) => {
                *state = TaskState::Open;
                self.begin(stage, say);
            }
        }
    }

    /// Returns the list of the tasks.
    fn list(&self) -> String {
        let tasks = self.lesson.tasks.iter().zip(&self.states).enumerate();
        let line = |(index, (task, state)): (usize, (&crate::lab::lesson::Task, &TaskState))| {
            let mark = match state {
                TaskState::Met(_) => 'x',
                TaskState::Skipped => '-',
                TaskState::Open => ' ',
            };
            format!("[{mark}] {}. {}\n", index + 1, task.title)
        };
        tasks.map(line).collect()
    }

    /// Answers the key `?`.
    pub(super) fn help(&mut self, stage: &mut dyn Stage, line: &str, say: &mut Say<'_>) -> bool {
        match &self.console {
            Some((node, _)) => {
                stage.converse(node, Request::Help(line.to_owned()), say).is_ok_and(|done| done.ok)
            }
            None => {
                say(Response::Text(help()));
                true
            }
        }
    }

    /// Answers the key Tab.
    pub(super) fn complete(
        &mut self,
        stage: &mut dyn Stage,
        line: &str,
        say: &mut Say<'_>,
    ) -> bool {
        if let Some((node, _)) = &self.console {
            let request = Request::Complete(line.to_owned());
            return stage.converse(node, request, say).is_ok_and(|done| done.ok);
        }
        let start = line.rfind(char::is_whitespace).map_or(0, |blank| blank + 1);
        let nodes = stage.lab().file.nodes.keys().cloned();
        let verbs = VERBS.iter().map(|(verb, _)| *verb);
        let statements = STATEMENTS.iter().filter_map(|line| line.split(' ').next());
        let mut words: Vec<String> = match start {
            0 => nodes.chain(verbs.chain(statements).map(str::to_owned)).collect(),
            _ => nodes.collect(),
        };
        words.retain(|word| word.starts_with(&line[start..]));
        words.sort();
        words.dedup();
        say(Response::Completions(words));
        true
    }
}

/// Reads a statement that a student has typed.
fn statement(stage: &dyn Stage, text: &str) -> Result<Step, Failure> {
    let none = |_: &str| Err(Failure::new("a command cannot include a file"));
    let mut scenario = parse(TYPED, text, &stage.lab().file, &none)?;
    let (Some(step), true) = (scenario.steps.pop(), scenario.steps.is_empty()) else {
        return Err(Failure::new("this line is not a command of a lesson"));
    };
    match too_much(&step.action) {
        Some(limit) => Err(Failure::new(limit)),
        None => Ok(step),
    }
}

/// Returns the limit that a command exceeds, or `None` if it exceeds no limit. A teacher repeats
/// the commands of a student, so no command may take long.
fn too_much(action: &Action) -> Option<String> {
    let (number, time) = match action {
        Action::Middle => return Some("this statement is not possible in a lesson".to_owned()),
        Action::Wait(time) => (1, *time),
        Action::Flap { flap, .. } => (1, (flap.down + flap.up).saturating_mul(flap.count)),
        Action::Ping { ping, within, .. } => (ping.count, within.unwrap_or_default()),
        Action::Show { within, .. } | Action::Receive { within, .. } => (1, *within),
        Action::Flow { every, .. } if every.is_zero() => {
            return Some("the time between two echos must be more than zero".to_owned());
        }
        Action::Replay { what, .. } => (what.times, what.every.saturating_mul(what.times)),
        Action::Send { datagrams, .. } => {
            let payloads = u32::try_from(datagrams.payloads.len()).unwrap_or(u32::MAX);
            let number = datagrams.times.saturating_mul(payloads);
            (number, datagrams.every.saturating_mul(number))
        }
        _ => return None,
    };
    if number > MOST_PACKETS {
        return Some(format!("a command may send at most {MOST_PACKETS} packets"));
    }
    (time > LONGEST).then(|| "a command may take at most an hour: 3600s".to_owned())
}

/// Reads `packets CAPTURE` or `packets CAPTURE "FILTER"`. Returns `None` if more words follow,
/// because such a line is a statement with an expectation.
fn listing(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("packets ")?.trim();
    let Some((capture, filter)) = rest.split_once(char::is_whitespace) else {
        return Some((rest, "frame.number"));
    };
    let filter = filter.trim().strip_prefix('"')?.strip_suffix('"')?;
    (!filter.contains('"')).then_some((capture, filter))
}

fn list_packets(stage: &mut dyn Stage, capture: &str, filter: &str, say: &mut Say<'_>) -> bool {
    let packets = match stage.packets(capture, filter, "frame.number") {
        Ok(packets) => packets,
        Err(failure) => {
            say(Response::Error(failure.to_string()));
            return false;
        }
    };
    let mut text: String =
        packets.iter().take(LISTED).map(|packet| packet_line(packet) + "\n").collect();
    match packets.len() {
        0 => text.push_str("No packet passes this filter.\n"),
        number if number > LISTED => {
            text.push_str(&format!("... and {} more packets\n", number - LISTED));
        }
        _ => {}
    }
    say(Response::Text(text));
    true
}

/// Returns the list of the commands.
fn help() -> String {
    let verbs = VERBS.iter().map(|(verb, help)| format!("  {verb:10} {help}\n"));
    let statements = STATEMENTS.iter().map(|statement| format!("  {statement}\n"));
    let console = "  ROUTER     the console of this router, until `exit`\n".to_owned();
    let between = "Commands for the lab, as in scenarios:\n".to_owned();
    verbs.chain([console, between]).chain(statements).collect()
}

/// Passes on lines of text as responses.
struct Lines<'a, 'b> {
    say: &'a mut Say<'b>,
}

impl io::Write for Lines<'_, '_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        (self.say)(Response::Text(String::from_utf8_lossy(octets).into_owned()));
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
