//! The console's client. It sends lines to a router through the router's unix socket, and works
//! like the console of an IOS router.
//!
//! The router does the work, also for `?` and for completion. The client only has the line editor.
//! All requests and answers go through a [`Client`].

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{self, BufReader, IsTerminal, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{
    Cmd, CompletionType, ConditionalEventHandler, Config, Context, Editor, Event, EventContext,
    EventHandler, ExternalPrinter, Helper, KeyEvent, RepeatCount,
};

use crate::console::client::{Channel, Client};
use crate::console::json_lines::{self, JsonLines};
use crate::console::protocol::{Done, Request, Response};

/// A byte order mark, which some editors put before a text in UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';
/// The client gives up if the router sends nothing for this time.
const SILENCE: Duration = Duration::from_secs(10);

/// The reason why the console failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An error of the socket or of the output. Its kind is `InvalidData` if the router sent a line
    /// that is not a response.
    #[error("console {socket}: {source}")]
    Io {
        /// The socket's path.
        socket: String,
        /// The cause of the error.
        source: io::Error,
    },
    /// An error of the terminal.
    #[error("terminal: {0}")]
    Terminal(#[from] ReadlineError),
}

/// Runs `commands` on the router with the console socket `socket`, and prints their output. If
/// there are no commands, this function reads lines from standard input. At a terminal that can
/// edit, the user can edit the line and use `?` and Tab. At any other terminal, there is a prompt
/// but no editing.
///
/// Returns whether the router understood and executed every command. At a terminal, the result is
/// always true.
///
/// # Errors
/// The router does not run, or it closes the connection, or the terminal fails.
pub fn run(socket: &Path, commands: &[String]) -> Result<bool, Error> {
    let mut connection = Connection::open(socket)?;
    let mut out = io::stdout();
    if !commands.is_empty() {
        return run_lines(&mut connection, commands.iter().cloned().map(Ok), &mut out);
    }
    if io::stdin().is_terminal() {
        return interact(connection).map(|()| true);
    }
    run_lines(&mut connection, without_mark(io::stdin().lines()), &mut out)
}

/// The lines of a file. The byte order mark that some editors write before the first line is
/// removed.
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
    client: Client<Wire>,
}

/// The two directions of the socket, to the router and from the router.
enum Wire {
    /// No thread reads the socket. The client reads it only while it waits for an answer.
    Socket(JsonLines<BufReader<UnixStream>, UnixStream>),
    /// A separate thread always reads the socket and prints the lines of debugging.
    Listener { requests: UnixStream, responses: Receiver<io::Result<Response>> },
}

impl Channel for Wire {
    fn send(&mut self, request: Request) -> io::Result<()> {
        match self {
            Wire::Socket(lines) => lines.send(request),
            Wire::Listener { requests, .. } => json_lines::write_request(requests, &request),
        }
    }

    /// Waits for a response for at most [`SILENCE`].
    fn receive(&mut self) -> io::Result<Response> {
        match self {
            Wire::Socket(lines) => lines.receive(),
            Wire::Listener { responses, .. } => match responses.recv_timeout(SILENCE) {
                Ok(response) => response,
                Err(RecvTimeoutError::Timeout) => Err(io::ErrorKind::TimedOut.into()),
                Err(RecvTimeoutError::Disconnected) => Err(io::ErrorKind::UnexpectedEof.into()),
            },
        }
    }
}

impl Wire {
    /// Starts a thread that reads from the router. The thread prints each line of debugging with
    /// `printer` as soon as the line arrives, also while the user types. The thread ends when the
    /// connection ends.
    fn listen(&mut self, mut printer: impl ExternalPrinter + Send + 'static) -> io::Result<()> {
        let Wire::Socket(lines) = self else {
            return Ok(());
        };
        let reader = lines.requests().try_clone()?;
        reader.set_read_timeout(None)?;
        let requests = lines.requests().try_clone()?;
        let (sender, responses) = mpsc::channel();
        *self = Wire::Listener { requests, responses };
        thread::spawn(move || {
            let mut reader = BufReader::new(reader);
            loop {
                let response = json_lines::read_response(&mut reader);
                let is_last = response.is_err();
                let is_heard = match response {
                    Ok(Response::Debug(line)) => printer.print(line + "\n").is_ok(),
                    response => sender.send(response).is_ok(),
                };
                if is_last || !is_heard {
                    break;
                }
            }
        });
        Ok(())
    }
}

