//! Live market data by websocket: what the feeds of all crypto venues share.
//!
//! [`connection`] is one websocket over a [`wire::Link`], polled by a core; [`fetch`] gets a snapshot
//! by HTTPS. [`feed`] decides without I/O: what to subscribe to, when a book needs a snapshot, when
//! a connection is dropped or another is opened beside it. How a venue speaks is in its own folder,
//! behind `Venue`: the same decoder that reads its recordings. Nothing here resolves names
//! or connects.

pub mod connection;
pub mod counters;
pub mod feed;
pub mod fetch;
pub mod login;
pub mod pace;
mod stream;
pub mod venue;

pub use connection::{Connection, Ended, Limits, UpgradeError};
pub use counters::Counters;
pub use feed::{Ask, Feed, Settings};
pub use fetch::{FetchError, get};
pub use login::Login;
pub use venue::{Book, Channels, Which};
