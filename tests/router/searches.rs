//! The number of hosts that a router searches for at one time. A scan from the core must not fill
//! the neighbour table of the kernel, and it must leave room for other searches.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use eidway::addr::Family;
use eidway::router::io::{
    Inbound, KernelEvent, KernelRequest, Mac, NeighbourState, Outbound, Outer, Output,
};
use eidway::time::Time;

use crate::bench::*;

const XTR: &str = "
hostname xTR1
interface Ethernet0/0
 ip address 203.0.113.11 255.255.255.0
interface Ethernet1/0
 ip address 172.16.0.1 255.255.0.0
 lisp mobility ROAM
router lisp
 locator-set set1
  203.0.113.11 priority 1 weight 100
 eid-table default instance-id 0
  dynamic-eid ROAM
   database-mapping 172.16.0.0/16 locator-set set1
 ipv4 itr map-resolver 209.165.201.31
 ipv4 itr
 ipv4 etr map-server 209.165.201.31 key cisco
 ipv4 etr
";
const PORT: &str = "et1-0";
const HOST: &str = "172.16.0.12";
const B: &str = "192.168.0.22";
const AT_A_TIME: usize = 64;
const A_SECOND: usize = 100;
/// The time for which the kernel asks for a silent host.
const KERNEL_ASKS: Duration = Duration::from_secs(3);

/// A router and its kernel. The neighbours of the kernel answer only if a test says so.
struct Lan {
    bench: Bench,
    /// The neighbours that the kernel asks for, each with the time of the first question.
    asked: BTreeMap<IpAddr, Time>,
    /// The times at which the last questions began.
    begun: VecDeque<Time>,
    /// The maximum number of neighbours that were asked for at one time.
    most: usize,
    /// The total number of neighbours that were asked for.
    all: usize,
}

impl Lan {
    fn new() -> Self {
        let mut bench = Bench::new(XTR);
        bench.outputs();
        let (asked, begun) = (BTreeMap::new(), VecDeque::new());
        Lan { bench, asked, begun, most: 0, all: 0 }
    }

    fn follow(&mut self) {
        for request in self.bench.kernel_requests() {
            self.take(request);
        }
    }

    fn take(&mut self, request: KernelRequest) {
        let now = self.bench.now;
        match request {
            KernelRequest::Probe { address, .. } => {
                self.asked.insert(address, now);
                self.all += 1;
                self.begun.push_back(now);
                self.begun.retain(|at| now.since(*at) < Duration::from_secs(1));
                assert!(self.begun.len() <= A_SECOND, "{} in a second", self.begun.len());
                self.most = self.most.max(self.asked.len());
            }
            KernelRequest::Forget { address, .. } => drop(self.asked.remove(&address)),
            _ => {}
        }
    }

    /// Lets time pass. The kernel stops asking for neighbours that do not answer.
    fn advance(&mut self, span: Duration) {
        let end = self.bench.now + span;
        while self.bench.now < end {
            for (_, outputs) in self.bench.advance(Duration::from_millis(10)) {
                for output in outputs {
                    if let Output::Kernel(request) = output {
                        self.take(request);
                    }
                }
            }
            self.follow();
            let now = self.bench.now;
            let silent = self.asked.iter().filter(|(_, at)| now.since(**at) >= KERNEL_ASKS);
            let silent: Vec<IpAddr> = silent.map(|(address, _)| *address).collect();
            for address in silent {
                self.asked.remove(&address);
                self.tell(address, NeighbourState::Failed);
            }
        }
    }

    fn tell(&mut self, address: IpAddr, state: NeighbourState) {
        let device = PORT.to_owned();
        self.bench.kernel(KernelEvent::Neighbour { device, address, state });
        self.follow();
    }

    fn appears(&mut self, address: &str) {
        self.asked.remove(&ip(address));
        self.tell(ip(address), NeighbourState::Known(Mac([2, 0, 0, 0, 0, 12])));
        // The kernel asks for the host, and the host answers immediately.
        self.asked.remove(&ip(address));
    }

    fn table(&mut self, entries: u32) {
        let (family, limit) = (Family::Ipv4, 1024);
        self.bench.kernel(KernelEvent::NeighbourTable { family, entries, limit });
        self.follow();
    }

    fn arrives(&mut self, from: &str, destination: &str) -> Inbound {
        let inner = packet(B, destination, 64, b"scan");
        let (source, destination) = (ip(from), ip(RLOC_1));
        let outer = Outer { source, destination, ttl: 64, tos: 0 };
        let inbound = self.bench.decapsulate_from(&outer, &mut [&[0; 8], &inner[..]].concat());
        self.follow();
        inbound
    }

    /// A packet of a scan: the source is any address, and the destination is any host.
    fn scanned(&mut self, number: u32) -> Inbound {
        let from = Ipv4Addr::from_bits(0x0b00_0000 + number * 7919).to_string();
        let destination = Ipv4Addr::from_bits(0xac10_0100 + number * 13 % 0xfe00).to_string();
        self.arrives(&from, &destination)
    }

    fn refused(&self) -> u64 {
        self.bench.router.counters().searches_refused
    }

    fn is_sought(&self, host: &str) -> bool {
        self.asked.contains_key(&ip(host))
    }

