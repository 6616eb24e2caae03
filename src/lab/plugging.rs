//! The manners in which a host moves from one LAN to another.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The manner in which a host moves to another LAN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Plugging {
    /// The host leaves the old LAN at the moment when it joins the new LAN.
    #[default]
    Atomic,
    /// The host is in both LANs for a second. It sends only in the new LAN.
    MakeBeforeBreak,
    /// The host is in no LAN for a second.
    BreakBeforeMake,
}

impl Plugging {
    /// The time between the two steps of a move that is not atomic. In one step, the host joins the
    /// new LAN. In the other step, the host leaves the old LAN. With make-before-break, a new
    /// registration takes effect within this time.
    pub const BETWEEN: Duration = Duration::from_secs(1);

    /// The manners that have a word in commands. If a command has none of these words, the move is
    /// atomic.
    pub const NAMED: [Plugging; 2] = [Plugging::MakeBeforeBreak, Plugging::BreakBeforeMake];

    /// Returns the word for a manner of [`Plugging::NAMED`] in statements and options. Returns
    /// `None` for an atomic move.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Plugging::Atomic => None,
            Plugging::MakeBeforeBreak => Some("make-before-break"),
            Plugging::BreakBeforeMake => Some("break-before-make"),
        }
    }
}
