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

use super::Router;
use super::away::{self, Elsewhere, Producer, Stay};
use super::bounded::{Bounded, Fill, Limit};
use super::config::InterfaceName;
use super::decision::Origin;
use super::held::{Held, HeldPacket};
use super::io::{Device, DropReason, KernelRequest};
use super::mobility::{CONFIRMATION, Discovery};
use crate::addr::{Eid, Family, Rloc};
use crate::time::Time;

/// Hosts that are looked for at one time. Of the asker with the most, the first one gives way; of one's
/// own, one that has had no answer for a second.
const RUNNING: Limit =
    Limit { name: "Searches for hosts", capacity: 64, idle: Duration::from_secs(1) };
/// Searches that begin in a second.
const STARTS_A_SECOND: usize = 100;
/// Hosts whose search was refused; of the asker with the most, the first one gives way.
const REFUSED: Limit =
    Limit { name: "Hosts to look for again", capacity: 1024, idle: Duration::ZERO };
/// How long a refused search is tried again: a sender that still wants the host has sent again by then.
const REFUSED_FOR: Duration = Duration::from_secs(10);
const RETRY_INTERVAL: Duration = Duration::from_millis(250);
/// Hosts here that map-servers say to be elsewhere: as many as can be here.
const CONFIRMATIONS: Limit =
    Limit { name: "Hosts to be confirmed", capacity: 65_536, idle: Duration::ZERO };
/// Packets that wait for a host that is looked for.
const HELD_PER_SEARCH: usize = 8;
/// How long a host is looked for: the kernel asks three times, once a second.
const SEARCH: Duration = Duration::from_secs(4);
/// How long a host that was not found is taken to be away.
const NOT_FOUND: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

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
    ports: BTreeSet<InterfaceName>,
    /// Packets for it.
    pub held: Held,
    pub discovery: Discovery,
}

/// How full the kernel's neighbour table of a family is, as it was last told.
#[derive(Clone, Copy, Debug, Default)]
struct NeighbourTable {
    entries: u32,
    /// `gc_thresh3`; unknown at first.
    limit: Option<u32>,
}

/// All that is looked for.
#[derive(Debug)]
pub(super) struct Searches {
    pub running: Bounded<Eid, Search, Asker>,
    /// Hosts that were found here a moment ago, and that a map-server says to be elsewhere.
    pub confirmations: Bounded<Eid, Elsewhere>,
    refused: Bounded<Eid, (), Asker>,
    /// Ports whose link is back, while not all their hosts have been asked for.
    pub returned: BTreeSet<InterfaceName>,
    /// The searches that began in the last second, and how many entries of a table each takes.
    started: VecDeque<(Time, Family, usize)>,
    tables: [NeighbourTable; 2],
    retry_at: Option<Time>,
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
    fn may_start(&self, family: Family, entries: usize, now: Time) -> bool {
        let started = self.started.iter().filter(|(at, ..)| now.since(*at) < SECOND);
        // The last look may be a second old.
        let recent = started.clone().filter(|(_, of, _)| *of == family);
        let recent: usize = recent.map(|(.., entries)| entries).sum();
        let NeighbourTable { entries: told, limit } = self.tables[index(family)];
        let most = limit.map_or(usize::MAX, |limit| limit as usize / 4 * 3);
        started.count() < STARTS_A_SECOND && told as usize + recent + entries <= most
    }

    fn retry_later(&mut self, now: Time) {
        self.retry_at.get_or_insert(now + RETRY_INTERVAL);
    }
}

fn index(family: Family) -> usize {
    match family {
        Family::Ipv4 => 0,
        Family::Ipv6 => 1,
    }
}

impl Router {
    /// The kernel's neighbour table of a family has so many entries, of all namespaces of the machine.
    pub(super) fn handle_neighbour_table(&mut self, family: Family, entries: u32, limit: u32) {
        let table = NeighbourTable { entries, limit: Some(limit) };
        self.mobility.searches.tables[index(family)] = table;
    }

    /// The cause that a search for a host has if this packet begins it.
    pub(super) fn asker(&self, origin: &Origin) -> Asker {
        match origin.encapsulator() {
            None => Asker::Site,
            Some(from) if self.is_in_use(from) => Asker::Locator(from),
            Some(_) => Asker::Strangers,
        }
    }

    /// Whether a packet for a host that has not been found would wait for it now. Changes nothing.
    pub(super) fn prospect(&self, eid: Eid, asker: Asker, now: Time) -> Sought {
        let ports = self.mobility.ports(eid);
        let searches = &self.mobility.searches;
        if !self.may_be_here(eid) {
            return Sought::Passes;
        }
        match searches.running.get(&eid) {
            Some(search) if search.held.len() < HELD_PER_SEARCH => Sought::Waits,
            Some(_) => Sought::Passes,
            None => match searches.may_start(eid.family(), ports.len(), now)
                && searches.running.has_room_for(&asker, now)
            {
                true => Sought::Waits,
                false => Sought::Refused,
            },
        }
    }

    /// Whether a host may be here and is not looked for yet.
    pub(super) fn is_to_be_searched(&self, eid: Eid) -> bool {
        self.may_be_here(eid) && !self.mobility.searches.running.contains_key(&eid)
    }

    /// A packet came for an EID of a dynamic range that has not been found, or from it: if a port here
    /// serves the range, the host is looked for.
    pub(super) fn search_for(&mut self, eid: Eid, asker: Asker, discovery: Discovery, now: Time) {
        if !self.is_to_be_searched(eid) {
            return;
        }
        let ports = self.mobility.ports(eid).iter().copied().collect();
        if !self.start_search(eid, asker, ports, discovery, now) {
            self.context.counters.searches_refused += 1;
            let searches = &mut self.mobility.searches;
            // Another one always gives way.
            let _ = searches.refused.insert(eid, asker, (), now);
            searches.retry_later(now);
        }
    }

