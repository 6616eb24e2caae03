//! Reliable transport between an ETR and a map-server: messages of types 16 to 21 on one TCP stream
//! of port 4342. The standard is draft-ietf-lisp-map-server-reliable-transport. The section numbers
//! here are those of the earlier draft-kouvelas-lisp-map-server-reliable-transport.
//!
//! [`ReliableFrame`] is one message with its envelope. [`FrameReader`] finds the frames in the
//! octets of a stream. Read the files in this order: this file, [`error_notification`],
//! [`registration`] (a Registration and its rejection), [`refresh`], [`mapping_notification`],
//! [`stream`].

pub mod error_notification;
pub mod mapping_notification;
pub mod refresh;
pub mod registration;
#[cfg(test)]
pub(crate) mod round_trip;
mod show;
pub mod stream;

pub use error_notification::{ErrorCode, ErrorNotification};
pub use mapping_notification::MappingNotification;
pub use refresh::{RefreshScope, RegistrationRefresh};
pub use registration::{Registration, RegistrationReject, RejectReason};
pub use stream::{BadFrame, FrameReader, StreamError};

use super::address::{emit_eid, parse_eid_prefix};
use super::cursor::Reader;
use super::error::{ParseError, Problem};
use crate::addr::EidPrefix;

/// The last four octets of every frame. The marker confirms the end of a frame. A reader must not
/// search for the marker to find the end, because the data of a frame may contain the same octets.
pub const END_MARKER: u32 = 0x9fac_ade9;

/// The name of a frame in errors, as long as the Type of the frame is not known.
const ENVELOPE: &str = "reliable transport frame";
const END_MARKER_LEN: usize = 4;
const LENGTH_AT: usize = 2;
/// The number of octets of the fields Type and Length. A reader needs these fields to know the
/// length of the frame.
const LENGTH_END: usize = 4;
/// The number of octets of a frame before its data.
const HEADER_LEN: usize = 8;

/// The message types of the reliable transport (sections 5 and 6.1 of its draft).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReliableType {
    /// Type 16.
    ErrorNotification = 16,
    /// Type 17.
    Registration = 17,
    /// Type 18.
    RegistrationAck = 18,
    /// Type 19.
    RegistrationReject = 19,
    /// Type 20.
    RegistrationRefresh = 20,
    /// Type 21.
    MappingNotification = 21,
}

impl ReliableType {
    /// All message types, in the order of their numbers.
    pub const ALL: [ReliableType; 6] = [
        ReliableType::ErrorNotification,
        ReliableType::Registration,
        ReliableType::RegistrationAck,
        ReliableType::RegistrationReject,
        ReliableType::RegistrationRefresh,
        ReliableType::MappingNotification,
    ];

    fn from_number(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.number() == number)
    }

    /// Returns the value of the Type field.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// Returns the name of the message.
    pub const fn name(self) -> &'static str {
        match self {
            ReliableType::ErrorNotification => "Error-Notification",
            ReliableType::Registration => "Registration",
            ReliableType::RegistrationAck => "Registration-Ack",
            ReliableType::RegistrationReject => "Registration-Reject",
            ReliableType::RegistrationRefresh => "Registration-Refresh",
            ReliableType::MappingNotification => "Mapping-Notification",
        }
    }
}

/// The message in a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReliableMessage {
    /// Type 16, in either direction: the sender could not understand a frame.
    ErrorNotification(ErrorNotification),
    /// Type 17, from the ETR: registers one mapping, or ends its registration.
    Registration(Registration),
    /// Type 18, from the map-server: the EID-prefix is registered (section 6.1.2 of the draft).
    /// ```text
    ///  0                   1                   2                   3
    ///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    /// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    /// | Prefix-Length |        EID-Prefix-AFI         |  EID-Prefix   ~
    /// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    /// ```
    RegistrationAck(EidPrefix),
    /// Type 19, from the map-server: a registration is refused or withdrawn.
    RegistrationReject(RegistrationReject),
    /// Type 20, from the map-server: the ETR shall send registrations.
    RegistrationRefresh(RegistrationRefresh),
    /// Type 21, from the map-server: reports the mapping of an EID-prefix.
    MappingNotification(MappingNotification),
}

