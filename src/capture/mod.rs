//! Captured packets, and queries about them. The fields have the names of Wireshark, but Wireshark
//! is not needed.
//!
//! [`dissect`] dissects IP packets with the parsers of [`crate::wire`], and gives the fields the
//! names that Wireshark uses ([`field`]). It dissects the outer packet, the inner packet of a data
//! packet or of an ECM, and a packet that an ICMP error quotes. [`filter`] is the display-filter
//! language for these fields. [`pcap`] writes and reads capture files.
//!
//! Fragments are not reassembled. Only the IP header of a fragment is dissected.

pub mod dissect;
pub mod field;
pub mod filter;
mod lisp;
pub mod pcap;
pub mod pcapng;
pub mod summary;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use dissect::{Dissection, Dissector};
use field::Field;
pub use filter::{Filter, FilterError};

/// A captured IP packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The time of the capture, by the clock of the machine that captured the packet.
    pub at: Duration,
    /// The packet. It starts with its IP header.
    pub packet: Vec<u8>,
}

/// A finished capture, with the fields of its packets.
#[derive(Clone, Debug)]
pub struct Capture {
    frames: Vec<Frame>,
    dissections: Vec<Dissection>,
}

/// A frame that matches a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// The position of the frame in the capture, counted from 0.
    pub index: usize,
    /// The time since the first frame of the capture.
    pub at: Duration,
    /// The values of the requested field, separated by commas.
    pub value: String,
}

impl Capture {
    /// Dissects the frames of one capture in their order. The order is needed because a message in
    /// a TCP stream may begin in one frame and end in another.
    pub fn new(frames: Vec<Frame>) -> Self {
        let mut dissector = Dissector::default();
        let dissections = frames.iter().map(|frame| dissector.dissect(&frame.packet)).collect();
        Capture { frames, dissections }
    }

    /// Returns all frames.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// Returns the frames that match a display filter, with the values of `field` in each frame.
    ///
    /// # Errors
    /// [`FilterError`] if the text is not a filter, or if the field is unknown.
    pub fn select(&self, filter: &str, field: &str) -> Result<Vec<Selected>, FilterError> {
        let filter: Filter = filter.parse()?;
        let field = Field::find(field)?;
        let began = self.frames.first().map(|frame| frame.at).unwrap_or_default();
        let packets = self.frames.iter().zip(&self.dissections).enumerate();
        let passing = packets.filter(|(_, (_, dissection))| filter.passes(dissection));
        let select = |(index, (frame, dissection)): (usize, (&Frame, &Dissection))| {
            let values = dissection.values(field.name).map(|value| field.show(value).to_string());
            let value = values.collect::<Vec<_>>().join(",");
            Selected { index, at: frame.at.saturating_sub(began), value }
        };
        Ok(passing.map(select).collect())
    }

    /// Returns the frames on LISP ports that could not be read completely. Each item is the number
    /// of a frame, counted from 1, and a reason.
    pub fn flaws(&self) -> impl Iterator<Item = (usize, &str)> {
        let frames = self.dissections.iter().enumerate();
        frames.flat_map(|(at, found)| found.flaws.iter().map(move |flaw| (at + 1, flaw.as_str())))
    }
}
