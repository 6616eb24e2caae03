//! cargo-fuzz's door to `eidway_fuzz::message`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| eidway_fuzz::message(input));
