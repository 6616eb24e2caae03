//! Tests of requests and events with the real kernel, each test in its own namespace.

use std::fs;
use std::time::{Duration, Instant};

use super::*;
use crate::addr::Rloc;
use crate::driver::namespace::{in_namespace, ip, rules_and_routes, wait_until};
use crate::driver::tun::Tun;
use crate::router::config::InterfaceName;
use crate::router::io::{Device, KernelObject, RouteTarget, RuleSelector};

const ETHERNET: Device = Device::Interface(InterfaceName::ethernet(1, 0));

/// A namespace with the devices `et1-0` and `lisp0`. The other end of `et1-0` is `peer`.
struct Lab {
    netlink: Netlink,
    _tun: Tun,
}

impl Lab {
    fn new() -> Self {
        ip("link add et1-0 type veth peer name peer");
        ip("link set peer up");
        let mut netlink = Netlink::open().unwrap();
        netlink.prepare().unwrap();
        let tun = Tun::open(true).unwrap();
        Lab { netlink, _tun: tun }
    }

    /// Creates a lab. Its link is up and has the addresses `addresses`. The events about these
    /// changes are already read.
    fn connected(addresses: &[&str]) -> Self {
        let mut lab = Lab::new();
        lab.add(link(ETHERNET, true));
        addresses.iter().for_each(|net| lab.add(address(net)));
        lab.netlink.read_all().unwrap();
        lab
    }

    fn add(&mut self, object: KernelObject) {
        self.netlink
            .apply(&KernelRequest::Add(object))
            .unwrap_or_else(|error| panic!("{object:?}: {error}"));
    }

    fn remove(&mut self, object: KernelObject) {
        self.netlink
            .apply(&KernelRequest::Remove(object))
            .unwrap_or_else(|error| panic!("{object:?}: {error}"));
    }

    /// Reads events until `wanted` returns true for an event, for at most two seconds. Returns this
    /// event.
    fn wait_for(&mut self, wanted: impl Fn(&KernelEvent) -> bool) -> KernelEvent {
        #[allow(clippy::disallowed_methods, reason = "the deadline of a test")]
        let end = Instant::now() + Duration::from_secs(2);
        let mut seen = Vec::new();
        #[allow(clippy::disallowed_methods, reason = "the deadline of a test")]
        while Instant::now() < end {
            let (events, _) = self.netlink.read_events(64).unwrap();
            if let Some(event) = events.iter().find(|event| wanted(event)) {
                return event.clone();
            }
            seen.extend(events);
        }
        panic!("the event did not come; seen: {seen:#?}");
    }
}

fn link(device: Device, up: bool) -> KernelObject {
    KernelObject::Link { device, up, mtu: Some(1464), proxy_arp: false, mac: None, mobility: false }
}

fn address(text: &str) -> KernelObject {
    KernelObject::Address { device: ETHERNET, address: text.parse().unwrap(), connected: true }
}

fn route(table: Table, prefix: &str, target: RouteTarget) -> KernelObject {
    KernelObject::Route { table, prefix: prefix.parse().unwrap(), target, metric: 0, source: None }
}

fn next_hop(text: &str) -> RouteTarget {
    RouteTarget::NextHop(text.parse().unwrap())
}

/// The policy rules and routes that a router makes, for both families.
fn plan() -> Vec<KernelObject> {
    let mut plan = vec![
        link(ETHERNET, true),
        link(Device::Lisp, true),
        address("192.0.2.1/24"),
        address("2001:db8:1::1/64"),
    ];
    for (family, rloc) in Family::BOTH.into_iter().zip(["192.0.2.1", "2001:db8:1::1"]) {
        let source = RuleSelector::Source(Rloc(rloc.parse().unwrap()));
        let rules = [
            (100, RuleSelector::FromLisp, Table::Main),
            (101, RuleSelector::FromLisp, Table::Native),
            (102, source, Table::Main),
            (103, source, Table::Native),
        ];
        plan.extend(rules.map(|(priority, selector, table)| KernelObject::Rule {
            family,
            priority,
            selector,
            table,
        }));
    }
    for (site, guard, default, gateway) in [
        ("198.51.100.0/24", "172.16.0.0/24", "0.0.0.0/0", "192.0.2.9"),
        ("2001:db8:5::/48", "2001:db8:a::/64", "::/0", "2001:db8:1::9"),
    ] {
        let gateway_source = plan_source(default);
        plan.extend([
            route(Table::Main, site, next_hop(gateway)),
            route(Table::Native, guard, RouteTarget::Blackhole),
            route(Table::Native, default, next_hop(gateway)),
            KernelObject::Route {
                table: Table::Native,
                prefix: default.parse().unwrap(),
                target: RouteTarget::Unreachable,
                metric: u32::MAX,
                source: None,
            },
            KernelObject::Route {
                table: Table::Main,
                prefix: default.parse().unwrap(),
                target: RouteTarget::Device(Device::Lisp),
                metric: 0,
                source: Some(gateway_source),
            },
        ]);
    }
    plan
}

