//! Scans of a site from the core and from its own LAN. After a scan, the tables, the routes and the
//! memory must be as before.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use eidway::router::away::Producer;
use eidway::router::io::{
    Inbound, KernelEvent, KernelObject, KernelRequest, Mac, NeighbourState, Outer, Output,
};
use eidway::router::made::Made;
use eidway::time::Time;
use eidway::wire::Message;

use crate::bench::*;
use crate::network::{appear, neighbour, roaming_network};
use crate::relay::Relay;

const XTR: &str = "
hostname xTR1
interface Ethernet0/0
 ip address 203.0.113.11 255.255.255.0
interface Ethernet1/0
 ip address 172.16.0.1 255.255.0.0
 ipv6 address 2001:db8:a::1/64
 lisp mobility ROAM
interface Ethernet2/0
 ip address 172.16.0.1 255.255.0.0
 lisp mobility ROAM
router lisp
 locator-set set1
  203.0.113.11 priority 1 weight 100
 eid-table default instance-id 0
  dynamic-eid ROAM
   database-mapping 172.16.0.0/16 locator-set set1
   database-mapping 2001:db8:a::/64 locator-set set1
 ipv4 itr map-resolver 209.165.201.31
 ipv4 itr
 ipv4 etr map-server 209.165.201.31 key cisco
 ipv4 etr
 ipv6 itr map-resolver 209.165.201.31
 ipv6 itr
 ipv6 etr
";
const HOST: &str = "172.16.0.12";

struct Scan {
    bench: Bench,
    /// The objects that the router has requested from the kernel and has not removed.
    wishes: Made,
}

impl Scan {
    fn new() -> Self {
        let mut scan = Scan { bench: Bench::new(XTR), wishes: Made::default() };
        scan.neighbour("et1-0", HOST.parse().unwrap(), true);
        scan.advance(Duration::from_secs(300));
        scan
    }

    /// Takes the requests of the router to the kernel and carries them out.
    fn follow(&mut self) {
        let outputs = self.bench.outputs();
        self.take(outputs);
    }

    fn take(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            let Output::Kernel(request) = output else { continue };
            if let KernelRequest::Remove(object) = request {
                assert!(self.wishes.has(&object), "{object:?} was not there");
            }
            self.wishes.done(&request);
        }
    }

    fn neighbour(&mut self, device: &str, address: IpAddr, is_known: bool) {
        let state = match is_known {
            true => NeighbourState::Known(Mac([2, 0, 0, 0, 0, 12])),
            false => NeighbourState::Failed,
        };
        let device = device.to_owned();
        self.bench.kernel(KernelEvent::Neighbour { device, address, state });
        self.follow();
    }

    /// A packet for `destination` arrives from the core.
    fn arrives(&mut self, destination: IpAddr) {
        let inner = packet("192.168.0.22", &destination.to_string(), 64, b"scan");
        let (source, to) = (RLOC_2.parse().unwrap(), RLOC_1.parse().unwrap());
        let outer = Outer { source, destination: to, ttl: 64, tos: 0 };
        let _ = self.bench.decapsulate_from(&outer, &mut [&[0; 8], &inner[..]].concat());
        self.follow();
    }

    fn advance(&mut self, span: Duration) {
        for (_, outputs) in self.bench.advance(span) {
            self.take(outputs);
        }
        self.follow();
    }

    /// The number of entries of each bounded table, of the away table and of the database.
    fn sizes(&self) -> Vec<usize> {
        let router = &self.bench.router;
        let fills = router.mobility().fills().into_iter().chain(router.away().fills());
        let others = [router.away().entries().len(), router.database().entries().len()];
        fills.map(|fill| fill.entries).chain(others).collect()
    }

    /// The length of the router's state as text. It does not count digits, because later numbers
    /// have more digits.
    fn memory(&self) -> usize {
        let text = format!("{:?}", self.bench.router);
        text.chars().filter(|letter| !letter.is_ascii_digit()).count()
    }

    fn evicted(&self, name: &str) -> u64 {
        let router = &self.bench.router;
        let mut fills = router.mobility().fills().into_iter().chain(router.away().fills());
        fills.find(|fill| fill.name == name).unwrap().evicted
    }

    /// Checks that the tables, the requested objects and the memory are as before.
    fn assert_as(&self, before: &(Vec<usize>, Made, usize)) {
        assert_eq!(self.sizes(), before.0);
        assert_eq!(self.wishes, before.1);
        let (was, is) = (before.2, self.memory());
        assert!(is.abs_diff(was) < was / 10 + 2000, "{was} letters then, {is} now");
    }

    fn state(&self) -> (Vec<usize>, Made, usize) {
        (self.sizes(), self.wishes.clone(), self.memory())
    }
}

