//! The messages of the console about the lines of the user.

use std::ops::Range;

use super::args::Fault;
use super::blocks::Blocks;
use super::interpret::{self, LineError, Taken};
use super::parse::Mismatch;

/// The text about a line that is not refused.
pub(super) fn taken_text(line: &str, taken: &Taken, blocks: &Blocks) -> String {
    match taken {
        Taken::Skipped(opener) => {
            format!("% Skipped: this line belongs to the block of the refused line `{opener}`\n")
        }
        Taken::Accepted(row) => {
            let warning = format!("% Warning: {}\n", interpret::warning(line, row));
            match blocks.text_end() {
                Some(end) => {
                    format!("{warning}Enter TEXT message.  End with the character '{end}'.\n")
                }
                None => warning,
            }
        }
        _ => String::new(),
    }
}

/// The message about a refused line.
pub(super) fn error_text(line: &str, prompt: usize, error: &LineError) -> String {
    match error {
        LineError::Syntax(mismatch) => mismatch_text(line, prompt, mismatch),
        LineError::Semantic(fault) => fault_text(line, prompt, fault),
    }
}

/// The message for a line that cannot be carried out. If a value is wrong, a caret points at it. If
/// a keyword is not possible in the present state, there is no caret, as on IOS.
pub(super) fn fault_text(line: &str, prompt: usize, fault: &Fault) -> String {
    let message = format!("% {}\n", fault.message);
    match fault.in_value {
        true => format!("{:1$}^\n{message}", "", prompt + column(line, &fault.span, 0)),
        false => message,
    }
}

/// The message of IOS for a line that is not a command. The caret is below the wrong word on the
/// screen. The line begins after the prompt, and `prompt` is the number of characters of the
/// prompt.
pub(super) fn mismatch_text(line: &str, prompt: usize, mismatch: &Mismatch) -> String {
    match mismatch {
        Mismatch::Invalid { span, fits, .. } => {
            let caret = prompt + column(line, span, *fits);
            format!("{:caret$}^\n% Invalid input detected at '^' marker.\n\n", "")
        }
        Mismatch::Ambiguous { .. } => format!("% Ambiguous command:  \"{}\"\n", line.trim()),
        Mismatch::Incomplete { .. } => "% Incomplete command.\n\n".to_owned(),
    }
}

/// The number of characters in the line before the first wrong character of a word.
fn column(line: &str, span: &Range<usize>, fits: usize) -> usize {
    line[..span.start].chars().count() + fits
}
