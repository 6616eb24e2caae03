//! The simulated kernel of a network namespace: addresses, routes, forwarding, ICMP.
//!
//! A core router of a lab is only a [`Kernel`]. A LISP router is a [`Kernel`] with a process; the
//! two exchange the messages of [`crate::router::io`], as `driver/netlink` does in a namespace. The
//! kernel acts as Linux does:
//!
//! * [`table`]: tables main and 4341, policy rules, suppression, links that are down.
//! * [`configure`]: adds and removes devices, addresses and routes, and notifies the process.
//! * [`forward`]: receives a packet, and delivers, forwards, fragments or drops it.
//! * [`icmp`]: echo replies and errors, RFC 792, RFC 1191, RFC 4443.
//! * [`hands`]: changes with `ip` and `sysctl`.
//! * [`udp`]: datagrams that the process sends.
//! * [`neighbour`]: ARP and neighbour discovery, proxies, roaming hosts.

pub mod configure;
pub mod forward;
pub mod fragment;
pub mod hands;
pub mod icmp;
mod losses;
pub mod neighbour;
mod path_mtu;
pub mod table;
pub mod udp;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

use crate::addr::{Family, is_ipv6_link_local};
use crate::host::frame::{HardwareAddress, link_local};
use crate::host::neighbour::Neighbours;
use crate::router::io::{IcmpError, KernelEvent, LISP_DEVICE, NeighbourState, Table};
use crate::router::made::Made;
use crate::time::Time;
use path_mtu::PathMtus;
use table::{Entry, Flow, Leads, Routing};

/// A device of one kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeviceId(pub usize);

/// The kind of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// One end of a link.
    Port,
    /// `lo`.
    Loopback,
    /// `lisp0`: the router's process receives the packets that are routed into this device.
    Tunnel,
}

/// A network device.
#[derive(Debug)]
pub struct NetDevice {
    /// The Linux name.
    pub name: String,
    /// Whether it exists: it has not been deleted.
    pub is_there: bool,
    /// Its kind.
    pub kind: DeviceKind,
    /// Administratively up.
    pub up: bool,
    /// Whether the link has carrier.
    pub carrier: bool,
    /// Octets of the largest IP packet.
    pub mtu: u16,
    /// The MTU of its link.
    pub own_mtu: u16,
    /// Its addresses, in the order in which they were added.
    pub addresses: Vec<IpNet>,
    /// The [`NetDevice::addresses`] whose network has no connected route (`noprefixroute`).
    pub unconnected: BTreeSet<IpNet>,
    /// Answers ARP for addresses that are routed to another device.
    pub proxy_arp: bool,
    /// Its hardware address.
    pub mac: HardwareAddress,
    /// It accepts hosts that announce themselves (`arp_accept`, `accept_untracked_na`).
    pub mobility: bool,
    /// The hosts for which it answers.
    pub proxies: BTreeSet<IpAddr>,
    /// The neighbours on its link.
    pub neighbours: Neighbours,
}

impl NetDevice {
    /// Packets can leave and arrive.
    pub fn is_running(&self) -> bool {
        self.up && self.carrier
    }

    /// The first address of a family that is not link-local.
    fn address(&self, family: Family) -> Option<IpAddr> {
        let mut addresses = self.addresses.iter().map(IpNet::addr);
        addresses.find(|&address| Family::of(address) == family && !is_ipv6_link_local(address))
    }

    /// Its IPv6 link-local address: the configured one, or else the generated one.
    pub fn link_local(&self) -> Ipv6Addr {
        let mut configured = self.addresses.iter().map(IpNet::addr);
        configured
            .find_map(|address| match address {
                IpAddr::V6(address) => address.is_unicast_link_local().then_some(address),
                IpAddr::V4(_) => None,
            })
            .unwrap_or(link_local(self.mac))
    }

    fn owns(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|net| net.addr() == address) || address == self.link_local()
    }
}

/// An output of a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KernelOutput {
    /// Put this Ethernet frame on a device's link.
    Transmit {
        /// The device.
        device: DeviceId,
        /// The frame.
        frame: Vec<u8>,
    },
    /// For the process that reads `lisp0`.
    Tunnel(Vec<u8>),
    /// For the process whose socket has this port.
    Datagram(Datagram),
    /// For the TCP stack of the process: an IP packet with a segment.
    Segment(Vec<u8>),
    /// For the process: an ICMP error about a datagram that it sent from a port opened with
    /// [`Kernel::bind_senders`].
    Error(IcmpError),
}

