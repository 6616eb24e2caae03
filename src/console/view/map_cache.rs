//! The data of `show ip lisp map-cache`. The head of the output is a
//! [`TableHead`](super::TableHead).

use std::net::IpAddr;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LocatorAddress;
use crate::router::map_cache::Source;

/// An entry of the map-cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MapCacheRow")]
pub struct Row {
    /// The EID prefix of the entry.
    #[schemars(with = "String")]
    pub eid_prefix: IpNet,
    /// Seconds since the entry was created.
    pub uptime: u64,
    /// Seconds until the entry expires. Absent if the entry never expires.
    pub expires: Option<u64>,
    /// The source of the entry.
    pub source: Source,
    /// The action for packets that match the entry.
    pub state: EntryState,
    /// Whether the router sends the packets for a negative entry to a proxy ETR. If not, the router
    /// forwards these packets natively.
    pub proxy_etr: bool,
    /// Seconds since the mapping changed.
    pub last_modified: u64,
    /// The sender of the latest Map-Reply for the entry.
    pub map_source: Option<IpAddr>,
    /// The number of packets that used the entry.
    pub packets: u64,
    /// The number of octets of these packets.
    pub bytes: u64,
    /// Seconds since the latest packet that used the entry.
    pub last_used: Option<u64>,
    /// The usable locators and the opaque locators, in the order of the mapping record. An opaque
    /// locator is not an IP address.
    pub locators: Vec<LocatorRow>,
}

/// The action for packets that match an entry. The router sends a packet to a locator of the entry,
/// or carries out the action of a negative entry (RFC 9301 section 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EntryState {
    /// Packets are sent to the locators of the entry.
    Complete,
    /// Packets are forwarded natively.
    ForwardNative,
    /// A Map-Request is sent to a map-resolver.
    SendMapRequest,
    /// Packets are dropped.
    Drop,
}

/// A locator of a map-cache entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MapCacheLocator")]
pub struct LocatorRow {
    /// The address of the locator.
    pub rloc: LocatorAddress,
    /// Seconds since the state of the locator changed.
    pub uptime: u64,
    /// Whether packets can be sent to the locator.
    pub state: LocatorState,
    /// The priority of the locator. A lower value is preferred.
    pub priority: u8,
    /// The weight of the locator: its share of the traffic.
    pub weight: u8,
}

/// Whether packets can be sent to a locator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "RemoteLocatorState")]
pub enum LocatorState {
    /// Packets can be sent to the locator.
    Up,
    /// The site has reported that the locator is down.
    Down,
    /// Packets do not reach the locator. An ICMP error or a missing route has shown this recently.
    Unreachable,
    /// The locator is not an IP address, so packets cannot be sent to it.
    Unusable,
}
