//! Kraken's frames: arrays of a channel's data, with its name and pair at the end, and objects for
//! everything else.

use serde::Deserialize;
use serde::de::{Error as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Kinds of frames, as the venue names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole book.
    Snapshot,
    /// Changes of levels.
    Update,
    /// Trades.
    Trade,
    /// Best prices, volumes, figures of the day.
    Ticker,
    /// A candle.
    Ohlc,
    /// The best prices.
    Spread,
    /// Nothing happened.
    Heartbeat,
    /// How the venue is.
    SystemStatus,
    /// An answer to a subscription.
    SubscriptionStatus,
    /// Any other event.
    Other,
}

impl Kind {
    /// Names, in order.
    pub const NAMES: &'static [&'static str] = &[
        "book snapshot",
        "book update",
        "trade",
        "ticker",
        "ohlc",
        "spread",
        "heartbeat",
        "systemStatus",
        "subscriptionStatus",
        "other",
    ];
}

/// A level: as it was sent.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Row<'a> {
    pub price: Cow<'a, str>,
    pub volume: Cow<'a, str>,
    /// Seconds of UTC when it last changed.
    pub time: Cow<'a, str>,
}

/// A trade: as it was sent.
#[derive(Debug, Deserialize)]
pub struct Traded<'a>(
    /// Price.
    #[serde(borrow)]
    pub Cow<'a, str>,
    /// Volume.
    #[serde(borrow)]
    pub Cow<'a, str>,
    /// Seconds of UTC.
    #[serde(borrow)]
    pub Cow<'a, str>,
    /// The taker's side: `b` or `s`.
    #[serde(borrow)]
    pub Cow<'a, str>,
    /// Market or limit.
    IgnoredAny,
    /// Nothing yet.
    IgnoredAny,
);

/// Levels of a book. A snapshot has `as` and `bs`; an update has `a` or `b` or, in two parts, both.
#[derive(Debug, Default, Deserialize)]
#[allow(missing_docs)]
pub struct Levels<'a> {
    #[serde(rename = "as", borrow)]
    pub all_asks: Option<Vec<Row<'a>>>,
    #[serde(rename = "bs", borrow)]
    pub all_bids: Option<Vec<Row<'a>>>,
    #[serde(rename = "a", borrow, default)]
    pub asks: Vec<Row<'a>>,
    #[serde(rename = "b", borrow, default)]
    pub bids: Vec<Row<'a>>,
    #[serde(rename = "c", borrow)]
    pub checksum: Option<Cow<'a, str>>,
}

/// A frame.
#[derive(Debug)]
pub enum Frame<'a> {
    /// A book or changes of it: of which pair, how many levels were subscribed to, its parts.
    Book {
        /// The pair.
        pair: Cow<'a, str>,
        /// Levels of a side.
        depth: usize,
        /// Its parts.
        parts: Vec<Levels<'a>>,
    },
    /// Trades of a pair.
    Trades(Cow<'a, str>, Vec<Traded<'a>>),
    /// What is counted only.
    Counted(Kind),
}

/// Why a frame cannot be read: it is none, or it is about the book of a pair and wanting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Whose book must not be believed any more.
    pub pair: Option<String>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
}

/// A string, borrowed where it can be.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Frame<'a> {
    /// Reads a frame.
    ///
    /// # Errors
    /// [`Unread`].
    pub fn parse(json: &'a [u8]) -> Result<Frame<'a>, Unread> {
        let none = || Unread { pair: None };
        let text = std::str::from_utf8(json).map_err(|_| none())?;
        if !text.starts_with('[') {
            let event: Event<'a> = serde_json::from_str(text).map_err(|_| none())?;
            return Ok(Frame::Counted(match &*event.event {
                "heartbeat" => Kind::Heartbeat,
                "systemStatus" => Kind::SystemStatus,
                "subscriptionStatus" => Kind::SubscriptionStatus,
                _ => Kind::Other,
            }));
        }
        let cells: Vec<&'a RawValue> = serde_json::from_str(text).map_err(|_| none())?;
        // A channel number, which is deprecated; the data; channel and pair.
        let [_, data @ .., channel, pair] = cells.as_slice() else { return Err(none()) };
        let word = |cell: &&'a RawValue| serde_json::from_str::<Text<'a>>(cell.get());
        let (channel, pair) =
            word(channel).and_then(|c| Ok((c.0, word(pair)?.0))).map_err(|_| none())?;
        let (name, argument) = channel.split_once('-').unwrap_or((&channel, ""));
        Ok(match name {
            "book" => {
                let parts = data.iter().map(|part| serde_json::from_str(part.get()));
                let parts: Option<Vec<Levels<'a>>> = parts.map(Result::ok).collect();
                let parts = parts.filter(|parts| !parts.is_empty()).zip(argument.parse().ok());
                let Some((parts, depth)) = parts else {
                    return Err(Unread { pair: Some(pair.into_owned()) });
                };
                Frame::Book { pair, depth, parts }
            }
            "trade" => {
                let [trades] = data else { return Err(none()) };
                Frame::Trades(pair, serde_json::from_str(trades.get()).map_err(|_| none())?)
            }
            "ticker" => Frame::Counted(Kind::Ticker),
            "ohlc" => Frame::Counted(Kind::Ohlc),
            "spread" => Frame::Counted(Kind::Spread),
            _ => Frame::Counted(Kind::Other),
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Row<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Cells)
    }
}

/// Price, volume and time; a fourth cell says that the level is told once more.
struct Cells;

impl<'de> Visitor<'de> for Cells {
    type Value = Row<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("price, volume and time")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut cells: A) -> Result<Self::Value, A::Error> {
        let mut next = || -> Result<Cow<'de, str>, A::Error> {
            let text = cells.next_element::<Text<'de>>()?;
            text.map(|text| text.0).ok_or_else(|| A::Error::custom("half a level"))
        };
        let row = Row { price: next()?, volume: next()?, time: next()? };
        while cells.next_element::<IgnoredAny>()?.is_some() {}
        Ok(row)
    }
}
