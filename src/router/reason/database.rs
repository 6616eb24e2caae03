//! The reasons of changes in the mapping database, and of the departure of hosts.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use super::{MOBILITY, Reason};
use crate::addr::Rloc;
use crate::router::discovery::Discovery;

/// The reason why a local EID prefix changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DatabaseReason {
    /// The prefix was configured.
    Configured,
    /// The prefix was removed from the configuration.
    Deconfigured,
    /// A host of a dynamic-EID range was found.
    HostFound(Discovery),
    /// A host of a dynamic-EID range left.
    HostLeft(Departure),
    /// The kernel has a route to the prefix again.
    RouteFound,
    /// The kernel has no route to the prefix any more.
    RouteLost,
    /// The configuration gives the prefix other locators, or other priorities or weights.
    LocatorsConfigured,
    /// The link of this locator is up again.
    LocatorUp(Rloc),
    /// The link of this locator is down.
    LocatorDown(Rloc),
    /// The first EID prefix of the family got a route, so the locators of this router are reachable
    /// again.
    SiteReachable,
    /// No EID prefix of the family has a route, so no locator of this router is reachable.
    SiteUnreachable,
}

/// The reason why a host of a dynamic-EID range is not here any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Departure {
    /// The host does not answer any more.
    Silent,
    /// Another xTR has registered the host.
    MovedAway,
    /// The router removed the host.
    Lost(HostLoss),
}

/// The reason why the router removed a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostLoss {
    /// The port of the host has no link.
    PortDown,
    /// The port of the host does not serve the range of the host any more.
    NotServed,
    /// The table of hosts was full, and the host was removed to add another host.
    TableFull,
}

impl Departure {
    /// Describes the reason in a clause.
    pub fn describe(self) -> &'static str {
        match self {
            Departure::Silent => "the host does not answer any more",
            Departure::MovedAway => "another xTR has registered the host",
            Departure::Lost(HostLoss::PortDown) => "the port of the host has no link",
            Departure::Lost(HostLoss::NotServed) => {
                "the port of the host does not serve the range of the host any more"
            }
            Departure::Lost(HostLoss::TableFull) => {
                "the table of hosts was full, and another host was added"
            }
        }
    }
}

impl Display for DatabaseReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            DatabaseReason::Configured => f.write_str("the prefix was configured"),
            DatabaseReason::Deconfigured => {
                f.write_str("the prefix was removed from the configuration")
            }
            DatabaseReason::HostFound(discovery) => write!(f, "the host {}", discovery.describe()),
            DatabaseReason::HostLeft(departure) => f.write_str(departure.describe()),
            DatabaseReason::RouteFound => f.write_str("the kernel has a route to the prefix"),
            DatabaseReason::RouteLost => f.write_str("the kernel has no route to the prefix"),
            DatabaseReason::LocatorsConfigured => f.write_str("other locators were configured"),
            DatabaseReason::LocatorUp(rloc) => write!(f, "the link of locator {rloc} is up"),
            DatabaseReason::LocatorDown(rloc) => write!(f, "the link of locator {rloc} is down"),
            DatabaseReason::SiteReachable => {
                f.write_str("an EID prefix of the site has a route again")
            }
            DatabaseReason::SiteUnreachable => f.write_str("no EID prefix of the site has a route"),
        }
    }
}

impl Reason for DatabaseReason {
    fn section(&self) -> &'static str {
        match self {
            DatabaseReason::Configured
            | DatabaseReason::Deconfigured
            | DatabaseReason::LocatorsConfigured => "IOS: database-mapping",
            DatabaseReason::HostFound(_) => "draft-ietf-lisp-eid-mobility section 4.2.1",
            DatabaseReason::HostLeft(_) => MOBILITY,
            DatabaseReason::RouteFound | DatabaseReason::RouteLost => "IOS: show ip lisp database",
            DatabaseReason::LocatorUp(_)
            | DatabaseReason::LocatorDown(_)
            | DatabaseReason::SiteReachable
            | DatabaseReason::SiteUnreachable => "RFC 9301 section 5.4",
        }
    }
}
