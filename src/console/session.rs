//! A console session. The input is requests, and the output is responses. Like the core, a session
//! does no I/O.
//!
//! A session carries out a request when the request arrives. The caller gets the output piece by
//! piece with [`Session::poll`]. A piece of a long `show` is produced only when the caller asks for
//! it. The answers have the same order as the requests.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Duration;

use super::answer::{Answer, Body, Outcome, Output, running, said};
use super::blocks::Blocks;
use super::contradictions::{Contradiction, contradictions};
use super::copy;
use super::edit::Editor;
use super::exec::Action;
use super::filter::{self, Piped};
use super::flash::{self, Writing, error_opening};
use super::grammar::{Context, Run};
use super::help;
use super::hosts::Hosts;
use super::interpret::{self, Taken, is_configuration};
use super::login::{self, Login};
use super::machine::Machine;
use super::messages::{error_text, mismatch_text, taken_text};
use super::parse::{Match, Mismatch, match_line, tokens};
use super::probes::Surroundings;
use super::protocol::{Done, Request, Response, TerminalSettings};
use super::running::{Piece, start_lig, start_probe};
use super::show::host_names::with_lab_hosts;
use super::show::system::{debugging_turned, host_name};
use super::show::tech_support::Several;
use super::show::{Format, Source, State, failure};
use super::startup::{self, Step};
use crate::router::Router;
use crate::router::config::Config;
use crate::router::io::{Command, Input};
use crate::time::Time;

/// The maximum number of requests with an unfinished answer. Further requests are refused.
pub const MOST_PENDING: usize = 64;
/// The number of lines that `show history` prints, as on IOS.
const HISTORY: usize = 20;

/// The maximum time without a response while a command runs. After this time, the session sends an
/// empty text. The reason is that a client stops waiting if no response arrives for a long time.
const LONGEST_SILENCE: Duration = Duration::from_secs(3);

/// The message if a bar follows a command that has no output.
const NO_OUTPUT: &str = "% This command has no output that can be filtered or written to a file\n";

/// The console of one user.
#[derive(Debug)]
pub struct Session {
    context: Context,
    /// The open blocks of lines that are not carried out.
    blocks: Blocks,
    /// The contradictions that the configuration had when the user entered configuration mode.
    known: Vec<Contradiction>,
    monitors: bool,
    watches: bool,
    terminal: TerminalSettings,
    /// The login, if the user has not logged in yet.
    login: Option<Login>,
    /// Whether the next line is the answer to [`startup::QUESTION`].
    asks_to_save: bool,
    /// The latest lines of the user.
    history: VecDeque<String>,
    answers: VecDeque<Answer>,
    /// The number of refused requests that have no answer yet. A request is refused if `answers` is
    /// full when the request arrives.
    refused: u64,
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

impl Session {
    /// A new session in privileged exec mode.
    pub fn new() -> Self {
        Session {
            context: Context::Exec,
            blocks: Blocks::default(),
            known: Vec::new(),
            monitors: false,
            watches: false,
            terminal: TerminalSettings::default(),
            login: None,
            asks_to_save: false,
            history: VecDeque::new(),
            answers: VecDeque::new(),
            refused: 0,
        }
    }

    /// The prompt before the next line, for example `xTR1(config-if)#`.
    pub fn prompt(&self, router: &Router) -> String {
        if self.login.is_some() {
            return login::PROMPT.to_owned();
        }
        if self.asks_to_save {
            return startup::QUESTION.to_owned();
        }
        let name = host_name(&router.config().hostname);
        let mode = self.blocks.prompt().unwrap_or(self.context.prompt());
        format!("{name}{mode}#")
    }

    /// Whether this user has sent `terminal monitor` to get debug lines. A debug line is sent as
    /// [`Response::Debug`], between two answers.
    pub fn monitors(&self) -> bool {
        self.monitors
    }

    /// Whether this client has asked for a line about each event ([`Request::Watch`]).
    pub fn watches(&self) -> bool {
        self.watches
    }

    /// Whether every answer is complete.
    pub fn is_idle(&self) -> bool {
        self.answers.is_empty() && self.refused == 0
    }

