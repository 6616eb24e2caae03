//! Dissects IP packets into fields. The fields have Wireshark's names.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use etherparse::{
    Icmpv4Slice, Icmpv4Type, Icmpv6Slice, IpNumber, LaxNetSlice, LaxSlicedPacket, TcpSlice,
    TransportSlice, UdpSlice,
};

use super::field::Value;
use super::lisp;
use crate::wire::data_header::{DataHeader, NonceField};
use crate::wire::{CONTROL_PORT, DATA_PORT, FrameReader, Message, Problem, StreamError};

/// The maximum depth of nested packets that are dissected. The captured packet has depth 1.
const MAX_DEPTH: usize = 8;
/// Half of the sequence space of TCP. Sequence number A is before B if the distance from A to B is
/// less than this number.
const SEQUENCE_HALF: u32 = 1 << 31;

/// The fields of a packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dissection {
    /// The names and values of the fields, in their order in the packet. A name may appear more
    /// than once.
    pub fields: Vec<(&'static str, Value)>,
    /// The reasons why a packet on a LISP port could not be read completely.
    pub flaws: Vec<String>,
    /// The LISP control messages that end in this packet. A message is the payload of a UDP
    /// datagram, or a frame of a TCP stream. Each message has the octets that its sender sent.
    pub messages: Vec<Vec<u8>>,
}

impl Dissection {
    /// Returns the values of a field. Returns no values if the field is absent.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Value> + 'a {
        self.fields.iter().filter(move |(known, _)| *known == name).map(|&(_, value)| value)
    }

    pub(super) fn add(&mut self, name: &'static str, value: Value) {
        self.fields.push((name, value));
    }

    pub(super) fn present(&mut self, name: &'static str) {
        self.add(name, Value::Present);
    }

    pub(super) fn number(&mut self, name: &'static str, number: impl Into<u64>) {
        self.add(name, Value::Number(number.into()));
    }

    pub(super) fn address(&mut self, [v4, v6]: [&'static str; 2], address: IpAddr) {
        let name = if address.is_ipv4() { v4 } else { v6 };
        self.add(name, Value::Address(address));
    }
}

/// One direction of a TCP connection that carries LISP messages.
#[derive(Debug)]
struct Stream {
    /// The sequence number of the next octet to read.
    next: u32,
    frames: FrameReader,
}

/// Dissects packets one after another.
#[derive(Debug, Default)]
pub struct Dissector {
    streams: BTreeMap<(SocketAddr, SocketAddr), Stream>,
    frames: u64,
}

/// The position of a packet inside the captured packet.
#[derive(Clone, Copy)]
struct Inside {
    depth: usize,
    /// Whether an ICMP error quotes the packet. A quoted packet may be cut off at any octet.
    quoted: bool,
}

impl Dissector {
    /// Dissects the next packet.
    pub fn dissect(&mut self, packet: &[u8]) -> Dissection {
        self.frames += 1;
        let mut found = Dissection::default();
        found.number("frame.number", self.frames);
        self.ip(packet, Inside { depth: 0, quoted: false }, &mut found);
        found
    }

    fn ip(&mut self, packet: &[u8], inside: Inside, found: &mut Dissection) {
        let inside = Inside { depth: inside.depth + 1, ..inside };
        let Ok(sliced) = LaxSlicedPacket::from_ip(packet) else {
            return;
        };
        if inside.depth > MAX_DEPTH {
            return;
        }
        let Some((source, destination)) = net(sliced.net.as_ref(), found) else {
            return;
        };
        match sliced.transport {
            Some(TransportSlice::Udp(udp)) => {
                self.udp(&udp, inside, found);
            }
            Some(TransportSlice::Tcp(tcp)) => self.tcp((source, destination), &tcp, inside, found),
            Some(TransportSlice::Icmpv4(icmp)) => self.icmpv4(&icmp, inside, found),
            Some(TransportSlice::Icmpv6(icmp)) => self.icmpv6(&icmp, inside, found),
            _ => {}
        }
    }

