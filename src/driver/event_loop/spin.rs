//! When to look again instead of sleeping: after a packet, for a moment.
//!
//! Going to sleep and being woken costs more than a packet's whole way through the router. So after
//! a packet the loop looks for the next one for some microseconds, giving the processor away between
//! looks. Without traffic it sleeps; and where others want the processor, which shows in the time
//! that giving it away takes, it leaves it to them.

use std::time::Duration;

use crate::time::Time;

/// How long after a packet the next one is looked for: an answer in a lab takes less.
const AFTER_A_PACKET: Duration = Duration::from_micros(50);
/// Giving the processor away takes longer than this when another process takes it.
const CONTENDED: Duration = Duration::from_micros(25);
/// How long it is left to others then.
const REST: Duration = Duration::from_millis(2);

/// Until when to spin, and from when on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spin {
    until: Time,
    rests_until: Time,
}

impl Spin {
    /// A packet came.
    pub fn packet_came(&mut self, now: Time) {
        self.until = now + AFTER_A_PACKET;
    }

    /// The processor was given away between two instants.
    pub fn yielded(&mut self, before: Time, after: Time) {
        if after.since(before) > CONTENDED {
            self.rests_until = after + REST;
        }
    }

    /// Whether to look again.
    pub fn lasts(&self, now: Time) -> bool {
        now < self.until && now >= self.rests_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_with_a_packet_and_ends_soon_after() {
        let mut spin = Spin::default();
        assert!(!spin.lasts(Time(1000)));
        spin.packet_came(Time(1000));
        assert!(spin.lasts(Time(1049)));
        assert!(!spin.lasts(Time(1050)));
    }

    #[test]
    fn a_processor_that_others_want_is_left_to_them() {
        let mut spin = Spin::default();
        spin.packet_came(Time(1000));
        spin.yielded(Time(1000), Time(1030));
        assert!(!spin.lasts(Time(1031)));
        spin.packet_came(Time(4000));
        assert!(spin.lasts(Time(4001)));
    }
}
