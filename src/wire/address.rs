//! Addresses with their family: AFI 0, 1, 2, and the LISP Canonical Address Format (RFC 8060).

use std::net::IpAddr;

use ipnet::IpNet;

use super::cursor::Reader;
use super::error::{ParseError, Problem};
use crate::addr::{Eid, EidPrefix, Family, InstanceId};

/// How deep LCAFs may stand within LCAFs, the outermost counted.
pub const MAX_LCAF_DEPTH: usize = 4;

const AFI_NONE: u16 = 0;
const AFI_IPV4: u16 = 1;
const AFI_IPV6: u16 = 2;
const AFI_LCAF: u16 = 16387;

const LCAF_LIST: u8 = 1;
const LCAF_INSTANCE_ID: u8 = 2;
const LCAF_SOURCE_DESTINATION: u8 = 12;

/// What IID mask-len goes out as: the instance-ID is one number, no range.
const IID_MASK_LEN: u8 = 32;

/// An address as it stands in a message, AFI first.
///
/// An LCAF (RFC 8060 section 3) is
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |           AFI = 16387         |     Rsvd1     |     Flags     |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |    Type       |     Rsvd2     |            Length             |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
/// and then Length octets. Rsvd1, Flags and Rsvd2 are ignored and go out as zero, except where a
/// variant says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Address {
    /// AFI 0: no address, no octets.
    #[default]
    None,
    /// AFI 1 or 2.
    Ip(IpAddr),
    /// LCAF type 1: several addresses in one (RFC 8060 section 4.10).
    List(Vec<Address>),
    /// LCAF type 2: an address of an instance (RFC 8060 section 4.1). Rsvd2 is the IID mask-len,
    /// which is ignored and goes out as 32.
    InstanceId {
        /// All 32 bits of the field; an [`InstanceId`] has the low-order 24.
        instance_id: u32,
        /// The address, or none where the whole instance is meant.
        address: Box<Address>,
    },
    /// LCAF type 12: a lookup key of two prefixes (RFC 8060 section 4.8).
    SourceDestination {
        /// Mask length of the source, in bits.
        source_mask_len: u8,
        /// Mask length of the destination, in bits.
        destination_mask_len: u8,
        /// Source prefix.
        source: Box<Address>,
        /// Destination prefix.
        destination: Box<Address>,
    },
    /// Any other LCAF, kept as it came.
    Opaque {
        /// Flags.
        flags: u8,
        /// Type.
        lcaf_type: u8,
        /// Rsvd2, which some types use.
        rsvd2: u8,
        /// The Length octets; at most 65535.
        octets: Vec<u8>,
    },
}

