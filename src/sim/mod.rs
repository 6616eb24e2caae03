//! A whole lab in one thread, on virtual time. It needs no privileges and does not wait. All runs
//! with the same seed have the same result.
//!
//! ```text
//!   lab file ──build──▶ Sim ── nodes: Forwarder(Kernel)          a core router
//!                        │            Router(Kernel + core)      ITR, ETR, MS, MR, ...
//!                        │            Host(smoltcp)              pings and answers
//!                        ├─ segments: links and LANs with delay, jitter, loss, duplication, ...
//!                        ├─ queue:    planned events, by (time, sequence)
//!                        └─ trace:    packets that crossed the links
//! ```
//!
//! All random numbers come from one seed. From this seed and from its own name, each router, host
//! and link gets its own seed. If the lab, the seed and the calls are the same, the trace is the
//! same in every octet. So a failure can be repeated.
//!
//! Read [`Sim`], then [`kernel`] (it replaces Linux), then [`router_node`] (it replaces the
//! driver). [`build`] makes a `Sim` from a lab file. [`ping`] is `lab ping --sim`.

pub mod build;
mod client;
pub mod console;
mod course;
pub mod datagram;
mod disk;
pub mod drops;
pub mod error;
mod impair;
pub mod kernel;
mod kernel_state;
pub mod link;
mod moves;
pub mod node;
mod observe;
mod operate;
pub mod pcap;
pub mod ping;
pub mod probes;
pub mod queue;
pub mod router_node;
pub mod script;
pub mod sending;
pub mod stage;
pub mod tcp;
pub mod trace;
pub mod watched;

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use crate::console::machine::HostNames;
use crate::console::read_config;
use crate::host::{Host, HostConfig};
use crate::rng::Seed;
use crate::router::config::Config;
use crate::router::io::{Input, KernelEvent};
use crate::router::kept::KeptNonces;
use crate::router::witness::Witness;
use crate::router::{Router, Start};
use crate::time::Time;
use crate::watch::Watch;
use course::Event;
use disk::Disk;
use drops::DropObserver;
pub use error::SimError;
use error::{bad_port, wrong_kind};
use kernel::{DeviceKind, Kernel};
use link::{Attachment, LinkConfig, Segment};
pub use moves::Replug;
use node::{HostNode, Node};
use pcap::{CaptureId, Tap};
use queue::EventQueue;
use router_node::{Observers, RouterNode};
use trace::Trace;

/// [`Time::ZERO`] of the simulation, in microseconds since 1970. It is the start of 2026.
const WALL_CLOCK: u64 = 1_767_225_600_000_000;

/// The ID of a node of a simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(pub usize);

/// A function that opens a record. Its arguments are the name of a router and the time at which the
/// router starts. It returns `None` if this router is not recorded.
pub type Records = Box<dyn FnMut(&str, Time) -> Option<Box<dyn Write>>>;

/// A function that makes a witness of a router. Its arguments are the name of the router and the
/// time at which the router starts.
pub type Witnesses = Box<dyn FnMut(&str, Time) -> Box<dyn Witness>>;

/// A function that is called after each event of a simulation.
pub type StepObserver = Box<dyn FnMut(&Sim)>;

struct NamedNode {
    name: String,
    node: Node,
    /// The earliest planned [`Event::Wake`] of the node.
    wake_at: Option<Time>,
}

