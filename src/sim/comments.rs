//! Capture files with comments: the reason for which a router sent a message, and the decisions of
//! routers on a packet.

use std::collections::BTreeMap;
use std::time::Duration;

use etherparse::{SlicedPacket, TransportSlice};

use super::Sim;
use super::trace::ip_packet;
use crate::capture::pcapng::PcapngWriter;
use crate::time::Time;
use crate::watch::item::{Class, Decision, Direction, Message, Reason};
use crate::watch::packet::{class, hex, name};
use crate::watch::{Item, Kind};

/// The reasons of a lab, by the packets that they explain.
#[derive(Debug, Default)]
pub struct Reasons<'a> {
    /// The decisions on each packet of EIDs, by the name of the packet, in the order of time.
    decisions: BTreeMap<&'a str, Vec<(u64, &'a Decision)>>,
    /// The sent messages with a reason, by their octets in hexadecimal, in the order of time.
    messages: BTreeMap<&'a str, Vec<(u64, &'a Message, &'a Reason)>>,
}

impl<'a> Reasons<'a> {
    /// The reasons in the items of a watched lab.
    pub fn of(items: &'a [Item]) -> Self {
        let mut reasons = Reasons::default();
        for Item { at, kind, .. } in items {
            match kind {
                Kind::Decision(decision) => {
                    if let Some(packet) = &decision.packet {
                        reasons.decisions.entry(packet).or_default().push((*at, decision));
                    }
                }
                Kind::Message(message) if message.direction == Direction::Sent => {
                    if let Some(reason) = &message.reason {
                        let of_octets = reasons.messages.entry(&message.octets).or_default();
                        of_octets.push((*at, message, reason));
                    }
                }
                _ => {}
            }
        }
        reasons
    }

    /// Returns the comments on an Ethernet frame that was on a link at the time `at`. They are the
    /// last decision on its packet before `at`, and the next decision after `at` if it drops the
    /// packet.
    pub fn comments(&self, at: Time, frame: &[u8]) -> Vec<String> {
        let packet = ip_packet(frame);
        match class(packet) {
            Class::Neighbour | Class::Tcp => Vec::new(),
            Class::Control => {
                let octets = udp_payload(packet).map(hex).unwrap_or_default();
                let mut sent = self.messages.get(octets.as_str()).into_iter().flatten();
                let last = sent.rfind(|(sent, ..)| *sent <= at.0);
                let comment = |(_, message, reason): &(u64, &Message, &Reason)| {
                    format!("{} sent this {}: {}", message.node, message.name, sentence(reason))
                };
                last.map(comment).into_iter().collect()
            }
            Class::Data | Class::Native => {
                let packet = name(packet);
                let decisions = self.decisions.get(packet.as_str()).into_iter().flatten();
                let before = decisions.clone().rfind(|(then, _)| *then <= at.0);
                let mut after = decisions.filter(|(then, _)| *then > at.0);
                let drop = after.next().filter(|(_, decision)| decision.verdict == "drop");
                before.into_iter().chain(drop).map(|(_, decision)| decided(decision)).collect()
            }
        }
    }

    /// Writes Ethernet frames with their comments as a pcapng file.
    pub fn pcapng(&self, frames: &[(Time, Vec<u8>)]) -> Vec<u8> {
        let mut writer = PcapngWriter::new();
        for (at, frame) in frames {
            let since_1970 = Duration::from_micros(Sim::wall_clock(*at));
            writer.write(since_1970, frame, &self.comments(*at, frame));
        }
        writer.finish()
    }
}

/// A decision as a sentence.
fn decided(decision: &Decision) -> String {
    let Decision { node, verdict, locator, line, reason, .. } = decision;
    let to = locator.as_ref().map_or(String::new(), |locator| format!(" to {locator}"));
    let line =
        line.as_ref().map_or(String::new(), |line| format!(" ({}, {})", line.table, line.prefix));
    format!("{node}: {verdict}{to}{line}: {}", sentence(reason))
}

fn sentence(Reason { text, section }: &Reason) -> String {
    let section = section.as_ref().map_or(String::new(), |section| format!(" [{section}]"));
    format!("{text}{section}")
}

fn udp_payload(packet: &[u8]) -> Option<&[u8]> {
    let sliced = SlicedPacket::from_ip(packet).ok()?;
    match sliced.transport? {
        TransportSlice::Udp(udp) => {
            let at = packet.len() - udp.payload().len();
            packet.get(at..)
        }
        _ => None,
    }
}
