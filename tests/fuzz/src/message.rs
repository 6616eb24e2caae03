//! The parsers of single datagrams: control messages, their MACs, the header of data packets.

use eidway::wire::auth::{Algorithm, Key};
use eidway::wire::{DataHeader, Encapsulated, Message, verify};

use super::normalised;

/// Octets after the end of a message in a buffer. They must not be read.
const PADDING: [u8; 24] = [0x2a; 24];

/// Parses any octets. A parsed message is emitted with the same octets, except for the named
/// normalisations. Octets after the message do not change it. The check of its MAC does not panic.
pub fn message(input: &[u8]) {
    data_header(input);
    authentication(input);
    let Ok(parsed) = Message::parse(input) else {
        return;
    };
    let emitted = parsed.emit();
    if !ends_early(input, &emitted) {
        assert_eq!(Message::parse(&[input, &PADDING].concat()).as_ref(), Ok(&parsed), "padding");
    }
    assert_eq!(Message::parse(&emitted).as_ref(), Ok(&parsed), "parse(emit(x)) is x");
    assert!(!parsed.to_string().is_empty());
    match &parsed {
        Message::Encapsulated(encapsulated) => {
            inner_header(encapsulated, &emitted);
            assert_eq!(normalised::message(&emitted), normalised::message(input));
            message(&encapsulated.message);
        }
        _ => assert_eq!(emitted, normalised::message(input)),
    }
}

/// Whether a message has the bit of an optional part and ends before that part, so that the octets after
/// it would be read as the part.
fn ends_early(input: &[u8], emitted: &[u8]) -> bool {
    let bits = match input[0] >> 4 {
        1 => [0x04, 0x10],
        3 => [0x02, 0],
        4 | 5 => [0x08, 0],
        _ => return false,
    };
    (0..2).any(|at| input[at] & !emitted[at] & bits[at] != 0)
}

/// The inner IP header of an emitted ECM: no options, the right length, the addresses and the TTL.
fn inner_header(encapsulated: &Encapsulated, emitted: &[u8]) {
    let packet = &emitted[4..];
    let header = eidway::packet::IpHeader::parse(packet).expect("a header of our own");
    assert_eq!(header.total_len, packet.len());
    assert_eq!(header.source, encapsulated.source.ip());
    assert_eq!(header.destination, encapsulated.destination.ip());
    assert_eq!(header.ttl, encapsulated.ttl);
    let checksum_at = if header.source.is_ipv4() { 20 } else { 40 } + 6;
    assert_ne!(packet[checksum_at..checksum_at + 2], [0, 0], "an inner checksum is left out");
}

/// If a message verifies, it was signed with this key. After a change of an octet, it does not
/// verify.
fn authentication(input: &[u8]) {
    for algorithm in [Algorithm::HmacSha1, Algorithm::HmacSha256, Algorithm::HmacSha256Hkdf] {
        let key = Key { algorithm, secret: b"cisco".to_vec(), key_id: 0 };
        if verify(input, &key).is_ok() {
            let mut changed = input.to_vec();
            changed[4] ^= 1;
            assert!(verify(&changed, &key).is_err(), "the MAC covers the nonce");
        }
    }
    let key = |algorithm| Key { algorithm, secret: b"cisco".to_vec(), key_id: 0 };
    let signed = match Message::parse(input) {
        Ok(Message::MapRegister(register)) => register.emit_signed(&key(Algorithm::HmacSha256)),
        Ok(Message::MapNotify(notify)) => notify.emit_signed(&key(Algorithm::HmacSha1)),
        Ok(Message::MapNotifyAck(ack)) => ack.emit_signed(&key(Algorithm::HmacSha256Hkdf)),
        _ => return,
    };
    assert!(verify(&signed, &key(Algorithm::HmacSha1)).is_ok(), "a message that we sign verifies");
}

/// Parses and emits the LISP header of data packets. Reserved bits, and fields without their flag,
/// are emitted as zero.
fn data_header(input: &[u8]) {
    let Ok((header, inner)) = DataHeader::parse(input) else {
        return;
    };
    assert_eq!(inner, &input[8..]);
    let emitted = header.emit();
    assert_eq!(DataHeader::parse(&emitted), Ok((header, &[][..])));
    for (index, (emitted, read)) in emitted.iter().zip(input).enumerate() {
        assert_eq!(emitted & !read, 0, "octet {index} has a bit that was not there");
    }
}
