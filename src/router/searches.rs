//! The searches for hosts of dynamic-EID ranges. The router asks for the host on each port that may
//! have the host. Packets for the host wait until the host answers on a port, or the search has
//! failed on all ports.
//!
//! A packet from the core can have any EID of a range as its destination. Each search needs entries
//! in the kernel's neighbour table, and all namespaces of a machine share this table. So the number
//! of running searches is limited, and the number of searches that start in a second is limited
//! too. No search starts when the neighbour table is three quarters full. The running searches of
//! each cause ([`Asker`]) are counted separately, so that one cause cannot use up the limit. A
//! refused search is counted, and is tried again after a delay or when there is another packet to
//! or from its host.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::away::Elsewhere;
use super::bounded::{Bounded, Fill, Limit};
use super::config::InterfaceName;
use super::discovery::Discovery;
use super::held::Held;
use crate::addr::{Eid, Family, Rloc};
use crate::time::Time;

/// A map-server may report that a host of this router is at another xTR. If the host is still on
/// its port, it must answer within this time.
pub(super) const CONFIRMATION: Duration = Duration::from_secs(1);
/// The limit for the number of searches that run at one time. If the table is full, the oldest
/// search of the asker with the most searches is removed. If the new search has the same asker, the
/// oldest search is removed only if it has had no answer for a second.
pub(super) const RUNNING: Limit =
    Limit { name: "Searches for hosts", capacity: 64, idle: Duration::from_secs(1) };
/// The maximum number of searches that start in a second.
pub(super) const STARTS_A_SECOND: usize = 100;
/// The limit for the number of hosts for which a search was refused. If the table is full, the
/// router removes the oldest host of the asker that has the most hosts.
pub(super) const REFUSED: Limit =
    Limit { name: "Hosts whose search was refused", capacity: 1024, idle: Duration::ZERO };
/// How long a refused search is tried again. If a sender still needs the host, it sends another
/// packet within this time.
pub(super) const REFUSED_FOR: Duration = Duration::from_secs(10);
pub(super) const RETRY_INTERVAL: Duration = Duration::from_millis(250);
/// The limit for the number of hosts that are on ports of this router, but that a map-server
/// reports at another xTR. This limit is equal to the limit for all hosts on these ports.
pub(super) const CONFIRMATIONS: Limit =
    Limit { name: "Hosts to be confirmed", capacity: 65_536, idle: Duration::ZERO };
/// The maximum number of packets that wait for one search.
pub(super) const HELD_PER_SEARCH: usize = 8;
/// How long a search runs. The kernel asks three times, once a second.
pub(super) const SEARCH: Duration = Duration::from_secs(4);
/// How long a host that was not found counts as away.
pub(super) const NOT_FOUND: Duration = Duration::from_secs(60);
pub(super) const SECOND: Duration = Duration::from_secs(1);

/// The cause of a search. It is the sharer of the search in the tables (see [`Bounded`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asker {
    /// All encapsulators to which this router sends no packets. All of them together are one asker,
    /// because a sender can forge its source address.
    Strangers,
    /// An encapsulator to which this router sends packets.
    Locator(Rloc),
    /// A host of the site, or the router itself.
    Site,
    /// A port that has its link again. Its hosts may be there again.
    Port(InterfaceName),
}

/// The result for a packet to a host that has not been found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sought {
    /// A search for the host runs, and the packet waits.
    Waits,
    /// The router does not search for the host, or the maximum number of packets already waits.
    Passes,
    /// No further search may start.
    Refused,
}

/// A search for a host.
#[derive(Debug)]
pub(super) struct Search {
    /// The ports on which the host may still answer.
    pub(super) ports: BTreeSet<InterfaceName>,
    /// The packets that wait for the host.
    pub held: Held,
    pub discovery: Discovery,
}

/// The fill level of the kernel's neighbour table of a family, according to the last report.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NeighbourTable {
    pub(super) entries: u32,
    /// The largest number of entries in the table (`gc_thresh3`). It is unknown until the first
    /// report.
    pub(super) limit: Option<u32>,
}

/// All searches.
#[derive(Debug)]
pub(super) struct Searches {
    pub running: Bounded<Eid, Search, Asker>,
    /// Hosts that are on ports of this router, but that a map-server reports at another xTR.
    pub confirmations: Bounded<Eid, Elsewhere>,
    pub(super) refused: Bounded<Eid, (), Asker>,
    /// Ports that have their link again. A port is removed from this set when the router has asked
    /// for all its hosts.
    pub returned: BTreeSet<InterfaceName>,
    /// The searches that started in the last second, each with the number of entries that it uses
    /// in the kernel's neighbour table.
    pub(super) started: VecDeque<(Time, Family, usize)>,
    pub(super) tables: [NeighbourTable; 2],
    pub(super) retry_at: Option<Time>,
}

impl Default for Searches {
    fn default() -> Self {
        Searches {
            running: Bounded::new(RUNNING),
            confirmations: Bounded::new(CONFIRMATIONS),
            refused: Bounded::new(REFUSED),
            returned: BTreeSet::new(),
            started: VecDeque::new(),
            tables: [NeighbourTable::default(); 2],
            retry_at: None,
        }
    }
}

impl Searches {
    pub(super) fn fills(&self) -> [Fill; 3] {
        [self.running.fill(), self.refused.fill(), self.confirmations.fill()]
    }

    /// The next time at which a search, or the wait for a confirmation, ends without an answer.
    pub(super) fn next_end(&self) -> Option<Time> {
        let search = self.running.first_use().map(|at| at + SEARCH);
        let confirmation = self.confirmations.first_use().map(|at| at + CONFIRMATION);
        search.into_iter().chain(confirmation).min()
    }

    /// The time at which the refused searches are tried again; `None` if no search was refused.
    pub(super) fn next_retry(&self) -> Option<Time> {
        self.retry_at
    }

    /// Removes the searches for EIDs for which `sought` is false. Returns the packets that waited
    /// for these searches.
    pub(super) fn retain(&mut self, sought: impl Fn(&Eid) -> bool) -> Held {
        let gone: Vec<Eid> = self.running.keys().filter(|eid| !sought(eid)).copied().collect();
        let gone = gone.iter().filter_map(|eid| self.running.remove(eid));
        let held = gone.flat_map(|search| search.held).collect();
        self.confirmations.retain(|eid, _| sought(eid));
        self.refused.retain(|eid, ()| sought(eid));
        held
    }

    /// Whether a search that uses `entries` entries of the kernel's table can start.
    pub(super) fn may_start(&self, family: Family, entries: usize, now: Time) -> bool {
        let started = self.started.iter().filter(|(at, ..)| now.since(*at) < SECOND);
        // The last report may be a second old, so the entries of recently started searches are
        // added.
        let recent = started.clone().filter(|(_, of, _)| *of == family);
        let recent: usize = recent.map(|(.., entries)| entries).sum();
        let NeighbourTable { entries: told, limit } = self.tables[index(family)];
        let most = limit.map_or(usize::MAX, |limit| limit as usize / 4 * 3);
        started.count() < STARTS_A_SECOND && told as usize + recent + entries <= most
    }

    pub(super) fn retry_later(&mut self, now: Time) {
        self.retry_at.get_or_insert(now + RETRY_INTERVAL);
    }
}

pub(super) fn index(family: Family) -> usize {
    match family {
        Family::Ipv4 => 0,
        Family::Ipv6 => 1,
    }
}
