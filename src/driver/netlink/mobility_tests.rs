//! Tests of hosts that arrive and leave, and of the answers that the router gives in place of a
//! host. Each test has one port and one host.

use std::fs;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::*;
use crate::driver::namespace::{Host, in_namespace, ip, wait_until};
use crate::driver::tun::Tun;
use crate::router::config::InterfaceName;
use crate::router::io::{Device, KernelObject, Mac, RouteTarget, Table};

const PORT: Device = Device::Interface(InterfaceName::ethernet(1, 0));
const GATEWAY: Mac = Mac([0x00, 0x00, 0x5e, 0x00, 0x01, 0x01]);
const HOST: Mac = Mac([0x02, 0, 0, 0, 0, 0x12]);

/// A port `et1-0` and a host behind this port. The port detects hosts that move, and is the gateway
/// of two networks.
struct Lab {
    netlink: Netlink,
    host: Host,
    _tun: Tun,
}

impl Lab {
    fn new() -> Self {
        ip("link add et1-0 type veth peer name eth0");
        let host = Host::start();
        ip(&format!("link set eth0 netns {}", host.path()));
        for command in [
            "ip link set eth0 address 02:00:00:00:00:12",
            "sysctl -qw net.ipv6.conf.eth0.accept_dad=0",
            "ip addr add 172.16.0.12/24 dev eth0",
            "ip link set eth0 up",
            "ip addr add 2001:db8:a::12/64 dev eth0 nodad",
            "ip route add default via 172.16.0.1",
            "ip route add default via fe80::1 dev eth0",
        ] {
            host.run(command);
        }
        let mut netlink = Netlink::open().unwrap();
        netlink.prepare().unwrap();
        let tun = Tun::open(true).unwrap();
        let mut lab = Lab { netlink, host, _tun: tun };
        lab.add(link(Device::Lisp, false));
        lab.add(link(PORT, true));
        lab.add(address("fe80::1/64", true));
        lab.add(address("172.16.0.1/24", false));
        lab.add(address("2001:db8:a::1/64", false));
        // The kernel sends no packet on the link until it has detected the carrier. This detection
        // takes up to a second.
        wait_until("both ends are up", || {
            let host = lab.host.run("ip link show dev eth0");
            host.contains("state UP") && ip("link show dev et1-0").contains("state UP")
        });
        lab.netlink.read_all().unwrap();
        lab
    }

    fn add(&mut self, object: KernelObject) {
        self.request(KernelRequest::Add(object));
    }

    fn request(&mut self, request: KernelRequest) {
        self.netlink.apply(&request).unwrap_or_else(|error| panic!("{request:?}: {error}"));
    }

    /// Reads events until the state `wanted` of a host is reported, for at most eight seconds.
    /// Returns the reported states of this host.
    fn states_until(&mut self, host: IpAddr, wanted: NeighbourState) -> Vec<NeighbourState> {
        #[allow(clippy::disallowed_methods, reason = "the deadline of a test")]
        let end = Instant::now() + Duration::from_secs(8);
        let mut states = Vec::new();
        #[allow(clippy::disallowed_methods, reason = "the deadline of a test")]
        while Instant::now() < end {
            let (events, _) = self.netlink.read_events(64).unwrap();
            states.extend(events.into_iter().filter_map(|event| match event {
                KernelEvent::Neighbour { device, address, state } if address == host => {
                    assert_eq!(device, "et1-0");
                    Some(state)
                }
                _ => None,
            }));
            if states.contains(&wanted) {
                return states;
            }
            std::thread::yield_now();
        }
        panic!("{host} did not become {wanted:?}: {states:?}");
    }
}

fn link(device: Device, mobility: bool) -> KernelObject {
    let mac = mobility.then_some(GATEWAY);
    KernelObject::Link { device, up: true, mtu: None, proxy_arp: false, mac, mobility }
}

fn address(text: &str, connected: bool) -> KernelObject {
    KernelObject::Address { device: PORT, address: text.parse().unwrap(), connected }
}

fn host_route(host: IpAddr, device: Device) -> KernelObject {
    KernelObject::Route {
        table: Table::Main,
        prefix: host.into(),
        target: RouteTarget::Device(device),
        metric: 0,
        source: None,
    }
}

