//! A session of reliable transport: one TCP connection between an ETR and a map-server, seen from
//! either end (draft-kouvelas-lisp-map-server-reliable-transport-04 sections 4 and 5).

use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

use super::Router;
use super::io::{Connection, Output, TcpEvent, TcpRequest};
use crate::time::Time;
use crate::wire::{
    FrameReader, Key, MapRegister, Registration, ReliableFrame, ReliableMessage, StreamError,
};

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum SessionState {
    /// The ETR has none with this map-server.
    Down,
    /// The ETR is connecting.
    Connecting,
    /// It stands.
    Up,
}

/// A session for `show lisp session`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// The other end; port 0 for what is not connected.
    pub peer: SocketAddr,
    /// This end.
    pub local: Option<IpAddr>,
    /// How far it is.
    pub state: SessionState,
    /// Since when it is up; `None` if it is not.
    pub up_since: Option<Time>,
    /// Messages received and sent.
    pub messages: (u64, u64),
    /// Octets received and sent.
    pub bytes: (u64, u64),
    /// Prefixes that use it.
    pub users: usize,
}

/// The state of a connection that stands or is being made.
#[derive(Debug)]
pub(super) struct Session {
    pub connection: Connection,
    pub peer: SocketAddr,
    pub local: IpAddr,
    pub up_since: Option<Time>,
    reader: FrameReader,
    next_message_id: u32,
    pub messages: (u64, u64),
    pub bytes: (u64, u64),
}

impl Session {
    pub(super) fn new(connection: Connection, peer: SocketAddr, local: IpAddr) -> Self {
        Session {
            connection,
            peer,
            local,
            up_since: None,
            reader: FrameReader::new(),
            next_message_id: 1,
            messages: (0, 0),
            bytes: (0, 0),
        }
    }

    /// Takes octets of the stream in; [`Session::next`] gives the frames.
    pub(super) fn push(&mut self, octets: &[u8]) {
        self.bytes.0 += octets.len() as u64;
        self.reader.push(octets);
    }

    /// The next frame, or what is wrong with it.
    pub(super) fn next(&mut self) -> Option<Result<ReliableFrame, StreamError>> {
        let frame = self.reader.next()?;
        self.messages.0 += 1;
        if let Ok(frame) = &frame {
            log::debug!("{frame} from {} by reliable transport", self.peer);
        }
        Some(frame)
    }

    /// Sends a message under the next Message ID.
    pub(super) fn send(&mut self, message: ReliableMessage) -> Output {
        let message_id = self.message_id();
        let frame = ReliableFrame { message_id, message };
        log::debug!("{frame} to {} by reliable transport", self.peer);
        self.send_octets(frame.emit())
    }

    /// Sends a Registration, signed.
    pub(super) fn send_registration(&mut self, register: &MapRegister, key: &Key) -> Output {
        let message_id = self.message_id();
        self.send_octets(Registration::emit_signed(register, message_id, key))
    }

    fn message_id(&mut self) -> u32 {
        let id = self.next_message_id;
        self.next_message_id = id.wrapping_add(1);
        id
    }

    fn send_octets(&mut self, octets: Vec<u8>) -> Output {
        self.messages.1 += 1;
        self.bytes.1 += octets.len() as u64;
        Output::Tcp(TcpRequest::Send(self.connection, octets))
    }

    pub(super) fn view(&self, users: usize) -> SessionView {
        SessionView {
            peer: self.peer,
            local: Some(self.local),
            state: match self.up_since {
                Some(_) => SessionState::Up,
                None => SessionState::Connecting,
            },
            up_since: self.up_since,
            messages: self.messages,
            bytes: self.bytes,
            users,
        }
    }
}

impl Router {
    /// Takes in what happened on TCP: to the ETR's sessions or the map-server's, by who connected.
    pub(super) fn handle_tcp(&mut self, event: TcpEvent<'_>, now: Time) {
        match event {
            TcpEvent::Accepted { connection, peer, local } => {
                self.accept_session(Session::new(connection, peer, local), now);
            }
            TcpEvent::Connected(connection) => self.session_connected(connection, now),
            TcpEvent::Bytes(connection, octets) if connection.0 >= Connection::ACCEPTED => {
                self.map_server_octets(connection, octets, now);
            }
            TcpEvent::Bytes(connection, octets) => self.etr_octets(connection, octets, now),
            TcpEvent::Closed(connection) if connection.0 >= Connection::ACCEPTED => {
                self.map_server_session_closed(connection, now);
            }
            TcpEvent::Closed(connection) => self.etr_session_closed(connection, now),
        }
    }

    /// The sessions of this router: as map-server, then as ETR.
    pub fn sessions(&self) -> Vec<SessionView> {
        let mut views = self.map_server.session_views();
        views.extend(self.registrar_sessions());
        views
    }

    pub(super) fn tcp(&mut self, request: TcpRequest) {
        self.outputs.push_back(Output::Tcp(request));
    }
}
