//! UDP datagrams of the process. The [`Fragmentation`] of the socket decides whether a datagram is
//! sent whole or in fragments.

use std::net::{IpAddr, SocketAddr};

use etherparse::IpNumber;

use super::fragment;
use super::table::{Flow, Leads};
use super::{Datagram, Kernel, KernelDrop};
use crate::addr::Family;
use crate::packet::IpHeader;
use crate::router::io::Fragmentation;
use crate::sim::datagram::{IpFields, ip_packet, udp_datagram};

/// A UDP datagram of the process.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The source address and port.
    pub source: SocketAddr,
    /// The destination address and port.
    pub destination: SocketAddr,
    /// TTL or hop limit.
    pub ttl: u8,
    /// Type of service or traffic class.
    pub tos: u8,
    /// Whether the datagram has a checksum. If not, the checksum field is zero.
    pub checksum: bool,
    /// Whether the datagram may be fragmented.
    pub fragmentation: Fragmentation,
    /// The UDP payload.
    pub payload: &'a [u8],
}

impl Datagram {
    /// Returns the received datagram in the form of a datagram to send. From this form, the kernel
    /// can build the IP packet of the datagram again.
    pub fn as_sent(&self) -> Outgoing<'_> {
        Outgoing {
            source: self.source,
            destination: self.destination,
            ttl: self.ttl,
            tos: self.tos,
            checksum: true,
            fragmentation: Fragmentation::Never,
            payload: &self.payload,
        }
    }
}

impl Kernel {
    /// Sends a UDP datagram of a process.
    ///
    /// # Errors
    /// The reason why the datagram was not sent. On Linux, the send call fails for the same reason.
    pub fn send_udp(&mut self, datagram: &Outgoing<'_>) -> Result<(), KernelDrop> {
        let packets = self.wrap(datagram).map_err(|cause| (cause, self.as_packet(datagram)));
        // If there is no route, the send of the first packet fails and the other packets are not
        // sent.
        let sent = packets
            .and_then(|packets| packets.into_iter().try_for_each(|packet| self.send(packet, true)));
        self.count_unsent(sent)
    }

    /// Sends an IP packet of the process. The source address is one of the node's own addresses. If
    /// `df` is true, the packet must not be fragmented.
    ///
    /// # Errors
    /// The reason why the packet was not sent. For example, `df` is true and the packet is larger
    /// than the MTU of its link.
    pub fn send_probe(&mut self, packet: Vec<u8>, df: bool) -> Result<(), KernelDrop> {
        let header = IpHeader::parse(&packet).map_err(|_| KernelDrop::WriteFailed)?;
        let room = self.room(header.source, header.destination, Fragmentation::Never);
        let sent = match df && packet.len() > room {
            true => Err((KernelDrop::TooBig, packet)),
            false => self.send(packet, true),
        };
        self.count_unsent(sent)
    }

    fn count_unsent(&mut self, sent: Result<(), (KernelDrop, Vec<u8>)>) -> Result<(), KernelDrop> {
        sent.map_err(|(cause, packet)| {
            self.count(cause, &packet);
            cause
        })
    }

    /// Returns an unsent datagram as an IP packet, for the observer of dropped packets. If there is
    /// no observer, the returned packet is empty.
    pub fn as_packet(&self, datagram: &Outgoing<'_>) -> Vec<u8> {
        let Outgoing { source, destination, ttl, tos, checksum, payload, .. } = *datagram;
        let fields = IpFields {
            source: source.ip(),
            destination: destination.ip(),
            ttl,
            tos,
            protocol: IpNumber::UDP,
            dont_fragment: true,
            identification: 0,
        };
        let udp = || udp_datagram(source, destination, payload, checksum);
        let is_observed = self.dropped.is_observed();
        let udp = is_observed.then(udp).flatten();
        udp.and_then(|udp| ip_packet(&fields, &udp)).unwrap_or_default()
    }

    /// Returns the datagram as one IP packet, or as the fragments of one IP packet.
    fn wrap(&mut self, datagram: &Outgoing<'_>) -> Result<Vec<Vec<u8>>, KernelDrop> {
        let Outgoing { source, destination, ttl, tos, checksum, fragmentation, payload } =
            *datagram;
        // On Linux, the socket is bound to its source address before it sends. The bind fails if
        // the node does not have the address.
        if !self.is_local(source.ip()) {
            return Err(KernelDrop::WriteFailed);
        }
        let room = self.room(source.ip(), destination.ip(), fragmentation);
        let udp = udp_datagram(source, destination, payload, checksum);
        let udp = udp.ok_or(KernelDrop::WriteFailed)?;
        let ip_header = match Family::of(destination.ip()) {
            Family::Ipv4 => 20,
            Family::Ipv6 => 40,
        };
        let is_too_big = ip_header + udp.len() > room;
        if is_too_big && fragmentation == Fragmentation::Never {
            return Err(KernelDrop::TooBig);
        }
        let fields = IpFields {
            source: source.ip(),
            destination: destination.ip(),
            ttl,
            tos,
            protocol: IpNumber::UDP,
            dont_fragment: fragmentation != Fragmentation::Always && !is_too_big,
            identification: self.next_identification(),
        };
        let packet = ip_packet(&fields, &udp).ok_or(KernelDrop::WriteFailed)?;
        if !is_too_big {
            return Ok(vec![packet]);
        }
        let identification = u32::from(fields.identification);
        fragment::split(&packet, room, identification).ok_or(KernelDrop::TooBig)
    }

