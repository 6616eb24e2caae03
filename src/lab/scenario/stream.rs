//! A TCP client of a scenario: what must come back on its connection, and the client itself in a
//! network namespace.

use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::replay::inside;
use crate::lab::failure::Failure;
use crate::wire::{ReliableFrame, ReliableType};

/// How long the other end may take to answer a SYN.
const CONNECTING: Duration = Duration::from_secs(3);

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The other end has sent its FIN.
    Closed,
    /// The other end has sent RST on a connection that stood.
    Reset,
    /// It never stood: RST or silence answered the SYN.
    Refused,
}

/// What came on a connection since it was last asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrived {
    /// The octets.
    pub octets: Vec<u8>,
    /// Set once it has ended, after all octets that came before.
    pub end: Option<End>,
}

/// What must come next on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A message whose line holds the text, if there is one.
    Message(ReliableType, Option<String>),
    /// The end of one that stood, or only an end of this kind.
    End(Option<End>),
}

impl Heard {
    /// Whether a message is it.
    pub fn is_message(&self, frame: &ReliableFrame) -> bool {
        match self {
            Heard::Message(kind, text) => {
                let line = frame.to_string();
                *kind == frame.message.message_type()
                    && text.as_ref().is_none_or(|text| line.contains(text))
            }
            Heard::End(_) => false,
        }
    }

    /// Whether an end is it.
    pub fn is_end(&self, end: End) -> bool {
        match self {
            Heard::Message(..) => false,
            Heard::End(None) => end != End::Refused,
            Heard::End(Some(expected)) => *expected == end,
        }
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Heard::Message(kind, None) => f.write_str(kind.name()),
            Heard::Message(kind, Some(text)) => write!(f, "{} with {text:?}", kind.name()),
            Heard::End(None) => f.write_str("the end of the connection"),
            Heard::End(Some(end)) => write!(f, "{end}"),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            End::Closed => "closed",
            End::Reset => "reset",
            End::Refused => "refused",
        })
    }
}

/// A client in a namespace.
pub(super) struct Client {
    /// None for a connection that never stood.
    stream: Option<TcpStream>,
}

impl Client {
    /// Connects, and returns when it is known whether that went well.
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

    /// Sends octets; what the other end does not take is lost, as its end will tell.
    pub fn transmit(&mut self, octets: &[u8]) {
        if let Some(stream) = &mut self.stream {
            stream.write_all(octets).ok();
        }
    }

    /// What has come since.
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
