//! The limits of the messages that Map-Requests cause. A reply can be larger than its request. The
//! reply is sent to the address that the request names, and this address can be different from the
//! address of the sender. So if there were no limits, an attacker could send many requests to a
//! router, and the replies would flood a third party (RFC 9301 section 5.3).
//!
//! There are two limits for each ITR-RLOC, and both are checked before a record is built:
//!
//! - The number of octets that the router sends to an ITR-RLOC in any second is limited. It is at
//!   most [`FACTOR`] times the number of octets of the requests that name this ITR-RLOC, plus
//!   [`ALLOWANCE`]. (All are octets of IP packets.) The octets that one request allows can be used
//!   only for replies to this request. So another host that names the same ITR-RLOC in its requests
//!   cannot use up these octets.
//! - For one prefix, three replies can be sent immediately, and then one reply in three seconds
//!   ([`RATE`]). The RFC recommends one reply in three seconds from the start. With the limit of
//!   the RFC, an ITR that tries again after one second would get no answer.
//!
//! The tables are bounded. If a table is full, the router finds the ITR-RLOC with the most entries.
//! Of these entries, it removes the entry that was unused for the longest time. The limits of the
//! removed entry then start again. So no ITR has to wait because of other ITRs.

use std::time::Duration;

use super::bounded::{Bounded, Fill, Limit};
use super::rate::Rate;
use crate::addr::{EidPrefix, Family, Rloc};
use crate::time::Time;

/// The number of octets that can be sent for each octet of a request.
const FACTOR: usize = 3;
/// The number of additional octets that can be sent to an ITR-RLOC in a second: two replies of full
/// size over IPv4.
const ALLOWANCE: usize = 1280;
/// The maximum rate of replies about one prefix to one ITR-RLOC.
const RATE: Rate = Rate { burst: 3, interval: Duration::from_secs(3) };
/// The limit of the table of recent replies. The table has an entry for each pair of a prefix and
/// an ITR-RLOC.
const BUCKETS: Limit =
    Limit { name: "Limits of Map-Replies by prefix", capacity: 65_536, idle: Duration::ZERO };
/// The limit for the number of ITR-RLOCs that have an [`Account`], because the router recently sent
/// octets without a credit to these ITR-RLOCs.
const ACCOUNTS: Limit =
    Limit { name: "Limits of Map-Replies by ITR-RLOC", capacity: 65_536, idle: Duration::ZERO };
/// The time for which an [`Account`] is needed: its own second and the next second.
const REMEMBERED: Duration = Duration::from_secs(2);
/// One request removes at most this number of old entries from each table. So no single request has
/// to remove all old entries.
const FORGOTTEN_AT_ONCE: usize = 8;

/// The number of octets of the IP and UDP headers before a control message.
pub(super) fn headers(family: Family) -> usize {
    match family {
        Family::Ipv4 => 20 + 8,
        Family::Ipv6 => 40 + 8,
    }
}

/// The key of a limit of replies: the ITR-RLOC and the prefix of the reply. For RLOC-probes, the
/// key also has the probed RLOC of this router, because an ITR probes all locators of a prefix at
/// the same time.
type Subject = (Rloc, EidPrefix, Option<Rloc>);

/// The number of octets that can be sent because of one request. Earlier messages to the same ITR
/// do not change this number.
#[derive(Debug)]
pub(super) struct Credit {
    itr: Rloc,
    octets: usize,
}

impl Credit {
    /// Returns the credit of a request that has `octets` IP octets and names the ITR-RLOC `itr`.
    pub(super) fn of_request(itr: Rloc, octets: usize) -> Self {
        Credit { itr, octets: FACTOR * octets }
    }

    /// The ITR-RLOC that the request names.
    pub(super) fn itr(&self) -> Rloc {
        self.itr
    }
}

/// The number of octets that the router sent to an ITR-RLOC without a credit from a request: `sent`
/// in the second `second` of the clock, and `sent_before` in the second before it. The sum of the
/// two numbers is at most [`ALLOWANCE`]. So in any period of one second, the router sends at most
/// [`ALLOWANCE`] octets without credits.
#[derive(Clone, Copy, Debug)]
struct Account {
    second: u64,
    sent: usize,
    sent_before: usize,
}

