//! Distinguishes new Map-Registers from replays (RFC 9301 section 5.6, Nonce).
//!
//! The nonces of some senders *must grow*: the nonce of each Map-Register must be greater than the
//! nonce of the previous Map-Register. By default, these are the senders with an authenticated
//! xTR-ID. The command `nonce-order` of a site changes this rule. If the nonces of a sender must
//! grow, the last nonce is enough to detect a replay. For the other senders, the map-server stores
//! digests of the octets of the last Map-Registers.
//!
//! | Map-Register | nonces must grow | other senders |
//! |---|---|---|
//! | new | nonce is greater than the last | digest is not stored for the site |
//! | repeated | same as the last, less than 32 s later | same as the last from its source |
//! | replay | in all other cases | in all other cases |
//!
//! If the nonces of a sender must grow, the map-server answers a repetition from this sender, but
//! the repetition has no other effect. A repetition from another sender renews the registrations of
//! that sender.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use sha2::Digest as _;

use crate::router::config::NonceOrder;
use crate::router::kept::{KeptNonce, KeptNonces, KeyPrint, NonceOwner, NonceRequest, Sender};
use crate::time::Time;
use crate::wire::Nonce;

/// If the nonces of a sender must grow, the map-server answers repetitions for this time after the
/// last new Map-Register of the sender. An ETR repeats a Map-Register after 1, 2, 4, 8 and 16 s
/// (RFC 9301 section 5.7), 31 s in all.
const REPEATS: Duration = Duration::from_secs(32);
/// The maximum number of digests that are stored for each site.
const DIGESTS: usize = 1024;
/// The maximum number of senders that are stored for each key. The nonces of these senders must
/// grow.
const SENDERS: usize = 4096;
/// A search of the whole table chooses at most this number of senders for removal. Each new sender
/// replaces one of the chosen senders, so one search is enough for many new senders.
const CHOSEN: usize = 256;

/// A digest of the octets that the MAC of a Map-Register covers.
type Digest = [u8; 32];

/// The parts of an authenticated Map-Register that show whether it is new.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'a> {
    /// The site whose key signed the Map-Register.
    pub site: &'a Arc<str>,
    /// The name of the key that signed the Map-Register.
    pub key: KeyPrint,
    /// The rule of the site for the order of nonces.
    pub order: NonceOrder,
    /// The sender.
    pub sender: Sender,
    /// The address from which the Map-Register was received.
    pub source: IpAddr,
    /// The nonce of the Map-Register.
    pub nonce: Nonce,
    /// The octets that the MAC covers. The other octets can be changed without the key.
    pub covered: &'a [u8],
}

/// Whether a Map-Register is new, a repetition or a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    /// The Map-Register is new. If `proven` is true, it cannot be a replay: its xTR-ID is
    /// authenticated, and its nonce is greater than all earlier nonces of this xTR-ID.
    New { proven: bool },
    /// The nonces of the sender need not grow, and the Map-Register is a repetition of the newest
    /// Map-Register from its source. The repetition renews the registrations of this source.
    Renewed,
    /// The nonces of the sender must grow, and the Map-Register is a repetition of the sender's
    /// last Map-Register. The map-server answers the repetition, because the first answer may have
    /// been lost. The repetition has no other effect, because any observer of the network can
    /// repeat a message.
    Repeated,
    /// The nonces of the sender must grow, but this nonce is not greater than the last nonce of the
    /// sender.
    NotGreater { last: Nonce },
    /// The nonces of the sender need not grow, but the map-server has received the same octets
    /// before. `newest` is the nonce of the newest Map-Register of the site.
    CameBefore { newest: Nonce },
}

/// The data about Map-Registers that a map-server stores.
#[derive(Debug, Default)]
pub(super) struct Registers {
    ordered: BTreeMap<KeyPrint, Senders>,
    others: BTreeMap<Arc<str>, Octets>,
}

/// The senders that use one key. The nonces of these senders must grow.
#[derive(Debug, Default)]
struct Senders {
    last: BTreeMap<Sender, Last>,
    /// The senders that were chosen for removal. The last sender of the list is removed first. The
    /// time is the time of the sender's last Map-Register before the choice. A sender that has
    /// registered again after the choice is not removed.
    chosen: Vec<(Time, Sender)>,
}

/// The last Map-Register from a sender whose nonces must grow.
#[derive(Clone, Copy, Debug)]
struct Last {
    nonce: Nonce,
    at: Time,
    /// The digest of the Map-Register. `None` if the Map-Register was received before the restart
    /// of the router.
    digest: Option<Digest>,
}

