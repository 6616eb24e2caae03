//! The client of the console. It sends lines to a router through the unix socket of the router's
//! console. For the user it works as the console of an IOS router does.
//!
//! The router executes the lines. It also answers `?` and completes words. At a terminal, the
//! client has a line editor ([`user`](super::user)). Without a terminal, it reads lines and prints
//! the answers.

use std::io::{self, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::user::{self, Failed, OwnTerminal, SILENCE};
use crate::console::client::Client;
use crate::console::json_lines::JsonLines;
use crate::console::protocol::{Done, Request, Response};

/// A byte order mark. Some editors write it before a text in UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The reason why the console failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An error of the socket or of the output. The kind of the error is `InvalidData` if the
    /// router has sent a line that is not a response.
    #[error("console {socket}: {source}")]
    Io {
        /// The socket's path.
        socket: String,
        /// The cause of the error.
        source: io::Error,
    },
    /// An error of the terminal.
    #[error("terminal: {0}")]
    Terminal(io::Error),
}

/// Runs `commands` on the router with the console socket `socket`, and prints the output of the
/// commands. If `commands` is empty, the user types commands at the terminal. If `commands` is
/// empty and there is no terminal, this function reads the commands from standard input.
///
/// Returns true if the router has understood and executed all commands. At a terminal, the result
/// is always true.
///
/// # Errors
/// The router does not run or closes the connection, or the terminal fails.
pub fn run(socket: &Path, commands: &[String]) -> Result<bool, Error> {
    let mut out = io::stdout();
    if !commands.is_empty() {
        let mut connection = Connection::open(socket)?;
        return run_lines(&mut connection, commands.iter().cloned().map(Ok), &mut out);
    }
    let name = socket.display().to_string();
    let broken = |source| Error::Io { socket: name.clone(), source };
    let stream = UnixStream::connect(socket).map_err(broken)?;
    if let Some(mut terminal) = OwnTerminal::take().map_err(Error::Terminal)? {
        let attended = user::attend(&mut terminal, stream, Request::Line(String::new()));
        return match attended {
            Ok(()) => Ok(true),
            Err(Failed::Router(error)) => Err(broken(error)),
            Err(Failed::User(error)) => Err(Error::Terminal(error)),
        };
    }
    let mut connection = Connection::begin(name.clone(), stream)?;
    run_lines(&mut connection, without_mark(io::stdin().lines()), &mut out)
}

/// Returns the lines of a file. Removes the byte order mark that some editors write before the
/// first line.
fn without_mark(
    lines: impl Iterator<Item = io::Result<String>>,
) -> impl Iterator<Item = io::Result<String>> {
    lines.enumerate().map(|(number, line)| match number {
        0 => line.map(|line| line.trim_start_matches(BYTE_ORDER_MARK).to_owned()),
        _ => line,
    })
}

/// A connection to the console of a router.
struct Connection {
    socket: String,
    client: Client<JsonLines<BufReader<UnixStream>, UnixStream>>,
}

impl Connection {
    fn open(socket: &Path) -> Result<Self, Error> {
        let name = socket.display().to_string();
        match UnixStream::connect(socket) {
            Ok(stream) => Connection::begin(name, stream),
            Err(source) => Err(Error::Io { socket: name, source }),
        }
    }

    /// Begins a session on a stream.
    fn begin(socket: String, stream: UnixStream) -> Result<Self, Error> {
        let begin = || {
            stream.set_read_timeout(Some(SILENCE))?;
            stream.set_write_timeout(Some(SILENCE))?;
            let lines = JsonLines::new(BufReader::new(stream.try_clone()?), stream);
            let mut client = Client::new(lines);
            // The client needs the prompt. The router answers an empty line only with the prompt.
            client.ask(Request::Line(String::new()))?;
            Ok(client)
        };
        match begin() {
            Ok(client) => Ok(Connection { socket, client }),
            Err(source) => Err(Error::Io { socket, source }),
        }
    }

    fn io(&self, source: io::Error) -> Error {
        Error::Io { socket: self.socket.clone(), source }
    }

    /// Executes a line on the router, and writes the output of this line.
    fn do_line(&mut self, line: &str, out: &mut impl Write) -> Result<Done, Error> {
        let request = Request::Line(line.to_owned());
        let done = self.client.ask_each(request, |response| write_response(out, response));
        let done = done.map_err(|e| self.io(e))?;
        out.flush().map_err(|e| self.io(e))?;
        Ok(done)
    }
}

