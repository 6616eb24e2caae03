//! Emulated hosts: real TCP/IP stacks (smoltcp) without an operating system.
//!
//! A [`Host`] does no input or output itself, like the router core. Its inputs are Ethernet frames
//! and the time. Its outputs are Ethernet frames and deadlines. In the simulator, hosts ping each
//! other on virtual time. The same host can also run behind a TAP device. A host answers echo
//! requests of IPv4 and IPv6 by itself (RFC 792, RFC 4443). It handles ARP and neighbour discovery
//! with [`link`]. It has an echo server and an HTTP page with its name ([`apps`]), and it opens
//! connections itself ([`exchange`]).

pub mod apps;
pub mod device;
pub mod drops;
mod echo;
pub mod echo_error;
pub mod exchange;
pub mod frame;
mod http;
pub mod link;
pub mod neighbour;
pub mod ping;
mod server;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::Medium;
use smoltcp::socket::icmp;
use smoltcp::time::Instant;
use smoltcp::wire::IpCidr;

use crate::addr::Family;
use crate::packet::IpHeader;
use crate::rng::{Rng, Seed};
use crate::time::{Deadline, Time};
use apps::Apps;
use device::QueueDevice;
use drops::{DropLog, HostDrop};
use echo::{echo_reply_seq, echo_request};
use echo_error::EchoError;
use exchange::{Exchange, ExchangeId, Phase, Running};
use frame::HardwareAddress;
use link::Link;
use neighbour::Neighbours;
use ping::{Outcome, Pace, PingReport, PingRequest, Probe};

/// The first source port of the connections that a host opens (RFC 6335 section 6).
const EPHEMERAL_PORTS: u16 = 49152;

/// The configuration of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostConfig {
    /// The name of the host. The HTTP page of the host shows it.
    pub name: String,
    /// The addresses of the host, each with the length of its network. The first address of a
    /// family is the source address of the host's packets. The maximum number of addresses is
    /// smoltcp's constant `IFACE_MAX_ADDR_COUNT`.
    pub addresses: Vec<IpNet>,
    /// The default gateways, at most one for each family.
    pub gateways: Vec<IpAddr>,
    /// The number of octets of the largest IP packet.
    pub mtu: u16,
    /// The hardware address of the host. If it is absent, the hardware address is computed from the
    /// seed of the host.
    pub mac: Option<HardwareAddress>,
}

/// The reason why a host cannot be made or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// The host would have more addresses than smoltcp has space for.
    #[error("a host can have at most {0} addresses")]
    TooManyAddresses(usize),
    /// The configuration has a second gateway for the same address family.
    #[error("the gateway {0} is refused: the host already has a gateway of this address family")]
    SecondGateway(IpAddr),
}

/// The ID of a ping of a host. The ping may be running or done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PingId(u32);

impl PingId {
    /// Returns the number that the host has chosen for this ping.
    pub fn number(self) -> u32 {
        self.0
    }
}

#[derive(Debug)]
struct Ping {
    id: PingId,
    socket: SocketHandle,
    ident: u16,
    report: PingReport,
}

/// An emulated host.
pub struct Host {
    config: HostConfig,
    link: Link,
    device: QueueDevice,
    interface: Interface,
    sockets: SocketSet<'static>,
    apps: Apps,
    pings: Vec<Ping>,
    exchanges: Vec<Running>,
    /// The number of the next ping or exchange.
    next_number: u32,
    rng: Rng,
}

impl Host {
    /// Makes a host that has just been switched on.
    pub fn new(config: HostConfig, seed: &Seed, now: Time) -> Result<Self, HostError> {
        let mut rng = Rng::new(seed, "host");
        let (device, interface) = interface(&config, rng.next_u64(), now)?;
        let link = Link::new(mac(&config, seed), addresses(&config));
        let mut sockets = SocketSet::new(Vec::new());
        let apps = Apps::new(http::page(&config), &mut sockets);
        Ok(Host {
            config,
            link,
            device,
            interface,
            sockets,
            apps,
            pings: Vec::new(),
            exchanges: Vec::new(),
            next_number: 0,
            rng,
        })
    }

