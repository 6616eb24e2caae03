//! Carries octets between the terminal of a user and the console of a router.
//!
//! The user is at the terminal of this process, or at the other end of a telnet connection. A
//! [`Terminal`] converts the octets of the user to requests for the router, and converts the
//! responses of the router to octets for the screen. [`attend`] waits for the user and for the
//! router.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{self, OptionalActions, Termios};

use crate::console::json_lines;
use crate::console::protocol::{Done, Request, Response};
use crate::console::terminal::Terminal;

/// If the router does not answer within this time, the client ends the session with an error.
pub const SILENCE: Duration = Duration::from_secs(10);
/// The maximum number of octets in one read.
const CHUNK: usize = 4096;

/// The keyboard and the screen of a user.
pub trait User {
    /// Returns the file descriptor that is ready when the user has typed.
    fn keyboard(&self) -> BorrowedFd<'_>;

    /// Reads the octets that the user has typed. Returns `None` at the end of the input.
    ///
    /// # Errors
    /// The errors of the descriptor.
    fn read(&mut self) -> io::Result<Option<Vec<u8>>>;

    /// Writes octets to the screen.
    ///
    /// # Errors
    /// The errors of the descriptor.
    fn write(&mut self, octets: &[u8]) -> io::Result<()>;

    /// Returns the number of columns and the number of lines of the screen, if they are known.
    fn screen(&self) -> Option<(u16, u16)>;

    /// Returns the time without input after which the session ends. Returns `None` if there is no
    /// time limit.
    fn idle_time(&self) -> Option<Duration>;
}

/// The reason why a session of a user ended with an error.
#[derive(Debug)]
pub enum Failed {
    /// The connection to the router has failed.
    Router(io::Error),
    /// The terminal or the connection of the user has failed.
    User(io::Error),
}

/// Runs a session of a user at the console of a router, until the session ends. `first` is the
/// request that begins the session.
///
/// # Errors
/// The user's terminal or the connection to the router fails. The end of the user's input is not an
/// error.
pub fn attend(user: &mut impl User, router: UnixStream, first: Request) -> Result<(), Failed> {
    router.set_write_timeout(Some(SILENCE)).map_err(Failed::Router)?;
    let mut console = Console { stream: router, received: Vec::new() };
    let mut terminal = Terminal::new(first, user.screen());
    // The router must answer the first request, and each interrupt, without delay.
    let mut must_answer = true;
    loop {
        while let Some(request) = terminal.take_request() {
            must_answer |= request == Request::Interrupt;
            console.send(&request).map_err(Failed::Router)?;
        }
        terminal.resize(user.screen());
        let response = match terminal.wants_responses() {
            true => console.take_response().map_err(Failed::Router)?,
            false => None,
        };
        if let Some(response) = response {
            must_answer = false;
            terminal.receive(response);
            continue;
        }
        user.write(&terminal.take_output()).map_err(Failed::User)?;
        if terminal.is_closed() {
            return Ok(());
        }
        let time_limit = if must_answer { Some(SILENCE) } else { user.idle_time() };
        let (typed, answered) = wait(user, &console, &terminal, time_limit)?;
        if !typed && !answered {
            match must_answer {
                true => return Err(Failed::Router(io::ErrorKind::TimedOut.into())),
                false => return Ok(()),
            }
        }
        if typed {
            match user.read().map_err(Failed::User)? {
                Some(octets) => terminal.type_octets(&octets),
                None => return Ok(()),
            }
        }
        if answered {
            console.fill().map_err(Failed::Router)?;
        }
    }
}

/// A function that is called with each response to a request. It returns true if the user wants to
/// interrupt the command.
pub type Each<'a> = dyn FnMut(Response) -> bool + 'a;

/// A function that carries out a request in this process. It calls its second argument with each
/// response, and returns the end of the answer.
pub type Answer<'a> = dyn FnMut(Request, &mut Each<'_>) -> io::Result<Done> + 'a;

