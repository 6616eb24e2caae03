//! Authentication Data of Map-Register, Map-Notify, Map-Notify-Ack and Info messages: algorithms,
//! keys, signing and verifying (RFC 9301 sections 5.6 and 12.5).
//!
//! The MAC of a message that we send covers all octets of the message. In a received message, the
//! MAC may cover only the octets up to the end of the last record. Then the MAC does not cover the
//! xTR-ID and the Site-ID. RFC 9301 section 5.6 can be read in both ways, and there are senders of
//! both kinds. [`Verified`] tells which octets the MAC covers. The other octets can be changed
//! without the key.
//!
//! A MAC may have its full length or be truncated. [`MacForm`] is the form of a MAC. An answer has
//! the form of the received message, so that the peer accepts the answer.

use std::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use super::cursor::Reader;
use super::error::ParseError;
use super::first_word::{FirstWord, MessageType};
use super::map_register::Body;

/// The number of octets of a message before its Authentication Data. These octets are the first
/// word, the nonce, and four octets with Key ID, Algorithm ID and length.
const DATA_AT: usize = 16;

/// A pair of KDF and MAC algorithms (RFC 9301 section 12.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// 1: HMAC-SHA-1-96, no KDF. All 20 octets of the MAC are sent, as in every implementation. A
    /// MAC of 12 or 20 octets is accepted.
    HmacSha1 = 1,
    /// 2: HMAC-SHA-256-128, no KDF. A MAC of 16 octets is sent. A MAC of 16 or 32 octets is
    /// accepted.
    HmacSha256 = 2,
    /// 3: HMAC-SHA-256-128. HKDF-SHA256 derives a key for each message. The lengths are those of
    /// algorithm 2.
    HmacSha256Hkdf = 3,
}

impl Algorithm {
    /// Returns the algorithm with this Algorithm ID. Algorithm ID 0 means that there is no
    /// algorithm.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Algorithm::HmacSha1),
            2 => Some(Algorithm::HmacSha256),
            3 => Some(Algorithm::HmacSha256Hkdf),
            _ => None,
        }
    }

    /// Returns the Algorithm ID.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Returns the number of octets of Authentication Data, for a message that is not an answer.
    pub const fn sent_length(self) -> usize {
        match self {
            Algorithm::HmacSha1 => 20,
            Algorithm::HmacSha256 | Algorithm::HmacSha256Hkdf => 16,
        }
    }

    const fn accepts_length(self, length: usize) -> bool {
        match self {
            Algorithm::HmacSha1 => matches!(length, 12 | 20),
            Algorithm::HmacSha256 | Algorithm::HmacSha256Hkdf => matches!(length, 16 | 32),
        }
    }
}

/// An algorithm and the length of its MAC in a message.
///
/// RFC 9301 allows truncated MACs, and implementations differ. A peer sends all MACs in one length,
/// and accepts a MAC of this length. Therefore an answer has the form of the received message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MacForm {
    algorithm: Algorithm,
    /// The length of the MAC in octets. The algorithm accepts a MAC of this length.
    length: usize,
}

impl MacForm {
    /// Makes the form with a MAC of `length` octets.
    ///
    /// # Errors
    /// The algorithm does not allow this length.
    pub const fn new(algorithm: Algorithm, length: usize) -> Result<Self, AuthError> {
        match algorithm.accepts_length(length) {
            true => Ok(MacForm { algorithm, length }),
            false => Err(AuthError::Length { algorithm, found: length }),
        }
    }

    /// Returns the form for a message that is not an answer. Its MAC has [`Algorithm::sent_length`]
    /// octets.
    pub const fn of_first(algorithm: Algorithm) -> Self {
        MacForm { algorithm, length: algorithm.sent_length() }
    }

    /// Returns the algorithm.
    pub const fn algorithm(self) -> Algorithm {
        self.algorithm
    }

    /// Returns the number of octets of Authentication Data.
    pub const fn length(self) -> usize {
        self.length
    }
}

/// A secret that an ETR and a map-server share.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The algorithm with which this router signs. A received message is verified with the
    /// algorithm that the message names, because the key of a map-server is configured without an
    /// algorithm.
    pub algorithm: Algorithm,
    /// The shared secret, as the user typed it.
    pub secret: Vec<u8>,
    /// The number that distinguishes several keys of a site; 0 if there is only one key.
    pub key_id: u8,
}

impl fmt::Debug for Key {
    /// Shows all fields except the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// The Key ID, Algorithm ID and MAC of a message. In the default value, the IDs are 0 and the MAC
/// is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authentication {
    /// Key ID.
    pub key_id: u8,
    /// Algorithm ID; see [`Algorithm::from_number`].
    pub algorithm: u8,
    /// The MAC, at most 65535 octets.
    pub data: Vec<u8>,
}