    /// Connects the host to a link. The host may have been connected to another link before. The
    /// stack of the host starts again with the same addresses, and the host announces itself on the
    /// link. TCP connections end without a message to the peers. Pings continue.
    pub fn plug_in(&mut self, now: Time) {
        // The host already has an interface with this configuration, so this call does not fail.
        if let Ok((device, interface)) = interface(&self.config, self.rng.next_u64(), now) {
            (self.device, self.interface) = (device, interface);
        }
        self.apps.restart(&mut self.sockets);
        for running in &mut self.exchanges {
            *self.sockets.get_mut(running.socket) = apps::tcp_socket();
            running.exchange.phase = Phase::Broken;
        }
        self.link.plug_in(addresses(&self.config));
    }

    /// Returns the hardware address of the host.
    pub fn mac(&self) -> HardwareAddress {
        self.link.mac()
    }

    /// Returns the neighbours of the host on its link.
    pub fn neighbours(&self) -> &Neighbours {
        self.link.neighbours()
    }

    /// Returns the configuration of the host.
    pub fn config(&self) -> &HostConfig {
        &self.config
    }

    /// The packets that the host has dropped.
    pub fn drops(&mut self) -> &mut DropLog<HostDrop> {
        &mut self.link.drops
    }

    /// Sends an IP packet as a raw socket does. The source address may be any address.
    pub fn send_raw(&mut self, packet: Vec<u8>) {
        if let Err(packet) = self.device.push_to_send(packet) {
            self.link.drops.note(HostDrop::QueueFull, &packet);
        }
    }

    /// Adds an address.
    ///
    /// # Errors
    /// [`HostError::TooManyAddresses`] if the host already has the maximum number of addresses.
    pub fn add_address(&mut self, address: IpNet) -> Result<(), HostError> {
        let mut held = Ok(());
        self.interface.update_ip_addrs(|addresses| {
            if addresses.push(cidr(&address)).is_err() {
                held = Err(HostError::TooManyAddresses(addresses.len()));
            }
        });
        held?;
        self.config.addresses.push(address);
        self.link.add_address(address.addr());
        Ok(())
    }

    /// Whether `address` is an address of the host.
    pub fn owns(&self, address: IpAddr) -> bool {
        self.config.addresses.iter().any(|net| net.addr() == address)
    }

    /// Returns the neighbour to which a packet for `destination` is sent. If the destination is in
    /// a network of this host, the neighbour is the destination itself. Otherwise, the neighbour is
    /// the gateway of the same family.
    pub fn next_hop(&self, destination: IpAddr) -> Option<IpAddr> {
        if self.config.addresses.iter().any(|net| net.contains(&destination)) {
            return Some(destination);
        }
        let family = Family::of(destination);
        let mut gateways = self.config.gateways.iter().copied();
        gateways.find(|&gateway| Family::of(gateway) == family)
    }

    /// Handles a frame from the network.
    pub fn handle(&mut self, frame: &[u8], now: Time) {
        if let Some(packet) = self.link.receive(frame, now) {
            if let Some(error) = EchoError::parse(packet) {
                self.fail_probe(&error);
            }
            let destination = IpHeader::parse(packet).map(|header| header.destination);
            if destination.is_ok_and(|to| !is_accepted(&self.config, to)) {
                self.link.drops.note(HostDrop::OtherAddress, packet);
            }
            if !self.device.push_received(packet) {
                self.link.drops.note(HostDrop::QueueFull, packet);
            }
        }
        self.poll(now);
    }

