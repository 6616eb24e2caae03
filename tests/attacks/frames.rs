//! The Ethernet frames of an attacker on the LANs of the hosts.
//!
//! It does not use the addresses of the test's hosts and gateways, because Ethernet gives no
//! protection against the theft of an address by a neighbour. Linux keeps each asking address in a
//! table that all namespaces share. No router can change the size of this table, so `lab up` makes
//! it large enough.

use std::net::{Ipv4Addr, Ipv6Addr};

use eidway::host::frame::{Arp, BROADCAST, Solicitation};
use eidway::rng::{Rng, Seed};

/// One kind of attack.
#[derive(Clone, Copy)]
pub struct Attack {
    pub name: &'static str,
    /// The next frame of it.
    pub frame: fn(&mut Rng) -> Vec<u8>,
}

/// The attacks. They run at the same time: the next frame is always from the next attack.
pub const ATTACKS: [Attack; 5] = [
    Attack { name: "ARP for the gateway", frame: arp_for_gateway },
    Attack { name: "ARP for any address", frame: arp_for_anybody },
    Attack { name: "ARP by an address that flaps", frame: arp_flap },
    Attack { name: "ARP by a stranger", frame: arp_by_stranger },
    Attack { name: "neighbour solicitation", frame: solicitation },
];

pub fn rng(lan: &str) -> Rng {
    Rng::new(&Seed::from_number(13), lan)
}

/// A host of A's site, which both sites serve. It is in the upper half of the prefix, which has no
/// host of the test.
fn host(rng: &mut Rng) -> Ipv4Addr {
    Ipv4Addr::new(172, 16, 0, 128 + rng.below(127) as u8)
}

fn mac(rng: &mut Rng) -> [u8; 6] {
    let number = (rng.next_u64() as u32).to_be_bytes();
    [2, 0x66, number[0], number[1], number[2], number[3]]
}

fn arp_for_gateway(rng: &mut Rng) -> Vec<u8> {
    let (mac, sender) = (mac(rng), host(rng));
    Arp::request(mac, sender, Ipv4Addr::new(172, 16, 0, 1)).frame(BROADCAST)
}

fn arp_for_anybody(rng: &mut Rng) -> Vec<u8> {
    let (mac, sender, target) = (mac(rng), host(rng), host(rng));
    Arp::request(mac, sender, target).frame(BROADCAST)
}

fn arp_flap(rng: &mut Rng) -> Vec<u8> {
    let (mac, address) = (mac(rng), Ipv4Addr::new(172, 16, 0, 200));
    Arp { is_reply: true, target_mac: mac, ..Arp::request(mac, address, address) }.frame(BROADCAST)
}

fn arp_by_stranger(rng: &mut Rng) -> Vec<u8> {
    let (mac, sender) = (mac(rng), Ipv4Addr::from_bits(9 << 24 | rng.below(1 << 24) as u32));
    Arp::request(mac, sender, Ipv4Addr::new(172, 16, 0, 1)).frame(BROADCAST)
}

fn solicitation(rng: &mut Rng) -> Vec<u8> {
    let mac = mac(rng);
    let site = |host: u64| Ipv6Addr::from_bits(0x2001_0db8_000a_u128 << 80 | u128::from(host));
    let source = site(0x1000 + rng.below(127));
    Solicitation { source, target: site(1), mac: Some(mac), is_multicast: true }.frame(mac, None)
}
