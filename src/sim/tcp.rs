//! TCP port 4342 of a simulated router. It carries the connections of reliable transport
//! (draft-kouvelas-lisp-map-server-reliable-transport, section 3). The library smoltcp makes real
//! TCP segments (RFC 9293).
//!
//! This module replaces `driver/tcp` and the TCP of Linux. It has the same three limits as
//! `driver/tcp`: the number of connections, the number of octets that wait for a peer, and the time
//! until a closed connection ends. The core must ask for events: each call of [`Tcp::poll_event`]
//! looks for a connection that has an event.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::Medium;
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::wire::{HardwareAddress, IpEndpoint};

use crate::addr::Rloc;
use crate::host::device::QueueDevice;
use crate::host::instant;
use crate::packet::IPV6_MINIMUM_MTU;
use crate::rng::{Rng, Seed};
use crate::router::io::{Connection, TcpEvent, TcpRequest};
use crate::time::{Deadline, Time};
use crate::wire::CONTROL_PORT;

/// The maximum length of a TCP segment including its IP header, in octets. Every IPv6 link carries
/// a packet of this size (RFC 8200 section 5). This stack does not discover path MTUs.
const MTU: usize = IPV6_MINIMUM_MTU as usize;
/// The size of each of the two buffers of a socket, in octets.
const BUFFER: usize = 16 * 1024;
/// The maximum number of octets that may wait for a peer. If more octets wait, the connection is
/// closed.
const MAX_WAITING: usize = 1 << 20;
/// The maximum number of accepted connections at the same time. A SYN for a further connection is
/// answered with RST.
const MAX_ACCEPTED: usize = 4096;
/// The time within which a connection must send its remaining octets, after the core has closed the
/// connection.
const LINGER: Duration = Duration::from_secs(5);
/// The time within which the other end must answer our FIN, as in Linux's `tcp_fin_timeout`.
const FIN_TIMEOUT: Duration = Duration::from_secs(60);
/// The interval between keep-alives to a silent peer.
const KEEPALIVE: smoltcp::time::Duration = smoltcp::time::Duration::from_secs(10);
/// The time within which a peer must answer a SYN, sent octets or a keep-alive.
const TIMEOUT: smoltcp::time::Duration = smoltcp::time::Duration::from_secs(25);
/// The first local port of outgoing connections. It is the first dynamic port (RFC 6335 section 6).
const FIRST_PORT: u16 = 0xc000;
const PORTS: u64 = 0x4000;

/// A connection about which the core may still receive events.
#[derive(Debug)]
struct Stream {
    socket: SocketHandle,
    /// Whether the core was told that the connection is established.
    is_told: bool,
    /// Octets that the socket has not accepted yet.
    waiting: Vec<u8>,
    /// The time at which the connection ends at the latest, even if octets are unsent. The time is
    /// set when the core closes the connection.
    closing_until: Option<Time>,
}

/// The next event of a connection.
enum Progress {
    Stands,
    Octets,
    Ended,
    /// The peer has answered a SYN with RST.
    Refused,
}

/// The listeners and connections of a router.
pub struct Tcp {
    device: QueueDevice,
    interface: Interface,
    sockets: SocketSet<'static>,
    /// For each RLOC, the one socket that accepts the next SYN.
    listeners: BTreeMap<Rloc, SocketHandle>,
    streams: BTreeMap<Connection, Stream>,
    /// Sockets that exchange their FINs with the peer, each with the time limit for this exchange.
    /// The core receives no more events about these sockets.
    leaving: Vec<(SocketHandle, Time)>,
    accepted: u64,
    next_port: u64,
    /// The octets of the latest [`TcpEvent::Bytes`].
    octets: Vec<u8>,
}