    /// Carries out a request. If [`MOST_PENDING`] answers are unfinished, the request is refused
    /// and the answer is an error. Only an interrupt is never refused.
    pub fn handle(
        &mut self,
        request: Request,
        router: &mut Router,
        surroundings: &mut dyn Surroundings,
        now: Time,
    ) {
        if self.is_full() && request != Request::Interrupt {
            self.refused += 1;
            return;
        }
        let terminal = self.terminal;
        let outcome = match request {
            Request::Interrupt => return self.interrupt(),
            Request::Vty(_) => self.log_in(router),
            Request::Line(line) if self.login.is_some() => self.try_password(&line),
            _ if self.login.is_some() => Outcome::error("log in first".to_owned()),
            Request::Line(line) if self.asks_to_save => {
                self.go_on(startup::answer(&line, router, surroundings))
            }
            Request::Line(line) => self.line(&line, router, surroundings, now),
            Request::Help(line) => match help::help(&self.context, &line) {
                Ok(text) => Outcome::good(Body::One(Response::Text(text))),
                Err(text) => Outcome::bad(text),
            },
            Request::Complete(line) => {
                let words = help::complete(&self.context, &line);
                Outcome::good(Body::One(Response::Completions(words)))
            }
            Request::Watch => {
                self.watches = true;
                Outcome::good(Body::Nothing)
            }
            Request::Host(request) => match surroundings.handle(&request, now) {
                Ok(answer) => Outcome::good(Body::One(Response::Host(answer))),
                Err(message) => Outcome::error(message),
            },
        };
        self.answer(outcome, router);
        if self.terminal != terminal
            && let Some(answer) = self.answers.back_mut()
        {
            answer.terminal = Some(self.terminal);
        }
    }

    /// Adds an error as the answer to an invalid message.
    pub fn refuse(&mut self, message: String, router: &Router) {
        match self.is_full() {
            true => self.refused += 1,
            false => self.answer(Outcome::error(message), router),
        }
    }

    /// Aborts the command of the present answer. A command that runs for some time, such as `ping`,
    /// still prints the text of IOS after an abort. The output of any other command ends
    /// immediately.
    fn interrupt(&mut self) {
        if let Some(answer) = self.answers.front_mut() {
            match &mut answer.body {
                Body::Running { command, .. } => command.interrupt(),
                body => *body = Body::Nothing,
            }
        }
    }

    fn is_full(&self) -> bool {
        self.answers.len() >= MOST_PENDING || self.refused > 0
    }

    fn answer(&mut self, outcome: Outcome, router: &Router) {
        let done = Done { prompt: self.prompt(router), ok: outcome.ok, closed: outcome.closed };
        self.answers.push_back(Answer { body: outcome.body, terminal: None, done });
    }

    /// The next response. Returns `None` if every answer is complete. Also returns `None` if a
    /// running command has no text to print yet. In this case [`Session::is_idle`] is false, and
    /// the caller polls again at the time of [`Session::poll_timeout`], or when
    /// [`Session::has_answer`] is true. One call does a limited amount of work.
    #[must_use]
    pub fn poll(&mut self, router: &Router, hosts: &mut dyn Hosts, now: Time) -> Option<Response> {
        let (history, terminal) = (&self.history, self.terminal);
        let Some(answer) = self.answers.front_mut() else {
            return self.poll_refused(router);
        };
        let response = match &mut answer.body {
            Body::Nothing => None,
            Body::One(_) => match std::mem::replace(&mut answer.body, Body::Nothing) {
                Body::One(response) => Some(response),
                _ => None,
            },
            Body::Show { source, format, output } => {
                let state = State { router, hosts: &*hosts, history, terminal, now };
                match source.poll(state, *format) {
                    Some(text) => Some(Response::Text(output.push(text))),
                    None => {
                        answer.done.ok &= !source.failed();
                        answer.finish(hosts)
                    }
                }
            }
            Body::Running { command, output, said_at } => match command.poll(router, now) {
                Piece::Text(text) => {
                    *said_at = now;
                    Some(Response::Text(output.push(text)))
                }
                Piece::Wait if now.since(*said_at) < LONGEST_SILENCE => return None,
                Piece::Wait => {
                    *said_at = now;
                    Some(Response::Text(String::new()))
                }
                Piece::End => answer.finish(hosts),
            },
        };
        match response.or_else(|| answer.terminal.take().map(Response::Terminal)) {
            None => self.answers.pop_front().map(|answer| Response::Done(answer.done)),
            response => response,
        }
    }

