//! The nonces that a router stores so that they are not lost at a restart (RFC 9301 section 5.6):
//! the last nonce of each xTR that registers at this router, and the last nonce of this router's
//! own Map-Registers.
//!
//! A Map-Register is a replay if its nonce is not greater than the last nonce of the same sender.
//! To detect replays after a restart too, the core outputs the nonces to keep
//! ([`Output::Nonce`](super::io::Output::Nonce)) and gets them back at its next start
//! ([`Input::Nonces`](super::io::Input::Nonces)). The driver stores the nonces in a file, and the
//! simulator stores them in memory. The driver and the simulator both use [`KeptNonces`].

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::wire::{Key, XtrIdentity};

/// A name for a shared secret. The name does not reveal the secret, because it is 16 octets of a
/// SHA-256 hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyPrint(pub [u8; 16]);

impl KeyPrint {
    /// The name of a key. The algorithm is not a part of the name, because the sender of a message
    /// chooses the algorithm.
    pub fn of(key: &Key) -> Self {
        let digest = Sha256::new().chain_update("eidway nonces").chain_update([key.key_id]);
        let digest: [u8; 32] = digest.chain_update(&key.secret).finalize().into();
        let mut print = [0; 16];
        print.copy_from_slice(&digest[..16]);
        KeyPrint(print)
    }
}

/// The identity of a sender of Map-Registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Sender {
    /// An xTR-ID and a Site-ID. The authentication data of the message covers both.
    Xtr {
        /// The xTR-ID, 128 bits.
        xtr_id: u128,
        /// The Site-ID, 64 bits.
        site_id: u64,
    },
    /// The source address, if the authentication data covers no xTR-ID. A sender can forge this
    /// address.
    Rloc(IpAddr),
}

impl Sender {
    /// The sender of a message from `source`. `identity` is the authenticated identity in the
    /// message, if there is one.
    pub fn of(identity: Option<XtrIdentity>, source: IpAddr) -> Self {
        match identity {
            Some(XtrIdentity { xtr_id, site_id }) => Sender::Xtr { xtr_id, site_id },
            None => Sender::Rloc(source),
        }
    }

    /// 128 bits that identify the sender among the registrations of a prefix: its xTR-ID, or a
    /// value made from its RLOC.
    pub fn xtr_id(&self) -> u128 {
        match *self {
            Sender::Xtr { xtr_id, .. } => xtr_id,
            Sender::Rloc(IpAddr::V4(address)) => u128::from(address.to_bits()),
            Sender::Rloc(IpAddr::V6(address)) => address.to_bits(),
        }
    }
}

impl Display for Sender {
    /// Prints the sender as `show lisp site` shows it.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (xtr_id, site_id) = match self {
            Sender::Xtr { xtr_id, site_id } => (xtr_id, site_id),
            Sender::Rloc(address) => return write!(f, "{address}"),
        };
        let word = |shift: u32| (xtr_id >> shift) as u32;
        let [a, b, c, d] = [word(96), word(64), word(32), word(0)];
        write!(f, "xTR-ID 0x{a:08X}-0x{b:08X}-0x{c:08X}-0x{d:08X}")?;
        match site_id {
            0 => Ok(()),
            site_id => write!(f, " of site-ID {site_id}"),
        }
    }
}

/// The owner of a nonce. A sender has one nonce for each key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NonceOwner {
    /// The key that signs the Map-Registers of the sender.
    pub key: KeyPrint,
    /// The sender.
    pub sender: Sender,
}

/// The nonce of the last accepted Map-Register of an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptNonce {
    /// The owner.
    pub owner: NonceOwner,
    /// The nonce.
    pub nonce: u64,
}

/// A change of the stored nonces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NonceRequest {
    /// Keep this nonce, in place of the previous nonce of its owner.
    Keep(KeptNonce),
    /// Delete the nonce of this owner, because the core had no room for it.
    Forget(NonceOwner),
    /// Keep this nonce as the last nonce of this router's own Map-Registers.
    Sent(u64),
}

/// All stored nonces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptNonces {
    taken: BTreeMap<NonceOwner, u64>,
    sent: Option<u64>,
}

impl KeptNonces {
    /// Carries out a request of the core.
    pub fn apply(&mut self, request: NonceRequest) {
        match request {
            NonceRequest::Keep(KeptNonce { owner, nonce }) => drop(self.taken.insert(owner, nonce)),
            NonceRequest::Forget(owner) => drop(self.taken.remove(&owner)),
            NonceRequest::Sent(nonce) => self.sent = Some(nonce),
        }
    }

    /// The last nonce of this router's own Map-Registers.
    pub fn sent(&self) -> Option<u64> {
        self.sent
    }

    /// The nonces of other senders, in the order of their owners.
    pub fn iter(&self) -> impl Iterator<Item = KeptNonce> {
        self.taken.iter().map(|(&owner, &nonce)| KeptNonce { owner, nonce })
    }

    /// The number of nonces of other senders.
    pub fn len(&self) -> usize {
        self.taken.len()
    }

    /// Whether no nonce is stored.
    pub fn is_empty(&self) -> bool {
        self.taken.is_empty() && self.sent.is_none()
    }
}

impl FromIterator<KeptNonce> for KeptNonces {
    fn from_iter<I: IntoIterator<Item = KeptNonce>>(nonces: I) -> Self {
        let taken = nonces.into_iter().map(|kept| (kept.owner, kept.nonce)).collect();
        KeptNonces { taken, sent: None }
    }
}
