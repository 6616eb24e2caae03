//! The reasons of events: each change of a table has one.

use std::fmt::{self, Display, Formatter};

use super::{Departure, MOBILITY, Reason};
use crate::router::event::{
    Event, HostChange, LocatorChange, MapServerChange, ReachableAgain, RegistrationChange,
    Unreachable,
};

impl Event {
    /// Returns the reason of a change of a table. Returns `None` if the event is not a change of a
    /// table, or if the event itself is the reason.
    pub fn reason(&self) -> Option<&dyn Reason> {
        Some(match self {
            Event::Mapping { reason, .. } => reason,
            Event::Away { reason, .. } => reason,
            Event::Database { reason, .. } => reason,
            Event::Host { change, .. } => change,
            Event::Registration { change, .. } => change,
            Event::SiteRegistration { reason, .. } => reason,
            Event::Locator { change, .. } => change,
            Event::MapServer {
                change: MapServerChange::SessionUp(reason) | MapServerChange::SessionDown(reason),
                ..
            }
            | Event::EtrSession { reason, .. } => reason,
            _ => return None,
        })
    }
}

impl Display for HostChange {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            HostChange::Found { discovery, .. } => write!(f, "The host {}", discovery.describe()),
            HostChange::Confirmed => f.write_str(
                "The host answered, although a map-server reported the host at another xTR",
            ),
            HostChange::Silent => f.write_str("The host does not answer any more"),
            HostChange::Lost(loss) => {
                write!(f, "The host left: {}", Departure::Lost(*loss).describe())
            }
            HostChange::MovedAway { .. } => f.write_str("Another xTR has registered the host"),
            HostChange::Duplicate { changes, seconds, .. } => {
                write!(f, "The host changed its xTR more than {changes} times in {seconds} s")
            }
            HostChange::TurnedAway { hosts, .. } => {
                write!(f, "The table of hosts is full: {hosts} hosts are here")
            }
        }
    }
}

impl Reason for HostChange {
    fn section(&self) -> &'static str {
        match self {
            HostChange::Found { .. } | HostChange::Confirmed | HostChange::TurnedAway { .. } => {
                "draft-ietf-lisp-eid-mobility section 4.2.1"
            }
            HostChange::Silent
            | HostChange::Lost(_)
            | HostChange::MovedAway { .. }
            | HostChange::Duplicate { .. } => MOBILITY,
        }
    }
}

impl Display for RegistrationChange {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            RegistrationChange::Begun(reason)
            | RegistrationChange::Pending(reason)
            | RegistrationChange::Ended(reason) => reason.fmt(f),
            RegistrationChange::Acknowledged(reason) => reason.fmt(f),
            RegistrationChange::Rejected(why) => {
                write!(f, "A Registration Reject refused the registration: {why}")
            }
            RegistrationChange::Lapsed => {
                f.write_str("No Map-Notify acknowledged the registration for three minutes")
            }
        }
    }
}

impl Reason for RegistrationChange {
    fn section(&self) -> &'static str {
        match self {
            RegistrationChange::Begun(reason)
            | RegistrationChange::Pending(reason)
            | RegistrationChange::Ended(reason) => Reason::section(reason),
            RegistrationChange::Acknowledged(reason) => reason.section(),
            RegistrationChange::Rejected(_) => {
                "draft-kouvelas-lisp-map-server-reliable-transport section 5.3"
            }
            RegistrationChange::Lapsed => "RFC 9301 section 8.2",
        }
    }
}

impl Display for LocatorChange {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            LocatorChange::Unreachable(Unreachable::NoRoute) => {
                f.write_str("The kernel has no route to the locator")
            }
            LocatorChange::Unreachable(Unreachable::Icmp { reporter, kind }) => {
                write!(f, "{reporter} reported by ICMP: {}", kind.describe())
            }
            LocatorChange::Unreachable(Unreachable::NoEcho) => {
                f.write_str("The locator does not echo the nonce of a data packet")
            }
            LocatorChange::Reachable(ReachableAgain::TimeOver) => f.write_str(
                "The report that the locator is unreachable is too old, and the router uses the \
                 locator again",
            ),
            LocatorChange::Reachable(ReachableAgain::NewRoute) => {
                f.write_str("The kernel has a new route, which may lead to the locator")
            }
            LocatorChange::Reachable(ReachableAgain::TableFull) => f.write_str(
                "The table of unreachable locators was full, and the report about this locator was \
                 removed",
            ),
            LocatorChange::PathMtu { mtu, reporter } => {
                write!(f, "{reporter} reported by ICMP that the path has an MTU of {mtu} octets")
            }
        }
    }
}

impl Reason for LocatorChange {
    fn section(&self) -> &'static str {
        match self {
            LocatorChange::Unreachable(Unreachable::NoEcho) => "RFC 9300 section 10.1",
            LocatorChange::PathMtu { .. } => "RFC 9300 section 7.2",
            LocatorChange::Unreachable(_) | LocatorChange::Reachable(_) => "RFC 9300 section 10",
        }
    }
}
