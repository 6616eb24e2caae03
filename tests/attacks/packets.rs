//! The packets of the attacker in the core: whole IPv4 packets, from any source.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{SystemTime, UNIX_EPOCH};

use eidway::addr::{Eid, EidPrefix, InstanceId, Rloc};
use eidway::rng::{Rng, Seed};
use eidway::wire::{
    Algorithm, CONTROL_PORT, DATA_PORT, DataHeader, Encapsulated, Key, LocatorRecord, MapNotify,
    MapNotifyAck, MapRegister, MapReply, MapRequest, MappingRecord, Nonce, NonceField, XtrIdentity,
};
use etherparse::PacketBuilder;

use crate::{X, below, network};

/// The routers of the lab, by their RLOCs.
const XTR1: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 11);
const XTR2: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 21);
const PXTR1: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 51);
pub const NEW_MSMR: Ipv4Addr = Ipv4Addr::new(209, 165, 201, 31);
const OLD_MSMR: Ipv4Addr = Ipv4Addr::new(209, 165, 201, 41);
/// The hosts of the lab, and the gateway of A.
const A: Ipv4Addr = Ipv4Addr::new(172, 16, 0, 12);
const B: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 22);
const C: Ipv4Addr = Ipv4Addr::new(10, 10, 10, 10);
const GATEWAY: Ipv4Addr = Ipv4Addr::new(172, 16, 0, 1);
/// The number of records that fit into one packet of 1500 octets.
const MANY_RECORDS: u64 = 180;
/// The number of octets that an ICMP error quotes: the headers of IP and UDP.
const QUOTED: usize = 28;
const DESTINATION_UNREACHABLE: u8 = 3;
const HOST_UNREACHABLE: u8 = 1;
const TOO_BIG: u8 = 4;

type Packet = Vec<u8>;

/// One kind of attack.
#[derive(Clone, Copy)]
pub struct Attack {
    pub name: &'static str,
    /// The next packet of it.
    pub packet: fn(&mut Forger) -> Packet,
}

/// The attacks. They run at the same time: the next packet is always from the next attack.
pub const ATTACKS: [Attack; 25] = [
    Attack { name: "request for any EID", packet: request_any },
    Attack { name: "request with many records", packet: request_many },
    Attack { name: "request by one asker", packet: request_one_asker },
    Attack { name: "request by many askers", packet: request_many_askers },
    Attack { name: "request as a probe", packet: request_probe },
    Attack { name: "request that circles", packet: request_circling },
    Attack { name: "SMR", packet: smr },
    Attack { name: "reply with a guessed nonce", packet: reply },
    Attack { name: "register with a wrong key", packet: register_wrong_key },
    Attack { name: "register too old", packet: register_old },
    Attack { name: "register to fill", packet: register_fill },
    Attack { name: "register of another site", packet: register_foreign },
    Attack { name: "notify without the key", packet: notify },
    Attack { name: "notify-ack without the key", packet: notify_ack },
    Attack { name: "ICMP too big", packet: too_big },
    Attack { name: "ICMP too big of any RLOC", packet: too_big_any },
    Attack { name: "ICMP unreachable", packet: unreachable },
    Attack { name: "data from any EID", packet: data_any_source },
    Attack { name: "data to silent hosts", packet: data_silent_host },
    Attack { name: "data from inside", packet: data_from_inside },
    Attack { name: "data with nonces", packet: data_nonces },
    Attack { name: "SYN to a host", packet: syn_host },
    Attack { name: "SYN to port 4342", packet: syn_control },
    Attack { name: "garbage at port 4342", packet: garbage_control },
    Attack { name: "garbage at port 4341", packet: garbage_data },
];

/// Makes packets, with a source of random numbers and a counter.
pub struct Forger {
    rng: Rng,
    key: Key,
    /// The next nonce of a Map-Register. As at a router, nonces are microseconds since 1970.
    fresh: u64,
}

