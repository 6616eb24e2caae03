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
    /// It stands in the configuration.
    pub configured: bool,
    /// It takes registrations of longer prefixes.
    pub accept_more_specifics: bool,
    /// The configured prefix that it is a more specific of.
    pub more_specific_of: Option<IpNet>,
    /// Which registers must have growing nonces.
    pub nonce_order: NonceOrder,
    /// Registers with wrong authentication.
    pub authentication_failures: u64,
    /// Registers that were refused as replays.
    pub replays: u64,
    /// Those that have not lapsed; none when the prefix is not up.
    pub registrations: Vec<RegistrationRow>,
}

impl Row {
    /// Whether a registration of `prefix` belongs here: it is this configured prefix, or a more specific
    /// one that it takes.
    pub fn takes(&self, prefix: &IpNet) -> bool {
        let same = self.eid_prefix == *prefix;
        self.configured && (same || self.accept_more_specifics && self.eid_prefix.contains(prefix))
    }
}

/// The registration of one xTR.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationRow {
    /// The RLOC that it came from.
    pub etr: IpAddr,
    /// The ETR's TCP port, when it came by a session that stands.
    pub etr_port: Option<u16>,
    /// Seconds.
    pub first_registered: u64,
    /// Seconds.
    pub last_registered: u64,
    /// Seconds that ITRs may keep it.
    pub ttl: u64,
    /// The map-server replies itself.
    pub proxy_reply: bool,
    /// A Map-Notify is wanted.
    pub map_notify: bool,
    /// The hash of its authentication.
    pub hash_function: HashFunction,
    /// Of the last register.
    pub nonce: u64,
    /// If the register has one that its authentication covers.
    pub xtr_id: Option<XtrId>,
    /// If the register has one.
    pub site_id: Option<u64>,
    /// It came by TCP.
    pub reliable: bool,
    /// In the order of the record.
    pub locators: Vec<LocatorRow>,
}

/// The hash of a register's authentication.
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
    /// It is the registering ETR's own.
    pub local: bool,
    /// Up, down, or unusable.
    pub state: LocatorState,
    /// Lower is preferred.
    pub priority: u8,
    /// Share of the traffic.
    pub weight: u8,
}
