//! A telnet server for the consoles of routers. It is a separate process, and not a part of a
//! router.
//!
//! Each router has a port on the loopback interface of this process's network namespace. A user who
//! connects to this port gets a terminal of the router. Each connection has a thread. The thread
//! ends when the connection ends. There are limits on the number of connections, the length of
//! lines and the time without input, so that a client cannot use all resources of the machine.

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

/// The maximum number of connections at the same time.
const MAX_CONNECTIONS: usize = 64;
/// The time without input after which a connection is closed.
const IDLE: Duration = Duration::from_secs(3600);
/// The time after which a connection is closed if the client does not accept the output.
const WRITING: Duration = Duration::from_secs(30);
/// The octets before the version number in the first line of an HTTP request.
const HTTP: &[u8] = b" HTTP/";
/// The time for which the server waits after it could not accept a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// The telnet ports of routers. Each entry has a port and the path of the router's console socket.
#[derive(Debug)]
pub struct TelnetServer {
    listeners: Vec<(TcpListener, PathBuf)>,
}

impl TelnetServer {
    /// Opens a port for each router. `sockets` are the paths of the routers' console sockets. The
    /// first router gets the port number `first`. Each next router gets the next port number.
    ///
    /// # Errors
    /// Another program uses a port, or a port number is above 65535. The text of the error contains
    /// the port number.
    pub fn bind(first: u16, sockets: &[PathBuf]) -> io::Result<Self> {
        let mut listeners = Vec::new();
        for (socket, number) in sockets.iter().zip(usize::from(first)..) {
            let bound = match u16::try_from(number) {
                Ok(port) => TcpListener::bind((Ipv4Addr::LOCALHOST, port)),
                Err(_) => Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "a port number is at most 65535",
                )),
            };
            let named = |error: io::Error| {
                let message =
                    format!("the telnet port {number} of 127.0.0.1 cannot be opened: {error}");
                io::Error::new(error.kind(), message)
            };
            let listener = bound.map_err(named)?;
            // If a client closes its connection before the server accepts the connection, `accept`
            // must not wait for the next connection.
            listener.set_nonblocking(true)?;
            listeners.push((listener, socket.clone()));
        }
        Ok(TelnetServer { listeners })
    }

    /// Returns the list of ports as text. Each line has a port and the name of the port's router.
    /// This name is the file name of the router's console socket, without the extension.
    ///
    /// # Errors
    /// The kernel does not return the port of a listener.
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
    /// The wait for connections fails.
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
    // The server has one reference, and each thread has one reference.
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

/// Returns true if the first octets of a connection are an HTTP request. A web page can make the
/// browser send requests to ports of the user's machine. The server must not execute the lines of
/// such a request as commands.
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
