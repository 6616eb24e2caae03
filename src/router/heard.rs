//! The last packet that was delivered.

use crate::addr::{Eid, Rloc};
use crate::time::Time;

/// A packet that was delivered. Another packet with the same addresses at the same instant is
/// delivered too, and shows nothing new about its sender. This happens with segments that arrive
/// together.
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
