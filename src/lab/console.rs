//! A small blocking client of a router's console socket, for what a lab asks its routers.
//!
//! The protocol is JSON lines: `{"line":"show ip lisp"}` goes there, any number of `{"text":".."}`
//! come back and then `{"done":{"prompt":"..","ok":true}}`.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::failure::Failure;
use crate::console::protocol::{self, HostAnswer, HostRequest, Request};

/// The longest silence of a router that answers.
const SILENCE: Duration = Duration::from_secs(5);

/// What a router says to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The lines that it printed, each with its end.
    pub text: String,
    /// Whether the command was understood and done.
    pub ok: bool,
    /// The prompt at which it was asked; empty for the first command of a session, which has no
    /// prompt before it.
    pub asked_at: String,
}

/// One message of the router.
#[derive(Deserialize)]
struct Message {
    text: Option<String>,
    host: Option<HostAnswer>,
    error: Option<String>,
    done: Option<Done>,
}

#[derive(Deserialize)]
struct Done {
    ok: bool,
    prompt: String,
}

/// A session on a router's console. Its mode lasts from command to command, as on a terminal.
#[derive(Debug)]
pub struct Console {
    /// What errors call it.
    name: String,
    /// The prompt that the last answer ended with.
    prompt: String,
    stream: BufReader<UnixStream>,
}

impl Console {
    /// Opens a session on the socket of a router.
    pub fn connect(socket: &Path) -> Result<Self, Failure> {
        let name = format!("console {}", socket.display());
        let open = || {
            let stream = UnixStream::connect(socket)?;
            stream.set_read_timeout(Some(SILENCE))?;
            stream.set_write_timeout(Some(SILENCE))?;
            Ok(stream)
        };
        let stream = BufReader::new(open().map_err(Failure::io(&name))?);
        Ok(Console { name, prompt: String::new(), stream })
    }

    /// Runs one command.
    pub fn ask(&mut self, line: &str) -> Result<Reply, Failure> {
        self.send(&Request::Line(line.to_owned()))?;
        let mut text = String::new();
        loop {
            let message = self.read()?;
            if let Some(part) = message.text {
                text.push_str(part.trim_end_matches('\n'));
                text.push('\n');
            }
            if let Some(Done { ok, prompt }) = message.done {
                let asked_at = std::mem::replace(&mut self.prompt, prompt);
                return Ok(Reply { text, ok, asked_at });
            }
        }
    }

    /// Has an emulated host do something.
    pub fn host(&mut self, request: &HostRequest) -> Result<HostAnswer, Failure> {
        self.send(&Request::Host(request.clone()))?;
        let mut answer = Err(Failure::Other(format!("{}: no answer of a host", self.name)));
        loop {
            let message = self.read()?;
            if let Some(host) = message.host {
                answer = Ok(host);
            }
            if let Some(error) = message.error {
                answer = Err(Failure::Other(error));
            }
            if message.done.is_some() {
                return answer;
            }
        }
    }

    fn send(&mut self, request: &Request) -> Result<(), Failure> {
        let line = protocol::line(request) + "\n";
        self.stream.get_mut().write_all(line.as_bytes()).map_err(Failure::io(&self.name))
    }

    fn read(&mut self) -> Result<Message, Failure> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line);
        if read.map_err(Failure::io(&self.name))? == 0 {
            return Err(Failure::Other(format!("{}: closed before it answered", self.name)));
        }
        serde_json::from_str(&line)
            .map_err(|error| Failure::Other(format!("{}: {error} in {line:?}", self.name)))
    }
}

/// Runs one command in a session of its own and gives what it prints.
///
/// # Errors
/// A router that does not answer, and one that refuses the line: what it says then is no answer.
pub fn ask(socket: &Path, line: &str) -> Result<String, Failure> {
    let Reply { text, ok, .. } = Console::connect(socket)?.ask(line)?;
    if ok {
        return Ok(text);
    }
    let said = text.trim();
    Err(Failure::Other(format!("console {}: {line:?} is refused: {said}", socket.display())))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::thread;

    use super::*;

    /// A console that answers one command with these lines.
    fn console(answer: &'static str) -> (tempfile::TempDir, thread::JoinHandle<String>) {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("x.sock")).unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut line = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            reader.read_line(&mut line).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            line
        });
        (directory, server)
    }

    #[test]
    fn a_reply_is_its_lines_up_to_done() {
        let (directory, server) = console(
            "{\"text\":\"one\"}\n{\"text\":\"two\\n\"}\n{\"done\":{\"prompt\":\"x#\",\"ok\":true}}\n",
        );
        let reply = ask(&directory.path().join("x.sock"), "show \"it\"").unwrap();
        assert_eq!(reply, "one\ntwo\n");
        assert_eq!(server.join().unwrap(), "{\"line\":\"show \\\"it\\\"\"}\n");
    }

    #[test]
    fn a_line_that_is_refused_is_no_answer() {
        let (directory, server) = console(
            "{\"text\":\"% Invalid input\"}\n{\"done\":{\"prompt\":\"x#\",\"ok\":false}}\n",
        );
        let error = ask(&directory.path().join("x.sock"), "show it").unwrap_err().to_string();
        assert!(error.contains("\"show it\" is refused: % Invalid input"), "{error}");
        server.join().unwrap();
    }

    #[test]
    fn a_console_that_closes_early_is_an_error_and_no_hang() {
        let (directory, server) = console("{\"text\":\"one\"}\n");
        assert!(ask(&directory.path().join("x.sock"), "show").is_err());
        server.join().unwrap();
    }
}