    /// Does the work that is due now.
    pub fn poll(&mut self, now: Time) {
        self.expire_probes(now);
        // If an answer has arrived, the next echo request may have to be sent now. Then the stack
        // must be polled again to send this request.
        loop {
            let sent = self.send_due_probes(now);
            self.interface.poll(instant(now), &mut self.device, &mut self.sockets);
            let answered = self.receive_replies(now);
            let served = self.apps.serve(&mut self.sockets, now) | self.serve_exchanges();
            if !(sent || answered || served) {
                break;
            }
        }
        self.link.handle_timeout(now);
        while let Some(packet) = self.device.pop_to_send() {
            let header = IpHeader::parse(&packet).ok();
            let next_hop = header.and_then(|header| self.next_hop(header.destination));
            match next_hop {
                Some(next_hop) => self.link.send(next_hop, packet, now),
                None => self.link.drops.note(HostDrop::NoGateway, &packet),
            }
        }
    }

    /// Returns the next frame to send to the network.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Vec<u8>> {
        self.link.poll_output()
    }

    /// Returns the next time at which [`Host::poll`] has work.
    #[must_use]
    pub fn poll_timeout(&mut self, now: Time) -> Option<Deadline> {
        let stack = self.interface.poll_at(instant(now), &self.sockets).map(|at| Deadline {
            at: now.max(Time(u64::try_from(at.total_micros()).unwrap_or(0))),
            why: "host stack",
        });
        let probes = self.pings.iter().flat_map(|ping| {
            let timeout = ping.report.request.timeout;
            let waiting = ping.report.probes.iter().filter(|p| p.outcome == Outcome::Waiting);
            waiting.map(move |probe| Deadline { at: probe.sent_at + timeout, why: "ping timeout" })
        });
        let due = self.pings.iter().filter_map(|ping| next_probe_at(&ping.report, now));
        let due = due.map(|at| Deadline { at, why: "ping" });
        let link = self.link.poll_timeout().map(|at| Deadline { at, why: "host neighbours" });
        let idle = self.apps.next_expiry();
        let idle = idle.map(|at| Deadline { at: now.max(at), why: "idle connection" });
        Deadline::earliest(probes.chain(due).map(Some).chain([stack, link, idle]))
    }

    /// Starts a ping. The next [`Host::poll`] sends the first echo request.
    pub fn start_ping(&mut self, request: PingRequest) -> PingId {
        // An echo reply has the identifier of the ping to which it belongs. Therefore no two pings
        // have the same identifier. The identifier is never zero.
        let ident = loop {
            let ident = self.rng.below(0xffff) as u16 + 1;
            if self.pings.iter().all(|ping| ping.ident != ident) {
                break ident;
            }
        };
        let mut socket = icmp::Socket::new(self.echo_buffer(), self.echo_buffer());
        socket
            .bind(icmp::Endpoint::Ident(ident))
            .expect("a closed socket accepts every identifier");
        socket.set_hop_limit(Some(request.ttl.max(1)));
        let id = PingId(self.take_number());
        self.pings.push(Ping {
            id,
            socket: self.sockets.add(socket),
            ident,
            report: PingReport::new(request),
        });
        id
    }

    /// Returns the report of a ping.
    pub fn ping(&self, id: PingId) -> Option<&PingReport> {
        self.pings.iter().find(|ping| ping.id == id).map(|ping| &ping.report)
    }

    /// Ends a ping and returns its report. The ping may be running or done.
    pub fn stop_ping(&mut self, id: PingId) -> Option<PingReport> {
        let at = self.pings.iter().position(|ping| ping.id == id)?;
        let ping = self.pings.remove(at);
        self.sockets.remove(ping.socket);
        Some(ping.report)
    }

    /// Opens a TCP connection and sends `octets` on it. The next [`Host::poll`] sends the first
    /// segment. Returns `None` if the host has no address of the peer's family.
    pub fn start_exchange(&mut self, peer: SocketAddr, octets: &[u8]) -> Option<ExchangeId> {
        let is_ours = |net: &&IpNet| Family::of(net.addr()) == Family::of(peer.ip());
        self.config.addresses.iter().find(is_ours)?;
        let mut socket = apps::tcp_socket();
        let port = EPHEMERAL_PORTS + self.rng.below(u64::from(u16::MAX - EPHEMERAL_PORTS)) as u16;
        socket.connect(self.interface.context(), peer, port).ok()?;
        let id = ExchangeId(self.take_number());
        let (socket, exchange) = (self.sockets.add(socket), Exchange::new(peer, octets));
        self.exchanges.push(Running { id, socket, exchange });
        Some(id)
    }

    /// Returns the state of an exchange.
    pub fn exchange(&self, id: ExchangeId) -> Option<&Exchange> {
        let running = self.exchanges.iter().find(|running| running.id == id);
        running.map(|running| &running.exchange)
    }

    /// Adds octets that are sent on a connection. The next [`Host::poll`] sends them.
    pub fn say(&mut self, id: ExchangeId, octets: &[u8]) {
        if let Some(running) = self.exchanges.iter_mut().find(|running| running.id == id) {
            running.exchange.say(octets);
        }
    }

    /// Ends an exchange and returns its state. An open connection is dropped without a message to
    /// the peer.
    pub fn stop_exchange(&mut self, id: ExchangeId) -> Option<Exchange> {
        let at = self.exchanges.iter().position(|running| running.id == id)?;
        let running = self.exchanges.remove(at);
        self.sockets.remove(running.socket);
        Some(running.exchange)
    }

    fn serve_exchanges(&mut self) -> bool {
        let mut any = false;
        for running in &mut self.exchanges {
            any |= running.serve(&mut self.sockets);
        }
        any
    }

    fn take_number(&mut self) -> u32 {
        self.next_number += 1;
        self.next_number
    }

    /// Makes a buffer for a few echo requests of the largest size.
    fn echo_buffer(&self) -> icmp::PacketBuffer<'static> {
        let octets = usize::from(self.config.mtu) * 4;
        icmp::PacketBuffer::new(vec![icmp::PacketMetadata::EMPTY; 16], vec![0; octets])
    }

    fn expire_probes(&mut self, now: Time) {
        for ping in &mut self.pings {
            let timeout = ping.report.request.timeout;
            for probe in &mut ping.report.probes {
                if probe.outcome == Outcome::Waiting && probe.sent_at + timeout <= now {
                    probe.outcome = Outcome::Timeout;
                }
            }
        }
    }

    /// Sends an echo request for each ping that is due. Returns whether an echo request was sent.
    fn send_due_probes(&mut self, now: Time) -> bool {
        let mut sent = false;
        for index in 0..self.pings.len() {
            let report = &self.pings[index].report;
            if next_probe_at(report, now).is_some_and(|at| at <= now) {
                let outcome = self.send_probe(index);
                let probe = Probe { sent_at: now, outcome };
                self.pings[index].report.add(probe);
                sent = true;
            }
        }
        sent
    }

    /// Queues the next echo request of a ping. Returns the outcome of this echo request at this
    /// time.
    fn send_probe(&mut self, index: usize) -> Outcome {
        let ping = &self.pings[index];
        let request = ping.report.request;
        if self.next_hop(request.destination).is_none() {
            return Outcome::Unreachable;
        }
        if request.size > self.config.mtu {
            return Outcome::TooBig(u32::from(self.config.mtu));
        }
        let seq_no = (ping.report.sent() as u16).wrapping_add(1);
        let echo = echo_request(request, ping.ident, seq_no);
        let socket = self.sockets.get_mut::<icmp::Socket>(ping.socket);
        // If the buffer is full, this echo request is lost, as in a full network card.
        let _ = socket.send_slice(&echo, request.destination.into());
        Outcome::Waiting
    }

    /// Reads the packets that the stack has received for the pings. Returns whether there was an
    /// echo reply.
    fn receive_replies(&mut self, now: Time) -> bool {
        let mut any = false;
        for ping in &mut self.pings {
            let socket = self.sockets.get_mut::<icmp::Socket>(ping.socket);
            while let Ok((message, from)) = socket.recv() {
                let reply = IpAddr::from(from) == ping.report.request.destination;
                let seq_no = echo_reply_seq(message, from.into()).filter(|_| reply);
                if let Some(probe) = seq_no.and_then(|seq_no| waiting(&mut ping.report, seq_no)) {
                    probe.outcome = Outcome::Reply(now.since(probe.sent_at));
                    any = true;
                }
            }
        }
        any
    }

    fn fail_probe(&mut self, error: &EchoError) {
        let mut pings = self.pings.iter_mut();
        let ping = pings.find(|ping| {
            ping.ident == error.ident && ping.report.request.destination == error.destination
        });
        if let Some(probe) = ping.and_then(|ping| waiting(&mut ping.report, error.seq_no)) {
            probe.outcome = error.outcome;
        }
    }
}

