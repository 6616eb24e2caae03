//! Finds frames in the octets of a TCP stream. The octets may arrive in pieces of any size.

use super::{
    END_MARKER_LEN, ErrorCode, ErrorNotification, LENGTH_END, ReliableFrame, ReliableType,
    framed_length,
};
use crate::wire::error::{ParseError, Problem};

/// The maximum number of octets that an Error Notification quotes from the data of a bad frame.
/// This number is large enough to identify the frame. It is so small that a sender of bad frames
/// cannot make the router send much.
pub const MAX_QUOTED: usize = 128;

/// The reason why the reader cannot return a frame of the stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// The position of the next frame is unknown. The router sends [`BadFrame::notification`], then
    /// ends the session.
    #[error("the next frame of the stream cannot be found: {0}")]
    Fatal(Box<BadFrame>),
    /// The frame is bad, but it ends at the right position and the next frame follows. The router
    /// sends [`BadFrame::notification`], and continues to read the stream.
    #[error("{0}")]
    Skipped(Box<BadFrame>),
}

impl StreamError {
    /// Returns the bad frame, in either case.
    pub fn bad_frame(&self) -> &BadFrame {
        match self {
            StreamError::Fatal(bad_frame) | StreamError::Skipped(bad_frame) => bad_frame,
        }
    }
}

/// A frame that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct BadFrame {
    /// The error and its position.
    pub error: ParseError,
    /// The answer to the bad frame. `None` if the bad frame is an Error Notification, because no
    /// Error Notification may answer an Error Notification.
    pub notification: Option<ErrorNotification>,
}

impl BadFrame {
    /// Makes the description of a bad frame. `frame` has at least Type and Length.
    fn new(frame: &[u8], error: ParseError) -> Self {
        let offending_type = u16::from_be_bytes([frame[0], frame[1]]);
        let code = match error.problem {
            Problem::UnknownType(_) => ErrorCode::UnrecognizedType,
            _ => ErrorCode::FormatError,
        };
        let body = &frame[LENGTH_END..frame.len().saturating_sub(END_MARKER_LEN).max(LENGTH_END)];
        let (message_id, data) = body.split_first_chunk().unwrap_or((&[0; 4], &[]));
        let notification = ErrorNotification {
            code,
            offending_type,
            offending_length: u16::from_be_bytes([frame[2], frame[3]]),
            offending_message_id: u32::from_be_bytes(*message_id),
            offending_data: data[..data.len().min(MAX_QUOTED)].to_vec(),
        };
        let answered = offending_type != ReliableType::ErrorNotification.number();
        BadFrame { error, notification: answered.then_some(notification) }
    }
}

/// Finds frames in octets. Give the received octets to [`FrameReader::push`], then take all frames
/// from [`Iterator::next`] before you read more octets. `None` means that more octets are needed.
///
/// The reader holds the octets of the latest push. It may also hold the octets of an unfinished
/// frame from earlier pushes, at most 65,535 octets. After [`StreamError::Fatal`] it returns no
/// more frames and keeps no octets.
#[derive(Clone, Debug, Default)]
pub struct FrameReader {
    octets: Vec<u8>,
    /// The position in `octets` where the next frame begins.
    at: usize,
    lost: bool,
}

impl FrameReader {
    /// Makes a reader at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next octets of the stream.
    pub fn push(&mut self, octets: &[u8]) {
        if self.lost {
            return;
        }
        self.octets.drain(..self.at);
        self.at = 0;
        self.octets.extend(octets);
    }

    /// Returns the octets of the next frame, if all of them have arrived. Returns an error if
    /// Length is impossible.
    fn next_octets(&self) -> Result<Option<&[u8]>, BadFrame> {
        let rest = &self.octets[self.at..];
        match framed_length(rest) {
            Ok(length) => Ok(length.and_then(|length| rest.get(..length))),
            // If Length is impossible, no Message ID can be quoted.
            Err(error) => Err(BadFrame::new(&rest[..LENGTH_END], error)),
        }
    }

    fn lose(&mut self, bad_frame: BadFrame) -> StreamError {
        *self = FrameReader { lost: true, ..FrameReader::default() };
        StreamError::Fatal(bad_frame.into())
    }
}

impl Iterator for FrameReader {
    type Item = Result<ReliableFrame, StreamError>;

