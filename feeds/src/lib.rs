//! Bytes in, market events out: decoders, sessions and sources of market data.
//!
//! A packet meets [`moldudp64`], whose messages meet [`itch50`]; [`feed`] joins the two, and
//! [`itch_stream`] joins it to [`soupbintcp`]. What is lost for good is bridged by a snapshot
//! ([`glimpse`]). Recorded days of any format come by [`recording`], captures of packets
//! ([`capture`]) and Touchline's own event files ([`archive`]) among them. Nothing here owns a
//! clock or a thread; only [`file`](mod@file) and [`recording`] touch files, and only [`udp`]
//! sockets.

pub mod archive;
pub mod capture;
pub mod binance;
pub mod cells;
pub mod coinbase;
pub mod cryptofeed;
pub mod digits;
pub mod databento;
pub mod feed;
pub mod file;
mod frames;
pub mod fuzz;
pub mod glimpse;
pub mod iex;
pub mod itch50;
pub mod itch_stream;
pub mod kraken;
pub mod level;
pub mod lobster;
pub mod mdp3;
pub mod moldudp64;
pub mod recording;
mod rows;
mod send_times;
pub mod shown;
pub mod soupbintcp;
pub mod tardis;
pub mod udp;
pub mod websocket;

pub use feed::Feed;
pub use itch_stream::ItchStream;
pub use itch50::ItchFile;
pub use udp::UdpFeed;
