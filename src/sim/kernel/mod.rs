//! The simulated kernel of a network namespace: addresses, routes, forwarding, ICMP.
//!
//! A core router of a lab is nothing but a [`Kernel`]; a LISP router is a [`Kernel`] with a
//! process in it, and the two talk in the very words of [`crate::router::io`] that
//! `driver/netlink` uses in a namespace. It acts as Linux does:
//!
//! * [`table`]: tables main and 4341, policy rules, suppression, links that are down.
//! * [`configure`]: devices, addresses and routes come and go; events say so.
//! * [`forward`]: a packet arrives, is delivered, forwarded, fragmented or dropped.
//! * [`icmp`]: echo replies and errors, RFC 792, RFC 1191, RFC 4443.
//! * [`hands`]: changes with `ip` and `sysctl`.
//! * [`udp`]: datagrams that the process sends.
//! * [`neighbour`]: ARP and neighbour discovery, proxies, hosts that come and go.

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
    /// `lisp0`: packets that are routed into it go to the router's process.
    Tunnel,
}

/// A network device.
#[derive(Debug)]
pub struct NetDevice {
    /// The Linux name.
    pub name: String,
    /// It has not been deleted.
    pub is_there: bool,
    /// Its kind.
    pub kind: DeviceKind,
    /// Administratively up.
    pub up: bool,
    /// The other end is there.
    pub carrier: bool,
    /// Octets of the largest IP packet.
    pub mtu: u16,
    /// The MTU that the link gives it.
    pub own_mtu: u16,
    /// Its addresses, in the order in which they came.
    pub addresses: Vec<IpNet>,
    /// Those of [`NetDevice::addresses`] whose network has no route (`noprefixroute`).
    pub unconnected: BTreeSet<IpNet>,
    /// Answers ARP for addresses that are routed to another device.
    pub proxy_arp: bool,
    /// Its hardware address.
    pub mac: HardwareAddress,
    /// Hosts that come announce themselves, and are believed (`arp_accept`, `accept_untracked_na`).
    pub mobility: bool,
    /// The hosts that it answers for.
    pub proxies: BTreeSet<IpAddr>,
    /// The neighbours on its link.
    pub neighbours: Neighbours,
}

impl NetDevice {
    /// Packets can leave and arrive.
    pub fn is_running(&self) -> bool {
        self.up && self.carrier
    }

    /// The first address of a family that is good beyond the link.
    fn address(&self, family: Family) -> Option<IpAddr> {
        let mut addresses = self.addresses.iter().map(IpNet::addr);
        addresses.find(|&address| Family::of(address) == family && !is_ipv6_link_local(address))
    }

    /// Its IPv6 link-local address: the configured one, else the one that it makes up.
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
    /// For the process: an ICMP error about a datagram that it sent from a port of
    /// [`Kernel::bind_senders`].
    Error(IcmpError),
}

/// A UDP datagram for a socket of this kernel's process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// The sender.
    pub source: SocketAddr,
    /// The address and port that it was sent to.
    pub destination: SocketAddr,
    /// TTL or hop limit as it arrived.
    pub ttl: u8,
    /// Type of service as it arrived.
    pub tos: u8,
    /// The UDP payload.
    pub payload: Vec<u8>,
}

/// Why a packet went no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KernelDrop {
    /// No IP packet, or damaged.
    NotIp,
    /// Its device is down or has no carrier.
    DeviceDown,
    /// A frame for another hardware address.
    NotForUs,
    /// Link-local, multicast or broadcast, which no program here wants.
    LinkScoped,
    /// IPv4 with our own address as source, from a link.
    Martian,
    /// For another node, and forwarding is off.
    NotForwarding,
    /// No route.
    NoRoute,
    /// A blackhole route.
    Blackhole,
    /// An unreachable route.
    Unreachable,
    /// TTL used up.
    TtlExpired,
    /// Larger than the next link, and not to be fragmented.
    TooBig,
    /// No host on the link has the next hop's address.
    NoNeighbour,
    /// For us, but a fragment whose rest did not come in time or does not fit.
    Fragment,
    /// For us, but its checksum is wrong.
    Checksum,
    /// For us, but no socket has the port or no one the protocol.
    NoSocket,
    /// A process wrote something that is no packet, or to a device that is down (EIO).
    WriteFailed,
}

