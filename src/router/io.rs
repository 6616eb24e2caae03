//! The whole vocabulary between the core and the world.
//!
//! Everything that enters a [`Router`](super::Router) is an [`Input`] or one of the two packet
//! calls; everything that leaves it is an [`Output`] or the verdict of such a call. All of it is
//! plain data, so that one core runs under mio, in the simulator, in a fuzzer and in a replay.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::config::Config;
use super::descriptors::Descriptors;
use super::event::Event;
pub use super::fragmentation::Fragmentation;
use super::kept::{KeptNonces, NonceRequest};
pub use super::paths::{IcmpError, PathEvent};
pub use super::process::{HostWish, ProcessEvent, ProcessObject, ProcessRequest};
pub use crate::addr::Mac;
use crate::addr::{EidPrefix, Family, InstanceId, Rloc};
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

/// A TCP connection of port 4342: of reliable transport between an ETR and a map-server.
///
/// The core numbers the connections that it opens, from 0 up; the driver those that it accepts, from
/// [`Connection::ACCEPTED`] up. No number is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Connection(pub u64);

impl Connection {
    /// The first number of an accepted connection.
    pub const ACCEPTED: u64 = 1 << 63;
}

/// An event on TCP. A connection begins with `Connected` or `Accepted` and ends with `Closed`,
/// for every end that closed it; after that, nothing more comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TcpEvent<'a> {
    /// A connection that was asked for stands.
    Connected {
        /// Its number.
        connection: Connection,
        /// This end, with the port that it was given.
        local: SocketAddr,
    },
    /// A peer connected to port 4342. The kernel has completed the handshake already; the core
    /// closes at once a connection from an unauthenticated peer.
    Accepted {
        /// Its number.
        connection: Connection,
        /// The peer's RLOC and port.
        peer: SocketAddr,
        /// The local RLOC that it connected to.
        local: IpAddr,
    },
    /// Octets of the stream.
    Bytes(Connection, &'a [u8]),
    /// The connection has ended, could not be made, or took no more octets.
    Closed(Connection),
    /// The peer answered with RST: no process listens there. Comes in the place of `Closed`.
    Refused(Connection),
}

/// A request of a router to TCP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TcpRequest {
    /// Connect to port 4342 of a map-server.
    Connect {
        /// The number that the connection is to have.
        connection: Connection,
        /// The local RLOC.
        source: Rloc,
        /// The map-server.
        destination: Rloc,
    },
    /// Send these octets; a peer that does not take them in time is closed by the driver.
    Send(Connection, Vec<u8>),
    /// Send the rest and close.
    Close(Connection),
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

/// How to wrap a packet: the fields of the outer headers (RFC 9300 section 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encapsulation {
    /// The local RLOC.
    pub source: Rloc,
    /// The remote RLOC; the UDP destination port is 4341.
    pub destination: Rloc,
    /// Decides the outer UDP source port, so that the core keeps a flow on one path.
    pub flow_hash: u32,
    /// Outer TTL, copied from the inner header.
    pub ttl: u8,
    /// Outer type of service, copied likewise (RFC 6040 for its ECN bits).
    pub tos: u8,
    /// The LISP header.
    pub header: [u8; 8],
}

/// The verdict on the packet just read from `lisp0`.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outbound {
    /// Wrap it and send it.
    Encapsulate(Encapsulation),
    /// Write it back to `lisp0`: its TTL has been restored.
    Native,
    /// Nothing: a copy waits for a Map-Reply.
    Held,
    /// Nothing: it has been counted.
    Dropped(DropReason),
}

/// The outer headers of a packet that arrived on UDP port 4341.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outer {
    /// The encapsulator's RLOC.
    pub source: IpAddr,
    /// The local RLOC.
    pub destination: IpAddr,
    /// Outer TTL as it arrived.
    pub ttl: u8,
    /// Outer type of service as it arrived.
    pub tos: u8,
}

