//! A TCP client that a scenario runs in a namespace.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::raw::inside;
use crate::lab::failure::Failure;
use crate::lab::scenario::stream::{Arrived, End};

/// The longest time to wait for an answer to a SYN.
const CONNECTING: Duration = Duration::from_secs(3);

/// A client in a namespace.
pub struct Client {
    /// The connection, or `None` if it was never established.
    stream: Option<TcpStream>,
}

impl Client {
    /// Opens a connection. Returns when the connection is established or has failed.
    pub fn connect(
        namespace: &str,
        source: Ipv4Addr,
        destination: SocketAddrV4,
    ) -> Result<Self, Failure> {
        let socket = inside(namespace, || {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
            socket.bind(&SockAddr::from(SocketAddrV4::new(source, 0)))?;
            Ok(socket)
        })?;
        let stands = socket.connect_timeout(&SockAddr::from(destination), CONNECTING).is_ok();
        socket.set_nonblocking(true).map_err(Failure::io("TCP client"))?;
        Ok(Client { stream: stands.then(|| socket.into()) })
    }

    /// Sends octets. If the peer does not accept the octets, they are lost. [`Client::arrived`]
    /// then reports the end of the connection.
    pub fn transmit(&mut self, octets: &[u8]) {
        if let Some(stream) = &mut self.stream {
            stream.write_all(octets).ok();
        }
    }

    /// Returns the data that was received since the last call.
    pub fn arrived(&mut self) -> Result<Arrived, Failure> {
        let Some(stream) = &mut self.stream else {
            return Ok(Arrived { octets: Vec::new(), end: Some(End::Refused) });
        };
        let (mut octets, mut buffer) = (Vec::new(), [0; 4096]);
        let end = loop {
            match stream.read(&mut buffer) {
                Ok(0) => break Some(End::Closed),
                Ok(length) => octets.extend(&buffer[..length]),
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => {}
                    ErrorKind::WouldBlock => break None,
                    ErrorKind::ConnectionReset => break Some(End::Reset),
                    _ => return Err(Failure::io("TCP client")(error)),
                },
            }
        };
        Ok(Arrived { octets, end })
    }
}
