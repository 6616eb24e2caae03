//! Limits the size of a reply. A record is added only if the packet remains so small that no path
//! fragments it (RFC 9301 section 5).

use super::replies::headers;
use super::site_records::Answer;
use crate::addr::{EidPrefix, Family};
use crate::packet::{IPV4_MINIMUM_REASSEMBLY, IPV6_MINIMUM_MTU};
use crate::wire::MappingRecord;

/// The largest packet that is not fragmented on any path, in octets (RFC 9301 section 5).
const LARGEST_V4: usize = IPV4_MINIMUM_REASSEMBLY as usize;
const LARGEST_V6: usize = IPV6_MINIMUM_MTU as usize;
/// The largest packet with a single record, in octets: the MTU of nearly all paths. A single record
/// is never split.
const LARGEST_ALONE: usize = 1500;
/// The number of octets of a Map-Reply before its records.
const REPLY_HEADER: usize = 12;

/// The records of a reply, in a packet that is not fragmented on any path.
#[derive(Debug)]
pub(super) struct ReplyRecords {
    headers: usize,
    /// The number of octets that further records may have.
    room: usize,
    /// The number of octets that a single record may have. A single record is never split, because
    /// each Locator-Status-Bit refers to a locator by the locator's position in the record (RFC
    /// 9300 section 10).
    room_alone: usize,
    records: Vec<MappingRecord>,
}

impl ReplyRecords {
    /// Creates an empty list of records for a reply. The reply is sent over `family` and has at
    /// most `most` IP octets.
    pub(super) fn new(family: Family, most: usize) -> Self {
        let largest = match family {
            Family::Ipv4 => LARGEST_V4,
            Family::Ipv6 => LARGEST_V6,
        };
        let headers = headers(family) + REPLY_HEADER;
        let room = |octets: usize| octets.min(most).saturating_sub(headers);
        let (room, room_alone) = (room(largest), room(LARGEST_ALONE));
        ReplyRecords { headers, room, room_alone, records: Vec::new() }
    }

    /// The number of octets that further records may have.
    pub(super) fn room(&self) -> usize {
        self.room
    }

    /// Adds records that belong together. Records that are already present are not added again.
    /// Returns whether the records fit. If they do not fit, no record is added.
    pub(super) fn push(&mut self, records: Vec<MappingRecord>) -> bool {
        let is_new = |record: &MappingRecord| !self.records.contains(record);
        let new: Vec<MappingRecord> = records.into_iter().filter(is_new).collect();
        let octets: usize = new.iter().map(MappingRecord::emitted_len).sum();
        let is_alone = self.records.is_empty() && new.len() == 1;
        let fits = octets <= if is_alone { self.room_alone } else { self.room };
        if fits {
            self.room = self.room.saturating_sub(octets);
            self.records.extend(new);
        }
        fits
    }

    /// Whether any further record may fit.
    pub(super) fn has_room(&self) -> bool {
        self.room_alone > 0
    }

    /// Whether the records contain an answer: a record that is inside the prefix of the answer and
    /// contains the requested EIDs. If this record is present, the more specific records of the
    /// answer are present too.
    pub(super) fn tell_of(&self, answer: &Answer) -> bool {
        let tells =
            |prefix: EidPrefix| answer.about.covers(&prefix) && prefix.covers(&answer.asked);
        self.records.iter().any(|record| tells(record.eid_prefix))
    }

    /// Whether there are no records.
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The number of octets of the IP packet of the reply.
    pub(super) fn octets(&self) -> usize {
        self.headers + self.records.iter().map(MappingRecord::emitted_len).sum::<usize>()
    }

    /// Returns all records.
    pub(super) fn into_records(self) -> Vec<MappingRecord> {
        self.records
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::InstanceId;

    fn prefix(text: &str) -> EidPrefix {
        EidPrefix::new(InstanceId::DEFAULT, text.parse().unwrap())
    }

    #[test]
    fn records_that_belong_together_come_whole_or_not_at_all() {
        let record = |text: &str| MappingRecord::of_site(prefix(text), 1440, Vec::new());
        let mut records = ReplyRecords::new(Family::Ipv4, usize::MAX);
        assert!(records.push(vec![record("10.0.0.0/8")]));
        let room = records.room();
        assert!(records.push(vec![record("10.0.0.0/8")]), "it is there");
        assert_eq!(records.room(), room);
        let many = (0..=255).map(|octet| record(&format!("10.{octet}.0.0/16"))).collect();
        assert!(!records.push(many));
        assert_eq!((records.room(), records.into_records().len()), (room, 1));
    }
}
