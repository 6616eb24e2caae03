//! The state of the registration of one EID prefix with one map-server, according to the table of
//! the reliable transport draft (draft-kouvelas-lisp-map-server-reliable-transport-04 section 6.2).
//!
//! ```text event | none | Periodic | Stable | AckWait | Rejected
//! -----------------+-------------+------------+-------------+-------------+------------ created,
//! down | Periodic A1 | | | | created, up | AckWait A2 | | | | deleted | | none A3 | none A6 | none
//! A6 | none changed | | stays A1 | AckWait A2 | stays A2 | AckWait A2 session up | | Stable A4 | |
//! | session down | | | Periodic A7 | Periodic A7 | Periodic A7 Refresh | | | AckWait A2 | stays A2
//! | AckWait A2 Refresh, R set | | | stays | stays A2 | AckWait A2 Ack | | | stays | Stable |
//! AckWait A2 Reject | | | Rejected | Rejected | stays timer | | stays A5 | | | ``` In the draft, a
//! changed mapping waits for the periodic timer. This implementation registers the changed mapping
//! immediately (action A1 of the table).

/// The state of a registration. A prefix without registration has no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The router registers the prefix periodically by UDP.
    Periodic,
    /// The prefix is registered by TCP, and the map-server has acknowledged the registration. A
    /// prefix that waits for the first Refresh of a session has this state too.
    Stable,
    /// A Registration was sent by TCP, and is not acknowledged yet.
    AckWait,
    /// The map-server has refused the registration.
    Rejected,
}

/// An event of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The prefix must be registered. `session_up` is true if the session is up.
    Created { session_up: bool },
    /// The registration of the prefix must end.
    Deleted,
    /// The mapping of the prefix, or the key of the map-server, has changed.
    Changed,
    /// The TCP session with the map-server came up.
    SessionUp,
    /// The TCP session went down.
    SessionDown,
    /// A Registration Refresh that covers the prefix has arrived.
    Refresh,
    /// A Registration Refresh that is only for rejected prefixes has arrived.
    RefreshRejected,
    /// A Registration Ack has arrived.
    Ack,
    /// A Registration Reject has arrived.
    Reject,
    /// The periodic timer has expired.
    Timer,
}

/// The actions of a transition, with their numbers in the draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Do nothing.
    None,
    /// A1: start the periodic timer, due immediately.
    StartTimerNow,
    /// A2: send a Registration on TCP.
    SendRegistration,
    /// A3: send a Map-Register with TTL 0 by UDP.
    WithdrawByUdp,
    /// A4: stop the periodic timer.
    StopTimer,
    /// A5: send a Map-Register by UDP and restart the timer.
    SendMapRegister,
    /// A6: send a Registration with TTL 0 on TCP.
    WithdrawByTcp,
    /// A7: start the timer with its period.
    StartTimer,
}

/// Returns the next state and the action according to the table of the draft. An empty cell of this
/// table changes nothing.
pub(super) fn transition(state: Option<State>, event: Event) -> (Option<State>, Action) {
    use State::{AckWait, Periodic, Rejected, Stable};
    let (next, action) = match (state, event) {
        (None, Event::Created { session_up: false }) => (Periodic, Action::StartTimerNow),
        (None, Event::Created { session_up: true }) => (AckWait, Action::SendRegistration),
        (None, _) => return (None, Action::None),

        (Some(Periodic), Event::Deleted) => return (None, Action::WithdrawByUdp),
        (Some(Stable | AckWait), Event::Deleted) => return (None, Action::WithdrawByTcp),
        (Some(Rejected), Event::Deleted) => return (None, Action::None),

        (Some(Periodic), Event::Changed) => (Periodic, Action::StartTimerNow),
        (Some(Stable | AckWait | Rejected), Event::Changed) => (AckWait, Action::SendRegistration),

        (Some(Periodic), Event::SessionUp) => (Stable, Action::StopTimer),
        (Some(Stable | AckWait | Rejected), Event::SessionDown) => (Periodic, Action::StartTimer),

        (Some(Stable | AckWait | Rejected), Event::Refresh) => (AckWait, Action::SendRegistration),
        (Some(AckWait | Rejected), Event::RefreshRejected) => (AckWait, Action::SendRegistration),

        (Some(AckWait), Event::Ack) => (Stable, Action::None),
        (Some(Rejected), Event::Ack) => (AckWait, Action::SendRegistration),
        (Some(Stable | AckWait), Event::Reject) => (Rejected, Action::None),

        (Some(Periodic), Event::Timer) => (Periodic, Action::SendMapRegister),
        (Some(state), _) => (state, Action::None),
    };
    (Some(next), action)
}

#[cfg(test)]
mod tests {
    use super::Action::{
        SendMapRegister, SendRegistration, StartTimer, StartTimerNow, StopTimer, WithdrawByTcp,
        WithdrawByUdp,
    };
    use super::Event::{
        Ack, Changed, Created, Deleted, Refresh, RefreshRejected, Reject, SessionDown, SessionUp,
        Timer,
    };
    use super::State::{AckWait, Periodic, Rejected, Stable};
    use super::*;

    /// The rows of the table in the draft. The columns are the states: no state, Periodic, Stable,
    /// AckWait and Rejected.
    #[test]
    fn the_table_is_the_drafts() {
        type Cell = (Option<State>, Action);
        let stays = [None, Some(Periodic), Some(Stable), Some(AckWait), Some(Rejected)]
            .map(|state| (state, Action::None));
        let [no, periodic, stable, ack_wait, rejected] = stays;
        let to = |state, action| -> Cell { (Some(state), action) };
        let gone = |action| -> Cell { (None, action) };
        let register = to(AckWait, SendRegistration);
        let rows: [(Event, [Cell; 5]); 11] = [
            (
                Created { session_up: false },
                [to(Periodic, StartTimerNow), periodic, stable, ack_wait, rejected],
            ),
            (Created { session_up: true }, [register, periodic, stable, ack_wait, rejected]),
            (
                Deleted,
                [
                    no,
                    gone(WithdrawByUdp),
                    gone(WithdrawByTcp),
                    gone(WithdrawByTcp),
                    gone(Action::None),
                ],
            ),
            (Changed, [no, to(Periodic, StartTimerNow), register, register, register]),
            (SessionUp, [no, to(Stable, StopTimer), stable, ack_wait, rejected]),
            (
                SessionDown,
                [
                    no,
                    periodic,
                    to(Periodic, StartTimer),
                    to(Periodic, StartTimer),
                    to(Periodic, StartTimer),
                ],
            ),
            (Refresh, [no, periodic, register, register, register]),
            (RefreshRejected, [no, periodic, stable, register, register]),
            (Ack, [no, periodic, stable, to(Stable, Action::None), register]),
            (
                Reject,
                [no, periodic, to(Rejected, Action::None), to(Rejected, Action::None), rejected],
            ),
            (Timer, [no, to(Periodic, SendMapRegister), stable, ack_wait, rejected]),
        ];
        for (event, cells) in rows {
            for ((state, _), expected) in stays.into_iter().zip(cells) {
                assert_eq!(transition(state, event), expected, "{event:?} in {state:?}");
            }
        }
    }
}
