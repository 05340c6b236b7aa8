//! Binance's streams live: what to subscribe to, and what an answer means. Depth frames are joined to
//! snapshots that REST gives.

use super::decoder::Decoder;
use super::frame::Kind;
use crate::recording::{Log, Unit, Wanted};
use crate::websocket::venue::{Channels, Venue, Word};
use market::{Event, Instrument};
use memchr::memmem;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// Streams of one message of ours, so that it stays short.
const STREAMS: usize = 100;

/// See the module.
pub(crate) struct Live {
    decoder: Decoder,
    /// Symbols, and their places in the decoder.
    symbols: Vec<(String, usize)>,
    channels: Channels,
}

impl Live {
    pub(crate) fn new(instruments: &[Instrument], channels: Channels) -> Live {
        let mut decoder = Decoder::new(&Wanted::Only(instruments.to_vec()));
        let symbols = instruments.iter().map(|instrument| {
            // Two of one symbol share its place.
            let at = decoder.place(&instrument.symbol).unwrap_or(0);
            (instrument.symbol.clone(), at)
        });
        let symbols = symbols.collect();
        Live { decoder, symbols, channels }
    }
}

/// An answer to a request of ours; `result` stands there where it is a yes.
#[derive(Deserialize)]
struct Answer {
    error: Option<IgnoredAny>,
    code: Option<IgnoredAny>,
}

impl Venue for Live {
    fn subscribe(&self) -> Vec<Value> {
        let channels = || [Some(&self.channels.book), self.channels.trades.as_ref()];
        let streams: Vec<String> = self
            .symbols
            .iter()
            .flat_map(|(symbol, _)| {
                let symbol = symbol.to_ascii_lowercase();
                channels().into_iter().flatten().map(move |channel| format!("{symbol}@{channel}"))
            })
            .collect();
        let message = |(number, streams): (usize, &[String])| serde_json::json!({ "method": "SUBSCRIBE", "params": streams, "id": number + 1 });
        streams.chunks(STREAMS).enumerate().map(message).collect()
    }

    fn frame(&mut self, json: &[u8], unit: &mut Unit, log: &mut Log) -> Result<Word, &'static str> {
        Ok(match self.decoder.frame(json, unit, log)? {
            Kind::Response => match serde_json::from_slice::<Answer>(json) {
                Ok(Answer { error: None, code: None }) => Word::Well,
                _ => Word::Refused,
            },
            Kind::Other if memmem::find(json, b"\"serverShutdown\"").is_some() => Word::Closing,
            Kind::Other | Kind::Snapshot => Word::Other,
            Kind::DepthUpdate => Word::Book,
            _ => Word::Data,
        })
    }

    fn snapshot(&mut self, at: usize, body: &[u8], unit: &mut Unit) -> Result<(), &'static str> {
        let (symbol, at) = &self.symbols[at];
        self.decoder.snapshot_of(*at, symbol, body, unit)
    }

    fn interrupt(&mut self, at: usize, events: &mut Vec<Event>) {
        self.decoder.stream_at(self.symbols[at].1).interrupt(events);
    }

    fn needs(&self, at: usize) -> bool {
        self.decoder.is_waiting(self.symbols[at].1)
    }
}
