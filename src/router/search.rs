//! Hosts of dynamic-EID ranges that are looked for: each port that may have one is asked, and packets
//! for it wait until one answers or all are silent.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Router;
use super::away::{self, Elsewhere, Producer, Stay};
use super::config::InterfaceName;
use super::io::{Device, KernelRequest};
use super::mobility::Discovery;
use super::verdict::{Held, HeldPacket};
use crate::addr::Eid;
use crate::time::Time;

/// Hosts that are looked for at one time.
const SEARCHES: usize = 1024;
/// Packets that wait for a host that is looked for.
const HELD_PER_SEARCH: usize = 8;
/// How long a host is looked for: the kernel asks three times, once a second.
const SEARCH: Duration = Duration::from_secs(4);
/// How long a host that was not found is taken to be away.
const NOT_FOUND: Duration = Duration::from_secs(60);

/// A host that is looked for.
#[derive(Debug)]
pub(super) struct Search {
    /// When it is over.
    pub until: Time,
    /// The ports that it may be at and that have not said that it is not there.
    pub ports: BTreeSet<InterfaceName>,
    pub why: Sought,
}

/// Why a host is looked for.
#[derive(Debug)]
pub(super) enum Sought {
    /// A packet came for it, or from it; packets for it wait.
    Unknown { held: Held, discovery: Discovery },
    /// A map-server says that it is elsewhere, but it was found here a moment ago.
    Confirm(Elsewhere),
}

impl Router {
    /// A packet came for an EID of a dynamic range that has not been found, or from it: if a port here
    /// serves the range, the host is looked for. The packet that came for it waits, if there is room.
    /// Returns whether the host is looked for and the packet, if there is one, waits.
    pub(super) fn search_for(
        &mut self,
        eid: Eid,
        packet: Option<&dyn Fn() -> HeldPacket>,
        now: Time,
    ) -> bool {
        let ports: BTreeSet<InterfaceName> = self.mobility.ports(eid).iter().copied().collect();
        let is_waiting = self.mobility.owners.is_waiting(&eid);
        if ports.is_empty() || is_waiting || self.mobility.hosts().contains_key(&eid) {
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
            let probe = |port: &InterfaceName| KernelRequest::Probe {
                device: Device::Interface(*port),
                address: eid.address,
            };
            let probes = ports.iter().map(probe).collect();
            let why = Sought::Unknown { held: Held::new(), discovery };
            searches.insert(eid, Search { until: now + SEARCH, ports, why });
            self.request(probes);
        }
        let Some(packet) = packet else { return true };
        match self.mobility.searches.get_mut(&eid).map(|search| &mut search.why) {
            Some(Sought::Unknown { held, .. }) if held.len() < HELD_PER_SEARCH => {
                held.push_back(packet());
                true
            }
            _ => false,
        }
    }

    /// A host did not answer on a port; the search for it is over when it was the last.
    pub(super) fn search_failed(&mut self, eid: Eid, port: InterfaceName, now: Time) {
        let Some(search) = self.mobility.searches.get_mut(&eid) else { return };
        if search.ports.remove(&port) && search.ports.is_empty() {
            self.end_search(eid, now);
        }
    }

    fn end_search(&mut self, eid: Eid, now: Time) {
        let Some(search) = self.mobility.searches.remove(&eid) else { return };
        match search.why {
            Sought::Confirm(elsewhere) => self.host_gone(eid, Some(elsewhere), now),
            Sought::Unknown { held, .. } => {
                let stay = Stay::Silent(now + NOT_FOUND);
                let entry = away::Entry::new(Producer::DynamicEid, stay, now);
                self.away.insert(eid.host_prefix(), entry, now);
                self.stale.prefixes.insert(eid.host_prefix());
                self.reconcile(now);
                self.release(eid.instance_id, held, now);
            }
        }
    }

    /// Ends the searches that took too long.
    pub(super) fn end_searches(&mut self, now: Time) {
        let searches = self.mobility.searches.iter();
        let over: Vec<Eid> =
            searches.filter(|(_, search)| search.until <= now).map(|(eid, _)| *eid).collect();
        for eid in over {
            self.end_search(eid, now);
        }
    }
}
