//! Tests that every emitted frame is read back as the same frame, also if it arrives in pieces of
//! any size. Also tests that no octets make a parser panic.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::addr::Family;
use crate::wire::round_trip::{eid_prefix, map_register, record, xtr_identity};
use crate::wire::{Algorithm, Key, MapRegister};

fn error_notification() -> impl Strategy<Value = ErrorNotification> {
    (any::<(u8, u16, u16, u32)>(), vec(any::<u8>(), 0..40)).prop_map(
        |((code, offending_type, offending_length, offending_message_id), offending_data)| {
            ErrorNotification {
                code: ErrorCode::from_number(code),
                offending_type,
                offending_length,
                offending_message_id,
                offending_data,
            }
        },
    )
}

fn register_of_one() -> impl Strategy<Value = MapRegister> {
    (map_register(), record())
        .prop_map(|(register, record)| MapRegister { records: vec![record], ..register })
}

fn registration() -> impl Strategy<Value = Registration> {
    register_of_one()
        .prop_map(|register| Registration::parse(&register.emit()).expect("one record"))
}

fn reject() -> impl Strategy<Value = RegistrationReject> {
    (any::<u8>(), eid_prefix()).prop_map(|(reason, eid_prefix)| RegistrationReject {
        reason: RejectReason::from_number(reason),
        eid_prefix,
    })
}

fn refresh() -> impl Strategy<Value = RegistrationRefresh> {
    let scope = (0..5, eid_prefix()).prop_map(|(number, eid_prefix)| match number {
        0 => RefreshScope::All,
        1 => RefreshScope::Instance(eid_prefix.instance_id()),
        2 => RefreshScope::InstanceFamily(eid_prefix.instance_id(), eid_prefix.family()),
        3 => RefreshScope::CoveredBy(eid_prefix),
        _ => RefreshScope::Exactly(eid_prefix),
    });
    (scope, any::<bool>())
        .prop_map(|(scope, rejected_only)| RegistrationRefresh { scope, rejected_only })
}

fn mapping_notification() -> impl Strategy<Value = MappingNotification> {
    (xtr_identity(), record()).prop_map(|(identity, record)| MappingNotification {
        xtr_identity: identity.unwrap_or_default(),
        record,
    })
}

pub(crate) fn frame() -> impl Strategy<Value = ReliableFrame> {
    let message = prop_oneof![
        error_notification().prop_map(ReliableMessage::ErrorNotification),
        registration().prop_map(ReliableMessage::Registration),
        eid_prefix().prop_map(ReliableMessage::RegistrationAck),
        reject().prop_map(ReliableMessage::RegistrationReject),
        refresh().prop_map(ReliableMessage::RegistrationRefresh),
        mapping_notification().prop_map(ReliableMessage::MappingNotification),
    ];
    (any::<u32>(), message).prop_map(|(message_id, message)| ReliableFrame { message_id, message })
}

