//! Decisions on packets. A packet that waited gets the decision that a later packet gets. A
//! question about a decision changes nothing. Each packet is counted once.

use std::num::NonZeroU16;
use std::time::Duration;

use eidway::addr::{Family, InstanceId, Rloc};
use eidway::packet::{OwnedPacket, Packet};
use eidway::router::Router;
use eidway::router::counters::Counters;
use eidway::router::debugging::Debugging;
use eidway::router::decision::{Origin, Verdict};
use eidway::router::io::{
    Command, Inbound, Input, KernelEvent, KernelRoute, Mac, NeighbourState, Outbound, Outer,
    Output, PathEvent,
};
use eidway::wire::{
    Action, DataHeader, IcmpErrorKind, MapReply, MapRequest, Message, Nonce, NonceField,
};
use etherparse::PacketBuilder;
use proptest::prelude::*;

use crate::bench::*;
use crate::network::roaming_xtr1;

const A: &str = "172.16.0.12";
const B: &str = "192.168.0.22";
const RLOCS: [&str; 3] = [RLOC_1, OLD, "203.0.113.12"];

/// A packet of EIDs: a single packet or a super-packet.
#[derive(Clone, Debug)]
struct Sent {
    source: &'static str,
    destination: &'static str,
    len: usize,
    may_be_fragmented: bool,
    segment_size: u16,
    ttl: u8,
    tos: u8,
}

impl Sent {
    fn octets(&self) -> Vec<u8> {
        let address = |text: &str| text.parse::<std::net::Ipv4Addr>().unwrap().octets();
        let builder =
            PacketBuilder::ipv4(address(self.source), address(self.destination), self.ttl);
        let mut bytes = Vec::new();
        builder.tcp(1000, 80, 1, 1000).write(&mut bytes, &vec![b'x'; self.len]).unwrap();
        if self.may_be_fragmented {
            bytes[6] &= !0x40;
        } else {
            bytes[6] |= 0x40;
        }
        bytes[1] = self.tos;
        let mut header = etherparse::Ipv4HeaderSlice::from_slice(&bytes).unwrap().to_header();
        header.header_checksum = header.calc_header_checksum();
        bytes[..20].copy_from_slice(&header.to_bytes());
        bytes
    }

    fn packets(&self) -> u64 {
        match usize::from(self.segment_size) {
            0 => 1,
            size => self.len.div_ceil(size).max(1) as u64,
        }
    }
}

fn sent(
    sources: &'static [&'static str],
    destinations: &'static [&'static str],
) -> impl Strategy<Value = Sent> {
    let ends = (prop::sample::select(sources), prop::sample::select(destinations));
    let size = (1..3000_usize, prop::sample::select(&[0_u16, 0, 700, 1400][..]));
    let header = (any::<bool>(), prop::sample::select(&[1_u8, 2, 64][..]), any::<u8>());
    (ends, size, header).prop_map(|((source, destination), (len, segment_size), header)| {
        let (may_be_fragmented, ttl, tos) = header;
        Sent { source, destination, len, may_be_fragmented, segment_size, ttl, tos }
    })
}

/// The output for a packet that the router forwards.
fn gone(wrap: Option<eidway::router::io::Encapsulation>, bytes: &[u8], size: u16) -> Output {
    let packet = OwnedPacket { bytes: bytes.to_vec(), segment_size: NonZeroU16::new(size) };
    match wrap {
        Some(wrap) => Output::Encapsulate(wrap, packet),
        None => Output::Native(InstanceId::DEFAULT, packet),
    }
}

