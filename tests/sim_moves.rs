//! Hosts that move in the simulator, in both families: scenario G3 of `acceptance.md`, written with
//! the functions of [`Sim`].

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use eidway::addr::{Eid, Family, InstanceId};
use eidway::console::parse_config;
use eidway::host::apps::{ECHO_PORT, HTTP_PORT};
use eidway::host::exchange::{Exchange, ExchangeId, Phase};
use eidway::host::ping::{Count, Outcome, Pace, PingRequest};
use eidway::lab::Lab;
use eidway::lab::file::LabFile;
use eidway::lab::scenario::library;
use eidway::netns::open;
use eidway::rng::Seed;
use eidway::router::config::Config;
use eidway::sim::trace::Trace;
use eidway::sim::{Replug, Sim};
use eidway::time::Time;

/// The lab gsmr with the ports and ranges of scenario G3. All routers have registered.
fn roaming(seed: u64) -> Sim {
    roaming_in(&open::open("gsmr", None).unwrap(), seed)
}

fn roaming_in(lab: &Lab, seed: u64) -> Sim {
    let scenario = library::find(lab, "g3").unwrap();
    let mut configs: BTreeMap<String, Config> = BTreeMap::new();
    for (name, file) in lab.file.routers() {
        let text = library::overlaid_text(lab, &scenario, name, file).unwrap();
        let config = parse_config(file, &text);
        configs.insert(name.to_owned(), config.unwrap_or_else(|error| panic!("{error}")));
    }
    let mut sim = Sim::build(&lab.file, &configs, Seed::from_number(seed)).unwrap();
    sim.trace = Trace::Lines(Vec::new());
    sim.run_until_registered().unwrap();
    sim
}

fn lines(sim: &Sim) -> String {
    match &sim.trace {
        Trace::Lines(lines) => lines.join("\n"),
        _ => unreachable!("roaming set it"),
    }
}

fn address(sim: &Sim, host: &str, family: Family) -> IpAddr {
    sim.host_address(host, family).unwrap()
}

/// Whether a router has found the host A, with its addresses of both families.
fn has_a(sim: &Sim, router: &str) -> bool {
    let hosts = sim.router(router).unwrap().mobility().hosts();
    let here =
        |family| hosts.contains_key(&Eid::new(InstanceId::DEFAULT, address(sim, "A", family)));
    let [v4, v6] = Family::BOTH.map(here);
    assert_eq!(v4, v6, "{router} has A of one family");
    v4
}

fn wait_for(sim: &mut Sim, what: &str, seconds: u64, done: impl Fn(&Sim) -> bool) {
    let until = sim.now() + Duration::from_secs(seconds);
    assert!(sim.run_while_not(until, done), "{what}: not within {seconds} s\n{}", lines(sim));
}

fn marks(sim: &mut Sim, from: &str, to: &str, family: Family) -> String {
    let request = PingRequest::new(address(sim, to, family));
    sim.ping(from, request).unwrap().marks()
}

/// N sends ten echo requests per second to A while `act` runs. Returns the number of echo requests
/// without an answer.
fn lost(sim: &mut Sim, family: Family, act: impl FnOnce(&mut Sim)) -> usize {
    let pace = Pace::Every(Duration::from_millis(100));
    let request =
        PingRequest { count: Count::Of(1000), pace, ..PingRequest::new(address(sim, "A", family)) };
    let id = sim.with_host("N", |host| host.start_ping(request)).unwrap();
    sim.run_for(Duration::from_secs(1));
    act(sim);
    sim.run_for(Duration::from_secs(3));
    let report = sim.with_host("N", |host| host.stop_ping(id)).unwrap().unwrap();
    let answered =
        report.probes.iter().filter(|probe| matches!(probe.outcome, Outcome::Reply(_))).count();
    report.probes.len() - answered
}

