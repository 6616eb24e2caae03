//! Tests that every emitted value is read back as the same value. Also tests that no octets make a
//! parser panic.

use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};

use ipnet::IpNet;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::addr::{Eid, EidPrefix, InstanceId, Rloc};

fn instance_id() -> impl Strategy<Value = InstanceId> {
    prop_oneof![Just(0), 0..=InstanceId::MAX]
        .prop_map(|number| InstanceId::new(number).expect("24 bits"))
}

fn eid() -> impl Strategy<Value = Eid> {
    (instance_id(), any::<IpAddr>()).prop_map(|(instance, address)| Eid::new(instance, address))
}

pub(super) fn eid_prefix() -> impl Strategy<Value = EidPrefix> {
    (eid(), 0..=128u8).prop_map(|(eid, mask_len)| {
        let mask_len = mask_len.min(eid.family().bits());
        let prefix = IpNet::new(eid.address, mask_len).expect("a length that fits");
        EidPrefix::new(eid.instance_id, prefix)
    })
}

fn address() -> impl Strategy<Value = Address> {
    static KNOWN: [u8; 3] = [1, 2, 12];
    let opaque = (any::<u8>(), any::<u8>(), any::<u8>(), vec(any::<u8>(), 0..9))
        .prop_filter("an LCAF type that is kept opaque", |(_, lcaf_type, ..)| {
            !KNOWN.contains(lcaf_type)
        })
        .prop_map(|(flags, lcaf_type, rsvd2, octets)| Address::Opaque {
            flags,
            lcaf_type,
            rsvd2,
            octets,
        });
    // An LCAF of a known type. It contains an address with an unknown AFI, so the length of this
    // address is unknown.
    let unreadable = (any::<u8>(), prop::sample::select(&KNOWN[..]), any::<u8>()).prop_map(
        |(flags, lcaf_type, rsvd2)| {
            let octets = vec![0xff; 8];
            Address::Opaque { flags, lcaf_type, rsvd2, octets }
        },
    );
    let name = vec(1..=u8::MAX, 0..9).prop_map(|octets| Address::Name(octets.into()));
    let leaf = prop_oneof![
        Just(Address::None),
        any::<IpAddr>().prop_map(Address::Ip),
        name,
        any::<[u8; 6]>().prop_map(Address::Mac48),
        any::<[u8; 8]>().prop_map(Address::Mac64),
        opaque,
        unreadable,
    ];
    leaf.prop_recursive(address::MAX_LCAF_DEPTH as u32 - 1, 16, 3, |inner| {
        let boxed = || inner.clone().prop_map(Box::new);
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Address::List),
            (any::<u32>(), boxed())
                .prop_map(|(instance_id, address)| Address::InstanceId { instance_id, address }),
            (any::<(u8, u8)>(), boxed(), boxed()).prop_map(|(mask_lens, source, destination)| {
                Address::SourceDestination {
                    source_mask_len: mask_lens.0,
                    destination_mask_len: mask_lens.1,
                    source,
                    destination,
                }
            }),
        ]
    })
}

fn locator() -> impl Strategy<Value = LocatorRecord> {
    (any::<[u8; 4]>(), any::<[bool; 3]>(), address()).prop_map(|(numbers, bits, rloc)| {
        LocatorRecord {
            priority: numbers[0],
            weight: numbers[1],
            multicast_priority: numbers[2],
            multicast_weight: numbers[3],
            local: bits[0],
            probed: bits[1],
            reachable: bits[2],
            rloc,
        }
    })
}

pub(super) fn record() -> impl Strategy<Value = MappingRecord> {
    (any::<(u32, u8, bool)>(), 0..0x1000u16, eid_prefix(), vec(locator(), 0..4)).prop_map(
        |((ttl_minutes, action, authoritative), map_version, eid_prefix, locators)| MappingRecord {
            ttl_minutes,
            eid_prefix,
            action: Action::from_number(action),
            authoritative,
            map_version,
            locators,
        },
    )
}

pub(super) fn xtr_identity() -> impl Strategy<Value = Option<XtrIdentity>> {
    option::of(any::<(u128, u64)>())
        .prop_map(|ids| ids.map(|(xtr_id, site_id)| XtrIdentity { xtr_id, site_id }))
}

fn authentication() -> impl Strategy<Value = Authentication> {
    (any::<u8>(), any::<u8>(), vec(any::<u8>(), 0..40))
        .prop_map(|(key_id, algorithm, data)| Authentication { key_id, algorithm, data })
}

fn map_request() -> impl Strategy<Value = MapRequest> {
    let eid_record = (any::<bool>(), eid_prefix())
        .prop_map(|(wanted, eid_prefix)| EidRecord { notification_requested: wanted, eid_prefix });
    let rloc = any::<IpAddr>().prop_map(Rloc);
    (
        any::<[bool; 7]>(),
        any::<u64>(),
        option::of(eid()),
        vec(rloc, 1..=map_request::MAX_ITR_RLOCS),
        vec(eid_record, 0..4),
        option::of(record()),
        xtr_identity(),
    )
        .prop_map(|(bits, nonce, source_eid, itr_rlocs, records, mapping, xtr_identity)| {
            MapRequest {
                authoritative: bits[0],
                probe: bits[1],
                smr: bits[2],
                from_pitr: bits[3],
                smr_invoked: bits[4],
                local_xtr: bits[5],
                do_not_reply: bits[6],
                nonce: Nonce(nonce),
                source_eid,
                itr_rlocs,
                records,
                map_reply_record: mapping,
                xtr_identity,
            }
        })
}

