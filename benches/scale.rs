//! Measures tables with a million entries, and a map-server under load on one core: `cargo bench
//! --bench scale`.
//!
//! One table, with the project's targets beside it; `-- map-cache`, `-- flow-cache`, `--
//! map-server`, `-- million`, `-- database`, `-- hosts` and `-- lines` measure one part of it, for
//! a profile. Memory is the growth of the process (VmRSS). So it includes the memory that the
//! allocator adds.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

#[path = "../tests/shared/paste.rs"]
mod paste;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use eidway::addr::{Eid, EidPrefix, InstanceId, Rloc};
use eidway::console::hosts::NoHosts;
use eidway::console::protocol::{Request, Response};
use eidway::console::{Session, parse_config, read_config};
use eidway::packet::{IpHeader, Load};
use eidway::prefix_map::PrefixMap;
use eidway::rng::{Rng, Seed};
use eidway::router::flow_cache::FlowCache;
use eidway::router::io::{
    ControlDatagram, Encapsulation, Input, KernelEvent, KernelRoute, Mac, NeighbourState, Output,
};
use eidway::router::map_cache::{Learned, Locator, MapCache, Mapping};
use eidway::router::reachability::Source;
use eidway::router::{Router, Start};
use eidway::time::Time;
use eidway::wire::{
    Algorithm, CONTROL_PORT, Encapsulated, Key, LocatorRecord, MapRegister, MapRequest,
    MappingRecord, Nonce, XtrIdentity,
};
use ipnet::Ipv4Net;

const MILLION: u32 = 1_000_000;
const LOOKUPS: usize = 4_000_000;
/// The number of registrations of the map-server under load.
const REGISTRATIONS: u32 = 100_000;
/// The number of hosts of a dynamic-EID that are at the router.
const ROAMING: u32 = 60_000;
const DAY: Duration = Duration::from_secs(86_400);
const RLOC: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 11);
const MAP_SERVER: Ipv4Addr = Ipv4Addr::new(209, 165, 201, 31);

const CONFIG: &str = "
hostname MSMR
interface Ethernet0/0
 ip address 209.165.201.31 255.255.255.0
router lisp
 site HOSTS
  authentication-key bench-key
  eid-prefix 10.0.0.0/8 accept-more-specifics
 ipv4 map-server
 ipv4 map-resolver
";

fn main() {
    // cargo bench adds its own option. The first word that is not an option chooses a part.
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let wanted = |part: &str| only.as_ref().is_none_or(|only| only == part);
    println!("{:50}{:>14}  held to", "", "measured");
    if wanted("map-cache") {
        map_cache();
    }
    if wanted("flow-cache") {
        flow_cache();
    }
    if wanted("map-server") {
        map_server(REGISTRATIONS);
    }
    if wanted("million") {
        map_server(MILLION);
    }
    if wanted("database") {
        database();
    }
    if wanted("hosts") {
        hosts();
    }
    if wanted("lines") {
        lines();
    }
}

/// Prints a line of the table; `target` is the project's target, or empty.
fn line(what: &str, value: f64, unit: &str, target: &str) {
    println!("{what:50}{value:14.0}  {target:12} {unit}");
}

/// Runs `work` for `count` items, and prints the number of items per second.
fn rate<T>(what: &str, count: usize, target: &str, work: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let result = work();
    line(what, count as f64 / begin.elapsed().as_secs_f64(), "a second", target);
    result
}

/// Returns the memory of the process, in octets.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status.lines().find_map(|line| {
        line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse::<f64>().ok()
    });
    kib.unwrap_or(0.0) * 1024.0
}

/// Returns the host with this number in 10.0.0.0/8. The number is multiplied by an odd factor, so
/// that the hosts are distributed and all different.
fn host(number: u32) -> Eid {
    let spread = number.wrapping_mul(0x009e_3779) & 0x00ff_ffff;
    Eid::new(InstanceId::DEFAULT, Ipv4Addr::from_bits(0x0a00_0000 | spread).into())
}

fn random_hosts(below: u32) -> Vec<Eid> {
    let mut random = Rng::new(&Seed::from_number(1), "lookups");
    (0..LOOKUPS).map(|_| host(random.below(u64::from(below)) as u32)).collect()
}

