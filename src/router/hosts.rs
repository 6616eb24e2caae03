//! Handles the events of hosts in dynamic-EID ranges: a host is found, moves or becomes silent. The
//! functions of this file change the tables, the objects in the kernel and the registrations.

use std::net::IpAddr;

use super::Router;
use super::away::{self, Elsewhere, Producer, Stay};
use super::bounded::{Fill, Full};
use super::config::InterfaceName;
use super::decision::Rule;
use super::discovery::Discovery;
use super::event::{Event, HostChange};
use super::held::Held;
use super::io::{Device, DropReason, KernelRequest, Mac, NeighbourState};
use super::mobility::{Host, Mobility, SILENCE, TURNED_AWAY_INTERVAL};
use super::owner_changes::{CHANGES, Owned, WAIT, WINDOW};
use super::reason::{
    AwayReason, DatabaseReason, Departure, HostLoss, MappingReason, RegisterReason,
};
use crate::addr::{Eid, EidPrefix};
use crate::time::Time;

impl Router {
    /// The hosts of dynamic-EID ranges, and the searches for these hosts.
    pub fn mobility(&self) -> &Mobility {
        &self.mobility
    }

    /// Treats the neighbours on a port as found hosts, if the port now serves the range of these
    /// neighbours. The kernel reported these neighbours when the port did not serve the range, and
    /// does not report them again.
    pub(super) fn find_neighbours(&mut self, now: Time) {
        let config = &self.context.config;
        let neighbours = self.mobility.neighbours.iter();
        let served: Vec<(Eid, InterfaceName, Mac)> = neighbours
            .map(|(&(port, address), &mac)| {
                (Eid::new(config.instance_at(port), address), port, mac)
            })
            .filter(|(eid, port, _)| self.mobility.ports(*eid).contains(port))
            .filter(|(eid, ..)| !self.mobility.hosts.contains_key(eid))
            .filter(|(eid, ..)| !self.context.own_addresses.contains(&eid.address))
            .collect();
        for (eid, port, mac) in served {
            self.host_found(eid, port, mac, Discovery::Neighbour, now);
        }
    }

    /// Updates the entries of the away table for ranges: every dynamic-EID range always has an
    /// entry.
    pub(super) fn reconcile_ranges(&mut self, now: Time) {
        let ranges: Vec<EidPrefix> = self.mobility.ranges.iter().map(|(range, _)| range).collect();
        let mobility = &self.mobility;
        let keep = |prefix: EidPrefix, entry: &away::Entry| {
            entry.producer != Producer::DynamicEid
                || match entry.stay {
                    Stay::Permanent => mobility.ranges.contains(&prefix),
                    _ => mobility.is_dynamic(prefix.network()),
                }
        };
        self.away.retain(keep, AwayReason::RangeDeconfigured);
        for range in ranges {
            let entry = away::Entry::new(Producer::DynamicEid, Stay::Permanent, now);
            self.away.insert(range, entry, AwayReason::RangeConfigured, now);
        }
    }

    /// Handles a neighbour entry that was added, changed or removed.
    pub(super) fn handle_neighbour(
        &mut self,
        device: &str,
        address: IpAddr,
        state: NeighbourState,
        now: Time,
    ) {
        let Some(port) = InterfaceName::of_device(device) else { return };
        let eid = Eid::new(self.context.config.instance_at(port), address);
        let serves = self.mobility.ports(eid).contains(&port);
        let is_known = matches!(state, NeighbourState::Known(_));
        if is_known && self.mobility.owners.is_waiting(&eid) {
            // This EID is a duplicate, and the router waits before it claims the EID. The router
            // does not store the neighbour entry, so the entry counts as new after the wait.
            return;
        }
        let before = self.mobility.remember(port, address, state, now);
        if !serves || self.context.own_addresses.contains(&address) {
            // The neighbour entry is stored, because the port may serve the range of the host
            // later.
            return;
        }
        match state {
            NeighbourState::Known(mac) => self.neighbour_known(eid, port, mac, before, now),
            NeighbourState::Failed => {
                self.search_failed(eid, port, now);
                let here = self.mobility.hosts.get(&eid);
                if here.is_some_and(|host| host.interface == port) {
                    self.context.tell(Event::Host { eid, port, change: HostChange::Silent });
                    self.host_gone(eid, Departure::Silent, None, now);
                } else {
                    // If the entry of an IPv6 host has failed, Linux ignores the advertisement of
                    // the host. So the router deletes the entry.
                    let device = Device::Interface(port);
                    self.context.request(vec![KernelRequest::Forget { device, address }]);
                }
            }
            NeighbourState::Absent => {}
        }
    }

