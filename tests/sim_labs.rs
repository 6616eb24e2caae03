//! The labs on virtual time. The tests use the lab files that also run in namespaces, but need no
//! privileges.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::cell::Cell;
use std::fs::{self, File};
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::time::Duration;

use eidway::addr::{EidPrefix, Family, InstanceId};
use eidway::capture::summary::Summary;
use eidway::host::ping::{Count, Outcome, PingRequest};
use eidway::lab::impairment::Impairment;
use eidway::lab::ping::Echos;
use eidway::lab::{Lab, verbs};
use eidway::netns::open::open;
use eidway::packet::IpHeader;
use eidway::rng::Seed;
use eidway::router::io::{Input, KernelEvent};
use eidway::router::session::SessionState;
use eidway::sim::kernel::KernelDrop;
use eidway::sim::stage::{Options, Simulated};
use eidway::sim::trace::Trace;
use eidway::sim::{Sim, ping};
use etherparse::{SlicedPacket, TcpSlice, TransportSlice};

fn start(lab: &str, seed: u64) -> Sim {
    let lab = open(lab, None).unwrap();
    let mut sim = ping::lab_start(&lab, Seed::from_number(seed)).unwrap();
    sim.trace = Trace::Lines(Vec::new());
    sim
}

fn up(lab: &str, seed: u64) -> Sim {
    let mut sim = start(lab, seed);
    if let Err(error) = sim.run_until_registered() {
        panic!("seed {seed}: {error}\n{}", take_lines(&mut sim).join("\n"));
    }
    sim
}

fn take_lines(sim: &mut Sim) -> Vec<String> {
    match std::mem::replace(&mut sim.trace, Trace::Lines(Vec::new())) {
        Trace::Lines(lines) => lines,
        _ => unreachable!("start set it"),
    }
}

fn tcp_checksum(header: &IpHeader, tcp: &TcpSlice<'_>) -> u16 {
    match (header.source, header.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            tcp.calc_checksum_ipv4(source.octets(), destination.octets()).unwrap()
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            tcp.calc_checksum_ipv6(source.octets(), destination.octets()).unwrap()
        }
        _ => unreachable!("IpHeader::parse gives one family"),
    }
}

/// The peers with which a map-server has a session, and the number of registrations on each session.
fn sessions(sim: &Sim, router: &str) -> Vec<(IpAddr, usize)> {
    let router = sim.router(router).unwrap();
    let sessions = router.sessions();
    let up = sessions.iter().filter(|session| session.state == SessionState::Up);
    let on_session = |peer: IpAddr| {
        let entries = router.map_server().entries().iter();
        let registrations = entries.flat_map(|(_, entry)| entry.registrations.iter());
        registrations.filter(|it| it.source == peer && it.session.is_some()).count()
    };
    let peers = up.map(|session| session.peer.ip());
    let mut peers: Vec<_> = peers.map(|peer| (peer, on_session(peer))).collect();
    peers.sort();
    peers
}

fn request(sim: &Sim, to: &str, family: Family) -> PingRequest {
    PingRequest::new(sim.host_address(to, family).unwrap())
}

fn marks(sim: &mut Sim, from: &str, to: &str, family: Family) -> String {
    let request = request(sim, to, family);
    sim.ping(from, request).unwrap().marks()
}

fn impair_all(sim: &mut Sim, impairment: Impairment) {
    let names: Vec<String> = sim.links().map(|link| link.name.clone()).collect();
    for name in names {
        sim.impair(&name, impairment).unwrap();
    }
}

/// Runs a lab: the routers start and register, and hosts ping each other in both directions and in
/// both families. Returns the trace.
fn course(lab: &str, seed: u64, impairment: Impairment) -> Vec<String> {
    let mut sim = start(lab, seed);
    impair_all(&mut sim, impairment);
    sim.run_for(Duration::from_secs(30));
    for family in Family::BOTH {
        marks(&mut sim, "A", "B", family);
        marks(&mut sim, "B", "A", family);
    }
    take_lines(&mut sim)
}

fn simulated(lab: &Lab) -> Simulated {
    Simulated::up(lab.clone(), Options::new(Seed::from_number(1))).unwrap()
}

#[test]
fn hosts_of_two_sites_ping_and_the_first_packet_is_delivered() {
    let mut sim = up("two-sites", 1);
    for family in Family::BOTH {
        for (from, to) in [("A", "B"), ("B", "A")] {
            let marks = marks(&mut sim, from, to, family);
            assert_eq!(marks, "!!!!!", "{from} {to}\n{}", take_lines(&mut sim).join("\n"));
        }
    }
}

