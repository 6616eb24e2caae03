//! Handles the sessions of a map-server that have ended. A registration of an ended session expires
//! unless the xTR renews it.

use super::MapServer;
use super::sessions::{Fallen, Sessions};
use crate::addr::EidPrefix;
use crate::router::io::Connection;
use crate::router::register::LIFETIME;
use crate::router::session::SessionView;
use crate::time::Time;

/// One call searches at most this number of entries for registrations of ended sessions.
const LOOKS: usize = 4096;

impl MapServer {
    /// The open sessions, for a `show` command.
    pub(in crate::router) fn session_views(&self) -> Vec<SessionView> {
        self.sessions.by_connection.values().map(|each| each.session.view()).collect()
    }

    /// Whether an xTR has registered a prefix through this session.
    pub(super) fn is_on_session(
        &self,
        prefix: &EidPrefix,
        xtr_id: u128,
        connection: Connection,
    ) -> bool {
        let registration = self.registration(prefix, xtr_id);
        registration.is_some_and(|registration| registration.session == Some(connection))
    }

    /// Counts the registrations of each session again, from zero.
    pub(super) fn count_users(&mut self) {
        self.sessions.users.clear();
        for registration in self.entries.iter().flat_map(|(_, entry)| entry.registrations.iter()) {
            self.sessions.joined(registration.session);
        }
    }

    /// Handles a session that has ended. The registrations of this session are treated like
    /// registrations by UDP: each expires unless the xTR renews it. This call searches only some
    /// entries of the table for these registrations. Later calls of [`MapServer::orphan_some`]
    /// search the other entries.
    pub(super) fn session_fell(&mut self, connection: Connection, now: Time) {
        if self.sessions.users.contains_key(&connection) {
            let fallen = Fallen { at: now, from: self.sessions.cursor, rounds: 0 };
            self.sessions.fallen.insert(connection, fallen);
            self.orphan_some();
        }
    }

    /// Searches some entries for registrations of ended sessions.
    pub(in crate::router) fn orphan_some(&mut self) {
        let sessions = &mut self.sessions;
        if sessions.fallen.is_empty() {
            return;
        }
        let (entries, next) = self.entries.some_mut(sessions.cursor, LOOKS);
        for (prefix, entry) in entries {
            for registration in entry.registrations.iter_mut() {
                let fallen = registration.session.and_then(|session| sessions.fallen.get(&session));
                let Some(&Fallen { at, .. }) = fallen else { continue };
                sessions.left(registration.session.take());
                registration.last_registered_at = at;
                registration.lifetime = LIFETIME;
                self.expiries.insert((at + LIFETIME, prefix, registration.xtr_id));
            }
        }
        sessions.cursor = next.unwrap_or_default();
        for fallen in sessions.fallen.values_mut() {
            fallen.rounds += u32::from(next.is_none());
        }
        let Sessions { fallen, users, cursor, .. } = sessions;
        fallen.retain(|connection, fallen| {
            let is_seen = fallen.rounds > 1 || fallen.rounds == 1 && *cursor >= fallen.from;
            !is_seen && users.contains_key(connection)
        });
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::super::fixture::{map_server, prefix, registration};
    use super::super::{MapServer, Others};
    use super::*;

    const ONE: Connection = Connection(1);
    const OTHER: Connection = Connection(2);

    fn host(number: u32) -> EidPrefix {
        prefix(&format!("{}/32", Ipv4Addr::from_bits(0x0a00_0000 + number)))
    }

    fn register(server: &mut MapServer, number: u32, xtr_id: u128, session: Option<Connection>) {
        let registration = registration(host(number), "203.0.113.11", xtr_id, 1440);
        let registration = super::super::Registration { session, ..registration };
        assert!(server.register(registration, Others::GiveWay, Time::ZERO).is_ok());
    }

    fn on_session(server: &MapServer, session: Connection) -> usize {
        let registrations = server.entries.iter().flat_map(|(_, entry)| entry.registrations.iter());
        registrations.filter(|each| each.session == Some(session)).count()
    }

    #[test]
    fn the_users_of_a_session_are_the_registrations_that_it_has() {
        let mut server = map_server(&[prefix("10.0.0.0/8")]);
        for step in 0..3000_u32 {
            let (number, xtr_id) = (step * 7919 % 50, u128::from(step % 3));
            let session = [None, Some(ONE), Some(OTHER)][step as usize * 31 % 7 % 3];
            match step % 4 {
                0 => drop(server.withdraw(&host(number), xtr_id, Time::ZERO)),
                _ => register(&mut server, number, xtr_id, session),
            }
            for session in [ONE, OTHER] {
                let users = server.sessions.users.get(&session).copied().unwrap_or_default();
                assert_eq!(users, on_session(&server, session), "{step}");
            }
        }
        server.session_fell(ONE, Time::ZERO);
        assert_eq!(on_session(&server, ONE), 0);
        assert!(server.sessions.fallen.is_empty() && !server.sessions.users.contains_key(&ONE));
    }

    #[test]
    fn the_end_of_a_large_session_takes_many_turns_and_finds_all_of_it() {
        const COUNT: u32 = 4 * LOOKS as u32;
        let mut server = map_server(&[prefix("10.0.0.0/8")]);
        for number in 0..COUNT {
            register(&mut server, number, 1, Some([ONE, OTHER][number as usize % 2]));
        }
        server.session_fell(ONE, Time(5));
        assert!(on_session(&server, ONE) >= COUNT as usize / 2 - LOOKS, "no more in one turn");
        assert_eq!(server.sessions.next_look(), Some(Time(5)));
        server.session_fell(OTHER, Time(7));
        // While the search runs, the table becomes much smaller.
        for number in COUNT / 8..COUNT {
            server.withdraw(&host(number), 1, Time(7));
        }
        let turns = (0..20).take_while(|_| {
            server.orphan_some();
            server.sessions.next_look().is_some()
        });
        assert!(turns.count() < 8);
        assert_eq!((on_session(&server, ONE), on_session(&server, OTHER)), (0, 0));
        assert_eq!(server.expiries.len() as u32, COUNT / 8);
        assert!(server.sessions.users.is_empty());
    }
}
