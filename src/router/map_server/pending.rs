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
    /// Its nonce.
    pub nonce: Nonce,
    /// The message, signed.
    pub octets: Vec<u8>,
    /// The key that signs it and its acknowledgement.
    pub key: Key,
    /// How often it was sent.
    pub tries: usize,
}

/// The waiting Map-Notifies, by receiver and prefix.
#[derive(Debug)]
pub(super) struct PendingNotifies {
    /// The messages.
    pub pending: BTreeMap<(IpAddr, EidPrefix), Pending>,
    /// When each is sent again.
    pub due: Deadlines<(IpAddr, EidPrefix)>,
    /// The source of their nonces.
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

    /// When a Map-Notify is to be sent again.
    pub(super) fn next_repetition(&self) -> Option<Time> {
        self.due.next()
    }
}
