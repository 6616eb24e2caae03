//! The golden messages of `tests/golden/lisp-golden.hex` are read and written back. The names of
//! the tests say the rules for every message. tshark also decodes the golden messages.
//!
//! The file consists of pairs of lines: a line `# title` and a line with the octets in hex. A title
//! that begins with `RT ` is the title of a message of reliable transport. These messages are sent
//! in a TCP stream.

use std::net::IpAddr;

use eidway::addr::{Eid, EidPrefix, InstanceId, Rloc};
use eidway::wire::{
    Action, Address, Algorithm, AuthError, DataHeader, Encapsulated, FrameReader, Key, MapRegister,
    MapReply, MapRequest, Message, Nonce, NonceField, Registration, ReliableFrame, ReliableMessage,
    StreamError, XtrIdentity, verify,
};

const GOLDEN: &str = include_str!("golden/lisp-golden.hex");

fn golden() -> Vec<(&'static str, Vec<u8>)> {
    let lines: Vec<_> = GOLDEN.lines().collect();
    lines.chunks(2).map(|pair| (pair[0].trim_start_matches("# "), octets(pair[1]))).collect()
}

fn octets(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hex digits"))
        .collect()
}

fn is_data(title: &str) -> bool {
    title.starts_with("data,")
}

fn control() -> Vec<(&'static str, Vec<u8>)> {
    golden().into_iter().filter(|(title, _)| !is_data(title) && !title.starts_with("RT ")).collect()
}

fn find(title: &str) -> Vec<u8> {
    let mut found = golden().into_iter().filter(|(other, _)| other.starts_with(title));
    found.next().expect("a golden message of that title").1
}

