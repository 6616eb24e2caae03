//! The servers of a host: echo over UDP and over TCP (RFC 862), and an HTTP page with the name of
//! the host.
//!
//! A host has only a few sockets, which are made together with the host. [`server`](super::server)
//! shares them among the clients.

use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::{tcp, udp};
use smoltcp::time::Duration;

use super::http;
use super::server::Server;
use crate::time::Time;

/// The port of the echo servers (RFC 862).
pub const ECHO_PORT: u16 = 7;
/// The port of the HTTP page.
pub const HTTP_PORT: u16 = 80;
/// The number of octets that a connection buffers in each direction.
const TCP_BUFFER: usize = 4096;
/// The maximum number of datagrams that wait for their echo. The next constant is the maximum
/// number of octets of these datagrams together.
const DATAGRAMS: usize = 8;
const UDP_BUFFER: usize = 16 * 1024;
/// If a peer does not answer for this time, its connection ends.
const PEER_TIMEOUT: Duration = Duration::from_secs(30);
/// The interval of keep-alives to a silent peer.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// The servers of a host.
#[derive(Debug)]
pub(super) struct Apps {
    page: String,
    datagrams: SocketHandle,
    echos: Server,
    pages: Server,
}

impl Apps {
    /// Makes the servers of a host. They listen immediately. `page` is the HTTP page of the host.
    pub fn new(page: String, sockets: &mut SocketSet<'static>) -> Self {
        let buffer = || {
            udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; DATAGRAMS], vec![0; UDP_BUFFER])
        };
        let mut datagrams = udp::Socket::new(buffer(), buffer());
        datagrams.bind(ECHO_PORT).expect("a closed socket accepts every port except zero");
        let datagrams = sockets.add(datagrams);
        let echos = Server::new(ECHO_PORT, sockets);
        Apps { page, datagrams, echos, pages: Server::new(HTTP_PORT, sockets) }
    }

    /// Drops every connection without a message to the peer, as when a host is switched off.
    pub fn restart(&mut self, sockets: &mut SocketSet<'static>) {
        self.echos.restart(sockets);
        self.pages.restart(sockets);
    }

    /// Answers the requests that have arrived. Returns whether the stack has something to send.
    pub fn serve(&mut self, sockets: &mut SocketSet<'static>, now: Time) -> bool {
        let datagrams = echo_datagrams(sockets.get_mut(self.datagrams));
        let echos = self.echos.serve(sockets, now, echo);
        let pages = self.pages.serve(sockets, now, |socket| show(socket, &self.page));
        datagrams || echos || pages
    }

    /// Returns the earliest time at which an idle connection ends.
    pub fn next_expiry(&self) -> Option<Time> {
        self.echos.next_expiry().into_iter().chain(self.pages.next_expiry()).min()
    }
}

/// Makes a TCP socket with its buffers. The socket is closed: it neither listens nor has a
/// connection.
pub(super) fn tcp_socket() -> tcp::Socket<'static> {
    let buffer = || tcp::SocketBuffer::new(vec![0; TCP_BUFFER]);
    let mut socket = tcp::Socket::new(buffer(), buffer());
    socket.set_timeout(Some(PEER_TIMEOUT));
    socket.set_keep_alive(Some(KEEP_ALIVE));
    // Small answers are sent immediately: a wait for more data would not help a client.
    socket.set_nagle_enabled(false);
    socket
}

fn echo_datagrams(socket: &mut udp::Socket<'static>) -> bool {
    let mut any = false;
    while socket.can_send() {
        let Ok((data, mut meta)) = socket.recv().map(|(data, meta)| (data.to_vec(), meta)) else {
            break;
        };
        // A datagram from the echo port is not answered. Otherwise one forged datagram would make
        // two echo servers answer each other without end.
        if meta.endpoint.port != ECHO_PORT {
            meta.meta = Default::default();
            any |= socket.send_slice(&data, meta).is_ok();
        }
    }
    any
}

fn echo(socket: &mut tcp::Socket<'static>) -> bool {
    let mut any = false;
    while socket.can_recv() && socket.can_send() {
        let room = socket.send_capacity() - socket.send_queue();
        let taken = socket.recv(|data| {
            let len = data.len().min(room);
            (len, data[..len].to_vec())
        });
        any |= taken.is_ok_and(|data| socket.send_slice(&data).is_ok());
    }
    close_after_peer(socket) || any
}

/// Answers one HTTP request, then closes the connection.
fn show(socket: &mut tcp::Socket<'static>, page: &str) -> bool {
    let waits = socket.recv_queue();
    if waits == 0 || !socket.can_send() {
        return close_after_peer(socket);
    }
    let is_full = waits == socket.recv_capacity();
    let answer = match socket.peek(waits) {
        Ok(request) => http::answer(request, is_full, page),
        Err(_) => None,
    };
    let Some(answer) = answer else {
        return close_after_peer(socket);
    };
    // All octets are read. If some were left unread, the stack would end the connection with a RST.
    let _ = socket.recv(|data| (data.len(), ()));
    let _ = socket.send_slice(answer.as_bytes());
    socket.close();
    true
}

/// Closes the host's direction of a connection if the peer has closed its direction and the host
/// has answered all octets.
fn close_after_peer(socket: &mut tcp::Socket<'static>) -> bool {
    let is_over = socket.state() == tcp::State::CloseWait && !socket.can_recv();
    if is_over {
        socket.close();
    }
    is_over
}
