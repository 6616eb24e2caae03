//! `show tech-support`: the outputs of several `show` commands, one after the other.

use std::collections::VecDeque;

use super::{Format, Source, State};

/// Several running `show` commands. The outputs are printed in the order of the commands, each
/// output below a title.
pub struct Several {
    rest: VecDeque<(String, Box<dyn Source>)>,
    /// Whether the title of the first command in `rest` has been printed.
    is_titled: bool,
    /// Whether a part of the JSON has been printed.
    is_begun: bool,
    is_done: bool,
}

impl Several {
    /// Makes the output of several `show` commands. Each command has its line, which is printed as
    /// the title.
    pub fn new(commands: Vec<(String, Box<dyn Source>)>) -> Self {
        Several { rest: commands.into(), is_titled: false, is_begun: false, is_done: false }
    }

    fn title(&mut self, line: &str, format: Format) -> String {
        self.is_titled = true;
        let comma = if std::mem::replace(&mut self.is_begun, true) { "," } else { "{" };
        match format {
            Format::Text => format!("\n------------------ {line} ------------------\n\n"),
            Format::Json => format!("{comma}\n{}:", super::json(&line)),
        }
    }
}

impl Source for Several {
    fn poll(&mut self, state: State<'_>, format: Format) -> Option<String> {
        let Some((line, source)) = self.rest.front_mut() else {
            let is_first = !std::mem::replace(&mut self.is_done, true);
            return (is_first && format == Format::Json).then(|| "}\n".to_owned());
        };
        if !self.is_titled {
            let line = line.clone();
            return Some(self.title(&line, format));
        }
        let piece = source.poll(state, format);
        if piece.is_none() {
            self.rest.pop_front();
            self.is_titled = false;
        }
        Some(piece.unwrap_or_default())
    }
}
