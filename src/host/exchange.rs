//! A TCP connection that a host opens, with the octets that the host sends and receives on it.

use std::net::SocketAddr;

use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp;

/// The maximum number of octets from a peer that an exchange stores. This is more than a TCP
/// window. If the peer sends more octets, they stay in the socket, and the receive window closes.
const MOST_RECEIVED: usize = 64 * 1024;

/// The ID of a TCP connection that a host has opened ([`Exchange`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExchangeId(pub(super) u32);

/// The state of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The peer has not answered yet.
    Opening,
    /// Both ends can send.
    Open,
    /// The peer has sent all its data.
    Done,
    /// The connection was refused or reset, or it timed out, or the host was plugged into another
    /// link.
    Broken,
}

/// A connection with the octets that were received on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The peer.
    pub peer: SocketAddr,
    /// The state of the exchange.
    pub phase: Phase,
    /// The octets that the peer has sent, up to 64 KiB.
    pub received: Vec<u8>,
    /// The octets that the host has not sent yet.
    to_say: Vec<u8>,
}

/// An exchange and its socket.
#[derive(Debug)]
pub(super) struct Running {
    pub id: ExchangeId,
    pub socket: SocketHandle,
    pub exchange: Exchange,
}

impl Exchange {
    pub(super) fn new(peer: SocketAddr, to_say: &[u8]) -> Self {
        Exchange { peer, phase: Phase::Opening, received: Vec::new(), to_say: to_say.to_vec() }
    }

    pub(super) fn say(&mut self, octets: &[u8]) {
        self.to_say.extend(octets);
    }

    /// Whether the exchange has ended. After the end, no more octets are received.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Done | Phase::Broken)
    }
}

impl Running {
    /// Sends and receives as many octets as possible. Returns whether the stack has something to
    /// send.
    pub fn serve(&mut self, sockets: &mut SocketSet<'static>) -> bool {
        let exchange = &mut self.exchange;
        if exchange.is_over() {
            return false;
        }
        let socket = sockets.get_mut::<tcp::Socket<'static>>(self.socket);
        let mut any = false;
        while socket.can_recv() && exchange.received.len() < MOST_RECEIVED {
            let room = MOST_RECEIVED - exchange.received.len();
            let taken = socket.recv(|data| {
                let len = data.len().min(room);
                (len, data[..len].to_vec())
            });
            any = true;
            exchange.received.extend(taken.unwrap_or_default());
        }
        if socket.can_send() && !exchange.to_say.is_empty() {
            let said = socket.send_slice(&exchange.to_say).unwrap_or(0);
            exchange.to_say.drain(..said);
            any |= said > 0;
        }
        exchange.phase = match socket.state() {
            tcp::State::SynSent => Phase::Opening,
            tcp::State::Closed => Phase::Broken,
            tcp::State::CloseWait if !socket.can_recv() => {
                socket.close();
                any = true;
                Phase::Done
            }
            _ => Phase::Open,
        };
        any
    }
}
