//! Tests that each bit belongs to one field, that the values are those of the parsed message, and
//! that no octets cause a panic.

use etherparse::PacketBuilder;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::wire::reliable::round_trip::frame;
use crate::wire::round_trip::{data_header, message};
use crate::wire::{
    DATA_PORT, DataHeader, Encapsulated, MapRequest, MappingRecord, Message, NonceField,
    ReliableFrame,
};

const GOLDEN: &str = include_str!("../../../tests/golden/lisp-golden.hex");

/// Returns the messages of the golden file, each with its title.
fn golden() -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    let lines: Vec<&str> = GOLDEN.lines().collect();
    let octets = |hex| crate::watch::packet::octets(hex).expect("hex digits");
    let pairs: Vec<_> = lines.chunks(2).map(|pair| (pair[0], octets(pair[1]))).collect();
    pairs.into_iter()
}

/// Checks that the fields follow each other without a gap, and that the layers contain all fields.
fn assert_covers(found: &Dissection, octets: &[u8]) {
    let mut next = 0;
    let mut layer_next = 0;
    for layer in &found.layers {
        assert_eq!(layer.from, layer_next, "{}", layer.name);
        layer_next += layer.len;
        for field in &layer.fields {
            if field.len == 0 {
                assert!(field.name == walk::DAMAGE && field.from <= octets.len(), "{field:?}");
                continue;
            }
            let [shift, bits] = field.bits.unwrap_or([0, 8 * field.len]);
            assert_eq!(8 * field.from + shift, next, "{field:?}");
            assert_eq!((shift + bits).div_ceil(8), field.len, "{field:?}");
            next += bits;
        }
    }
    assert_eq!((next, layer_next), (8 * octets.len(), octets.len()), "{found:?}");
}

fn value<'a>(found: &'a Dissection, layer: &str, field: &str) -> &'a str {
    let layer = found.layers.iter().find(|it| it.name == layer).expect("a layer");
    let field = layer.fields.iter().find(|it| it.name == field).expect("a field");
    &field.value
}

fn damage(found: &Dissection) -> Vec<&str> {
    found.fields().filter(|field| field.name == walk::DAMAGE).map(|it| &*it.value).collect()
}

fn assert_record(found: &Dissection, name: &str, record: &MappingRecord) {
    let shows = |field: &str, wanted: String| assert_eq!(value(found, name, field), wanted);
    shows("Record TTL", record.ttl_minutes.to_string());
    shows("Locator Count", record.locators.len().to_string());
    shows("EID mask-len", record.eid_prefix.mask_len().to_string());
    shows("ACT", record.action.number().to_string());
    shows("A", u8::from(record.authoritative).to_string());
    shows("Map-Version Number", record.map_version.to_string());
    shows("EID-Prefix", record.eid_prefix.network().address.to_string());
    for (at, locator) in record.locators.iter().enumerate() {
        let name = format!("Locator {} of {name}", at + 1);
        let shows = |field: &str, wanted: u8| {
            assert_eq!(value(found, &name, field), wanted.to_string(), "{field}");
        };
        shows("Priority", locator.priority);
        shows("Weight", locator.weight);
        shows("M Priority", locator.multicast_priority);
        shows("M Weight", locator.multicast_weight);
        shows("L", locator.local.into());
        shows("p", locator.probed.into());
        shows("R", locator.reachable.into());
        if let crate::wire::Address::Ip(ip) = locator.rloc {
            assert_eq!(value(found, &name, "Locator"), ip.to_string());
        }
    }
}

fn assert_records(found: &Dissection, records: &[MappingRecord]) {
    for (at, record) in records.iter().enumerate() {
        assert_record(found, &format!("Record {}", at + 1), record);
    }
}