/// The verdict on the datagram just read from UDP port 4341.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Inbound {
    /// Strip the 8 octets of the LISP header and write the rest, `len` octets, to `lisp0`: its TTL
    /// and ECN have been set.
    Deliver {
        /// The instance whose `lisp0` it is for.
        instance_id: InstanceId,
        /// Octets of the inner packet; the rest of the datagram is padding.
        len: usize,
    },
    /// The EID has moved: strip the 8 octets of the LISP header and encapsulate the rest, `len` octets,
    /// anew. One hop has been taken off its TTL.
    Forward {
        /// The outer headers.
        encapsulation: Encapsulation,
        /// Octets of the inner packet.
        len: usize,
    },
    /// Nothing: a copy waits until the host that it is for has been found.
    Held,
    /// Nothing: it has been counted.
    Dropped(DropReason),
}

/// Why a packet of EIDs stopped at this router. Each has a counter that `show` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DropReason {
    /// From `lisp0`: no IPv4 or IPv6 packet, or damaged.
    NotIp,
    /// From `lisp0`: link-local, multicast or broadcast, which LISP does not forward.
    LinkScoped,
    /// From `lisp0`: the router is neither ITR nor proxy ITR for the family.
    NotAnItr,
    /// From `lisp0`: for a local EID that has no route.
    LocalEidNoRoute,
    /// The mapping says drop (RFC 9301 section 5.4, ACT 3 to 5).
    MappingDrops,
    /// The mapping has no locator that is up and of a family that we have.
    NoUsableLocator,
    /// From `lisp0`: too big for the way to its locator; the sender is told.
    TooBigForPath,
    /// No Map-Resolver is configured.
    NoMapResolver,
    /// Waiting for a Map-Reply: the hold queue of the EID or of the router is full.
    HoldQueueFull,
    /// Waited for a Map-Reply that did not come.
    Unresolved,
    /// From port 4341: shorter than a LISP header, or reserved bits say it is not LISP.
    BadDataHeader,
    /// From port 4341: the inner packet is no IP, or damaged.
    BadInnerPacket,
    /// From port 4341: the inner packet is link-local or multicast.
    InnerLinkScoped,
    /// From port 4341: an instance that is not configured here.
    UnknownInstance,
    /// From port 4341: the router is neither ETR nor proxy ETR for the family.
    NotAnEtr,
    /// From port 4341: the inner destination is none of our EIDs and we are no proxy ETR.
    NotOurEid,
    /// From port 4341: a local EID that has no route.
    NoRouteToEid,
    /// From port 4341: a local EID that is away; its sender is solicited.
    EidAway,
    /// From port 4341: the inner source is the router's own, or an EID that is at this site.
    SourceIsHere,
    /// From port 4341: TTL used up on the way.
    OuterTtlExpired,
    /// From port 4341: marked congested, but the inner transport does not know ECN (RFC 6040).
    EcnMismatch,
}

impl DropReason {
    /// All of them, in the order in which they are printed.
    pub const ALL: [DropReason; 21] = [
        DropReason::NotIp,
        DropReason::LinkScoped,
        DropReason::NotAnItr,
        DropReason::LocalEidNoRoute,
        DropReason::MappingDrops,
        DropReason::NoUsableLocator,
        DropReason::TooBigForPath,
        DropReason::NoMapResolver,
        DropReason::HoldQueueFull,
        DropReason::Unresolved,
        DropReason::BadDataHeader,
        DropReason::BadInnerPacket,
        DropReason::InnerLinkScoped,
        DropReason::UnknownInstance,
        DropReason::NotAnEtr,
        DropReason::NotOurEid,
        DropReason::NoRouteToEid,
        DropReason::EidAway,
        DropReason::SourceIsHere,
        DropReason::OuterTtlExpired,
        DropReason::EcnMismatch,
    ];

