//! Blocks of configuration lines that the router does not carry out.
//!
//! A line of a configuration may open a mode. The router may refuse or ignore this line, or only
//! keep it as a comment. In these cases, the router does not enter the mode. But the lines after
//! this line are the block of the mode. The router must not carry out these lines in its present
//! mode, and the `exit` at the end of the block must not leave the present mode. Therefore
//! [`Blocks`] finds the end of the block:
//!
//! - The opener is the line that opens the block. A line with a deeper indentation than the opener
//!   belongs to the block. If the lines of a block are indented, the first line that is not
//!   indented deeper than the opener ends the block.
//! - Without indentation, a line belongs to the block if it is a command of the block's mode. The
//!   first line that is a command of an outer mode ends the block.
//! - If the mode of the block is not known, the block ends at `exit` or `!`. It also ends at a line
//!   that opens a known block, and at a command of the global configuration.

use super::grammar::{Accepted, Context, Extent, Mode, Run, Treatment, opened};
use super::parse::{match_accepted, match_mode};
use super::running_config::NOT_SUPPORTED;
use crate::router::unsupported::Place;

/// If at least this number of successive lines was refused, a following `exit` has no effect. The
/// refused lines may be a block of an unknown mode. In this case, the `exit` is the end of this
/// block.
const REFUSED_BLOCK: usize = 2;

/// How the lines of a block are handled.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Handling {
    /// The lines are skipped, because the opener was refused.
    Refused,
    /// The lines are skipped without a message, because the opener was ignored.
    Ignored,
    /// The running configuration keeps the lines as comments below the line `opener`. The line
    /// `opener` is itself a comment at `place`.
    Kept { place: Place, opener: String },
}

/// A block that is open.
#[derive(Clone, Debug)]
struct Block {
    opener: String,
    handling: Handling,
    /// The mode with the commands of the block, if this mode is known.
    mode: Option<Mode>,
    /// The prompt of IOS in the block. `None` if the prompt does not change at the opener.
    prompt: Option<&'static str>,
    /// The indentation of the opener.
    indent: usize,
    /// Whether a line of the block had a deeper indentation than the opener.
    is_indented: bool,
    /// Whether the block has contained an `exit` with a deeper indentation than the opener. Lines
    /// after this `exit` still belong to the block if they are indented deeper than the opener.
    is_left: bool,
}

/// The relation of a line to the innermost open block.
enum Belongs {
    Inside,
    /// The line is the end of the block.
    End,
    Outside,
}

/// The way in which a line of the configuration is handled.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The line has no effect: a comment, the end of a block, or a line of an ignored block.
    Nothing,
    /// The line is skipped, because it belongs to the block of a refused line.
    Skipped {
        /// The line that was refused.
        opener: String,
    },
    /// The line is kept as a comment, because it belongs to the block that the line `opener`
    /// opened. The line `opener` is also kept as a comment, at `place`.
    Kept { place: Place, opener: String, line: String },
    /// The line is a comment `! not supported: LINE`. `line` is the part `LINE` of the comment.
    Comment { line: String },
    /// The line does not belong to an open block, and it is not a comment.
    Outside,
}

/// The open blocks, and the indentation of the lines so far.
#[derive(Clone, Debug, Default)]
pub struct Blocks {
    open: Vec<Block>,
    /// The block that the previous line may open. `None` if the router carried out the previous
    /// line. The block opens if the next line has a deeper indentation than the previous line.
    last: Option<Block>,
    /// The indentation of the previous line, if the previous line opened a mode.
    opener_indent: Option<usize>,
    /// Whether the configuration indents the lines of a mode.
    is_indented: bool,
    /// The number of successive refused lines, up to the previous line.
    refused_in_row: usize,
    /// The delimiter at which the open text ends. For example, `banner motd #` opens a text that
    /// ends at `#`.
    text_end: Option<String>,
    /// The latest line that the router keeps as a comment and that belongs to no block. If this
    /// line opens a block, the router may also keep the lines of the block.
    kept: Option<String>,
}