fn assert_map_request(found: &Dissection, message: &MapRequest) {
    let flags = [
        ("A", message.authoritative),
        ("P", message.probe),
        ("S", message.smr),
        ("p", message.from_pitr),
        ("s", message.smr_invoked),
        ("L", message.local_xtr),
        ("D", message.do_not_reply),
        ("M", message.map_reply_record.is_some()),
        ("I", message.xtr_identity.is_some()),
    ];
    for (name, set) in flags {
        assert_eq!(value(found, "Map-Request", name), u8::from(set).to_string(), "{name}");
    }
    let rlocs: Vec<_> = found.fields().filter(|it| it.name == "ITR-RLOC Address").collect();
    let rlocs: Vec<_> = rlocs.iter().map(|field| &*field.value).collect();
    let wanted: Vec<_> = message.itr_rlocs.iter().map(|rloc| rloc.0.to_string()).collect();
    assert_eq!(rlocs, wanted);
    for (at, record) in message.records.iter().enumerate() {
        let shown = value(found, &format!("EID-Record {}", at + 1), "EID-Prefix");
        assert_eq!(shown, record.eid_prefix.network().address.to_string());
    }
    message.map_reply_record.iter().for_each(|it| assert_record(found, "Map-Reply Record", it));
}

/// Checks the values of a dissection against the parsed message.
fn assert_agrees(found: &Dissection, message: &Message) {
    let name = message.message_type().name();
    assert_eq!(value(found, name, "Type"), message.message_type().number().to_string());
    let nonce = |wanted: crate::wire::Nonce| {
        assert_eq!(value(found, name, "Nonce"), wanted.to_string());
    };
    match message {
        Message::MapRequest(message) => {
            nonce(message.nonce);
            assert_map_request(found, message);
        }
        Message::MapReply(message) => {
            nonce(message.nonce);
            assert_records(found, &message.records);
        }
        Message::MapRegister(message) => {
            nonce(message.nonce);
            assert_records(found, &message.records);
            assert_eq!(value(found, name, "M"), u8::from(message.want_map_notify).to_string());
        }
        Message::MapNotify(message) => {
            nonce(message.nonce);
            assert_records(found, &message.records);
        }
        Message::MapNotifyAck(message) => {
            nonce(message.0.nonce);
            assert_records(found, &message.0.records);
        }
        Message::Info(message) => {
            nonce(message.nonce);
            assert_eq!(value(found, name, "TTL"), message.ttl_minutes.to_string());
        }
        Message::Encapsulated(message) => {
            let ip = if message.source.is_ipv4() { "IPv4" } else { "IPv6" };
            let shows = |layer, field, wanted: String| {
                assert_eq!(value(found, layer, field), wanted);
            };
            shows(ip, "Source Address", message.source.ip().to_string());
            shows(ip, "Destination Address", message.destination.ip().to_string());
            shows("UDP", "Destination Port", message.destination.port().to_string());
        }
    }
}

#[test]
fn the_fields_of_a_golden_message_are_those_of_the_rfc() {
    for (title, octets) in golden().filter(|(title, _)| !title.contains("data,")) {
        let found = of_message(&octets);
        assert_covers(&found, &octets);
        assert_eq!(damage(&found), [""; 0], "{title}");
        if !title.starts_with("# RT ") {
            assert_agrees(&found, &Message::parse(&octets).expect("a message"));
        }
    }
}

#[test]
fn a_golden_smr_reads_as_in_the_rfc() {
    let (_, octets) = golden().next().expect("a message");
    let found = of_message(&octets);
    let lines: Vec<_> = found
        .fields()
        .map(|field| format!("{} {} = {}", field.from, field.name, field.value))
        .collect();
    assert_eq!(lines[0], "0 Type = 1");
    assert_eq!(lines[4], "0 S = 1");
    let rest = [
        "2 D = 1",
        "2 IRC = 0",
        "3 Record Count = 1",
        "4 Nonce = 0x68E45971-0xE3DF4931",
        "12 Source-EID-AFI = 1",
        "14 Source EID Address = 172.16.0.12",
        "18 ITR-RLOC-AFI = 1",
        "20 ITR-RLOC Address = 203.0.113.11",
        "24 N = 0",
        "24 Reserved = 0",
        "25 EID mask-len = 32",
        "26 EID-Prefix-AFI = 1",
        "28 EID-Prefix = 192.168.0.22",
    ];
    assert_eq!(lines[11..], rest);
    assert_eq!(
        found.layers[1].fields[4].meaning.as_deref(),
        Some("The prefix is 192.168.0.22/32.")
    );
}

