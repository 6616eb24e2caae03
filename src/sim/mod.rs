//! A whole lab in one thread on virtual time: no privileges, no waiting, the same course each time.
//!
//! ```text
//!   lab file ──build──▶ Sim ── nodes: Forwarder(Kernel)          a core router
//!                        │            Router(Kernel + core)      ITR, ETR, MS, MR, ...
//!                        │            Host(smoltcp)              pings and answers
//!                        ├─ segments: links and LANs with delay, jitter, loss, duplication, ...
//!                        ├─ queue:    what will happen, by (time, sequence)
//!                        └─ trace:    what crossed the links
//! ```
//!
//! All randomness comes from one seed, forked by name for each router, host and link. The same
//! lab, seed and calls give the same trace to the octet, so what fails once fails again.
//!
//! Read [`Sim`], then [`kernel`] (what stands in for Linux), then [`router_node`] (what stands in
//! for the driver). [`build`] makes a `Sim` of a lab file, [`ping`] is `lab ping --sim`.

pub mod build;
pub mod datagram;
pub mod kernel;
pub mod link;
pub mod node;
pub mod ping;
pub mod queue;
pub mod router_node;
pub mod trace;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::host::{Host, HostConfig, HostError};
use crate::lab::file::Impairment;
use crate::rng::Seed;
use crate::router::config::Config;
use crate::router::io::Input;
use crate::router::{Router, Start};
use crate::time::{Deadline, Time};
use kernel::{DeviceKind, Kernel};
use link::{Attachment, LinkConfig, Segment};
use node::{ForProcess, HostNode, Node, NodeOutput};
use queue::EventQueue;
use router_node::RouterNode;
use trace::{Crossing, Fate, Trace};

/// How long the kernel takes to wake the process that reads a socket or `lisp0`. Not zero: a
/// packet that circled through a process would never let time pass.
const WAKE_UP: Duration = Duration::from_micros(10);
/// How long Linux tries to resolve a neighbour: three times a second apart.
const RESOLUTION: Duration = Duration::from_secs(3);
/// Microseconds since 1970 at the simulation's epoch: 2026-01-01.
const WALL_CLOCK: u64 = 1_767_225_600_000_000;

/// A node of a simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(pub usize);

