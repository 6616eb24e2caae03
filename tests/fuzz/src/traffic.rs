//! Makes packets for a router from arbitrary octets: messages, frames and packets. They have the
//! addresses of the reference network, so that the router accepts many of them.

use std::net::{IpAddr, SocketAddr};

use arbitrary::Unstructured;
use eidway::addr::{Eid, EidPrefix, Family, InstanceId, Rloc};
use eidway::wire::auth::{Algorithm, Key};
use eidway::wire::{
    Action, Address, CONTROL_PORT, DataHeader, EidRecord, Encapsulated, LocatorRecord, MapNotify,
    MapNotifyAck, MapRegister, MapReply, MapRequest, MappingNotification, MappingRecord, Message,
    Nonce, RefreshScope, Registration, RegistrationRefresh, ReliableFrame, ReliableMessage,
    XtrIdentity,
};
use etherparse::PacketBuilder;

const EIDS: [&str; 9] = [
    "172.16.0.12",
    "172.16.0.13",
    "192.168.0.22",
    "10.10.10.10",
    "10.0.0.99",
    "203.0.113.11",
    "224.0.0.5",
    "2001:db8:a::12",
    "2001:db8:b::22",
];

const RLOCS: [&str; 10] = [
    "203.0.113.11",
    "198.51.100.21",
    "209.165.201.31",
    "209.165.201.41",
    "192.0.2.51",
    "2001:db8:c:1::11",
    "2001:db8:c:2::21",
    "224.0.0.1",
    "0.0.0.0",
    "127.0.0.1",
];

const MASK_LENS: [u8; 6] = [32, 24, 16, 0, 8, 31];

/// A control message, and whether its sender knows the key.
pub struct Control {
    pub octets: Vec<u8>,
    pub signed: bool,
}

/// The octets that decide each choice. When they are used up, every choice is the first
/// possibility.
pub struct Traffic<'a>(Unstructured<'a>);

