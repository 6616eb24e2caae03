//! The last packet that was delivered.

use crate::addr::{Eid, Rloc};
use crate::time::Time;

/// The last packet that was delivered. The segments of a large packet arrive at the same time. If a
/// packet has the same addresses and the same time as the last packet, the router delivers the
/// packet without another decision: the packet shows nothing new about its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// The xTR that sent the packet.
    pub from: Rloc,
    /// The inner source of the packet.
    pub source: Eid,
    /// The inner destination of the packet.
    pub destination: Eid,
    /// The time at which the packet was received.
    pub at: Time,
}
