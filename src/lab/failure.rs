//! The reason why a lab operation failed, for the person at the command line.

use std::fmt;
use std::io;

use super::file::LabError;

/// The failure of an operation on a lab; its `Display` names the operation and the file or node.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The lab file is wrong.
    #[error("{0}")]
    File(#[from] LabError),
    /// The operating system refused something.
    #[error("{what}: {error}")]
    Io {
        /// The operation.
        what: String,
        /// Its error.
        error: io::Error,
    },
    /// A verb of `netns-scripts` failed.
    #[error("{call}\n{output}")]
    Verb {
        /// The call, as a person can type it.
        call: String,
        /// Its output on standard error.
        output: String,
    },
    /// Any other failure, in a sentence.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    /// A failure in a sentence.
    pub fn new(message: impl fmt::Display) -> Self {
        Failure::Other(message.to_string())
    }

    /// Names the operation that the operating system refused. For `map_err`.
    pub fn io(what: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        let what = what.to_string();
        |error| Failure::Io { what, error }
    }
}
