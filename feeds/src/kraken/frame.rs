//! Kraken's frames: what both versions of its API say, and how version 1 says it: arrays of a
//! channel's data, with its name and pair at the end, and objects for everything else.

use super::number::Number;
use super::v2;
use crate::cryptofeed::seconds;
use market::{Side, Timestamp};
use serde::Deserialize;
use serde::de::{Error as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// Kinds of frames, as the venue names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole book.
    Snapshot,
    /// Changes of levels.
    Update,
    /// A whole book by order.
    OrdersSnapshot,
    /// Changes of orders.
    OrdersUpdate,
    /// Trades.
    Trade,
    /// Best prices, volumes, figures of the day.
    Ticker,
    /// A candle.
    Ohlc,
    /// The best prices.
    Spread,
    /// Assets and pairs.
    Instrument,
    /// Nothing happened.
    Heartbeat,
    /// How the venue is (v1).
    SystemStatus,
    /// How the venue is (v2).
    Status,
    /// An answer to a subscription (v1).
    SubscriptionStatus,
    /// An answer to a request (v2).
    Answer,
    /// Any other event.
    Other,
}

impl Kind {
    /// Names, in order.
    pub const NAMES: &'static [&'static str] = &[
        "book snapshot",
        "book update",
        "level3 snapshot",
        "level3 update",
        "trade",
        "ticker",
        "ohlc",
        "spread",
        "instrument",
        "heartbeat",
        "systemStatus",
        "status",
        "subscriptionStatus",
        "answer",
        "other",
    ];
}

/// A level.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Row {
    pub price: Number,
    pub qty: Number,
    /// When it last changed; zero where that is not said.
    pub time: Timestamp,
}

/// A book by level, or changes of it.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Levels<'a> {
    pub pair: Cow<'a, str>,
    /// Levels of a side that were subscribed to, where the frame says it.
    pub depth: Option<usize>,
    /// It is the whole book.
    pub whole: bool,
    /// Levels of each side, in the order of their application.
    pub parts: Vec<(Side, Vec<Row>)>,
    pub sum: Option<u32>,
    /// Of the whole; zero where that is not said.
    pub time: Timestamp,
}

impl Levels<'_> {
    /// Prices of a side at most.
    pub(super) fn prices(&self) -> usize {
        self.parts.iter().map(|(_, rows)| rows.len()).max().unwrap_or(0)
    }
}

/// What is said of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It rests, behind those of its price.
    Add,
    /// It has another quantity, or price.
    Modify,
    /// It is gone.
    Delete,
}

/// An order.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Order {
    pub side: Side,
    pub act: Act,
    /// Digest of the venue's id.
    pub id: u64,
    pub price: Number,
    pub qty: Number,
    pub time: Timestamp,
}

/// A book by order, or changes of it.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Orders<'a> {
    pub pair: Cow<'a, str>,
    /// It is the whole book.
    pub whole: bool,
    pub orders: Vec<Order>,
    pub sum: Option<u32>,
    /// Of the whole; zero where that is not said.
    pub time: Timestamp,
}

impl Orders<'_> {
    /// Prices of a side at most.
    pub(super) fn prices(&self) -> usize {
        let of = |side| {
            let orders = self.orders.iter().filter(move |order| order.side == side);
            orders.map(|order| order.price).collect::<HashSet<Number>>().len()
        };
        of(Side::Buy).max(of(Side::Sell))
    }
}

/// A trade.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Trade<'a> {
    pub pair: Cow<'a, str>,
    pub price: Number,
    pub qty: Number,
    pub time: Timestamp,
    /// Of the order that rested.
    pub resting: Option<Side>,
    /// Zero where it has none.
    pub id: u64,
}

