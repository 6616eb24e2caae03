//! TCP port 4342: the connections for reliable transport between ETRs and map-servers
//! (draft-kouvelas-lisp-map-server-reliable-transport, section 3).
//!
//! Octets from a peer go to the core immediately. Octets from the core wait here until the peer
//! accepts them. There are limits on:
//!
//! - the number of connections
//! - the number of octets that wait for a peer
//! - the number of octets that are read in one turn of the event loop
//! - the time to close a connection

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use socket2::{Domain, SockAddr, Socket, TcpKeepalive, Type};

use crate::addr::{Family, Rloc};
use crate::router::io::Connection;
use crate::time::Time;
use crate::wire::CONTROL_PORT;

/// The maximum number of octets that may wait for a peer. If more octets wait, the connection is
/// closed.
const MAX_WAITING: usize = 1 << 20;
/// The maximum number of accepted connections at the same time. When this number is reached, the
/// router closes each new connection immediately. If the process may have fewer than 8192 file
/// descriptors, the maximum is half the number of descriptors. The router needs the other half
/// itself.
const MAX_ACCEPTED: usize = 4096;
/// The maximum number of complete connections that wait in the kernel until the router accepts
/// them.
const BACKLOG: i32 = 128;
/// The time after which a connection that is being closed must end. In this time, the router can
/// still send the waiting octets.
const LINGER: Duration = Duration::from_secs(5);
/// The time without data after which the kernel sends the first probe to a peer. The next two
/// constants are the time between two probes, and the number of probes.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_PROBES: u32 = 3;
/// The maximum time for which sent octets may remain unacknowledged. After this time, the kernel
/// closes the connection.
const USER_TIMEOUT: Duration = Duration::from_secs(25);

/// The result of [`Tcp::serve`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is no event for the core.
    Waits,
    /// The connection that the core requested is established. The value is the local address of the
    /// connection.
    Connected(SocketAddr),
    /// This number of octets was read.
    Read(usize),
    /// The connection has ended.
    Closed,
    /// The peer has refused the connection.
    Refused,
}

/// A listening socket on one RLOC.
#[derive(Debug)]
pub struct Listener {
    /// The listening socket. It is public so that the event loop can watch it.
    pub socket: TcpListener,
    rloc: Rloc,
}

/// One connection.
#[derive(Debug)]
pub struct Peer {
    /// The socket of the connection. It is public so that the event loop can watch it.
    pub stream: TcpStream,
    is_connected: bool,
    /// Octets for the peer that the socket has not accepted yet.
    waiting: Vec<u8>,
    /// The time at which the connection ends, even if some octets were not sent. The field is set
    /// when the core closes the connection while octets wait.
    closing_until: Option<Time>,
}

/// The listeners and connections of a router's TCP port.
#[derive(Debug)]
pub struct Tcp {
    listeners: Vec<Option<Listener>>,
    peers: BTreeMap<Connection, Peer>,
    accepted: u64,
    most_accepted: usize,
}

impl Tcp {
    /// Returns an object without connections. `descriptors` is the maximum number of file
    /// descriptors of the process.
    pub fn new(descriptors: u64) -> Self {
        let half = usize::try_from(descriptors / 2).unwrap_or(usize::MAX);
        let most_accepted = half.min(MAX_ACCEPTED);
        Tcp { listeners: Vec::new(), peers: BTreeMap::new(), accepted: 0, most_accepted }
    }

    /// Returns the listener in a slot. While a listener is open, the number of its slot does not
    /// change.
    pub fn listener_mut(&mut self, slot: usize) -> Option<&mut Listener> {
        self.listeners.get_mut(slot)?.as_mut()
    }

    /// Returns the peer of an open connection.
    pub fn peer_mut(&mut self, connection: Connection) -> Option<&mut Peer> {
        self.peers.get_mut(&connection)
    }

    /// Whether there is a listener on this RLOC.
    pub fn listens_on(&self, rloc: Rloc) -> bool {
        self.listeners.iter().flatten().any(|listener| listener.rloc == rloc)
    }