impl Connection {
    fn open(socket: &Path) -> Result<Self, Error> {
        let name = socket.display().to_string();
        let open = || {
            let stream = UnixStream::connect(socket)?;
            stream.set_read_timeout(Some(SILENCE))?;
            stream.set_write_timeout(Some(SILENCE))?;
            Connection::over(name.clone(), stream)
        };
        let mut connection = open().map_err(|source| Error::Io { socket: name.clone(), source })?;
        // For an empty line, the router's only answer is the prompt.
        connection.ask(Request::Line(String::new()), |_| Ok(()))?;
        Ok(connection)
    }

    fn over(socket: String, stream: UnixStream) -> io::Result<Self> {
        let lines = JsonLines::new(BufReader::new(stream.try_clone()?), stream);
        Ok(Connection { socket, client: Client::new(Wire::Socket(lines)) })
    }

    /// Sends a request and waits for its responses. Gives each response to `print`, and returns the
    /// last response.
    fn ask(
        &mut self,
        request: Request,
        print: impl FnMut(Response) -> io::Result<()>,
    ) -> Result<Done, Error> {
        self.client.ask_each(request, print).map_err(|e| self.io(e))
    }

    fn listen(&mut self, printer: impl ExternalPrinter + Send + 'static) -> Result<(), Error> {
        self.client.channel_mut().listen(printer).map_err(|e| self.io(e))
    }

    fn io(&self, source: io::Error) -> Error {
        Error::Io { socket: self.socket.clone(), source }
    }

    /// Executes a line and writes its output.
    fn do_line(&mut self, line: &str, out: &mut impl Write) -> Result<Done, Error> {
        let request = Request::Line(line.to_owned());
        let done = self.ask(request, |response| write_response(out, response))?;
        out.flush().map_err(|e| self.io(e))?;
        Ok(done)
    }
}

fn write_response(out: &mut impl Write, response: Response) -> io::Result<()> {
    match response {
        Response::Text(text) => out.write_all(text.as_bytes()),
        Response::Completions(words) => writeln!(out, "{}", words.join("  ")),
        Response::Debug(line) => writeln!(out, "{line}"),
        Response::Error(message) => writeln!(out, "% {message}"),
        // These responses answer requests that a person cannot type.
        Response::Host(_) | Response::Done(_) => Ok(()),
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
        if done.closed {
            break;
        }
    }
    Ok(all_ok)
}

/// Adds the typed line to some outputs. If an output begins with a caret (`^`), the caret points at
/// a position in the typed line. So this writer first writes the typed line.
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

/// Asks the router for completions when the line editor needs them.
struct Typist {
    connection: Rc<RefCell<Connection>>,
}

impl Completer for Typist {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let line = &line[..position];
        let request = Request::Complete(line.to_owned());
        let answer = self.connection.borrow_mut().client.ask(request);
        let mut words = answer.map_err(ReadlineError::Io)?.completions;
        let start = line.rfind(char::is_whitespace).map_or(0, |blank| blank + 1);
        // Only one word is possible and it is complete, so a space follows it.
        if let [only] = words.as_mut_slice() {
            only.push(' ');
        }
        Ok((start, words))
    }
}

impl Hinter for Typist {
    type Hint = String;
}

impl Highlighter for Typist {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Borrowed(prompt)
    }
}

impl Validator for Typist {}
impl Helper for Typist {}