impl ReliableMessage {
    /// Returns the type of this message.
    pub fn message_type(&self) -> ReliableType {
        match self {
            ReliableMessage::ErrorNotification(_) => ReliableType::ErrorNotification,
            ReliableMessage::Registration(_) => ReliableType::Registration,
            ReliableMessage::RegistrationAck(_) => ReliableType::RegistrationAck,
            ReliableMessage::RegistrationReject(_) => ReliableType::RegistrationReject,
            ReliableMessage::RegistrationRefresh(_) => ReliableType::RegistrationRefresh,
            ReliableMessage::MappingNotification(_) => ReliableType::MappingNotification,
        }
    }

    /// Returns the EID-prefix of a message about one mapping. Returns `None` for other messages.
    pub fn eid_prefix(&self) -> Option<EidPrefix> {
        match self {
            ReliableMessage::ErrorNotification(_) | ReliableMessage::RegistrationRefresh(_) => None,
            ReliableMessage::Registration(message) => Some(message.record().eid_prefix),
            ReliableMessage::RegistrationAck(eid_prefix) => Some(*eid_prefix),
            ReliableMessage::RegistrationReject(message) => Some(message.eid_prefix),
            ReliableMessage::MappingNotification(message) => Some(message.record.eid_prefix),
        }
    }

    fn parse(message_type: ReliableType, reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        Ok(match message_type {
            ReliableType::ErrorNotification => {
                ReliableMessage::ErrorNotification(ErrorNotification::parse(reader)?)
            }
            ReliableType::Registration => {
                ReliableMessage::Registration(Registration::parse(reader.take_rest())?)
            }
            ReliableType::RegistrationAck => {
                ReliableMessage::RegistrationAck(parse_sized_prefix(reader)?)
            }
            ReliableType::RegistrationReject => {
                ReliableMessage::RegistrationReject(RegistrationReject::parse(reader)?)
            }
            ReliableType::RegistrationRefresh => {
                ReliableMessage::RegistrationRefresh(RegistrationRefresh::parse(reader)?)
            }
            ReliableType::MappingNotification => {
                ReliableMessage::MappingNotification(MappingNotification::parse(reader)?)
            }
        })
    }

    fn emit(&self, out: &mut Vec<u8>) {
        match self {
            ReliableMessage::ErrorNotification(message) => message.emit(out),
            ReliableMessage::Registration(message) => out.extend(message.octets()),
            ReliableMessage::RegistrationAck(eid_prefix) => emit_sized_prefix(*eid_prefix, out),
            ReliableMessage::RegistrationReject(message) => message.emit(out),
            ReliableMessage::RegistrationRefresh(message) => message.emit(out),
            ReliableMessage::MappingNotification(message) => message.emit(out),
        }
    }
}

/// One message in its envelope (section 5 of the draft for reliable transport).
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |             Type              |            Length             |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                          Message ID                           |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ~                         Message Data                          ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                    End Marker = 0x9FACADE9                    |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
/// Length is the number of all octets of the frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReliableFrame {
    /// The Message ID. The sender of the frame chooses the ID to distinguish its own frames.
    pub message_id: u32,
    /// The message.
    pub message: ReliableMessage,
}

impl ReliableFrame {
    /// Reads the octets of one frame, from Type to End Marker.
    ///
    /// # Errors
    /// A field of the frame is wrong, the type is not in [`ReliableType`], or
    /// [`Registration::parse`] has returned an error. The error has the wrong field and its offset.
    pub fn parse(frame: &[u8]) -> Result<Self, ParseError> {
        let (message_type, mut reader) = open(frame)?;
        reader.enter("Message ID");
        let message_id = reader.u32()?;
        let message = ReliableMessage::parse(message_type, &mut reader)?;
        Ok(ReliableFrame { message_id, message })
    }

