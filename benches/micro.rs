//! The cost of one packet and of one message, in the pure core: `cargo bench --bench micro`.
//!
//! divan prints the fastest, the slowest, the median and the mean time of each. For times of a few
//! nanoseconds, it measures many iterations together, because a timer itself takes such a time.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use eidway::addr::{Eid, EidPrefix, InstanceId, Rloc};
use eidway::console::parse_config;
use eidway::packet::{IpHeader, Load, Packet};
use eidway::rng::{Rng, Seed};
use eidway::router::io::{
    Command, ControlDatagram, Input, KernelEvent, KernelRoute, Outbound, Outer, Output,
};
use eidway::router::map_cache::{Learned, Locator, MapCache, Mapping};
use eidway::router::reachability::Source;
use eidway::router::{Router, Start};
use eidway::time::Time;
use eidway::watch::{RouterWatch, Watch};
use eidway::wire::{
    Algorithm, CONTROL_PORT, Encapsulated, Key, LocatorRecord, MapNotify, MapRegister, MapReply,
    MapRequest, MappingRecord, Message, Nonce, XtrIdentity, verify,
};
use etherparse::PacketBuilder;

const RLOC: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 11);
const PEER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 21);
const RESOLVER: Ipv4Addr = Ipv4Addr::new(209, 165, 201, 31);
const A: [u8; 4] = [172, 16, 0, 12];
const B: [u8; 4] = [192, 168, 0, 22];

fn main() {
    divan::main();
}

fn prefix(text: &str) -> EidPrefix {
    EidPrefix::new(InstanceId::DEFAULT, text.parse().expect("a prefix"))
}

fn key() -> Key {
    Key { algorithm: Algorithm::HmacSha1, secret: b"bench-key".to_vec(), key_id: 0 }
}

fn record(eids: &str, rloc: Ipv4Addr) -> MappingRecord {
    let locator = LocatorRecord::unicast(rloc.into(), 1, 100);
    MappingRecord::of_site(prefix(eids), 1440, vec![locator])
}

/// A UDP packet of `len` octets of payload.
fn packet(source: [u8; 4], destination: [u8; 4], len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let builder = PacketBuilder::ipv4(source, destination, 64).udp(1000, 7);
    builder.write(&mut bytes, &vec![0x5a; len]).expect("a Vec takes everything");
    bytes
}

mod map_cache {
    use super::*;

    /// A cache of `entries` host prefixes out of 10.0.0.0/8 and the 7 networks after it.
    fn filled(entries: u32) -> MapCache {
        let mut cache = MapCache::default();
        cache.reconcile_static(&BTreeSet::from([prefix("0.0.0.0/0")]), Time::ZERO);
        for number in 0..entries {
            let host = host(number);
            let locator = Locator {
                rloc: Rloc(PEER.into()),
                priority: 1,
                weight: 100,
                ordinal: 0,
                up: true,
                source: Source::RBit,
                since: Time::ZERO,
            };
            let learned = Learned {
                prefix: host.host_prefix(),
                mapping: Mapping::Locators([locator].into()),
                ttl: Duration::from_secs(86_400),
                map_source: PEER.into(),
                solicited: false,
            };
            cache.learn(learned, host, entries as usize + 1, Time::ZERO);
        }
        cache
    }

    /// Returns the host with this number. The hosts are distributed over the trie, as real hosts
    /// are.
    fn host(number: u32) -> Eid {
        let spread = number.wrapping_mul(0x9e37_79b1) >> 5;
        let address = Ipv4Addr::from_bits(0x0a00_0000 + spread);
        Eid::new(InstanceId::DEFAULT, address.into())
    }

    #[divan::bench(args = [1, 1_000, 1_000_000])]
    fn random_lookup(bencher: Bencher<'_, '_>, entries: u32) {
        let mut cache = filled(entries);
        let mut random = Rng::new(&Seed::from_number(1), "lookups");
        let eids: Vec<Eid> =
            (0..65_536).map(|_| host(random.below(u64::from(entries)) as u32)).collect();
        let mut next = 0;
        bencher.bench_local(|| {
            next = (next + 1) % eids.len();
            let entry = cache.find(eids[next]).map(|(slot, ..)| slot);
            let count = |slot| cache.count_use(slot, Load { packets: 1, bytes: 100 }, Time::ZERO);
            entry.map(count)
        });
    }
}

