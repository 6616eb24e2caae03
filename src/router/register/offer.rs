//! Decides whether a Map-Register offers reliable transport. The offer is bit 18, which RFC 9301
//! reserves.
//!
//! If bit 18 has another meaning for a map-server, this map-server drops each Map-Register with the
//! bit, and the registrations of the site expire. A map-server that is down answers no Map-Register
//! at all. When it is up again, the router must still offer reliable transport. So the router
//! leaves the bit out in two cases: a comparison shows that the map-server drops Map-Registers with
//! the bit, or the map-server refuses TCP.
//!
//! | State | Event | Next state |
//! |---|---|---|
//! | Open | a Map-Register without the bit is answered | Comparing |
//! | Comparing or Withheld | a Map-Register with the bit is answered | Open |
//! | Comparing | two with the bit and one without the bit have no answer | Open |
//! | Comparing | two with the bit have no answer, one without the bit is answered | Withheld |
//! | any state except Kept | the map-server refuses TCP | Withheld |
//! | Withheld | ten minutes have passed | Comparing |
//! | any state | a session begins | Kept |
//!
//! In the state Open, after three successive unanswered Map-Registers of a prefix, every second
//! Map-Register of this prefix has no bit 18. In the state Kept, every Map-Register has the bit.

use std::time::Duration;

use crate::time::Time;

/// After this number of successive Map-Registers without an answer, every second Map-Register is
/// sent without the offer (bit 18).
const UNANSWERED: u32 = 3;
/// The offer (bit 18) is left out if this number of Map-Registers with the offer had no answer, but
/// the map-server answers Map-Registers without the offer.
const MISSED: u32 = 2;
/// How long the offer (bit 18) is left out of the Map-Registers to a map-server.
pub(super) const WITHHELD_FOR: Duration = Duration::from_secs(600);

/// Whether reliable transport is offered to a map-server, and the reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Offer {
    /// Reliable transport is offered.
    #[default]
    Open,
    /// The map-server has answered a Map-Register without the offer (bit 18). After that, `missed`
    /// Map-Registers with the offer had no answer.
    Comparing {
        /// The number of Map-Registers with the offer that had no answer.
        missed: u32,
    },
    /// The map-server answers only Map-Registers without the offer (bit 18), or refuses TCP.
    Withheld {
        /// No Map-Register has the offer until this time.
        until: Time,
    },
    /// A session with the map-server has started since the start of the router.
    Kept,
}

impl Offer {
    /// Whether the next Map-Register of a prefix offers reliable transport (bit 18). `unanswered`
    /// is the number of successive Map-Registers of this prefix without an answer.
    pub(super) fn is_made(&mut self, unanswered: u32, now: Time) -> bool {
        self.resume(now);
        match *self {
            Offer::Open => unanswered < UNANSWERED || (unanswered - UNANSWERED) % 2 == 1,
            Offer::Comparing { missed } => missed < MISSED,
            Offer::Withheld { .. } => false,
            Offer::Kept => true,
        }
    }

    /// Records that a Map-Register had no answer in time.
    pub(super) fn unanswered(&mut self, had_bit: bool) {
        if let Offer::Comparing { missed } = *self {
            *self = match had_bit {
                true => Offer::Comparing { missed: missed + 1 },
                // The map-server also does not answer a Map-Register without the offer (bit 18), so
                // the offer is not the cause.
                false if missed >= MISSED => Offer::Open,
                false => *self,
            };
        }
    }

    /// Records that a Map-Notify answered a Map-Register. Returns true if a comparison begins
    /// between Map-Registers with the offer (bit 18) and without it. In this case, the caller does
    /// not wait for the end of the period before it sends the next Map-Register.
    pub(super) fn answered(&mut self, had_bit: bool, now: Time) -> bool {
        match (*self, had_bit) {
            (Offer::Kept, _) => {}
            (_, true) => *self = Offer::Open,
            (Offer::Open, false) => {
                *self = Offer::Comparing { missed: 0 };
                return true;
            }
            (Offer::Comparing { missed }, false) if missed >= MISSED => self.withhold(now),
            (Offer::Comparing { .. } | Offer::Withheld { .. }, false) => {}
        }
        false
    }

    /// Records that the map-server has refused TCP after a Map-Notify. Returns true if the offer
    /// (bit 18) is now left out.
    pub(super) fn refused(&mut self, now: Time) -> bool {
        if *self == Offer::Kept {
            return false;
        }
        self.withhold(now);
        true
    }

    fn withhold(&mut self, now: Time) {
        *self = Offer::Withheld { until: now + WITHHELD_FOR };
    }

    fn resume(&mut self, now: Time) {
        if matches!(self, Offer::Withheld { until } if *until <= now) {
            *self = Offer::Comparing { missed: 0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::ZERO;

    #[test]
    fn after_three_unanswered_registers_every_second_one_goes_without() {
        let mut offer = Offer::Open;
        let made: Vec<bool> = (0..8).map(|unanswered| offer.is_made(unanswered, NOW)).collect();
        assert_eq!(made, [true, true, true, false, true, false, true, false]);
    }

    #[test]
    fn the_bit_goes_where_only_registers_without_it_are_answered() {
        let mut offer = Offer::Open;
        assert!(offer.answered(false, NOW), "compare at once");
        for _ in 0..MISSED {
            assert!(offer.is_made(0, NOW));
            offer.unanswered(true);
        }
        assert!(!offer.is_made(2, NOW));
        offer.answered(false, NOW);
        assert!(!offer.is_made(0, Time(WITHHELD_FOR.as_micros() as u64 - 1)));
        assert!(offer.is_made(0, NOW + WITHHELD_FOR));
    }

    #[test]
    fn one_that_was_dead_and_is_back_is_offered_it() {
        let mut offer = Offer::Open;
        offer.answered(false, NOW);
        assert!(offer.is_made(0, NOW));
        offer.answered(true, NOW);
        assert_eq!(offer, Offer::Open);
        // While Map-Registers with the offer (bit 18) and without it are compared, the map-server
        // fails. It answers no Map-Register, so the router learns nothing about the offer.
        offer.answered(false, NOW);
        for had_bit in [true, true, false] {
            offer.unanswered(had_bit);
        }
        assert_eq!(offer, Offer::Open);
    }

    #[test]
    fn after_a_session_nothing_takes_the_bit_away() {
        let mut offer = Offer::Kept;
        for unanswered in 0..10 {
            assert!(offer.is_made(unanswered, NOW));
        }
        offer.answered(false, NOW);
        assert!(!offer.refused(NOW));
        assert_eq!(offer, Offer::Kept);
    }
}
