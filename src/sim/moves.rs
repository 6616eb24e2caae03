//! Moves hosts from one LAN to another, as `lab move` does.

use std::time::Duration;

use super::course::Event;
use super::error::{bad_port, wrong_kind};
use super::kernel::DeviceId;
use super::link::Attachment;
use super::node::Node;
use super::{Sim, SimError};

/// The way in which a host is plugged into another LAN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replug {
    /// The host leaves the old LAN and is in the new LAN at the same instant.
    Atomic,
    /// The host is in no LAN for this duration.
    Gap(Duration),
    /// The host sends in the new LAN only. For this duration, the host receives in both LANs.
    MakeBeforeBreak(Duration),
}

impl Sim {
    /// Plugs a host into another LAN. The host keeps its IP addresses and its hardware address,
    /// restarts its stack, and announces itself. If the host is in the gap of an earlier move, the
    /// earlier move is not completed.
    ///
    /// # Errors
    /// An error if no host has the name `host`, or if no LAN has the name `lan`.
    pub fn move_host(&mut self, host: &str, lan: &str, how: Replug) -> Result<(), SimError> {
        let port = self.host_port(host)?;
        let segment = self.find_link(lan)?;
        if !self.segments[segment].is_lan {
            return Err(bad_port(host, lan));
        }
        let old = self.plugged.get(&port).copied();
        let number = self.moves.entry(port).or_default();
        *number += 1;
        let number = *number;
        match how {
            Replug::Atomic => {
                self.pull_out(port);
                self.plug_in(port, segment);
            }
            Replug::Gap(span) => {
                self.pull_out(port);
                let event = Event::PlugIn { port, segment, number };
                self.queue.push(self.now + span, event);
            }
            Replug::MakeBeforeBreak(span) => {
                self.plug_in(port, segment);
                if let Some(segment) = old.filter(|&old| old != segment) {
                    let event = Event::PullOut { port, segment };
                    self.queue.push(self.now + span, event);
                }
            }
        }
        Ok(())
    }

    /// Pulls a host out of its LAN. The host sends no message when it leaves.
    ///
    /// # Errors
    /// An error if no host has the name `host`.
    pub fn unplug_host(&mut self, host: &str) -> Result<(), SimError> {
        let port = self.host_port(host)?;
        *self.moves.entry(port).or_default() += 1;
        self.pull_out(port);
        Ok(())
    }

    /// Returns the name of the LAN or link into which a device of a node is plugged. Returns `None`
    /// if the device does not exist or is not plugged in.
    ///
    /// # Errors
    /// An error if no node has the name `node`.
    pub fn lan_of(&self, node: &str, device: &str) -> Result<Option<&str>, SimError> {
        let id = self.find(node)?;
        let device = self.nodes[id.0].node.device_id(device);
        let segment = device.and_then(|device| self.plugged.get(&Attachment { node: id, device }));
        Ok(segment.map(|&at| self.segments[at].name.as_str()))
    }

    fn host_port(&self, host: &str) -> Result<Attachment, SimError> {
        let node = self.find(host)?;
        match self.nodes[node.0].node {
            Node::Host(_) => Ok(Attachment { node, device: DeviceId(0) }),
            _ => Err(wrong_kind(host, "host")),
        }
    }

    fn pull_out(&mut self, port: Attachment) {
        if let Some(old) = self.plugged.remove(&port) {
            self.segments[old].unplug(port);
        }
        let now = self.now;
        self.clock(port.node).set_carrier(port.device, false, now);
    }

    pub(super) fn plug_in(&mut self, port: Attachment, segment: usize) {
        self.plugged.insert(port, segment);
        self.segments[segment].plug(port);
        let now = self.now;
        // The carrier of the host goes down, then the host gets the carrier of its new LAN. This
        // also happens in a move without a gap.
        self.clock(port.node).set_carrier(port.device, false, now);
        self.refresh_carrier(segment);
    }
}
