//! The simulated kernel of a network namespace: addresses, routes, forwarding, ICMP.
//!
//! A core router of a lab is only a [`Kernel`]. A LISP router is a [`Kernel`] with a process. The
//! kernel and the process exchange the messages of [`crate::router::io`], as `driver/netlink` does
//! in a network namespace. The kernel acts as Linux does:
//!
//! * [`table`]: tables main and 4341, policy rules, suppressed routes, links without carrier.
//! * [`configure`]: adds and removes devices, addresses and routes, and notifies the process.
//! * [`forward`]: receives a packet, and delivers, forwards, fragments or drops it.
//! * [`icmp`]: echo replies and ICMP errors (RFC 792, RFC 1191, RFC 4443).
//! * [`hands`]: changes with `ip` and `sysctl`.
//! * [`udp`]: datagrams that the process sends.
//! * [`neighbour`]: ARP and neighbour discovery, proxies, roaming hosts.

pub mod configure;
mod drops;
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

pub use drops::KernelDrop;

use crate::addr::{Family, is_ipv6_link_local};
use crate::host::drops::DropLog;
use crate::host::frame::{HardwareAddress, link_local};
use crate::host::neighbour::Neighbours;
use crate::router::io::{IcmpError, KernelEvent, LISP_DEVICE, NeighbourState, Table};
use crate::router::made::Made;
use crate::sim::drops::SimDrop;
use crate::time::Time;
use path_mtu::PathMtus;
use table::{Entry, Flow, Leads, Routing};

/// The ID of a device in its kernel.
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
    /// Whether the device exists. A deleted device stays in the list.
    pub is_there: bool,
    /// The kind of the device.
    pub kind: DeviceKind,
    /// Whether the device is administratively up.
    pub up: bool,
    /// Whether the link has carrier.
    pub carrier: bool,
    /// The length of the largest IP packet that the device sends, in octets.
    pub mtu: u16,
    /// The MTU of the device's link, in octets.
    pub own_mtu: u16,
    /// The addresses of the device, in the order in which they were added.
    pub addresses: Vec<IpNet>,
    /// The addresses in [`NetDevice::addresses`] that were added without a connected route for
    /// their network (`noprefixroute`).
    pub unconnected: BTreeSet<IpNet>,
    /// Whether the device answers ARP requests for addresses that are routed to another device.
    pub proxy_arp: bool,
    /// The hardware address of the device.
    pub mac: HardwareAddress,
    /// Whether the device accepts hosts that announce themselves (`arp_accept`,
    /// `accept_untracked_na`).
    pub mobility: bool,
    /// The addresses of other hosts. In place of these hosts, the device answers ARP and neighbour
    /// discovery.
    pub proxies: BTreeSet<IpAddr>,
    /// The neighbours on the device's link.
    pub neighbours: Neighbours,
}

impl NetDevice {
    /// Whether the device can send and receive packets.
    pub fn is_running(&self) -> bool {
        self.up && self.carrier
    }

    /// Returns the first address of a family. An IPv6 link-local address is not returned.
    fn address(&self, family: Family) -> Option<IpAddr> {
        let mut addresses = self.addresses.iter().map(IpNet::addr);
        addresses.find(|&address| Family::of(address) == family && !is_ipv6_link_local(address))
    }

    /// Returns the IPv6 link-local address of the device: the configured address, or the generated
    /// address if none is configured.
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
    /// An Ethernet frame to put on the link of a device.
    Transmit {
        /// The device.
        device: DeviceId,
        /// The frame.
        frame: Vec<u8>,
    },
    /// An IP packet that the process reads from `lisp0`.
    Tunnel(Vec<u8>),
    /// A UDP datagram for the process. The process has a socket on the destination port.
    Datagram(Datagram),
    /// An IP packet with a TCP segment, for the TCP stack of the process.
    Segment(Vec<u8>),
    /// An ICMP error for the process. The error is about a datagram that the process sent from a
    /// port opened with [`Kernel::bind_senders`].
    Error(IcmpError),
    /// An IP packet with an ICMP message, for the process. See [`Kernel::pass_icmp_to_process`].
    Icmp(Vec<u8>),
}

