//! The `show` commands of IOS about functions that this router does not have. Such a command prints
//! one sentence or an empty table. Often the sentence names a command of this router to use
//! instead.

use super::exec::{IP, IPV6, LISP, SHOW, exec, show};
use super::row::Row;
use crate::console::args::Fault;
use crate::console::exec::Action;
use crate::console::show::{Page, xe};
use crate::console::view::absent::Feature;

/// The help text of a word that names a function that this router does not have.
const ABSENT: &str = "A function that this router does not have";
const ROUTING: &str = "A routing protocol";
const REST: &str = "Options";

fn absent(feature: Feature) -> Result<Action, Fault> {
    show(Page::new(move |_| xe::absent::view(feature), xe::absent::text))
}

pub(super) const ROWS: &[Row] = &[
    exec(
        "show {ip|ipv6} {route [vrf <vrf:word>] {ospf|bgp|eigrp|rip|isis}|ospf|bgp|eigrp|rip|isis|\
         prefix-list|nhrp|policy|community-list|as-path-access-list} [<rest:line>]",
        &[
            SHOW,
            IP,
            IPV6,
            "IP routing table",
            "VRF",
            "VRF name",
            ROUTING,
            ROUTING,
            ROUTING,
            ROUTING,
            ROUTING,
            ROUTING,
            ROUTING,
            ROUTING,
            ROUTING,
            ROUTING,
            ROUTING,
            ROUTING,
            ROUTING,
            ROUTING,
            ROUTING,
            REST,
        ],
        |_, _| absent(Feature::RoutingProtocols),
    ),
    exec(
        "show {bgp|isis|ospfv3|eigrp|bfd|mpls|clns|route-map|dmvpn} [<rest:line>]",
        &[
            SHOW, ROUTING, ROUTING, ROUTING, ROUTING, ROUTING, ROUTING, ROUTING, ROUTING, ROUTING,
            REST,
        ],
        |_, _| absent(Feature::RoutingProtocols),
    ),
    exec(
        "show {access-lists|{ip|ipv6} access-lists|policy-map|class-map|object-group} [<rest:line>]",
        &[SHOW, ABSENT, IP, IPV6, ABSENT, ABSENT, ABSENT, ABSENT, REST],
        |_, _| absent(Feature::Filters),
    ),
    exec("show crypto [<rest:line>]", &[SHOW, ABSENT, REST], |_, _| absent(Feature::Encryption)),
    exec(
        "show {vlan|mac|spanning-tree|etherchannel|vtp|interfaces {trunk|switchport}|errdisable|\
         port-security|storm-control} [<rest:line>]",
        &[
            SHOW, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT,
            ABSENT, REST,
        ],
        |_, _| absent(Feature::Switching),
    ),
    exec(
        "show {cdp|lldp} [<rest:line>]",
        &[SHOW, "Cisco Discovery Protocol", "Link Layer Discovery Protocol", REST],
        |_, _| absent(Feature::NeighbourDiscovery),
    ),
    exec(
        "show {adjacency|ip {sockets|nat|multicast|mroute|igmp|pim}} [<rest:line>]",
        &[SHOW, ABSENT, IP, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, REST],
        |_, _| absent(Feature::KernelTables),
    ),
    exec(
        "show {standby|vrrp|glbp|track} [<rest:line>]",
        &[SHOW, ABSENT, ABSENT, ABSENT, ABSENT, REST],
        |_, _| absent(Feature::GatewayRedundancy),
    ),
    exec(
        "show {environment|module|diag|redundancy|switch|power|stacks|buffers|sdm|rom-monitor|\
         bootvar|hardware|license|system} [<rest:line>]",
        &[
            SHOW, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT,
            ABSENT, ABSENT, ABSENT, ABSENT, REST,
        ],
        |_, _| absent(Feature::Hardware),
    ),
    exec(
        "show {ntp|calendar|sntp} [<rest:line>]",
        &[SHOW, ABSENT, ABSENT, ABSENT, REST],
        |_, _| absent(Feature::TimeSources),
    ),
    exec(
        "show {ip {dhcp|dns|ssh|sla|http}|dhcp|ssh|snmp|aaa|event|call-home|archive|macro|key|\
         line|sessions|cts|template|monitor} [<rest:line>]",
        &[
            SHOW, IP, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT,
            ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, REST,
        ],
        |_, _| absent(Feature::Services),
    ),
    exec(
        "show lisp {publisher|publication|subscription|subscriber|redundancy|policy} [<rest:line>]",
        &[SHOW, LISP, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, REST],
        |_, _| absent(Feature::Publications),
    ),
    exec("show device-tracking [<rest:line>]", &[SHOW, ABSENT, REST], |_, _| {
        absent(Feature::DeviceTracking)
    }),
];
