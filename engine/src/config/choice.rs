//! Types of keys that take one of a few words.
//!
//! A word that is not in the list must be answered with the list and the nearest of it.

use super::key::Key;
use super::reader::Value;
use super::suggest::nearest;
use super::value::{Field, Wrong, quoted, text};
use crate::runtime::stage::Idle;
use std::fmt;

/// Reads one of `words`.
pub(crate) fn one_of(value: &Value<'_>, words: &[&'static str]) -> Result<usize, Wrong> {
    let word = text(value)?;
    words.iter().position(|known| *known == word).ok_or_else(|| {
        let wrong = Wrong::new("is not one of the words allowed");
        match nearest(word, words) {
            Some(near) => wrong.help(format!("did you mean \"{near}\"?")),
            None => wrong,
        }
    })
}

/// `"a", "b" or "c"`.
pub(crate) fn listed(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// Defines an enum whose variants are words of the configuration.
macro_rules! choice {
    (
        $(#[doc = $doc:literal])+
        pub enum $name:ident { $( $(#[doc = $variant_doc:literal])+ $variant:ident = $word:literal, )+ }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $( $(#[doc = $variant_doc])+ $variant, )+ }

        impl $name {
            /// Every variant, in the order of the documentation.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];
            const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word in the configuration.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }

        impl Field for $name {
            fn expects(_: &Key) -> String {
                listed(Self::WORDS)
            }
            fn read(value: &Value<'_>, _: &Key) -> Result<Self, Wrong> {
                let index = one_of(value, Self::WORDS)?;
                Self::ALL.get(index).copied().ok_or_else(|| Wrong::new("is unknown"))
            }
            fn write(&self, _: &str) -> Option<String> {
                Some(quoted(self.word()))
            }
        }
    };
}

pub(crate) use choice;

choice! {
    /// What a file describes; the key `kind` at its top.
    pub enum Kind {
        /// An engine: `touchline run`.
        Run = "run",
        /// A demo exchange: `touchline exchange`.
        Exchange = "exchange",
        /// A backtest: `touchline backtest`.
        Backtest = "backtest",
        /// A list of instruments that the others name.
        Instruments = "instruments",
        /// How a venue speaks FIX; a run names it.
        Venue = "venue",
    }
}

choice! {
    /// What money stands behind the orders.
    pub enum Environment {
        /// The embedded exchange.
        Demo = "demo",
        /// A venue's test system.
        Test = "test",
        /// Real money.
        Production = "production",
    }
}

choice! {
    /// The clock of the trading loop.
    pub enum ClockSource {
        /// The processor's time stamp counter, calibrated to UTC.
        Tsc = "tsc",
        /// The exchange time of the last event.
        Feed = "feed",
    }
}

choice! {
    /// The clock of a backtest.
    pub enum BacktestClock {
        /// Time of the simulation, latencies included.
        Virtual = "virtual",
        /// The exchange time of the last event.
        Feed = "feed",
    }
}

choice! {
    /// Who is ahead of us at a level whose orders the data does not tell.
    pub enum QueueWord {
        /// Only trades advance us.
        RiskAverse = "risk-averse",
        /// A power of what is ahead and behind says where cancels stood.
        Power = "power",
        /// Their logarithm does.
        Log = "log",
    }
}

/// The words of [`Idle`], in the order of [`IDLES`].
const IDLE_WORDS: &[&str] = &["kind", "spin"];
const IDLES: [Idle; 2] = [Idle::Kind, Idle::Spin];

/// The word for `idle` in the configuration.
pub(crate) fn idle_word(idle: Idle) -> &'static str {
    match idle {
        Idle::Kind => "kind",
        Idle::Spin => "spin",
    }
}

impl Field for Idle {
    fn expects(_: &Key) -> String {
        listed(IDLE_WORDS)
    }
    fn read(value: &Value<'_>, _: &Key) -> Result<Self, Wrong> {
        let index = one_of(value, IDLE_WORDS)?;
        IDLES.get(index).copied().ok_or_else(|| Wrong::new("is unknown"))
    }
    fn write(&self, _: &str) -> Option<String> {
        Some(quoted(idle_word(*self)))
    }
}

/// The words of [`wire::Backend`].
const BACKENDS: &[&str] = &["auto", "io_uring", "plain"];

impl Field for wire::Backend {
    fn expects(_: &Key) -> String {
        listed(BACKENDS)
    }
    fn read(value: &Value<'_>, _: &Key) -> Result<Self, Wrong> {
        if text(value)? == "sqpoll" {
            let why = "the kernel's polling thread takes a CPU of its own and longer for a message \
                       (docs/decisions/0013); write \"io_uring\" or \"plain\"";
            return Err(Wrong::new("is not offered").help(why.to_owned()));
        }
        one_of(value, BACKENDS)?;
        text(value)?.parse().map_err(|_| Wrong::new("is no socket backend"))
    }
    fn write(&self, _: &str) -> Option<String> {
        Some(quoted(&self.to_string()))
    }
}

choice! {
    /// The lowest version of TLS that a connection takes.
    pub enum Tls {
        /// TCP alone.
        Off = "off",
        /// TLS 1.2 or 1.3.
        V1_2 = "1.2",
        /// TLS 1.3.
        V1_3 = "1.3",
    }
}

choice! {
    /// By what market data comes.
    pub enum Protocol {
        /// NASDAQ TotalView-ITCH 5.0 in MoldUDP64 packets.
        Itch50MoldUdp64 = "itch50-moldudp64",
        /// The same over SoupBinTCP.
        Itch50SoupBinTcp = "itch50-soupbintcp",
        /// FIX: a session of its own, as `[market_data_session]` and the venue's profile say.
        Fix = "fix",
        /// Binance's streams: spot, USD-M or COIN-M, as `[websocket]` says.
        BinanceWebsocket = "binance-websocket",
        /// Coinbase Exchange's channels.
        CoinbaseWebsocket = "coinbase-websocket",
        /// Kraken's channels, websocket API v1.
        KrakenWebsocket = "kraken-websocket",
    }
}

choice! {
    /// Where in the session a late engine begins.
    pub enum Start {
        /// At sequence 1, by retransmission.
        First = "first",
        /// At the next packet: books are wrong until every old order is gone.
        Current = "current",
        /// At a snapshot of now.
        Snapshot = "snapshot",
    }
}

choice! {
    /// The acknowledgement of a venue that leaves orders standing after a disconnect.
    pub enum Acknowledged {
        /// The risk is known and taken.
        Accepted = "accepted",
    }
}

choice! {
    /// What a journal record survives before its command is sent.
    pub enum Durability {
        /// The end of the process, `kill -9` included.
        Process = "process",
        /// Power loss: commands wait until their record is on the disk.
        Power = "power",
    }
}

choice! {
    /// The least important line that is logged.
    pub enum LogLevel {
        /// What stops something.
        Error = "error",
        /// What an operator should look at.
        Warn = "warn",
        /// What an operator may want to know.
        Info = "info",
        /// For finding faults.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}

choice! {
    /// Where the demo exchange's orders come from.
    pub enum FlowKind {
        /// Seeded synthetic order flow.
        Synthetic = "synthetic",
        /// A recorded by-order day, published verbatim.
        Replay = "replay",
    }
}

choice! {
    /// How price and quantity make money.
    pub enum ContractKind {
        /// Value = price × quantity × multiplier, in the quote currency.
        Linear = "linear",
        /// Value = quantity × multiplier / price, in the base currency.
        Inverse = "inverse",
    }
}