/// The last Map-Registers of one site that are not proven to be new. The oldest Map-Register is
/// first.
#[derive(Debug, Default)]
struct Octets(VecDeque<Seen>);

#[derive(Clone, Copy, Debug)]
struct Seen {
    digest: Digest,
    source: IpAddr,
    nonce: Nonce,
}

impl Octets {
    fn newest_of(&self, source: IpAddr) -> Option<&Seen> {
        self.0.iter().rev().find(|seen| seen.source == source)
    }

    /// Compares a Map-Register with the stored Map-Registers. Returns `None` if `digest` is not
    /// stored.
    fn judge(&self, digest: Digest, source: IpAddr) -> Option<Freshness> {
        if !self.0.iter().any(|seen| seen.digest == digest) {
            return None;
        }
        if self.newest_of(source).is_some_and(|newest| newest.digest == digest) {
            return Some(Freshness::Renewed);
        }
        let newest = self.0.back().map_or(Nonce(0), |seen| seen.nonce);
        Some(Freshness::CameBefore { newest })
    }

    fn remember(&mut self, seen: Seen) {
        if self.0.len() >= DIGESTS {
            self.0.pop_front();
        }
        self.0.push_back(seen);
    }
}

impl Senders {
    /// If the table is full and `sender` is a new sender, removes and returns another sender.
    /// Senders without a registration are removed before senders with a registration. In each of
    /// these two groups, the sender that registered longest ago is removed first.
    fn make_room(
        &mut self,
        sender: Sender,
        live: impl FnOnce() -> BTreeSet<u128>,
    ) -> Option<Sender> {
        if self.last.len() < SENDERS || self.last.contains_key(&sender) {
            return None;
        }
        let removed = self.next_chosen().or_else(|| {
            self.choose(&live());
            self.next_chosen()
        })?;
        self.last.remove(&removed);
        Some(removed)
    }

    /// Removes and returns the next of the chosen senders. Skips a sender that has registered again
    /// after the choice.
    fn next_chosen(&mut self) -> Option<Sender> {
        while let Some((at, sender)) = self.chosen.pop() {
            if self.last.get(&sender).is_some_and(|last| last.at == at) {
                return Some(sender);
            }
        }
        None
    }

    fn choose(&mut self, live: &BTreeSet<u128>) {
        let of =
            |(sender, last): (&Sender, &Last)| (live.contains(&sender.xtr_id()), last.at, *sender);
        let mut all: Vec<_> = self.last.iter().map(of).collect();
        if all.len() > CHOSEN {
            all.select_nth_unstable(CHOSEN);
            all.truncate(CHOSEN);
        }
        all.sort_unstable();
        self.chosen = all.into_iter().rev().map(|(_, at, sender)| (at, sender)).collect();
    }
}

impl Registers {
    /// Decides whether a Map-Register is new, and stores a new Map-Register. The returned requests
    /// tell the driver which nonces to store and which nonces to delete. `live` returns the xTRs
    /// that have registrations. If the table of senders is full, the senders without registrations
    /// are removed first.
    pub(super) fn judge(
        &mut self,
        candidate: &Candidate<'_>,
        live: impl FnOnce() -> BTreeSet<u128>,
        now: Time,
    ) -> (Freshness, Vec<NonceRequest>) {
        let &Candidate { site, key, order, sender, source, nonce, covered } = candidate;
        let digest: Digest = sha2::Sha256::digest(covered).into();
        let identified = matches!(sender, Sender::Xtr { .. });
        let ordered = match order {
            NonceOrder::Id => identified,
            NonceOrder::Strict => true,
            NonceOrder::None => false,
        };
        if ordered && let Some(last) = self.last(key, sender) {
            if last.digest == Some(digest) && now.since(last.at) < REPEATS {
                return (Freshness::Repeated, Vec::new());
            }
            if nonce <= last.nonce {
                return (Freshness::NotGreater { last: last.nonce }, Vec::new());
            }
        }
        // A sender without an authenticated xTR-ID can forge its source address. So a greater nonce
        // does not prove that its Map-Register is new.
        if !(ordered && identified) {
            let others = self.others.entry(Arc::clone(site)).or_default();
            if let Some(seen) = others.judge(digest, source) {
                return (seen, Vec::new());
            }
            others.remember(Seen { digest, source, nonce });
        }
        let mut requests = Vec::new();
        if ordered {
            let senders = self.ordered.entry(key).or_default();
            let owner = |sender| NonceOwner { key, sender };
            let removed = senders.make_room(sender, live);
            requests.extend(removed.map(|removed| NonceRequest::Forget(owner(removed))));
            senders.last.insert(sender, Last { nonce, at: now, digest: Some(digest) });
            requests.push(NonceRequest::Keep(KeptNonce { owner: owner(sender), nonce: nonce.0 }));
        }
        (Freshness::New { proven: ordered && identified }, requests)
    }

