//! The whole vocabulary between the core and the world.
//!
//! Everything that enters a [`Router`](super::Router) is an [`Input`] or one of the two packet
//! calls; everything that leaves it is an [`Output`] or the verdict of such a call. All of it is
//! plain data, so that one core runs under mio, in the simulator, in a fuzzer and in a replay.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::config::Config;
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
pub use super::tcp::{Connection, TcpEvent, TcpRequest};
pub use crate::addr::Mac;
use crate::addr::{EidPrefix, Family, InstanceId};
use crate::packet::OwnedPacket;

/// An input of a router, other than a packet of an EID.
#[derive(Debug)]
pub enum Input<'a> {
    /// A datagram arrived on UDP port 4342.
    Control(ControlDatagram<'a>),
    /// The namespace's kernel changed.
    Kernel(KernelEvent),
    /// Something that the process held open has gone, or could not be opened.
    Process(ProcessEvent),
    /// Something happened on a TCP connection of port 4342.
    Tcp(TcpEvent<'a>),
    /// The kernel or the core network said something about the way of our packets to a locator.
    Path(PathEvent),
    /// The operator changed the configuration; the whole of it.
    Configure(Box<Config>),
    /// The operator gave a command that changes state but no configuration.
    Command(Command),
    /// How the process stands with its file descriptors, when that has changed.
    Descriptors(Descriptors),
    /// The nonces that [`Output::Nonce`] asked to keep, as it was kept when the router last ended: right
    /// after the start.
    Nonces(KeptNonces),
    /// The process is about to end: withdraw registrations and leave the kernel as it was found.
    Stop,
}

/// A LISP control message as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlDatagram<'a> {
    /// The sender's RLOC and port.
    pub source: SocketAddr,
    /// The local RLOC that it was sent to.
    pub destination: IpAddr,
    /// The UDP payload.
    pub payload: &'a [u8],
}

/// A command of the operator that is no configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// `clear ip|ipv6 lisp map-cache [PREFIX]`: forgets learned entries, keeps static ones.
    ClearMapCache {
        /// The family of EIDs.
        family: Family,
        /// Only this entry, or all of the family in the default instance.
        prefix: Option<EidPrefix>,
    },
    /// `debug lisp control-plane all` and its `no` form: whether events about messages come.
    Debug(bool),
}

/// An output of a router, other than the verdict on a packet that it was just given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Output {
    /// Send this datagram from a control socket.
    Control {
        /// The local RLOC and port to send from.
        source: SocketAddr,
        /// Where to.
        destination: SocketAddr,
        /// The UDP payload.
        payload: Vec<u8>,
    },
    /// Encapsulate a packet that had been held.
    Encapsulate(Encapsulation, OwnedPacket),
    /// Hand the kernel a packet that had been held, to be forwarded natively.
    Native(InstanceId, OwnedPacket),
    /// Do something on TCP.
    Tcp(TcpRequest),
    /// Change the namespace's kernel.
    Kernel(KernelRequest),
    /// Change the things that the process holds open.
    Process(ProcessRequest),
    /// Keep a nonce over a restart, or keep it no longer.
    Nonce(NonceRequest),
    /// Something has changed: [`Log`](super::logging::Log) has the lines of the log,
    /// [`debug::lines`](super::debug::lines) those of debugging, for each console that monitors.
    Event(Event),
}
