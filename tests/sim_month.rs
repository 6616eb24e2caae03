//! A month of the lab gsmr on virtual time. Hosts move, fall silent and return. At the end, the
//! tables, the routes and the memory must be as at the beginning. Without optimisation, the test
//! simulates only two days, so that it is quick. The whole month: `cargo test --release --test
//! sim_month -- --nocapture`.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeMap;
use std::time::Duration;

use eidway::addr::Family;
use eidway::console::parse_config;
use eidway::host::ping::PingRequest;
use eidway::lab::scenario::library;
use eidway::netns::open::open;
use eidway::rng::Seed;
use eidway::router::config::Config;
use eidway::sim::{Replug, Sim};

const HOUR: Duration = Duration::from_secs(3600);

/// The lab gsmr with the ports and ranges of scenario G3. All routers have registered.
fn roaming() -> Sim {
    let lab = open("gsmr", None).unwrap();
    let scenario = library::find(&lab, "g3").unwrap();
    let mut configs: BTreeMap<String, Config> = BTreeMap::new();
    for (name, file) in lab.file.routers() {
        let text = library::overlaid_text(&lab, &scenario, name, file).unwrap();
        let config = parse_config(file, &text);
        configs.insert(name.to_owned(), config.unwrap_or_else(|error| panic!("{error}")));
    }
    let mut sim = Sim::build(&lab.file, &configs, Seed::from_number(1)).unwrap();
    sim.run_until_registered().unwrap();
    sim
}

fn ping(sim: &mut Sim, from: &str, to: &str) {
    for family in Family::BOTH {
        let request = PingRequest::new(sim.host_address(to, family).unwrap());
        let marks = sim.ping(from, request).unwrap().marks();
        assert!(marks.ends_with("!!!"), "{from} to {to} at {}: {marks}", sim.now());
    }
}

/// A day of host A. A works at home, moves to the other site, falls silent there, and is at home
/// again in the evening.
fn day(sim: &mut Sim) {
    ping(sim, "A", "B");
    sim.run_for(8 * HOUR);
    sim.move_host("A", "siteB", Replug::Atomic).unwrap();
    sim.run_for(Duration::from_secs(5));
    ping(sim, "N", "A");
    sim.run_for(2 * HOUR);
    sim.unplug_host("A").unwrap();
    sim.run_for(4 * HOUR);
    sim.move_host("A", "siteA", Replug::Atomic).unwrap();
    sim.run_for(Duration::from_secs(5));
    ping(sim, "N", "A");
    ping(sim, "B", "A");
    sim.run_for(10 * HOUR - Duration::from_secs(200));
}

/// The state of a router and of its kernel at one time.
struct State {
    kernel: Vec<String>,
    /// The number of entries of each table.
    tables: Vec<usize>,
    /// The number of entries of the map-cache. It is not in `tables`, because an entry of a host
    /// elsewhere may have expired.
    map_cache: usize,
    /// The length of the text of the router. It grows with all data that the router keeps.
    letters: usize,
}

/// The state of each router.
fn state(sim: &Sim) -> BTreeMap<String, State> {
    let of = |(name, router): (&str, &eidway::router::Router)| {
        let fills = router.mobility().fills().into_iter().chain(router.away().fills());
        let tables = [
            router.away().entries().len(),
            router.database().entries().len(),
            router.map_server().entries().len(),
        ];
        // The history of registrations has a limit, but some routers do not reach it in a month.
        let history: usize = router.map_server().history().map(|event| letters(&event)).sum();
        let state = State {
            kernel: sim.kernel(name).unwrap().state(),
            tables: fills.map(|fill| fill.entries).chain(tables).collect(),
            map_cache: router.map_cache().entries().len(),
            letters: letters(router) - history,
        };
        (name.to_owned(), state)
    };
    sim.routers().map(of).collect()
}

/// The length of a text without its digits. Digits are not counted, because later numbers have more
/// digits.
fn letters(of: &impl std::fmt::Debug) -> usize {
    format!("{of:?}").chars().filter(|letter| !letter.is_ascii_digit()).count()
}

#[test]
fn a_month_of_hosts_that_come_and_fall_silent_leaves_all_as_it_was() {
    let days = if cfg!(debug_assertions) { 2 } else { 30 };
    let mut sim = roaming();
    day(&mut sim);
    let before = state(&sim);
    for _ in 1..days {
        day(&mut sim);
    }
    for (name, now) in state(&sim) {
        let before = &before[&name];
        assert_eq!(now.kernel, before.kernel, "{name}");
        assert_eq!(now.tables, before.tables, "{name}");
        assert!(now.map_cache <= before.map_cache, "{name}: {} mappings", now.map_cache);
        println!("{name}: {} letters after a day, {} after {days}", before.letters, now.letters);
        let most = before.letters + before.letters / 20 + 1000;
        assert!(now.letters <= most, "{name}: {} letters", now.letters);
    }
}
