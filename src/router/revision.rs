//! How often a table has changed.

/// The number of a table's changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Revision(u64);

impl Revision {
    /// The table has changed.
    pub(super) fn advance(&mut self) {
        self.0 += 1;
    }

    /// The number of changes.
    pub(super) fn number(self) -> u64 {
        self.0
    }
}
