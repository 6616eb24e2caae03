use std::net::{IpAddr, SocketAddr};

use etherparse::PacketBuilder;

use super::*;
use crate::addr::{Eid, EidPrefix, InstanceId, Rloc};
use crate::wire::{
    Encapsulated, MapRequest, Message, Nonce, ReliableFrame, ReliableMessage, data_header,
};

fn udp(source: [u8; 4], destination: [u8; 4], ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    let builder = PacketBuilder::ipv4(source, destination, 64).udp(ports.0, ports.1);
    builder.write(&mut packet, payload).unwrap();
    packet
}

fn echo() -> Vec<u8> {
    let mut packet = Vec::new();
    let builder = PacketBuilder::ipv4([192, 168, 0, 22], [172, 16, 0, 12], 63);
    builder.icmpv4_echo_request(7, 3).write(&mut packet, b"data").unwrap();
    packet
}

fn request() -> Message {
    let prefix = EidPrefix::new(InstanceId::DEFAULT, "172.16.0.12/32".parse().unwrap());
    Message::MapRequest(MapRequest {
        smr_invoked: true,
        nonce: Nonce(0xabc),
        source_eid: Some(Eid::new(InstanceId::DEFAULT, "192.168.0.22".parse().unwrap())),
        itr_rlocs: vec![Rloc("198.51.100.21".parse().unwrap())],
        records: vec![prefix.into()],
        ..MapRequest::default()
    })
}

fn ecm() -> Vec<u8> {
    let inner = |text: &str, port| SocketAddr::new(text.parse::<IpAddr>().unwrap(), port);
    let ends = (inner("192.168.0.22", 50_000), inner("172.16.0.12", 4342));
    let message = Encapsulated::new(ends.0, ends.1, request().emit()).emit();
    udp([198, 51, 100, 21], [209, 165, 201, 41], (4342, 4342), &message)
}

fn data() -> Vec<u8> {
    let mut payload = data_header::DataHeader::default().emit().to_vec();
    payload.extend(echo());
    udp([198, 51, 100, 21], [203, 0, 113, 11], (50_000, 4341), &payload)
}

fn segment(seq: u32, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    let builder = PacketBuilder::ipv4([1, 1, 1, 1], [2, 2, 2, 2], 64).tcp(40_000, 4342, seq, 100);
    builder.write(&mut packet, payload).unwrap();
    packet
}

fn capture(packets: &[Vec<u8>]) -> Capture {
    let frame = |(at, packet): (usize, &Vec<u8>)| Frame {
        at: Duration::from_millis(100 + at as u64),
        packet: packet.clone(),
    };
    Capture::new(packets.iter().enumerate().map(frame).collect())
}

/// Returns the numbers of the packets that match the filter. The first packet has number 1.
fn passing(packets: &[Vec<u8>], filter: &str) -> Vec<usize> {
    let selected = capture(packets).select(filter, "frame.number").unwrap();
    selected.iter().map(|found| found.index + 1).collect()
}

#[test]
fn a_field_with_several_values_passes_when_one_does_and_differs_when_all_do() {
    let packets = [echo(), ecm(), data()];
    for (filter, expected) in [
        ("ip.src == 198.51.100.21", &[2, 3][..]),
        ("ip.src == 192.168.0.22", &[1, 2, 3]),
        ("ip.src != 192.168.0.22", &[]),
        ("lisp.type != 3", &[2]),
        ("!(lisp.type == 3)", &[1, 2, 3]),
        ("lisp.type == 8 && lisp.type == 1", &[2]),
        ("ip.addr == 172.16.0.0/16 and not udp", &[1]),
        ("udp.port in {4341, 53}", &[3]),
        ("ip.ttl < 64 || lisp", &[1, 2, 3]),
        ("frame.number >= 2", &[2, 3]),
    ] {
        assert_eq!(passing(&packets, filter), expected, "{filter}");
    }
}

#[test]
fn what_is_inside_is_seen_too() {
    let packets = [ecm(), data()];
    assert_eq!(passing(&packets, "lisp.mreq.flags.smri == 1 && udp.dstport == 4342"), [1]);
    assert_eq!(passing(&packets, "lisp.mreq.record.prefix.ipv4 == 172.16.0.12"), [1]);
    assert_eq!(passing(&packets, "lisp-data && icmp.type == 8 && icmp.seq == 3"), [2]);
    let capture = capture(&packets);
    let found = capture.select("lisp", "lisp.nonce").unwrap();
    assert_eq!(found[0].value, "0x0000000000000abc");
    assert_eq!(capture.select("icmp", "ip.src").unwrap()[0].value, "198.51.100.21,192.168.0.22");
    assert_eq!(capture.select("icmp", "ip.src").unwrap()[0].at, Duration::from_millis(1));
}

#[test]
fn the_record_count_is_that_of_the_message_also_where_a_record_is_left_out() {
    let mut message = request().emit();
    message[3] = 2;
    message.extend([0, 0, 0, 17, b'h', b'o', b's', b't', 0]);
    let packets = [udp([198, 51, 100, 21], [203, 0, 113, 11], (4342, 4342), &message)];
    assert_eq!(passing(&packets, "lisp.records == 2"), [1]);
    assert_eq!(passing(&packets, "lisp.mreq.record.prefix.length == 32"), [1]);
}

