//! The labs on virtual time: the same files that run in namespaces, without privileges.

use std::time::Duration;

use eidway::addr::Family;
use eidway::host::ping::{Outcome, PingRequest};
use eidway::lab::file::Impairment;
use eidway::lab::open::Lab;
use eidway::lab::ping::Echos;
use eidway::rng::Seed;
use eidway::sim::trace::Trace;
use eidway::sim::{Sim, ping};

fn start(lab: &str, seed: u64) -> Sim {
    let lab = Lab::open(lab, None).unwrap();
    let mut sim = ping::lab_start(&lab, Seed::from_number(seed)).unwrap();
    sim.trace = Trace::Lines(Vec::new());
    sim
}

fn lines(sim: &mut Sim) -> Vec<String> {
    match std::mem::replace(&mut sim.trace, Trace::Lines(Vec::new())) {
        Trace::Lines(lines) => lines,
        _ => unreachable!("start set it"),
    }
}

fn ping_marks(sim: &mut Sim, from: &str, to: &str, family: Family) -> String {
    let to = sim.host_address(to, family).unwrap();
    sim.ping(from, PingRequest::new(to)).unwrap().marks()
}

#[test]
fn hosts_of_two_sites_ping_and_the_first_packet_is_delivered() {
    let mut sim = start("two-sites", 1);
    sim.run_until_registered().unwrap();
    for family in Family::BOTH {
        for (from, to) in [("A", "B"), ("B", "A")] {
            let marks = ping_marks(&mut sim, from, to, family);
            assert_eq!(marks, "!!!!!", "{from} {to} {family}\n{}", lines(&mut sim).join("\n"));
        }
    }
}