/// A lab on virtual time.
pub struct Sim {
    now: Time,
    seed: Seed,
    nodes: Vec<NamedNode>,
    names: BTreeMap<String, NodeId>,
    segments: Vec<Segment>,
    /// The segment into which each port is plugged.
    plugged: BTreeMap<Attachment, usize>,
    /// The number of moves of each host so far. If a host moves again during the gap of a move, the
    /// second half of the earlier move is skipped.
    moves: BTreeMap<Attachment, u64>,
    queue: EventQueue<Event>,
    /// Receives the packets that cross the links. The default is [`Trace::Off`].
    pub trace: Trace,
    crossings: u64,
    captures: BTreeMap<CaptureId, (Attachment, Tap)>,
    /// The number of captures that have begun so far. It becomes the ID of the next capture, so no
    /// two captures have the same ID.
    captures_begun: u64,
    records: Option<Records>,
    watch: Option<Watch>,
    /// Makes the witnesses of the routers that start.
    witnesses: Option<Witnesses>,
    drop_observer: Option<DropObserver>,
    step_observer: Option<StepObserver>,
    /// The stored nonces of each router that does not run.
    kept: BTreeMap<NodeId, KeptNonces>,
    /// The files of the routers.
    disks: BTreeMap<NodeId, Disk>,
    /// The names of the lab's hosts. The consoles of the routers know these names.
    host_names: HostNames,
    /// For each node with a wall clock that was set back, the time by which the clock was set back.
    clocks_behind: BTreeMap<NodeId, Duration>,
}

impl Sim {
    /// Makes an empty lab at [`Time::ZERO`].
    pub fn new(seed: Seed) -> Self {
        Sim {
            now: Time::ZERO,
            seed,
            nodes: Vec::new(),
            names: BTreeMap::new(),
            segments: Vec::new(),
            plugged: BTreeMap::new(),
            moves: BTreeMap::new(),
            queue: EventQueue::default(),
            trace: Trace::Off,
            crossings: 0,
            captures: BTreeMap::new(),
            captures_begun: 0,
            records: None,
            watch: None,
            witnesses: None,
            drop_observer: None,
            step_observer: None,
            kept: BTreeMap::new(),
            disks: BTreeMap::new(),
            host_names: HostNames::new(),
            clocks_behind: BTreeMap::new(),
        }
    }

    /// From this call on, records every router that starts. `records` opens the records.
    pub fn record(&mut self, records: Records) {
        self.records = Some(records);
    }

    /// From this call on, every router that starts gets a witness. `witnesses` makes the witnesses.
    pub fn witness(&mut self, witnesses: Witnesses) {
        self.witnesses = Some(witnesses);
    }

    /// Returns the present time of the simulation.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Returns the number of packets that were put on links since the beginning. Frames of ARP and
    /// neighbour discovery are not counted.
    pub fn crossings(&self) -> u64 {
        self.crossings
    }

    /// Adds a node that has only a kernel, like a network namespace without a process. The node is
    /// a core router. After its links exist, [`Sim::start_router`] can make it a LISP router.
    pub fn add_forwarder(&mut self, name: &str) -> Result<NodeId, SimError> {
        self.add_node(name, Node::Forwarder(Box::default()))
    }

    /// Adds a host whose only device is `device`.
    pub fn add_host(
        &mut self,
        name: &str,
        device: &str,
        config: HostConfig,
    ) -> Result<NodeId, SimError> {
        let seed = self.seed.fork(&format!("host {name}"));
        let host = Host::new(config, &seed, self.now)
            .map_err(|error| SimError::Host { name: name.to_owned(), error })?;
        self.add_node(name, Node::Host(Box::new(HostNode::new(host, device))))
    }

    /// Connects devices to a new link or LAN. In `ports`, each device is `(node, device)`: the name
    /// of its node and its own name. A link has exactly two devices, and a LAN has any number of
    /// devices. If a node has a kernel, and this kernel does not have the device, the device is
    /// created. A created device is down until it is set up.
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

