//! A TCP port that a host serves. A new client can connect at any time.
//!
//! The port has a fixed number of places. Each place has one socket, and one place always listens.
//! If a client takes the last free place, an older connection is ended. If half of the places or
//! more wait for the end of a handshake, the oldest of these handshakes is ended. Otherwise the
//! established connection with the longest time without traffic is ended. So the port stays open
//! even if a client sends segments with forged source addresses (a SYN flood, RFC 4987), or if many
//! clients are idle.

use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp;

use super::apps::tcp_socket;
use crate::time::Time;

/// The maximum number of connections of a port at the same time. The place that listens counts as a
/// connection.
pub(super) const PLACES: usize = 8;
/// The time without traffic after which a connection ends.
pub(super) const IDLE: std::time::Duration = std::time::Duration::from_secs(60);

/// A port and its places.
#[derive(Debug)]
pub(super) struct Server {
    port: u16,
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    socket: SocketHandle,
    /// The time of the latest octets from or to the client; `None` while the socket listens.
    active_at: Option<Time>,
}

impl Server {
    /// Makes a server that listens.
    pub fn new(port: u16, sockets: &mut SocketSet<'static>) -> Self {
        let places = (0..PLACES)
            .map(|_| Place { socket: sockets.add(listener(port)), active_at: None })
            .collect();
        Server { port, places }
    }

    /// Drops every connection without a message to the peer.
    pub fn restart(&mut self, sockets: &mut SocketSet<'static>) {
        for place in &mut self.places {
            place.listen(self.port, sockets);
        }
    }

    /// Calls `app` for each connection. `app` returns true if it has read or written octets. This
    /// function returns true if the stack has something to send.
    pub fn serve(
        &mut self,
        sockets: &mut SocketSet<'static>,
        now: Time,
        app: impl Fn(&mut tcp::Socket<'static>) -> bool,
    ) -> bool {
        let mut any = false;
        for place in &mut self.places {
            any |= place.serve(self.port, sockets, now, &app);
        }
        self.keep_open(sockets);
        any
    }

    /// Returns the earliest time at which a connection ends because it was idle for too long.
    pub fn next_expiry(&self) -> Option<Time> {
        let active = self.places.iter().filter_map(|place| place.active_at);
        active.min().map(|at| at + IDLE)
    }

    /// If no place listens, makes one place listen.
    fn keep_open(&mut self, sockets: &mut SocketSet<'static>) {
        if self.places.iter().any(|place| place.active_at.is_none()) {
            return;
        }
        let is_half_open = |place: &Place| {
            let socket = sockets.get::<tcp::Socket<'static>>(place.socket);
            socket.state() == tcp::State::SynReceived
        };
        let half_open = self.places.iter().filter(|place| is_half_open(place)).count();
        let gives_way = half_open >= PLACES / 2;
        let candidates = self.places.iter_mut().filter(|place| is_half_open(place) == gives_way);
        if let Some(place) = candidates.min_by_key(|place| place.active_at) {
            place.listen(self.port, sockets);
        }
    }
}

impl Place {
    fn listen(&mut self, port: u16, sockets: &mut SocketSet<'static>) {
        *sockets.get_mut(self.socket) = listener(port);
        self.active_at = None;
    }

    fn serve(
        &mut self,
        port: u16,
        sockets: &mut SocketSet<'static>,
        now: Time,
        app: impl Fn(&mut tcp::Socket<'static>) -> bool,
    ) -> bool {
        let socket = sockets.get_mut::<tcp::Socket<'static>>(self.socket);
        // A socket that only waits for late segments (TIME-WAIT) must not keep its place, because a
        // client may need the place.
        let is_over = matches!(socket.state(), tcp::State::Closed | tcp::State::TimeWait);
        let is_idle = self.active_at.is_some_and(|at| now.since(at) >= IDLE);
        if is_over || is_idle {
            self.listen(port, sockets);
            return false;
        }
        if socket.state() == tcp::State::Listen {
            return false;
        }
        let moved = app(socket);
        if moved || self.active_at.is_none() {
            self.active_at = Some(now);
        }
        moved
    }
}

fn listener(port: u16) -> tcp::Socket<'static> {
    let mut socket = tcp_socket();
    socket.listen(port).expect("a closed socket accepts every port except zero");
    socket
}
