//! Coinbase's frames, by `serde_json`. Frames of Exchange have a `type`, those of Advanced Trade a
//! `channel`.

use market::Side;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;

/// Kinds of frames, as the venue names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole book by level.
    Snapshot,
    /// Changes of levels.
    L2Update,
    /// A trade.
    Match,
    /// The trade before the subscription.
    LastMatch,
    /// An order came in.
    Received,
    /// An order, or what is left of it, rests.
    Open,
    /// An order is gone.
    Done,
    /// An order became smaller, or was modified.
    Change,
    /// A stop order was placed.
    Activate,
    /// A book by order, by REST.
    RestBook,
    /// Advanced Trade: a book by level, or changes of it.
    L2Data,
    /// Advanced Trade: trades.
    MarketTrades,
    /// Best prices and figures of the day.
    Ticker,
    /// Nothing happened.
    Heartbeat,
    /// Products.
    Status,
    /// An answer to a subscription.
    Subscriptions,
    /// An error.
    Error,
    /// Any other.
    Other,
}

impl Kind {
    /// Names, in order.
    pub const NAMES: &'static [&'static str] = &[
        "snapshot",
        "l2update",
        "match",
        "last_match",
        "received",
        "open",
        "done",
        "change",
        "activate",
        "book by REST",
        "l2_data",
        "market_trades",
        "ticker",
        "heartbeat",
        "status",
        "subscriptions",
        "error",
        "other",
    ];

    fn of(name: &str) -> Kind {
        match name {
            "snapshot" => Kind::Snapshot,
            "l2update" => Kind::L2Update,
            "match" => Kind::Match,
            "last_match" => Kind::LastMatch,
            "received" => Kind::Received,
            "open" => Kind::Open,
            "done" => Kind::Done,
            "change" => Kind::Change,
            "activate" => Kind::Activate,
            "l2_data" => Kind::L2Data,
            "market_trades" => Kind::MarketTrades,
            "ticker" | "ticker_batch" => Kind::Ticker,
            "heartbeat" | "heartbeats" => Kind::Heartbeat,
            "status" => Kind::Status,
            "subscriptions" => Kind::Subscriptions,
            "error" => Kind::Error,
            _ => Kind::Other,
        }
    }
}

/// A frame.
#[derive(Debug)]
pub enum Frame {
    /// [`Kind::Snapshot`].
    Snapshot(Snapshot),
    /// [`Kind::L2Update`].
    Update(Update),
    /// [`Kind::Match`], and the kinds of the full channel with a sequence.
    Order(Kind, Order),
    /// [`Kind::L2Data`].
    L2Data(Advanced<L2Event>),
    /// [`Kind::MarketTrades`].
    MarketTrades(Advanced<TradesEvent>),
    /// Of Advanced Trade, counted only, but numbered with the others, and sent at a time.
    Numbered(Kind, u64, Option<String>),
    /// What is counted only.
    Counted(Kind),
}

/// A book by level.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Snapshot {
    pub product_id: String,
    pub bids: Vec<(String, String)>,
    pub asks: Vec<(String, String)>,
    pub time: Option<String>,
}

/// Changes of levels: side, price, new size.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Update {
    pub product_id: String,
    pub changes: Vec<(String, String, String)>,
    pub time: Option<String>,
}

/// What happened to an order. Which fields there are depends on the kind.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Order {
    pub product_id: String,
    pub sequence: u64,
    pub time: String,
    pub side: String,
    pub order_id: Option<String>,
    pub maker_order_id: Option<String>,
    pub trade_id: Option<u64>,
    pub price: Option<String>,
    pub size: Option<String>,
    pub remaining_size: Option<String>,
    pub new_size: Option<String>,
    pub new_price: Option<String>,
}

/// A frame of Advanced Trade.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Advanced<E> {
    pub timestamp: String,
    pub sequence_num: u64,
    pub events: Vec<E>,
}

/// A book of one product, or changes of it.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct L2Event {
    pub r#type: String,
    pub product_id: String,
    pub updates: Vec<L2Level>,
}

/// A level of it.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct L2Level {
    pub side: String,
    pub price_level: String,
    pub new_quantity: String,
}

/// Trades: those of now, or with `snapshot` those of before.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct TradesEvent {
    pub r#type: String,
    pub trades: Vec<MarketTrade>,
}

/// One of them.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct MarketTrade {
    pub trade_id: String,
    pub product_id: String,
    pub price: String,
    pub size: String,
    /// Of the order that rested.
    pub side: String,
    pub time: String,
}

/// A book by order, by REST: price, size and id of each order.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct RestBook {
    pub sequence: u64,
    pub bids: Vec<(String, String, String)>,
    pub asks: Vec<(String, String, String)>,
}

/// Why a frame cannot be read: it is none, or one about this product, and wanting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Whose book must not be believed any more; any's if that cannot be told.
    pub product: Option<String>,
}

#[derive(Deserialize)]
struct Signs<'a> {
    #[serde(borrow)]
    r#type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    channel: Option<Cow<'a, str>>,
    sequence_num: Option<u64>,
    #[serde(borrow)]
    timestamp: Option<Cow<'a, str>>,
}

impl Frame {
    /// Reads a frame.
    ///
    /// # Errors
    /// [`Unread`].
    pub fn parse(json: &[u8]) -> Result<Frame, Unread> {
        let none = Unread { product: None };
        let Ok(signs) = serde_json::from_slice::<Signs<'_>>(json) else { return Err(none) };
        let advanced = signs.r#type.is_none();
        let Some(name) = signs.r#type.or(signs.channel) else { return Err(none) };
        let kind = Kind::of(&name);
        Ok(match kind {
            Kind::Snapshot if !advanced => Frame::Snapshot(read(json)?),
            Kind::L2Update if !advanced => Frame::Update(read(json)?),
            Kind::Match | Kind::Received | Kind::Open | Kind::Done | Kind::Change if !advanced => {
                Frame::Order(kind, read(json)?)
            }
            Kind::L2Data if advanced => Frame::L2Data(read(json)?),
            Kind::MarketTrades if advanced => Frame::MarketTrades(read(json)?),
            _ => match signs.sequence_num {
                Some(number) if advanced => {
                    Frame::Numbered(kind, number, signs.timestamp.map(Cow::into_owned))
                }
                _ => Frame::Counted(kind),
            },
        })
    }
}

fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, Unread> {
    #[derive(Deserialize)]
    struct Named {
        product_id: String,
    }
    serde_json::from_slice(json).map_err(|_| {
        let named = serde_json::from_slice::<Named>(json);
        Unread { product: named.ok().map(|named| named.product_id) }
    })
}

/// A side in any of the venue's words.
#[must_use]
pub fn side(word: &str) -> Option<Side> {
    match word {
        "buy" | "BUY" | "bid" => Some(Side::Buy),
        "sell" | "SELL" | "offer" | "ask" => Some(Side::Sell),
        _ => None,
    }
}