    /// Returns the octets of the frame. Returns no octets if the frame has more than 65,535 octets,
    /// which is the maximum of Length.
    pub fn emit(&self) -> Vec<u8> {
        let mut data = Vec::new();
        self.message.emit(&mut data);
        framed(self.message.message_type(), self.message_id, &data)
    }
}

/// Checks the envelope of a frame and finds its type. The returned reader starts at the Message ID
/// and ends after the data.
fn open(frame: &[u8]) -> Result<(ReliableType, Reader<'_>), ParseError> {
    let mut reader = Reader::new(frame, ENVELOPE);
    let message_type = reader.u16()?;
    let length = reader.u16()?;
    if framed_length(frame)? != Some(frame.len()) {
        reader.enter("Length");
        return Err(reader.error_at(LENGTH_AT, Problem::FrameLength(length)));
    }
    let data_end = frame.len().saturating_sub(END_MARKER_LEN);
    let _id_and_data = reader.take(data_end.saturating_sub(LENGTH_END))?;
    reader.enter("End Marker");
    let end_marker = reader.u32()?;
    if end_marker != END_MARKER {
        return Err(reader.error_at(data_end, Problem::EndMarker(end_marker)));
    }
    reader.enter("Type");
    let unknown = reader.error_at(0, Problem::UnknownType(message_type));
    let message_type = ReliableType::from_number(message_type).ok_or(unknown)?;
    let mut reader = Reader::new(&frame[..data_end], message_type.name());
    let _type_and_length = reader.take(LENGTH_END)?;
    Ok((message_type, reader))
}

/// Returns the length of the frame at the start of `octets`. Returns `None` if the Length of this
/// frame has not been received yet.
///
/// A frame of 8 octets has no Message ID. Section 5 of the draft allows this, but no message type
/// uses it.
fn framed_length(octets: &[u8]) -> Result<Option<usize>, ParseError> {
    if octets.len() < LENGTH_END {
        return Ok(None);
    }
    let mut reader = Reader::new(octets, ENVELOPE);
    let _message_type = reader.u16()?;
    reader.enter("Length");
    let impossible = |length| reader.error_at(LENGTH_AT, Problem::FrameLength(length));
    match u16::from_be_bytes([octets[LENGTH_AT], octets[LENGTH_AT + 1]]) {
        length @ (0..=7 | 9..=11) => Err(impossible(length)),
        length => Ok(Some(length.into())),
    }
}

/// Puts `data` into an envelope. Returns no octets if the frame would be too long for Length.
fn framed(message_type: ReliableType, message_id: u32, data: &[u8]) -> Vec<u8> {
    let Ok(length) = u16::try_from((HEADER_LEN + END_MARKER_LEN).saturating_add(data.len())) else {
        return Vec::new();
    };
    let mut out = Vec::with_capacity(length.into());
    out.extend(message_type.number().to_be_bytes());
    out.extend(length.to_be_bytes());
    out.extend(message_id.to_be_bytes());
    out.extend(data);
    out.extend(END_MARKER.to_be_bytes());
    out
}

/// Reads Prefix-Length, EID-Prefix-AFI and EID-Prefix.
fn parse_sized_prefix(reader: &mut Reader<'_>) -> Result<EidPrefix, ParseError> {
    reader.enter("EID-Prefix");
    let mask_len = reader.u8()?;
    parse_eid_prefix(reader, mask_len)
}

/// Appends Prefix-Length, EID-Prefix-AFI and EID-Prefix.
fn emit_sized_prefix(eid_prefix: EidPrefix, out: &mut Vec<u8>) {
    out.push(eid_prefix.mask_len());
    emit_eid(eid_prefix.network(), out);
}
