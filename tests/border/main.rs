//! Tests of the border between the core and its two worlds, the driver and the simulator. There is
//! one table of cases. The driver plays the table in a namespace, and the simulator plays it too.
//! Each case acts on the router from outside. It names the visible results and the kinds of `Input`
//! and `Output` that cross the border. Both worlds must show the results of the table.
//!
//! A new variant of `Input` or `Output` does not compile here until it has a kind. A new kind fails
//! the test until a case has it.
//!
//! The test of the driver needs root. Without root it fails and says so; with `EIDWAY_ALLOW_SKIP=1`
//! it passes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../shared/buffer.rs"]
mod buffer;
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
    // A new thread plays the table, because each thread can be in a namespace of its own.
    let played = std::thread::spawn(|| play::play(&mut driver::Driver::new()));
    let crossed = played.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    for kind in kinds::OF_THE_DRIVER {
        assert!(crossed.contains(kind), "the driver does not have {kind:?}");
    }
}
