//! Flows whose packets have numbers, so that a lost or overtaken packet is found.

use crate::cases::{Change, Transport, Way};
use crate::world::{Port, World};

/// The octets before the number of a packet.
const LABEL: &[u8] = b"number ";

/// A flow of datagrams.
pub struct Numbered {
    way: Way,
    source_port: u16,
    sent: u32,
    arrived: Vec<u32>,
}

/// The fate of the packets of a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    pub sent: u32,
    pub lost: u32,
    /// Packets that arrived after a later packet.
    pub overtaken: u32,
    pub doubled: u32,
}

impl Numbered {
    /// Two flows from the site and two flows from the core, over both families.
    pub fn four() -> Vec<Numbered> {
        let ways = [(Port::Site, 0), (Port::Site, 1), (Port::Core, 0), (Port::Core, 1)];
        let flow = |(number, (port, family))| {
            let source_port = 6000 + number as u16;
            let way = Way::new(port, family, family);
            Numbered { way, source_port, sent: 0, arrived: Vec::new() }
        };
        ways.into_iter().enumerate().map(flow).collect()
    }

    /// The port at which the packets of the flow leave the router.
    fn exit(&self) -> Port {
        match self.way.port {
            Port::Site => Port::Core,
            Port::Core => Port::Site,
        }
    }

    /// Sends the next packet.
    pub fn send(&mut self, world: &World) {
        let data = [LABEL, &self.sent.to_be_bytes()].concat();
        let change = Change::datagram(self.source_port, data);
        let frame = self.way.frames(Transport::Udp, &change).remove(0);
        world.send(self.way.port, &frame);
        self.sent += 1;
    }

    /// Notes the packet in a frame, if it is of this flow. Returns whether it is.
    pub fn note(&mut self, port: Port, frame: &[u8]) -> bool {
        let at = frame.len().saturating_sub(LABEL.len() + 4);
        let Some(number) = frame[at..].strip_prefix(LABEL) else { return false };
        let ports = at.checked_sub(8).map(|start| &frame[start..start + 2]);
        if port != self.exit() || ports != Some(&self.source_port.to_be_bytes()[..]) {
            return false;
        }
        self.arrived.push(u32::from_be_bytes(number.try_into().unwrap()));
        true
    }

    /// The number of packets that have arrived.
    pub fn arrived(&self) -> u32 {
        self.arrived.len() as u32
    }

    /// The number of packets that were sent.
    pub fn sent(&self) -> u32 {
        self.sent
    }

    /// The fate of all packets.
    pub fn fate(&self) -> Fate {
        let mut seen = vec![false; self.sent as usize];
        let mut fate = Fate { sent: self.sent, ..Fate::default() };
        let mut latest = None;
        for number in &self.arrived {
            fate.doubled += u32::from(std::mem::replace(&mut seen[*number as usize], true));
            fate.overtaken += u32::from(latest > Some(*number));
            latest = latest.max(Some(*number));
        }
        fate.lost = seen.iter().filter(|seen| !**seen).count() as u32;
        fate
    }
}

/// Notes the frames that have left the router. Returns the number of noted packets.
pub fn note_all(flows: &mut [Numbered], world: &World) -> usize {
    let frames = world.take_seen();
    let mut note = |port, frame: &[u8]| flows.iter_mut().any(|flow| flow.note(port, frame));
    frames.iter().filter(|(port, frame)| note(*port, frame)).count()
}