/// Gives the router a packet of the site. Returns the decision and all packets that leave because
/// of it.
fn send(bench: &mut Bench, sent: &Sent) -> (Outbound, Vec<Output>) {
    let mut bytes = sent.octets();
    let segment_size = NonZeroU16::new(sent.segment_size);
    let mut packet = Packet { bytes: &mut bytes, segment_size };
    let before = sums(&bench.router);
    let asked = bench.router.explain(InstanceId::DEFAULT, &packet, Origin::Site, bench.now);
    assert_eq!(before, sums(&bench.router), "to ask changes nothing");
    assert!(bench.router.poll_output().is_none(), "to ask changes nothing");
    let verdict = bench.router.encapsulate(InstanceId::DEFAULT, &mut packet, bench.now);
    let expected = match asked.verdict {
        Verdict::Encapsulate(wrap) => Outbound::Encapsulate(wrap),
        Verdict::Native => Outbound::Native,
        Verdict::Hold(_) => Outbound::Held,
        Verdict::Drop(reason) => Outbound::Dropped(reason),
        other => panic!("a packet of the site: {other:?}"),
    };
    assert_eq!(verdict, expected, "{:?}", asked.because);
    bench.drain();
    let mut outputs = bench.outputs();
    match verdict {
        Outbound::Encapsulate(wrap) => outputs.push(gone(Some(wrap), &bytes, sent.segment_size)),
        Outbound::Native => outputs.push(gone(None, &bytes, sent.segment_size)),
        Outbound::Held | Outbound::Dropped(_) => {}
    }
    (verdict, outputs)
}

/// Gives the router a packet from the core. Returns the decision and all packets that leave because
/// of it.
fn come(bench: &mut Bench, sent: &Sent, lisp: DataHeader, outer: Outer) -> (Inbound, Vec<Output>) {
    let mut datagram = [&lisp.emit()[..], &sent.octets()].concat();
    let segment_size = NonZeroU16::new(sent.segment_size);
    let before = sums(&bench.router);
    let mut inner = sent.octets();
    let packet = Packet { bytes: &mut inner, segment_size };
    let (lisp, _) = DataHeader::parse(&datagram).unwrap();
    let origin = Origin::Core { outer, lisp };
    let asked = bench.router.explain(InstanceId::DEFAULT, &packet, origin, bench.now);
    assert_eq!(before, sums(&bench.router), "to ask changes nothing");
    assert!(bench.router.poll_output().is_none(), "to ask changes nothing");
    let mut packet = Packet { bytes: &mut datagram, segment_size };
    let verdict = bench.router.decapsulate(&outer, &mut packet, bench.now);
    let (instance_id, len) = (InstanceId::DEFAULT, sent.octets().len());
    let expected = match asked.verdict {
        Verdict::Forward(encapsulation) => Inbound::Forward { encapsulation, len },
        Verdict::Deliver => Inbound::Deliver { instance_id, len },
        Verdict::Hold(_) => Inbound::Held,
        Verdict::Drop(reason) => Inbound::Dropped(reason),
        other => panic!("a packet from the core: {other:?}"),
    };
    assert_eq!(verdict, expected, "{:?}", asked.because);
    bench.drain();
    let mut outputs = bench.outputs();
    match verdict {
        Inbound::Forward { encapsulation, .. } => {
            outputs.push(gone(Some(encapsulation), &datagram[8..], sent.segment_size));
        }
        Inbound::Deliver { .. } => outputs.push(gone(None, &datagram[8..], sent.segment_size)),
        Inbound::Held | Inbound::Dropped(_) => {}
    }
    (verdict, outputs)
}

/// The counters, waiting packets and deadlines: the visible state of a router.
fn sums(router: &Router) -> (Counters, u64, String) {
    let entries = router.map_cache().entries().iter();
    let used = entries.map(|(prefix, entry)| format!("{prefix} {:?}", entry.usage));
    let tables = format!("{:?} {:?}", used.collect::<Vec<_>>(), router.poll_timeout());
    (router.counters().clone(), router.waiting_packets(), tables)
}

