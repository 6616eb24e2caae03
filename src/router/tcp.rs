//! TCP connections on port 4342: the events that the core gets, and the requests of the core.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::reason::MessageReason;
use crate::addr::Rloc;

/// A TCP connection on port 4342, for reliable transport between an ETR and a map-server.
///
/// The core numbers the connections that it opens, from 0 on. The driver numbers the connections
/// that it accepts, from [`Connection::ACCEPTED`] on. No number is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Connection(pub u64);

impl Connection {
    /// The first number of an accepted connection.
    pub const ACCEPTED: u64 = 1 << 63;
}

/// An event on TCP. A connection begins with `Connected` or `Accepted`, and ends with `Closed`,
/// also if this router itself has closed it. After `Closed`, the connection has no more events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TcpEvent<'a> {
    /// A requested connection is established.
    Connected {
        /// The number of the connection.
        connection: Connection,
        /// The address and port of this end.
        local: SocketAddr,
    },
    /// A peer connected to port 4342. The kernel has already completed the handshake. If the peer
    /// is not authenticated, the core immediately closes the connection.
    Accepted {
        /// The number of the connection.
        connection: Connection,
        /// The peer's RLOC and port.
        peer: SocketAddr,
        /// The local RLOC to which the peer connected.
        local: IpAddr,
    },
    /// Octets of the stream.
    Bytes(Connection, &'a [u8]),
    /// The connection has ended, could not be established, or did not accept octets any more.
    Closed(Connection),
    /// The peer answered with RST, because no process listens on the port. This event replaces
    /// `Closed`.
    Refused(Connection),
}

/// A request of a router about TCP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TcpRequest {
    /// Connect to port 4342 of a map-server.
    Connect {
        /// The number for the new connection.
        connection: Connection,
        /// The local RLOC.
        source: Rloc,
        /// The map-server.
        destination: Rloc,
    },
    /// Send these octets, which are one message. If the peer does not accept them in time, the
    /// driver closes the connection. The reason of the message is not sent.
    Send(Connection, Vec<u8>, MessageReason),
    /// Send the remaining octets and close the connection.
    Close(Connection),
}