impl Address {
    /// The plain IP address, if it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Address::Ip(ip) => Some(*ip),
            _ => None,
        }
    }

    /// Where it stands among the locators of a record: by AFI, then LCAF type, then address
    /// (RFC 8060 section 3, RFC 9301 section 5.5).
    pub fn sort_key(&self) -> (u16, u8, Option<IpAddr>) {
        match self {
            Address::None => (AFI_NONE, 0, None),
            Address::Ip(ip @ IpAddr::V4(_)) => (AFI_IPV4, 0, Some(*ip)),
            Address::Ip(ip @ IpAddr::V6(_)) => (AFI_IPV6, 0, Some(*ip)),
            Address::List(_) => (AFI_LCAF, LCAF_LIST, None),
            Address::InstanceId { .. } => (AFI_LCAF, LCAF_INSTANCE_ID, None),
            Address::SourceDestination { .. } => (AFI_LCAF, LCAF_SOURCE_DESTINATION, None),
            Address::Opaque { lcaf_type, .. } => (AFI_LCAF, *lcaf_type, None),
        }
    }

    /// The EID that a plain address or an Instance-ID LCAF of one names; `None` for the rest.
    pub fn eid(&self) -> Option<Eid> {
        match self {
            Address::Ip(ip) => Some(Eid::new(InstanceId::DEFAULT, *ip)),
            Address::InstanceId { instance_id, address } => {
                Some(Eid::new(InstanceId::new(*instance_id)?, address.ip()?))
            }
            _ => None,
        }
    }

    /// Reads an AFI and what follows it.
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        Self::parse_nested(reader, MAX_LCAF_DEPTH)
    }

    fn parse_nested(reader: &mut Reader<'_>, depth: usize) -> Result<Self, ParseError> {
        let start = reader.offset();
        match reader.u16()? {
            AFI_NONE => Ok(Address::None),
            AFI_IPV4 => Ok(Address::Ip(reader.ipv4()?.into())),
            AFI_IPV6 => Ok(Address::Ip(reader.ipv6()?.into())),
            AFI_LCAF if depth > 0 => Self::parse_lcaf(reader, depth - 1),
            AFI_LCAF => Err(reader.error_at(start, Problem::LcafTooDeep)),
            afi => Err(reader.error_at(start, Problem::UnknownAfi(afi))),
        }
    }

    fn parse_lcaf(reader: &mut Reader<'_>, depth: usize) -> Result<Self, ParseError> {
        let _rsvd1 = reader.u8()?;
        let flags = reader.u8()?;
        let lcaf_type = reader.u8()?;
        let rsvd2 = reader.u8()?;
        let length = usize::from(reader.u16()?);
        reader.within(length, |reader| match lcaf_type {
            LCAF_LIST => Self::parse_list(reader, depth),
            LCAF_INSTANCE_ID => Ok(Address::InstanceId {
                instance_id: reader.u32()?,
                address: Self::parse_nested(reader, depth)?.into(),
            }),
            LCAF_SOURCE_DESTINATION => Self::parse_source_destination(reader, depth),
            _ => {
                let octets = reader.take_rest().to_vec();
                Ok(Address::Opaque { flags, lcaf_type, rsvd2, octets })
            }
        })
    }

    fn parse_list(reader: &mut Reader<'_>, depth: usize) -> Result<Self, ParseError> {
        let mut addresses = Vec::new();
        while reader.left() > 0 {
            addresses.push(Self::parse_nested(reader, depth)?);
        }
        Ok(Address::List(addresses))
    }

    fn parse_source_destination(reader: &mut Reader<'_>, depth: usize) -> Result<Self, ParseError> {
        let _reserved = reader.u16()?;
        Ok(Address::SourceDestination {
            source_mask_len: reader.u8()?,
            destination_mask_len: reader.u8()?,
            source: Self::parse_nested(reader, depth)?.into(),
            destination: Self::parse_nested(reader, depth)?.into(),
        })
    }

    /// Appends the AFI and what follows it.
    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        match self {
            Address::None => out.extend(AFI_NONE.to_be_bytes()),
            Address::Ip(ip) => emit_ip(*ip, out),
            Address::List(addresses) => emit_lcaf(out, 0, LCAF_LIST, 0, |out| {
                addresses.iter().for_each(|address| address.emit(out));
            }),
            Address::InstanceId { instance_id, address } => {
                emit_lcaf(out, 0, LCAF_INSTANCE_ID, IID_MASK_LEN, |out| {
                    out.extend(instance_id.to_be_bytes());
                    address.emit(out);
                });
            }
            Address::SourceDestination {
                source_mask_len,
                destination_mask_len,
                source,
                destination,
            } => emit_lcaf(out, 0, LCAF_SOURCE_DESTINATION, 0, |out| {
                out.extend([0, 0, *source_mask_len, *destination_mask_len]);
                source.emit(out);
                destination.emit(out);
            }),
            Address::Opaque { flags, lcaf_type, rsvd2, octets } => {
                emit_lcaf(out, *flags, *lcaf_type, *rsvd2, |out| out.extend(octets));
            }
        }
    }
}

fn emit_ip(ip: IpAddr, out: &mut Vec<u8>) {
    match ip {
        IpAddr::V4(address) => {
            out.extend(AFI_IPV4.to_be_bytes());
            out.extend(address.octets());
        }
        IpAddr::V6(address) => {
            out.extend(AFI_IPV6.to_be_bytes());
            out.extend(address.octets());
        }
    }
}

fn emit_lcaf(
    out: &mut Vec<u8>,
    flags: u8,
    lcaf_type: u8,
    rsvd2: u8,
    body: impl FnOnce(&mut Vec<u8>),
) {
    out.extend(AFI_LCAF.to_be_bytes());
    out.extend([0, flags, lcaf_type, rsvd2, 0, 0]);
    let start = out.len();
    body(out);
    let length = out.len() - start;
    debug_assert!(length <= usize::from(u16::MAX), "an LCAF has at most 65535 octets");
    out[start - 2..start].copy_from_slice(&(length as u16).to_be_bytes());
}

/// Appends an EID: plain in the default instance, else within an Instance-ID LCAF.
pub(super) fn emit_eid(eid: Eid, out: &mut Vec<u8>) {
    if eid.instance_id == InstanceId::DEFAULT {
        return emit_ip(eid.address, out);
    }
    let address = Box::new(Address::Ip(eid.address));
    Address::InstanceId { instance_id: eid.instance_id.number(), address }.emit(out);
}

