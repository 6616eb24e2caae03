//! Hosts that come and go: dynamic EIDs (draft-ietf-lisp-eid-mobility section 4).
//!
//! A `lisp mobility` port serves dynamic-EID ranges. A host of such a range is found when it speaks on
//! the port: the kernel's neighbour table says so. Then it stands in the database as a prefix of its
//! own, is registered, and is watched. It is gone when a map-server says that another xTR has it, or
//! when it answers no more. The range itself is away all the time, so whatever is not here is
//! solicited for.
//!
//! The port carries the roaming gateway, with the same address and hardware address at every xTR, and
//! no route of its network: a host that moved away would be sought with ARP instead of through LISP. A
//! host's route leads to the port while it is here and into `lisp0` after it has moved; then its old LAN
//! is told by a gratuitous ARP, and by a proxy neighbour, to send to us. An entry of the kernel's that
//! merely ages is no evidence of a host; a host that sends with the gateway's hardware address in its
//! cache makes no entry at all, which is why its packets make us ask for it.
//!
//! No packet of a host is lost for being its first. What it says to its gateway is answered by the
//! kernel before the host has a route, so the answer comes to us: it is held while the host is looked
//! for. What it says to others is encapsulated whether or not it has been found, and the answer, if it
//! comes before the host has been found, is held likewise.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;

use super::Router;
use super::away::{self, Producer};
use super::config::{Config, InterfaceName};
use super::io::{
    Device, DropReason, KernelObject, KernelRequest, Mac, NeighbourState, Output, RouteTarget,
    Table,
};
use super::map_cache::Locator;
use super::owner_changes::OwnerChanges;
use super::resolve::{self, Held};
use crate::addr::{Eid, EidPrefix, Rloc};
use crate::packet::{IpHeader, Packet};
use crate::prefix_map::PrefixMap;
use crate::time::{Deadline, Time};
use crate::wire::MappingRecord;

/// Hosts that are here at one time.
const HOSTS: usize = 65_536;
/// Neighbours whose hardware address is remembered.
const NEIGHBOURS: usize = 65_536;
/// Hosts that are looked for at one time.
const SEARCHES: usize = 1024;
/// Packets that wait for a host that is looked for.
const HELD_PER_SEARCH: usize = 8;
/// How long a host is looked for: the kernel asks three times, once a second.
const SEARCH: Duration = Duration::from_secs(4);
/// How long a host that was just found may take to show that it is still here, when a map-server says
/// that it is elsewhere.
const CONFIRMATION: Duration = Duration::from_secs(1);
/// How long a host that was not found is taken to be away.
const NOT_FOUND: Duration = Duration::from_secs(60);

/// How a host was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Discovery {
    /// It spoke ARP or ND, or sent a gratuitous one.
    Neighbour,
    /// A packet of its own made us look for it.
    Packet,
    /// A packet for it made us look for it.
    Search,
}

/// A dynamic EID that is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The name of the dynamic-EID that its range belongs to.
    pub name: String,
    /// The range.
    pub range: EidPrefix,
    /// The port that it is at.
    pub interface: InterfaceName,
    /// Its hardware address.
    pub mac: Mac,
    /// When it was found.
    pub found_at: Time,
    /// When it last showed that it is here.
    pub last_seen_at: Time,
    /// How it was found.
    pub discovery: Discovery,
}

/// A dynamic-EID range of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Range {
    name: String,
    /// The ports that serve it.
    ports: Vec<InterfaceName>,
}

/// Why a host is looked for.
#[derive(Debug)]
enum Search {
    /// A packet came for it, or from it; what came for it waits.
    Unknown { from: Option<(Rloc, Eid)>, held: Held, discovery: Discovery },
    /// A map-server says that it is elsewhere, but it was found here a moment ago.
    Confirm { locators: Vec<Locator> },
}

