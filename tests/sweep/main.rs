//! The sweep: generated labs with generated faults. The results are compared with a reference
//! model.
//!
//! A seed makes a lab and its events ([`plan`]). The lab runs on virtual time ([`run`]), and every
//! packet is examined ([`watch`]). A model without the messages of LISP gives the expected result
//! ([`world`]). `tests/sweep.sh` runs it for hours. Here it runs for a small number of seeds. If a
//! seed fails, the test prints the seed, the violated rule, the time, and the smallest plan that
//! still fails ([`shrink`]). The plan has the form of a test in `regressions.rs`.
//!
//! ```text
//! EIDWAY_SEED=17 cargo test --test sweep seeds      one seed, with the last packets
//! EIDWAY_SEEDS=10000 tests/sweep.sh                  many, in release
//! ```
//!
//! # Claims
//!
//! At all times, also during the faults:
//! - a packet for a host is put only on the LAN of this host, and is given to no other host;
//! - no packet loops: the number of its crossings of links is limited;
//! - each packet that a router received waits there, or is in exactly one counter; at the end, no
//!   node has sent more packets than it received, and no packet is missing in its counters.
//!
//! Within [`SETTLED`] after the faults, a round of pings and [`LEARNT`]:
//! - each map-server has exactly the registrations of the model;
//! - each away entry has a cause;
//! - hosts that have a path ping each other without a loss;
//! - for each EID to which a packet was just sent, no map-cache differs from the model.
//!
//! # The bound
//!
//! The reasons for these times: the last fault ends at 0. If the peer of a TCP session is silent or
//! does not acknowledge octets, the session ends after 25 s. If a map-server has lost the session,
//! it answers the next keep-alive, within 10 s, with RST. A registration ends 180 s after the end
//! of its session, so after 205 s. This is also the limit for a registration by UDP, and at an old
//! map-server after a withdrawal. A missing prefix is registered again within 60 s (the period, or
//! the longest wait). The Map-Notify opens a session, and its Refresh brings the other prefixes: 85 s
//! in all, and a few round trips. Lost TCP segments are repeated in that time. So at 215 s,
//! [`SETTLED`], the registrations are right.
//!
//! At that time, a map-cache may still be wrong, but it learns from traffic. A packet to a router
//! that the EID has left causes an SMR. There is at most one SMR in 3 s for an EID and RLOC. An
//! RLOC gets at most eight SMRs at once, and then one more every 3 s. The round of pings takes 39
//! s. A negative answer from before the registration expires after 60 s. A request without an
//! answer rests for 30 s after 15 s of tries. So the map-caches are right 60 + 45 + 5 s,
//! [`LEARNT`], later.

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

/// The time from the last fault until the registrations must equal the model.
const SETTLED: Duration = Duration::from_secs(215);
/// The time from the first traffic after that until the map-caches must be right.
const LEARNT: Duration = Duration::from_secs(110);

/// The number of seeds of a plain `cargo test`. They take about a minute without optimisation.
const SEEDS: u64 = 40;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
}

/// Runs the seeds from EIDWAY_FIRST (default 0) on. EIDWAY_SEEDS is their number. With EIDWAY_SEED,
/// runs only this seed.
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

/// Runs one seed. The error describes the violation.
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
