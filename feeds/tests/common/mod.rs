//! What several test files share. Must hold no test of its own.
#![allow(dead_code, unreachable_pub)]

pub mod bench;
pub mod coinbase;
pub mod dbn;
pub mod kraken;
pub mod levels;
pub mod mdp3;
pub mod packets;
pub mod told;

use feeds::itch50::{Decoder, Encoder, Listing, Message, Skip, message};
use feeds::moldudp64::{Handler, Session};
use market::{Event, Instrument, InstrumentId, Timestamp};
use std::io::Write;
use std::path::PathBuf;

/// Midnight of the made-up session day.
pub const BASE: Timestamp = Timestamp::from_nanos(20_286 * 86_400_000_000_000);

/// The recorded data, or `None` after saying that `test` is skipped for want of `path`.
pub fn recorded(test: &str, path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TOUCHLINE_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let full = root.join(path);
    if full.exists() {
        return Some(full);
    }
    let required = std::env::var("TOUCHLINE_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|word| word == "data"), "{} is missing", full.display());
    let _ = writeln!(std::io::stderr(), "skipped {test}: {} is missing", full.display());
    None
}

pub fn listing(symbol: &str, id: u32) -> Listing {
    Listing { symbol: symbol.to_owned(), instrument: InstrumentId(id), qty_digits: 0 }
}

/// A decoder that has read the directory: ARL is locate 1, OTHER (not subscribed) locate 2.
pub fn decoder() -> Decoder {
    let mut decoder = Decoder::new(&[listing("ARL", 7)], BASE).unwrap();
    for (locate, symbol) in [(1u16, b"ARL     "), (2, b"OTHER   ")] {
        let mut directory = [b' '; 39];
        directory[0] = b'R';
        directory[1..3].copy_from_slice(&locate.to_be_bytes());
        directory[3..11].fill(0);
        directory[11..19].copy_from_slice(symbol);
        decode(&mut decoder, &directory).unwrap();
    }
    decoder
}

pub fn decode(decoder: &mut Decoder, message: &[u8]) -> Result<Vec<Event>, Skip> {
    let mut events = Vec::new();
    decoder.decode(message, 0, &mut events).map(|()| events)
}

pub fn bytes(message: Message) -> Vec<u8> {
    message.write(&mut [0; message::LENGTH_MAX]).to_vec()
}

pub fn encode(encoder: &mut Encoder, events: &[Event]) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    for event in events {
        encoder.encode(event, &mut |message| out.push(message.to_vec())).unwrap();
    }
    out
}

pub fn shares(count: u32) -> Vec<Instrument> {
    (0..count).map(|id| Instrument::share(id, &format!("SHARE{id}"))).collect()
}

/// What a handler was told, in words.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told(pub Vec<String>);

impl Told {
    pub fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.0)
    }
}

impl Handler for Told {
    fn message(&mut self, sequence: u64, message: &[u8], received: u64) {
        self.0.push(format!("{sequence} {} @{received}", message.escape_ascii()));
    }

    fn packet_end(&mut self, next: u64, _: u64) {
        self.0.push(format!("next {next}"));
    }

    fn gap(&mut self, first: u64, count: u64) {
        self.0.push(format!("gap {first}+{count}"));
    }

    fn recovered(&mut self) {
        self.0.push("recovered".to_owned());
    }

    fn lost(&mut self, first: u64, count: u64) {
        self.0.push(format!("lost {first}+{count}"));
    }

    fn session_reset(&mut self, session: Session) {
        self.0.push(format!("reset {session}"));
    }

    fn end_of_session(&mut self) {
        self.0.push("end".to_owned());
    }
}