    fn next(&mut self) -> Option<Self::Item> {
        let frame = match self.next_octets() {
            Ok(frame) => frame?,
            Err(bad_frame) => return Some(Err(self.lose(bad_frame))),
        };
        let parsed = ReliableFrame::parse(frame).map_err(|error| BadFrame::new(frame, error));
        let length = frame.len();
        Some(match parsed {
            Err(bad) if matches!(bad.error.problem, Problem::EndMarker(_)) => Err(self.lose(bad)),
            parsed => {
                self.at = self.at.saturating_add(length);
                parsed.map_err(|bad| StreamError::Skipped(bad.into()))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{RefreshScope, RegistrationRefresh, ReliableMessage};

    fn refresh(message_id: u32) -> ReliableFrame {
        let all = RegistrationRefresh { scope: RefreshScope::All, rejected_only: false };
        ReliableFrame { message_id, message: ReliableMessage::RegistrationRefresh(all) }
    }

    /// Makes a frame of any type and with any data. Its Length and End Marker are correct.
    fn envelope(message_type: u16, id_and_data: &[u8]) -> Vec<u8> {
        let length = (LENGTH_END + id_and_data.len() + END_MARKER_LEN) as u16;
        let (message_type, length) = (message_type.to_be_bytes(), length.to_be_bytes());
        [&message_type[..], &length, id_and_data, &super::super::END_MARKER.to_be_bytes()].concat()
    }

    fn read(octets: &[u8]) -> Vec<Result<ReliableFrame, StreamError>> {
        let mut reader = FrameReader::new();
        reader.push(octets);
        reader.collect()
    }

    fn notification(error: &StreamError) -> &ErrorNotification {
        error.bad_frame().notification.as_ref().expect("an answer")
    }

    #[test]
    fn an_unknown_type_is_skipped_and_quoted() {
        let unknown = envelope(99, &[0, 0, 0, 7, 1, 2, 3]);
        let [Err(error), Ok(next)] = &read(&[unknown, refresh(8).emit()].concat())[..] else {
            panic!("an error, and then a frame, were expected");
        };
        assert!(matches!(error, StreamError::Skipped(_)));
        assert_eq!(error.to_string(), "reliable transport frame: Type 99 is not known, at octet 0");
        let expected = ErrorNotification {
            code: ErrorCode::UnrecognizedType,
            offending_type: 99,
            offending_length: 15,
            offending_message_id: 7,
            offending_data: vec![1, 2, 3],
        };
        assert_eq!((notification(error), next), (&expected, &refresh(8)));
    }

    #[test]
    fn bad_data_are_skipped_and_quoted_in_part() {
        let data = [&[0, 0, 0, 7, 9][..], &[0xee; 500]].concat();
        let frames = read(&[envelope(20, &data), refresh(8).emit()].concat());
        let [Err(error), Ok(_)] = &frames[..] else {
            panic!("an error, and then a frame, were expected")
        };
        assert_eq!(error.to_string(), "Registration-Refresh: Scope 9 is not known, at octet 8");
        let quoted = notification(error);
        assert_eq!((quoted.code, quoted.offending_message_id), (ErrorCode::FormatError, 7));
        assert_eq!(quoted.offending_data, data[4..4 + MAX_QUOTED]);
    }

    #[test]
    fn a_frame_without_message_id_is_skipped() {
        let frames = read(&[envelope(20, &[]), refresh(8).emit()].concat());
        let [Err(error @ StreamError::Skipped(_)), Ok(_)] = &frames[..] else {
            panic!("an error, and then a frame, were expected");
        };
        assert_eq!(
            error.to_string(),
            "Registration-Refresh: Message ID is truncated: it needs 4 octets, but only 0 are \
             left, at octet 4"
        );
        let quoted = notification(error);
        assert_eq!((quoted.offending_length, quoted.offending_message_id), (8, 0));
    }

    #[test]
    fn an_error_notification_is_never_answered_with_another() {
        let [Err(error)] = &read(&envelope(16, &[0, 0, 0, 7, 1]))[..] else { panic!("no error") };
        assert!(matches!(error, StreamError::Skipped(_)));
        assert_eq!(error.bad_frame().notification, None);
    }

    #[test]
    fn a_wrong_end_marker_loses_the_stream() {
        let mut wrong = refresh(7).emit();
        wrong[14] ^= 1;
        let mut reader = FrameReader::new();
        reader.push(&[refresh(6).emit(), wrong, refresh(8).emit()].concat());
        assert_eq!(reader.next(), Some(Ok(refresh(6))));
        let Some(Err(error @ StreamError::Fatal(_))) = reader.next() else { panic!("not fatal") };
        assert_eq!(
            error.to_string(),
            "the next frame of the stream cannot be found: reliable transport frame: End Marker is \
             0x9facade8, but 0x9facade9 is expected, at octet 11"
        );
        let quoted = notification(&error);
        assert_eq!((quoted.code, quoted.offending_message_id), (ErrorCode::FormatError, 7));
        reader.push(&refresh(9).emit());
        assert_eq!((reader.next(), reader.octets.capacity()), (None, 0));
    }

    #[test]
    fn an_impossible_length_loses_the_stream_as_soon_as_it_is_read() {
        for length in 0..=12 {
            let frames = read(&[0, 20, 0, length]);
            let lost = matches!(frames[..], [Err(StreamError::Fatal(_))]);
            assert_eq!(lost, !matches!(length, 8 | 12), "length {length}: {frames:?}");
        }
    }

    #[test]
    fn what_was_read_is_not_kept() {
        let mut reader = FrameReader::new();
        for message_id in 0..10_000 {
            reader.push(&refresh(message_id).emit());
            assert_eq!(reader.next(), Some(Ok(refresh(message_id))));
            assert_eq!(reader.next(), None);
        }
        assert!(reader.octets.capacity() < 100, "{}", reader.octets.capacity());
    }
}
