//! The answers that a session is sending. The output of a command goes through a filter. Then the
//! output goes to the screen, into a file, or to both.

use std::fmt::{self, Debug};

use super::copy::storage_of;
use super::filter::Filter;
use super::flash::Writing;
use super::hosts::Hosts;
use super::protocol::{Done, Response, TerminalSettings};
use super::running::Running;
use super::show::{Format, Source};
use crate::time::Time;

/// The unsent part of an answer.
#[derive(Debug)]
pub struct Answer {
    /// The unsent output.
    pub body: Body,
    /// The settings of the terminal, if the request changed them.
    pub terminal: Option<TerminalSettings>,
    /// The end of the answer.
    pub done: Done,
}

impl Answer {
    /// Ends the output of a command. If the output goes into a file, writes the file. Returns the
    /// remaining text to print, or `None` if no text remains.
    pub fn finish(&mut self, hosts: &mut dyn Hosts) -> Option<Response> {
        let (rest, is_written) = match std::mem::replace(&mut self.body, Body::Nothing) {
            Body::Show { mut output, .. } | Body::Running { mut output, .. } => {
                output.finish(hosts)
            }
            Body::Nothing | Body::One(_) => return None,
        };
        self.done.ok &= is_written;
        (!rest.is_empty()).then_some(Response::Text(rest))
    }
}

/// The output of a request.
pub enum Body {
    /// No output.
    Nothing,
    /// One response.
    One(Response),
    /// The output of a `show` command.
    Show { source: Box<dyn Source>, format: Format, output: Output },
    /// The output of a command that runs. `said_at` is the time of the command's latest response.
    Running { command: Box<dyn Running>, output: Output, said_at: Time },
}

/// The filter and the destination of an output. The destination is the screen, a file, or both.
pub struct Output {
    /// Selects lines of the output.
    pub filter: Filter,
    /// The file into which the selected lines are written.
    pub file: Option<Writing>,
}

impl Output {
    /// Adds a piece of the output. Returns the text to print.
    pub fn push(&mut self, text: String) -> String {
        let selected = self.filter.push(text);
        match &mut self.file {
            Some(file) => file.push(selected),
            None => selected,
        }
    }

    /// Ends the output and writes the file. Returns the remaining text to print. The `bool` is
    /// false if the file could not be written.
    fn finish(&mut self, hosts: &mut dyn Hosts) -> (String, bool) {
        let rest = self.filter.finish();
        let Some(mut file) = self.file.take() else { return (rest, true) };
        let rest = file.push(rest);
        match file.finish(storage_of(hosts)) {
            Ok(()) => (rest, true),
            Err(error) => (rest + &error, false),
        }
    }
}

impl Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Body::Nothing => f.write_str("Nothing"),
            Body::One(response) => response.fmt(f),
            Body::Show { format, .. } => write!(f, "Show as {format:?}"),
            Body::Running { .. } => f.write_str("Running"),
        }
    }
}

/// The result of a request.
pub struct Outcome {
    /// The output.
    pub body: Body,
    /// Whether the request was carried out.
    pub ok: bool,
    /// Whether the session ends.
    pub closed: bool,
}

impl Outcome {
    /// The outcome of a request that the session has carried out.
    pub fn good(body: Body) -> Self {
        Outcome { body, ok: true, closed: false }
    }

    /// The outcome of a refused line. `text` is printed for the user.
    pub fn bad(text: String) -> Self {
        Outcome { body: Body::One(Response::Text(text)), ok: false, closed: false }
    }

    /// The outcome of a refused request. `message` is a sentence for the client.
    pub fn error(message: String) -> Self {
        Outcome { body: Body::One(Response::Error(message)), ok: false, closed: false }
    }
}

/// Returns the outcome of an attempt to start a command. The outcome contains the running command,
/// or an error message if the command did not start.
pub fn running(started: Result<Box<dyn Running>, String>, output: Output, now: Time) -> Outcome {
    match started {
        Ok(command) => Outcome::good(Body::Running { command, output, said_at: now }),
        Err(message) => Outcome::bad(format!("% {message}\n")),
    }
}

/// The outcome of a command that has already ended: the text or the error of the command.
pub fn said(result: Result<String, String>) -> Outcome {
    match result {
        Ok(text) => Outcome::good(Body::One(Response::Text(text))),
        Err(text) => Outcome::bad(text),
    }
}
