//! The reasons why an EID is in the away table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The reason for an entry of the away table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Producer {
    /// A database mapping that has no route.
    NoRoute,
    /// A database mapping that was de-configured.
    Deconfigured,
    /// A dynamic-EID range, or a host of a range after this host has left its port. (Hosts that are
    /// on a port of this router are in the database.)
    DynamicEid,
    /// A more specific prefix of a local prefix, registered by another xTR.
    SiteRegistration,
}

impl Producer {
    /// The form in which `show ip lisp away` prints the reason.
    pub fn describe(self) -> &'static str {
        match self {
            Producer::NoRoute | Producer::Deconfigured => "local EID",
            Producer::DynamicEid => "dyn-eid",
            Producer::SiteRegistration => "site-registration",
        }
    }

    /// Whether the EID may be at another xTR, so that packets for this EID have to be routed into
    /// `lisp0`.
    pub(super) fn leads_elsewhere(self) -> bool {
        matches!(self, Producer::DynamicEid | Producer::SiteRegistration)
    }
}
