//! The data of `show lisp session`.

use std::net::{IpAddr, SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::addr::{Family, InstanceId};
use crate::router::session::{SessionState, SessionType};

/// The sessions of reliable transport.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionsView {
    /// The number of sessions.
    pub total: usize,
    /// The number of established sessions.
    pub established: usize,
    /// The sessions, sorted by peer.
    pub sessions: Vec<SessionRow>,
}

/// A session of reliable transport.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionRow {
    /// The address of the peer.
    pub peer: IpAddr,
    /// The port of the peer. It is 0 if the peer is not connected.
    pub port: u16,
    /// The local address and port.
    pub local: Option<SocketAddr>,
    /// The end that opened the session: this router or the peer.
    pub kind: SessionType,
    /// The state of the session.
    pub state: SessionState,
    /// Seconds since the session came up. Absent if the session is not up.
    pub up: Option<u64>,
    /// The latest measured round-trip time in milliseconds. Absent before the first measurement.
    pub rtt_ms: Option<u64>,
    /// Seconds since the latest measurement of the round-trip time.
    pub rtt_measured: Option<u64>,
    /// The number of received messages, and the number of sent messages.
    pub messages: (u64, u64),
    /// The number of received octets, and the number of sent octets.
    pub bytes: (u64, u64),
    /// The users of the session. The word "user" means the registrations of one instance and
    /// family.
    pub users: Vec<UserRow>,
}

/// A user of a session: the registrations of one instance and family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SessionUser")]
pub struct UserRow {
    /// The instance.
    pub instance_id: InstanceId,
    /// The family of the EIDs.
    pub family: Family,
    /// The number of received messages, and the number of sent messages, about EID prefixes of this
    /// user.
    pub messages: (u64, u64),
}