fn map_cache() {
    let before = resident();
    let mut cache = MapCache::default();
    let default = Ipv4Net::default();
    let default = EidPrefix::new(InstanceId::DEFAULT, default.into());
    cache.reconcile_static(&BTreeSet::from([default]), Time::ZERO);
    rate("map-cache: insertion, 1 M IPv4 hosts", MILLION as usize, ">= 1,000,000", || {
        for number in 0..MILLION {
            let eid = host(number);
            cache.learn(learned(eid, number), eid, MILLION as usize + 1, Time::ZERO);
            // The router also does this after each change.
            black_box(cache.take_changes());
        }
    });
    assert_eq!(cache.entries().len(), MILLION as usize + 1);
    let grown = (resident() - before) / f64::from(MILLION);
    line("map-cache: memory", grown, "octets an entry", "<= 300");
    let eids = random_hosts(MILLION);
    rate("map-cache: random lookup", LOOKUPS, ">= 2,000,000", || {
        for &eid in &eids {
            if let Some((slot, ..)) = cache.find(eid) {
                cache.count_use(slot, Load { packets: 1, bytes: 100 }, Time::ZERO);
            }
        }
    });
    rate("map-cache: a /8 that is scanned: lookups of misses", LOOKUPS, "", || {
        for number in 0..LOOKUPS as u32 {
            let address = Ipv4Addr::from_bits(0x0b00_0000 | number);
            black_box(cache.lookup(Eid::new(InstanceId::DEFAULT, address.into())));
        }
    });
    rate("map-cache: expiry", MILLION as usize, "", || cache.expire(Time::ZERO + DAY * 2));
    assert_eq!(cache.entries().len(), 1);
}

/// Measures packets of known flows. There are so many flows that they do not fit into the first
/// cache of the processor.
fn flow_cache() {
    const FLOWS: u32 = 1000;
    const HITS: usize = 20_000_000;
    let mut slots = PrefixMap::new();
    let mut cache = FlowCache::default();
    let flows: Vec<IpHeader> = (0..FLOWS)
        .map(|number| IpHeader {
            source: Ipv4Addr::new(172, 16, 0, 12).into(),
            destination: host(number).address,
            ttl: 64,
            tos: 0,
            total_len: 100,
            flow_hash: number << 4,
        })
        .collect();
    for flow in &flows {
        let prefix = Eid::new(InstanceId::DEFAULT, flow.destination).host_prefix();
        let (slot, _) = slots.insert_slot(prefix, ());
        let encapsulation = Encapsulation {
            source: Rloc(RLOC.into()),
            destination: Rloc(MAP_SERVER.into()),
            flow_hash: flow.flow_hash,
            ttl: 64,
            tos: 0,
            header: [0; 8],
        };
        cache.remember(InstanceId::DEFAULT, flow, encapsulation, Some(slot));
    }
    let begin = Instant::now();
    for number in 0..HITS {
        let flow = black_box(&flows[number % flows.len()]);
        assert!(black_box(cache.find(InstanceId::DEFAULT, flow)).is_some());
    }
    let nanos = begin.elapsed().as_nanos() as f64 / HITS as f64;
    line("flow-cache: a hit, among 1000 flows", nanos, "ns", "<= 20");
}

/// Makes a mapping with one locator. The TTL differs from entry to entry, as for entries that were
/// learned at different times.
fn learned(eid: Eid, number: u32) -> Learned {
    let locator = Locator {
        rloc: Rloc(RLOC.into()),
        priority: 1,
        weight: 100,
        ordinal: 0,
        up: true,
        source: Source::RBit,
        since: Time::ZERO,
    };
    Learned {
        prefix: eid.host_prefix(),
        mapping: Mapping::Locators([locator].into()),
        ttl: DAY + Duration::from_micros(number.into()),
        map_source: RLOC.into(),
        solicited: false,
    }
}

