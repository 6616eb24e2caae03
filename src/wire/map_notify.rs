//! Map-Notify and Map-Notify-Ack. With a Map-Notify, a map-server notifies an xTR about a mapping.
//! With a Map-Notify-Ack, the xTR acknowledges the Map-Notify (RFC 9301 section 5.7).

use super::Nonce;
use super::auth::{self, Authentication, Key, MacForm};
use super::error::ParseError;
use super::first_word::{FirstWord, MessageType};
use super::map_register::{Body, XtrIdentity, emit_body};
use super::record::MappingRecord;

/// A Map-Notify.
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |Type=4 |I|R|            Reserved               | Record Count  |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                            Nonce (64)                         |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |    Key ID     | Algorithm ID  |  Authentication Data Length   |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   Authentication Data; Records (MappingRecord);               |
/// |   xTR-ID (128) and Site-ID (64) if I                          |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
/// RFC 9301 reserves bits 4 and 5. IOS sends I in bit 4 and R in bit 5. tshark reads these bits in
/// the same way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapNotify {
    /// R: the message was built for a re-encapsulating tunnel router (NAT traversal draft).
    pub built_for_rtr: bool,
    /// The nonce of the Map-Register that this message acknowledges, or a nonce that the map-server
    /// chose.
    pub nonce: Nonce,
    /// The Authentication Data, as received or as it will be sent.
    pub authentication: Authentication,
    /// The mappings, at most 255.
    pub records: Vec<MappingRecord>,
    /// The xTR-ID and Site-ID, if I is set.
    pub xtr_identity: Option<XtrIdentity>,
}

/// A Map-Notify-Ack, type 5. It has the contents of the Map-Notify that it answers, with a new MAC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapNotifyAck(pub MapNotify);

impl MapNotify {
    /// Reads a Map-Notify. The octets begin with the type of the message. [`auth::verify`] checks
    /// the MAC.
    ///
    /// # Errors
    /// A field of the message is wrong. The error names the first wrong field.
    pub fn parse(message: &[u8]) -> Result<Self, ParseError> {
        Self::parse_as(MessageType::MapNotify, message)
    }

    /// Returns the octets of the message. The Authentication Data is not changed.
    pub fn emit(&self) -> Vec<u8> {
        self.emit_as(MessageType::MapNotify, &self.authentication)
    }

    /// Returns the octets of the message with a new MAC, made with `key`.
    pub fn emit_signed(&self, key: &Key) -> Vec<u8> {
        self.emit_signed_as(key, MacForm::of_first(key.algorithm))
    }

    /// Returns the octets of the message with a new MAC, made with `key`. This message answers a
    /// Map-Register, and `form` is the form of the MAC in that Map-Register.
    pub fn emit_signed_as(&self, key: &Key, form: MacForm) -> Vec<u8> {
        let unsigned = self.emit_as(MessageType::MapNotify, &Authentication::zeroed(key, form));
        auth::signed(unsigned, key, form)
    }

    fn parse_as(message_type: MessageType, message: &[u8]) -> Result<Self, ParseError> {
        let (word, mut reader) = FirstWord::read(message, message_type)?;
        let body = Body::parse(&mut reader, word.count(), word.bit(4))?;
        Ok(MapNotify {
            built_for_rtr: word.bit(5),
            nonce: body.nonce,
            authentication: body.authentication,
            records: body.records,
            xtr_identity: body.xtr_identity,
        })
    }

    fn emit_as(&self, message_type: MessageType, authentication: &Authentication) -> Vec<u8> {
        let word = FirstWord::new(message_type)
            .with(4, self.xtr_identity.is_some())
            .with(5, self.built_for_rtr);
        emit_body(word, self.nonce, authentication, &self.records, self.xtr_identity)
    }
}

impl MapNotifyAck {
    /// Reads a Map-Notify-Ack. The octets begin with the type of the message. [`auth::verify`]
    /// checks the MAC.
    ///
    /// # Errors
    /// A field of the message is wrong. The error names the first wrong field.
    pub fn parse(message: &[u8]) -> Result<Self, ParseError> {
        MapNotify::parse_as(MessageType::MapNotifyAck, message).map(MapNotifyAck)
    }

    /// Returns the octets of the message. The Authentication Data is not changed.
    pub fn emit(&self) -> Vec<u8> {
        self.0.emit_as(MessageType::MapNotifyAck, &self.0.authentication)
    }

    /// Returns the octets of the message with a new MAC, made with `key`.
    pub fn emit_signed(&self, key: &Key) -> Vec<u8> {
        self.emit_signed_as(key, MacForm::of_first(key.algorithm))
    }

    /// Returns the octets of the message with a new MAC, made with `key`. This message answers a
    /// Map-Notify, and `form` is the form of the MAC in that Map-Notify.
    pub fn emit_signed_as(&self, key: &Key, form: MacForm) -> Vec<u8> {
        let authentication = Authentication::zeroed(key, form);
        let unsigned = self.0.emit_as(MessageType::MapNotifyAck, &authentication);
        auth::signed(unsigned, key, form)
    }
}
