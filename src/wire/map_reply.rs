//! Map-Reply: the mappings that answer a Map-Request (RFC 9301 section 5.4).

use super::Nonce;
use super::error::ParseError;
use super::first_word::{FirstWord, MessageType, counted};
use super::record::MappingRecord;

/// A Map-Reply.
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |Type=2 |P|E|S|          Reserved               | Record Count  |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                            Nonce (64)                         |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                   Records (MappingRecord) ...                 |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapReply {
    /// P: the message answers a probe.
    pub probe: bool,
    /// E: the site supports echo-nonce (RFC 9300 section 10.1).
    pub echo_nonce: bool,
    /// S: LISP-SEC data follow the records (RFC 9303). LISP-SEC data in a received message are
    /// dropped.
    pub security: bool,
    /// The nonce of the Map-Request.
    pub nonce: Nonce,
    /// The mappings, at most 255.
    pub records: Vec<MappingRecord>,
}

impl MapReply {
    /// Reads a Map-Reply. The octets begin with the type of the message.
    ///
    /// # Errors
    /// A field of the message is wrong. The error names the first wrong field.
    pub fn parse(message: &[u8]) -> Result<Self, ParseError> {
        let (word, mut reader) = FirstWord::read(message, MessageType::MapReply)?;
        reader.enter("Nonce");
        Ok(MapReply {
            probe: word.bit(4),
            echo_nonce: word.bit(5),
            security: word.bit(6),
            nonce: Nonce(reader.u64()?),
            records: MappingRecord::parse_all(&mut reader, word.count())?,
        })
    }

    /// Returns the octets of the message.
    pub fn emit(&self) -> Vec<u8> {
        let records = counted(&self.records);
        let word = FirstWord::new(MessageType::MapReply)
            .with(4, self.probe)
            .with(5, self.echo_nonce)
            .with(6, self.security)
            .with_count(records.len());
        let mut out = Vec::from(word.octets());
        out.extend(self.nonce.0.to_be_bytes());
        records.iter().for_each(|record| record.emit(&mut out));
        out
    }
}
