//! The reasons of changes in the map-cache.

use std::fmt::{self, Display, Formatter};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{MOBILITY, Reason};
use crate::addr::{EidPrefix, Rloc};

/// The reason why an entry of the map-cache changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MappingReason {
    /// A Map-Reply from this address.
    MapReply(IpAddr),
    /// A Map-Reply from this address has a TTL of zero for the prefix.
    TtlOfZero(IpAddr),
    /// The TTL of the record has ended.
    Expired,
    /// A Map-Reply contains this wider prefix for the requested EID, so the longer prefix of the
    /// entry is not valid any more.
    ReplacedBy(EidPrefix),
    /// The map-cache was full, and the entry was removed to add another mapping.
    Evicted,
    /// The operator cleared the map-cache.
    Cleared,
    /// The host of the entry was found on a LAN of this router.
    HostFound,
    /// A packet that this locator encapsulated has other Locator-Status-Bits than earlier packets.
    StatusBits(Rloc),
    /// The static entry was configured.
    Configured,
    /// The static entry was removed from the configuration.
    Deconfigured,
}

impl Display for MappingReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            MappingReason::MapReply(from) => write!(f, "A Map-Reply came from {from}"),
            MappingReason::TtlOfZero(from) => {
                write!(f, "A Map-Reply from {from} has a TTL of zero for the prefix")
            }
            MappingReason::Expired => f.write_str("The TTL of the mapping record ended"),
            MappingReason::ReplacedBy(prefix) => {
                write!(f, "A Map-Reply gave the wider prefix {prefix} for the requested EID")
            }
            MappingReason::Evicted => {
                f.write_str("The map-cache was full, and the entry was the least recently used one")
            }
            MappingReason::Cleared => f.write_str("The operator cleared the map-cache"),
            MappingReason::HostFound => f.write_str("The host was found on a LAN of this router"),
            MappingReason::StatusBits(from) => {
                write!(f, "A packet that {from} encapsulated has other Locator-Status-Bits")
            }
            MappingReason::Configured => f.write_str("The static entry was configured"),
            MappingReason::Deconfigured => {
                f.write_str("The static entry was removed from the configuration")
            }
        }
    }
}

impl Reason for MappingReason {
    fn section(&self) -> &'static str {
        match self {
            MappingReason::MapReply(_) | MappingReason::ReplacedBy(_) => "RFC 9301 section 5.5",
            MappingReason::TtlOfZero(_) | MappingReason::Expired => "RFC 9301 section 5.4",
            MappingReason::Evicted => "IOS: ip lisp map-cache-limit",
            MappingReason::Cleared => "IOS: clear ip lisp map-cache",
            MappingReason::HostFound => MOBILITY,
            MappingReason::StatusBits(_) => "RFC 9300 section 10",
            MappingReason::Configured | MappingReason::Deconfigured => {
                "IOS: map-cache EID-PREFIX map-request"
            }
        }
    }
}
