//! Recordings of whatever format they seem to be. The body is the crate's: nothing is decided here.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| feeds::fuzz::recording(data));