/// Why a simulation cannot do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// No node has this name.
    #[error("{0}: no such node")]
    NoSuchNode(String),
    /// The node is there and is something else.
    #[error("{name} is no {wanted}")]
    WrongKind {
        /// The node.
        name: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// Two nodes or two links of one name.
    #[error("{0}: there is one already")]
    Duplicate(String),
    /// No link has this name.
    #[error("{0}: no such link")]
    NoSuchLink(String),
    /// The node's device has a link already, or a host has another device.
    #[error("{node}: {device} cannot be plugged in")]
    BadPort {
        /// The node.
        node: String,
        /// The device.
        device: String,
    },
    /// A host cannot be made.
    #[error("{name}: {error}")]
    Host {
        /// The host.
        name: String,
        /// Why.
        error: HostError,
    },
    /// A node has no address of the family.
    #[error("{name} has no {family} address")]
    NoAddress {
        /// The node.
        name: String,
        /// `IPv4` or `IPv6`.
        family: String,
    },
    /// A route of a lab file leads nowhere.
    #[error("{name}: route to {prefix}: {error}")]
    Route {
        /// The node.
        name: String,
        /// The destination.
        prefix: ipnet::IpNet,
        /// The kernel's words.
        error: &'static str,
    },
    /// A router's configuration cannot be read or understood.
    #[error("{0}")]
    Config(String),
    /// Registrations were not acknowledged in time.
    #[error("not every registration was acknowledged within {} s of virtual time", .0.as_secs())]
    NotRegistered(Duration),
    /// Writing the report failed.
    #[error("cannot write: {0}")]
    Write(#[from] std::io::Error),
}

#[derive(Debug)]
enum Event {
    /// A packet reaches the other end of a link.
    Arrive { to: Attachment, packet: Vec<u8> },
    /// A process reads what its kernel had for it.
    Process { node: NodeId, what: ForProcess },
    /// Nobody on the link answered for the next hop.
    NeighbourFailed { node: NodeId, packet: Vec<u8> },
    /// A node's deadline may have come.
    Wake { node: NodeId },
}

struct NamedNode {
    name: String,
    node: Node,
    /// The earliest planned [`Event::Wake`].
    wake_at: Option<Time>,
}

/// A lab on virtual time.
pub struct Sim {
    now: Time,
    seed: Seed,
    nodes: Vec<NamedNode>,
    names: BTreeMap<String, NodeId>,
    segments: Vec<Segment>,
    /// The segment that a device is plugged into.
    plugged: BTreeMap<Attachment, usize>,
    queue: EventQueue<Event>,
    /// What crossed the links; off unless set.
    pub trace: Trace,
    crossings: u64,
}

impl Sim {
    /// An empty lab at [`Time::ZERO`].
    pub fn new(seed: Seed) -> Self {
        Sim {
            now: Time::ZERO,
            seed,
            nodes: Vec::new(),
            names: BTreeMap::new(),
            segments: Vec::new(),
            plugged: BTreeMap::new(),
            queue: EventQueue::default(),
            trace: Trace::Off,
            crossings: 0,
        }
    }

    /// The instant that the simulation has reached.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Packets put on links since the beginning.
    pub fn crossings(&self) -> u64 {
        self.crossings
    }

    /// Adds a namespace with nothing in it but a kernel: a core router, or a router that
    /// [`Sim::start_router`] starts when its links are there.
    pub fn add_forwarder(&mut self, name: &str) -> Result<NodeId, SimError> {
        self.add_node(name, Node::Forwarder(Kernel::new()))
    }

    /// Adds an emulated host whose only device has this name.
    pub fn add_host(
        &mut self,
        name: &str,
        device: &str,
        config: HostConfig,
    ) -> Result<NodeId, SimError> {
        let seed = self.seed.fork(&format!("host {name}"));
        let host = Host::new(config, &seed, self.now)
            .map_err(|error| SimError::Host { name: name.to_owned(), error })?;
        let node =
            Node::Host(Box::new(HostNode { host, device: device.to_owned(), carrier: false }));
        self.add_node(name, node)
    }

    /// Plugs devices, named `(node, device)`, into a link (two of them) or a LAN. A kernel's device
    /// comes into being with it, down until somebody sets it up.
    pub fn connect(
        &mut self,
        config: LinkConfig,
        ports: &[(&str, &str)],
        is_lan: bool,
    ) -> Result<(), SimError> {
        if self.segments.iter().any(|segment| segment.name == config.name) {
            return Err(SimError::Duplicate(config.name));
        }
        let at = self.segments.len();
        let mut attachments = Vec::new();
        for &(name, device) in ports {
            let port = self.plug(name, device, config.mtu)?;
            if self.plugged.insert(port, at).is_some() {
                return Err(bad_port(name, device));
            }
            attachments.push(port);
        }
        self.segments.push(Segment::new(config, attachments, is_lan, &self.seed));
        self.refresh_carrier(at);
        Ok(())
    }

    /// Starts the LISP process in a forwarder's namespace, which makes it a router.
    pub fn start_router(&mut self, name: &str, config: Config) -> Result<(), SimError> {
        let id = self.find(name)?;
        let start = Start {
            config,
            seed: self.seed.fork(&format!("router {name}")),
            wall_clock: WALL_CLOCK + self.now.0,
            now: self.now,
        };
        let wrong = || wrong_kind(name, "namespace without a process");
        let Node::Forwarder(kernel) = &mut self.nodes[id.0].node else {
            return Err(wrong());
        };
        let kernel = std::mem::take(kernel);
        self.nodes[id.0].node = Node::Router(Box::new(RouterNode::start(kernel, start)));
        self.settle(id);
        Ok(())
    }

    /// Ends a router's process as `kill -9` does. Its kernel goes on as a forwarder.
    pub fn kill_router(&mut self, name: &str) -> Result<(), SimError> {
        let id = self.find(name)?;
        let named = &mut self.nodes[id.0];
        // The placeholder is gone before anybody can see it.
        match std::mem::replace(&mut named.node, Node::Forwarder(Kernel::new())) {
            Node::Router(router) => named.node = Node::Forwarder(router.kill()),
            other => {
                named.node = other;
                return Err(wrong_kind(name, "router"));
            }
        }
        self.settle(id);
        Ok(())
    }

    /// Gives a router an input, such as a new configuration or a command.
    pub fn input(&mut self, name: &str, input: Input<'_>) -> Result<(), SimError> {
        let id = self.find(name)?;
        let Node::Router(router) = &mut self.nodes[id.0].node else {
            return Err(wrong_kind(name, "router"));
        };
        router.handle(input, self.now);
        self.settle(id);
        Ok(())
    }

    /// A router, to look at.
    pub fn router(&self, name: &str) -> Result<&Router, SimError> {
        match &self.nodes[self.find(name)?.0].node {
            Node::Router(router) => Ok(router.router()),
            _ => Err(wrong_kind(name, "router")),
        }
    }

    /// The routers in the order in which they were added.
    pub fn routers(&self) -> impl Iterator<Item = (&str, &Router)> {
        self.nodes.iter().filter_map(|named| match &named.node {
            Node::Router(router) => Some((named.name.as_str(), router.router())),
            _ => None,
        })
    }

    /// A host, to look at.
    pub fn host(&self, name: &str) -> Result<&Host, SimError> {
        match &self.nodes[self.find(name)?.0].node {
            Node::Host(host) => Ok(&host.host),
            _ => Err(wrong_kind(name, "host")),
        }
    }

    /// Does something with a host, such as starting a ping.
    pub fn with_host<T>(
        &mut self,
        name: &str,
        act: impl FnOnce(&mut Host) -> T,
    ) -> Result<T, SimError> {
        let id = self.find(name)?;
        let Node::Host(host) = &mut self.nodes[id.0].node else {
            return Err(wrong_kind(name, "host"));
        };
        let result = act(&mut host.host);
        host.host.poll(self.now);
        self.settle(id);
        Ok(result)
    }

    /// A kernel, to look at.
    pub fn kernel(&self, name: &str) -> Result<&Kernel, SimError> {
        let node = &self.nodes[self.find(name)?.0].node;
        node.kernel().ok_or_else(|| wrong_kind(name, "node with a kernel"))
    }

    /// Does something with a kernel, as an operator does with `ip`.
    pub fn with_kernel<T>(
        &mut self,
        name: &str,
        act: impl FnOnce(&mut Kernel) -> T,
    ) -> Result<T, SimError> {
        let id = self.find(name)?;
        let kernel = self.nodes[id.0].node.kernel_mut();
        let result = act(kernel.ok_or_else(|| wrong_kind(name, "node with a kernel"))?);
        self.settle(id);
        Ok(result)
    }

    /// Cuts a cable or stops a bridge, or mends it.
    pub fn set_link(&mut self, name: &str, up: bool) -> Result<(), SimError> {
        let at = self.find_link(name)?;
        self.segments[at].up = up;
        self.refresh_carrier(at);
        Ok(())
    }

    /// Changes what a link does to packets from here on.
    pub fn impair(&mut self, name: &str, impairment: Impairment) -> Result<(), SimError> {
        let at = self.find_link(name)?;
        self.segments[at].impairment = impairment;
        Ok(())
    }

    /// The links and LANs, by name, in the order in which they were made.
    pub fn links(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter()
    }

    /// Lets the next event happen; false when there is none.
    pub fn step(&mut self) -> bool {
        let Some((at, event)) = self.queue.pop() else {
            return false;
        };
        self.now = self.now.max(at);
        self.happen(event);
        true
    }

    /// Lets everything happen until `until`, and lets that much time pass.
    pub fn run_until(&mut self, until: Time) {
        while self.queue.next_at().is_some_and(|at| at <= until) {
            self.step();
        }
        self.now = self.now.max(until);
    }

    /// Lets this much time pass.
    pub fn run_for(&mut self, span: Duration) {
        self.run_until(self.now + span);
    }

    /// Runs until `done` says so, at most until `deadline`; whether it was done.
    pub fn run_while_not(&mut self, deadline: Time, done: impl Fn(&Sim) -> bool) -> bool {
        loop {
            if done(self) {
                return true;
            }
            if self.queue.next_at().is_none_or(|at| at > deadline) {
                self.now = self.now.max(deadline);
                return false;
            }
            self.step();
        }
    }

    fn happen(&mut self, event: Event) {
        let now = self.now;
        let node = match event {
            Event::Arrive { to, packet } => {
                self.nodes[to.node.0].node.receive(to.device, packet, now);
                to.node
            }
            Event::Process { node, what } => {
                self.nodes[node.0].node.process(what, now);
                node
            }
            Event::NeighbourFailed { node, packet } => {
                self.nodes[node.0].node.neighbour_failed(&packet);
                node
            }
            Event::Wake { node } => {
                let named = &mut self.nodes[node.0];
                if named.wake_at == Some(now) {
                    named.wake_at = None;
                }
                named.node.handle_timeout(now);
                node
            }
        };
        self.settle(node);
    }

    /// Takes out what a node has to say after something happened to it, and plans its next wake.
    fn settle(&mut self, id: NodeId) {
        while let Some(output) = self.nodes[id.0].node.poll_output(self.now) {
            match output {
                NodeOutput::Transmit { device, next_hop, packet } => {
                    let from = Attachment { node: id, device };
                    self.transmit(from, next_hop, packet);
                }
                NodeOutput::Process(what) => {
                    let event = Event::Process { node: id, what };
                    self.queue.push(self.now + WAKE_UP, event);
                }
            }
        }
        let changed = self.nodes[id.0].node.kernel_mut().is_some_and(Kernel::take_link_change);
        if changed {
            let of_node = self.plugged.iter().filter(|(port, _)| port.node == id);
            let segments: Vec<usize> = of_node.map(|(_, &at)| at).collect();
            for at in segments {
                self.refresh_carrier(at);
            }
        }
        self.plan_wake(id);
    }

    fn plan_wake(&mut self, id: NodeId) {
        let now = self.now;
        let named = &mut self.nodes[id.0];
        let Some(Deadline { at, .. }) = named.node.poll_timeout(now) else {
            return;
        };
        // A deadline that a wake-up does not move must not stop time.
        let at = at.max(now + Duration::from_micros(1));
        if named.wake_at.is_none_or(|planned| at < planned || planned <= now) {
            named.wake_at = Some(at);
            self.queue.push(at, Event::Wake { node: id });
        }
    }

    /// Finds who has the next hop and puts the packet on the way. ARP and ND belong here.
    fn transmit(&mut self, from: Attachment, next_hop: IpAddr, packet: Vec<u8>) {
        let Some(&at) = self.plugged.get(&from) else {
            return;
        };
        let Some(to) = self.resolve(at, from, next_hop) else {
            let event = Event::NeighbourFailed { node: from.node, packet };
            self.queue.push(self.now + RESOLUTION, event);
            return;
        };
        let segment = &mut self.segments[at];
        let arrivals = segment.arrivals(from, self.now);
        self.crossings += 1;
        self.trace.record(&Crossing {
            time: self.now,
            link: &segment.name,
            from: &self.nodes[from.node.0].name,
            packet: &packet,
            fate: match arrivals.len() {
                0 => Fate::Lost,
                1 => Fate::Carried,
                _ => Fate::Doubled,
            },
        });
        for arrival in arrivals {
            let packet = packet.clone();
            self.queue.push(arrival, Event::Arrive { to, packet });
        }
    }

    /// The port whose node answers for an address; its owner before a proxy.
    fn resolve(&self, segment: usize, from: Attachment, target: IpAddr) -> Option<Attachment> {
        let segment = &self.segments[segment];
        if !segment.up {
            return None;
        }
        let others = segment.ports.iter().filter(|&&port| port != from);
        let answers = others.filter_map(|&port| {
            let answer = self.nodes[port.node.0].node.answers(port.device, target)?;
            Some((answer, port))
        });
        answers.min().map(|(_, port)| port)
    }

    /// Tells the ports of a segment whether the other end is there. A cable's end has carrier when
    /// both ends are up, as a veth's; a LAN's port when the bridge runs.
    fn refresh_carrier(&mut self, at: usize) {
        // What a node does about its carrier may change another's: look again after each.
        while let Some((port, carrier)) = self.stale_carrier(at) {
            self.nodes[port.node.0].node.set_carrier(port.device, carrier);
            self.settle(port.node);
        }
    }

    /// A port of a segment that was told otherwise than it is.
    fn stale_carrier(&self, at: usize) -> Option<(Attachment, bool)> {
        let segment = &self.segments[at];
        let is_up = |port: &Attachment| self.nodes[port.node.0].node.is_up(port.device);
        let whole = segment.up && (segment.is_lan || segment.ports.iter().all(is_up));
        let wanted = segment.ports.iter().map(|port| (*port, whole && is_up(port)));
        wanted.filter(|&(port, carrier)| self.has_carrier(port) != carrier).next()
    }

    fn has_carrier(&self, port: Attachment) -> bool {
        match &self.nodes[port.node.0].node {
            Node::Host(host) => host.carrier,
            other => other.kernel().is_some_and(|kernel| kernel.device(port.device).carrier),
        }
    }

    fn add_node(&mut self, name: &str, node: Node) -> Result<NodeId, SimError> {
        let id = NodeId(self.nodes.len());
        if self.names.contains_key(name) {
            return Err(SimError::Duplicate(name.to_owned()));
        }
        self.names.insert(name.to_owned(), id);
        self.nodes.push(NamedNode { name: name.to_owned(), node, wake_at: None });
        Ok(id)
    }

    fn plug(&mut self, name: &str, device: &str, mtu: u16) -> Result<Attachment, SimError> {
        let node = self.find(name)?;
        let end = &mut self.nodes[node.0].node;
        let id = match end.kernel_mut() {
            Some(kernel) if kernel.device_id(device).is_none() => {
                kernel.add_device(device, DeviceKind::Port, mtu)
            }
            _ => end.device_id(device).ok_or_else(|| bad_port(name, device))?,
        };
        Ok(Attachment { node, device: id })
    }

    fn find(&self, name: &str) -> Result<NodeId, SimError> {
        let found = self.names.get(name).copied();
        found.ok_or_else(|| SimError::NoSuchNode(name.to_owned()))
    }

    fn find_link(&self, name: &str) -> Result<usize, SimError> {
        let at = self.segments.iter().position(|segment| segment.name == name);
        at.ok_or_else(|| SimError::NoSuchLink(name.to_owned()))
    }
}

fn wrong_kind(name: &str, wanted: &'static str) -> SimError {
    SimError::WrongKind { name: name.to_owned(), wanted }
}

fn bad_port(node: &str, device: &str) -> SimError {
    SimError::BadPort { node: node.to_owned(), device: device.to_owned() }
}

#[cfg(test)]
mod tests;
