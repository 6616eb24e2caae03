//! The nonces of this router's own Map-Registers: each is greater than all before it, also those of an
//! earlier run (RFC 9301 section 5.6).
//!
//! They begin at the wall clock, or after the last one that an earlier run has kept, whichever is greater.
//! Where nothing was kept and the clock was set back, a map-server remembers a greater nonce and refuses
//! the registers without a word. So they are raised, while a map-server has answered none of them: above
//! those of an earlier run sooner or later, and never far above the clock.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::wire::Nonce;

/// After so many registers without an answer, and so many more each time, nonces are raised.
pub(super) const UNANSWERED: u32 = 3;
/// By how much at first, microseconds: 71 minutes. Twice as much each time after that.
pub(super) const FIRST_RAISE: u64 = 1 << 32;
/// How far above the clock they are raised at the most, microseconds: two years and a quarter.
const MOST_AHEAD: u64 = 1 << 46;

/// The nonces of registers that go out.
#[derive(Debug)]
pub(super) struct Nonces {
    last: u64,
    /// The nonce that the driver has been asked to keep.
    kept: u64,
    /// An earlier run has kept its last one: they need not be raised.
    is_restored: bool,
    /// The map-servers that have answered a register since the start.
    answered: BTreeSet<IpAddr>,
    /// How often nonces were raised for each of the others.
    raises: BTreeMap<IpAddr, u32>,
    was_raised: bool,
}

impl Nonces {
    pub(super) fn new(wall_clock: u64) -> Self {
        Nonces {
            last: wall_clock,
            kept: wall_clock,
            is_restored: false,
            answered: BTreeSet::new(),
            raises: BTreeMap::new(),
            was_raised: false,
        }
    }

    /// Goes on after `sent`, which an earlier run has kept as its last. Returns by how many microseconds
    /// the clock is behind it, if it is.
    pub(super) fn restore(&mut self, sent: u64) -> Option<u64> {
        self.is_restored = true;
        let behind = sent.checked_sub(self.last).filter(|behind| *behind > 0)?;
        (self.last, self.kept) = (sent, sent);
        Some(behind)
    }

    /// The last nonce, if the driver has not been asked to keep it yet.
    pub(super) fn take_unkept(&mut self) -> Option<u64> {
        let is_new = self.last != self.kept;
        self.kept = self.last;
        is_new.then_some(self.last)
    }

    pub(super) fn next(&mut self) -> Nonce {
        self.last = self.last.saturating_add(1);
        Nonce(self.last)
    }

    /// A map-server has answered a register: it remembers no greater nonce.
    pub(super) fn answered(&mut self, server: IpAddr) {
        self.answered.insert(server);
    }

    /// So many registers in a row had no answer of a map-server: raises the nonces if it is time. Returns
    /// whether it did so for the first time.
    pub(super) fn unanswered(&mut self, server: IpAddr, registers: u32, clock: u64) -> bool {
        if self.is_restored || self.answered.contains(&server) {
            return false;
        }
        let raises = self.raises.entry(server).or_default();
        if registers < UNANSWERED.saturating_mul(*raises + 1) {
            return false;
        }
        let raise = FIRST_RAISE.checked_shl(*raises).unwrap_or(MOST_AHEAD).min(MOST_AHEAD);
        *raises += 1;
        let most = clock.saturating_add(MOST_AHEAD);
        let before = self.last;
        self.last = self.last.max(self.last.saturating_add(raise).min(most));
        self.last > before && !std::mem::replace(&mut self.was_raised, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: u64 = 1 << 50;

    fn server() -> IpAddr {
        [192, 0, 2, 1].into()
    }

    /// By how much they are above the clock after each register that has no answer.
    fn raised(nonces: &mut Nonces, registers: std::ops::RangeInclusive<u32>) -> Vec<u64> {
        let raise = |registers| {
            nonces.unanswered(server(), registers, CLOCK);
            nonces.last - CLOCK
        };
        registers.map(raise).collect()
    }

    #[test]
    fn nonces_are_raised_after_each_three_registers_twice_as_far_as_before() {
        let mut nonces = Nonces::new(CLOCK);
        let first = 1 << 32;
        assert_eq!(raised(&mut nonces, 1..=7), [0, 0, first, first, first, 3 * first, 3 * first]);
        raised(&mut nonces, 8..=1000);
        assert_eq!(nonces.last - CLOCK, MOST_AHEAD, "and no farther");
        assert_eq!(nonces.next(), Nonce(CLOCK + MOST_AHEAD + 1));
    }

    #[test]
    fn for_a_map_server_that_has_answered_nothing_is_raised() {
        let mut nonces = Nonces::new(CLOCK);
        nonces.answered(server());
        assert_eq!(raised(&mut nonces, 1..=100), [0; 100]);
    }
}
