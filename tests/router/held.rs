//! A packet that waited is treated like a packet that did not wait: it is refused, changed and
//! counted in the same way.

use std::num::NonZeroU16;

use eidway::addr::{Family, InstanceId};
use eidway::packet::Packet;
use eidway::router::io::{
    Command, Device, DropReason, Inbound, Input, KernelEvent, KernelRequest, Mac, NeighbourState,
    Outbound, Outer, Output,
};
use eidway::wire::{IcmpErrorKind, Message};
use etherparse::PacketBuilder;

use crate::bench::*;
use crate::network::roaming_xtr1;

const HOST: &str = "172.16.0.12";

fn neighbour(bench: &mut Bench, device: &str, state: NeighbourState) {
    let (device, address) = (device.to_owned(), HOST.parse().unwrap());
    bench.kernel(KernelEvent::Neighbour { device, address, state });
}

fn arrives(bench: &mut Bench, from: &str, payload: &[u8]) -> Inbound {
    let inner = packet("192.168.0.22", HOST, 64, payload);
    let (source, destination) = (from.parse().unwrap(), RLOC_1.parse().unwrap());
    let outer = Outer { source, destination, ttl: 64, tos: 0 };
    bench.decapsulate_from(&outer, &mut [&[0; 8], &inner[..]].concat())
}

/// Two packets wait for the host. The first is the answer of the gateway to the first packet of the
/// host; it waits after the map-server has replied that no other xTR has the host. The second is a
/// packet from the core.
fn both_wait(bench: &mut Bench) {
    let answer = packet("172.16.0.1", HOST, 64, b"gateway");
    assert_eq!(bench.encapsulate(&mut answer.clone()), Outbound::Held);
    let (_, request) = only_request(&bench.messages());
    bench.control(NEW, RLOC_1, &reply(request.nonce, vec![record("172.16.0.0/24", 1, &[])]));
    assert_eq!(bench.router.waiting_packets(), 1, "now for the host");
    assert_eq!(arrives(bench, RLOC_2, b"core"), Inbound::Held);
    bench.outputs();
}

fn solicited(bench: &mut Bench) -> Vec<String> {
    let smr = |(to, message): (std::net::IpAddr, Message)| match message {
        Message::MapRequest(request) if request.smr => Some(to.to_string()),
        _ => None,
    };
    bench.messages().into_iter().filter_map(smr).collect()
}

#[test]
fn packets_that_wait_for_a_host_are_each_counted_by_where_they_came_from() {
    let mut bench = Bench::new(&roaming_xtr1());
    both_wait(&mut bench);
    neighbour(&mut bench, "et1-0", NeighbourState::Known(Mac([2, 0, 0, 0, 0, 12])));
    let counters = bench.router.counters();
    assert_eq!((counters.native, counters.decapsulations), (1, 1));
    let sent = |output: &Output| matches!(output, Output::Native(..));
    assert_eq!(bench.outputs().iter().filter(|output| sent(output)).count(), 2);
    assert_eq!(bench.router.waiting_packets(), 0);
}

#[test]
fn a_failed_search_solicits_the_sender_of_each_packet_that_came_from_the_core() {
    let mut bench = Bench::new(&roaming_xtr1());
    both_wait(&mut bench);
    assert_eq!(arrives(&mut bench, "192.0.2.51", b"another xTR"), Inbound::Held);
    neighbour(&mut bench, "et1-0", NeighbourState::Failed);
    assert_eq!(solicited(&mut bench), [RLOC_2, "192.0.2.51"]);
    assert_eq!(bench.router.counters().drops[&DropReason::EidAway], 2);
    assert_eq!(bench.router.waiting_packets(), 0);
}

#[test]
fn a_search_ends_when_the_last_port_that_was_asked_is_silent() {
    let second = "interface Ethernet2/0\n lisp mobility ROAM\n";
    let mut bench = Bench::new(&(roaming_xtr1() + second));
    bench.outputs();
    assert_eq!(arrives(&mut bench, RLOC_2, b"core"), Inbound::Held);
    let probe = |request: &KernelRequest| matches!(request, KernelRequest::Probe { .. });
    assert_eq!(bench.kernel_requests().iter().filter(|request| probe(request)).count(), 2);
    neighbour(&mut bench, "et1-0", NeighbourState::Failed);
    // The router removes the neighbour entry, because otherwise Linux does not report the host if
    // it appears on this port later.
    let device = Device::Interface("Ethernet1/0".parse().unwrap());
    let forget = KernelRequest::Forget { device, address: HOST.parse().unwrap() };
    assert_eq!(bench.kernel_requests(), [forget]);
    neighbour(&mut bench, "et1-0", NeighbourState::Failed);
    assert_eq!(bench.router.waiting_packets(), 1, "the other port has not said");
    neighbour(&mut bench, "et2-0", NeighbourState::Known(Mac([2, 0, 0, 0, 0, 12])));
    assert_eq!(bench.router.counters().decapsulations, 1);
}

