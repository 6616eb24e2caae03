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
    /// Seconds.
    pub uptime: u64,
    /// Seconds; absent for an entry that stays.
    pub expires: Option<u64>,
    /// Where it comes from.
    pub source: Source,
    /// Where it leads.
    pub state: EntryState,
    /// It goes to a proxy ETR instead of out of LISP.
    pub proxy_etr: bool,
    /// Seconds since the mapping changed.
    pub last_modified: u64,
    /// The sender of the last Map-Reply.
    pub map_source: Option<IpAddr>,
    /// Packets that used it.
    pub packets: u64,
    /// Their octets.
    pub bytes: u64,
    /// Seconds since the last of them.
    pub last_used: Option<u64>,
    /// Those that can be used and the opaque ones, in the order of the record.
    pub locators: Vec<LocatorRow>,
}

/// Where an entry leads: to its locators, or by the action of a negative one (RFC 9301 section 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryState {
    /// To its locators.
    Complete,
    /// Out of LISP.
    ForwardNative,
    /// To a map-resolver, which is asked.
    SendMapRequest,
    /// Nowhere.
    Drop,
}

/// A locator of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocatorRow {
    /// Its address.
    pub rloc: LocatorAddress,
    /// Seconds with this state.
    pub uptime: u64,
    /// Whether packets can go there.
    pub state: LocatorState,
    /// Lower is preferred.
    pub priority: u8,
    /// Share of the traffic.
    pub weight: u8,
}

/// Whether packets can go to a locator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LocatorState {
    /// They can.
    Up,
    /// The site says that it is down.
    Down,
    /// ICMP, or a missing route, has said of late that they do not arrive.
    Unreachable,
    /// It is opaque.
    Unusable,
}