/// The keys that can end a line. The value 0 stands for the Enter key.
const ENTER: u8 = 0;
const QUESTION: u8 = b'?';
const CONTROL_Z: u8 = b'Z';

/// Ends the line that is being typed. Stores the key that ended the line, and the cursor's
/// position.
struct EndOfLine {
    key: u8,
    pressed: Arc<AtomicU8>,
    position: Arc<AtomicUsize>,
}

impl ConditionalEventHandler for EndOfLine {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        self.pressed.store(self.key, Ordering::Relaxed);
        self.position.store(context.pos(), Ordering::Relaxed);
        Some(Cmd::AcceptOrInsertLine { accept_in_the_middle: true })
    }
}

/// Prints lines of debugging when the user is not editing a line.
struct Plain;

impl ExternalPrinter for Plain {
    fn print(&mut self, line: String) -> rustyline::Result<()> {
        let mut out = io::stdout();
        out.write_all(line.as_bytes()).and_then(|()| out.flush()).map_err(ReadlineError::Io)
    }
}

/// Prints the prompt, reads a line and prints the answer, until the lines end or the session ends.
/// A `?` at the end of a line asks for the words that are possible at this position.
fn plain_lines(
    mut connection: Connection,
    lines: impl Iterator<Item = io::Result<String>>,
    out: &mut impl Write,
) -> Result<(), Error> {
    let mut lines = without_mark(lines);
    loop {
        let prompted = write!(out, "{}", connection.client.prompt()).and_then(|()| out.flush());
        prompted.map_err(|e| connection.io(e))?;
        let Some(line) = lines.next() else {
            return writeln!(out).map_err(|e| connection.io(e));
        };
        let line = line.map_err(|e| connection.io(e))?;
        if let Some(begun) = line.strip_suffix('?') {
            let request = Request::Help(begun.to_owned());
            connection.ask(request, |response| write_response(out, response))?;
        } else if connection.do_line(&line, out)?.closed {
            return Ok(());
        }
    }
}

