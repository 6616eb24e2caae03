//! cargo-fuzz's door to `eidway_fuzz::data_path`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| eidway_fuzz::data_path(input));
