//! Counts the changes of a table.

/// The number of changes of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Revision(u64);

impl Revision {
    /// Counts a change of the table.
    pub(super) fn advance(&mut self) {
        self.0 += 1;
    }

    /// The number of changes.
    pub(super) fn number(self) -> u64 {
        self.0
    }
}
