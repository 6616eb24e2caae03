//! Hosts that come and go: dynamic EIDs (draft-ietf-lisp-eid-mobility section 4).
//!
//! A `lisp mobility` port serves dynamic-EID ranges. A host of such a range is found when it speaks on
//! the port: the kernel's neighbour table says so. Then it stands in the database as a prefix of its
//! own, is registered, and is watched. It is gone when a map-server says that another xTR has it, or
//! when it answers no more. The range itself is away all the time, so senders to hosts that are not
//! here are solicited.
//!
//! The port carries the roaming gateway, with the same address and hardware address at every xTR, and
//! no route of its network: a host that moved away would be sought with ARP instead of through LISP. A
//! host's route leads to the port while it is here and into `lisp0` after it has moved; then its old LAN
//! is told by a gratuitous ARP, and by a proxy neighbour, to send to us. An entry of the kernel's that
//! merely ages is no evidence of a host; a host that sends with the gateway's hardware address in its
//! cache makes no entry at all, which is why its packets make us ask for it.
//!
//! No packet of a host is lost for being its first. A packet to its gateway is answered by the
//! kernel before the host has a route, so the answer comes to us: it is held while the host is looked
//! for. Its packets to others are encapsulated whether or not it has been found, and the answer, if it
//! comes before the host has been found, is held likewise.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use super::Router;
use super::away::{self, AwayTable, Elsewhere, Producer, Stay};
use super::bounded::{Bounded, Fill, Full, Limit};
use super::config::{Config, InterfaceName};
pub use super::discovery::Discovery;
use super::event::{Event, HostChange};
use super::held::Held;
use super::io::{
    Device, DropReason, KernelObject, KernelRequest, Mac, NeighbourState, RouteTarget, Table,
};
use super::owner_changes::{CHANGES, Owned, OwnerChanges, WAIT, WINDOW};
use super::search::Searches;
use crate::addr::{Eid, EidPrefix};
use crate::prefix_map::PrefixMap;
use crate::time::Time;

/// Hosts that are here at one time. A host that is here shows it every few seconds, for the kernel asks
/// it; one that has not for half a minute gives way, or one of the port that has the most.
const HOSTS: Limit = Limit { name: "Hosts here", capacity: 65_536, idle: Duration::from_secs(30) };
/// Neighbours whose hardware address is remembered; of the port that has the most, the one that was
/// heard of first gives way.
const NEIGHBOURS: Limit = Limit { name: "Neighbours", capacity: 65_536, idle: Duration::ZERO };
/// Hosts to ask for when their port has its link again; of the port that has the most, one gives way. It
/// is found when it speaks, or when a packet for it comes.
const MISSED: Limit =
    Limit { name: "Hosts of ports without link", capacity: 16_384, idle: Duration::ZERO };
/// How long a host that fell silent stands in the away table.
pub(super) const SILENCE: Duration = Duration::from_secs(15 * 60);
/// The least time between two lines in the log about hosts that were turned away.
const TURNED_AWAY_INTERVAL: Duration = Duration::from_secs(60);
/// How long a host that was just found may take to show that it is still here, when a map-server says
/// that it is elsewhere.
pub(super) const CONFIRMATION: Duration = Duration::from_secs(1);
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
    /// When it was last asked for a packet from the core that had its address as source.
    pub asked_at: Option<Time>,
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

/// The hosts of dynamic-EID ranges.
#[derive(Debug)]
pub struct Mobility {
    ranges: PrefixMap<Range>,
    hosts: Bounded<Eid, Host, InterfaceName>,
    /// The port that a host was at before it moved away: its old LAN finds it there by proxy. It goes
    /// with the host's entry in the away table, which is bounded.
    former_ports: BTreeMap<Eid, InterfaceName>,
    /// The hosts that were at a port when its link fell.
    missed: Bounded<Eid, InterfaceName, InterfaceName>,
    neighbours: Bounded<(InterfaceName, IpAddr), Mac, InterfaceName>,
    pub(super) searches: Searches,
    /// The hosts that other xTRs have had, or taken, of late.
    pub(super) owners: OwnerChanges<Eid>,
    /// When the log last said that a host was turned away.
    turned_away_at: Option<Time>,
    /// The hosts that were lost since the caller last asked.
    changes: Vec<Event>,
}

