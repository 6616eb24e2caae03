//! What the core network says about the ways to remote locators (RFC 9300 sections 6.3 and 7.2).
//!
//! ICMP that the kernel has matched with a socket of ours, or the kernel's own routes, say that a
//! locator cannot be reached, or how large a packet may be on the way to it. Both are believed for a
//! while only: without probes nothing else would ever take them back.
//!
//! Anybody can send an ICMP error. A router that reports very many makes its own reports give way, not
//! those of others.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bounded::{Bounded, Fill, Limit};
use crate::addr::{Family, Rloc};
use crate::time::Time;
use crate::wire::IcmpErrorKind;

/// How long a locator is left for others.
pub(super) const UNREACHABLE_FOR: Duration = Duration::from_secs(15);
/// How long a path MTU is kept (RFC 1191 section 6.3).
const MTU_FOR: Duration = Duration::from_secs(600);
/// Locators that are left for others. The longest known of the reporter with the most gives way.
const LEFT: Limit =
    Limit { name: "Locators left for others", capacity: 1024, idle: Duration::ZERO };
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

/// What is known of ways.
#[derive(Debug)]
pub struct Paths {
    /// Until when, and who reported it; the router itself has no address here.
    unreachable: Bounded<Rloc, Time, Option<IpAddr>>,
    /// What they take, and who reported it.
    mtus: Bounded<Rloc, PathMtu, IpAddr>,
    onward: Bounded<Rloc, ()>,
}

impl Default for Paths {
    fn default() -> Self {
        Paths {
            unreachable: Bounded::new(LEFT),
            mtus: Bounded::new(MTUS),
            onward: Bounded::new(ONWARD),
        }
    }
}

impl Paths {
    /// Whether a locator is to be left for others of its mapping.
    pub fn is_unreachable(&self, rloc: Rloc) -> bool {
        self.unreachable.contains_key(&rloc)
    }

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

    /// Locators that are being left for others, and until when.
    pub fn unreachable(&self) -> impl Iterator<Item = (Rloc, Time)> {
        self.unreachable.iter().map(|(rloc, until)| (*rloc, *until))
    }

    /// Whether a packet for a host that moved went on to a locator of late.
    pub(super) fn has_sent_on(&self, rloc: Rloc) -> bool {
        self.onward.contains_key(&rloc)
    }

    /// The routes changed, and with them what can be reached.
    pub(super) fn forget_unreachable(&mut self) {
        self.unreachable.retain(|_, _| false);
    }

    pub(super) fn expire(&mut self, now: Time) {
        self.unreachable.expire(UNREACHABLE_FOR, now);
        self.mtus.expire(MTU_FOR, now);
        self.onward.expire(ONWARD_FOR, now);
    }

    pub(super) fn next_expiry(&self) -> Option<Time> {
        let unreachable = self.unreachable.first_use().map(|at| at + UNREACHABLE_FOR);
        let mtus = self.mtus.first_use().map(|at| at + MTU_FOR);
        unreachable.into_iter().chain(mtus).min()
    }

    /// How full the tables are.
    pub fn fills(&self) -> [Fill; 3] {
        [self.unreachable.fill(), self.mtus.fill(), self.onward.fill()]
    }

    // In the three tables another entry always gives way, so that none is turned away.

    /// Leaves a locator for others, as `reporter` says; the router itself has no address here.
    pub(super) fn leave(&mut self, rloc: Rloc, reporter: Option<IpAddr>, now: Time) {
        let _ = self.unreachable.insert(rloc, reporter, now + UNREACHABLE_FOR, now);
    }

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
        is_less.then_some(changes)
    }

    /// A packet for a host that moved goes on to a locator.
    pub(super) fn sent_on(&mut self, rloc: Rloc, now: Time) {
        let _ = self.onward.insert(rloc, (), (), now);
    }
}
