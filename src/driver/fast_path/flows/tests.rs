//! Tests of the flows with the maps of a real kernel. The tests do the work of the programs in the
//! kernel: they count packets in the words, and count the forwarded packets of a flow in its
//! [`Use`].

use std::net::IpAddr;

use super::*;
use crate::driver::fast_path::{InboundFlow, InboundVerdict, inbound_key, test_flows};
use crate::driver::namespace::in_namespace;
use crate::packet::UnverifiedFlow;
use crate::router::io::Outer;

type TestFlows = Flows<InboundFlow, InboundVerdict, u8>;

/// Runs a test. The maps of its flows are new.
fn with_flows(test: impl FnOnce(TestFlows) + Send + 'static) {
    in_namespace(|| test(test_flows().expect("a kernel with BPF, and root")));
}

fn flow(number: u32) -> InboundFlow {
    let address = |last: u32| IpAddr::from((0x0a00_0000 + last).to_be_bytes());
    let outer = Outer { source: address(8), destination: address(9), ttl: 64, tos: 0 };
    let flow = Flow::of(&UnverifiedFlow {
        source: address(1),
        destination: address(number),
        protocol: 17,
        flow_hash: number << 4,
    });
    inbound_key(flow, &outer, [0; 8])
}

/// Writes a verdict on a flow to the kernel. Returns the index of the flow's [`Use`].
fn teach(flows: &mut TestFlows, key: InboundFlow, is_udp: bool) -> u32 {
    let mut given = 0;
    let verdict = |number| {
        given = number;
        InboundVerdict { epoch: 1, number, reserved: 0 }
    };
    flows.teach(key, 1, (7, is_udp), verdict).unwrap();
    given
}

/// Counts packets that go up to the router, as the program in the kernel does.
fn go_up(flows: &TestFlows, key: &InboundFlow, packets: u64) {
    flows.words.word(key.flow.place(), 0).fetch_add(packets, Ordering::AcqRel);
}

/// Counts packets that the kernel has forwarded, as the program in the kernel does. `number` is the
/// index of the flow's [`Use`].
fn use_flow(flows: &TestFlows, number: u32, packets: u64, octets: u64, last: u64) {
    let word = |word| flows.uses.word(number as usize, word);
    word(0).fetch_add(packets, Ordering::AcqRel);
    word(1).fetch_add(octets, Ordering::AcqRel);
    word(LAST).store(last, Ordering::Release);
}

#[test]
fn a_flow_is_handed_over_when_no_packet_is_on_its_way_up() {
    with_flows(|mut flows| {
        let key = flow(1);
        go_up(&flows, &key, 2);
        assert!(flows.came_up(&key));
        teach(&mut flows, key, false);
        assert!(!flows.is_settled(&key, 0, || true));
        assert!(!flows.hand_over(&key, 0), "one packet is on its way");
        flows.came_up(&key);
        assert!(flows.is_settled(&key, 0, || true));
        assert!(flows.hand_over(&key, 0));
        assert_eq!(flows.words.read(key.flow.place(), 0), key.flow.installed() | 2);
        flows.take_back(&key);
        assert_eq!(flows.words.read(key.flow.place(), 0), 2);
        assert!(!flows.has(&key, 1));
    });
}

#[test]
fn a_flow_gets_the_word_of_another_flow_when_the_other_is_idle() {
    with_flows(|mut flows| {
        let [one, other] = [flow(1), flow(1 + PLACES as u32)];
        assert_eq!(one.flow.place(), other.flow.place());
        let number = teach(&mut flows, one, false);
        let used_at = 1_000_000_000;
        use_flow(&flows, number, 1, 100, used_at);
        assert!(flows.hand_over(&one, used_at));
        assert!(!flows.hand_over(&other, used_at + 99_000_000));
        assert!(flows.hand_over(&other, used_at + 100_000_000));
        assert_eq!(flows.words.read(other.flow.place(), 0), other.flow.installed());
    });
}

