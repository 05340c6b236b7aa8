//! What ITCH 5.0 says that is no event: R is a definition, H and h are reasons of a status, I is an
//! imbalance.

use super::{Message, PRICE_MAX, PRICE_UNIT};
use crate::recording::Known;
use market::{
    Definition, Imbalance, Price, Qty, Said, Side, SideEntry, StatusReason, Timestamp,
    TradingStatus,
};

/// True of a message that may lead to an entry: spares the others a second parse.
pub(crate) fn speaks(message: &[u8]) -> bool {
    matches!(message.first(), Some(b'R' | b'H' | b'h' | b'I'))
}

/// The entry of a message about `known`, if it leads to one.
pub(crate) fn entry(message: &Message, known: &Known, time: Timestamp) -> Option<SideEntry> {
    let shares = |count: u64| {
        let share = 10i64.checked_pow(known.qty_digits)?;
        i64::try_from(count).ok()?.checked_mul(share).map(Qty::from_raw)
    };
    let price = |price: u32| {
        (1..=PRICE_MAX).contains(&price).then(|| Price::from_raw(i64::from(price) * PRICE_UNIT))
    };
    let said = match message {
        Message::StockDirectory(m) => Said::Definition(Box::new(Definition {
            symbol: known.symbol.clone(),
            venue_id: m.header.locate.into(),
            lot: shares(m.round_lot_size.into()),
            qty_digits: known.qty_digits,
            currency: "USD".to_owned(),
            details: vec![
                ("Market Category", code(&[m.market_category])),
                ("Financial Status Indicator", code(&[m.financial_status])),
                ("Issue Classification", code(&[m.issue_classification])),
                ("Issue Sub-Type", code(&m.issue_sub_type)),
                ("Authenticity", code(&[m.authenticity])),
                ("LULD Reference Price Tier", code(&[m.luld_tier])),
                ("ETP Flag", code(&[m.etp_flag])),
            ],
            ..Definition::default()
        })),
        Message::TradingAction(m) => Said::Status(StatusReason {
            status: match m.trading_state {
                b'T' => TradingStatus::Trading,
                b'Q' => TradingStatus::Auction,
                _ => TradingStatus::Halted,
            },
            reason: code(&m.reason),
        }),
        Message::OperationalHalt(m) => Said::Status(StatusReason {
            status: match m.action {
                b'T' => TradingStatus::Trading,
                _ => TradingStatus::Halted,
            },
            reason: format!("operational halt of market {}", code(&[m.market_code])),
        }),
        Message::Imbalance(m) => Said::Imbalance(Box::new(Imbalance {
            side: match m.direction {
                b'B' => Some(Side::Buy),
                b'S' => Some(Side::Sell),
                _ => None,
            },
            paired: shares(m.paired)?,
            unpaired: shares(m.imbalance)?,
            reference: price(m.reference),
            near: price(m.near),
            far: price(m.far),
            auction: code(&[m.cross_type]),
        })),
        _ => return None,
    };
    Some(SideEntry { instrument: known.id, exchange_time: time, said })
}

/// A code as text.
fn code(bytes: &[u8]) -> String {
    bytes.trim_ascii().escape_ascii().to_string()
}