/// The number of packets that left, were dropped, or wait.
fn counted(router: &Router) -> u64 {
    let counters = router.counters();
    let dropped: u64 = counters.drops.values().sum();
    counters.encapsulations
        + counters.native
        + counters.decapsulations
        + counters.forwarded_away
        + dropped
        + router.waiting_packets()
}

/// A mapping of A's site. If the mapping has no locators, it is negative.
#[derive(Clone, Debug)]
struct Learned {
    locators: Vec<(usize, u8, u8, bool)>,
    action: Action,
    echoes: bool,
}

fn learned() -> impl Strategy<Value = Learned> {
    let locator = (0..RLOCS.len(), prop::sample::select(&[1_u8, 1, 2, 255][..]), 0..3_u8);
    let locator = (locator, prop::bool::weighted(0.8))
        .prop_map(|((rloc, priority, weight), up)| (rloc, priority, weight, up));
    let action = prop::sample::select(&[Action::NativelyForward, Action::Drop][..]);
    (prop::collection::vec(locator, 0..4), action, any::<bool>())
        .prop_map(|(locators, action, echoes)| Learned { locators, action, echoes })
}

fn reply_of(learned: &Learned, nonce: Nonce) -> Vec<u8> {
    let mut locators: Vec<_> = learned
        .locators
        .iter()
        .map(|&(rloc, priority, weight, up)| {
            let mut locator = locator(RLOCS[rloc]);
            (locator.priority, locator.weight, locator.reachable) = (priority, weight, up);
            locator
        })
        .collect();
    locators.sort_by_key(|locator| locator.ip());
    locators.dedup_by_key(|locator| locator.ip());
    let action = if locators.is_empty() { learned.action } else { Action::NoAction };
    let record = eidway::wire::MappingRecord {
        locators,
        action,
        ..record("172.16.0.0/24", 1440, &[RLOC_1])
    };
    let echo_nonce = learned.echoes;
    MapReply { nonce, echo_nonce, records: vec![record], ..MapReply::default() }.emit()
}

fn config() -> impl Strategy<Value = String> {
    let algorithms = &["", "lsb-reports", "echo-nonce"][..];
    let roles = [XTR2.to_owned(), roaming_xtr1().replace(NEW, OLD)];
    let parts = (any::<bool>(), any::<bool>(), prop::sample::select(algorithms), any::<bool>());
    parts.prop_map(move |(petr, has_neighbour, algorithm, is_roaming)| {
        let mut config = roles[usize::from(is_roaming)].clone();
        if has_neighbour {
            config += "router lisp\n locator-set set1\n  198.51.100.9 priority 1 weight 100\n";
        }
        if petr {
            config += "router lisp\n ipv4 use-petr 192.0.2.51\n";
        }
        if !algorithm.is_empty() {
            config += &format!("router lisp\n loc-reach-algorithm {algorithm}\n");
        }
        config
    })
}

/// A report from the core about a locator.
#[derive(Clone, Debug)]
enum Told {
    TooBig(usize, u32),
    Unreachable(usize),
    NoRoute(usize),
}

fn told() -> impl Strategy<Value = Told> {
    prop_oneof![
        (0..RLOCS.len(), 1300..1600_u32).prop_map(|(rloc, mtu)| Told::TooBig(rloc, mtu)),
        (0..RLOCS.len()).prop_map(Told::Unreachable),
        (0..RLOCS.len()).prop_map(Told::NoRoute),
    ]
}

fn tell(bench: &mut Bench, told: &Told) {
    match *told {
        Told::TooBig(rloc, mtu) => {
            bench.icmp(RLOCS[rloc], CORE, IcmpErrorKind::TooBig { mtu }, &[]);
        }
        Told::Unreachable(rloc) => {
            bench.icmp(RLOCS[rloc], CORE, IcmpErrorKind::HostUnreachable, &[]);
        }
        Told::NoRoute(rloc) => {
            let event = PathEvent::NoRoute(Rloc(RLOCS[rloc].parse().unwrap()));
            bench.router.handle(Input::Path(event), bench.now);
            bench.drain();
        }
    }
}