/// Runs a session of a user at a console in this process, until the session ends. `first` is the
/// request that begins the session. `answer` carries out a request. A signal ends the session.
///
/// # Errors
/// The errors of the user's terminal, and the errors of `answer`. The end of the user's input is
/// not an error.
pub fn attend_here(
    user: &mut impl User,
    first: Request,
    answer: &mut Answer<'_>,
) -> io::Result<()> {
    let mut terminal = Terminal::new(first, user.screen());
    let mut responses = VecDeque::new();
    loop {
        show(user, &mut terminal, &mut responses)?;
        match terminal.take_request() {
            // No command runs now, so the interrupt is ignored.
            Some(Request::Interrupt) => continue,
            Some(request) => {
                let mut failed = Ok(());
                let done = answer(request, &mut |response| {
                    responses.push_back(response);
                    let shown = show(user, &mut terminal, &mut responses);
                    let interrupts = shown.and_then(|()| wants_interrupt(user, &mut terminal));
                    interrupts.unwrap_or_else(|error| {
                        failed = Err(error);
                        true
                    })
                });
                failed?;
                responses.push_back(Response::Done(done?));
                continue;
            }
            None if terminal.is_closed() => return Ok(()),
            None => {}
        }
        let mut ends = [PollFd::from_borrowed_fd(user.keyboard(), PollFlags::IN)];
        match poll(&mut ends, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        match user.read()? {
            Some(octets) => terminal.type_octets(&octets),
            None => return Ok(()),
        }
    }
}

/// Passes responses to the terminal until there are no more responses, or the terminal stops its
/// output at `--More--`. Then writes the output of the terminal to the screen.
fn show(
    user: &mut impl User,
    terminal: &mut Terminal,
    responses: &mut VecDeque<Response>,
) -> io::Result<()> {
    terminal.resize(user.screen());
    while terminal.wants_responses()
        && let Some(response) = responses.pop_front()
    {
        terminal.receive(response);
    }
    user.write(&terminal.take_output())
}

/// Reads the keys that the user has typed while a command runs. Returns true if the user wants to
/// interrupt the command.
fn wants_interrupt(user: &mut impl User, terminal: &mut Terminal) -> io::Result<bool> {
    let mut ends = [PollFd::from_borrowed_fd(user.keyboard(), PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let is_typed = match poll(&mut ends, Some(&now)) {
        Ok(number) => number > 0 && terminal.wants_octets(),
        Err(rustix::io::Errno::INTR) => return Ok(true),
        Err(error) => return Err(error.into()),
    };
    if is_typed && let Some(octets) = user.read()? {
        terminal.type_octets(&octets);
    }
    Ok(terminal.take_request() == Some(Request::Interrupt))
}

/// Waits until the user has typed, the router has answered or the time limit has passed. The first
/// result is true if the user has typed. The second result is true if the router may have answered.
/// Both results are false if the time limit has passed.
fn wait(
    user: &impl User,
    console: &Console,
    terminal: &Terminal,
    time_limit: Option<Duration>,
) -> Result<(bool, bool), Failed> {
    let events = |wants| if wants { PollFlags::IN } else { PollFlags::empty() };
    let keyboard = user.keyboard();
    let mut ends = [
        PollFd::from_borrowed_fd(keyboard, events(terminal.wants_octets())),
        PollFd::new(&console.stream, events(terminal.wants_responses())),
    ];
    let time_limit = time_limit.and_then(|limit| Timespec::try_from(limit).ok());
    match poll(&mut ends, time_limit.as_ref()) {
        Ok(_) => {}
        // A signal has arrived, for example because the size of the screen has changed.
        Err(rustix::io::Errno::INTR) => return Ok((false, true)),
        Err(error) => return Err(Failed::User(error.into())),
    }
    let is_ready = |end: &PollFd<'_>| !end.revents().is_empty();
    Ok((is_ready(&ends[0]), is_ready(&ends[1])))
}

/// The connection to the console of a router.
struct Console {
    stream: UnixStream,
    /// The received octets that are not yet a complete response.
    received: Vec<u8>,
}

impl Console {
    fn send(&mut self, request: &Request) -> io::Result<()> {
        json_lines::write_request(&mut self.stream, request)
    }

    /// Returns the next response, or `None` if no complete response has arrived.
    fn take_response(&mut self) -> io::Result<Option<Response>> {
        let Some(end) = self.received.iter().position(|&octet| octet == b'\n') else {
            return Ok(None);
        };
        let line: Vec<u8> = self.received.drain(..=end).collect();
        json_lines::read_response(&mut line.as_slice()).map(Some)
    }

    /// Reads the octets that have arrived from the router.
    fn fill(&mut self) -> io::Result<()> {
        let mut buffer = [0; CHUNK];
        // A signal may have ended the function `wait` before an octet has arrived. So this read
        // must not block.
        self.stream.set_nonblocking(true)?;
        let read = self.stream.read(&mut buffer);
        self.stream.set_nonblocking(false)?;
        match read {
            Ok(0) => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the router closed the connection",
            )),
            Ok(length) => {
                self.received.extend(&buffer[..length]);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The terminal of this process in raw mode. While this value exists, the process gets each key
/// immediately, and the terminal does not echo keys itself.
pub struct OwnTerminal {
    before: Termios,
}

impl OwnTerminal {
    /// Sets the terminal to raw mode. Returns `None` if the standard input or the standard output
    /// is not a terminal.
    ///
    /// # Errors
    /// The errors of the terminal.
    pub fn take() -> io::Result<Option<Self>> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Ok(None);
        }
        let before = termios::tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(io::stdin(), OptionalActions::Drain, &raw)?;
        Ok(Some(OwnTerminal { before }))
    }
}

impl Drop for OwnTerminal {
    fn drop(&mut self) {
        // The result is ignored: an error means that the terminal does not exist any more.
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Drain, &self.before);
    }
}

impl User for OwnTerminal {
    fn keyboard(&self) -> BorrowedFd<'_> {
        rustix::stdio::stdin()
    }

    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut buffer = [0; CHUNK];
        let length = rustix::io::read(rustix::stdio::stdin(), &mut buffer)?;
        Ok((length > 0).then(|| buffer[..length].to_vec()))
    }

    fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        let mut out = io::stdout();
        out.write_all(octets)?;
        out.flush()
    }

    fn screen(&self) -> Option<(u16, u16)> {
        let size = termios::tcgetwinsize(io::stdout().as_fd()).ok()?;
        Some((size.ws_col, size.ws_row))
    }

    fn idle_time(&self) -> Option<Duration> {
        None
    }
}
