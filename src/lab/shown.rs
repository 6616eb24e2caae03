//! What routers print as JSON, as much of it as labs read.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;

/// A listing with these rows; without any where there is no such table.
#[derive(Deserialize)]
pub struct Listing<R> {
    /// The rows.
    #[serde(default = "Vec::new")]
    pub entries: Vec<R>,
}

/// A row of `show {ip|ipv6} lisp database json`.
#[derive(Deserialize)]
pub struct DatabaseRow {
    /// The local EID prefix.
    pub eid_prefix: IpNet,
    /// It is registered: one without a route is not.
    pub has_route: bool,
}

/// A row of `show lisp site json`.
#[derive(Deserialize)]
pub struct SiteRow {
    /// The EID prefix.
    pub eid_prefix: IpNet,
    /// It stands in the configuration.
    pub configured: bool,
    /// It takes registrations of longer prefixes.
    pub accept_more_specifics: bool,
    /// Those that have not lapsed.
    pub registrations: Vec<SiteRegistration>,
}

/// What one ETR has registered.
#[derive(Deserialize)]
pub struct SiteRegistration {
    /// The RLOC that it came from.
    pub etr: IpAddr,
    /// It came by TCP.
    pub reliable: bool,
}

impl SiteRow {
    /// Whether a site has this prefix: any other is rejected.
    pub fn takes(&self, prefix: &IpNet) -> bool {
        let same = self.eid_prefix == *prefix;
        self.configured && (same || self.accept_more_specifics && self.eid_prefix.contains(prefix))
    }
}
