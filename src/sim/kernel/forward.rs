//! The path of a packet through the kernel. The packet is received, or the node itself sends it.
//! Then the packet is delivered, forwarded or dropped.

use std::net::{IpAddr, SocketAddr};

use etherparse::{Icmpv4Type, Icmpv6Type, SlicedPacket, TransportSlice, UdpHeader, UdpSlice};

use super::fragment::{self, Unfit};
use super::icmp::IcmpError;
use super::table::{Entry, Flow, Leads};
use super::{Datagram, DeviceId, DeviceKind, Kernel, KernelDrop, KernelOutput};
use crate::packet::{IpHeader, set_ttl};
use crate::sim::datagram::udp_checksum;

impl Kernel {
    /// Receives a packet on a device. The packet comes from the device's link or, if the device is
    /// `lisp0`, from the process.
    pub fn receive(&mut self, id: DeviceId, mut packet: Vec<u8>) {
        if !self.device(id).is_running() {
            return self.count(KernelDrop::DeviceDown, &packet);
        }
        let Ok(header) = IpHeader::parse(&packet) else {
            return self.count(KernelDrop::NotIp, &packet);
        };
        packet.truncate(header.total_len);
        if self.is_local(header.destination) || self.device(id).owns(header.destination) {
            return self.deliver(packet, &header);
        }
        if header.is_link_scoped() {
            return self.count(KernelDrop::LinkScoped, &packet);
        }
        let from_lisp = self.device(id).kind == DeviceKind::Tunnel;
        // The sysctl `accept_local=1` is set on `lisp0`, so a packet from `lisp0` may have an
        // address of this node as its source address. The source address of an IPv6 packet is not
        // checked.
        if header.source.is_ipv4() && !from_lisp && self.is_local(header.source) {
            return self.count(KernelDrop::Martian, &packet);
        }
        self.forward(packet, &header, from_lisp);
    }

    /// Receives a packet that a process writes to `lisp0`.
    pub fn write_tunnel(&mut self, packet: Vec<u8>) {
        match self.lisp() {
            Some(lisp) if self.device(lisp).is_running() => self.receive(lisp, packet),
            _ => self.count(KernelDrop::WriteFailed, &packet),
        }
    }

    /// Sends an IP packet that contains a TCP segment. The packet comes from the TCP stack of a
    /// process.
    pub fn send_segment(&mut self, packet: Vec<u8>) {
        match IpHeader::parse(&packet) {
            Ok(header) if self.is_local(header.source) => self.originate(packet, true),
            _ => self.count(KernelDrop::WriteFailed, &packet),
        }
    }

    /// Sends an IP packet that a program has written to a raw socket. The source address may be any
    /// address.
    pub fn send_raw(&mut self, packet: Vec<u8>) {
        self.originate(packet, false);
    }

    /// Drops a packet because no host on the link has the address of the packet's next hop (RFC
    /// 1122 section 2.3.2.2). Also sends an ICMP error to the sender of the packet.
    pub fn neighbour_failed(&mut self, packet: &[u8]) {
        self.count(KernelDrop::NoNeighbour, packet);
        if let Ok(header) = IpHeader::parse(packet) {
            self.send_error(IcmpError::HostUnreachable, packet, &header);
        }
    }

    /// Sends a packet of the node itself. If `bound` is true, the packet is bound to its source
    /// address, and policy rules for that address apply.
    pub(super) fn originate(&mut self, packet: Vec<u8>, bound: bool) {
        if let Err((cause, packet)) = self.send(packet, bound) {
            self.count(cause, &packet);
        }
    }

    /// Sends a packet as `originate` does. If the packet cannot be sent, returns the reason and the
    /// packet. In this case, the caller must count the packet as dropped.
    pub(super) fn send(
        &mut self,
        packet: Vec<u8>,
        bound: bool,
    ) -> Result<(), (KernelDrop, Vec<u8>)> {
        let Ok(header) = IpHeader::parse(&packet) else {
            return Err((KernelDrop::WriteFailed, packet));
        };
        if self.is_local(header.destination) {
            self.deliver(packet, &header);
            return Ok(());
        }
        let source = bound.then_some(header.source);
        let flow = Flow { destination: header.destination, source, from_lisp: false };
        match self.route(&flow).map(|route| route.leads) {
            Some(Leads::Out { device, gateway }) => {
                self.transmit(device, gateway, packet, &header);
                Ok(())
            }
            Some(Leads::Blackhole) => Err((KernelDrop::Blackhole, packet)),
            Some(Leads::Unreachable) => Err((KernelDrop::Unreachable, packet)),
            None => Err((KernelDrop::NoRoute, packet)),
        }
    }

    /// Returns the next identification for an IP packet of the process. Packets that may be
    /// fragmented must have different identifications.
    pub(in crate::sim) fn next_identification(&mut self) -> u16 {
        self.identification = self.identification.wrapping_add(1);
        self.identification
    }