    fn udp(&mut self, udp: &UdpSlice<'_>, inside: Inside, found: &mut Dissection) {
        let ports = [udp.source_port(), udp.destination_port()];
        found.present("udp");
        found.number("udp.srcport", ports[0]);
        found.number("udp.dstport", ports[1]);
        ports.iter().for_each(|&port| found.number("udp.port", port));
        found.number("udp.length", udp.length());
        found.number("udp.checksum", udp.checksum());
        if ports.contains(&DATA_PORT) {
            self.data(udp.payload(), inside, found);
        } else if ports.contains(&CONTROL_PORT) {
            self.control(udp.payload(), inside, found);
        }
    }

    fn data(&mut self, payload: &[u8], inside: Inside, found: &mut Dissection) {
        let (header, inner) = match DataHeader::parse(payload) {
            Ok(parsed) => parsed,
            Err(error) => return flaw(found, inside, error),
        };
        found.present("lisp-data");
        let (nonce, echo) = match header.nonce {
            NonceField::Nonce { echo, .. } => (true, echo),
            _ => (false, false),
        };
        let is_version = matches!(header.nonce, NonceField::MapVersion { .. });
        found.number("lisp-data.flags.nonce", nonce);
        found.number("lisp-data.flags.lsb", header.locator_status_bits.is_some());
        found.number("lisp-data.flags.enr", echo);
        found.number("lisp-data.flags.mv", is_version);
        found.number("lisp-data.flags.iid", header.instance_id.is_some());
        if let Some(instance_id) = header.instance_id {
            found.number("lisp-data.iid", instance_id.number());
        }
        self.ip(inner, inside, found);
    }

    fn control(&mut self, payload: &[u8], inside: Inside, found: &mut Dissection) {
        /// The length in octets of the header of an ECM. The inner packet follows this header.
        const FIRST_WORD: usize = 4;
        found.present("lisp");
        if inside.depth == 1 {
            found.messages.push(payload.to_vec());
        }
        match Message::parse(payload) {
            Ok(message) => {
                lisp::message(&message, payload, found);
                if let Message::Encapsulated(_) = message {
                    self.ip(payload.get(FIRST_WORD..).unwrap_or_default(), inside, found);
                }
            }
            Err(error) => {
                payload.first().iter().for_each(|first| lisp::message_type(**first >> 4, found));
                flaw(found, inside, error);
            }
        }
    }

    fn tcp(
        &mut self,
        (source, destination): (IpAddr, IpAddr),
        tcp: &TcpSlice<'_>,
        inside: Inside,
        found: &mut Dissection,
    ) {
        let ports = [tcp.source_port(), tcp.destination_port()];
        found.present("tcp");
        found.number("tcp.srcport", ports[0]);
        found.number("tcp.dstport", ports[1]);
        ports.iter().for_each(|&port| found.number("tcp.port", port));
        found.number("tcp.flags.syn", tcp.syn());
        found.number("tcp.flags.ack", tcp.ack());
        found.number("tcp.flags.fin", tcp.fin());
        found.number("tcp.flags.reset", tcp.rst());
        found.number("tcp.len", tcp.payload().len() as u64);
        if ports.contains(&CONTROL_PORT) && !inside.quoted {
            let ends = (SocketAddr::new(source, ports[0]), SocketAddr::new(destination, ports[1]));
            self.stream(ends, tcp, inside, found);
        }
    }

    /// Dissects the messages that end in this segment.
    fn stream(
        &mut self,
        ends: (SocketAddr, SocketAddr),
        tcp: &TcpSlice<'_>,
        inside: Inside,
        found: &mut Dissection,
    ) {
        let at = tcp.sequence_number();
        if tcp.syn() {
            let stream = Stream { next: at.wrapping_add(1), frames: FrameReader::new() };
            self.streams.insert(ends, stream);
            return;
        }
        if tcp.payload().is_empty() {
            return;
        }
        let begun = || Stream { next: at, frames: FrameReader::new() };
        let stream = self.streams.entry(ends).or_insert_with(begun);
        // The number of octets of this segment that were already in an earlier segment.
        let old = stream.next.wrapping_sub(at);
        let fresh = if old < SEQUENCE_HALF {
            tcp.payload().get(old as usize..).unwrap_or_default()
        } else {
            // Octets before this segment are missing, so the search for the next message starts at
            // this segment.
            *stream = begun();
            tcp.payload()
        };
        stream.next = stream.next.wrapping_add(fresh.len() as u32);
        stream.frames.push(fresh);
        for frame in &mut stream.frames {
            match frame {
                Ok(frame) => {
                    lisp::reliable(&frame, found);
                    found.messages.push(frame.emit());
                }
                Err(error) if is_only_refused(&error) => {}
                Err(error) => flaw(found, inside, error),
            }
        }
    }

