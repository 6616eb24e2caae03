//! Captures: what passes a port, kept in memory with the time.

use super::link::Attachment;
use super::trace::ip_packet;
use super::{Sim, SimError, error::bad_port};
use crate::capture::Frame;
use crate::time::Time;

/// What a capture has seen.
#[derive(Debug, Default)]
pub struct Tap {
    ports: Vec<Attachment>,
    runs: bool,
    frames: Vec<Frame>,
}

impl Sim {
    /// Begins to keep what leaves and reaches a port, or with the device `any` every port of a node.
    /// A capture of the same name is forgotten.
    ///
    /// # Errors
    /// A node or device that is not there or not plugged in.
    pub fn start_capture(&mut self, name: &str, node: &str, device: &str) -> Result<(), SimError> {
        let id = self.find(node)?;
        let all = self.plugged.keys().filter(|port| port.node == id).copied();
        let ports: Vec<Attachment> = match device {
            "any" => all.collect(),
            _ => {
                let wanted = self.nodes[id.0].node.device_id(device);
                all.filter(|port| Some(port.device) == wanted).collect()
            }
        };
        if ports.is_empty() {
            return Err(bad_port(node, device));
        }
        self.taps.insert(name.to_owned(), Tap { ports, runs: true, frames: Vec::new() });
        Ok(())
    }

    /// Ends a capture if it still runs; what it has seen.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn captured(&mut self, name: &str) -> Result<&[Frame], SimError> {
        let missing = || SimError::NoSuchCapture(name.to_owned());
        let tap = self.taps.get_mut(name).ok_or_else(missing)?;
        tap.runs = false;
        Ok(&tap.frames)
    }

    /// The names of the captures.
    pub fn captures(&self) -> impl Iterator<Item = &str> {
        self.taps.keys().map(String::as_str)
    }

    /// A frame passes a port. One without an IP packet is kept too, so that frames are counted as
    /// every other capture counts them.
    pub(super) fn tap(&mut self, port: Attachment, frame: &[u8]) {
        let at = self.now.since(Time::ZERO);
        for tap in self.taps.values_mut().filter(|tap| tap.runs && tap.ports.contains(&port)) {
            tap.frames.push(Frame { at, packet: ip_packet(frame).to_vec() });
        }
    }
}
