//! A console's client: it asks, and collects the answer.
//!
//! The command line, the labs, the simulator and a replay are clients. They differ in the
//! [`Channel`] alone: [`InProcess`] is a session in the same process, [`JsonLines`] one at the other end of
//! a stream.
//!
//! [`JsonLines`]: super::json_lines::JsonLines

use std::io;

use serde::de::DeserializeOwned;

use super::hosts::Hosts;
use super::protocol::{Done, HostAnswer, Request, Response};
use super::session::Session;
use crate::router::Router;
use crate::time::Time;

/// Carries requests to a session and its responses back.
pub trait Channel {
    /// Sends a request.
    ///
    /// # Errors
    /// Those of the channel.
    fn send(&mut self, request: Request) -> io::Result<()>;

    /// Waits for the next response.
    ///
    /// # Errors
    /// Those of the channel; `UnexpectedEof` when no more responses come.
    fn receive(&mut self) -> io::Result<Response>;
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The text that it prints.
    pub text: String,
    /// The completions of the last word.
    pub completions: Vec<String>,
    /// The report of a host's ping.
    pub host: Option<HostAnswer>,
    /// Why the request was not carried out.
    pub error: Option<String>,
    /// The prompt at which it was asked; empty for the first request of a client, which has seen no
    /// prompt yet.
    pub asked_at: String,
    /// How it ended.
    pub done: Done,
}

impl Answer {
    /// Reads the view of a `show ... json`.
    ///
    /// # Errors
    /// The text is no such view: the command was refused, or prints something else.
    pub fn view<V: DeserializeOwned>(&self) -> serde_json::Result<V> {
        serde_json::from_str(&self.text)
    }
}

/// A client of one session. The session's mode lasts from request to request, as on a terminal.
#[derive(Debug)]
pub struct Client<C> {
    channel: C,
    prompt: String,
}

impl<C: Channel> Client<C> {
    /// A client that has asked nothing yet.
    pub fn new(channel: C) -> Self {
        Client { channel, prompt: String::new() }
    }

    /// Goes on after an answer that ended with `prompt`.
    pub fn resume(channel: C, prompt: String) -> Self {
        Client { channel, prompt }
    }

    /// The prompt that the last answer ended with; empty before the first one.
    pub fn prompt(&self) -> &str {
        &self.prompt
    }

    /// The channel, to change it.
    pub fn channel_mut(&mut self) -> &mut C {
        &mut self.channel
    }

    /// Does a line and collects its answer.
    ///
    /// # Errors
    /// Those of the channel. A line that is refused is an answer: [`Done::ok`] is false.
    pub fn command(&mut self, line: &str) -> io::Result<Answer> {
        self.ask(Request::Line(line.to_owned()))
    }

    /// Asks and collects the answer. Lines of debugging are no part of it.
    ///
    /// # Errors
    /// Those of the channel.
    pub fn ask(&mut self, request: Request) -> io::Result<Answer> {
        let asked_at = self.prompt.clone();
        let (mut text, mut completions, mut host, mut error) =
            (String::new(), Vec::new(), None, None);
        let done = self.ask_each(request, |response| {
            match response {
                Response::Text(part) => text += &part,
                Response::Completions(words) => completions.extend(words),
                Response::Host(answer) => host = Some(answer),
                Response::Error(message) => error = Some(message),
                Response::Debug(_) | Response::Done(_) => {}
            }
            Ok(())
        })?;
        Ok(Answer { text, completions, host, error, asked_at, done })
    }

    /// Asks and hands on each response when it comes, but for the last one, which it returns.
    ///
    /// # Errors
    /// Those of the channel and of `each`.
    pub fn ask_each(
        &mut self,
        request: Request,
        mut each: impl FnMut(Response) -> io::Result<()>,
    ) -> io::Result<Done> {
        self.channel.send(request)?;
        loop {
            match self.channel.receive()? {
                Response::Done(done) => {
                    self.prompt.clone_from(&done.prompt);
                    return Ok(done);
                }
                other => each(other)?,
            }
        }
    }
}

/// A session in this process, on a router that stands still while it answers.
pub struct InProcess<'a> {
    /// The session.
    pub session: &'a mut Session,
    /// The router that it is on.
    pub router: &'a mut Router,
    /// The emulated hosts of this router.
    pub hosts: &'a mut dyn Hosts,
    /// The router's time.
    pub now: Time,
}

impl Channel for InProcess<'_> {
    fn send(&mut self, request: Request) -> io::Result<()> {
        self.session.handle(request, self.router, self.hosts, self.now);
        Ok(())
    }

    fn receive(&mut self) -> io::Result<Response> {
        let response = self.session.poll(self.router, self.hosts, self.now);
        response.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}
