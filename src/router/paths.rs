//! The paths to remote locators, and the size of the packets that they take (RFC 9300 section 7.2).
//!
//! A path MTU that ICMP tells is believed for a while only: without probes nothing else would ever take it
//! back. Whether a locator can be reached at all, `reachability.rs` knows.
//!
//! Any host can send an ICMP error. A router that reports very many makes its own reports give way, not
//! those of others.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bounded::{Bounded, Fill, Limit};
use super::revision::Revision;
use crate::addr::{Family, Rloc};
use crate::time::Time;
use crate::wire::IcmpErrorKind;

/// How long a path MTU is kept (RFC 1191 section 6.3).
const MTU_FOR: Duration = Duration::from_secs(600);
/// Path MTUs. The longest known of the reporter with the most gives way.
const MTUS: Limit = Limit { name: "Path MTUs", capacity: 1024, idle: Duration::ZERO };
/// Locators that packets for hosts that moved went on to; the longest unused gives way.
const ONWARD: Limit =
    Limit { name: "Locators of hosts that moved", capacity: 1024, idle: Duration::ZERO };
/// How long a locator is remembered after the last packet that went on to it.
const ONWARD_FOR: Duration = Duration::from_secs(60);

/// News of the path to a locator from packets that did not arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PathEvent {
    /// The router's own kernel has no route to a locator. An error that ICMP brought is never this one.
    NoRoute(Rloc),
    /// ICMP that claims to be about an encapsulated packet. The kernel has matched it with a socket of
    /// the router, and with nothing else.
    Icmp(IcmpError),
}

/// An ICMP error about an encapsulated packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IcmpError {
    /// The locator that the packet was for.
    pub rloc: Rloc,
    /// The UDP port that it was for.
    pub port: u16,
    /// The router that reports it.
    pub reporter: IpAddr,
    /// Its meaning.
    pub kind: IcmpErrorKind,
    /// The payload of the packet, from the LISP header on, as far as the error quotes it.
    pub quoted: Vec<u8>,
}

/// The MTU of the way to a locator.
#[derive(Clone, Copy, Debug)]
struct PathMtu {
    /// Octets, outer headers included.
    mtu: u32,
    /// How often less was told than before.
    changes: u64,
}

/// The paths to locators.
#[derive(Debug)]
pub struct Paths {
    /// By locator; shared by the router that reported it.
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
    /// Octets that the way to a locator takes whole, outer headers included, if it is less than the
    /// first link does.
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

    /// Whether a packet for a host that moved went on to a locator of late.
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

    /// How full the tables are.
    pub fn fills(&self) -> [Fill; 2] {
        [self.mtus.fill(), self.onward.fill()]
    }

    /// How often a path MTU has changed.
    pub(super) fn revision(&self) -> u64 {
        self.revision.number()
    }

    // In both tables another entry always gives way, so that none is turned away.

    /// Takes in the MTU of a link on the path. It replaces a larger one, and never a smaller one (RFC 8201
    /// section 4): a path that has grown shows when the entry has ended. Returns how often it has become
    /// less, if it has.
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

    /// A packet for a host that moved goes on to a locator.
    pub(super) fn sent_on(&mut self, rloc: Rloc, now: Time) {
        let _ = self.onward.insert(rloc, (), (), now);
    }
}
