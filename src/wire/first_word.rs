//! The first 32 bits of a control message: type, flag bits, record count (RFC 9301 section 5.1).

use super::cursor::Reader;
use super::error::{ParseError, Problem};

/// The control messages that have a parser, with their type numbers (RFC 9301 sections 5.1 and
/// 12.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageType {
    /// Type 1.
    MapRequest = 1,
    /// Type 2.
    MapReply = 2,
    /// Type 3.
    MapRegister = 3,
    /// Type 4.
    MapNotify = 4,
    /// Type 5.
    MapNotifyAck = 5,
    /// Type 7.
    Info = 7,
    /// Type 8.
    Encapsulated = 8,
}

impl MessageType {
    const ALL: [MessageType; 7] = [
        MessageType::MapRequest,
        MessageType::MapReply,
        MessageType::MapRegister,
        MessageType::MapNotify,
        MessageType::MapNotifyAck,
        MessageType::Info,
        MessageType::Encapsulated,
    ];

    /// Returns the message type with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.number() == number)
    }

    /// Returns the number of the type. The first nibble of the message has this number.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Returns the name of the message in the RFCs.
    pub const fn name(self) -> &'static str {
        match self {
            MessageType::MapRequest => "Map-Request",
            MessageType::MapReply => "Map-Reply",
            MessageType::MapRegister => "Map-Register",
            MessageType::MapNotify => "Map-Notify",
            MessageType::MapNotifyAck => "Map-Notify-Ack",
            MessageType::Info => "Info",
            MessageType::Encapsulated => "ECM",
        }
    }
}

/// The first word of a message. Bits are numbered from the left, as in the diagrams of the RFCs.
#[derive(Clone, Copy)]
pub(super) struct FirstWord(u32);

impl FirstWord {
    /// Makes the first word of a message of this type. All flag bits are clear, and the record
    /// count is 0.
    pub(super) fn new(message_type: MessageType) -> Self {
        FirstWord(u32::from(message_type.number()) << 28)
    }

    /// Returns the type of a message, before the message is parsed.
    pub(super) fn message_type_of(message: &[u8]) -> Result<MessageType, ParseError> {
        let mut reader = Reader::new(message, "LISP message");
        let word = FirstWord(reader.u32()?);
        reader.enter("type");
        let unknown = reader.error_at(0, Problem::UnknownType(word.type_number().into()));
        MessageType::from_number(word.type_number()).ok_or(unknown)
    }

    /// Reads the first word of a message. The message must be of type `message_type`. The position
    /// of the returned reader is after the first word.
    pub(super) fn read(
        message: &[u8],
        message_type: MessageType,
    ) -> Result<(Self, Reader<'_>), ParseError> {
        let mut reader = Reader::new(message, message_type.name());
        let word = FirstWord(reader.u32()?);
        if word.type_number() == message_type.number() {
            return Ok((word, reader));
        }
        reader.enter("type");
        Err(reader.error_at(0, Problem::OtherType(word.type_number())))
    }

    fn type_number(self) -> u8 {
        (self.0 >> 28) as u8
    }

    /// Returns whether bit `number` is set.
    pub(super) fn bit(self, number: u32) -> bool {
        self.bits(number, 1) == 1
    }

    /// Returns the `width` bits that begin with bit `first`.
    pub(super) fn bits(self, first: u32, width: u32) -> u32 {
        self.0.unbounded_shl(first).unbounded_shr(u32::BITS.saturating_sub(width))
    }

    /// Returns the record count, which is in bits 24 to 31.
    pub(super) fn count(self) -> usize {
        self.bits(24, 8) as usize
    }

    /// Sets bit `number` if `set` is true.
    pub(super) fn with(self, number: u32, set: bool) -> Self {
        self.with_bits(number, 1, u32::from(set))
    }

    /// Sets the `width` bits that begin with bit `first` to `value`. Before this call, these bits
    /// must be clear.
    pub(super) fn with_bits(self, first: u32, width: u32, value: u32) -> Self {
        let behind = u32::BITS.saturating_sub(first).saturating_sub(width);
        FirstWord(self.0 | value.unbounded_shl(behind))
    }

    /// Sets the record count. The count is at most 255: see [`counted`].
    pub(super) fn with_count(self, count: usize) -> Self {
        self.with_bits(24, 8, count as u32 & 0xff)
    }

    pub(super) fn octets(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }
}

/// Returns all `items`, but at most the first 255, because a record count has 8 bits.
pub(super) fn counted<T>(items: &[T]) -> &[T] {
    debug_assert!(items.len() <= 255, "a message carries at most 255 records");
    &items[..items.len().min(255)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_numbered_from_the_left() {
        let word = FirstWord::new(MessageType::MapRequest).with(7, true).with_bits(19, 5, 31);
        assert_eq!(word.octets(), [0x11, 0x00, 0x1f, 0x00]);
        assert!(word.bit(7) && !word.bit(6) && word.bit(19) && !word.bit(18));
        assert_eq!(word.bits(19, 5), 31);
        assert_eq!(word.with_count(2).count(), 2);
    }

    #[test]
    fn a_parser_refuses_another_type() {
        let error = FirstWord::read(&[0x20, 0, 0, 0], MessageType::MapRequest).err();
        let text = error.map(|error| error.to_string());
        assert_eq!(
            text.as_deref(),
            Some("Map-Request: type 2 is the type of another message, at octet 0")
        );
    }
}
