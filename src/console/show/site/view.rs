//! The data of `show lisp site`.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use crate::addr::{Family, InstanceId};
use crate::router::config::NonceOrder;

/// The head of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Head {
    /// How many EID prefixes all sites have, configured or registered.
    pub total: usize,
}

/// An EID prefix of a site.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The site.
    pub site: String,
    /// It is the first row of its site.
    #[serde(skip)]
    pub first: bool,
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
    /// The xTRs that must send registers with growing nonces.
    pub nonce_order: NonceOrder,
    /// Registers with wrong authentication.
    pub authentication_failures: u64,
    /// Registers that were refused as replays.
    pub replays: u64,
    /// Those that have not lapsed; none when the prefix is not up.
    pub registrations: Vec<RegistrationRow>,
}

/// The registration of one xTR.
#[derive(Clone, Debug, Serialize)]
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
    /// `sha1` or `sha2`.
    pub hash_function: &'static str,
    /// Of the last register.
    pub nonce: u64,
    /// 128 bits in hexadecimal, when it said and its MAC covers them.
    pub xtr_id: Option<String>,
    /// 64 bits, when it said.
    pub site_id: Option<u64>,
    /// It came by TCP.
    pub reliable: bool,
    /// In the order of the record.
    pub locators: Vec<LocatorRow>,
}

/// A registered locator.
#[derive(Clone, Debug, Serialize)]
pub struct LocatorRow {
    /// Its address; an opaque one as the debug lines write it.
    pub rloc: String,
    /// The family of an IP address; absent if it is opaque.
    pub family: Option<Family>,
    /// It is the registering ETR's own.
    pub local: bool,
    /// `up`, `down`, or `unusable`: it is opaque.
    pub state: &'static str,
    /// Lower is preferred.
    pub priority: u8,
    /// Share of the traffic.
    pub weight: u8,
}
