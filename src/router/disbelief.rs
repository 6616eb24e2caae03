//! The reasons why the router does not believe an ICMP error; `quote.rs` finds them.

use serde::{Deserialize, Serialize};

/// Why an ICMP error is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Disbelief {
    /// It quotes too little.
    NoData,
    /// No packet was sent to the locator recently.
    UnusedLocator,
    /// It does not quote a LISP header of ours.
    NoLispHeader,
    /// It quotes a packet that this router has not sent.
    UnknownFlow,
}

impl Disbelief {
    /// The reason in a few words.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Disbelief::NoData => "it quotes no packet to port 4341",
            Disbelief::UnusedLocator => "no packet has gone to that locator of late",
            Disbelief::NoLispHeader => "it quotes no LISP header of ours",
            Disbelief::UnknownFlow => "it quotes a packet that this router has not sent there",
        }
    }
}