/// How a kernel would answer a neighbour's "who has this address?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// It is mine.
    Own,
    /// I know the way (proxy ARP).
    Proxy,
}

/// The kernel of one namespace.
#[derive(Debug)]
pub struct Kernel {
    now: Time,
    devices: Vec<NetDevice>,
    routing: Routing,
    /// The routes that the process made, which stay behind when it is killed.
    of_process: BTreeSet<(Table, IpNet, Entry)>,
    /// The objects that the process has had made.
    made: Made,
    /// Forwards packets of others: of IPv4, of IPv6.
    forwards: [bool; 2],
    /// UDP sockets that receive.
    receivers: BTreeSet<SocketAddr>,
    /// UDP sockets that only send, and whose process reads their errors.
    senders: BTreeSet<SocketAddr>,
    path_mtus: PathMtus,
    /// A process takes the TCP segments.
    has_tcp: bool,
    /// ICMP messages for a ping from here, when there is one.
    icmp: Option<Vec<Vec<u8>>>,
    fragments: fragment::Reassembly,
    identification: u16,
    outputs: VecDeque<KernelOutput>,
    events: VecDeque<KernelEvent>,
    drops: BTreeMap<KernelDrop, u64>,
    link_changed: bool,
    /// The neighbours as the process was last told; those that are not listed are absent.
    told: BTreeMap<(DeviceId, IpAddr), NeighbourState>,
    /// Neighbours of each family, as the process was last told.
    neighbours_told: [usize; 2],
    /// When the process looks again how many neighbours there are.
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

    /// The next thing that the process is told.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<KernelEvent> {
        if self.events.is_empty() {
            self.look_at_tables();
        }
        self.events.pop_front()
    }

    /// Whether a device was set up or down since the last call: its peer will see that.
    #[must_use]
    pub fn take_link_change(&mut self) -> bool {
        std::mem::take(&mut self.link_changed)
    }

    /// Packets that went no further, by cause.
    pub fn drops(&self) -> &BTreeMap<KernelDrop, u64> {
        &self.drops
    }

    /// A process opens UDP sockets that receive on an address.
    pub fn bind_udp(&mut self, address: IpAddr, ports: impl IntoIterator<Item = u16>) {
        self.receivers.extend(ports.into_iter().map(|port| SocketAddr::new(address, port)));
    }

    /// A process opens UDP sockets on an address that only send, and reads the ICMP errors about their
    /// datagrams (IP_RECVERR).
    pub fn bind_senders(&mut self, address: IpAddr, ports: impl IntoIterator<Item = u16>) {
        self.senders.extend(ports.into_iter().map(|port| SocketAddr::new(address, port)));
    }

    /// A process closes its UDP sockets on an address.
    pub fn unbind(&mut self, address: IpAddr) {
        self.receivers.retain(|socket| socket.ip() != address);
        self.senders.retain(|socket| socket.ip() != address);
    }

    /// A process takes every TCP segment for the node: Linux has TCP in the kernel, a router of the
    /// simulator beside its process. Without one, segments are dropped in silence.
    pub fn open_tcp(&mut self) {
        self.has_tcp = true;
    }

    /// Opens or closes a socket for ICMP: a program on the node begins or ends a ping.
    pub fn listen_to_icmp(&mut self, listens: bool) {
        self.icmp = listens.then(Vec::new);
    }

    /// Whether an ICMP message waits for the pinging program.
    pub fn has_icmp(&self) -> bool {
        self.icmp.as_ref().is_some_and(|packets| !packets.is_empty())
    }

    /// The IP packets with ICMP messages that have come since the last call.
    pub fn take_icmp(&mut self) -> Vec<Vec<u8>> {
        self.icmp.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The process has gone, with its sockets, its `lisp0` and the routes into that. Rules stay.
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

    /// A process that begins takes out the rules and routes that a killed one left, as the driver does.
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

    /// The source address that a packet of the node's own to `destination` gets.
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
            // Linux keeps routes of a link without carrier, and with
            // ignore_routes_with_linkdown=1 does not use them.
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
