//! The cases. The core is at `et0-0`: the next router is 10.0.0.2 (2001:db8:c::2), and `01` is its
//! short hardware address. The hosts of the site are at `et1-0`.

use std::time::Duration;

use eidway::addr::{Family, Rloc};
use eidway::router::config::InterfaceName;
use eidway::router::io::{
    Device, KernelObject, KernelRequest, Mac, RouteTarget, RuleSelector, Table,
};

use crate::frames::{
    CORE, CORE_PORT, HOST, OTHER, SITE_PORT, announces, answers, asks, echo, to_port, udp,
    whole_udp,
};
use crate::machine::{Act, Case, Step};

const CORE_DEVICE: Device = Device::Interface(InterfaceName::ethernet(0, 0));
const SITE_DEVICE: Device = Device::Interface(InterfaceName::ethernet(1, 0));

/// The addresses of one family in the cases.
pub struct Net {
    pub family: Family,
    /// At the site: the address of the gateway, of a host, and of another host.
    pub gateway: &'static str,
    pub host: &'static str,
    pub other: &'static str,
    /// The network of the site, a network behind the router of the core, and a host in that
    /// network.
    pub site: &'static str,
    pub far: &'static str,
    pub far_host: &'static str,
    /// In the core: the address of the router under test, and the address of the next router.
    pub own: &'static str,
    pub core: &'static str,
    /// The source of a question for a host at the site, if no packet waits for the host.
    pub asker: &'static str,
    pub default: &'static str,
}

pub const NETS: [Net; 2] = [
    Net {
        family: Family::Ipv4,
        gateway: "172.16.0.1",
        host: "172.16.0.12",
        other: "172.16.0.13",
        site: "172.16.0.0/24",
        far: "10.9.0.0/16",
        far_host: "10.9.0.9",
        own: "10.0.0.1",
        core: "10.0.0.2",
        asker: "172.16.0.1",
        default: "0.0.0.0/0",
    },
    Net {
        family: Family::Ipv6,
        gateway: "2001:db8:a::1",
        host: "2001:db8:a::12",
        other: "2001:db8:a::13",
        site: "2001:db8:a::/64",
        far: "2001:db8:9::/48",
        far_host: "2001:db8:9::9",
        own: "2001:db8:c::1",
        core: "2001:db8:c::2",
        asker: "fe80::1",
        default: "::/0",
    },
];

impl Net {
    pub fn is_v4(&self) -> bool {
        self.family == Family::Ipv4
    }

    /// The text for the family: `v4` or `v6`.
    pub fn either<'a>(&self, v4: &'a str, v6: &'a str) -> &'a str {
        if self.is_v4() { v4 } else { v6 }
    }
}

/// All cases, for both families.
pub fn all() -> Vec<Case> {
    let cases: [fn(&Net) -> Case; 25] = [
        known_hosts_are_sent_to_with_one_hop_less,
        unknown_hosts_are_asked_for_and_then_sent_to,
        silent_hosts_are_unreachable_after_three_questions,
        the_last_hop_is_told_to_the_sender,
        too_big_is_told_to_the_sender,
        without_route_there_is_an_error,
        a_blackhole_is_silent,
        an_unreachable_route_is_not,
        what_lisp0_emits_takes_no_route_into_lisp0,
        what_is_said_from_the_rloc_takes_no_route_into_lisp0,
        an_error_may_take_the_route_into_lisp0,
        the_guard_holds_when_the_site_is_down,
        routes_go_with_their_link_and_connected_ones_return,
        routes_without_carrier_stay_and_are_not_used,
        a_mobility_port_has_no_network_and_answers_for_its_gateway,
        announcements_are_believed_on_a_mobility_port_alone,
        a_host_is_probed_and_forgotten,
        a_silent_host_fails,
        a_proxy_answers_for_who_has_gone,
        a_proxy_that_somebody_deletes_is_told,
        routes_go_with_the_address_that_is_their_source,
        a_host_that_moved_changes_its_hardware_address,
        addresses_outlive_a_shutdown,
        a_link_that_goes_takes_its_proxies,
        the_nodes_own_packets_are_fragmented,
    ];
    let of_net = |net| cases.iter().map(move |case| case(net));
    NETS.iter().flat_map(of_net).collect()
}

fn case(net: &Net, name: &str, setup: Vec<Act>, steps: Vec<Step>) -> Case {
    Case { name: format!("{name} ({})", net.family), setup, steps }
}

