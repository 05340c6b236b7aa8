//! Kraken's channels live (websocket API v1): what to subscribe to, and what an answer means. A book
//! that its checksum contradicts is subscribed to again, which begins it anew.

use super::decoder::Decoder;
use super::frame::Kind;
use crate::recording::{Log, Unit, Wanted};
use crate::websocket::venue::{Channels, Venue, Word};
use market::{Event, Instrument};
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;

const NOT_ASKED: &str = "a snapshot by HTTPS, which nobody asked for";

/// See the module.
pub(crate) struct Live {
    decoder: Decoder,
    pairs: Vec<Instrument>,
    channels: Channels,
}

/// An answer to a subscription.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
}

impl Live {
    pub(crate) fn new(instruments: &[Instrument], channels: Channels) -> Live {
        let mut decoder = Decoder::new(&Wanted::Only(instruments.to_vec()));
        instruments.iter().for_each(|one| decoder.expect(&one.symbol));
        Live { decoder, pairs: instruments.to_vec(), channels }
    }

    /// `book-100` is the book of a hundred levels.
    fn request(event: &str, symbols: &[&str], channel: &str) -> Value {
        let subscription = match channel.split_once('-') {
            Some((name, depth)) => {
                serde_json::json!({ "name": name, "depth": depth.parse::<u32>().unwrap_or(10) })
            }
            None => serde_json::json!({ "name": channel }),
        };
        serde_json::json!({ "event": event, "pair": symbols, "subscription": subscription })
    }
}

impl Venue for Live {
    fn subscribe(&self) -> Vec<Value> {
        let symbols: Vec<&str> = self.pairs.iter().map(|one| one.symbol.as_str()).collect();
        let channels = [Some(&self.channels.book), self.channels.trades.as_ref()];
        let channels = channels.into_iter().flatten();
        channels.map(|channel| Self::request("subscribe", &symbols, channel)).collect()
    }

    fn resubscribe(&self, at: usize) -> Vec<Value> {
        let (symbol, channel) = (self.pairs[at].symbol.as_str(), &self.channels.book);
        ["unsubscribe", "subscribe"].map(|event| Self::request(event, &[symbol], channel)).into()
    }

    fn frame(&mut self, json: &[u8], unit: &mut Unit, log: &mut Log) -> Result<Word, &'static str> {
        Ok(match self.decoder.frame(json, unit, log)? {
            Kind::SubscriptionStatus => match serde_json::from_slice::<Answer<'_>>(json) {
                Ok(answer) if answer.status == "error" => Word::Refused,
                _ => Word::Well,
            },
            Kind::Heartbeat | Kind::SystemStatus => Word::Well,
            Kind::Snapshot | Kind::Update | Kind::Trade => Word::Data,
            _ => Word::Other,
        })
    }

    fn snapshot(&mut self, _: usize, _: &[u8], _: &mut Unit) -> Result<(), &'static str> {
        Err(NOT_ASKED)
    }

    fn interrupt(&mut self, at: usize, events: &mut Vec<Event>) {
        self.decoder.interrupt(self.pairs[at].id, events);
    }

    fn needs(&self, at: usize) -> bool {
        self.decoder.is_waiting(self.pairs[at].id)
    }
}