fn parse(octets: &[u8]) -> Message {
    Message::parse(octets).expect("a message")
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn prefix(instance_id: u32, text: &str) -> EidPrefix {
    let instance_id = InstanceId::new(instance_id).expect("24 bits");
    EidPrefix::new(instance_id, text.parse().expect("a prefix"))
}

fn eid(text: &str) -> Eid {
    Eid::new(InstanceId::DEFAULT, address(text))
}

fn cisco(algorithm: Algorithm) -> Key {
    Key { algorithm, secret: b"cisco".to_vec(), key_id: 0 }
}

#[test]
fn every_control_message_comes_back_octet_for_octet() {
    assert_eq!(control().len(), 16);
    for (title, octets) in control() {
        assert_eq!(parse(&octets).emit(), octets, "{title}");
    }
}

#[test]
fn every_data_header_comes_back_octet_for_octet() {
    let data: Vec<_> = golden().into_iter().filter(|(title, _)| is_data(title)).collect();
    assert_eq!(data.len(), 4);
    for (title, octets) in data {
        let (header, inner) = DataHeader::parse(&octets).expect("a header");
        assert_eq!([&header.emit(), inner].concat(), octets, "{title}");
    }
}

#[test]
fn data_headers_say_what_their_titles_say() {
    let header = |title| DataHeader::parse(&find(title)).expect("a header").0;
    assert_eq!(header("data, no bits"), DataHeader::default());
    assert_eq!(
        header("data, N and L"),
        DataHeader {
            nonce: NonceField::Nonce { nonce: 0xab_cdef, echo: false },
            locator_status_bits: Some(1),
            ..DataHeader::default()
        }
    );
    assert_eq!(
        header("data, L and I"),
        DataHeader {
            instance_id: InstanceId::new(4100),
            locator_status_bits: Some(1),
            ..DataHeader::default()
        }
    );
}

#[test]
fn the_smr_has_every_field() {
    let expected = MapRequest {
        probe: true,
        smr: true,
        do_not_reply: true,
        nonce: Nonce(0x68e4_5971_e3df_4931),
        source_eid: Some(eid("172.16.0.12")),
        itr_rlocs: vec![Rloc(address("203.0.113.11"))],
        records: vec![prefix(0, "192.168.0.22/32").into()],
        ..MapRequest::default()
    };
    assert_eq!(parse(&find("smr (P,S,D set")), Message::MapRequest(expected));
}

#[test]
fn the_smr_invoked_request_stands_in_an_ecm_to_the_eid() {
    for (title, host, itr_rloc) in [
        ("SMR-invoked Map-Request in ECM (", "172.16.0.12", "198.51.100.21"),
        ("SMR-invoked Map-Request in ECM, IPv6", "2001:db8:a::12", "198.51.100.21"),
    ] {
        let ecm = Encapsulated::parse(&find(title)).expect("an ECM");
        assert_eq!((ecm.source, ecm.ttl), (ecm.destination, 64));
        assert_eq!((ecm.destination.ip(), ecm.destination.port()), (address(host), 4342));
        let request = MapRequest::parse(&ecm.message).expect("a Map-Request");
        assert!(request.smr_invoked && !request.smr && !request.probe);
        assert_eq!(request.records, [eid(host).host_prefix().into()]);
        assert_eq!(request.itr_rlocs, [Rloc(address(itr_rloc))]);
    }
}

#[test]
fn an_instance_id_lcaf_is_an_eid_of_that_instance() {
    let Message::MapRequest(request) = parse(&find("Map-Request, EID in LCAF")) else {
        panic!("not a Map-Request");
    };
    assert_eq!(request.source_eid, None);
    assert_eq!(request.records, [prefix(4100, "172.16.0.0/24").into()]);
}

#[test]
fn a_negative_reply_has_an_action_and_no_locator() {
    let reply = MapReply::parse(&find("negative Map-Reply, least-specific hole 10.")).expect("one");
    let [record] = &reply.records[..] else { panic!("not one record") };
    assert_eq!(record.action, Action::NativelyForward);
    assert_eq!((record.ttl_minutes, record.authoritative), (15, false));
    assert_eq!(record.eid_prefix, prefix(0, "10.0.0.0/13"));
    assert!(record.locators.is_empty());
}

#[test]
fn a_reply_of_two_records_keeps_their_bits_apart() {
    let reply = MapReply::parse(&find("Map-Reply, two records")).expect("a Map-Reply");
    let [own, other] = &reply.records[..] else { panic!("not two records") };
    assert!(own.authoritative && own.locators[0].local && own.locators[0].reachable);
    assert!(!other.authoritative && !other.locators[0].local && other.locators[0].reachable);
    assert_eq!(other.eid_prefix, prefix(0, "172.16.0.128/25"));
    assert_eq!(other.locators[0].rloc, Address::Ip(address("198.51.100.21")));
    assert_eq!((own.locators[0].priority, own.locators[0].weight), (1, 100));
}

#[test]
fn a_register_has_its_bits_and_its_xtr_identity() {
    let register = MapRegister::parse(&find("Map-Register HMAC-SHA256-128, r=1")).expect("one");
    assert!(register.reliable_transport && register.want_map_notify && !register.proxy_reply);
    assert_eq!(register.nonce, Nonce(10));
    let xtr_id = 0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f;
    assert_eq!(register.xtr_identity, Some(XtrIdentity { xtr_id, site_id: 0 }));
    assert_eq!((register.authentication.algorithm, register.authentication.data.len()), (2, 16));
}

fn signed() -> Vec<(&'static str, Vec<u8>)> {
    let signed: Vec<_> =
        control().into_iter().filter(|(_, octets)| matches!(octets[0] >> 4, 3..=5)).collect();
    assert_eq!(signed.len(), 6);
    signed
}

#[test]
fn every_mac_is_that_of_cisco_and_of_no_other_key() {
    for (title, octets) in signed() {
        assert!(verify(&octets, &cisco(Algorithm::HmacSha256)).is_ok(), "{title}");
        let other = Key { secret: b"Cisco".to_vec(), ..cisco(Algorithm::HmacSha256) };
        assert_eq!(verify(&octets, &other), Err(AuthError::Mismatch), "{title}");
    }
}

#[test]
fn a_flipped_bit_anywhere_breaks_the_mac() {
    for (title, octets) in signed() {
        for bit in 0..octets.len() * 8 {
            let mut flipped = octets.clone();
            flipped[bit / 8] ^= 0x80 >> (bit % 8);
            let verified = verify(&flipped, &cisco(Algorithm::HmacSha256));
            assert!(verified.is_err(), "{title}: bit {bit}");
        }
    }
}

#[test]
fn signing_gives_the_golden_octets() {
    for (title, octets) in signed() {
        let sign = |number| cisco(Algorithm::from_number(number).expect("an algorithm"));
        let again = match parse(&octets) {
            Message::MapRegister(register) => {
                register.emit_signed(&sign(register.authentication.algorithm))
            }
            Message::MapNotify(notify) => {
                notify.emit_signed(&sign(notify.authentication.algorithm))
            }
            Message::MapNotifyAck(ack) => ack.emit_signed(&sign(ack.0.authentication.algorithm)),
            other => panic!("{other} is not signed"),
        };
        assert_eq!(again, octets, "{title}");
    }
}

/// The message without the xTR-ID and Site-ID at its end.
fn without_identity(mut message: Message) -> Message {
    match &mut message {
        Message::MapRequest(message) => message.xtr_identity = None,
        Message::MapRegister(message) => message.xtr_identity = None,
        Message::MapNotify(message) => message.xtr_identity = None,
        Message::MapNotifyAck(message) => message.0.xtr_identity = None,
        Message::MapReply(_) | Message::Info(_) | Message::Encapsulated(_) => {}
    }
    message
}

#[test]
fn every_truncation_is_an_error_but_that_before_an_xtr_id() {
    for (title, octets) in control() {
        for length in 0..octets.len() {
            match Message::parse(&octets[..length]) {
                Err(error) => assert!(error.offset <= length, "{title}: {error}"),
                Ok(shorter) => {
                    assert_eq!(length, octets.len() - 24, "{title}: {shorter}");
                    assert_eq!(shorter, without_identity(parse(&octets)), "{title}");
                }
            }
        }
    }
}

#[test]
fn no_mutation_of_one_octet_panics_and_what_parses_is_stable() {
    for (title, octets) in control() {
        for at in 0..octets.len() {
            for value in 0..=u8::MAX {
                let mut mutated = octets.clone();
                mutated[at] = value;
                let Ok(message) = Message::parse(&mutated) else {
                    continue;
                };
                let shown = message.to_string();
                assert_eq!(parse(&message.emit()), message, "{title}: octet {at}: {shown}");
            }
        }
    }
}

#[test]
fn a_message_shows_on_one_line() {
    let shown = |title| parse(&find(title)).to_string();
    assert_eq!(
        shown("smr (P,S,D set"),
        "Map-Request nonce 0x68E45971-0xE3DF4931 probe SMR DoNotReply source-EID 172.16.0.12 \
         ITR-RLOCs 203.0.113.11 for 192.168.0.22/32"
    );
    assert_eq!(
        shown("SMR-invoked Map-Request in ECM ("),
        "ECM 172.16.0.12:4342 -> 172.16.0.12:4342 TTL 64: Map-Request nonce \
         0x4D04AB2F-0x99FF6FF5 SMR-invoked source-EID 192.168.0.22 ITR-RLOCs 198.51.100.21 \
         for 172.16.0.12/32"
    );
    assert_eq!(
        shown("negative Map-Reply native"),
        "Map-Reply nonce 0x5A4AC708-0x59A42AB6 for 172.16.0.0/24 TTL 1 natively-forward"
    );
    assert_eq!(
        shown("Map-Reply, two records"),
        "Map-Reply nonce 0x00000000-0x00000008 for 172.16.0.0/24 TTL 1440 authoritative locators \
         203.0.113.11 1/100 LR; 172.16.0.128/25 TTL 1440 locators 198.51.100.21 1/100 R"
    );
    assert_eq!(
        shown("Map-Request, EID in LCAF"),
        "Map-Request nonce 0x00000000-0x0000000D ITR-RLOCs 198.51.100.21 for [4100] 172.16.0.0/24"
    );
    assert_eq!(
        shown("Map-Notify ("),
        "Map-Notify nonce 0x00000000-0x00000001 key 0 algorithm 1 for 172.16.0.0/24 TTL 1440 \
         authoritative locators 203.0.113.11 1/100 LR xTR-ID 0x000102030405060708090A0B0C0D0E0F \
         Site-ID 0"
    );
}

fn reliable() -> Vec<(&'static str, Vec<u8>)> {
    golden().into_iter().filter(|(title, _)| title.starts_with("RT ")).collect()
}

fn parse_frame(octets: &[u8]) -> ReliableFrame {
    ReliableFrame::parse(octets).expect("a frame")
}

#[test]
fn every_reliable_frame_comes_back_octet_for_octet() {
    assert_eq!(reliable().len(), 8);
    for (title, octets) in reliable() {
        assert_eq!(parse_frame(&octets).emit(), octets, "{title}");
    }
}

#[test]
fn reliable_frames_say_what_their_titles_say() {
    let shown: Vec<_> =
        reliable().iter().map(|(_, octets)| parse_frame(octets).to_string()).collect();
    let expected = [
        "Registration-Refresh id 1 of all",
        "Registration id 1: Map-Register nonce 0x00000000-0x00000003 want-Map-Notify key 0 \
         algorithm 1 for 172.16.0.0/24 TTL 1440 authoritative locators 203.0.113.11 1/100 LR \
         xTR-ID 0x000102030405060708090A0B0C0D0E0F Site-ID 0",
        "Registration-Ack id 1 for 172.16.0.0/24",
        "Registration id 2: Map-Register nonce 0x00000000-0x00000004 want-Map-Notify key 0 \
         algorithm 2 for 172.16.0.0/24 TTL 0 authoritative locators 203.0.113.11 1/100 LR \
         xTR-ID 0x000102030405060708090A0B0C0D0E0F Site-ID 0",
        "Registration-Reject id 2 for 10.99.0.0/24 not-a-site-prefix",
        "Mapping-Notification id 3 for 172.16.0.128/25 TTL 1440 locators 198.51.100.21 1/100 LR \
         xTR-ID 0x101112131415161718191A1B1C1D1E1F Site-ID 0",
        "Error-Notification id 4 unrecognized-type in type 99 length 12 id 7 (0 octets quoted)",
        "Registration-Refresh id 5 of instance 4100",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn every_registration_has_the_mac_of_cisco_and_signing_gives_its_octets() {
    let mut registrations = 0;
    for (title, octets) in reliable() {
        let ReliableFrame { message_id, message: ReliableMessage::Registration(registration) } =
            parse_frame(&octets)
        else {
            continue;
        };
        registrations += 1;
        let number = registration.register().authentication.algorithm;
        let key = cisco(Algorithm::from_number(number).expect("an algorithm"));
        assert!(registration.verify(&key).is_ok(), "{title}");
        let other = Key { secret: b"Cisco".to_vec(), ..key.clone() };
        assert_eq!(registration.verify(&other), Err(AuthError::Mismatch), "{title}");
        let again = Registration::emit_signed(registration.register(), message_id, &key);
        assert_eq!(again, octets, "{title}");
    }
    assert_eq!(registrations, 2);
}

#[test]
fn reliable_frames_arrive_wherever_the_stream_is_split() {
    let octets: Vec<u8> = reliable().into_iter().flat_map(|(_, octets)| octets).collect();
    let whole: Vec<_> = reliable().iter().map(|(_, octets)| Ok(parse_frame(octets))).collect();
    for split in 0..=octets.len() {
        let mut reader = FrameReader::new();
        let mut arrived = Vec::new();
        for piece in [&octets[..split], &octets[split..]] {
            reader.push(piece);
            arrived.extend(&mut reader);
        }
        assert_eq!(arrived, whole, "split at {split}");
    }
    let mut reader = FrameReader::new();
    let mut arrived = Vec::new();
    for octet in octets {
        reader.push(&[octet]);
        arrived.extend(&mut reader);
    }
    assert_eq!(arrived, whole, "octet by octet");
}

#[test]
fn every_truncation_of_a_reliable_frame_is_an_error() {
    for (title, octets) in reliable() {
        for length in 0..octets.len() {
            let error = ReliableFrame::parse(&octets[..length]).expect_err(title);
            assert!(error.offset <= length, "{title}: {error}");
        }
    }
}

#[test]
fn a_flipped_bit_of_an_end_marker_loses_the_stream() {
    for (title, octets) in reliable() {
        for bit in 0..32 {
            let mut flipped = octets.clone();
            let at = octets.len() - 4 + bit / 8;
            flipped[at] ^= 0x80 >> (bit % 8);
            let mut reader = FrameReader::new();
            reader.push(&flipped);
            reader.push(&octets);
            let frames: Vec<_> = reader.collect();
            assert!(matches!(frames[..], [Err(StreamError::Fatal(_))]), "{title}: {frames:?}");
        }
    }
}

#[test]
fn no_mutation_of_one_octet_of_a_reliable_frame_panics_and_what_parses_is_stable() {
    for (title, octets) in reliable() {
        for at in 0..octets.len() {
            for value in 0..=u8::MAX {
                let mut mutated = octets.clone();
                mutated[at] = value;
                let Ok(frame) = ReliableFrame::parse(&mutated) else {
                    continue;
                };
                assert_eq!(parse_frame(&frame.emit()), frame, "{title}: octet {at}: {frame}");
            }
        }
    }
}
