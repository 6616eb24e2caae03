//! The `show` commands about features that this router does not have.

use crate::console::view::absent::{AbsentView, Feature};

/// The text of a `show` command about routing protocols.
pub const NO_ROUTING_PROTOCOL: &str = "No routing protocol runs: the routes are connected, static and \
                                       LISP (see `show ip route`)\n";

/// The view of a feature.
pub fn view(feature: Feature) -> AbsentView {
    AbsentView { feature, entries: 0 }
}

/// Prints the empty table of the feature, or one sentence about the feature.
pub fn text(view: &AbsentView) -> String {
    match view.feature {
        Feature::RemoteLocatorSets => "There are no remote locator-sets: this router learns \
                                       locators only from Map-Replies.\n"
            .to_owned(),
        Feature::Ddt => "This router does not support DDT: a map-resolver knows only the sites of \
                         its own map-server.\n"
            .to_owned(),
        Feature::Extranets => "This router does not support extranets.\n".to_owned(),
        Feature::DecapsulationFilter => {
            "LISP decapsulation filter for EID table default (IID 0), 0 entries\n".to_owned()
        }
        Feature::RoutingProtocols => NO_ROUTING_PROTOCOL.to_owned(),
        Feature::Filters => "This router has no filters and no quality of service.\n".to_owned(),
        Feature::Encryption => "This router does not encrypt packets.\n".to_owned(),
        Feature::Switching => "This router does not switch frames: the lab file defines the links \
                               and LANs (see `show interfaces status`).\n"
            .to_owned(),
        Feature::NeighbourDiscovery => "No discovery protocol runs: see `show arp` and `show ipv6 \
                                        neighbors` for the neighbours.\n"
            .to_owned(),
        Feature::KernelTables => "The kernel has these tables: see `show arp`, `show ip cef` and \
                                  `show tcp brief`. This router forwards no multicast packets and \
                                  translates no addresses.\n"
            .to_owned(),
        Feature::GatewayRedundancy => "This router shares no gateway address with another router: \
                                       see `show lisp instance-id N dynamic-eid` for roaming \
                                       hosts, whose gateways have one address.\n"
            .to_owned(),
        Feature::Hardware => "A virtual router has no such hardware and no licences: see `show \
                              platform` and `show processes`.\n"
            .to_owned(),
        Feature::TimeSources => {
            "The router uses the clock of its machine: see `show clock`.\n".to_owned()
        }
        Feature::Services => "This router does not have this service: see `show ?`.\n".to_owned(),
        Feature::Publications => "This router does not publish mappings: see `show lisp site` and \
                                  `show lisp session`.\n"
            .to_owned(),
        Feature::DeviceTracking => {
            "LISP tracks the hosts of dynamic-EIDs: see `show lisp dynamic-eid \
                                    summary` and `show arp`.\n"
                .to_owned()
        }
        Feature::Platform => "\
Parallel LISP instance limit:      1
RLOC forwarding support:
 IPv4 RLOC, local:                 OK
 IPv6 RLOC, local:                 OK
 MAC RLOC, local:                  Unsupported
 IPv4 RLOC, remote:                OK
 IPv6 RLOC, remote:                OK
 MAC RLOC, remote:                 Unsupported
Latest supported config style:     Service and instance
Current config style:              Service and instance
"
        .to_owned(),
    }
}
