//! The reasons of changes in the away table.

use std::fmt::{self, Display, Formatter};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{DatabaseReason, MOBILITY, Reason};
use crate::router::discovery::Discovery;

/// The reason why an entry of the away table changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AwayReason {
    /// The local prefix changed.
    Database(DatabaseReason),
    /// The router is not an ETR for the address family any more.
    NotAnEtr,
    /// The dynamic-EID range was configured. A configured range is always in the away table.
    RangeConfigured,
    /// The dynamic-EID range was removed from the configuration.
    RangeDeconfigured,
    /// The host was found here.
    HostFound(Discovery),
    /// The router searched for the host, and no host answered.
    HostNotFound,
    /// A map-server reported the prefix.
    Reported(Report),
    /// The entry has expired.
    Expired,
    /// The mapping system did not answer when the router asked about the entry again.
    NoAnswer,
    /// The table was full, and the entry was removed to add another entry.
    TableFull,
    /// A session with a map-server came up. The map-server reports all prefixes again.
    SessionUp,
    /// The router does not register any prefix that contains this prefix any more. So no map-server
    /// would report that the entry is not valid any more.
    NotReportedAnyMore,
}

/// The way in which a map-server reported the registration of a prefix, with the address of the
/// map-server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Report {
    /// A Mapping Notification on a reliable session.
    MappingNotification(IpAddr),
    /// A Map-Notify that the map-server confirmed.
    MapNotify(IpAddr),
    /// A Map-Notify that the map-server did not confirm in time.
    UnconfirmedMapNotify(IpAddr),
    /// A Map-Reply to a request about the away EID.
    MapReply(IpAddr),
    /// The map-server forwarded the router's own Map-Request to this router: the EID is here.
    OwnRequest(IpAddr),
}

impl Report {
    /// The map-server, or the sender of the Map-Reply.
    pub fn from(self) -> IpAddr {
        match self {
            Report::MappingNotification(from)
            | Report::MapNotify(from)
            | Report::UnconfirmedMapNotify(from)
            | Report::MapReply(from)
            | Report::OwnRequest(from) => from,
        }
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let from = self.from();
        match self {
            Report::MappingNotification(_) => {
                write!(f, "A Mapping Notification from {from} reports the registration")
            }
            Report::MapNotify(_) => {
                write!(
                    f,
                    "A Map-Notify from {from}, which {from} confirmed, reports the registration"
                )
            }
            Report::UnconfirmedMapNotify(_) => {
                write!(
                    f,
                    "A Map-Notify from {from}, which was not confirmed, reports the registration"
                )
            }
            Report::MapReply(_) => {
                write!(f, "A Map-Reply from {from} reports the location of the EID")
            }
            Report::OwnRequest(_) => {
                write!(f, "{from} forwarded the router's own Map-Request back: the EID is here")
            }
        }
    }
}

impl Display for AwayReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            AwayReason::Database(reason) => write!(f, "The local mapping changed: {reason}"),
            AwayReason::NotAnEtr => f.write_str("The router is not an ETR of the family any more"),
            AwayReason::RangeConfigured => f.write_str("The dynamic-EID range was configured"),
            AwayReason::RangeDeconfigured => {
                f.write_str("The dynamic-EID range was removed from the configuration")
            }
            AwayReason::HostFound(discovery) => write!(f, "The host {}", discovery.describe()),
            AwayReason::HostNotFound => f.write_str("No host answered the search for the EID"),
            AwayReason::Reported(report) => report.fmt(f),
            AwayReason::Expired => f.write_str("The entry expired"),
            AwayReason::NoAnswer => f.write_str(
                "The mapping system did not answer the new request for the location of the EID",
            ),
            AwayReason::TableFull => {
                f.write_str("The table was full, and the entry was the oldest")
            }
            AwayReason::SessionUp => f.write_str(
                "A session came up, and the map-server reports all prefixes again on this session",
            ),
            AwayReason::NotReportedAnyMore => f.write_str(
                "The router does not register any prefix that contains this prefix any \
                             more",
            ),
        }
    }
}

impl Reason for AwayReason {
    fn section(&self) -> &'static str {
        match self {
            AwayReason::Database(_) => "Cisco LISP Generalized SMR, Away Table",
            AwayReason::NotAnEtr => "IOS: ip lisp etr",
            AwayReason::RangeConfigured | AwayReason::RangeDeconfigured => "IOS: dynamic-eid",
            AwayReason::HostFound(_) => "draft-ietf-lisp-eid-mobility section 4.2.1",
            AwayReason::HostNotFound
            | AwayReason::Expired
            | AwayReason::NoAnswer
            | AwayReason::TableFull => MOBILITY,
            AwayReason::Reported(Report::MappingNotification(_)) | AwayReason::SessionUp => {
                "draft-kouvelas-lisp-map-server-reliable-transport section 5.5"
            }
            AwayReason::Reported(Report::MapNotify(_) | Report::UnconfirmedMapNotify(_)) => {
                "RFC 9301 section 5.7"
            }
            AwayReason::Reported(Report::MapReply(_)) => "RFC 9301 section 5.5",
            AwayReason::Reported(Report::OwnRequest(_)) | AwayReason::NotReportedAnyMore => {
                "RFC 9301 section 8.3"
            }
        }
    }
}
