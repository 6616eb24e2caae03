//! The data of `show hosts`.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The host names that `ping`, `traceroute` and `lig` accept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostNamesView {
    /// The names, in alphabetical order.
    pub hosts: Vec<HostNameRow>,
}

/// The name of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostNameRow {
    /// The name.
    pub name: String,
    /// The addresses of the host.
    pub addresses: Vec<IpAddr>,
    /// The origin of the name.
    pub origin: NameOrigin,
}

/// The origin of a name. If a name has several origins, the first of these origins in the following
/// list is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NameOrigin {
    /// `ip host` or `ipv6 host` of the configuration.
    Configuration,
    /// `emulated-host` of the configuration.
    EmulatedHost,
    /// The lab in which the router runs.
    Lab,
}