    fn last(&self, key: KeyPrint, sender: Sender) -> Option<&Last> {
        self.ordered.get(&key)?.last.get(&sender)
    }

    /// Restores the nonces that were stored before the start of the router.
    pub(super) fn restore(&mut self, kept: &KeptNonces, now: Time) {
        for KeptNonce { owner: NonceOwner { key, sender }, nonce } in kept.iter() {
            let senders = &mut self.ordered.entry(key).or_default().last;
            let nonce = Nonce(nonce);
            let is_later = senders.get(&sender).is_none_or(|last| last.nonce < nonce);
            if is_later && (senders.len() < SENDERS || senders.contains_key(&sender)) {
                senders.insert(sender, Last { nonce, at: now, digest: None });
            }
        }
    }

    /// Deletes the stored digests of removed sites. The nonces remain, because a key may be used
    /// again.
    pub(super) fn retain_sites(&mut self, is_configured: impl Fn(&str) -> bool) {
        self.others.retain(|site, _| is_configured(site));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "192.0.2.9";
    const B: &str = "192.0.2.66";

    fn candidate<'a>(
        site: &'a Arc<str>,
        order: NonceOrder,
        (xtr_id, source): (Option<u128>, &str),
        nonce: u64,
        covered: &'a [u8],
    ) -> Candidate<'a> {
        let source = source.parse().unwrap();
        let sender = match xtr_id {
            Some(xtr_id) => Sender::Xtr { xtr_id, site_id: 0 },
            None => Sender::Rloc(source),
        };
        let (key, nonce) = (KeyPrint([1; 16]), Nonce(nonce));
        Candidate { site, key, order, sender, source, nonce, covered }
    }

    /// Returns the freshness of a Map-Register. `second` is the second in which the Map-Register
    /// was received.
    fn judge(
        registers: &mut Registers,
        order: NonceOrder,
        from: (Option<u128>, &str),
        nonce: u64,
        second: u64,
    ) -> Freshness {
        let site: Arc<str> = "S".into();
        let octets = nonce.to_be_bytes();
        let candidate = candidate(&site, order, from, nonce, &octets);
        registers.judge(&candidate, BTreeSet::new, Time::from_secs(second)).0
    }

    const PROVEN: Freshness = Freshness::New { proven: true };
    const UNPROVEN: Freshness = Freshness::New { proven: false };

    #[test]
    fn the_last_one_of_an_order_is_answered_for_32_seconds() {
        let mut registers = Registers::default();
        let mut at =
            |nonce, second| judge(&mut registers, NonceOrder::Id, (Some(1), A), nonce, second);
        assert_eq!(at(7, 0), PROVEN);
        assert_eq!(at(7, 31), Freshness::Repeated);
        assert_eq!(at(7, 32), Freshness::NotGreater { last: Nonce(7) });
        assert_eq!(at(6, 32), Freshness::NotGreater { last: Nonce(7) });
        assert_eq!(at(8, 33), PROVEN);
    }

    #[test]
    fn without_an_xtr_id_the_nonce_may_be_anything_and_octets_count() {
        let mut registers = Registers::default();
        let mut at =
            |source, nonce| judge(&mut registers, NonceOrder::Id, (None, source), nonce, 0);
        assert_eq!([at(A, 9), at(A, 3), at(A, 7)], [UNPROVEN; 3]);
        assert_eq!(at(A, 7), Freshness::Renewed);
        assert_eq!(at(A, 3), Freshness::CameBefore { newest: Nonce(7) });
        assert_eq!(at(B, 7), Freshness::CameBefore { newest: Nonce(7) });
        assert_eq!(at(B, 5), UNPROVEN);
        assert_eq!(at(A, 7), Freshness::Renewed, "the newest of its own source");
    }

    #[test]
    fn the_last_1024_of_a_site_are_remembered() {
        let mut registers = Registers::default();
        let mut at =
            |source, nonce| judge(&mut registers, NonceOrder::Id, (None, source), nonce, 0);
        at(A, 0);
        for nonce in 1..1024 {
            at(B, nonce);
        }
        assert_eq!(at(B, 0), Freshness::CameBefore { newest: Nonce(1023) });
        at(B, 1024);
        assert_eq!(at(B, 0), UNPROVEN);
        assert_eq!(registers.others.values().map(|octets| octets.0.len()).sum::<usize>(), 1024);
    }

    #[test]
    fn strict_asks_all_for_an_order_and_still_looks_at_the_octets() {
        let mut registers = Registers::default();
        let mut at = |from, nonce| judge(&mut registers, NonceOrder::Strict, from, nonce, 0);
        assert_eq!(at((None, A), 5), UNPROVEN);
        assert_eq!(at((None, A), 4), Freshness::NotGreater { last: Nonce(5) });
        assert_eq!(at((None, B), 5), Freshness::CameBefore { newest: Nonce(5) });
        assert_eq!(at((None, A), 5), Freshness::Repeated);
        assert_eq!(at((Some(1), A), 6), PROVEN);
    }

    #[test]
    fn none_asks_nobody_for_an_order() {
        let mut registers = Registers::default();
        let mut at = |nonce| judge(&mut registers, NonceOrder::None, (Some(1), A), nonce, 0);
        assert_eq!([at(9), at(3)], [UNPROVEN; 2]);
        assert_eq!(at(3), Freshness::Renewed);
    }

    #[test]
    fn nonces_outlive_a_restart_and_octets_do_not() {
        let mut registers = Registers::default();
        let site: Arc<str> = "S".into();
        let first = candidate(&site, NonceOrder::Id, (Some(1), A), 7, b"seven");
        let (_, requests) = registers.judge(&first, BTreeSet::new, Time::ZERO);
        let [NonceRequest::Keep(kept)] = requests[..] else { panic!("{requests:?}") };
        let mut restarted = Registers::default();
        restarted.restore(&KeptNonces::from_iter([kept]), Time::ZERO);
        let (freshness, _) = restarted.judge(&first, BTreeSet::new, Time::ZERO);
        assert_eq!(freshness, Freshness::NotGreater { last: Nonce(7) });
    }

    /// Handles one Map-Register from each xTR. The xTR-ID is also the second in which the
    /// Map-Register is received. Returns the xTRs that were removed, and the number of searches of
    /// the registrations.
    fn forgotten(
        registers: &mut Registers,
        xtr_ids: impl IntoIterator<Item = u128>,
        live: &BTreeSet<u128>,
    ) -> (Vec<u128>, usize) {
        let site: Arc<str> = "S".into();
        let (mut forgotten, mut looks) = (Vec::new(), 0);
        for xtr_id in xtr_ids {
            let candidate = candidate(&site, NonceOrder::Id, (Some(xtr_id), A), xtr_id as u64, b"");
            let look = || {
                looks += 1;
                live.clone()
            };
            let at = Time::from_secs(xtr_id as u64);
            let (_, requests) = registers.judge(&candidate, look, at);
            forgotten.extend(requests.into_iter().filter_map(|request| match request {
                NonceRequest::Forget(owner) => Some(owner.sender.xtr_id()),
                NonceRequest::Keep(_) | NonceRequest::Sent(_) => None,
            }));
        }
        (forgotten, looks)
    }

    const FULL: u128 = SENDERS as u128;

    #[test]
    fn senders_without_a_registration_are_removed_first() {
        let mut registers = Registers::default();
        let live = BTreeSet::from_iter(0..100);
        let (removed, _) = forgotten(&mut registers, 0..FULL + 50, &live);
        assert_eq!(removed, Vec::from_iter(100..150));
    }

    #[test]
    fn among_senders_with_registrations_the_oldest_is_removed() {
        let mut registers = Registers::default();
        let live = BTreeSet::from_iter(0..2 * FULL);
        let (removed, looks) = forgotten(&mut registers, 0..FULL + 2 * CHOSEN as u128, &live);
        assert_eq!(removed, Vec::from_iter(0..2 * CHOSEN as u128));
        assert_eq!(looks, 2, "one look at the table serves many senders");
        assert_eq!(registers.ordered[&KeyPrint([1; 16])].last.len(), SENDERS);
    }

    #[test]
    fn a_sender_that_registers_again_is_kept() {
        let mut registers = Registers::default();
        let live = BTreeSet::from_iter(0..2 * FULL);
        let (removed, _) = forgotten(&mut registers, 0..=FULL, &live);
        assert_eq!(removed, [0]);
        let site: Arc<str> = "S".into();
        let again = candidate(&site, NonceOrder::Id, (Some(1), A), FULL as u64, b"");
        registers.judge(&again, || live.clone(), Time::from_secs(FULL as u64));
        let (removed, _) = forgotten(&mut registers, FULL + 1..FULL + 3, &live);
        assert_eq!(removed, [2, 3]);
    }
}
