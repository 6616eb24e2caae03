//! The event loop's part of [`Tcp`](crate::driver::tcp). It serves ready connections, sends the
//! events of these connections to the core, and carries out the core's requests.

use std::io;

use log::debug;
use mio::{Interest, Token};

use super::{EventLoop, Source};
use crate::driver::tcp::{Peer, Progress};
use crate::router::io::{Connection, Input, TcpEvent, TcpRequest};
use crate::time::Time;

/// The maximum number of connections that one listener accepts in one turn of the loop.
const ACCEPTS_A_TURN: usize = 16;
/// The maximum number of reads of one connection in one turn of the loop. Each read fills a buffer
/// of up to 64 KiB.
const READS_A_TURN: usize = 4;

/// Returns the connection with this number among the connections that the router has opened.
pub fn opened(number: usize) -> Connection {
    Connection(number as u64)
}

/// Returns the connection with this number among the connections that the router has accepted.
pub fn accepted(number: usize) -> Connection {
    Connection(Connection::ACCEPTED + number as u64)
}

impl EventLoop {
    pub(super) fn serve_tcp_listener(&mut self, slot: usize) -> bool {
        let listener = Source::Listener(slot);
        for _ in 0..ACCEPTS_A_TURN {
            let (connection, peer, local) = match self.tcp.accept(slot) {
                Ok(accepted) => accepted,
                Err(error) => return self.end_of_accepting(listener, "accepting on TCP", &error),
            };
            self.waiting.remove(listener);
            debug!("tcp: {peer} connected to {local}");
            if let Some(peer) = self.tcp.peer_mut(connection)
                && let Err(error) = watch(self.poll.registry(), connection, peer)
            {
                self.faults.count("watching a connection", &error);
                self.tcp.close(connection, self.clock.now());
                continue;
            }
            self.tell_tcp(TcpEvent::Accepted { connection, peer, local });
        }
        true
    }

    pub(super) fn serve_connection(&mut self, connection: Connection) -> bool {
        let now = self.clock.now();
        for _ in 0..READS_A_TURN {
            let progress = self.tcp.serve(connection, &mut self.buffer);
            match progress {
                Ok(Progress::Waits) => {}
                Ok(Progress::Connected(local)) => {
                    self.tell_tcp(TcpEvent::Connected { connection, local });
                }
                Ok(Progress::Read(len)) => {
                    let event = TcpEvent::Bytes(connection, &self.buffer[..len]);
                    self.router.handle(Input::Tcp(event), now);
                    self.carry_out_outputs();
                }
                Ok(Progress::Closed) => {
                    self.tell_tcp(TcpEvent::Closed(connection));
                    return false;
                }
                Ok(Progress::Refused) => {
                    self.tell_tcp(TcpEvent::Refused(connection));
                    return false;
                }
                Err(_) => return false,
            }
        }
        true
    }

    /// Carries out the core's request about a connection. If the connection ends, sends this event
    /// to the core. The event loop carries out the outputs that the core returns for this event.
    pub(super) fn change_connection(&mut self, request: TcpRequest) {
        let now = self.clock.now();
        let mut ended_by: fn(Connection) -> TcpEvent<'static> = TcpEvent::Closed;
        let ended = match request {
            TcpRequest::Connect { connection, source, destination } => {
                let registry = self.poll.registry();
                let peer = self.tcp.connect(connection, source, destination);
                let outcome = peer.and_then(|peer| watch(registry, connection, peer));
                let failed = outcome.is_err();
                if matches!(&outcome, Err(error) if error.kind() == io::ErrorKind::ConnectionRefused)
                {
                    ended_by = TcpEvent::Refused;
                }
                self.faults.count_if("connecting on TCP", outcome);
                if failed {
                    self.tcp.close(connection, now);
                }
                failed.then_some(connection)
            }
            TcpRequest::Send(connection, bytes, _) => {
                (!self.tcp.send(connection, &bytes)).then_some(connection)
            }
            TcpRequest::Close(connection) => self.tcp.close(connection, now).then_some(connection),
        };
        if let Some(connection) = ended {
            self.router.handle(Input::Tcp(ended_by(connection)), now);
        }
    }

    pub(super) fn expire_connections(&mut self, now: Time) {
        for connection in self.tcp.expire(now) {
            self.tell_tcp(TcpEvent::Closed(connection));
        }
    }

    fn tell_tcp(&mut self, event: TcpEvent<'_>) {
        debug!("tcp: {event}");
        self.router.handle(Input::Tcp(event), self.clock.now());
        self.carry_out_outputs();
    }
}

fn watch(registry: &mio::Registry, connection: Connection, peer: &mut Peer) -> io::Result<()> {
    registry.register(&mut peer.stream, token(connection), Interest::READABLE | Interest::WRITABLE)
}

fn token(connection: Connection) -> Token {
    match connection.0.checked_sub(Connection::ACCEPTED) {
        Some(number) => Source::Accepted(number as usize).token(),
        None => Source::Opened(connection.0 as usize).token(),
    }
}
