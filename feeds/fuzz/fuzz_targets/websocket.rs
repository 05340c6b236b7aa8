//! Messages of websockets, to their venues' decoders. The body is the crate's: nothing is decided here.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| feeds::fuzz::websocket(data));
