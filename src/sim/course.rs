//! The course of a simulation: one event after the other, each settled before the next.

use std::net::IpAddr;
use std::time::Duration;

use super::kernel::Kernel;
use super::link::Attachment;
use super::node::{ForProcess, Node, NodeOutput};
use super::trace::{Crossing, Fate};
use super::{NodeId, Sim};
use crate::time::{Deadline, Time};

/// How long the kernel takes to wake the process that reads a socket or `lisp0`. Not zero: a
/// packet that circled through a process would never let time pass.
const WAKE_UP: Duration = Duration::from_micros(10);
/// How long Linux tries to resolve a neighbour: three times a second apart.
const RESOLUTION: Duration = Duration::from_secs(3);

/// What can happen.
#[derive(Debug)]
pub(super) enum Event {
    /// A packet reaches the other end of a link.
    Arrive { to: Attachment, packet: Vec<u8> },
    /// A process reads what its kernel had for it.
    Process { node: NodeId, what: ForProcess },
    /// Nobody on the link answered for the next hop.
    NeighbourFailed { node: NodeId, packet: Vec<u8> },
    /// A node's deadline may have come.
    Wake { node: NodeId },
}

impl Sim {
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
                self.tap(to, &packet);
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
    pub(super) fn settle(&mut self, id: NodeId) {
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
        self.tap(from, &packet);
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
    pub(super) fn refresh_carrier(&mut self, at: usize) {
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
        let mut wanted = segment.ports.iter().map(|port| (*port, whole && is_up(port)));
        wanted.find(|&(port, carrier)| self.has_carrier(port) != carrier)
    }

    fn has_carrier(&self, port: Attachment) -> bool {
        match &self.nodes[port.node.0].node {
            Node::Host(host) => host.carrier,
            other => other.kernel().is_some_and(|kernel| kernel.device(port.device).carrier),
        }
    }
}
