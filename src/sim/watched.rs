//! Watches a simulation. Adds three things to a [`Watch`]: the packets on the links, the dropped
//! packets, and the calls of the routers' cores with their results.

use super::drops::Dropped;
use super::link::Attachment;
use super::node::Node;
use super::{NodeId, Sim};
use crate::lab::file::LabFile;
use crate::lab::impairment::Impairment;
use crate::router::io::{Command, Input};
use crate::time::Time;
use crate::watch::item::Reason;
use crate::watch::snapshot::{Ground, PluggedPort, PortState, RouterState, Segment};
use crate::watch::{RouterWatch, Snapshot, Watch};

impl Sim {
    /// From this call on, adds an item to `watch` for each thing that happens in the lab, for
    /// example for each packet on a link.
    pub fn watch(&mut self, watch: Watch) {
        self.watch = Some(watch.clone());
        self.observe_drops(Box::new(move |drop: &Dropped<'_>| {
            let text = drop.reason.describe().to_owned();
            let reason = Reason { text, section: Some(drop.reason.section().to_owned()) };
            watch.packet_dropped(drop.time, drop.node, drop.packet, reason);
        }));
        for number in 0..self.nodes.len() {
            self.watch_router(NodeId(number));
        }
    }

    /// Closes the [`Watch`] that [`Sim::watch`] has received. The routers lose their witnesses for
    /// this `Watch`.
    pub fn stop_watching(&mut self) {
        let Some(watch) = self.watch.take() else { return };
        watch.close();
        let now = self.now;
        for named in &mut self.nodes {
            if let Node::Router(router) = &mut named.node {
                router.router_mut().remove_ended_witnesses();
                router.handle(Input::Command(Command::Watch(false)), now);
            }
        }
    }

    /// If the lab is watched and the node is a router, adds a witness to the router.
    pub(super) fn watch_router(&mut self, id: NodeId) {
        let Some(watch) = &self.watch else { return };
        let now = self.now;
        let named = &mut self.nodes[id.0];
        if let Node::Router(router) = &mut named.node {
            let witness = RouterWatch::new(&named.name, watch.clone());
            router.router_mut().show_to(Box::new(witness));
            router.handle(Input::Command(Command::Watch(true)), now);
        }
    }

    /// Returns the time of the next planned event. Returns `None` if no event is planned.
    pub fn next_at(&self) -> Option<Time> {
        self.queue.next_at()
    }

    /// Returns the nodes, the links and the state of the ports. `file` is the lab file of this lab.
    pub fn snapshot(&self, file: &LabFile, name: &str) -> Snapshot {
        Snapshot::of(file, name, self, self.now.0)
    }

    fn segment(&self, segment: &super::link::Segment) -> Segment {
        let port = |port: &Attachment| PluggedPort {
            node: self.nodes[port.node.0].name.clone(),
            device: self.device_name(*port),
        };
        let here = segment.ports.iter().filter(|port| {
            self.plugged.get(port).is_some_and(|&at| self.segments[at].name == segment.name)
        });
        let impairments = segment.ports.iter().map(|&port| segment.sent_by(port).0);
        let worst = Impairment::worst(impairments);
        Segment {
            name: segment.name.clone(),
            is_lan: segment.is_lan,
            up: segment.up,
            delay_us: u64::try_from(worst.delay.as_micros()).unwrap_or(u64::MAX),
            loss: worst.loss,
            ports: here.map(port).collect(),
        }
    }

    fn device_name(&self, port: Attachment) -> String {
        match &self.nodes[port.node.0].node {
            Node::Host(host) => host.device.clone(),
            node => node
                .kernel()
                .map(|kernel| kernel.device(port.device).name.clone())
                .unwrap_or_default(),
        }
    }
}

impl Ground for Sim {
    fn port(&self, node: &str, device: &str) -> PortState {
        let Ok(Attachment { node, device }) = Sim::port(self, node, device) else {
            return PortState::default();
        };
        let carrier = self.has_carrier(Attachment { node, device });
        PortState { up: self.nodes[node.0].node.is_up(device), carrier }
    }

    fn segments(&self) -> Vec<Segment> {
        self.segments.iter().map(|segment| self.segment(segment)).collect()
    }

    fn router(&self, node: &str) -> Option<RouterState> {
        Sim::router(self, node).ok().map(RouterState::of)
    }
}
