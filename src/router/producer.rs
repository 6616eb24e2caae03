//! The causes for which an EID stands in the away table.

use serde::{Deserialize, Serialize};

/// The cause of an entry of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Producer {
    /// A database mapping that has no route.
    NoRoute,
    /// A database mapping that was de-configured.
    Deconfigured,
    /// A dynamic-EID range (its hosts that are here stand in the database), or one of its hosts that
    /// went.
    DynamicEid,
    /// A more specific of a local prefix that another xTR registered.
    SiteRegistration,
}

impl Producer {
    /// As `show ip lisp away` prints it.
    pub fn describe(self) -> &'static str {
        match self {
            Producer::NoRoute | Producer::Deconfigured => "local EID",
            Producer::DynamicEid => "dyn-eid",
            Producer::SiteRegistration => "site-registration",
        }
    }

    /// Whether the EID may be elsewhere, so that packets for it are to be led into `lisp0`.
    pub(super) fn leads_elsewhere(self) -> bool {
        matches!(self, Producer::DynamicEid | Producer::SiteRegistration)
    }
}