impl Account {
    /// Returns the account for the second `second`, which is not earlier than the second of this
    /// account.
    fn in_second(self, second: u64) -> Self {
        let sent_before = match second.saturating_sub(self.second) {
            0 => return self,
            1 => self.sent,
            _ => 0,
        };
        Account { second, sent: 0, sent_before }
    }

    fn left(self) -> usize {
        ALLOWANCE - self.sent - self.sent_before
    }
}

/// The limits of the Map-Replies to all ITR-RLOCs.
#[derive(Debug)]
pub(super) struct Replies {
    /// The time at which each limit allows a full burst again. The sharer of an entry (see
    /// [`Bounded`]) is the ITR-RLOC.
    full_at: Bounded<Subject, Time, Rloc>,
    accounts: Bounded<Rloc, Account>,
}

impl Default for Replies {
    fn default() -> Self {
        Replies { full_at: Bounded::new(BUCKETS), accounts: Bounded::new(ACCOUNTS) }
    }
}

impl Replies {
    fn account(&self, itr: Rloc, now: Time) -> Account {
        let second = now.0 / 1_000_000;
        let known = self.accounts.get(&itr).map(|account| account.in_second(second));
        known.unwrap_or(Account { second, sent: 0, sent_before: 0 })
    }

    /// The number of octets that can be sent at `now` because of a request.
    pub(super) fn may_send(&self, credit: &Credit, now: Time) -> usize {
        credit.octets + self.account(credit.itr, now).left()
    }

    /// Whether a message can be sent at `now` because of a request. `octets` is the number of
    /// octets of the message, with its IP header. If the message can be sent, counts its octets.
    pub(super) fn spend(&mut self, credit: &mut Credit, octets: usize, now: Time) -> bool {
        if octets > self.may_send(credit, now) {
            return false;
        }
        let beyond = octets.saturating_sub(credit.octets);
        credit.octets = credit.octets.saturating_sub(octets);
        if beyond > 0 {
            let mut account = self.account(credit.itr, now);
            forget(&mut self.accounts, REMEMBERED, now);
            account.sent += beyond;
            // A full table always evicts another entry, so the insertion does not fail.
            let _ = self.accounts.insert(credit.itr, (), account, now);
        }
        true
    }

    /// Whether a reply to `itr` about `prefix` can be sent at `now`. If the reply can be sent,
    /// counts it. `probed` is the RLOC of this router that received an RLOC-probe.
    pub(super) fn admit(
        &mut self,
        itr: Rloc,
        prefix: EidPrefix,
        probed: Option<Rloc>,
        now: Time,
    ) -> bool {
        forget(&mut self.full_at, RATE.unused_after(), now);
        let subject = (itr, prefix, probed);
        let Some(full_at) = RATE.admit(self.full_at.get(&subject).copied(), now) else {
            return false;
        };
        // A full table always evicts another entry, so the insertion does not fail.
        let _ = self.full_at.insert(subject, itr, full_at, now);
        true
    }

    /// The fill levels of the tables.
    pub(super) fn fills(&self) -> [Fill; 2] {
        [self.full_at.fill(), self.accounts.fill()]
    }
}

