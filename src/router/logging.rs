//! The lines that the router writes into its log.
//!
//! A line leaves the core as an output, like everything else: tests read it, a record holds it, and
//! the simulator has it too. It comes without a time, which is that of its input.

use serde::{Deserialize, Serialize};

use super::Router;
use super::io::Output;

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Severity {
    /// Something is wrong, and the operator has something to do.
    Warning,
    /// Something changed as it should.
    Notice,
}

impl From<Severity> for log::Level {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Warning => log::Level::Warn,
            Severity::Notice => log::Level::Info,
        }
    }
}

impl Router {
    /// Writes a line into the log: something is wrong.
    pub(super) fn warn(&mut self, line: String) {
        self.outputs.push_back(Output::Log { severity: Severity::Warning, line });
    }

    /// Writes a line into the log: something changed.
    pub(super) fn notice(&mut self, line: String) {
        self.outputs.push_back(Output::Log { severity: Severity::Notice, line });
    }
}