impl Tcp {
    /// Makes a stack without connections and without listeners.
    pub fn new(seed: &Seed, now: Time) -> Self {
        let mut rng = Rng::new(seed, "tcp");
        let mut device = QueueDevice::new(Medium::Ip, MTU);
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = rng.next_u64();
        let mut interface = Interface::new(config, &mut device, instant(now));
        // smoltcp can store only two addresses. Therefore the interface accepts segments for any
        // address. The kernel passes on only the segments for addresses of this node.
        interface.set_any_ip(true);
        Tcp {
            device,
            interface,
            sockets: SocketSet::new(Vec::new()),
            listeners: BTreeMap::new(),
            streams: BTreeMap::new(),
            leaving: Vec::new(),
            accepted: 0,
            next_port: rng.below(PORTS),
            octets: Vec::new(),
        }
    }

    /// Listens on an RLOC, also if the node does not have this address.
    pub fn listen(&mut self, rloc: Rloc) {
        let sockets = &mut self.sockets;
        self.listeners.entry(rloc).or_insert_with(|| sockets.add(listener(rloc)));
    }

    /// Stops listening on an RLOC. From then on, a SYN is answered with RST. Existing connections
    /// stay.
    pub fn stop_listening(&mut self, rloc: Rloc) {
        if let Some(socket) = self.listeners.remove(&rloc) {
            self.sockets.remove(socket);
        }
    }

    /// Sends octets on a connection. If the connection is closing, the octets are lost.
    pub fn send(&mut self, connection: Connection, octets: &[u8], now: Time) {
        if let Some(stream) = self.streams.get_mut(&connection)
            && stream.closing_until.is_none()
        {
            stream.waiting.extend(octets);
        }
        self.poll(now);
    }

    /// Carries out a request of the core.
    pub fn request(&mut self, request: TcpRequest, now: Time) {
        match request {
            TcpRequest::Connect { connection, source, destination } => {
                self.connect(connection, source, destination);
            }
            TcpRequest::Send(connection, octets, _) => self.send(connection, &octets, now),
            TcpRequest::Close(connection) => {
                if let Some(stream) = self.streams.get_mut(&connection) {
                    stream.closing_until.get_or_insert(now + LINGER);
                }
            }
        }
        self.poll(now);
    }

    /// Closes every listener and every connection when the process ends. Octets that still wait are
    /// lost.
    pub fn stop(&mut self, now: Time) {
        let listeners: Vec<Rloc> = self.listeners.keys().copied().collect();
        listeners.into_iter().for_each(|rloc| self.stop_listening(rloc));
        let connections: Vec<Connection> = self.streams.keys().copied().collect();
        for connection in connections {
            self.end(connection, now);
        }
    }

    /// Receives an IP packet with a TCP segment for an address of this node. Returns false if the
    /// packet is dropped because the queue of the stack is full.
    pub fn receive(&mut self, packet: &[u8], now: Time) -> bool {
        let has_room = self.device.push_received(packet);
        self.poll(now);
        has_room
    }

    /// Does the work that is due now.
    pub fn poll(&mut self, now: Time) {
        loop {
            self.interface.poll(instant(now), &mut self.device, &mut self.sockets);
            self.take_callers();
            if !self.fill_sockets() {
                break;
            }
        }
        self.abort_clogged();
        self.forget_departed(now);
    }