/// Makes a stack with the addresses and gateways of a host.
fn interface(
    config: &HostConfig,
    random_seed: u64,
    now: Time,
) -> Result<(QueueDevice, Interface), HostError> {
    let mut device = QueueDevice::new(Medium::Ip, usize::from(config.mtu));
    let mut interface_config = Config::new(smoltcp::wire::HardwareAddress::Ip);
    interface_config.random_seed = random_seed;
    let mut interface = Interface::new(interface_config, &mut device, instant(now));
    let mut held = Ok(());
    interface.update_ip_addrs(|addresses| {
        for address in &config.addresses {
            if addresses.push(cidr(address)).is_err() {
                held = Err(HostError::TooManyAddresses(addresses.len()));
            }
        }
    });
    held?;
    for &gateway in &config.gateways {
        let routes = interface.routes_mut();
        let replaced = match gateway {
            IpAddr::V4(address) => routes.add_default_ipv4_route(address).map(|r| r.is_some()),
            IpAddr::V6(address) => routes.add_default_ipv6_route(address).map(|r| r.is_some()),
        };
        if replaced != Ok(false) {
            return Err(HostError::SecondGateway(gateway));
        }
    }
    Ok((device, interface))
}

fn addresses(config: &HostConfig) -> Vec<IpAddr> {
    config.addresses.iter().map(IpNet::addr).collect()
}

