//! The text of a topology file, for errors that point at a place in it.

use crate::lab::failure::Failure;
use crate::lab::file::{LabError, Span};

/// A topology file: its path for messages, and its text.
pub(super) struct Source<'a> {
    pub path: &'a str,
    pub text: &'a str,
}

impl Source<'_> {
    /// An error at a place in the file.
    pub(super) fn error(&self, span: Span, message: impl Into<String>, label: &str) -> Failure {
        Failure::File(LabError::new(self.path, self.text, Some(span), message, label))
    }
}