    /// Returns the next event for the core.
    pub fn poll_event(&mut self, now: Time) -> Option<TcpEvent<'_>> {
        let sockets = &self.sockets;
        let (connection, progress) = self.streams.iter().find_map(|(&connection, stream)| {
            let progress = match stream.progress(sockets.get(stream.socket), now)? {
                Progress::Ended if stream.is_refused(connection) => Progress::Refused,
                progress => progress,
            };
            Some((connection, progress))
        })?;
        match progress {
            Progress::Stands => self.tell(connection),
            Progress::Octets => {
                let stream = self.streams.get(&connection)?;
                let socket = self.sockets.get_mut::<Socket>(stream.socket);
                self.octets.clear();
                while let Ok(1..) = socket.recv(|octets| {
                    self.octets.extend_from_slice(octets);
                    (octets.len(), octets.len())
                }) {}
                // The receive window has become larger. Poll at once to tell this to the peer.
                self.poll(now);
                Some(TcpEvent::Bytes(connection, &self.octets))
            }
            Progress::Ended => {
                self.end(connection, now);
                Some(TcpEvent::Closed(connection))
            }
            Progress::Refused => {
                self.end(connection, now);
                Some(TcpEvent::Refused(connection))
            }
        }
    }

    /// Returns the next IP packet to send.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Vec<u8>> {
        self.device.pop_to_send()
    }

    /// Returns the next time at which [`Tcp::poll`] or [`Tcp::poll_event`] has work.
    #[must_use]
    pub fn poll_timeout(&mut self, now: Time) -> Option<Deadline> {
        let stack = self.interface.poll_at(instant(now), &self.sockets);
        let stack = stack.map(|at| Time(u64::try_from(at.total_micros()).unwrap_or(0)).max(now));
        let closing = self.streams.values().filter_map(|stream| stream.closing_until).min();
        let leaving = self.leaving.iter().map(|&(_, until)| until).min();
        Deadline::earliest([
            stack.map(|at| Deadline { at, why: "TCP stack" }),
            closing.map(|at| Deadline { at, why: "TCP connection to flush" }),
            leaving.map(|at| Deadline { at, why: "TCP connection without FIN" }),
        ])
    }

    fn connect(&mut self, connection: Connection, source: Rloc, destination: Rloc) {
        let port = FIRST_PORT + (self.next_port % PORTS) as u16;
        self.next_port += 1;
        let mut socket = socket();
        let ends = (endpoint(destination, CONTROL_PORT), endpoint(source, port));
        // If the socket cannot connect, it stays closed. Then the core gets an event about the
        // closed connection.
        let _ = socket.connect(self.interface.context(), ends.0, ends.1);
        self.streams.insert(connection, Stream::new(self.sockets.add(socket)));
    }

    /// Turns each listening socket that has received a SYN into a connection. A new socket accepts
    /// the next SYN.
    fn take_callers(&mut self) {
        for (&rloc, handle) in &mut self.listeners {
            if self.sockets.get::<Socket>(*handle).state() == State::Listen {
                continue;
            }
            let caller = std::mem::replace(handle, self.sockets.add(listener(rloc)));
            let connection = Connection(Connection::ACCEPTED + self.accepted);
            self.accepted += 1;
            if self.streams.range(Connection(Connection::ACCEPTED)..).count() >= MAX_ACCEPTED {
                self.sockets.get_mut::<Socket>(caller).abort();
            }
            self.streams.insert(connection, Stream::new(caller));
        }
    }

    /// Moves waiting octets into the sockets. Returns whether any octets were moved.
    fn fill_sockets(&mut self) -> bool {
        let mut any = false;
        for stream in self.streams.values_mut().filter(|stream| !stream.waiting.is_empty()) {
            let socket = self.sockets.get_mut::<Socket>(stream.socket);
            if let Ok(len @ 1..) = socket.send_slice(&stream.waiting) {
                stream.waiting.drain(..len);
                any = true;
            }
        }
        any
    }

    /// Ends the connections that have too many waiting octets.
    fn abort_clogged(&mut self) {
        for stream in self.streams.values_mut() {
            if stream.waiting.len() > MAX_WAITING {
                stream.waiting.clear();
                self.sockets.get_mut::<Socket>(stream.socket).abort();
            }
        }
    }

    /// Removes accepted connections that ended before the core was told about them. Also removes
    /// the sockets that have exchanged their FINs with the peer.
    fn forget_departed(&mut self, now: Time) {
        let is_gone = |connection: &Connection, stream: &Stream, socket: &Socket<'_>| {
            connection.0 >= Connection::ACCEPTED && !stream.is_told && is_over(socket)
        };
        let callers = self.streams.extract_if(.., |connection, stream| {
            is_gone(connection, stream, self.sockets.get(stream.socket))
        });
        self.leaving.extend(callers.map(|(_, stream)| (stream.socket, now + FIN_TIMEOUT)));
        self.leaving.retain(|&(handle, until)| {
            let socket = self.sockets.get_mut::<Socket>(handle);
            if until <= now {
                socket.abort();
            }
            // If a closed socket still has a peer, the socket must still send a RST.
            let stays = !is_over(socket) || socket.remote_endpoint().is_some();
            if !stays {
                self.sockets.remove(handle);
            }
            stays
        });
    }

    /// Returns the event for the core about a connection that is now established.
    fn tell(&mut self, connection: Connection) -> Option<TcpEvent<'static>> {
        let stream = self.streams.get_mut(&connection)?;
        stream.is_told = true;
        if connection.0 < Connection::ACCEPTED {
            let local = self.sockets.get::<Socket>(stream.socket).local_endpoint()?;
            let local = SocketAddr::new(local.addr.into(), local.port);
            return Some(TcpEvent::Connected { connection, local });
        }
        let socket = self.sockets.get::<Socket>(stream.socket);
        let (peer, local) = (socket.remote_endpoint()?, socket.local_endpoint()?);
        let peer = SocketAddr::new(peer.addr.into(), peer.port);
        Some(TcpEvent::Accepted { connection, peer, local: IpAddr::from(local.addr) })
    }

    /// Removes a connection. The core gets no more events about the connection. The socket of the
    /// connection sends FIN or RST.
    fn end(&mut self, connection: Connection, now: Time) {
        let Some(stream) = self.streams.remove(&connection) else { return };
        let socket = self.sockets.get_mut::<Socket>(stream.socket);
        match socket.state() {
            // No peer has answered, so there is no peer for a FIN or RST.
            State::SynSent => return drop(self.sockets.remove(stream.socket)),
            _ if stream.waiting.is_empty() => socket.close(),
            _ => socket.abort(),
        }
        self.leaving.push((stream.socket, now + FIN_TIMEOUT));
        self.poll(now);
    }
}

