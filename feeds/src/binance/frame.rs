//! Any frame of the venue, by `serde_json`: whatever order and white space it comes in. Also what says
//! of every recorded frame which kind it is. Gives texts where a frame has texts: scales are applied by
//! [`super::stream`].

use super::join::Span;
use crate::cryptofeed::stamp;
use market::Timestamp;
use serde::de::{Error as _, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Kinds of frames, as the venue names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Changes of levels.
    DepthUpdate,
    /// A book by REST.
    Snapshot,
    /// The best levels, again and again; no books are made of them.
    PartialDepth,
    /// Changes of levels, retail price improvement included; no books are made of them.
    RpiDepth,
    /// One match.
    Trade,
    /// Matches of one taker at one price.
    AggTrade,
    /// The best prices.
    BookTicker,
    /// Mark price and funding.
    MarkPrice,
    /// A liquidation.
    ForceOrder,
    /// A candle.
    Kline,
    /// Figures of a day or window.
    Ticker,
    /// An answer to a request, or an error.
    Response,
    /// Any other event.
    Other,
}

impl Kind {
    /// Names, in order.
    pub const NAMES: &'static [&'static str] = &[
        "depthUpdate",
        "depth snapshot",
        "partial depth",
        "rpiDepth",
        "trade",
        "aggTrade",
        "bookTicker",
        "markPriceUpdate",
        "forceOrder",
        "kline",
        "ticker",
        "response",
        "other",
    ];

    fn of_event(event: &str) -> Kind {
        match event {
            "depthUpdate" => Kind::DepthUpdate,
            "trade" => Kind::Trade,
            "aggTrade" => Kind::AggTrade,
            "bookTicker" => Kind::BookTicker,
            "markPriceUpdate" => Kind::MarkPrice,
            "forceOrder" => Kind::ForceOrder,
            "kline" | "continuous_kline" | "indexPrice_kline" | "markPrice_kline" => Kind::Kline,
            "24hrTicker" | "24hrMiniTicker" | "1hTicker" | "4hTicker" | "1dTicker" | "avgPrice" => {
                Kind::Ticker
            }
            _ => Kind::Other,
        }
    }
}

/// A frame that is read.
#[derive(Debug)]
pub enum Frame<'a> {
    /// [`Kind::DepthUpdate`].
    Depth(Depth<'a>),
    /// [`Kind::Snapshot`], and the stream's symbol where the snapshot says none.
    Snapshot(Snapshot<'a>),
    /// [`Kind::Trade`] or [`Kind::AggTrade`].
    Trade(Kind, Trade<'a>),
    /// [`Kind::MarkPrice`].
    Mark(Mark<'a>),
    /// What is counted only.
    Counted(Kind),
}

/// A price and a quantity, as texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level<'a>(pub Cow<'a, str>, pub Cow<'a, str>);

/// A depth frame.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Depth<'a> {
    #[serde(rename = "E")]
    pub event: u64,
    #[serde(rename = "T")]
    pub transaction: Option<u64>,
    #[serde(rename = "s", borrow)]
    pub symbol: Cow<'a, str>,
    #[serde(rename = "ps", borrow)]
    pub pair: Option<Cow<'a, str>>,
    #[serde(rename = "U")]
    first: u64,
    #[serde(rename = "u")]
    last: u64,
    #[serde(rename = "pu")]
    previous: Option<u64>,
    #[serde(rename = "b", borrow)]
    pub bids: Vec<Level<'a>>,
    #[serde(rename = "a", borrow)]
    pub asks: Vec<Level<'a>>,
}

impl Depth<'_> {
    /// Which updates it tells.
    #[must_use]
    pub fn span(&self) -> Span {
        Span { first: self.first, last: self.last, previous: self.previous }
    }
}

/// A snapshot by REST. Of spot and USD-M it says neither symbol nor, of spot, time.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Snapshot<'a> {
    #[serde(rename = "lastUpdateId")]
    pub last: u64,
    #[serde(rename = "E")]
    pub event: Option<u64>,
    #[serde(rename = "T")]
    pub transaction: Option<u64>,
    #[serde(borrow)]
    pub symbol: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub bids: Vec<Level<'a>>,
    #[serde(borrow)]
    pub asks: Vec<Level<'a>>,
}

impl Snapshot<'_> {
    /// When it was taken, where it says so.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        self.transaction.or(self.event).map(stamp)
    }
}

/// A trade, or trades of one taker at one price.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Trade<'a> {
    #[serde(rename = "s", borrow)]
    pub symbol: Cow<'a, str>,
    /// Number of a single trade.
    #[serde(rename = "t")]
    trade: Option<u64>,
    /// Number of an aggregate; of a trade, the seller's order in old frames.
    #[serde(rename = "a")]
    aggregate: Option<u64>,
    #[serde(rename = "p", borrow)]
    pub price: Cow<'a, str>,
    #[serde(rename = "q", borrow)]
    pub qty: Cow<'a, str>,
    #[serde(rename = "T")]
    pub time: u64,
    /// True if the buyer's order rested.
    #[serde(rename = "m")]
    pub buyer_rested: bool,
}

impl Trade<'_> {
    /// Its number, which counts trades and aggregates apart; zero if it has none.
    #[must_use]
    pub fn id(&self, kind: Kind) -> u64 {
        let id = if kind == Kind::AggTrade { self.aggregate } else { self.trade };
        id.unwrap_or(0)
    }
}

