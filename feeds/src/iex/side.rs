//! What IEX says that no event can hold, as side entries.

use super::wire::Message;
use market::{
    Definition, Imbalance, Price, Qty, Said, Side, Statistic, StatusReason, TradingStatus,
};

/// What a message says beside its events, of a symbol whose quantities are scaled by `shares`.
///
/// # Errors
/// A field is out of range.
pub(super) fn said(
    message: &Message<'_>,
    symbol: &str,
    qty_digits: u32,
    shares: impl Fn(u32) -> Result<Qty, &'static str>,
) -> Result<Option<Said>, &'static str> {
    let price = |at| message.price(at);
    let some = |at| price(at).map(|price| Some(price).filter(|price| price.raw() > 0));
    let statistic =
        |name, price: Price, qty| Said::Statistic(Statistic { name, price: Some(price), qty });
    Ok(Some(match message.u8(0) {
        b'D' => Said::Definition(Box::new(Definition {
            symbol: symbol.to_owned(),
            lot: Some(shares(message.u32(18))?),
            qty_digits,
            currency: "USD".to_owned(),
            details: vec![
                ("Test Security", yes(message.flags() & 0x80 != 0)),
                ("When Issued", yes(message.flags() & 0x40 != 0)),
                ("ETP", yes(message.flags() & 0x20 != 0)),
                ("Adjusted POC Price", price(22)?.to_string()),
                ("LULD Tier", message.u8(30).to_string()),
            ],
            ..Definition::default()
        })),
        b'H' => Said::Status(StatusReason {
            status: trading_status(message.flags()),
            reason: code(message.0.get(18..22).unwrap_or_default()),
        }),
        b'O' => Said::Status(StatusReason {
            status: if message.flags() == b'O' {
                TradingStatus::Halted
            } else {
                TradingStatus::Trading
            },
            reason: format!("operational halt status {}", code(&[message.flags()])),
        }),
        b'X' => {
            let name = match message.flags() {
                b'Q' => "Official Opening Price",
                b'M' => "Official Closing Price",
                _ => "Official Price",
            };
            statistic(name, price(18)?, None)
        }
        b'B' => statistic("Trade Break", price(22)?, Some(shares(message.u32(18))?)),
        b'A' => Said::Imbalance(Box::new(Imbalance {
            side: match message.u8(42) {
                b'B' => Some(Side::Buy),
                b'S' => Some(Side::Sell),
                _ => None,
            },
            paired: shares(message.u32(18))?,
            unpaired: shares(message.u32(38))?,
            reference: some(22)?,
            near: some(30)?,
            far: some(48)?,
            auction: code(&[message.flags()]),
        })),
        _ => return Ok(None),
    }))
}

/// The status of a trading status message.
pub(super) fn trading_status(code: u8) -> TradingStatus {
    match code {
        b'T' => TradingStatus::Trading,
        b'O' | b'P' => TradingStatus::Auction,
        _ => TradingStatus::Halted,
    }
}

fn yes(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

/// A code as text.
fn code(bytes: &[u8]) -> String {
    bytes.trim_ascii().escape_ascii().to_string()
}