/// xTR2 after three steps: it has learned the mapping of A's site, it has received reports about
/// the locators, and it has forgotten the mapping.
fn prepared(config: &str, told: &[Told]) -> Bench {
    let mut bench = Bench::new(config);
    bench.outputs();
    let mut ping = packet(B, A, 63, b"ping");
    assert_eq!(bench.encapsulate(&mut ping), Outbound::Held);
    let (_, request) = only_request(&bench.messages());
    bench.control(RLOC_1, RLOC_2, &reply(request.nonce, vec![record("172.16.0.0/24", 9, &RLOCS)]));
    assert!(matches!(bench.encapsulate(&mut ping), Outbound::Encapsulate(_)));
    told.iter().for_each(|told| tell(&mut bench, told));
    let clear = Command::ClearMapCache { family: Family::Ipv4, prefix: None };
    bench.router.handle(Input::Command(clear), bench.now);
    bench.drain();
    bench.outputs();
    bench
}

/// The result for a packet: all outputs since the mapping was learned, and the counters.
fn outcome(bench: &Bench, mut left: Vec<Output>, late: Vec<Output>) -> (Vec<Output>, Counters) {
    left.extend(late);
    let counters = Counters { held: 0, ..bench.router.counters().clone() };
    (left, counters)
}

fn waits_for_mapping(
    config: &str,
    told: &[Told],
    learned: &Learned,
    subject: &Sent,
    is_held: bool,
) -> (Vec<Output>, Counters) {
    let mut bench = prepared(config, told);
    let mut other = packet("192.168.0.33", A, 63, b"another one makes the router ask");
    assert_eq!(bench.encapsulate(&mut other), Outbound::Held);
    let (_, request) = only_request(&bench.messages());
    if is_held {
        assert_eq!(send(&mut bench, subject).0, Outbound::Held);
    }
    bench.control(RLOC_1, RLOC_2, &reply_of(learned, request.nonce));
    let left = bench.outputs();
    let late = if is_held { Vec::new() } else { send(&mut bench, subject).1 };
    outcome(&bench, left, late)
}

fn neighbour(bench: &mut Bench, address: &str, state: NeighbourState) {
    let (device, address) = ("et1-0".to_owned(), address.parse().unwrap());
    bench.kernel(KernelEvent::Neighbour { device, address, state });
}

fn outer(from: &str, ttl: u8, tos: u8) -> Outer {
    let (source, destination) = (from.parse().unwrap(), RLOC_1.parse().unwrap());
    Outer { source, destination, ttl, tos }
}

