//! Map-Notify and Map-Notify-Ack: the map-server's notification about a mapping, and the xTR's
//! acknowledgement (RFC 9301 section 5.7).

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
/// The RFC reserves bits 4 and 5; IOS sends I and R there, and tshark reads them so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapNotify {
    /// R: built for a re-encapsulating tunnel router (NAT traversal draft).
    pub built_for_rtr: bool,
    /// The nonce of the Map-Register that it acknowledges, or the map-server's own.
    pub nonce: Nonce,
    /// The MAC as received, or as it will be sent.
    pub authentication: Authentication,
    /// The mappings, at most 255.
    pub records: Vec<MappingRecord>,
    /// Present if I.
    pub xtr_identity: Option<XtrIdentity>,
}

/// A Map-Notify-Ack, type 5: the contents of the Map-Notify that it answers, signed again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapNotifyAck(pub MapNotify);

impl MapNotify {
    /// Reads a Map-Notify, first nibble included; [`auth::verify`] checks its MAC.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn parse(message: &[u8]) -> Result<Self, ParseError> {
        Self::parse_as(MessageType::MapNotify, message)
    }

    /// The octets of the message, with its Authentication Data unchanged.
    pub fn emit(&self) -> Vec<u8> {
        self.emit_as(MessageType::MapNotify, &self.authentication)
    }

    /// The octets of the message with a fresh MAC of `key`.
    pub fn emit_signed(&self, key: &Key) -> Vec<u8> {
        self.emit_signed_as(key, MacForm::of_first(key.algorithm))
    }

    /// The octets of the message with a fresh MAC of `key`, in the form of the Map-Register that it
    /// answers.
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
    /// Reads a Map-Notify-Ack, first nibble included; [`auth::verify`] checks its MAC.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn parse(message: &[u8]) -> Result<Self, ParseError> {
        MapNotify::parse_as(MessageType::MapNotifyAck, message).map(MapNotifyAck)
    }

    /// The octets of the message, with its Authentication Data unchanged.
    pub fn emit(&self) -> Vec<u8> {
        self.0.emit_as(MessageType::MapNotifyAck, &self.0.authentication)
    }

    /// The octets of the message with a fresh MAC of `key`.
    pub fn emit_signed(&self, key: &Key) -> Vec<u8> {
        self.emit_signed_as(key, MacForm::of_first(key.algorithm))
    }

    /// The octets of the message with a fresh MAC of `key`, in the form of the Map-Notify that it
    /// answers.
    pub fn emit_signed_as(&self, key: &Key, form: MacForm) -> Vec<u8> {
        let authentication = Authentication::zeroed(key, form);
        let unsigned = self.0.emit_as(MessageType::MapNotifyAck, &authentication);
        auth::signed(unsigned, key, form)
    }
}
