//! Map-Register: an ETR sends its mappings to the map-server (RFC 9301 section 5.6).

use super::Nonce;
use super::auth::{self, Authentication, Key, MacForm};
use super::cursor::Reader;
use super::error::ParseError;
use super::first_word::{FirstWord, MessageType, counted};
use super::record::MappingRecord;

/// The xTR-ID and the Site-ID at the end of a message, if the I bit of the message is set. Both IDs
/// together identify one xTR of the LISP domain (RFC 9301 section 5.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct XtrIdentity {
    /// The xTR-ID, 128 bits. It is unique within the site.
    pub xtr_id: u128,
    /// The Site-ID, 64 bits.
    pub site_id: u64,
}

impl XtrIdentity {
    /// The number of octets of both IDs in a message.
    const LEN: usize = 24;

    /// Reads both IDs if the message has them. `present` is the I bit of the message. If the
    /// message ends before the IDs, returns `None`: RFC 9301 reserves the I bits of Map-Request and
    /// Map-Notify, so a set bit may have no meaning.
    pub(super) fn parse_if(
        present: bool,
        reader: &mut Reader<'_>,
    ) -> Result<Option<Self>, ParseError> {
        if !present || reader.left() == 0 {
            return Ok(None);
        }
        Self::parse(reader).map(Some)
    }

    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        reader.enter("xTR-ID and Site-ID");
        Ok(XtrIdentity { xtr_id: reader.u128()?, site_id: reader.u64()? })
    }

    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        out.extend(self.xtr_id.to_be_bytes());
        out.extend(self.site_id.to_be_bytes());
    }
}

/// A Map-Register.
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |Type=3 |P|S|I|     Reserved        |r|E|T|a|R|M| Record Count  |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                            Nonce (64)                         |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |    Key ID     | Algorithm ID  |  Authentication Data Length   |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   Authentication Data; Records (MappingRecord);               |
/// |   xTR-ID (128) and Site-ID (64) if I                          |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
/// The bit r is from draft-ietf-lisp-map-server-reliable-transport.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapRegister {
    /// P: the map-server shall answer Map-Requests for the ETR.
    pub proxy_reply: bool,
    /// S: the ETR supports LISP-SEC (RFC 9303).
    pub security_capable: bool,
    /// r: the ETR wants a reliable transport session.
    pub reliable_transport: bool,
    /// E: the message reports a dynamic EID that a first-hop router has discovered.
    pub eid_notify: bool,
    /// T: the Record TTL is the lifetime of the registration.
    pub ttl_for_timeout: bool,
    /// a: the map-server shall merge the locators of several xTRs.
    pub merge: bool,
    /// M: the ETR wants a Map-Notify as acknowledgement.
    pub want_map_notify: bool,
    /// The nonce. An xTR increases the nonce with each message that it signs with the same key.
    pub nonce: Nonce,
    /// The Authentication Data, as received or as it will be sent.
    pub authentication: Authentication,
    /// The mappings, at most 255.
    pub records: Vec<MappingRecord>,
    /// The xTR-ID and Site-ID, if I is set.
    pub xtr_identity: Option<XtrIdentity>,
}

impl MapRegister {
    /// Reads a Map-Register. The octets begin with the type of the message. [`auth::verify`] checks
    /// the MAC.
    ///
    /// # Errors
    /// A field of the message is wrong. The error names the first wrong field.
    pub fn parse(message: &[u8]) -> Result<Self, ParseError> {
        let (word, mut reader) = FirstWord::read(message, MessageType::MapRegister)?;
        let body = Body::parse(&mut reader, word.count(), word.bit(6))?;
        Ok(MapRegister {
            proxy_reply: word.bit(4),
            security_capable: word.bit(5),
            reliable_transport: word.bit(18),
            eid_notify: word.bit(19),
            ttl_for_timeout: word.bit(20),
            merge: word.bit(21),
            want_map_notify: word.bit(23),
            nonce: body.nonce,
            authentication: body.authentication,
            records: body.records,
            xtr_identity: body.xtr_identity,
        })
    }