impl<'a> Traffic<'a> {
    pub fn new(input: &'a [u8]) -> Self {
        Traffic(Unstructured::new(input))
    }

    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0.int_in_range(0..=bound - 1).unwrap_or(0)
    }

    pub fn bit(&mut self) -> bool {
        self.below(2) == 1
    }

    pub fn octet(&mut self) -> u8 {
        self.0.arbitrary().unwrap_or(0)
    }

    fn u32(&mut self) -> u32 {
        self.0.arbitrary().unwrap_or(0)
    }

    pub fn octets(&mut self) -> Vec<u8> {
        let most = self.0.len().min(2048);
        let count = self.below(most + 1);
        self.0.bytes(count).unwrap_or(&[]).to_vec()
    }

    pub fn choose<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// The address of a host.
    pub fn eid_address(&mut self) -> IpAddr {
        self.choose(&EIDS).parse().expect("an address")
    }

    pub fn rloc(&mut self) -> IpAddr {
        self.choose(&RLOCS).parse().expect("an address")
    }

    pub fn rloc_of(&mut self, family: Family) -> IpAddr {
        let all = RLOCS.map(|text| text.parse::<IpAddr>().expect("an address"));
        let same: Vec<_> = all.into_iter().filter(|rloc| Family::of(*rloc) == family).collect();
        self.choose(&same)
    }

    fn instance_id(&mut self) -> InstanceId {
        InstanceId::new(self.choose(&[0, 0, 0, 7])).expect("24 bits")
    }

    fn eid(&mut self) -> Eid {
        Eid::new(self.instance_id(), self.eid_address())
    }

    pub fn prefix(&mut self) -> EidPrefix {
        let eid = self.eid();
        let host_bits = 32 - self.choose(&MASK_LENS);
        let mask_len = eid.family().bits() - host_bits;
        let prefix = ipnet::IpNet::new(eid.address, mask_len).expect("no longer than the address");
        EidPrefix::new(eid.instance_id, prefix)
    }

    fn nonce(&mut self, heard: &[Nonce]) -> Nonce {
        match self.bit() || heard.is_empty() {
            true => Nonce(self.u32().into()),
            false => self.choose(heard),
        }
    }

    fn key(&mut self) -> Key {
        let algorithm =
            self.choose(&[Algorithm::HmacSha1, Algorithm::HmacSha256, Algorithm::HmacSha256Hkdf]);
        let secret = self.choose(&["cisco", "other"]).as_bytes().to_vec();
        Key { algorithm, secret, key_id: 0 }
    }

    fn locator(&mut self) -> LocatorRecord {
        let rloc = match self.below(8) {
            0 => Address::None,
            1 => self.other_address(),
            _ => Address::Ip(self.rloc()),
        };
        LocatorRecord {
            priority: self.choose(&[1, 2, 255]),
            weight: self.octet(),
            multicast_priority: 255,
            multicast_weight: 0,
            local: self.bit(),
            probed: self.bit(),
            reachable: self.below(4) != 3,
            rloc,
        }
    }

    /// An address of a known family that LISP does not use here, or an IP address in a list with
    /// names.
    fn other_address(&mut self) -> Address {
        let octets = self.octets();
        let name = Address::Name(octets.iter().copied().filter(|octet| *octet != 0).collect());
        match self.below(5) {
            0 => {
                let lcaf_type = self.choose(&[4, 1, 2, 12, 255]);
                Address::Opaque { flags: 0, lcaf_type, rsvd2: 0, octets }
            }
            1 => name,
            2 => Address::Mac48([2; 6]),
            3 => Address::Mac64([2; 8]),
            _ => Address::List(vec![name.clone(), Address::Ip(self.rloc()), name]),
        }
    }

    fn record(&mut self) -> MappingRecord {
        MappingRecord {
            ttl_minutes: self.choose(&[1, 15, 1440, 0, u32::MAX]),
            eid_prefix: self.prefix(),
            action: Action::from_number(self.octet()),
            authoritative: self.bit(),
            map_version: 0,
            locators: (0..self.below(4)).map(|_| self.locator()).collect(),
        }
    }

    fn records(&mut self) -> Vec<MappingRecord> {
        (0..self.choose(&[1, 2, 0, 40])).map(|_| self.record()).collect()
    }

    fn identity(&mut self) -> Option<XtrIdentity> {
        let xtr_id = u128::from(self.octet());
        self.bit().then_some(XtrIdentity { xtr_id, site_id: 0 })
    }

    pub fn map_request(&mut self, heard: &[Nonce]) -> MapRequest {
        let records = self.choose(&[1, 1, 2, 255]);
        MapRequest {
            authoritative: false,
            probe: self.bit(),
            smr: self.bit(),
            from_pitr: self.bit(),
            smr_invoked: self.bit(),
            local_xtr: false,
            do_not_reply: self.bit(),
            nonce: self.nonce(heard),
            source_eid: self.bit().then(|| self.eid()),
            itr_rlocs: (0..=self.below(3)).map(|_| Rloc(self.rloc())).collect(),
            records: (0..records)
                .map(|_| EidRecord {
                    notification_requested: self.bit(),
                    eid_prefix: self.prefix(),
                })
                .collect(),
            map_reply_record: self.bit().then(|| self.record()),
            xtr_identity: self.identity(),
        }
    }

    fn register(&mut self) -> MapRegister {
        MapRegister {
            proxy_reply: self.bit(),
            security_capable: false,
            reliable_transport: self.bit(),
            eid_notify: self.bit(),
            ttl_for_timeout: self.bit(),
            merge: self.bit(),
            want_map_notify: self.bit(),
            nonce: Nonce(self.u32().into()),
            records: self.records(),
            xtr_identity: self.identity(),
            ..MapRegister::default()
        }
    }

    /// A message of any type, sometimes signed with a right key, sometimes any octets.
    pub fn control(&mut self, heard: &[Nonce]) -> Control {
        let unsigned = |message: Message| Control { octets: message.emit(), signed: false };
        let mut control = match self.below(8) {
            0 => unsigned(Message::MapRequest(self.map_request(heard))),
            1 => unsigned(Message::MapReply(MapReply {
                nonce: self.nonce(heard),
                records: self.records(),
                ..MapReply::default()
            })),
            2 => {
                let register = self.register();
                Control { octets: register.emit_signed(&self.key()), signed: true }
            }
            3 | 4 => self.notify(heard),
            5 => unsigned(Message::Encapsulated(self.encapsulated(heard))),
            _ => Control { octets: self.octets(), signed: false },
        };
        match self.below(8) {
            7 if !control.octets.is_empty() => {
                let at = self.below(control.octets.len());
                control.octets[at] ^= self.octet();
            }
            6 => self.be_sloppy(&mut control.octets),
            _ => {}
        }
        control
    }

    /// Makes a message less strict, as some honest senders do: no checksum in an ECM, a request or
    /// answer for a name too, reserved bits that are set, octets after the message.
    fn be_sloppy(&mut self, octets: &mut Vec<u8>) {
        let name = [0, 17, b'h', b'o', b's', b't', 0];
        match octets.first().map(|octet| octet >> 4) {
            Some(8) => {
                let is_ipv4 = octets.get(4).is_some_and(|octet| octet >> 4 == 4);
                let checksum_at = if is_ipv4 { 30 } else { 50 };
                if let Some(checksum) = octets.get_mut(checksum_at..checksum_at + 2) {
                    checksum.fill(0);
                }
            }
            // Without Map-Reply record and xTR-ID, a Map-Request ends with its records.
            Some(1) if octets.len() > 3 && octets[0] & 4 == 0 && octets[1] & 0x10 == 0 => {
                octets[3] = octets[3].saturating_add(1);
                octets.extend([0, 0]);
                octets.extend(name);
            }
            Some(2) if octets.len() > 3 => {
                octets[3] = octets[3].saturating_add(1);
                octets.extend([0, 0, 0, 9, 0, 0, 0x10, 0, 0, 0]);
                octets.extend(name);
            }
            _ => {}
        }
        if self.bit()
            && let Some(reserved) = octets.get_mut(2)
        {
            *reserved |= 0x40;
        }
        octets.extend(vec![0x2a; self.below(20)]);
    }

    /// A Map-Reply to a request that was made.
    pub fn reply(&mut self, nonce: Nonce) -> Vec<u8> {
        MapReply { nonce, records: self.records(), ..MapReply::default() }.emit()
    }

    fn notify(&mut self, heard: &[Nonce]) -> Control {
        let notify = MapNotify {
            nonce: self.nonce(heard),
            records: self.records(),
            xtr_identity: self.identity(),
            ..MapNotify::default()
        };
        let key = self.key();
        let octets = match self.bit() {
            true => MapNotifyAck(notify).emit_signed(&key),
            false => notify.emit_signed(&key),
        };
        Control { octets, signed: true }
    }

    fn encapsulated(&mut self, heard: &[Nonce]) -> Encapsulated {
        let mut request = self.map_request(heard);
        if self.below(4) != 3 {
            (request.probe, request.smr) = (false, false);
        }
        let port = self.choose(&[CONTROL_PORT, 0, 5000]);
        let source = SocketAddr::new(self.eid_address(), port);
        let destination = SocketAddr::new(self.eid_address(), CONTROL_PORT);
        Encapsulated::new(source, destination, request.emit())
    }

    /// Octets of a stream: a frame, or any.
    pub fn stream(&mut self) -> Vec<u8> {
        let message_id = self.u32();
        let message = match self.below(6) {
            0 => {
                let records = vec![self.record()];
                let register = MapRegister { records, ..self.register() };
                return Registration::emit_signed(&register, message_id, &self.key());
            }
            1 => ReliableMessage::RegistrationAck(self.prefix()),
            2 => ReliableMessage::RegistrationRefresh(RegistrationRefresh {
                scope: match self.below(3) {
                    0 => RefreshScope::All,
                    1 => RefreshScope::Instance(self.instance_id()),
                    _ => RefreshScope::CoveredBy(self.prefix()),
                },
                rejected_only: self.bit(),
            }),
            3 => ReliableMessage::MappingNotification(MappingNotification {
                xtr_identity: self.identity().unwrap_or_default(),
                record: self.record(),
            }),
            _ => return self.octets(),
        };
        ReliableFrame { message_id, message }.emit()
    }

    /// An IP packet between hosts, sometimes damaged or any octets.
    pub fn packet(&mut self) -> Vec<u8> {
        if self.below(8) == 7 {
            return self.octets();
        }
        let mut octets = Vec::new();
        let ttl = self.choose(&[64, 1, 0, 255, 2]);
        let (source, destination) = (self.eid_address(), self.eid_address());
        let payload = vec![0; self.choose(&[0, 8, 1400])];
        let written = match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let builder = PacketBuilder::ipv4(source.octets(), destination.octets(), ttl);
                builder.udp(1000, 7).write(&mut octets, &payload)
            }
            (source, destination) => {
                let [source, destination] = [source, destination].map(|address| match address {
                    IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
                    IpAddr::V6(address) => address.octets(),
                });
                let builder = PacketBuilder::ipv6(source, destination, ttl);
                builder.udp(1000, 7).write(&mut octets, &payload)
            }
        };
        written.expect("a vector takes everything");
        eidway::packet::set_tos(&mut octets, self.octet());
        if self.below(8) == 7 {
            let at = self.below(octets.len());
            octets[at] ^= self.octet();
        }
        octets
    }

    /// The payload of a datagram on port 4341.
    pub fn datagram(&mut self) -> Vec<u8> {
        let header = match self.below(4) {
            0 => (u64::from(self.u32()) << 32 | u64::from(self.u32())).to_be_bytes(),
            _ => DataHeader::default().emit(),
        };
        let mut octets = [&header[..], &self.packet()].concat();
        if self.below(8) == 7 {
            octets.truncate(self.below(octets.len() + 1));
        }
        octets
    }
}
