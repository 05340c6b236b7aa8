//! The templates of MDP 3.0, one row each: what a message of it holds, and where. What is added to
//! a template by a later version stands at the end of its blocks, so that one row serves all
//! versions. Source: CME's `templates_FixBinary.xml`, versions 5 to 13 of schema 1.

use super::wire::Block;
use market::{Price, Qty};

/// A template.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) id: u16,
    pub(super) name: &'static str,
    pub(super) content: Content,
}

/// What its messages hold.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content {
    /// Nothing that is read.
    Counted,
    ChannelReset,
    Definition(Layout),
    Status,
    /// Entries that each have a security and a `RptSeq`.
    Entries(Entries),
    /// Orders, one entry each.
    Orders(Scale),
    Snapshot(Scale, Snapshot),
    /// A chunk of a book by order.
    OrderSnapshot(Scale),
}

/// What one unit of a mantissa is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// PRICE, PRICENULL: exponent -7.
    Seven,
    /// PRICE9, PRICENULL9: exponent -9.
    Nine,
}

/// Where the fields of a definition stand; those before offset 71 are the same in all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) scale: Scale,
    /// Fields behind the common ones, where they are known.
    pub(super) more: Option<More>,
}

/// Fields of a definition that stand at different places.
#[derive(Clone, Copy, Debug)]
pub(super) struct More {
    pub(super) maturity: usize,
    pub(super) currency: usize,
    pub(super) tick: usize,
    pub(super) display_factor: usize,
    pub(super) unit: usize,
    pub(super) unit_qty: Option<usize>,
    pub(super) strike: Option<usize>,
}

/// Where the fields of an entry stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entries {
    pub(super) what: What,
    pub(super) scale: Scale,
    pub(super) security: usize,
    pub(super) rpt_seq: usize,
    pub(super) size: Field,
}

/// What an entry tells.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// A price level; level, action and type follow each other from here.
    Book { level: usize },
    /// A trade: side of the aggressor, action, and the id with the version that brought it.
    Trade { aggressor: usize, action: usize, id: (usize, u16) },
    /// A figure of the type that stands here.
    Figure { kind: usize },
    /// Volume of the session.
    Volume,
    /// Price limits.
    Limits,
}

/// Where a quantity stands, and how.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field {
    None,
    Int32(usize),
    /// As `Int32`, since version 8.
    Int32Since8(usize),
    Uint64(usize),
}

/// Where the fields of a snapshot's entry stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Snapshot {
    pub(super) size: Field,
    pub(super) level: usize,
    pub(super) kind: usize,
}

impl Content {
    /// True if orders by id may be in it.
    pub(super) fn tells_orders(self) -> bool {
        match self {
            Content::Orders(_) => true,
            Content::Entries(entries) => entries.kind().is_some(),
            _ => false,
        }
    }
}

impl Entries {
    /// Where the type of a level stands, if the entries are levels.
    pub(super) fn kind(self) -> Option<usize> {
        match self.what {
            What::Book { level } => Some(level + 2),
            _ => None,
        }
    }
}

