//! The parts of a router's tables that a change has made stale, and the actions that wait until all
//! tables are up to date again.

use std::collections::BTreeSet;

use super::held::Held;
use super::io::KernelRequest;
use crate::addr::EidPrefix;

/// The parts that are stale. A change does not update the tables: it marks parts as stale. At the
/// end of the input, [`Router::settle`](super::Router) updates these parts, once for all changes of
/// the input.
#[derive(Debug, Default)]
pub(super) struct Stale {
    /// All parts are stale, because much of the configuration has changed, or because a link has
    /// changed. A link can affect any locator.
    pub all: bool,
    /// The static routes are stale. They are objects of the kernel that belong to no EID.
    pub routes: bool,
    /// Prefixes with a changed route, or with a host that arrived or left. The list may contain
    /// prefixes that the database does not have.
    pub prefixes: BTreeSet<EidPrefix>,
    /// Requests to the kernel that are sent after its routes have been updated.
    pub requests: Vec<KernelRequest>,
    /// Packets that do not wait any more. They are processed again after the tables have been
    /// updated.
    pub released: Vec<Held>,
}

impl Stale {
    /// Whether all tables are up to date, and no action waits for an update.
    pub(super) fn is_empty(&self) -> bool {
        // All fields are named, so that a new field cannot be omitted.
        let Stale { all, routes, prefixes, requests, released } = self;
        !all && !routes && prefixes.is_empty() && requests.is_empty() && released.is_empty()
    }
}
