//! Runs a simulation: carries out one event after another. After each event, carries out all
//! outputs that this event has caused at the nodes.

use std::rc::Rc;
use std::time::Duration;

use super::drops::LinkDrop;
use super::kernel::Kernel;
use super::link::Attachment;
use super::node::{ForProcess, Node, NodeOutput};
use super::trace::{self, Crossing, class, ip_packet};
use super::{NodeId, Sim};
use crate::capture::pcapng::Direction;
use crate::host::frame::HEADER_LEN;
use crate::lab::impairment::Fate;
use crate::time::{Deadline, Time};
use crate::watch::detail::Sort;

/// The delay after which a process reads a message that has arrived at a socket or at `lisp0`. The
/// delay is not zero: otherwise a packet that loops through a process would stop the clock.
const WAKE_UP: Duration = Duration::from_micros(10);

/// An event of the simulation.
#[derive(Debug)]
pub(super) enum Event {
    /// A frame arrives at a port.
    Arrive { to: Attachment, frame: Rc<[u8]> },
    /// A process reads the messages of its kernel.
    Process { node: NodeId, what: ForProcess },
    /// A host is plugged into a LAN. This is the second half of move `number` of the host.
    PlugIn { port: Attachment, segment: usize, number: u64 },
    /// A host is pulled out of its old LAN. This is the second half of a move of the host.
    PullOut { port: Attachment, segment: usize },
    /// A deadline of a node may have been reached.
    Wake { node: NodeId },
}

impl Sim {
    /// Carries out the next event. Returns false if there is no event.
    pub fn step(&mut self) -> bool {
        let Some((at, event)) = self.queue.pop() else {
            return false;
        };
        self.now = self.now.max(at);
        self.happen(event);
        if let Some(mut observer) = self.step_observer.take() {
            observer(self);
            self.step_observer = Some(observer);
        }
        true
    }

    /// Carries out all events up to `until`, and advances the clock to `until`.
    pub fn run_until(&mut self, until: Time) {
        while self.queue.next_at().is_some_and(|at| at <= until) {
            self.step();
        }
        self.now = self.now.max(until);
    }

    /// Lets the time `span` pass.
    pub fn run_for(&mut self, span: Duration) {
        self.run_until(self.now + span);
    }

