//! Writes capture files in the pcapng format (draft-ietf-opsawg-pcapng). One file has the packets
//! of several interfaces, and a packet can have a direction and comments. Wireshark shows the
//! interfaces, directions and comments. The numbers are little-endian.

use std::time::Duration;

/// The types of the blocks: section header, interface description, interface statistics, enhanced
/// packet.
const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const STATISTICS: u32 = 5;
const PACKET: u32 = 6;

const BYTE_ORDER: u32 = 0x1a2b_3c4d;
const VERSION: [u16; 2] = [1, 0];
/// The snapshot length in a file: 0 means that frames are not cut.
const SNAP_LEN: u32 = 0;
/// The unit of all times is 10^-9 seconds. The file contains the number 9 for this unit.
const RESOLUTION: u8 = 9;

/// The codes of options. The first two codes are for all blocks. The next codes are for these
/// blocks: one for a section, three for an interface, two for statistics, one for a packet.
const END_OF_OPTIONS: u16 = 0;
const COMMENT: u16 = 1;
const APPLICATION: u16 = 4;
const INTERFACE_NAME: u16 = 2;
const INTERFACE_DESCRIPTION: u16 = 3;
const INTERFACE_RESOLUTION: u16 = 9;
const RECEIVED: u16 = 4;
const DROPPED: u16 = 5;
const PACKET_FLAGS: u16 = 2;
/// The maximum number of octets of a text in an option.
const LONGEST_TEXT: usize = 4096;

/// The link type of an interface: the form of its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkType {
    /// Ethernet frames: LINKTYPE_ETHERNET.
    Ethernet,
    /// IP packets without a header in front: LINKTYPE_RAW.
    Ip,
}

impl LinkType {
    /// Returns the number of the link type in capture files.
    pub fn number(self) -> u16 {
        match self {
            LinkType::Ethernet => 1,
            LinkType::Ip => 101,
        }
    }
}

/// The direction of a frame, seen from its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The interface received the frame.
    In,
    /// The interface sent the frame.
    Out,
}

impl Direction {
    /// Returns the lowest bits of the option epb_flags.
    fn flags(self) -> u32 {
        match self {
            Direction::In => 1,
            Direction::Out => 2,
        }
    }
}

/// A frame of a capture.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// The number of the interface, which [`PcapngWriter::add_interface`] returned.
    pub interface: u32,
    /// The time since 1970.
    pub at: Duration,
    /// The direction.
    pub direction: Direction,
    /// The octets of the frame.
    pub frame: &'a [u8],
}

/// A capture file that grows in memory.
#[derive(Debug)]
pub struct PcapngWriter {
    octets: Vec<u8>,
    interfaces: u32,
}

impl Default for PcapngWriter {
    fn default() -> Self {
        PcapngWriter::new()
    }
}

impl PcapngWriter {
    /// Begins a capture file. The unit of the times is the nanosecond.
    pub fn new() -> Self {
        let mut writer = PcapngWriter { octets: Vec::new(), interfaces: 0 };
        let mut section = BYTE_ORDER.to_le_bytes().to_vec();
        VERSION.iter().for_each(|part| section.extend(part.to_le_bytes()));
        // The length of the section. This value means that the length is not known.
        section.extend(u64::MAX.to_le_bytes());
        option(&mut section, APPLICATION, concat!("Eidway ", env!("CARGO_PKG_VERSION")).as_bytes());
        option(&mut section, END_OF_OPTIONS, &[]);
        writer.block(SECTION, &section);
        writer
    }

    /// Adds an interface and returns its number, for [`Packet::interface`].
    pub fn add_interface(&mut self, name: &str, description: &str, link: LinkType) -> u32 {
        let mut interface = link.number().to_le_bytes().to_vec();
        interface.extend([0; 2]);
        interface.extend(SNAP_LEN.to_le_bytes());
        option(&mut interface, INTERFACE_NAME, shortened(name).as_bytes());
        option(&mut interface, INTERFACE_DESCRIPTION, shortened(description).as_bytes());
        option(&mut interface, INTERFACE_RESOLUTION, &[RESOLUTION]);
        option(&mut interface, END_OF_OPTIONS, &[]);
        self.block(INTERFACE, &interface);
        self.interfaces += 1;
        self.interfaces - 1
    }

    /// Adds a packet with its comments.
    pub fn write(&mut self, packet: &Packet<'_>, comments: &[String]) {
        let len = u32::try_from(packet.frame.len()).unwrap_or(u32::MAX);
        let mut block = Vec::with_capacity(20 + packet.frame.len());
        block.extend(packet.interface.to_le_bytes());
        time(&mut block, packet.at);
        block.extend(len.to_le_bytes());
        block.extend(len.to_le_bytes());
        block.extend(packet.frame);
        pad(&mut block);
        option(&mut block, PACKET_FLAGS, &packet.direction.flags().to_le_bytes());
        for comment in comments {
            option(&mut block, COMMENT, shortened(comment).as_bytes());
        }
        option(&mut block, END_OF_OPTIONS, &[]);
        self.block(PACKET, &block);
    }

