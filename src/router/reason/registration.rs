//! The reasons of changes of registrations: at the ETR that registers, and at the map-server.

use std::fmt::{self, Display, Formatter};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Reason;

/// The message or the session event that acknowledged a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AcknowledgementReason {
    /// A Map-Notify.
    MapNotify,
    /// A Registration Ack on a session.
    RegistrationAck,
    /// A session came up. Until the ETR has registered on the session, the map-server keeps the
    /// registrations that it received by UDP.
    SessionUp,
    /// A session ended. The map-server keeps the registrations of the session for another three
    /// minutes.
    SessionDown,
}

impl Display for AcknowledgementReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AcknowledgementReason::MapNotify => "A Map-Notify acknowledged the Map-Register",
            AcknowledgementReason::RegistrationAck => {
                "A Registration Ack acknowledged the Registration"
            }
            AcknowledgementReason::SessionUp => "The session with the map-server came up",
            AcknowledgementReason::SessionDown => "The session with the map-server ended",
        })
    }
}

impl Reason for AcknowledgementReason {
    fn section(&self) -> &'static str {
        match self {
            AcknowledgementReason::MapNotify => "RFC 9301 section 5.7",
            AcknowledgementReason::RegistrationAck => {
                "draft-kouvelas-lisp-map-server-reliable-transport section 5.2"
            }
            AcknowledgementReason::SessionUp | AcknowledgementReason::SessionDown => {
                "draft-kouvelas-lisp-map-server-reliable-transport section 6.2"
            }
        }
    }
}

/// The reason why the registrations of a prefix at a map-server changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SiteReason {
    /// A Map-Register from this address.
    MapRegister(IpAddr),
    /// A Registration on a session with this address.
    Registration(IpAddr),
    /// A Map-Register or Registration with a TTL of zero from this address.
    Withdrawn(IpAddr),
    /// The registration was not renewed in time.
    Expired,
    /// The prefix was configured for a site.
    Configured,
    /// The prefix was removed from its site, or its site was removed.
    Deconfigured,
}

impl Display for SiteReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            SiteReason::MapRegister(from) => write!(f, "A Map-Register came from {from}"),
            SiteReason::Registration(from) => {
                write!(f, "A Registration came on the session with {from}")
            }
            SiteReason::Withdrawn(from) => write!(f, "{from} withdrew its registration"),
            SiteReason::Expired => f.write_str("The registration was not renewed in time"),
            SiteReason::Configured => f.write_str("The prefix was configured for a site"),
            SiteReason::Deconfigured => {
                f.write_str("The prefix was removed from the configuration of its site")
            }
        }
    }
}

impl Reason for SiteReason {
    fn section(&self) -> &'static str {
        match self {
            SiteReason::MapRegister(_) => "RFC 9301 section 5.6",
            SiteReason::Registration(_) => {
                "draft-kouvelas-lisp-map-server-reliable-transport section 5.1"
            }
            SiteReason::Withdrawn(_) | SiteReason::Expired => "RFC 9301 section 8.2",
            SiteReason::Configured | SiteReason::Deconfigured => "IOS: lisp site, eid-prefix",
        }
    }
}