    /// Returns the octets of the message. The Authentication Data is not changed.
    pub fn emit(&self) -> Vec<u8> {
        self.emit_with(&self.authentication)
    }

    /// Returns the octets of the message with a new MAC, made with `key`.
    pub fn emit_signed(&self, key: &Key) -> Vec<u8> {
        self.emit_signed_as(key, MacForm::of_first(key.algorithm))
    }

    /// Returns the octets of the message with a new MAC, made with `key`. The MAC has the form
    /// `form`, not the default form of the key.
    pub fn emit_signed_as(&self, key: &Key, form: MacForm) -> Vec<u8> {
        auth::signed(self.emit_with(&Authentication::zeroed(key, form)), key, form)
    }

    /// Returns the octets of the message with a MAC that covers only the octets up to the end of
    /// the last record. RFC 9301 section 5.6 can also be read in this way. This MAC does not cover
    /// the xTR-ID. Eidway sends such a message only if a test asks for it.
    pub fn emit_signed_to_records(&self, key: &Key) -> Vec<u8> {
        let form = MacForm::of_first(key.algorithm);
        let octets = self.emit_with(&Authentication::zeroed(key, form));
        let identity = self.xtr_identity.map_or(0, |_| XtrIdentity::LEN);
        let end = octets.len().saturating_sub(identity);
        auth::signed_to(octets, end, key, form)
    }

    fn emit_with(&self, authentication: &Authentication) -> Vec<u8> {
        let word = FirstWord::new(MessageType::MapRegister)
            .with(4, self.proxy_reply)
            .with(5, self.security_capable)
            .with(6, self.xtr_identity.is_some())
            .with(18, self.reliable_transport)
            .with(19, self.eid_notify)
            .with(20, self.ttl_for_timeout)
            .with(21, self.merge)
            .with(23, self.want_map_notify);
        emit_body(word, self.nonce, authentication, &self.records, self.xtr_identity)
    }
}

/// The part that Map-Register, Map-Notify and Map-Notify-Ack have in common. It is the whole
/// message after the first word.
pub(super) struct Body {
    pub(super) nonce: Nonce,
    pub(super) authentication: Authentication,
    pub(super) records: Vec<MappingRecord>,
    pub(super) xtr_identity: Option<XtrIdentity>,
    /// The number of octets from the start of the message to the end of its last record.
    pub(super) records_end: usize,
    /// The number of octets from the start of the message to the end of its last field. Later
    /// octets are not part of the message.
    pub(super) end: usize,
}

impl Body {
    pub(super) fn parse(
        reader: &mut Reader<'_>,
        count: usize,
        has_identity: bool,
    ) -> Result<Self, ParseError> {
        reader.enter("Nonce");
        let nonce = Nonce(reader.u64()?);
        let authentication = Authentication::parse(reader)?;
        let records = MappingRecord::parse_all(reader, count)?;
        let records_end = reader.offset();
        let xtr_identity = XtrIdentity::parse_if(has_identity, reader)?;
        let end = reader.offset();
        Ok(Body { nonce, authentication, records, xtr_identity, records_end, end })
    }
}

/// Makes the octets of a message that starts with `word`. Also sets the record count in `word`.
pub(super) fn emit_body(
    word: FirstWord,
    nonce: Nonce,
    authentication: &Authentication,
    records: &[MappingRecord],
    xtr_identity: Option<XtrIdentity>,
) -> Vec<u8> {
    let records = counted(records);
    let mut out = Vec::from(word.with_count(records.len()).octets());
    out.extend(nonce.0.to_be_bytes());
    authentication.emit(&mut out);
    records.iter().for_each(|record| record.emit(&mut out));
    if let Some(identity) = xtr_identity {
        identity.emit(&mut out);
    }
    out
}
