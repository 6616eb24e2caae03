//! Converts octets to typed messages, and typed messages to octets (RFC 9300, 9301, 8060). This
//! module keeps no state.
//!
//! [`Message::parse`] reads the payload of one UDP datagram of the control port. [`Message::emit`]
//! writes it. [`DataHeader`] is the header of eight octets in every packet on the data port.
//! [`FrameReader`] reads the frames in the TCP stream of the control port ([`mod@reliable`]). Read
//! the files in this order: [`mod@address`] (AFI and LCAF), [`mod@record`] (a mapping), then one
//! file for each message. [`mod@auth`] signs and verifies the three messages that have a MAC.
//!
//! If a parsed message is emitted again, the octets are equal to the received octets, with these
//! exceptions:
//!
//! * These are emitted as zero: reserved bits, Rsvd and Flags octets of an LCAF, and address bits
//!   after a mask. An IID mask-len is emitted as 32. Instance-ID 0 is emitted as a plain AFI.
//! * These are left out: an ITR-RLOC or source-EID that is not an IP address, a record with an EID
//!   that is not an IP prefix, and a name in a list with an ITR-RLOC.
//! * Octets after the last field are dropped. Later standards put their fields there.
//! * In a Registration Refresh, instance-ID 0 is emitted in an LCAF. An address or mask that has no
//!   meaning in the scope of the Refresh is not kept.
//! * An Encapsulated Control Message gets a new inner IP header with the same addresses, ports and
//!   TTL.

// Lengths and counts in this module come from the network. No calculation with them may overflow,
// in any build.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

pub mod address;
pub mod auth;
mod cursor;
pub mod data_header;
pub mod encapsulated;
mod error;
mod first_word;
mod icmp_error;
pub mod info;
pub mod map_notify;
pub mod map_register;
pub mod map_reply;
pub mod map_request;
pub mod probe;
pub mod record;
pub mod reliable;
#[cfg(test)]
pub(crate) mod round_trip;
mod show;

pub use address::Address;
pub use auth::{Algorithm, AuthError, Authentication, Key, MacForm, Verified, verify};
pub use data_header::{DataHeader, NonceField, StatusBits};
pub use encapsulated::Encapsulated;
pub use error::{ParseError, Place, Problem};
pub use first_word::MessageType;
pub use icmp_error::IcmpErrorKind;
pub use info::Info;
pub use map_notify::{MapNotify, MapNotifyAck};
pub use map_register::{MapRegister, XtrIdentity};
pub use map_reply::MapReply;
pub use map_request::{EidRecord, MapRequest};
pub use record::{Action, LocatorRecord, MappingRecord, UNUSABLE_PRIORITY, sort_locators};
pub use reliable::{
    BadFrame, ErrorCode, ErrorNotification, FrameReader, MappingNotification, RefreshScope,
    Registration, RegistrationRefresh, RegistrationReject, RejectReason, ReliableFrame,
    ReliableMessage, ReliableType, StreamError,
};

use first_word::FirstWord;

/// The position of the record count. It is the same in all messages with a record count.
const RECORD_COUNT_AT: usize = 3;
/// The UDP destination port of encapsulated data packets (RFC 9300 section 5.1).
pub const DATA_PORT: u16 = 4341;
/// The UDP source ports of encapsulated packets. Flows are spread over these ports (RFC 9300
/// section 5.3). They are the first ports of the dynamic range.
pub const DATA_SOURCE_PORTS: std::ops::Range<u16> = 0xc000..0xc010;
/// The UDP port of control messages, and the TCP port of reliable transport (RFC 9301 section 5).
pub const CONTROL_PORT: u16 = 4342;

/// The 64-bit number that matches an answer to its request (RFC 9301 sections 5.2 and 5.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nonce(pub u64);

