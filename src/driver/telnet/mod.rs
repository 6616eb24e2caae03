//! A telnet server for the consoles of routers. It is a process of its own, and not a part of a
//! router.
//!
//! Each router has a port on the loopback of the network namespace of this process. A connection to
//! this port is a user at the terminal of the router. Each connection has a thread, which ends with
//! the connection. The number of connections, the length of lines and the time without input have
//! limits, so that a client cannot use up the machine.

pub mod codec;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};

use super::user::{self, Failed, User};
use crate::console::protocol::Request;
use codec::{Codec, GREETING};

/// The largest number of connections at the same time.
const MAX_CONNECTIONS: usize = 64;
/// The time without input after which a connection is closed.
const IDLE: Duration = Duration::from_secs(3600);
/// The time in which a client must accept the output.
const WRITING: Duration = Duration::from_secs(30);
/// An HTTP request has these octets and the version of HTTP in its first line.
const HTTP: &[u8] = b" HTTP/";
/// The wait after a connection that could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// The telnet ports of routers, each with the console socket of its router.
#[derive(Debug)]
pub struct TelnetServer {
    listeners: Vec<(TcpListener, PathBuf)>,
}

impl TelnetServer {
    /// Opens a port for each router. `sockets` are the console sockets of the routers. The first
    /// router gets the port `first`, and each further router gets the next port.
    ///
    /// # Errors
    /// An error if another program uses a port, or if a port number is above 65535. The error names
    /// the port.
    pub fn bind(first: u16, sockets: &[PathBuf]) -> io::Result<Self> {
        let mut listeners = Vec::new();
        for (socket, number) in sockets.iter().zip(usize::from(first)..) {
            let bound = match u16::try_from(number) {
                Ok(port) => TcpListener::bind((Ipv4Addr::LOCALHOST, port)),
                Err(_) => {
                    Err(io::Error::new(io::ErrorKind::InvalidInput, "a port is at most 65535"))
                }
            };
            let named = |error: io::Error| {
                let message =
                    format!("the telnet port {number} of 127.0.0.1 cannot be opened: {error}");
                io::Error::new(error.kind(), message)
            };
            let listener = bound.map_err(named)?;
            // If a client closes its connection before the server accepts it, `accept` must not
            // wait for the next connection.
            listener.set_nonblocking(true)?;
            listeners.push((listener, socket.clone()));
        }
        Ok(TelnetServer { listeners })
    }

    /// The ports as a text. Each line has a port and the name of its router. This name comes from
    /// the console socket of the router.
    ///
    /// # Errors
    /// An error if the kernel does not return the port of a listener.
    pub fn ports(&self) -> io::Result<String> {
        let mut text = String::new();
        for (listener, socket) in &self.listeners {
            let name = socket.file_stem().unwrap_or_default().display();
            text += &format!("{} {name}\n", listener.local_addr()?.port());
        }
        Ok(text)
    }

    /// Serves users until the process ends.
    ///
    /// # Errors
    /// An error if the wait for connections fails.
    pub fn run(&self) -> io::Result<()> {
        let connections = Arc::new(());
        loop {
            let ends = self.listeners.iter().map(|(port, _)| PollFd::new(port, PollFlags::IN));
            let mut ends: Vec<PollFd<'_>> = ends.collect();
            match poll(&mut ends, None) {
                Err(rustix::io::Errno::INTR) => continue,
                other => other?,
            };
            let ready: Vec<bool> = ends.iter().map(|end| !end.revents().is_empty()).collect();
            for ((listener, socket), _) in
                self.listeners.iter().zip(ready).filter(|&(_, is_ready)| is_ready)
            {
                match listener.accept() {
                    Ok((stream, _)) => begin(stream, socket, &connections),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    // The process has no free descriptor, or the client has already closed the
                    // connection.
                    Err(_) => thread::sleep(PAUSE),
                }
            }
        }
    }
}

/// Serves a user in a new thread. If there are too many users, closes the connection.
fn begin(mut stream: TcpStream, socket: &Path, connections: &Arc<()>) {
    // The count includes one reference of the server and one reference of each thread.
    if Arc::strong_count(connections) > MAX_CONNECTIONS {
        let _ = stream.write_all(b"% All lines are in use\r\n");
        return;
    }
    let (socket, connection) = (socket.to_owned(), Arc::clone(connections));
    let served = thread::Builder::new().name("telnet".to_owned()).spawn(move || {
        // An error of the connection is not reported, because the user sees that the connection has
        // ended.
        let _ = serve(stream, &socket);
        drop(connection);
    });
    if let Err(error) = served {
        log::warn!("a telnet connection is closed: {error}");
    }
}

/// Serves the user of a connection.
fn serve(mut stream: TcpStream, socket: &Path) -> io::Result<()> {
    stream.set_write_timeout(Some(WRITING))?;
    stream.set_nodelay(true)?;
    stream.write_all(&GREETING)?;
    let from = stream.peer_addr()?.to_string();
    let router = match UnixStream::connect(socket) {
        Ok(router) => router,
        Err(_) => return stream.write_all(b"% The router does not run\r\n"),
    };
    let mut remote = Remote { stream, codec: Codec::default(), is_new: true };
    match user::attend(&mut remote, router, Request::Vty(from)) {
        Ok(()) => Ok(()),
        Err(Failed::Router(_)) => remote.stream.write_all(b"\r\n% The router has ended\r\n"),
        Err(Failed::User(error)) => Err(error),
    }
}

/// Whether the first octets of a connection are an HTTP request. A web page can make the browser
/// send requests to ports of the user's machine. The server must not take the lines of this request
/// for commands.
fn is_http(typed: &[u8]) -> bool {
    typed.windows(HTTP.len()).any(|octets| octets == HTTP)
}

/// A user at the other end of a telnet connection.
struct Remote {
    stream: TcpStream,
    codec: Codec,
    /// Whether the user has typed nothing yet.
    is_new: bool,
}

impl User for Remote {
    fn keyboard(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut buffer = [0; 4096];
        let length = self.stream.read(&mut buffer)?;
        if length == 0 {
            return Ok(None);
        }
        let typed = self.codec.receive(&buffer[..length]);
        if !typed.is_empty() && std::mem::take(&mut self.is_new) && is_http(&typed) {
            return Ok(None);
        }
        self.stream.write_all(&self.codec.take_replies())?;
        Ok(Some(typed))
    }

    fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.write_all(&codec::escaped(octets))
    }

    fn screen(&self) -> Option<(u16, u16)> {
        self.codec.screen()
    }

    fn idle_time(&self) -> Option<Duration> {
        Some(IDLE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_of_a_browser_is_not_typed_by_a_user() {
        assert!(is_http(b"POST / HTTP/1.1\r\nHost: 127.0.0.1:2001\r\n\r\nconf t\r\n"));
        assert!(!is_http(b"show ip http server\r\n"));
    }
}