    fn is_here(&self, host: &str) -> bool {
        self.bench.router.mobility().hosts().contains_key(&eid(host))
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A router with a mapping for xTR2, to which it has sent a packet of the site.
fn with_peer() -> Lan {
    let mut lan = Lan::new();
    lan.appears("172.16.0.99");
    let mut ping = packet("172.16.0.99", B, 63, b"ping");
    assert_eq!(lan.bench.encapsulate(&mut ping), Outbound::Held);
    let (_, request) = only_request(&lan.bench.messages());
    let mapping = record("192.168.0.0/24", 1440, &[RLOC_2]);
    lan.bench.control(NEW, RLOC_1, &reply(request.nonce, vec![mapping]));
    lan.follow();
    lan
}

#[test]
fn a_scan_has_sixty_four_searches_at_a_time_and_a_hundred_a_second() {
    let mut lan = Lan::new();
    for number in 0..20_000 {
        let inbound = lan.scanned(number);
        assert!(matches!(inbound, Inbound::Held | Inbound::Dropped(_)), "{inbound:?}");
        if number % 20 == 0 {
            lan.advance(Duration::from_millis(10));
        }
    }
    assert_eq!(lan.most, AT_A_TIME);
    assert!(lan.refused() > 15_000, "{}", lan.refused());
    let fills = lan.bench.router.mobility().fills();
    assert!(fills.iter().all(|fill| fill.entries <= fill.capacity), "{fills:?}");
    // The router repeats a refused search for ten seconds. After this time there are no more
    // questions.
    lan.advance(Duration::from_secs(20));
    assert!(lan.asked.is_empty(), "{:?}", lan.asked);
    let all = lan.all;
    lan.advance(Duration::from_secs(60));
    assert_eq!(lan.all, all);
}

#[test]
fn a_known_encapsulator_finds_its_host_amid_a_scan() {
    let mut lan = with_peer();
    for number in 0..1_000 {
        let _ = lan.scanned(number);
    }
    lan.advance(Duration::from_secs(1));
    for number in 1_000..1_040 {
        let _ = lan.scanned(number);
    }
    assert_eq!(lan.asked.len(), AT_A_TIME);
    assert_eq!(lan.arrives(RLOC_2, HOST), Inbound::Held);
    assert!(lan.is_sought(HOST));
    assert_eq!(lan.asked.len(), AT_A_TIME, "another gave way, and the kernel forgets it");
    for number in 1_040..1_050 {
        let _ = lan.scanned(number);
    }
    lan.appears(HOST);
    let delivered = lan.bench.router.counters().decapsulations;
    assert_eq!((lan.is_here(HOST), delivered), (true, 1), "its packet waited for it");
}

#[test]
fn no_search_takes_the_kernels_table_past_three_quarters() {
    let mut lan = Lan::new();
    lan.table(764);
    for number in 0..100 {
        let _ = lan.scanned(number);
    }
    assert_eq!(lan.asked.len(), 768 - 764);
    lan.table(768);
    assert!(matches!(lan.arrives(RLOC_2, HOST), Inbound::Dropped(_)));
    lan.advance(Duration::from_secs(5));
    assert!(!lan.is_sought(HOST) && lan.asked.is_empty());
    // The table has room again. The router repeats the search without another packet.
    lan.table(700);
    lan.advance(Duration::from_secs(3));
    assert!(lan.is_sought(HOST));
    lan.appears(HOST);
    assert!(lan.is_here(HOST));
}

#[test]
fn a_refused_search_makes_no_sender_ask_for_another_mapping() {
    let mut lan = Lan::new();
    lan.table(1024);
    assert!(matches!(lan.arrives(RLOC_2, HOST), Inbound::Dropped(_)));
    lan.bench.drain();
    assert_eq!((lan.refused(), lan.bench.router.counters().smrs.sent), (1, 0));
}

#[test]
fn the_hosts_of_a_port_whose_link_is_back_are_asked_for_little_by_little() {
    let mut lan = Lan::new();
    let host = |number: u32| Ipv4Addr::from_bits(0xac10_0100 + number).to_string();
    for number in 0..500 {
        // The router asks for each host when the host is found. This question needs no new entry in
        // the neighbour table.
        lan.appears(&host(number));
        lan.begun.clear();
    }
    lan.bench.link(PORT, false);
    lan.follow();
    lan.advance(Duration::from_secs(2));
    (lan.most, lan.all) = (0, 0);
    lan.bench.link(PORT, true);
    lan.follow();
    assert_eq!(lan.asked.len(), AT_A_TIME, "at once as many as may be");
    // One of ten hosts has left.
    let is_there = |host: &str| !host.ends_with('9');
    for _ in 0..200 {
        let answers = |address: &IpAddr| is_there(&address.to_string());
        let there: Vec<IpAddr> = lan.asked.keys().copied().filter(answers).collect();
        for address in there {
            lan.begun.clear();
            lan.appears(&address.to_string());
        }
        lan.advance(Duration::from_millis(250));
    }
    for host in (0..500).map(host) {
        assert_eq!(lan.is_here(&host), is_there(&host), "{host}");
    }
    assert!(lan.asked.is_empty());
    assert!(lan.most <= AT_A_TIME);
}