/// Host A is found at xTR1, and N reaches A.
fn at_home(seed: u64) -> Sim {
    let mut sim = roaming(seed);
    for gateway in ["172.16.0.1", "2001:db8:a::1"] {
        let request =
            PingRequest { count: Count::Of(1), ..PingRequest::new(gateway.parse().unwrap()) };
        assert_eq!(sim.ping("A", request).unwrap().marks(), "!", "{gateway}");
    }
    wait_for(&mut sim, "A is at xTR1", 2, |sim| has_a(sim, "xTR1"));
    sim.run_for(Duration::from_secs(1));
    for family in Family::BOTH {
        assert_eq!(marks(&mut sim, "N", "A", family), "!!!!!", "{}", lines(&sim));
    }
    sim
}

#[test]
fn a_host_that_moves_is_found_registered_and_reached() {
    for how in [
        Replug::Atomic,
        Replug::Gap(Duration::from_millis(200)),
        Replug::MakeBeforeBreak(Duration::from_millis(500)),
    ] {
        let mut sim = at_home(1);
        let loss = lost(&mut sim, Family::Ipv4, |sim| sim.move_host("A", "siteB", how).unwrap());
        assert!(loss <= 5, "{how:?}: {loss} lost\n{}", lines(&sim));
        assert!(has_a(&sim, "xTR2") && !has_a(&sim, "xTR1"), "{how:?}");
        for family in Family::BOTH {
            for from in ["N", "B"] {
                assert_eq!(marks(&mut sim, from, "A", family), "!!!!!", "{how:?} {from} {family}");
            }
            // xTR1 must first ask for the new location of A.
            let at_first = marks(&mut sim, "D", "A", family);
            assert!(at_first.ends_with("!!!"), "{how:?} {family} {at_first}");
        }
    }
}

#[test]
fn a_host_that_goes_back_and_forth_is_registered_once() {
    let mut sim = at_home(2);
    let loss = lost(&mut sim, Family::Ipv4, |sim| {
        for lan in ["siteB", "siteA", "siteB", "siteA"] {
            sim.move_host("A", lan, Replug::Atomic).unwrap();
            sim.run_for(Duration::from_secs(6));
        }
    });
    assert!(loss <= 25, "{loss} lost");
    assert!(has_a(&sim, "xTR1") && !has_a(&sim, "xTR2"));
    for family in Family::BOTH {
        assert_eq!(marks(&mut sim, "N", "A", family), "!!!!!");
    }
}

#[test]
fn a_host_that_vanishes_is_missed() {
    let mut sim = at_home(3);
    sim.unplug_host("A").unwrap();
    wait_for(&mut sim, "A is missed", 15, |sim| !has_a(sim, "xTR1"));
}

#[test]
fn a_move_takes_the_same_course_twice() {
    let course = || {
        let mut sim = at_home(4);
        sim.move_host("A", "siteB", Replug::Atomic).unwrap();
        sim.run_for(Duration::from_secs(10));
        lines(&sim)
    };
    assert_eq!(course(), course());
}

/// N opens a connection to a port of A and sends `octets`.
fn open(sim: &mut Sim, family: Family, port: u16, octets: &[u8]) -> ExchangeId {
    let peer = SocketAddr::new(address(sim, "A", family), port);
    let id = sim.with_host("N", |host| host.start_exchange(peer, octets)).unwrap().unwrap();
    sim.run_for(Duration::from_secs(1));
    id
}

fn exchange(sim: &Sim, id: ExchangeId) -> Exchange {
    sim.host("N").unwrap().exchange(id).unwrap().clone()
}

