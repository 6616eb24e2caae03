//! The unix socket of a router's console. Programs exchange lines of JSON with the router through
//! this socket. Such a program must run as the same user as the router.
//!
//! The console must not delay the forwarding of packets. In one turn of the event loop, a client
//! gets at most a few hundred rows, and not more octets than its socket accepts. If a client has
//! not yet read its answers, the server reads no requests from that client. Only this module parses
//! the lines. The session gets each request as a value of a Rust type.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};

use mio::net::{UnixListener, UnixStream};
use rustix::event::{self, PollFd, PollFlags, Timespec};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::console::Session;
use crate::console::json_lines;
use crate::console::machine::User;
use crate::console::probes::Surroundings;
use crate::console::protocol::{Request, Response};
use crate::private;
use crate::router::Router;
use crate::time::Time;
use crate::watch::stream::Told;

/// The maximum number of clients at the same time.
const MAX_CLIENTS: usize = 32;
/// The maximum number of clients that wait in the kernel until the server accepts them.
const BACKLOG: i32 = 128;
/// The maximum length of a request, in octets. If a client sends a longer request, the server
/// disconnects the client.
const MAX_LINE: usize = 64 * 1024;
/// The number of waiting output octets at which the server adds no more lines to the output of a
/// client. The last line may exceed this limit.
const MAX_WAITING: usize = 64 * 1024;
/// The number of waiting output octets at which the server adds no more items to the output of a
/// watcher. It leaves out the next items and counts them.
const MAX_WATCHED: usize = 512 * 1024;
/// The maximum number of steps for one client in one turn of the event loop. A step is a request, a
/// response or a read.
const STEPS_A_TURN: usize = 256;

/// The console's socket and its clients.
#[derive(Debug)]
pub struct ConsoleServer {
    /// The socket on which clients connect. It is public so that the event loop can watch it.
    /// [`ConsoleServer::client_mut`] returns the clients.
    pub listener: UnixListener,
    path: PathBuf,
    clients: Vec<Option<Client>>,
}

/// The result of [`Client::serve`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The server can do more work for the client immediately.
    More,
    /// There is no work for the client until its socket becomes ready.
    Wait,
    /// The connection must be closed: the client has closed it, the connection has failed, or a
    /// request is too long.
    Close,
}

impl ConsoleServer {
    /// Binds the console's socket. Only the router's user can connect to the socket. If the socket
    /// file of a killed router exists, this function replaces the file.
    ///
    /// # Errors
    /// `AddrInUse` if a running router listens on this socket.
    pub fn open(path: &Path) -> io::Result<Self> {
        match BlockingStream::connect(path) {
            Ok(_) => return Err(io::ErrorKind::AddrInUse.into()),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                private::remove_socket(path)?;
            }
            Err(_) => {}
        }
        Ok(ConsoleServer { listener: listen(path)?, path: path.to_owned(), clients: Vec::new() })
    }

    /// Accepts one waiting client, and returns the number of the client.
    ///
    /// # Errors
    /// `WouldBlock` if no client waits. `QuotaExceeded` if there are too many clients: in this case
    /// the new client is disconnected.
    pub fn accept(&mut self) -> io::Result<usize> {
        let (stream, _) = self.listener.accept()?;
        let free = self.clients.iter().position(Option::is_none);
        let number = free.unwrap_or(self.clients.len());
        if number == MAX_CLIENTS {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        if free.is_none() {
            self.clients.push(None);
        }
        self.clients[number] = Some(Client::new(stream));
        Ok(number)
    }

    /// Returns the client with the number `number`, or `None` if it is not connected.
    pub fn client_mut(&mut self, number: usize) -> Option<&mut Client> {
        self.clients.get_mut(number)?.as_mut()
    }

    /// Disconnects all clients.
    pub fn close_all(&mut self) {
        self.clients.iter_mut().for_each(|client| *client = None);
    }

    /// Sends a debug line to each client that has asked for debug lines (`terminal monitor`). If
    /// the output of a client is full, this client does not get the line.
    pub fn say(&mut self, line: &str) {
        let clients = self.clients.iter_mut().flatten();
        for client in clients.filter(|client| client.session.monitors()) {
            client.say(line);
        }
    }

    /// Whether a client watches the router.
    pub fn is_watched(&self) -> bool {
        self.clients.iter().flatten().any(|client| client.session.watches())
    }

    /// Sends `lines` to each watcher. A new watcher first gets the lines `first`. If the output of
    /// a watcher is full, the watcher does not get a line. Later this watcher gets the number of
    /// the lines that were left out.
    pub fn tell(&mut self, first: &[Told], lines: &[Told]) {
        let clients = self.clients.iter_mut().flatten();
        for client in clients.filter(|client| client.session.watches()) {
            let begins = !std::mem::replace(&mut client.is_told, true);
            let first = if begins { first } else { &[] };
            first.iter().chain(lines).for_each(|line| client.tell(line));
            // If this write fails, the same error occurs in the client's next turn. The connection
            // is closed in that turn.
            let _ = client.flush();
        }
    }

    /// Whether there is a watcher that has not got its first lines.
    pub fn has_new_watcher(&self) -> bool {
        let mut clients = self.clients.iter().flatten();
        clients.any(|client| client.session.watches() && !client.is_told)
    }

    /// The earliest [`Client::deadline`] of all clients.
    pub fn deadline(&self) -> Option<Time> {
        self.clients.iter().flatten().filter_map(Client::deadline).min()
    }

    /// Returns the numbers of the clients whose deadline is `now` or earlier.
    pub fn due(&self, now: Time) -> Vec<usize> {
        let clients = self.clients.iter().enumerate();
        let deadlines =
            clients.filter_map(|(number, client)| Some((number, client.as_ref()?.deadline()?)));
        deadlines.filter(|(_, deadline)| *deadline <= now).map(|(number, _)| number).collect()
    }

    /// Whether a packet has arrived for the running command of any client.
    pub fn has_answer(&self) -> bool {
        self.clients.iter().flatten().any(Client::has_answer)
    }

    /// Returns the numbers of the clients whose running command has received a packet.
    pub fn with_answer(&self) -> Vec<usize> {
        let clients = self.clients.iter().enumerate();
        let answered =
            clients.filter(|(_, client)| client.as_ref().is_some_and(Client::has_answer));
        answered.map(|(number, _)| number).collect()
    }

    /// Returns the sessions of all clients. `is_own` is true only in the session of the client
    /// `asker`.
    pub fn users(&self, asker: usize, now: Time) -> Vec<User> {
        let clients = self.clients.iter().enumerate();
        let clients = clients.filter_map(|(line, client)| Some((line, client.as_ref()?)));
        let user = |(line, client): (usize, &Client)| User {
            line,
            is_own: line == asker,
            idle: client.asked_at.map_or(0, |at| now.since(at).as_secs()),
        };
        clients.map(user).collect()
    }

    /// Closes a client.
    pub fn close(&mut self, number: usize) {
        self.clients[number] = None;
    }
}

