//! The sweep: generated labs, generated faults, and a reference model beside the real routers.
//!
//! A seed makes a lab and its events ([`plan`]); the lab runs on virtual time ([`run`]) under
//! a watch that looks at every packet ([`watch`]); a model that knows nothing of LISP's messages gives
//! the expected end ([`world`]). `tests/sweep.sh` runs it for hours; here it runs for as
//! many seeds as fit a test. A seed that fails prints itself, the violated rule and the time, and the
//! smallest plan that still does ([`shrink`]), as a test can have it: `regressions.rs`.
//!
//! ```text
//! EIDWAY_SEED=17 cargo test --test sweep seeds      one seed, with the last packets
//! EIDWAY_SEEDS=10000 tests/sweep.sh                  many, in release
//! ```
//!
//! # Claims
//!
//! At all times, also during the faults:
//! - no packet is put on a LAN of a site whose host it is not for, nor given to another host;
//! - no packet circles: its crossings of links are bounded;
//! - each packet that a router was given waits there, or is under one counter; at the end, no node has
//!   sent more than it took in, nor kept more than it counted.
//!
//! Within [`SETTLED`] after the faults, a round of pings and [`LEARNT`]:
//! - each map-server holds the registrations of the model, no more and no less;
//! - no away entry is without its cause;
//! - hosts that have a path ping each other without a loss;
//! - no map-cache says otherwise than the model of an EID that a packet was for a moment ago.
//!
//! # The bound
//!
//! Let the last fault end at 0. A TCP session whose peer is silent, or whose octets are not
//! acknowledged, falls after 25 s, and a map-server that has forgotten it answers the next question,
//! within 10 s, with RST. A registration by a session that fell, or by UDP with a router of
//! either kind, or with an old map-server after any withdrawal, ends 180 s later: 205 s. A prefix that
//! has to be registered is sent again within 60 s (the period, or the longest of the doubled waits), the
//! Map-Notify opens a session, its Refresh brings the rest: 25 + 60 s, and a few round trips. Lost TCP
//! segments are repeated in that time. So at 215 s, [`SETTLED`], the registrations stand.
//!
//! A map-cache may be wrong by then, but learns by traffic: a packet to a router that the EID has left
//! brings an SMR, at most one in 3 s for an EID and RLOC, and eight at once for an RLOC, one more each
//! 3 s. The round of pings lasts 39 s. A negative answer from before the registration
//! expires after 60 s; a request without an answer rests for 30 s after 15 s of tries. So all is
//! learnt 60 + 45 + 5 s, [`LEARNT`], later.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod plan;
mod regressions;
mod run;
mod shrink;
mod topology;
mod watch;
mod world;

use std::time::{Duration, SystemTime};

use plan::Plan;

/// From the last fault until the registrations are those of the model.
const SETTLED: Duration = Duration::from_secs(215);
/// From the first traffic after that until the map-caches are right.
const LEARNT: Duration = Duration::from_secs(110);

/// Seeds of a plain `cargo test`: about a minute unoptimised.
const SEEDS: u64 = 40;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
}

/// Seeds from EIDWAY_FIRST (0) on, EIDWAY_SEEDS of them; or EIDWAY_SEED alone.
#[test]
fn seeds() {
    let first = number("EIDWAY_FIRST").unwrap_or(0);
    let seeds = match number("EIDWAY_SEED") {
        Some(seed) => seed..seed + 1,
        None => first..first + number("EIDWAY_SEEDS").unwrap_or(SEEDS),
    };
    let keep_going = number("EIDWAY_KEEP_GOING").is_some();
    #[allow(clippy::disallowed_methods, reason = "how long the sweep takes is no input of it")]
    let clock = SystemTime::now;
    let begun = clock();
    let mut failed = Vec::new();
    let count = seeds.end - seeds.start;
    for seed in seeds {
        if let Err(report) = try_seed(seed) {
            eprintln!("{report}");
            failed.push(seed);
            assert!(keep_going, "seed {seed}");
        }
        if (seed + 1).is_multiple_of(500) {
            eprintln!("... seed {seed}, {} s", begun.elapsed().map_or(0, |span| span.as_secs()));
        }
    }
    let took = begun.elapsed().unwrap_or_default().as_secs_f64();
    let pace = count as f64 / took;
    eprintln!("{count} seeds in {took:.1} s, {pace:.1} a second; failed: {failed:?}");
    assert!(failed.is_empty(), "{failed:?}");
}

/// Runs one seed; the error names the violation.
fn try_seed(seed: u64) -> Result<(), String> {
    let plan = Plan::generate(seed);
    let Some(violation) = shrink::violation(&plan) else { return Ok(()) };
    let say = |violation: &watch::Violation| {
        format!("{}, at {} s: {}", violation.claim, violation.at, violation.detail)
    };
    let mut report = format!("seed {seed}: {}\n", say(&violation));
    if std::env::var("EIDWAY_NO_SHRINK").is_ok() {
        return Err(report);
    }
    let least = shrink::shrink(&plan, violation.claim);
    let mut lines = Vec::new();
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        run::run(&least, Some(&mut lines))
    }));
    if let Ok(Err(violation)) = outcome {
        report += &format!("smallest: {}\n", say(&violation));
    }
    if number("EIDWAY_SEED").is_some() {
        report += &format!("{}\n", lines.join("\n"));
    }
    Err(report + &format!("{least}"))
}

#[test]
fn a_seed_takes_the_same_course_twice() {
    let lines = || {
        let mut lines = Vec::new();
        run::run(&Plan::generate(1), Some(&mut lines)).unwrap();
        lines
    };
    assert_eq!(lines(), lines());
}
