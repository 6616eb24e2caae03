//! Decides whether the loop polls again or sleeps. It polls for a short time after each packet.
//!
//! The loop needs more time to sleep and to wake up than to forward a packet. So after a packet,
//! the loop polls for the next packet for [`AFTER_A_PACKET`], and yields the processor between two
//! polls. This is called spinning. Without traffic, the loop sleeps. If a yield takes longer than
//! [`CONTENDED`], another process needs the processor. Then the loop does not spin for the time
//! [`REST`].

use std::time::Duration;

use crate::time::Time;

/// The time for which the loop polls for the next packet. In a lab, the answer to a packet arrives
/// in less time.
const AFTER_A_PACKET: Duration = Duration::from_micros(50);
/// A duration of a yield. If a yield takes longer, another process has used the processor.
const CONTENDED: Duration = Duration::from_micros(25);
/// The time after a long yield in which the loop does not spin. In this time the loop sleeps until
/// a source is ready, so that other processes can use the processor.
const REST: Duration = Duration::from_millis(2);

/// The times that decide whether the loop spins. The loop spins before the time `until`, but not
/// before the time `rests_until`.
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

    /// Returns true if the loop must poll again without sleeping.
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
