//! The data of `show ip lisp map-cache`. Its head is a [`TableHead`](super::TableHead).

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::LocatorAddress;
use crate::router::map_cache::Source;

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its EID prefix.
    pub eid_prefix: IpNet,
    /// Seconds since the entry was created.
    pub uptime: u64,
    /// Seconds until the entry expires; absent if it never expires.
    pub expires: Option<u64>,
    /// The source of the entry.
    pub source: Source,
    /// The action for its packets.
    pub state: EntryState,
    /// Whether packets are sent to a proxy ETR instead of natively.
    pub proxy_etr: bool,
    /// Seconds since the mapping changed.
    pub last_modified: u64,
    /// The sender of the last Map-Reply.
    pub map_source: Option<IpAddr>,
    /// Packets that used it.
    pub packets: u64,
    /// The octets of these packets.
    pub bytes: u64,
    /// Seconds since the last of these packets.
    pub last_used: Option<u64>,
    /// The usable locators and the opaque locators, in the order of the record.
    pub locators: Vec<LocatorRow>,
}

/// The action for packets of an entry: send to its locators, or that of a negative entry (RFC 9301
/// section 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryState {
    /// Packets are sent to its locators.
    Complete,
    /// Packets are forwarded natively.
    ForwardNative,
    /// A Map-Request is sent to a map-resolver.
    SendMapRequest,
    /// Packets are dropped.
    Drop,
}

/// A locator of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocatorRow {
    /// Its address.
    pub rloc: LocatorAddress,
    /// Seconds since the last change of its state.
    pub uptime: u64,
    /// Whether packets can be sent to it.
    pub state: LocatorState,
    /// Lower is preferred.
    pub priority: u8,
    /// Its share of the traffic.
    pub weight: u8,
}

/// Whether packets can be sent to a locator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LocatorState {
    /// They can be sent.
    Up,
    /// The site has reported it as down.
    Down,
    /// ICMP or a missing route has shown recently that packets do not arrive.
    Unreachable,
    /// The locator is opaque.
    Unusable,
}
