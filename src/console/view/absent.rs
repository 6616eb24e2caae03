//! The data of a `show` command about a feature of IOS that this router does not have.

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
    /// `show ip ospf`, `show route-map` and others: routing protocols and their policies.
    RoutingProtocols,
    /// `show access-lists`, `show policy-map` and others: filters and quality of service.
    Filters,
    /// `show crypto`: encryption of packets.
    Encryption,
    /// `show vlan`, `show spanning-tree` and others: functions of a switch.
    Switching,
    /// `show cdp`, `show lldp`: protocols with which neighbours announce their names.
    NeighbourDiscovery,
    /// `show adjacency`, `show ip mroute` and others: tables that only the kernel has, or that do
    /// not exist at all.
    KernelTables,
    /// `show standby`, `show track` and others: gateways that share an address.
    GatewayRedundancy,
    /// `show environment`, `show module` and others: hardware and its licences.
    Hardware,
    /// `show ntp`: sources of the time.
    TimeSources,
    /// `show ip dhcp`, `show snmp` and others: services for other machines and for users.
    Services,
    /// `show lisp publisher`, `show lisp subscription` and others: publications of mappings.
    Publications,
    /// `show device-tracking`: the hosts at the ports.
    DeviceTracking,
}