/// Mark price and funding.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Mark<'a> {
    #[serde(rename = "s", borrow)]
    pub symbol: Cow<'a, str>,
    #[serde(rename = "E")]
    pub event: u64,
    #[serde(rename = "p", borrow)]
    pub mark: Cow<'a, str>,
    #[serde(rename = "i", borrow)]
    pub index: Option<Cow<'a, str>>,
    #[serde(rename = "P", borrow)]
    pub settle: Option<Cow<'a, str>>,
    #[serde(rename = "r", borrow)]
    pub funding: Option<Cow<'a, str>>,
}

/// The wrapping of combined streams, if there is one.
#[derive(Deserialize)]
struct Wrapping<'a> {
    #[serde(borrow)]
    stream: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// What tells the kind of a frame.
#[derive(Deserialize)]
struct Signs<'a> {
    #[serde(borrow)]
    e: Option<Cow<'a, str>>,
    #[serde(rename = "lastUpdateId")]
    snapshot: Option<IgnoredAny>,
    #[serde(rename = "B")]
    best: Option<IgnoredAny>,
    u: Option<IgnoredAny>,
    id: Option<IgnoredAny>,
    code: Option<IgnoredAny>,
    error: Option<IgnoredAny>,
}

/// Whose frame it is, as far as that can be told of one that is wanting otherwise.
#[must_use]
pub fn symbol_of(json: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        s: String,
    }
    let wrapping: Wrapping<'_> = serde_json::from_slice(json).ok()?;
    let data = wrapping.data.map_or(json, |data| data.get().as_bytes());
    if let Ok(named) = serde_json::from_slice::<Named>(data) {
        return Some(named.s);
    }
    let (of, _) = wrapping.stream.as_deref()?.split_once('@')?;
    Some(of.to_ascii_uppercase())
}

/// Why a frame cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is no JSON, or none of any frame.
    NoFrame,
    /// It is of this kind, and what it must have is not there.
    Wanting(Kind),
}

impl<'a> Frame<'a> {
    /// Reads a frame, wrapped or bare.
    ///
    /// # Errors
    /// [`Unread`].
    pub fn parse(json: &'a [u8]) -> Result<Frame<'a>, Unread> {
        let text = std::str::from_utf8(json).map_err(|_| Unread::NoFrame)?;
        let wrapping: Wrapping<'a> = serde_json::from_str(text).map_err(|_| Unread::NoFrame)?;
        let data = wrapping.data.map_or(text, RawValue::get);
        // `btcusdt@depth5@100ms`: what, of whom.
        let mut parts = wrapping.stream.as_deref().unwrap_or_default().split('@');
        let (of, stream) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let kind = Self::kind(data, stream)?;
        let wanting = |_| Unread::Wanting(kind);
        Ok(match kind {
            Kind::DepthUpdate => Frame::Depth(serde_json::from_str(data).map_err(wanting)?),
            Kind::Trade | Kind::AggTrade => {
                Frame::Trade(kind, serde_json::from_str(data).map_err(wanting)?)
            }
            Kind::MarkPrice if !data.starts_with('[') => {
                Frame::Mark(serde_json::from_str(data).map_err(wanting)?)
            }
            Kind::Snapshot => {
                let mut snapshot: Snapshot<'a> = serde_json::from_str(data).map_err(wanting)?;
                if snapshot.symbol.is_none() && !of.is_empty() {
                    snapshot.symbol = Some(of.to_ascii_uppercase().into());
                }
                Frame::Snapshot(snapshot)
            }
            _ => Frame::Counted(kind),
        })
    }

    fn kind(data: &str, stream: &str) -> Result<Kind, Unread> {
        if data.starts_with('[') {
            let all: Vec<Signs<'_>> = serde_json::from_str(data).map_err(|_| Unread::NoFrame)?;
            let event = all.first().and_then(|signs| signs.e.as_deref());
            return Ok(event.map_or(Kind::Other, Kind::of_event));
        }
        let signs: Signs<'_> = serde_json::from_str(data).map_err(|_| Unread::NoFrame)?;
        let depth = stream.strip_prefix("depth").is_some_and(|levels| !levels.is_empty());
        Ok(match signs.e.as_deref() {
            Some("depthUpdate") if depth => Kind::PartialDepth,
            Some("depthUpdate") if stream.starts_with("rpiDepth") => Kind::RpiDepth,
            Some(event) => Kind::of_event(event),
            None if signs.snapshot.is_some() && depth => Kind::PartialDepth,
            None if signs.snapshot.is_some() => Kind::Snapshot,
            None if signs.u.is_some() && signs.best.is_some() => Kind::BookTicker,
            None if signs.id.is_some() || signs.code.is_some() || signs.error.is_some() => {
                Kind::Response
            }
            None => return Err(Unread::NoFrame),
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Level<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Cells).map(|(price, qty)| Level(price, qty))
    }
}

/// Price and quantity, and whatever else stands there: old frames have a third cell that says nothing.
struct Cells;

/// A text that is borrowed where it can be.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Visitor<'de> for Cells {
    type Value = (Cow<'de, str>, Cow<'de, str>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("price and quantity")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut cells: A) -> Result<Self::Value, A::Error> {
        let mut next = || cells.next_element::<Text<'de>>();
        let pair = next()?.zip(next()?).ok_or_else(|| A::Error::custom("half a level"))?;
        while cells.next_element::<IgnoredAny>()?.is_some() {}
        Ok((pair.0.0, pair.1.0))
    }
}
