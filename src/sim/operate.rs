//! The actions of an operator in a lab: ping from any node, send a raw packet, set a device up or
//! down.

use std::net::IpAddr;

use etherparse::{
    IcmpEchoHeader, Icmpv4Type, Icmpv6Type, IpNumber, Ipv4HeaderSlice, LaxSlicedPacket,
    TransportSlice,
};
use ipnet::IpNet;

use super::datagram::{IpFields, ip_packet};
use super::error::{bad_port, wrong_kind};
use super::node::Node;
use super::{Sim, SimError, WALL_CLOCK};
use crate::host::echo_error::EchoError;
use crate::host::ping::{Count, Outcome, PingReport, PingRequest, Probe};
use crate::packet::IpHeader;
use crate::router::logging::Severity;
use crate::time::Time;
use crate::wire::probe::echo_request;

impl Sim {
    /// Returns the debug lines that a router has written since the last call. Dropped lines are not
    /// returned.
    ///
    /// # Errors
    /// An error if `name` is not the name of a running router.
    pub fn take_debug(&mut self, name: &str) -> Result<Vec<(Time, String)>, SimError> {
        let id = self.find(name)?;
        match &mut self.nodes[id.0].node {
            Node::Router(router) => Ok(router.take_debug()),
            _ => Err(wrong_kind(name, "router that runs")),
        }
    }

    /// Returns the lines in the log of a router. Dropped lines are not returned.
    ///
    /// # Errors
    /// An error if `name` is not the name of a running router.
    pub fn log(&self, name: &str) -> Result<Vec<(Time, Severity, String)>, SimError> {
        match &self.nodes[self.find(name)?.0].node {
            Node::Router(router) => Ok(router.log().cloned().collect()),
            _ => Err(wrong_kind(name, "router that runs")),
        }
    }

    /// Converts a time of the simulation to microseconds since 1970.
    pub fn wall_clock(at: Time) -> u64 {
        WALL_CLOCK + at.0
    }

    /// Sends an IP packet from a node as a raw socket does. The source address may be any address.
    /// The header checksum is corrected before the packet is sent.
    ///
    /// # Errors
    /// An error if no node has the name `name`.
    pub fn send_raw(&mut self, name: &str, mut packet: Vec<u8>) -> Result<(), SimError> {
        let id = self.find(name)?;
        mend_checksum(&mut packet);
        let now = self.now;
        match self.clock(id) {
            Node::Host(host) => {
                host.host.send_raw(packet);
                host.host.poll(now);
            }
            other => {
                if let Some(kernel) = other.kernel_mut() {
                    kernel.send_raw(packet);
                }
            }
        }
        self.settle(id);
        Ok(())
    }

    /// Sets a device of a node up or down.
    ///
    /// # Errors
    /// An error if the node or the device does not exist.
    pub fn set_port(&mut self, name: &str, device: &str, up: bool) -> Result<(), SimError> {
        let id = self.find(name)?;
        let device_id = self.nodes[id.0].node.device_id(device);
        let device_id = device_id.ok_or_else(|| bad_port(name, device))?;
        match self.clock(id) {
            Node::Host(host) => host.up = up,
            other => {
                if let Some(kernel) = other.kernel_mut() {
                    kernel.set_up(device_id, up);
                }
            }
        }
        self.settle(id);
        let port = super::link::Attachment { node: id, device: device_id };
        if let Some(&at) = self.plugged.get(&port) {
            self.refresh_carrier(at);
        }
        Ok(())
    }

    /// Sets the MTU of a device. The node of the device must have a kernel.
    ///
    /// # Errors
    /// An error if the node or the device does not exist, or if the node is a host.
    pub fn set_mtu(&mut self, name: &str, device: &str, mtu: u16) -> Result<(), SimError> {
        let id = self.find(name)?;
        let device_id = self.nodes[id.0].node.device_id(device);
        let device_id = device_id.ok_or_else(|| bad_port(name, device))?;
        let kernel = self.clock(id).kernel_mut().ok_or_else(|| wrong_kind(name, "router"))?;
        kernel.set_mtu(device_id, Some(mtu));
        self.settle(id);
        Ok(())
    }

    /// Adds an address to a host.
    ///
    /// # Errors
    /// An error if `name` is not the name of a host, or if the host has too many addresses.
    pub fn add_host_address(&mut self, name: &str, address: IpNet) -> Result<(), SimError> {
        let added = self.with_host(name, |host| host.add_address(address))?;
        added.map_err(|error| SimError::Host { name: name.to_owned(), error })
    }

