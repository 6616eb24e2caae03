//! The EID prefixes of sites.

use std::sync::Arc;

use super::registrations::Registrations;
use crate::addr::EidPrefix;

/// An EID prefix of a site: configured, or registered as a more specific of a configured one.
#[derive(Clone, Debug)]
pub struct SiteEntry {
    /// The site's name, which all its prefixes share.
    pub site: Arc<str>,
    /// Whether registrations of longer prefixes are accepted; false if the prefix is not
    /// configured.
    pub accept_more_specifics: bool,
    /// The configured prefix that this one is a more specific of; `None` when it is configured
    /// itself.
    pub origin: Option<EidPrefix>,
    /// The registrations, by xTR-ID.
    pub registrations: Registrations,
    /// Registers with wrong authentication.
    pub authentication_failures: u64,
    /// Registers that were refused as replays.
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
            replays: 0,
        }
    }

    /// Whether any xTR has registered this prefix.
    pub fn is_registered(&self) -> bool {
        !self.registrations.is_empty()
    }
}
