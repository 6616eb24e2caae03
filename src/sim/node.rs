//! The nodes of a simulation: forwarders, LISP routers and hosts. The event loop uses one interface
//! for all nodes.

use super::client::ClientNode;
use super::drops::{ProcessDrop, SimDrop};
use super::kernel::{Datagram, DeviceId, Kernel, KernelOutput};
use super::router_node::RouterNode;
use crate::console::hosts::Pings;
use crate::host::Host;
use crate::host::drops::HostDrop;
use crate::host::frame::ip_packet;
use crate::router::io::IcmpError;
use crate::time::{Deadline, Time};

/// A node of the lab.
pub enum Node {
    /// A core router. It has only a kernel.
    Forwarder(Box<Kernel>),
    /// A core router from which a scenario opens TCP connections.
    Client(Box<ClientNode>),
    /// A LISP router.
    Router(Box<RouterNode>),
    /// A host with one device.
    Host(Box<HostNode>),
}

/// A host and the state of its device.
pub struct HostNode {
    /// The network stack of the host.
    pub host: Host,
    /// The Linux name of the host's only device. The ID of this device is 0.
    pub device: String,
    /// Whether the device is administratively up.
    pub up: bool,
    /// Whether the link of the device is up.
    pub carrier: bool,
    /// Whether the router on the host's LAN emulates the host and shows it on the console.
    pub is_emulated: bool,
    /// The pings that consoles have started.
    pub pings: Pings,
    /// The number of Ethernet frames that the host has received.
    pub received: u64,
    /// The number of Ethernet frames that the host has sent.
    pub sent: u64,
}

impl HostNode {
    /// Makes a host whose device is up, but not plugged in.
    pub fn new(host: Host, device: &str) -> Self {
        HostNode {
            host,
            device: device.to_owned(),
            up: true,
            carrier: false,
            is_emulated: false,
            pings: Pings::default(),
            received: 0,
            sent: 0,
        }
    }

    fn receive(&mut self, frame: &[u8], now: Time) {
        if !self.carrier {
            return self.host.drops().note(HostDrop::NoLink, ip_packet(frame));
        }
        self.received += 1;
        self.host.handle(frame, now);
    }

    fn poll_output(&mut self) -> Option<NodeOutput> {
        let frame = self.host.poll_output()?;
        self.sent += 1;
        Some(NodeOutput::Transmit { device: DeviceId(0), frame })
    }
}

/// An output of a node.
#[derive(Debug)]
pub enum NodeOutput {
    /// An Ethernet frame to put on the link of a device.
    Transmit {
        /// The device.
        device: DeviceId,
        /// The frame.
        frame: Vec<u8>,
    },
    /// A message for the process of the node. The process reads the message after a short delay.
    Process(ForProcess),
}

/// A message from the kernel of a node to the process of the node.
#[derive(Debug)]
pub enum ForProcess {
    /// An IP packet that the process reads from `lisp0`.
    Tunnel(Vec<u8>),
    /// A datagram that a UDP socket of the process has received.
    Datagram(Datagram),
    /// An IP packet with a TCP segment, for the TCP stack of the process.
    Segment(Vec<u8>),
    /// An ICMP error that the process reads from the error queue of a sending UDP socket.
    Error(IcmpError),
    /// An IP packet that contains an ICMP message. A raw socket of the process has received this
    /// packet.
    Icmp(Vec<u8>),
}

impl NodeOutput {
    pub(super) fn from_kernel(output: KernelOutput) -> Self {
        match output {
            KernelOutput::Transmit { device, frame } => NodeOutput::Transmit { device, frame },
            KernelOutput::Tunnel(packet) => NodeOutput::Process(ForProcess::Tunnel(packet)),
            KernelOutput::Datagram(datagram) => NodeOutput::Process(ForProcess::Datagram(datagram)),
            KernelOutput::Segment(packet) => NodeOutput::Process(ForProcess::Segment(packet)),
            KernelOutput::Error(error) => NodeOutput::Process(ForProcess::Error(error)),
            KernelOutput::Icmp(packet) => NodeOutput::Process(ForProcess::Icmp(packet)),
        }
    }
}

impl Node {
    /// Returns the kernel of the node. A host has no kernel.
    pub fn kernel(&self) -> Option<&Kernel> {
        match self {
            Node::Forwarder(kernel) => Some(kernel),
            Node::Client(client) => Some(&client.kernel),
            Node::Router(router) => Some(router.kernel()),
            Node::Host(_) => None,
        }
    }

    /// Returns the kernel of the node so that the caller can change it. A host has no kernel.
    pub fn kernel_mut(&mut self) -> Option<&mut Kernel> {
        match self {
            Node::Forwarder(kernel) => Some(kernel),
            Node::Client(client) => Some(&mut client.kernel),
            Node::Router(router) => Some(router.kernel_mut()),
            Node::Host(_) => None,
        }
    }

