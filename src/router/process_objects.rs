//! The objects that a router's process holds open on request, the requests for these objects, and
//! the events about them.

use serde::{Deserialize, Serialize};

use super::config::EmulatedHost;
use super::fragmentation::Fragmentation;
use super::interface_name::InterfaceName;
use crate::addr::Rloc;

/// An object that the process holds open. The objects are opened in the order of the variants.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ProcessObject {
    /// The TUN device `lisp0`. Its routes and its settings are objects of the kernel.
    Tunnel,
    /// The UDP sockets of a local RLOC: for control messages, and for sending and receiving
    /// encapsulated packets.
    Sockets {
        /// The RLOC. The kernel need not have this address yet.
        rloc: Rloc,
        /// The kinds of encapsulated packets that may be fragmented. If this value changes, the
        /// process changes the open sockets.
        fragmentation: Fragmentation,
    },
    /// A listener on TCP port 4342 of a local RLOC. Without a listener, the kernel answers a SYN
    /// with RST.
    Listener(Rloc),
    /// An emulated host.
    Host(HostWish),
}

/// An emulated host that the configuration wants.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HostWish {
    /// The router's interface on the LAN of the host.
    pub interface: InterfaceName,
    /// The name of the host; no two hosts have the same name.
    pub name: String,
    /// The size of the largest IP packet of the host, in octets.
    pub mtu: u16,
    /// The addresses of the host.
    pub made_of: EmulatedHost,
}

/// A change of the objects that the process holds open. Both requests are idempotent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProcessRequest {
    /// Open this object, or change the open object to match this object.
    Open(ProcessObject),
    /// Close this object.
    Close(ProcessObject),
}

/// An event about the objects that the process holds open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProcessEvent {
    /// The object was open, and was removed.
    Lost(ProcessObject),
    /// The object could not be opened.
    Refused {
        /// The object.
        object: ProcessObject,
        /// The error message of the operating system.
        error: String,
    },
}

impl ProcessObject {
    /// Whether this object and `other` cannot be open at the same time.
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