proptest! {
    #[test]
    fn what_is_emitted_is_parsed_as_the_same_frame(frame in frame()) {
        let octets = frame.emit();
        prop_assert_eq!(&octets[..2], frame.message.message_type().number().to_be_bytes());
        prop_assert_eq!(ReliableFrame::parse(&octets), Ok(frame));
    }

    #[test]
    fn a_truncated_frame_is_an_error(frame in frame(), cut in any::<prop::sample::Index>()) {
        let octets = frame.emit();
        let length = cut.index(octets.len());
        prop_assert!(ReliableFrame::parse(&octets[..length]).is_err());
    }

    #[test]
    fn data_cut_short_within_a_right_envelope_never_panic(
        frame in frame(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut data = Vec::new();
        frame.message.emit(&mut data);
        let message_type = frame.message.message_type();
        let cut = framed(message_type, frame.message_id, &data[..cut.index(data.len())]);
        if let Err(error) = ReliableFrame::parse(&cut) {
            prop_assert!(error.offset <= cut.len(), "{}", error);
        }
    }

    #[test]
    fn a_signed_registration_is_verified(register in register_of_one(), message_id: u32) {
        for algorithm in [Algorithm::HmacSha1, Algorithm::HmacSha256, Algorithm::HmacSha256Hkdf] {
            let key = Key { algorithm, secret: b"cisco".to_vec(), key_id: 1 };
            let octets = Registration::emit_signed(&register, message_id, &key);
            let frame = ReliableFrame::parse(&octets).expect("a frame");
            let ReliableMessage::Registration(registration) = &frame.message else {
                panic!("{frame}");
            };
            prop_assert!(registration.verify(&key).is_ok());
            prop_assert_eq!(registration.record(), &register.records[0]);
        }
    }

    #[test]
    fn frames_arrive_whatever_the_pieces(
        frames in vec(frame(), 0..5),
        sizes in vec(1..50usize, 1..9),
    ) {
        let octets: Vec<u8> = frames.iter().flat_map(ReliableFrame::emit).collect();
        let mut reader = FrameReader::new();
        let mut arrived = Vec::new();
        let mut rest = &octets[..];
        for size in sizes.into_iter().cycle() {
            let (piece, after) = rest.split_at(size.min(rest.len()));
            reader.push(piece);
            arrived.extend(&mut reader);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(arrived, frames.into_iter().map(Ok).collect::<Vec<_>>());
    }

    #[test]
    fn no_mutation_panics(
        frame in frame(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut octets = frame.emit();
        for (at, value) in changes {
            let at = at.index(octets.len());
            octets[at] = value;
        }
        let mut reader = FrameReader::new();
        reader.push(&octets);
        for frame in reader.flatten() {
            prop_assert!(!frame.to_string().contains('\n'));
            prop_assert_eq!(ReliableFrame::parse(&frame.emit()), Ok(frame));
        }
    }

    #[test]
    fn no_octets_panic(octets in vec(any::<u8>(), 0..200)) {
        let _ = ReliableFrame::parse(&octets);
        let mut reader = FrameReader::new();
        reader.push(&octets);
        let _ = reader.last();
    }
}

#[test]
fn a_registration_of_none_or_several_records_is_an_error_that_counts_them() {
    let record = |text: &str| {
        let prefix = EidPrefix::new(Default::default(), text.parse().expect("a prefix"));
        crate::wire::MappingRecord::of_site(prefix, 1440, Vec::new())
    };
    for records in [vec![], vec![record("172.16.0.0/24"), record("172.16.1.0/24")]] {
        let count = records.len();
        let register = MapRegister { records, ..MapRegister::default() };
        let octets = framed(ReliableType::Registration, 1, &register.emit());
        let error = ReliableFrame::parse(&octets).expect_err("not one record");
        assert_eq!(
            error.to_string(),
            format!(
                "Registration: mapping records have the count {count}, but exactly 1 is allowed, \
                 at octet 3"
            )
        );
    }
}

#[test]
fn a_frame_too_long_for_its_length_is_not_emitted() {
    let emitted_len = |data: usize| {
        let notification = ErrorNotification {
            code: ErrorCode::FormatError,
            offending_type: 99,
            offending_length: 12,
            offending_message_id: 7,
            offending_data: vec![0; data],
        };
        let message = ReliableMessage::ErrorNotification(notification);
        ReliableFrame { message_id: 1, message }.emit().len()
    };
    assert_eq!((emitted_len(65_511), emitted_len(65_512)), (65_535, 0));
}

#[test]
fn a_refresh_shows_what_it_asks_for() {
    let prefix = EidPrefix::new(Default::default(), Family::Ipv6.default_prefix());
    let shown = |scope, rejected_only| {
        let refresh = RegistrationRefresh { scope, rejected_only };
        let message = ReliableMessage::RegistrationRefresh(refresh);
        ReliableFrame { message_id: 9, message }.to_string()
    };
    assert_eq!(shown(RefreshScope::All, true), "Registration-Refresh id 9 of all rejected-only");
    assert_eq!(
        shown(RefreshScope::InstanceFamily(prefix.instance_id(), Family::Ipv6), false),
        "Registration-Refresh id 9 of instance 0 IPv6"
    );
    assert_eq!(
        shown(RefreshScope::CoveredBy(prefix), false),
        "Registration-Refresh id 9 of all covered by ::/0"
    );
    assert_eq!(shown(RefreshScope::Exactly(prefix), false), "Registration-Refresh id 9 of ::/0");
}
