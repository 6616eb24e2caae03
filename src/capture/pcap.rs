//! Writes and reads capture files in the classic pcap format (draft-ietf-opsawg-pcap). The unit of
//! the times is the microsecond. All common tools read this format. The numbers in a file have the
//! byte order of the machine.

use std::io::{self, Write};
use std::time::Duration;

use super::Frame;

const FILE_HEADER_LEN: usize = 24;
const FRAME_HEADER_LEN: usize = 16;
const MAGIC: u32 = 0xa1b2_c3d4;
/// The link types that are read: LINKTYPE_ETHERNET, and LINKTYPE_LINUX_SLL2 for the device `any`.
const ETHERNET: u32 = 1;
const SLL2: u32 = 276;
const VERSION: [u16; 2] = [2, 4];
/// The snapshot length in the header of a file, in octets. No frame is longer.
const SNAP_LEN: u32 = 262_144;

/// Writes Ethernet frames to a capture file.
#[derive(Debug)]
pub struct PcapWriter<W: Write> {
    out: W,
}

impl<W: Write> PcapWriter<W> {
    /// Begins a capture file.
    ///
    /// # Errors
    /// An error if `out` cannot be written.
    pub fn new(mut out: W) -> io::Result<Self> {
        let mut header = MAGIC.to_ne_bytes().to_vec();
        VERSION.iter().for_each(|part| header.extend(part.to_ne_bytes()));
        for field in [0, 0, SNAP_LEN, ETHERNET] {
            header.extend(field.to_ne_bytes());
        }
        out.write_all(&header)?;
        Ok(PcapWriter { out })
    }

    /// Writes a frame. `micros` is the time of the frame, in microseconds since 1970.
    ///
    /// # Errors
    /// An error if `out` cannot be written.
    pub fn write(&mut self, micros: u64, frame: &[u8]) -> io::Result<()> {
        let len = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        let mut record = Vec::with_capacity(FRAME_HEADER_LEN + frame.len());
        // The seconds of the pcap format overflow in the year 2106.
        for field in [(micros / 1_000_000) as u32, (micros % 1_000_000) as u32, len, len] {
            record.extend(field.to_ne_bytes());
        }
        record.extend(frame);
        self.out.write_all(&record)
    }

    /// Flushes the buffered octets.
    ///
    /// # Errors
    /// An error if `out` cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Returns the frames of a capture file in their order. A frame without an IP packet becomes an
/// empty frame, so that the other frames keep their numbers. Returns `None` if the file has another
/// format or an incomplete header.
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
