//! The last packet that was delivered.

use crate::addr::{Eid, Rloc};
use crate::time::Time;

/// A packet that was delivered. Another with the same ends at the same instant is delivered as well,
/// and tells nothing more about its sender: the segments that arrive together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// The xTR that sent it.
    pub from: Rloc,
    /// Its inner source.
    pub source: Eid,
    /// Its inner destination.
    pub destination: Eid,
    /// When it came.
    pub at: Time,
}
