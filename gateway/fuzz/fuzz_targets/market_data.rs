//! Repeating groups and the decoders of market data, over any bytes. The body is
//! the crate's: nothing is decided here.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gateway::fuzzing::market_data(data));
