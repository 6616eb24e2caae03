//! The packets that kernels, hosts, links and LISP processes drop, each with its reason. Packets
//! that the core of a router drops are not included.
//!
//! The core reports its own decisions to its witnesses ([`crate::router::witness`]). The trace
//! ([`super::trace`]) has the packets that a link lost at random.

use super::kernel::KernelDrop;
use crate::host::drops::HostDrop;
use crate::time::Time;

/// The reason why a packet was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SimDrop {
    /// The kernel of the node dropped the packet.
    Kernel(KernelDrop),
    /// The emulated host dropped the packet.
    Host(HostDrop),
    /// The link of the node did not carry the packet.
    Link(LinkDrop),
    /// The LISP process of the node did not receive or send the packet.
    Process(ProcessDrop),
}

/// The reason why a link does not carry a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkDrop {
    /// The port of the sender is not plugged in.
    NotPluggedIn,
    /// The cable is cut, or the bridge does not run.
    Down,
    /// The packet is larger than the MTU of the link.
    TooBig,
    /// No other port of the link receives the packet.
    NoReceiver,
}

/// The reason why the LISP process of a node does not handle a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProcessDrop {
    /// The process ended before it read the packet.
    Ended,
    /// The process has no open socket for the source RLOC of the packet.
    NoSocket,
    /// No EID-table of the configuration has the `lisp0` from which the packet was read.
    NoEidTable,
    /// The queue of the TCP stack is full.
    QueueFull,
}

impl SimDrop {
    /// Returns the reason as a sentence.
    pub fn describe(self) -> &'static str {
        match self {
            SimDrop::Kernel(reason) => reason.describe(),
            SimDrop::Host(reason) => reason.describe(),
            SimDrop::Link(reason) => match reason {
                LinkDrop::NotPluggedIn => "The port of the sender is not plugged in",
                LinkDrop::Down => "The cable is cut, or the bridge does not run",
                LinkDrop::TooBig => "The packet is larger than the MTU of the link",
                LinkDrop::NoReceiver => "No other port of the link receives the packet",
            },
            SimDrop::Process(reason) => match reason {
                ProcessDrop::Ended => "The LISP process ended before it read the packet",
                ProcessDrop::NoSocket => {
                    "The LISP process has no open socket for the source RLOC of the packet"
                }
                ProcessDrop::NoEidTable => {
                    "No EID-table of the configuration uses the device lisp0"
                }
                ProcessDrop::QueueFull => "The queue of the TCP stack is full",
            },
        }
    }

    /// Returns the source of the reason: a section of a standard, or a manual page.
    pub fn section(self) -> &'static str {
        match self {
            SimDrop::Kernel(reason) => reason.section(),
            SimDrop::Host(reason) => reason.section(),
            SimDrop::Link(LinkDrop::NotPluggedIn | LinkDrop::Down) => "RFC 2863 section 3.1.13",
            SimDrop::Link(LinkDrop::TooBig) => "RFC 1191 section 4",
            SimDrop::Link(LinkDrop::NoReceiver) => "IEEE 802.1D section 7.7",
            SimDrop::Process(ProcessDrop::NoEidTable) => "RFC 9300 section 8",
            SimDrop::Process(ProcessDrop::Ended | ProcessDrop::QueueFull) => "socket(7)",
            SimDrop::Process(ProcessDrop::NoSocket) => "RFC 9300 section 4.2",
        }
    }
}

/// A packet that was dropped.
#[derive(Clone, Copy, Debug)]
pub struct Dropped<'a> {
    /// The time of the drop.
    pub time: Time,
    /// The name of the node that dropped the packet. If a link dropped the packet, this is the name
    /// of the sending node.
    pub node: &'a str,
    /// The IP packet. It is empty if the dropped message has no IP packet.
    pub packet: &'a [u8],
    /// The reason.
    pub reason: SimDrop,
}

/// A receiver of dropped packets.
pub type DropObserver = Box<dyn FnMut(&Dropped<'_>)>;