impl Scale {
    /// The price at `at`; `Ok(None)` if it is null or not there.
    ///
    /// # Errors
    /// It is out of range.
    #[inline]
    pub(super) fn price(self, block: &Block<'_>, at: usize) -> Result<Option<Price>, &'static str> {
        let Some(mantissa) = block.i64(at).filter(|&mantissa| mantissa != i64::MAX) else {
            return Ok(None);
        };
        let raw = if self == Scale::Nine { Some(mantissa) } else { mantissa.checked_mul(100) };
        let raw = raw.filter(|&raw| raw != i64::MIN).ok_or("price out of range")?;
        Ok(Some(Price::from_raw(raw)))
    }
}

impl Field {
    /// The quantity; `Ok(None)` if it is null or not there.
    ///
    /// # Errors
    /// It is out of range.
    #[inline]
    pub(super) fn qty(self, block: &Block<'_>, version: u16) -> Result<Option<Qty>, &'static str> {
        let raw = match self {
            Field::None => None,
            Field::Int32Since8(_) if version < 8 => None,
            Field::Int32(at) | Field::Int32Since8(at) => {
                block.i32(at).filter(|&raw| raw != i32::MAX).map(i64::from)
            }
            Field::Uint64(at) => match block.u64(at).filter(|&raw| raw != u64::MAX) {
                Some(raw) => Some(i64::try_from(raw).map_err(|_| "quantity out of range")?),
                None => None,
            },
        };
        Ok(raw.map(Qty::from_raw))
    }
}

const fn row(id: u16, name: &'static str, content: Content) -> Template {
    Template { id, name, content }
}

const fn entries(
    what: What,
    scale: Scale,
    (security, rpt_seq): (usize, usize),
    size: Field,
) -> Content {
    Content::Entries(Entries { what, scale, security, rpt_seq, size })
}

const fn definition(scale: Scale, more: Option<More>) -> Content {
    Content::Definition(Layout { scale, more })
}

const FUTURE: Option<More> = Some(More {
    maturity: 71,
    currency: 76,
    tick: 91,
    display_factor: 99,
    unit: 110,
    unit_qty: Some(140),
    strike: None,
});
const SPREAD: Option<More> = Some(More {
    maturity: 71,
    currency: 76,
    tick: 94,
    display_factor: 102,
    unit: 120,
    unit_qty: None,
    strike: None,
});
const OPTION: Option<More> = Some(More {
    maturity: 72,
    currency: 77,
    tick: 111,
    display_factor: 127,
    unit: 139,
    unit_qty: Some(169),
    strike: Some(80),
});

const BOOK: What = What::Book { level: 24 };
const TRADE: What = What::Trade { aggressor: 24, action: 25, id: (26, 7) };
const DAILY: What = What::Figure { kind: 24 };
const SESSION: What = What::Figure { kind: 18 };
const SNAPSHOT: Snapshot = Snapshot { size: Field::Int32(8), level: 16, kind: 21 };
const LONG_SNAPSHOT: Snapshot = Snapshot { size: Field::Uint64(8), level: 20, kind: 22 };

/// Every template, in order of ids.
#[rustfmt::skip]
pub(super) const TEMPLATES: &[Template] = {
    use Content as C;
    use Field::{Int32, Int32Since8, Uint64};
    use Scale::{Nine, Seven};
    &[
        row(4, "ChannelReset", C::ChannelReset),
        row(12, "AdminHeartbeat", C::Counted),
        row(15, "AdminLogin", C::Counted),
        row(16, "AdminLogout", C::Counted),
        row(27, "MDInstrumentDefinitionFuture", definition(Seven, FUTURE)),
        row(29, "MDInstrumentDefinitionSpread", definition(Seven, SPREAD)),
        row(30, "SecurityStatus", C::Status),
        row(32, "MDIncrementalRefreshBook", entries(BOOK, Seven, (12, 16), Int32(8))),
        row(33, "MDIncrementalRefreshDailyStatistics", entries(DAILY, Seven, (12, 16), Int32(8))),
        row(34, "MDIncrementalRefreshLimitsBanding",
            entries(What::Limits, Seven, (24, 28), Field::None)),
        row(35, "MDIncrementalRefreshSessionStatistics",
            entries(SESSION, Seven, (8, 12), Int32Since8(19))),
        row(36, "MDIncrementalRefreshTrade",
            entries(What::Trade { aggressor: 28, action: 29, id: (24, 2) }, Seven, (12, 16),
                Int32(8))),
        row(37, "MDIncrementalRefreshVolume", entries(What::Volume, Seven, (4, 8), Int32(0))),
        row(38, "SnapshotFullRefresh", C::Snapshot(Seven, SNAPSHOT)),
        row(39, "QuoteRequest", C::Counted),
        row(41, "MDInstrumentDefinitionOption", definition(Seven, OPTION)),
        row(42, "MDIncrementalRefreshTradeSummary", entries(TRADE, Seven, (12, 16), Int32(8))),
        row(43, "MDIncrementalRefreshOrderBook", C::Orders(Seven)),
        row(44, "SnapshotFullRefreshOrderBook", C::OrderSnapshot(Seven)),
        row(46, "MDIncrementalRefreshBook", entries(BOOK, Nine, (12, 16), Int32(8))),
        row(47, "MDIncrementalRefreshOrderBook", C::Orders(Nine)),
        row(48, "MDIncrementalRefreshTradeSummary", entries(TRADE, Nine, (12, 16), Int32(8))),
        row(49, "MDIncrementalRefreshDailyStatistics", entries(DAILY, Nine, (12, 16), Int32(8))),
        row(50, "MDIncrementalRefreshLimitsBanding",
            entries(What::Limits, Nine, (24, 28), Field::None)),
        row(51, "MDIncrementalRefreshSessionStatistics",
            entries(SESSION, Nine, (8, 12), Int32Since8(19))),
        row(52, "SnapshotFullRefresh", C::Snapshot(Nine, SNAPSHOT)),
        row(53, "SnapshotFullRefreshOrderBook", C::OrderSnapshot(Nine)),
        row(54, "MDInstrumentDefinitionFuture", definition(Nine, FUTURE)),
        row(55, "MDInstrumentDefinitionOption", definition(Nine, OPTION)),
        row(56, "MDInstrumentDefinitionSpread", definition(Nine, SPREAD)),
        row(57, "MDInstrumentDefinitionFixedIncome", definition(Nine, None)),
        row(58, "MDInstrumentDefinitionRepo", definition(Nine, None)),
        row(59, "SnapshotRefreshTopOrders", C::Counted),
        row(60, "SecurityStatusWorkup", C::Counted),
        row(61, "SnapshotFullRefreshTCP", C::Counted),
        row(62, "CollateralMarketValue", C::Counted),
        row(63, "MDInstrumentDefinitionFX", definition(Nine, None)),
        row(64, "MDIncrementalRefreshBookLongQty",
            entries(What::Book { level: 28 }, Nine, (16, 20), Uint64(8))),
        row(65, "MDIncrementalRefreshTradeSummaryLongQty",
            entries(What::Trade { aggressor: 32, action: 33, id: (28, 13) }, Nine, (16, 20),
                Uint64(8))),
        row(66, "MDIncrementalRefreshVolumeLongQty",
            entries(What::Volume, Nine, (8, 12), Uint64(0))),
        row(67, "MDIncrementalRefreshSessionStatisticsLongQty",
            entries(What::Figure { kind: 26 }, Nine, (16, 20), Uint64(8))),
        row(68, "SnapshotFullRefreshTCPLongQty", C::Counted),
        row(69, "SnapshotFullRefreshLongQty", C::Snapshot(Nine, LONG_SNAPSHOT)),
    ]
};

/// The row of a template.
#[inline]
pub(super) fn find(id: u16) -> Option<usize> {
    TEMPLATES.binary_search_by_key(&id, |template| template.id).ok()
}
