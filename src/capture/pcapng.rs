//! Writes capture files in the pcapng format (draft-ietf-opsawg-pcapng), in which a packet can have
//! a comment. Wireshark shows the comments. The numbers are little-endian.

use std::time::Duration;

/// The types of the blocks: section header, interface description, enhanced packet.
const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;

const BYTE_ORDER: u32 = 0x1a2b_3c4d;
const VERSION: [u16; 2] = [1, 0];
const LINKTYPE_ETHERNET: u16 = 1;
/// No limit of the octets of a frame.
const SNAP_LEN: u32 = 0;

/// The options of a block.
const END_OF_OPTIONS: u16 = 0;
const COMMENT: u16 = 1;
/// The maximum number of octets of a comment.
const LONGEST_COMMENT: usize = 4096;

/// A capture file in memory, of Ethernet frames.
#[derive(Debug)]
pub struct PcapngWriter(Vec<u8>);

impl Default for PcapngWriter {
    fn default() -> Self {
        PcapngWriter::new()
    }
}

impl PcapngWriter {
    /// Begins a capture file. The times have microseconds.
    pub fn new() -> Self {
        let mut writer = PcapngWriter(Vec::new());
        let mut section = BYTE_ORDER.to_le_bytes().to_vec();
        VERSION.iter().for_each(|part| section.extend(part.to_le_bytes()));
        // The length of the section is not known.
        section.extend(u64::MAX.to_le_bytes());
        writer.block(SECTION, &section);
        let mut interface = LINKTYPE_ETHERNET.to_le_bytes().to_vec();
        interface.extend([0; 2]);
        interface.extend(SNAP_LEN.to_le_bytes());
        writer.block(INTERFACE, &interface);
        writer
    }

    /// Adds a frame with its time since 1970, and with its comments.
    pub fn write(&mut self, at: Duration, frame: &[u8], comments: &[String]) {
        let micros = u64::try_from(at.as_micros()).unwrap_or(u64::MAX);
        let len = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        let mut packet = Vec::with_capacity(20 + frame.len());
        for field in [0, (micros >> 32) as u32, micros as u32, len, len] {
            packet.extend(field.to_le_bytes());
        }
        packet.extend(frame);
        pad(&mut packet);
        for comment in comments {
            option(&mut packet, COMMENT, shortened(comment).as_bytes());
        }
        if !comments.is_empty() {
            option(&mut packet, END_OF_OPTIONS, &[]);
        }
        self.block(PACKET, &packet);
    }

    /// Returns the file.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    /// Adds a block: its type, its length, its body of whole words, and its length again.
    fn block(&mut self, kind: u32, body: &[u8]) {
        let len = u32::try_from(12 + body.len()).unwrap_or(u32::MAX);
        self.0.extend(kind.to_le_bytes());
        self.0.extend(len.to_le_bytes());
        self.0.extend(body);
        self.0.extend(len.to_le_bytes());
    }
}

fn option(block: &mut Vec<u8>, code: u16, value: &[u8]) {
    block.extend(code.to_le_bytes());
    block.extend((value.len() as u16).to_le_bytes());
    block.extend(value);
    pad(block);
}

/// Fills the last word with zeros.
fn pad(octets: &mut Vec<u8>) {
    octets.resize(octets.len().next_multiple_of(4), 0);
}

fn shortened(text: &str) -> &str {
    let mut end = text.len().min(LONGEST_COMMENT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blocks_have_whole_words_and_the_comment_follows_the_frame() {
        let mut writer = PcapngWriter::new();
        writer.write(Duration::from_micros(0x1_0000_0002), b"frame", &["why".to_owned()]);
        let file = writer.finish();
        let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        assert_eq!((word(0), word(4), word(24), word(8)), (SECTION, 28, 28, BYTE_ORDER));
        assert_eq!((word(28), word(32)), (INTERFACE, 20));
        let at = 48;
        // 12 octets of the block, 20 of its fields, 8 of the frame, 8 of the comment, 4 of the end.
        assert_eq!((word(at), word(at + 4)), (PACKET, 52));
        assert_eq!((word(at + 12), word(at + 16)), (1, 2), "the two halves of the time");
        assert_eq!(&file[at + 28..at + 36], b"frame\0\0\0");
        assert_eq!(&file[at + 36..at + 44], b"\x01\0\x03\0why\0");
        assert_eq!(file.len(), at + 52);
    }
}
