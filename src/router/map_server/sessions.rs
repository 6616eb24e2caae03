//! The sessions of reliable transport that a map-server has.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::addr::EidPrefix;
use crate::router::deadlines::Deadlines;
use crate::router::io::Connection;
use crate::router::register::LIFETIME;
use crate::router::session::Session;
use crate::time::Time;

/// Sessions at one time.
pub(super) const SESSIONS: usize = 4096;

/// A session with an ETR.
#[derive(Debug)]
pub(super) struct MsSession {
    /// The connection, and the state of its messages.
    pub session: Session,
    /// The prefixes that were rejected on it: asked for again when the configuration grows.
    pub rejected: BTreeSet<EidPrefix>,
}

/// The sessions of a map-server.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    /// The sessions that stand.
    pub by_connection: BTreeMap<Connection, MsSession>,
    /// The RLOCs that registered by UDP and asked for a session, and until when that holds.
    pub admitted: Deadlines<IpAddr>,
    /// How many registrations each session has, for a `show`.
    pub users: BTreeMap<Connection, usize>,
    /// The sessions that have fallen and may still have registrations.
    pub fallen: BTreeMap<Connection, Fallen>,
    /// The number of the slot where the search for those goes on.
    pub cursor: usize,
}

/// A session that has fallen. The table of entries is looked through in a circle, some of it each turn,
/// for all sessions that have fallen together.
#[derive(Debug)]
pub(super) struct Fallen {
    /// When it fell.
    pub at: Time,
    /// Where the search stood when it fell, and how often it has come to the end since.
    pub from: usize,
    pub rounds: u32,
}

impl Sessions {
    /// An authenticated register came from this RLOC: it may open a session.
    pub(super) fn admit(&mut self, rloc: IpAddr, now: Time) {
        while self.admitted.pop(now).is_some() {}
        if self.admitted.len() < SESSIONS {
            self.admitted.set(rloc, Some(now + LIFETIME));
        }
    }

    /// A registration came to a session.
    pub(super) fn joined(&mut self, session: Option<Connection>) {
        if let Some(connection) = session {
            *self.users.entry(connection).or_default() += 1;
        }
    }

    /// A registration has left its session.
    pub(super) fn left(&mut self, session: Option<Connection>) {
        let users = session.and_then(|connection| self.users.get_mut(&connection));
        if let Some(users) = users {
            *users -= 1;
        }
        if let Some(connection) = session
            && self.users.get(&connection) == Some(&0)
        {
            self.users.remove(&connection);
        }
    }

    /// When entries are to be looked at for sessions that have fallen: at once.
    pub(super) fn next_look(&self) -> Option<Time> {
        self.fallen.values().map(|fallen| fallen.at).min()
    }

    pub(super) fn is_admitted(&self, rloc: IpAddr, now: Time) -> bool {
        self.admitted.get(&rloc).is_some_and(|until| until > now)
    }

    pub(super) fn of_peer(&self, rloc: IpAddr) -> Option<Connection> {
        let mut sessions = self.by_connection.iter();
        sessions.find(|(_, each)| each.session.peer.ip() == rloc).map(|(connection, _)| *connection)
    }
}
