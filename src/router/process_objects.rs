//! The things that a router's process holds open on request, and the requests and events about them.

use serde::{Deserialize, Serialize};

use super::config::EmulatedHost;
use super::fragmentation::Fragmentation;
use super::interface_name::InterfaceName;
use crate::addr::Rloc;

/// A thing that the process holds open. The order of the variants is the order in which they are opened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ProcessObject {
    /// `lisp0`. Its routes, and its settings, are objects of the kernel.
    Tunnel,
    /// The UDP sockets of a local RLOC: for control messages, and for encapsulated packets both ways.
    Sockets {
        /// The RLOC. It need not be an address of the kernel yet.
        rloc: Rloc,
        /// Which encapsulated packets may be fragmented. Another value changes the sockets that are open.
        fragmentation: Fragmentation,
    },
    /// A listener on TCP port 4342 of a local RLOC. Where there is none, a SYN is answered with RST.
    Listener(Rloc),
    /// An emulated host.
    Host(HostWish),
}

/// An emulated host that the configuration wants.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HostWish {
    /// The interface into whose LAN it is plugged.
    pub interface: InterfaceName,
    /// Its name; there is one host of a name.
    pub name: String,
    /// Octets of its largest IP packet.
    pub mtu: u16,
    /// Its addresses.
    pub made_of: EmulatedHost,
}

/// A change of the things that the process holds open. Both are idempotent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProcessRequest {
    /// Open it, or make the one that is open so.
    Open(ProcessObject),
    /// Close it.
    Close(ProcessObject),
}

/// News of the things that the process holds open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProcessEvent {
    /// It was open, and was taken away.
    Lost(ProcessObject),
    /// It could not be opened.
    Refused {
        /// The object.
        object: ProcessObject,
        /// The operating system's words.
        error: String,
    },
}

impl ProcessObject {
    /// Whether the process holds one of the two at most.
    pub(super) fn has_the_place_of(&self, other: &ProcessObject) -> bool {
        match (self, other) {
            (ProcessObject::Tunnel, ProcessObject::Tunnel) => true,
            (ProcessObject::Sockets { rloc, .. }, ProcessObject::Sockets { rloc: of, .. }) => {
                rloc == of
            }
            (ProcessObject::Listener(rloc), ProcessObject::Listener(of)) => rloc == of,
            (ProcessObject::Host(host), ProcessObject::Host(of)) => host.name == of.name,
            _ => false,
        }
    }
}