    pub(super) fn device_id(&self, name: &str) -> Option<DeviceId> {
        match self {
            Node::Host(host) => (host.device == name).then_some(DeviceId(0)),
            _ => self.kernel()?.device_id(name),
        }
    }

    /// Whether a device is administratively up.
    pub(super) fn is_up(&self, device: DeviceId) -> bool {
        match self {
            Node::Host(host) => host.up,
            other => other.kernel().is_some_and(|kernel| kernel.device(device).up),
        }
    }

    pub(super) fn set_carrier(&mut self, device: DeviceId, carrier: bool, now: Time) {
        match self {
            Node::Forwarder(kernel) => kernel.set_carrier(device, carrier),
            Node::Client(client) => client.kernel.set_carrier(device, carrier),
            Node::Router(router) => router.kernel_mut().set_carrier(device, carrier),
            Node::Host(host) => {
                host.carrier = carrier;
                if carrier {
                    host.host.plug_in(now);
                }
            }
        }
    }

    pub(super) fn receive(&mut self, device: DeviceId, frame: &[u8], now: Time) {
        match self {
            Node::Host(host) => host.receive(frame, now),
            Node::Forwarder(kernel) => kernel.receive_frame(device, frame),
            Node::Client(client) => client.kernel.receive_frame(device, frame),
            Node::Router(router) => router.kernel_mut().receive_frame(device, frame),
        }
    }

    /// Sets the clock of the node to the time of its next event.
    pub(super) fn set_time(&mut self, now: Time) {
        if let Some(kernel) = self.kernel_mut() {
            kernel.set_time(now);
        }
    }

    pub(super) fn process(&mut self, what: ForProcess, now: Time) {
        match (self, what) {
            (Node::Router(router), what) => router.process(what, now),
            (Node::Client(client), ForProcess::Segment(packet)) => {
                client.receive_segment(&packet, now);
            }
            (node, what) => node.note_unread(&what),
        }
    }

    /// Adds the packet of a message to the dropped packets of the node, because no process reads
    /// the message any more.
    fn note_unread(&mut self, what: &ForProcess) {
        let Some(kernel) = self.kernel_mut() else { return };
        let built;
        let packet = match what {
            ForProcess::Tunnel(packet) | ForProcess::Segment(packet) | ForProcess::Icmp(packet) => {
                packet
            }
            ForProcess::Datagram(datagram) => {
                built = kernel.as_packet(&datagram.as_sent());
                &built
            }
            // An ICMP error only reports a drop. The packet in the error was dropped earlier.
            ForProcess::Error(_) => return,
        };
        kernel.dropped.note(SimDrop::Process(ProcessDrop::Ended), packet);
    }

    /// From now on, stores dropped packets for the observer.
    pub(super) fn observe_drops(&mut self) {
        match self {
            Node::Host(host) => host.host.drops().observe(),
            other => {
                if let Some(kernel) = other.kernel_mut() {
                    kernel.dropped.observe();
                }
            }
        }
    }

    /// Returns the packets that the node has dropped since the last call.
    pub(super) fn take_drops(&mut self) -> Vec<(SimDrop, Vec<u8>)> {
        match self {
            Node::Host(host) => {
                let dropped = host.host.drops().take().into_iter();
                dropped.map(|(reason, packet)| (SimDrop::Host(reason), packet)).collect()
            }
            other => other.kernel_mut().map(|kernel| kernel.dropped.take()).unwrap_or_default(),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Time) {
        match self {
            Node::Forwarder(kernel) => kernel.handle_timeout(now),
            Node::Client(client) => client.handle_timeout(now),
            Node::Router(router) => router.handle_timeout(now),
            Node::Host(host) => host.host.poll(now),
        }
    }

    pub(super) fn poll_output(&mut self, now: Time) -> Option<NodeOutput> {
        match self {
            Node::Client(client) => client.poll_output(now),
            Node::Router(router) => router.poll_output(now),
            Node::Forwarder(kernel) => {
                // A forwarder has no process that reads the events, so the events are dropped.
                while kernel.poll_event().is_some() {}
                kernel.poll_output().map(NodeOutput::from_kernel)
            }
            Node::Host(host) => host.poll_output(),
        }
    }

    pub(super) fn poll_timeout(&mut self, now: Time) -> Option<Deadline> {
        match self {
            Node::Forwarder(kernel) => kernel.poll_timeout(),
            Node::Client(client) => client.poll_timeout(now),
            Node::Router(router) => router.poll_timeout(now),
            Node::Host(host) => host.host.poll_timeout(now),
        }
    }
}
