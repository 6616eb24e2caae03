//! The map-server: registrations of sites, and what they say of an EID (RFC 9301 sections 4.2, 8.2
//! and 8.3).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::addr::{EidPrefix, Rloc};
use crate::prefix_map::PrefixMap;
use crate::time::Time;

/// A locator as an ETR registered it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisteredLocator {
    /// Its address.
    pub rloc: Rloc,
    /// Lower is preferred.
    pub priority: u8,
    /// The share of flows among equal priorities.
    pub weight: u8,
    /// The L bit: the registering ETR's own.
    pub local: bool,
    /// The R bit: reachable in the ETR's view.
    pub reachable: bool,
}

/// One xTR's registration of an EID prefix.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The RLOC that it came from.
    pub source: IpAddr,
    /// 128 bits that name the xTR; 0 when it did not say (I bit clear).
    pub xtr_id: u128,
    /// 64 bits that name its site.
    pub site_id: u64,
    /// The locators, in the order of the record.
    pub locators: Vec<RegisteredLocator>,
    /// The TTL of the record, for the caches of ITRs.
    pub ttl: Duration,
    /// The P bit: the map-server answers Map-Requests itself.
    pub proxy_reply: bool,
    /// The M bit: a Map-Notify is wanted.
    pub map_notify: bool,
    /// The nonce of the last accepted register.
    pub nonce: u64,
    /// The algorithm of its authentication: `sha1` or `sha2`.
    pub hash_function: &'static str,
    /// When the xTR first registered the prefix.
    pub first_registered_at: Time,
    /// When it last did.
    pub last_registered_at: Time,
    /// When the registration lapses.
    pub expires_at: Time,
}

/// An EID prefix of a site: configured, or registered as a more specific of one.
#[derive(Clone, Debug)]
pub struct SiteEntry {
    /// The site's name.
    pub site: String,
    /// Stands in the configuration.
    pub configured: bool,
    /// Takes registrations of longer prefixes.
    pub accept_more_specifics: bool,
    /// The configured prefix that a dynamic entry is a more specific of.
    pub origin: Option<EidPrefix>,
    /// By xTR-ID.
    pub registrations: BTreeMap<u128, Registration>,
    /// Registers with wrong authentication.
    pub authentication_failures: u64,
}

/// All sites of a map-server.
#[derive(Debug, Default)]
pub struct MapServer {
    pub(super) entries: PrefixMap<SiteEntry>,
}

impl MapServer {
    /// Every EID prefix of every site, for a `show`.
    pub fn entries(&self) -> &PrefixMap<SiteEntry> {
        &self.entries
    }
}
