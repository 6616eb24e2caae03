//! The last data packet that the router dropped, for each drop reason. The command `show drops`
//! prints these packets.

use std::net::IpAddr;

use super::decision::Transit;
use super::io::DropReason;
use crate::time::Time;

/// A packet that was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastDrop {
    /// The time at which the packet was dropped.
    pub at: Time,
    /// The source and the destination of the packet. `None` if they cannot be read.
    pub addresses: Option<(IpAddr, IpAddr)>,
    /// The RLOC from which the encapsulated packet came. `None` for a packet from the site.
    pub encapsulator: Option<IpAddr>,
}

impl LastDrop {
    pub(super) fn of(transit: &Transit, now: Time) -> Self {
        LastDrop {
            at: now,
            addresses: Some((transit.header.source, transit.header.destination)),
            encapsulator: transit.origin.encapsulator().map(|rloc| rloc.0),
        }
    }
}

/// The last data packet that the router dropped, for each drop reason.
#[derive(Debug, Default)]
pub struct LastDrops([Option<LastDrop>; DropReason::ALL.len()]);

impl LastDrops {
    /// Returns the last packet that the router dropped for `reason`. The router deletes this packet
    /// when a command clears the counters.
    pub fn of(&self, reason: DropReason) -> Option<LastDrop> {
        self.0[reason as usize]
    }

    pub(super) fn note(&mut self, reason: DropReason, drop: LastDrop) {
        self.0[reason as usize] = Some(drop);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_place_of_its_own() {
        for (number, reason) in DropReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, number);
        }
    }
}