fn plan_source(default: &str) -> std::net::IpAddr {
    let own = if default == "::/0" { "2001:db8:1::1" } else { "192.0.2.1" };
    own.parse().unwrap()
}

#[test]
fn the_plan_is_added_twice_and_removed_twice() {
    in_namespace(|| {
        let mut lab = Lab::new();
        let before = rules_and_routes();
        for object in plan() {
            lab.add(object);
        }
        let once = rules_and_routes();
        for object in plan() {
            lab.add(object);
        }
        assert_eq!(rules_and_routes(), once, "adding again changes nothing");
        for line in [
            "100:\tfrom all iif lisp0 lookup main suppress_ifgroup 4341",
            "101:\tfrom all iif lisp0 lookup 4341",
            "102:\tfrom 192.0.2.1 lookup main suppress_ifgroup 4341",
            "103:\tfrom 2001:db8:1::1 lookup 4341",
            "default dev lisp0 proto 143 scope link src 192.0.2.1",
            "blackhole 172.16.0.0/24 table 4341 proto 143",
            "blackhole 2001:db8:a::/64 dev lo table 4341 proto 143",
            "unreachable default table 4341 proto 143 metric 4294967295",
            "198.51.100.0/24 via 192.0.2.9 dev et1-0 proto 143",
        ] {
            assert!(once.contains(line), "{line:?} is not in\n{once}");
        }
        for _ in 0..2 {
            for object in plan().into_iter().rev() {
                lab.remove(object);
            }
        }
        let rules = |text: &str| text.lines().filter(|line| line.contains("lookup")).count();
        assert_eq!(rules(&rules_and_routes()), rules(&before));
        assert!(!rules_and_routes().contains("143"), "{}", rules_and_routes());
        assert!(!ip("addr show dev et1-0").contains("192.0.2.1"));
    });
}

#[test]
fn a_refusal_names_the_kernels_reason() {
    in_namespace(|| {
        let mut lab = Lab::new();
        lab.add(link(ETHERNET, true));
        let unreachable = route(Table::Main, "10.0.0.0/8", next_hop("203.0.113.1"));
        let error = lab.netlink.apply(&KernelRequest::Add(unreachable)).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENETUNREACH));
        let absent = Device::Interface(InterfaceName::ethernet(9, 9));
        let error = lab.netlink.apply(&KernelRequest::Add(link(absent, true))).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENODEV));
        lab.remove(KernelObject::Address {
            device: absent,
            address: "192.0.2.1/24".parse().unwrap(),
            connected: true,
        });
    });
}

#[test]
fn links_get_their_settings() {
    in_namespace(|| {
        let mut lab = Lab::new();
        lab.add(KernelObject::Link {
            device: ETHERNET,
            up: true,
            mtu: Some(1400),
            proxy_arp: true,
            mac: None,
            mobility: false,
        });
        lab.add(link(Device::Lisp, true));
        lab.add(address("2001:db8:1::1/64"));
        let lisp = ip("-d link show dev lisp0");
        for setting in ["mtu 1464", "group 4341", "qlen 4096", "addrgenmode none", "UP"] {
            assert!(lisp.contains(setting), "{setting} is not in {lisp}");
        }
        assert!(!ip("addr show dev lisp0").contains("inet6"), "no link-local address");
        assert!(ip("link show dev et1-0").contains("mtu 1400"));
        let addresses = ip("addr show dev et1-0 scope global");
        assert!(addresses.contains("nodad") && !addresses.contains("tentative"), "{addresses}");
        for (path, value) in [
            ("ipv4/ip_forward", "1"),
            ("ipv6/conf/all/forwarding", "1"),
            ("ipv4/conf/all/rp_filter", "0"),
            ("ipv4/conf/et1-0/proxy_arp", "1"),
            ("ipv4/conf/et1-0/rp_filter", "0"),
            ("ipv4/conf/et1-0/ignore_routes_with_linkdown", "1"),
            ("ipv6/conf/et1-0/keep_addr_on_down", "1"),
            ("ipv6/conf/et1-0/accept_dad", "0"),
            ("ipv6/conf/et1-0/accept_ra", "0"),
            ("ipv4/conf/lisp0/accept_local", "1"),
            ("ipv4/conf/lisp0/rp_filter", "0"),
        ] {
            let found = fs::read_to_string(format!("/proc/sys/net/{path}")).unwrap();
            assert_eq!(found.trim(), value, "{path}");
        }
    });
}

