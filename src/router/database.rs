//! The mapping database: the EID prefixes of this site and their locators (RFC 9300 section 3,
//! EID-to-RLOC Database).

use serde::Serialize;

use crate::addr::{EidPrefix, Rloc};
use crate::prefix_map::PrefixMap;
use crate::time::Time;

/// Where the address of a local locator comes from, as `show ip lisp database` prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum LocatorOrigin {
    /// Configured as an address.
    #[serde(rename = "cfg-addr")]
    ConfiguredAddress,
    /// The address of a configured interface.
    #[serde(rename = "cfg-intf")]
    ConfiguredInterface,
}

/// A locator of a database entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LocalLocator {
    /// Its address.
    pub rloc: Rloc,
    /// Lower is preferred; 255 is never used.
    pub priority: u8,
    /// The share of flows among equal priorities.
    pub weight: u8,
    /// Where the address comes from.
    pub origin: LocatorOrigin,
    /// Whether it is this router's own; otherwise another xTR's of the site.
    pub own: bool,
    /// Whether it is reported as reachable (the R bit).
    pub reachable: bool,
}

/// A local EID prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The locator-set's name, or `None` for inline locators.
    pub locator_set: Option<String>,
    /// In the order of their addresses, as records carry them (RFC 9301 section 5.4).
    pub locators: Vec<LocalLocator>,
    /// Whether the RIB has a route to it: without one it is `*** NO ROUTE TO EID PREFIX ***`.
    pub has_route: bool,
    /// When it was configured.
    pub created_at: Time,
    /// When its locators or its route last changed.
    pub changed_at: Time,
}

/// The local EID prefixes of all instances and both families.
pub type Database = PrefixMap<Entry>;

/// Whether every entry of a family lacks a route: then the router reports its own locators as
/// unreachable (IOS: `*** ALL CONFIGURED LOCAL EID PREFIXES HAVE NO ROUTE ***`).
pub fn all_without_route<'a>(entries: impl Iterator<Item = (EidPrefix, &'a Entry)>) -> bool {
    let mut any = false;
    for (_, entry) in entries {
        if entry.has_route {
            return false;
        }
        any = true;
    }
    any
}