    /// Starts the LISP process in the namespace of a forwarder. The node becomes a LISP router.
    ///
    /// If `write memory` has written a startup configuration, the process reads it in place of
    /// `config`.
    pub fn start_router(&mut self, name: &str, config: Config) -> Result<(), SimError> {
        let id = self.find(name)?;
        let saved = self.disks.get(&id).and_then(|disk| disk.startup.as_deref());
        let config = saved.map_or(config, |text| read_config(name, text).config);
        let start = Start {
            config,
            // A router that is started again must generate other nonces than before.
            seed: self.seed.fork(&format!("router {name} at {}", self.now)),
            wall_clock: self.machine_clock(id),
            now: self.now,
        };
        let wrong = || wrong_kind(name, "namespace without a process");
        let Node::Forwarder(kernel) = self.clock(id) else {
            return Err(wrong());
        };
        let kernel = std::mem::take(kernel);
        let now = self.now;
        let record = self.records.as_mut().and_then(|records| records(name, now));
        let witness = self.witnesses.as_mut().map(|witnesses| witnesses(name, now));
        let kept = self.kept.remove(&id).unwrap_or_default();
        let router = RouterNode::start(*kernel, kept, start, Observers { record, witness });
        self.nodes[id.0].node = Node::Router(Box::new(router));
        self.watch_router(id);
        self.settle(id);
        Ok(())
    }

    fn machine_clock(&self, id: NodeId) -> u64 {
        let behind = self.clocks_behind.get(&id).map_or(0, |behind| behind.as_micros() as u64);
        (WALL_CLOCK + self.now.0).saturating_sub(behind)
    }

    /// Sets the wall clock of a node's machine back by `behind`. A router reads its wall clock only
    /// when it starts.
    pub fn set_clock_behind(&mut self, name: &str, behind: Duration) -> Result<(), SimError> {
        let id = self.find(name)?;
        self.clocks_behind.insert(id, behind);
        Ok(())
    }

    /// Deletes the nonce file of a router that does not run.
    pub fn lose_nonces(&mut self, name: &str) -> Result<(), SimError> {
        let id = self.find(name)?;
        self.kept.remove(&id);
        Ok(())
    }

    /// Ends the process of a router as `kill -9` does. The router's kernel remains as a forwarder.
    pub fn kill_router(&mut self, name: &str) -> Result<(), SimError> {
        let now = self.now;
        self.end_router(name, |router| router.kill(now))
    }

    /// Ends the process of a router as a loss of power does: the peers of its TCP connections are
    /// not notified. The router's kernel remains as a forwarder.
    pub fn power_off_router(&mut self, name: &str) -> Result<(), SimError> {
        self.end_router(name, RouterNode::power_off)
    }

    /// Ends the process of a router as SIGTERM does. The router's kernel remains as a forwarder.
    /// The kernel has the state that it had before the process started.
    pub fn stop_router(&mut self, name: &str) -> Result<(), SimError> {
        let now = self.now;
        self.end_router(name, |router| router.stop(now))
    }

    fn end_router(
        &mut self,
        name: &str,
        end: impl FnOnce(RouterNode) -> (Kernel, KeptNonces),
    ) -> Result<(), SimError> {
        let id = self.find(name)?;
        self.clock(id);
        let named = &mut self.nodes[id.0];
        // The new forwarder is a placeholder. Nothing reads it before it is replaced.
        match std::mem::replace(&mut named.node, Node::Forwarder(Box::default())) {
            Node::Router(router) => {
                let (kernel, kept) = end(*router);
                named.node = Node::Forwarder(Box::new(kernel));
                self.kept.insert(id, kept);
            }
            other => {
                named.node = other;
                return Err(wrong_kind(name, "router"));
            }
        }
        self.settle(id);
        Ok(())
    }

    /// Passes an input to a router, for example a new configuration or a command.
    pub fn input(&mut self, name: &str, input: Input<'_>) -> Result<(), SimError> {
        let id = self.find(name)?;
        let now = self.now;
        let Node::Router(router) = self.clock(id) else {
            return Err(wrong_kind(name, "router"));
        };
        router.handle(input, now);
        self.settle(id);
        Ok(())
    }

    /// Returns a router for reading.
    pub fn router(&self, name: &str) -> Result<&Router, SimError> {
        match &self.nodes[self.find(name)?.0].node {
            Node::Router(router) => Ok(router.router()),
            _ => Err(wrong_kind(name, "router")),
        }
    }

    /// Returns one event for each request of a router that its kernel has refused, at most 64
    /// events.
    pub fn refusals(&self, name: &str) -> Result<&[KernelEvent], SimError> {
        match &self.nodes[self.find(name)?.0].node {
            Node::Router(router) => Ok(router.refusals()),
            _ => Err(wrong_kind(name, "router")),
        }
    }

