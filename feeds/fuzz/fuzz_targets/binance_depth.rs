//! One depth frame of Binance, against a second parser. The body is the crate's: nothing is
//! decided here.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| feeds::fuzz::binance_depth(data));
