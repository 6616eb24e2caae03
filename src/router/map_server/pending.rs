//! The Map-Notifies that a map-server repeats until they are acknowledged (RFC 9301 section 5.7).

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::addr::EidPrefix;
use crate::rng::{Rng, Seed};
use crate::router::deadlines::Deadlines;
use crate::time::Time;
use crate::wire::{Key, Nonce};

/// A Map-Notify that is repeated until it is acknowledged.
#[derive(Debug)]
pub(super) struct Pending {
    /// The nonce of the Map-Notify.
    pub nonce: Nonce,
    /// The octets of the signed Map-Notify.
    pub octets: Vec<u8>,
    /// The key that signs the Map-Notify and its acknowledgement.
    pub key: Key,
    /// The number of times that the Map-Notify was sent.
    pub tries: usize,
}

/// The Map-Notifies that wait for an acknowledgement.
#[derive(Debug)]
pub(super) struct PendingNotifies {
    /// The Map-Notifies. The key is the receiver and the prefix.
    pub pending: BTreeMap<(IpAddr, EidPrefix), Pending>,
    /// The time at which each Map-Notify is sent again.
    pub due: Deadlines<(IpAddr, EidPrefix)>,
    /// The random numbers for the nonces of the Map-Notifies.
    pub rng: Rng,
}

impl Default for PendingNotifies {
    fn default() -> Self {
        PendingNotifies::new(&Seed::from_number(0))
    }
}

impl PendingNotifies {
    pub(super) fn new(seed: &Seed) -> Self {
        PendingNotifies {
            pending: BTreeMap::new(),
            due: Deadlines::default(),
            rng: Rng::new(seed, "map-notify nonce"),
        }
    }

    /// The next time at which a Map-Notify must be sent again.
    pub(super) fn next_repetition(&self) -> Option<Time> {
        self.due.next()
    }
}