fn step(act: Act, expected: &[String]) -> Step {
    Step { act, expected: expected.to_vec(), within: Duration::from_millis(1500) }
}

fn patient(step: Step) -> Step {
    Step { within: Duration::from_secs(6), ..step }
}

fn add(object: KernelObject) -> Act {
    Act::Want(KernelRequest::Add(object))
}

fn link(device: Device, mac: Option<Mac>, mobility: bool) -> Act {
    let mtu = (device == Device::Lisp).then_some(1464);
    add(KernelObject::Link { device, up: true, mtu, proxy_arp: false, mac, mobility })
}

fn address(device: Device, address: &str, len: u8, connected: bool) -> Act {
    let address = format!("{address}/{len}").parse().unwrap();
    add(KernelObject::Address { device, address, connected })
}

fn route(table: Table, prefix: &str, target: RouteTarget) -> Act {
    let prefix = prefix.parse().unwrap();
    let metric = if target == RouteTarget::Unreachable { u32::MAX } else { 0 };
    add(KernelObject::Route { table, prefix, target, metric, source: None })
}

fn host_route(host: &str, device: Device) -> Act {
    let prefix = std::net::IpAddr::into(host.parse().unwrap());
    let target = RouteTarget::Device(device);
    add(KernelObject::Route { table: Table::Main, prefix, target, metric: 0, source: None })
}

fn rules(net: &Net) -> Vec<Act> {
    let own = RuleSelector::Source(Rloc(net.own.parse().unwrap()));
    [
        (100, RuleSelector::FromLisp, Table::Main),
        (101, RuleSelector::FromLisp, Table::Native),
        (102, own, Table::Main),
        (103, own, Table::Native),
    ]
    .map(|(priority, selector, table)| {
        add(KernelObject::Rule { family: net.family, priority, selector, table })
    })
    .to_vec()
}

/// Sets up the port to the core. The router of the core is a known neighbour.
fn core(net: &Net) -> Vec<Act> {
    let len = if net.is_v4() { 24 } else { 64 };
    vec![
        link(Device::Lisp, None, false),
        link(CORE_DEVICE, Some(Mac(CORE_PORT)), false),
        address(CORE_DEVICE, net.own, len, true),
        Act::Meet("et0-0", asks(CORE, net.core, net.own)),
        route(Table::Main, net.far, RouteTarget::NextHop(net.core.parse().unwrap())),
    ]
}

/// Sets up the core and a site without roaming hosts.
fn site(net: &Net) -> Vec<Act> {
    let len = if net.is_v4() { 24 } else { 64 };
    let mut acts = core(net);
    acts.push(link(SITE_DEVICE, Some(Mac(SITE_PORT)), false));
    if !net.is_v4() {
        acts.push(address(SITE_DEVICE, "fe80::1", 64, true));
    }
    acts.push(address(SITE_DEVICE, net.gateway, len, true));
    acts
}

/// Sets up the core and a site with roaming hosts.
fn roaming(net: &Net) -> Vec<Act> {
    let len = if net.is_v4() { 24 } else { 64 };
    let mut acts = core(net);
    acts.push(link(SITE_DEVICE, Some(Mac(SITE_PORT)), true));
    if !net.is_v4() {
        acts.push(address(SITE_DEVICE, "fe80::1", 64, true));
    }
    acts.push(address(SITE_DEVICE, net.gateway, len, false));
    acts
}

/// Sets up the routes of an xTR. The default route leads into `lisp0`; the default route of the
/// table of native routes leads to the core.
fn xtr(net: &Net) -> Vec<Act> {
    let mut acts = site(net);
    acts.extend(rules(net));
    acts.push(route(Table::Main, net.default, RouteTarget::Device(Device::Lisp)));
    let core = RouteTarget::NextHop(net.core.parse().unwrap());
    acts.push(route(Table::Native, net.default, core));
    acts.push(route(Table::Native, net.site, RouteTarget::Blackhole));
    acts
}

fn meet_host(net: &Net) -> Act {
    Act::Meet("et1-0", asks(HOST, net.host, net.gateway))
}

/// A packet from a far host to the host at the site. The router of the core delivers it.
fn for_host(net: &Net, ttl: u8) -> Act {
    let packet = udp(net.far_host, net.host, ttl, 100);
    Act::Frame("et0-0", to_port("et0-0", CORE, packet))
}