fn expect_page(sim: &mut Sim, family: Family) {
    let id = open(sim, family, HTTP_PORT, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let page = exchange(sim, id);
    let text = String::from_utf8(page.received).unwrap();
    assert_eq!(page.phase, Phase::Done, "{text}");
    assert!(text.contains("200 OK") && text.contains("Host A"), "{text}");
}

#[test]
fn a_host_serves_its_page_through_lisp_but_its_connections_do_not_move_along() {
    for family in Family::BOTH {
        let mut sim = at_home(5);
        expect_page(&mut sim, family);
        let id = open(&mut sim, family, ECHO_PORT, b"before");
        assert_eq!(exchange(&sim, id).received, b"before");
        sim.move_host("A", "siteB", Replug::Atomic).unwrap();
        sim.run_for(Duration::from_secs(3));
        sim.with_host("N", |host| host.say(id, b"after")).unwrap();
        sim.run_for(Duration::from_secs(3));
        let old = exchange(&sim, id);
        assert_eq!((old.phase, old.received.as_slice()), (Phase::Broken, &b"before"[..]));
        let id = open(&mut sim, family, ECHO_PORT, b"anew");
        assert_eq!(exchange(&sim, id).received, b"anew", "{family}");
        expect_page(&mut sim, family);
    }
}

/// The lab gsmr with an additional host X on the LAN of xTR2. X has the address of A. Both hosts
/// send packets all the time.
fn with_a_duplicate(seed: u64) -> Sim {
    let mut lab = open::open("gsmr", None).unwrap();
    let text = include_str!("../lab/gsmr/lab.toml");
    let text = text.replacen("\"B:eth0\"", "\"B:eth0\", \"X:eth0\"", 1);
    let host = "\n[nodes.X]\nkind = \"host\"\naddresses = [\"172.16.0.12/24\"]\ngateways = \
                [\"172.16.0.1\"]\n";
    lab.file = LabFile::parse("lab.toml", &(text + host)).unwrap();
    let mut sim = roaming_in(&lab, seed);
    for host in ["A", "X"] {
        let pace = Pace::Every(Duration::from_millis(100));
        let gateway = "10.0.0.99".parse().unwrap();
        let request = PingRequest { count: Count::Of(10_000), pace, ..PingRequest::new(gateway) };
        sim.with_host(host, |host| host.start_ping(request)).unwrap();
    }
    sim
}

/// The times at which a router logged a duplicate EID.
fn named(sim: &Sim, router: &str) -> Vec<Time> {
    let log = sim.log(router).unwrap();
    let lines = log.iter().filter(|(.., line)| line.starts_with("duplicate EID 172.16.0.12"));
    lines.map(|(at, ..)| *at).collect()
}

#[test]
fn an_address_at_two_hosts_is_named_once_a_minute_and_claimed_each_30_seconds() {
    let mut sim = with_a_duplicate(6);
    let eid = Eid::new(InstanceId::DEFAULT, "172.16.0.12".parse().unwrap());
    let has =
        |sim: &Sim, router: &str| sim.router(router).unwrap().mobility().hosts().contains_key(&eid);
    let mut owners = Vec::new();
    for _ in 0..30 {
        sim.run_for(Duration::from_secs(10));
        owners.push((has(&sim, "xTR1"), has(&sim, "xTR2")));
    }
    assert!(owners.contains(&(true, false)) && owners.contains(&(false, true)), "{owners:?}");
    let events = sim.router("NewMSMR").unwrap().map_server().history().count();
    assert!(events < 60, "{events} registrations and withdrawals in five minutes");
    for router in ["xTR1", "xTR2", "NewMSMR"] {
        let named = named(&sim, router);
        assert!((4..=6).contains(&named.len()), "{router}: {named:?}");
        let spans = named.windows(2).map(|pair| pair[1].since(pair[0]));
        assert!(spans.into_iter().all(|span| span >= Duration::from_secs(60)), "{named:?}");
        let lines = sim.log(router).unwrap().len();
        assert!(lines < 40, "{router}: {lines} lines in five minutes");
    }
    // The host X leaves, and A keeps its address.
    sim.unplug_host("X").unwrap();
    sim.run_for(Duration::from_secs(40));
    assert!(has(&sim, "xTR1") && !has(&sim, "xTR2"));
    assert_eq!(marks(&mut sim, "N", "A", Family::Ipv4), "!!!!!");
}