    /// Handles a neighbour entry with a hardware address. A new entry shows that a host is on the
    /// port. An entry that had another hardware address before (`before`) shows this too. An entry
    /// that only becomes older does not show this. If the router was searching for the host, the
    /// host has answered.
    fn neighbour_known(
        &mut self,
        eid: Eid,
        port: InterfaceName,
        mac: Mac,
        before: Option<Mac>,
        now: Time,
    ) {
        let searches = &mut self.mobility.searches;
        let search = searches.running.remove(&eid);
        let is_confirmed = searches.confirmations.remove(&eid).is_some();
        if let Some(host) = self.mobility.hosts.use_at(&eid, now)
            && host.interface == port
            && host.mac == mac
        {
            host.last_seen_at = now;
            if is_confirmed {
                if !self.owner_changed(eid, port, now) {
                    self.context.tell(Event::Host { eid, port, change: HostChange::Confirmed });
                }
                let Router { registrar, context, database, .. } = self;
                let why = RegisterReason::HostConfirmed;
                registrar.renew(context, database, eid.host_prefix(), why, now);
            }
            return;
        }
        if before == Some(mac) && search.is_none() && !is_confirmed {
            return;
        }
        let (discovery, held) = match search {
            Some(search) => (search.discovery, search.held),
            None => (Discovery::Neighbour, Held::new()),
        };
        match self.host_found(eid, port, mac, discovery, now) {
            true => self.stale.released.push(held),
            false => {
                let full = (DropReason::EidAway, Rule::NoRoomForHost);
                self.context.give_up(held, full, now);
            }
        }
    }

    /// Handles a host that was found on a LAN of this router. The host gets a route, a database
    /// entry and a registration. The away entry and the learned map-cache entry of the host are
    /// removed. Returns whether the table of hosts had room for the host.
    fn host_found(
        &mut self,
        eid: Eid,
        interface: InterfaceName,
        mac: Mac,
        discovery: Discovery,
        now: Time,
    ) -> bool {
        let Some((range, found)) = self.mobility.ranges.longest_match(eid) else { return false };
        let name = found.name.clone();
        let prefix = eid.host_prefix();
        let (found_at, last_seen_at) = (now, now);
        let asked_at = None;
        let host =
            Host { name, range, interface, mac, found_at, last_seen_at, asked_at, discovery };
        match self.mobility.hosts.insert(eid, interface, host, now) {
            Ok(None) => {}
            Ok(Some((other, host))) => {
                let (port, change) = (host.interface, HostChange::Lost(HostLoss::TableFull));
                self.context.tell(Event::Host { eid: other, port, change });
                self.host_left(other, &host, Departure::Lost(HostLoss::TableFull), None, now);
            }
            Err(Full) => {
                self.host_turned_away(eid, interface, now);
                return false;
            }
        }
        let before = self.away.entries().get(&prefix);
        let was_elsewhere = before.is_some_and(|entry| !entry.locators.is_empty());
        let is_duplicate = was_elsewhere && self.owner_changed(eid, interface, now);
        let change = HostChange::Found { discovery, is_duplicate };
        self.context.tell(Event::Host { eid, port: interface, change });
        self.mobility.former_ports.remove(&eid);
        self.mobility.missed.remove(&eid);
        self.away.remove(&prefix, Producer::DynamicEid, AwayReason::HostFound(discovery));
        self.map_cache.forget_learned(&prefix, MappingReason::HostFound);
        self.stale.prefixes.insert(prefix);
        let (device, address) = (Device::Interface(interface), eid.address);
        // The probe also tells the host the hardware address of its gateway on this LAN.
        self.stale.requests.extend([
            KernelRequest::Probe { device, address },
            KernelRequest::Watch { device, address },
        ]);
        let held = self.resolver.outstanding.end_request(eid);
        self.stale.released.push(held);
        true
    }

    /// Refuses a host, because the table of hosts has no room for the host. The router deletes the
    /// neighbour entry of the host, so that the next message of the host makes a new entry.
    fn host_turned_away(&mut self, eid: Eid, interface: InterfaceName, now: Time) {
        self.mobility.neighbours.remove(&(interface, eid.address));
        let said_at = self.mobility.turned_away_at;
        if said_at.is_none_or(|at| now.since(at) >= TURNED_AWAY_INTERVAL) {
            self.mobility.turned_away_at = Some(now);
            let Fill { capacity, turned_away, .. } = self.mobility.hosts.fill();
            let change = HostChange::TurnedAway { times: turned_away, hosts: capacity };
            self.context.tell(Event::Host { eid, port: interface, change });
        }
    }

