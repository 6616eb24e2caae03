//! The data of `show lisp session`.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::router::session::{SessionState, SessionType};

/// The sessions of reliable transport.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionsView {
    /// How many there are.
    pub total: usize,
    /// How many of them are up.
    pub established: usize,
    /// The sessions, by peer.
    pub sessions: Vec<SessionRow>,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// The address of the peer.
    pub peer: IpAddr,
    /// The port of the peer; 0 while not connected.
    pub port: u16,
    /// The local address and port.
    pub local: Option<SocketAddr>,
    /// Which end opened the session.
    pub kind: SessionType,
    /// The progress of the session.
    pub state: SessionState,
    /// Seconds since the session came up; absent while it is not up.
    pub up: Option<u64>,
    /// The last round trip in milliseconds, if one has been measured.
    pub rtt_ms: Option<u64>,
    /// Seconds since that measurement.
    pub rtt_measured: Option<u64>,
    /// Messages received and sent.
    pub messages: (u64, u64),
    /// Octets received and sent.
    pub bytes: (u64, u64),
    /// EID prefixes that use it.
    pub users: usize,
}