impl Authentication {
    /// Returns the Authentication for a message that has no MAC yet: all octets of the MAC are
    /// zeros. The sender computes the MAC over the message with these zeros.
    pub(super) fn zeroed(key: &Key, form: MacForm) -> Self {
        Authentication {
            key_id: key.key_id,
            algorithm: form.algorithm.number(),
            data: vec![0; form.length],
        }
    }

    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        reader.enter("Authentication Data");
        let key_id = reader.u8()?;
        let algorithm = reader.u8()?;
        let length = reader.u16()?;
        let data = reader.take(length.into())?.to_vec();
        Ok(Authentication { key_id, algorithm, data })
    }

    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        debug_assert!(self.data.len() <= usize::from(u16::MAX), "the length has 16 bits");
        out.extend([self.key_id, self.algorithm]);
        out.extend((self.data.len() as u16).to_be_bytes());
        out.extend(&self.data);
    }
}

/// The reason why a message is refused. In each case, the message does not prove that its sender
/// has the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The message is malformed.
    #[error(transparent)]
    Malformed(#[from] ParseError),
    /// Messages of this type have no MAC.
    #[error("a message of type {0} has no authentication data")]
    Unsigned(&'static str),
    /// The key ID of the message is not the ID of the configured key.
    #[error("the message has key ID {found}, but key ID {expected} is configured")]
    KeyId {
        /// The Key ID in the message.
        found: u8,
        /// The Key ID of the configured key.
        expected: u8,
    },
    /// The message has no Algorithm ID, or an unknown Algorithm ID.
    #[error("algorithm {0} is not accepted")]
    Algorithm(u8),
    /// The algorithm of the message does not allow the length of the message's MAC.
    #[error("{algorithm:?} does not allow {found} octets of authentication data")]
    Length {
        /// The algorithm of the message.
        algorithm: Algorithm,
        /// The number of octets of Authentication Data in the message.
        found: usize,
    },
    /// The MAC does not match the octets and the key.
    #[error("the authentication data does not match the message and the configured key")]
    Mismatch,
}

/// A message with a correct MAC, and the octets that the MAC covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified<'a> {
    /// The form of the MAC.
    pub form: MacForm,
    /// The octets that the MAC covers, with the Authentication Data as received. Without the key,
    /// these octets cannot be changed. The octets after them are not authenticated.
    pub covered: &'a [u8],
    /// Whether the MAC covers the xTR-ID and the Site-ID. False if the message has no xTR-ID and no
    /// Site-ID.
    pub covers_identity: bool,
}

/// Checks the MAC of a received Map-Register, Map-Notify or Map-Notify-Ack. The duration of the
/// comparison does not depend on the position at which the MAC differs from the expected MAC.
///
/// # Errors
/// The reason why the message must be dropped.
pub fn verify<'a>(message: &'a [u8], key: &Key) -> Result<Verified<'a>, AuthError> {
    let (message_type, body) = parse_signed(message)?;
    let Authentication { key_id, algorithm, data } = body.authentication;
    if key_id != key.key_id {
        return Err(AuthError::KeyId { found: key_id, expected: key.key_id });
    }
    let algorithm = Algorithm::from_number(algorithm).ok_or(AuthError::Algorithm(algorithm))?;
    let form = MacForm::new(algorithm, data.len())?;
    let mut zeroed = message.to_vec();
    zeroed[DATA_AT..][..data.len()].fill(0);
    let secret = message_secret(message_type, algorithm, message, &key.secret);
    let matches = |end: usize| -> Choice {
        mac(algorithm, &secret, &zeroed[..end])[..data.len()].ct_eq(&data)
    };
    // The duration of this search may show which octets the MAC covers. This is not a secret.
    let ends = [message.len(), body.end, body.records_end];
    let end = ends.into_iter().find(|&end| matches(end).into()).ok_or(AuthError::Mismatch)?;
    let covers_identity = body.xtr_identity.is_some() && end > body.records_end;
    Ok(Verified { form, covered: &message[..end], covers_identity })
}

fn parse_signed(message: &[u8]) -> Result<(MessageType, Body), AuthError> {
    let message_type = FirstWord::message_type_of(message)?;
    let identity_bit = match message_type {
        MessageType::MapRegister => 6,
        MessageType::MapNotify | MessageType::MapNotifyAck => 4,
        other => return Err(AuthError::Unsigned(other.name())),
    };
    let (word, mut reader) = FirstWord::read(message, message_type)?;
    let body = Body::parse(&mut reader, word.count(), word.bit(identity_bit))?;
    Ok((message_type, body))
}

