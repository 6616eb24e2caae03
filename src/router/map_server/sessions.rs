//! The reliable-transport sessions of a map-server.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::addr::EidPrefix;
use crate::router::deadlines::Deadlines;
use crate::router::io::Connection;
use crate::router::register::LIFETIME;
use crate::router::session::Session;
use crate::time::Time;

/// The maximum number of sessions at the same time.
pub(super) const SESSIONS: usize = 4096;

/// A session with an ETR.
#[derive(Debug)]
pub(super) struct MsSession {
    /// The connection, and the state of its messages.
    pub session: Session,
    /// The prefixes that were rejected on this session. When prefixes are added to the
    /// configuration, the map-server asks the ETR to register the rejected prefixes again.
    pub rejected: BTreeSet<EidPrefix>,
}

/// The sessions of a map-server.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    /// The open sessions.
    pub by_connection: BTreeMap<Connection, MsSession>,
    /// The RLOCs that registered by UDP and asked for a session. Each RLOC may open the session
    /// until the stored time.
    pub admitted: Deadlines<IpAddr>,
    /// The number of registrations of each session.
    pub users: BTreeMap<Connection, usize>,
    /// The sessions that have ended and may still have registrations.
    pub fallen: BTreeMap<Connection, Fallen>,
    /// The search for registrations of ended sessions continues at this slot in the table of
    /// entries.
    pub cursor: usize,
}

/// A session that has ended. One search in the table of entries serves all ended sessions. Each
/// call searches some entries. After the end of the table, the search continues at its beginning.
#[derive(Debug)]
pub(super) struct Fallen {
    /// The time at which the session ended.
    pub at: Time,
    /// The position of the search when the session ended. `rounds` is the number of times that the
    /// search has reached the end of the table since then.
    pub from: usize,
    pub rounds: u32,
}

impl Sessions {
    /// Allows an RLOC to open a session, because an authenticated Map-Register was received from
    /// this RLOC.
    pub(super) fn admit(&mut self, rloc: IpAddr, now: Time) {
        while self.admitted.pop(now).is_some() {}
        if self.admitted.len() < SESSIONS {
            self.admitted.set(rloc, Some(now + LIFETIME));
        }
    }

    /// Counts a registration that a session has gained.
    pub(super) fn joined(&mut self, session: Option<Connection>) {
        if let Some(connection) = session {
            *self.users.entry(connection).or_default() += 1;
        }
    }

    /// Counts a registration that a session has lost.
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

    /// The time from which entries must be searched for registrations of ended sessions. It is
    /// never in the future, so the search is due immediately.
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
