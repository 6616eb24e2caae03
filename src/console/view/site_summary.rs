//! The data of `show lisp site summary`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The counts of all sites.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryView {
    /// The counts by site: IPv4, then IPv6.
    pub sites: BTreeMap<String, [Counts; 2]>,
    /// The number of registrations of all xTRs.
    pub registrations: usize,
}

/// The counts of a site for one family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// EID prefixes in the configuration.
    pub configured: usize,
    /// EID prefixes with a registration.
    pub registered: usize,
}
