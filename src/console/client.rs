//! The client of a console session: sends requests and collects the answers.
//!
//! The command line, the labs, the simulator and a replay are clients. They differ only in the
//! [`Channel`]. [`InProcess`] is a channel to a session in the same process. [`JsonLines`] is a
//! channel to a session at the other end of a stream.
//!
//! [`JsonLines`]: super::json_lines::JsonLines

use std::io;

use serde::de::DeserializeOwned;

use super::probes::Surroundings;
use super::protocol::{Done, HostAnswer, Request, Response};
use super::session::Session;
use crate::router::Router;
use crate::time::Time;

/// Sends requests to a session, and receives the responses of the session.
pub trait Channel {
    /// Sends a request.
    ///
    /// # Errors
    /// An error of the channel, if the request cannot be sent.
    fn send(&mut self, request: Request) -> io::Result<()>;

    /// Waits for the next response.
    ///
    /// # Errors
    /// An error of the channel. The error is `UnexpectedEof` if no more responses will arrive.
    fn receive(&mut self) -> io::Result<Response>;
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The text to print.
    pub text: String,
    /// The completions of the last word.
    pub completions: Vec<String>,
    /// The report of a ping that an emulated host runs.
    pub host: Option<HostAnswer>,
    /// The reason why the request was not carried out.
    pub error: Option<String>,
    /// The prompt at which the request was sent. The prompt is empty for the first request of a
    /// client, because the client has not received a prompt yet.
    pub asked_at: String,
    /// The end of the answer.
    pub done: Done,
}

impl Answer {
    /// Reads the view from the answer to a `show ... json` command.
    ///
    /// # Errors
    /// The answer is not the JSON of this view, because the router refused the command, or because
    /// the command prints another text.
    pub fn view<V: DeserializeOwned>(&self) -> serde_json::Result<V> {
        serde_json::from_str(&self.text)
    }
}

/// A client of one session. The session keeps its mode between requests, as on a terminal.
#[derive(Debug)]
pub struct Client<C> {
    channel: C,
    prompt: String,
}

impl<C: Channel> Client<C> {
    /// A new client, before its first request.
    pub fn new(channel: C) -> Self {
        Client { channel, prompt: String::new() }
    }

    /// Makes a client of a session that is already in use. `prompt` is the prompt at the end of the
    /// session's latest answer.
    pub fn resume(channel: C, prompt: String) -> Self {
        Client { channel, prompt }
    }

    /// The prompt at the end of the latest answer. It is empty before the first answer.
    pub fn prompt(&self) -> &str {
        &self.prompt
    }

    /// The channel, as a mutable reference.
    pub fn channel_mut(&mut self) -> &mut C {
        &mut self.channel
    }

    /// Sends a line and collects its answer.
    ///
    /// # Errors
    /// An error if the channel fails before the answer is complete. A refused line is not an error:
    /// its answer has [`Done::ok`] = false.
    pub fn command(&mut self, line: &str) -> io::Result<Answer> {
        self.ask(Request::Line(line.to_owned()))
    }

    /// Sends a request and collects its answer. Debug lines are not part of the answer.
    ///
    /// # Errors
    /// An error if the channel fails before the answer is complete.
    pub fn ask(&mut self, request: Request) -> io::Result<Answer> {
        self.ask_with_debug(request).map(|(answer, _)| answer)
    }

    /// Sends a request and collects its answer. Also returns the debug lines that arrived before
    /// the end of the answer.
    ///
    /// # Errors
    /// An error if the channel fails before the answer is complete.
    pub fn ask_with_debug(&mut self, request: Request) -> io::Result<(Answer, Vec<String>)> {
        let asked_at = self.prompt.clone();
        let (mut text, mut completions, mut host, mut error) =
            (String::new(), Vec::new(), None, None);
        let mut debug = Vec::new();
        let done = self.ask_each(request, |response| {
            match response {
                Response::Text(part) => text += &part,
                Response::Completions(words) => completions.extend(words),
                Response::Host(answer) => host = Some(answer),
                Response::Error(message) => error = Some(message),
                Response::Debug(line) => debug.push(line),
                Response::Terminal(_) | Response::Done(_) => {}
            }
            Ok(())
        })?;
        Ok((Answer { text, completions, host, error, asked_at, done }, debug))
    }

    /// Sends a request and passes each response to `each` when the response arrives. The final
    /// response is not passed to `each`, but returned.
    ///
    /// # Errors
    /// An error if the channel fails before the answer is complete, or the first error of `each`.
    pub fn ask_each(
        &mut self,
        request: Request,
        mut each: impl FnMut(Response) -> io::Result<()>,
    ) -> io::Result<Done> {
        self.converse(request, |response| each(response).map(|()| false))
    }

    /// Works like [`Client::ask_each`]. In addition, if `each` returns true, the client interrupts
    /// the running command.
    ///
    /// # Errors
    /// The errors of the channel and of `each`.
    pub fn converse(
        &mut self,
        request: Request,
        mut each: impl FnMut(Response) -> io::Result<bool>,
    ) -> io::Result<Done> {
        self.channel.send(request)?;
        loop {
            match self.channel.receive()? {
                Response::Done(done) => {
                    self.prompt.clone_from(&done.prompt);
                    return Ok(done);
                }
                other => {
                    if each(other)? {
                        self.channel.send(Request::Interrupt)?;
                    }
                }
            }
        }
    }
}

/// A channel to a session in this process. During an answer, the router does no other work.
/// Therefore a command that waits for packets, such as `ping`, needs another channel.
pub struct InProcess<'a> {
    /// The session.
    pub session: &'a mut Session,
    /// The router of the session.
    pub router: &'a mut Router,
    /// The emulated hosts of this router, and the sockets of this router for probes.
    pub hosts: &'a mut dyn Surroundings,
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