/// Returns the addresses of the host. Each address is paired with a second address of the same
/// network.
fn hosts() -> [(IpAddr, IpAddr); 2] {
    [("172.16.0.12", "172.16.0.13"), ("2001:db8:a::12", "2001:db8:a::13")]
        .map(|(host, other)| (host.parse().unwrap(), other.parse().unwrap()))
}

const KNOWN: NeighbourState = NeighbourState::Known(HOST);

#[test]
fn a_mobility_port_has_the_gateways_address_and_no_network() {
    in_namespace(|| {
        let mut lab = Lab::new();
        assert!(ip("link show dev et1-0").contains("00:00:5e:00:01:01"));
        let addresses = ip("addr show dev et1-0");
        for one in ["172.16.0.1/24", "2001:db8:a::1/64", "fe80::1/64"] {
            assert!(addresses.contains(one), "{addresses}");
        }
        assert_eq!(addresses.matches("fe80::").count(), 1, "{addresses}");
        assert!(!addresses.contains("tentative"), "{addresses}");
        let routes = ip("-4 route") + &ip("-6 route");
        assert!(!routes.contains("172.16.0.0") && !routes.contains("2001:db8"), "{routes}");
        for (path, value) in [
            ("ipv4/conf/et1-0/arp_accept", "1"),
            ("ipv4/conf/et1-0/proxy_arp", "0"),
            ("ipv4/conf/et1-0/send_redirects", "0"),
            ("ipv4/conf/et1-0/arp_notify", "0"),
            ("ipv4/neigh/et1-0/proxy_delay", "0"),
            ("ipv6/neigh/et1-0/proxy_delay", "0"),
            ("ipv6/conf/et1-0/accept_untracked_na", "1"),
            ("ipv6/conf/et1-0/proxy_ndp", "1"),
        ] {
            let found = fs::read_to_string(format!("/proc/sys/net/{path}")).unwrap();
            assert_eq!(found.trim(), value, "{path}");
        }
        let gateway = address("fe80::1/64", true);
        lab.request(KernelRequest::Remove(gateway));
        let addresses = ip("addr show dev et1-0");
        assert_eq!(addresses.matches("fe80::200:5eff:fe00:101/64").count(), 1, "{addresses}");
        lab.add(gateway);
        assert_eq!(ip("addr show dev et1-0").matches("fe80::").count(), 1);
    });
}

#[test]
fn a_link_that_is_added_again_keeps_its_neighbours() {
    in_namespace(|| {
        let mut lab = Lab::new();
        let [(host, _), _] = hosts();
        lab.request(KernelRequest::Probe { device: PORT, address: host });
        lab.states_until(host, KNOWN);
        lab.add(link(PORT, true));
        assert!(ip("neigh").contains("02:00:00:00:00:12"));
    });
}

#[test]
fn a_host_that_announces_itself_or_asks_for_its_gateway_is_known() {
    in_namespace(|| {
        let mut lab = Lab::new();
        for (host, gateway) in hosts().into_iter().zip(["172.16.0.1", "fe80::1%eth0"]) {
            let host = host.0;
            lab.add(host_route(host, PORT));
            lab.host.run(&format!("ping -c 1 -W 2 -I {host} {gateway}"));
            lab.states_until(host, KNOWN);
        }
    });
}

#[test]
fn a_host_is_probed_watched_and_forgotten() {
    in_namespace(|| {
        let mut lab = Lab::new();
        for (host, _) in hosts() {
            for _ in 0..2 {
                lab.request(KernelRequest::Probe { device: PORT, address: host });
                lab.states_until(host, KNOWN);
            }
            lab.request(KernelRequest::Forget { device: PORT, address: host });
            let states = lab.states_until(host, NeighbourState::Absent);
            assert_eq!(states, [NeighbourState::Absent], "to forget is not to fail");
            lab.request(KernelRequest::Forget { device: PORT, address: host });
            lab.request(KernelRequest::Watch { device: PORT, address: host });
            lab.states_until(host, KNOWN);
            assert!(ip(&format!("neigh show {host}")).contains("managed"));
        }
    });
}

#[test]
fn a_silent_host_fails() {
    in_namespace(|| {
        let mut lab = Lab::new();
        for (_, silent) in hosts() {
            lab.request(KernelRequest::Probe { device: PORT, address: silent });
            let states = lab.states_until(silent, NeighbourState::Failed);
            assert_eq!(states[0], NeighbourState::Failed);
        }
    });
}