    /// Runs until `done` is true or `deadline` is reached. Returns whether `done` is true.
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
            Event::Arrive { to, frame } => {
                self.tap(to, Direction::In, &frame);
                self.clock(to.node).receive(to.device, &frame, now);
                to.node
            }
            Event::Process { node, what } => {
                self.clock(node).process(what, now);
                node
            }
            Event::PlugIn { port, segment, number } => {
                if self.moves.get(&port) == Some(&number) {
                    self.plug_in(port, segment);
                }
                port.node
            }
            Event::PullOut { port, segment } => {
                if self.plugged.get(&port) != Some(&segment) {
                    self.segments[segment].unplug(port);
                }
                port.node
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

    /// Carries out the outputs of a node after an event, and plans the next wake-up of the node.
    pub(super) fn settle(&mut self, id: NodeId) {
        while let Some(output) = self.nodes[id.0].node.poll_output(self.now) {
            match output {
                NodeOutput::Transmit { device, frame } => {
                    self.transmit(Attachment { node: id, device }, frame);
                }
                NodeOutput::Process(what) => {
                    let event = Event::Process { node: id, what };
                    self.queue.push(self.now + WAKE_UP, event);
                }
            }
        }
        self.tell_drops(id);
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
        // The clock must advance, even if a node has the same deadline again after a wake-up.
        let at = at.max(now + Duration::from_micros(1));
        if named.wake_at.is_none_or(|planned| at < planned || planned <= now) {
            named.wake_at = Some(at);
            self.queue.push(at, Event::Wake { node: id });
        }
    }

    /// Puts a frame on the link into which the sending port is plugged.
    fn transmit(&mut self, from: Attachment, frame: Vec<u8>) {
        let Some(&at) = self.plugged.get(&from) else {
            return self.tell_link_drop(from.node, LinkDrop::NotPluggedIn, ip_packet(&frame));
        };
        self.tap(from, Direction::Out, &frame);
        let segment = &mut self.segments[at];
        if !segment.up {
            return self.tell_link_drop(from.node, LinkDrop::Down, ip_packet(&frame));
        }
        if frame.len() > HEADER_LEN + usize::from(segment.mtu) {
            return self.tell_link_drop(from.node, LinkDrop::TooBig, ip_packet(&frame));
        }
        let fate = segment.send(from, frame.len(), self.now);
        let arrivals = match fate {
            Fate::Arrives { at, copies } => vec![at; copies],
            Fate::Lost | Fate::QueueFull => Vec::new(),
        };
        let receivers = segment.receivers(from, &frame);
        let crossing = Crossing {
            time: self.now,
            link: &segment.name,
            from: &self.nodes[from.node.0].name,
            frame: &frame,
            packet: ip_packet(&frame),
            fate: match arrivals.len() {
                0 => trace::Fate::Lost,
                1 => trace::Fate::Carried,
                _ => trace::Fate::Doubled,
            },
        };
        self.crossings += u64::from(!crossing.is_neighbour_discovery());
        self.trace.record(&crossing);
        if let Some(watch) = &self.watch {
            let name = |port: &Attachment| self.nodes[port.node.0].name.clone();
            let to = || receivers.iter().map(name).collect();
            let arrives = arrivals.first().copied();
            let sort = Sort::of_hop(class(crossing.frame), arrives.is_none());
            watch.packet_on_link(self.now, sort, || crossing.hop(to(), arrives));
        }
        if receivers.is_empty() && !crossing.is_neighbour_discovery() {
            self.tell_link_drop(from.node, LinkDrop::NoReceiver, ip_packet(&frame));
        }
        let frame: Rc<[u8]> = frame.into();
        for arrival in arrivals {
            for &to in &receivers {
                self.queue.push(arrival, Event::Arrive { to, frame: frame.clone() });
            }
        }
    }

    /// Passes a frame at a port to all captures at this port.
    fn tap(&mut self, port: Attachment, direction: Direction, frame: &[u8]) {
        let here = self.captures.values_mut().filter(|(at, _)| *at == port);
        here.for_each(|(_, tap)| tap(self.now, direction, frame));
    }

    /// Sets the clock of a node to the present time, and returns the node.
    pub(super) fn clock(&mut self, id: NodeId) -> &mut Node {
        let node = &mut self.nodes[id.0].node;
        node.set_time(self.now);
        node
    }

    /// Updates the carrier state of each port of a segment. An end of a cable has carrier if the
    /// cable is not cut and both ends are up, as with a veth pair. A port of a LAN has carrier if
    /// the port is up and the bridge runs.
    pub(super) fn refresh_carrier(&mut self, at: usize) {
        // If the carrier of a port changes, the node of this port may set another port up or down.
        // So all ports are examined again after each change.
        while let Some((port, carrier)) = self.stale_carrier(at) {
            let now = self.now;
            self.clock(port.node).set_carrier(port.device, carrier, now);
            self.settle(port.node);
        }
    }

    /// Finds a port of a segment that has the wrong carrier state. Returns the port and its correct
    /// state.
    fn stale_carrier(&self, at: usize) -> Option<(Attachment, bool)> {
        let segment = &self.segments[at];
        let is_up = |port: &Attachment| self.nodes[port.node.0].node.is_up(port.device);
        let whole = segment.up && (segment.is_lan || segment.ports.iter().all(is_up));
        // During a make-before-break move, a host still receives frames of the old LAN. For the
        // carrier state, however, the port of the host belongs to the new LAN only.
        let here = segment.ports.iter().filter(|port| self.plugged.get(port) == Some(&at));
        let mut wanted = here.map(|port| (*port, whole && is_up(port)));
        wanted.find(|&(port, carrier)| self.has_carrier(port) != carrier)
    }

    pub(super) fn has_carrier(&self, port: Attachment) -> bool {
        match &self.nodes[port.node.0].node {
            Node::Host(host) => host.carrier,
            other => other.kernel().is_some_and(|kernel| kernel.device(port.device).carrier),
        }
    }
}
