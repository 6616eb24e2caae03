//! The EID prefixes of sites.

use std::sync::Arc;

use super::registrations::Registrations;
use crate::addr::EidPrefix;

/// An EID prefix of a site. It is configured, or it is registered and inside a configured prefix.
#[derive(Clone, Debug)]
pub struct SiteEntry {
    /// The name of the site. All prefixes of the site share this name.
    pub site: Arc<str>,
    /// Whether registrations of longer prefixes are accepted. False if the prefix is not
    /// configured.
    pub accept_more_specifics: bool,
    /// The configured prefix that contains this prefix; `None` if this prefix is configured itself.
    pub origin: Option<EidPrefix>,
    /// The registrations, sorted by xTR-ID.
    pub registrations: Registrations,
    /// The number of Map-Registers with wrong authentication data.
    pub authentication_failures: u64,
    /// The number of Map-Requests that were forwarded to an ETR of the prefix. After 255, it begins
    /// at 0 again. It selects the ETR for the next Map-Request.
    pub forwarded: u8,
    /// The number of Map-Registers that were refused as replays.
    pub replays: u64,
}

impl SiteEntry {
    pub(super) fn new(
        site: Arc<str>,
        accept_more_specifics: bool,
        origin: Option<EidPrefix>,
    ) -> Self {
        SiteEntry {
            site,
            accept_more_specifics,
            origin,
            registrations: Registrations::default(),
            authentication_failures: 0,
            forwarded: 0,
            replays: 0,
        }
    }

    /// Whether any xTR has registered this prefix.
    pub fn is_registered(&self) -> bool {
        !self.registrations.is_empty()
    }
}