/// Measures an ETR with a million EID prefixes: reading the configuration, the start, a link that
/// comes up, and routes to half of the prefixes and to one prefix that appear and disappear.
fn database() {
    const HEAD: &str = "
hostname xTR1
interface Ethernet0/0
 ip address 203.0.113.11 255.255.255.0
interface Ethernet1/0
 ip address 10.0.0.1 255.128.0.0
router lisp
 locator-set set1
  203.0.113.11 priority 1 weight 100
 eid-table default instance-id 0
";
    let before = resident();
    let mut text = HEAD.to_owned();
    for number in 0..MILLION {
        let prefix = host(number).host_prefix();
        writeln!(text, "  database-mapping {prefix} locator-set set1").expect("to memory");
    }
    text += " ipv4 etr\n";
    let count = MILLION as usize;
    let config = rate("database: configuration read, 1 M prefixes", count, "", || {
        parse_config("bench.conf", &text).expect("it is right")
    });
    let start = Start { config, seed: Seed::from_number(1), wall_clock: 1000, now: Time::ZERO };
    let mut router = rate("database: start with them", count, "", || Router::new(start));
    drain(&mut router);
    turn("database: a link comes up", &mut router, port_up());
    // The first route makes the locators reachable for all prefixes. The removal of the last route
    // undoes this.
    let half = connected("10.0.0.0/9");
    let one = connected(&host(1).host_prefix().prefix().to_string());
    for (what, route) in [("half of them", &half), ("one of them", &one)] {
        let event = KernelEvent::RouteAdded(route.clone());
        turn(&format!("database: a route to {what} comes"), &mut router, event);
    }
    for (what, route) in [("one of them", one), ("half of them", half)] {
        let event = KernelEvent::RouteRemoved(route);
        turn(&format!("database: a route to {what} goes"), &mut router, event);
    }
    let grown = (resident() - before) / f64::from(MILLION);
    line("database: memory, configuration and all", grown, "octets a prefix", "");
    let eids = random_hosts(MILLION);
    rate("database: random lookup", LOOKUPS, "", || {
        for &eid in &eids {
            black_box(router.database().longest_match(eid));
        }
    });
}

/// Measures an ETR that finds hosts of a dynamic-EID on its port, one after the other.
fn hosts() {
    const CONFIG: &str = "
hostname xTR1
interface Ethernet0/0
 ip address 203.0.113.11 255.255.255.0
interface Ethernet1/0
 ip address 10.255.255.254 255.0.0.0
 lisp mobility ROAM
router lisp
 locator-set set1
  203.0.113.11 priority 1 weight 100
 eid-table default instance-id 0
  dynamic-eid ROAM
   database-mapping 10.0.0.0/8 locator-set set1
 ipv4 etr map-server 209.165.201.31 key bench-key
 ipv4 etr
";
    let config = parse_config("bench.conf", CONFIG).expect("it is right");
    let start = Start { config, seed: Seed::from_number(1), wall_clock: 1000, now: Time::ZERO };
    let mut router = Router::new(start);
    drain(&mut router);
    turn("hosts: a link comes up", &mut router, port_up());
    let speaks = |number, state| {
        let device = "et1-0".to_owned();
        KernelEvent::Neighbour { device, address: host(number).address, state }
    };
    let known = NeighbourState::Known(Mac([2, 0, 0, 0, 0, 1]));
    rate("hosts: found, all of 60,000", ROAMING as usize, "", || {
        for number in 0..ROAMING {
            router.handle(Input::Kernel(speaks(number, known)), Time::ZERO);
            drain(&mut router);
        }
    });
    assert_eq!(router.mobility().hosts().len(), ROAMING as usize);
    turn("hosts: one more is found", &mut router, speaks(ROAMING, known));
    turn("hosts: one is lost", &mut router, speaks(7, NeighbourState::Failed));
    assert_eq!(router.mobility().hosts().len(), ROAMING as usize);
}

/// A port of the site comes up.
fn port_up() -> KernelEvent {
    KernelEvent::Link { device: "et1-0".to_owned(), up: true, carrier: true, mtu: 1500 }
}

/// A route to the port.
fn connected(prefix: &str) -> KernelRoute {
    let prefix = prefix.parse().expect("a prefix");
    KernelRoute { prefix, device: "et1-0".to_owned(), gateway: None, metric: 0 }
}

/// Gives the router an event of its kernel, and prints the time of one turn.
fn turn(what: &str, router: &mut Router, event: KernelEvent) {
    let begin = Instant::now();
    router.handle(Input::Kernel(event), Time::ZERO);
    line(what, begin.elapsed().as_secs_f64() * 1e6, "us", "");
    drain(router);
}

