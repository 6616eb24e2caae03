//! Errors in octets from the network. Each error has its position in the message.

use std::fmt;

use crate::addr::Family;

/// An error in octets that should be a message.
///
/// An example of the text of an error is
/// `Map-Request: EID-Record 1 is truncated: it needs 4 octets, but only 2 are left, at octet 24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}: {place} {problem}, at octet {offset}")]
pub struct ParseError {
    /// The kind of the message, with its name in the RFCs.
    pub message: &'static str,
    /// The part of the message with the error.
    pub place: Place,
    /// The error in this part.
    pub problem: Problem,
    /// The number of octets from the start of the message to the wrong field.
    pub offset: usize,
}

/// A part of a message: a field, or a record with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The name of the part in the RFC.
    pub name: &'static str,
    /// The number of the record, counted from 1. `None` if the part is not one of several records.
    pub ordinal: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        self.ordinal.map_or(Ok(()), |ordinal| write!(f, " {ordinal}"))
    }
}

/// The error in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The field is cut, because the message or the LCAF that contains the field ends too early.
    #[error("is truncated: it needs {wanted} octets, but only {left} are left")]
    Truncated {
        /// The number of octets that the field needs.
        wanted: usize,
        /// The number of remaining octets.
        left: usize,
    },
    /// The type is unknown. The first nibble is not a type of the [`super::Message`] enum, or the
    /// Type of a frame is not a type of [`super::ReliableMessage`].
    #[error("{0} is not known")]
    UnknownType(u16),
    /// The first nibble is a known type, but this parser reads messages of another type.
    #[error("{0} is the type of another message")]
    OtherType(u8),
    /// The length of the addresses of this AFI is unknown. So the fields after the address cannot
    /// be found.
    #[error("has AFI {0}, and the length of addresses of this AFI is unknown")]
    UnknownAfi(u16),
    /// The address is well formed, but it is not an IP address in an instance.
    #[error("is not an IP prefix")]
    NotAnEid,
    /// The instance-ID needs more than the 24 bits of the data header.
    #[error("has instance-ID {0}, which needs more than 24 bits")]
    InstanceIdTooLarge(u32),
    /// The mask has more bits than the address.
    #[error("has mask length {mask_len}, but {family} allows at most {}", family.bits())]
    MaskTooLong {
        /// The mask length in the message.
        mask_len: u8,
        /// The family of the address with this mask.
        family: Family,
    },
    /// A distinguished name (AFI 17) has no zero octet at its end.
    #[error("has a name (AFI 17) without a zero octet at its end")]
    NameWithoutEnd,
    /// LCAFs are nested deeper than [`super::address::MAX_LCAF_DEPTH`]. The outer LCAF is treated
    /// as opaque.
    #[error("nests LCAFs too deeply")]
    LcafTooDeep,
    /// The LCAF type has no parser. The LCAF is treated as opaque.
    #[error("has the unknown LCAF type {0}")]
    UnknownLcaf(u8),
    /// No ITR-RLOC is an IP address, so no reply can be sent (RFC 9301 section 5.3).
    #[error("missing: no ITR-RLOC is an IP address")]
    NoItrRloc,
    /// The message has LISP-SEC data (RFC 9303). The length of these data is not known here.
    #[error("has LISP-SEC data, which is not supported")]
    LispSec,
    /// The Length is impossible for a frame of the reliable transport, or differs from the length
    /// of this frame.
    #[error("is {0}, but this cannot be the length of this frame")]
    FrameLength(u16),
    /// A frame of the reliable transport ends with these octets in place of the end marker.
    #[error("is 0x{0:08x}, but 0x9facade9 is expected")]
    EndMarker(u32),
    /// The Map-Register of a Registration does not have exactly one record. The Registration must
    /// be discarded.
    #[error("have the count {0}, but exactly 1 is allowed")]
    RecordCount(usize),
    /// The Scope of a Registration Refresh is not one of the five defined scopes.
    #[error("{0} is not known")]
    UnknownScope(u8),
    /// A field has an address, but the field must contain only an instance.
    #[error("must contain only an instance-ID")]
    NotAnInstance,
    /// The inner packet is a fragment, or it is not a UDP datagram over IPv4 or IPv6.
    #[error("is a fragment, or is not a UDP datagram")]
    NotUdp,
    /// The IPv4 header checksum or the UDP checksum is wrong. A UDP checksum of zero is not an
    /// error, because it means that there is no checksum.
    #[error("has checksum 0x{found:04x}, but 0x{computed:04x} is expected")]
    Checksum {
        /// The checksum in the packet.
        found: u16,
        /// The checksum that was computed from the octets of the packet.
        computed: u16,
    },
}
