//! Frames of Kraken's websocket API version 2: objects with a channel, a type and data. Numbers are
//! those of JSON, read from their digits, since the checksums are over these.

use super::frame::{Act, Frame, Kind, Levels, Order, Orders, Row, Text, Trade, Unread};
use super::number::Number;
use crate::level::time;
use market::ids::digest64;
use market::{Side, Timestamp};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Digits behind the point that any precision has at most.
const DIGITS_MAX: u32 = 30;

#[derive(Deserialize)]
struct Signs<'a> {
    #[serde(borrow)]
    channel: Option<Cow<'a, str>>,
    #[serde(borrow)]
    r#type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Subscribed<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    depth: usize,
}

#[derive(Deserialize)]
struct Book<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    #[serde(default)]
    bids: Vec<Level>,
    #[serde(default)]
    asks: Vec<Level>,
    checksum: Option<u32>,
    #[serde(borrow)]
    timestamp: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Level {
    #[serde(deserialize_with = "number")]
    price: Number,
    #[serde(deserialize_with = "number")]
    qty: Number,
}

#[derive(Deserialize)]
struct Level3<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    #[serde(borrow, default)]
    bids: Vec<Resting<'a>>,
    #[serde(borrow, default)]
    asks: Vec<Resting<'a>>,
    checksum: Option<u32>,
    #[serde(borrow)]
    timestamp: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Resting<'a> {
    #[serde(borrow)]
    event: Option<Cow<'a, str>>,
    #[serde(borrow)]
    order_id: Cow<'a, str>,
    #[serde(deserialize_with = "number")]
    limit_price: Number,
    #[serde(deserialize_with = "number")]
    order_qty: Number,
    #[serde(borrow)]
    timestamp: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Traded<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    /// The taker's.
    #[serde(borrow)]
    side: Cow<'a, str>,
    #[serde(deserialize_with = "number")]
    price: Number,
    #[serde(deserialize_with = "number")]
    qty: Number,
    trade_id: u64,
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow, default)]
    pairs: Vec<Pair<'a>>,
}

#[derive(Deserialize)]
struct Pair<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    price_precision: u32,
    qty_precision: u32,
}

/// The digits of a number, or of one within quotes.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Number::json(raw.get()).map_err(|_| D::Error::custom("no number"))
}

/// Reads a frame.
///
/// # Errors
/// [`Unread`].
pub(super) fn parse(text: &str) -> Result<Frame<'_>, Unread> {
    let (none, no_book) = (Unread::any, Unread::default);
    let signs: Signs<'_> = serde_json::from_str(text).map_err(|_| none())?;
    let Some(channel) = signs.channel else {
        // An answer to a request.
        signs.method.ok_or_else(none)?;
        let depth = signs.result.map(|raw| serde_json::from_str::<Subscribed<'_>>(raw.get()));
        return Ok(match depth {
            Some(Ok(subscribed)) => Frame::Depth(subscribed.symbol, subscribed.depth),
            _ => Frame::Counted(Kind::Answer),
        });
    };
    let data = || signs.data.map(RawValue::get).ok_or_else(none);
    let other = || signs.data.map(RawValue::get).ok_or_else(no_book);
    let whole = || match signs.r#type.as_deref() {
        Some("snapshot") => Some(true),
        Some("update") => Some(false),
        _ => None,
    };
    Ok(match &*channel {
        "book" => Frame::Books(entries(data()?, |one| book(one, whole()?))?),
        "level3" => Frame::Orders(entries(data()?, |one| level3(one, whole()?))?),
        "trade" => {
            let trades: Vec<Traded<'_>> = serde_json::from_str(other()?).map_err(|_| no_book())?;
            let trades = trades.into_iter().map(trade).collect::<Option<_>>();
            let trades = trades.ok_or_else(no_book)?;
            match whole() {
                // Those of before the subscription.
                Some(true) => Frame::Counted(Kind::Trade),
                Some(false) => Frame::Trades(trades),
                None => return Err(no_book()),
            }
        }
        "instrument" => {
            let told: Reference<'_> = serde_json::from_str(other()?).map_err(|_| no_book())?;
            let pairs = told.pairs.into_iter();
            let pairs = pairs.map(|pair| (pair.symbol, [pair.price_precision, pair.qty_precision]));
            Frame::Precisions(
                pairs.filter(|(_, all)| all.iter().all(|&one| one <= DIGITS_MAX)).collect(),
            )
        }
        "ticker" => Frame::Counted(Kind::Ticker),
        "ohlc" => Frame::Counted(Kind::Ohlc),
        "heartbeat" => Frame::Counted(Kind::Heartbeat),
        "status" => Frame::Counted(Kind::Status),
        _ => Frame::Counted(Kind::Other),
    })
}