    /// The cause in a few words, for `show ip lisp statistics`.
    pub fn describe(self) -> &'static str {
        match self {
            DropReason::NotIp => "Not an IP packet",
            DropReason::LinkScoped => "Link-local, multicast or broadcast",
            DropReason::NotAnItr => "Neither ITR nor proxy ITR",
            DropReason::LocalEidNoRoute => "Local EID without route",
            DropReason::MappingDrops => "Map-cache action drop",
            DropReason::NoUsableLocator => "No usable locator",
            DropReason::TooBigForPath => "Too big for the path",
            DropReason::NoMapResolver => "No Map-Resolver configured",
            DropReason::HoldQueueFull => "Hold queue full",
            DropReason::Unresolved => "No Map-Reply",
            DropReason::BadDataHeader => "Bad LISP header",
            DropReason::BadInnerPacket => "Bad inner packet",
            DropReason::InnerLinkScoped => "Inner packet link-local or multicast",
            DropReason::UnknownInstance => "Unknown instance-ID",
            DropReason::NotAnEtr => "Neither ETR nor proxy ETR",
            DropReason::NotOurEid => "Inner destination not a local EID",
            DropReason::NoRouteToEid => "No route to local EID",
            DropReason::EidAway => "Local EID away",
            DropReason::SourceIsHere => "Inner source is at this site",
            DropReason::OuterTtlExpired => "Outer TTL expired",
            DropReason::EcnMismatch => "Congestion marked without ECN",
        }
    }
}

/// A routing table of the namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Table {
    /// Table 4341: the native default and the guards; for packets that `lisp0` emits when main has no
    /// answer of its own.
    Native,
    /// Table main.
    Main,
}

/// Where a route leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RouteTarget {
    /// A router on a connected network.
    NextHop(IpAddr),
    /// The link of a device.
    Device(Device),
    /// Dropped in silence.
    Blackhole,
    /// Dropped with an ICMP unreachable.
    Unreachable,
}

/// A network device of the router's namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Device {
    /// The TUN device `lisp0`.
    Lisp,
    /// The device of a configured interface.
    Interface(super::config::InterfaceName),
}

impl Device {
    /// The Linux name.
    pub fn name(&self) -> String {
        match self {
            Device::Lisp => LISP_DEVICE.to_owned(),
            Device::Interface(name) => name.device(),
        }
    }
}

/// The TUN device through which packets of EIDs come and go.
pub const LISP_DEVICE: &str = "lisp0";

/// The device group of `lisp0`, and the number of [`Table::Native`].
pub const LISP_GROUP: u32 = 4341;

/// Which packets a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RuleSelector {
    /// Packets that `lisp0` emitted.
    FromLisp,
    /// Packets with this source address: the router's own control and encapsulated packets.
    Source(Rloc),
}

/// A thing in the namespace's kernel that the router wants there. The order of the variants is the
/// order in which they are made: guards stand before anything can leak past them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum KernelObject {
    /// The namespace's settings: it forwards, and table main is looked up for packets that no other
    /// rule matches. Its removal leaves them as they are.
    Namespace,
    /// A link's settings. Its removal leaves the link as it is.
    Link {
        /// The device.
        device: Device,
        /// Administratively up.
        up: bool,
        /// Octets; the device's own when absent.
        mtu: Option<u16>,
        /// Answers ARP for others.
        proxy_arp: bool,
        /// The hardware address, when the device's own is not wanted.
        mac: Option<Mac>,
        /// `lisp mobility`: the port's sysctls are set so that hosts that come are seen.
        mobility: bool,
    },
    /// An address on a device, with the length of its network.
    Address {
        /// The device.
        device: Device,
        /// The address and its network's length.
        address: IpNet,
        /// Whether the kernel makes a route of its network: not on a mobility port, where a host that
        /// moved away would be sought with ARP instead of through LISP.
        connected: bool,
    },
    /// `PRIORITY SELECTOR lookup TABLE [suppress_ifgroup 4341]`.
    Rule {
        /// IPv4 or IPv6.
        family: Family,
        /// Lower is asked first.
        priority: u32,
        /// Which packets.
        selector: RuleSelector,
        /// Which table; a lookup of main never takes a route into `lisp0`.
        table: Table,
    },
    /// A route.
    Route {
        /// The table that it stands in.
        table: Table,
        /// The destination.
        prefix: IpNet,
        /// Where it leads.
        target: RouteTarget,
        /// Smaller is preferred.
        metric: u32,
        /// The source address of the router's own packets that take it.
        source: Option<IpAddr>,
    },
    /// `neigh add proxy`: the kernel answers ARP or ND for a host that moved away, so that its old
    /// LAN reaches it through LISP.
    ProxyNeighbour {
        /// The port of the old LAN.
        device: Device,
        /// The host.
        address: IpAddr,
    },
}

