//! A lab whose routers have the interface names and the styles of newer IOS, on virtual time.

use eidway::addr::Family;
use eidway::host::ping::PingRequest;
use eidway::netns::open::open;
use eidway::rng::Seed;
use eidway::sim::ping;

const LAB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/labs/styles");

#[test]
fn interfaces_and_instances_of_any_name_carry_packets() {
    let lab = open(LAB, None).unwrap();
    let mut sim = ping::lab_start(&lab, Seed::from_number(1)).unwrap();
    sim.run_until_registered().unwrap();
    for family in Family::BOTH {
        for (from, to) in [("A", "B"), ("B", "A")] {
            let request = PingRequest::new(sim.host_address(to, family).unwrap());
            assert_eq!(sim.ping(from, request).unwrap().marks(), "!!!!!", "{from} {to} {family}");
        }
    }
}