/// A frame.
#[derive(Debug)]
pub enum Frame<'a> {
    /// Books by level of pairs, or changes of them.
    Books(Vec<Levels<'a>>),
    /// The same by order.
    Orders(Vec<Orders<'a>>),
    /// Trades of now.
    Trades(Vec<Trade<'a>>),
    /// Digits behind the point of prices and quantities, by pair.
    Precisions(Vec<(Cow<'a, str>, [u32; 2])>),
    /// A subscription to so many levels of a pair was accepted.
    Depth(Cow<'a, str>, usize),
    /// What is counted only.
    Counted(Kind),
}

/// Why a frame cannot be read: it is none, or it is about the books of pairs and wanting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// Whose books must not be believed any more.
    pub pairs: Vec<String>,
    /// It may be about others as well: that cannot be told.
    pub any: bool,
}

impl Unread {
    /// Nobody can tell what it is about.
    #[must_use]
    pub fn any() -> Unread {
        Unread { pairs: Vec::new(), any: true }
    }
}

/// Part of a book of version 1. A snapshot has `as` and `bs`; an update has `a` or `b` or, in two
/// parts, both.
#[derive(Debug, Default, Deserialize)]
struct Part<'a> {
    #[serde(rename = "as")]
    all_asks: Option<Vec<Row>>,
    #[serde(rename = "bs")]
    all_bids: Option<Vec<Row>>,
    #[serde(rename = "a", default)]
    asks: Vec<Row>,
    #[serde(rename = "b", default)]
    bids: Vec<Row>,
    #[serde(rename = "c", borrow)]
    checksum: Option<Cow<'a, str>>,
}

/// A trade of version 1: price, volume, time, the taker's side (`b` or `s`), market or limit, nothing
/// yet.
#[derive(Deserialize)]
struct Traded<'a>(
    #[serde(borrow)] Cow<'a, str>,
    #[serde(borrow)] Cow<'a, str>,
    #[serde(borrow)] Cow<'a, str>,
    #[serde(borrow)] Cow<'a, str>,
    IgnoredAny,
    IgnoredAny,
);

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    event: Option<Cow<'a, str>>,
}

/// A string, borrowed where it can be.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl<'a> Frame<'a> {
    /// Reads a frame.
    ///
    /// # Errors
    /// [`Unread`].
    pub fn parse(json: &'a [u8]) -> Result<Frame<'a>, Unread> {
        let text = std::str::from_utf8(json).map_err(|_| Unread::any())?;
        if text.starts_with('[') {
            return array(text);
        }
        let event: Event<'a> = serde_json::from_str(text).map_err(|_| Unread::any())?;
        Ok(Frame::Counted(match event.event.as_deref() {
            None => return v2::parse(text),
            Some("heartbeat") => Kind::Heartbeat,
            Some("systemStatus") => Kind::SystemStatus,
            Some("subscriptionStatus") => Kind::SubscriptionStatus,
            Some(_) => Kind::Other,
        }))
    }
}

fn array(text: &str) -> Result<Frame<'_>, Unread> {
    let (none, no_book) = (Unread::any, Unread::default);
    let cells: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| none())?;
    // A channel number, which is deprecated; the data; channel and pair.
    let [_, data @ .., channel, pair] = cells.as_slice() else { return Err(none()) };
    let channel: Text<'_> = serde_json::from_str(channel.get()).map_err(|_| none())?;
    let Text(pair) = serde_json::from_str(pair.get()).map_err(|_| none())?;
    let (name, argument) = channel.0.split_once('-').unwrap_or((&channel.0, ""));
    Ok(match name {
        "book" => match levels(pair.clone(), argument, data) {
            Some(levels) => Frame::Books(vec![levels]),
            None => return Err(Unread { pairs: vec![pair.into_owned()], any: false }),
        },
        "trade" => {
            let [trades] = data else { return Err(no_book()) };
            let trades = serde_json::from_str::<Vec<Traded<'_>>>(trades.get());
            let trades = trades.map_err(|_| no_book())?;
            let trades = trades.iter().map(|one| trade(pair.clone(), one));
            Frame::Trades(trades.collect::<Option<_>>().ok_or_else(no_book)?)
        }
        "ticker" => Frame::Counted(Kind::Ticker),
        "ohlc" => Frame::Counted(Kind::Ohlc),
        "spread" => Frame::Counted(Kind::Spread),
        _ => Frame::Counted(Kind::Other),
    })
}

fn levels<'a>(pair: Cow<'a, str>, depth: &str, data: &[&'a RawValue]) -> Option<Levels<'a>> {
    let depth = Some(depth.parse().ok()?);
    let (mut whole, mut parts, mut sum) = (false, Vec::new(), None);
    for part in data {
        let part: Part<'_> = serde_json::from_str(part.get()).ok()?;
        whole |= part.all_asks.is_some() || part.all_bids.is_some();
        // Asks first, as the venue sends them.
        parts.push((Side::Sell, part.all_asks.unwrap_or(part.asks)));
        parts.push((Side::Buy, part.all_bids.unwrap_or(part.bids)));
        if let (None, Some(text)) = (sum, part.checksum) {
            sum = Some(text.parse().ok()?);
        }
    }
    let times = parts.iter().flat_map(|(_, rows)| rows).map(|row| row.time);
    let time = times.max().unwrap_or_default();
    (!parts.is_empty()).then_some(Levels { pair, depth, whole, parts, sum, time })
}

fn trade<'a>(pair: Cow<'a, str>, traded: &Traded<'_>) -> Option<Trade<'a>> {
    let resting = match &*traded.3 {
        "b" => Some(Side::Sell),
        "s" => Some(Side::Buy),
        _ => None,
    };
    let price = Number::plain(&traded.0).ok()?;
    let qty = Number::plain(&traded.1).ok()?;
    Some(Trade { pair, price, qty, time: seconds(traded.2.as_bytes())?, resting, id: 0 })
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Cells)
    }
}

/// Price, volume and time; a fourth cell says that the level is told once more.
struct Cells;

impl<'de> Visitor<'de> for Cells {
    type Value = Row;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("price, volume and time")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut cells: A) -> Result<Row, A::Error> {
        let mut next = || -> Result<Cow<'de, str>, A::Error> {
            let text = cells.next_element::<Text<'de>>()?;
            text.map(|text| text.0).ok_or_else(|| A::Error::custom("half a level"))
        };
        let number = |text: &str| Number::plain(text).map_err(|_| A::Error::custom("no number"));
        let (price, qty) = (number(&next()?)?, number(&next()?)?);
        let time = seconds(next()?.as_bytes()).ok_or_else(|| A::Error::custom("no time"))?;
        while cells.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Row { price, qty, time })
    }
}