/// Puts the MAC into a message. The message was emitted with [`Authentication::zeroed`] for the
/// same key and form.
pub(super) fn signed(message: Vec<u8>, key: &Key, form: MacForm) -> Vec<u8> {
    let end = message.len();
    signed_to(message, end, key, form)
}

/// Computes a MAC over the first `end` octets of the message, and puts the MAC into the message. If
/// the message is shorter than `end` octets, the MAC covers the whole message.
pub(super) fn signed_to(mut message: Vec<u8>, end: usize, key: &Key, form: MacForm) -> Vec<u8> {
    let MacForm { algorithm, length } = form;
    if let Ok(message_type) = FirstWord::message_type_of(&message) {
        let secret = message_secret(message_type, algorithm, &message, &key.secret);
        let mac = mac(algorithm, &secret, &message[..end.min(message.len())]);
        message[DATA_AT..][..length].copy_from_slice(&mac[..length]);
    }
    message
}

/// Returns the key for the MAC of one message. Without HKDF, the key is the shared secret. With
/// HKDF, the key is derived from the shared secret and the nonce, with a salt string for each
/// message type (RFC 9301 section 5.6, Authentication Data, item 4).
fn message_secret(
    message_type: MessageType,
    algorithm: Algorithm,
    message: &[u8],
    secret: &[u8],
) -> Vec<u8> {
    if algorithm != Algorithm::HmacSha256Hkdf {
        return secret.to_vec();
    }
    let salt = format!("{} Authentication", message_type.name());
    let nonce_and_secret = [&message[4..12], secret].concat();
    let mut derived = vec![0; 32];
    Hkdf::<Sha256>::new(Some(salt.as_bytes()), &nonce_and_secret)
        .expand(&[], &mut derived)
        .expect("HKDF-SHA256 can derive 32 octets");
    derived
}

/// Computes the MAC in full length: 20 or 32 octets.
fn mac(algorithm: Algorithm, secret: &[u8], octets: &[u8]) -> Vec<u8> {
    match algorithm {
        Algorithm::HmacSha1 => hmac::<Hmac<Sha1>>(secret, octets),
        Algorithm::HmacSha256 | Algorithm::HmacSha256Hkdf => hmac::<Hmac<Sha256>>(secret, octets),
    }
}

