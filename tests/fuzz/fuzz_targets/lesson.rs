//! cargo-fuzz's door to `eidway_fuzz::lesson`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| eidway_fuzz::lesson(input));
