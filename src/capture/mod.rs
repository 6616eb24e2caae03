//! Captured packets and questions about them, in Wireshark's words and without Wireshark.
//!
//! [`dissect`] takes IP packets apart with the parsers of [`crate::wire`] and names the fields
//! as Wireshark does ([`field`]): of the outer packet, of one in an encapsulation or a control
//! message, and of one that an ICMP error quotes. [`filter`] is the display-filter language over
//! these fields. [`pcap`] reads capture files.
//!
//! Of fragments the IP header is seen, and no more: they are not put together.

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
    /// The time, on the clock of the machine that captured it.
    pub at: Duration,
    /// The packet, from its IP header on.
    pub packet: Vec<u8>,
}

/// A capture that has ended, taken apart.
#[derive(Clone, Debug)]
pub struct Capture {
    frames: Vec<Frame>,
    dissections: Vec<Dissection>,
}

/// A frame that passes a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// Its place among the frames, from 0.
    pub index: usize,
    /// When, since the capture's first frame.
    pub at: Duration,
    /// The values of the field that was asked for, with commas between them.
    pub value: String,
}

impl Capture {
    /// Takes the frames of one capture apart, in their order: a message on a TCP stream may begin in
    /// one and end in another.
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
    /// A text that is no filter, or an unknown field.
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

    /// The frames on ports of LISP that could not be read: the frame's number, from 1, and the reason.
    pub fn flaws(&self) -> impl Iterator<Item = (usize, &str)> {
        let frames = self.dissections.iter().enumerate();
        frames.flat_map(|(at, found)| found.flaws.iter().map(move |flaw| (at + 1, flaw.as_str())))
    }
}
