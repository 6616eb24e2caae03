//! cargo-fuzz's door to `eidway_fuzz::hand_in`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| eidway_fuzz::hand_in(input));
