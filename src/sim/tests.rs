use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::*;
use crate::host::ping::{Count, Outcome, PingRequest};
use crate::lab::impairment::Impairment;
use crate::router::io::KernelEvent;

/// Makes the lab A - R1 - R2 - B with IPv4 and IPv6. The link in the middle has MTU `middle_mtu`.
fn two_forwarders(seed: u64, middle_mtu: u16) -> Sim {
    let mut sim = Sim::new(Seed::from_number(seed));
    sim.trace = Trace::Lines(Vec::new());
    for name in ["R1", "R2"] {
        sim.add_forwarder(name).unwrap();
    }
    for (name, last) in [("A", 1), ("B", 2)] {
        let config = HostConfig {
            name: name.to_owned(),
            addresses: vec![
                format!("10.0.{last}.9/24").parse().unwrap(),
                format!("2001:db8:{last}::9/64").parse().unwrap(),
            ],
            gateways: vec![
                format!("10.0.{last}.1").parse().unwrap(),
                format!("2001:db8:{last}::1").parse().unwrap(),
            ],
            mtu: 1500,
            mac: None,
        };
        sim.add_host(name, "eth0", config).unwrap();
    }
    sim.connect(LinkConfig::new("a"), &[("A", "eth0"), ("R1", "lan")], true).unwrap();
    sim.connect(LinkConfig::new("b"), &[("B", "eth0"), ("R2", "lan")], true).unwrap();
    let middle = LinkConfig { mtu: middle_mtu, ..LinkConfig::new("middle") };
    sim.connect(middle, &[("R1", "core"), ("R2", "core")], false).unwrap();
    for (name, own, other) in [("R1", 1, 2), ("R2", 2, 1)] {
        let addresses = [
            ("lan", format!("10.0.{own}.1/24")),
            ("lan", format!("2001:db8:{own}::1/64")),
            ("core", format!("10.9.0.{own}/24")),
            ("core", format!("2001:db8:9::{own}/64")),
        ];
        let routes = [
            (format!("10.0.{other}.0/24"), format!("10.9.0.{other}")),
            (format!("2001:db8:{other}::/64"), format!("2001:db8:9::{other}")),
        ];
        configure(&mut sim, name, &addresses, &routes);
    }
    sim
}

fn configure(sim: &mut Sim, name: &str, addresses: &[(&str, String)], routes: &[(String, String)]) {
    sim.with_kernel(name, |kernel| {
        for (device, address) in addresses {
            let id = kernel.device_id(device).unwrap();
            kernel.set_up(id, true);
            kernel.add_address(id, address.parse().unwrap());
        }
        for (prefix, gateway) in routes {
            kernel.add_static(prefix.parse().unwrap(), gateway.parse().unwrap()).unwrap();
        }
    })
    .unwrap();
}

fn request(destination: &str) -> PingRequest {
    PingRequest::new(destination.parse().unwrap())
}

fn lines(sim: &Sim) -> &[String] {
    match &sim.trace {
        Trace::Lines(lines) => lines,
        _ => panic!("the trace is not kept"),
    }
}

#[test]
fn hosts_ping_across_forwarders_in_both_families() {
    let mut sim = two_forwarders(1, 1500);
    for destination in ["10.0.2.9", "2001:db8:2::9"] {
        // After this first ping, every node knows the hardware addresses of its neighbours.
        sim.ping("A", request(destination)).unwrap();
        let report = sim.ping("A", request(destination)).unwrap();
        assert_eq!(report.marks(), "!!!!!", "{destination}");
        // A round trip crosses three links in each direction.
        assert!(report.round_trips().all(|span| span == Duration::from_micros(300)));
    }
    // Each of the twenty echo requests and each reply crosses three links. No packet goes in a
    // circle.
    assert_eq!(sim.crossings(), 20 * 6);
}