    fn forward(&mut self, mut packet: Vec<u8>, header: &IpHeader, from_lisp: bool) {
        if !self.forwards[usize::from(header.source.is_ipv6())] {
            return self.count(KernelDrop::NotForwarding, &packet);
        }
        let flow = Flow { destination: header.destination, source: Some(header.source), from_lisp };
        let stop = match self.route(&flow) {
            Some(Entry { leads, .. }) => match leads {
                Leads::Blackhole => return self.count(KernelDrop::Blackhole, &packet),
                Leads::Unreachable if header.source.is_ipv6() => {
                    (KernelDrop::Unreachable, IcmpError::NetUnreachable)
                }
                Leads::Unreachable => (KernelDrop::Unreachable, IcmpError::HostUnreachable),
                Leads::Out { .. } if header.ttl <= 1 => {
                    (KernelDrop::TtlExpired, IcmpError::TtlExceeded)
                }
                Leads::Out { device, gateway } => match self.too_big(device, &packet) {
                    Some(mtu) => (KernelDrop::TooBig, IcmpError::TooBig(mtu)),
                    None => {
                        set_ttl(&mut packet, header.ttl - 1);
                        return self.transmit(device, gateway, packet, header);
                    }
                },
            },
            None => (KernelDrop::NoRoute, IcmpError::NetUnreachable),
        };
        let (cause, error) = stop;
        self.count(cause, &packet);
        self.send_error(error, &packet, header);
    }

    /// Returns the MTU of the device, if the packet is larger than this MTU and must not be
    /// fragmented.
    fn too_big(&self, device: DeviceId, packet: &[u8]) -> Option<u16> {
        const DONT_FRAGMENT: u8 = 0x40;
        let mtu = self.device(device).mtu;
        let cut = packet[0] >> 4 == 4 && packet[6] & DONT_FRAGMENT == 0;
        (packet.len() > usize::from(mtu) && !cut).then_some(mtu)
    }

    fn transmit(
        &mut self,
        id: DeviceId,
        gateway: Option<IpAddr>,
        packet: Vec<u8>,
        header: &IpHeader,
    ) {
        let device = self.device(id);
        let mtu = usize::from(device.mtu);
        let kind = device.kind;
        let packets = if packet.len() <= mtu {
            vec![packet]
        } else {
            let identification = u32::from(self.next_identification());
            match fragment::split(&packet, mtu, identification) {
                Some(fragments) => fragments,
                None => return self.count(KernelDrop::TooBig, &packet),
            }
        };
        let next_hop = gateway.unwrap_or(header.destination);
        for packet in packets {
            match kind {
                DeviceKind::Tunnel => self.outputs.push_back(KernelOutput::Tunnel(packet)),
                DeviceKind::Port | DeviceKind::Loopback => {
                    self.send_to_neighbour(id, next_hop, packet);
                }
            }
        }
    }

    fn deliver(&mut self, packet: Vec<u8>, header: &IpHeader) {
        let Ok(sliced) = SlicedPacket::from_ip(&packet) else {
            return self.count(KernelDrop::NotIp, &packet);
        };
        if sliced.is_ip_payload_fragmented() {
            return self.deliver_fragment(&packet);
        }
        match sliced.transport {
            Some(TransportSlice::Udp(udp)) => self.deliver_udp(&packet, header, &udp),
            Some(TransportSlice::Icmpv4(icmp)) => {
                if let Icmpv4Type::EchoRequest(echo) = icmp.icmp_type() {
                    self.send_echo_reply(header, echo, icmp.payload());
                } else {
                    self.report_error(header, icmp.slice());
                    self.keep_icmp(&packet);
                }
            }
            Some(TransportSlice::Icmpv6(icmp)) => {
                if let Icmpv6Type::EchoRequest(echo) = icmp.icmp_type() {
                    self.send_echo_reply(header, echo, icmp.payload());
                } else {
                    self.report_error(header, icmp.slice());
                    self.keep_icmp(&packet);
                }
            }
            Some(TransportSlice::Tcp(_)) if self.has_tcp => {
                self.outputs.push_back(KernelOutput::Segment(packet.clone()));
            }
            _ => self.count(KernelDrop::NoSocket, &packet),
        }
    }

    fn keep_icmp(&mut self, packet: &[u8]) {
        if let Some(icmp) = &mut self.icmp {
            icmp.push(packet.to_vec());
        }
        if self.process_hears_icmp {
            self.outputs.push_back(KernelOutput::Icmp(packet.to_vec()));
        }
    }

    fn deliver_fragment(&mut self, packet: &[u8]) {
        if let Some(displaced) = self.fragments.make_room(packet) {
            self.count(KernelDrop::FragmentsMissing, &displaced);
        }
        match self.fragments.add(packet) {
            Ok(None) => {}
            Ok(Some(whole)) => match IpHeader::parse(&whole) {
                Ok(header) => self.deliver(whole, &header),
                Err(_) => self.count(KernelDrop::Fragment, packet),
            },
            Err(Unfit) => self.count(KernelDrop::Fragment, packet),
        }
    }

    fn deliver_udp(&mut self, packet: &[u8], header: &IpHeader, udp: &UdpSlice<'_>) {
        let udp_header = udp.to_header();
        if udp_header.checksum != 0 && !checksum_holds(&udp_header, header, udp.payload()) {
            return self.count(KernelDrop::Checksum, packet);
        }
        let socket = SocketAddr::new(header.destination, udp.destination_port());
        if self.senders.contains(&socket) {
            return self.count(KernelDrop::NoSocket, packet);
        }
        if !self.receivers.contains(&socket) {
            self.count(KernelDrop::NoSocket, packet);
            return self.send_error(IcmpError::PortUnreachable, packet, header);
        }
        self.outputs.push_back(KernelOutput::Datagram(Datagram {
            source: SocketAddr::new(header.source, udp.source_port()),
            destination: socket,
            ttl: header.ttl,
            tos: header.tos,
            payload: udp.payload().to_vec(),
        }));
    }
}

fn checksum_holds(udp: &UdpHeader, header: &IpHeader, payload: &[u8]) -> bool {
    udp_checksum(udp, header.source, header.destination, payload) == Some(udp.checksum)
}
