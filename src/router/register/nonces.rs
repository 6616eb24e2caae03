//! The nonces of this router's own Map-Registers. Each nonce is greater than all earlier nonces,
//! even the nonces of an earlier run (RFC 9301 section 5.6).
//!
//! The nonces begin at the wall clock. If an earlier run has stored its last nonce, and this nonce
//! is greater than the wall clock, the nonces begin after this nonce. If no nonce was stored and
//! the clock was set back, a map-server may have stored a greater nonce. In this case, the
//! map-server refuses the Map-Registers and does not answer. So the nonces are raised as long as a
//! map-server has answered no Map-Register. In this way, the nonces become greater than the nonces
//! of an earlier run, but are never far above the clock.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::wire::Nonce;

/// The nonces are raised each time when this number of further Map-Registers has had no answer.
pub(super) const UNANSWERED: u32 = 3;
/// The first increase in microseconds: 71 minutes. Each further increase is twice as large.
pub(super) const FIRST_RAISE: u64 = 1 << 32;
/// The maximum distance of the nonces above the clock, in microseconds: two years and a quarter.
const MOST_AHEAD: u64 = 1 << 46;

/// The nonces of the Map-Registers that this router sends.
#[derive(Debug)]
pub(super) struct Nonces {
    last: u64,
    /// The last nonce that the driver has been asked to store.
    kept: u64,
    /// Whether an earlier run has stored its last nonce. If so, the nonces need not be raised.
    is_restored: bool,
    /// The map-servers that have answered a Map-Register since the start.
    answered: BTreeSet<IpAddr>,
    /// For each map-server that has answered no Map-Register, how often the nonces were raised
    /// because of this map-server.
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

    /// Continues the nonces after `sent`, which an earlier run has stored as its last nonce. If the
    /// clock is behind `sent`, returns the difference in microseconds.
    pub(super) fn restore(&mut self, sent: u64) -> Option<u64> {
        self.is_restored = true;
        let behind = sent.checked_sub(self.last).filter(|behind| *behind > 0)?;
        (self.last, self.kept) = (sent, sent);
        Some(behind)
    }

    /// Returns the last nonce, if the driver has not been asked to store it yet. The caller must
    /// then ask the driver to store this nonce.
    pub(super) fn take_unkept(&mut self) -> Option<u64> {
        let is_new = self.last != self.kept;
        self.kept = self.last;
        is_new.then_some(self.last)
    }

    pub(super) fn next(&mut self) -> Nonce {
        self.last = self.last.saturating_add(1);
        Nonce(self.last)
    }

    /// Records that a map-server has answered a Map-Register. So this map-server has not stored a
    /// greater nonce.
    pub(super) fn answered(&mut self, server: IpAddr) {
        self.answered.insert(server);
    }

    /// Handles `registers` successive Map-Registers that a map-server has not answered. Raises the
    /// nonces if this is due. Returns whether the nonces were raised for the first time.
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

    /// Returns the distance of the nonces from the clock after each Map-Register without an answer.
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
