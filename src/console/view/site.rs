//! The data of `show lisp site`.

use std::net::IpAddr;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::map_cache::LocatorState;
use super::{LocatorAddress, XtrId};
use crate::addr::{Family, InstanceId};
use crate::router::config::NonceOrder;

/// The head of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SiteHead")]
pub struct Head {
    /// The number of EID prefixes of all sites. If only one instance or one family of an instance
    /// is shown, only the EID prefixes of this instance or family are counted. Both configured
    /// prefixes and registered prefixes are counted.
    pub total: usize,
}

/// An EID prefix of a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SiteRow")]
pub struct Row {
    /// The site.
    pub site: String,
    /// The instance.
    pub instance_id: InstanceId,
    /// The prefix.
    #[schemars(with = "String")]
    pub eid_prefix: IpNet,
    /// Whether the configuration contains the prefix.
    pub configured: bool,
    /// Whether the map-server accepts registrations of more specific prefixes inside this prefix.
    pub accept_more_specifics: bool,
    /// The configured prefix that covers this prefix. Absent if this prefix itself is configured.
    #[schemars(with = "Option<String>")]
    pub more_specific_of: Option<IpNet>,
    /// The rule for the nonces of Map-Registers. It determines the Map-Registers whose nonces must
    /// grow.
    pub nonce_order: NonceOrder,
    /// The number of Map-Registers with wrong authentication.
    pub authentication_failures: u64,
    /// The number of Map-Registers that the map-server refused as replays.
    pub replays: u64,
    /// The registrations that have not expired. The list is empty if the prefix is not registered.
    pub registrations: Vec<RegistrationRow>,
}

impl Row {
    /// Whether a registration of `prefix` belongs to this row. `prefix` is the configured prefix of
    /// this row, or a more specific prefix that this row accepts.
    pub fn takes(&self, prefix: &IpNet) -> bool {
        let same = self.eid_prefix == *prefix;
        self.configured && (same || self.accept_more_specifics && self.eid_prefix.contains(prefix))
    }
}

/// The registration of a prefix by one xTR.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RegistrationRow {
    /// The RLOC that sent the registration.
    pub etr: IpAddr,
    /// The port of the ETR: the port of the TCP session, or the source port of the Map-Register
    /// over UDP.
    pub etr_port: u16,
    /// Seconds since the first Map-Register for the prefix from this xTR.
    pub first_registered: u64,
    /// Seconds since the latest Map-Register for the prefix from this xTR.
    pub last_registered: u64,
    /// The time for which an ITR may store the mapping, in seconds.
    pub ttl: u64,
    /// Whether the map-server answers Map-Requests in place of the ETR.
    pub proxy_reply: bool,
    /// Whether the ETR asks for a Map-Notify.
    pub map_notify: bool,
    /// The hash function of the authentication.
    pub hash_function: HashFunction,
    /// The nonce of the latest Map-Register.
    pub nonce: u64,
    /// The xTR-ID. Absent if the Map-Register has no xTR-ID, or if its authentication does not
    /// cover the xTR-ID.
    pub xtr_id: Option<XtrId>,
    /// The site-ID, if the Map-Register has one.
    pub site_id: Option<u64>,
    /// Whether the registration was received over TCP.
    pub reliable: bool,
    /// The locators, in the order of the mapping record.
    pub locators: Vec<LocatorRow>,
}

/// The hash function that authenticates a Map-Register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HashFunction {
    /// HMAC-SHA-1-96.
    Sha1,
    /// HMAC-SHA-256-128, with or without HKDF.
    Sha2,
}

/// A registered locator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RegisteredLocator")]
pub struct LocatorRow {
    /// The address of the locator.
    pub rloc: LocatorAddress,
    /// The family of the IP address. Absent if the address is not an IP address.
    pub family: Option<Family>,
    /// Whether the locator belongs to the ETR that registers it.
    pub local: bool,
    /// The state of the locator: up, down, or unusable.
    pub state: LocatorState,
    /// The priority of the locator. A lower value is preferred.
    pub priority: u8,
    /// The weight of the locator: its share of the traffic.
    pub weight: u8,
}
