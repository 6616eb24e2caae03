//! The octets of a parsed message after it is emitted. This is a second, simple implementation of
//! the RFCs' diagrams.
//!
//! It reads octets that the parser accepted, and copies them with the normalisations in this list.
//! If the parser and `emit` change anything else, this is a fault.
//!
//! | normalised | reason |
//! |---|---|
//! | reserved bits and octets are zero | RFC 9301: set to 0 on transmission, ignored on receipt |
//! | Rsvd and Flags of LCAF types 1, 2 and 12 are zero, IID mask-len is 32 | RFC 8060 section 3; the instance-ID is one number, no range |
//! | host bits beyond an EID mask are zero | the EID-Prefix is the same |
//! | an EID in instance-ID 0 is a plain AFI | the default instance needs no LCAF |
//! | ITR-RLOCs that are no IP address are left out, IRC counts the rest | no reply could go there |
//! | an ITR-RLOC in a list with names is that address alone | the names mean nothing here |
//! | records whose EID is no IP prefix of an instance are left out, the record count counts the rest | their families are known and mean nothing here |
//! | a source EID that is no IP address is AFI 0 | it means nothing here |
//! | the bit of a Map-Reply record or an xTR-ID is zero if the message ends before it | RFC 9301 reserves the I bits |
//! | octets after the last field are dropped | later standards put theirs there |
//! | the inner IP header of an ECM is our own | no router reads its DSCP, identification, options |
//! | an inner UDP checksum of zero becomes the right one | RFC 9301 section 5.8 |
//! | a Registration Refresh says R alone without scope, and no address that means nothing | the draft has the message end there |

const AFI_IPV4: u16 = 1;
const AFI_IPV6: u16 = 2;
const AFI_NAME: u16 = 17;
const AFI_LCAF: u16 = 16387;
const AFI_MAC_48: u16 = 16389;
const AFI_MAC_64: u16 = 16390;
/// The maximum number of levels of nested LCAFs that are read.
const DEPTH: usize = 4;
/// Where the record count stands.
const RECORD_COUNT_AT: usize = 3;
const LCAF_HEAD: usize = 8;

struct Walk<'a> {
    octets: &'a [u8],
    out: Vec<u8>,
}

/// The octets that `emit` must write for a control message that `Message::parse` accepted. For an
/// ECM, they are without the inner IP header, and the inner UDP checksum is zero.
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