fn udp_line(port: &str, to: &str, ends: (&str, &str), ttl: u8, len: usize) -> String {
    format!("{port} to {to}: {} > {} ttl {ttl} len {len} UDP 1111 > 2222", ends.0, ends.1)
}

fn known_hosts_are_sent_to_with_one_hop_less(net: &Net) -> Case {
    let mut setup = site(net);
    setup.push(meet_host(net));
    let line = udp_line("et1-0", "12", (net.far_host, net.host), 63, 100);
    case(
        net,
        "known hosts are sent to with one hop less",
        setup,
        vec![step(for_host(net, 64), &[line])],
    )
}

fn unknown_hosts_are_asked_for_and_then_sent_to(net: &Net) -> Case {
    let asker = net.either(net.gateway, "fe80::1");
    let answer = answers("et1-0", HOST, net.host, asker);
    case(
        net,
        "unknown hosts are asked for and then sent to",
        site(net),
        vec![
            step(for_host(net, 64), &[format!("et1-0 to all: who has {}, tell {asker}", net.host)]),
            Step {
                within: Duration::from_millis(400),
                ..step(
                    Act::Frame("et1-0", answer),
                    &[
                        udp_line("et1-0", "12", (net.far_host, net.host), 63, 100),
                        format!("told: et1-0 {} at 12", net.host),
                    ],
                )
            },
        ],
    )
}

fn silent_hosts_are_unreachable_after_three_questions(net: &Net) -> Case {
    let asker = net.either(net.gateway, "fe80::1");
    let question = format!("et1-0 to all: who has {}, tell {asker}", net.host);
    let error = match net.is_v4() {
        true => "10.0.0.1 > 10.9.0.9 ttl 64 len 128 unreachable Host".to_owned(),
        false => "2001:db8:c::1 > 2001:db8:9::9 ttl 64 len 148 unreachable Address".to_owned(),
    };
    case(
        net,
        "silent hosts are unreachable after three questions",
        site(net),
        vec![patient(step(
            for_host(net, 64),
            &[
                question.clone(),
                question.clone(),
                question,
                format!("told: et1-0 {} failed", net.host),
                format!("et0-0 to 01: {error}"),
            ],
        ))],
    )
}

fn the_last_hop_is_told_to_the_sender(net: &Net) -> Case {
    let size = if net.is_v4() { 128 } else { 148 };
    let line =
        format!("et0-0 to 01: {} > {} ttl 64 len {size} time exceeded", net.own, net.far_host);
    case(
        net,
        "the last hop is told to the sender",
        site(net),
        vec![step(for_host(net, 1), &[line])],
    )
}

fn too_big_is_told_to_the_sender(net: &Net) -> Case {
    let mut setup = site(net);
    setup.push(meet_host(net));
    setup.push(host_route(net.other, Device::Lisp));
    let packet = whole_udp(net.far_host, net.other, 64, 1465);
    let fits = whole_udp(net.far_host, net.other, 64, 1464);
    let error = match net.is_v4() {
        true => {
            "10.0.0.1 > 10.9.0.9 ttl 64 len 576 unreachable FragmentationNeeded { next_hop_mtu: 1464 }"
        }
        false => "2001:db8:c::1 > 2001:db8:9::9 ttl 64 len 1280 packet too big, mtu 1464",
    };
    let through =
        format!("lisp0: {} > {} ttl 63 len 1464 UDP 1111 > 2222", net.far_host, net.other);
    case(
        net,
        "too big is told to the sender",
        setup,
        vec![
            step(
                Act::Frame("et0-0", to_port("et0-0", CORE, packet)),
                &[format!("et0-0 to 01: {error}")],
            ),
            step(Act::Frame("et0-0", to_port("et0-0", CORE, fits)), &[through]),
        ],
    )
}

fn without_route_there_is_an_error(net: &Net) -> Case {
    let packet = udp(net.far_host, net.either("10.77.0.1", "2001:db8:77::1"), 64, 100);
    let error = match net.is_v4() {
        true => "10.0.0.1 > 10.9.0.9 ttl 64 len 128 unreachable Network",
        false => "2001:db8:c::1 > 2001:db8:9::9 ttl 64 len 148 unreachable NoRoute",
    };
    case(
        net,
        "without route there is an error",
        site(net),
        vec![step(
            Act::Frame("et0-0", to_port("et0-0", CORE, packet)),
            &[format!("et0-0 to 01: {error}")],
        )],
    )
}