    /// Returns the maximum length of a packet that is sent without fragmentation, in octets. The
    /// length of a packet to the node itself is not limited.
    fn room(&self, source: IpAddr, destination: IpAddr, fragmentation: Fragmentation) -> usize {
        let flow = Flow { destination, source: Some(source), from_lisp: false };
        let leads = self.route(&flow).map(|route| route.leads);
        let Some(Leads::Out { device, .. }) = leads.filter(|_| !self.is_local(destination)) else {
            return usize::MAX;
        };
        let of_link = self.device(device).mtu;
        let of_path = match fragmentation {
            Fragmentation::Never => None,
            Fragmentation::ByPath | Fragmentation::Always => {
                self.path_mtus.of(destination, self.now)
            }
        };
        usize::from(of_path.map_or(of_link, |of_path| of_path.min(of_link)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::kernel::{DeviceKind, KernelOutput};
    use crate::time::Time;

    /// Makes a kernel. Its link has an MTU of 1500 octets. The path MTU to 10.0.0.2 and to
    /// 2001:db8::2 is 1400 octets.
    fn kernel() -> Kernel {
        let mut kernel = Kernel::new();
        let port = kernel.add_device("et0-0", DeviceKind::Port, 1500);
        kernel.set_carrier(port, true);
        kernel.set_up(port, true);
        for (net, peer) in [("10.0.0.1/24", "10.0.0.2"), ("2001:db8::1/64", "2001:db8::2")] {
            kernel.add_address(port, net.parse().unwrap());
            let peer = peer.parse().unwrap();
            kernel.path_mtus.learn(peer, 1400, Time::ZERO);
            // A router on the path may report an impossible MTU, too small or too large. The report
            // must have no effect.
            kernel.path_mtus.learn(peer, 9000, Time::ZERO);
        }
        kernel
    }

    /// Wraps a datagram into IP packets. For each packet, returns the length in octets, and whether
    /// "don't fragment" is set.
    fn sent(fragmentation: Fragmentation, ends: [&str; 2], len: usize) -> Vec<(usize, bool)> {
        let [source, destination] = ends.map(|end| SocketAddr::new(end.parse().unwrap(), 4341));
        let headers = if source.is_ipv4() { 28 } else { 48 };
        let payload = vec![0; len - headers];
        let datagram = Outgoing {
            source,
            destination,
            ttl: 64,
            tos: 0,
            checksum: true,
            fragmentation,
            payload: &payload,
        };
        let packets = kernel().wrap(&datagram).unwrap_or_default();
        packets.iter().map(|packet| (packet.len(), packet[6] & 0x40 != 0)).collect()
    }

    #[test]
    fn a_socket_follows_the_path_or_only_the_link() {
        let ends = ["10.0.0.1", "10.0.0.2"];
        let cut = vec![(1396, false), (60, false)];
        for (fragmentation, len, expected) in [
            (Fragmentation::Never, 1436, vec![(1436, true)]),
            (Fragmentation::Never, 1501, vec![]),
            (Fragmentation::ByPath, 1400, vec![(1400, true)]),
            (Fragmentation::ByPath, 1436, cut.clone()),
            (Fragmentation::Always, 1400, vec![(1400, false)]),
            (Fragmentation::Always, 1436, cut),
        ] {
            assert_eq!(sent(fragmentation, ends, len), expected, "{fragmentation:?} {len}");
        }
        let ends = ["2001:db8::1", "2001:db8::2"];
        let lengths = |fragmentation, len| {
            sent(fragmentation, ends, len).into_iter().map(|(len, _)| len).collect::<Vec<_>>()
        };
        assert_eq!(lengths(Fragmentation::Never, 1456), [1456]);
        assert_eq!(lengths(Fragmentation::ByPath, 1456), [1400, 112]);
    }

    #[test]
    fn a_datagram_to_the_kernel_itself_is_whole_whatever_its_length() {
        let mut kernel = kernel();
        let own: SocketAddr = "10.0.0.1:4341".parse().unwrap();
        kernel.bind_udp(own.ip(), [own.port()]);
        let sent = kernel.send_udp(&Outgoing {
            source: own,
            destination: own,
            ttl: 64,
            tos: 0,
            checksum: false,
            fragmentation: Fragmentation::Never,
            payload: &[0; 3000],
        });
        assert_eq!(sent, Ok(()));
        assert!(matches!(kernel.poll_output(), Some(KernelOutput::Datagram(_))));
    }
}
