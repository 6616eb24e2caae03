//! Hosts that move: dynamic EIDs (draft-ietf-lisp-eid-mobility section 4).
//!
//! A `lisp mobility` port serves dynamic-EID ranges. The router finds a host of a range when the
//! host sends a packet on the port, because the kernel's neighbour table shows this host. Then the
//! router adds a prefix for the host to the database, registers the prefix, and checks that the
//! host is still there. The host counts as gone if a map-server reports that another xTR has the
//! host, or if the host does not answer any more. The away table always has an entry for the range
//! itself. So if a packet from the core is for a host that is on no port, the xTR that encapsulated
//! the packet receives an SMR.
//!
//! The port has the addresses of the roaming gateway: the same IP address and hardware address at
//! every xTR. The port has no route for its network. With such a route, the kernel would search
//! with ARP for a host that moved away, instead of using LISP. While a host is on the port, its
//! route leads to the port. After the host has moved, its route leads into `lisp0`. Then a
//! gratuitous ARP and a proxy neighbour make the other hosts of the old LAN send the packets for
//! this host to the router. A neighbour entry that only becomes old does not show that the host is
//! still on the port. A host that already has the hardware address of the gateway in its cache
//! creates no neighbour entry at all. So when this router receives packets from such a host, it
//! asks for the host.
//!
//! The first packets of a host are not lost. If a host sends a packet to its gateway, the kernel
//! answers before the host has a route. So the router receives this answer, and holds the answer
//! while it searches for the host. Packets of the host to other destinations are encapsulated, also
//! if the host has not been found. If an answer to these packets arrives before the host has been
//! found, the router holds this answer too.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use super::away::{AwayTable, Producer};
use super::bounded::{Bounded, Fill, Limit};
use super::config::{Config, InterfaceName};
pub use super::discovery::Discovery;
use super::event::{Event, HostChange};
use super::held::Held;
use super::io::{Device, KernelObject, Mac, NeighbourState, RouteTarget, Table};
use super::owner_changes::OwnerChanges;
use super::reason::{Departure, HostLoss};
use super::searches::Searches;
use crate::addr::{Eid, EidPrefix};
use crate::prefix_map::PrefixMap;
use crate::time::Time;

/// The limit for the number of hosts on the ports of this router. If the table is full, a host of
/// the port with the most hosts is removed: the host that was silent for the longest time. If the
/// new host is at this port too, the removed host must have been silent for half a minute. The
/// kernel asks each host every few seconds, so a host that is still on its port is never silent for
/// long.
const HOSTS: Limit = Limit { name: "Hosts here", capacity: 65_536, idle: Duration::from_secs(30) };
/// The limit for the number of stored hardware addresses of neighbours. If the table is full, the
/// oldest neighbour of the port with the most neighbours is removed.
const NEIGHBOURS: Limit = Limit { name: "Neighbours", capacity: 65_536, idle: Duration::ZERO };
/// The limit for the number of hosts that were at a port when the port lost its link. When the port
/// has its link again, the router asks for these hosts. If the table is full, a host of the port
/// with the most hosts is removed. This host is found again when it sends a packet, or when a
/// packet for it arrives.
const MISSED: Limit =
    Limit { name: "Hosts of ports without a link", capacity: 16_384, idle: Duration::ZERO };
/// How long a silent host remains in the away table.
pub(super) const SILENCE: Duration = Duration::from_secs(15 * 60);
/// The minimum time between two lines in the log about rejected hosts.
pub(super) const TURNED_AWAY_INTERVAL: Duration = Duration::from_secs(60);
/// A host of a dynamic-EID range that is on a port of this router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The name of the dynamic-EID to which the range of the host belongs.
    pub name: String,
    /// The dynamic-EID range that contains the host.
    pub range: EidPrefix,
    /// The port of the host.
    pub interface: InterfaceName,
    /// The hardware address of the host.
    pub mac: Mac,
    /// The time at which the host was found.
    pub found_at: Time,
    /// The last time at which a message showed that the host is on its port.
    pub last_seen_at: Time,
    /// The last time at which this router asked the host because a packet from the core had the
    /// host's address as its source.
    pub asked_at: Option<Time>,
    /// The way in which the router found the host.
    pub discovery: Discovery,
}

/// A dynamic-EID range of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// The name of the dynamic-EID.
    pub name: String,
    /// The ports that serve the range.
    pub ports: Vec<InterfaceName>,
}

/// The hosts of dynamic-EID ranges.
#[derive(Debug)]
pub struct Mobility {
    pub(super) ranges: PrefixMap<Range>,
    pub(super) hosts: Bounded<Eid, Host, InterfaceName>,
    /// The port at which each host was before it moved away. On this port, the router answers for
    /// the host by proxy. The entry is removed together with the host's entry in the away table. So
    /// the limit of the away table also limits this table.
    pub(super) former_ports: BTreeMap<Eid, InterfaceName>,
    /// The hosts that were at a port when the port lost its link.
    pub(super) missed: Bounded<Eid, InterfaceName, InterfaceName>,
    pub(super) neighbours: Bounded<(InterfaceName, IpAddr), Mac, InterfaceName>,
    pub(super) searches: Searches,
    /// The hosts that recently moved: to another xTR, or to this router.
    pub(super) owners: OwnerChanges<Eid>,
    /// The time of the last line in the log about a rejected host.
    pub(super) turned_away_at: Option<Time>,
    /// The hosts that left during the present input, each with the reason.
    pub(super) departures: BTreeMap<Eid, Departure>,
    /// The events about lost hosts. The caller has not taken these events yet.
    pub(super) changes: Vec<Event>,
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
            departures: BTreeMap::new(),
            changes: Vec::new(),
        }
    }
}

