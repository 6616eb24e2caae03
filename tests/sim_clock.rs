//! An xTR is down, and its clock is set back. The test runs on virtual time. The map-server
//! remembers greater nonces than the clock gives, but it accepts the Map-Registers of the xTR.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::time::Duration;

use eidway::netns::open::open;
use eidway::rng::Seed;
use eidway::sim::{Sim, ping};

const HOUR: Duration = Duration::from_secs(3600);

/// Kills xTR1 and starts it again with a clock that is late by `behind`. Returns the time until its
/// map-server has acknowledged all its Map-Registers, and the lines of its log about nonces.
fn started_again(behind: Duration, keeps_nonces: bool) -> (Duration, Vec<String>) {
    let lab = open("two-sites", None).unwrap();
    let mut sim = ping::lab_start(&lab, Seed::from_number(1)).unwrap();
    sim.run_until_registered().unwrap();
    sim.run_for(Duration::from_secs(5));
    let config = sim.router("xTR1").unwrap().config().clone();
    sim.kill_router("xTR1").unwrap();
    sim.set_clock_behind("xTR1", behind).unwrap();
    if !keeps_nonces {
        sim.lose_nonces("xTR1").unwrap();
    }
    sim.start_router("xTR1", config).unwrap();
    let start = sim.now();
    while !is_registered(&sim) {
        sim.run_for(Duration::from_millis(100));
        assert!(sim.now().since(start) < HOUR, "never registered");
    }
    let log = sim.log("xTR1").unwrap().into_iter().map(|(_, _, line)| line);
    let took = sim.now().since(start);
    (took, log.filter(|line| line.contains("nonce")).collect())
}

fn is_registered(sim: &Sim) -> bool {
    let registrations = sim.router("xTR1").unwrap().registrations(sim.now());
    registrations.iter().all(|each| each.acknowledged == each.prefixes)
}

#[test]
fn with_the_nonces_of_its_last_run_it_registers_at_once() {
    let (took, log) = started_again(HOUR, true);
    assert!(took < Duration::from_secs(1), "{took:?}");
    let [line] = &log[..] else { panic!("{log:?}") };
    assert!(
        line.starts_with("the clock of this router is 35") && line.ends_with("correct the clock"),
        "{line}"
    );
}

#[test]
fn without_them_it_raises_its_nonces_until_it_is_taken() {
    for (behind, soonest, latest) in [(1, 7, 8), (3, 60, 66), (24, 400, 700)] {
        let (took, log) = started_again(HOUR * behind, false);
        let range = Duration::from_secs(soonest)..Duration::from_secs(latest);
        assert!(range.contains(&took), "{behind} h: {took:?}");
        let [line] = &log[..] else { panic!("one line: {log:?}") };
        assert!(line.contains("has answered none of 3 Map-Registers"), "{line}");
    }
}

#[test]
fn with_its_clock_as_it_was_it_says_nothing() {
    for keeps_nonces in [true, false] {
        let (took, log) = started_again(Duration::ZERO, keeps_nonces);
        assert!(took < Duration::from_secs(1) && log.is_empty(), "{took:?} {log:?}");
    }
}
