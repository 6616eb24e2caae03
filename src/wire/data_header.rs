//! The LISP header that precedes the inner packet in every encapsulated packet (RFC 9300 section
//! 5.3).

use super::cursor::Reader;
use super::error::ParseError;
use crate::addr::{Family, InstanceId};

/// The number of octets of the LISP data header.
pub const DATA_HEADER_LEN: usize = 8;

/// Returns the number of octets that encapsulation adds before a packet: IP, UDP and LISP headers
/// (RFC 9300 sections 5.1 and 5.2). `family` is the address family of the RLOCs.
pub const fn encapsulation_len(family: Family) -> u32 {
    match family {
        Family::Ipv4 => 20 + 8 + 8,
        Family::Ipv6 => 40 + 8 + 8,
    }
}

/// The Nonce/Map-Version field of a LISP data header, with 24 bits. The bits N, E and V select the
/// meaning of the field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NonceField {
    /// N and V are clear. The field is sent as zero and ignored on receipt.
    #[default]
    None,
    /// N is set. If N and V are both set, N has precedence.
    Nonce {
        /// The nonce, 24 bits.
        nonce: u32,
        /// E: the sender asks the receiver to send the nonce back.
        echo: bool,
    },
    /// V is set. The field has two Map-Versions of 12 bits each: one for the mapping of the inner
    /// source, and one for the mapping of the inner destination (RFC 9302).
    MapVersion {
        /// The Map-Version of the mapping of the inner source.
        source: u16,
        /// The Map-Version of the mapping of the inner destination, as the sender knows it.
        destination: u16,
    },
}

/// The LISP data header.
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |N|L|E|V|I|R|K|K|            Nonce/Map-Version                  |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |          Locator-Status-Bits (32), or if I is set             |
/// |                 Instance ID (24)              |   LSBs (8)    |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
/// The struct stores no copy of the bits N, E, V, L and I. The values of its fields determine these
/// bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DataHeader {
    /// The bits N, E and V, and the 24 bits of Nonce/Map-Version.
    pub nonce: NonceField,
    /// The Locator-Status-Bits, if L is set. Bit n, counted from the low-order end, is the state of
    /// the n-th locator in the mapping of the inner source. If the header also has an instance-ID,
    /// only 8 bits are sent.
    pub locator_status_bits: Option<u32>,
    /// The instance-ID, if the bit I is set.
    pub instance_id: Option<InstanceId>,
    /// KK: the number of the key with which the payload is encrypted (RFC 8061); 0 if the payload
    /// is not encrypted.
    pub key: u8,
}

impl DataHeader {
    /// Reads the header at the start of the payload of a datagram. Also returns the inner packet.
    ///
    /// # Errors
    /// There are fewer than eight octets. Any eight octets are a valid header.
    pub fn parse(datagram: &[u8]) -> Result<(Self, &[u8]), ParseError> {
        let mut reader = Reader::new(datagram, "LISP data header");
        let first = reader.u32()?;
        reader.enter("second word");
        let second = reader.u32()?;
        let has_instance_id = first & INSTANCE_ID_PRESENT != 0;
        let status_mask = if has_instance_id { 0xff } else { u32::MAX };
        let header = DataHeader {
            nonce: NonceField::from_word(first),
            locator_status_bits: (first & LOCATOR_STATUS_ENABLED != 0)
                .then_some(second & status_mask),
            instance_id: InstanceId::new(second >> 8).filter(|_| has_instance_id),
            key: (first >> 24) as u8 & 3,
        };
        Ok((header, reader.take_rest()))
    }

    /// Returns the Locator-Status-Bits and their number. The number is 8 if the header also has an
    /// instance-ID, and 32 otherwise.
    pub fn status_bits(&self) -> Option<StatusBits> {
        let width = if self.instance_id.is_some() { 8 } else { u32::BITS };
        self.locator_status_bits.map(|bits| StatusBits { bits, width })
    }

    /// Returns the eight octets of the header.
    pub fn emit(&self) -> [u8; DATA_HEADER_LEN] {
        let mut first = self.nonce.to_word() | u32::from(self.key & 3) << 24;
        let mut second = 0;
        if let Some(bits) = self.locator_status_bits {
            first |= LOCATOR_STATUS_ENABLED;
            second = bits;
        }
        if let Some(instance_id) = self.instance_id {
            first |= INSTANCE_ID_PRESENT;
            second = instance_id.number() << 8 | second & 0xff;
        }
        (u64::from(first) << 32 | u64::from(second)).to_be_bytes()
    }
}

