//! The border between the core and its two worlds: one table of cases, played by the driver in a namespace
//! and by the simulator. Each case is done to the router from outside, and says the visible result outside, and
//! which kinds of `Input` and `Output` cross the border. Both worlds must show the same.
//!
//! A new variant of `Input` or `Output` does not compile here until it has a kind, and a kind does not pass
//! until a case has it.
//!
//! The driver's half needs root: without it it fails and says so; `EIDWAY_ALLOW_SKIP=1` lets it pass.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;
mod driver;
#[path = "../kernels/frames.rs"]
#[allow(dead_code, reason = "some frames are for the cases of the kernels only")]
mod frames;
mod kinds;
mod play;
mod simulated;

use std::collections::BTreeSet;

use kinds::{InputKind, OutputKind};

#[test]
fn every_kind_of_input_and_output_has_a_case() {
    let inputs: BTreeSet<InputKind> =
        cases::CASES.iter().flat_map(|case| case.inputs).copied().collect();
    let missing: Vec<_> = InputKind::ALL
        .iter()
        .filter(|kind| !inputs.contains(kind) && !kinds::OF_THE_DRIVER.contains(kind))
        .collect();
    assert!(missing.is_empty(), "no case has these inputs: {missing:?}");
    let outputs: BTreeSet<OutputKind> =
        cases::CASES.iter().flat_map(|case| case.outputs).copied().collect();
    let missing: Vec<_> = OutputKind::ALL.iter().filter(|kind| !outputs.contains(kind)).collect();
    assert!(missing.is_empty(), "no case has these outputs: {missing:?}");
}

#[test]
fn the_simulator_does_what_the_table_says() {
    let crossed = play::play(&mut simulated::Simulated::new());
    for kind in kinds::OF_THE_DRIVER {
        assert!(!crossed.contains(kind), "the simulator has {kind:?} too: give it a case");
    }
}

#[test]
fn the_driver_does_what_the_table_says() {
    if !rustix::process::geteuid().is_root() {
        let skip = std::env::var_os("EIDWAY_ALLOW_SKIP").is_some();
        assert!(skip, "network namespaces need root; EIDWAY_ALLOW_SKIP=1 skips this test");
        eprintln!("SKIPPED: network namespaces need root");
        return;
    }
    // A namespace is a thread's.
    let played = std::thread::spawn(|| play::play(&mut driver::Driver::new()));
    let crossed = played.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    for kind in kinds::OF_THE_DRIVER {
        assert!(crossed.contains(kind), "the driver does not have {kind:?}");
    }
}
