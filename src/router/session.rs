//! A session of reliable transport: one TCP connection between an ETR and a map-server. Both ends
//! use this code (draft-kouvelas-lisp-map-server-reliable-transport-04 sections 4 and 5).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::io::{Connection, Output, TcpRequest};
use super::reason::MessageReason;
use crate::addr::{EidPrefix, Family, InstanceId};
use crate::time::Time;
use crate::wire::{
    FrameReader, Key, MapRegister, Registration, ReliableFrame, ReliableMessage, StreamError,
};

/// The state of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SessionState {
    /// The ETR has no session with this map-server.
    Down,
    /// The ETR is connecting.
    Connecting,
    /// The session is established.
    Up,
}

/// The end that started a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SessionType {
    /// This router started the session, as an ETR.
    Active,
    /// The other end started the session, and this router is its map-server.
    Passive,
}

/// The time that the other end needed for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundTrip {
    /// The time from a message to its answer.
    pub time: Duration,
    /// The time at which the round trip was measured.
    pub at: Time,
}

/// A session, for `show lisp session`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// The TCP connection, if there is one.
    pub connection: Option<Connection>,
    /// The address of the other end. The port is 0 if the session is not connected.
    pub peer: SocketAddr,
    /// The address of this end; `None` if the session is not connected.
    pub local: Option<SocketAddr>,
    /// The end that started the session.
    pub kind: SessionType,
    /// The state of the session.
    pub state: SessionState,
    /// The time at which the session came up; `None` if the session is not up.
    pub up_since: Option<Time>,
    /// The last round trip, if one has been measured.
    pub round_trip: Option<RoundTrip>,
    /// The numbers of received and sent messages.
    pub messages: (u64, u64),
    /// The numbers of received and sent octets.
    pub bytes: (u64, u64),
    /// The users of the session. A user is the registrations of one instance and family.
    pub users: Vec<SessionUser>,
}

/// A user of a session: the registrations of one instance and family. A user begins with its first
/// Registration: on the ETR when this Registration is sent, on the map-server when it is
/// acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionUser {
    /// The instance.
    pub instance_id: InstanceId,
    /// The family.
    pub family: Family,
    /// The numbers of received and sent messages about EID prefixes of the user.
    pub messages: (u64, u64),
}

/// The state of a connection that is established or in progress.
#[derive(Debug)]
pub(super) struct Session {
    pub connection: Connection,
    pub peer: SocketAddr,
    /// The address of this end. The port is 0 until it is known.
    pub local: SocketAddr,
    pub up_since: Option<Time>,
    /// The time of the oldest message that waits for its answer.
    asked_at: Option<Time>,
    round_trip: Option<RoundTrip>,
    reader: FrameReader,
    next_message_id: u32,
    pub messages: (u64, u64),
    pub bytes: (u64, u64),
    /// The received and sent messages of each user. The users have prefixes that are configured at
    /// this end, so their number is limited.
    users: BTreeMap<(InstanceId, Family), (u64, u64)>,
}

impl Session {
    pub(super) fn new(connection: Connection, peer: SocketAddr, local: SocketAddr) -> Self {
        Session {
            connection,
            peer,
            local,
            up_since: None,
            asked_at: None,
            round_trip: None,
            reader: FrameReader::new(),
            next_message_id: 1,
            messages: (0, 0),
            bytes: (0, 0),
            users: BTreeMap::new(),
        }
    }

    fn user(&mut self, prefix: EidPrefix) -> Option<&mut (u64, u64)> {
        self.users.get_mut(&(prefix.instance_id(), prefix.family()))
    }

    /// Records that a SYN, a Refresh or a Registration was sent. The other end answers these
    /// messages immediately. Answers arrive in the order of the messages, so only the time of the
    /// oldest message is stored.
    pub(super) fn asked(&mut self, now: Time) {
        self.asked_at.get_or_insert(now);
    }

    /// Records that an answer has arrived.
    pub(super) fn answered(&mut self, now: Time) {
        if let Some(at) = self.asked_at.take() {
            self.round_trip = Some(RoundTrip { time: now.since(at), at: now });
        }
    }

    /// Adds octets that were received from the stream. [`Session::next`] returns the frames.
    pub(super) fn push(&mut self, octets: &[u8]) {
        self.bytes.0 += octets.len() as u64;
        self.reader.push(octets);
    }

    /// Removes and returns the next received frame, or the error in this frame.
    pub(super) fn next(&mut self) -> Option<Result<ReliableFrame, StreamError>> {
        let frame = self.reader.next()?;
        self.messages.0 += 1;
        if let Ok(frame) = &frame {
            if let Some(user) = frame.message.eid_prefix().and_then(|prefix| self.user(prefix)) {
                user.0 += 1;
            }
            log::debug!("{frame} from {} by reliable transport", self.peer);
        }
        Some(frame)
    }

    /// Returns the output that sends a message with the next Message ID.
    pub(super) fn send(&mut self, message: ReliableMessage, reason: MessageReason) -> Output {
        if let ReliableMessage::RegistrationAck(prefix) = &message {
            // The user exists from this moment. Its counter of received messages begins at 1,
            // because the Registration that is acknowledged now was received before.
            let user = (prefix.instance_id(), prefix.family());
            self.users.entry(user).or_insert((1, 0));
        }
        if let Some(user) = message.eid_prefix().and_then(|prefix| self.user(prefix)) {
            user.1 += 1;
        }
        let message_id = self.message_id();
        let frame = ReliableFrame { message_id, message };
        log::debug!("{frame} to {} by reliable transport", self.peer);
        self.send_octets(frame.emit(), reason)
    }

    /// Returns the output that sends a signed Registration.
    pub(super) fn send_registration(
        &mut self,
        register: &MapRegister,
        key: &Key,
        reason: MessageReason,
    ) -> Output {
        for record in &register.records {
            let prefix = record.eid_prefix;
            let user = self.users.entry((prefix.instance_id(), prefix.family())).or_default();
            user.1 += 1;
        }
        let message_id = self.message_id();
        self.send_octets(Registration::emit_signed(register, message_id, key), reason)
    }

    fn message_id(&mut self) -> u32 {
        let id = self.next_message_id;
        self.next_message_id = id.wrapping_add(1);
        id
    }

    fn send_octets(&mut self, octets: Vec<u8>, reason: MessageReason) -> Output {
        self.messages.1 += 1;
        self.bytes.1 += octets.len() as u64;
        Output::Tcp(TcpRequest::Send(self.connection, octets, reason))
    }

    pub(super) fn view(&self) -> SessionView {
        let users = self.users.iter().map(|(&(instance_id, family), &messages)| SessionUser {
            instance_id,
            family,
            messages,
        });
        SessionView {
            connection: Some(self.connection),
            peer: self.peer,
            local: self.up_since.map(|_| self.local),
            kind: match self.connection {
                opened if opened.0 < Connection::ACCEPTED => SessionType::Active,
                _ => SessionType::Passive,
            },
            state: match self.up_since {
                Some(_) => SessionState::Up,
                None => SessionState::Connecting,
            },
            up_since: self.up_since,
            round_trip: self.round_trip,
            messages: self.messages,
            bytes: self.bytes,
            users: users.collect(),
        }
    }
}
