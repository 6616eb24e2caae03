//! The state of the kernel of a node, as plain data: its links, its routes and its neighbours. In
//! namespaces, the program `ip` reports this state. On the simulator, the simulated kernel reports
//! it.

use std::net::IpAddr;

use ipnet::IpNet;

/// A device of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkState {
    /// The Linux name of the device.
    pub device: String,
    /// Whether the device is administratively up.
    pub up: bool,
    /// Whether the link has a carrier.
    pub carrier: bool,
    /// The size in octets of the largest IP packet that the device sends.
    pub mtu: u32,
    /// The addresses of the device, without IPv6 link-local addresses.
    pub addresses: Vec<IpNet>,
    /// The LAN to which the device is connected now. `None` for a device that is on no LAN.
    pub lan: Option<String>,
    /// Whether the device answers ARP requests for addresses that are routed to another device.
    pub proxy_arp: bool,
    /// The addresses for which the device answers in place of other hosts.
    pub proxies: Vec<IpAddr>,
    /// The neighbours on the link of the device.
    pub neighbours: Vec<Neighbour>,
}

impl LinkState {
    /// Whether packets can leave and arrive.
    pub fn is_running(&self) -> bool {
        self.up && self.carrier
    }

    /// Whether the device has this address.
    pub fn has(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|net| net.addr() == address)
    }
}

/// The fields of a packet that decide its route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteQuery {
    /// The destination of the packet.
    pub destination: IpAddr,
    /// The source of the packet. A packet of the node itself may have no source yet.
    pub source: Option<IpAddr>,
    /// The device on which the node received the packet. `None` for a packet of the node itself.
    pub input: Option<String>,
}

/// The route of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// The packet is for the node itself.
    Local,
    /// The packet leaves through a device.
    Out {
        /// The device.
        device: String,
        /// The next router. `None` if the destination itself is on the link of the device.
        gateway: Option<IpAddr>,
        /// The destination of the route, if it is known. The prefix length is zero for a default
        /// route.
        prefix: Option<IpNet>,
        /// The source address that the node chooses for a packet that it sends itself.
        source: Option<IpAddr>,
    },
    /// The kernel drops the packet and sends no error.
    Blackhole,
    /// The kernel drops the packet and sends an ICMP error.
    Unreachable,
    /// There is no route.
    Missing,
    /// The node does not forward packets of other nodes.
    NotForwarding,
}

/// A neighbour on a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// The address of the neighbour.
    pub address: IpAddr,
    /// The state of the neighbour (RFC 4861 section 7.3.2), in lower case: `reachable`, `stale`,
    /// `failed` and others.
    pub state: String,
    /// Whether the hardware address of the neighbour is known.
    pub is_known: bool,
}
