//! The table of cases. The cases are consecutive: a router starts, registers, forwards the packets
//! of a host, is changed by commands in its namespace and at its console, and stops. The core is at
//! `et0-0`: 10.0.0.2 is the map-resolver, the map-server and the other xTR. The host is at `et1-0`.

use std::net::{IpAddr, SocketAddr};

use eidway::addr::{EidPrefix, InstanceId, Rloc};
use eidway::sim::datagram::{IpFields, ip_packet, udp_datagram};
use eidway::wire::{
    Action, Algorithm, CONTROL_PORT, Key, LocatorRecord, MapNotify, MapReply, MapRequest,
    MappingRecord, Message, Nonce,
};
use etherparse::icmpv4::DestUnreachableHeader::{self, FragmentationNeeded, Host};
use etherparse::{Icmpv4Type, IpNumber, PacketBuilder, SlicedPacket, TransportSlice};

use crate::frames::{CORE, HOST, asks, to_port, udp};
use crate::kinds::InputKind as In;
use crate::kinds::OutputKind as Out;
use crate::play::{Case, Play, message};

pub const PORTS: [&str; 2] = ["et0-0", "et1-0"];
pub const OWN_CORE: &str = "10.0.0.1";
pub const CORE_ADDRESS: &str = "10.0.0.2";
pub const OWN_SITE: &str = "172.16.0.1";
pub const HOST_ADDRESS: &str = "172.16.0.12";
/// An EID behind 10.0.0.2, and an address that is not an EID.
const FAR: &str = "192.168.0.22";
const NO_EID: &str = "198.51.100.9";

pub const CONFIG: &str = "
hostname border
interface Ethernet0/0
 mac-address 0200.0000.00c0
 ip address 10.0.0.1 255.255.255.0
interface Ethernet1/0
 mac-address 0000.5e00.0101
 ip address 172.16.0.1 255.255.255.0
router lisp
 locator-set SITE
  10.0.0.1 priority 1 weight 100
 eid-table default instance-id 0
  database-mapping 172.16.0.0/24 locator-set SITE
 ipv4 itr map-resolver 10.0.0.2
 ipv4 itr
 ipv4 etr map-server 10.0.0.2 key secret
 ipv4 etr
ip route 0.0.0.0 0.0.0.0 10.0.0.2
";

pub const CASES: &[Case] = &[
    Case {
        name: "a router starts and registers",
        act: |play| {
            play.world.frame("et0-0", &asks(CORE, CORE_ADDRESS, OWN_CORE));
            play.world.frame("et1-0", &asks(HOST, HOST_ADDRESS, OWN_SITE));
        },
        seen: &["10.0.0.1 > 10.0.0.2 ttl 64"],
        inputs: &[In::Nonces, In::Kernel],
        outputs: &[Out::Process, Out::Kernel, Out::Control, Out::Nonce, Out::Event],
    },
    Case {
        name: "the map-server acknowledges, and is called on TCP",
        act: acknowledge,
        seen: &["TCP"],
        inputs: &[In::Control],
        outputs: &[Out::Tcp],
    },
    Case {
        name: "the map-server does not listen on TCP",
        act: refuse_tcp,
        seen: &[],
        inputs: &[In::Tcp],
        outputs: &[],
    },
    Case {
        name: "a control message is answered",
        act: |play| control(play, &request().emit()),
        seen: &["UDP 4342 > 4342"],
        inputs: &[In::Control],
        outputs: &[Out::Control],
    },
    Case {
        name: "a packet of the host waits for a mapping",
        act: |play| from_host(play, FAR),
        seen: &["UDP 4342 > 4342"],
        inputs: &[],
        outputs: &[Out::Control],
    },
    Case {
        name: "and is encapsulated when that has come",
        act: |play| answer(play, "192.168.0.0/24", &[CORE_ADDRESS]),
        seen: &["> 4341 LISP"],
        inputs: &[In::Control],
        outputs: &[Out::Encapsulate],
    },
    Case {
        name: "a link of the core takes less: outer packets may be fragmented by path",
        act: |play| report(play, FragmentationNeeded { next_hop_mtu: 1400 }),
        seen: &[],
        inputs: &[In::Path],
        outputs: &[Out::Process, Out::Event],
    },
    Case {
        name: "the core cannot reach the locator",
        act: |play| report(play, Host),
        seen: &[],
        inputs: &[In::Path],
        outputs: &[Out::Event],
    },
    Case {
        name: "a packet to a destination that is no EID waits too",
        act: |play| from_host(play, NO_EID),
        seen: &["UDP 4342 > 4342"],
        inputs: &[],
        outputs: &[Out::Control],
    },
    Case {
        name: "and leaves natively",
        act: |play| answer(play, "198.51.100.0/24", &[]),
        seen: &["et0-0 to 01: 172.16.0.12 > 198.51.100.9 ttl 63"],
        inputs: &[In::Control],
        outputs: &[Out::Native],
    },
    Case {
        name: "lisp0 is deleted by hand",
        act: |play| play.world.hand("ip link del lisp0"),
        seen: &[],
        inputs: &[In::Kernel, In::Process],
        outputs: &[Out::Process, Out::Kernel, Out::Event],
    },
    Case {
        name: "the operator clears the map-cache",
        act: |play| play.world.console("clear ip lisp map-cache"),
        seen: &[],
        inputs: &[In::Command],
        outputs: &[],
    },
    Case {
        name: "the operator configures a static route",
        act: |play| {
            play.world.console("configure terminal");
            play.world.console("ip route 10.77.0.0 255.255.0.0 10.0.0.2");
        },
        seen: &[],
        inputs: &[In::Configure, In::Kernel],
        outputs: &[Out::Kernel],
    },
    Case {
        name: "a router that stops says farewell",
        act: |play| play.world.stop(),
        seen: &[],
        inputs: &[In::Stop],
        outputs: &[Out::Control, Out::Kernel, Out::Process],
    },
];

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn prefix(text: &str) -> EidPrefix {
    EidPrefix::new(InstanceId::DEFAULT, text.parse().unwrap())
}