fn a_blackhole_is_silent(net: &Net) -> Case {
    let mut setup = core(net);
    setup.push(route(Table::Main, net.site, RouteTarget::Blackhole));
    case(net, "a blackhole is silent", setup, vec![step(for_host(net, 64), &[])])
}

fn an_unreachable_route_is_not(net: &Net) -> Case {
    let mut setup = core(net);
    setup.push(route(Table::Main, net.site, RouteTarget::Unreachable));
    let error = match net.is_v4() {
        true => "10.0.0.1 > 10.9.0.9 ttl 64 len 128 unreachable Host",
        false => "2001:db8:c::1 > 2001:db8:9::9 ttl 64 len 148 unreachable NoRoute",
    };
    case(
        net,
        "an unreachable route is not",
        setup,
        vec![step(for_host(net, 64), &[format!("et0-0 to 01: {error}")])],
    )
}

fn what_lisp0_emits_takes_no_route_into_lisp0(net: &Net) -> Case {
    let far = net.either("10.77.0.1", "2001:db8:77::1");
    let packet = udp(net.host, far, 64, 100);
    let line = format!("lisp0: {} > {far} ttl 63 len 100 UDP 1111 > 2222", net.host);
    let native = udp_line("et0-0", "01", (net.host, far), 62, 100);
    case(
        net,
        "packets that lisp0 emits take no route into lisp0",
        xtr(net),
        vec![
            step(Act::Frame("et1-0", to_port("et1-0", HOST, packet)), &[line]),
            step(Act::Tunnel(udp(net.host, far, 63, 100)), &[native]),
        ],
    )
}

fn what_is_said_from_the_rloc_takes_no_route_into_lisp0(net: &Net) -> Case {
    let far = net.either("10.77.0.1", "2001:db8:77::1");
    let asks = Act::Frame("et0-0", to_port("et0-0", CORE, echo(far, net.own)));
    let answer = format!("et0-0 to 01: {} > {far} ttl 64 len ", net.own);
    let answer = answer + net.either("44 echo reply 0x0007/1", "64 echo reply 0x0007/1");
    case(
        net,
        "packets from the RLOC take no route into lisp0",
        xtr(net),
        vec![step(asks, &[answer])],
    )
}

/// Linux looks up the route of an ICMP error before the error has a source address. For IPv6, Linux
/// looks up the route again with the source address.
fn an_error_may_take_the_route_into_lisp0(net: &Net) -> Case {
    let far = net.either("10.77.0.1", "2001:db8:77::1");
    let packet = udp(far, net.host, 1, 100);
    let to = net.either("lisp0", "et0-0 to 01");
    let len = net.either("128", "148");
    let line = format!("{to}: {} > {far} ttl 64 len {len} time exceeded", net.own);
    case(
        net,
        "an error may take the route into lisp0",
        xtr(net),
        vec![step(Act::Frame("et0-0", to_port("et0-0", CORE, packet)), &[line])],
    )
}

fn the_guard_holds_when_the_site_is_down(net: &Net) -> Case {
    let mut setup = xtr(net);
    setup.push(meet_host(net));
    setup.push(Act::Up("et1-0", false));
    case(
        net,
        "the guard holds when the site is down",
        setup,
        vec![step(Act::Tunnel(udp(net.far_host, net.host, 64, 100)), &[])],
    )
}

fn routes_go_with_their_link_and_connected_ones_return(net: &Net) -> Case {
    let metric = if net.is_v4() { 0 } else { 256 };
    let mut setup = site(net);
    let far = net.either("10.8.0.0/16", "2001:db8:8::/48");
    setup.push(route(Table::Main, far, RouteTarget::NextHop(net.other.parse().unwrap())));
    let connected = format!("route {} et1-0 metric {metric}", net.site);
    let fixed = format!(
        "route {far} et1-0 via {} metric {}",
        net.other,
        if net.is_v4() { 0 } else { 1024 }
    );
    let (up, down) = ("et1-0 up mtu 1500", "et1-0 down mtu 1500");
    let mut gone = vec![
        format!("- {connected}"),
        format!("- {fixed}"),
        format!("- {up}"),
        format!("+ {down}"),
        format!("lost: the route to {far} via {} in table main", net.other),
    ];
    if !net.is_v4() {
        gone.push("lost: the address fe80::1/64 of et1-0".to_owned());
    }
    case(
        net,
        "routes go with their link and connected ones return",
        setup,
        vec![
            step(Act::Up("et1-0", false), &gone),
            step(
                Act::Up("et1-0", true),
                &[format!("+ {connected}"), format!("- {down}"), format!("+ {up}")],
            ),
        ],
    )
}

