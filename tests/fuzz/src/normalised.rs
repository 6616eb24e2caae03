//! What a message that parses is emitted as: a second, plain reading of the RFCs' diagrams.
//!
//! It walks octets that the parser accepted and copies them, but for the normalisations listed
//! here. What the parser and `emit` do beyond this list is a finding.
//!
//! | normalised | reason |
//! |---|---|
//! | reserved bits and octets are zero | RFC 9301: set to 0 on transmission, ignored on receipt |
//! | Rsvd and Flags of LCAF types 1, 2 and 12 are zero, IID mask-len is 32 | RFC 8060 section 3; the instance-ID is one number, no range |
//! | host bits beyond an EID mask are zero | the EID-Prefix is the same |
//! | an EID in instance-ID 0 is a plain AFI | the default instance needs no LCAF |
//! | ITR-RLOCs that are no IP address are left out, IRC counts the rest | no reply could go there |
//! | a source EID that is no IP address is AFI 0 | it means nothing here |
//! | octets after the last field are dropped | later standards put theirs there |
//! | the inner IP header of an ECM is our own | nobody reads its DSCP, identification, options |
//! | a Registration Refresh says R alone without scope, and no address that means nothing | the draft has the message end there |

const AFI_IPV4: u16 = 1;
const AFI_IPV6: u16 = 2;
const AFI_LCAF: u16 = 16387;
const LCAF_HEAD: usize = 8;

struct Walk<'a> {
    octets: &'a [u8],
    out: Vec<u8>,
}

/// The octets of a control message that `Message::parse` accepted, as `emit` must write them.
/// Those of an ECM are without its inner IP header.
pub fn message(octets: &[u8]) -> Vec<u8> {
    let mut walk = Walk { octets, out: Vec::new() };
    let word = u32::from_be_bytes([octets[0], octets[1], octets[2], octets[3]]);
    match octets[0] >> 4 {
        1 => walk.map_request(word),
        2 => {
            walk.masked(0xfe00_00ff);
            walk.copy(8);
            walk.records(word);
        }
        3 => walk.signed(word, 0xfe00_3dff, 0x0200_0000),
        4 | 5 => walk.signed(word, 0xfc00_00ff, 0x0800_0000),
        7 => walk.info(),
        8 => walk.encapsulated(),
        other => panic!("type {other} has no parser"),
    }
    walk.out
}

/// The octets of a frame of the reliable transport, likewise.
pub fn frame(octets: &[u8]) -> Vec<u8> {
    let end = octets.len() - 4;
    let mut walk = Walk { octets: &octets[..end], out: Vec::new() };
    walk.copy(8);
    match octets[1] {
        16 => {
            walk.copy(1);
            walk.zero(3);
            walk.rest();
        }
        17 => walk.rest(),
        18 => walk.sized_prefix(),
        19 => {
            walk.copy(1);
            walk.zero(2);
            walk.sized_prefix();
        }
        20 => walk.refresh(),
        21 => {
            walk.copy(24);
            walk.record();
        }
        other => panic!("type {other} has no parser"),
    }
    let mut out = walk.out;
    out.extend(&octets[end..]);
    let length = u16::try_from(out.len()).expect("no longer than what was read");
    out[2..4].copy_from_slice(&length.to_be_bytes());
    out
}

