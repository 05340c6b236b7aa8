//! Definitions of securities and what may be said of one beside its book, as side entries.

use super::templates::Layout;
use super::wire::{Block, Group, Size};
use market::{Definition, Timestamp, TradingStatus};

/// What a definition says.
pub(super) struct Defined {
    pub(super) security: i32,
    /// Group and product code.
    pub(super) group: (String, String),
    /// Levels of the real book.
    pub(super) depth: Option<usize>,
    pub(super) definition: Definition,
}

/// `EventType`: last eligible trade date.
const LAST_TRADE: u8 = 7;
/// Most levels that are believed of a book.
const DEPTH_MAX: i8 = 100;

/// Reads a definition.
///
/// # Errors
/// Why it is none.
pub(super) fn read(
    layout: Layout,
    root: &Block<'_>,
    mut rest: &[u8],
) -> Result<Defined, &'static str> {
    let security = root.i32(55).ok_or("definition shorter than its fields")?;
    let symbol = root.text(35, 20);
    if symbol.is_empty() {
        return Err("definition without a symbol");
    }
    let action = root.u8(5).filter(|&action| action.is_ascii_uppercase());
    let mut definition = Definition {
        symbol,
        venue_id: u64::from(u32::from_le_bytes(security.to_le_bytes())),
        ..Definition::default()
    };
    let group = (root.text(23, 6), root.text(29, 6));
    let mut details = vec![
        ("SecurityUpdateAction", action.map(char::from).map(String::from).unwrap_or_default()),
        ("SecurityExchange", root.text(19, 4)),
        ("SecurityGroup", group.0.clone()),
        ("Asset", group.1.clone()),
        ("SecurityType", root.text(59, 6)),
        ("CFICode", root.text(65, 6)),
    ];
    let mut depth = None;
    if let Some(more) = layout.more {
        let scale = layout.scale;
        let digits = |at| scale.price(root, at);
        definition.tick = digits(more.tick)?.filter(|tick| tick.raw() > 0);
        definition.currency = root.text(more.currency, 3);
        if let Some(at) = more.unit_qty {
            definition.multiplier = digits(at)?.map(market::Price::raw);
        }
        let number = |at| Ok::<_, &str>(digits(at)?.map(|price| price.to_string()));
        details.push(("MaturityMonthYear", maturity(root, more.maturity)));
        details.push(("DisplayFactor", number(more.display_factor)?.unwrap_or_default()));
        details.push(("UnitOfMeasure", root.text(more.unit, 30)));
        if let Some(at) = more.strike {
            details.push(("StrikePrice", number(at)?.unwrap_or_default()));
        }
        let events = Group::take(&mut rest, Size::Short)?;
        let last = events.entries().find(|event| event.u8(0) == Some(LAST_TRADE));
        definition.expiry = last.and_then(|event| event.u64(1)).map(Timestamp::from_nanos);
        for feed in Group::take(&mut rest, Size::Short)?.entries() {
            let levels = feed.u8(3).map(|byte| i8::from_le_bytes([byte]));
            if feed.text(0, 3) == "GBX"
                && let Some(levels) = levels.filter(|levels| (1..=DEPTH_MAX).contains(levels))
            {
                details.push(("MarketDepth", levels.to_string()));
                depth = usize::try_from(levels).ok();
            }
        }
    }
    details.retain(|(_, text)| !text.is_empty());
    definition.details = details;
    Ok(Defined { security, group, depth, definition })
}

/// Year, month, day and week, as far as they are said.
fn maturity(root: &Block<'_>, at: usize) -> String {
    let Some(year) = root.u16(at).filter(|&year| year != u16::MAX) else { return String::new() };
    let part = |at| root.u8(at).filter(|&part| part != u8::MAX);
    let month = part(at + 2).map(|month| format!("{month:02}")).unwrap_or_default();
    let day = part(at + 3).map(|day| format!("{day:02}")).unwrap_or_default();
    let week = part(at + 4).map(|week| format!("w{week}")).unwrap_or_default();
    format!("{year}{month}{day}{week}")
}

/// `SecurityTradingStatus` (326); `None` if it changes nothing or says nothing.
pub(super) fn status(code: u8) -> Option<TradingStatus> {
    Some(match code {
        2 => TradingStatus::Halted,
        4 | 18 | 26 => TradingStatus::Closed,
        15 | 21 | 24 | 25 => TradingStatus::Auction,
        17 | 201 | 202 => TradingStatus::Trading,
        20 => TradingStatus::Unknown,
        _ => return None,
    })
}

/// A status in the specification's words, with `HaltReason` (327) and `SecurityTradingEvent`
/// (1174).
pub(super) fn reason(code: u8, halt: Option<u8>, event: Option<u8>) -> String {
    let status = match code {
        2 => "Trading Halt",
        4 => "Close",
        15 => "New Price Indication",
        17 => "Ready To Trade",
        18 => "Not Available For Trading",
        20 => "Unknown or Invalid",
        21 => "Pre Open",
        24 => "Pre Cross",
        25 => "Cross",
        26 => "Post Close",
        201 => "Private Workup",
        202 => "Public Workup",
        _ => "Unknown",
    };
    let halt = match halt {
        Some(0) => ", Group Schedule",
        Some(1) => ", Surveillance Intervention",
        Some(2) => ", Market Event",
        Some(3) => ", Instrument Activation",
        Some(4) => ", Instrument Expiration",
        Some(6) => ", Recovery In Process",
        Some(7) => ", Trade Date Roll",
        _ => "",
    };
    let event = match event {
        Some(1) => ", No Cancel",
        Some(4) => ", Reset Statistics",
        Some(5) => ", Implied Matching ON",
        Some(6) => ", Implied Matching OFF",
        Some(7) => ", End of Workup",
        _ => "",
    };
    format!("{status}{halt}{event}")
}

/// `MDEntryType` (269) of a figure, in the specification's words.
pub(super) fn figure(kind: u8) -> Option<&'static str> {
    Some(match kind {
        b'4' => "OpenPrice",
        b'6' => "SettlementPrice",
        b'7' => "TradingSessionHighPrice",
        b'8' => "TradingSessionLowPrice",
        b'9' => "VWAP",
        b'B' => "ClearedVolume",
        b'C' => "OpenInterest",
        b'N' => "SessionHighBid",
        b'O' => "SessionLowOffer",
        b'W' => "FixingPrice",
        b'e' => "ElectronicVolume",
        _ => return None,
    })
}
