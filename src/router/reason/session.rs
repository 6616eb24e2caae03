//! The reasons why a reliable session begins or ends.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use super::Reason;

/// The reason why a reliable session went up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionReason {
    /// This router is an ETR, and the map-server accepted its connection.
    Connected,
    /// This router is a map-server, and accepted the connection of an ETR that registers with this
    /// router.
    Accepted,
    /// The connection ended: the other end closed it, or did not answer.
    ConnectionEnded,
    /// The map-server did not send the Registration Refresh that begins a session.
    NoRefresh,
    /// The ETR opened another connection.
    Replaced,
    /// The other end sent octets that are not a valid message.
    Unreadable,
    /// The configuration needs no session with this map-server, or the router does not accept
    /// sessions any more.
    Deconfigured,
    /// The key that opened the session changed.
    KeyChanged,
    /// An operator cleared the session.
    Cleared,
    /// This router stops.
    Stops,
}

impl Display for SessionReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SessionReason::Connected => {
                "The map-server acknowledged a Map-Register, and accepted a connection"
            }
            SessionReason::Accepted => {
                "An ETR that registers with this map-server opened a connection"
            }
            SessionReason::ConnectionEnded => "The TCP connection of the session ended",
            SessionReason::NoRefresh => {
                "The map-server sent no Registration Refresh on the new connection"
            }
            SessionReason::Replaced => "The ETR opened another connection",
            SessionReason::Unreadable => "The other end sent octets that are not a valid message",
            SessionReason::Deconfigured => "The configuration does not need the session",
            SessionReason::KeyChanged => "The key that opened the session changed",
            SessionReason::Cleared => "An operator cleared the session",
            SessionReason::Stops => "This router stops",
        })
    }
}

impl Reason for SessionReason {
    fn section(&self) -> &'static str {
        match self {
            SessionReason::Unreadable => {
                "draft-kouvelas-lisp-map-server-reliable-transport section 4"
            }
            SessionReason::Cleared => "IOS: clear lisp session",
            _ => "draft-kouvelas-lisp-map-server-reliable-transport section 6.2",
        }
    }
}