/// The Locator-Status-Bits of a packet: bit n is the state of the n-th locator in the mapping of
/// the packet's inner source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusBits {
    bits: u32,
    /// The number of bits.
    width: u32,
}

impl StatusBits {
    /// Returns the bit of a locator. `ordinal` is the position of the locator in the mapping.
    /// Returns `None` if the packet has no bit for this locator.
    pub fn of(self, ordinal: u8) -> Option<bool> {
        let ordinal = u32::from(ordinal);
        (ordinal < self.width).then(|| self.bits >> ordinal & 1 == 1)
    }
}

const NONCE_PRESENT: u32 = 1 << 31;
const LOCATOR_STATUS_ENABLED: u32 = 1 << 30;
const ECHO_NONCE_REQUEST: u32 = 1 << 29;
const MAP_VERSION_PRESENT: u32 = 1 << 28;
const INSTANCE_ID_PRESENT: u32 = 1 << 27;

impl NonceField {
    fn from_word(word: u32) -> Self {
        if word & NONCE_PRESENT != 0 {
            let echo = word & ECHO_NONCE_REQUEST != 0;
            NonceField::Nonce { nonce: word & 0xff_ffff, echo }
        } else if word & MAP_VERSION_PRESENT != 0 {
            let source = (word >> 12 & 0xfff) as u16;
            NonceField::MapVersion { source, destination: (word & 0xfff) as u16 }
        } else {
            NonceField::None
        }
    }

    fn to_word(self) -> u32 {
        match self {
            NonceField::None => 0,
            NonceField::Nonce { nonce, echo } => {
                let echo = if echo { ECHO_NONCE_REQUEST } else { 0 };
                NONCE_PRESENT | echo | nonce & 0xff_ffff
            }
            NonceField::MapVersion { source, destination } => {
                let versions = u32::from(source & 0xfff) << 12 | u32::from(destination & 0xfff);
                MAP_VERSION_PRESENT | versions
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(octets: [u8; 8]) -> DataHeader {
        DataHeader::parse(&octets).expect("eight octets").0
    }

    #[test]
    fn the_nonce_wins_over_the_map_version() {
        let both = parse([0x90, 0xab, 0xcd, 0xef, 0, 0, 0, 0]);
        assert_eq!(both.nonce, NonceField::Nonce { nonce: 0xab_cdef, echo: false });
    }

    #[test]
    fn a_field_whose_bit_is_clear_is_ignored() {
        assert_eq!(parse([0x24, 1, 2, 3, 4, 5, 6, 7]), DataHeader::default());
        let instance_only = parse([0x08, 0, 0, 0, 0, 0x10, 0x04, 0xff]);
        assert_eq!(instance_only.instance_id, InstanceId::new(4100));
        assert_eq!(instance_only.locator_status_bits, None);
        assert_eq!(instance_only.emit(), [0x08, 0, 0, 0, 0, 0x10, 0x04, 0]);
    }

    #[test]
    fn map_versions_have_twelve_bits_each() {
        let nonce = NonceField::MapVersion { source: 0xabc, destination: 0x123 };
        let header = DataHeader { nonce, key: 2, ..DataHeader::default() };
        assert_eq!(header.emit(), [0x12, 0xab, 0xc1, 0x23, 0, 0, 0, 0]);
        assert_eq!(parse(header.emit()), header);
    }

    #[test]
    fn there_are_32_status_bits_or_8_beside_an_instance_id() {
        let mut header =
            DataHeader { locator_status_bits: Some(0x8000_0081), ..DataHeader::default() };
        let bits = header.status_bits().expect("the L bit is set");
        assert_eq!(
            [0, 1, 7, 31, 32].map(|n| bits.of(n)).map(|bit| bit.map(u8::from)),
            [Some(1), Some(0), Some(1), Some(1), None]
        );
        header.instance_id = InstanceId::new(5);
        let bits = header.status_bits().expect("the L bit is set");
        assert_eq!((bits.of(7), bits.of(8)), (Some(true), None));
        assert_eq!(DataHeader::default().status_bits(), None);
    }

    #[test]
    fn the_inner_packet_is_what_follows() {
        let (_, inner) = DataHeader::parse(&[0, 0, 0, 0, 0, 0, 0, 0, 0x45]).expect("a header");
        assert_eq!(inner, [0x45]);
        assert!(DataHeader::parse(&[0; 7]).is_err());
    }
}
