//! Two sessions, a link and a forger that do what the bytes say. The body is
//! the crate's: nothing is decided here.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gateway::fuzzing::session(data));
