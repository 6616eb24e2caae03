//! The errors of a lab file: file, line, caret and reason.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// A range of octets in the text of a lab file.
pub type Span = Range<usize>;

/// A lab file that cannot be used. Its `Display` shows the line with a caret under the fault.
#[derive(Clone, Debug)]
pub struct LabError {
    /// The error, in a sentence without the position.
    pub message: String,
    /// The whole report.
    report: String,
}

impl LabError {
    /// An error at `span` of `text`, the text of the file `path`; `label` is printed at the caret.
    pub fn new(
        path: &str,
        text: &str,
        span: Option<Span>,
        message: impl Into<String>,
        label: &str,
    ) -> Self {
        let message = message.into();
        let report = match span {
            None => format!("{path}: {message}"),
            Some(span) => {
                let mut annotation = AnnotationKind::Primary.span(span);
                if !label.is_empty() {
                    annotation = annotation.label(label);
                }
                let snippet = Snippet::source(text).path(path).annotation(annotation);
                let title = Level::ERROR.primary_title(&message).element(snippet);
                Renderer::plain().render(&[title])
            }
        };
        // The command line puts its own "error: " before every message.
        let report = report.strip_prefix("error: ").map_or(report.clone(), str::to_owned);
        LabError { message, report }
    }
}

impl fmt::Display for LabError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report)
    }
}

impl std::error::Error for LabError {}
