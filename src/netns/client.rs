//! A TCP client of a scenario in a namespace.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::raw::inside;
use crate::lab::failure::Failure;
use crate::lab::scenario::stream::{Arrived, End};

/// The longest time for the other end to answer a SYN.
const CONNECTING: Duration = Duration::from_secs(3);

/// A client in a namespace.
pub struct Client {
    /// `None` if the connection was never established.
    stream: Option<TcpStream>,
}

impl Client {
    /// Connects. Returns when the result is known.
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

    /// Sends octets. Octets that the other end does not accept are lost; [`Client::arrived`] then
    /// shows the end of the connection.
    pub fn transmit(&mut self, octets: &[u8]) {
        if let Some(stream) = &mut self.stream {
            stream.write_all(octets).ok();
        }
    }

    /// The data received since the last call.
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