    /// The time of the next [`Session::poll`] for the running command. `None` if no command waits
    /// for a time.
    pub fn poll_timeout(&self) -> Option<Time> {
        match &self.answers.front()?.body {
            Body::Running { command, said_at, .. } => {
                let due = *said_at + LONGEST_SILENCE;
                Some(command.poll_timeout().map_or(due, |at| at.min(due)))
            }
            _ => None,
        }
    }

    /// Whether the running command has work, because an answer to one of its packets has arrived.
    pub fn has_answer(&self) -> bool {
        match self.answers.front().map(|answer| &answer.body) {
            Some(Body::Running { command, .. }) => command.has_answer(),
            _ => false,
        }
    }

    /// Whether a command runs. A session runs one command at a time.
    fn runs(&self) -> bool {
        self.answers.iter().any(|answer| matches!(answer.body, Body::Running { .. }))
    }

    /// Returns the error for a refused request, and adds the end of the answer to this request. The
    /// request was refused because too many answers were unfinished.
    fn poll_refused(&mut self, router: &Router) -> Option<Response> {
        self.refused = self.refused.checked_sub(1)?;
        let done = Done { prompt: self.prompt(router), ok: false, closed: false };
        self.answers.push_back(Answer { body: Body::Nothing, terminal: None, done });
        let message = "too many requests wait for an answer, so this request was not carried out";
        Some(Response::Error(message.to_owned()))
    }

    /// Begins the session of a user who logs in over the network.
    fn log_in(&mut self, router: &Router) -> Outcome {
        let Some(password) = router.config().vty_lines.required_password() else {
            return Outcome::good(Body::Nothing);
        };
        self.login = Some(Login::new(password));
        self.terminal.is_hidden = true;
        Outcome::good(Body::One(Response::Text(login::BANNER.to_owned())))
    }

    fn try_password(&mut self, typed: &str) -> Outcome {
        let Some(login) = &mut self.login else { return Outcome::good(Body::Nothing) };
        match login.try_password(typed) {
            login::Answer::Welcome => {
                self.login = None;
                self.terminal.is_hidden = false;
                Outcome::good(Body::Nothing)
            }
            login::Answer::Again => Outcome { ok: false, ..Outcome::good(Body::Nothing) },
            login::Answer::Refused => {
                Outcome { closed: true, ..Outcome::bad("% Bad passwords\n".to_owned()) }
            }
        }
    }

    fn line(
        &mut self,
        line: &str,
        router: &mut Router,
        surroundings: &mut dyn Surroundings,
        now: Time,
    ) -> Outcome {
        let prompt = self.prompt(router).len();
        let words = tokens(line);
        self.remember(line);
        let first = words.first().map(|span| &line[span.clone()]);
        let is_configuration = self.context != Context::Exec || self.blocks.are_open();
        match first {
            Some("do") if self.context != Context::Exec && self.blocks.text_end().is_none() => {
                // Blanks replace the word `do` here. So the caret of an error is still below the
                // wrong word.
                let rest = " ".repeat(words[0].end) + &line[words[0].end..];
                self.exec((&rest, prompt), router, surroundings, now)
            }
            // A pasted configuration ends with `end`. The grammar of exec mode does not contain
            // `end`, so that `en` remains an abbreviation of `enable`.
            Some("end") if self.context == Context::Exec => {
                self.blocks = Blocks::default();
                Outcome::good(Body::Nothing)
            }
            _ if is_configuration => self.configure((line, prompt), router, surroundings, now),
            None => Outcome::good(Body::Nothing),
            Some(comment) if comment.starts_with('!') => Outcome::good(Body::Nothing),
            Some(_) => self.exec((line, prompt), router, surroundings, now),
        }
    }

    fn remember(&mut self, line: &str) {
        if !line.trim().is_empty() {
            if self.history.len() == HISTORY {
                self.history.pop_front();
            }
            self.history.push_back(line.trim().to_owned());
        }
    }

