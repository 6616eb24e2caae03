//! Addresses with their family. The families are AFI 0, 1 and 2, and the LISP Canonical Address
//! Format (LCAF, RFC 8060). Two more kinds of address are read and kept, but have no meaning here:
//! distinguished names (AFI 17, RFC 9735) and MAC addresses (AFI 16389 and 16390, RFC 9542).
//!
//! An address of known length is never an error, because the position of the next field is known. A
//! message with any other AFI must be dropped (RFC 9301 section 5.1).

use std::net::IpAddr;

use ipnet::IpNet;

use super::cursor::Reader;
use super::error::{ParseError, Problem};
use crate::addr::{Eid, EidPrefix, Family, InstanceId};

/// The maximum number of levels of nested LCAFs. The outermost LCAF counts as one level.
pub const MAX_LCAF_DEPTH: usize = 4;

const AFI_NONE: u16 = 0;
const AFI_IPV4: u16 = 1;
const AFI_IPV6: u16 = 2;
const AFI_NAME: u16 = 17;
const AFI_LCAF: u16 = 16387;
const AFI_MAC_48: u16 = 16389;
const AFI_MAC_64: u16 = 16390;

const LCAF_LIST: u8 = 1;
const LCAF_INSTANCE_ID: u8 = 2;
const LCAF_SOURCE_DESTINATION: u8 = 12;

/// The IID mask-len that is sent. It means that the instance-ID is one number and not a range.
const IID_MASK_LEN: u8 = 32;

/// An address in the encoding of a message. It starts with the AFI.
///
/// An LCAF (RFC 8060 section 3) has this header:
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |           AFI = 16387         |     Rsvd1     |     Flags     |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |    Type       |     Rsvd2     |            Length             |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
/// Length is the number of octets that follow the header. Rsvd1, Flags and Rsvd2 are ignored on
/// receipt and sent as zero, unless the description of a variant says otherwise.
///
/// An address is opaque if [`Address::ip`] finds no IP address in it. An opaque address is kept and
/// sent on in messages, but no packet is sent to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// AFI 0: no address. No octets follow the AFI.
    #[default]
    None,
    /// AFI 1 or 2: an IP address.
    Ip(IpAddr),
    /// LCAF type 1: a list of addresses (RFC 8060 section 4.10).
    List(Vec<Address>),
    /// LCAF type 2: an address of an instance (RFC 8060 section 4.1). Rsvd2 is the IID mask-len.
    /// This mask-len is ignored on receipt and sent as 32.
    InstanceId {
        /// All 32 bits of the field. An [`InstanceId`] has only the low-order 24 bits.
        instance_id: u32,
        /// The address. [`Address::None`] means the whole instance.
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
    /// AFI 17: a distinguished name. The zero octet at its end is not stored. The name contains no
    /// other zero octet.
    Name(Box<[u8]>),
    /// AFI 16389: a MAC address of 48 bits.
    Mac48([u8; 6]),
    /// AFI 16390: a MAC address of 64 bits.
    Mac64([u8; 8]),
    /// An LCAF of any other type. An LCAF of a type in this enum is also opaque, if its contents do
    /// not fit the type. The LCAF is stored as received, with its Length.
    Opaque {
        /// Flags.
        flags: u8,
        /// Type.
        lcaf_type: u8,
        /// Rsvd2. Some LCAF types use this octet.
        rsvd2: u8,
        /// The octets after the header. Length is the number of these octets, at most 65535.
        octets: Vec<u8>,
    },
}

