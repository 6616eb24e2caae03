//! One registration of one EID prefix.

use std::net::IpAddr;
use std::time::Duration;

use crate::router::io::Connection;
use crate::router::register::LIFETIME;
use crate::time::Time;
use crate::wire::{MacForm, MappingRecord, Nonce, XtrIdentity};

/// The registration of an EID prefix by one xTR.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The RLOC from which the Map-Register was received.
    pub source: IpAddr,
    /// The port from which the registration was received: the UDP port of the Map-Register, or the
    /// TCP port of the session.
    pub source_port: u16,
    /// 128 bits that identify the xTR: its authenticated xTR-ID, or a value made from `source` if
    /// there is no authenticated xTR-ID.
    pub xtr_id: u128,
    /// The xTR-ID and Site-ID of the Map-Register. `None` if the I bit was clear, or if the MAC
    /// does not cover these fields.
    pub identity: Option<XtrIdentity>,
    /// Whether it is certain that the Map-Register is not a replay. This is certain if its xTR-ID
    /// is authenticated and its nonce is greater than all earlier nonces of this xTR-ID. If the
    /// value is false, an attacker may have sent a replay from `source`, so no Map-Request is
    /// forwarded to `source`.
    pub is_proven: bool,
    /// The record as registered, with TTL and locators.
    pub record: MappingRecord,
    /// The P bit: the map-server answers Map-Requests in place of the xTR.
    pub proxy_reply: bool,
    /// The M bit: the xTR wants a Map-Notify.
    pub map_notify: bool,
    /// The nonce of the last accepted Map-Register.
    pub nonce: Nonce,
    /// The form of the MAC of the Map-Register. The MACs of messages to the xTR have the same form.
    pub form: MacForm,
    /// The time at which the xTR first registered the prefix.
    pub first_registered_at: Time,
    /// The time at which the xTR last registered the prefix.
    pub last_registered_at: Time,
    /// How long the registration lasts after `last_registered_at` if it has no session.
    pub lifetime: Duration,
    /// The session through which the registration was received. `None` if it was received by UDP,
    /// or if its session has ended.
    pub session: Option<Connection>,
}

impl Registration {
    /// Whether this registration and `other` have the same values. The nonce and the times are not
    /// compared.
    pub(super) fn is_like(&self, other: &Registration) -> bool {
        let values = |of: &Registration| {
            let ends = (of.source, of.source_port, of.session, of.identity);
            (ends, of.proxy_reply, of.map_notify, of.form)
        };
        values(self) == values(other) && self.record == other.record
    }

    /// The time at which the registration expires; `None` while its session is open.
    pub fn expires_at(&self) -> Option<Time> {
        match self.session {
            Some(_) => None,
            None => Some(self.last_registered_at + self.lifetime),
        }
    }

    /// Returns how long the registration of `record` lasts. If the T bit is set and the record
    /// contains a TTL, the registration lasts for this TTL (RFC 9301 section 5.6, T). Otherwise it
    /// lasts for [`LIFETIME`].
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
