//! Clients for the consoles of a lab's routers. They use the unix sockets of the consoles.

use std::io::{self, BufReader};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::console::client::{Answer, Client};
use crate::console::json_lines::JsonLines;
use crate::console::protocol::{Done, HostAnswer, HostRequest, Request, Response};
use crate::console::view::View;
use crate::lab::failure::Failure;

/// If a router sends no data for this time, the program stops waiting for the answer of this
/// router.
const SILENCE: Duration = Duration::from_secs(5);

/// A session on the console of a router. As on a terminal, a command starts in the mode in which
/// the previous command has ended.
#[derive(Debug)]
pub struct Console {
    /// The name of the session in errors.
    name: String,
    client: Client<JsonLines<BufReader<UnixStream>, UnixStream>>,
}

impl Console {
    /// Opens a session through the console socket of a router.
    pub fn connect(socket: &Path) -> Result<Self, Failure> {
        let name = format!("console {}", socket.display());
        let open = || -> io::Result<_> {
            let stream = UnixStream::connect(socket)?;
            stream.set_read_timeout(Some(SILENCE))?;
            stream.set_write_timeout(Some(SILENCE))?;
            Ok(JsonLines::new(BufReader::new(stream.try_clone()?), stream))
        };
        let client = Client::new(open().map_err(Failure::io(&name))?);
        Ok(Console { name, client })
    }

    /// Runs a command in this session.
    pub fn ask(&mut self, line: &str) -> Result<Answer, Failure> {
        self.client.command(line).map_err(Failure::io(&self.name))
    }

    /// Carries out a request in this session. Calls `each` with each part of the answer. If `each`
    /// returns true, the running command is interrupted ([`Client::converse`]).
    pub fn converse(
        &mut self,
        request: Request,
        each: &mut dyn FnMut(Response) -> bool,
    ) -> Result<Done, Failure> {
        let done = self.client.converse(request, |response| Ok(each(response)));
        done.map_err(Failure::io(&self.name))
    }

    /// Sends a request. Returns the answer, and the debug lines that arrived before and during the
    /// answer.
    pub fn request(&mut self, request: Request) -> Result<(Answer, Vec<String>), Failure> {
        self.client.ask_with_debug(request).map_err(Failure::io(&self.name))
    }

    /// Sends a request to an emulated host of the router.
    pub fn host(&mut self, request: &HostRequest) -> Result<HostAnswer, Failure> {
        let answer = self.client.ask(Request::Host(request.clone()));
        let Answer { host, error, .. } = answer.map_err(Failure::io(&self.name))?;
        host.ok_or_else(|| {
            let none = || format!("{}: the router sent no answer about the host", self.name);
            Failure::Other(error.unwrap_or_else(none))
        })
    }
}

/// Reads a view of a router. `command` is the `show` command without `json`.
///
/// # Errors
/// The router does not answer or refuses the command, or the answer is another view.
pub fn view<V: View>(socket: &Path, command: &str) -> Result<V, Failure> {
    let answer = Console::connect(socket)?.ask(&format!("{command} json"))?;
    let wrong = |error| {
        format!("console {}: the answer to `{command}` cannot be read: {error}", socket.display())
    };
    answer.view().map_err(|error| Failure::Other(wrong(error)))
}

/// Runs a command in a new session and returns its output.
///
/// # Errors
/// The router does not answer or refuses the command.
pub fn ask(socket: &Path, line: &str) -> Result<String, Failure> {
    let Answer { text, done, .. } = Console::connect(socket)?.ask(line)?;
    if done.ok {
        return Ok(text);
    }
    let said = text.trim();
    Err(Failure::Other(format!(
        "console {}: the router refused the command {line:?}: {said}",
        socket.display()
    )))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, Write};
    use std::os::unix::net::UnixListener;
    use std::thread;

    use super::*;

    /// Starts a console that answers one command with the lines of `answer`.
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
            "{\"text\":\"one\\n\"}\n{\"text\":\"two\\n\"}\n{\"done\":{\"prompt\":\"x#\",\"ok\":true}}\n",
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
        assert!(
            error.contains("the router refused the command \"show it\": % Invalid input"),
            "{error}"
        );
        server.join().unwrap();
    }

    #[test]
    fn a_console_that_closes_early_is_an_error_and_no_hang() {
        let (directory, server) = console("{\"text\":\"one\"}\n");
        assert!(ask(&directory.path().join("x.sock"), "show").is_err());
        server.join().unwrap();
    }
}