/// The octets that `emit` must write for a frame of the reliable transport.
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
    let length = u16::try_from(out.len()).expect("no longer than the octets that were read");
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
            if let Some(rloc) = ip_of(self.address()) {
                self.out.extend(rloc);
                sent += 1;
            }
        }
        if sent == 0 {
            self.out.extend([0, 0]);
            sent = 1;
        }
        self.out[2] |= sent - 1;
        self.out[RECORD_COUNT_AT] = 0;
        for _ in 0..word & 0xff {
            let flags = self.take(1)[0] & 0x80;
            let mask_len = self.take(1)[0];
            if let Some(prefix) = self.eid(Some(mask_len)) {
                self.out.extend([flags, mask_len]);
                self.out.extend(prefix);
                self.out[RECORD_COUNT_AT] += 1;
            }
        }
        if word & 0x0400_0000 != 0 && (self.octets.is_empty() || !self.record()) {
            // No record, no M bit.
            self.out[0] &= !0x04;
        }
        self.identity(word, 0x0010_0000);
    }

    fn signed(&mut self, word: u32, mask: u32, identity: u32) {
        self.masked(mask);
        self.copy(8);
        self.authentication();
        self.records(word);
        self.identity(word, identity);
    }

    /// xTR-ID and Site-ID, if the message has the I bit and does not end before them.
    fn identity(&mut self, word: u32, bit: u32) {
        if word & bit == 0 {
            return;
        }
        if !self.octets.is_empty() {
            return self.copy(24);
        }
        for (octet, bit) in self.out.iter_mut().zip(bit.to_be_bytes()) {
            *octet &= !bit;
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
        let mask_len = self.take(1)[0];
        match self.eid(Some(mask_len)) {
            Some(prefix) => {
                self.out.push(mask_len);
                self.out.extend(prefix);
            }
            None => self.out.extend([0, 0, 0]),
        }
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
        self.copy(6);
        self.zero(2);
        self.copy(length - 8);
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
        self.out[RECORD_COUNT_AT] = 0;
        for _ in 0..word & 0xff {
            self.out[RECORD_COUNT_AT] += u8::from(self.record());
        }
    }

    /// Copies a record. If its EID is not an IP prefix, copies nothing and returns false.
    fn record(&mut self) -> bool {
        let start = self.out.len();
        self.copy(4);
        let locators = self.octets[0];
        let mask_len = self.octets[1];
        self.copy(2);
        self.masked_u16(0xf000);
        self.masked_u16(0x0fff);
        let prefix = self.eid(Some(mask_len));
        self.out.extend(prefix.iter().flatten());
        for _ in 0..locators {
            self.copy(4);
            self.masked_u16(0x0007);
            let rloc = self.address();
            self.out.extend(rloc);
        }
        if prefix.is_none() {
            self.out.truncate(start);
        }
        prefix.is_some()
    }

    fn sized_prefix(&mut self) {
        let mask_len = self.octets[0];
        self.copy(1);
        let prefix = self.eid(Some(mask_len)).expect("the parser takes nothing else");
        self.out.extend(prefix);
    }

    /// An EID, masked if it is a prefix; `None` for other octets.
    fn eid(&mut self, mask_len: Option<u8>) -> Option<Vec<u8>> {
        let mut address = self.address();
        let mut ip_at = 2;
        if is_instance(&address) {
            match address[8..12] {
                [0, 0, 0, 0] => address = address[LCAF_HEAD + 4..].to_vec(),
                [0, ..] => ip_at = LCAF_HEAD + 6,
                _ => return None,
            }
        }
        let bits = match afi(&address[ip_at - 2..]) {
            AFI_IPV4 => 32,
            AFI_IPV6 => 128,
            _ => return None,
        };
        if mask_len.is_some_and(|mask_len| mask_len > bits) {
            return None;
        }
        mask(&mut address[ip_at..], mask_len);
        Some(address)
    }

    fn address(&mut self) -> Vec<u8> {
        self.nested(DEPTH).expect("the parser takes nothing else")
    }

    /// An address; `None` for other octets, or for too many LCAFs in each other.
    fn nested(&mut self, depth: usize) -> Option<Vec<u8>> {
        let start = self.octets;
        let length = match afi(start.get(..2)?) {
            0 => 0,
            AFI_IPV4 => 4,
            AFI_IPV6 => 16,
            AFI_NAME => start[2..].iter().position(|octet| *octet == 0)? + 1,
            AFI_MAC_48 => 6,
            AFI_MAC_64 => 8,
            AFI_LCAF => return self.lcaf(depth.checked_sub(1)?),
            _ => return None,
        };
        let address = start.get(..2 + length)?;
        self.take(address.len());
        Some(address.to_vec())
    }

    fn lcaf(&mut self, depth: usize) -> Option<Vec<u8>> {
        let head: [u8; LCAF_HEAD] = self.octets.get(..LCAF_HEAD)?.try_into().ok()?;
        let length: usize = u16::from_be_bytes([head[6], head[7]]).into();
        let octets = self.octets.get(LCAF_HEAD..LCAF_HEAD + length)?;
        self.take(LCAF_HEAD + length);
        let (flags, lcaf_type, rsvd2) = (head[3], head[4], head[5]);
        let mut inner = Walk { octets, out: vec![0x40, 0x03, 0, 0, lcaf_type, 0, 0, 0] };
        if inner.known(lcaf_type, depth).is_none() || !inner.octets.is_empty() {
            // Kept as it came.
            inner.out = vec![0x40, 0x03, 0, flags, lcaf_type, rsvd2, 0, 0];
            inner.out.extend(octets);
        }
        let length = u16::try_from(inner.out.len() - LCAF_HEAD).expect("no longer than it was");
        inner.out[6..8].copy_from_slice(&length.to_be_bytes());
        Some(inner.out)
    }

    /// The content of an LCAF of a type that has fields; `None` if it does not fit.
    fn known(&mut self, lcaf_type: u8, depth: usize) -> Option<()> {
        let (fixed, addresses) = match lcaf_type {
            1 => (0, usize::MAX),
            2 => (4, 1),
            12 => (4, 2),
            _ => return None,
        };
        if self.octets.len() < fixed {
            return None;
        }
        match lcaf_type {
            2 => self.out[5] = 32,
            12 => self.zero(2),
            _ => {}
        }
        self.copy(fixed - if lcaf_type == 12 { 2 } else { 0 });
        for _ in 0..addresses {
            if lcaf_type == 1 && self.octets.is_empty() {
                break;
            }
            let address = self.nested(depth)?;
            self.out.extend(address);
        }
        Some(())
    }
}

/// Whether an address is an Instance-ID LCAF that contains an address, and is not copied unchanged.
/// The octets of the LCAF alone do not show this, so its contents are read again.
fn is_instance(address: &[u8]) -> bool {
    if afi(address) != AFI_LCAF || address[4] != 2 {
        return false;
    }
    let mut walk = Walk { octets: &address[LCAF_HEAD..], out: vec![0; LCAF_HEAD] };
    walk.known(2, DEPTH - 1).is_some() && walk.octets.is_empty()
}

/// The IP address of an ITR-RLOC: the address itself, or the only IP address in a list with names.
fn ip_of(address: Vec<u8>) -> Option<Vec<u8>> {
    let is_ip = |address: &Vec<u8>| matches!(afi(address), AFI_IPV4 | AFI_IPV6);
    if is_ip(&address) {
        return Some(address);
    }
    if afi(&address) != AFI_LCAF || address[4] != 1 {
        return None;
    }
    let mut walk = Walk { octets: &address[LCAF_HEAD..], out: Vec::new() };
    let mut ips = Vec::new();
    while !walk.octets.is_empty() {
        let one = walk.nested(DEPTH - 1)?;
        if afi(&one) != AFI_NAME {
            ips.push(one);
        }
    }
    ips.pop().filter(|ip| ips.is_empty() && is_ip(ip))
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
