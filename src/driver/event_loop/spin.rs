//! Decides when the loop polls again instead of sleeping: for a short time after a packet.
//!
//! Sleeping and waking up takes longer than a packet's whole path through the router. So after a
//! packet the loop polls for the next one for some microseconds, and yields the processor between
//! two polls. Without traffic the loop sleeps. If a yield takes long, another process needs the
//! processor: then the loop does not spin for a while.

use std::time::Duration;

use crate::time::Time;

/// How long the loop polls for the next packet: in a lab an answer arrives sooner.
const AFTER_A_PACKET: Duration = Duration::from_micros(50);
/// If a yield takes longer than this, another process has used the processor.
const CONTENDED: Duration = Duration::from_micros(25);
/// How long the loop then leaves the processor to other processes.
const REST: Duration = Duration::from_millis(2);

/// The end of the present spin, and the end of the present rest.
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

    /// Notes that the loop yielded the processor between two times.
    pub fn yielded(&mut self, before: Time, after: Time) {
        if after.since(before) > CONTENDED {
            self.rests_until = after + REST;
        }
    }

    /// Whether the loop polls again without sleeping.
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
