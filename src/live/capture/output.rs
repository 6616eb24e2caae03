//! The output of a capture: a pcapng file, or a line for each packet.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use super::places::Interface;
use crate::capture::filter::Filter;
use crate::capture::pcapng::{Direction, LinkType, Packet, PcapngWriter};
use crate::capture::{Dissection, Dissector};
use crate::host::frame::ip_packet;
use crate::sim::trace::FrameSummary;
use crate::watch::comments::Reasons;
use crate::watch::item::Class;
use crate::watch::packet::class;

/// The form of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A pcapng file.
    Pcapng,
    /// A line for each packet, and a line for each comment.
    Text,
}

/// The output of a capture. Packets are added in the order of time.
pub struct Output<W> {
    out: W,
    filter: Option<Filter>,
    /// The number of packets after which the capture ends.
    most: u64,
    /// The number of packets that were written.
    pub packets: u64,
    interfaces: Vec<(Interface, Dissector)>,
    file: Option<PcapngWriter>,
    lines: String,
    began: Option<Duration>,
}

impl<W: Write> Output<W> {
    /// Begins an output. The output contains only packets that pass the filter, and at most `count`
    /// packets.
    pub fn new(
        out: W,
        form: Form,
        lab: &str,
        interfaces: &[Interface],
        (filter, count): (Option<Filter>, Option<u64>),
    ) -> Self {
        let file = (form == Form::Pcapng).then(|| {
            let mut file = PcapngWriter::new();
            for interface in interfaces {
                let name = interface.port.to_string();
                file.add_interface(&name, &interface.description(lab), interface.link);
            }
            file
        });
        Output {
            out,
            filter,
            most: count.unwrap_or(u64::MAX),
            packets: 0,
            interfaces: interfaces.iter().map(|it| (it.clone(), Dissector::default())).collect(),
            file,
            lines: String::new(),
            began: None,
        }
    }

    /// Whether the output has the maximum number of packets.
    pub fn is_full(&self) -> bool {
        self.packets >= self.most
    }

    /// Adds a packet with its comments from `reasons`, if the packet passes the filter.
    pub fn add(&mut self, packet: &Packet<'_>, reasons: &Reasons) {
        let at = packet.interface as usize;
        let Some((interface, dissector)) = self.interfaces.get_mut(at) else { return };
        if self.packets >= self.most {
            return;
        }
        let ip = match interface.link {
            LinkType::Ethernet => ip_packet(packet.frame),
            LinkType::Ip => packet.frame,
        };
        // The fields of the packet are needed only for a filter and for control messages.
        let is_control = matches!(class(ip), Class::Control | Class::Tcp);
        let dissection = match is_control || self.filter.is_some() {
            true => dissector.dissect(ip),
            false => Dissection::default(),
        };
        if self.filter.as_ref().is_some_and(|filter| !filter.passes(&dissection)) {
            return;
        }
        self.packets += 1;
        let micros = u64::try_from(packet.at.as_micros()).unwrap_or(u64::MAX);
        let comments = reasons.of_packet(micros, ip, &dissection.messages);
        if let Some(file) = &mut self.file {
            return file.write(packet, &comments);
        }
        let began = *self.began.get_or_insert(packet.at);
        let seconds = packet.at.saturating_sub(began).as_secs_f64();
        let direction = match packet.direction {
            Direction::In => "in ",
            Direction::Out => "out",
        };
        let (number, port) = (self.packets, &interface.port);
        let summary = FrameSummary { frame: packet.frame, packet: ip };
        // Writing to a text in memory cannot fail.
        let _ = writeln!(self.lines, "{number:>5} {seconds:.6} {port} {direction} {summary}");
        for comment in comments {
            let _ = writeln!(self.lines, "      {comment}");
        }
    }

    /// Adds the number of frames that an interface has received until `at`, and the number of
    /// frames that it has lost.
    pub fn add_statistics(&mut self, interface: u32, at: Duration, received: u64, lost: u64) {
        if let Some(file) = &mut self.file {
            file.write_statistics(interface, at, received, lost);
        }
    }

    /// Writes all packets and statistics that were added.
    ///
    /// # Errors
    /// The errors of the output: `BrokenPipe` if the reader has closed the output.
    pub fn flush(&mut self) -> io::Result<()> {
        let octets = match &mut self.file {
            Some(file) => file.take(),
            None => std::mem::take(&mut self.lines).into_bytes(),
        };
        if octets.is_empty() {
            return Ok(());
        }
        self.out.write_all(&octets)?;
        self.out.flush()
    }
}