/// Returns an IP packet with a UDP datagram to the data port. `payload` is the payload of the
/// datagram.
fn encapsulated(payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    let builder = PacketBuilder::ipv4([203, 0, 113, 11], [198, 51, 100, 21], 64);
    builder.udp(0xc000, DATA_PORT).write(&mut packet, payload).expect("a buffer");
    packet
}

#[test]
fn an_encapsulated_packet_has_the_layers_of_both_packets() {
    let data = golden().filter(|(title, _)| title.contains("data,"));
    for (title, octets) in data {
        let packet = encapsulated(&octets);
        let found = of_packet(&packet);
        assert_covers(&found, &packet);
        assert_eq!(damage(&found), [""; 0], "{title}");
        let names: Vec<_> = found.layers.iter().map(|layer| &*layer.name).collect();
        match title.contains("IPv6") {
            true => assert_eq!(names, ["IPv4", "UDP", "LISP", "IPv6", "ICMPv6"]),
            false => assert_eq!(names, ["IPv4", "UDP", "LISP", "IPv4", "ICMP"]),
        }
    }
}

#[test]
fn a_tcp_segment_shows_its_frames_and_the_piece_of_a_frame() {
    let frames: Vec<_> = golden().filter(|(title, _)| title.starts_with("# RT ")).collect();
    let (one, two) = (&frames[0].1, &frames[1].1);
    let payload = [&one[..], two, &one[..5]].concat();
    let mut packet = Vec::new();
    let builder = PacketBuilder::ipv4([203, 0, 113, 11], [198, 51, 100, 21], 64);
    builder.tcp(4342, 40000, 1, 1000).write(&mut packet, &payload).expect("a buffer");
    let found = of_packet(&packet);
    assert_covers(&found, &packet);
    let names: Vec<_> = found.layers.iter().map(|layer| &*layer.name).collect();
    assert_eq!(names[..4], ["IPv4", "TCP", "Registration-Refresh", "End of the frame"]);
    assert!(names.contains(&"Map-Register"), "{names:?}");
    let last = found.fields().last().expect("a field");
    assert_eq!((&*last.name, last.len), ("Octets of the stream", 5));
}

#[test]
fn an_icmp_error_shows_the_packet_that_it_quotes() {
    let (_, octets) = golden().find(|(title, _)| title.contains("data,")).expect("a packet");
    let quoted = encapsulated(&octets);
    let mut packet = Vec::new();
    let builder = PacketBuilder::ipv4([192, 0, 2, 1], [203, 0, 113, 11], 64);
    let builder = builder.icmpv4_raw(3, 1, [0; 4]);
    builder.write(&mut packet, &quoted[..28]).expect("a buffer");
    let found = of_packet(&packet);
    assert_covers(&found, &packet);
    let names: Vec<_> = found.layers.iter().map(|layer| &*layer.name).collect();
    assert_eq!(names, ["IPv4", "ICMP", "IPv4", "UDP"]);
    assert_eq!(damage(&found), [""; 0]);
}

#[test]
fn damage_is_named_where_it_is() {
    let (_, mut octets) = golden().nth(2).expect("a Map-Reply");
    octets.truncate(octets.len() - 2);
    let found = of_message(&octets);
    assert_covers(&found, &octets);
    let last = found.fields().last().expect("a field");
    assert_eq!((&*last.name, last.from, last.len), (walk::DAMAGE, 24, 2));
    assert_eq!(
        last.value,
        "Map-Reply: Record 1 is truncated: it needs 4 octets, but only 2 are left, at octet 24"
    );
}

