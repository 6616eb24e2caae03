//! The `show` commands. Each file has the commands for one subject. A command fills a
//! [view](super::view) from a router and prints the view in the format of IOS. The JSON output is
//! made from the same view.
//!
//! A `show` command is a [`Source`]. It returns its output in pieces of limited size, and the
//! router continues its work between two pieces. A `show` command that prints a table stores the
//! prefix of the latest row that it printed.

pub mod away;
pub mod cef;
pub mod columns;
pub mod database;
pub mod drops;
pub mod dynamic_eid;
pub mod emulated_hosts;
pub mod fast_path;
pub mod file;
pub mod history;
pub mod host_names;
pub mod interface_lists;
pub mod interfaces;
pub mod lisp;
pub mod machine;
pub mod map_cache;
pub mod mapping;
pub mod neighbours;
pub mod packet;
pub mod refusals;
pub mod restyled;
pub mod routes;
pub mod sessions;
pub mod site;
pub mod site_summary;
pub mod span;
pub mod statistics;
pub mod system;
pub mod tech_support;
pub mod xe;

use std::collections::VecDeque;
use std::net::IpAddr;

use serde::Serialize;

use crate::console::hosts::Hosts;
use crate::console::protocol::TerminalSettings;
use crate::console::view::map_cache::LocatorState;
use crate::console::view::{Failure, LocatorAddress, View};
use crate::router::Router;
use crate::time::Time;
use crate::wire::Address;

/// The maximum number of table entries that one call of [`Table::rows`] examines.
pub const ROWS_A_TURN: usize = 256;

/// The format of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The text format of IOS.
    Text,
    /// One JSON document.
    Json,
}

/// The state that a `show` command reads.
#[derive(Clone, Copy)]
pub struct State<'a> {
    /// The router.
    pub router: &'a Router,
    /// The emulated hosts of the router.
    pub hosts: &'a dyn Hosts,
    /// The latest lines of the session, for `show history`.
    pub history: &'a VecDeque<String>,
    /// The settings of the user's terminal.
    pub terminal: TerminalSettings,
    /// The router's time.
    pub now: Time,
}

/// A `show` command that is printing its output.
pub trait Source {
    /// The next piece of the output, or `None` if the output is complete. A piece may be empty.
    fn poll(&mut self, state: State<'_>, format: Format) -> Option<String>;

    /// Returns true if the requested object does not exist. In this case, the output is a message
    /// about this.
    fn failed(&self) -> bool {
        false
    }
}

/// Some rows of a table, and whether there are more.
pub struct Rows<R> {
    /// The rows: at most [`ROWS_A_TURN`].
    pub rows: Vec<R>,
    /// Whether these rows are the last rows of the table.
    pub finished: bool,
}

/// A table whose output is printed in several pieces.
pub trait Table {
    /// The fields that are printed above the rows.
    type Head: View;
    /// A row of the table.
    type Row: View;

    /// The head of the table. If the requested object does not exist, the result is the message
    /// about this.
    fn head(&self, router: &Router, now: Time) -> Result<Self::Head, String>;

    /// The next rows. They follow the rows that the previous call returned.
    fn rows(&mut self, router: &Router, now: Time) -> Rows<Self::Row>;

    /// Prints the head in the format of IOS.
    fn head_text(&self, head: &Self::Head) -> String;

    /// Prints a row in the format of IOS. This function is called once for each row, in the order
    /// of the rows.
    fn row_text(&mut self, row: &Self::Row) -> String;
}

/// Prints a [`Table`] in pieces.
pub struct Listing<T> {
    table: T,
    stage: Stage,
    any: bool,
    failed: bool,
}

#[derive(PartialEq)]
enum Stage {
    Head,
    Rows,
    Done,
}

impl<T: Table> Listing<T> {
    /// A listing that starts at the beginning of the table.
    pub fn new(table: T) -> Self {
        Listing { table, stage: Stage::Head, any: false, failed: false }
    }

