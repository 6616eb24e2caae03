//! The state of a lab that is up: the links in its namespaces, and the states of its routers.

use std::collections::BTreeMap;

use super::news::Seen;
use crate::driver::netlink::monitor::Link;
use crate::lab::Lab;
use crate::lab::file::name::SWITCH;
use crate::lab::impairment::Impairment;
use crate::netns::{links, run};
use crate::router::io::Mac;
use crate::sim::trace::{Crossing, Fate, ip_packet};
use crate::time::Time;
use crate::watch::Item;
use crate::watch::item::{Class, Hop, Kind};
use crate::watch::snapshot::{Ground, PluggedPort, PortState, RouterState, Segment};

/// The maximum number of octets of a packet of hosts in an item. This is enough for the headers and
/// the start of the payload.
const SHOWN_OCTETS: usize = 256;
/// The length of an Ethernet header, in octets.
const ETHERNET: usize = 14;

/// The state of a lab.
#[derive(Debug, Default)]
pub struct State {
    /// The links of each namespace. The first key is the node of the namespace, and the second key
    /// is the device of the link.
    links: BTreeMap<String, BTreeMap<String, Link>>,
    /// The namespace and the device of each port. The key is the node and the device in the lab
    /// file. Only the port of an emulated host has another namespace and device than its key.
    ports: BTreeMap<(String, String), Port>,
    /// The cables between two nodes, and the LANs.
    segments: Vec<Segment>,
    /// The node of each hardware address.
    macs: BTreeMap<Mac, String>,
    routers: Vec<RouterPlace>,
}

#[derive(Debug)]
struct Port {
    place: String,
    device: String,
    interface: String,
}

#[derive(Debug)]
struct RouterPlace {
    name: String,
    runs: bool,
    state: RouterState,
}

impl State {
    /// Makes the state of a lab, before its links are known.
    pub fn new(lab: &Lab) -> Self {
        let ports = lab.file.ports().map(|port| {
            let (place, device) = run::end_of(lab, &port.node, &port.device);
            let known = Port { place: place.to_owned(), device, interface: port.interface.clone() };
            ((port.node.clone(), port.device.clone()), known)
        });
        let routers = lab.file.routers().map(|(name, _)| RouterPlace {
            name: name.to_owned(),
            runs: false,
            state: RouterState::default(),
        });
        let mut state =
            State { ports: ports.collect(), routers: routers.collect(), ..State::default() };
        state.segments = state.read_segments(lab);
        state
    }

    /// Replaces the links of a namespace. Returns the ports that have changed. For each port: the
    /// node, the interface, and the change in words.
    pub fn set_links(
        &mut self,
        lab: &Lab,
        place: &str,
        links: Vec<Link>,
    ) -> Vec<(String, String, String)> {
        let links: BTreeMap<String, Link> =
            links.into_iter().map(|link| (link.device.clone(), link)).collect();
        let before = self.links.insert(place.to_owned(), links);
        let is_first = before.is_none();
        let (before, after) = (before.unwrap_or_default(), &self.links[place]);
        let mut changes = Vec::new();
        for ((node, _), port) in self.ports.iter().filter(|(_, port)| port.place == place) {
            let state = |link: Option<&Link>| match link {
                None => "is gone",
                Some(Link { up: false, .. }) => "is down",
                Some(Link { carrier: false, .. }) => "has no carrier",
                Some(_) => "is up",
            };
            let (old, new) = (before.get(&port.device), after.get(&port.device));
            if let Some(mac) = new.and_then(|link| link.mac)
                && place != SWITCH
            {
                self.macs.insert(mac, node.clone());
            }
            if state(old) != state(new) && !is_first {
                let text = format!("{} {}", port.interface, state(new));
                changes.push((node.clone(), port.interface.clone(), text));
            }
        }
        let segments = self.read_segments(lab);
        if !is_first && place == SWITCH {
            changes.extend(moves(&self.segments, &segments));
        }
        self.segments = segments;
        changes
    }

    /// Reads the segments again, with the impairments of the links. Returns true if a segment has
    /// changed.
    pub fn refresh_segments(&mut self, lab: &Lab) -> bool {
        let segments = self.read_segments(lab);
        let has_changed = segments != self.segments;
        self.segments = segments;
        has_changed
    }

    /// Sets the node of an item from the router number `source`. A router itself knows only its
    /// hostname, not the name of its node.
    pub fn name_node(&self, source: usize, item: &mut Item) {
        let name = &self.routers[source].name;
        let node = match &mut item.kind {
            Kind::Message(message) => &mut message.node,
            Kind::Decision(decision) => &mut decision.node,
            Kind::Change(change) => &mut change.node,
            Kind::Log(line) => &mut line.node,
            Kind::Hop(hop) => &mut hop.from,
        };
        node.clone_from(name);
    }

    /// Sets whether the router number `source` runs. Returns the name of the router if this is a
    /// change.
    pub fn set_runs(&mut self, source: usize, runs: bool) -> Option<String> {
        let router = &mut self.routers[source];
        let changes = std::mem::replace(&mut router.runs, runs) != runs;
        changes.then(|| router.name.clone())
    }

