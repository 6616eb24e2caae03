//! Error Notification: the sender could not understand a frame (section 5.1 of the draft for
//! reliable transport).

use crate::wire::cursor::Reader;
use crate::wire::error::ParseError;

/// The kind of error. The draft for reliable transport names two errors but gives them no numbers.
/// The numbers here follow the order in the draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorCode {
    /// 1: the Type is unknown.
    UnrecognizedType,
    /// 2: the data does not fit the Type.
    FormatError,
    /// Any other number.
    Unassigned(u8),
}

impl ErrorCode {
    /// Returns the error code for this value of the field Error Code.
    pub const fn from_number(number: u8) -> Self {
        match number {
            1 => ErrorCode::UnrecognizedType,
            2 => ErrorCode::FormatError,
            unassigned => ErrorCode::Unassigned(unassigned),
        }
    }

    /// Returns the value of the field Error Code.
    pub const fn number(self) -> u8 {
        match self {
            ErrorCode::UnrecognizedType => 1,
            ErrorCode::FormatError => 2,
            ErrorCode::Unassigned(number) => number,
        }
    }
}

/// The data of an Error Notification. An Error Notification is never answered with another Error
/// Notification.
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  Error Code   |                   Reserved                    |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |    Offending Message Type     |   Offending Message Length    |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                     Offending Message ID                      |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ~                    Offending Message Data                     ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorNotification {
    /// The kind of error.
    pub code: ErrorCode,
    /// The Type of the wrong frame.
    pub offending_type: u16,
    /// The Length of the wrong frame.
    pub offending_length: u16,
    /// The Message ID of the wrong frame; 0 if it had no Message ID.
    pub offending_message_id: u32,
    /// The first octets of the wrong frame's data.
    pub offending_data: Vec<u8>,
}

impl ErrorNotification {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        reader.enter("Error Code");
        let code = ErrorCode::from_number(reader.u8()?);
        let _reserved = reader.take(3)?;
        reader.enter("Offending Message");
        Ok(ErrorNotification {
            code,
            offending_type: reader.u16()?,
            offending_length: reader.u16()?,
            offending_message_id: reader.u32()?,
            offending_data: reader.take_rest().to_vec(),
        })
    }

    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        out.extend([self.code.number(), 0, 0, 0]);
        out.extend(self.offending_type.to_be_bytes());
        out.extend(self.offending_length.to_be_bytes());
        out.extend(self.offending_message_id.to_be_bytes());
        out.extend(&self.offending_data);
    }
}