mod data_path {
    use super::*;

    const CONFIG: &str = "
hostname xTR1
interface Ethernet0/0
 ip address 203.0.113.11 255.255.255.0
interface Ethernet1/0
 ip address 172.16.0.1 255.255.255.0
router lisp
 locator-set set1
  203.0.113.11 priority 1 weight 100
 eid-table default instance-id 0
  database-mapping 172.16.0.0/24 locator-set set1
 ipv4 itr map-resolver 209.165.201.31
 ipv4 itr
 ipv4 etr
ip route 0.0.0.0 0.0.0.0 203.0.113.1
";

    fn drain(router: &mut Router) -> Vec<Output> {
        std::iter::from_fn(|| router.poll_output()).collect()
    }

    /// An xTR that has resolved B.
    fn xtr() -> Router {
        let config = parse_config("bench.conf", CONFIG).expect("it is right");
        let start = Start { config, seed: Seed::from_number(1), wall_clock: 1000, now: Time::ZERO };
        let mut router = Router::new(start);
        for (device, net) in [("et0-0", "203.0.113.0/24"), ("et1-0", "172.16.0.0/24")] {
            let device = device.to_owned();
            let link =
                KernelEvent::Link { device: device.clone(), up: true, carrier: true, mtu: 1500 };
            router.handle(Input::Kernel(link), Time::ZERO);
            let prefix = net.parse().expect("a prefix");
            let route = KernelRoute { prefix, device, gateway: None, metric: 0 };
            router.handle(Input::Kernel(KernelEvent::RouteAdded(route)), Time::ZERO);
        }
        drain(&mut router);
        let mut bytes = packet(A, B, 64);
        let mut held = Packet::single(&mut bytes);
        assert_eq!(router.encapsulate(InstanceId::DEFAULT, &mut held, Time::ZERO), Outbound::Held);
        let nonce = drain(&mut router).into_iter().find_map(|output| match output {
            Output::Control { payload, .. } => match Message::parse(&payload) {
                Ok(Message::Encapsulated(ecm)) => {
                    MapRequest::parse(&ecm.message).ok().map(|request| request.nonce)
                }
                _ => None,
            },
            _ => None,
        });
        let reply = MapReply {
            nonce: nonce.expect("the ITR asks"),
            records: vec![record("192.168.0.0/24", PEER)],
            ..MapReply::default()
        };
        let datagram = ControlDatagram {
            source: SocketAddr::new(PEER.into(), CONTROL_PORT),
            destination: RLOC.into(),
            payload: &reply.emit(),
        };
        router.handle(Input::Control(datagram), Time::ZERO);
        drain(&mut router);
        router
    }

    /// A page watches the router. The packets whose decisions it gets at once have passed.
    fn watch(router: &mut Router, mut pass: impl FnMut(&mut Router)) {
        router.show_to(Box::new(RouterWatch::new("xTR1", Watch::default())));
        router.handle(Input::Command(Command::Watch(true)), Time::ZERO);
        for _ in 0..1000 {
            pass(router);
            drain(router);
        }
    }

    #[divan::bench(args = [false, true])]
    fn encapsulation_verdict(bencher: Bencher<'_, '_>, is_watched: bool) {
        let mut router = xtr();
        let mut bytes = packet(A, B, 64);
        if is_watched {
            watch(&mut router, |router| {
                let mut packet = Packet::single(&mut bytes);
                let _ = router.encapsulate(InstanceId::DEFAULT, &mut packet, Time::ZERO);
            });
        }
        bencher.bench_local(|| {
            let mut packet = Packet::single(black_box(&mut bytes));
            let verdict = router.encapsulate(InstanceId::DEFAULT, &mut packet, Time::ZERO);
            assert!(matches!(verdict, Outbound::Encapsulate(_)), "{verdict:?}");
        });
    }