    /// Keeps a packet until the host that it is for is found, or the search for it ends.
    ///
    /// # Errors
    /// When the host is not looked for, or as many packets wait for it as may.
    pub(super) fn hold_for_host(
        &mut self,
        eid: Eid,
        packet: impl FnOnce() -> HeldPacket,
    ) -> Result<(), DropReason> {
        match self.mobility.searches.running.get_mut(&eid) {
            Some(Search { held, .. }) if held.len() < HELD_PER_SEARCH => {
                held.push_back(packet());
                Ok(())
            }
            _ => Err(DropReason::EidAway),
        }
    }

    /// Whether a host is to be looked for: a port serves its range, and it has not been found.
    fn may_be_here(&self, eid: Eid) -> bool {
        !self.mobility.ports(eid).is_empty()
            && !self.mobility.owners.is_waiting(&eid)
            && !self.mobility.hosts().contains_key(&eid)
    }

    /// Asks `ports` for a host, if there is room for one more search. Another search may give way to it.
    fn start_search(
        &mut self,
        eid: Eid,
        asker: Asker,
        ports: BTreeSet<InterfaceName>,
        discovery: Discovery,
        now: Time,
    ) -> bool {
        let searches = &mut self.mobility.searches;
        if !searches.may_start(eid.family(), ports.len(), now) {
            return false;
        }
        let (entries, address) = (ports.len(), eid.address);
        let device = |port: &InterfaceName| Device::Interface(*port);
        let probe = |port| KernelRequest::Probe { device: device(port), address };
        let probes = ports.iter().map(probe).collect();
        let search = Search { ports, held: Held::new(), discovery };
        let Ok(gave_way) = searches.running.insert(eid, asker, search, now) else { return false };
        searches.started.retain(|(at, ..)| now.since(*at) < SECOND);
        searches.started.push_back((now, eid.family(), entries));
        searches.refused.remove(&eid);
        if let Some((Eid { address, .. }, search)) = gave_way {
            let forget = |port| KernelRequest::Forget { device: device(port), address };
            self.context.request(search.ports.iter().map(forget).collect());
            self.context.give_up(search.held, DropReason::EidAway);
        }
        self.context.request(probes);
        true
    }

    /// A host did not answer on a port; the search for it is over when it was the last.
    pub(super) fn search_failed(&mut self, eid: Eid, port: InterfaceName, now: Time) {
        let here = self.mobility.hosts().get(&eid);
        if here.is_some_and(|host| host.interface == port)
            && let Some(elsewhere) = self.mobility.searches.confirmations.remove(&eid)
        {
            return self.host_gone(eid, Some(elsewhere), now);
        }
        let Some(search) = self.mobility.searches.running.get_mut(&eid) else { return };
        if search.ports.remove(&port)
            && search.ports.is_empty()
            && let Some(search) = self.mobility.searches.running.remove(&eid)
        {
            self.end_search(eid, search, now);
        }
    }

    /// A host was not found: it is away for a while, unless more is known of it.
    fn end_search(&mut self, eid: Eid, search: Search, now: Time) {
        let prefix = eid.host_prefix();
        if !self.away.entries().contains(&prefix) {
            let stay = Stay::Silent(now + NOT_FOUND);
            self.away.insert(prefix, away::Entry::new(Producer::DynamicEid, stay, now), now);
            self.stale.prefixes.insert(prefix);
        }
        self.stale.released.push(search.held);
    }

    /// Ends the searches that took too long.
    pub(super) fn end_searches(&mut self, now: Time) {
        while let Some((eid, elsewhere)) =
            self.mobility.searches.confirmations.pop_unused(CONFIRMATION, now)
        {
            self.host_gone(eid, Some(elsewhere), now);
        }
        while let Some((eid, search)) = self.mobility.searches.running.pop_unused(SEARCH, now) {
            self.end_search(eid, search, now);
        }
    }

    /// Begins the searches that were refused, as far as there is room: first one of the asker that has
    /// the fewest. Then those for the hosts of ports whose link is back.
    pub(super) fn retry_searches(&mut self, now: Time) {
        self.mobility.searches.retry_at = None;
        self.mobility.searches.refused.expire(REFUSED_FOR, now);
        let mut is_free = true;
        while is_free
            && let Some((&asker, &eid)) = self.mobility.searches.refused.first_of_smallest()
        {
            if self.may_be_here(eid) {
                let ports = self.mobility.ports(eid).iter().copied().collect();
                is_free =
                    self.has_room() && self.start_search(eid, asker, ports, Discovery::Search, now);
            } else {
                self.mobility.searches.refused.remove(&eid);
            }
        }
        while is_free && let Some(&port) = self.mobility.searches.returned.first() {
            let Some(eid) = self.mobility.first_missed(port) else {
                self.mobility.searches.returned.remove(&port);
                continue;
            };
            let (asker, ports) = (Asker::Port(port), BTreeSet::from([port]));
            is_free = !self.may_be_here(eid)
                || self.has_room()
                    && self.start_search(eid, asker, ports, Discovery::Neighbour, now);
            if is_free {
                self.mobility.forget_missed(eid);
            }
        }
        if !is_free {
            self.mobility.searches.retry_later(now);
        }
    }

    /// Whether one more search can run without another giving way.
    fn has_room(&self) -> bool {
        self.mobility.searches.running.len() < RUNNING.capacity
    }
}
