//! Lines of MDP 3.0, with books by order. The body is the crate's: nothing is decided here.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| feeds::fuzz::mdp3_orders(data));