/// Reads lines from a terminal until Ctrl-D or `exit`. If the user presses Ctrl-V before `?`, the
/// `?` is an ordinary character.
fn interact(mut connection: Connection) -> Result<(), Error> {
    // rustyline needs its feature buffer-redux here. Without the feature, each line gets a new
    // reader, and the octets that the previous reader has already read are lost. If the user pastes
    // several lines, only the first line then arrives.
    let config = Config::builder().completion_type(CompletionType::List).build();
    let mut editor = Editor::<Typist, MemHistory>::with_history(config, MemHistory::new())?;
    // If the editor cannot edit, it has no printer. It cannot edit with TERM=dumb, or if the output
    // is not a terminal.
    let Ok(printer) = editor.create_external_printer() else {
        drop(editor);
        connection.listen(Plain)?;
        return plain_lines(connection, io::stdin().lines(), &mut io::stdout());
    };
    connection.listen(printer)?;
    let connection = Rc::new(RefCell::new(connection));
    editor.set_helper(Some(Typist { connection: Rc::clone(&connection) }));
    let pressed = Arc::new(AtomicU8::new(ENTER));
    let position = Arc::new(AtomicUsize::new(0));
    for (event, key) in [(KeyEvent::from('?'), QUESTION), (KeyEvent::ctrl('Z'), CONTROL_Z)] {
        let (pressed, position) = (Arc::clone(&pressed), Arc::clone(&position));
        let handler = EndOfLine { key, pressed, position };
        editor.bind_sequence(event, EventHandler::Conditional(Box::new(handler)));
    }
    let mut out = io::stdout();
    let mut kept: Option<(String, usize)> = None;
    loop {
        let prompt = connection.borrow().client.prompt().to_owned();
        let (line, at) = kept.take().unwrap_or_default();
        let line = match editor.readline_with_initial(&prompt, line.split_at(at)) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let mut connection = connection.borrow_mut();
        match pressed.swap(ENTER, Ordering::Relaxed) {
            QUESTION => {
                let at = position.load(Ordering::Relaxed).min(line.len());
                let request = Request::Help(line[..at].to_owned());
                connection.ask(request, |response| write_response(&mut out, response))?;
                kept = Some((line, at));
            }
            CONTROL_Z => {
                connection.do_line("end", &mut out)?;
            }
            _ => {
                // A terminal with bracketed paste gives several pasted lines to the editor as one
                // line.
                for line in line.lines() {
                    editor.add_history_entry(line)?;
                    if connection.do_line(line, &mut out)?.closed {
                        return Ok(());
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufRead;
    use std::os::unix::net::UnixListener;
    use std::thread::JoinHandle;

    use super::*;
    use crate::console::hosts::NoHosts;
    use crate::console::{Session, parse_config};
    use crate::rng::Seed;
    use crate::router::{Router, Start};
    use crate::time::Time;

    /// A router that serves one client.
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
                while let Some(response) = session.poll(&router, &NoHosts, Time::ZERO) {
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
        let (text, ok) = typed(&["show foo", "show run | include host"]);
        assert!(!ok);
        let expected = "\
xTR1#show foo
          ^
% Invalid input detected at '^' marker.

hostname xTR1
";
        assert_eq!(text, expected);
    }

    #[test]
    fn plain_lines_have_a_prompt_and_a_question_mark_asks() {
        let (directory, server) = router();
        let connection = Connection::open(&directory.path().join("x.sock")).unwrap();
        let lines = ["\u{feff}configure terminal", "hostname Other", "hostn?", "end", "exit", "no"];
        let lines = lines.into_iter().map(|line| Ok(line.to_owned()));
        let mut out = Vec::new();
        plain_lines(connection, lines, &mut out).unwrap();
        server.join().unwrap();
        let text = String::from_utf8(out).unwrap();
        let begin = "xTR1#Enter configuration commands, one per line.  End with CNTL/Z.\n\
             xTR1(config)#Other(config)#";
        assert!(text.starts_with(begin), "{text}");
        assert!(text.contains("hostname"), "{text}");
        assert!(text.ends_with("Other(config)#Other#"), "{text}");
    }

    #[test]
    fn exit_ends_the_lines() {
        let (text, ok) = typed(&["exit", "show version"]);
        assert_eq!((text.as_str(), ok), ("", true));
    }

    struct Pages(mpsc::Sender<String>);

    impl ExternalPrinter for Pages {
        fn print(&mut self, line: String) -> rustyline::Result<()> {
            self.0.send(line).unwrap();
            Ok(())
        }
    }

    #[test]
    fn lines_of_debugging_are_printed_when_they_come_and_are_no_answer() {
        let (here, mut there) = UnixStream::pair().unwrap();
        let mut connection = Connection::over("x".to_owned(), here).unwrap();
        let (sender, printed) = mpsc::channel();
        connection.listen(Pages(sender)).unwrap();
        writeln!(there, r#"{{"debug":"LISP: idle"}}"#).unwrap();
        assert_eq!(printed.recv_timeout(SILENCE).unwrap(), "LISP: idle\n");
        writeln!(there, r#"{{"text":"a\n"}}"#).unwrap();
        writeln!(there, r#"{{"debug":"LISP: between"}}"#).unwrap();
        writeln!(there, r#"{{"done":{{"prompt":"xTR1#","ok":true}}}}"#).unwrap();
        let mut out = Vec::new();
        assert!(connection.do_line("show", &mut out).unwrap().ok);
        assert_eq!(out, b"a\n");
        assert_eq!(printed.recv_timeout(SILENCE).unwrap(), "LISP: between\n");
        drop(there);
        assert!(connection.do_line("show", &mut out).is_err());
    }

    #[test]
    fn a_router_that_is_not_there_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        assert!(run(&directory.path().join("x.sock"), &["show version".to_owned()]).is_err());
    }
}
