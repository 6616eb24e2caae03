//! Errors in octets from the network, and the position of each.

use std::fmt;

use crate::addr::Family;

/// Octets that are not a valid message of their kind.
///
/// Displays as `Map-Request: EID-Record 1 truncated: 4 octets wanted, 2 left, at octet 24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}: {place} {problem}, at octet {offset}")]
pub struct ParseError {
    /// The kind of message that was read, as the RFCs write it.
    pub message: &'static str,
    /// The part of the message that was read.
    pub place: Place,
    /// The error in this part.
    pub problem: Problem,
    /// Octets from the start of the message to the field that is wrong.
    pub offset: usize,
}

/// A part of a message: a field, or the n-th record of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The name in the RFC.
    pub name: &'static str,
    /// The number of the record, counted from 1, if there can be several.
    pub ordinal: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        self.ordinal.map_or(Ok(()), |ordinal| write!(f, " {ordinal}"))
    }
}

/// The error of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The message, or the LCAF around the field, ends too early.
    #[error("is truncated: it needs {wanted} octets, but only {left} are left")]
    Truncated {
        /// Octets that the field needs.
        wanted: usize,
        /// Octets that are left.
        left: usize,
    },
    /// The first nibble is not a type of the [`super::Message`] enum, or the Type of a frame is not
    /// a type of [`super::ReliableMessage`].
    #[error("{0} is not known")]
    UnknownType(u16),
    /// The first nibble is not the type of the parser that was called.
    #[error("{0} belongs to another message")]
    OtherType(u8),
    /// An address family of unknown length, so that nothing after it can be found.
    #[error("has AFI {0}, and the length of its addresses is unknown")]
    UnknownAfi(u16),
    /// An address that is well formed, but not an IP address in an instance.
    #[error("is not an IP prefix")]
    NotAnEid,
    /// An instance-ID that the 24 bits of the data header cannot carry.
    #[error("has instance-ID {0}, which needs more than 24 bits")]
    InstanceIdTooLarge(u32),
    /// More mask bits than the address has.
    #[error("has mask length {mask_len}, but {family} allows at most {}", family.bits())]
    MaskTooLong {
        /// The mask length of the message.
        mask_len: u8,
        /// The family of the address beside it.
        family: Family,
    },
    /// A distinguished name (AFI 17) without the zero octet that ends it.
    #[error("has a name (AFI 17) without a zero octet at its end")]
    NameWithoutEnd,
    /// LCAFs nested deeper than [`super::address::MAX_LCAF_DEPTH`]: the outer LCAF is opaque.
    #[error("nests LCAFs too deeply")]
    LcafTooDeep,
    /// An LCAF type without a parser: the LCAF is opaque.
    #[error("has the unknown LCAF type {0}")]
    UnknownLcaf(u8),
    /// No ITR-RLOC is an IP address, so that no reply could be sent (RFC 9301 section 5.3).
    #[error("missing: no ITR-RLOC is an IP address")]
    NoItrRloc,
    /// LISP-SEC data (RFC 9303), whose length is not known here.
    #[error("has LISP-SEC data, which is not supported")]
    LispSec,
    /// A Length that no frame of the reliable transport can have, or that is not the length of this
    /// frame.
    #[error("is {0}, which is not the length of a frame")]
    FrameLength(u16),
    /// Other octets at the position where a frame of the reliable transport must end.
    #[error("is 0x{0:08x}, but 0x9facade9 is expected")]
    EndMarker(u32),
    /// A Registration with no record or several records in its Map-Register: it must be discarded.
    #[error("have the count {0}, but exactly 1 is allowed")]
    RecordCount(usize),
    /// A Registration Refresh of a kind that is not one of the five defined kinds.
    #[error("{0} is not known")]
    UnknownScope(u8),
    /// An address in a field that must contain only an instance.
    #[error("must contain only an instance-ID")]
    NotAnInstance,
    /// The inner packet is not one unfragmented UDP datagram over IPv4 or IPv6.
    #[error("is not an unfragmented UDP datagram")]
    NotUdp,
    /// The IPv4 header or UDP checksum is wrong. A UDP checksum of zero is not an error, because it
    /// means that there is none.
    #[error("has checksum 0x{found:04x}, but 0x{computed:04x} is expected")]
    Checksum {
        /// The checksum in the packet.
        found: u16,
        /// The checksum computed from its octets.
        computed: u16,
    },
}