impl Default for Mobility {
    fn default() -> Self {
        Mobility {
            ranges: PrefixMap::new(),
            hosts: Bounded::new(HOSTS),
            former_ports: BTreeMap::new(),
            missed: Bounded::new(MISSED),
            neighbours: Bounded::new(NEIGHBOURS),
            searches: Searches::default(),
            owners: OwnerChanges::default(),
            turned_away_at: None,
            changes: Vec::new(),
        }
    }
}

impl Mobility {
    /// The dynamic EIDs that are here.
    pub fn hosts(&self) -> &Bounded<Eid, Host, InterfaceName> {
        &self.hosts
    }

    /// The hosts that a change of the configuration took away since this was last asked.
    pub(super) fn take_changes(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.changes)
    }

    /// How full the tables are that neighbours fill.
    pub fn fills(&self) -> [Fill; 6] {
        let [running, refused, confirmations] = self.searches.fills();
        let (hosts, missed) = (self.hosts.fill(), self.missed.fill());
        [hosts, missed, self.neighbours.fill(), running, refused, confirmations]
    }

    /// The first of the hosts that were at a port when its link fell.
    pub(super) fn first_missed(&self, port: InterfaceName) -> Option<Eid> {
        self.missed.keys_of(&port).next().copied()
    }

    /// A host is not to be asked for any more when its port has its link again.
    pub(super) fn forget_missed(&mut self, eid: Eid) {
        self.missed.remove(&eid);
    }

    /// Packets on the wire that wait for a host that is looked for.
    pub(super) fn waiting(&self) -> u64 {
        let held = self.searches.running.iter().flat_map(|(_, search)| &search.held);
        held.map(|each| each.packets).sum()
    }

    fn remember(
        &mut self,
        port: InterfaceName,
        address: IpAddr,
        state: NeighbourState,
        now: Time,
    ) -> Option<Mac> {
        match state {
            NeighbourState::Known(mac) => {
                let before = self.neighbours.get(&(port, address)).copied();
                // Of a full table the longest unheard gives way, so that there is always room.
                let _ = self.neighbours.insert((port, address), port, mac, now);
                before
            }
            NeighbourState::Failed | NeighbourState::Absent => {
                self.neighbours.remove(&(port, address))
            }
        }
    }

    /// Forgets the ports of hosts whose entries in the away table have ended.
    pub(super) fn forget_former_ports(&mut self, moved: &BTreeSet<EidPrefix>, away: &AwayTable) {
        for prefix in moved.iter().filter(|prefix| !away.entries().contains(prefix)) {
            self.former_ports.remove(&prefix.network());
        }
    }

    /// Takes the ranges and their ports from the configuration; hosts of a removed range or port go too,
    /// and the searches for them. Returns the packets that these held.
    pub(super) fn reconfigure(&mut self, config: &Config) -> Held {
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
        let gone = self.hosts.iter().filter(|(eid, host)| !served(eid, &host.interface));
        let lost = |(&eid, host): (&Eid, &Host)| Event::Host {
            eid,
            port: host.interface,
            change: HostChange::Lost,
        };
        self.changes.extend(gone.map(lost));
        self.hosts.retain(|eid, host| served(eid, &host.interface));
        self.former_ports.retain(|eid, port| served(eid, port));
        self.missed.retain(served);
        self.owners.retain(|eid| ranges.longest_match(*eid).is_some());
        self.searches.retain(|eid| ranges.longest_match(*eid).is_some())
    }

    /// The range that holds `eid`, and the ports that serve it; none when no port does.
    pub(super) fn ports(&self, eid: Eid) -> &[InterfaceName] {
        self.ranges.longest_match(eid).map_or(&[], |(_, range)| &range.ports)
    }

    /// Whether `eid` lies in a dynamic-EID range.
    pub(super) fn is_dynamic(&self, eid: Eid) -> bool {
        self.ranges.longest_match(eid).is_some()
    }

    /// The local host with this prefix.
    pub(super) fn host(&self, prefix: EidPrefix) -> Option<&Host> {
        let eid = prefix.network();
        self.hosts.get(&eid).filter(|_| prefix == eid.host_prefix())
    }

    /// The port at which a host that is here is to be asked whether it still is, unless it was asked, or
    /// has shown itself, within the `interval`.
    pub(super) fn ask_from_time_to_time(
        &mut self,
        eid: Eid,
        interval: Duration,
        now: Time,
    ) -> Option<InterfaceName> {
        let host = self.hosts.get_mut(&eid)?;
        let last = host.asked_at.max(Some(host.last_seen_at));
        if last.is_some_and(|at| now.since(at) < interval) {
            return None;
        }
        host.asked_at = Some(now);
        Some(host.interface)
    }

    /// The name of the dynamic-EID that a range belongs to.
    pub(super) fn name_of(&self, range: &EidPrefix) -> Option<&str> {
        self.ranges.get(range).map(|range| range.name.as_str())
    }

    /// The objects that the kernel should have for one prefix: a route to a host at its port, or into
    /// `lisp0` for a prefix that is away, and a proxy for a host at its former port.
    pub(super) fn kernel_objects(
        &self,
        prefix: EidPrefix,
        away: &AwayTable,
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

    /// Whether a prefix is a configured range.
    pub(super) fn is_range(&self, prefix: &EidPrefix) -> bool {
        self.ranges.contains(prefix)
    }

    /// The prefixes of hosts here and of EIDs elsewhere: the kernel may need a route for each.
    pub(super) fn kernel_prefixes(&self, away: &AwayTable) -> BTreeSet<EidPrefix> {
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
        let instance_id = self.context.config.default_instance();
        let neighbours = self.mobility.neighbours.iter();
        let served: Vec<(Eid, InterfaceName, Mac)> = neighbours
            .map(|(&(port, address), &mac)| (Eid::new(instance_id, address), port, mac))
            .filter(|(eid, port, _)| self.mobility.ports(*eid).contains(port))
            .filter(|(eid, ..)| !self.mobility.hosts.contains_key(eid))
            .filter(|(eid, ..)| !self.context.own_addresses.contains(&eid.address))
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
                || match entry.stay {
                    Stay::Permanent => mobility.ranges.contains(&prefix),
                    _ => mobility.is_dynamic(prefix.network()),
                }
        });
        for range in ranges {
            let entry = away::Entry::new(Producer::DynamicEid, Stay::Permanent, now);
            self.away.insert(range, entry, now);
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
        let eid = Eid::new(self.context.config.default_instance(), address);
        let serves = self.mobility.ports(eid).contains(&port);
        let is_known = matches!(state, NeighbourState::Known(_));
        if is_known && self.mobility.owners.is_waiting(&eid) {
            // Not remembered: when the wait is over, it is new.
            return;
        }
        let before = self.mobility.remember(port, address, state, now);
        if !serves || self.context.own_addresses.contains(&address) {
            // The port may serve the host's range one day.
            return;
        }
        match state {
            NeighbourState::Known(mac) => self.neighbour_known(eid, port, mac, before, now),
            NeighbourState::Failed => {
                self.search_failed(eid, port, now);
                let here = self.mobility.hosts.get(&eid);
                if here.is_some_and(|host| host.interface == port) {
                    self.context.tell(Event::Host { eid, port, change: HostChange::Silent });
                    self.host_gone(eid, None, now);
                } else {
                    // Linux does not hear the advertisement of an IPv6 host whose entry has failed.
                    let device = Device::Interface(port);
                    self.context.request(vec![KernelRequest::Forget { device, address }]);
                }
            }
            NeighbourState::Absent => {}
        }
    }

    /// Evidence of a host is an entry that was not there `before`, or with another hardware address; an
    /// entry that ages is none. A host that is being looked for has answered.
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
                registrar.renew(context, database, eid.host_prefix(), now);
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
            false => self.context.give_up(held, DropReason::EidAway),
        }
    }

    /// A host is here: it gets a route, a database entry, a registration; every entry that says it is
    /// elsewhere is removed. Returns whether there was room for it.
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
                let (port, change) = (host.interface, HostChange::Lost);
                self.context.tell(Event::Host { eid: other, port, change });
                self.host_left(other, &host, None, now);
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
        self.away.remove(&prefix, Producer::DynamicEid);
        self.map_cache.forget_learned(&prefix);
        self.stale.prefixes.insert(prefix);
        let (device, address) = (Device::Interface(interface), eid.address);
        // The answer to this question also tells the host the hardware address of its gateway here.
        self.stale.requests.extend([
            KernelRequest::Probe { device, address },
            KernelRequest::Watch { device, address },
        ]);
        let held = self.resolver.outstanding.end_request(eid);
        self.stale.released.push(held);
        true
    }

    /// There is no room for a host. When it speaks the next time, it is new again.
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

    /// A port has no link: its hosts are nowhere, until they are found there again or elsewhere.
    pub(super) fn port_fell(&mut self, port: &str, now: Time) {
        let Some(port) = InterfaceName::of_device(port) else { return };
        self.mobility.searches.returned.remove(&port);
        let here: Vec<Eid> = self.mobility.hosts.keys_of(&port).copied().collect();
        for eid in here {
            self.context.tell(Event::Host { eid, port, change: HostChange::Lost });
            self.host_gone(eid, None, now);
            // One of another port may give way, and is found when it speaks.
            let _ = self.mobility.missed.insert(eid, port, port, now);
        }
    }

    /// A port has its link again: those of its hosts that have not gone answer, and are found.
    pub(super) fn port_is_back(&mut self, port: &str, now: Time) {
        let Some(port) = InterfaceName::of_device(port) else { return };
        self.mobility.searches.returned.insert(port);
        self.retry_searches(now);
    }

    /// A host is not here any more: it is withdrawn and away. Where it is `elsewhere`, another xTR has it,
    /// and the LAN that it left is told to send to us.
    pub(super) fn host_gone(&mut self, eid: Eid, elsewhere: Option<Elsewhere>, now: Time) {
        if let Some(host) = self.mobility.hosts.remove(&eid) {
            self.host_left(eid, &host, elsewhere, now);
        }
    }

    fn host_left(&mut self, eid: Eid, host: &Host, elsewhere: Option<Elsewhere>, now: Time) {
        let moved = elsewhere.is_some();
        let producer = Producer::DynamicEid;
        let entry = match elsewhere {
            Some(elsewhere) => away::Entry::told(producer, elsewhere, now),
            None => away::Entry::new(producer, Stay::Silent(now + SILENCE), now),
        };
        self.away.insert(eid.host_prefix(), entry, now);
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

    /// The EID of a host that is, or was, on `port` has another owner than before. Returns whether it is
    /// a duplicate, and names it once a minute; it is to have no other lines.
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

    /// Asks for the duplicates whose wait is over: a host that is still here answers, and is found.
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

    /// Whether `eid` may be on a port here without having been found: a port serves its range, and
    /// nothing says that it is away.
    pub(super) fn is_undetected(&self, eid: Eid) -> bool {
        let away = self.away.longest_match(eid);
        !self.mobility.ports(eid).is_empty()
            && away.is_some_and(|(prefix, entry)| {
                entry.producer == Producer::DynamicEid && prefix != eid.host_prefix()
            })
    }
}
