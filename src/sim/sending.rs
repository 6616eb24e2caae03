//! Packets that a node sends one after another.

use std::time::Duration;

use super::{Sim, SimError};
use crate::time::Time;

/// A list of packets that a node sends in order. The whole list may be sent several times. The time
/// between two packets is always the same.
pub struct Sending {
    node: String,
    packets: Vec<Vec<u8>>,
    every: Duration,
    /// The number of packets that are still to be sent.
    left: u64,
    /// The index of the next packet.
    next: usize,
    due: Time,
}

impl Sending {
    /// Prepares to send the list `packets` in order from `node`, `times` times in total. The first
    /// packet is due at `now`.
    pub fn new(node: &str, packets: Vec<Vec<u8>>, times: u32, every: Duration, now: Time) -> Self {
        let left = packets.len() as u64 * u64::from(times);
        Sending { node: node.to_owned(), packets, every, left, next: 0, due: now }
    }

    /// Returns the time at which the next packet is due. Returns `None` if all packets are sent.
    pub fn due(&self) -> Option<Time> {
        (self.left > 0).then_some(self.due)
    }

    /// Carries out all events until the next packet is due. Then sends this packet.
    ///
    /// # Errors
    /// An error if the node does not exist.
    pub fn send_next(&mut self, sim: &mut Sim) -> Result<(), SimError> {
        let Some(due) = self.due() else { return Ok(()) };
        sim.run_until(due);
        let packet = self.packets[self.next].clone();
        self.next = (self.next + 1) % self.packets.len();
        self.left -= 1;
        self.due = due + self.every;
        sim.send_raw(&self.node, packet)
    }
}