    fn head(&mut self, router: &Router, now: Time, format: Format) -> String {
        let head = match self.table.head(router, now) {
            Ok(head) => head,
            Err(message) => {
                self.stage = Stage::Done;
                self.failed = true;
                return failure(&message, format);
            }
        };
        self.stage = Stage::Rows;
        match format {
            Format::Text => self.table.head_text(&head),
            Format::Json => {
                let fields = json(&head);
                let open = fields.strip_suffix('}').unwrap_or(&fields);
                let comma = if open.len() > 1 { "," } else { "" };
                format!("{open}{comma}\"entries\":[")
            }
        }
    }

    fn rows(&mut self, router: &Router, now: Time, format: Format) -> String {
        let Rows { rows, finished } = self.table.rows(router, now);
        let mut text = String::new();
        for row in &rows {
            match format {
                Format::Text => text += &self.table.row_text(row),
                Format::Json => {
                    text += if self.any { ",\n" } else { "\n" };
                    text += &json(row);
                }
            }
            self.any = true;
        }
        if finished {
            self.stage = Stage::Done;
            if format == Format::Json {
                text += "\n]}\n";
            }
        }
        text
    }
}

impl<T: Table> Source for Listing<T> {
    fn poll(&mut self, state: State<'_>, format: Format) -> Option<String> {
        let State { router, now, .. } = state;
        match self.stage {
            Stage::Head => {
                let mut text = self.head(router, now, format);
                if self.stage == Stage::Rows {
                    text += &self.rows(router, now, format);
                }
                Some(text)
            }
            Stage::Rows => Some(self.rows(router, now, format)),
            Stage::Done => None,
        }
    }

    fn failed(&self) -> bool {
        self.failed
    }
}

/// A `show` command with a short output: the whole output is one piece.
pub struct Page<F, V> {
    view: F,
    text: fn(&V) -> String,
    done: bool,
}

impl<F: Fn(State<'_>) -> V, V: View> Page<F, V> {
    /// A page. `view` fills the view, and `text` prints it.
    pub fn new(view: F, text: fn(&V) -> String) -> Self {
        Page { view, text, done: false }
    }
}

impl<F: Fn(State<'_>) -> V, V: View> Source for Page<F, V> {
    fn poll(&mut self, state: State<'_>, format: Format) -> Option<String> {
        if std::mem::replace(&mut self.done, true) {
            return None;
        }
        let view = (self.view)(state);
        Some(match format {
            Format::Text => (self.text)(&view),
            Format::Json => json(&view) + "\n",
        })
    }
}

/// Writes a view as JSON. This cannot fail, because a view consists of strings, numbers, lists and
/// named fields, and all of these exist in JSON.
pub fn json(view: &impl Serialize) -> String {
    serde_json::to_string(view).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
}

/// An error message: `% MESSAGE` as text, or an object with the field `error` as JSON.
pub fn failure(message: &str, format: Format) -> String {
    match format {
        Format::Text => format!("% {message}\n"),
        Format::Json => json(&Failure { error: message.to_owned() }) + "\n",
    }
}

/// The maximum number of characters of an opaque locator in a column.
const OPAQUE_WIDTH: usize = 40;

/// The address of a locator in a view: an IP address, or the text of an address that is not an IP
/// address. A text of more than [`OPAQUE_WIDTH`] characters is cut.
fn locator_address(address: &Address) -> LocatorAddress {
    if let Some(ip) = address.ip() {
        return LocatorAddress::Ip(ip);
    }
    let text = address.to_string();
    LocatorAddress::Opaque(match text.char_indices().nth(OPAQUE_WIDTH) {
        None => text,
        Some((end, _)) => format!("{}...", &text[..end]),
    })
}

/// The text that a column shows for the state of a locator.
fn locator_state(state: LocatorState) -> &'static str {
    match state {
        LocatorState::Up => "up",
        LocatorState::Down => "down",
        LocatorState::Unreachable => "unreachable",
        LocatorState::Unusable => "unusable",
    }
}

/// An address and a port, as IOS writes them: `192.0.2.1:4342` and `2001:db8::1.4342`.
fn endpoint(address: IpAddr, port: u16) -> String {
    match address {
        IpAddr::V4(address) => format!("{address}:{port}"),
        IpAddr::V6(address) => format!("{address}.{port}"),
    }
}

/// The width of a column of addresses: two characters more than the longest cell or the heading.
fn column(heading: &str, cells: impl Iterator<Item = usize>) -> usize {
    cells.chain([heading.len()]).max().unwrap_or(0) + 2
}
