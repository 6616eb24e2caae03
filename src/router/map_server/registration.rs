//! One registration of one EID prefix.

use std::net::IpAddr;
use std::time::Duration;

use crate::router::io::Connection;
use crate::router::register::LIFETIME;
use crate::time::Time;
use crate::wire::{MacForm, MappingRecord, Nonce, XtrIdentity};

/// One xTR's registration of an EID prefix.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The RLOC from which the register was received.
    pub source: IpAddr,
    /// 128 bits that name the xTR: its authenticated xTR-ID, or else a value made from `source`.
    pub xtr_id: u128,
    /// The xTR-ID and Site-ID of the register; `None` if the I bit was clear or the MAC does not
    /// cover them.
    pub identity: Option<XtrIdentity>,
    /// Whether the register cannot be a replay: it has an authenticated xTR-ID, and its nonce is
    /// greater than all nonces before it of this xTR-ID. If false, `source` may be the address of
    /// any replayer, and no Map-Request is forwarded to it.
    pub is_proven: bool,
    /// The record as registered, with TTL and locators.
    pub record: MappingRecord,
    /// The P bit: the map-server answers Map-Requests itself.
    pub proxy_reply: bool,
    /// The M bit: a Map-Notify is wanted.
    pub map_notify: bool,
    /// The nonce of the last accepted register.
    pub nonce: Nonce,
    /// The form of its MAC: messages to the xTR have the same form.
    pub form: MacForm,
    /// When the xTR first registered the prefix.
    pub first_registered_at: Time,
    /// When the xTR last registered the prefix.
    pub last_registered_at: Time,
    /// How long the registration lasts after that without a session.
    pub lifetime: Duration,
    /// The session through which it was received; `None` if it was received by UDP, or if its
    /// session has ended.
    pub session: Option<Connection>,
}

impl Registration {
    /// When the registration expires; never while its session is open.
    pub fn expires_at(&self) -> Option<Time> {
        match self.session {
            Some(_) => None,
            None => Some(self.last_registered_at + self.lifetime),
        }
    }

    /// How long the registration of `record` lasts: as long as the record, if the T bit asks for
    /// that and the TTL gives a time (RFC 9301 section 5.6, T).
    pub(super) fn lifetime(record: &MappingRecord, ttl_for_timeout: bool) -> Duration {
        match record.ttl_minutes {
            minutes if ttl_for_timeout && minutes != u32::MAX => {
                Duration::from_secs(u64::from(minutes) * 60)
            }
            _ => LIFETIME,
        }
    }

    /// How long ITRs may cache the mapping.
    pub fn ttl(&self) -> Duration {
        Duration::from_secs(u64::from(self.record.ttl_minutes) * 60)
    }
}
