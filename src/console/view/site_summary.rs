//! The data of `show lisp site summary`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The counts of all sites.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SiteSummaryView")]
pub struct SummaryView {
    /// The counts of each site. The first counts are for IPv4, the second for IPv6.
    pub sites: BTreeMap<String, [Counts; 2]>,
    /// The number of registrations by all xTRs.
    pub registrations: usize,
    /// The number of events in the registration history.
    pub history_size: usize,
    /// The maximum number of events in the registration history.
    pub history_limit: usize,
}

/// The counts of a site for one family of EIDs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SiteCounts")]
pub struct Counts {
    /// The number of EID prefixes in the configuration.
    pub configured: usize,
    /// The number of EID prefixes with a registration.
    pub registered: usize,
}
