//! The errors in a lab file. Each is shown with the file, the line, a caret and the reason.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// A range of octets in the text of a lab file.
pub type Span = Range<usize>;

/// An error in a lab file. Its text shows the line, with a caret under the fault.
#[derive(Clone, Debug)]
pub struct LabError {
    /// The error as a sentence, without its position.
    pub message: String,
    /// The mark in the text of the file.
    pub mark: Box<Mark>,
    /// The complete report: the error, the line and the caret.
    report: String,
}

/// The place of an error in the text of a file.
#[derive(Clone, Debug)]
pub struct Mark {
    /// The position. `None` if the error concerns the file as a whole.
    pub span: Option<Span>,
    /// The text beside the caret. It can be empty.
    pub label: String,
}

impl LabError {
    /// Creates an error at the position `span` of `text`. `path` is the path of the file. `label`
    /// is printed beside the caret.
    pub fn new(
        path: &str,
        text: &str,
        span: Option<Span>,
        message: impl Into<String>,
        label: &str,
    ) -> Self {
        let message = message.into();
        let report = match span.clone() {
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
        // The command line prints its own "error: " before every message, so the "error: " of the
        // report is removed here.
        let report = report.strip_prefix("error: ").map_or(report.clone(), str::to_owned);
        let mark = Box::new(Mark { span, label: label.to_owned() });
        LabError { message, mark, report }
    }
}

impl fmt::Display for LabError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report)
    }
}

impl std::error::Error for LabError {}
