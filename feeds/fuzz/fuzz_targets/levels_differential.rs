//! Books by level against their slow twin. The body is the crate's: nothing is decided here.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| feeds::fuzz::levels_differential(data));
