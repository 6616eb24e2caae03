//! The part of a router's tables that a change has made stale, and the actions that wait until all tables
//! are in line again.

use std::collections::BTreeSet;

use super::held::Held;
use super::io::KernelRequest;
use crate::addr::EidPrefix;

/// Changes only mark stale parts. The tables are brought in line at the end of the input
/// ([`Router::settle`](super::Router)), once for all its changes.
#[derive(Debug, Default)]
pub(super) struct Stale {
    /// Everything: much of the configuration is another, or a link changed, and with it any locator.
    pub all: bool,
    /// The static routes: the objects of the kernel that belong to no EID.
    pub routes: bool,
    /// Prefixes with a changed route, or with a host that came or went. They need not be in the database.
    pub prefixes: BTreeSet<EidPrefix>,
    /// Requests to the kernel that are made when its routes are in line.
    pub requests: Vec<KernelRequest>,
    /// Packets whose wait is over: they are decided on anew when the tables are in line.
    pub released: Vec<Held>,
}

impl Stale {
    /// Whether all tables are in line, and nothing waits for that.
    pub(super) fn is_empty(&self) -> bool {
        // By name, so that a new field is not forgotten.
        let Stale { all, routes, prefixes, requests, released } = self;
        !all && !routes && prefixes.is_empty() && requests.is_empty() && released.is_empty()
    }
}
