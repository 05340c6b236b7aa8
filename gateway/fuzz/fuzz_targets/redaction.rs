//! Redaction with a planted secret, over any bytes. The body is
//! the crate's: nothing is decided here.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gateway::fuzzing::redaction(data));