/// Makes a listening socket with the path `path`. Sets the file mode before it binds the socket to
/// the path, so that no other user can connect between the two steps.
fn listen(path: &Path) -> io::Result<UnixListener> {
    let socket = File::from(OwnedFd::from(Socket::new(Domain::UNIX, Type::STREAM, None)?));
    socket.set_permissions(Permissions::from_mode(0o600))?;
    let socket = Socket::from(OwnedFd::from(socket));
    socket.bind(&SockAddr::unix(path)?)?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(UnixListener::from_std(OwnedFd::from(socket).into()))
}

impl Drop for ConsoleServer {
    fn drop(&mut self) {
        // An error here is not reported, because the next start of the router replaces the file.
        let _ = fs::remove_file(&self.path);
    }
}

/// A program that is connected to the router's console.
#[derive(Debug)]
pub struct Client {
    /// The connection to the client. It is public so that the event loop can watch it.
    pub stream: UnixStream,
    session: Session,
    /// Received octets that are not yet a complete request.
    input: Vec<u8>,
    /// Octets that the socket has not accepted yet.
    output: Vec<u8>,
    /// Whether the session has more responses to the client's latest request.
    is_answering: bool,
    /// The time at which the client sent its latest request.
    asked_at: Option<Time>,
    /// Whether the client is a watcher that has got its first lines.
    is_told: bool,
    /// The number of items that the client did not get, because it reads too slowly.
    left_out: u64,
}

impl Client {
    fn new(stream: UnixStream) -> Self {
        Client {
            stream,
            session: Session::new(),
            input: Vec::new(),
            output: Vec::new(),
            is_answering: false,
            asked_at: None,
            is_told: false,
            left_out: 0,
        }
    }

    /// Reads requests, lets the session answer them, and writes the responses. The order of the
    /// responses is the order of the requests.
    pub fn serve(
        &mut self,
        router: &mut Router,
        surroundings: &mut dyn Surroundings,
        now: Time,
    ) -> Turn {
        if self.output.is_empty() {
            self.tell_left_out();
        }
        if self.is_answering {
            match self.read_ahead() {
                Ok(true) => self.session.handle(Request::Interrupt, router, surroundings, now),
                Ok(false) => {}
                Err(_) => return Turn::Close,
            }
        }
        for _ in 0..STEPS_A_TURN {
            if self.output.len() >= MAX_WAITING || !self.is_answering {
                match self.flush() {
                    Ok(true) => {}
                    Ok(false) => return Turn::Wait,
                    Err(_) => return Turn::Close,
                }
            }
            if self.is_answering {
                match self.session.poll(router, surroundings, now) {
                    Some(response) => self.push(&response),
                    None if self.session.is_idle() => self.is_answering = false,
                    None => return self.wait(),
                }
            } else if let Some(line) = self.take_line() {
                self.asked_at = Some(now);
                match json_lines::request(&line) {
                    Ok(request) => self.session.handle(request, router, surroundings, now),
                    Err(message) => self.session.refuse(message, router),
                }
                self.is_answering = true;
            } else {
                match self.fill() {
                    Ok(0) => return Turn::Close,
                    Ok(_) if self.input.len() > MAX_LINE => return Turn::Close,
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Turn::Wait,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return Turn::Close,
                }
            }
        }
        Turn::More
    }

