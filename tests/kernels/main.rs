//! One table of cases for two kernels: the simulator's, and Linux by way of `driver/netlink`. Each
//! case is what a router wants of its namespace, what comes in, and what is seen of it; both kernels
//! must show the same.
//!
//! Linux's half needs root: without it it fails and says so; `EIDWAY_ALLOW_SKIP=1` lets it pass.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;
mod frames;
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
    if !rustix::process::geteuid().is_root() {
        let skip = std::env::var_os("EIDWAY_ALLOW_SKIP").is_some();
        assert!(skip, "network namespaces need root; EIDWAY_ALLOW_SKIP=1 skips this test");
        return eprintln!("SKIPPED: network namespaces need root");
    }
    run(|| Box::new(real::Real::new()));
}

/// Plays every case on a machine of its own, on a thread of its own, for a namespace is a thread's;
/// all at once, for they mostly wait.
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