    #[divan::bench(args = [false, true])]
    fn decapsulation_verdict(bencher: Bencher<'_, '_>, is_watched: bool) {
        let mut router = xtr();
        let mut datagram = vec![0; 8];
        datagram.extend(packet(B, A, 64));
        let outer = Outer { source: PEER.into(), destination: RLOC.into(), ttl: 64, tos: 0 };
        // Each call reduces the TTL of the inner packet, so each call gets a fresh copy.
        let fresh = datagram.clone();
        if is_watched {
            watch(&mut router, |router| {
                datagram[..28].copy_from_slice(&fresh[..28]);
                let _ = router.decapsulate(&outer, &mut Packet::single(&mut datagram), Time::ZERO);
            });
        }
        bencher.bench_local(|| {
            datagram[..28].copy_from_slice(&fresh[..28]);
            let mut packet = Packet::single(black_box(&mut datagram));
            router.decapsulate(&outer, &mut packet, Time::ZERO)
        });
    }

    #[divan::bench(args = [20, 1400, 65_536])]
    fn checksum(bencher: Bencher<'_, '_>, len: usize) {
        let bytes = vec![0x5a; len];
        bencher.counter(BytesCount::from(len)).bench(|| eidway::checksum::sum(black_box(&bytes)));
    }

    #[divan::bench]
    fn ip_header_parse(bencher: Bencher<'_, '_>) {
        let bytes = packet(A, B, 64);
        bencher.bench(|| IpHeader::parse(black_box(&bytes)));
    }
}

mod wire {
    use super::*;

    fn map_request() -> Vec<u8> {
        let request = MapRequest {
            nonce: Nonce(5),
            source_eid: Some(Eid::new(InstanceId::DEFAULT, IpAddr::from(A))),
            itr_rlocs: vec![Rloc(RLOC.into())],
            records: vec![prefix("192.168.0.22/32").into()],
            ..MapRequest::default()
        };
        request.emit()
    }

    fn map_register() -> MapRegister {
        MapRegister {
            want_map_notify: true,
            nonce: Nonce(5),
            records: vec![record("172.16.0.0/24", RLOC)],
            xtr_identity: Some(XtrIdentity { xtr_id: 1, site_id: 0 }),
            ..MapRegister::default()
        }
    }

    fn messages(name: &str) -> Vec<u8> {
        let records = vec![record("172.16.0.0/24", RLOC)];
        match name {
            "Map-Request" => map_request(),
            "ECM" => {
                let inner = SocketAddr::new(RESOLVER.into(), CONTROL_PORT);
                Encapsulated::new(inner, inner, map_request()).emit()
            }
            "Map-Reply" => MapReply { records, ..MapReply::default() }.emit(),
            "Map-Register" => map_register().emit_signed(&key()),
            _ => MapNotify { records, ..MapNotify::default() }.emit_signed(&key()),
        }
    }

    const NAMES: [&str; 5] = ["Map-Request", "ECM", "Map-Reply", "Map-Register", "Map-Notify"];

    #[divan::bench(args = NAMES)]
    fn parse(bencher: Bencher<'_, '_>, name: &str) {
        let octets = messages(name);
        bencher
            .counter(BytesCount::from(octets.len()))
            .bench(|| Message::parse(black_box(&octets)).is_ok());
    }

    /// Measures how long it takes to build and emit a message. For the two signed messages, this
    /// includes the signature.
    #[divan::bench(args = NAMES)]
    fn emit(bencher: Bencher<'_, '_>, name: &str) {
        bencher.bench(|| messages(black_box(name)));
    }

    #[divan::bench(args = [Algorithm::HmacSha1, Algorithm::HmacSha256, Algorithm::HmacSha256Hkdf])]
    fn verify_map_register(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
        let key = Key { algorithm, ..key() };
        let octets = map_register().emit_signed(&key);
        bencher.bench(|| assert!(verify(black_box(&octets), &key).is_ok()));
    }
}