fn waits_for_host(
    subject: &Sent,
    header: DataHeader,
    from: Outer,
    state: NeighbourState,
    is_held: bool,
) -> (Vec<Output>, Counters) {
    let algorithm = "router lisp\n loc-reach-algorithm echo-nonce\n";
    let mut bench = Bench::new(&(roaming_xtr1() + algorithm));
    bench.outputs();
    let other = Sent { source: B, destination: A, len: 9, ttl: 9, tos: 0, ..subject.clone() };
    let plain = DataHeader::default();
    assert_eq!(come(&mut bench, &other, plain, outer(RLOC_2, 64, 0)).0, Inbound::Held);
    if is_held {
        let _ = come(&mut bench, subject, header, from);
        bench.outputs();
    }
    neighbour(&mut bench, A, state);
    let left = bench.outputs();
    let late = if is_held { Vec::new() } else { come(&mut bench, subject, header, from).1 };
    outcome(&bench, left, late)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_packet_that_waited_for_a_mapping_has_the_end_of_one_that_comes_after_it(
        petr in any::<bool>(),
        algorithm in prop::sample::select(&["lsb-reports", "echo-nonce"][..]),
        told in prop::collection::vec(told(), 0..4),
        learned in learned(),
        subject in sent(&[B, "192.168.0.33"], &[A]),
    ) {
        let petr = if petr { " ipv4 use-petr 203.0.113.12\n" } else { "" };
        let config = format!("{XTR2}router lisp\n loc-reach-algorithm {algorithm}\n{petr}");
        let [held, late] = [true, false]
            .map(|is_held| waits_for_mapping(&config, &told, &learned, &subject, is_held));
        prop_assert_eq!(held, late);
    }

    #[test]
    fn a_packet_that_waited_for_a_host_has_the_end_of_one_that_comes_after_it(
        subject in sent(&[B, "172.16.0.1", "172.16.0.77", "10.10.10.7"], &[A]),
        nonce in any::<Option<bool>>(),
        ttl in prop::sample::select(&[0_u8, 1, 64][..]),
        tos in any::<u8>(),
        is_found in any::<bool>(),
    ) {
        let nonce = match nonce {
            Some(echo) => NonceField::Nonce { nonce: 7, echo },
            None => NonceField::None,
        };
        let header = DataHeader { nonce, ..DataHeader::default() };
        let state = match is_found {
            true => NeighbourState::Known(Mac([2, 0, 0, 0, 0, 12])),
            false => NeighbourState::Failed,
        };
        let [held, late] = [true, false]
            .map(|is_held| waits_for_host(&subject, header, outer(RLOC_2, ttl, tos), state, is_held));
        prop_assert_eq!(held, late);
    }
}

