//! The `show` commands, one file for each family: each fills a [view](super::view) from a router
//! and prints it in the format of IOS. The JSON is derived from the view.
//!
//! A `show` is a [`Source`]: it returns one piece of limited size after another, and the router
//! continues to work in between. A `show` of a table remembers the last printed prefix.

pub mod away;
pub mod columns;
pub mod database;
pub mod dynamic_eid;
pub mod emulated_hosts;
pub mod history;
pub mod interfaces;
pub mod lisp;
pub mod map_cache;
pub mod refusals;
pub mod sessions;
pub mod site;
pub mod site_summary;
pub mod span;
pub mod statistics;
pub mod system;

use serde::Serialize;

use crate::console::hosts::Hosts;
use crate::console::view::map_cache::LocatorState;
use crate::console::view::{Failure, LocatorAddress, View};
use crate::router::Router;
use crate::time::Time;
use crate::wire::Address;

/// The most entries of a table that are examined in one call.
pub const ROWS_A_TURN: usize = 256;

/// The form of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The text of IOS.
    Text,
    /// One JSON document.
    Json,
}

/// The state from which a `show` is printed.
#[derive(Clone, Copy)]
pub struct State<'a> {
    /// The router.
    pub router: &'a Router,
    /// Its emulated hosts.
    pub hosts: &'a dyn Hosts,
    /// The router's time.
    pub now: Time,
}

/// A running `show`.
pub trait Source {
    /// The next piece, which may be empty; `None` when all has been printed.
    fn poll(&mut self, state: State<'_>, format: Format) -> Option<String>;

    /// Whether the requested object does not exist, as the text reports.
    fn failed(&self) -> bool {
        false
    }
}

/// Some rows of a table, and whether there are more.
pub struct Rows<R> {
    /// At most [`ROWS_A_TURN`].
    pub rows: Vec<R>,
    /// Whether no rows follow.
    pub finished: bool,
}

/// A table that is printed row by row.
pub trait Table {
    /// The counts above the rows.
    type Head: View;
    /// An entry.
    type Row: View;

    /// The head, or the message that the requested object does not exist.
    fn head(&self, router: &Router, now: Time) -> Result<Self::Head, String>;

    /// The rows after those returned before.
    fn rows(&mut self, router: &Router, now: Time) -> Rows<Self::Row>;

    /// The head in the format of IOS.
    fn head_text(&self, head: &Self::Head) -> String;

    /// A row in the format of IOS. This is called with the rows in order.
    fn row_text(&mut self, row: &Self::Row) -> String;
}

/// Prints a [`Table`].
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
    /// A listing from the beginning of the table.
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

/// A `show` that is short enough to be printed in one piece.
pub struct Page<F, V> {
    view: F,
    text: fn(&V) -> String,
    done: bool,
}

impl<F: Fn(State<'_>) -> V, V: View> Page<F, V> {
    /// A page that is filled by `view` and printed by `text`.
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

/// A view as JSON. A view consists of strings, numbers, lists and named fields, all of which exist
/// in JSON.
pub fn json(view: &impl Serialize) -> String {
    serde_json::to_string(view).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
}

/// `% MESSAGE`, or the message in JSON.
pub fn failure(message: &str, format: Format) -> String {
    match format {
        Format::Text => format!("% {message}\n"),
        Format::Json => json(&Failure { error: message.to_owned() }) + "\n",
    }
}

/// The most characters of an opaque locator in a column.
const OPAQUE_WIDTH: usize = 40;

/// A locator in a view: its IP address, or its text, cut to [`OPAQUE_WIDTH`].
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

/// The text for the state of a locator in a column.
fn locator_state(state: LocatorState) -> &'static str {
    match state {
        LocatorState::Up => "up",
        LocatorState::Down => "down",
        LocatorState::Unreachable => "unreachable",
        LocatorState::Unusable => "unusable",
    }
}

/// The width of a column of addresses: two more than the longest cell or the heading.
fn column(heading: &str, cells: impl Iterator<Item = usize>) -> usize {
    cells.chain([heading.len()]).max().unwrap_or(0) + 2
}
