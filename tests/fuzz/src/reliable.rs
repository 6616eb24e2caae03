//! Reads the frames of the reliable transport from a stream that is split at any positions.

use eidway::wire::reliable::stream::MAX_QUOTED;
use eidway::wire::{FrameReader, ReliableFrame, ReliableMessage, StreamError};

use super::normalised;

type Frames = Vec<Result<ReliableFrame, StreamError>>;

/// The first octet decides how the stream is split. The other octets are the stream.
pub fn reliable(input: &[u8]) {
    let Some((&split, stream)) = input.split_first() else {
        return;
    };
    let (frames, lost) = read(stream.chunks(stream.len().max(1)));
    let pieces = stream.chunks(usize::from(split).max(1));
    assert_eq!(read(pieces), (frames.clone(), lost), "a split changes nothing");
    let shortest = 8;
    assert!(frames.len() <= stream.len() / shortest + 1, "more frames than octets");
    frames.iter().for_each(check);
    if let Ok(frame) = ReliableFrame::parse(stream) {
        assert_eq!(frame.emit(), normalised::frame(stream));
        assert_eq!(frames, [Ok(frame)]);
    }
}

/// All frames, and whether the reader has given up.
fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Frames, bool) {
    let mut reader = FrameReader::new();
    let mut frames = Frames::new();
    for piece in pieces {
        reader.push(piece);
        frames.extend(&mut reader);
    }
    let lost = matches!(frames.last(), Some(Err(StreamError::Fatal(_))));
    (frames, lost)
}

fn check(frame: &Result<ReliableFrame, StreamError>) {
    match frame {
        Ok(frame) => {
            let emitted = frame.emit();
            assert_eq!(ReliableFrame::parse(&emitted).as_ref(), Ok(frame), "parse(emit(x)) is x");
            assert_eq!(normalised::frame(&emitted), emitted, "emitted once, normal for good");
            assert!(!frame.to_string().is_empty());
            if let ReliableMessage::Registration(registration) = &frame.message {
                super::message(registration.octets());
            }
        }
        Err(error) => {
            let bad_frame = error.bad_frame();
            assert!(!bad_frame.to_string().is_empty());
            if let Some(notification) = &bad_frame.notification {
                assert!(notification.offending_data.len() <= MAX_QUOTED, "amplifies");
            }
        }
    }
}