/// Reads an EID-Prefix with its AFI, of which the mask length came before.
pub(super) fn parse_eid_prefix(
    reader: &mut Reader<'_>,
    mask_len: u8,
) -> Result<EidPrefix, ParseError> {
    let start = reader.offset();
    let address = Address::parse(reader)?;
    if let Address::InstanceId { instance_id, .. } = address
        && instance_id > InstanceId::MAX
    {
        return Err(reader.error_at(start, Problem::InstanceIdTooLarge(instance_id)));
    }
    let eid = address.eid().ok_or(reader.error_at(start, Problem::NotAnEid))?;
    let too_long = Problem::MaskTooLong { mask_len, family: Family::of(eid.address) };
    let prefix = IpNet::new(eid.address, mask_len).map_err(|_| reader.error_at(start, too_long))?;
    Ok(EidPrefix::new(eid.instance_id, prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(octets: &[u8]) -> Result<Address, ParseError> {
        Address::parse(&mut Reader::new(octets, "test"))
    }

    fn emit(address: &Address) -> Vec<u8> {
        let mut out = Vec::new();
        address.emit(&mut out);
        out
    }

    fn ip(text: &str) -> Address {
        Address::Ip(text.parse().expect("an address"))
    }

    fn instance(instance_id: u32, address: Address) -> Address {
        Address::InstanceId { instance_id, address: address.into() }
    }

    #[test]
    fn lcafs_come_back_as_they_went() {
        for address in [
            Address::None,
            ip("2001:db8::1"),
            Address::List(vec![ip("192.0.2.1"), Address::None, ip("2001:db8::1")]),
            instance(4100, Address::None),
            Address::SourceDestination {
                source_mask_len: 8,
                destination_mask_len: 24,
                source: ip("10.0.0.0").into(),
                destination: instance(7, ip("192.0.2.0")).into(),
            },
            Address::Opaque { flags: 1, lcaf_type: 7, rsvd2: 2, octets: vec![1, 2, 3] },
        ] {
            assert_eq!(parse(&emit(&address)), Ok(address));
        }
    }

    #[test]
    fn the_iid_mask_len_and_the_flags_are_ignored() {
        let mut octets = emit(&instance(4100, ip("172.16.0.0")));
        assert_eq!(octets[5], 32);
        octets[3] = 0xff;
        octets[5] = 0;
        assert_eq!(parse(&octets), Ok(instance(4100, ip("172.16.0.0"))));
    }

    #[test]
    fn nesting_stops_at_the_bound() {
        let nested = |depth| (0..depth).fold(Address::None, |inner, _| instance(1, inner));
        assert!(parse(&emit(&nested(MAX_LCAF_DEPTH))).is_ok());
        let error = parse(&emit(&nested(MAX_LCAF_DEPTH + 1))).expect_err("too deep");
        assert_eq!(error.problem, Problem::LcafTooDeep);
    }

    #[test]
    fn an_lcaf_length_must_fit_its_contents_and_its_message() {
        let octets = emit(&instance(1, ip("192.0.2.1")));
        for (length, right) in [(9, false), (10, true), (11, false), (12, false)] {
            let mut changed = octets.clone();
            changed.push(0);
            changed[7] = length;
            assert_eq!(parse(&changed).is_ok(), right, "length {length}");
        }
    }

    #[test]
    fn an_afi_of_unknown_length_is_an_error() {
        let error = parse(&[0x40, 0x05, 0, 0, 0, 0, 0, 1]).expect_err("a MAC address");
        assert_eq!(error.problem, Problem::UnknownAfi(16389));
        assert_eq!(error.offset, 0);
    }

    #[test]
    fn an_eid_has_a_24_bit_instance_and_a_mask_that_fits() {
        let parse = |address: &Address, mask_len| {
            let octets = emit(address);
            parse_eid_prefix(&mut Reader::new(&octets, "test"), mask_len)
        };
        let problem = |address: &Address, mask_len| {
            parse(address, mask_len).expect_err("no EID-prefix").problem
        };
        let prefix = parse(&instance(7, ip("172.16.0.9")), 24).expect("an EID-prefix");
        assert_eq!(
            (prefix.instance_id().number(), prefix.to_string()),
            (7, "172.16.0.0/24".into())
        );
        assert_eq!(
            problem(&instance(1 << 24, ip("::1")), 128),
            Problem::InstanceIdTooLarge(1 << 24)
        );
        assert_eq!(
            problem(&ip("192.0.2.1"), 33),
            Problem::MaskTooLong { mask_len: 33, family: Family::Ipv4 }
        );
        assert_eq!(problem(&instance(1, instance(2, ip("::1"))), 128), Problem::NotAnEid);
        assert_eq!(problem(&Address::None, 0), Problem::NotAnEid);
    }
}