/// A TCP super-packet of two segments. It has the DF bit.
fn large(segment_size: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    let payload = vec![b'x'; 2 * usize::from(segment_size)];
    let builder = PacketBuilder::ipv4([192, 168, 0, 22], [172, 16, 0, 12], 63);
    builder.tcp(1000, 80, 1, 1000).write(&mut bytes, &payload).unwrap();
    bytes
}

fn encapsulate(bench: &mut Bench, bytes: &mut [u8], segment_size: u16) -> Outbound {
    let mut packet = Packet { bytes, segment_size: NonZeroU16::new(segment_size) };
    let outbound = bench.router.encapsulate(InstanceId::DEFAULT, &mut packet, bench.now);
    bench.drain();
    outbound
}

#[test]
fn a_packet_that_waited_and_is_too_big_for_the_path_is_dropped_and_its_sender_told() {
    let mut bench = with_reserve(XTR2, "192.168.0.22");
    bench.icmp(RLOC_1, "198.51.100.1", IcmpErrorKind::TooBig { mtu: 1400 }, &[]);
    let clear = Command::ClearMapCache { family: Family::Ipv4, prefix: None };
    bench.router.handle(Input::Command(clear), bench.now);
    // Segments of 1400 octets and 36 octets of headers do not fit into 1400 octets.
    assert_eq!(encapsulate(&mut bench, &mut large(1400), 1400), Outbound::Held);
    assert_eq!((bench.router.counters().held, bench.router.waiting_packets()), (3, 2));
    let (_, request) = only_request(&bench.messages());
    let answer = reply(request.nonce, vec![record("172.16.0.0/24", 1440, &[RLOC_1])]);
    bench.control(OLD, RLOC_2, &answer);
    let outputs = bench.outputs();
    let told = |output: &Output| match output {
        // The packet is ICMP: destination unreachable, fragmentation needed.
        Output::Native(_, packet) => packet.bytes[9] == 1 && packet.bytes[20..22] == [3, 4],
        _ => false,
    };
    assert_eq!(outputs.iter().filter(|output| told(output)).count(), 1, "{outputs:?}");
    assert!(!outputs.iter().any(|output| matches!(output, Output::Encapsulate(..))));
    let counters = bench.router.counters();
    assert_eq!((counters.encapsulations, counters.drops[&DropReason::TooBigForPath]), (1, 2));
    // A later packet gets the same decision.
    let late = encapsulate(&mut bench, &mut large(1400), 1400);
    assert_eq!(late, Outbound::Dropped(DropReason::TooBigForPath));
    assert_eq!(bench.router.counters().drops[&DropReason::TooBigForPath], 4);
}

#[test]
fn a_dropped_super_packet_counts_its_segments_as_a_forwarded_one_does() {
    let mut bench = Bench::new(XTR2);
    let (source, destination) = (RLOC_1.parse().unwrap(), RLOC_2.parse().unwrap());
    let outer = Outer { source, destination, ttl: 64, tos: 0 };
    let mut decapsulate = |to: [u8; 4]| {
        let mut inner = Vec::new();
        let builder = PacketBuilder::ipv4([172, 16, 0, 12], to, 63);
        builder.tcp(1000, 80, 1, 1000).write(&mut inner, &[0; 3000]).unwrap();
        let mut datagram = [&[0; 8], &inner[..]].concat();
        let mut packet = Packet { bytes: &mut datagram, segment_size: NonZeroU16::new(1000) };
        bench.router.decapsulate(&outer, &mut packet, bench.now)
    };
    assert!(matches!(decapsulate([192, 168, 0, 22]), Inbound::Deliver { .. }));
    assert_eq!(decapsulate([10, 9, 9, 9]), Inbound::Dropped(DropReason::NotOurEid));
    let counters = bench.router.counters();
    assert_eq!((counters.decapsulations, counters.drops[&DropReason::NotOurEid]), (3, 3));
}
