//! The data of `show lisp site`.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::map_cache::LocatorState;
use super::{LocatorAddress, XtrId};
use crate::addr::{Family, InstanceId};
use crate::router::config::NonceOrder;

/// The head of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// How many EID prefixes all sites have, configured or registered.
    pub total: usize,
}

/// An EID prefix of a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The site.
    pub site: String,
    /// The instance.
    pub instance_id: InstanceId,
    /// The prefix.
    pub eid_prefix: IpNet,
    /// Whether the configuration contains it.
    pub configured: bool,
    /// Whether it accepts registrations of longer prefixes.
    pub accept_more_specifics: bool,
    /// The configured prefix that covers it, if it is a more specific one.
    pub more_specific_of: Option<IpNet>,
    /// The Map-Registers whose nonce must grow.
    pub nonce_order: NonceOrder,
    /// Map-Registers with wrong authentication.
    pub authentication_failures: u64,
    /// Map-Registers that were refused as replays.
    pub replays: u64,
    /// The registrations that have not expired; empty if the prefix is not up.
    pub registrations: Vec<RegistrationRow>,
}

impl Row {
    /// Whether a registration of `prefix` belongs here: `prefix` is this configured prefix, or a
    /// more specific prefix that this prefix accepts.
    pub fn takes(&self, prefix: &IpNet) -> bool {
        let same = self.eid_prefix == *prefix;
        self.configured && (same || self.accept_more_specifics && self.eid_prefix.contains(prefix))
    }
}

/// The registration of one xTR.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationRow {
    /// The RLOC that sent it.
    pub etr: IpAddr,
    /// The ETR's TCP port, if the session that carried the registration is still open.
    pub etr_port: Option<u16>,
    /// Seconds since the first Map-Register.
    pub first_registered: u64,
    /// Seconds since the last Map-Register.
    pub last_registered: u64,
    /// Seconds for which ITRs may keep the mapping.
    pub ttl: u64,
    /// Whether the map-server answers Map-Requests itself.
    pub proxy_reply: bool,
    /// Whether the ETR asks for a Map-Notify.
    pub map_notify: bool,
    /// The hash function of its authentication.
    pub hash_function: HashFunction,
    /// The nonce of the last Map-Register.
    pub nonce: u64,
    /// The xTR-ID, if the Map-Register has one that its authentication covers.
    pub xtr_id: Option<XtrId>,
    /// The site-ID, if the Map-Register has one.
    pub site_id: Option<u64>,
    /// Whether it was received over TCP.
    pub reliable: bool,
    /// The locators, in the order of the record.
    pub locators: Vec<LocatorRow>,
}

/// The hash function of a Map-Register's authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HashFunction {
    /// HMAC-SHA-1-96.
    Sha1,
    /// HMAC-SHA-256-128, with or without HKDF.
    Sha2,
}

/// A registered locator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocatorRow {
    /// Its address.
    pub rloc: LocatorAddress,
    /// The family of an IP address; absent if it is opaque.
    pub family: Option<Family>,
    /// Whether it belongs to the registering ETR itself.
    pub local: bool,
    /// Up, down, or unusable.
    pub state: LocatorState,
    /// Lower is preferred.
    pub priority: u8,
    /// Its share of the traffic.
    pub weight: u8,
}
