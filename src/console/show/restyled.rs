//! Prints the head and the rows of a table in the text format of a different command.

use super::{Rows, Table};
use crate::router::Router;
use crate::time::Time;

/// A table whose head and rows are printed by other functions. The JSON output is the JSON output
/// of `table`.
#[derive(Debug)]
pub struct Restyled<T: Table> {
    /// The table.
    pub table: T,
    /// Prints the head.
    pub head_text: fn(&T::Head) -> String,
    /// Prints a row.
    pub row_text: fn(&T, &T::Row) -> String,
}

impl<T: Table> Table for Restyled<T> {
    type Head = T::Head;
    type Row = T::Row;

    fn head(&self, router: &Router, now: Time) -> Result<T::Head, String> {
        self.table.head(router, now)
    }

    fn rows(&mut self, router: &Router, now: Time) -> Rows<T::Row> {
        self.table.rows(router, now)
    }

    fn head_text(&self, head: &T::Head) -> String {
        (self.head_text)(head)
    }

    fn row_text(&mut self, row: &T::Row) -> String {
        (self.row_text)(&self.table, row)
    }
}
