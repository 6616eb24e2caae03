//! The nonces of Map-Registers that a router keeps over a restart (RFC 9301 section 5.6): the last one of
//! each xTR that registers here, and the last one that it has sent itself.
//!
//! A register with a nonce that is not greater than the last one of its sender is a replay. So that a
//! restart opens no door to replays, the core says which nonces are to be kept
//! ([`Output::Nonce`](super::io::Output::Nonce)), and its next start gets them back
//! ([`Input::Nonces`](super::io::Input::Nonces)). The driver has them in a file, the simulator in
//! memory; both hold [`KeptNonces`].

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::wire::{Key, XtrIdentity};

/// A name for a shared secret that does not tell the secret: 16 octets of a SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyPrint(pub [u8; 16]);

impl KeyPrint {
    /// The name of a key. The algorithm is no part of it: the sender of a message chooses that.
    pub fn of(key: &Key) -> Self {
        let digest = Sha256::new().chain_update("eidway nonces").chain_update([key.key_id]);
        let digest: [u8; 32] = digest.chain_update(&key.secret).finalize().into();
        let mut print = [0; 16];
        print.copy_from_slice(&digest[..16]);
        KeyPrint(print)
    }
}

/// The sender of Map-Registers, as they name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Sender {
    /// An xTR-ID and a Site-ID that the MAC covers.
    Xtr {
        /// 128 bits.
        xtr_id: u128,
        /// 64 bits.
        site_id: u64,
    },
    /// The source address, where the MAC covers no xTR-ID. Any sender can write any source.
    Rloc(IpAddr),
}

impl Sender {
    /// The sender of a message from `source` with this authenticated identity.
    pub fn of(identity: Option<XtrIdentity>, source: IpAddr) -> Self {
        match identity {
            Some(XtrIdentity { xtr_id, site_id }) => Sender::Xtr { xtr_id, site_id },
            None => Sender::Rloc(source),
        }
    }

    /// 128 bits that name the sender among the registrations of a prefix: its xTR-ID, or one made of
    /// its RLOC.
    pub fn xtr_id(&self) -> u128 {
        match *self {
            Sender::Xtr { xtr_id, .. } => xtr_id,
            Sender::Rloc(IpAddr::V4(address)) => u128::from(address.to_bits()),
            Sender::Rloc(IpAddr::V6(address)) => address.to_bits(),
        }
    }
}

impl Display for Sender {
    /// As `show lisp site` has it.
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

/// The owner of a nonce: each sender has one with each key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NonceOwner {
    /// The key that its registers are signed with.
    pub key: KeyPrint,
    /// The sender.
    pub sender: Sender,
}

/// The nonce of the last register that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptNonce {
    /// The owner.
    pub owner: NonceOwner,
    /// The nonce.
    pub nonce: u64,
}

/// A change of the kept nonces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NonceRequest {
    /// Keep this nonce instead of an earlier one of its owner.
    Keep(KeptNonce),
    /// Keep none of this owner any more: there was no room for it in the core.
    Forget(NonceOwner),
    /// Keep this as the last nonce of this router's own registers.
    Sent(u64),
}

/// All nonces that are kept.
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

    /// The last nonce of this router's own registers.
    pub fn sent(&self) -> Option<u64> {
        self.sent
    }

    /// The nonces of others, by owner.
    pub fn iter(&self) -> impl Iterator<Item = KeptNonce> {
        self.taken.iter().map(|(&owner, &nonce)| KeptNonce { owner, nonce })
    }

    /// How many nonces of others there are.
    pub fn len(&self) -> usize {
        self.taken.len()
    }

    /// Whether nothing is kept.
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