#[test]
fn an_ipv6_address_outlives_a_shutdown() {
    in_namespace(|| {
        let mut lab = Lab::new();
        lab.add(link(ETHERNET, true));
        lab.add(address("2001:db8:1::1/64"));
        lab.add(link(ETHERNET, false));
        assert!(ip("addr show dev et1-0").contains("2001:db8:1::1/64"));
        assert!(ip("link show dev et1-0").contains("state DOWN"));
    });
}

#[test]
fn loopback_is_never_shut_down() {
    in_namespace(|| {
        let mut lab = Lab::new();
        lab.add(KernelObject::Link {
            device: Device::Interface(InterfaceName::loopback(0)),
            up: false,
            mtu: None,
            proxy_arp: false,
            mac: None,
            mobility: false,
        });
        assert!(ip("link show dev lo").contains("LOOPBACK,UP"));
    });
}

#[test]
fn what_a_killed_router_left_is_removed_and_nothing_else() {
    in_namespace(|| {
        let mut lab = Lab::new();
        let untouched = rules_and_routes();
        for object in plan() {
            lab.add(object);
        }
        ip("route add 10.9.0.0/16 via 192.0.2.7");
        ip("rule add priority 200 from 10.0.0.1 lookup main");
        drop(lab);
        wait_until("lisp0 has gone", || rules_and_routes().contains("[detached]"));
        Netlink::open().unwrap().prepare().unwrap();
        assert!(!rules_and_routes().contains("143"), "{}", rules_and_routes());
        assert!(rules_and_routes().contains("10.9.0.0/16 via 192.0.2.7"));
        ip("rule del priority 200");
        let rules = |text: &str| text.lines().filter(|line| line.contains("lookup")).count();
        assert_eq!(rules(&rules_and_routes()), rules(&untouched));
    });
}

#[test]
fn reading_all_tells_links_before_routes() {
    in_namespace(|| {
        let mut lab = Lab::new();
        lab.add(link(ETHERNET, true));
        lab.add(address("192.0.2.1/24"));
        lab.add(address("2001:db8:1::1/64"));
        let events = lab.netlink.read_all().unwrap();
        assert!(events.contains(&KernelEvent::Link {
            device: "et1-0".to_owned(),
            up: true,
            carrier: true,
            mtu: 1464,
        }));
        let Some(KernelEvent::Routes(routes)) = events.last() else {
            panic!("{events:#?}");
        };
        let connected = |prefix: &str, metric| KernelRoute {
            prefix: prefix.parse().unwrap(),
            device: "et1-0".to_owned(),
            gateway: None,
            metric,
        };
        let expected = [connected("192.0.2.0/24", 0), connected("2001:db8:1::/64", 256)];
        assert_eq!(routes[..], expected, "neither local, link-local nor multicast");
        let again = lab.netlink.read_all().unwrap();
        assert_eq!(again.len(), 1, "no link has changed: {again:?}");
    });
}

#[test]
fn the_fall_of_a_link_is_told_with_the_routes_that_remain() {
    in_namespace(|| {
        let mut lab = Lab::connected(&["192.0.2.1/24"]);
        ip("link set et1-0 down");
        lab.wait_for(|event| {
            matches!(event, KernelEvent::Link { device, up: false, .. } if device == "et1-0")
        });
        // When a link goes down, the kernel sends no event about the lost IPv4 routes of the link.
        // Only the table shows that they are lost.
        let (routes, _) = lab.netlink.read_routes().unwrap();
        assert_eq!(routes, []);
    });
}

#[test]
fn a_link_event_brings_the_routes_along() {
    in_namespace(|| {
        let mut lab = Lab::connected(&["192.0.2.1/24"]);
        ip("link set et1-0 down");
        let routes = lab.wait_for(|event| matches!(event, KernelEvent::Routes(_)));
        assert_eq!(routes, KernelEvent::Routes(Vec::new()));
        ip("link set et1-0 up");
        lab.wait_for(|event| matches!(event, KernelEvent::Routes(routes) if routes.len() == 1));
    });
}

#[test]
fn carrier_is_told() {
    in_namespace(|| {
        let mut lab = Lab::connected(&[]);
        ip("link set peer down");
        lab.wait_for(|event| {
            matches!(event, KernelEvent::Link { device, up: true, carrier: false, .. }
                if device == "et1-0")
        });
        ip("link del et1-0");
        lab.wait_for(
            |event| matches!(event, KernelEvent::LinkGone { device } if device == "et1-0"),
        );
    });
}

