//! What a live feed asks of a venue: how to subscribe, what a frame was, whose book needs a snapshot.
//! The frames themselves are read by the decoder that reads the venue's recordings.

use super::login::Login;
use crate::recording::{Log, Unit};
use crate::{binance, coinbase, kraken};
use market::{Event, Instrument, Timestamp};
use serde_json::Value;

/// What is subscribed to, in the venue's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channels {
    /// Of the book.
    pub book: String,
    /// Of trades; none when absent.
    pub trades: Option<String>,
}

/// The venues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Spot, USD-M and COIN-M.
    Binance,
    /// Exchange.
    Coinbase,
    /// Spot, API v1.
    Kraken,
}

/// How a book is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Book {
    /// The total at each price.
    ByLevel,
    /// Every order.
    ByOrder,
}

impl Which {
    /// Channels of books that are understood, the usual one first.
    #[must_use]
    pub const fn books(self) -> &'static [&'static str] {
        match self {
            Which::Binance => &["depth@100ms", "depth", "depth@0ms", "depth@250ms", "depth@500ms"],
            Which::Coinbase => &["level2_batch", "level2", "full"],
            Which::Kraken => &["book-100", "book-10", "book-25", "book-500", "book-1000"],
        }
    }

    /// Channels of trades that are understood, the usual one first.
    #[must_use]
    pub const fn trades(self) -> &'static [&'static str] {
        match self {
            Which::Binance => &["trade", "aggTrade"],
            Which::Coinbase => &["matches"],
            Which::Kraken => &["trade"],
        }
    }

    /// How a channel of books tells them.
    #[must_use]
    pub fn book(self, channel: &str) -> Book {
        match (self, channel) {
            (Which::Coinbase, "full") => Book::ByOrder,
            _ => Book::ByLevel,
        }
    }

    /// True if books of this channel begin with a snapshot that is got by HTTPS.
    #[must_use]
    pub fn fetches(self, channel: &str) -> bool {
        self == Which::Binance || self.book(channel) == Book::ByOrder
    }

    /// True if the venue tells books of this channel to those only whom it knows.
    #[must_use]
    pub fn wants_login(self, channel: &str) -> bool {
        self == Which::Coinbase && matches!(channel, "level2" | "full")
    }

    /// True if two connections may tell one book together.
    #[must_use]
    pub const fn overlaps(self) -> bool {
        matches!(self, Which::Binance)
    }

    /// The venue's side of a feed of these instruments, whose symbols are the feed's.
    pub(crate) fn open(self, instruments: &[Instrument], channels: Channels) -> Box<dyn Venue> {
        match self {
            Which::Binance => Box::new(binance::Live::new(instruments, channels)),
            Which::Coinbase => Box::new(coinbase::Live::new(instruments, channels)),
            Which::Kraken => Box::new(kraken::Live::new(instruments, channels)),
        }
    }
}

/// What a frame was, beside the events that it gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// Market data of a book that two connections may tell together.
    Book,
    /// Other market data.
    Data,
    /// The venue lives, or says yes.
    Well,
    /// A subscription is refused.
    Refused,
    /// The venue will end this connection soon.
    Closing,
    /// Nothing that is known here.
    Other,
}

/// See the module. Instruments are named by their place in the list.
pub(crate) trait Venue: Send {
    /// What to send on a new connection.
    fn subscribe(&self) -> Vec<Value>;

    /// What to send so that the venue tells a book from its beginning; nothing where that is got by
    /// HTTPS.
    fn resubscribe(&self, _at: usize) -> Vec<Value> {
        Vec::new()
    }

    /// Signs a message that is sent now, where this one is to be signed.
    fn sign(&self, _request: &mut Value, _login: &mut dyn Login, _now: Timestamp) {}

    /// Reads a frame.
    ///
    /// # Errors
    /// Why nobody can understand it.
    fn frame(&mut self, json: &[u8], unit: &mut Unit, log: &mut Log) -> Result<Word, &'static str>;

    /// Reads the snapshot of a book.
    ///
    /// # Errors
    /// Why it is of no use.
    fn snapshot(&mut self, at: usize, body: &[u8], unit: &mut Unit) -> Result<(), &'static str>;

    /// Frames may be missing: a `Gap` now, unless one stands, and `Recovered` behind the next snapshot.
    fn interrupt(&mut self, at: usize, events: &mut Vec<Event>);

    /// True if the book needs a snapshot.
    fn needs(&self, at: usize) -> bool;
}
