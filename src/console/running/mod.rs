//! The exec commands that run for some time: `ping`, `traceroute` and `lig`. The router does its
//! other work while a command runs. A session polls its command repeatedly for the next piece of
//! text. Often there is no new text yet.

pub mod forms;
mod lig;
mod ping;
mod source;
mod start;
mod traceroute;

pub use lig::Lig;
pub use ping::{Ping, PingOptions};
pub use source::{Source, ends};
pub use start::{start_lig, start_probe};
pub use traceroute::{Traceroute, TracerouteOptions};

use crate::router::Router;
use crate::time::Time;

/// The next step of a command that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Print this text.
    Text(String),
    /// There is nothing to print yet.
    Wait,
    /// The command has ended.
    End,
}

/// A command that runs.
pub trait Running {
    /// Does the work that is due, and returns the next piece. One call does a limited amount of
    /// work.
    fn poll(&mut self, router: &Router, now: Time) -> Piece;

    /// The time of the next [`Running::poll`]. `None` if the command does not wait for a time.
    fn poll_timeout(&self) -> Option<Time>;

    /// Whether the command has work now, because an answer has arrived.
    fn has_answer(&self) -> bool {
        false
    }

    /// Aborts the command. After this call, [`Running::poll`] still returns the text that IOS
    /// prints after an abort.
    fn interrupt(&mut self);
}
