//! All types of data that the core exchanges with the code outside of the core.
//!
//! A [`Router`](super::Router) gets each input as an [`Input`] or through one of the two packet
//! calls (`encapsulate` and `decapsulate`). It returns each output as an [`Output`] or as the
//! verdict of a packet call. Inputs and outputs are plain data, so that the same core can run under
//! mio, in the simulator, in a fuzzer and in a replay.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::config::Config;
use super::debugging::Debugging;
use super::descriptors::Descriptors;
use super::event::Event;
pub use super::fragmentation::Fragmentation;
use super::kept::{KeptNonces, NonceRequest};
pub use super::kernel_objects::{
    Device, KernelEvent, KernelObject, KernelRequest, KernelRoute, LISP_DEVICE, LISP_GROUP,
    NeighbourState, RouteTarget, RuleSelector, Table,
};
pub use super::packet_verdicts::{DropReason, Encapsulation, Inbound, Outbound, Outer};
pub use super::paths::{IcmpError, PathEvent};
pub use super::process_objects::{HostWish, ProcessEvent, ProcessObject, ProcessRequest};
use super::reason::MessageReason;
pub use super::tcp::{Connection, TcpEvent, TcpRequest};
pub use crate::addr::Mac;
use crate::addr::{Eid, EidPrefix, Family, InstanceId};
use crate::packet::OwnedPacket;

/// An input of a router. Packets from and to EIDs are not inputs of this type.
#[derive(Debug)]
pub enum Input<'a> {
    /// A datagram arrived on UDP port 4342.
    Control(ControlDatagram<'a>),
    /// Something changed in the kernel of the router's namespace, or the kernel refused a request.
    Kernel(KernelEvent),
    /// An object that the process held open was closed or deleted, or could not be opened.
    Process(ProcessEvent),
    /// An event on a TCP connection of port 4342.
    Tcp(TcpEvent<'a>),
    /// The kernel reported that it has no route to a locator, or an ICMP error about a packet to a
    /// locator arrived.
    Path(PathEvent),
    /// The operator changed the configuration. The value is the whole new configuration.
    Configure(Box<Config>),
    /// The operator entered a command that changes state but not the configuration.
    Command(Command),
    /// The state of the file descriptors of the process has changed.
    Descriptors(Descriptors),
    /// The nonces that the router stored with [`Output::Nonce`] in its previous run. The router
    /// gets this input immediately after its start.
    Nonces(KeptNonces),
    /// The process will end. The router withdraws its registrations, and restores the kernel to its
    /// state before the start of the router.
    Stop,
}

/// A LISP control message as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlDatagram<'a> {
    /// The sender's RLOC and port.
    pub source: SocketAddr,
    /// The local RLOC that the message was sent to.
    pub destination: IpAddr,
    /// The UDP payload.
    pub payload: &'a [u8],
}

/// An operator's command that does not change the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// `clear ip|ipv6 lisp map-cache [PREFIX]`: deletes learned entries and keeps static entries.
    ClearMapCache {
        /// The family of EIDs.
        family: Family,
        /// The prefix of the entry to delete. `None` means all entries of the family in the default
        /// instance.
        prefix: Option<EidPrefix>,
    },
    /// `lig`: sends Map-Requests for an EID. [`Router::lig`](super::Router::lig) returns the
    /// queries and their answers.
    Lig(LigQuestion),
    /// `debug ..` and its `no` form: turns kinds of debug lines on or off.
    Debug {
        /// The kinds of debug lines.
        types: Debugging,
        /// Whether the kinds are turned on. Otherwise they are turned off.
        on: bool,
    },
    /// `clear ip lisp statistics` and `clear counters`: all counters begin at zero again.
    ClearStatistics,
    /// `clear lisp session`: closes the sessions with this peer; `None` for all sessions. The ends
    /// of a session connect again.
    ClearSessions(Option<IpAddr>),
    /// Reports decisions on packets as [`Event::Packet`], or ends these reports. The reports do not
    /// depend on debugging. Their rate is limited.
    Watch(bool),
    /// `clear arp-cache`: asks the neighbours on the links whether they are still present.
    AskNeighbours,
}

/// A query of the command `lig`: an EID, the map-resolver, and the maximum number of Map-Requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LigQuestion {
    /// The EID.
    pub eid: Eid,
    /// The map-resolver. `None` for the configured map-resolvers.
    pub resolver: Option<IpAddr>,
    /// The router sends at most this number of Map-Requests.
    pub requests: u8,
}

/// An output of a router, other than the verdict of a packet call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Output {
    /// Send this datagram from a control socket.
    Control {
        /// The local RLOC and port to send from.
        source: SocketAddr,
        /// The address and port to send to.
        destination: SocketAddr,
        /// The UDP payload.
        payload: Vec<u8>,
        /// The reason why the router sends the message. The reason is not a part of the message.
        reason: MessageReason,
    },
    /// Encapsulate a packet that the router has held until now.
    Encapsulate(Encapsulation, OwnedPacket),
    /// Give the kernel a packet that the router has held until now. The kernel forwards this packet
    /// without LISP.
    Native(InstanceId, OwnedPacket),
    /// Carry out a request on TCP.
    Tcp(TcpRequest),
    /// Make a change in the kernel of the namespace.
    Kernel(KernelRequest),
    /// Open or close an object of the process, for example a socket.
    Process(ProcessRequest),
    /// Store a nonce so that it is not lost at a restart, or delete a stored nonce.
    Nonce(NonceRequest),
    /// An event. [`Log`](super::logging::Log) makes the lines of the log from events.
    /// [`debug::lines`](super::debug::lines) makes the debug lines from events, for each console
    /// that shows debug output.
    Event(Event),
}