fn hmac<M: Mac + KeyInit>(secret: &[u8], octets: &[u8]) -> Vec<u8> {
    let mac = <M as KeyInit>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.chain_update(octets).finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::{EidPrefix, InstanceId};
    use crate::wire::{Info, MapRegister, MappingRecord, Message, Nonce, XtrIdentity};

    const ALL: [Algorithm; 3] =
        [Algorithm::HmacSha1, Algorithm::HmacSha256, Algorithm::HmacSha256Hkdf];

    fn key(algorithm: Algorithm) -> Key {
        Key { algorithm, secret: b"cisco".to_vec(), key_id: 0 }
    }

    fn eid_prefix() -> EidPrefix {
        EidPrefix::new(InstanceId::DEFAULT, "172.16.0.0/24".parse().expect("a prefix"))
    }

    fn register() -> MapRegister {
        let record = MappingRecord::of_site(eid_prefix(), 1440, Vec::new());
        MapRegister {
            nonce: Nonce(7),
            records: vec![record],
            xtr_identity: Some(XtrIdentity { xtr_id: 1, site_id: 2 }),
            ..MapRegister::default()
        }
    }

    /// Makes a Map-Register with `length` octets of Authentication Data. The MAC covers all octets
    /// of the message except the last `uncovered` octets.
    fn signed_otherwise(algorithm: Algorithm, length: usize, uncovered: usize) -> Vec<u8> {
        let data = vec![0; length];
        let authentication = Authentication { key_id: 0, algorithm: algorithm.number(), data };
        let mut octets = MapRegister { authentication, ..register() }.emit();
        let secret = message_secret(MessageType::MapRegister, algorithm, &octets, b"cisco");
        let mut mac = mac(algorithm, &secret, &octets[..octets.len() - uncovered]);
        mac.resize(length, 0);
        octets[DATA_AT..DATA_AT + length].copy_from_slice(&mac);
        octets
    }

    #[test]
    fn a_mac_is_accepted_in_the_lengths_that_peers_send_and_in_no_other() {
        for algorithm in ALL {
            let sha1 = algorithm == Algorithm::HmacSha1;
            let accepted = if sha1 { [12, 20] } else { [16, 32] };
            for length in 0..40 {
                let octets = signed_otherwise(algorithm, length, 0);
                let form = verify(&octets, &key(algorithm)).map(|verified| verified.form);
                assert_eq!(form, MacForm::new(algorithm, length), "{algorithm:?}, {length} octets");
                assert_eq!(form.is_ok(), accepted.contains(&length), "{algorithm:?}, {length}");
            }
        }
    }

    #[test]
    fn a_mac_may_end_at_the_last_record_and_nowhere_else() {
        for algorithm in ALL {
            let length = algorithm.sent_length();
            for uncovered in 0..40 {
                let octets = signed_otherwise(algorithm, length, uncovered);
                let key = key(algorithm);
                let verified = verify(&octets, &key);
                let covered = verified.map(|it| (it.covered.len(), it.covers_identity));
                let expected = match uncovered {
                    0 => Ok((octets.len(), true)),
                    24 => Ok((octets.len() - 24, false)),
                    _ => Err(AuthError::Mismatch),
                };
                assert_eq!(covered, expected, "{uncovered}");
            }
        }
    }

    #[test]
    fn octets_behind_a_message_are_not_covered() {
        let plain = MapRegister { xtr_identity: None, ..register() };
        let key = key(Algorithm::HmacSha256);
        for register in [plain, register()] {
            let octets = register.emit_signed(&key);
            let longer = [&octets[..], &[7; 24]].concat();
            let verified = verify(&longer, &key).unwrap();
            let has_identity = register.xtr_identity.is_some();
            assert_eq!((verified.covered, verified.covers_identity), (&octets[..], has_identity));
        }
    }

    #[test]
    fn an_answer_is_signed_in_the_form_of_the_message() {
        for algorithm in ALL {
            let lengths = if algorithm == Algorithm::HmacSha1 { [12, 20] } else { [16, 32] };
            for length in lengths {
                let form = MacForm::new(algorithm, length).unwrap();
                let octets = register().emit_signed_as(&key(Algorithm::HmacSha1), form);
                let verified = verify(&octets, &key(Algorithm::HmacSha1)).unwrap();
                assert_eq!(verified.form, form);
            }
        }
    }

    #[test]
    fn a_message_without_authentication_is_refused_where_a_key_is_configured() {
        let octets = register().emit();
        let refused = verify(&octets, &key(Algorithm::HmacSha1));
        assert_eq!(refused, Err(AuthError::Algorithm(0)));
    }

    #[test]
    fn the_key_id_must_be_that_of_the_key() {
        let octets = register().emit_signed(&key(Algorithm::HmacSha256));
        let other = Key { key_id: 3, ..key(Algorithm::HmacSha256) };
        assert_eq!(verify(&octets, &other), Err(AuthError::KeyId { found: 0, expected: 3 }));
        assert!(verify(&register().emit_signed(&other), &other).is_ok());
    }

    #[test]
    fn the_key_says_how_to_sign_and_the_message_how_to_verify() {
        let octets = register().emit_signed(&key(Algorithm::HmacSha256Hkdf));
        assert!(verify(&octets, &key(Algorithm::HmacSha1)).is_ok());
    }

    #[test]
    fn hkdf_gives_each_message_type_a_key_of_its_own() {
        let mut octets = register().emit_signed(&key(Algorithm::HmacSha256Hkdf));
        let as_register = message_secret(MessageType::MapRegister, ALL[2], &octets, b"cisco");
        octets[0] = octets[0] & 0x0f | 0x40;
        let as_notify = message_secret(MessageType::MapNotify, ALL[2], &octets, b"cisco");
        assert_ne!(as_register, as_notify);
    }

    #[test]
    fn an_unsigned_type_and_a_torn_message_are_errors() {
        let info = Message::Info(Info {
            reply: false,
            nonce: Nonce(1),
            authentication: Authentication::default(),
            ttl_minutes: 0,
            eid_prefix: Some(eid_prefix()),
            nat: crate::wire::Address::None,
        });
        let octets = info.emit();
        let unsigned = verify(&octets, &key(Algorithm::HmacSha1));
        assert_eq!(unsigned, Err(AuthError::Unsigned("Info")));
        let torn = verify(&[0x30; 10], &key(Algorithm::HmacSha1));
        assert!(matches!(torn, Err(AuthError::Malformed(_))));
    }

    #[test]
    fn a_key_does_not_print_its_secret() {
        let shown = format!("{:?}", key(Algorithm::HmacSha1));
        assert_eq!(shown, "Key { algorithm: HmacSha1, key_id: 0, .. }");
    }
}