impl Forger {
    #[expect(clippy::disallowed_methods, reason = "registers of today, to routers of today")]
    pub fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Forger {
            rng: Rng::new(&Seed::from_number(13), "attacks"),
            key: key("x-key"),
            fresh: now.as_micros() as u64,
        }
    }

    /// An address that no network of the lab has.
    fn anywhere(&mut self) -> Ipv4Addr {
        Ipv4Addr::from_bits((11 + below(&mut self.rng, 80) as u32) << 24 | self.bits(24))
    }

    fn bits(&mut self, count: u32) -> u32 {
        self.rng.next_u64() as u32 & ((1 << count) - 1)
    }

    fn nonce(&mut self) -> Nonce {
        Nonce(self.rng.next_u64())
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[below(&mut self.rng, of.len())]
    }

    fn map_server(&mut self) -> Ipv4Addr {
        self.one_of(&[NEW_MSMR, OLD_MSMR])
    }

    /// A host of the site whose key the attacker has.
    fn own_host(&mut self) -> Ipv4Addr {
        Ipv4Addr::from_bits(Ipv4Addr::new(10, 99, 0, 0).to_bits() | self.bits(16))
    }

    /// An EID of A's site that no host has.
    fn silent_host(&mut self) -> Ipv4Addr {
        Ipv4Addr::new(172, 16, 0, 128 + self.bits(7) as u8)
    }

    fn octets(&mut self, most: usize) -> Vec<u8> {
        let len = 1 + below(&mut self.rng, most);
        (0..len).map(|_| self.rng.next_u64() as u8).collect()
    }
}

pub fn key(secret: &str) -> Key {
    Key { algorithm: Algorithm::HmacSha1, secret: secret.into(), key_id: 0 }
}

fn prefix(address: Ipv4Addr, len: u8) -> EidPrefix {
    EidPrefix::new(InstanceId::DEFAULT, network(address, len))
}

fn eid(address: Ipv4Addr) -> Eid {
    Eid::new(InstanceId::DEFAULT, address.into())
}

fn rloc(address: Ipv4Addr) -> Rloc {
    Rloc(address.into())
}

/// A datagram, with its headers.
fn udp(source: Ipv4Addr, from: u16, destination: Ipv4Addr, to: u16, payload: &[u8]) -> Packet {
    let builder = PacketBuilder::ipv4(source.octets(), destination.octets(), 64).udp(from, to);
    let mut packet = Vec::with_capacity(builder.size(payload.len()));
    builder.write(&mut packet, payload).expect("it is short");
    packet
}

fn control(source: Ipv4Addr, destination: Ipv4Addr, message: &[u8]) -> Packet {
    udp(source, CONTROL_PORT, destination, CONTROL_PORT, message)
}

/// A request for hosts, inside an Encapsulated Control Message.
fn encapsulated(forger: &mut Forger, to: Ipv4Addr, eids: &[Ipv4Addr]) -> Packet {
    let (asker, source) = (forger.anywhere(), forger.anywhere());
    let message = request(forger, eids.iter().map(|eid| prefix(*eid, 32)), asker).emit();
    let inner = |address: Ipv4Addr| SocketAddr::new(address.into(), CONTROL_PORT);
    let message = Encapsulated::new(inner(asker), inner(eids[0]), message).emit();
    control(source, to, &message)
}

fn request(
    forger: &mut Forger,
    prefixes: impl Iterator<Item = EidPrefix>,
    asker: Ipv4Addr,
) -> MapRequest {
    MapRequest {
        nonce: forger.nonce(),
        itr_rlocs: vec![rloc(asker)],
        records: prefixes.map(Into::into).collect(),
        ..MapRequest::default()
    }
}

fn request_any(forger: &mut Forger) -> Packet {
    let (to, eid) = (forger.map_server(), forger.anywhere());
    encapsulated(forger, to, &[eid])
}

fn request_many(forger: &mut Forger) -> Packet {
    let source = forger.anywhere();
    let base = Ipv4Addr::new(172, 16, 0, 0).to_bits();
    let prefixes = (0..MANY_RECORDS).map(|n| prefix(Ipv4Addr::from_bits(base | n as u32), 32));
    let message = request(forger, prefixes, source).emit();
    control(source, XTR1, &message)
}

fn request_one_asker(forger: &mut Forger) -> Packet {
    let (eid, len) = (forger.silent_host(), forger.one_of(&[24, 28, 30, 32]));
    let message = request(forger, [prefix(eid, len)].into_iter(), X).emit();
    control(X, XTR1, &message)
}

fn request_many_askers(forger: &mut Forger) -> Packet {
    let source = forger.anywhere();
    let message = request(forger, [prefix(A, 32)].into_iter(), source).emit();
    control(source, XTR1, &message)
}