#[test]
fn packets_that_were_lost_on_their_way_up_do_not_hold_a_flow_back_for_ever() {
    with_flows(|mut flows| {
        let key = flow(1);
        go_up(&flows, &key, 5);
        flows.came_up(&key);
        let mut now = 0;
        for sample in 0..LOSS_SAMPLES {
            assert!(!flows.is_settled(&key, now, || false), "nothing is known while packets wait");
            now += SAMPLE_INTERVAL.as_nanos() as u64;
            assert!(!flows.is_settled(&key, now, || true), "{sample}");
            assert!(!flows.is_settled(&key, now + 1, || true), "it is too early for a sample");
            // In every second sample, one more packet is on its way up.
            if sample % 2 == 0 {
                go_up(&flows, &key, 1);
            } else {
                flows.came_up(&key);
            }
        }
        assert!(flows.is_settled(&key, now, || true), "four packets were lost");
        assert!(flows.hand_over(&key, 0));
    });
}

#[test]
fn the_packets_of_a_flow_are_reported_once_also_after_the_flow_was_taken_back() {
    with_flows(|mut flows| {
        let (key, data) = (flow(1), 7);
        let number = teach(&mut flows, key, false);
        use_flow(&flows, number, 3, 300, 11);
        let load = Load { packets: 3, bytes: 300 };
        assert_eq!(flows.take_uses(), [Uncounted { data, load, last: 11 }]);
        assert_eq!(flows.take_uses(), []);
        use_flow(&flows, number, 1, 50, 12);
        flows.take_back(&key);
        let load = Load { packets: 1, bytes: 50 };
        assert_eq!(flows.take_uses(), [Uncounted { data, load, last: 12 }]);
        let again = teach(&mut flows, flow(2), false);
        assert_eq!(again, number, "the number is used again");
        assert_eq!(flows.take_uses(), []);
    });
}

#[test]
fn a_full_table_gives_up_the_flows_that_were_not_used_for_the_longest_time() {
    with_flows(|mut flows| {
        for number in 0..FLOWS as u32 {
            let number = teach(&mut flows, flow(number), false);
            use_flow(&flows, number, 1, 100, u64::from(FLOWS as u32 - number));
        }
        teach(&mut flows, flow(FLOWS as u32), false);
        assert_eq!(flows.taught(), FLOWS - FLOWS / 8 + 1);
        assert!(flows.has(&flow(0), 1) && !flows.has(&flow(FLOWS as u32 - 1), 1));
    });
}

#[test]
fn a_busy_flow_of_small_datagrams_stays_in_the_router_until_it_is_calm() {
    with_flows(|mut flows| {
        let at = |millis| Time::ZERO + Duration::from_millis(millis);
        let keys = [flow(1), flow(2), flow(3)];
        flows.measure(at(1000));
        let [small, large, tcp] = [(keys[0], true), (keys[1], true), (keys[2], false)]
            .map(|(key, is_udp)| teach(&mut flows, key, is_udp));
        for (number, octets) in [(small, 92), (large, 1428), (tcp, 92)] {
            let packets = BUSY_RATE / 5 + 1;
            use_flow(&flows, number, packets, packets * octets, 1);
        }
        flows.measure(at(1200));
        assert_eq!(keys.map(|key| flows.has(&key, 1)), [false, true, true]);
        assert!(!flows.came_up(&keys[0]) && flows.came_up(&keys[1]));
        flows.measure(at(2300));
        assert_eq!(flows.kept(), 1, "the first measurement is not of a whole second");
        for _ in 0..BUSY_RATE {
            flows.came_up(&keys[0]);
        }
        flows.measure(at(3300));
        assert_eq!(flows.kept(), 1, "the flow is busy");
        flows.measure(at(4300));
        assert_eq!(flows.kept(), 0);
        assert!(flows.came_up(&keys[0]));
    });
}

#[test]
fn the_kernel_has_the_verdicts_that_it_was_given() {
    with_flows(|mut flows| {
        let number = teach(&mut flows, flow(1), false);
        assert_eq!(flows.verdicts.get(&flow(1), 0).unwrap().number, number);
        flows.take_back(&flow(1));
        assert!(matches!(flows.verdicts.get(&flow(1), 0), Err(MapError::KeyNotFound)));
    });
}
