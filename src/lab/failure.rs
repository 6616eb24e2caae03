//! Why something with a lab did not work, for the person at the command line.

use std::fmt;
use std::io;

use super::file::LabError;

/// Why something with a lab did not work; its `Display` says what and where.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The lab file is wrong.
    #[error("{0}")]
    File(#[from] LabError),
    /// The operating system refused something.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// What it said.
        error: io::Error,
    },
    /// A verb of `netns-scripts` failed.
    #[error("{call}\n{output}")]
    Verb {
        /// The call, as it can be typed.
        call: String,
        /// What it printed on its standard error.
        output: String,
    },
    /// Anything else, in a sentence.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    /// A failure in a sentence.
    pub fn new(message: impl fmt::Display) -> Self {
        Failure::Other(message.to_string())
    }

    /// Names what was tried when the operating system refused it: for `map_err`.
    pub fn io(what: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        let what = what.to_string();
        |error| Failure::Io { what, error }
    }
}