    /// Returns the number of packets that were passed to the core of a router for a forwarding
    /// decision. The packets come from `lisp0` and from UDP port 4341. The count begins when the
    /// router's process starts.
    pub fn offered(&self, name: &str) -> Result<u64, SimError> {
        match &self.nodes[self.find(name)?.0].node {
            Node::Router(router) => Ok(router.offered()),
            _ => Err(wrong_kind(name, "router")),
        }
    }

    /// Returns the routers in the order in which they were added.
    pub fn routers(&self) -> impl Iterator<Item = (&str, &Router)> {
        self.nodes.iter().filter_map(|named| match &named.node {
            Node::Router(router) => Some((named.name.as_str(), router.router())),
            _ => None,
        })
    }

    /// Returns a host for reading.
    pub fn host(&self, name: &str) -> Result<&Host, SimError> {
        match &self.nodes[self.find(name)?.0].node {
            Node::Host(host) => Ok(&host.host),
            _ => Err(wrong_kind(name, "host")),
        }
    }

    /// Calls `act` with a host, for example to start a ping.
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

    /// Returns the kernel of a node for reading.
    pub fn kernel(&self, name: &str) -> Result<&Kernel, SimError> {
        let node = &self.nodes[self.find(name)?.0].node;
        node.kernel().ok_or_else(|| wrong_kind(name, "node with a kernel"))
    }

    /// Calls `act` with the kernel of a node, for a change that an operator makes with `ip`.
    pub fn with_kernel<T>(
        &mut self,
        name: &str,
        act: impl FnOnce(&mut Kernel) -> T,
    ) -> Result<T, SimError> {
        let id = self.find(name)?;
        let kernel = self.clock(id).kernel_mut();
        let result = act(kernel.ok_or_else(|| wrong_kind(name, "node with a kernel"))?);
        self.settle(id);
        Ok(result)
    }

    /// If `up` is false, cuts the cable of a link or stops the bridge of a LAN. If `up` is true,
    /// restores the cable or the bridge.
    pub fn set_link(&mut self, name: &str, up: bool) -> Result<(), SimError> {
        let at = self.find_link(name)?;
        self.segments[at].up = up;
        self.refresh_carrier(at);
        Ok(())
    }

    /// Returns the links and LANs, in the order in which they were made.
    pub fn links(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter()
    }

    fn add_node(&mut self, name: &str, node: Node) -> Result<NodeId, SimError> {
        let id = NodeId(self.nodes.len());
        if self.names.contains_key(name) {
            return Err(SimError::Duplicate(name.to_owned()));
        }
        self.names.insert(name.to_owned(), id);
        self.nodes.push(NamedNode { name: name.to_owned(), node, wake_at: None });
        if self.drop_observer.is_some() {
            self.nodes[id.0].node.observe_drops();
        }
        Ok(id)
    }

    fn plug(&mut self, name: &str, device: &str, mtu: u16) -> Result<Attachment, SimError> {
        let node = self.find(name)?;
        let end = &mut self.nodes[node.0].node;
        let id = match end.kernel_mut() {
            Some(kernel) if kernel.device_id(device).is_none() => {
                let id = kernel.add_device(device, DeviceKind::Port, mtu);
                let [high, low] = (node.0 as u16).to_be_bytes();
                kernel.set_mac(id, [0x02, 0xe1, 0xd0, high, low, id.0 as u8]);
                id
            }
            _ => end.device_id(device).ok_or_else(|| bad_port(name, device))?,
        };
        Ok(Attachment { node, device: id })
    }

    fn port(&self, name: &str, device: &str) -> Result<Attachment, SimError> {
        let node = self.find(name)?;
        let found = self.nodes[node.0].node.device_id(device);
        let device = found.ok_or_else(|| bad_port(name, device))?;
        Ok(Attachment { node, device })
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

#[cfg(test)]
mod tests;
