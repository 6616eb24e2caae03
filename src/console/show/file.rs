//! `more`: prints a file or a configuration.

use super::machine::NO_FILE;
use super::{Format, Source, State, json};
use crate::console::flash::{self, Place, error_opening};
use crate::console::machine::Machine;
use crate::console::running_config;
use crate::console::view::machine::FileView;
use crate::router::config::Config;

/// The number of octets after which a piece of the output of `more` ends. The piece ends at the
/// next line end.
const PIECE: usize = 16 << 10;

/// Returns the text of the file or configuration at `place`.
///
/// # Errors
/// The reason why this text cannot be read.
pub fn read(
    place: &Place,
    config: &Config,
    machine: Option<&dyn Machine>,
) -> Result<String, String> {
    match place {
        Place::Running => Ok(running_config(config)),
        Place::Startup => Ok(machine.ok_or(NO_FILE)?.startup()?.text),
        Place::File(name) => flash::read(machine.and_then(Machine::storage), name),
    }
}

/// The output of `more`: a file, in pieces. No piece ends in the middle of a line.
pub struct More {
    place: Place,
    /// The unprinted part of the file. `None` before the file was read.
    rest: Option<String>,
    has_failed: bool,
}

impl More {
    /// The output of the file at `place`.
    pub fn new(place: Place) -> Self {
        More { place, rest: None, has_failed: false }
    }

    fn read(&mut self, State { router, hosts, .. }: State<'_>, format: Format) -> String {
        let file = self.place.to_string();
        match (read(&self.place, router.config(), hosts.machine()), format) {
            (Ok(text), Format::Text) => text,
            (Ok(text), Format::Json) => {
                let lines = text.lines().map(str::to_owned).collect();
                json(&FileView { file, lines: Some(lines), reason: None }) + "\n"
            }
            (Err(why), format) => {
                self.has_failed = true;
                match format {
                    Format::Text => error_opening(&file, &why),
                    Format::Json => json(&FileView { file, lines: None, reason: Some(why) }) + "\n",
                }
            }
        }
    }
}

impl Source for More {
    fn poll(&mut self, state: State<'_>, format: Format) -> Option<String> {
        let mut rest = match self.rest.take() {
            Some(rest) => rest,
            None => self.read(state, format),
        };
        let ends = rest.bytes().enumerate().skip(PIECE).find(|(_, octet)| *octet == b'\n');
        let end = ends.map_or(rest.len(), |(at, _)| at + 1);
        let piece = rest.drain(..end).collect::<String>();
        self.rest = Some(rest);
        (!piece.is_empty()).then_some(piece)
    }

    fn failed(&self) -> bool {
        self.has_failed
    }
}
