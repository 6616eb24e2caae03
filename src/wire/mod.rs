//! Converts bytes to types and back, without state (RFC 9300, 9301, 8060).
//!
//! [`Message::parse`] reads the payload of one UDP datagram of the control port; [`Message::emit`]
//! writes it. [`DataHeader`] is the eight octets in front of every packet on the data port.
//! [`FrameReader`] reads the frames of the control port's TCP stream ([`mod@reliable`]).
//! Reading order: [`mod@address`] (AFI and LCAF), [`mod@record`] (a mapping), then one file per
//! message. [`mod@auth`] signs and verifies the three messages that carry a MAC.
//!
//! A parsed message is emitted again byte for byte, with these exceptions. Reserved bits, LCAF Rsvd
//! and Flags octets and host bits beyond a mask are emitted as zero; an IID mask-len as 32;
//! instance-ID 0 as a plain AFI. ITR-RLOCs and source-EIDs that are not IP addresses, and records
//! with an EID that is not an IP prefix, are left out; so is a name beside an ITR-RLOC. Octets
//! after the last field, where later standards put their fields, are dropped. A Registration
//! Refresh has instance-ID 0 in an LCAF, and no address or mask without meaning. An Encapsulated
//! Control Message gets an inner IP header of our own with the same addresses, ports and TTL.

// Lengths and counts here come from the network: none may overflow, in any build.
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
pub mod record;
pub mod reliable;
#[cfg(test)]
mod round_trip;
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

/// The position of the record count in a message that has one.
const RECORD_COUNT_AT: usize = 3;
/// The UDP destination port of encapsulated data packets (RFC 9300 section 5.1).
pub const DATA_PORT: u16 = 4341;
/// The UDP source ports of encapsulated packets, over which flows are spread (RFC 9300 section 5.3): the
/// first ones of the dynamic range.
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
    /// The field that is wrong and its offset; also for a type that is not in the enum.
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

    /// The octets of the message; Authentication Data is emitted as it is in the value.
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

    /// The Record Count of `octets`, from which the message was read; `None` if the type has none.
    pub fn record_count(&self, octets: &[u8]) -> Option<u8> {
        match self {
            Message::Info(_) | Message::Encapsulated(_) => None,
            _ => octets.get(RECORD_COUNT_AT).copied(),
        }
    }

    /// The number of records in `octets`, from which the message was read, that were left out
    /// because their EID is not an IP prefix of an instance.
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

    /// The type of this message.
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
