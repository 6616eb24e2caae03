//! A mapping in a message: an EID-Record with its RLOC-Records (RFC 9301 section 5.4).

use std::net::IpAddr;

use super::address::{Address, emit_eid, parse_optional_eid_prefix};
use super::cursor::Reader;
use super::error::ParseError;
use super::first_word::counted;
use crate::addr::{EidPrefix, Rloc};

/// With this priority, a locator must not be used (RFC 9301 section 5.4, Priority).
pub const UNUSABLE_PRIORITY: u8 = 255;

/// The action of an ITR for a packet, if the mapping of the packet's destination has no locators
/// (RFC 9301 section 5.4, ACT).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// 0: no action is defined, so the packet is dropped.
    #[default]
    NoAction,
    /// 1: forward the packet to its destination without encapsulation.
    NativelyForward,
    /// 2: send a Map-Request for each packet.
    SendMapRequest,
    /// 3: drop the packet. The record gives no reason.
    Drop,
    /// 4: drop the packet, because a policy denies it.
    DropPolicyDenied,
    /// 5: drop the packet, because authentication failed.
    DropAuthFailure,
    /// 6 or 7. No standard assigns these numbers. Only the low three bits are sent.
    Unassigned(u8),
}

impl Action {
    /// Returns the action for the low three bits of `number`.
    pub const fn from_number(number: u8) -> Self {
        match number & 7 {
            0 => Action::NoAction,
            1 => Action::NativelyForward,
            2 => Action::SendMapRequest,
            3 => Action::Drop,
            4 => Action::DropPolicyDenied,
            5 => Action::DropAuthFailure,
            unassigned => Action::Unassigned(unassigned),
        }
    }

    /// Returns the three bits of the ACT field.
    pub const fn number(self) -> u8 {
        match self {
            Action::NoAction => 0,
            Action::NativelyForward => 1,
            Action::SendMapRequest => 2,
            Action::Drop => 3,
            Action::DropPolicyDenied => 4,
            Action::DropAuthFailure => 5,
            Action::Unassigned(number) => number & 7,
        }
    }
}

/// A mapping from an EID-Prefix to locators.
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                          Record TTL                           |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// | Locator Count | EID mask-len  | ACT |A|      Reserved         |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// | Rsvd  |  Map-Version Number   |       EID-Prefix-AFI          |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                          EID-Prefix, then the locators        |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingRecord {
    /// The Record TTL in minutes. 0 removes the mapping. With 0xffffffff, the receiver chooses the
    /// lifetime.
    pub ttl_minutes: u32,
    /// The EID-Prefix. Bits of the address after the mask are cleared.
    pub eid_prefix: EidPrefix,
    /// ACT: the action for packets to the EID-Prefix. It is used only if there is no locator.
    pub action: Action,
    /// A: the record comes from an ETR of the EID's site.
    pub authoritative: bool,
    /// The Map-Version Number, 12 bits (RFC 9302); 0 if there is no version.
    pub map_version: u16,
    /// The locators in the order of the message, at most 255. See [`sort_locators`].
    pub locators: Vec<LocatorRecord>,
}

impl MappingRecord {
    /// Makes a record as an xTR of the site sends it: authoritative, without a Map-Version.
    pub fn of_site(eid_prefix: EidPrefix, ttl_minutes: u32, locators: Vec<LocatorRecord>) -> Self {
        MappingRecord {
            ttl_minutes,
            eid_prefix,
            action: Action::NoAction,
            authoritative: true,
            map_version: 0,
            locators,
        }
    }

    /// Whether the record has locators, and all of them are opaque. Such a record maps the
    /// EID-Prefix to locators that cannot be used here. It is not a negative record.
    pub fn is_all_opaque(&self) -> bool {
        !self.locators.is_empty() && self.locators.iter().all(|locator| locator.ip().is_none())
    }

    /// Whether a map-server says with this record that no xTR has registered the prefix.
    pub fn is_withdrawn(&self) -> bool {
        self.ttl_minutes == 0 || self.locators.is_empty()
    }