#[test]
fn a_scan_of_a_slash_16_from_the_core_leaves_nothing_behind() {
    let mut scan = Scan::new();
    let before = scan.state();
    for number in 0..65_536_u32 {
        scan.arrives(Ipv4Addr::from_bits(0xac10_0000 + number).into());
        if number % 64 == 0 {
            scan.advance(Duration::from_millis(64));
        }
        assert!(scan.bench.router.away().entries().len() <= 2 + 4096);
    }
    let refused = scan.bench.router.counters().searches_refused;
    assert!(refused > 0, "more were named than may be sought");
    scan.advance(Duration::from_secs(180));
    scan.assert_as(&before);
    assert!(scan.bench.router.mobility().hosts().contains_key(&eid(HOST)));
}

#[test]
fn two_hundred_thousand_ipv6_neighbours_that_come_and_fall_silent_leave_nothing_behind() {
    // Without optimisation, the test uses a tenth of the hosts, so that it is quick.
    let count = if cfg!(debug_assertions) { 20_000 } else { 200_000_u128 };
    // The number of hosts that are present when the first of them falls silent.
    let there = count / 20;
    let address = |number: u128| {
        IpAddr::V6(Ipv6Addr::from_bits(0x2001_0db8_000a_0000_0000_0000_0000_1000 + number * 7919))
    };
    let mut scan = Scan::new();
    let before = scan.state();
    for number in 0..count + there {
        if number < count {
            scan.neighbour("et1-0", address(number), true);
        }
        if let Some(silent) = number.checked_sub(there) {
            scan.neighbour("et1-0", address(silent), false);
        }
        if number % 1000 == 0 {
            scan.neighbour("et1-0", HOST.parse().unwrap(), true);
            scan.advance(Duration::from_secs(1));
            let sizes = scan.sizes();
            assert!(sizes[0] <= 1 + there as usize && sizes[8] <= 2 + 4096, "{sizes:?}");
            assert!(scan.wishes.iter().count() <= before.1.iter().count() + there as usize + 4096);
        }
    }
    assert_eq!(scan.evicted("Silent hosts"), count as u64 - 4096);
    let silent = scan.bench.router.away().entries().len();
    scan.advance(Duration::from_secs(14 * 60));
    assert_eq!(
        scan.bench.router.away().entries().len(),
        silent,
        "they stay for a quarter of an hour"
    );
    scan.advance(Duration::from_secs(180));
    scan.assert_as(&before);
}

#[test]
fn spoofed_hosts_of_one_port_do_not_keep_the_hosts_of_another_from_being_found() {
    let mut scan = Scan::new();
    let address = |number: u128| {
        IpAddr::V6(Ipv6Addr::from_bits(0x2001_0db8_000a_0000_0000_0000_0000_1000 + number))
    };
    for number in 0..65_600 {
        scan.neighbour("et1-0", address(number), true);
    }
    let [hosts, ..] = scan.bench.router.mobility().fills();
    assert_eq!(
        (hosts.entries, hosts.evicted),
        (65_536, 1),
        "the host of the start was unseen for long"
    );
    assert_eq!(hosts.turned_away, 64);
    scan.neighbour("et2-0", "172.16.0.13".parse().unwrap(), true);
    assert!(scan.bench.router.mobility().hosts().contains_key(&eid("172.16.0.13")));
    // A host was rejected because the table was full. It is found if it sends a packet after
    // another host has left.
    let late = address(65_599);
    assert!(!scan.bench.router.mobility().hosts().contains_key(&eid(&late.to_string())));
    scan.neighbour("et1-0", address(7), false);
    scan.neighbour("et1-0", late, true);
    assert!(scan.bench.router.mobility().hosts().contains_key(&eid(&late.to_string())));
}

