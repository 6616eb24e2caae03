//! Map-Request: asks for the locators of an EID. A probe and an SMR are Map-Requests too (RFC 9301
//! section 5.2).

use super::Nonce;
use super::address::{Address, emit_eid, parse_optional_eid_prefix};
use super::cursor::Reader;
use super::error::{ParseError, Problem};
use super::first_word::{FirstWord, MessageType, counted};
use super::map_register::XtrIdentity;
use super::record::MappingRecord;
use crate::addr::{Eid, EidPrefix, Rloc};

/// The maximum number of ITR-RLOCs of a Map-Request, because the IRC field has 5 bits.
pub const MAX_ITR_RLOCS: usize = 32;

/// A Map-Request.
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |Type=1 |A|M|P|S|p|s|R|I|  Rsvd   |L|D|   IRC   | Record Count  |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                            Nonce (64)                         |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |         Source-EID-AFI        |   Source EID Address  ...     |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |    ITR-RLOC-AFI, IRC + 1 x    |     ITR-RLOC Address  ...     |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |N|  Reserved   | EID mask-len  |        EID-Prefix-AFI         |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   EID-Prefix, Record Count x; Map-Reply Record if M;          |
/// |   xTR-ID (128) and Site-ID (64) if I                          |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
/// The bits I and N are from RFC 9437 section 4.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapRequest {
    /// A: the reply must come from the EID's site, not from the mapping system.
    pub authoritative: bool,
    /// P: the message is a probe. It probes the locator to which it is sent.
    pub probe: bool,
    /// S: the message is an SMR, which solicits a Map-Request from the receiver (RFC 9301 section
    /// 6.1).
    pub smr: bool,
    /// p: the sender is a proxy ITR.
    pub from_pitr: bool,
    /// s: an SMR has caused this message.
    pub smr_invoked: bool,
    /// L: the ITR-RLOC belongs to an xTR of the receiver's own site.
    pub local_xtr: bool,
    /// D: the sender wants no Map-Reply.
    pub do_not_reply: bool,
    /// The nonce, which the Map-Reply repeats.
    pub nonce: Nonce,
    /// The source EID of the packet that needs the mapping. In an SMR, it is the solicited EID.
    /// `None` means AFI 0. If the address is not an IP address, it is also read as `None`.
    pub source_eid: Option<Eid>,
    /// The RLOCs to which the reply may be sent, at most [`MAX_ITR_RLOCS`]. Opaque addresses are
    /// skipped on receipt. An empty list is sent as one address of AFI 0. Only an unsubscription,
    /// in which the bit N is set, may have an empty list (RFC 9437 section 6).
    pub itr_rlocs: Vec<Rloc>,
    /// The requested EID-Prefixes, at most 255. Senders send only one EID-Prefix in a request. On
    /// receipt, an EID that is not an IP prefix of an instance is left out.
    pub records: Vec<EidRecord>,
    /// The mapping of the source EID, if M is set. The mapping must be verified before it is
    /// trusted. On receipt, the mapping is left out if its EID is not an IP prefix of an instance.
    pub map_reply_record: Option<MappingRecord>,
    /// The xTR that sends the request, if I is set.
    pub xtr_identity: Option<XtrIdentity>,
}

/// One EID-Prefix that a Map-Request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EidRecord {
    /// N: the sender wants publications of this mapping (RFC 9437 section 4).
    pub notification_requested: bool,
    /// The EID-Prefix. Bits of the address after the mask are cleared.
    pub eid_prefix: EidPrefix,
}

impl From<EidPrefix> for EidRecord {
    /// Makes a record that only asks for the mapping: N is clear.
    fn from(eid_prefix: EidPrefix) -> Self {
        EidRecord { notification_requested: false, eid_prefix }
    }
}