    /// Listens on an RLOC and returns the number of the listener's slot. The address of the RLOC
    /// need not exist yet.
    ///
    /// # Errors
    /// EADDRINUSE if another program in the namespace listens on this RLOC.
    pub fn listen(&mut self, rloc: Rloc) -> io::Result<usize> {
        let socket = open(rloc)?;
        // Without this option, old connections of a killed router could prevent the start of the
        // next router.
        socket.set_reuse_address(true)?;
        match rloc.family() {
            Family::Ipv4 => socket.set_freebind_v4(true)?,
            Family::Ipv6 => socket.set_freebind_v6(true)?,
        }
        socket.bind(&SocketAddr::new(rloc.0, CONTROL_PORT).into())?;
        socket.listen(BACKLOG)?;
        let listener = Listener { socket: TcpListener::from_std(socket.into()), rloc };
        let free = self.listeners.iter().position(Option::is_none);
        let slot = free.unwrap_or(self.listeners.len());
        if free.is_none() {
            self.listeners.push(None);
        }
        self.listeners[slot] = Some(listener);
        Ok(slot)
    }

    /// Stops listening on an RLOC. The kernel then answers a SYN with RST. Existing connections
    /// remain.
    pub fn stop_listening(&mut self, rloc: Rloc) {
        for slot in &mut self.listeners {
            slot.take_if(|listener| listener.rloc == rloc);
        }
    }