fn request_probe(forger: &mut Forger) -> Packet {
    let (source, to) = (forger.anywhere(), forger.one_of(&[XTR1, XTR2]));
    let message = request(forger, [prefix(B, 32)].into_iter(), source);
    control(source, to, &MapRequest { probe: true, ..message }.emit())
}

fn request_circling(forger: &mut Forger) -> Packet {
    let to = forger.map_server();
    let eids = [0; 8].map(|_: u8| forger.own_host());
    encapsulated(forger, to, &eids)
}

fn smr(forger: &mut Forger) -> Packet {
    let (source, to) = (forger.anywhere(), forger.one_of(&[XTR2, PXTR1]));
    let from_eid = Ipv4Addr::from_bits(A.to_bits() & !0xff | forger.bits(8));
    let message = request(forger, [prefix(B, 32)].into_iter(), source);
    let message = MapRequest { smr: true, source_eid: Some(eid(from_eid)), ..message };
    control(source, to, &message.emit())
}

/// A record that leads to `locator`.
pub fn record(address: Ipv4Addr, len: u8, locator: Ipv4Addr) -> MappingRecord {
    let locator = LocatorRecord::unicast(IpAddr::V4(locator), 1, 100);
    MappingRecord::of_site(prefix(address, len), 1440, vec![locator])
}

fn reply(forger: &mut Forger) -> Packet {
    let (source, to) = (forger.map_server(), forger.one_of(&[XTR1, XTR2, PXTR1]));
    let (claimed, len) = forger.one_of(&[(A, 24), (B, 24), (A, 0)]);
    let records = vec![record(claimed, len, X)];
    let message = MapReply { nonce: forger.nonce(), records, ..MapReply::default() };
    control(source, to, &message.emit())
}

fn register(forger: &mut Forger, nonce: Nonce, record: MappingRecord) -> MapRegister {
    let xtr_id = u128::from(forger.rng.next_u64());
    MapRegister {
        nonce,
        want_map_notify: true,
        records: vec![record],
        xtr_identity: Some(XtrIdentity { xtr_id, site_id: 0 }),
        ..MapRegister::default()
    }
}

fn register_wrong_key(forger: &mut Forger) -> Packet {
    let (source, to, nonce) = (forger.anywhere(), forger.map_server(), forger.nonce());
    let message = register(forger, nonce, record(A, 24, source));
    control(source, to, &message.emit_signed(&key("wrong")))
}

fn register_old(forger: &mut Forger) -> Packet {
    let (to, eid) = (forger.map_server(), forger.own_host());
    let message = register(forger, Nonce(1), record(eid, 32, X));
    control(X, to, &message.emit_signed(&forger.key))
}

fn register_fill(forger: &mut Forger) -> Packet {
    let (to, eid) = (forger.map_server(), forger.own_host());
    let locator = forger.one_of(&[X, NEW_MSMR, OLD_MSMR]);
    forger.fresh += 1;
    let message = register(forger, Nonce(forger.fresh), record(eid, 32, locator));
    control(X, to, &message.emit_signed(&forger.key))
}

fn register_foreign(forger: &mut Forger) -> Packet {
    let (to, len) = (forger.map_server(), forger.one_of(&[0, 8, 24, 32]));
    forger.fresh += 1;
    let message = register(forger, Nonce(forger.fresh), record(A, len, X));
    control(X, to, &message.emit_signed(&forger.key))
}

fn forged_notify(forger: &mut Forger) -> MapNotify {
    let nonce = forger.nonce();
    MapNotify { nonce, records: vec![record(A, 32, X)], ..MapNotify::default() }
}

fn notify(forger: &mut Forger) -> Packet {
    let (source, to) = (forger.map_server(), forger.one_of(&[XTR1, XTR2]));
    let message = forged_notify(forger).emit_signed(&key("wrong"));
    control(source, to, &message)
}

fn notify_ack(forger: &mut Forger) -> Packet {
    let (source, to) = (forger.one_of(&[XTR1, XTR2]), forger.map_server());
    let message = MapNotifyAck(forged_notify(forger)).emit_signed(&key("wrong"));
    control(source, to, &message)
}