/// A change that the router wants made in the kernel. All are idempotent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KernelRequest {
    /// Make it so.
    Add(KernelObject),
    /// Take it away.
    Remove(KernelObject),
    /// Ask a host on a port whether it is there (`RTM_NEWNEIGH` with `NTF_USE` or `nud probe`): it
    /// answers with [`KernelEvent::Neighbour`]. An answer also refreshes the host's idea of its
    /// gateway's hardware address.
    Probe {
        /// The port.
        device: Device,
        /// The host.
        address: IpAddr,
    },
    /// Watch a host: the kernel asks it again and again (`NTF_EXT_MANAGED`), and a host that has
    /// gone becomes `Failed`.
    Watch {
        /// The port.
        device: Device,
        /// The host.
        address: IpAddr,
    },
    /// Forget a host's hardware address.
    Forget {
        /// The port.
        device: Device,
        /// The host.
        address: IpAddr,
    },
    /// Tell a LAN that the host's address is at this port now: a gratuitous ARP request, or an
    /// unsolicited neighbour advertisement.
    Announce {
        /// The port.
        device: Device,
        /// The host.
        address: IpAddr,
    },
}

/// A change of the namespace's kernel, by any process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KernelEvent {
    /// A link appeared or changed.
    Link {
        /// The Linux name.
        device: String,
        /// Administratively up.
        up: bool,
        /// The other end is there.
        carrier: bool,
        /// Octets.
        mtu: u32,
    },
    /// A link has gone.
    LinkGone {
        /// The Linux name.
        device: String,
    },
    /// All unicast routes of table main, read anew: routes that are not listed do not exist. Events do not
    /// say everything (an IPv4 route that a link's fall took away is not announced), so the driver
    /// reads the table again after each change of a link.
    Routes(Vec<KernelRoute>),
    /// One route of table main came.
    RouteAdded(KernelRoute),
    /// One route of table main went.
    RouteRemoved(KernelRoute),
    /// A neighbour entry came, changed or went.
    Neighbour {
        /// The Linux name of the device.
        device: String,
        /// The host.
        address: IpAddr,
        /// The kernel's state of it.
        state: NeighbourState,
    },
    /// How full the kernel's neighbour table of a family is: a machine has one for all its namespaces. Looked
    /// up once a second where hosts come and go, and told when it has changed.
    NeighbourTable {
        /// IPv4 or IPv6.
        family: Family,
        /// Entries of all namespaces.
        entries: u32,
        /// The largest number of entries (`gc_thresh3`).
        limit: u32,
    },
    /// Things that were made and are not there any more, or are not as they were made: the kernel
    /// dropped them together with another, or another program removed them. Each is told once: the
    /// router asks for it again if it needs it.
    Lost(Vec<KernelObject>),
    /// The kernel refused a request.
    Refused {
        /// The request.
        request: KernelRequest,
        /// The operating system's words.
        error: String,
    },
}

/// The kernel's state of a host on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NeighbourState {
    /// It spoke, or answered, with this hardware address (`REACHABLE`, `STALE`, `DELAY`, `PROBE`).
    Known(Mac),
    /// It was asked and is silent (`FAILED`).
    Failed,
    /// There is no entry, or one without an answer yet (`INCOMPLETE`).
    Absent,
}

/// A unicast route of table main.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KernelRoute {
    /// The destination.
    pub prefix: IpNet,
    /// The Linux name of the device that it leaves by.
    pub device: String,
    /// The router it goes through, when not on the link.
    pub gateway: Option<IpAddr>,
    /// Smaller is preferred.
    pub metric: u32,
}