#[test]
fn an_inner_packet_with_a_wrong_checksum_is_damage() {
    let source = "192.0.2.1:4342".parse().expect("an address");
    let inner = golden().next().expect("a message").1;
    let mut octets = Encapsulated::new(source, source, inner).emit();
    octets[14] ^= 1;
    let found = of_message(&octets);
    assert_covers(&found, &octets);
    assert!(damage(&found)[0].contains("has checksum"), "{found:?}");
    assert!(found.layers.iter().any(|layer| layer.name == "Map-Request"), "{found:?}");
}

proptest! {
    #[test]
    fn every_bit_of_a_message_is_in_one_field_with_its_value(message in message()) {
        let octets = message.emit();
        let found = of_message(&octets);
        assert_covers(&found, &octets);
        assert_agrees(&found, &message);
    }

    #[test]
    fn every_bit_of_a_frame_is_in_one_field_with_its_value(frame in frame()) {
        let octets = frame.emit();
        let found = of_message(&octets);
        assert_covers(&found, &octets);
        let name = frame.message.message_type().name();
        prop_assert_eq!(value(&found, name, "Message ID"), frame.message_id.to_string());
        let shown = found.fields().find(|field| field.name == "EID-Prefix");
        if let Some(prefix) = frame.message.eid_prefix() {
            let wanted = Some(prefix.network().address.to_string());
            prop_assert_eq!(shown.map(|field| field.value.clone()), wanted);
        }
    }

    #[test]
    fn every_bit_of_a_data_packet_is_in_one_field_with_its_value(header in data_header()) {
        let packet = encapsulated(&[&header.emit()[..], &encapsulated(&[0; 8])].concat());
        let found = of_packet(&packet);
        assert_covers(&found, &packet);
        let flag = |name, set| {
            assert_eq!(value(&found, "LISP", name), u8::from(set).to_string(), "{name}");
        };
        flag("N", matches!(header.nonce, NonceField::Nonce { .. }));
        flag("V", matches!(header.nonce, NonceField::MapVersion { .. }));
        flag("L", header.locator_status_bits.is_some());
        flag("I", header.instance_id.is_some());
        if let Some(instance) = header.instance_id {
            assert_eq!(value(&found, "LISP", "Instance ID"), instance.number().to_string());
        }
        prop_assert_eq!(DataHeader::parse(&packet[28..]).map(|it| it.0), Ok(header));
    }

    #[test]
    fn a_message_that_a_router_refuses_shows_the_damage(
        message in message(),
        cut: Index,
        changes in vec(any::<(Index, u8)>(), 0..4),
    ) {
        let mut octets = message.emit();
        for (at, value) in changes {
            let at = at.index(octets.len());
            octets[at] = value;
        }
        octets.truncate(cut.index(octets.len() + 1));
        let found = of_message(&octets);
        assert_covers(&found, &octets);
        let refusal = match octets.first() {
            Some(0) => ReliableFrame::parse(&octets).err(),
            _ => Message::parse(&octets).err(),
        };
        if let Some(refusal) = refusal {
            let refusal = refusal.to_string();
            prop_assert!(damage(&found).contains(&&*refusal), "{refusal}: {found:?}");
        }
    }

    #[test]
    fn any_octets_have_fields(octets in vec(any::<u8>(), 0..200)) {
        assert_covers(&of_message(&octets), &octets);
        assert_covers(&of_packet(&octets), &octets);
        let packet = encapsulated(&octets);
        assert_covers(&of_packet(&packet), &packet);
    }

    #[test]
    fn a_damaged_packet_has_fields(
        message in message(),
        cut: Index,
        changes in vec(any::<(Index, u8)>(), 0..6),
    ) {
        let mut packet = Vec::new();
        let builder = PacketBuilder::ipv6([1; 16], [2; 16], 64).udp(4342, 4342);
        builder.write(&mut packet, &message.emit()).expect("a buffer");
        for (at, value) in changes {
            let at = at.index(packet.len());
            packet[at] = value;
        }
        packet.truncate(cut.index(packet.len() + 1));
        assert_covers(&of_packet(&packet), &packet);
    }
}
