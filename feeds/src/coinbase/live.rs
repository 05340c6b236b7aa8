//! Coinbase's channels live: what to subscribe to, and what an answer means.
//!
//! Books by level are told from their beginning by the channel; those by order begin with a book of
//! REST. Frames of levels have no number, so that trades are held against theirs, which follow each
//! other: where one is missing, frames of levels may be missing too.
//!
//! Channels for those whom the venue knows want a signed subscription: that of a request of REST,
//! `GET /users/self/verify` (documentation of Exchange, WebSocket feed, "Authentication").

use super::decoder::Decoder;
use super::frame::Kind;
use crate::recording::{Books, Log, Unit, Wanted};
use crate::websocket::Login;
use crate::websocket::venue::{Book, Channels, Venue, Which, Word};
use market::{Event, EventKind, Instrument, InstrumentId, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;

const TOLD_BEFORE: &str = "a trade that was told before";

/// See the module.
pub(crate) struct Live {
    decoder: Decoder,
    products: Vec<Product>,
    channels: Channels,
    by_order: bool,
}

struct Product {
    id: InstrumentId,
    symbol: String,
    /// Number of the last trade, once one is known.
    trade: Option<u64>,
}

/// What a heartbeat says of trades.
#[derive(Deserialize)]
struct Heartbeat<'a> {
    #[serde(borrow)]
    product_id: Cow<'a, str>,
    last_trade_id: u64,
}

impl Live {
    pub(crate) fn new(instruments: &[Instrument], channels: Channels) -> Live {
        let by_order = Which::Coinbase.book(&channels.book) == Book::ByOrder;
        let books = if by_order { Books::ByOrder } else { Books::ByLevel };
        let mut decoder = Decoder::new(&Wanted::Only(instruments.to_vec()));
        instruments.iter().for_each(|one| decoder.expect(&one.symbol, books));
        let product = |one: &Instrument| {
            let (id, symbol) = (one.id, one.symbol.clone());
            Product { id, symbol, trade: None }
        };
        let products = instruments.iter().map(product).collect();
        Live { decoder, products, channels, by_order }
    }

    fn request(kind: &str, symbols: &[&str], channels: &[&str]) -> Value {
        serde_json::json!({ "type": kind, "product_ids": symbols, "channels": channels })
    }

    /// Numbers of trades follow each other, or something is missing.
    fn check_trades(&mut self, unit: &mut Unit, log: &mut Log) {
        let is_trade = |event: &Event| event.kind() == Some(EventKind::Trade);
        let Some(event) = unit.events.iter().copied().find(is_trade) else { return };
        let product = self.products.iter_mut().find(|product| product.id == event.instrument);
        let Some(product) = product else { return };
        match product.trade {
            Some(last) if event.order <= last => {
                unit.events.clear();
                log.skip(unit.position, TOLD_BEFORE);
                return;
            }
            Some(last) if event.order > last + 1 => {
                self.decoder.interrupt(product.id, &mut unit.events);
            }
            _ => {}
        }
        product.trade = Some(event.order);
    }

    /// A heartbeat names the last trade: it came, or something is missing.
    fn check_heartbeat(&mut self, json: &[u8], unit: &mut Unit) {
        let Ok(heartbeat) = serde_json::from_slice::<Heartbeat<'_>>(json) else { return };
        let product = self.products.iter_mut().find(|one| one.symbol == heartbeat.product_id);
        let Some(product) = product else { return };
        if product.trade.is_some_and(|last| last < heartbeat.last_trade_id) {
            self.decoder.interrupt(product.id, &mut unit.events);
        }
        product.trade = product.trade.max(Some(heartbeat.last_trade_id));
    }
}

impl Venue for Live {
    fn subscribe(&self) -> Vec<Value> {
        let symbols: Vec<&str> = self.products.iter().map(|one| one.symbol.as_str()).collect();
        let mut channels = vec![self.channels.book.as_str(), "heartbeat"];
        // The full channel has every trade.
        channels.extend(self.channels.trades.as_deref().filter(|_| !self.by_order));
        vec![Self::request("subscribe", &symbols, &channels)]
    }

    fn resubscribe(&self, at: usize) -> Vec<Value> {
        let (symbol, channel) = (&self.products[at].symbol, &self.channels.book);
        ["unsubscribe", "subscribe"].map(|kind| Self::request(kind, &[symbol], &[channel])).into()
    }

    fn sign(&self, request: &mut Value, login: &mut dyn Login, now: Timestamp) {
        if request["type"] != "subscribe" {
            return;
        }
        let seconds = (now.nanos() / 1_000_000_000).to_string();
        let signed = format!("{seconds}GET/users/self/verify");
        request["signature"] = login.sign(signed.as_bytes()).into();
        request["key"] = login.key().into();
        request["passphrase"] = login.passphrase().into();
        request["timestamp"] = seconds.into();
    }

    fn frame(&mut self, json: &[u8], unit: &mut Unit, log: &mut Log) -> Result<Word, &'static str> {
        Ok(match self.decoder.frame(json, unit, log)? {
            Kind::Match if !self.by_order && self.channels.trades.is_some() => {
                self.check_trades(unit, log);
                Word::Data
            }
            Kind::Heartbeat => {
                if !self.by_order && self.channels.trades.is_some() {
                    self.check_heartbeat(json, unit);
                }
                Word::Well
            }
            Kind::Subscriptions => Word::Well,
            Kind::Error => Word::Refused,
            Kind::Other | Kind::Status | Kind::Ticker => Word::Other,
            _ => Word::Data,
        })
    }

    fn snapshot(&mut self, at: usize, body: &[u8], unit: &mut Unit) -> Result<(), &'static str> {
        self.decoder.rest_book(&self.products[at].symbol, body, unit)
    }

    fn interrupt(&mut self, at: usize, events: &mut Vec<Event>) {
        self.products[at].trade = None;
        self.decoder.interrupt(self.products[at].id, events);
    }

    fn needs(&self, at: usize) -> bool {
        self.decoder.is_waiting(self.products[at].id)
    }
}