    /// Sets the state of the router number `source`.
    pub fn set_router(&mut self, source: usize, state: RouterState) {
        self.routers[source].state = state;
    }

    /// Makes an item from a frame on a link. Returns `None` if the sending port is in no segment,
    /// or if the frame is shorter than an Ethernet header.
    pub fn hop(&mut self, lab: &Lab, seen: &Seen, at: u64) -> Option<Hop> {
        let Seen { node, device, octets: frame, .. } = seen;
        let is_here = |port: &PluggedPort| port.node == *node && port.device == *device;
        let segment = self.segments.iter().find(|segment| segment.ports.iter().any(is_here))?;
        let to_mac = |octets: &[u8]| octets.try_into().ok().map(Mac);
        let (to, from) = (frame.get(..6).and_then(to_mac), frame.get(6..12).and_then(to_mac));
        let others = segment.ports.iter().filter(|port| !is_here(port));
        let to = match to.and_then(|mac| self.macs.get(&mac)) {
            Some(receiver) if segment.ports.iter().any(|port| port.node == *receiver) => {
                vec![receiver.clone()]
            }
            _ => others.map(|port| port.node.clone()).collect(),
        };
        let crossing = Crossing {
            time: Time(at),
            link: &segment.name,
            from: node,
            frame,
            packet: ip_packet(frame),
            fate: Fate::Carried,
        };
        let delay = Time(at.saturating_add(segment.delay_us));
        let mut hop = crossing.hop(to, Some(delay));
        if matches!(hop.class, Class::Data | Class::Native) {
            hop.octets.truncate(2 * SHOWN_OCTETS);
        }
        // The hardware address of an emulated host is known only from the frames of this host.
        let is_unknown = from.filter(|from| !self.macs.contains_key(from));
        if let Some(mac) = is_unknown.filter(|_| self.macs.len() < lab.file.nodes.len() * 16) {
            self.macs.insert(mac, node.clone());
        }
        (frame.len() >= ETHERNET).then_some(hop)
    }

    fn link(&self, node: &str, device: &str) -> Option<&Link> {
        let port = self.ports.get(&(node.to_owned(), device.to_owned()))?;
        self.links.get(&port.place)?.get(&port.device)
    }

    fn read_segments(&self, lab: &Lab) -> Vec<Segment> {
        let plugged = |port: &crate::lab::file::Port| PluggedPort {
            node: port.node.clone(),
            device: port.device.clone(),
        };
        // Without a forwarder, no link is impaired.
        let senders = links::senders(lab).unwrap_or_default();
        let links = lab.file.links.iter().map(|link| {
            let ours = senders.iter().filter(|sender| link.ends.contains(&sender.port));
            let worst = Impairment::worst(ours.map(|sender| sender.impairment));
            Segment {
                name: link.name(),
                is_lan: false,
                up: true,
                delay_us: worst.delay.as_micros() as u64,
                loss: worst.loss,
                ports: link.ends.iter().map(plugged).collect(),
            }
        });
        let switch = self.links.get(SWITCH);
        let lans = lab.file.lans.iter().map(|lan| {
            let bridge = switch.and_then(|links| links.get(&lan.name)).map(|link| link.index);
            // A host may have moved: the port of a host can be on any LAN.
            let ports = lab.file.lans.iter().flat_map(|lan| &lan.ports);
            let is_here = |port: &&crate::lab::file::Port| {
                let (place, device) = run::end_of(lab, &port.node, &port.device);
                let device = if place == SWITCH { device } else { port.switch_device() };
                let cable = switch.and_then(|links| links.get(&device));
                cable.is_some_and(|cable| cable.bridge.is_some() && cable.bridge == bridge)
            };
            Segment {
                name: lan.name.clone(),
                is_lan: true,
                up: true,
                delay_us: 0,
                loss: 0.0,
                ports: ports.filter(is_here).map(plugged).collect(),
            }
        });
        links.chain(lans).collect()
    }
}

/// Returns the ports that are in another LAN than before: the node, the device, and the change in
/// words.
fn moves(before: &[Segment], after: &[Segment]) -> Vec<(String, String, String)> {
    let lan_of = |segments: &[Segment], port: &PluggedPort| {
        let mut lans = segments.iter().filter(|segment| segment.is_lan);
        lans.find(|lan| lan.ports.contains(port)).map(|lan| lan.name.clone())
    };
    let ports = after.iter().filter(|it| it.is_lan).flat_map(|lan| &lan.ports);
    let moved = ports.filter_map(|port| {
        let (old, new) = (lan_of(before, port)?, lan_of(after, port)?);
        let text = format!("{} has moved from {old} to {new}", port.node);
        (old != new).then(|| (port.node.clone(), port.device.clone(), text))
    });
    moved.collect()
}

impl Ground for State {
    fn port(&self, node: &str, device: &str) -> PortState {
        let link = self.link(node, device);
        link.map_or_else(PortState::default, |link| PortState {
            up: link.up,
            carrier: link.carrier,
        })
    }

    fn segments(&self) -> Vec<Segment> {
        self.segments.clone()
    }

    fn router(&self, node: &str) -> Option<RouterState> {
        let router = self.routers.iter().find(|router| router.name == node)?;
        router.runs.then(|| router.state.clone())
    }
}
