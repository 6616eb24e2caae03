//! Captures: the frames that cross a port of a simulated lab.

use std::io::Write;

use super::{Sim, SimError, WALL_CLOCK};
use crate::capture::pcap::PcapWriter;
use crate::capture::pcapng::Direction;
use crate::time::Time;

/// The ID of a running capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CaptureId(pub(super) u64);

/// A function that receives the frames at a port, in both directions.
pub type Tap = Box<dyn FnMut(Time, Direction, &[u8])>;

impl Sim {
    /// Converts a time of the simulation to the wall clock of the lab, in microseconds since 1970.
    pub(super) fn micros(at: Time) -> u64 {
        WALL_CLOCK + at.0
    }

    /// Calls `tap` with every frame that a device sends or receives, until [`Sim::end_capture`].
    ///
    /// # Errors
    /// An error if the node does not exist, or if the node does not have the device.
    pub fn capture(&mut self, node: &str, device: &str, tap: Tap) -> Result<CaptureId, SimError> {
        let port = self.port(node, device)?;
        let id = CaptureId(self.captures_begun);
        self.captures_begun += 1;
        self.captures.insert(id, (port, tap));
        Ok(id)
    }

    /// Writes to a capture file every frame that a device sends or receives.
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
        let tap = move |at: Time, _: Direction, frame: &[u8]| {
            if let Err(error) = file.write(Sim::micros(at), frame).and_then(|()| file.flush()) {
                log::warn!("capture: {error}");
            }
        };
        self.capture(node, device, Box::new(tap))
    }

    /// Ends a capture and drops its tap. If the capture has ended already, nothing happens.
    pub fn end_capture(&mut self, id: CaptureId) {
        self.captures.remove(&id);
    }
}
