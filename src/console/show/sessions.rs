//! `show lisp session`: the sessions of reliable transport.

use std::net::IpAddr;

use super::columns::Columns;
use super::span::{seconds, span_or_never};
use super::{State, endpoint};
use crate::console::view::sessions::{SessionRow, SessionsView, UserRow};
use crate::router::session::{SessionState, SessionType, SessionUser, SessionView};
use crate::time::Time;

/// The text for a peer: the address and the port of the peer. If the peer is not connected, the
/// text is only the address.
fn peer(row: &SessionRow) -> String {
    match row.port {
        0 => row.peer.to_string(),
        port => endpoint(row.peer, port),
    }
}

/// The sessions to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All sessions.
    All,
    /// The sessions that are up.
    Established,
    /// The sessions with this peer.
    With(IpAddr),
}

/// The view of some sessions. If only the established sessions are shown, the numbers in the head
/// still count all sessions.
pub fn view(State { router, now, .. }: State<'_>, which: Which) -> SessionsView {
    let sessions = router.sessions();
    let mut sessions: Vec<SessionRow> = sessions
        .into_iter()
        .filter(|session| match which {
            Which::With(peer) => session.peer.ip() == peer,
            Which::All | Which::Established => true,
        })
        .map(|session| row(&session, now))
        .collect();
    sessions.sort_by_key(|session| (session.peer, session.port));
    let is_up = |row: &SessionRow| row.state == SessionState::Up;
    let established = sessions.iter().filter(|row| is_up(row)).count();
    let total = sessions.len();
    sessions.retain(|row| which != Which::Established || is_up(row));
    SessionsView { total, established, sessions }
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
        users: session.users.iter().map(user).collect(),
    }
}

fn user(&SessionUser { instance_id, family, messages }: &SessionUser) -> UserRow {
    UserRow { instance_id, family, messages }
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
        let (users, rtt) = (row.users.len().to_string(), row.rtt_ms.unwrap_or(0).to_string());
        let messages = format!("{received:2}/{sent}");
        text += &COLUMNS.line([&peer(row), state, &up, &messages, &users, &rtt]);
    }
    text
}

/// Prints one paragraph for each session. The counters of wrong and deferred messages are always 0:
/// the router closes a session after a message that it cannot read, and never defers a message.
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
        let local = row.local.map(|local| endpoint(local.ip(), local.port()));
        let local = local.unwrap_or_else(|| "--".to_owned());
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
            ("Fatal errors:", "0".to_owned()),
            ("Rcvd unsupported:", "0".to_owned()),
            ("Rcvd invalid VRF:", "0".to_owned()),
            ("Rcvd override:", "0".to_owned()),
            ("Rcvd malformed:", "0".to_owned()),
            ("Sent deferred:", "0".to_owned()),
            ("SSO redundancy:", "N/A".to_owned()),
            ("Auth Type:", "None".to_owned()),
            ("", String::new()),
            ("Accepting Users:", "0".to_owned()),
            ("Users:", row.users.len().to_string()),
        ] {
            text += &Columns::of([18, 0]).line([label, &value]);
        }
        text += &users_text(row);
    }
    text
}

/// Prints one line for each user of a session. The word "user" means the registrations of one
/// instance and family.
fn users_text(row: &SessionRow) -> String {
    let columns = Columns::of([2, 26, 40, 10, 0]);
    let mut text = columns.line(["", "Type", "ID", "In/Out", "State"]);
    let registers = match row.kind {
        SessionType::Active => "ETR Reliable Registration",
        SessionType::Passive => "MS Reliable Registration",
    };
    for UserRow { instance_id, family, messages: (received, sent) } in &row.users {
        let id = format!("lisp 0 IID {instance_id} AFI {family}");
        let messages = format!("{received:2}/{sent}");
        text += &columns.line(["", registers, &id, &messages, "TCP"]);
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
    use crate::addr::{Family, InstanceId};

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
            users: vec![UserRow {
                instance_id: InstanceId::new(102).unwrap(),
                family: Family::Ipv4,
                messages: (4, 2),
            }],
        };
        let down = SessionRow {
            peer: "201.201.201.201".parse().unwrap(),
            port: 0,
            state: SessionState::Down,
            up: None,
            rtt_ms: None,
            rtt_measured: None,
            messages: (0, 0),
            users: Vec::new(),
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
203.203.203.203:42424          Up         00:06:41        5/10    1      125
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
Fatal errors:     0
Rcvd unsupported: 0
Rcvd invalid VRF: 0
Rcvd override:    0
Rcvd malformed:   0
Sent deferred:    0
SSO redundancy:   N/A
Auth Type:        None

Accepting Users:  0
Users:            1
  Type                      ID                                      In/Out    State
  MS Reliable Registration  lisp 0 IID 102 AFI IPv4                  4/2      TCP
";
        assert_eq!(detail(&view), expected);
    }

    #[test]
    fn a_peer_with_an_ipv6_address_has_its_port_after_a_dot() {
        let mut view = sample();
        view.sessions[1].peer = "2001:db8::1".parse().unwrap();
        view.sessions[1].local = Some("[2001:db8::2]:4342".parse().unwrap());
        assert!(text(&view).contains("\n2001:db8::1.42424 "), "{}", text(&view));
        assert!(detail(&view).contains("Local address:    2001:db8::2.4342\n"));
    }
}
