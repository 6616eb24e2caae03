//! The packets that crossed the links, as lines of text: one line for each packet.

use std::fmt::{self, Display, Formatter};

use sha2::{Digest, Sha256};

use crate::capture::summary::Summary;
pub use crate::host::frame::ip_packet;
use crate::host::frame::{Arp, Content, Frame};
use crate::router::io::Mac;
use crate::time::Time;
use crate::watch::item::{Class, Hop, HopFate};
use crate::watch::packet;

/// The fate of a packet on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The packet will arrive.
    Carried,
    /// The packet will arrive twice.
    Doubled,
    /// The link lost the packet.
    Lost,
}

/// A packet that was put on a link.
#[derive(Clone, Copy, Debug)]
pub struct Crossing<'a> {
    /// The time at which the packet was sent.
    pub time: Time,
    /// The name of the link.
    pub link: &'a str,
    /// The name of the sending node.
    pub from: &'a str,
    /// The Ethernet frame.
    pub frame: &'a [u8],
    /// The IP packet in the frame. It is empty if the frame is ARP.
    pub packet: &'a [u8],
    /// The fate of the packet on the link.
    pub fate: Fate,
}

impl Display for Crossing<'_> {
    /// Writes a line such as
    /// `1.000050 site1 A 172.16.0.12 > 192.168.0.22 ttl 64 len 100 ... sum 0x12345678`. The sum is
    /// the first four octets of the frame's SHA-256. If two traces have the same lines, their
    /// frames are equal in every octet.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let sum: [u8; 32] = Sha256::digest(self.frame).into();
        let sum = u32::from_be_bytes([sum[0], sum[1], sum[2], sum[3]]);
        let Crossing { time, link, from, .. } = self;
        write!(f, "{time} {link} {from} ")?;
        FrameSummary { frame: self.frame, packet: self.packet }.fmt(f)?;
        write!(f, " sum {sum:#010x}")?;
        f.write_str(match self.fate {
            Fate::Carried => "",
            Fate::Doubled => " [twice]",
            Fate::Lost => " [lost]",
        })
    }
}

impl Crossing<'_> {
    /// Converts the packet to an item for a lab that is watched. `to` contains the names of the
    /// nodes to which the link carries the packet. `arrives` is `None` if the packet is lost.
    pub fn hop(&self, to: Vec<String>, arrives: Option<Time>) -> Hop {
        Hop {
            segment: self.link.to_owned(),
            from: self.from.to_owned(),
            to,
            arrives: arrives.map(|at| at.0),
            fate: match self.fate {
                Fate::Carried => HopFate::Carried,
                Fate::Doubled => HopFate::Doubled,
                Fate::Lost => HopFate::Lost,
            },
            class: class(self.frame),
            summary: FrameSummary { frame: self.frame, packet: self.packet }.to_string(),
            packet: packet::name(self.packet),
            octets: packet::hex(self.packet),
        }
    }

    /// Whether the frame is a message between neighbours: ARP or neighbour discovery.
    pub fn is_neighbour_discovery(&self) -> bool {
        let content = Frame::parse(self.frame).map(|frame| frame.content);
        content.is_some_and(|content| !matches!(content, Content::Ip(_)))
    }
}

/// The place to which the packets on the links are written.
#[derive(Default)]
pub enum Trace {
    /// The packets are not written.
    #[default]
    Off,
    /// Each packet is kept as a line of text.
    Lines(Vec<String>),
    /// Each packet is passed to a receiver, for example a capture file or a web page.
    Sink(Box<dyn FnMut(&Crossing<'_>)>),
}

impl Trace {
    pub(super) fn record(&mut self, crossing: &Crossing<'_>) {
        match self {
            Trace::Off => {}
            Trace::Lines(lines) => lines.push(crossing.to_string()),
            Trace::Sink(sink) => sink(crossing),
        }
    }
}

/// Displays a frame in one line: an ARP message, or the IP packet in the frame.
#[derive(Clone, Copy, Debug)]
pub struct FrameSummary<'a> {
    /// The Ethernet frame.
    pub frame: &'a [u8],
    /// The IP packet in the frame. It is empty if the frame contains no IP packet.
    pub packet: &'a [u8],
}

impl Display for FrameSummary<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.packet.is_empty()
            && let Some(Content::Arp(arp)) = Frame::parse(self.frame).map(|frame| frame.content)
        {
            return ArpSummary(&arp).fmt(f);
        }
        Summary(self.packet).fmt(f)
    }
}

/// Returns the class of the packet in an Ethernet frame.
pub fn class(frame: &[u8]) -> Class {
    match Frame::parse(frame).map(|frame| frame.content) {
        Some(Content::Ip(packet)) => packet::class(packet),
        Some(_) => Class::Neighbour,
        None => packet::class(ip_packet(frame)),
    }
}

/// Displays an ARP message in one line.
struct ArpSummary<'a>(&'a Arp);

impl Display for ArpSummary<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Arp { is_reply, sender, target, sender_mac, .. } = self.0;
        match is_reply {
            false => write!(f, "ARP who has {target}, tell {sender}"),
            true => write!(f, "ARP {sender} is at {}", Mac(*sender_mac)),
        }
    }
}