/// Measures a map-server with `hosts` registrations, through the code of the router: parsing, HMAC,
/// tables and signed answers.
fn map_server(hosts: u32) {
    let config = parse_config("bench.conf", CONFIG).expect("it is right");
    let start = Start { config, seed: Seed::from_number(1), wall_clock: 1000, now: Time::ZERO };
    let mut router = Router::new(start);
    drain(&mut router);
    let before = resident();
    for (round, what) in ["first", "refreshed"].into_iter().enumerate() {
        let target = if hosts == REGISTRATIONS { ">= 100,000" } else { "" };
        let title = format!("map-server, {hosts}: Map-Registers, {what}");
        let mut answered = 0;
        let elapsed = Duration::from_secs(60) * round as u32;
        // The messages are signed in batches, outside of the measured time.
        let mut spent = Duration::ZERO;
        for batch in 0..hosts / 1000 {
            let nonce = |number: u32| u64::from(number) + 1 + round as u64 * u64::from(hosts);
            let registers: Vec<Vec<u8>> = (batch * 1000..batch * 1000 + 1000)
                .map(|number| register(number, nonce(number)))
                .collect();
            let begin = Instant::now();
            answered += answers(&mut router, &registers, Time::ZERO + elapsed);
            spent += begin.elapsed();
        }
        assert_eq!(answered, hosts as usize, "each is acknowledged");
        line(&title, f64::from(hosts) / spent.as_secs_f64(), "a second", target);
        if round == 0 {
            let grown = (resident() - before) / f64::from(hosts);
            line(&format!("map-server, {hosts}: memory"), grown, "octets a registration", "");
        }
    }
    requests(&mut router, hosts);
    summary(&mut router, hosts);
    let later = Time::ZERO + Duration::from_secs(600);
    let title = format!("map-server, {hosts}: expiry");
    rate(&title, hosts as usize, "", || router.handle_timeout(later));
}

fn requests(router: &mut Router, hosts: u32) {
    let requests: Vec<Vec<u8>> =
        random_hosts(hosts).into_iter().take(200_000).map(request).collect();
    let target = if hosts == REGISTRATIONS { ">= 200,000" } else { "" };
    let title = format!("map-server, {hosts}: Map-Requests");
    let now = Time::ZERO + Duration::from_secs(61);
    let answered = rate(&title, requests.len(), target, || answers(router, &requests, now));
    assert_eq!(answered, requests.len(), "each is forwarded");
}

fn summary(router: &mut Router, hosts: u32) {
    let mut session = Session::new();
    let now = Time::ZERO + Duration::from_secs(62);
    let begin = Instant::now();
    let request = Request::Line("show lisp site summary".to_owned());
    session.handle(request, router, &mut NoHosts, now);
    let (mut printed, mut longest, mut turns) = (String::new(), Duration::ZERO, 0);
    loop {
        let turn = Instant::now();
        let Some(response) = session.poll(router, &mut NoHosts, now) else { break };
        longest = longest.max(turn.elapsed());
        if let Response::Text(text) = response {
            printed += &text;
        }
        turns += 1;
    }
    assert!(turns >= hosts / 256, "{turns} turns: a turn counts a few hundred entries");
    assert!(printed.contains(&hosts.to_string()), "{printed}");
    let millis = begin.elapsed().as_secs_f64() * 1e3;
    line(&format!("map-server, {hosts}: show lisp site summary"), millis, "ms", "");
    let micros = longest.as_secs_f64() * 1e6;
    line(&format!("map-server, {hosts}:   the longest turn of it"), micros, "us", "");
}

/// Gives the router the messages. Returns the number of answers.
fn answers(router: &mut Router, messages: &[Vec<u8>], now: Time) -> usize {
    let mut count = 0;
    for payload in messages {
        let source = SocketAddr::new(RLOC.into(), CONTROL_PORT);
        let datagram = ControlDatagram { source, destination: MAP_SERVER.into(), payload };
        router.handle(Input::Control(datagram), now);
        // The driver also does this after each message.
        black_box(router.poll_timeout());
        count += drain(router);
    }
    count
}

/// Takes all outputs. Returns the number of control messages among them.
fn drain(router: &mut Router) -> usize {
    let outputs = std::iter::from_fn(|| router.poll_output()).map(black_box);
    outputs.filter(|output| matches!(output, Output::Control { .. })).count()
}

