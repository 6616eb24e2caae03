//! The objects that a router wants in its namespace's kernel, the requests for them, and the kernel's events.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::interface_name::InterfaceName;
use crate::addr::{Family, Mac, Rloc};

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
    Interface(InterfaceName),
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
