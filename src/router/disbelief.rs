//! The reasons why the router does not believe an ICMP error. The code in `quote.rs` finds the
//! reason.

use serde::{Deserialize, Serialize};

/// The reason why the router does not believe an ICMP error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Disbelief {
    /// The error does not quote a packet to the LISP data port, UDP 4341.
    NoData,
    /// This router sent no packet to the locator recently.
    UnusedLocator,
    /// The error does not quote a LISP header of this router.
    NoLispHeader,
    /// The error quotes a packet that this router has not sent.
    UnknownFlow,
}

impl Disbelief {
    /// The reason in a few words.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Disbelief::NoData => "the ICMP error does not quote a packet to port 4341",
            Disbelief::UnusedLocator => {
                "this router has not sent a packet to that locator recently"
            }
            Disbelief::NoLispHeader => "the ICMP error does not quote a LISP header of this router",
            Disbelief::UnknownFlow => {
                "the ICMP error quotes a packet that this router has not sent to that locator"
            }
        }
    }
}