    /// Accepts a connection that waits at a listener. Returns the connection, the address of the
    /// peer and the local RLOC.
    ///
    /// # Errors
    /// `WouldBlock` if no connection waits. `QuotaExceeded` if there are too many connections: in
    /// this case the new connection is closed.
    pub fn accept(&mut self, slot: usize) -> io::Result<(Connection, SocketAddr, IpAddr)> {
        let listener = self.listener_mut(slot).ok_or(io::ErrorKind::NotFound)?;
        let (stream, peer) = listener.socket.accept()?;
        let local = listener.rloc.0;
        let of_core = Connection(Connection::ACCEPTED);
        if self.peers.range(of_core..).count() >= self.most_accepted {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        watch_peer(&socket2::SockRef::from(&stream))?;
        let connection = Connection(Connection::ACCEPTED + self.accepted);
        self.accepted += 1;
        self.peers.insert(connection, Peer::new(stream, true));
        Ok((connection, peer, local))
    }

    /// Begins a connection to port 4342 of `destination`. When the socket of the connection is
    /// ready, [`Tcp::serve`] returns the result.
    pub fn connect(
        &mut self,
        connection: Connection,
        source: Rloc,
        destination: Rloc,
    ) -> io::Result<&mut Peer> {
        let socket = open(source)?;
        watch_peer(&socket2::SockRef::from(&socket))?;
        socket.bind(&SocketAddr::new(source.0, 0).into())?;
        let destination = SockAddr::from(SocketAddr::new(destination.0, CONTROL_PORT));
        match socket.connect(&destination) {
            Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => return Err(error),
            _ => {}
        }
        let peer = Peer::new(TcpStream::from_std(socket.into()), false);
        self.peers.insert(connection, peer);
        self.peers.get_mut(&connection).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Sends octets immediately, or later when the peer accepts them. Returns false if the
    /// connection has ended now, because of an error or because too many octets wait.
    pub fn send(&mut self, connection: Connection, bytes: &[u8]) -> bool {
        let Some(peer) = self.peers.get_mut(&connection) else { return true };
        if peer.closing_until.is_some() {
            return true;
        }
        peer.waiting.extend(bytes);
        let stands = !peer.is_connected || peer.flush().is_ok();
        if stands && peer.waiting.len() <= MAX_WAITING {
            return true;
        }
        self.peers.remove(&connection);
        false
    }

    /// Closes a connection when its waiting octets are sent. Returns true if this call has ended
    /// the connection. Returns false if octets still wait, or if there is no such connection.
    pub fn close(&mut self, connection: Connection, now: Time) -> bool {
        let Some(peer) = self.peers.get_mut(&connection) else { return false };
        if peer.is_connected && !peer.waiting.is_empty() {
            peer.closing_until = Some(now + LINGER);
            return false;
        }
        self.peers.remove(&connection);
        true
    }

    /// Serves a connection whose socket is ready. Completes the connection, or sends the waiting
    /// octets and does one read into `buffer`.
    ///
    /// # Errors
    /// `WouldBlock` if there is nothing to read. After any other failure, the function returns
    /// [`Progress::Closed`] or [`Progress::Refused`], and not an error.
    pub fn serve(&mut self, connection: Connection, buffer: &mut [u8]) -> io::Result<Progress> {
        let Some(peer) = self.peers.get_mut(&connection) else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        let is_connected = peer.is_connected;
        match peer.serve(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(error),
            Err(error) if !is_connected && error.kind() == io::ErrorKind::ConnectionRefused => {
                self.peers.remove(&connection);
                Ok(Progress::Refused)
            }
            Err(_) | Ok(Progress::Closed) => {
                self.peers.remove(&connection);
                Ok(Progress::Closed)
            }
            other => other,
        }
    }

    /// Returns the earliest time at which a connection that is being closed must end. Returns
    /// `None` if no connection is being closed.
    pub fn deadline(&self) -> Option<Time> {
        self.peers.values().filter_map(|peer| peer.closing_until).min()
    }

    /// Ends the connections that are being closed and whose time limit has passed. Returns these
    /// connections.
    pub fn expire(&mut self, now: Time) -> Vec<Connection> {
        let is_late = |peer: &Peer| peer.closing_until.is_some_and(|until| until <= now);
        self.peers
            .extract_if(.., |_, peer| is_late(peer))
            .map(|(connection, _)| connection)
            .collect()
    }
}

impl Peer {
    fn new(stream: TcpStream, is_connected: bool) -> Self {
        Peer { stream, is_connected, waiting: Vec::new(), closing_until: None }
    }

    fn serve(&mut self, buffer: &mut [u8]) -> io::Result<Progress> {
        if !self.is_connected {
            if let Some(error) = self.stream.take_error()? {
                return Err(error);
            }
            match self.stream.peer_addr() {
                // The connection is not established yet.
                Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                other => drop(other?),
            }
            let local = self.stream.local_addr()?;
            self.is_connected = true;
            return Ok(Progress::Connected(local));
        }
        let all_sent = self.flush()?;
        if self.closing_until.is_some() {
            return if all_sent {
                Ok(Progress::Closed)
            } else {
                Err(io::ErrorKind::WouldBlock.into())
            };
        }
        match self.stream.read(buffer) {
            Ok(0) => Ok(Progress::Closed),
            Ok(len) => Ok(Progress::Read(len)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Progress::Waits),
            Err(error) => Err(error),
        }
    }

    /// Writes as many octets as the socket accepts. Returns true if no octets are left.
    fn flush(&mut self) -> io::Result<bool> {
        while !self.waiting.is_empty() {
            match self.stream.write(&self.waiting) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(len) => drop(self.waiting.drain(..len)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

fn open(rloc: Rloc) -> io::Result<Socket> {
    let kind = Type::STREAM.nonblocking().cloexec();
    match rloc.family() {
        Family::Ipv4 => Socket::new(Domain::IPV4, kind, None),
        Family::Ipv6 => {
            let socket = Socket::new(Domain::IPV6, kind, None)?;
            socket.set_only_v6(true)?;
            Ok(socket)
        }
    }
}

/// Sets the options of a socket so that the kernel detects within 25 s that a peer is unreachable.
/// With the default options of Linux, the kernel needs more than two hours.
fn watch_peer(socket: &Socket) -> io::Result<()> {
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_PROBES);
    socket.set_tcp_keepalive(&keepalive)?;
    socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
    socket.set_tcp_nodelay(true)
}