impl Address {
    /// Returns the IP address, if this is a plain address or a list with exactly one IP address.
    /// The other addresses in the list must be names (RFC 9735). Returns `None` if the address is
    /// opaque.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Address::Ip(ip) => Some(*ip),
            Address::List(addresses) => named_ip(addresses),
            _ => None,
        }
    }

    /// Returns the sort key for the locators of a record. The order is by AFI, then by LCAF type,
    /// then by IP address (RFC 8060 section 3, RFC 9301 section 5.5).
    pub fn sort_key(&self) -> (u16, u8, Option<IpAddr>) {
        match self {
            Address::Name(_) => (AFI_NAME, 0, None),
            Address::Mac48(_) => (AFI_MAC_48, 0, None),
            Address::Mac64(_) => (AFI_MAC_64, 0, None),
            Address::None => (AFI_NONE, 0, None),
            Address::Ip(ip @ IpAddr::V4(_)) => (AFI_IPV4, 0, Some(*ip)),
            Address::Ip(ip @ IpAddr::V6(_)) => (AFI_IPV6, 0, Some(*ip)),
            Address::List(_) => (AFI_LCAF, LCAF_LIST, None),
            Address::InstanceId { .. } => (AFI_LCAF, LCAF_INSTANCE_ID, None),
            Address::SourceDestination { .. } => (AFI_LCAF, LCAF_SOURCE_DESTINATION, None),
            Address::Opaque { lcaf_type, .. } => (AFI_LCAF, *lcaf_type, None),
        }
    }

    /// Returns the EID, if this is a plain IP address or an Instance-ID LCAF with an IP address.
    /// Otherwise returns `None`.
    pub fn eid(&self) -> Option<Eid> {
        match self {
            Address::Ip(ip) => Some(Eid::new(InstanceId::DEFAULT, *ip)),
            Address::InstanceId { instance_id, address } => match **address {
                Address::Ip(ip) => Some(Eid::new(InstanceId::new(*instance_id)?, ip)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns the EID-Prefix of this address with a mask of `mask_len` bits.
    fn eid_prefix(&self, mask_len: u8) -> Result<EidPrefix, Problem> {
        if let Address::InstanceId { instance_id, .. } = self
            && *instance_id > InstanceId::MAX
        {
            return Err(Problem::InstanceIdTooLarge(*instance_id));
        }
        let eid = self.eid().ok_or(Problem::NotAnEid)?;
        let too_long = Problem::MaskTooLong { mask_len, family: Family::of(eid.address) };
        let prefix = IpNet::new(eid.address, mask_len).map_err(|_| too_long)?;
        Ok(EidPrefix::new(eid.instance_id, prefix))
    }

    /// Reads an AFI and the address after it.
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        Self::parse_nested(reader, MAX_LCAF_DEPTH)
    }

    fn parse_nested(reader: &mut Reader<'_>, depth: usize) -> Result<Self, ParseError> {
        let start = reader.offset();
        match reader.u16()? {
            AFI_NONE => Ok(Address::None),
            AFI_IPV4 => Ok(Address::Ip(reader.ipv4()?.into())),
            AFI_IPV6 => Ok(Address::Ip(reader.ipv6()?.into())),
            AFI_NAME => Ok(Address::Name(reader.up_to_zero()?.into())),
            AFI_MAC_48 => Ok(Address::Mac48(reader.array()?)),
            AFI_MAC_64 => Ok(Address::Mac64(reader.array()?)),
            AFI_LCAF if depth > 0 => Self::parse_lcaf(reader, depth.saturating_sub(1)),
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
        let mut contents = reader.part(length)?;
        let known = match lcaf_type {
            LCAF_LIST => Self::parse_list(&mut contents, depth),
            LCAF_INSTANCE_ID => Self::parse_instance_id(&mut contents, depth),
            LCAF_SOURCE_DESTINATION => Self::parse_source_destination(&mut contents, depth),
            _ => Err(contents.error(Problem::UnknownLcaf(lcaf_type))),
        };
        let octets = reader.take(length)?;
        match known {
            Ok(address) if contents.left() == 0 => Ok(address),
            // The Length gives the end of the LCAF, even if its contents are unknown.
            _ => Ok(Address::Opaque { flags, lcaf_type, rsvd2, octets: octets.to_vec() }),
        }
    }

    fn parse_instance_id(reader: &mut Reader<'_>, depth: usize) -> Result<Self, ParseError> {
        Ok(Address::InstanceId {
            instance_id: reader.u32()?,
            address: Self::parse_nested(reader, depth)?.into(),
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

    /// Returns the number of octets of the AFI and the address.
    pub fn emitted_len(&self) -> usize {
        let mut out = Vec::new();
        self.emit(&mut out);
        out.len()
    }

    /// Appends the AFI and the address.
    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        match self {
            Address::None => out.extend(AFI_NONE.to_be_bytes()),
            Address::Ip(ip) => emit_ip(*ip, out),
            Address::Name(octets) => {
                out.extend(AFI_NAME.to_be_bytes());
                out.extend(octets);
                out.push(0);
            }
            Address::Mac48(octets) => {
                out.extend(AFI_MAC_48.to_be_bytes());
                out.extend(octets);
            }
            Address::Mac64(octets) => {
                out.extend(AFI_MAC_64.to_be_bytes());
                out.extend(octets);
            }
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

/// Returns the IP address in a list, if the list has exactly one IP address and all other addresses
/// are names.
fn named_ip(addresses: &[Address]) -> Option<IpAddr> {
    let mut ips = addresses.iter().filter(|address| !matches!(address, Address::Name(_)));
    match (ips.next()?, ips.next()) {
        (Address::Ip(ip), None) => Some(*ip),
        _ => None,
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
    out.extend([0, flags, lcaf_type, rsvd2]);
    let mut octets = Vec::new();
    body(&mut octets);
    debug_assert!(u16::try_from(octets.len()).is_ok(), "an LCAF has at most 65535 octets");
    out.extend((octets.len() as u16).to_be_bytes());
    out.append(&mut octets);
}

/// Appends an EID. An EID in the default instance is written as a plain address. An EID in any
/// other instance is written as an Instance-ID LCAF.
pub(super) fn emit_eid(eid: Eid, out: &mut Vec<u8>) {
    if eid.instance_id == InstanceId::DEFAULT {
        return emit_ip(eid.address, out);
    }
    let address = Box::new(Address::Ip(eid.address));
    Address::InstanceId { instance_id: eid.instance_id.number(), address }.emit(out);
}

/// Reads an EID-Prefix with its AFI. The caller has read the mask length before.
pub(super) fn parse_eid_prefix(
    reader: &mut Reader<'_>,
    mask_len: u8,
) -> Result<EidPrefix, ParseError> {
    let start = reader.offset();
    let address = Address::parse(reader)?;
    address.eid_prefix(mask_len).map_err(|problem| reader.error_at(start, problem))
}

/// Reads an EID-Prefix in a message with several records, as `parse_eid_prefix` does. If the
/// address is not an EID-Prefix, returns `None`: this record is left out, and the other records are
/// still read.
pub(super) fn parse_optional_eid_prefix(
    reader: &mut Reader<'_>,
    mask_len: u8,
) -> Result<Option<EidPrefix>, ParseError> {
    Ok(Address::parse(reader)?.eid_prefix(mask_len).ok())
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
            name(b""),
            name(b"rtr-lab-1"),
            Address::Mac48([2, 0, 0, 0, 0, 1]),
            Address::Mac64([2, 0, 0, 0, 0, 0, 0, 1]),
            instance(7, Address::Mac48([2, 0, 0, 0, 0, 1])),
            Address::List(vec![ip("192.0.2.1"), name(b"rtr-lab-1")]),
        ] {
            assert_eq!(parse(&emit(&address)), Ok(address));
        }
    }

    fn name(octets: &[u8]) -> Address {
        Address::Name(octets.into())
    }

    #[test]
    fn a_list_of_one_ip_address_and_names_is_that_address() {
        let list = Address::List;
        let address = || ip("192.0.2.1");
        let expected = address().ip();
        assert_eq!(list(vec![address()]).ip(), expected);
        assert_eq!(list(vec![name(b"a"), address(), name(b"b")]).ip(), expected);
        for opaque in [
            list(Vec::new()),
            list(vec![name(b"a")]),
            list(vec![address(), ip("2001:db8::1")]),
            list(vec![address(), Address::None]),
            list(vec![list(vec![address()])]),
            name(b"192.0.2.1"),
        ] {
            assert_eq!(opaque.ip(), None, "{opaque}");
        }
        assert_eq!(list(vec![address()]).eid(), None, "a list is not an EID");
    }

    #[test]
    fn the_iid_mask_len_and_the_flags_are_ignored() {
        let mut octets = emit(&instance(4100, ip("172.16.0.0")));
        assert_eq!(octets[5], 32);
        octets[3] = 0xff;
        octets[5] = 0;
        assert_eq!(parse(&octets), Ok(instance(4100, ip("172.16.0.0"))));
    }

    fn is_opaque(octets: &[u8]) -> bool {
        let parsed = parse(octets).expect("an LCAF has a Length");
        let opaque = matches!(parsed, Address::Opaque { .. });
        assert_eq!(
            parse(&emit(&parsed)),
            Ok(parsed),
            "the address that was read is the address that was written"
        );
        opaque
    }

    #[test]
    fn lcafs_nested_beyond_the_bound_are_not_looked_into() {
        let nested = |depth| (0..depth).fold(Address::None, |inner, _| instance(1, inner));
        let depth_of = |octets: &[u8]| {
            let mut address = parse(octets).expect("an LCAF has a Length");
            let mut depth = 0;
            while let Address::InstanceId { address: inner, .. } = address {
                (address, depth) = (*inner, depth + 1);
            }
            depth
        };
        assert_eq!(depth_of(&emit(&nested(MAX_LCAF_DEPTH))), MAX_LCAF_DEPTH);
        assert!(depth_of(&emit(&nested(MAX_LCAF_DEPTH + 1))) < MAX_LCAF_DEPTH);
    }

    #[test]
    fn an_lcaf_whose_length_does_not_fit_its_type_is_opaque_and_must_fit_its_message() {
        let mut octets = emit(&instance(1, ip("192.0.2.1")));
        octets.push(0);
        for (length, opaque) in [(9, true), (10, false), (11, true)] {
            octets[7] = length;
            assert_eq!(is_opaque(&octets), opaque, "length {length}");
        }
        octets[7] = 12;
        let error = parse(&octets).expect_err("an octet is missing");
        assert_eq!(error.problem, Problem::Truncated { wanted: 12, left: 11 });
    }

    #[test]
    fn an_lcaf_around_an_unknown_family_is_opaque() {
        for lcaf_type in [LCAF_LIST, LCAF_INSTANCE_ID, LCAF_SOURCE_DESTINATION, 7, 255] {
            let mut octets = vec![0x40, 0x03, 0, 0, lcaf_type, 0, 0, 8];
            octets.extend([0, 0, 0, 1, 0, 7, 9, 9]);
            if lcaf_type == LCAF_LIST {
                octets[8..12].copy_from_slice(&[0, 7, 0, 1]);
            }
            assert!(is_opaque(&octets), "type {lcaf_type}");
        }
    }

    #[test]
    fn an_afi_of_unknown_length_is_an_error() {
        let error = parse(&[0, 7, 0, 0, 0, 0, 0, 1]).expect_err("E.163");
        assert_eq!((error.problem, error.offset), (Problem::UnknownAfi(7), 0));
    }

    #[test]
    fn a_name_ends_with_its_zero_octet_and_a_mac_address_by_its_length() {
        let mut reader = Reader::new(&[0, 17, b'a', b'b', 0, 0, 17, b'c'], "test");
        assert_eq!(Address::parse(&mut reader), Ok(name(b"ab")));
        let error = Address::parse(&mut reader).expect_err("no zero octet");
        assert_eq!(error.problem, Problem::NameWithoutEnd);
        assert!(parse(&[0x40, 5, 1, 2, 3, 4, 5]).is_err());
        assert!(parse(&[0x40, 6, 1, 2, 3, 4, 5, 6, 7]).is_err());
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
        let optional = |address: &Address, mask_len| {
            parse_optional_eid_prefix(&mut Reader::new(&emit(address), "test"), mask_len)
        };
        assert_eq!(optional(&instance(7, ip("172.16.0.9")), 24), Ok(Some(prefix)));
        for (other, mask_len) in [(name(b"host"), 0), (ip("192.0.2.1"), 33), (Address::None, 0)] {
            assert_eq!(optional(&other, mask_len), Ok(None));
        }
    }
}