/// A UDP datagram for a socket of this kernel's process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// The sender.
    pub source: SocketAddr,
    /// The destination address and port.
    pub destination: SocketAddr,
    /// TTL or hop limit on arrival.
    pub ttl: u8,
    /// Type of service on arrival.
    pub tos: u8,
    /// The UDP payload.
    pub payload: Vec<u8>,
}

/// The reason why a packet was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KernelDrop {
    /// Not an IP packet, or damaged.
    NotIp,
    /// Its device is down or has no carrier.
    DeviceDown,
    /// A frame for another hardware address.
    NotForUs,
    /// Link-local, multicast or broadcast, which no program here accepts.
    LinkScoped,
    /// IPv4 with our own address as source, received from a link.
    Martian,
    /// For another node, but forwarding is off.
    NotForwarding,
    /// No route.
    NoRoute,
    /// A blackhole route.
    Blackhole,
    /// An unreachable route.
    Unreachable,
    /// The TTL has reached zero.
    TtlExpired,
    /// Larger than the MTU of the next link, and must not be fragmented.
    TooBig,
    /// No host on the link has the next hop's address.
    NoNeighbour,
    /// For us, but a fragment that does not fit, or whose missing parts did not arrive in time.
    Fragment,
    /// For us, but its checksum is wrong.
    Checksum,
    /// For us, but no socket has the port, or no program the protocol.
    NoSocket,
    /// A process wrote something that is not a packet, or wrote to a device that is down (EIO).
    WriteFailed,
}

/// The reason why a kernel answers a neighbour's "who has this address?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// The address is the kernel's own.
    Own,
    /// The kernel has a route to the address (proxy ARP).
    Proxy,
}

/// The kernel of one namespace.
#[derive(Debug)]
pub struct Kernel {
    now: Time,
    devices: Vec<NetDevice>,
    routing: Routing,
    /// The routes that the process made. They remain when the process is killed.
    of_process: BTreeSet<(Table, IpNet, Entry)>,
    /// The objects that the process requested and the kernel made.
    made: Made,
    /// Forwards packets of other nodes: IPv4, IPv6.
    forwards: [bool; 2],
    /// UDP sockets that receive datagrams.
    receivers: BTreeSet<SocketAddr>,
    /// UDP sockets that only send datagrams; the process reads their ICMP errors.
    senders: BTreeSet<SocketAddr>,
    path_mtus: PathMtus,
    /// Whether a process receives the TCP segments.
    has_tcp: bool,
    /// ICMP messages for a ping from this node, when one runs.
    icmp: Option<Vec<Vec<u8>>>,
    fragments: fragment::Reassembly,
    identification: u16,
    outputs: VecDeque<KernelOutput>,
    events: VecDeque<KernelEvent>,
    drops: BTreeMap<KernelDrop, u64>,
    link_changed: bool,
    /// The neighbour states last sent to the process; neighbours that are not listed are absent.
    told: BTreeMap<(DeviceId, IpAddr), NeighbourState>,
    /// The number of neighbours of each family last sent to the process.
    neighbours_told: [usize; 2],
    /// When the process checks the number of neighbours again.
    look_at: Time,
}

impl Default for Kernel {
    fn default() -> Self {
        Kernel::new()
    }
}

impl Kernel {
    /// The kernel of a new namespace: `lo`, up.
    pub fn new() -> Self {
        let mut kernel = Kernel {
            now: Time::ZERO,
            devices: Vec::new(),
            routing: Routing::default(),
            of_process: BTreeSet::new(),
            made: Made::default(),
            forwards: [true; 2],
            receivers: BTreeSet::new(),
            senders: BTreeSet::new(),
            path_mtus: PathMtus::default(),
            has_tcp: false,
            icmp: None,
            fragments: fragment::Reassembly::default(),
            identification: 0,
            outputs: VecDeque::new(),
            events: VecDeque::new(),
            drops: BTreeMap::new(),
            link_changed: false,
            told: BTreeMap::new(),
            neighbours_told: [0; 2],
            look_at: Time::ZERO,
        };
        let lo = kernel.add_device("lo", DeviceKind::Loopback, u16::MAX);
        kernel.devices[lo.0].up = true;
        kernel
    }

    /// The device of this Linux name.
    pub fn device_id(&self, name: &str) -> Option<DeviceId> {
        let mut devices = self.devices.iter();
        let at = devices.position(|device| device.is_there && device.name == name)?;
        Some(DeviceId(at))
    }

    /// A device.
    pub fn device(&self, id: DeviceId) -> &NetDevice {
        &self.devices[id.0]
    }

