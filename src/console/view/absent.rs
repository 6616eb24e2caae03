//! The data of a `show` about a feature of IOS that this router does not have.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A feature of IOS that this router does not have. Its table is always empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AbsentView {
    /// The feature.
    pub feature: Feature,
    /// The number of entries: 0.
    pub entries: usize,
}

/// The features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// `show lisp remote-locator-set`: sets of locators of other sites.
    RemoteLocatorSets,
    /// `show lisp ddt`: a delegated database tree (RFC 8111).
    Ddt,
    /// `show lisp extranet`: policies between instances.
    Extranets,
    /// `show lisp decapsulation filter`: the RLOCs from which packets are decapsulated.
    DecapsulationFilter,
    /// `show lisp platform`: the limits of the hardware.
    Platform,
}