fn routes_without_carrier_stay_and_are_not_used(net: &Net) -> Case {
    let mut setup = xtr(net);
    setup.push(meet_host(net));
    let (up, cut) = ("et1-0 up mtu 1500", "et1-0 without carrier mtu 1500");
    let into_lisp =
        format!("lisp0: {} > {} ttl 63 len 100 UDP 1111 > 2222", net.far_host, net.host);
    case(
        net,
        "routes without carrier stay and are not used",
        setup,
        vec![
            patient(step(
                Act::Carrier("et1-0", false),
                &[
                    format!("- {up}"),
                    format!("+ {cut}"),
                    format!("told: et1-0 {} absent", net.host),
                ],
            )),
            step(for_host(net, 64), &[into_lisp]),
            patient(step(Act::Carrier("et1-0", true), &[format!("- {cut}"), format!("+ {up}")])),
        ],
    )
}

fn a_mobility_port_has_no_network_and_answers_for_its_gateway(net: &Net) -> Case {
    let answer = net.either(" is at gateway", " is at gateway, believe it");
    case(
        net,
        "a mobility port has no network and answers for its gateway",
        roaming(net),
        vec![
            step(
                Act::Frame("et1-0", asks(HOST, net.host, net.gateway)),
                &[
                    format!("et1-0 to 12: {}{answer}", net.gateway),
                    format!("told: et1-0 {} at 12", net.host),
                ],
            ),
            step(Act::Frame("et1-0", asks(HOST, net.host, net.other)), &[]),
        ],
    )
}

fn announcements_are_believed_on_a_mobility_port_alone(net: &Net) -> Case {
    let core_side = net.either("10.0.0.77", "2001:db8:c::77");
    case(
        net,
        "announcements are believed on a mobility port alone",
        roaming(net),
        vec![
            step(
                Act::Frame("et1-0", announces(HOST, net.host)),
                &[format!("told: et1-0 {} at 12", net.host)],
            ),
            step(Act::Frame("et1-0", announces(HOST, net.host)), &[]),
            step(Act::Frame("et0-0", announces(HOST, core_side)), &[]),
        ],
    )
}

fn a_host_is_probed_and_forgotten(net: &Net) -> Case {
    let address = net.host.parse().unwrap();
    let device = SITE_DEVICE;
    let probe = Act::Want(KernelRequest::Probe { device, address });
    let forget = Act::Want(KernelRequest::Forget { device, address });
    let answer = Act::Frame("et1-0", answers("et1-0", HOST, net.host, net.asker));
    let question = |to: &str| format!("et1-0 to {to}: who has {}, tell {}", net.host, net.asker);
    let known = format!("told: et1-0 {} at 12", net.host);
    let quick = |step: Step| Step { within: Duration::from_millis(400), ..step };
    case(
        net,
        "a host is probed and forgotten",
        roaming(net),
        vec![
            quick(step(probe.clone(), &[question("all")])),
            quick(step(answer.clone(), std::slice::from_ref(&known))),
            quick(step(probe, &[question("12")])),
            quick(step(answer, &[known])),
            quick(step(forget.clone(), &[format!("told: et1-0 {} absent", net.host)])),
            quick(step(forget, &[])),
        ],
    )
}

fn a_silent_host_fails(net: &Net) -> Case {
    let address = net.host.parse().unwrap();
    let question = format!("et1-0 to all: who has {}, tell {}", net.host, net.asker);
    case(
        net,
        "a silent host fails",
        roaming(net),
        vec![patient(step(
            Act::Want(KernelRequest::Probe { device: SITE_DEVICE, address }),
            &[
                question.clone(),
                question.clone(),
                question,
                format!("told: et1-0 {} failed", net.host),
            ],
        ))],
    )
}

fn a_proxy_answers_for_who_has_gone(net: &Net) -> Case {
    let proxy =
        KernelObject::ProxyNeighbour { device: SITE_DEVICE, address: net.other.parse().unwrap() };
    let mut setup = roaming(net);
    setup.push(host_route(net.other, Device::Lisp));
    setup.push(add(proxy));
    let ask = Act::Frame("et1-0", asks(HOST, net.host, net.other));
    let answer = format!("et1-0 to 12: {} is at gateway", net.other);
    case(
        net,
        "a proxy answers for a host that has gone",
        setup,
        vec![
            step(ask.clone(), &[answer, format!("told: et1-0 {} at 12", net.host)]),
            step(Act::Want(KernelRequest::Remove(proxy)), &[]),
            step(ask, &[]),
        ],
    )
}