/// An ICMP error about an encapsulated packet from xTR2 to `quoted`.
fn icmp(forger: &mut Forger, quoted: Ipv4Addr, code: u8, mtu: u16) -> Packet {
    let port = 0xc000 + forger.bits(4) as u16;
    let whole = udp(XTR2, port, quoted, DATA_PORT, &DataHeader::default().emit());
    let source = forger.anywhere();
    let [high, low] = mtu.to_be_bytes();
    let builder = PacketBuilder::ipv4(source.octets(), XTR2.octets(), 64).icmpv4_raw(
        DESTINATION_UNREACHABLE,
        code,
        [0, 0, high, low],
    );
    let mut packet = Vec::new();
    builder.write(&mut packet, &whole[..QUOTED]).expect("it is short");
    packet
}

fn too_big(forger: &mut Forger) -> Packet {
    let mtu = 600 + forger.bits(9) as u16;
    icmp(forger, XTR1, TOO_BIG, mtu)
}

fn too_big_any(forger: &mut Forger) -> Packet {
    let (quoted, mtu) = (forger.anywhere(), 600 + forger.bits(9) as u16);
    icmp(forger, quoted, TOO_BIG, mtu)
}

fn unreachable(forger: &mut Forger) -> Packet {
    icmp(forger, XTR1, HOST_UNREACHABLE, 0)
}

/// An encapsulated packet to xTR1.
fn data(outer: Ipv4Addr, header: DataHeader, inner: &[u8]) -> Packet {
    let payload = [&header.emit()[..], inner].concat();
    udp(outer, 0xc001, XTR1, DATA_PORT, &payload)
}

fn echo(source: Ipv4Addr, destination: Ipv4Addr) -> Packet {
    let builder = PacketBuilder::ipv4(source.octets(), destination.octets(), 64);
    let mut packet = Vec::new();
    builder.icmpv4_echo_request(1, 1).write(&mut packet, &[0; 20]).expect("it is short");
    packet
}

fn data_any_source(forger: &mut Forger) -> Packet {
    let (outer, inner) = (forger.anywhere(), forger.anywhere());
    data(outer, DataHeader::default(), &echo(inner, A))
}

fn data_silent_host(forger: &mut Forger) -> Packet {
    let (outer, to) = (forger.anywhere(), forger.silent_host());
    data(outer, DataHeader::default(), &echo(B, to))
}

fn data_from_inside(forger: &mut Forger) -> Packet {
    let (outer, source) = (forger.anywhere(), forger.one_of(&[GATEWAY, A, C]));
    data(outer, DataHeader::default(), &echo(source, A))
}

fn data_nonces(forger: &mut Forger) -> Packet {
    let nonce = forger.bits(24);
    let echo_wanted = forger.bits(1) == 1;
    let header = DataHeader {
        nonce: NonceField::Nonce { nonce, echo: echo_wanted },
        locator_status_bits: Some(0),
        ..DataHeader::default()
    };
    data(XTR2, header, &echo(B, A))
}

fn syn(source: Ipv4Addr, from: u16, to: Ipv4Addr, port: u16, sequence: u32) -> Packet {
    let builder = PacketBuilder::ipv4(source.octets(), to.octets(), 64);
    let mut packet = Vec::new();
    builder.tcp(from, port, sequence, 1000).syn().write(&mut packet, &[]).expect("it is short");
    packet
}

fn syn_host(forger: &mut Forger) -> Packet {
    let (outer, sequence) = (forger.anywhere(), forger.bits(31));
    let (source, from) =
        (Ipv4Addr::from_bits(B.to_bits() & !0xff | forger.bits(8)), forger.bits(15));
    data(outer, DataHeader::default(), &syn(source, from as u16, C, 80, sequence))
}

fn syn_control(forger: &mut Forger) -> Packet {
    let (source, to) = (forger.anywhere(), forger.map_server());
    let (from, sequence) = (forger.bits(15) as u16, forger.bits(31));
    syn(source, from, to, CONTROL_PORT, sequence)
}

fn garbage_control(forger: &mut Forger) -> Packet {
    let (source, to) = (forger.anywhere(), forger.one_of(&[XTR1, XTR2, PXTR1, NEW_MSMR, OLD_MSMR]));
    let octets = forger.octets(200);
    control(source, to, &octets)
}

fn garbage_data(forger: &mut Forger) -> Packet {
    let (source, to) = (forger.anywhere(), forger.one_of(&[XTR1, XTR2, PXTR1]));
    let octets = forger.octets(200);
    udp(source, CONTROL_PORT, to, DATA_PORT, &octets)
}