    /// Reads one record. Before this call, the caller must set the name of the part with
    /// [`Reader::enter`], because errors contain this name. Returns `None` if the EID is not an IP
    /// prefix of an instance. Such a record is also read to its end, so that the next record is
    /// found.
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Option<Self>, ParseError> {
        let ttl_minutes = reader.u32()?;
        let locator_count = reader.u8()?;
        let mask_len = reader.u8()?;
        let flags = reader.u16()?;
        let map_version = reader.u16()? & 0x0fff;
        let eid_prefix = parse_optional_eid_prefix(reader, mask_len)?;
        let locators: Vec<_> =
            (0..locator_count).map(|_| LocatorRecord::parse(reader)).collect::<Result<_, _>>()?;
        Ok(eid_prefix.map(|eid_prefix| MappingRecord {
            ttl_minutes,
            eid_prefix,
            action: Action::from_number((flags >> 13) as u8),
            authoritative: flags & 0x1000 != 0,
            map_version,
            locators,
        }))
    }

    /// Reads `count` records. A record is left out if its EID is not an IP prefix of an instance.
    pub(super) fn parse_all(
        reader: &mut Reader<'_>,
        count: usize,
    ) -> Result<Vec<Self>, ParseError> {
        (0..count)
            .map(|index| {
                reader.enter_nth("Record", index);
                MappingRecord::parse(reader)
            })
            .filter_map(Result::transpose)
            .collect()
    }

    /// Returns the number of octets of the record in a message.
    pub fn emitted_len(&self) -> usize {
        let mut out = Vec::new();
        self.emit(&mut out);
        out.len()
    }

    /// Appends the record.
    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        let locators = counted(&self.locators);
        let flags = u16::from(self.action.number()) << 13 | u16::from(self.authoritative) << 12;
        out.extend(self.ttl_minutes.to_be_bytes());
        out.extend([locators.len() as u8, self.eid_prefix.mask_len()]);
        out.extend(flags.to_be_bytes());
        out.extend((self.map_version & 0x0fff).to_be_bytes());
        emit_eid(self.eid_prefix.network(), out);
        locators.iter().for_each(|locator| locator.emit(out));
    }
}

/// One locator of a mapping.
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |    Priority   |    Weight     |  M Priority   |   M Weight    |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |        Unused Flags     |L|p|R|           Loc-AFI             |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                             Locator                           |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocatorRecord {
    /// The priority. The locator with the lowest priority is preferred. A locator with 255 must not
    /// be used for unicast.
    pub priority: u8,
    /// The weight. It determines the part of the traffic that the locator receives, compared with
    /// the other locators of the same priority.
    pub weight: u8,
    /// The priority for multicast. A locator with 255 must not be used for multicast.
    pub multicast_priority: u8,
    /// The weight for multicast.
    pub multicast_weight: u8,
    /// L: the locator is an address of the router that sends the record.
    pub local: bool,
    /// p: this record is the answer to a probe of this locator.
    pub probed: bool,
    /// R: the sender of the record can reach the locator.
    pub reachable: bool,
    /// The Loc-AFI and the Locator.
    pub rloc: Address,
}

impl LocatorRecord {
    /// Makes a locator that is an address of the sending router and is up: L and R are set, p is
    /// clear. The locator is not used for multicast.
    pub fn unicast(rloc: IpAddr, priority: u8, weight: u8) -> Self {
        LocatorRecord {
            priority,
            weight,
            multicast_priority: UNUSABLE_PRIORITY,
            multicast_weight: 0,
            local: true,
            probed: false,
            reachable: true,
            rloc: Address::Ip(rloc),
        }
    }

    /// Returns the locator as an RLOC. Returns `None` if the address is opaque. In this case, the
    /// locator is kept but not used.
    pub fn ip(&self) -> Option<Rloc> {
        self.rloc.ip().map(Rloc)
    }

    /// Whether both records are for the same locator. If both have an IP address, only the IP
    /// addresses are compared, not the names beside them. Otherwise, the locators must be equal.
    pub fn is_same(&self, other: &Self) -> bool {
        self.rloc == other.rloc || self.ip().is_some() && self.ip() == other.ip()
    }

    fn parse(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        let priority = reader.u8()?;
        let weight = reader.u8()?;
        let multicast_priority = reader.u8()?;
        let multicast_weight = reader.u8()?;
        let flags = reader.u16()?;
        Ok(LocatorRecord {
            priority,
            weight,
            multicast_priority,
            multicast_weight,
            local: flags & 4 != 0,
            probed: flags & 2 != 0,
            reachable: flags & 1 != 0,
            rloc: Address::parse(reader)?,
        })
    }

