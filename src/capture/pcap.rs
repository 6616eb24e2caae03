//! Reads capture files in the classic pcap format with microseconds, as tcpdump writes them. The
//! numbers in a file have the byte order of the machine.

use std::time::Duration;

use super::Frame;

const FILE_HEADER_LEN: usize = 24;
const FRAME_HEADER_LEN: usize = 16;
const MAGIC: u32 = 0xa1b2_c3d4;
/// The link types that are read: LINKTYPE_ETHERNET, and LINKTYPE_LINUX_SLL2 for the device `any`.
const ETHERNET: u32 = 1;
const SLL2: u32 = 276;

/// Returns the frames of a file, in the order of the file. A frame without an IP packet becomes an
/// empty frame, so that each frame keeps its number. Returns `None` if the file has another format
/// or an incomplete header.
pub fn read(file: &[u8]) -> Option<Vec<Frame>> {
    let word = |octets: &[u8], at: usize| {
        let octets = octets.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_ne_bytes(octets))
    };
    let header_len = match (word(file, 0)?, word(file, 20)?) {
        (MAGIC, ETHERNET) => 14,
        (MAGIC, SLL2) => 20,
        _ => return None,
    };
    let mut frames = Vec::new();
    let mut rest = file.get(FILE_HEADER_LEN..)?;
    while let (Some(seconds), Some(micros), Some(len)) =
        (word(rest, 0), word(rest, 4), word(rest, 8))
    {
        let end = FRAME_HEADER_LEN + len as usize;
        let Some(octets) = rest.get(FRAME_HEADER_LEN..end) else {
            break;
        };
        let packet = octets.get(header_len..).unwrap_or_default();
        let is_ip = packet.first().is_some_and(|first| matches!(first >> 4, 4 | 6));
        frames.push(Frame {
            at: Duration::from_secs(seconds.into()) + Duration::from_micros(micros.into()),
            packet: if is_ip { packet.to_vec() } else { Vec::new() },
        });
        rest = &rest[end..];
    }
    Some(frames)
}