    /// Handles a line of a configuration. `prompt` is the number of characters before the line on
    /// the screen.
    fn configure(
        &mut self,
        (line, prompt): (&str, usize),
        router: &mut Router,
        surroundings: &mut dyn Surroundings,
        now: Time,
    ) -> Outcome {
        let mut editor = Editor::at(router.config().clone(), self.context.clone());
        let taken = match interpret::take(&mut editor, &mut self.blocks, line) {
            Ok(Taken::Exec) => return self.exec((line, prompt), router, surroundings, now),
            Ok(taken) => taken,
            Err(error) => return Outcome::bad(error_text(line, prompt, &error)),
        };
        let mut text = taken_text(line, &taken, &self.blocks);
        text.extend(editor.warnings.iter().map(|message| format!("% Warning: {message}\n")));
        if editor.config != *router.config() {
            router.handle(Input::Configure(Box::new(editor.config)), now);
        }
        let left = editor.context == Context::Exec && self.context != Context::Exec;
        self.context = editor.context;
        if left {
            text += &self.new_contradictions(router.config());
        }
        match (text.is_empty(), taken) {
            (_, Taken::Skipped(_)) => Outcome::bad(text),
            (true, _) => Outcome::good(Body::Nothing),
            (false, _) => Outcome::good(Body::One(Response::Text(text))),
        }
    }

    /// A warning for each contradiction that is new since the user entered configuration mode. The
    /// lines are accepted nevertheless, as on IOS, because a later line may define the object that
    /// a line names.
    fn new_contradictions(&self, config: &Config) -> String {
        let found = contradictions(config).into_iter();
        let new = found.filter(|contradiction| !self.known.contains(contradiction));
        new.map(|new| format!("% Warning: {}\n", new.message)).collect()
    }

    /// Carries out an exec command. `prompt` is the number of characters before the line on the
    /// screen.
    fn exec(
        &mut self,
        (line, prompt): (&str, usize),
        router: &mut Router,
        surroundings: &mut dyn Surroundings,
        now: Time,
    ) -> Outcome {
        let expanded = without_alias(line, router.config());
        let line = expanded.as_ref();
        let Piped { command, mut format, filter, file, is_piped } = match filter::parse(line) {
            Ok(piped) => piped,
            Err(message) => return Outcome::bad(format!("% {message}\n")),
        };
        let Match { run, args } = match match_line(&Context::Exec, command) {
            Ok(matched) => matched,
            Err(mismatch) => {
                let hint = self.refused_in_exec(line, &mismatch);
                return Outcome::bad(mismatch_text(command, prompt, &mismatch) + hint);
            }
        };
        self.blocks.applied(line, false);
        let Run::Exec(run) = run else {
            return Outcome::good(Body::Nothing);
        };
        if args.has("json") {
            format = Format::Json;
        }
        let config = match surroundings.machine() {
            // The names of the lab's hosts are used only if the command has the argument `name`.
            Some(machine) if args.given("name") => {
                with_lab_hosts(router.config(), machine.lab_hosts())
            }
            _ => Cow::Borrowed(router.config()),
        };
        let action = run(&args, &config);
        let has_room = match &file {
            Some(to) => {
                flash::expect_room(surroundings.machine().and_then(Machine::storage), &to.file)
                    .map_err(|why| error_opening(&to.file, &why))
            }
            None => Ok(()),
        };
        if let (Ok(_), Err(error)) = (&action, has_room) {
            return Outcome::bad(error);
        }
        let output = Output { filter, file: file.map(Writing::new) };
        match action {
            Ok(Action::Show(source)) => Outcome::good(Body::Show { source, format, output }),
            Ok(Action::Probe(_) | Action::Lig(_)) if self.runs() => {
                Outcome::bad("% Another command runs in this session\n".to_owned())
            }
            Ok(Action::Probe(request)) => {
                running(start_probe(request, router, surroundings), output, now)
            }
            Ok(Action::Lig(request)) => running(start_lig(request, router, now), output, now),
            Ok(Action::ShowAll(lines)) => {
                let shows = lines.into_iter().filter_map(|line| started(line, router.config()));
                let source = Box::new(Several::new(shows.collect()));
                Outcome::good(Body::Show { source, format, output })
            }
            Ok(_) if is_piped => Outcome::bad(NO_OUTPUT.to_owned()),
            Ok(action) => self.act(action, router, surroundings, now),
            Err(fault) => Outcome::bad(failure(&fault.message, format)),
        }
    }