impl Blocks {
    /// Whether a block or a text is open.
    pub fn are_open(&self) -> bool {
        !self.open.is_empty() || self.text_end.is_some() || self.last.is_some()
    }

    /// The prompt of the innermost block that no `exit` has left, if this block has a prompt.
    pub fn prompt(&self) -> Option<&'static str> {
        self.open.iter().rev().find(|block| !block.is_left)?.prompt
    }

    /// The delimiter at which the open text ends.
    pub fn text_end(&self) -> Option<&str> {
        self.text_end.as_deref()
    }

    /// Ends the open text, although no line contains its delimiter.
    pub fn end_text(&mut self) {
        self.text_end = None;
    }

    /// Decides how `line`, the next line, is handled. `context` is the present mode of the editor.
    pub(super) fn step(&mut self, context: &Context, line: &str) -> Step {
        let text = line.trim();
        if let Some(end) = &self.text_end {
            if text.contains(end.as_str()) {
                self.text_end = None;
            }
            return Step::Nothing;
        }
        let indent = line.len() - line.trim_start().len();
        if text.is_empty() {
            return Step::Nothing;
        }
        if let Some(kept) = text.strip_prefix(NOT_SUPPORTED)
            && self.open.is_empty()
        {
            self.last.take_if(|block| indent <= block.indent);
            let line = kept.strip_prefix(' ').unwrap_or(kept).to_owned();
            return if line.trim().is_empty() { Step::Nothing } else { Step::Comment { line } };
        }
        if text.starts_with('!') {
            self.separate(indent);
            return Step::Nothing;
        }
        self.learn(indent);
        if text.eq_ignore_ascii_case("end") {
            self.open.clear();
        }
        while let Some(top) = self.open.last() {
            let handling = top.handling.clone();
            match self.belongs(context, indent, text) {
                Belongs::Outside => drop(self.open.pop()),
                Belongs::End => {
                    self.open.pop();
                    return self.inside(handling, indent, text, true);
                }
                Belongs::Inside => return self.inside(handling, indent, text, is_exit(text)),
            }
        }
        if is_exit(text) && self.refused_in_row >= REFUSED_BLOCK {
            self.refused_in_row = 0;
            return Step::Nothing;
        }
        Step::Outside
    }

    /// The way in which a line of a block is handled.
    fn inside(&self, handling: Handling, indent: usize, text: &str, is_exit: bool) -> Step {
        let depth = self.open.last().map_or(1, |block| indent.saturating_sub(block.indent).max(1));
        match handling {
            Handling::Ignored => Step::Nothing,
            Handling::Refused if is_exit => Step::Nothing,
            Handling::Refused => {
                let opener = self.open.first().map(|block| block.opener.clone());
                Step::Skipped { opener: opener.unwrap_or_default() }
            }
            Handling::Kept { place, opener } => {
                Step::Kept { place, opener, line: format!("{:depth$}{text}", "") }
            }
        }
    }

    /// Ends blocks at a line `!`. The line ends each block whose opener has a deeper indentation
    /// than `!`. If `!` and the opener have the same indentation, the block also ends. The
    /// exception is a block of a known mode whose lines are not indented: in this block, `!` is
    /// only a comment.
    fn separate(&mut self, indent: usize) {
        self.last.take_if(|block| indent <= block.indent);
        let ends = |block: &mut Block| {
            let may_end = block.is_indented || block.mode.is_none();
            indent < block.indent || indent == block.indent && may_end
        };
        while self.open.pop_if(ends).is_some() {}
    }

    /// Updates the blocks for the indentation of the next line. The previous line opens a block if
    /// the next line has a deeper indentation and the router did not carry out the previous line.
    fn learn(&mut self, indent: usize) {
        self.is_indented |= self.opener_indent.take().is_some_and(|opener| indent > opener);
        if let Some(block) = self.last.take()
            && indent > block.indent
        {
            self.open.push(block);
        }
    }

    /// The relation of a line to the innermost open block.
    fn belongs(&mut self, context: &Context, indent: usize, text: &str) -> Belongs {
        let Some(top) = self.open.last_mut() else { return Belongs::Outside };
        let (mode, is_left) = (top.mode, top.is_left);
        if indent > top.indent {
            top.is_indented = true;
            top.is_left |= is_exit(text);
            self.is_indented = true;
            return Belongs::Inside;
        }
        if indent < top.indent || is_exit(text) && is_left {
            return Belongs::Outside;
        }
        if text.eq_ignore_ascii_case("exit") {
            return Belongs::End;
        }
        if is_exit(text) {
            let is_own = mode.is_some_and(|mode| match_mode(mode, text).is_ok());
            return match (is_own, self.is_outer_command(context, text), mode) {
                (true, ..) | (_, false, None) => Belongs::End,
                (_, true, _) => Belongs::Outside,
                (_, false, Some(_)) => Belongs::Inside,
            };
        }
        if top.is_indented || self.is_indented && indent > 0 {
            return Belongs::Outside;
        }
        let is_inside = match mode {
            Some(mode) => self.is_in_mode(mode, context, text),
            None => !is_known(context, text),
        };
        if !is_inside {
            return Belongs::Outside;
        }
        self.open_inner(indent, text);
        Belongs::Inside
    }

    /// Whether a line belongs to a block of the mode `mode`. The lines of this block are not
    /// indented.
    fn is_in_mode(&self, mode: Mode, context: &Context, text: &str) -> bool {
        if *context == Context::Exec && match_mode(Mode::Exec, text).is_ok() {
            return false;
        }
        if match_mode(mode, text).is_ok() {
            return true;
        }
        if self.is_outer_command(context, text) {
            return false;
        }
        match_accepted(mode, text).is_some()
            || !outward(context)
                .any(|mode| opened(mode, text).is_some() || match_accepted(mode, text).is_some())
    }

    /// Whether the line is a command of an outer block or of an outer mode.
    fn is_outer_command(&self, context: &Context, text: &str) -> bool {
        let outer_blocks = self.open.iter().rev().skip(1).filter_map(|block| block.mode);
        outer_blocks.chain(outward(context)).any(|mode| match_mode(mode, text).is_ok())
    }

    /// If the line opens a mode, opens an inner block in the innermost block. The lines of the
    /// innermost block are not indented. The lines of the inner block are handled like the lines of
    /// the outer block.
    fn open_inner(&mut self, indent: usize, text: &str) {
        let Some(top) = self.open.last() else { return };
        let Some(mode) = top.mode else { return };
        let inner = match match_accepted(mode, text).map(|matched| matched.run) {
            Some(Run::Accept(Accepted { extent: Extent::Block { like, .. }, .. })) => Some(*like),
            _ => opened(mode, text),
        };
        if let Some(inner) = inner {
            let block = Block { mode: inner, is_indented: false, indent, ..top.clone() };
            self.open.push(block);
        }
    }

    /// Updates the blocks after a line was carried out. `opens` is true if the line entered a mode.
    pub(super) fn applied(&mut self, line: &str, opens: bool) {
        self.refused_in_row = 0;
        let indent = line.len() - line.trim_start().len();
        self.opener_indent = opens.then_some(indent);
    }

    /// Updates the blocks after a line was refused. If the line is the opener of a mode, the block
    /// of the line begins.
    pub(super) fn refused(&mut self, context: &Context, line: &str) {
        self.refused_in_row += 1;
        let block = Block::new(line, Handling::Refused);
        match outward(context).find_map(|mode| opened(mode, line.trim())) {
            Some(mode) => self.open.push(Block { mode, ..block }),
            None => self.last = Some(block),
        }
    }

    /// Updates the blocks after a line was accepted. The router does not carry out an accepted
    /// line. If the line is kept as a comment, `place` is the place of the comment.
    pub(super) fn accepted(&mut self, row: &Accepted, line: &str, place: Option<Place>) {
        self.refused_in_row = 0;
        let opener = line.trim().to_owned();
        let handling = match place {
            Some(place) => {
                self.kept = Some(opener.clone());
                Handling::Kept { place, opener }
            }
            None => Handling::Ignored,
        };
        let block = Block::new(line, handling);
        match row.extent {
            Extent::Block { prompt, like } => {
                self.open.push(Block { mode: like, prompt: Some(prompt), ..block });
            }
            Extent::Line if row.treatment == Treatment::Ignored => self.last = Some(block),
            Extent::Line => {}
            Extent::Text => self.text_end = text_end(line),
        }
    }

    /// Returns the opener of the block to which a kept line belongs. A kept line is a line that the
    /// running configuration keeps as a comment. A kept line that begins with a blank belongs to
    /// the block of the latest kept line without a blank. A kept line without a blank belongs to no
    /// block, and the result is `None`. It may open a block for the kept lines after it.
    pub(super) fn kept_opener(&mut self, line: &str) -> Option<String> {
        match line.starts_with(' ') {
            true => Some(self.kept.clone().unwrap_or_default()),
            false => {
                self.kept = Some(line.to_owned());
                None
            }
        }
    }
}

