//! The data of `show lisp` and of `show lisp locator-set`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::addr::InstanceId;
use crate::router::database::LocatorOrigin;

/// The settings of `router lisp` for all instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RouterLispView {
    /// The instances of the configuration.
    pub instances: Vec<InstanceId>,
    /// The names of the locator-sets.
    pub locator_sets: Vec<String>,
}

/// The locator-sets of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LocatorSetsView {
    /// The locators of each set, by the name of the set.
    pub locator_sets: BTreeMap<String, Vec<SetLocatorRow>>,
}

/// A locator of a locator-set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetLocatorRow {
    /// The address of the locator. Absent if its interface has no address.
    pub rloc: Option<IpAddr>,
    /// The priority of the locator. A lower value is preferred.
    pub priority: u8,
    /// The weight of the locator: its share of the traffic.
    pub weight: u8,
    /// The origin of the address.
    pub source: LocatorOrigin,
}