    /// Handles a line that is not a command of exec mode. If the line belongs to a configuration,
    /// the session also skips the lines in the block of this line, and the result is a message for
    /// the user. If not, the result is an empty text.
    fn refused_in_exec(&mut self, line: &str, mismatch: &Mismatch) -> &'static str {
        let is_unknown = matches!(mismatch, Mismatch::Invalid { .. });
        if self.context != Context::Exec || !is_unknown || !is_configuration(line) {
            return "";
        }
        self.blocks.refused(&self.context, line);
        "% This is a line of a configuration: enter `configure terminal` first.\n"
    }

    /// Returns the outcome of a step of the command `reload`. Stores whether the next line is the
    /// answer to a question.
    fn go_on(&mut self, step: Step) -> Outcome {
        self.asks_to_save = matches!(step, Step::Ask(_));
        match step {
            Step::Ask(text) => Outcome { ok: text.is_empty(), ..Outcome::bad(text) },
            Step::Refuse(text) => Outcome::bad(text),
            Step::Restart(text) => {
                Outcome { closed: true, ..Outcome::good(Body::One(Response::Text(text))) }
            }
        }
    }

    fn act(
        &mut self,
        action: Action,
        router: &mut Router,
        hosts: &mut dyn Hosts,
        now: Time,
    ) -> Outcome {
        let mut outcome = Outcome::good(Body::Nothing);
        match action {
            Action::Enter(context) => {
                self.context = context;
                self.known = contradictions(router.config());
                let text = "Enter configuration commands, one per line.  End with CNTL/Z.\n";
                outcome.body = Body::One(Response::Text(text.to_owned()));
            }
            Action::Command(command) => router.handle(Input::Command(command), now),
            Action::Debug(types, on) => {
                router.handle(Input::Command(Command::Debug { types, on }), now);
                let text = debugging_turned(types, on, router.debugging());
                outcome.body = Body::One(Response::Text(text));
            }
            Action::Copy { from, to } => return said(copy::copy(&from, &to, router, hosts, now)),
            Action::Replace(from) => return said(copy::replace(&from, router, hosts, now)),
            Action::Delete(name) => {
                return said(copy::delete(&name, hosts).map(|()| String::new()));
            }
            Action::Reload => return self.go_on(startup::reload(router, hosts)),
            Action::ClearLog => hosts.machine_mut().into_iter().for_each(Machine::clear_log),
            Action::Monitor(on) => self.monitors = on,
            Action::Text(text) => outcome.body = Body::One(Response::Text(text.to_owned())),
            Action::Length(length) => self.terminal.length = length,
            Action::Width(width) => self.terminal.width = width,
            Action::Leave => outcome.closed = self.context == Context::Exec,
            Action::Nothing
            | Action::Show(_)
            | Action::ShowAll(_)
            | Action::Probe(_)
            | Action::Lig(_) => {}
        }
        outcome
    }
}

/// If the first word of a line is an alias, replaces this word by the text of the alias. If this
/// text begins with another alias, that alias is not replaced.
fn without_alias<'l>(line: &'l str, config: &Config) -> Cow<'l, str> {
    let first = tokens(line).into_iter().next();
    let text = first.as_ref().and_then(|word| config.aliases.get(&line[word.clone()]));
    match first.zip(text) {
        Some((word, text)) => format!("{}{text}{}", &line[..word.start], &line[word.end..]).into(),
        None => line.into(),
    }
}

/// Starts the `show` command of a line. Returns the line and the command.
fn started(line: &str, config: &Config) -> Option<(String, Box<dyn Source>)> {
    let Match { run: Run::Exec(run), args } = match_line(&Context::Exec, line).ok()? else {
        return None;
    };
    match run(&args, config) {
        Ok(Action::Show(source)) => Some((line.to_owned(), source)),
        _ => None,
    }
}
