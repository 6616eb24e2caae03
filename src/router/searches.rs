//! Hosts of dynamic-EID ranges that are looked for: each port that may have one is asked, and packets
//! for it wait until one answers or all are silent.
//!
//! A packet from the core can name any EID of a range, and each search takes places in the kernel's
//! neighbour table, of which a machine has one for all its namespaces. So few run at a time, few begin in a
//! second, and none when that table is three quarters full. Those that run are shared by their cause
//! ([`Asker`]). A search that is refused is counted and tried again, when its host is named again or by
//! itself.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::away::Elsewhere;
use super::bounded::{Bounded, Fill, Limit};
use super::config::InterfaceName;
use super::discovery::Discovery;
use super::held::Held;
use crate::addr::{Eid, Family, Rloc};
use crate::time::Time;

/// How long a host that was just found may take to show that it is still here, when a map-server says
/// that it is elsewhere.
pub(super) const CONFIRMATION: Duration = Duration::from_secs(1);
/// Hosts that are looked for at one time. Of the asker with the most, the first one gives way; of one's
/// own, one that has had no answer for a second.
pub(super) const RUNNING: Limit =
    Limit { name: "Searches for hosts", capacity: 64, idle: Duration::from_secs(1) };
/// Searches that begin in a second.
pub(super) const STARTS_A_SECOND: usize = 100;
/// Hosts whose search was refused; of the asker with the most, the first one gives way.
pub(super) const REFUSED: Limit =
    Limit { name: "Hosts to look for again", capacity: 1024, idle: Duration::ZERO };
/// How long a refused search is tried again: a sender that still wants the host has sent again by then.
pub(super) const REFUSED_FOR: Duration = Duration::from_secs(10);
pub(super) const RETRY_INTERVAL: Duration = Duration::from_millis(250);
/// Hosts here that map-servers say to be elsewhere: as many as can be here.
pub(super) const CONFIRMATIONS: Limit =
    Limit { name: "Hosts to be confirmed", capacity: 65_536, idle: Duration::ZERO };
/// Packets that wait for a host that is looked for.
pub(super) const HELD_PER_SEARCH: usize = 8;
/// How long a host is looked for: the kernel asks three times, once a second.
pub(super) const SEARCH: Duration = Duration::from_secs(4);
/// How long a host that was not found is taken to be away.
pub(super) const NOT_FOUND: Duration = Duration::from_secs(60);
pub(super) const SECOND: Duration = Duration::from_secs(1);

/// The cause of a search; the searches are shared among the causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asker {
    /// All encapsulators that no packet goes to, together: a sender can forge its address.
    Strangers,
    /// An encapsulator that packets go to.
    Locator(Rloc),
    /// A host of the site, or the router itself.
    Site,
    /// A port whose link is back: its hosts may be there again.
    Port(InterfaceName),
}

/// The prospect of a packet for a host that has not been found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sought {
    /// The host is looked for, and the packet waits.
    Waits,
    /// The host is not looked for here, or as many packets wait for it as may.
    Passes,
    /// There is no room to look for it.
    Refused,
}

/// A host that is looked for.
#[derive(Debug)]
pub(super) struct Search {
    /// The ports that it may be at and that have not said that it is not there.
    pub(super) ports: BTreeSet<InterfaceName>,
    /// Packets for it.
    pub held: Held,
    pub discovery: Discovery,
}

/// How full the kernel's neighbour table of a family is, as it was last told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NeighbourTable {
    pub(super) entries: u32,
    /// `gc_thresh3`; unknown at first.
    pub(super) limit: Option<u32>,
}

/// All that is looked for.
#[derive(Debug)]
pub(super) struct Searches {
    pub running: Bounded<Eid, Search, Asker>,
    /// Hosts that were found here a moment ago, and that a map-server says to be elsewhere.
    pub confirmations: Bounded<Eid, Elsewhere>,
    pub(super) refused: Bounded<Eid, (), Asker>,
    /// Ports whose link is back, while not all their hosts have been asked for.
    pub returned: BTreeSet<InterfaceName>,
    /// The searches that began in the last second, and how many entries of a table each takes.
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

    /// When a search, or the wait for a confirmation, has taken too long.
    pub(super) fn next_end(&self) -> Option<Time> {
        let search = self.running.first_use().map(|at| at + SEARCH);
        let confirmation = self.confirmations.first_use().map(|at| at + CONFIRMATION);
        search.into_iter().chain(confirmation).min()
    }

    /// When searches that were refused are tried again.
    pub(super) fn next_retry(&self) -> Option<Time> {
        self.retry_at
    }

    /// Forgets the searches for EIDs that are not `sought` any more. Returns the packets that these held.
    pub(super) fn retain(&mut self, sought: impl Fn(&Eid) -> bool) -> Held {
        let gone: Vec<Eid> = self.running.keys().filter(|eid| !sought(eid)).copied().collect();
        let gone = gone.iter().filter_map(|eid| self.running.remove(eid));
        let held = gone.flat_map(|search| search.held).collect();
        self.confirmations.retain(|eid, _| sought(eid));
        self.refused.retain(|eid, ()| sought(eid));
        held
    }

    /// Whether a search may begin that takes so many entries of the kernel's table.
    pub(super) fn may_start(&self, family: Family, entries: usize, now: Time) -> bool {
        let started = self.started.iter().filter(|(at, ..)| now.since(*at) < SECOND);
        // The last look may be a second old.
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