#[test]
fn neighbours_are_read_anew() {
    in_namespace(|| {
        let mut lab = Lab::new();
        let [(host, other), _] = hosts();
        lab.request(KernelRequest::Probe { device: PORT, address: host });
        lab.states_until(host, KNOWN);
        ip(&format!("neigh add {other} lladdr 02:00:00:00:00:13 nud stale dev et1-0"));
        ip(&format!("neigh del {host} dev et1-0"));
        let events = lab.netlink.read_all().unwrap();
        let neighbour =
            |address, state| KernelEvent::Neighbour { device: "et1-0".to_owned(), address, state };
        let stale = NeighbourState::Known(Mac([2, 0, 0, 0, 0, 0x13]));
        assert!(events.contains(&neighbour(host, NeighbourState::Absent)), "{events:?}");
        assert!(events.contains(&neighbour(other, stale)), "{events:?}");
        assert_eq!(lab.netlink.read_all().unwrap().len(), 1);
    });
}

#[test]
fn the_router_answers_at_once_for_a_host_that_moved_away() {
    in_namespace(|| {
        let mut lab = Lab::new();
        for (host, away) in hosts() {
            let proxy = KernelObject::ProxyNeighbour { device: PORT, address: away };
            lab.add(host_route(away, Device::Lisp));
            lab.add(proxy);
            lab.add(proxy);
            #[allow(clippy::disallowed_methods, reason = "the test is about the answer's time")]
            let start = Instant::now();
            lab.host.try_run(&format!("ping -c 1 -W 1 -I {host} {away}"));
            let known = |lab: &Lab| {
                lab.host.run(&format!("ip neigh show {away}")).contains("00:00:5e:00:01:01")
            };
            assert!(known(&lab), "{away} is answered for");
            // `ping` sends one request, and then waits for one second for a reply that does not
            // arrive.
            assert!(start.elapsed() < Duration::from_millis(1500));
            for _ in 0..2 {
                lab.request(KernelRequest::Remove(proxy));
            }
            lab.host.run("ip neigh flush dev eth0");
            lab.host.try_run(&format!("ping -c 1 -W 1 -I {host} {away}"));
            assert!(!known(&lab), "{away} is answered for no more");
        }
    });
}

#[test]
fn an_announcement_changes_a_hosts_mind_at_once() {
    in_namespace(|| {
        let mut lab = Lab::new();
        for (_, other) in hosts() {
            lab.host
                .run(&format!("ip neigh add {other} lladdr 02:00:00:00:00:99 dev eth0 nud stale"));
            lab.request(KernelRequest::Announce { device: PORT, address: other });
            #[allow(clippy::disallowed_methods, reason = "the deadline of a test")]
            let end = Instant::now() + Duration::from_millis(500);
            let mut neighbour = String::new();
            #[allow(clippy::disallowed_methods, reason = "the deadline of a test")]
            while Instant::now() < end && !neighbour.contains("00:00:5e:00:01:01") {
                neighbour = lab.host.run(&format!("ip neigh show {other}"));
            }
            assert!(neighbour.contains("00:00:5e:00:01:01"), "{neighbour}");
        }
    });
}

#[test]
fn the_machines_neighbour_tables_are_told_from_inside_a_namespace() {
    in_namespace(|| {
        let mut lab = Lab::new();
        let mut look = || lab.netlink.look_at_neighbour_tables().unwrap();
        let tables = look();
        assert_eq!(tables.len(), 2, "{tables:?}");
        let of_ipv4 = |events: Vec<KernelEvent>| {
            events.into_iter().find_map(|event| match event {
                KernelEvent::NeighbourTable { family: Family::Ipv4, entries, limit } => {
                    Some((entries, limit))
                }
                _ => None,
            })
        };
        let (before, limit) = of_ipv4(tables).unwrap();
        assert!(limit >= 64, "{limit}");
        for number in 1..=40 {
            ip(&format!("neigh add 172.16.9.{number} lladdr {HOST_TEXT} dev et1-0 nud permanent"));
        }
        // Other namespaces of the machine also change this neighbour table.
        wait_until("the new entries are counted", || {
            of_ipv4(look()).is_some_and(|(entries, _)| entries >= before + 20)
        });
    });
}

const HOST_TEXT: &str = "02:00:00:00:00:13";
