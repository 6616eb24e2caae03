//! `show lisp session`: the sessions of reliable transport.

use std::net::{IpAddr, SocketAddr};

use super::State;
use super::columns::Columns;
use super::span::{seconds, span_or_never};
use crate::console::view::sessions::{SessionRow, SessionsView};
use crate::router::session::{SessionState, SessionType, SessionView};
use crate::time::Time;

/// The address and port of a peer. If the peer is not connected, only the address.
fn peer(row: &SessionRow) -> String {
    match row.port {
        0 => row.peer.to_string(),
        port => SocketAddr::new(row.peer, port).to_string(),
    }
}

/// The view of the sessions with one peer, or with all peers.
pub fn view(State { router, now, .. }: State<'_>, only: Option<IpAddr>) -> SessionsView {
    let sessions = router.sessions();
    let mut sessions: Vec<SessionRow> = sessions
        .into_iter()
        .filter(|session| only.is_none_or(|peer| session.peer.ip() == peer))
        .map(|session| row(&session, now))
        .collect();
    sessions.sort_by_key(|session| (session.peer, session.port));
    let established = sessions.iter().filter(|row| row.state == SessionState::Up).count();
    SessionsView { total: sessions.len(), established, sessions }
}

fn row(session: &SessionView, now: Time) -> SessionRow {
    SessionRow {
        peer: session.peer.ip(),
        port: session.peer.port(),
        local: session.local,
        kind: session.kind,
        state: session.state,
        up: session.up_since.map(|at| seconds(now.since(at))),
        rtt_ms: session.round_trip.map(|trip| trip.time.as_micros() as u64 / 1000),
        rtt_measured: session.round_trip.map(|trip| seconds(now.since(trip.at))),
        messages: session.messages,
        bytes: session.bytes,
        users: session.users,
    }
}

/// The widths of the columns, as in IOS.
const COLUMNS: Columns<6> = Columns::of([31, 11, 15, 9, 7, 0]);

/// Prints one line for each session.
pub fn text(view: &SessionsView) -> String {
    let SessionsView { total, established, .. } = view;
    let mut text =
        format!("Sessions for VRF default, total: {total}, established: {established}\n");
    text += &COLUMNS.line(["Peer", "State", "Up/Down", "In/Out", "Users", "RTT(ms)"]);
    for row in &view.sessions {
        let (received, sent) = row.messages;
        let state = state(row.state);
        let up = span_or_never(row.up);
        let (users, rtt) = (row.users.to_string(), row.rtt_ms.unwrap_or(0).to_string());
        let messages = format!("{received:2}/{sent}");
        text += &COLUMNS.line([&peer(row), state, &up, &messages, &users, &rtt]);
    }
    text
}

/// Prints one paragraph for each session. Lines about values that this router does not count are
/// left out.
pub fn detail(view: &SessionsView) -> String {
    let mut text = String::new();
    for row in &view.sessions {
        if !text.is_empty() {
            text.push('\n');
        }
        let state = match row.up {
            Some(_) => format!("{} ({})", state(row.state), span_or_never(row.up)),
            None => state(row.state).to_owned(),
        };
        let local = row.local.map_or_else(|| "--".to_owned(), |local| local.to_string());
        let rtt = (row.rtt_ms.unwrap_or(0), span_or_never(row.rtt_measured));
        let in_out = |(received, sent): (u64, u64)| format!("{received}/{sent}");
        for (label, value) in [
            ("Peer address:", peer(row)),
            ("Local address:", local),
            ("Session Type:", kind(row.kind).to_owned()),
            ("Session State:", state),
            ("Session RTT:", format!("{} ms  ({})", rtt.0, rtt.1)),
            ("Messages in/out:", in_out(row.messages)),
            ("Bytes in/out:", in_out(row.bytes)),
            ("Users:", row.users.to_string()),
        ] {
            text += &Columns::of([18, 0]).line([label, &value]);
        }
    }
    text
}

fn kind(kind: SessionType) -> &'static str {
    match kind {
        SessionType::Active => "Active",
        SessionType::Passive => "Passive",
    }
}

fn state(state: SessionState) -> &'static str {
    match state {
        SessionState::Down => "Down",
        SessionState::Connecting => "Connecting",
        SessionState::Up => "Up",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> SessionsView {
        let up = SessionRow {
            peer: "203.203.203.203".parse().unwrap(),
            port: 42_424,
            local: Some("11.11.11.11:4342".parse().unwrap()),
            kind: SessionType::Passive,
            state: SessionState::Up,
            up: Some(401),
            rtt_ms: Some(125),
            rtt_measured: Some(5),
            messages: (5, 10),
            bytes: (1938, 1076),
            users: 3,
        };
        let down = SessionRow {
            peer: "201.201.201.201".parse().unwrap(),
            port: 0,
            state: SessionState::Down,
            up: None,
            rtt_ms: None,
            rtt_measured: None,
            messages: (0, 0),
            users: 0,
            ..up.clone()
        };
        SessionsView { total: 2, established: 1, sessions: vec![down, up] }
    }

    #[test]
    fn a_line_a_session_in_the_columns_of_ios() {
        let expected = "\
Sessions for VRF default, total: 2, established: 1
Peer                           State      Up/Down        In/Out   Users  RTT(ms)
201.201.201.201                Down       never           0/0     0      0
203.203.203.203:42424          Up         00:06:41        5/10    3      125
";
        assert_eq!(text(&sample()), expected);
    }

    #[test]
    fn detail_counts_messages_and_octets() {
        let mut view = sample();
        view.sessions.remove(0);
        let expected = "\
Peer address:     203.203.203.203:42424
Local address:    11.11.11.11:4342
Session Type:     Passive
Session State:    Up (00:06:41)
Session RTT:      125 ms  (00:00:05)
Messages in/out:  5/10
Bytes in/out:     1938/1076
Users:            3
";
        assert_eq!(detail(&view), expected);
    }
}
