//! One table of cases for two kernels: the kernel of the simulator, and Linux with
//! `driver/netlink`. Each case has the requests of a router to its namespace, the inputs, and the
//! reactions. Both kernels must show the reactions of the table.
//!
//! The test of Linux needs root. Without root it fails and says so; with `EIDWAY_ALLOW_SKIP=1` it
//! passes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;
mod frames;
mod hands;
mod machine;
mod real;
mod simulated;

use machine::{Case, Machine, play};

#[test]
fn the_simulators_kernel_does_what_the_table_says() {
    run(|| Box::new(simulated::Simulated::new()));
}

#[test]
fn linux_does_what_the_table_says() {
    if can_run() {
        run(|| Box::new(real::Real::new()));
    }
}

#[test]
fn what_a_hand_takes_away_is_put_back_in_the_simulators_kernel() {
    hands::play_all(|| Box::new(simulated::Simulated::new()), false);
}

#[test]
fn what_a_hand_takes_away_is_put_back_in_linux() {
    if can_run() {
        hands::play_all(|| Box::new(real::Real::new()), true);
    }
}

#[test]
fn a_port_that_a_hand_sets_down_stays_down_in_the_simulators_kernel() {
    hands::a_port_stays_down(Box::new(simulated::Simulated::new()));
}

#[test]
fn a_port_that_a_hand_sets_down_stays_down_in_linux() {
    if can_run() {
        hands::a_port_stays_down(Box::new(real::Real::new()));
    }
}

fn can_run() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        let skip = std::env::var_os("EIDWAY_ALLOW_SKIP").is_some();
        assert!(skip, "network namespaces need root; EIDWAY_ALLOW_SKIP=1 skips this test");
        eprintln!("SKIPPED: network namespaces need root");
    }
    is_root
}

/// Plays each case on a machine and thread of its own, because each thread can be in a namespace of
/// its own. All cases run at the same time, because they wait most of the time.
fn run(machine: fn() -> Box<dyn Machine>) {
    let start = |case: Case| {
        let name = case.name.clone();
        (name, std::thread::spawn(move || play(&case, machine().as_mut())))
    };
    let running: Vec<_> = cases::all().into_iter().map(start).collect();
    let mut failures = String::new();
    for (name, thread) in running {
        let outcome = thread.join().unwrap_or_else(|_| Err("it panicked".to_owned()));
        if let Err(failure) = outcome {
            failures += &format!("\n{name}\n{failure}");
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