/// Returns the configured hardware address. If no address is configured, makes a locally
/// administered address from the seed.
fn mac(config: &HostConfig, seed: &Seed) -> HardwareAddress {
    config.mac.unwrap_or_else(|| {
        let [a, b, c, d, e, ..] = Rng::new(seed, "mac").next_u64().to_be_bytes();
        [0x02, a, b, c, d, e]
    })
}

/// Returns the time at which the next echo request of a ping may be sent. Returns `None` if all
/// echo requests have been sent, or if an answer must come first.
fn next_probe_at(report: &PingReport, now: Time) -> Option<Time> {
    if report.request.count.last().is_some_and(|last| report.sent() >= last) {
        return None;
    }
    let Some(last) = report.probes.back() else {
        return Some(now);
    };
    match report.request.pace {
        Pace::Every(interval) => Some(last.sent_at + interval),
        Pace::Answered => (last.outcome != Outcome::Waiting).then_some(now),
    }
}

/// Returns the echo request with this sequence number, if it still waits for its answer.
fn waiting(report: &mut PingReport, seq_no: u16) -> Option<&mut Probe> {
    let probe = report.probe_mut(seq_no)?;
    (probe.outcome == Outcome::Waiting).then_some(probe)
}

/// Converts a time to the unit of smoltcp.
pub(crate) fn instant(now: Time) -> Instant {
    Instant::from_micros(i64::try_from(now.0).unwrap_or(i64::MAX))
}

fn cidr(net: &IpNet) -> IpCidr {
    IpCidr::new(net.addr().into(), net.prefix_len())
}

/// Whether the host accepts packets for the address `to`. It accepts packets for its own addresses,
/// for broadcast addresses, and for multicast groups.
fn is_accepted(config: &HostConfig, to: IpAddr) -> bool {
    let is_own = |net: &IpNet| net.addr() == to || net.broadcast() == to;
    to.is_multicast()
        || to == IpAddr::V4(Ipv4Addr::BROADCAST)
        || config.addresses.iter().any(is_own)
}

#[cfg(test)]
mod tests;
