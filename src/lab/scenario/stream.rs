//! The data that a TCP client of a scenario receives on its connection, and the expectations on
//! this data.

use std::fmt;

use crate::wire::{ReliableFrame, ReliableType};

/// The manner in which a connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The peer has sent FIN.
    Closed,
    /// The peer has sent RST after the connection was established.
    Reset,
    /// The connection was never established: the SYN was answered with RST or not answered.
    Refused,
}

/// The data that a connection has received since the previous call of `Stage::arrived`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrived {
    /// The octets that were received.
    pub octets: Vec<u8>,
    /// The end of the connection. It is set only when the connection has ended and all octets
    /// before its end were returned.
    pub end: Option<End>,
}

/// The data that must come next on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A message of this type. If there is a text, the line that shows the message must contain it.
    Message(ReliableType, Option<String>),
    /// The end of the connection. If a kind of end is given, the connection must end in this way.
    /// `None` stands for any end of an established connection.
    End(Option<End>),
}

impl Heard {
    /// Whether a message satisfies this expectation.
    pub fn is_message(&self, frame: &ReliableFrame) -> bool {
        match self {
            Heard::Message(kind, text) => {
                let line = frame.to_string();
                *kind == frame.message.message_type()
                    && text.as_ref().is_none_or(|text| line.contains(text))
            }
            Heard::End(_) => false,
        }
    }

    /// Whether an end of the connection satisfies this expectation.
    pub fn is_end(&self, end: End) -> bool {
        match self {
            Heard::Message(..) => false,
            Heard::End(None) => end != End::Refused,
            Heard::End(Some(expected)) => *expected == end,
        }
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Heard::Message(kind, None) => f.write_str(kind.name()),
            Heard::Message(kind, Some(text)) => write!(f, "{} with {text:?}", kind.name()),
            Heard::End(None) => f.write_str("the end of the connection"),
            Heard::End(Some(end)) => write!(f, "{end}"),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            End::Closed => "closed",
            End::Reset => "reset",
            End::Refused => "refused",
        })
    }
}