impl Stream {
    fn new(socket: SocketHandle) -> Self {
        Stream { socket, is_told: false, waiting: Vec::new(), closing_until: None }
    }

    /// Whether a connection that has ended was refused by the peer. A refused connection was never
    /// established. If a peer does not answer at all, the core closes the connection before this
    /// stack ends it.
    fn is_refused(&self, connection: Connection) -> bool {
        connection.0 < Connection::ACCEPTED && !self.is_told && self.closing_until.is_none()
    }

    fn progress(&self, socket: &Socket<'_>, now: Time) -> Option<Progress> {
        if is_over(socket) {
            return Some(Progress::Ended);
        }
        if let Some(until) = self.closing_until {
            let has_ended = self.waiting.is_empty() || !self.is_told || until <= now;
            return has_ended.then_some(Progress::Ended);
        }
        match socket.state() {
            State::SynSent | State::SynReceived => None,
            _ if !self.is_told => Some(Progress::Stands),
            _ if socket.can_recv() => Some(Progress::Octets),
            _ => (!socket.may_recv()).then_some(Progress::Ended),
        }
    }
}

/// Whether the connection of a socket has ended or was never established. If an accepted connection
/// was never established, smoltcp makes its socket listen again.
fn is_over(socket: &Socket<'_>) -> bool {
    matches!(socket.state(), State::Closed | State::Listen)
}

fn socket() -> Socket<'static> {
    let mut socket = Socket::new(buffer(), buffer());
    socket.set_nagle_enabled(false);
    socket.set_timeout(Some(TIMEOUT));
    socket.set_keep_alive(Some(KEEPALIVE));
    socket
}

fn buffer() -> SocketBuffer<'static> {
    SocketBuffer::new(vec![0; BUFFER])
}

fn listener(rloc: Rloc) -> Socket<'static> {
    let mut socket = socket();
    socket.listen(endpoint(rloc, CONTROL_PORT)).expect("a closed socket listens on any port");
    socket
}

fn endpoint(rloc: Rloc, port: u16) -> IpEndpoint {
    IpEndpoint::new(rloc.0.into(), port)
}

#[cfg(test)]
mod tests;