    /// Adds two counts of an interface: the received frames, and the frames that were dropped
    /// because this program did not read them in time.
    pub fn write_statistics(&mut self, interface: u32, at: Duration, received: u64, dropped: u64) {
        let mut block = interface.to_le_bytes().to_vec();
        time(&mut block, at);
        option(&mut block, RECEIVED, &received.to_le_bytes());
        option(&mut block, DROPPED, &dropped.to_le_bytes());
        option(&mut block, END_OF_OPTIONS, &[]);
        self.block(STATISTICS, &block);
    }

    /// Returns the octets that were added since the previous call. The octets of all calls together
    /// are the file.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.octets)
    }

    /// Adds a block: its type, its length, its body, and its length again. The length of the body
    /// must be a multiple of 4 octets.
    fn block(&mut self, kind: u32, body: &[u8]) {
        let len = u32::try_from(12 + body.len()).unwrap_or(u32::MAX);
        self.octets.extend(kind.to_le_bytes());
        self.octets.extend(len.to_le_bytes());
        self.octets.extend(body);
        self.octets.extend(len.to_le_bytes());
    }
}

/// Adds a time: the upper half and the lower half of a number of 64 bits.
fn time(block: &mut Vec<u8>, at: Duration) {
    let nanos = u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
    block.extend(((nanos >> 32) as u32).to_le_bytes());
    block.extend((nanos as u32).to_le_bytes());
}

fn option(block: &mut Vec<u8>, code: u16, value: &[u8]) {
    block.extend(code.to_le_bytes());
    block.extend((value.len() as u16).to_le_bytes());
    block.extend(value);
    pad(block);
}

/// Appends zeros until the length is a multiple of 4 octets.
fn pad(octets: &mut Vec<u8>) {
    octets.resize(octets.len().next_multiple_of(4), 0);
}

fn shortened(text: &str) -> &str {
    let mut end = text.len().min(LONGEST_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the type and the body of each block of a file. Checks that both lengths of a block
    /// are equal.
    fn blocks(mut file: &[u8]) -> Vec<(u32, Vec<u8>)> {
        let word = |octets: &[u8]| u32::from_le_bytes(octets[..4].try_into().unwrap());
        let mut blocks = Vec::new();
        while !file.is_empty() {
            let len = word(&file[4..]) as usize;
            assert_eq!((len % 4, word(&file[len - 4..]) as usize), (0, len));
            blocks.push((word(file), file[8..len - 4].to_vec()));
            file = &file[len..];
        }
        blocks
    }

    #[test]
    fn a_packet_has_its_interface_its_time_its_direction_and_its_comments() {
        let mut writer = PcapngWriter::new();
        let interfaces = [LinkType::Ethernet, LinkType::Ip]
            .map(|link| writer.add_interface("xTR1:Ethernet0/0", "the core", link));
        assert_eq!(interfaces, [0, 1]);
        let begun = writer.take();
        let packet = Packet {
            interface: 1,
            at: Duration::from_nanos(0x1_0000_0002),
            direction: Direction::Out,
            frame: b"frame",
        };
        writer.write(&packet, &["why".to_owned()]);
        writer.write_statistics(1, Duration::from_nanos(3), 7, 5);
        let blocks = blocks(&[begun, writer.take()].concat());
        let kinds: Vec<u32> = blocks.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, [SECTION, INTERFACE, INTERFACE, PACKET, STATISTICS]);
        assert_eq!(blocks[2].1[..8], [101, 0, 0, 0, 0, 0, 0, 0]);
        let packet = &blocks[3].1;
        assert_eq!(packet[..12], [1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0], "the halves of the time");
        assert_eq!(&packet[20..28], b"frame\0\0\0");
        assert_eq!(packet[28..36], [2, 0, 4, 0, 2, 0, 0, 0], "sent");
        assert_eq!(&packet[36..], b"\x01\0\x03\0why\0\0\0\0\0");
        assert_eq!(blocks[4].1[12..24], [4, 0, 8, 0, 7, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(blocks[4].1[24..36], [5, 0, 8, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn a_long_comment_is_cut_off_between_two_letters() {
        let long = "é".repeat(LONGEST_TEXT);
        assert_eq!(shortened(&long).len(), LONGEST_TEXT);
        assert_eq!(shortened(&format!("a{long}")).len(), LONGEST_TEXT - 1);
    }
}