impl MapRequest {
    /// Reads a Map-Request. The octets begin with the type of the message.
    ///
    /// # Errors
    /// A field of the message is wrong, or there is no ITR-RLOC for the reply. The error names the
    /// first wrong field.
    pub fn parse(message: &[u8]) -> Result<Self, ParseError> {
        let (word, mut reader) = FirstWord::read(message, MessageType::MapRequest)?;
        reader.enter("Nonce");
        let nonce = Nonce(reader.u64()?);
        reader.enter("Source-EID");
        let source_eid = Address::parse(&mut reader)?.eid();
        let itr_rlocs_at = reader.offset();
        let itr_rlocs =
            parse_itr_rlocs(&mut reader, (word.bits(19, 5) as usize).saturating_add(1))?;
        let records = (0..word.count())
            .map(|index| EidRecord::parse(&mut reader, index))
            .filter_map(Result::transpose)
            .collect::<Result<Vec<_>, _>>()?;
        if itr_rlocs.is_empty() && !records.iter().any(|record| record.notification_requested) {
            reader.enter("ITR-RLOC");
            return Err(reader.error_at(itr_rlocs_at, Problem::NoItrRloc));
        }
        reader.enter("Map-Reply Record");
        // A sender may set M by mistake. If the message ends here, it has no Map-Reply record.
        let map_reply_record = match word.bit(5) && reader.left() > 0 {
            true => MappingRecord::parse(&mut reader)?,
            false => None,
        };
        Ok(MapRequest {
            authoritative: word.bit(4),
            probe: word.bit(6),
            smr: word.bit(7),
            from_pitr: word.bit(8),
            smr_invoked: word.bit(9),
            local_xtr: word.bit(17),
            do_not_reply: word.bit(18),
            nonce,
            source_eid,
            itr_rlocs,
            records,
            map_reply_record,
            xtr_identity: XtrIdentity::parse_if(word.bit(11), &mut reader)?,
        })
    }

    /// Returns the octets of the message.
    pub fn emit(&self) -> Vec<u8> {
        let records = counted(&self.records);
        let itr_rlocs = self.itr_rlocs_sent();
        let word = FirstWord::new(MessageType::MapRequest)
            .with(4, self.authoritative)
            .with(5, self.map_reply_record.is_some())
            .with(6, self.probe)
            .with(7, self.smr)
            .with(8, self.from_pitr)
            .with(9, self.smr_invoked)
            .with(11, self.xtr_identity.is_some())
            .with(17, self.local_xtr)
            .with(18, self.do_not_reply)
            .with_bits(19, 5, itr_rlocs.len().saturating_sub(1) as u32)
            .with_count(records.len());
        let mut out = Vec::from(word.octets());
        out.extend(self.nonce.0.to_be_bytes());
        match self.source_eid {
            Some(eid) => emit_eid(eid, &mut out),
            None => Address::None.emit(&mut out),
        }
        itr_rlocs.iter().for_each(|rloc| rloc.emit(&mut out));
        records.iter().for_each(|record| record.emit(&mut out));
        if let Some(record) = &self.map_reply_record {
            record.emit(&mut out);
        }
        if let Some(identity) = &self.xtr_identity {
            identity.emit(&mut out);
        }
        out
    }

    fn itr_rlocs_sent(&self) -> Vec<Address> {
        debug_assert!(self.itr_rlocs.len() <= MAX_ITR_RLOCS, "IRC has 5 bits");
        if self.itr_rlocs.is_empty() {
            return vec![Address::None];
        }
        self.itr_rlocs.iter().take(MAX_ITR_RLOCS).map(|rloc| Address::Ip(rloc.0)).collect()
    }
}

fn parse_itr_rlocs(reader: &mut Reader<'_>, count: usize) -> Result<Vec<Rloc>, ParseError> {
    let mut itr_rlocs = Vec::new();
    for index in 0..count {
        reader.enter_nth("ITR-RLOC", index);
        itr_rlocs.extend(Address::parse(reader)?.ip().map(Rloc));
    }
    Ok(itr_rlocs)
}