#[test]
fn the_core_carries_eids_in_lisp_only() {
    let mut sim = up("two-sites", 1);
    take_lines(&mut sim);
    marks(&mut sim, "A", "B", Family::Ipv4);
    let lines = take_lines(&mut sim);
    let core = |line: &&String| line.contains("Core:eth");
    let bare = |line: &&String| line.split_whitespace().nth(3) == Some("172.16.0.12");
    assert_eq!(lines.iter().filter(core).filter(bare).count(), 0);
    let lisp = lines.iter().filter(core).filter(|line| line.contains("> 4341 LISP")).count();
    // Five echo requests and five replies. Each crosses two core links.
    assert_eq!(lisp, 20, "{}", lines.join("\n"));
}

#[test]
fn a_lab_takes_the_same_course_twice_and_another_with_another_seed() {
    let faults = Impairment {
        delay: Duration::from_millis(5),
        jitter: Duration::from_millis(3),
        loss: 10.0,
        duplicate: 5.0,
        reorder: 5.0,
        ..Impairment::default()
    };
    for lab in ["two-sites", "gsmr"] {
        for impairment in [Impairment::default(), faults] {
            let first = course(lab, 1, impairment);
            assert_eq!(first, course(lab, 1, impairment), "{lab}");
            assert_ne!(first, course(lab, 2, impairment), "{lab}");
        }
    }
}

