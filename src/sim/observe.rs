//! The observers of a simulation. One observer receives the dropped packets. Another observer is
//! called after each event.

use super::drops::{DropObserver, Dropped, LinkDrop, SimDrop};
use super::{NodeId, Sim, StepObserver};

impl Sim {
    /// From now on, `observer` is called after each event, when all outputs of the event are
    /// carried out.
    pub fn observe_steps(&mut self, observer: StepObserver) {
        self.step_observer = Some(observer);
    }

    /// From now on, `observer` receives each packet that a kernel, a host, a link or a process
    /// drops. Without an observer, dropped packets are not kept.
    pub fn observe_drops(&mut self, observer: DropObserver) {
        self.drop_observer = Some(observer);
        self.nodes.iter_mut().for_each(|named| named.node.observe_drops());
    }

    /// Passes the dropped packets of a node to the observer.
    pub(super) fn tell_drops(&mut self, id: NodeId) {
        let Some(observer) = &mut self.drop_observer else { return };
        let named = &mut self.nodes[id.0];
        for (reason, packet) in named.node.take_drops() {
            observer(&Dropped { time: self.now, node: &named.name, packet: &packet, reason });
        }
    }

    /// Tells the observer about a packet that a link does not carry.
    pub(super) fn tell_link_drop(&mut self, from: NodeId, reason: LinkDrop, packet: &[u8]) {
        if let Some(observer) = &mut self.drop_observer {
            let (node, reason) = (self.nodes[from.0].name.as_str(), SimDrop::Link(reason));
            observer(&Dropped { time: self.now, node, packet, reason });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::net::{IpAddr, Ipv4Addr};
    use std::rc::Rc;

    use super::*;
    use crate::host::drops::HostDrop;
    use crate::packet::IpHeader;
    use crate::rng::Seed;
    use crate::sim::datagram::{IpFields, ip_packet};
    use crate::sim::kernel::KernelDrop;
    use crate::sim::link::LinkConfig;

    /// The drops that an observer received. Each drop has the node, the destination of the packet,
    /// and the reason.
    type Told = Rc<RefCell<Vec<(String, Option<IpAddr>, SimDrop)>>>;

    fn packet(destination: [u8; 4], ttl: u8) -> Vec<u8> {
        let fields = IpFields {
            source: [10, 0, 0, 1].into(),
            destination: destination.into(),
            ttl,
            tos: 0,
            protocol: etherparse::IpNumber(253),
            dont_fragment: true,
            identification: 1,
        };
        ip_packet(&fields, &[0; 8]).unwrap()
    }

    #[test]
    fn an_observer_gets_each_drop_of_a_kernel_and_of_a_link_with_its_packet() {
        let mut sim = Sim::new(Seed::from_number(1));
        let told = Told::default();
        let sink = Rc::clone(&told);
        sim.observe_drops(Box::new(move |drop: &Dropped<'_>| {
            let to = IpHeader::parse(drop.packet).ok().map(|header| header.destination);
            sink.borrow_mut().push((drop.node.to_owned(), to, drop.reason));
        }));
        for name in ["one", "two"] {
            sim.add_forwarder(name).unwrap();
        }
        sim.connect(LinkConfig::new("link"), &[("one", "et0"), ("two", "et0")], false).unwrap();
        for (name, net) in [("one", "10.0.0.1/24"), ("two", "10.0.0.2/24")] {
            sim.with_kernel(name, |kernel| {
                let port = kernel.device_id("et0").unwrap();
                kernel.set_up(port, true);
                kernel.add_address(port, net.parse().unwrap());
            })
            .unwrap();
        }
        let mut expect = |destination, reason: SimDrop, node: &str| {
            sim.with_kernel("one", |kernel| kernel.send_raw(packet(destination, 64))).unwrap();
            sim.run_for(std::time::Duration::from_secs(10));
            let expected = (node.to_owned(), Some(Ipv4Addr::from(destination).into()), reason);
            assert_eq!(std::mem::take(&mut *told.borrow_mut()), [expected]);
        };
        expect([192, 0, 2, 1], SimDrop::Kernel(KernelDrop::NoRoute), "one");
        expect([10, 0, 0, 9], SimDrop::Kernel(KernelDrop::NoNeighbour), "one");
        expect([10, 0, 0, 2], SimDrop::Kernel(KernelDrop::NoSocket), "two");
    }

    #[test]
    fn each_reason_has_a_sentence_of_its_own_and_a_section() {
        let kernel = KernelDrop::ALL.map(SimDrop::Kernel);
        let host = HostDrop::ALL.map(SimDrop::Host);
        let reasons = kernel.into_iter().chain(host);
        let sentences = |of: &[SimDrop]| {
            let all: std::collections::BTreeSet<&str> =
                of.iter().map(|reason| reason.describe()).collect();
            all.len()
        };
        for reason in reasons {
            assert!(reason.describe().len() > 10 && reason.section().len() > 5, "{reason:?}");
        }
        assert_eq!(sentences(&kernel), kernel.len());
        assert_eq!(sentences(&host), host.len());
    }
}
