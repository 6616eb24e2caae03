//! Captured packets and queries about them, with Wireshark's names but without Wireshark.
//!
//! [`dissect`] dissects IP packets with the parsers of [`crate::wire`] and names the fields as
//! Wireshark does ([`field`]). It handles the outer packet, a packet in an encapsulation or a
//! control message, and a packet that an ICMP error quotes. [`filter`] is the display-filter
//! language for these fields. [`pcap`] reads capture files.
//!
//! Of a fragment only the IP header is dissected: fragments are not reassembled.

pub mod dissect;
pub mod field;
pub mod filter;
mod lisp;
pub mod pcap;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use dissect::{Dissection, Dissector};
use field::Field;
pub use filter::{Filter, FilterError};

/// A captured IP packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The time, by the clock of the machine that captured the packet.
    pub at: Duration,
    /// The packet, starting with its IP header.
    pub packet: Vec<u8>,
}

/// A finished capture, dissected.
#[derive(Clone, Debug)]
pub struct Capture {
    frames: Vec<Frame>,
    dissections: Vec<Dissection>,
}

/// A frame that passes a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// Its position among the frames, from 0.
    pub index: usize,
    /// The time since the first frame of the capture.
    pub at: Duration,
    /// The values of the requested field, separated by commas.
    pub value: String,
}

impl Capture {
    /// Dissects the frames of one capture, in their order: a message on a TCP stream may begin in
    /// one frame and end in another.
    pub fn new(frames: Vec<Frame>) -> Self {
        let mut dissector = Dissector::default();
        let dissections = frames.iter().map(|frame| dissector.dissect(&frame.packet)).collect();
        Capture { frames, dissections }
    }

    /// All frames.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// The frames that pass a display filter, and the values of `field` in each.
    ///
    /// # Errors
    /// A text that is not a filter, or an unknown field.
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

    /// The frames on LISP ports that could not be read: the frame's number, from 1, and the reason.
    pub fn flaws(&self) -> impl Iterator<Item = (usize, &str)> {
        let frames = self.dissections.iter().enumerate();
        frames.flat_map(|(at, found)| found.flaws.iter().map(move |flaw| (at + 1, flaw.as_str())))
    }
}