/// An event at a router.
#[derive(Clone, Debug)]
enum Step {
    Send(Sent),
    Come(Sent, usize, NonceField, Option<u32>),
    Reply(Learned),
    Told(Told),
    Neighbour(&'static str, NeighbourState),
    Link(bool),
    Route(bool),
    Clear,
    Smr(&'static str),
    Configure(String),
    Wait(Duration),
}

fn step() -> impl Strategy<Value = Step> {
    // Most packets belong to one flow, so that the router remembers the decision of this flow.
    let ends = &[B, "192.168.0.1", "172.16.0.1", A, "172.16.0.13", "10.9.9.9", "224.0.0.5"][..];
    let out = prop_oneof![2 => sent(&[B], &[A]), 1 => sent(ends, ends)];
    let back = prop_oneof![2 => sent(&[A], &[B]), 1 => sent(ends, ends)];
    let nonce = prop_oneof![
        Just(NonceField::None),
        (0..3_u32, any::<bool>()).prop_map(|(nonce, echo)| NonceField::Nonce { nonce, echo }),
    ];
    let come = (back, 0..4_usize, nonce, any::<Option<u32>>());
    let state = prop::sample::select(
        &[NeighbourState::Known(Mac([2, 0, 0, 0, 0, 12])), NeighbourState::Failed][..],
    );
    prop_oneof![
        10 => out.prop_map(Step::Send),
        6 => come.prop_map(|(sent, from, nonce, bits)| Step::Come(sent, from, nonce, bits)),
        3 => learned().prop_map(Step::Reply),
        2 => told().prop_map(Step::Told),
        2 => (prop::sample::select(&[A, "172.16.0.13"][..]), state)
            .prop_map(|(host, state)| Step::Neighbour(host, state)),
        1 => any::<bool>().prop_map(Step::Link),
        1 => any::<bool>().prop_map(Step::Route),
        1 => Just(Step::Clear),
        1 => prop::sample::select(&[A, "172.16.0.13"][..]).prop_map(Step::Smr),
        2 => config().prop_map(Step::Configure),
        3 => prop::sample::select(&[0_u64, 1, 1_000, 4_000, 16_000, 61_000, 301_000][..])
            .prop_map(|ms| Step::Wait(Duration::from_millis(ms))),
    ]
}

/// A router and the inputs that it has received.
struct Played {
    bench: Bench,
    /// The nonces of the Map-Requests that the router has sent.
    asked: Vec<Nonce>,
    given: u64,
}

impl Played {
    fn listen(&mut self, outputs: &[Output]) {
        let asked = requests(&messages(outputs)).into_iter().map(|(_, request)| request.nonce);
        self.asked.extend(asked);
    }

    fn play(&mut self, step: &Step) {
        let bench = &mut self.bench;
        match step {
            Step::Send(sent) => {
                self.given += sent.packets();
                let (_, outputs) = send(bench, sent);
                self.listen(&outputs);
            }
            Step::Come(sent, from, nonce, locator_status_bits) => {
                self.given += sent.packets();
                let header = DataHeader {
                    nonce: *nonce,
                    locator_status_bits: *locator_status_bits,
                    ..DataHeader::default()
                };
                let from = RLOCS.get(*from).copied().unwrap_or(RLOC_2);
                let (_, outputs) = come(bench, sent, header, outer(from, 60, 0));
                self.listen(&outputs);
            }
            Step::Reply(learned) => {
                let Some(nonce) = self.asked.pop() else { return };
                bench.control(RLOC_1, RLOC_2, &reply_of(learned, nonce));
            }
            Step::Told(told) => tell(bench, told),
            Step::Neighbour(host, state) => neighbour(bench, host, *state),
            Step::Link(up) => bench.link("et0-0", *up),
            Step::Route(is_there) => {
                let (prefix, device) = ("192.168.0.0/24".parse().unwrap(), "et1-0".to_owned());
                let route = KernelRoute { prefix, device, gateway: None, metric: 0 };
                bench.kernel(match is_there {
                    true => KernelEvent::RouteAdded(route),
                    false => KernelEvent::RouteRemoved(route),
                });
            }
            Step::Clear => {
                let clear = Command::ClearMapCache { family: Family::Ipv4, prefix: None };
                bench.router.handle(Input::Command(clear), bench.now);
                bench.drain();
            }
            Step::Smr(solicited) => {
                let smr = MapRequest {
                    smr: true,
                    nonce: Nonce(1),
                    source_eid: Some(eid(solicited)),
                    itr_rlocs: vec![Rloc(RLOC_1.parse().unwrap())],
                    records: vec![prefix("192.168.0.22/32").into()],
                    ..MapRequest::default()
                };
                bench.control(RLOC_1, RLOC_2, &Message::MapRequest(smr).emit());
            }
            Step::Configure(config) => bench.configure(config),
            Step::Wait(span) => {
                let said: Vec<Output> =
                    bench.advance(*span).into_iter().flat_map(|(_, outputs)| outputs).collect();
                self.listen(&said);
            }
        }
        let outputs = self.bench.outputs();
        self.listen(&outputs);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Checks that the answer to a question equals the decision, also if the flow is remembered.
    /// `send` and `come` compare them.
    #[test]
    fn a_decision_is_the_one_that_was_asked_for_and_each_packet_is_counted_once(
        config in config(),
        first in sent(&[B], &[A]),
        mapping in learned(),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut played = Played { bench: Bench::new(&config), asked: Vec::new(), given: 0 };
        let begin = [Step::Send(first), Step::Reply(mapping)];
        for step in begin.iter().chain(&steps) {
            played.play(step);
            prop_assert_eq!(counted(&played.bench.router), played.given, "{:?}", step);
        }
    }
}

/// A packet of the site goes to the core.
fn out(bench: &mut Bench) {
    let _ = bench.encapsulate(&mut packet(B, A, 63, b"out"));
}

/// A packet arrives from the core with this LISP header.
fn back(header: DataHeader) -> impl Fn(&mut Bench) {
    move |bench: &mut Bench| {
        // The time must advance, because the router learns nothing more from a second packet at one
        // instant.
        bench.advance(Duration::from_millis(1));
        let inner = packet(A, B, 63, b"back");
        let from = Outer { destination: RLOC_2.parse().unwrap(), ..outer(RLOC_1, 60, 0) };
        let _ = bench.decapsulate_from(&from, &mut [&header.emit()[..], &inner].concat());
    }
}

/// The route to the local EID prefix is added or removed.
fn route(bench: &mut Bench, is_there: bool) {
    let (prefix, device) = ("192.168.0.0/24".parse().unwrap(), "et1-0".to_owned());
    let route = KernelRoute { prefix, device, gateway: None, metric: 0 };
    bench.kernel(match is_there {
        true => KernelEvent::RouteAdded(route),
        false => KernelEvent::RouteRemoved(route),
    });
}

#[test]
fn a_forwarding_generation_begins_with_what_changes_decisions_and_with_nothing_else() {
    let algorithms =
        "router lisp\n loc-reach-algorithm lsb-reports\n loc-reach-algorithm echo-nonce\n";
    let config = format!("{XTR2}{algorithms}");
    let mut bench = with_reserve(&config, B);
    bench.advance(Duration::from_secs(2));
    let mut changes = |what: &str, is_change: bool, happen: &dyn Fn(&mut Bench)| {
        let before = bench.router.forwarding_generation();
        happen(&mut bench);
        let after = bench.router.forwarding_generation();
        assert_eq!(after > before, is_change, "{what}: {before}, {after}");
    };
    let bits = DataHeader { locator_status_bits: Some(0b01), ..DataHeader::default() };
    let nonce = NonceField::Nonce { nonce: 5, echo: true };
    let asks = DataHeader { nonce, ..DataHeader::default() };

    changes("a packet", false, &out);
    changes("a packet from the core", false, &back(DataHeader::default()));
    changes("a message that is refused", false, &|bench| bench.control(RLOC_1, RLOC_2, b"?"));
    changes("a reply to nothing", false, &|bench| {
        bench.control(RLOC_1, RLOC_2, &reply(Nonce(9), vec![record("172.16.0.0/24", 9, &[OLD])]));
    });
    changes("debugging", false, &|bench| {
        bench.router.handle(
            Input::Command(Command::Debug { types: Debugging::CONTROL_PLANE, on: true }),
            bench.now,
        );
    });
    changes("a call that comes early", false, &|bench| bench.router.handle_timeout(bench.now));
    changes("the same configuration", false, &|bench| bench.configure(&config));

    changes("no route", true, &|bench| tell(bench, &Told::NoRoute(0)));
    changes("no route again", false, &|bench| tell(bench, &Told::NoRoute(0)));
    changes("its end", true, &|bench| drop(bench.advance(Duration::from_secs(15))));
    changes("a path MTU", true, &|bench| tell(bench, &Told::TooBig(0, 1400)));
    changes("the same path MTU", false, &|bench| tell(bench, &Told::TooBig(0, 1400)));
    changes("a status bit", true, &back(bits));
    changes("the same status bit", false, &back(bits));
    changes("a nonce to be echoed", true, &back(asks));
    changes("the same nonce", false, &back(asks));
    changes("a local EID without route", true, &|bench| route(bench, false));
    changes("its route", true, &|bench| route(bench, true));
    changes("a mapping that is forgotten", true, &|bench| {
        let clear = Command::ClearMapCache { family: Family::Ipv4, prefix: None };
        bench.router.handle(Input::Command(clear), bench.now);
        bench.drain();
    });
    changes("a question", false, &out);
    changes("another configuration", true, &|bench| {
        bench.configure(&format!("{config} ipv4 use-petr 192.0.2.51\n"));
    });
    changes("a locator that the other ends do not know", true, &|bench| {
        let more = "router lisp\n locator-set set1\n  198.51.100.9 priority 1 weight 100\n";
        bench.configure(&format!("{config}{more}"));
    });
    changes("the end of the use-LSB timer", true, &|bench| {
        drop(bench.advance(Duration::from_secs(301)));
    });
}