fn a_proxy_that_somebody_deletes_is_told(net: &Net) -> Case {
    let address = net.other.parse().unwrap();
    let mut setup = roaming(net);
    setup.push(add(KernelObject::ProxyNeighbour { device: SITE_DEVICE, address }));
    let hand = Act::Hand(format!("ip neigh del proxy {address} dev et1-0"));
    let lost = format!("lost: the proxy neighbour entry for {address} on et1-0");
    case(net, "a deleted proxy is told", setup, vec![step(hand, &[lost])])
}

/// If the source address of a route is removed, an IPv4 route is removed too. An IPv6 route stays
/// without a source address.
fn routes_go_with_the_address_that_is_their_source(net: &Net) -> Case {
    let mut setup = site(net);
    let source = Some(net.gateway.parse().unwrap());
    let prefix = net.default.parse().unwrap();
    let target = RouteTarget::Device(Device::Lisp);
    setup.push(add(KernelObject::Route { table: Table::Main, prefix, target, metric: 0, source }));
    let len = if net.is_v4() { 24 } else { 64 };
    let gateway = format!("{}/{len}", net.gateway);
    let object = KernelObject::Address {
        device: SITE_DEVICE,
        address: gateway.parse().unwrap(),
        connected: true,
    };
    let connected = format!("- route {} et1-0 metric {}", net.site, net.either("0", "256"));
    let default = format!("- route {} lisp0 metric 0", net.default);
    let mut seen = vec![
        connected,
        format!(
            "lost: the route to {} by lisp0 in table main, with source {}",
            net.default, net.gateway
        ),
    ];
    if net.is_v4() {
        seen.push(default);
    }
    case(
        net,
        "routes go with the address that is their source",
        setup,
        vec![step(Act::Want(KernelRequest::Remove(object)), &seen)],
    )
}

fn a_host_that_moved_changes_its_hardware_address(net: &Net) -> Case {
    let mut setup = roaming(net);
    setup.push(host_route(net.host, SITE_DEVICE));
    setup.push(meet_host(net));
    case(
        net,
        "a host that moved changes its hardware address",
        setup,
        vec![
            step(for_host(net, 64), &[udp_line("et1-0", "12", (net.far_host, net.host), 63, 100)]),
            step(
                Act::Frame("et1-0", announces(OTHER, net.host)),
                &[format!("told: et1-0 {} at 13", net.host)],
            ),
            step(for_host(net, 64), &[udp_line("et1-0", "13", (net.far_host, net.host), 63, 100)]),
        ],
    )
}

fn addresses_outlive_a_shutdown(net: &Net) -> Case {
    let mut setup = site(net);
    setup.push(Act::Up("et1-0", false));
    setup.push(Act::Up("et1-0", true));
    let believe = net.either("", ", believe it");
    case(
        net,
        "addresses outlive a shutdown",
        setup,
        vec![step(
            meet_host(net),
            &[
                format!("et1-0 to 12: {} is at gateway{believe}", net.gateway),
                format!("told: et1-0 {} at 12", net.host),
            ],
        )],
    )
}

fn a_link_that_goes_takes_its_proxies(net: &Net) -> Case {
    let address = net.other.parse().unwrap();
    let mut setup = roaming(net);
    setup.push(host_route(net.other, Device::Lisp));
    setup.push(add(KernelObject::ProxyNeighbour { device: SITE_DEVICE, address }));
    setup.push(Act::Up("et1-0", false));
    setup.push(Act::Up("et1-0", true));
    setup.push(host_route(net.other, Device::Lisp));
    let ask = Act::Frame("et1-0", asks(HOST, net.host, net.other));
    case(net, "a link that goes takes its proxies", setup, vec![step(ask, &[])])
}

fn the_nodes_own_packets_are_fragmented(net: &Net) -> Case {
    let send = Act::Udp(net.own.parse().unwrap(), net.far_host.parse().unwrap(), 2000);
    let lens = if net.is_v4() { [1500, 548] } else { [1496, 608] };
    let line = |len: usize| {
        format!("et0-0 to 01: {} > {} ttl 64 len {len} fragment", net.own, net.far_host)
    };
    case(net, "the node's own packets are fragmented", core(net), vec![step(send, &lens.map(line))])
}
