//! cargo-fuzz's door to `eidway_fuzz::reliable`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| eidway_fuzz::reliable(input));