    /// Runs a ping from a node of any kind, and returns when the ping has ended. Meanwhile, all
    /// other nodes continue to run.
    ///
    /// # Errors
    /// An error if no node has the name `name`.
    pub fn ping_from(&mut self, name: &str, request: PingRequest) -> Result<PingReport, SimError> {
        match &self.nodes[self.find(name)?.0].node {
            Node::Host(_) => self.ping(name, request),
            _ => self.ping_from_kernel(name, request),
        }
    }

    /// Sends echo requests one after another. The next request is sent when the previous request
    /// has been answered or has timed out.
    fn ping_from_kernel(
        &mut self,
        name: &str,
        request: PingRequest,
    ) -> Result<PingReport, SimError> {
        let mut report = PingReport::new(request);
        self.with_kernel(name, |kernel| kernel.listen_to_icmp(true))?;
        let Count::Of(count) = request.count else {
            return Err(SimError::EndlessPing);
        };
        for seq in 1..=count {
            let echo = IcmpEchoHeader { id: ECHO_ID, seq };
            let sent_at = self.now;
            let outcome = self.echo(name, request, echo)?;
            report.add(Probe { sent_at, outcome });
        }
        self.with_kernel(name, |kernel| kernel.listen_to_icmp(false))?;
        Ok(report)
    }

    fn echo(
        &mut self,
        name: &str,
        request: PingRequest,
        echo: IcmpEchoHeader,
    ) -> Result<Outcome, SimError> {
        let destination = request.destination;
        let source = self.kernel(name)?.source_for(destination);
        let Some(packet) = source.and_then(|source| echo_packet(source, request, echo)) else {
            return Ok(Outcome::Unreachable);
        };
        let sent_at = self.now;
        self.send_raw(name, packet)?;
        let deadline = sent_at + request.timeout;
        loop {
            let heard = |sim: &Sim| sim.kernel(name).is_ok_and(|kernel| kernel.has_icmp());
            if !self.run_while_not(deadline, heard) {
                return Ok(Outcome::Timeout);
            }
            let now = self.now;
            let packets = self.with_kernel(name, |kernel| kernel.take_icmp())?;
            let mut outcomes =
                packets.iter().filter_map(|packet| outcome(packet, destination, echo));
            match outcomes.next_back() {
                Some(Outcome::Reply(_)) => return Ok(Outcome::Reply(now.since(sent_at))),
                Some(other) => return Ok(other),
                None => {}
            }
        }
    }
}

/// The identifier in the echo requests of kernels. Only one ping runs at a time, so one identifier
/// is enough.
const ECHO_ID: u16 = 0x4945;

/// Corrects the header checksum of an IPv4 packet.
fn mend_checksum(packet: &mut [u8]) {
    let header = Ipv4HeaderSlice::from_slice(packet).map(|header| header.to_header());
    if let Ok(checksum) = header.map(|header| header.calc_header_checksum()) {
        packet[10..12].copy_from_slice(&checksum.to_be_bytes());
    }
}

fn echo_packet(source: IpAddr, request: PingRequest, echo: IcmpEchoHeader) -> Option<Vec<u8>> {
    let destination = request.destination;
    let (headers, protocol) = match destination {
        IpAddr::V4(_) => (28, IpNumber::ICMP),
        IpAddr::V6(_) => (48, IpNumber::IPV6_ICMP),
    };
    let data = usize::from(request.size).saturating_sub(headers);
    let message = echo_request(source, destination, echo, data)?;
    let fields = IpFields {
        source,
        destination,
        ttl: request.ttl,
        tos: 0,
        protocol,
        dont_fragment: false,
        identification: echo.seq,
    };
    ip_packet(&fields, &message)
}

/// Returns the outcome of an echo request, if the ICMP message in `packet` answers this request.
/// The round-trip time in the outcome is zero: the caller measures this time.
fn outcome(packet: &[u8], destination: IpAddr, echo: IcmpEchoHeader) -> Option<Outcome> {
    if let Some(error) = EchoError::parse(packet) {
        let is_ours = error.ident == echo.id && error.seq_no == echo.seq;
        return (is_ours && error.destination == destination).then_some(error.outcome);
    }
    let header = IpHeader::parse(packet).ok()?;
    let answered = match LaxSlicedPacket::from_ip(packet).ok()?.transport? {
        TransportSlice::Icmpv4(icmp) => icmp.icmp_type() == Icmpv4Type::EchoReply(echo),
        TransportSlice::Icmpv6(icmp) => icmp.icmp_type() == Icmpv6Type::EchoReply(echo),
        _ => false,
    };
    let is_reply = answered && header.source == destination;
    is_reply.then_some(Outcome::Reply(std::time::Duration::ZERO))
}