    fn icmpv4(&mut self, icmp: &Icmpv4Slice<'_>, inside: Inside, found: &mut Dissection) {
        found.present("icmp");
        found.number("icmp.type", icmp.type_u8());
        found.number("icmp.code", icmp.code_u8());
        match icmp.icmp_type() {
            Icmpv4Type::EchoRequest(echo) | Icmpv4Type::EchoReply(echo) => {
                found.number("icmp.ident", echo.id);
                found.number("icmp.seq", echo.seq);
            }
            Icmpv4Type::DestinationUnreachable(_) | Icmpv4Type::TimeExceeded(_) => {
                self.ip(icmp.payload(), Inside { quoted: true, ..inside }, found);
            }
            _ => {}
        }
    }

    fn icmpv6(&mut self, icmp: &Icmpv6Slice<'_>, inside: Inside, found: &mut Dissection) {
        /// The first ICMPv6 type that is not an error. Every message of a lower type is an error,
        /// and quotes the packet that caused the error (RFC 4443 section 2.1).
        const FIRST_INFORMATION: u8 = 128;
        found.present("icmpv6");
        found.number("icmpv6.type", icmp.type_u8());
        found.number("icmpv6.code", icmp.code_u8());
        if icmp.type_u8() < FIRST_INFORMATION {
            self.ip(icmp.payload(), Inside { quoted: true, ..inside }, found);
        }
    }
}

/// Whether Wireshark accepts a frame that our parser refuses with `error`. Wireshark does not check
/// the number of records in a frame, and it shows the octets of a frame with an unknown type.
fn is_only_refused(error: &StreamError) -> bool {
    let problem = &error.bad_frame().error.problem;
    matches!(problem, Problem::RecordCount(_) | Problem::UnknownType(_))
}

fn flaw(found: &mut Dissection, inside: Inside, error: impl ToString) {
    if !inside.quoted {
        found.flaws.push(error.to_string());
    }
}

/// Adds the fields of an IP header to `found`. Returns the source and the destination in the
/// header.
fn net(net: Option<&LaxNetSlice<'_>>, found: &mut Dissection) -> Option<(IpAddr, IpAddr)> {
    match net? {
        LaxNetSlice::Ipv4(slice) => {
            let header = slice.header();
            let (source, destination) = (header.source_addr(), header.destination_addr());
            found.present("ip");
            found.number("ip.len", header.total_len());
            found.number("ip.ttl", header.ttl());
            found.number("ip.proto", header.protocol().0);
            for (name, address) in [("ip.src", source), ("ip.dst", destination)] {
                found.add(name, Value::Address(address.into()));
                found.add("ip.addr", Value::Address(address.into()));
            }
            Some((source.into(), destination.into()))
        }
        LaxNetSlice::Ipv6(slice) => {
            let header = slice.header();
            let (source, destination) = (header.source_addr(), header.destination_addr());
            let IpNumber(next) = header.next_header();
            found.present("ipv6");
            found.number("ipv6.plen", header.payload_length());
            found.number("ipv6.nxt", next);
            found.number("ipv6.hlim", header.hop_limit());
            for (name, address) in [("ipv6.src", source), ("ipv6.dst", destination)] {
                found.add(name, Value::Address(address.into()));
                found.add("ipv6.addr", Value::Address(address.into()));
            }
            Some((source.into(), destination.into()))
        }
        LaxNetSlice::Arp(_) => None,
    }
}