/// Each entry of the data of a channel of books; if one cannot be read, none is.
fn entries<'a, T: Deserialize<'a>, R>(
    data: &'a str,
    told: impl Fn(T) -> Option<R>,
) -> Result<Vec<R>, Unread> {
    let read = serde_json::from_str::<Vec<T>>(data).ok();
    let read = read.and_then(|all| all.into_iter().map(told).collect::<Option<Vec<R>>>());
    read.ok_or_else(|| symbols(data))
}

/// Whose books they are about, as far as that can be read.
fn symbols(data: &str) -> Unread {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        symbol: Text<'a>,
    }
    let Ok(all) = serde_json::from_str::<Vec<&RawValue>>(data) else { return Unread::any() };
    let named = all.iter().filter_map(|raw| serde_json::from_str::<Named<'_>>(raw.get()).ok());
    let pairs: Vec<String> = named.map(|named| named.symbol.0.into_owned()).collect();
    Unread { any: pairs.len() < all.len(), pairs }
}

/// A time, zero where there is none; `None` for what is no time.
fn stamp(text: Option<&str>) -> Option<Timestamp> {
    text.map_or(Some(Timestamp::ZERO), time)
}

fn book(one: Book<'_>, whole: bool) -> Option<Levels<'_>> {
    let time = stamp(one.timestamp.as_deref())?;
    let rows = |levels: Vec<Level>| {
        let rows = levels.into_iter().map(|level| Row { price: level.price, qty: level.qty, time });
        rows.collect()
    };
    let parts = vec![(Side::Sell, rows(one.asks)), (Side::Buy, rows(one.bids))];
    Some(Levels { pair: one.symbol, depth: None, whole, parts, sum: one.checksum, time })
}

fn level3(one: Level3<'_>, whole: bool) -> Option<Orders<'_>> {
    let sides = [(Side::Sell, one.asks), (Side::Buy, one.bids)];
    let all = sides.into_iter().flat_map(|(side, all)| all.into_iter().map(move |o| (side, o)));
    let orders = all.map(|(side, order)| {
        let act = match order.event.as_deref() {
            None if whole => Act::Add,
            Some("add") => Act::Add,
            Some("modify") => Act::Modify,
            Some("delete") => Act::Delete,
            _ => return None,
        };
        let (price, qty) = (order.limit_price, order.order_qty);
        let time = stamp(order.timestamp.as_deref())?;
        Some(Order { side, act, id: digest64(order.order_id.as_bytes()), price, qty, time })
    });
    let orders: Vec<Order> = orders.collect::<Option<_>>()?;
    let last = orders.iter().map(|order| order.time).max().unwrap_or_default();
    let time = stamp(one.timestamp.as_deref())?;
    let time = if time == Timestamp::ZERO { last } else { time };
    Some(Orders { pair: one.symbol, whole, orders, sum: one.checksum, time })
}

fn trade(one: Traded<'_>) -> Option<Trade<'_>> {
    let resting = match &*one.side {
        "buy" => Some(Side::Sell),
        "sell" => Some(Side::Buy),
        _ => return None,
    };
    let (price, qty, id) = (one.price, one.qty, one.trade_id);
    Some(Trade { pair: one.symbol, price, qty, time: time(&one.timestamp)?, resting, id })
}
