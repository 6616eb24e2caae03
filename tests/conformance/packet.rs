//! Converts packets of EIDs between octets and the words of scripts. A packet may be encapsulated.

use std::net::IpAddr;

use eidway::packet::{IpHeader, set_tos};
use eidway::router::io::{Encapsulation, Outer};
use etherparse::PacketBuilder;

use super::message::read;
use super::phrase::Phrase;
use super::words::Fields;

const LISP_HEADER_LEN: usize = 8;
const UDP_HEADER_LEN: usize = 8;
/// The letters of the LISP header's flags, from the highest bit down.
const FLAGS: &str = "NLEVIRKK";

/// The octets of a UDP packet.
pub fn octets(phrase: &Phrase) -> Result<Vec<u8>, String> {
    let (from, to) = phrase.path()?;
    let fields = &phrase.fields;
    let ttl = fields.number("ttl")?.unwrap_or(64);
    let port = fields.number("port")?.unwrap_or(1000);
    let mut bytes = Vec::new();
    let written = match (read::<IpAddr>(from)?, read::<IpAddr>(to)?) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let builder = PacketBuilder::ipv4(from.octets(), to.octets(), ttl).udp(port, 7);
            let payload = payload(fields, 20)?;
            builder.write(&mut bytes, &payload)
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let builder = PacketBuilder::ipv6(from.octets(), to.octets(), ttl).udp(port, 7);
            let payload = payload(fields, 40)?;
            builder.write(&mut bytes, &payload)
        }
        _ => return Err(format!("`{from} > {to}` are of two families")),
    };
    written.map_err(|error| error.to_string())?;
    set_tos(&mut bytes, tos(fields)?);
    Ok(bytes)
}

fn payload(fields: &Fields, ip_header: usize) -> Result<Vec<u8>, String> {
    let least = ip_header + UDP_HEADER_LEN;
    let size: usize = fields.number("size")?.unwrap_or(least + 4);
    let len = size.checked_sub(least).ok_or(format!("`size {size}`: at least {least}"))?;
    Ok(vec![0xe1; len])
}

fn tos(fields: &Fields) -> Result<u8, String> {
    let dscp: u8 = fields.number("dscp")?.unwrap_or(0);
    let ecn: u8 = fields.number("ecn")?.unwrap_or(0);
    if dscp > 63 || ecn > 3 {
        return Err(format!("dscp {dscp} ecn {ecn}: at most 63 and 3"));
    }
    Ok(dscp << 2 | ecn)
}

/// The outer headers and the UDP payload of an encapsulated packet.
pub fn datagram(phrase: &Phrase) -> Result<(Outer, Vec<u8>), String> {
    let (from, to) = phrase.path()?;
    let fields = &phrase.fields;
    let outer = Outer {
        source: read(from)?,
        destination: read(to)?,
        ttl: fields.number("ttl")?.unwrap_or(64),
        tos: tos(fields)?,
    };
    let mut datagram = lisp_header(fields)?.to_vec();
    datagram.extend(octets(phrase.within()?)?);
    Ok((outer, datagram))
}

fn lisp_header(fields: &Fields) -> Result<[u8; LISP_HEADER_LEN], String> {
    let mut flags = 0u32;
    for letter in fields.word("bits").unwrap_or("none").chars() {
        match FLAGS.find(letter) {
            Some(at) => flags |= 0x80 >> at,
            None if fields.word("bits") == Some("none") || fields.word("bits").is_none() => {}
            None => return Err(format!("`bits {letter}`: letters of {FLAGS} expected")),
        }
    }
    let low24: u32 = fields.number("low24")?.unwrap_or(0);
    let lsbs: u32 = fields.number("lsbs")?.unwrap_or(0);
    let second = match fields.number::<u32>("instance")? {
        Some(instance) => instance << 8 | lsbs & 0xff,
        None => lsbs,
    };
    let first = flags << 24 | low24 & 0xff_ffff;
    Ok((u64::from(first) << 32 | u64::from(second)).to_be_bytes())
}

/// Writes the outer headers that the router requests for a packet, in the words of scripts.
pub fn show_encapsulation(name: &str, encapsulation: &Encapsulation) -> String {
    let Encapsulation { source, destination, flow_hash, ttl, tos, header } = encapsulation;
    let word = u64::from_be_bytes(*header);
    let (first, second) = ((word >> 32) as u32, word as u32);
    let has_instance = first & 0x0800_0000 != 0;
    let (instance, lsbs) = if has_instance { (second >> 8, second & 0xff) } else { (0, second) };
    format!(
        "{name} {source} > {destination} ttl {ttl} dscp {} ecn {} bits {} low24 {:#x} \
         instance {instance} lsbs {lsbs:#x} flow {flow_hash:#x}",
        tos >> 2,
        tos & 3,
        letters((first >> 24) as u8),
        first & 0xff_ffff,
    )
}

fn letters(flags: u8) -> String {
    let set = FLAGS.chars().enumerate().filter(|(at, _)| flags & 0x80 >> at != 0);
    let letters: String = set.map(|(_, letter)| letter).collect();
    if letters.is_empty() { "none".to_owned() } else { letters }
}

/// Writes a packet in the words of scripts.
pub fn show_packet(bytes: &[u8]) -> String {
    match IpHeader::parse(bytes) {
        Err(error) => format!("({error})"),
        Ok(header) => {
            let IpHeader { source, destination, ttl, tos, total_len, .. } = header;
            let port_at = if source.is_ipv4() { 20 } else { 40 };
            let port = bytes.get(port_at..port_at + 2);
            let port = port.map_or(0, |port| u16::from_be_bytes([port[0], port[1]]));
            format!(
                "{source} > {destination} ttl {ttl} dscp {} ecn {} size {total_len} port {port}",
                tos >> 2,
                tos & 3,
            )
        }
    }
}