    /// The next packet or datagram that leaves the kernel.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<KernelOutput> {
        self.outputs.pop_front()
    }

    /// The next event for the process.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<KernelEvent> {
        if self.events.is_empty() {
            self.look_at_tables();
        }
        self.events.pop_front()
    }

    /// Whether a device was set up or down since the last call, which its peer will notice.
    #[must_use]
    pub fn take_link_change(&mut self) -> bool {
        std::mem::take(&mut self.link_changed)
    }

    /// Dropped packets, by cause.
    pub fn drops(&self) -> &BTreeMap<KernelDrop, u64> {
        &self.drops
    }

    /// A process opens UDP sockets that receive datagrams on an address.
    pub fn bind_udp(&mut self, address: IpAddr, ports: impl IntoIterator<Item = u16>) {
        self.receivers.extend(ports.into_iter().map(|port| SocketAddr::new(address, port)));
    }

    /// A process opens UDP sockets on an address that only send datagrams, and reads the ICMP
    /// errors about these datagrams (IP_RECVERR).
    pub fn bind_senders(&mut self, address: IpAddr, ports: impl IntoIterator<Item = u16>) {
        self.senders.extend(ports.into_iter().map(|port| SocketAddr::new(address, port)));
    }

    /// A process closes its UDP sockets on an address.
    pub fn unbind(&mut self, address: IpAddr) {
        self.receivers.retain(|socket| socket.ip() != address);
        self.senders.retain(|socket| socket.ip() != address);
    }

    /// A process receives every TCP segment for the node: Linux has TCP in the kernel, a router of
    /// the simulator has it beside its process. Without such a process, segments are dropped in
    /// silence.
    pub fn open_tcp(&mut self) {
        self.has_tcp = true;
    }

    /// Opens or closes a socket for ICMP: a program on the node begins or ends a ping.
    pub fn listen_to_icmp(&mut self, listens: bool) {
        self.icmp = listens.then(Vec::new);
    }

    /// Whether an ICMP message is waiting for the ping program.
    pub fn has_icmp(&self) -> bool {
        self.icmp.as_ref().is_some_and(|packets| !packets.is_empty())
    }

    /// The IP packets with ICMP messages received since the last call.
    pub fn take_icmp(&mut self) -> Vec<Vec<u8>> {
        self.icmp.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The process has ended: closes its sockets, and removes the carrier, the addresses and the
    /// routes of its `lisp0`. Rules stay.
    pub fn end_process(&mut self) {
        self.receivers.clear();
        self.senders.clear();
        self.has_tcp = false;
        self.made = Made::default();
        self.events.clear();
        self.outputs.retain(|output| matches!(output, KernelOutput::Transmit { .. }));
        if let Some(lisp) = self.lisp() {
            self.routing.remove_device(lisp);
            let device = &mut self.devices[lisp.0];
            device.up = false;
            device.carrier = false;
            device.addresses.clear();
        }
    }

    /// A starting process removes the rules and routes that a killed process left, as the driver
    /// does.
    pub fn remove_leftovers(&mut self) {
        self.routing.clear_rules();
        for (table, prefix, entry) in std::mem::take(&mut self.of_process) {
            self.routing.table_mut(table).remove(prefix, &entry);
        }
    }

    /// Whether `address` is this kernel's own, on a device that is up.
    pub fn is_local(&self, address: IpAddr) -> bool {
        let mut up = self.devices.iter().filter(|device| device.up);
        up.any(|device| device.addresses.iter().any(|net| net.addr() == address))
    }

    /// The source address for a packet of the node itself to `destination`.
    pub fn source_for(&self, destination: IpAddr) -> Option<IpAddr> {
        if self.is_local(destination) {
            return Some(destination);
        }
        let route = self.route(&Flow::unbound(destination))?;
        let Leads::Out { device, .. } = route.leads else {
            return None;
        };
        let family = Family::of(destination);
        let of_device = || self.device(device).address(family);
        let up = self.devices.iter().filter(|device| device.up);
        let of_any = || up.clone().find_map(|device| device.address(family));
        route.source.or_else(of_device).or_else(of_any)
    }

    fn route(&self, flow: &Flow) -> Option<Entry> {
        self.routing.lookup(flow, self.lisp(), |entry| {
            // Linux keeps the routes of a link without carrier, but does not use them with
            // ignore_routes_with_linkdown=1.
            entry.device().is_none_or(|device| self.device(device).is_running())
        })
    }

    fn lisp(&self) -> Option<DeviceId> {
        self.device_id(LISP_DEVICE)
    }

    fn count(&mut self, cause: KernelDrop) {
        *self.drops.entry(cause).or_default() += 1;
    }
}