/// A UDP datagram for a socket of this kernel's process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// The address and the port of the sender.
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

/// The reason why a kernel answers when a neighbour asks for the owner of an address.
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
    /// The routes that the process made. These routes remain if the process is killed.
    of_process: BTreeSet<(Table, IpNet, Entry)>,
    /// The objects that the kernel made at the request of the process.
    made: Made,
    /// Whether the kernel forwards packets of other nodes. The first value is for IPv4, and the
    /// second value is for IPv6.
    forwards: [bool; 2],
    /// UDP sockets that receive datagrams.
    receivers: BTreeSet<SocketAddr>,
    /// UDP sockets that only send datagrams. The process reads the ICMP errors about these
    /// datagrams.
    senders: BTreeSet<SocketAddr>,
    path_mtus: PathMtus,
    /// Whether a process receives the TCP segments.
    has_tcp: bool,
    /// The ICMP messages for a ping program on this node; `None` if no ping runs.
    icmp: Option<Vec<Vec<u8>>>,
    /// Whether the process receives the ICMP messages for the node.
    process_hears_icmp: bool,
    fragments: fragment::Reassembly,
    identification: u16,
    outputs: VecDeque<KernelOutput>,
    events: VecDeque<KernelEvent>,
    drops: BTreeMap<KernelDrop, u64>,
    /// The packets that the kernel or the process of the node dropped.
    pub dropped: DropLog<SimDrop>,
    link_changed: bool,
    /// The state of each neighbour, as it was last reported to the process. A neighbour that is not
    /// in this map was last reported as absent.
    told: BTreeMap<(DeviceId, IpAddr), NeighbourState>,
    /// The number of neighbours of each family, as it was last reported to the process.
    neighbours_told: [usize; 2],
    /// The time at which the process checks the number of neighbours again.
    look_at: Time,
}

impl Default for Kernel {
    fn default() -> Self {
        Kernel::new()
    }
}

