//! The console of a replay. It makes steps forward, and runs `show` commands on the state between
//! two steps.

use std::io::{self, Read, Write};

use super::{Progress, ReadError, Replay, Until, show};
use crate::console::Session;
use crate::console::client::{Client, InProcess};
use crate::console::hosts::NoHosts;
use crate::console::protocol::{Done, Request, Response};

/// The output of `help`.
const HELP: &str = "step [N]     make the next step, or the next N steps, and print each step
run [UNTIL]  continue to the end, or to a step (120) or a time (12.5s)
show ...     print a table of the router at this step
exit
";

/// A replay, with a console session on the router of the replay. The session cannot change the
/// router.
#[derive(Debug)]
pub struct ReplayConsole<R> {
    replay: Replay<R>,
    session: Session,
}

impl<R: Read> ReplayConsole<R> {
    /// Makes a console for a replay. The console starts at the step that the replay has reached.
    pub fn new(replay: Replay<R>) -> Self {
        ReplayConsole { replay, session: Session::new() }
    }

    /// Returns the prompt: the name of the router, the step and the time of the step.
    pub fn prompt(&self) -> String {
        let prompt = self.session.prompt(self.replay.router());
        let name = prompt.trim_end_matches('#');
        format!("{name} {} {}# ", self.replay.step(), self.replay.at())
    }

    /// Executes a line and writes its output. In the result, `ok` means that the line was
    /// understood, and that each step gave the recorded outputs. `closed` means that the user
    /// leaves the console.
    ///
    /// # Errors
    /// `out` returns an error.
    pub fn line(&mut self, line: &str, out: &mut dyn Write) -> io::Result<Done> {
        let mut words = line.split_whitespace();
        let (command, argument) = (words.next().unwrap_or_default(), words.next());
        let closed = matches!(command, "exit" | "quit");
        let ok = match command {
            // A terminal sends `end` for Control-C.
            "" | "end" | "exit" | "quit" => true,
            "help" | "?" => out.write_all(HELP.as_bytes()).map(|()| true)?,
            "step" | "s" => match argument.unwrap_or("1").parse() {
                Ok(count) => self.step(count, out)?,
                Err(_) => {
                    refuse(out, "write the number of steps as a whole number, for example: step 3")?
                }
            },
            "run" | "r" => match argument.map_or(Ok(Until::End), str::parse) {
                Ok(until) => self.run(until, out)?,
                Err(expected) => refuse(out, expected)?,
            },
            _ if is_show(line) => self.show(line, out)?,
            _ => refuse(out, "a record cannot be changed: use step, run, show, exit or help")?,
        };
        Ok(Done { prompt: self.prompt(), ok, closed })
    }

    /// Carries out a request of a terminal, and returns the responses.
    ///
    /// # Errors
    /// The session does not send the last response to the request.
    pub fn answer(&mut self, request: Request) -> io::Result<Vec<Response>> {
        let mut text = Vec::new();
        let (response, done) = match request {
            Request::Interrupt => return Ok(Vec::new()),
            Request::Line(line) => {
                let done = self.line(&line, &mut text)?;
                (None, Some(done))
            }
            // A terminal asks for help and for completions of the words of `show`.
            Request::Help(ref line) | Request::Complete(ref line) if is_show(line) => {
                (self.ask(request)?, None)
            }
            Request::Help(_) => {
                text.extend_from_slice(HELP.as_bytes());
                (None, None)
            }
            Request::Complete(_) => (Some(Response::Completions(Vec::new())), None),
            Request::Host(_) | Request::Vty(_) | Request::Watch => {
                let why =
                    "a replay has no emulated hosts and no vty lines, and it cannot be watched";
                (Some(Response::Error(why.to_owned())), None)
            }
        };
        let prompt = self.prompt();
        let done = done.unwrap_or(Done { prompt, ok: true, closed: false });
        let text = String::from_utf8_lossy(&text).into_owned();
        let text = (!text.is_empty()).then_some(Response::Text(text));
        Ok(text.into_iter().chain(response).chain([Response::Done(done)]).collect())
    }

    /// Returns the first response of the session to a request.
    fn ask(&mut self, request: Request) -> io::Result<Option<Response>> {
        let now = self.replay.at();
        let (router, hosts) = (self.replay.router_mut(), &mut NoHosts);
        let mut client = Client::new(InProcess { session: &mut self.session, router, hosts, now });
        let mut first = None;
        client.ask_each(request, |response| {
            first.get_or_insert(response);
            Ok(())
        })?;
        Ok(first)
    }

    fn step(&mut self, count: u64, out: &mut dyn Write) -> io::Result<bool> {
        for _ in 0..count {
            let mut lines = String::new();
            let progress = self.replay.advance(Until::End, &mut |number, step, outcome| {
                lines = show::step(number, step, outcome);
            });
            out.write_all(lines.as_bytes())?;
            match progress {
                Ok(Progress::Same) => {}
                other => return self.report(other, out),
            }
        }
        Ok(true)
    }

    fn run(&mut self, until: Until, out: &mut dyn Write) -> io::Result<bool> {
        let progress = self.replay.run(until);
        self.report(progress, out)
    }

    fn report(
        &self,
        progress: Result<Progress, ReadError>,
        out: &mut dyn Write,
    ) -> io::Result<bool> {
        match progress {
            Ok(Progress::Differs(difference)) => {
                writeln!(out, "{difference}")?;
                Ok(false)
            }
            Ok(_) => {
                let (step, at) = (self.replay.step(), self.replay.at());
                writeln!(out, "step {step} at {at}: all outputs so far are as recorded")?;
                Ok(true)
            }
            Err(error) => refuse(out, &error.to_string()),
        }
    }

    fn show(&mut self, line: &str, out: &mut dyn Write) -> io::Result<bool> {
        let now = self.replay.at();
        let router = self.replay.router_mut();
        let hosts = &mut NoHosts;
        let mut client = Client::new(InProcess { session: &mut self.session, router, hosts, now });
        let done = client.ask_each(Request::Line(line.to_owned()), |response| match response {
            Response::Text(text) => out.write_all(text.as_bytes()),
            Response::Error(message) => writeln!(out, "% {message}"),
            _ => Ok(()),
        })?;
        Ok(done.ok)
    }
}

/// Whether a line begins with `show` or with an abbreviation of `show`.
fn is_show(line: &str) -> bool {
    let word = line.split_whitespace().next().unwrap_or_default();
    word.len() > 1 && "show".starts_with(word)
}

fn refuse(out: &mut dyn Write, message: &str) -> io::Result<bool> {
    writeln!(out, "% {message}")?;
    Ok(false)
}
