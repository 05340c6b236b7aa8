//! What a venue says that no 56-byte event can hold: definitions, reasons of a status, imbalances,
//! statistics. An entry is immutable and travels in band: an [`EventKind::Entry`] names its slot.
//!
//! Nothing here decides. A source numbers its entries from 0 without gaps.
//!
//! [`EventKind::Entry`]: crate::EventKind::Entry

use crate::{InstrumentId, Price, Qty, Side, Timestamp, TradingStatus};

/// One thing said of one instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SideEntry {
    /// Of whom; [`crate::Event::ALL`] of every instrument of the feed.
    pub instrument: InstrumentId,
    /// Time by the venue's clock.
    pub exchange_time: Timestamp,
    /// What.
    pub said: Said,
}

/// What a side entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// What the instrument is.
    Definition(Box<Definition>),
    /// Why it is in the status that the `Status` event beside it names.
    Status(StatusReason),
    /// How an auction would end now.
    Imbalance(Box<Imbalance>),
    /// A figure of the day.
    Statistic(Statistic),
}

/// What a venue says of an instrument. `None` and zero where it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definition {
    /// The venue's symbol.
    pub symbol: String,
    /// The venue's number of it: locate code, instrument id, security id.
    pub venue_id: u64,
    /// Smallest price step.
    pub tick: Option<Price>,
    /// Smallest quantity step, or the round lot where that is what is said.
    pub lot: Option<Qty>,
    /// Fractional digits of quantities in these events.
    pub qty_digits: u32,
    /// Units of the underlying in one contract, in 1e-9.
    pub multiplier: Option<i64>,
    /// What the price is in.
    pub currency: String,
    /// When it expires.
    pub expiry: Option<Timestamp>,
    /// The rest, by the names of the format's specification.
    pub details: Vec<(&'static str, String)>,
}

/// Why a status holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusReason {
    /// The status.
    pub status: TradingStatus,
    /// The venue's word or code for the reason; empty if it gives none.
    pub reason: String,
}

/// An auction in the making. `None` where the venue gives no price.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imbalance {
    /// The side with more; `None` if there is none.
    pub side: Option<Side>,
    /// Matched at the reference price.
    pub paired: Qty,
    /// Not matched at the reference price.
    pub unpaired: Qty,
    /// The price that both are computed for.
    pub reference: Option<Price>,
    /// Where auction and continuous book together would clear.
    pub near: Option<Price>,
    /// Where the auction's orders alone would clear.
    pub far: Option<Price>,
    /// The venue's code of the auction.
    pub auction: String,
}

/// A figure: opening price, settlement, open interest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statistic {
    /// Its name, by the format's specification.
    pub name: &'static str,
    /// Its price, if it is one.
    pub price: Option<Price>,
    /// Its quantity, if it is one.
    pub qty: Option<Qty>,
}