    /// Ends a turn in which a command runs but has no response yet.
    fn wait(&mut self) -> Turn {
        match self.flush() {
            Ok(_) if self.session.has_answer() => Turn::More,
            Ok(_) => Turn::Wait,
            Err(_) => Turn::Close,
        }
    }

    /// Returns the time until which the running command of this client waits. Returns `None` if the
    /// command does not wait for a time, or if the client has not read all its output. In the
    /// second case, the client is served when its socket becomes ready.
    pub fn deadline(&self) -> Option<Time> {
        self.session.poll_timeout().filter(|_| self.output.is_empty())
    }

    /// Returns true if a packet has arrived for the running command of this client, and the client
    /// has read all its output.
    pub fn has_answer(&self) -> bool {
        self.output.is_empty() && self.session.has_answer()
    }

    /// Sends a debug line. The output contains only complete responses, so the debug line is never
    /// inside a response.
    fn say(&mut self, line: &str) {
        if self.output.len() < MAX_WAITING {
            self.push(&Response::Debug(line.to_owned()));
            // If this write fails, the same error occurs in the client's next turn. The connection
            // is closed in that turn.
            let _ = self.flush();
        }
    }

    /// Adds a line to the output of a watcher. If the output is full, leaves the line out and
    /// counts it.
    fn tell(&mut self, told: &Told) {
        if self.output.len() >= MAX_WATCHED {
            self.left_out += 1;
            return;
        }
        self.tell_left_out();
        self.push_line(&told.line());
    }

    fn tell_left_out(&mut self) {
        if self.left_out > 0 {
            let count = std::mem::take(&mut self.left_out);
            self.push_line(&Told::LeftOut(count).line());
        }
    }

    fn push_line(&mut self, line: &str) {
        self.output.extend(line.as_bytes());
        self.output.push(b'\n');
    }

    fn push(&mut self, response: &Response) {
        self.push_line(&json_lines::line(response));
    }

    fn take_line(&mut self) -> Option<String> {
        let end = self.input.iter().position(|&octet| octet == b'\n')?;
        let line: Vec<u8> = self.input.drain(..=end).collect();
        Some(String::from_utf8_lossy(line.trim_ascii()).into_owned())
    }

    /// Reads requests into the buffer while the session still answers an earlier request. Stops
    /// when the buffer is full. Removes the first interrupt from the buffer, and returns true if
    /// there was an interrupt.
    ///
    /// # Errors
    /// `BrokenPipe` if the client has closed its connection, or the error of a read.
    fn read_ahead(&mut self) -> io::Result<bool> {
        let before = self.input.len();
        while self.input.len() <= MAX_LINE {
            match self.fill() {
                // A read of 0 octets means that the client sends no more requests. If the client
                // has not closed the connection, it still waits for its answers.
                Ok(0) if self.is_closed() => return Err(io::ErrorKind::BrokenPipe.into()),
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.input.len() > before && self.take_interrupt())
    }

    /// Whether the client has closed both directions of its connection.
    fn is_closed(&self) -> bool {
        let mut fds = [PollFd::new(&self.stream, PollFlags::empty())];
        let polled = event::poll(&mut fds, Some(&Timespec::default()));
        polled.is_ok() && fds[0].revents().contains(PollFlags::HUP)
    }

    /// Removes the first interrupt from the requests in the buffer. Returns true if there was an
    /// interrupt.
    fn take_interrupt(&mut self) -> bool {
        let mut start = 0;
        while let Some(length) = self.input[start..].iter().position(|&octet| octet == b'\n') {
            let end = start + length;
            let line = String::from_utf8_lossy(self.input[start..end].trim_ascii());
            if json_lines::request(&line) == Ok(Request::Interrupt) {
                self.input.drain(start..=end);
                return true;
            }
            start = end + 1;
        }
        false
    }

    /// Reads octets that wait at the socket. Returns the number of these octets, or 0 at the end of
    /// the stream.
    fn fill(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 4096];
        let len = self.stream.read(&mut buffer)?;
        self.input.extend(&buffer[..len]);
        Ok(len)
    }

    /// Writes as many octets as the socket accepts. Returns true if no octets are left.
    fn flush(&mut self) -> io::Result<bool> {
        while !self.output.is_empty() {
            match self.stream.write(&self.output) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(len) => drop(self.output.drain(..len)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