impl Mobility {
    /// The reason why the host with this prefix left during the present input. If no reason is
    /// noted, the host left because the configuration does not serve its range any more.
    pub(super) fn departure(&self, prefix: EidPrefix) -> Departure {
        let noted = self.departures.get(&prefix.network()).copied();
        noted.unwrap_or(Departure::Lost(HostLoss::NotServed))
    }

    /// The hardware addresses of the hosts and routers on the links, by port and address.
    pub fn neighbours(&self) -> &Bounded<(InterfaceName, IpAddr), Mac, InterfaceName> {
        &self.neighbours
    }

    /// The hosts that are on the ports of this router.
    pub fn hosts(&self) -> &Bounded<Eid, Host, InterfaceName> {
        &self.hosts
    }

    /// Removes and returns the events about hosts that a change of the configuration removed.
    pub(super) fn take_changes(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.changes)
    }

    /// The fill level of each table that hosts of a LAN can fill.
    pub fn fills(&self) -> [Fill; 6] {
        let [running, refused, confirmations] = self.searches.fills();
        let (hosts, missed) = (self.hosts.fill(), self.missed.fill());
        [hosts, missed, self.neighbours.fill(), running, refused, confirmations]
    }

    /// The first of the hosts that were at a port when the port lost its link.
    pub(super) fn first_missed(&self, port: InterfaceName) -> Option<Eid> {
        self.missed.keys_of(&port).next().copied()
    }

    /// Removes a host from `missed`.
    pub(super) fn forget_missed(&mut self, eid: Eid) {
        self.missed.remove(&eid);
    }

    /// The number of packets that wait until a host is found. Each segment of a super-packet counts
    /// as one packet.
    pub(super) fn waiting(&self) -> u64 {
        let held = self.searches.running.iter().flat_map(|(_, search)| &search.held);
        held.map(|each| each.packets).sum()
    }

    pub(super) fn remember(
        &mut self,
        port: InterfaceName,
        address: IpAddr,
        state: NeighbourState,
        now: Time,
    ) -> Option<Mac> {
        match state {
            NeighbourState::Known(mac) => {
                let before = self.neighbours.get(&(port, address)).copied();
                // In a full table, the oldest neighbour is removed, so there is always room.
                let _ = self.neighbours.insert((port, address), port, mac, now);
                before
            }
            NeighbourState::Failed | NeighbourState::Absent => {
                self.neighbours.remove(&(port, address))
            }
        }
    }

    /// Deletes the former port of each host that has no entry in the away table any more.
    pub(super) fn forget_former_ports(&mut self, moved: &BTreeSet<EidPrefix>, away: &AwayTable) {
        for prefix in moved.iter().filter(|prefix| !away.entries().contains(prefix)) {
            self.former_ports.remove(&prefix.network());
        }
    }

    /// Reads the ranges and their ports from the configuration. Removes the hosts of removed ranges
    /// and of removed ports. Removes the searches for EIDs outside the ranges, and returns the
    /// packets that waited for these searches.
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
            change: HostChange::Lost(HostLoss::NotServed),
        };
        self.changes.extend(gone.map(lost));
        self.hosts.retain(|eid, host| served(eid, &host.interface));
        self.former_ports.retain(|eid, port| served(eid, port));
        self.missed.retain(served);
        self.owners.retain(|eid| ranges.longest_match(*eid).is_some());
        self.searches.retain(|eid| ranges.longest_match(*eid).is_some())
    }

    /// The ports that serve the range of `eid`. The list is empty if no range contains `eid`, or if
    /// no port serves the range.
    pub(super) fn ports(&self, eid: Eid) -> &[InterfaceName] {
        self.ranges.longest_match(eid).map_or(&[], |(_, range)| &range.ports)
    }

    /// Whether `eid` lies in a dynamic-EID range.
    pub(super) fn is_dynamic(&self, eid: Eid) -> bool {
        self.ranges.longest_match(eid).is_some()
    }

    /// The host with this prefix, if it is on a port of this router.
    pub(super) fn host(&self, prefix: EidPrefix) -> Option<&Host> {
        let eid = prefix.network();
        self.hosts.get(&eid).filter(|_| prefix == eid.host_prefix())
    }

    /// Returns the port of a host if the router must ask now whether the host is still there. In
    /// this case, stores `now` as the time of this request. Returns `None` if the router asked the
    /// host, or received a message from the host, within the last `interval`.
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

    /// The name of the dynamic-EID to which a range belongs.
    pub(super) fn name_of(&self, range: &EidPrefix) -> Option<&str> {
        self.ranges.get(range).map(|range| range.name.as_str())
    }

    /// The objects that the kernel should have for one prefix: a route to a host at its port, a
    /// route into `lisp0` for a prefix that is away, or a proxy for a host at its former port.
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

    /// The prefixes of the hosts on the ports of this router, and of the EIDs that are at another
    /// xTR. The kernel may need a route for each prefix.
    pub(super) fn kernel_prefixes(&self, away: &AwayTable) -> BTreeSet<EidPrefix> {
        let gone = away.entries().iter().filter(|(_, entry)| entry.producer.leads_elsewhere());
        let gone = gone.map(|(prefix, _)| prefix);
        let hosts = self.hosts.keys().chain(self.former_ports.keys());
        hosts.map(Eid::host_prefix).chain(gone).collect()
    }
}
