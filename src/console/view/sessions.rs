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
    /// By their peers.
    pub sessions: Vec<SessionRow>,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// The other end.
    pub peer: IpAddr,
    /// Its port; 0 while not connected.
    pub port: u16,
    /// This end.
    pub local: Option<SocketAddr>,
    /// Which end began it.
    pub kind: SessionType,
    /// How far it is.
    pub state: SessionState,
    /// Seconds since it is up; absent while it is not.
    pub up: Option<u64>,
    /// The last round trip in milliseconds, once one has been measured.
    pub rtt_ms: Option<u64>,
    /// Seconds since that was measured.
    pub rtt_measured: Option<u64>,
    /// Messages received and sent.
    pub messages: (u64, u64),
    /// Octets received and sent.
    pub bytes: (u64, u64),
    /// EID prefixes that use it.
    pub users: usize,
}
