//! Decides whether the loop polls again or sleeps. It polls for a short time after each packet.
//!
//! To sleep and wake up takes longer than the whole path of a packet through the router. So after a
//! packet, the loop polls for the next packet for some microseconds, and yields the processor
//! between two polls: the loop spins. Without traffic, the loop sleeps. If a yield takes long,
//! another process needs the processor. Then the loop does not spin for a while.

use std::time::Duration;

use crate::time::Time;

/// The time for which the loop polls for the next packet. In a lab, an answer arrives in less time.
const AFTER_A_PACKET: Duration = Duration::from_micros(50);
/// If a yield takes longer than this time, another process has used the processor.
const CONTENDED: Duration = Duration::from_micros(25);
/// After a yield that took too long, the loop sleeps between its polls for this time, so that other
/// processes get the processor.
const REST: Duration = Duration::from_millis(2);

/// Until the time `until`, the loop polls without sleeping (spins). Until the time `rests_until`, the
/// loop must not spin.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spin {
    until: Time,
    rests_until: Time,
}

impl Spin {
    /// Notes that a packet arrived.
    pub fn packet_came(&mut self, now: Time) {
        self.until = now + AFTER_A_PACKET;
    }

    /// Notes that the loop has yielded the processor from time `before` to time `after`.
    pub fn yielded(&mut self, before: Time, after: Time) {
        if after.since(before) > CONTENDED {
            self.rests_until = after + REST;
        }
    }

    /// Whether the loop must poll again and not sleep.
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