/// The host sends a packet. The router gets the packet by `lisp0`.
fn from_host(play: &mut Play<'_>, to: &str) {
    let packet = udp(HOST_ADDRESS, to, 64, 100);
    play.world.frame("et1-0", &to_port("et1-0", HOST, packet));
}

/// A packet arrives from the core.
fn from_core(play: &mut Play<'_>, packet: Vec<u8>) {
    play.world.frame("et0-0", &to_port("et0-0", CORE, packet));
}

/// A control message arrives from 10.0.0.2.
fn control(play: &mut Play<'_>, payload: &[u8]) {
    let [source, destination] =
        [CORE_ADDRESS, OWN_CORE].map(|end| SocketAddr::new(address(end), CONTROL_PORT));
    let fields = IpFields {
        source: source.ip(),
        destination: destination.ip(),
        ttl: 64,
        tos: 0,
        protocol: IpNumber::UDP,
        dont_fragment: false,
        identification: 7,
    };
    let datagram = udp_datagram(source, destination, payload, true).unwrap();
    from_core(play, ip_packet(&fields, &datagram).unwrap());
}

/// A Map-Request for the EID of the host.
fn request() -> MapRequest {
    MapRequest {
        nonce: Nonce(7),
        itr_rlocs: vec![Rloc(address(CORE_ADDRESS))],
        records: vec![prefix("172.16.0.12/32").into()],
        ..MapRequest::default()
    }
}

/// Sends the Map-Notify that answers the newest Map-Register of the router.
fn acknowledge(play: &mut Play<'_>) {
    let register = play.newest(|packet| match message(packet)? {
        Message::MapRegister(register) => Some(register),
        _ => None,
    });
    let (nonce, records) = (register.nonce, register.records);
    let notify = MapNotify { nonce, records, ..MapNotify::default() };
    let key = Key { algorithm: Algorithm::HmacSha1, secret: b"secret".to_vec(), key_id: 0 };
    control(play, &notify.emit_signed(&key));
}

/// Sends the Map-Reply that answers the newest Map-Request of the router.
fn answer(play: &mut Play<'_>, eids: &str, rlocs: &[&str]) {
    let nonce = play.newest(|packet| match message(packet)? {
        Message::Encapsulated(ecm) => match Message::parse(&ecm.message).ok()? {
            Message::MapRequest(request) => Some(request.nonce),
            _ => None,
        },
        _ => None,
    });
    let record = MappingRecord {
        ttl_minutes: 1440,
        eid_prefix: prefix(eids),
        action: if rlocs.is_empty() { Action::NativelyForward } else { Action::NoAction },
        authoritative: true,
        map_version: 0,
        locators: rlocs.iter().map(|rloc| LocatorRecord::unicast(address(rloc), 1, 100)).collect(),
    };
    let reply = MapReply { nonce, records: vec![record], ..MapReply::default() };
    control(play, &reply.emit());
}

/// Answers the newest SYN of the router with a RST.
fn refuse_tcp(play: &mut Play<'_>) {
    let (port, number) =
        play.newest(|packet| match SlicedPacket::from_ip(packet).ok()?.transport? {
            TransportSlice::Tcp(tcp) if tcp.syn() => {
                Some((tcp.source_port(), tcp.sequence_number()))
            }
            _ => None,
        });
    let mut packet = Vec::new();
    PacketBuilder::ipv4([10, 0, 0, 2], [10, 0, 0, 1], 64)
        .tcp(CONTROL_PORT, port, 0, 0)
        .rst()
        .ack(number.wrapping_add(1))
        .write(&mut packet, &[])
        .unwrap();
    from_core(play, packet);
}

/// A router of the core sends an ICMP error about the newest encapsulated packet.
fn report(play: &mut Play<'_>, error: DestUnreachableHeader) {
    let quoted = play.newest(|packet| match SlicedPacket::from_ip(packet).ok()?.transport? {
        TransportSlice::Udp(udp) if udp.destination_port() == 4341 => Some(packet.to_vec()),
        _ => None,
    });
    let mut packet = Vec::new();
    PacketBuilder::ipv4([10, 0, 0, 2], [10, 0, 0, 1], 64)
        .icmpv4(Icmpv4Type::DestinationUnreachable(error))
        .write(&mut packet, &quoted)
        .unwrap();
    from_core(play, packet);
}