impl Block {
    fn new(line: &str, handling: Handling) -> Self {
        Block {
            opener: line.trim().to_owned(),
            handling,
            mode: None,
            prompt: None,
            indent: line.len() - line.trim_start().len(),
            is_indented: false,
            is_left: false,
        }
    }
}

/// Whether a line is `exit`, or begins with `exit-`, as `exit-address-family` does.
fn is_exit(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text == "exit" || text.starts_with("exit-")
}

/// The modes from `context` to the global configuration. In exec mode, the result is only the mode
/// of the global configuration, because a user may paste lines of a configuration in exec mode.
fn outward(context: &Context) -> impl Iterator<Item = Mode> {
    let contexts = std::iter::successors(Some(context.clone()), Context::outer);
    let modes = contexts.map(|context| context.mode()).filter(|mode| *mode != Mode::Exec);
    modes.chain((*context == Context::Exec).then_some(Mode::Config))
}

/// The first words of lines that open an inner block, in a block of `policy-map` or `router bgp`.
/// The router carries out neither `policy-map` nor `router bgp`.
const INNER: [&str; 2] = ["class", "address-family"];

/// Whether a line ends a block of an unknown mode. The line ends the block if it opens a known
/// block, or if it is a command of the global configuration.
fn is_known(context: &Context, text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    let opens_accepted = |mode| {
        let run = match_accepted(mode, text).map(|matched| matched.run);
        matches!(run, Some(Run::Accept(Accepted { extent: Extent::Block { .. }, .. })))
    };
    let opens = |mode| opened(mode, text).is_some() || opens_accepted(mode);
    !INNER.contains(&first) && outward(context).any(opens) || match_mode(Mode::Config, text).is_ok()
}

/// The delimiter of the text after the line `banner [KIND] DELIMITER`. `None` if the text ends in
/// this line.
fn text_end(line: &str) -> Option<String> {
    const KINDS: [&str; 7] =
        ["config-save", "exec", "incoming", "login", "motd", "prompt-timeout", "slip-ppp"];
    let (_, rest) = line.trim().split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    let text = match rest.split_once(char::is_whitespace) {
        Some((kind, text)) if KINDS.contains(&kind) => text.trim_start(),
        None if KINDS.contains(&rest) => "",
        _ => rest,
    };
    // `show running-config` prints the control character ETX as `^C`. Therefore `^C` also stands
    // for ETX in a line.
    let end =
        if text.starts_with("^C") { "^C" } else { text.get(..text.chars().next()?.len_utf8())? };
    (!text[end.len()..].contains(end)).then(|| end.to_owned())
}