/// A control message: the payload of a datagram to or from port 4342 (RFC 9301 section 5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Type 1.
    MapRequest(MapRequest),
    /// Type 2.
    MapReply(MapReply),
    /// Type 3.
    MapRegister(MapRegister),
    /// Type 4.
    MapNotify(MapNotify),
    /// Type 5.
    MapNotifyAck(MapNotifyAck),
    /// Type 7: Info-Request and Info-Reply of the NAT traversal draft.
    Info(Info),
    /// Type 8: an Encapsulated Control Message.
    Encapsulated(Encapsulated),
}

impl Message {
    /// Reads one message.
    ///
    /// # Errors
    /// A field of the message is wrong, or the type of the message is not in the enum. The error
    /// has the wrong field and its offset.
    pub fn parse(message: &[u8]) -> Result<Self, ParseError> {
        Ok(match FirstWord::message_type_of(message)? {
            MessageType::MapRequest => Message::MapRequest(MapRequest::parse(message)?),
            MessageType::MapReply => Message::MapReply(MapReply::parse(message)?),
            MessageType::MapRegister => Message::MapRegister(MapRegister::parse(message)?),
            MessageType::MapNotify => Message::MapNotify(MapNotify::parse(message)?),
            MessageType::MapNotifyAck => Message::MapNotifyAck(MapNotifyAck::parse(message)?),
            MessageType::Info => Message::Info(Info::parse(message)?),
            MessageType::Encapsulated => Message::Encapsulated(Encapsulated::parse(message)?),
        })
    }

    /// Returns the octets of the message. The Authentication Data in the value is not changed.
    pub fn emit(&self) -> Vec<u8> {
        match self {
            Message::MapRequest(message) => message.emit(),
            Message::MapReply(message) => message.emit(),
            Message::MapRegister(message) => message.emit(),
            Message::MapNotify(message) => message.emit(),
            Message::MapNotifyAck(message) => message.emit(),
            Message::Info(message) => message.emit(),
            Message::Encapsulated(message) => message.emit(),
        }
    }

    /// Returns the Record Count of this message. `octets` are the octets from which this message
    /// was read. Returns `None` if this type of message has no Record Count.
    pub fn record_count(&self, octets: &[u8]) -> Option<u8> {
        match self {
            Message::Info(_) | Message::Encapsulated(_) => None,
            _ => octets.get(RECORD_COUNT_AT).copied(),
        }
    }

    /// Returns the number of records that [`Message::parse`] left out, because their EID is not an
    /// IP prefix of an instance. `octets` are the octets from which this message was read.
    pub fn records_left_out(&self, octets: &[u8]) -> usize {
        let read = match self {
            Message::MapRequest(message) => message.records.len(),
            Message::MapReply(message) => message.records.len(),
            Message::MapRegister(message) => message.records.len(),
            Message::MapNotify(message) => message.records.len(),
            Message::MapNotifyAck(message) => message.0.records.len(),
            Message::Info(_) | Message::Encapsulated(_) => 0,
        };
        self.record_count(octets).map_or(0, |count| usize::from(count).saturating_sub(read))
    }

    /// Returns the type of this message.
    pub fn message_type(&self) -> MessageType {
        match self {
            Message::MapRequest(_) => MessageType::MapRequest,
            Message::MapReply(_) => MessageType::MapReply,
            Message::MapRegister(_) => MessageType::MapRegister,
            Message::MapNotify(_) => MessageType::MapNotify,
            Message::MapNotifyAck(_) => MessageType::MapNotifyAck,
            Message::Info(_) => MessageType::Info,
            Message::Encapsulated(_) => MessageType::Encapsulated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_without_a_parser_is_an_error_that_names_it() {
        let error = Message::parse(&[0x60, 0, 0, 0]).expect_err("Map-Referral is not parsed");
        assert_eq!(error.to_string(), "LISP message: type 6 is not known, at octet 0");
    }

    #[test]
    fn an_empty_datagram_is_an_error() {
        let error = Message::parse(&[]).expect_err("nothing to parse");
        assert_eq!(
            error.to_string(),
            "LISP message: first word is truncated: it needs 4 octets, but only 0 are left, at \
             octet 0"
        );
    }
}