    fn emit(&self, out: &mut Vec<u8>) {
        let flags =
            u8::from(self.local) << 2 | u8::from(self.probed) << 1 | u8::from(self.reachable);
        out.extend([self.priority, self.weight, self.multicast_priority, self.multicast_weight]);
        out.extend([0, flags]);
        self.rloc.emit(out);
    }
}

/// Sorts locators into the order in which every xTR of the site sends them. So a locator has the
/// same ordinal in the Locator-Status-Bits of all xTRs. The order is ascending: IPv4, then IPv6,
/// then the other families by AFI (RFC 9301 section 5.5).
pub fn sort_locators(locators: &mut [LocatorRecord]) {
    let key = |locator: &LocatorRecord| locator.rloc.sort_key();
    locators
        .sort_by(|one, other| key(one).cmp(&key(other)).then_with(|| one.rloc.cmp(&other.rloc)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::InstanceId;

    fn locator(rloc: Address) -> LocatorRecord {
        LocatorRecord { rloc, ..LocatorRecord::unicast([0; 4].into(), 1, 100) }
    }

    fn record() -> MappingRecord {
        MappingRecord {
            ttl_minutes: 1440,
            eid_prefix: EidPrefix::new(
                InstanceId::DEFAULT,
                "172.16.0.0/24".parse().expect("a prefix"),
            ),
            action: Action::Unassigned(6),
            authoritative: true,
            map_version: 0xabc,
            locators: vec![locator(Address::None)],
        }
    }

    fn emit(record: &MappingRecord) -> Vec<u8> {
        let mut out = Vec::new();
        record.emit(&mut out);
        out
    }

    fn parse(octets: &[u8]) -> Result<MappingRecord, ParseError> {
        let record = MappingRecord::parse(&mut Reader::new(octets, "test"));
        record.map(|record| record.expect("an EID-Prefix"))
    }

    #[test]
    fn a_record_of_another_family_is_left_out_and_the_next_one_is_read() {
        let mut named = emit(&record());
        // The test puts a name in place of the EID-Prefix-AFI and the EID-Prefix of the record.
        // These two fields have 6 octets.
        named.splice(10..16, [0, 17, b'h', b'o', b's', b't', 0]);
        let octets = [named, emit(&record())].concat();
        let mut reader = Reader::new(&octets, "test");
        assert_eq!(MappingRecord::parse_all(&mut reader, 2), Ok(vec![record()]));
        assert_eq!(reader.left(), 0);
    }

    #[test]
    fn a_record_is_all_opaque_when_it_has_locators_and_none_is_an_ip_address() {
        let with = |locators| MappingRecord { locators, ..record() }.is_all_opaque();
        let name = locator(Address::Name(b"rtr-lab-1"[..].into()));
        assert!(with(vec![name.clone()]));
        assert!(!with(Vec::new()), "a negative record");
        assert!(!with(vec![name, LocatorRecord::unicast([192, 0, 2, 1].into(), 1, 100)]));
    }

    #[test]
    fn reserved_bits_and_host_bits_are_ignored() {
        let mut octets = emit(&record());
        octets[6] |= 0x0f;
        octets[7] |= 0xff;
        octets[8] |= 0xf0;
        octets[15] = 9;
        octets[20] = 0xff;
        octets[21] |= 0xf8;
        assert_eq!(parse(&octets), Ok(record()));
    }

    #[test]
    fn every_action_number_comes_back() {
        for number in 0..8 {
            assert_eq!(Action::from_number(number).number(), number);
        }
    }

    #[test]
    fn locators_sort_by_family_and_then_by_address() {
        let ip = |text: &str| Address::Ip(text.parse().expect("an address"));
        let sorted = [
            ip("9.0.0.1"),
            ip("10.0.0.1"),
            ip("::1"),
            ip("2001:db8::1"),
            Address::Name(b"a"[..].into()),
            Address::Name(b"b"[..].into()),
            Address::List(Vec::new()),
            Address::Opaque { flags: 0, lcaf_type: 5, rsvd2: 0, octets: Vec::new() },
            Address::Mac48([0; 6]),
        ];
        let mut locators: Vec<_> = sorted.iter().rev().cloned().map(locator).collect();
        sort_locators(&mut locators);
        let rlocs: Vec<_> = locators.into_iter().map(|locator| locator.rloc).collect();
        assert_eq!(rlocs, sorted);
    }
}
