//! The paths to remote locators, and the largest packet size on each path (RFC 9300 section 7.2).
//!
//! A path MTU from ICMP is valid only for a limited time. The router sends no probes, so it would
//! not notice that a path MTU has grown. `reachability.rs` records whether a locator can be reached
//! at all.
//!
//! Any host can send an ICMP error. If one reporter sends very many path MTUs, only reports of this
//! reporter are removed from the table. The reports of other routers stay.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bounded::{Bounded, Fill, Limit};
use super::revision::Revision;
use crate::addr::{Family, Rloc};
use crate::time::Time;
use crate::wire::IcmpErrorKind;

/// How long a path MTU is stored (RFC 1191 section 6.3).
const MTU_FOR: Duration = Duration::from_secs(600);
/// The limit for the number of path MTUs. If the table is full, the router removes the oldest path
/// MTU of the reporter that has the most path MTUs.
const MTUS: Limit = Limit { name: "Path MTUs", capacity: 1024, idle: Duration::ZERO };
/// The limit for the number of locators to which this router has forwarded packets for moved hosts.
/// If the table is full, the locator that was unused for the longest time is removed.
const ONWARD: Limit =
    Limit { name: "Locators of hosts that moved", capacity: 1024, idle: Duration::ZERO };
/// How long a locator is stored after the last packet for a moved host that was forwarded to this
/// locator.
const ONWARD_FOR: Duration = Duration::from_secs(60);

/// Information about the path to a locator, from packets that did not arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PathEvent {
    /// The router's own kernel has no route to a locator. An ICMP error never causes this event.
    NoRoute(Rloc),
    /// An ICMP error that claims to be about an encapsulated packet. The kernel has only checked
    /// that the error matches a socket of the router.
    Icmp(IcmpError),
}

/// An ICMP error about an encapsulated packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IcmpError {
    /// The locator to which the packet was sent.
    pub rloc: Rloc,
    /// The UDP port to which the packet was sent.
    pub port: u16,
    /// The router that reports the error.
    pub reporter: IpAddr,
    /// The meaning of the error.
    pub kind: IcmpErrorKind,
    /// The payload of the packet, beginning with the LISP header, as far as the error quotes it.
    pub quoted: Vec<u8>,
}

/// The MTU of the path to a locator.
#[derive(Clone, Copy, Debug)]
struct PathMtu {
    /// The MTU in octets, with the outer headers.
    mtu: u32,
    /// The number of times that a report has changed this MTU.
    changes: u64,
}

/// The paths to locators.
#[derive(Debug)]
pub struct Paths {
    /// The path MTUs, by locator. The sharer of a path MTU (see [`Bounded`]) is the router that
    /// reported it.
    mtus: Bounded<Rloc, PathMtu, IpAddr>,
    onward: Bounded<Rloc, ()>,
    revision: Revision,
}

impl Default for Paths {
    fn default() -> Self {
        Paths {
            mtus: Bounded::new(MTUS),
            onward: Bounded::new(ONWARD),
            revision: Revision::default(),
        }
    }
}

impl Paths {
    /// The size of the largest packet that the path to a locator carries without fragmentation, in
    /// octets with the outer headers. `None` if no error has reported a path MTU.
    pub fn mtu(&self, rloc: Rloc) -> Option<u32> {
        if self.mtus.is_empty() {
            return None;
        }
        self.mtus.get(&rloc).map(|path| path.mtu)
    }

    /// Whether the MTU of a path to a locator of this family is known.
    pub(super) fn has_mtu(&self, family: Family) -> bool {
        self.mtus.iter().any(|(rloc, _)| rloc.family() == family)
    }

    /// Whether a packet for a moved host was recently forwarded to a locator.
    pub(super) fn has_sent_on(&self, rloc: Rloc) -> bool {
        self.onward.contains_key(&rloc)
    }

    pub(super) fn expire(&mut self, now: Time) {
        while self.mtus.pop_unused(MTU_FOR, now).is_some() {
            self.revision.advance();
        }
        self.onward.expire(ONWARD_FOR, now);
    }

    pub(super) fn next_expiry(&self) -> Option<Time> {
        self.mtus.first_use().map(|at| at + MTU_FOR)
    }

    /// The fill levels of the tables.
    pub fn fills(&self) -> [Fill; 2] {
        [self.mtus.fill(), self.onward.fill()]
    }

    /// The number of times that a path MTU has changed.
    pub(super) fn revision(&self) -> u64 {
        self.revision.number()
    }

    // If one of the two tables is full, a new entry always replaces another entry. So no new entry
    // is rejected.

    /// Stores the MTU of a link on the path. The new MTU replaces a stored MTU only if the stored
    /// MTU is not smaller (RFC 8201 section 4). If the MTU of the path has grown, the router
    /// notices the larger MTU after the entry has expired. If the path MTU has changed, returns the
    /// number of changes of this path MTU so far.
    pub(super) fn learn_mtu(
        &mut self,
        rloc: Rloc,
        mtu: u32,
        reporter: IpAddr,
        now: Time,
    ) -> Option<u64> {
        let known = self.mtus.get(&rloc);
        if known.is_some_and(|known| mtu > known.mtu) {
            return None;
        }
        let is_less = known.is_none_or(|known| mtu < known.mtu);
        let changes = known.map_or(0, |known| known.changes) + u64::from(is_less);
        let _ = self.mtus.insert(rloc, reporter, PathMtu { mtu, changes }, now);
        if is_less {
            self.revision.advance();
        }
        is_less.then_some(changes)
    }

    /// Records that a packet for a moved host is forwarded to a locator.
    pub(super) fn sent_on(&mut self, rloc: Rloc, now: Time) {
        let _ = self.onward.insert(rloc, (), (), now);
    }
}
