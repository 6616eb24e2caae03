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
        let mut request = serde_json::json!({ "line": line }).to_string();
        request.push('\n');
        let sent = self.stream.get_mut().write_all(request.as_bytes());
        sent.map_err(Failure::io(&self.name))?;
        let mut text = String::new();
        loop {
            let mut answer = String::new();
            let read = self.stream.read_line(&mut answer);
            if read.map_err(Failure::io(&self.name))? == 0 {
                let name = &self.name;
                return Err(Failure::Other(format!("{name}: closed before it answered {line:?}")));
            }
            let message: Message = serde_json::from_str(&answer)
                .map_err(|error| Failure::Other(format!("{}: {error} in {answer:?}", self.name)))?;
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
}

/// Runs one command in a session of its own.
pub fn ask(socket: &Path, line: &str) -> Result<Reply, Failure> {
    Console::connect(socket)?.ask(line)
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
        assert_eq!(reply.text, "one\ntwo\n");
        assert!(reply.ok);
        assert_eq!(server.join().unwrap(), "{\"line\":\"show \\\"it\\\"\"}\n");
    }

    #[test]
    fn a_console_that_closes_early_is_an_error_and_no_hang() {
        let (directory, server) = console("{\"text\":\"one\"}\n");
        assert!(ask(&directory.path().join("x.sock"), "show").is_err());
        server.join().unwrap();
    }
}
