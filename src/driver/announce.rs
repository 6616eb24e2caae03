//! Announces the new location of an address on a LAN. So the hosts on the LAN use the new location
//! immediately, and do not wait for a timeout.
//!
//! For IPv4, the announcement is a gratuitous ARP request (RFC 5227 section 3). It is not a reply,
//! because Linux hosts do not accept a broadcast reply. For IPv6, it is an unsolicited neighbour
//! advertisement (RFC 4861 section 7.2.6). The announced address does not belong to the router, so
//! the kernel's IP sockets cannot send these messages. So the router sends complete frames.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::icmpv6::NeighborAdvertisementHeader;
use etherparse::{ArpEthIpv4Packet, ArpOperation, ArpPacket, Icmpv6Type, PacketBuilder};

use super::frame_sender::FrameSender;
use crate::router::io::Mac;

const BROADCAST: [u8; 6] = [0xff; 6];
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// The Ethernet address of [`ALL_NODES`] (RFC 2464 section 7).
const ALL_NODES_MAC: [u8; 6] = [0x33, 0x33, 0, 0, 0, 1];
/// The hop limit of neighbour discovery messages. A receiver accepts only the value 255: it proves
/// that no router has forwarded the message (RFC 4861 section 7.1.2).
const HOP_LIMIT: u8 = 255;
/// The type and the length of the option Target Link-Layer Address. The length is one unit of 8
/// octets (RFC 4861 section 4.6.1).
const TARGET_LINK_LAYER_ADDRESS: [u8; 2] = [2, 1];

/// Announces `address` to all nodes on the link of the device with the index `index`. The
/// announcement says that `address` has the hardware address of this device.
pub fn announce(index: u32, address: IpAddr) -> io::Result<()> {
    let sender = FrameSender::open(index)?;
    let mac = sender.hardware_address()?;
    let frame = match address {
        IpAddr::V4(address) => gratuitous_arp(mac, address),
        IpAddr::V6(address) => unsolicited_advertisement(mac, address),
    };
    sender.send(&frame?)
}

/// Returns the hardware address of the device with the index `index`.
pub fn hardware_address(index: u32) -> io::Result<Mac> {
    FrameSender::open(index)?.hardware_address()
}

fn gratuitous_arp(mac: Mac, address: Ipv4Addr) -> io::Result<Vec<u8>> {
    let arp = ArpEthIpv4Packet {
        operation: ArpOperation::REQUEST,
        sender_mac: mac.0,
        sender_ipv4: address.octets(),
        target_mac: [0; 6],
        target_ipv4: address.octets(),
    };
    let builder = PacketBuilder::ethernet2(mac.0, BROADCAST).arp(ArpPacket::from(arp));
    let mut frame = Vec::with_capacity(builder.size());
    builder.write(&mut frame).map_err(io::Error::other)?;
    Ok(frame)
}

fn unsolicited_advertisement(mac: Mac, address: Ipv6Addr) -> io::Result<Vec<u8>> {
    // The flag R (router) is not set, because the address belongs to a host. The router only sends
    // the message in place of the host.
    let flags = NeighborAdvertisementHeader { router: false, solicited: false, r#override: true };
    let body = [&address.octets()[..], &TARGET_LINK_LAYER_ADDRESS, &mac.0].concat();
    let builder = PacketBuilder::ethernet2(mac.0, ALL_NODES_MAC)
        .ipv6(address.octets(), ALL_NODES.octets(), HOP_LIMIT)
        .icmpv6(Icmpv6Type::NeighborAdvertisement(flags));
    let mut frame = Vec::with_capacity(builder.size(body.len()));
    builder.write(&mut frame, &body).map_err(io::Error::other)?;
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: Mac = Mac([0x00, 0x00, 0x5e, 0x00, 0x01, 0x01]);

    #[test]
    fn a_gratuitous_arp_is_a_broadcast_request_for_its_own_sender() {
        let frame = gratuitous_arp(MAC, Ipv4Addr::new(172, 16, 0, 12)).unwrap();
        let expected = [
            &[0xff; 6][..],
            &MAC.0,
            &[0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, 1],
            &MAC.0,
            &[172, 16, 0, 12],
            &[0; 6],
            &[172, 16, 0, 12],
        ];
        assert_eq!(frame, expected.concat());
    }

    #[test]
    fn an_unsolicited_advertisement_overrides_and_names_the_hardware_address() {
        let address: Ipv6Addr = "2001:db8:a::12".parse().unwrap();
        let frame = unsolicited_advertisement(MAC, address).unwrap();
        let (ethernet, rest) = frame.split_at(14);
        let (ip, icmp) = rest.split_at(40);
        assert_eq!(ethernet, [&ALL_NODES_MAC[..], &MAC.0, &[0x86, 0xdd]].concat());
        assert_eq!(ip[..8], [0x60, 0, 0, 0, 0, 32, 58, 255]);
        assert_eq!(ip[8..], [address.octets(), ALL_NODES.octets()].concat());
        assert_eq!((icmp[0], icmp[1]), (136, 0));
        assert_eq!(icmp[4..8], [0x20, 0, 0, 0], "override alone");
        assert_eq!(icmp[8..], [&address.octets()[..], &[2, 1], &MAC.0].concat());
        assert!(etherparse::PacketHeaders::from_ethernet_slice(&frame).is_ok());
    }
}