/// The capture file of each port. Meanwhile hosts ping, and a port goes down and comes up again.
fn capture_files(lab: &str, seed: u64) -> Vec<Vec<u8>> {
    let directory = tempfile::tempdir().unwrap();
    let mut sim = start(lab, seed);
    let file = open(lab, None).unwrap().file;
    let mut paths = Vec::new();
    for port in file.ports() {
        let path = directory.path().join(format!("{}-{}.pcap", port.node, port.device));
        sim.capture_to(&port.node, &port.device, File::create(&path).unwrap()).unwrap();
        paths.push(path);
    }
    sim.run_until_registered().unwrap();
    for family in Family::BOTH {
        marks(&mut sim, "A", "B", family);
    }
    sim.set_port("xTR1", "et1-0", false).unwrap();
    marks(&mut sim, "B", "A", Family::Ipv4);
    sim.set_port("xTR1", "et1-0", true).unwrap();
    marks(&mut sim, "B", "A", Family::Ipv6);
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn the_same_lab_twice_gives_the_same_octets() {
    for lab in ["two-sites", "gsmr"] {
        let first = capture_files(lab, 1);
        let total: usize = first.iter().map(Vec::len).sum();
        assert!(total > 10_000, "{lab}: {total} octets");
        assert!(first == capture_files(lab, 1), "{lab}: another course");
        assert!(first != capture_files(lab, 2), "{lab}: the same course with another seed");
    }
}

#[test]
fn routers_and_core_nodes_ping_too() {
    let mut sim = up("two-sites", 1);
    for (from, to, expected) in [
        ("Core", "203.0.113.11", "!!!!!"),
        // The source is an address of the site of xTR1, because the route says so. The packets go
        // by LISP, and no packet is lost.
        ("xTR1", "192.168.0.22", "!!!!!"),
        ("xTR1", "2001:db8:b::22", "!!!!!"),
        ("MSMR", "203.0.113.11", "!!!!!"),
        // The core has no routes to EIDs, so the map-server, which is in no site, does not reach an
        // EID.
        ("MSMR", "172.16.0.12", "UUUUU"),
    ] {
        let request = PingRequest::new(to.parse().unwrap());
        assert_eq!(sim.ping_from(from, request).unwrap().marks(), expected, "{from} to {to}");
    }
}

#[test]
fn everything_on_every_link_is_a_valid_packet() {
    let lab = open("gsmr", None).unwrap();
    let mut sim = ping::lab_start(&lab, Seed::from_number(1)).unwrap();
    let segments = Rc::new(Cell::new(0));
    let seen = segments.clone();
    sim.trace = Trace::Sink(Box::new(move |crossing| {
        let packet = crossing.packet;
        if packet.is_empty() {
            return assert!(crossing.to_string().contains(" ARP "), "{crossing}");
        }
        let header = IpHeader::parse(packet).unwrap_or_else(|error| panic!("{crossing}: {error}"));
        assert_eq!(header.total_len, packet.len(), "{crossing}");
        let shown = Summary(packet).to_string();
        assert!(!shown.contains("damaged") && !shown.contains("other"), "{shown}");
        if let Some(TransportSlice::Tcp(tcp)) = SlicedPacket::from_ip(packet).unwrap().transport {
            seen.set(seen.get() + 1);
            assert_eq!(tcp_checksum(&header, &tcp), tcp.checksum(), "{crossing}");
        }
    }));
    sim.run_until_registered().unwrap();
    // After this time, a router has asked a silent peer for an answer.
    sim.run_for(Duration::from_secs(15));
    assert!(segments.get() > 0, "no session was opened");
    marks(&mut sim, "A", "B", Family::Ipv4);
    marks(&mut sim, "B", "A", Family::Ipv6);
    for (name, _) in lab.file.routers() {
        let drops = sim.kernel(name).unwrap().drops();
        for damage in [KernelDrop::NotIp, KernelDrop::Checksum, KernelDrop::WriteFailed] {
            assert_eq!(drops.get(&damage), None, "{name}: {drops:?}");
        }
    }
}

/// The sessions in gsmr and the number of registrations of each: xTR1 has six prefixes, xTR2 has
/// two.
const GSMR_SESSIONS: [(IpAddr, usize); 2] = [
    (IpAddr::V4(Ipv4Addr::new(198, 51, 100, 21)), 2),
    (IpAddr::V4(Ipv4Addr::new(203, 0, 113, 11)), 6),
];

#[test]
fn sites_register_by_sessions_with_the_map_server_that_takes_them() {
    let mut sim = up("gsmr", 1);
    sim.run_for(Duration::from_secs(5));
    assert_eq!(sessions(&sim, "NewMSMR"), GSMR_SESSIONS);
    assert_eq!(sessions(&sim, "OldMSMR"), []);
    // An idle session stays up, because each end answers the questions of the other end.
    sim.run_for(Duration::from_secs(300));
    assert_eq!(sessions(&sim, "NewMSMR"), GSMR_SESSIONS);
    assert!(sim.is_registered());
}

#[test]
fn a_cut_link_ends_the_sessions_and_its_return_brings_them_back_by_way_of_udp() {
    let mut sim = up("gsmr", 1);
    sim.run_for(Duration::from_secs(5));
    sim.set_link("msmr", false).unwrap();
    sim.run_for(Duration::from_secs(30));
    for router in ["NewMSMR", "xTR1", "xTR2"] {
        assert_eq!(sessions(&sim, router), [], "{router}");
    }
    take_lines(&mut sim);
    sim.run_for(Duration::from_secs(30));
    sim.set_link("msmr", true).unwrap();
    sim.run_for(Duration::from_secs(75));
    let lines = take_lines(&mut sim);
    for xtr in ["xTR1", "xTR2"] {
        let by_udp = |line: &&String| {
            line.contains(xtr)
                && line.contains("> 209.165.201.31 ")
                && line.contains("Map-Register")
        };
        assert!(lines.iter().any(|line| by_udp(&line)), "{xtr}\n{}", lines.join("\n"));
    }
    assert_eq!(sessions(&sim, "NewMSMR"), GSMR_SESSIONS);
}

#[test]
fn a_killed_router_says_nothing_and_its_kernel_closes_its_sessions() {
    let mut sim = up("gsmr", 1);
    sim.run_for(Duration::from_secs(5));
    sim.kill_router("xTR1").unwrap();
    sim.run_for(Duration::from_secs(1));
    assert_eq!(sessions(&sim, "NewMSMR").len(), GSMR_SESSIONS.len() - 1);
    let site = EidPrefix::new(InstanceId::DEFAULT, "172.16.0.0/24".parse().unwrap());
    let new = sim.router("NewMSMR").unwrap();
    assert!(new.map_server().entries().get(&site).unwrap().is_registered(), "nothing is withdrawn");
}

#[test]
fn a_map_server_that_lost_its_power_and_comes_back_resets_the_sessions_it_does_not_know() {
    let mut sim = up("gsmr", 1);
    sim.run_for(Duration::from_secs(5));
    let config = sim.router("NewMSMR").unwrap().config().clone();
    sim.power_off_router("NewMSMR").unwrap();
    assert_eq!(sessions(&sim, "xTR1").len(), 1, "xTR1 has not been told");
    sim.start_router("NewMSMR", config).unwrap();
    // Each xTR asks its silent map-server within ten seconds.
    sim.run_for(Duration::from_secs(11));
    assert_eq!(sessions(&sim, "NewMSMR"), []);
    sim.run_for(Duration::from_secs(75));
    assert_eq!(sessions(&sim, "NewMSMR"), GSMR_SESSIONS);
}

#[test]
fn a_stopped_router_closes_its_session() {
    let mut sim = up("gsmr", 1);
    sim.run_for(Duration::from_secs(5));
    sim.stop_router("xTR1").unwrap();
    // A router waits much longer before it gives up a silent peer.
    sim.run_for(Duration::from_secs(1));
    assert_eq!(sessions(&sim, "NewMSMR"), GSMR_SESSIONS[..1]);
}

#[test]
fn registrations_converge_once_the_loss_stops() {
    for seed in 0..20 {
        let mut sim = start("two-sites", seed);
        impair_all(&mut sim, Impairment { loss: 60.0, ..Impairment::default() });
        sim.run_for(Duration::from_secs(20));
        impair_all(&mut sim, Impairment::default());
        sim.run_until_registered().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        // The loss may end a request early. The result of this request may be in force for a
        // minute.
        sim.run_for(Duration::from_secs(61));
        assert_eq!(marks(&mut sim, "A", "B", Family::Ipv4), "!!!!!", "seed {seed}");
    }
}

#[test]
fn a_cut_core_link_stops_the_ping_and_its_return_mends_it() {
    let mut sim = up("two-sites", 1);
    assert_eq!(marks(&mut sim, "A", "B", Family::Ipv4), "!!!!!");
    let link = "xTR2:et0-0-Core:eth1";
    sim.set_link(link, false).unwrap();
    // Core has no route to the RLOC of xTR2. Core reports this to xTR1, but xTR1 does not report it
    // to the host.
    assert_eq!(marks(&mut sim, "A", "B", Family::Ipv4), ".....");
    sim.set_link(link, true).unwrap();
    assert_eq!(marks(&mut sim, "A", "B", Family::Ipv4), "!!!!!");
}

#[test]
fn a_shut_site_port_comes_back_with_all_its_routes() {
    let mut sim = up("two-sites", 1);
    assert_eq!(marks(&mut sim, "B", "A", Family::Ipv4), "!!!!!");
    let configured = sim.router("xTR1").unwrap().config().clone();
    for shutdown in [true, false] {
        let mut config = configured.clone();
        config.interfaces.get_mut(&"Ethernet1/0".parse().unwrap()).unwrap().shutdown = shutdown;
        sim.input("xTR1", Input::Configure(Box::new(config))).unwrap();
        for family in Family::BOTH {
            let expected = if shutdown { "....." } else { "!!!!!" };
            // A negative answer expires within this time.
            sim.run_for(Duration::from_secs(120));
            let marks = marks(&mut sim, "B", "A", family);
            assert_eq!(marks, expected, "{family}\n{}", take_lines(&mut sim).join("\n"));
        }
    }
}

#[test]
fn a_killed_router_comes_back_in_the_kernel_that_it_left() {
    let mut sim = up("two-sites", 1);
    assert_eq!(marks(&mut sim, "A", "B", Family::Ipv4), "!!!!!");
    let config = sim.router("xTR1").unwrap().config().clone();
    sim.kill_router("xTR1").unwrap();
    assert_ne!(marks(&mut sim, "A", "B", Family::Ipv4), "!!!!!");
    sim.start_router("xTR1", config).unwrap();
    sim.run_until_registered().unwrap();
    for family in Family::BOTH {
        assert_eq!(marks(&mut sim, "A", "B", family), "!!!!!");
        assert_eq!(marks(&mut sim, "B", "A", family), "!!!!!");
    }
}

#[test]
fn too_big_for_the_tunnel_is_said_to_the_host_that_sent_it() {
    let mut sim = up("two-sites", 1);
    for family in Family::BOTH {
        let exact = PingRequest { size: 1464, count: Count::Of(1), ..request(&sim, "B", family) };
        assert_eq!(sim.ping("A", exact).unwrap().marks(), "!", "{family}");
        let larger = PingRequest { size: 1465, ..exact };
        let outcome = sim.ping("A", larger).unwrap().probes[0].outcome;
        assert_eq!(outcome, Outcome::TooBig(1464), "{family}");
    }
}

#[test]
fn the_ttl_ends_where_it_says_and_the_host_hears_it_also_from_the_core() {
    let mut sim = up("two-sites", 1);
    for family in Family::BOTH {
        marks(&mut sim, "A", "B", family);
        // The hops are xTR1, Core, xTR2 and B. Core sends its ICMP error to the RLOC of xTR1, and
        // xTR1 relays the error to the host.
        for (ttl, expected) in [(1, "&"), (2, "&"), (3, "&"), (4, "!")] {
            let request = PingRequest { ttl, count: Count::Of(1), ..request(&sim, "B", family) };
            take_lines(&mut sim);
            let marks = sim.ping("A", request).unwrap().marks();
            let lines = take_lines(&mut sim).join("\n");
            assert_eq!(marks, expected, "TTL {ttl}\n{lines}");
            let from = match family {
                Family::Ipv4 => "site1 xTR1 203.0.113.1 > 172.16.0.12 ",
                // The core has only IPv4, so the host gets the error from its gateway.
                Family::Ipv6 => "site1 xTR1 2001:db8:a::1 > 2001:db8:a::12 ",
            };
            assert!(ttl != 2 || lines.contains(from), "{lines}");
        }
    }
    let xtr1 = sim.router("xTR1").unwrap();
    assert_eq!(
        xtr1.reachability().all_unreachable().count(),
        0,
        "a TTL says nothing about a locator"
    );
    assert_eq!(xtr1.counters().time_exceeded_relayed, 2);
}

#[test]
fn on_a_narrow_core_the_outer_packet_is_fragmented_and_put_together() {
    let mut lab = open("two-sites", None).unwrap();
    for link in &mut lab.file.links {
        link.mtu = Some(1300);
    }
    let mut sim = ping::lab_up(&lab, Seed::from_number(1)).unwrap();
    sim.trace = Trace::Lines(Vec::new());
    let request = PingRequest { size: 1280, ..request(&sim, "B", Family::Ipv4) };
    assert_eq!(sim.ping("A", request).unwrap().marks(), "!!!!!");
    let lines = take_lines(&mut sim);
    let fragments = lines.iter().filter(|line| line.contains("fragment")).count();
    // Two fragments for each of five echo requests and five replies, over two core links.
    assert_eq!(fragments, 40, "{}", lines.join("\n"));
}

#[test]
fn no_packet_circles() {
    let mut sim = up("gsmr", 1);
    // Wait until the sessions are silent.
    sim.run_for(Duration::from_secs(1));
    for (from, to) in [("A", "172.31.0.1"), ("B", "10.77.0.1"), ("N", "172.16.99.1")] {
        let before = sim.crossings();
        let request = PingRequest { count: Count::Of(1), ..PingRequest::new(to.parse().unwrap()) };
        sim.ping(from, request).unwrap();
        let crossings = sim.crossings() - before;
        assert!(crossings < 100, "{from} {to}: {}", take_lines(&mut sim).join("\n"));
    }
}

#[test]
fn every_host_of_every_lab_reaches_every_other() {
    for name in ["two-sites", "gsmr"] {
        let lab = open(name, None).unwrap();
        let matrix = verbs::ping::all(&lab, &mut simulated(&lab), Echos::default()).unwrap();
        assert!(matrix.is_complete(), "{name}\n{matrix}");
    }
}

#[test]
fn a_ping_prints_as_ios_does() {
    let lab = open("two-sites", None).unwrap();
    let mut out = Vec::new();
    let target = [172, 16, 0, 12].into();
    verbs::ping::show(&mut simulated(&lab), "B", target, Echos::default(), &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "Type escape sequence to abort.\n\
         Sending 5, 100-byte ICMP Echos to 172.16.0.12, timeout is 2 seconds:\n\
         !!!!!\n\
         Success rate is 100 percent (5/5), round-trip min/avg/max = 1/1/2 ms\n"
    );
}

#[test]
fn the_kernel_refuses_nothing_that_a_lab_asks() {
    for name in ["two-sites", "gsmr"] {
        let lab = open(name, None).unwrap();
        let mut sim = ping::lab_start(&lab, Seed::from_number(1)).unwrap();
        sim.run_for(Duration::from_secs(10));
        for (router, _) in lab.file.routers() {
            let refused = sim.refusals(router).unwrap();
            assert_eq!(refused, &[] as &[KernelEvent], "{name} {router}");
        }
    }
}

#[test]
fn a_lab_with_a_wrong_key_says_which_router_the_map_server_refuses_and_why() {
    let mut lab = open("two-sites", None).unwrap();
    let text = lab.text("xTR2.conf").unwrap().replacen("key msmr-key", "key k", 1);
    lab.set_text("xTR2.conf", text);
    let mut sim = ping::lab_start(&lab, Seed::from_number(1)).unwrap();
    let expected = "not every prefix is registered after 60 s of virtual time
xTR2: map-server 209.165.201.31 acknowledged 1 of 2 prefixes
  MSMR refuses Map-Register for 192.168.0.0/24 of site SITE_2 from 198.51.100.21 (xTR2): the message is signed with another key; compare `authentication-key` of the site on this router with the key in `etr map-server` on the sender";
    assert_eq!(sim.run_until_registered().unwrap_err().to_string(), expected);
    let log = sim.log("MSMR").unwrap();
    assert_eq!(log.len(), 1, "one line a minute: {log:?}");
}