fn register(number: u32, nonce: u64) -> Vec<u8> {
    let locator = LocatorRecord::unicast(RLOC.into(), 1, 100);
    let record = MappingRecord::of_site(host(number).host_prefix(), 1440, vec![locator]);
    let register = MapRegister {
        want_map_notify: true,
        nonce: Nonce(nonce),
        records: vec![record],
        xtr_identity: Some(XtrIdentity { xtr_id: 1, site_id: 0 }),
        ..MapRegister::default()
    };
    let key = Key { algorithm: Algorithm::HmacSha1, secret: b"bench-key".to_vec(), key_id: 0 };
    register.emit_signed(&key)
}

/// Makes a Map-Request as an ITR sends it to its map-resolver.
fn request(eid: Eid) -> Vec<u8> {
    let request = MapRequest {
        nonce: Nonce(1),
        source_eid: Some(Eid::new(InstanceId::DEFAULT, IpAddr::V4(RLOC))),
        itr_rlocs: vec![Rloc(RLOC.into())],
        records: vec![eid.host_prefix().into()],
        ..MapRequest::default()
    };
    let inner = SocketAddr::new(eid.address, CONTROL_PORT);
    Encapsulated::new(inner, inner, request.emit()).emit()
}

/// Measures lines of configuration on the console of two routers. One router has no prefixes. The
/// other has 6,000 prefixes in its database and 6,000 at its sites. The cost of a line must depend
/// only on its change.
/// Before them, a paste of 2,000 lines of many kinds, and the same lines read as a file.
fn lines() {
    const LINES: usize = 2000;
    let pasted = paste::long(LINES);
    let begin = Instant::now();
    let file = black_box(read_config("bench.conf", &pasted));
    let millis = begin.elapsed().as_secs_f64() * 1e3;
    line(&format!("lines: {} read as a file", pasted.lines().count()), millis, "ms", "");
    for prefixes in [0, 6000] {
        let mut text = "hostname xTR1\ninterface Ethernet0/0\n ip address 203.0.113.11 255.255.255.0\n\
                        router lisp\n locator-set set1\n  203.0.113.11 priority 1 weight 100\n  exit\n \
                        eid-table default instance-id 0\n"
            .to_owned();
        let of = |network: u32, number: u32| Ipv4Addr::from_bits((network << 24) + (number << 8));
        for number in 0..prefixes {
            writeln!(text, "  database-mapping {}/24 locator-set set1", of(10, number))
                .expect("to memory");
        }
        text += "  exit\n site S\n  authentication-key bench-key\n";
        for number in 0..prefixes {
            writeln!(text, "  eid-prefix {}/24", of(11, number)).expect("to memory");
        }
        text +=
            "  exit\n ipv4 map-server\n ipv4 etr\n ipv4 etr map-server 203.0.113.9 key bench-key\n";
        let config = parse_config("bench.conf", &text).expect("it is right");
        let start = Start { config, seed: Seed::from_number(1), wall_clock: 1000, now: Time::ZERO };
        let mut router = Router::new(start);
        drain(&mut router);
        let mut session = Session::new();
        let mut say = |router: &mut Router, line: &str| {
            session.handle(Request::Line(line.to_owned()), router, &mut NoHosts, Time::ZERO);
            while session.poll(router, &mut NoHosts, Time::ZERO).is_some() {}
            drain(router);
        };
        say(&mut router, "configure terminal");
        let begin = Instant::now();
        pasted.lines().for_each(|line| say(&mut router, line));
        let millis = begin.elapsed().as_secs_f64() * 1e3;
        let title = format!("lines: {} pasted at {prefixes} prefixes", pasted.lines().count());
        line(&title, millis, "ms", "<= 1000");
        assert_eq!(router.config().interfaces.len(), file.config.interfaces.len() + 1);
        say(&mut router, "router lisp");
        for (context, what) in [
            ("eid-table default instance-id 0", "database-mapping 12.@/24 locator-set set1"),
            ("site S", "eid-prefix 13.@/24"),
            ("exit", "ip route 14.@ 255.255.255.0 203.0.113.1"),
        ] {
            say(&mut router, context);
            let name = what.split('@').next().unwrap_or_default();
            rate(&format!("lines: {name}.. at {prefixes} prefixes"), LINES, "", || {
                for number in 0..LINES {
                    let network = format!("{}.{}.0", number / 256, number % 256);
                    say(&mut router, &what.replace('@', &network));
                }
            });
            say(&mut router, "exit");
        }
    }
}