#[test]
fn a_silent_host_is_away_for_a_quarter_of_an_hour_with_its_route_and_then_sought_again() {
    let mut scan = Scan::new();
    scan.neighbour("et1-0", HOST.parse().unwrap(), false);
    let host = prefix("172.16.0.12/32");
    let route = |wishes: &Made| {
        let of_host = |object: &&KernelObject| matches!(object, KernelObject::Route { prefix, .. } if *prefix == host.prefix());
        wishes.iter().filter(of_host).count()
    };
    assert!(scan.bench.router.away().entries().contains(&host));
    assert_eq!(route(&scan.wishes), 1);
    scan.advance(Duration::from_secs(15 * 60) - Duration::from_micros(1));
    assert!(scan.bench.router.away().entries().contains(&host));
    scan.advance(Duration::from_micros(1));
    assert!(!scan.bench.router.away().entries().contains(&host));
    assert_eq!(route(&scan.wishes), 0, "the route goes with the entry, at the same instant");
    let inner = packet("192.168.0.22", HOST, 64, b"late");
    let (source, destination) = (RLOC_2.parse().unwrap(), RLOC_1.parse().unwrap());
    let outer = Outer { source, destination, ttl: 64, tos: 0 };
    let verdict = scan.bench.decapsulate_from(&outer, &mut [&[0; 8], &inner[..]].concat());
    assert_eq!(verdict, Inbound::Held);
    let probes = scan.bench.kernel_requests();
    let is_probe = |request: &KernelRequest| matches!(request, KernelRequest::Probe { address, .. } if address.to_string() == HOST);
    assert_eq!(probes.iter().filter(|request| is_probe(request)).count(), 2, "one on each port");
}

#[test]
fn a_range_that_is_taken_away_inside_another_leaves_the_away_table() {
    let inner = "   database-mapping 172.16.5.0/24 locator-set set1\n   database-mapping 2001";
    let mut bench = Bench::new(&XTR.replacen("   database-mapping 2001", inner, 1));
    let ranges = |bench: &Bench| {
        let entries = bench.router.away().entries().iter();
        entries.filter(|(_, entry)| entry.producer == Producer::DynamicEid).count()
    };
    assert_eq!(ranges(&bench), 3);
    bench.configure(XTR);
    assert_eq!(ranges(&bench), 2);
    assert_eq!(bench.now, Time::ZERO);
}

/// A host moves from xTR1 to xTR2, and a map-server notifies xTR1 of the move.
fn moved(network: Relay) -> Relay {
    let mut relay = network;
    appear(&mut relay, "xTR1", HOST);
    relay.advance(Duration::from_secs(5));
    appear(&mut relay, "xTR2", HOST);
    relay.advance(Duration::from_secs(5));
    assert!(is_away(&relay));
    relay
}

fn is_away(relay: &Relay) -> bool {
    let entry = relay.router("xTR1").away().entries().get(&prefix("172.16.0.12/32"));
    entry.is_some_and(|entry| !entry.locators.is_empty())
}

const DAY: Duration = Duration::from_secs(24 * 3600);

fn asked(relay: &Relay) -> usize {
    let to = ["New", "Old"].into_iter().flat_map(|server| relay.udp("xTR1", server));
    to.filter(|(_, message)| matches!(message, Message::Encapsulated(_))).count()
}

#[test]
fn a_host_that_moved_stays_away_while_the_session_that_told_it_is_up() {
    let mut relay = moved(roaming_network());
    relay.listen();
    relay.advance(DAY + Duration::from_secs(60));
    assert!(is_away(&relay));
    assert_eq!(asked(&relay), 0);
}

#[test]
fn a_host_that_moved_is_asked_for_again_when_no_session_would_tell_that_it_moved_on() {
    let mut relay = moved(roaming_network());
    relay.kill("New");
    relay.listen();
    relay.advance(DAY + Duration::from_secs(60));
    assert!(asked(&relay) > 0);
    assert!(is_away(&relay), "xTR2 has it still");
    neighbour(&mut relay, "xTR2", HOST, NeighbourState::Failed);
    relay.listen();
    relay.advance(DAY);
    assert!(asked(&relay) > 0);
    assert!(!relay.router("xTR1").away().entries().contains(&prefix("172.16.0.12/32")));
    let of_host = |request: &KernelRequest| match request {
        KernelRequest::Remove(KernelObject::Route { prefix, .. }) => {
            prefix.to_string() == "172.16.0.12/32"
        }
        KernelRequest::Remove(KernelObject::ProxyNeighbour { address, .. }) => {
            address.to_string() == HOST
        }
        _ => false,
    };
    let removed = relay.kernel.iter().filter(|(at, request)| *at == "xTR1" && of_host(request));
    assert_eq!(removed.count(), 2, "its route and the proxy for it go with its entry");
}
