//! Measures how long a day of the lab gsmr takes on virtual time: `cargo test --release --test
//! sim_day -- --nocapture`. Without optimisation, the test simulates only an hour, so that it is
//! quick.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]
#![allow(clippy::disallowed_methods, reason = "the test measures the wall's clock")]

use std::time::{Duration, Instant};

use eidway::addr::Family;
use eidway::host::ping::PingRequest;
use eidway::netns::open::open;
use eidway::rng::Seed;
use eidway::sim::ping;

#[test]
fn a_quiet_day_leaves_everything_as_it_was() {
    let hours = if cfg!(debug_assertions) { 1 } else { 24 };
    let start = Instant::now();
    let lab = open("gsmr", None).unwrap();
    let mut sim = ping::lab_up(&lab, Seed::from_number(1)).unwrap();
    for _ in 0..hours {
        sim.run_for(Duration::from_secs(3600));
        for family in Family::BOTH {
            let request = PingRequest::new(sim.host_address("A", family).unwrap());
            assert_eq!(sim.ping("B", request).unwrap().marks(), "!!!!!", "{} {family}", sim.now());
        }
    }
    assert!(sim.is_registered());
    let (took, crossings) = (start.elapsed(), sim.crossings());
    println!("gsmr: {hours} h of virtual time, {crossings} packets, took {took:.2?}");
}