fn write_response(out: &mut impl Write, response: Response) -> io::Result<()> {
    match response {
        Response::Text(text) => out.write_all(text.as_bytes()),
        Response::Debug(line) => writeln!(out, "{line}"),
        Response::Error(message) => writeln!(out, "% {message}"),
        // These responses are not printed. They are for a terminal, or they answer requests that a
        // user cannot type.
        Response::Completions(_) | Response::Host(_) | Response::Terminal(_) => Ok(()),
        Response::Done(_) => Ok(()),
    }
}

/// Executes lines one after the other. If a line fails, the next lines are still executed. If the
/// session ends, the next lines are not executed.
fn run_lines(
    connection: &mut Connection,
    lines: impl Iterator<Item = io::Result<String>>,
    out: &mut impl Write,
) -> Result<bool, Error> {
    let mut all_ok = true;
    for line in lines {
        let line = line.map_err(|e| connection.io(e))?;
        let mut echo = Echo { typed: format!("{}{line}\n", connection.client.prompt()), out };
        let done = connection.do_line(&line, &mut echo)?;
        all_ok &= done.ok;
        if is_question(&done.prompt) {
            writeln!(out, "{}", done.prompt).map_err(|e| connection.io(e))?;
        }
        if done.closed {
            break;
        }
    }
    if is_question(connection.client.prompt()) {
        let missing = "% The router has asked a question and got no answer. Give the answer as the \
                       next line, or as the next `-c`";
        writeln!(out, "{missing}").map_err(|e| connection.io(e))?;
        return Ok(false);
    }
    Ok(all_ok)
}

/// Whether a prompt is a question, such as the question of `reload`.
fn is_question(prompt: &str) -> bool {
    prompt.ends_with("? [yes/no]: ")
}

/// A writer for the output of a typed line. If the output begins with a caret (`^`) that marks a
/// position in the typed line, the writer writes the prompt and the typed line before the output.
struct Echo<'a, W> {
    typed: String,
    out: &'a mut W,
}

impl<W: Write> Write for Echo<'_, W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let typed = std::mem::take(&mut self.typed);
        if octets.trim_ascii_start().starts_with(b"^\n%") {
            self.out.write_all(typed.as_bytes())?;
        }
        self.out.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufRead;
    use std::os::unix::net::UnixListener;
    use std::thread::{self, JoinHandle};

    use super::*;
    use crate::console::hosts::NoHosts;
    use crate::console::json_lines;
    use crate::console::{Session, parse_config};
    use crate::rng::Seed;
    use crate::router::{Router, Start};
    use crate::time::Time;

    /// Starts a thread with a router that serves one client. Returns the directory of the router's
    /// console socket, and the thread.
    fn router() -> (tempfile::TempDir, JoinHandle<()>) {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("x.sock")).unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let config = parse_config("x", "hostname xTR1\n").unwrap();
            let seed = Seed::from_number(1);
            let start = Start { config, seed, wall_clock: 1, now: Time::ZERO };
            let mut router = Router::new(start);
            let mut session = Session::new();
            for line in BufReader::new(stream.try_clone().unwrap()).lines() {
                let request = json_lines::request(&line.unwrap()).unwrap();
                session.handle(request, &mut router, &mut NoHosts, Time::ZERO);
                while let Some(response) = session.poll(&router, &mut NoHosts, Time::ZERO) {
                    writeln!(stream, "{}", json_lines::line(&response)).unwrap();
                }
            }
        });
        (directory, server)
    }

    fn typed(lines: &[&str]) -> (String, bool) {
        let (directory, server) = router();
        let mut connection = Connection::open(&directory.path().join("x.sock")).unwrap();
        assert_eq!(connection.client.prompt(), "xTR1#");
        let lines = lines.iter().map(|line| Ok((*line).to_owned()));
        let mut out = Vec::new();
        let ok = run_lines(&mut connection, lines, &mut out).unwrap();
        drop(connection);
        server.join().unwrap();
        (String::from_utf8(out).unwrap(), ok)
    }

    #[test]
    fn commands_print_what_the_router_says() {
        let (text, ok) = typed(&["conf t", "hostname Other", "do show run | include host"]);
        assert!(ok);
        assert!(text.ends_with("\nhostname Other\n"), "{text}");
    }

    #[test]
    fn a_wrong_command_is_echoed_above_its_caret_and_the_rest_still_runs() {
        let (text, ok) = typed(&["show zoo", "show run | include host"]);
        assert!(!ok);
        let expected = "\
xTR1#show zoo
          ^
% Invalid input detected at '^' marker.

hostname xTR1
";
        assert_eq!(text, expected);
    }

    #[test]
    fn exit_ends_the_lines() {
        let (text, ok) = typed(&["exit", "show version"]);
        assert_eq!((text.as_str(), ok), ("", true));
    }

    #[test]
    fn a_router_that_is_not_there_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        assert!(run(&directory.path().join("x.sock"), &["show version".to_owned()]).is_err());
    }
}