    /// Handles a port that has lost its link. The hosts of the port count as away until they are
    /// found again, on this port or at another place.
    pub(super) fn port_fell(&mut self, port: &str, now: Time) {
        let Some(port) = InterfaceName::of_device(port) else { return };
        self.mobility.searches.returned.remove(&port);
        let here: Vec<Eid> = self.mobility.hosts.keys_of(&port).copied().collect();
        for eid in here {
            let change = HostChange::Lost(HostLoss::PortDown);
            self.context.tell(Event::Host { eid, port, change });
            self.host_gone(eid, Departure::Lost(HostLoss::PortDown), None, now);
            // A host of another port may be removed from this table to make room. The result is not
            // used, because the router finds that host again when the host sends a packet.
            let _ = self.mobility.missed.insert(eid, port, port, now);
        }
    }

    /// Handles a port that has its link again. The router asks for the hosts of the port. The hosts
    /// that are still there answer and are found.
    pub(super) fn port_is_back(&mut self, port: &str, now: Time) {
        let Some(port) = InterfaceName::of_device(port) else { return };
        self.mobility.searches.returned.insert(port);
        self.retry_searches(now);
    }

    /// Handles a host that has left. Its registration is withdrawn, and the host gets an entry in
    /// the away table. If `elsewhere` is a mapping, the host is at another xTR. In this case, the
    /// router announces on the old LAN that the address of the host is at this router, so that
    /// packets for the host come to this router. `why` is the reason why the host left.
    pub(super) fn host_gone(
        &mut self,
        eid: Eid,
        why: Departure,
        elsewhere: Option<Elsewhere>,
        now: Time,
    ) {
        if let Some(host) = self.mobility.hosts.remove(&eid) {
            self.host_left(eid, &host, why, elsewhere, now);
        }
    }

    fn host_left(
        &mut self,
        eid: Eid,
        host: &Host,
        why: Departure,
        elsewhere: Option<Elsewhere>,
        now: Time,
    ) {
        self.mobility.departures.insert(eid, why);
        let moved = elsewhere.is_some();
        let reason = match &elsewhere {
            Some(elsewhere) => AwayReason::Reported(elsewhere.report),
            None => AwayReason::Database(DatabaseReason::HostLeft(why)),
        };
        let producer = Producer::DynamicEid;
        let entry = match elsewhere {
            Some(elsewhere) => away::Entry::told(producer, elsewhere, now),
            None => away::Entry::new(producer, Stay::Silent(now + SILENCE), now),
        };
        self.away.insert(eid.host_prefix(), entry, reason, now);
        let (device, address) = (Device::Interface(host.interface), eid.address);
        self.mobility.neighbours.remove(&(host.interface, address));
        self.context.request(vec![KernelRequest::Forget { device, address }]);
        if moved {
            self.mobility.former_ports.insert(eid, host.interface);
        }
        self.stale.prefixes.insert(eid.host_prefix());
        if moved {
            let is_duplicate = self.owner_changed(eid, host.interface, now);
            if is_duplicate {
                self.mobility.owners.wait(eid, now);
            }
            let change = HostChange::MovedAway { is_duplicate };
            self.context.tell(Event::Host { eid, port: host.interface, change });
            self.stale.requests.push(KernelRequest::Announce { device, address });
        }
    }

    /// Counts a change of the owner of an EID. `port` is the present or former port of the host
    /// with this EID. Returns whether the host is a duplicate. This function reports a duplicate
    /// once a minute, and the caller must not report the duplicate in any other line.
    pub(super) fn owner_changed(&mut self, eid: Eid, port: InterfaceName, now: Time) -> bool {
        let Owned::Duplicate { is_to_be_named } = self.mobility.owners.changed(&eid, now) else {
            return false;
        };
        if is_to_be_named {
            let (changes, seconds, wait) = (CHANGES as u32, WINDOW.as_secs(), WAIT.as_secs());
            let change = HostChange::Duplicate { changes, seconds, wait };
            self.context.tell(Event::Host { eid, port, change });
        }
        true
    }

    /// Probes each duplicate EID for which the waiting time has ended. A host that is still on a
    /// port of this router answers and is found.
    pub(super) fn claim_duplicates(&mut self, now: Time) {
        while let Some(eid) = self.mobility.owners.next_claim(now) {
            let ports = self.mobility.ports(eid).iter();
            let probe = |port: &InterfaceName| {
                let device = Device::Interface(*port);
                KernelRequest::Probe { device, address: eid.address }
            };
            let probes = ports.map(probe).collect();
            self.context.request(probes);
        }
    }

    /// Whether `eid` may be on a port of this router although the router has not found the host.
    /// This is possible if a port serves the range of the EID, and the away table has an entry for
    /// the range but no entry for the host itself.
    pub(super) fn is_undetected(&self, eid: Eid) -> bool {
        let away = self.away.longest_match(eid);
        !self.mobility.ports(eid).is_empty()
            && away.is_some_and(|(prefix, entry)| {
                entry.producer == Producer::DynamicEid && prefix != eid.host_prefix()
            })
    }
}
