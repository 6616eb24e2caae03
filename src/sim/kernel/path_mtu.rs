//! The path MTUs that a kernel stores, one for each destination. Linux stores path MTUs in the same
//! way (RFC 1191, RFC 8201).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::addr::Family;
use crate::packet::IPV6_MINIMUM_MTU;
use crate::time::Time;

/// The time for which a path MTU is remembered (`net.ipv4.route.mtu_expires`).
const MTU_FOR: Duration = Duration::from_secs(600);
/// The smallest path MTU for IPv4, in octets (`net.ipv4.route.min_pmtu`). If a reported MTU is
/// smaller, this value is stored instead. The next constant is the smallest path MTU for IPv6 (RFC
/// 8200 section 5).
const SMALLEST_V4: u16 = 552;
const SMALLEST_V6: u16 = IPV6_MINIMUM_MTU;
/// The maximum number of destinations whose path MTU is remembered. A further destination replaces
/// the destination that expires first.
const MOST_PATHS: usize = 1024;

/// The path MTUs by destination, each with the time at which it expires.
#[derive(Debug, Default)]
pub(super) struct PathMtus(BTreeMap<IpAddr, (u16, Time)>);

impl PathMtus {
    /// Stores the MTU of a link on the path. If a smaller MTU is known, nothing changes. If the
    /// same MTU is known, the time at which it expires is set again.
    pub fn learn(&mut self, destination: IpAddr, mtu: u32, now: Time) {
        let smallest = match Family::of(destination) {
            Family::Ipv4 => SMALLEST_V4,
            Family::Ipv6 => SMALLEST_V6,
        };
        let mtu = u16::try_from(mtu).unwrap_or(u16::MAX).max(smallest);
        if self.of(destination, now).is_some_and(|known| known < mtu) {
            return;
        }
        if self.0.len() >= MOST_PATHS && !self.0.contains_key(&destination) {
            let ends_first = self.0.iter().min_by_key(|(_, (_, until))| *until);
            let ends_first = ends_first.map(|(destination, _)| *destination);
            ends_first.map(|destination| self.0.remove(&destination));
        }
        self.0.insert(destination, (mtu, now + MTU_FOR));
    }

    /// Returns the path MTU, if it is known: the length in octets of the largest packet that the
    /// path carries without fragmentation.
    pub fn of(&self, destination: IpAddr, now: Time) -> Option<u16> {
        let (mtu, until) = self.0.get(&destination)?;
        (now < *until).then_some(*mtu)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_mtu_is_forgotten_after_ten_minutes_and_their_number_is_bounded() {
        let mut mtus = PathMtus::default();
        let destination = IpAddr::from([10, 0, 0, 2]);
        mtus.learn(destination, 100, Time::ZERO);
        assert_eq!(mtus.of(destination, Time::from_secs(599)), Some(SMALLEST_V4));
        assert_eq!(mtus.of(destination, Time::from_secs(600)), None);
        for number in 0..2000_u32 {
            mtus.learn(IpAddr::V4(number.into()), 1400, Time::from_secs(1));
        }
        assert_eq!(mtus.0.len(), MOST_PATHS);
        assert_eq!(mtus.of(destination, Time::from_secs(1)), None, "it ended first");
    }
}