#[test]
fn routes_come_and_go_one_by_one() {
    in_namespace(|| {
        let mut lab = Lab::connected(&["192.0.2.1/24", "2001:db8:1::1/64"]);
        for (prefix, gateway) in
            [("10.1.0.0/16", "192.0.2.7"), ("2001:db8:7::/48", "2001:db8:1::7")]
        {
            let expected = |metric| KernelRoute {
                prefix: prefix.parse().unwrap(),
                device: "et1-0".to_owned(),
                gateway: Some(gateway.parse().unwrap()),
                metric,
            };
            ip(&format!("route add {prefix} via {gateway} metric 5"));
            lab.wait_for(|event| *event == KernelEvent::RouteAdded(expected(5)));
            ip(&format!("route del {prefix} via {gateway} metric 5"));
            lab.wait_for(|event| *event == KernelEvent::RouteRemoved(expected(5)));
        }
    });
}

#[test]
fn a_route_of_several_links_counts_for_each() {
    in_namespace(|| {
        let mut lab = Lab::connected(&["192.0.2.1/24"]);
        ip("route add 10.2.0.0/16 nexthop via 192.0.2.7 nexthop via 192.0.2.8");
        lab.wait_for(|event| {
            let KernelEvent::Routes(routes) = event else {
                return false;
            };
            let gateways = routes.iter().filter_map(|route| route.gateway);
            gateways.map(|gateway| gateway.to_string()).eq(["192.0.2.7", "192.0.2.8"])
        });
        ip("route replace 10.2.0.0/16 via 192.0.2.9");
        lab.wait_for(|event| {
            let KernelEvent::Routes(routes) = event else {
                return false;
            };
            routes.iter().filter(|route| route.gateway.is_some()).count() == 1
        });
    });
}

#[test]
fn a_flood_of_events_ends_in_the_truth() {
    in_namespace(|| {
        let mut lab = Lab::connected(&["192.0.2.1/24"]);
        rustix::net::sockopt::set_socket_recv_buffer_size(&lab.netlink.events, 0).unwrap();
        for number in 0..200 {
            lab.add(route(Table::Main, &format!("10.0.{number}.0/24"), next_hop("192.0.2.7")));
        }
        lab.wait_for(|event| matches!(event, KernelEvent::Routes(routes) if routes.len() == 201));
    });
}

#[test]
fn every_setting_that_somebody_turns_is_told_once_and_put_back() {
    in_namespace(|| {
        let mut lab = Lab::new();
        let objects = [KernelObject::Namespace, link(ETHERNET, true), link(Device::Lisp, true)];
        objects.iter().for_each(|object| lab.add(*object));
        lab.netlink.read_all().unwrap();
        let settings = sysctl::of_namespace().map(|setting| (objects[0], setting));
        let of = |object, device| {
            let settings = sysctl::of_device(device, false, false).into_iter();
            settings.map(move |setting| (object, setting))
        };
        let all = settings.chain(of(objects[1], "et1-0")).chain(of(objects[2], "lisp0"));
        for (object, (path, value)) in all.collect::<Vec<_>>() {
            assert_eq!(lab.netlink.look().unwrap(), [], "before {path}");
            // Some settings can only be 0 or 1, so the new value must also be 0 or 1. All other
            // settings get a much larger value: the kernel rounds timers to hundredths of a second,
            // so it may ignore a small change.
            let other = match value.parse::<u32>().unwrap() {
                0 if !path.ends_with("delay") => 1,
                1 => 0,
                more => more + 1000,
            };
            let other = other.to_string();
            sysctl::set(&path, &other).unwrap();
            let mut told = lab.netlink.look().unwrap();
            // If forwarding or IPv6 is turned off, the kernel changes other settings too. So the
            // event may also contain other objects.
            let is_told = |event: &KernelEvent| matches!(event, KernelEvent::Lost(objects) if objects.contains(&object));
            assert!(told.iter().any(is_told), "{path} = {other}: {told:?}");
            lab.netlink.read_events(64).unwrap();
            told = lab.netlink.look().unwrap();
            assert!(!told.iter().any(is_told), "{path} is told once");
            objects.iter().for_each(|object| lab.add(*object));
            let found = fs::read_to_string(format!("/proc/sys/net/{path}")).unwrap();
            assert_eq!(found.trim(), value, "{path}");
            lab.netlink.read_events(64).unwrap();
        }
    });
}
