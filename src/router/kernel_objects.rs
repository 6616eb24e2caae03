//! The objects that a router wants in the kernel of its namespace, the requests for these objects,
//! and the events of the kernel.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::interface_name::InterfaceName;
use crate::addr::{Family, Mac, Rloc};

/// A routing table of the namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Table {
    /// Table 4341, with the native default route and the guards. A packet that `lisp0` emits uses
    /// this table, if the only route to its destination in table main leads back into `lisp0`.
    Native,
    /// Table main.
    Main,
}

/// The target of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RouteTarget {
    /// A router on a connected network.
    NextHop(IpAddr),
    /// The link of a device.
    Device(Device),
    /// Drops packets, and sends no ICMP error.
    Blackhole,
    /// Drops packets, and sends an ICMP unreachable error to the sender of each packet.
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

/// The TUN device through which the kernel and the router exchange packets from and to EIDs.
pub const LISP_DEVICE: &str = "lisp0";

/// The device group of `lisp0`, and the number of [`Table::Native`].
pub const LISP_GROUP: u32 = 4341;

/// The packets that a rule matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RuleSelector {
    /// Packets that `lisp0` emitted.
    FromLisp,
    /// Packets with this source address: the router's own control and encapsulated packets.
    Source(Rloc),
}

/// An object that the router wants in the kernel of its namespace. The router makes the objects in
/// their sort order: all objects of a variant come before the objects of the next variant. So a
/// guard exists before a packet can leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum KernelObject {
    /// The settings of the namespace: it forwards packets, and table main is looked up for packets
    /// that no other rule matches. Removing this object does not change the settings.
    Namespace,
    /// The settings of a link. Removing this object does not change the link.
    Link {
        /// The device.
        device: Device,
        /// Whether the link is administratively up.
        up: bool,
        /// The MTU in octets; `None` for the device's own MTU.
        mtu: Option<u16>,
        /// Whether the router answers ARP for other addresses.
        proxy_arp: bool,
        /// The hardware address; `None` for the device's own address.
        mac: Option<Mac>,
        /// `lisp mobility`: the sysctls of the port are set so that the router notices new hosts.
        mobility: bool,
    },
    /// An address on a device, with the prefix length of its network.
    Address {
        /// The device.
        device: Device,
        /// The address, with the prefix length of its network.
        address: IpNet,
        /// Whether the kernel makes a route to the network of the address. On a mobility port, the
        /// kernel must not make this route. With the route, the kernel would use ARP to search for
        /// a host that moved away. The packets for this host would not go through LISP.
        connected: bool,
    },
    /// `PRIORITY SELECTOR lookup TABLE [suppress_ifgroup 4341]`.
    Rule {
        /// IPv4 or IPv6.
        family: Family,
        /// The kernel uses the rule with the smaller number first.
        priority: u32,
        /// The packets that the rule matches.
        selector: RuleSelector,
        /// The table that the rule looks up. A lookup of main never uses a route into `lisp0`.
        table: Table,
    },
    /// A route.
    Route {
        /// The table of the route.
        table: Table,
        /// The destination.
        prefix: IpNet,
        /// The target of the route.
        target: RouteTarget,
        /// The route with the smaller metric is preferred.
        metric: u32,
        /// The source address of the router's own packets that use the route.
        source: Option<IpAddr>,
    },
    /// `neigh add proxy`: the kernel answers ARP or ND for a host that moved away. So the other
    /// hosts on the old LAN reach the host through LISP.
    ProxyNeighbour {
        /// The port of the old LAN.
        device: Device,
        /// The host.
        address: IpAddr,
    },
}

/// A change that the router wants in the kernel. All requests are idempotent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KernelRequest {
    /// Make the object.
    Add(KernelObject),
    /// Remove the object.
    Remove(KernelObject),
    /// Ask a host on a port whether it is there (`RTM_NEWNEIGH` with `NTF_USE` or `nud probe`). The
    /// kernel reports the result as [`KernelEvent::Neighbour`]. The exchange also refreshes the
    /// hardware address that the host has for its gateway.
    Probe {
        /// The port.
        device: Device,
        /// The host.
        address: IpAddr,
    },
    /// Watch a host: the kernel asks the host again and again (`NTF_EXT_MANAGED`). If the host has
    /// left, its state becomes [`NeighbourState::Failed`].
    Watch {
        /// The port.
        device: Device,
        /// The host.
        address: IpAddr,
    },
    /// Delete the hardware address of a host.
    Forget {
        /// The port.
        device: Device,
        /// The host.
        address: IpAddr,
    },
    /// Announce on a LAN that the address of the host is at this port now: a gratuitous ARP
    /// request, or an unsolicited neighbour advertisement.
    Announce {
        /// The port.
        device: Device,
        /// The host.
        address: IpAddr,
    },
}

/// A change that any process made in the kernel of the namespace, or a request that the kernel
/// refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KernelEvent {
    /// A link appeared or changed.
    Link {
        /// The Linux name.
        device: String,
        /// Whether the link is administratively up.
        up: bool,
        /// Whether the other end of the link is present.
        carrier: bool,
        /// The MTU in octets.
        mtu: u32,
    },
    /// A link was removed.
    LinkGone {
        /// The Linux name.
        device: String,
    },
    /// All unicast routes of table main. A route that is not in the list does not exist. The driver
    /// reads the table again after each change of a link, because the kernel does not announce
    /// every change. For example, if a link goes down, the kernel does not announce that it removes
    /// the IPv4 routes of the link.
    Routes(Vec<KernelRoute>),
    /// A route was added to table main.
    RouteAdded(KernelRoute),
    /// A route was removed from table main.
    RouteRemoved(KernelRoute),
    /// A neighbour entry was added, changed or removed.
    Neighbour {
        /// The Linux name of the device.
        device: String,
        /// The host.
        address: IpAddr,
        /// The kernel's state of the host.
        state: NeighbourState,
    },
    /// The fill level of the kernel's neighbour table for an address family. All namespaces of a
    /// machine share one table. If hosts can appear and disappear, the driver reads the table once
    /// a second, and reports a change.
    NeighbourTable {
        /// IPv4 or IPv6.
        family: Family,
        /// The number of entries of all namespaces.
        entries: u32,
        /// The largest number of entries (`gc_thresh3`).
        limit: u32,
    },
    /// Objects that were made, but do not exist any more or were changed. The kernel dropped them
    /// together with another object, or another program removed or changed them. Each loss is
    /// reported once. The router requests an object again if it needs the object.
    Lost(Vec<KernelObject>),
    /// The kernel refused a request.
    Refused {
        /// The request.
        request: KernelRequest,
        /// The error text of the operating system.
        error: String,
    },
}

/// The kernel's state of a host on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NeighbourState {
    /// The host has this hardware address: it sent a message or answered (`REACHABLE`, `STALE`,
    /// `DELAY`, `PROBE`).
    Known(Mac),
    /// The kernel asked the host, and got no answer (`FAILED`).
    Failed,
    /// There is no entry, or the host has not answered yet (`INCOMPLETE`).
    Absent,
}

/// A unicast route of table main.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KernelRoute {
    /// The destination.
    pub prefix: IpNet,
    /// The Linux name of the device through which packets leave.
    pub device: String,
    /// The next router, if the destination is not on the link.
    pub gateway: Option<IpAddr>,
    /// The route with the smaller metric is preferred.
    pub metric: u32,
}