#[test]
fn a_capture_that_has_ended_does_not_end_a_later_one() {
    let mut sim = two_forwarders(1, 1500);
    let seen = Rc::new(Cell::new(0));
    let tap = || {
        let seen = Rc::clone(&seen);
        Box::new(move |_, _, _: &[u8]| seen.set(seen.get() + 1))
    };
    let first = sim.capture("A", "eth0", tap()).unwrap();
    sim.end_capture(first);
    sim.capture("A", "eth0", tap()).unwrap();
    sim.end_capture(first);
    sim.ping("A", request("10.0.2.9")).unwrap();
    assert!(seen.get() >= 10, "{} frames", seen.get());
}

#[test]
fn forwarders_answer_for_their_own_addresses_on_every_device() {
    let mut sim = two_forwarders(1, 1500);
    for destination in ["10.0.1.1", "10.9.0.1", "10.9.0.2", "2001:db8:9::2", "10.0.2.1"] {
        let report = sim.ping("A", request(destination)).unwrap();
        assert_eq!(report.marks(), "!!!!!", "{destination}");
    }
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_does_not() {
    let trace = |seed| {
        let mut sim = two_forwarders(seed, 1500);
        let impairment = Impairment {
            delay: Duration::from_millis(5),
            jitter: Duration::from_millis(2),
            loss: 20.0,
            ..Impairment::default()
        };
        sim.impair("middle", impairment).unwrap();
        sim.ping("A", request("10.0.2.9")).unwrap();
        lines(&sim).to_vec()
    };
    assert_eq!(trace(1), trace(1));
    assert_ne!(trace(1), trace(2));
}

#[test]
fn a_cut_link_takes_the_carrier_and_gives_it_back() {
    let mut sim = two_forwarders(1, 1500);
    let once = PingRequest { count: Count::Of(1), ..request("10.0.2.9") };
    assert_eq!(sim.ping("A", once).unwrap().marks(), "!");
    sim.set_link("middle", false).unwrap();
    // R1 does not use a route over a link without carrier. Therefore R1 sends an ICMP error.
    assert_eq!(sim.ping("A", once).unwrap().marks(), "U");
    sim.set_link("middle", true).unwrap();
    assert_eq!(sim.ping("A", once).unwrap().marks(), "!");
}

#[test]
fn a_shut_device_takes_its_static_routes_for_good_and_its_peers_carrier() {
    let mut sim = two_forwarders(1, 1500);
    let set_up = |sim: &mut Sim, up| {
        sim.with_kernel("R2", |kernel| {
            let core = kernel.device_id("core").unwrap();
            kernel.set_up(core, up);
        })
        .unwrap();
    };
    set_up(&mut sim, false);
    let kernel = sim.kernel("R1").unwrap();
    assert!(!kernel.device(kernel.device_id("core").unwrap()).carrier);
    set_up(&mut sim, true);
    // R2 has its connected routes again, but its static route back to A is lost.
    assert_eq!(sim.ping("A", request("10.9.0.2")).unwrap().marks(), ".....");
    let routes = [("10.0.1.0/24".to_owned(), "10.9.0.1".to_owned())];
    configure(&mut sim, "R2", &[], &routes);
    assert_eq!(sim.ping("A", request("10.9.0.2")).unwrap().marks(), "!!!!!");
}

#[test]
fn a_packet_that_is_too_big_is_refused_with_the_mtu_of_the_link() {
    let mut sim = two_forwarders(1, 1400);
    for destination in ["10.0.2.9", "2001:db8:2::9"] {
        let exact = PingRequest { size: 1400, count: Count::Of(1), ..request(destination) };
        let larger = PingRequest { size: 1401, ..exact };
        assert_eq!(sim.ping("A", exact).unwrap().marks(), "!", "{destination}");
        let outcome = sim.ping("A", larger).unwrap().probes[0].outcome;
        assert_eq!(outcome, Outcome::TooBig(1400), "{destination}");
    }
}

#[test]
fn the_ttl_ends_at_the_hop_that_it_says() {
    let mut sim = two_forwarders(1, 1500);
    for (ttl, by) in [(1, "R1"), (2, "R2")] {
        for destination in ["10.0.2.9", "2001:db8:2::9"] {
            let request = PingRequest { ttl, count: Count::Of(1), ..request(destination) };
            let report = sim.ping("A", request).unwrap();
            assert_eq!(report.probes[0].outcome, Outcome::TtlExceeded);
            let last = lines(&sim).iter().rfind(|line| line.contains("time exceeded"));
            let source = if by == "R1" {
                ["10.0.1.1", "2001:db8:1::1"]
            } else {
                ["10.9.0.2", "2001:db8:9::2"]
            };
            let source = source.iter().any(|source| last.unwrap().contains(source));
            assert!(source, "{by}: {last:?}");
        }
    }
}

#[test]
fn a_routing_loop_ends_with_the_ttl() {
    let mut sim = two_forwarders(1, 1500);
    let via = |own: u8| ("10.7.0.0/16".to_owned(), format!("10.9.0.{}", 3 - own));
    configure(&mut sim, "R1", &[], &[via(1)]);
    configure(&mut sim, "R2", &[], &[via(2)]);
    let request = PingRequest { count: Count::Of(1), ..request("10.7.0.1") };
    let report = sim.ping("A", request).unwrap();
    assert_eq!(report.probes[0].outcome, Outcome::TtlExceeded);
    assert!(sim.crossings() < 70, "{} crossings", sim.crossings());
}

#[test]
fn a_neighbour_that_is_not_there_is_unreachable_after_three_seconds() {
    let mut sim = two_forwarders(1, 1500);
    let request = PingRequest {
        count: Count::Of(1),
        timeout: Duration::from_secs(4),
        ..request("10.0.2.77")
    };
    let report = sim.ping("A", request).unwrap();
    assert_eq!(report.probes[0].outcome, Outcome::Unreachable);
    assert!(sim.now() >= Time::from_secs(3));
}

#[test]
fn what_is_not_there_is_named() {
    let mut sim = two_forwarders(1, 1500);
    let message = |error: SimError| error.to_string();
    let request = request("10.0.2.9");
    assert_eq!(message(sim.ping("X", request).unwrap_err()), "there is no node X");
    assert_eq!(message(sim.ping("R1", request).unwrap_err()), "R1 is not a host");
    assert_eq!(message(sim.set_link("x", true).unwrap_err()), "there is no link x");
    let taken = sim.connect(LinkConfig::new("c"), &[("A", "eth0"), ("R1", "new")], false);
    assert_eq!(message(taken.unwrap_err()), "A: the device eth0 cannot be connected");
}

#[test]
fn a_kernel_tells_its_process_what_netlink_would() {
    let mut kernel = Kernel::new();
    let id = kernel.add_device("eth0", DeviceKind::Port, 1500);
    kernel.set_carrier(id, true);
    kernel.set_up(id, true);
    kernel.add_address(id, "10.0.0.1/24".parse().unwrap());
    kernel.add_static("10.1.0.0/16".parse().unwrap(), [10, 0, 0, 2].into()).unwrap();
    while kernel.poll_event().is_some() {}
    kernel.set_up(id, false);
    let link = |up| KernelEvent::Link { device: "eth0".to_owned(), up, carrier: up, mtu: 1500 };
    assert_eq!(kernel.poll_event(), Some(link(false)));
    assert_eq!(kernel.poll_event(), Some(KernelEvent::Routes(Vec::new())));
    assert_eq!(kernel.poll_event(), None);
    kernel.set_up(id, true);
    assert_eq!(kernel.poll_event(), Some(link(true)));
    let Some(KernelEvent::Routes(routes)) = kernel.poll_event() else {
        panic!("no routes");
    };
    let prefixes: Vec<String> = routes.iter().map(|route| route.prefix.to_string()).collect();
    assert_eq!(prefixes, ["10.0.0.0/24"]);
}
