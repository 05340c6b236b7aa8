//! One level of a book as crypto venues write it: price and quantity, as texts; and their times.

use crate::digits::{decimal, halves};
use market::{Price, Qty, Side, Timestamp};

/// A price or quantity is no plain decimal number, or does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANumber;

/// Price and quantity of a level. `None` for an ask so high that no [`Price`] can be it: such asks
/// stand in real books, and leaving one out changes nothing that could be traded on.
///
/// # Errors
/// [`NotANumber`], and for a price of zero.
pub fn level(
    side: Side,
    price: &str,
    qty: &str,
    qty_digits: u32,
) -> Result<Option<(Price, Qty)>, NotANumber> {
    let qty = decimal(qty.as_bytes(), qty_digits).map(Qty::from_raw).ok_or(NotANumber)?;
    if let Some(price) = price_of(price) {
        return Ok(Some((price, qty)));
    }
    let beyond = halves(price.as_bytes(), Price::DIGITS).is_some_and(|halves| halves > (0, 0));
    if side == Side::Sell && beyond { Ok(None) } else { Err(NotANumber) }
}

/// A price that is more than nothing.
#[must_use]
pub fn price_of(text: &str) -> Option<Price> {
    decimal(text.as_bytes(), Price::DIGITS).filter(|&raw| raw > 0).map(Price::from_raw)
}

/// A time as RFC 3339 has it.
#[must_use]
pub fn time(text: &str) -> Option<Timestamp> {
    let time = text.parse::<jiff::Timestamp>().ok()?;
    Some(Timestamp::from_nanos(u64::try_from(time.as_nanosecond()).ok()?))
}
