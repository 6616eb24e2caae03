//! The reason why an operation on a lab failed. It is a text for the user of the command line.

use std::fmt;
use std::io;

use super::file::LabError;

/// The failure of an operation on a lab. Its text has the operation and the file or node.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The lab file has an error.
    #[error("{0}")]
    File(#[from] LabError),
    /// The operating system has refused an operation.
    #[error("{what}: {error}")]
    Io {
        /// The operation.
        what: String,
        /// The error of the operation.
        error: io::Error,
    },
    /// A verb of `netns-scripts` failed.
    #[error("{call}\n{output}")]
    Verb {
        /// The call, in a form that a person can type.
        call: String,
        /// The output of the call on standard error.
        output: String,
    },
    /// Any other failure, as a sentence.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    /// Creates a failure from a sentence.
    pub fn new(message: impl fmt::Display) -> Self {
        Failure::Other(message.to_string())
    }

    /// Returns a function for `map_err`. This function makes a failure from an error of the
    /// operating system, with the name of the refused operation.
    pub fn io(what: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        let what = what.to_string();
        |error| Failure::Io { what, error }
    }
}
