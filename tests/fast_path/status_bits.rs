//! Locator-Status-Bits (RFC 9300 section 10): the router itself reads each change of them, and acts
//! on it before the next packet.

use std::time::Duration;

use crate::cases::{Change, Transport, Way};
use crate::differential::Pair;
use crate::live::can_run;
use crate::world::Port;

/// Both locators of the other site are up, or the first one is down.
const BOTH: u8 = 0b11;
const SECOND: u8 = 0b10;

/// The router changes the states of locators at most once a second. This is a bit more.
const CHANGE_INTERVAL: Duration = Duration::from_millis(1050);

/// Lets both routers believe Locator-Status-Bits.
fn configure(pair: &mut Pair) {
    let lines = ["configure terminal", "router lisp", "loc-reach-algorithm lsb-reports", "end"];
    for world in &mut pair.worlds {
        for line in lines {
            world.console(line);
        }
    }
}

#[test]
fn a_change_of_status_bits_acts_on_the_next_packet() {
    if !can_run() {
        return;
    }
    let mut pair = Pair::new(&["--no-offload"]);
    configure(&mut pair);
    for (inner, outer) in [(0, 0), (1, 1)] {
        let [out, inbound] = [Port::Site, Port::Core].map(|port| Way::new(port, inner, outer));
        let sent = out.frames(Transport::Udp, &Change::none(""));
        std::thread::sleep(CHANGE_INTERVAL);
        assert!(
            pair.warm_up(&inbound, &inbound.frames(Transport::Udp, &Change::status_bits(BOTH)))
        );
        assert!(pair.warm_up(&out, &sent), "{}: the kernel does not forward", out.name);
        for (number, reported) in [SECOND, BOTH, SECOND, BOTH].into_iter().enumerate() {
            let received = inbound.frames(Transport::Udp, &Change::status_bits(reported));
            // The first packets come too early after the last change.
            for _ in 0..2 {
                for _ in 0..3 {
                    pair.send(Port::Core, &received);
                    pair.settle();
                    pair.send(Port::Site, &sent);
                }
                let found = [pair.compare(), pair.compare_counters()].concat();
                let case = format!("{}, bits {reported} in step {number}", out.name);
                assert!(found.is_empty(), "{case}:\n{}", found.join("\n"));
                std::thread::sleep(CHANGE_INTERVAL);
            }
        }
        assert!(pair.warm_up(&out, &sent), "{}: the kernel does not forward", out.name);
    }
    let statistics = pair.worlds[0].json("show ip lisp statistics json");
    let changes = statistics["status_bit_changes"].as_u64();
    assert_eq!(changes, Some(2 * 4), "the bits have another effect: {statistics}");
}
