//! Whether a Map-Register offers reliable transport: bit 18, which RFC 9301 reserves.
//!
//! A map-server that gives the bit another meaning drops the register, and its site would expire. One
//! that is dead answers nothing at all, and must be offered reliable transport when it is back. So the
//! bit goes only where a comparison shows that it does harm, or nothing can come of it:
//!
//! ```text
//!           three unanswered: every second register of the prefix without the bit
//!           ┌─────────────────────────────────────────────────────────────────┐
//!        Open ── one without the bit is answered ──▶ Comparing                │
//!          ▲ ◀────────── one with it is answered ────── │ two with it are not, │
//!          │ ◀──── none without it is answered ──────── │ one without it is    │
//!          │                                            ▼                      │
//!          └───────────── TCP is refused ─────────▶ Withheld, ten minutes ─────┘
//!                                                                 then Comparing
//!   Kept: a session has begun since the start; the bit stays whatever happens.
//! ```

use std::time::Duration;

use crate::time::Time;

/// Registers in a row without an answer, after which every second one goes without the bit.
const UNANSWERED: u32 = 3;
/// Registers with the bit that a map-server, which answers others, leaves without an answer.
const MISSED: u32 = 2;
/// How long the bit is left out.
pub(super) const WITHHELD_FOR: Duration = Duration::from_secs(600);

/// Whether reliable transport is offered to a map-server, and the reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Offer {
    /// Nothing speaks against it.
    #[default]
    Open,
    /// It has answered a register without the bit. So many with the bit had no answer since.
    Comparing {
        /// Their number.
        missed: u32,
    },
    /// It answers registers without the bit only, or refuses TCP.
    Withheld {
        /// Until then no register has the bit.
        until: Time,
    },
    /// A session with it has begun since the router started.
    Kept,
}

impl Offer {
    /// Whether the next register of a prefix has the bit; the last `unanswered` ones had no answer.
    pub(super) fn is_made(&mut self, unanswered: u32, now: Time) -> bool {
        self.resume(now);
        match *self {
            Offer::Open => unanswered < UNANSWERED || (unanswered - UNANSWERED) % 2 == 1,
            Offer::Comparing { missed } => missed < MISSED,
            Offer::Withheld { .. } => false,
            Offer::Kept => true,
        }
    }

    /// A register had no answer in time.
    pub(super) fn unanswered(&mut self, had_bit: bool) {
        if let Offer::Comparing { missed } = *self {
            *self = match had_bit {
                true => Offer::Comparing { missed: missed + 1 },
                // It is silent to all: the bit is not the cause.
                false if missed >= MISSED => Offer::Open,
                false => *self,
            };
        }
    }

    /// A Map-Notify answered a register. True when the comparison begins: the next register need not
    /// wait for its period.
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

    /// It has refused TCP after a Map-Notify; true when that counts.
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
        // It dies in the comparison: nothing is answered, so nothing is known.
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