impl<'a> Walk<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.octets.split_at(count);
        self.octets = rest;
        taken
    }

    fn copy(&mut self, count: usize) {
        let taken = self.take(count);
        self.out.extend(taken);
    }

    fn rest(&mut self) {
        self.copy(self.octets.len());
    }

    fn zero(&mut self, count: usize) {
        self.take(count);
        self.out.resize(self.out.len() + count, 0);
    }

    fn u16(&mut self) -> u16 {
        let taken = self.take(2);
        u16::from_be_bytes([taken[0], taken[1]])
    }

    /// The first word, with the bits that have a meaning.
    fn masked(&mut self, mask: u32) {
        let taken = self.take(4);
        let word = u32::from_be_bytes([taken[0], taken[1], taken[2], taken[3]]);
        self.out.extend((word & mask).to_be_bytes());
    }

    fn masked_u16(&mut self, mask: u16) {
        let value = self.u16() & mask;
        self.out.extend(value.to_be_bytes());
    }

    fn map_request(&mut self, word: u32) {
        self.masked(0xffd0_60ff);
        self.copy(8);
        let source = self.eid(None).unwrap_or_else(|| vec![0, 0]);
        self.out.extend(source);
        let count = (word >> 8 & 0x1f) + 1;
        let mut sent = 0;
        for _ in 0..count {
            let rloc = self.address();
            if matches!(afi(&rloc), AFI_IPV4 | AFI_IPV6) {
                self.out.extend(rloc);
                sent += 1;
            }
        }
        if sent == 0 {
            self.out.extend([0, 0]);
            sent = 1;
        }
        self.out[2] |= sent - 1;
        for _ in 0..word & 0xff {
            let flags = self.take(1)[0] & 0x80;
            self.out.push(flags);
            self.sized_prefix();
        }
        if word & 0x0400_0000 != 0 {
            self.record();
        }
        if word & 0x0010_0000 != 0 {
            self.copy(24);
        }
    }

    fn signed(&mut self, word: u32, mask: u32, identity: u32) {
        self.masked(mask);
        self.copy(8);
        self.authentication();
        self.records(word);
        if word & identity != 0 {
            self.copy(24);
        }
    }

    fn authentication(&mut self) {
        self.copy(2);
        let length = self.u16();
        self.out.extend(length.to_be_bytes());
        self.copy(length.into());
    }

    fn info(&mut self) {
        self.masked(0xf800_0000);
        self.copy(8);
        self.authentication();
        self.copy(4);
        self.zero(1);
        self.sized_prefix();
        let nat = self.address();
        self.out.extend(nat);
    }

    fn encapsulated(&mut self) {
        self.masked(0xf700_0000);
        let header = match self.octets[0] >> 4 {
            4 => usize::from(self.octets[0] & 0x0f) * 4,
            _ => 40,
        };
        self.take(header);
        let length = usize::from(u16::from_be_bytes([self.octets[4], self.octets[5]]));
        self.copy(length);
    }

    fn refresh(&mut self) {
        let scope = self.take(1)[0];
        let rejected_only = self.u16() & 0x8000;
        let alone = rejected_only != 0 && self.octets.is_empty();
        self.out.push(if alone { 0 } else { scope });
        self.out.extend(rejected_only.to_be_bytes());
        match scope {
            _ if alone => {}
            1 | 2 => self.instance(),
            3 | 4 => self.sized_prefix(),
            _ => {}
        }
    }

    /// An instance, written in an LCAF around AFI 0 or the zero address of the family.
    fn instance(&mut self) {
        self.zero(1);
        let address = self.address();
        let (instance_id, inner) = match afi(&address) {
            AFI_LCAF => (&address[8..12], &address[12..]),
            _ => (&[0; 4][..], &address[..]),
        };
        let length = u16::try_from(4 + inner.len()).expect("an address is short");
        self.out.extend([0x40, 0x03, 0, 0, 2, 32]);
        self.out.extend(length.to_be_bytes());
        self.out.extend(instance_id);
        self.out.extend(&inner[..2]);
        self.out.resize(self.out.len() + inner.len() - 2, 0);
    }

    fn records(&mut self, word: u32) {
        for _ in 0..word & 0xff {
            self.record();
        }
    }

    fn record(&mut self) {
        self.copy(4);
        let locators = self.octets[0];
        let mask_len = self.octets[1];
        self.copy(2);
        self.masked_u16(0xf000);
        self.masked_u16(0x0fff);
        let prefix = self.eid(Some(mask_len)).expect("the parser takes nothing else");
        self.out.extend(prefix);
        for _ in 0..locators {
            self.copy(4);
            self.masked_u16(0x0007);
            let rloc = self.address();
            self.out.extend(rloc);
        }
    }

    fn sized_prefix(&mut self) {
        let mask_len = self.octets[0];
        self.copy(1);
        let prefix = self.eid(Some(mask_len)).expect("the parser takes nothing else");
        self.out.extend(prefix);
    }

    /// An EID, masked if it is a prefix; `None` for what is none.
    fn eid(&mut self, mask_len: Option<u8>) -> Option<Vec<u8>> {
        let mut address = self.address();
        if afi(&address) == AFI_LCAF && address[4] == 2 {
            let inner = address[LCAF_HEAD + 4..].to_vec();
            match address[8..12] {
                [0, 0, 0, 0] => address = inner,
                [0, ..] if matches!(afi(&inner), AFI_IPV4 | AFI_IPV6) => {
                    let at = address.len() - (inner.len() - 2);
                    mask(&mut address[at..], mask_len);
                    return Some(address);
                }
                _ => return None,
            }
        }
        if !matches!(afi(&address), AFI_IPV4 | AFI_IPV6) {
            return None;
        }
        mask(&mut address[2..], mask_len);
        Some(address)
    }

    fn address(&mut self) -> Vec<u8> {
        let start = self.octets;
        match self.u16() {
            0 => self.take(0),
            AFI_IPV4 => self.take(4),
            AFI_IPV6 => self.take(16),
            AFI_LCAF => return self.lcaf(),
            other => panic!("AFI {other} is not accepted"),
        };
        start[..start.len() - self.octets.len()].to_vec()
    }

    fn lcaf(&mut self) -> Vec<u8> {
        let head = self.take(6);
        let (flags, lcaf_type, rsvd2) = (head[1], head[2], head[3]);
        let octets = self.take(u16::from_be_bytes([head[4], head[5]]).into());
        let mut inner = Walk { octets, out: vec![0x40, 0x03, 0, 0, lcaf_type, 0, 0, 0] };
        match lcaf_type {
            1 => inner.addresses(usize::MAX),
            2 => {
                inner.out[5] = 32;
                inner.copy(4);
                inner.addresses(1);
            }
            12 => {
                inner.zero(2);
                inner.copy(2);
                inner.addresses(2);
            }
            _ => {
                inner.out[3] = flags;
                inner.out[5] = rsvd2;
                inner.rest();
            }
        }
        let length = u16::try_from(inner.out.len() - LCAF_HEAD).expect("no longer than it was");
        inner.out[6..8].copy_from_slice(&length.to_be_bytes());
        inner.out
    }

    fn addresses(&mut self, most: usize) {
        for _ in 0..most {
            if self.octets.is_empty() {
                return;
            }
            let address = self.address();
            self.out.extend(address);
        }
    }
}

fn afi(address: &[u8]) -> u16 {
    u16::from_be_bytes([address[0], address[1]])
}

/// Clears the bits beyond the mask.
fn mask(ip: &mut [u8], mask_len: Option<u8>) {
    let Some(mask_len) = mask_len else { return };
    for (index, octet) in ip.iter_mut().enumerate() {
        let bits = usize::from(mask_len).saturating_sub(index * 8).min(8);
        *octet &= !(0xff_u16 >> bits) as u8;
    }
}
