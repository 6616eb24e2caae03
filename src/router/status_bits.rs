//! Locator-Status-Bits: the xTRs of a site say in each packet which of its locators are up (RFC 9300
//! sections 10 and 13.1).
//!
//! Bit n stands for the n-th locator of the mapping of the inner source, as the last Map-Reply had it. Who
//! sends and who receives must have the same list, so a mapping that got other locators is sent without
//! bits until the SMRs have done their work. Anybody can forge the bits: they are used where
//! `loc-reach-algorithm lsb-reports` says that the network is trusted.

use std::time::Duration;

use super::Router;
use super::deadlines::Deadlines;
use crate::addr::{Eid, EidPrefix, Rloc};
use crate::time::{Deadline, Time};
use crate::wire::DataHeader;

/// The use-LSB timer (RFC 9300 section 13.1): so long no bits go with a mapping whose locators are others
/// than before.
const USE_LSB: Duration = Duration::from_secs(5 * 60);

/// The Locator-Status-Bits of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusBits {
    bits: u32,
    /// How many there are.
    width: u32,
}

impl StatusBits {
    /// Those of a LISP header: 32, or 8 beside an instance-ID (RFC 9300 section 5.3).
    pub fn of_header(header: &DataHeader) -> Option<Self> {
        let width = if header.instance_id.is_some() { 8 } else { u32::BITS };
        header.locator_status_bits.map(|bits| StatusBits { bits, width })
    }

    /// The bit of the locator with this place in its mapping, if there is one.
    pub fn of(self, ordinal: u8) -> Option<bool> {
        let ordinal = u32::from(ordinal);
        (ordinal < self.width).then(|| self.bits >> ordinal & 1 == 1)
    }
}

/// Which local mappings are sent without bits.
#[derive(Debug, Default)]
pub(super) struct StatusHolds {
    until: Deadlines<EidPrefix>,
}

impl StatusHolds {
    pub(super) fn next_deadline(&self) -> Option<Deadline> {
        self.until.next().map(|at| Deadline { at, why: "use-LSB timer" })
    }

    pub(super) fn expire(&mut self, now: Time) {
        while self.until.pop(now).is_some() {}
    }
}

impl Router {
    /// Local mappings have got other locators.
    pub(super) fn hold_status_bits(&mut self, relocated: &[EidPrefix], now: Time) {
        for &prefix in relocated {
            if self.context.config.loc_reach(prefix.family()).lsb_reports {
                self.status_holds.until.set(prefix, Some(now + USE_LSB));
            }
        }
    }

    /// The bits for packets of a local EID; `None` when they are not to be sent.
    pub(super) fn status_bits(&self, source: Eid) -> Option<u32> {
        if !self.context.config.loc_reach(source.family()).lsb_reports {
            return None;
        }
        let (prefix, entry) = self.database.longest_match(source)?;
        (!self.status_holds.until.contains(&prefix)).then(|| entry.status_bits())
    }

    /// Takes in the bits of a packet that `from` sent for `source`.
    pub(super) fn take_status_bits(
        &mut self,
        header: &DataHeader,
        from: Rloc,
        source: Eid,
        now: Time,
    ) {
        let trusted = self.context.config.loc_reach(source.family()).lsb_reports;
        let Some(bits) = StatusBits::of_header(header).filter(|_| trusted) else { return };
        let changed = self.map_cache.report_status(source, from, bits, &self.context.local, now);
        if changed > 0 {
            self.context.counters.status_bit_changes += changed;
            self.forget_flows();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::InstanceId;

    #[test]
    fn there_are_32_bits_or_8_beside_an_instance_id() {
        let mut header =
            DataHeader { locator_status_bits: Some(0x8000_0081), ..DataHeader::default() };
        let bits = StatusBits::of_header(&header).unwrap();
        assert_eq!(
            [0, 1, 7, 31, 32].map(|n| bits.of(n)).map(|bit| bit.map(u8::from)),
            [Some(1), Some(0), Some(1), Some(1), None]
        );
        header.instance_id = InstanceId::new(5);
        let bits = StatusBits::of_header(&header).unwrap();
        assert_eq!((bits.of(7), bits.of(8)), (Some(true), None));
        assert_eq!(StatusBits::of_header(&DataHeader::default()), None);
    }
}