#[test]
fn a_message_on_a_stream_counts_where_it_ends_and_once() {
    let prefix = EidPrefix::new(InstanceId::DEFAULT, "172.16.0.0/24".parse().unwrap());
    let message = ReliableMessage::RegistrationAck(prefix);
    let frame = ReliableFrame { message_id: 5, message }.emit();
    let (first, rest) = frame.split_at(6);
    let next = 1 + first.len() as u32;
    let after = next + rest.len() as u32;
    let packets = [
        segment(1, first),
        segment(next, rest),
        segment(next, rest),
        segment(after, &frame),
        segment(after + 1000, &frame),
    ];
    assert_eq!(passing(&packets, "lisp-tcp.message.type == 18"), [2, 4, 5]);
    assert_eq!(capture(&packets).flaws().count(), 0);
}

/// This test expects the fields that tshark shows for the Registration in the golden file.
#[test]
fn a_registration_on_a_stream_has_the_fields_of_its_map_register_and_is_none() {
    let golden = include_str!("../../tests/golden/lisp-golden.hex");
    let mut lines = golden.lines().skip_while(|line| !line.starts_with("# RT Registration (100"));
    let hex = lines.nth(1).unwrap();
    let octet = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    let message: Vec<u8> = (0..hex.len()).step_by(2).map(octet).collect();
    let packets = [segment(1, &message)];
    for (filter, expected) in [
        ("lisp-tcp.message.type == 17", &[1][..]),
        ("lisp.mapping.eid.ipv4 == 172.16.0.0 && lisp.mreg.flags.wmn == 1", &[1]),
        ("lisp.type == 3", &[]),
        ("lisp", &[]),
    ] {
        assert_eq!(passing(&packets, filter), expected, "{filter}");
    }
}

#[test]
fn a_frame_that_an_etr_refuses_is_no_flaw_but_one_without_its_end_is() {
    let prefix = EidPrefix::new(InstanceId::DEFAULT, "172.16.0.0/24".parse().unwrap());
    let message = ReliableMessage::RegistrationAck(prefix);
    let frame = ReliableFrame { message_id: 5, message }.emit();
    let unknown_type = [&[0, 99], &frame[2..]].concat();
    let no_end = [&frame[..frame.len() - 1], &[0]].concat();
    let packets = [segment(1, &unknown_type), segment(1 + frame.len() as u32, &no_end)];
    assert_eq!(capture(&packets).flaws().map(|(number, _)| number).collect::<Vec<_>>(), [2]);
}

#[test]
fn what_cannot_be_read_on_a_port_of_lisp_is_a_flaw_but_not_in_an_icmp_error() {
    let cut = udp([1, 1, 1, 1], [2, 2, 2, 2], (4342, 4342), &request().emit()[..20]);
    let mut error = Vec::new();
    let unreachable = etherparse::Icmpv4Type::DestinationUnreachable(
        etherparse::icmpv4::DestUnreachableHeader::Port,
    );
    let builder = PacketBuilder::ipv4([2, 2, 2, 2], [1, 1, 1, 1], 64).icmpv4(unreachable);
    builder.write(&mut error, &cut).unwrap();
    let packets = [cut, error];
    assert_eq!(passing(&packets, "lisp.type == 1"), [1, 2]);
    assert_eq!(capture(&packets).flaws().map(|(number, _)| number).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_filter_that_is_none_says_what_is_wrong() {
    let error = |text: &str| text.parse::<Filter>().unwrap_err().to_string();
    assert!(
        error("lisp.mapping.eid.ip4 == 1.1.1.1")
            .contains("similar fields are lisp.mapping.eid.ipv4")
    );
    for (text, expected) in [
        ("ip.src == 2001:db8::1", "needs an IPv4 address, but it has"),
        ("lisp.type == x", "needs a number, but it has"),
        ("(lisp", "needs ), but it has"),
        ("lisp lisp", "&&, || or the end"),
        ("", "needs a field, but it has"),
        ("udp == 1", "a field instead of a protocol"),
    ] {
        assert!(error(text).contains(expected), "{text}: {}", error(text));
    }
    let deep = format!("{}lisp", "!".repeat(100_000));
    assert!(error(&deep).contains("fewer nested brackets"));
}

#[test]
fn a_file_gives_back_what_was_written() {
    let frames = capture(&[echo(), ecm()]).frames().to_vec();
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 262_144, 1] {
        file.extend(word.to_ne_bytes());
    }
    for Frame { at, packet } in &frames {
        let len = packet.len() as u32 + 14;
        for word in [at.as_secs() as u32, at.subsec_micros(), len, len] {
            file.extend(word.to_ne_bytes());
        }
        file.extend([0; 14]);
        file.extend(packet);
    }
    assert_eq!(pcap::read(&file), Some(frames.clone()));
    assert_eq!(pcap::read(&file[..file.len() - 1]), Some(frames[..1].to_vec()));
    assert_eq!(pcap::read(&file[..20]), None);
}

#[test]
fn every_field_has_its_place_in_the_alphabet() {
    let names: Vec<_> = field::FIELDS.iter().map(|field| field.name).collect();
    assert!(names.is_sorted());
}

#[test]
fn no_prefix_of_a_packet_panics() {
    let mut dissector = Dissector::default();
    for packet in [ecm(), data(), echo(), segment(1, b"\0\x11\0\x0cxxxxxxxx")] {
        (0..packet.len()).for_each(|end| drop(dissector.dissect(&packet[..end])));
    }
}
