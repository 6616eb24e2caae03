//! The searches for hosts of dynamic-EID ranges: the start and the end of a search, and the packets
//! that wait for the host.

use std::collections::BTreeSet;

use super::Router;
use super::away::{self, Producer, Stay};
use super::config::InterfaceName;
use super::decision::{Origin, Rule};
use super::discovery::Discovery;
use super::held::{Held, HeldPacket};
use super::io::{Device, DropReason, KernelRequest};
use super::reason::{AwayReason, Departure};
use super::searches::{
    Asker, CONFIRMATION, HELD_PER_SEARCH, NOT_FOUND, NeighbourTable, REFUSED_FOR, RUNNING, SEARCH,
    SECOND, Search, Sought, index,
};
use crate::addr::{Eid, Family};
use crate::time::Time;

impl Router {
    /// Stores the number of entries in the kernel's neighbour table for a family, and the limit of
    /// this table. All namespaces of the machine share this table.
    pub(super) fn handle_neighbour_table(&mut self, family: Family, entries: u32, limit: u32) {
        let table = NeighbourTable { entries, limit: Some(limit) };
        self.mobility.searches.tables[index(family)] = table;
    }

    /// The cause of the search that a packet from `origin` starts.
    pub(super) fn asker(&self, origin: &Origin) -> Asker {
        match origin.encapsulator() {
            None => Asker::Site,
            Some(from) if self.is_in_use(from) => Asker::Locator(from),
            Some(_) => Asker::Strangers,
        }
    }

    /// Whether a packet for a host that has not been found would wait for the host. This function
    /// changes nothing.
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

    /// Whether a host may be on a port of this router, and the router is not searching for this
    /// host yet.
    pub(super) fn is_to_be_searched(&self, eid: Eid) -> bool {
        self.may_be_here(eid) && !self.mobility.searches.running.contains_key(&eid)
    }

    /// Starts a search for a host of a dynamic range, because of a packet to or from `eid`, the EID
    /// of the host. The search starts only if a port of this router serves the range, and the host
    /// has not been found.
    pub(super) fn search_for(&mut self, eid: Eid, asker: Asker, discovery: Discovery, now: Time) {
        if !self.is_to_be_searched(eid) {
            return;
        }
        let ports = self.mobility.ports(eid).iter().copied().collect();
        if !self.start_search(eid, asker, ports, discovery, now) {
            self.context.counters.searches_refused += 1;
            let searches = &mut self.mobility.searches;
            // A full table always evicts another entry, so the insertion does not fail.
            let _ = searches.refused.insert(eid, asker, (), now);
            searches.retry_later(now);
        }
    }

    /// Stores a packet until its destination host is found, or until the search for the host ends.
    ///
    /// # Errors
    /// An error if there is no search for the host, or if the maximum number of packets is waiting
    /// already.
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

    /// Whether a search for a host is possible: a port serves its range, and the host has not been
    /// found. While the EID is a duplicate that this router must not claim yet, no search is
    /// possible.
    fn may_be_here(&self, eid: Eid) -> bool {
        !self.mobility.ports(eid).is_empty()
            && !self.mobility.owners.is_waiting(&eid)
            && !self.mobility.hosts().contains_key(&eid)
    }

    /// Asks for a host on `ports`, if one more search may start. A full table evicts another
    /// search. Returns whether the search started.
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
            self.context.give_up(search.held, (DropReason::EidAway, Rule::NoRoomToSearch), now);
        }
        self.context.request(probes);
        true
    }

    /// Handles a host that did not answer on a port. The search ends if the host can answer on no
    /// other port.
    pub(super) fn search_failed(&mut self, eid: Eid, port: InterfaceName, now: Time) {
        let here = self.mobility.hosts().get(&eid);
        if here.is_some_and(|host| host.interface == port)
            && let Some(elsewhere) = self.mobility.searches.confirmations.remove(&eid)
        {
            return self.host_gone(eid, Departure::MovedAway, Some(elsewhere), now);
        }
        let Some(search) = self.mobility.searches.running.get_mut(&eid) else { return };
        if search.ports.remove(&port)
            && search.ports.is_empty()
            && let Some(search) = self.mobility.searches.running.remove(&eid)
        {
            self.end_search(eid, search, now);
        }
    }

    /// Handles a host that was not found. The host counts as away for some time, unless the away
    /// table already has an entry for it.
    fn end_search(&mut self, eid: Eid, search: Search, now: Time) {
        let prefix = eid.host_prefix();
        if !self.away.entries().contains(&prefix) {
            let stay = Stay::Silent(now + NOT_FOUND);
            let entry = away::Entry::new(Producer::DynamicEid, stay, now);
            self.away.insert(prefix, entry, AwayReason::HostNotFound, now);
            self.stale.prefixes.insert(prefix);
        }
        self.stale.released.push(search.held);
    }

    /// Ends the searches that take too long.
    pub(super) fn end_searches(&mut self, now: Time) {
        while let Some((eid, elsewhere)) =
            self.mobility.searches.confirmations.pop_unused(CONFIRMATION, now)
        {
            self.host_gone(eid, Departure::MovedAway, Some(elsewhere), now);
        }
        while let Some((eid, search)) = self.mobility.searches.running.pop_unused(SEARCH, now) {
            self.end_search(eid, search, now);
        }
    }

    /// Starts the refused searches again, until no more searches may start. The searches of the
    /// asker with the fewest refused searches are first. Then starts the searches for the hosts of
    /// ports that have their link again.
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

    /// Whether one more search can run without evicting another search.
    fn has_room(&self) -> bool {
        self.mobility.searches.running.len() < RUNNING.capacity
    }
}