fn map_reply() -> impl Strategy<Value = MapReply> {
    (any::<[bool; 3]>(), any::<u64>(), vec(record(), 0..4)).prop_map(|(bits, nonce, records)| {
        MapReply {
            probe: bits[0],
            echo_nonce: bits[1],
            security: bits[2],
            nonce: Nonce(nonce),
            records,
        }
    })
}

pub(super) fn map_register() -> impl Strategy<Value = MapRegister> {
    (any::<[bool; 7]>(), any::<u64>(), authentication(), vec(record(), 0..4), xtr_identity())
        .prop_map(|(bits, nonce, authentication, records, xtr_identity)| MapRegister {
            proxy_reply: bits[0],
            security_capable: bits[1],
            reliable_transport: bits[2],
            eid_notify: bits[3],
            ttl_for_timeout: bits[4],
            merge: bits[5],
            want_map_notify: bits[6],
            nonce: Nonce(nonce),
            authentication,
            records,
            xtr_identity,
        })
}

fn map_notify() -> impl Strategy<Value = MapNotify> {
    (any::<bool>(), any::<u64>(), authentication(), vec(record(), 0..4), xtr_identity()).prop_map(
        |(built_for_rtr, nonce, authentication, records, xtr_identity)| MapNotify {
            built_for_rtr,
            nonce: Nonce(nonce),
            authentication,
            records,
            xtr_identity,
        },
    )
}

fn info() -> impl Strategy<Value = Info> {
    (any::<(bool, u64, u32)>(), authentication(), option::of(eid_prefix()), address()).prop_map(
        |((reply, nonce, ttl_minutes), authentication, eid_prefix, nat)| Info {
            reply,
            nonce: Nonce(nonce),
            authentication,
            ttl_minutes,
            eid_prefix,
            nat,
        },
    )
}

fn encapsulated() -> impl Strategy<Value = Encapsulated> {
    let v4 = any::<[SocketAddrV4; 2]>().prop_map(|pair| pair.map(SocketAddr::from));
    // Messages contain no flow label and no scope of an address, so both are 0 here.
    let v6 = any::<[(u128, u16); 2]>()
        .prop_map(|pair| pair.map(|(ip, port)| SocketAddrV6::new(ip.into(), port, 0, 0).into()));
    (any::<[bool; 3]>(), prop_oneof![v4, v6], any::<u8>(), vec(any::<u8>(), 0..99)).prop_map(
        |(bits, [source, destination], ttl, message)| Encapsulated {
            ddt_originated: bits[0],
            to_etr: bits[1],
            to_ms: bits[2],
            source,
            destination,
            ttl,
            message,
        },
    )
}

pub(crate) fn data_header() -> impl Strategy<Value = DataHeader> {
    let nonce = prop_oneof![
        Just(NonceField::None),
        (0..1u32 << 24, any::<bool>()).prop_map(|(nonce, echo)| NonceField::Nonce { nonce, echo }),
        (0..1u16 << 12, 0..1u16 << 12)
            .prop_map(|(source, destination)| NonceField::MapVersion { source, destination }),
    ];
    (nonce, option::of(any::<u32>()), option::of(instance_id()), 0..4u8).prop_map(
        |(nonce, bits, instance_id, key)| DataHeader {
            nonce,
            locator_status_bits: bits.map(
                |bits| {
                    if instance_id.is_some() { bits & 0xff } else { bits }
                },
            ),
            instance_id,
            key,
        },
    )
}

pub(crate) fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        map_request().prop_map(Message::MapRequest),
        map_reply().prop_map(Message::MapReply),
        map_register().prop_map(Message::MapRegister),
        map_notify().prop_map(Message::MapNotify),
        map_notify().prop_map(MapNotifyAck).prop_map(Message::MapNotifyAck),
        info().prop_map(Message::Info),
        encapsulated().prop_map(Message::Encapsulated),
    ]
}

/// Returns the message without xTR-ID and Site-ID.
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

/// Returns the message without xTR-ID and Site-ID, and without the Map-Reply record before them.
fn without_record(message: Message) -> Message {
    let mut message = without_identity(message);
    if let Message::MapRequest(message) = &mut message {
        message.map_reply_record = None;
    }
    message
}

proptest! {
    #[test]
    fn what_is_emitted_is_parsed_as_the_same_message(message in message()) {
        let octets = message.emit();
        prop_assert_eq!(octets[0] >> 4, message.message_type().number());
        prop_assert_eq!(Message::parse(&octets), Ok(message));
    }

    #[test]
    fn what_is_emitted_is_parsed_as_the_same_data_header(header in data_header()) {
        let octets = header.emit();
        prop_assert_eq!(DataHeader::parse(&octets), Ok((header, &[][..])));
    }

    #[test]
    fn a_truncated_message_is_an_error_or_lacks_an_optional_part(
        message in message(),
        cut in any::<prop::sample::Index>(),
    ) {
        let octets = message.emit();
        let length = cut.index(octets.len());
        if let Ok(shorter) = Message::parse(&octets[..length]) {
            let expected = [without_identity(message.clone()), without_record(message)];
            prop_assert!(expected.contains(&shorter), "{shorter}");
        }
    }

    #[test]
    fn no_mutation_panics(
        message in message(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut octets = message.emit();
        for (at, value) in changes {
            let at = at.index(octets.len());
            octets[at] = value;
        }
        let key = Key { algorithm: Algorithm::HmacSha1, secret: Vec::new(), key_id: 0 };
        let _ = verify(&octets, &key);
        if let Ok(message) = Message::parse(&octets) {
            prop_assert!(!message.to_string().contains('\n'));
            prop_assert_eq!(Message::parse(&message.emit()), Ok(message));
        }
    }

    #[test]
    fn no_octets_panic(octets in vec(any::<u8>(), 0..200)) {
        let _ = Message::parse(&octets);
        let _ = DataHeader::parse(&octets);
    }
}
