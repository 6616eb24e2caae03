//! Capture files: the packets that cross a port, in the form in which tcpdump writes them.
//!
//! The format is classic pcap (draft-ietf-opsawg-pcap), little-endian, with microseconds and
//! LINKTYPE_ETHERNET. All common tools read this format.

use std::io::{self, Write};

use super::{Sim, SimError, WALL_CLOCK};
use crate::time::Time;

const MAGIC: u32 = 0xa1b2_c3d4;
const VERSION: [u16; 2] = [2, 4];
/// The maximum number of octets of a frame that are kept. No frame is longer.
const SNAP_LEN: u32 = 262_144;
const LINKTYPE_ETHERNET: u32 = 1;

/// Writes frames to a capture file.
pub struct PcapWriter<W: Write> {
    out: W,
}

impl<W: Write> PcapWriter<W> {
    /// Begins a capture file.
    ///
    /// # Errors
    /// An error if `out` cannot be written.
    pub fn new(mut out: W) -> io::Result<Self> {
        let mut header = MAGIC.to_le_bytes().to_vec();
        VERSION.iter().for_each(|part| header.extend(part.to_le_bytes()));
        for field in [0, 0, SNAP_LEN, LINKTYPE_ETHERNET] {
            header.extend(field.to_le_bytes());
        }
        out.write_all(&header)?;
        Ok(PcapWriter { out })
    }

    /// Writes an Ethernet frame with its time in the simulation.
    ///
    /// # Errors
    /// An error if `out` cannot be written.
    pub fn write(&mut self, at: Time, frame: &[u8]) -> io::Result<()> {
        let micros = WALL_CLOCK + at.0;
        let len = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        let mut record = Vec::with_capacity(16 + frame.len());
        // The seconds of the pcap format overflow in the year 2106.
        for field in [(micros / 1_000_000) as u32, (micros % 1_000_000) as u32, len, len] {
            record.extend(field.to_le_bytes());
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

/// The ID of a running capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CaptureId(pub(super) u64);

/// A function that receives the frames at a port, in both directions.
pub type Tap = Box<dyn FnMut(Time, &[u8])>;

impl Sim {
    /// Calls `tap` with every frame that a device sends or receives, until [`Sim::end_capture`].
    ///
    /// # Errors
    /// An error if there is no such node, or if the node has no such device.
    pub fn capture(&mut self, node: &str, device: &str, tap: Tap) -> Result<CaptureId, SimError> {
        let port = self.port(node, device)?;
        let id = CaptureId(self.captures.last_key_value().map_or(0, |(id, _)| id.0 + 1));
        self.captures.insert(id, (port, tap));
        Ok(id)
    }

    /// Writes every frame that a device sends or receives to a capture file.
    ///
    /// # Errors
    /// The errors of [`Sim::capture`], and an error if the start of the file cannot be written.
    /// Later errors are logged.
    pub fn capture_to(
        &mut self,
        node: &str,
        device: &str,
        out: impl Write + 'static,
    ) -> Result<CaptureId, SimError> {
        let mut file = PcapWriter::new(out)?;
        let tap = move |at: Time, frame: &[u8]| {
            if let Err(error) = file.write(at, frame).and_then(|()| file.flush()) {
                log::warn!("capture: {error}");
            }
        };
        self.capture(node, device, Box::new(tap))
    }

    /// Ends a capture and drops its tap.
    pub fn end_capture(&mut self, id: CaptureId) {
        self.captures.remove(&id);
    }
}
