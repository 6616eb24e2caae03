//! The last packet that was delivered.

use crate::addr::{Eid, Rloc};
use crate::time::Time;

/// A packet that was delivered. If another packet has the same addresses and arrives at the same
/// instant, it is delivered too, and shows nothing new about its sender. This happens if the
/// segments of a large packet arrive together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// The xTR that sent the packet.
    pub from: Rloc,
    /// Its inner source.
    pub source: Eid,
    /// Its inner destination.
    pub destination: Eid,
    /// When the packet was received.
    pub at: Time,
}
