//! FIX market data: what is asked for, and what comes of it as [`market::Event`]s.
//!
//! [`Request`] and [`ListRequest`] are what a session sends, [`Books`] turns snapshots and updates
//! into events, [`Refusal`] and [`Listed`] are the other answers. They are for the feed that
//! holds such a session; nothing here owns one, and nothing keeps a book: prices and orders go on to
//! the trading loop, and here stands only how far each instrument was heard.
//!
//! | message | events |
//! |---|---|
//! | W | `Clear` and an event for each bid and offer, all with `SNAPSHOT`; then `Recovered` with `LAST`, unless the snapshot goes on in the next message (893=N) |
//! | X, bid or offer, by level | `Level` of its size (279=0, 1), of nothing (2) |
//! | X, bid or offer, by order | `Add` (0), `Change` (1), `Delete` (2) of the order that 278 names; `Delete` and `Add` where 280 names another |
//! | X, trade | `Trade` of a new one (0); no undoing or correcting is told |
//! | X, empty book (269=J) | `Clear`, and `Recovered` if there was a gap |
//! | X, a number (83) left out | `Gap` |
//! | what cannot be read or is not known how to apply (279=3, 4, 5) | `Lost` |
//! | the rest: indexes, settlement prices, statistics, trades of a snapshot | none: counted |
//!
//! The last event of a message has `LAST`, unless the message is a fragment (893=N). Updates of a
//! book are passed over until its first snapshot, and again from a gap or loss to the next; trades
//! only until the first, and within a snapshot. A message gives at most as many events as it has
//! fields.
//!
//! Sources: FIX.4.4 Volume 3 and FIX.5.0SP2, "Market Data"; the pages on market data of Coinbase
//! Exchange, Binance Spot (`fix-api.md`), Deribit and Kraken.

mod books;
mod entry;
mod heard;
mod packet;
mod request;
mod security_list;
mod snapshot;
mod update;

pub use books::{Books, Counters, Keyed, MarketDataError, Settings};
pub use request::{EntryType, Refusal, Request, Subscription, UpdateType};
pub use security_list::{Differs, ListRequest, Listed};

#[cfg(test)]
mod tests;