impl EidRecord {
    fn parse(reader: &mut Reader<'_>, index: usize) -> Result<Option<Self>, ParseError> {
        reader.enter_nth("EID-Record", index);
        let flags = reader.u8()?;
        let mask_len = reader.u8()?;
        let eid_prefix = parse_optional_eid_prefix(reader, mask_len)?;
        let notification_requested = flags & 0x80 != 0;
        Ok(eid_prefix.map(|eid_prefix| EidRecord { notification_requested, eid_prefix }))
    }

    fn emit(&self, out: &mut Vec<u8>) {
        let flags = u8::from(self.notification_requested) << 7;
        out.extend([flags, self.eid_prefix.mask_len()]);
        emit_eid(self.eid_prefix.network(), out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::InstanceId;

    fn request() -> MapRequest {
        let prefix = "172.16.0.12/32".parse().expect("a prefix");
        MapRequest {
            nonce: Nonce(7),
            itr_rlocs: vec![Rloc("203.0.113.11".parse().expect("an address"))],
            records: vec![EidPrefix::new(InstanceId::DEFAULT, prefix).into()],
            ..MapRequest::default()
        }
    }

    #[test]
    fn reserved_bits_are_ignored() {
        let mut octets = request().emit();
        octets[1] |= 0x2f;
        octets[2] |= 0x80;
        octets[20] |= 0x7f;
        assert_eq!(MapRequest::parse(&octets), Ok(request()));
    }

    #[test]
    fn itr_rlocs_that_are_no_ip_address_are_skipped() {
        let mut octets = request().emit();
        octets[2] |= 2;
        let mut more = Vec::new();
        Address::Opaque { flags: 0, lcaf_type: 7, rsvd2: 0, octets: vec![9; 5] }.emit(&mut more);
        Address::None.emit(&mut more);
        octets.splice(14..14, more);
        assert_eq!(MapRequest::parse(&octets), Ok(request()));
    }

    #[test]
    fn a_bit_for_a_part_that_is_not_there_is_ignored() {
        let mut octets = request().emit();
        octets[0] |= 0x04;
        octets[1] |= 0x10;
        assert_eq!(MapRequest::parse(&octets), Ok(request()));
        octets.push(0);
        assert!(MapRequest::parse(&octets).is_err(), "a part that is cut short is an error");
    }

    #[test]
    fn an_itr_rloc_with_a_name_beside_it_is_its_ip_address() {
        let mut octets = request().emit();
        let mut named = Vec::new();
        let name = Address::Name(b"itr"[..].into());
        Address::List(vec![name, Address::Ip([203, 0, 113, 11].into())]).emit(&mut named);
        octets.splice(14..20, named);
        assert_eq!(MapRequest::parse(&octets), Ok(request()));
    }

    #[test]
    fn a_source_eid_and_records_of_other_families_are_left_out() {
        let mut octets = request().emit();
        octets[3] = 3;
        octets.splice(20..20, [0, 0, 0, 17, b'a', 0]);
        octets.extend([0, 48, 0x40, 5, 1, 2, 3, 4, 5, 6]);
        octets.splice(12..14, [0, 17, b'h', 0]);
        assert_eq!(MapRequest::parse(&octets), Ok(request()));
    }

    #[test]
    fn a_request_that_nobody_can_answer_is_an_error() {
        let nowhere = MapRequest { itr_rlocs: Vec::new(), ..request() };
        let error = MapRequest::parse(&nowhere.emit()).expect_err("no ITR-RLOC");
        assert_eq!((error.problem, error.offset), (Problem::NoItrRloc, 14));
        let mut unsubscription = nowhere;
        unsubscription.records[0].notification_requested = true;
        assert_eq!(MapRequest::parse(&unsubscription.emit()), Ok(unsubscription));
    }

    #[test]
    fn an_error_says_where() {
        let octets = request().emit();
        let error = MapRequest::parse(&octets[..26]).expect_err("two octets are missing");
        assert_eq!(
            error.to_string(),
            "Map-Request: EID-Record 1 is truncated: it needs 4 octets, but only 2 are left, at \
             octet 24"
        );
    }
}