/// Removes a few old entries. They were unused for so long that they do not limit anything.
fn forget<K: Ord + Clone, V, S: Ord + Clone>(
    table: &mut Bounded<K, V, S>,
    unused: Duration,
    now: Time,
) {
    for _ in 0..FORGOTTEN_AT_ONCE {
        if table.pop_unused(unused, now).is_none() {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::addr::InstanceId;

    fn prefix(text: &str) -> EidPrefix {
        EidPrefix::new(InstanceId::DEFAULT, text.parse().unwrap())
    }

    fn itr(number: u32) -> Rloc {
        Rloc(Ipv4Addr::from(0x0a00_0000 + number).into())
    }

    #[test]
    fn three_at_once_then_one_each_three_seconds() {
        let mut limiter = Replies::default();
        let prefix = prefix("172.16.0.0/24");
        let mut admitted_by = |ms: u64| {
            (0..100).filter(|_| limiter.admit(itr(1), prefix, None, Time(ms * 1000))).count()
        };
        assert_eq!(admitted_by(0), 3);
        assert_eq!(admitted_by(2999), 0);
        assert_eq!(admitted_by(3000), 1);
        assert_eq!(admitted_by(60_000), 3);
    }

    #[test]
    fn no_itr_waits_because_of_others_however_many_there_are() {
        let mut limiter = Replies::default();
        let prefix = prefix("172.16.0.0/24");
        for number in 0..2 * BUCKETS.capacity as u32 {
            let mut credit = Credit::of_request(itr(number), 60);
            assert!(limiter.admit(itr(number), prefix, None, Time(0)), "{number}");
            assert!(limiter.spend(&mut credit, 576, Time(0)), "{number}");
        }
        let entries = limiter.fills().map(|fill| fill.entries);
        assert_eq!(entries, [BUCKETS.capacity, ACCOUNTS.capacity]);
    }

    #[test]
    fn the_limits_of_others_stay_when_one_itr_is_named_for_very_many_prefixes() {
        let mut limiter = Replies::default();
        let ours = prefix("172.16.0.0/24");
        assert_eq!((0..9).filter(|_| limiter.admit(itr(1), ours, None, Time(0))).count(), 3);
        for number in 0..2 * BUCKETS.capacity as u32 {
            let net = ipnet::IpNet::new(itr(number).0, 32).unwrap();
            let prefix = EidPrefix::new(InstanceId::DEFAULT, net);
            assert!(limiter.admit(itr(2), prefix, None, Time(1)));
        }
        assert!(!limiter.admit(itr(1), ours, None, Time(2)));
    }

    #[test]
    fn what_has_ended_is_forgotten_a_little_with_each_request() {
        let mut limiter = Replies::default();
        for number in 0..1000 {
            limiter.admit(itr(number), prefix("172.16.0.0/24"), None, Time(0));
            limiter.spend(&mut Credit::of_request(itr(number), 60), 576, Time(0));
        }
        for request in 0..1000 {
            let now = Time::from_secs(10 + request);
            limiter.admit(itr(1), prefix("172.16.0.0/24"), None, now);
            limiter.spend(&mut Credit::of_request(itr(1), 60), 576, now);
        }
        assert_eq!(limiter.fills().map(|fill| fill.entries), [1, 1]);
    }

    #[test]
    fn the_octets_of_any_second_are_bounded_by_those_of_the_requests() {
        let mut limiter = Replies::default();
        let mut now = Time(0);
        let mut beyond: Vec<(Time, usize)> = Vec::new();
        for step in 0..5000_u64 {
            now = now + Duration::from_micros(step * step % 7919);
            let mut credit = Credit::of_request(itr(1), 60);
            for octets in [40, 100, 576, 1280] {
                let left = credit.octets;
                if limiter.spend(&mut credit, octets, now) && octets > left {
                    beyond.push((now, octets - left));
                }
            }
        }
        let second = |from: Time| -> usize {
            let within = beyond
                .iter()
                .filter(|(at, _)| *at >= from && from.until(*at) < Duration::from_secs(1));
            within.map(|(_, octets)| octets).sum()
        };
        assert!(beyond.iter().all(|(at, _)| second(*at) <= ALLOWANCE));
        let all: usize = beyond.iter().map(|(_, octets)| octets).sum();
        assert!(all > 5 * ALLOWANCE, "{all} octets until {now:?}: the allowed ones are sent");
    }

    #[test]
    fn a_request_is_worth_its_own_octets_though_others_used_up_the_rest() {
        let mut limiter = Replies::default();
        while limiter.spend(&mut Credit::of_request(itr(1), 0), 10, Time(0)) {}
        let mut credit = Credit::of_request(itr(1), 60);
        assert_eq!(limiter.may_send(&credit, Time(0)), 180);
        assert!(limiter.spend(&mut credit, 180, Time(0)));
        assert!(!limiter.spend(&mut credit, 1, Time(0)));
    }
}