impl Kernel {
    /// Makes the kernel of a new network namespace. The only device of the kernel is `lo`. It is
    /// up.
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
            process_hears_icmp: false,
            fragments: fragment::Reassembly::default(),
            identification: 0,
            outputs: VecDeque::new(),
            events: VecDeque::new(),
            drops: BTreeMap::new(),
            dropped: DropLog::default(),
            link_changed: false,
            told: BTreeMap::new(),
            neighbours_told: [0; 2],
            look_at: Time::ZERO,
        };
        let lo = kernel.add_device("lo", DeviceKind::Loopback, u16::MAX);
        kernel.devices[lo.0].up = true;
        kernel
    }

    /// Returns the device with this Linux name.
    pub fn device_id(&self, name: &str) -> Option<DeviceId> {
        let mut devices = self.devices.iter();
        let at = devices.position(|device| device.is_there && device.name == name)?;
        Some(DeviceId(at))
    }

    /// Returns the devices that exist.
    pub fn devices(&self) -> impl Iterator<Item = &NetDevice> {
        self.devices.iter().filter(|device| device.is_there)
    }

    /// Whether the kernel forwards packets of other nodes.
    pub fn forwards(&self, family: Family) -> bool {
        self.forwards[usize::from(family == Family::Ipv6)]
    }

    /// Returns a device.
    pub fn device(&self, id: DeviceId) -> &NetDevice {
        &self.devices[id.0]
    }

    /// Returns the next packet, frame or datagram that leaves the kernel.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<KernelOutput> {
        self.outputs.pop_front()
    }

    /// Returns the next event for the process.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<KernelEvent> {
        if self.events.is_empty() {
            self.look_at_tables();
        }
        self.events.pop_front()
    }

    /// Returns whether a device was set up or down since the last call. If so, the caller must
    /// update the carrier state on the links of the node.
    #[must_use]
    pub fn take_link_change(&mut self) -> bool {
        std::mem::take(&mut self.link_changed)
    }

    /// Returns the number of dropped packets for each reason.
    pub fn drops(&self) -> &BTreeMap<KernelDrop, u64> {
        &self.drops
    }

    /// Opens UDP sockets of a process on an address. These sockets receive datagrams.
    pub fn bind_udp(&mut self, address: IpAddr, ports: impl IntoIterator<Item = u16>) {
        self.receivers.extend(ports.into_iter().map(|port| SocketAddr::new(address, port)));
    }

    /// Opens UDP sockets of a process on an address. These sockets only send datagrams. The process
    /// also reads the ICMP errors about these datagrams (`IP_RECVERR`).
    pub fn bind_senders(&mut self, address: IpAddr, ports: impl IntoIterator<Item = u16>) {
        self.senders.extend(ports.into_iter().map(|port| SocketAddr::new(address, port)));
    }

    /// Closes the UDP sockets of a process on an address.
    pub fn unbind(&mut self, address: IpAddr) {
        self.receivers.retain(|socket| socket.ip() != address);
        self.senders.retain(|socket| socket.ip() != address);
    }

    /// From now on, a process receives every TCP segment for the node. On Linux, the TCP stack is
    /// in the kernel. In the simulator, the TCP stack of a router is outside the kernel. If no
    /// process receives TCP segments, the kernel drops the segments and sends no RST.
    pub fn open_tcp(&mut self) {
        self.has_tcp = true;
    }

    /// Opens a socket for ICMP messages if `listens` is true, and closes it otherwise. The ping
    /// program of the node uses this socket.
    pub fn listen_to_icmp(&mut self, listens: bool) {
        self.icmp = listens.then(Vec::new);
    }

    /// Opens a raw socket of the process if `passes` is true, and closes it otherwise. The socket
    /// receives the ICMP messages for the node, except echo requests.
    pub fn pass_icmp_to_process(&mut self, passes: bool) {
        self.process_hears_icmp = passes;
    }

    /// Whether an ICMP message is waiting for the ping program.
    pub fn has_icmp(&self) -> bool {
        self.icmp.as_ref().is_some_and(|packets| !packets.is_empty())
    }

    /// Returns the IP packets with ICMP messages that were received since the last call.
    pub fn take_icmp(&mut self) -> Vec<Vec<u8>> {
        self.icmp.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Closes the sockets of the process, because the process has ended. `lisp0` is set down, and
    /// loses its carrier, its addresses and its routes. Policy rules stay.
    pub fn end_process(&mut self) {
        self.receivers.clear();
        self.senders.clear();
        self.has_tcp = false;
        self.process_hears_icmp = false;
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

    /// Removes the rules and routes that a killed process has left. The driver also does this when
    /// it starts.
    pub fn remove_leftovers(&mut self) {
        self.routing.clear_rules();
        for (table, prefix, entry) in std::mem::take(&mut self.of_process) {
            self.routing.table_mut(table).remove(prefix, &entry);
        }
    }

    /// Whether a device of this node has this address and is up.
    pub fn is_local(&self, address: IpAddr) -> bool {
        let mut up = self.devices.iter().filter(|device| device.up);
        up.any(|device| device.addresses.iter().any(|net| net.addr() == address))
    }

    /// Returns the source address for a packet that the node itself sends to `destination`.
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
        self.route_row(flow).map(|(_, entry)| entry)
    }

    /// Returns the route of a packet, and the prefix of this route.
    pub fn route_row(&self, flow: &Flow) -> Option<(IpNet, Entry)> {
        self.routing.lookup_row(flow, self.lisp(), |entry| {
            // Linux keeps the routes of a link without carrier. Because of
            // `ignore_routes_with_linkdown=1`, Linux does not use these routes.
            entry.device().is_none_or(|device| self.device(device).is_running())
        })
    }

    fn lisp(&self) -> Option<DeviceId> {
        self.device_id(LISP_DEVICE)
    }

    /// Counts a dropped packet. `packet` is empty if the dropped message has no IP packet.
    fn count(&mut self, cause: KernelDrop, packet: &[u8]) {
        *self.drops.entry(cause).or_default() += 1;
        self.dropped.note(SimDrop::Kernel(cause), packet);
    }
}
