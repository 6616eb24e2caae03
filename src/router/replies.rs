//! How often one asker gets an answer: Map-Replies are larger than the requests that cause them,
//! and the address that they go to is whatever the request says (RFC 9301 section 5.3).
//! One reply in three seconds, as the RFC recommends, would starve the retry after one second.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::addr::{EidPrefix, Rloc};
use crate::time::Time;

/// Replies that may follow each other at once, so that the retry after one second is answered.
const BURST: u32 = 3;
/// One more is allowed each time this has passed.
const REFILL: Duration = Duration::from_secs(3);
/// Askers remembered at one time; when all are fresh, another waits until one is forgotten.
const REMEMBERED: usize = 65_536;

/// The subject of a bucket: the asker, the EID prefix that it asks about, and of RLOC-probes the
/// own RLOC that is probed, for a prober asks each locator of a prefix in the same instant.
type Subject = (Rloc, EidPrefix, Option<Rloc>);

/// A bucket of [`BURST`] tokens for each [`Subject`].
#[derive(Debug, Default)]
pub(super) struct ReplyLimiter {
    /// When each bucket will be full again: a full one need not be remembered.
    full_at: BTreeMap<Subject, Time>,
    by_time: BTreeMap<(Time, Subject), ()>,
}

impl ReplyLimiter {
    /// Whether a reply to `asker` about `prefix` may go now; takes a token if so. `probed` is the own
    /// RLOC that an RLOC-probe came to.
    pub(super) fn admit(
        &mut self,
        asker: Rloc,
        prefix: EidPrefix,
        probed: Option<Rloc>,
        now: Time,
    ) -> bool {
        self.forget(now);
        let subject = (asker, prefix, probed);
        let full_at = self.full_at.get(&subject).copied();
        if full_at.is_none() && self.full_at.len() >= REMEMBERED {
            return false;
        }
        let next = full_at.unwrap_or(now).max(now) + REFILL;
        if now.until(next) > REFILL * BURST {
            return false;
        }
        if let Some(at) = full_at {
            self.by_time.remove(&(at, subject));
        }
        self.full_at.insert(subject, next);
        self.by_time.insert((next, subject), ());
        true
    }

    fn forget(&mut self, now: Time) {
        while let Some((&(at, subject), ())) = self.by_time.first_key_value() {
            if at > now {
                break;
            }
            self.by_time.remove(&(at, subject));
            self.full_at.remove(&subject);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::InstanceId;

    #[test]
    fn three_at_once_then_one_each_three_seconds() {
        let mut limiter = ReplyLimiter::default();
        let asker = Rloc("198.51.100.21".parse().unwrap());
        let prefix = EidPrefix::new(InstanceId::DEFAULT, "172.16.0.0/24".parse().unwrap());
        let mut admitted_by = |ms: u64| {
            (0..100).filter(|_| limiter.admit(asker, prefix, None, Time(ms * 1000))).count()
        };
        assert_eq!(admitted_by(0), 3);
        assert_eq!(admitted_by(2999), 0);
        assert_eq!(admitted_by(3000), 1);
        assert_eq!(admitted_by(60_000), 3);
    }

    #[test]
    fn one_asker_does_not_starve_another() {
        let mut limiter = ReplyLimiter::default();
        let prefix = EidPrefix::new(InstanceId::DEFAULT, "172.16.0.0/24".parse().unwrap());
        for last in 0..=255 {
            assert!(limiter.admit(Rloc([10, 0, 0, last].into()), prefix, None, Time(0)));
        }
    }
}