/// The hosts of dynamic-EID ranges.
#[derive(Debug, Default)]
pub struct Mobility {
    ranges: PrefixMap<Range>,
    hosts: BTreeMap<Eid, Host>,
    /// The port that a host was at before it moved away: its old LAN finds it there by proxy.
    former_ports: BTreeMap<Eid, InterfaceName>,
    /// The hosts that were at a port when its link fell.
    missed: BTreeMap<Eid, InterfaceName>,
    neighbours: BTreeMap<(InterfaceName, IpAddr), Mac>,
    searches: BTreeMap<Eid, (Time, Search)>,
    /// The hosts that other xTRs have had, or taken, of late.
    pub(super) owners: OwnerChanges<Eid>,
}

impl Mobility {
    /// The dynamic EIDs that are here.
    pub fn hosts(&self) -> &BTreeMap<Eid, Host> {
        &self.hosts
    }

    /// Packets that wait for a host that is looked for.
    pub(super) fn waiting(&self) -> usize {
        let waiting = self.searches.values().map(|(_, search)| match search {
            Search::Unknown { held, .. } => held.len(),
            Search::Confirm { .. } => 0,
        });
        waiting.sum()
    }

    fn remember(&mut self, port: InterfaceName, address: IpAddr, state: NeighbourState) {
        match state {
            NeighbourState::Known(mac) if self.neighbours.len() < NEIGHBOURS => {
                self.neighbours.insert((port, address), mac);
            }
            NeighbourState::Known(_) => {}
            NeighbourState::Failed | NeighbourState::Absent => {
                self.neighbours.remove(&(port, address));
            }
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Deadline> {
        let search = self.searches.values().map(|(until, _)| *until).min();
        let search = search.map(|at| Deadline { at, why: "search for a host" });
        Deadline::earliest([search, self.owners.next_deadline()])
    }

    /// Takes the ranges and their ports from the configuration; hosts of what is gone go too, and the
    /// searches for them. Returns how many packets these held.
    pub(super) fn reconfigure(&mut self, config: &Config) -> usize {
        self.ranges.clear();
        for (name, range, _) in config.dynamic_eids() {
            let serves = |(_, interface): &(&InterfaceName, &super::config::Interface)| {
                interface.lisp_mobility.contains(name)
            };
            let ports = config.interfaces.iter().filter(serves).map(|(port, _)| *port).collect();
            self.ranges.insert(range, Range { name: name.to_owned(), ports });
        }
        let ranges = &self.ranges;
        let served = |eid: &Eid, port: &InterfaceName| {
            ranges.longest_match(*eid).is_some_and(|(_, range)| range.ports.contains(port))
        };
        self.hosts.retain(|eid, host| served(eid, &host.interface));
        self.former_ports.retain(|eid, port| served(eid, port));
        self.missed.retain(|eid, port| served(eid, port));
        self.owners.retain(|eid| ranges.longest_match(*eid).is_some());
        let mut given_up = 0;
        self.searches.retain(|eid, (_, search)| {
            let sought = ranges.longest_match(*eid).is_some();
            if let (false, Search::Unknown { held, .. }) = (sought, search) {
                given_up += held.len();
            }
            sought
        });
        given_up
    }

    /// The range that holds `eid`, and the ports that serve it; none when no port does.
    pub(super) fn ports(&self, eid: Eid) -> &[InterfaceName] {
        self.ranges.longest_match(eid).map_or(&[], |(_, range)| &range.ports)
    }

    /// Whether `eid` lies in a dynamic-EID range.
    pub(super) fn is_dynamic(&self, eid: Eid) -> bool {
        self.ranges.longest_match(eid).is_some()
    }

    /// The host that is here and whose prefix this is.
    pub(super) fn host(&self, prefix: EidPrefix) -> Option<&Host> {
        let eid = prefix.network();
        self.hosts.get(&eid).filter(|_| prefix == eid.host_prefix())
    }

    /// The name of the dynamic-EID that a range belongs to.
    pub(super) fn name_of(&self, range: &EidPrefix) -> Option<&str> {
        self.ranges.get(range).map(|range| range.name.as_str())
    }

    /// What the kernel is to have for one prefix: a route to a host at its port, or into `lisp0` for
    /// what is away, and a proxy for a host at the port that it was at.
    pub(super) fn kernel_objects(
        &self,
        prefix: EidPrefix,
        away: &away::AwayTable,
    ) -> BTreeSet<KernelObject> {
        let route = |device| KernelObject::Route {
            table: Table::Main,
            prefix: prefix.prefix(),
            target: RouteTarget::Device(device),
            metric: 0,
            source: None,
        };
        let host = self.host(prefix).map(|host| route(Device::Interface(host.interface)));
        let gone = away.entries().get(&prefix).filter(|entry| {
            let is_range = entry.producer == Producer::DynamicEid && self.ranges.contains(&prefix);
            entry.producer.leads_elsewhere() && !is_range
        });
        let gone = gone.map(|_| route(Device::Lisp));
        let eid = prefix.network();
        let port = self.former_ports.get(&eid).filter(|_| prefix == eid.host_prefix());
        let proxy = port.map(|port| KernelObject::ProxyNeighbour {
            device: Device::Interface(*port),
            address: eid.address,
        });
        [host, gone, proxy].into_iter().flatten().collect()
    }

    /// The prefixes for which the kernel may be to have something.
    pub(super) fn kernel_prefixes(&self, away: &away::AwayTable) -> BTreeSet<EidPrefix> {
        let gone = away.entries().iter().filter(|(_, entry)| entry.producer.leads_elsewhere());
        let gone = gone.map(|(prefix, _)| prefix);
        let hosts = self.hosts.keys().chain(self.former_ports.keys());
        hosts.map(Eid::host_prefix).chain(gone).collect()
    }
}

impl Router {
    /// The dynamic EIDs.
    pub fn mobility(&self) -> &Mobility {
        &self.mobility
    }

    /// Takes the neighbours that were known before their port served their range for found: the kernel
    /// has no reason to tell of them again.
    pub(super) fn find_neighbours(&mut self, now: Time) {
        let instance_id = self.config.default_instance();
        let neighbours = self.mobility.neighbours.iter();
        let served: Vec<(Eid, InterfaceName, Mac)> = neighbours
            .map(|(&(port, address), &mac)| (Eid::new(instance_id, address), port, mac))
            .filter(|(eid, port, _)| self.mobility.ports(*eid).contains(port))
            .filter(|(eid, ..)| !self.mobility.hosts.contains_key(eid))
            .filter(|(eid, ..)| !self.own_addresses.contains(&eid.address))
            .collect();
        for (eid, port, mac) in served {
            self.host_found(eid, port, mac, Discovery::Neighbour, now);
        }
    }

    /// The range entries of the away table: every dynamic-EID range, all the time.
    pub(super) fn reconcile_ranges(&mut self, now: Time) {
        let ranges: Vec<EidPrefix> = self.mobility.ranges.iter().map(|(range, _)| range).collect();
        let mobility = &self.mobility;
        self.away.retain(|prefix, entry| {
            entry.producer != Producer::DynamicEid
                || mobility.ranges.contains(&prefix)
                || mobility.is_dynamic(prefix.network())
        });
        for range in ranges {
            let entry = away::Entry {
                producer: Producer::DynamicEid,
                created_at: now,
                expires_at: None,
                locators: Vec::new(),
            };
            self.away.insert(range, entry);
        }
    }

    /// A neighbour entry came, changed or went.
    pub(super) fn handle_neighbour(
        &mut self,
        device: &str,
        address: IpAddr,
        state: NeighbourState,
        now: Time,
    ) {
        let Some(port) = InterfaceName::of_device(device) else { return };
        let eid = Eid::new(self.config.default_instance(), address);
        let serves = self.mobility.ports(eid).contains(&port);
        if !serves || self.own_addresses.contains(&address) {
            // Remembered, for the port may serve the host's range one day.
            return self.mobility.remember(port, address, state);
        }
        match state {
            NeighbourState::Known(mac) => self.neighbour_known(eid, port, mac, now),
            NeighbourState::Failed => {
                self.mobility.neighbours.remove(&(port, address));
                let here = self.mobility.hosts.get(&eid);
                if here.is_some_and(|host| host.interface == port) {
                    self.notice(format!("{eid} answers no more on {port}"));
                    self.host_gone(eid, Vec::new(), now);
                }
                self.search_failed(eid, port, now);
            }
            NeighbourState::Absent => {
                self.mobility.neighbours.remove(&(port, address));
            }
        }
    }

    /// Evidence of a host is an entry that was not there, or another hardware address; an entry that
    /// ages is none. A host that is being looked for has answered.
    fn neighbour_known(&mut self, eid: Eid, port: InterfaceName, mac: Mac, now: Time) {
        if self.mobility.owners.is_waiting(&eid) {
            return;
        }
        let neighbours = &mut self.mobility.neighbours;
        if neighbours.len() >= NEIGHBOURS && !neighbours.contains_key(&(port, eid.address)) {
            return;
        }
        let before = neighbours.insert((port, eid.address), mac);
        let search = self.mobility.searches.remove(&eid).map(|(_, search)| search);
        if let Some(host) = self.mobility.hosts.get_mut(&eid)
            && host.interface == port
            && host.mac == mac
        {
            host.last_seen_at = now;
            if let Some(Search::Confirm { .. }) = search {
                if !self.owner_changed(eid, port, now) {
                    self.notice(format!("{eid} is still here, registering again"));
                }
                self.refresh_registration(eid.host_prefix(), now);
            }
            return;
        }
        if before == Some(mac) && search.is_none() {
            return;
        }
        let (discovery, held, from) = match search {
            Some(Search::Unknown { held, discovery, from }) => (discovery, held, from),
            Some(Search::Confirm { .. }) | None => (Discovery::Neighbour, Held::new(), None),
        };
        self.host_found(eid, port, mac, discovery, now);
        for mut packet in held {
            let load = IpHeader::parse(&packet.bytes)
                .map_or(1, |header| packet.borrow().load(header.total_len).packets);
            match from {
                Some(_) => self.counters.decapsulations += load,
                None => self.counters.native += load,
            }
            self.outputs.push_back(Output::Native(eid.instance_id, packet));
        }
    }

    /// A host is here: it gets a route, a database entry, a registration; whatever said that it is
    /// elsewhere is forgotten.
    fn host_found(
        &mut self,
        eid: Eid,
        interface: InterfaceName,
        mac: Mac,
        discovery: Discovery,
        now: Time,
    ) {
        let Some((range, found)) = self.mobility.ranges.longest_match(eid) else { return };
        if self.mobility.hosts.len() >= HOSTS && !self.mobility.hosts.contains_key(&eid) {
            return self.warn(format!("{eid} is here, but there are {HOSTS} hosts already"));
        }
        let name = found.name.clone();
        let prefix = eid.host_prefix();
        let before = self.away.entries().get(&prefix);
        let was_elsewhere = before.is_some_and(|entry| !entry.locators.is_empty());
        if !(was_elsewhere && self.owner_changed(eid, interface, now)) {
            self.notice(format!("{eid} found on {interface}"));
        }
        let (found_at, last_seen_at) = (now, now);
        let host = Host { name, range, interface, mac, found_at, last_seen_at, discovery };
        self.mobility.hosts.insert(eid, host);
        self.mobility.former_ports.remove(&eid);
        self.mobility.missed.remove(&eid);
        self.away.remove(&prefix, Producer::DynamicEid);
        self.map_cache.forget_learned(&prefix);
        self.stale.prefixes.insert(prefix);
        self.reconcile(now);
        let (device, address) = (Device::Interface(interface), eid.address);
        // The answer to this question also tells the host the hardware address of its gateway here.
        self.request(vec![
            KernelRequest::Probe { device, address },
            KernelRequest::Watch { device, address },
        ]);
        self.release_here(eid);
    }

    /// A port has no link: its hosts are nowhere, until they are found there again or elsewhere.
    pub(super) fn port_fell(&mut self, port: &str, now: Time) {
        let here = self.mobility.hosts.iter().filter(|(_, host)| host.interface.device() == port);
        let here: Vec<(Eid, InterfaceName)> =
            here.map(|(eid, host)| (*eid, host.interface)).collect();
        for (eid, interface) in here {
            self.host_gone(eid, Vec::new(), now);
            self.mobility.missed.insert(eid, interface);
        }
    }

    /// A port has its link again: those of its hosts that have not gone answer, and are found.
    pub(super) fn port_is_back(&mut self, port: &str) {
        let missed = &mut self.mobility.missed;
        let of_port = missed.extract_if(.., |_, interface| interface.device() == port);
        let probes = of_port.map(|(eid, interface)| {
            let device = Device::Interface(interface);
            Output::Kernel(KernelRequest::Probe { device, address: eid.address })
        });
        self.outputs.extend(probes);
    }

    /// A host is not here any more: it is withdrawn and away. With `locators`, another xTR has it, and
    /// the LAN that it left is told to send to us.
    fn host_gone(&mut self, eid: Eid, locators: Vec<Locator>, now: Time) {
        let Some(host) = self.mobility.hosts.remove(&eid) else { return };
        let moved = !locators.is_empty();
        let entry = away::Entry {
            producer: Producer::DynamicEid,
            created_at: now,
            expires_at: None,
            locators,
        };
        self.away.insert(eid.host_prefix(), entry);
        let (device, address) = (Device::Interface(host.interface), eid.address);
        self.mobility.neighbours.remove(&(host.interface, address));
        self.request(vec![KernelRequest::Forget { device, address }]);
        if moved {
            self.mobility.former_ports.insert(eid, host.interface);
        }
        self.stale.prefixes.insert(eid.host_prefix());
        self.reconcile(now);
        if moved {
            if self.owner_changed(eid, host.interface, now) {
                self.mobility.owners.wait(eid, now);
            } else {
                self.notice(format!("{eid} has moved away from {}", host.interface));
            }
            self.request(vec![KernelRequest::Announce { device, address }]);
        }
    }

    /// A map-server says where a prefix is registered, and it is not by us (a Map-Notify or a Mapping
    /// Notification): a host that moved, or a more specific of a local prefix.
    pub(super) fn mapping_elsewhere(&mut self, record: &MappingRecord, now: Time) {
        let prefix = record.eid_prefix;
        let locators: Vec<Locator> = resolve::locators(record, &self.local, now);
        let ours = locators.iter().any(|locator| self.local.contains(locator.rloc.0));
        let withdrawn = record.ttl_minutes == 0 || record.locators.is_empty();
        self.counters.took(record);
        let eid = prefix.network();
        if ours {
            self.away.remove(&prefix, Producer::SiteRegistration);
        } else if prefix == eid.host_prefix() && self.mobility.is_dynamic(eid) {
            self.host_elsewhere(eid, locators, withdrawn, now);
        } else if withdrawn {
            self.away.remove(&prefix, Producer::SiteRegistration);
        } else if self.registers_around(&prefix) {
            let entry = away::Entry {
                producer: Producer::SiteRegistration,
                created_at: now,
                expires_at: None,
                locators,
            };
            self.away.insert(prefix, entry);
        }
        self.stale.prefixes.insert(prefix);
        self.reconcile(now);
    }

    fn host_elsewhere(&mut self, eid: Eid, locators: Vec<Locator>, withdrawn: bool, now: Time) {
        let prefix = eid.host_prefix();
        let Some(host) = self.mobility.hosts.get(&eid) else {
            // It left before; where it is now is where its stragglers go.
            if let Some((at, entry)) = self.away.longest_match(eid)
                && at == prefix
            {
                let entry = away::Entry { locators, ..entry.clone() };
                self.away.insert(prefix, entry);
            }
            return;
        };
        if withdrawn {
            return;
        }
        let fresh =
            !self.registrar.is_acknowledged(prefix, now) || now.since(host.found_at) < CONFIRMATION;
        if !fresh || self.mobility.owners.is_duplicate(&eid) {
            return self.host_gone(eid, locators, now);
        }
        let (device, address) = (Device::Interface(host.interface), eid.address);
        self.mobility.searches.insert(eid, (now + CONFIRMATION, Search::Confirm { locators }));
        self.request(vec![KernelRequest::Probe { device, address }]);
    }

    /// Whether `eid` may be on a port here without having been found: a port serves its range, and
    /// nothing says that it is away.
    pub(super) fn is_undetected(&self, eid: Eid) -> bool {
        let away = self.away.longest_match(eid);
        !self.mobility.ports(eid).is_empty()
            && away.is_some_and(|(prefix, entry)| {
                entry.producer == Producer::DynamicEid && prefix != eid.host_prefix()
            })
    }

    /// A packet was decapsulated for an EID of a dynamic range that has not been found: if a port here
    /// serves the range, the packet waits while the host is looked for. Returns whether it does.
    pub(super) fn search_for(
        &mut self,
        eid: Eid,
        from: Option<(Rloc, Eid)>,
        packet: Option<&Packet<'_>>,
        now: Time,
    ) -> bool {
        let ports = self.mobility.ports(eid).to_vec();
        let is_waiting = self.mobility.owners.is_waiting(&eid);
        if ports.is_empty() || is_waiting || self.mobility.hosts.contains_key(&eid) {
            return false;
        }
        let searches = &mut self.mobility.searches;
        if !searches.contains_key(&eid) {
            if searches.len() >= SEARCHES {
                return false;
            }
            let discovery = match packet {
                Some(_) => Discovery::Search,
                None => Discovery::Packet,
            };
            let search = Search::Unknown { from, held: Held::new(), discovery };
            searches.insert(eid, (now + SEARCH, search));
            let probe = |port: InterfaceName| KernelRequest::Probe {
                device: Device::Interface(port),
                address: eid.address,
            };
            self.request(ports.into_iter().map(probe).collect());
        }
        let Some(packet) = packet else { return true };
        match self.mobility.searches.get_mut(&eid) {
            Some((_, Search::Unknown { held, .. })) if held.len() < HELD_PER_SEARCH => {
                held.push_back(packet.to_owned());
                true
            }
            _ => false,
        }
    }

    /// A port's host did not answer; the search is over when no other port is left.
    fn search_failed(&mut self, eid: Eid, _port: InterfaceName, now: Time) {
        if self.mobility.ports(eid).len() <= 1 {
            self.end_search(eid, now);
        }
    }

    fn end_search(&mut self, eid: Eid, now: Time) {
        let Some((_, search)) = self.mobility.searches.remove(&eid) else { return };
        match search {
            Search::Confirm { locators } => self.host_gone(eid, locators, now),
            Search::Unknown { from, held, .. } => {
                let entry = away::Entry {
                    producer: Producer::DynamicEid,
                    created_at: now,
                    expires_at: Some(now + NOT_FOUND),
                    locators: Vec::new(),
                };
                self.away.insert(eid.host_prefix(), entry);
                for _ in held {
                    self.counters.dropped(DropReason::EidAway);
                }
                if let Some((rloc, source)) = from {
                    self.solicit_sender(rloc, source, eid, now);
                }
                self.stale.prefixes.insert(eid.host_prefix());
                self.reconcile(now);
            }
        }
    }

    /// Ends the searches that took too long.
    pub(super) fn end_searches(&mut self, now: Time) {
        let searches = self.mobility.searches.iter();
        let over: Vec<Eid> =
            searches.filter(|(_, (until, _))| *until <= now).map(|(eid, _)| *eid).collect();
        for eid in over {
            self.end_search(eid, now);
        }
    }
}
