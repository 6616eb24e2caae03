//! TCP connections of port 4342 at the border of the core: their events and the requests about them.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::addr::Rloc;

/// A TCP connection of port 4342: of reliable transport between an ETR and a map-server.
///
/// The core numbers the connections that it opens, from 0 up; the driver those that it accepts, from
/// [`Connection::ACCEPTED`] up. No number is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Connection(pub u64);

impl Connection {
    /// The first number of an accepted connection.
    pub const ACCEPTED: u64 = 1 << 63;
}

/// An event on TCP. A connection begins with `Connected` or `Accepted` and ends with `Closed`,
/// for every end that closed it; after that, nothing more comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TcpEvent<'a> {
    /// A connection that was asked for stands.
    Connected {
        /// Its number.
        connection: Connection,
        /// This end, with the port that it was given.
        local: SocketAddr,
    },
    /// A peer connected to port 4342. The kernel has completed the handshake already; the core
    /// closes at once a connection from an unauthenticated peer.
    Accepted {
        /// Its number.
        connection: Connection,
        /// The peer's RLOC and port.
        peer: SocketAddr,
        /// The local RLOC that it connected to.
        local: IpAddr,
    },
    /// Octets of the stream.
    Bytes(Connection, &'a [u8]),
    /// The connection has ended, could not be made, or took no more octets.
    Closed(Connection),
    /// The peer answered with RST: no process listens there. Comes in the place of `Closed`.
    Refused(Connection),
}

/// A request of a router to TCP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TcpRequest {
    /// Connect to port 4342 of a map-server.
    Connect {
        /// The number that the connection is to have.
        connection: Connection,
        /// The local RLOC.
        source: Rloc,
        /// The map-server.
        destination: Rloc,
    },
    /// Send these octets; a peer that does not take them in time is closed by the driver.
    Send(Connection, Vec<u8>),
    /// Send the rest and close.
    Close(Connection),
}
