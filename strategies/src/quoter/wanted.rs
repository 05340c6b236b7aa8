//! The wanted quotes of one instrument, checked and sorted.
//!
//! A `Wanted` is always valid: on tick, on lot, best first, and uncrossed, so the quoter never has
//! to doubt it.

use super::MAX_LEVELS;
use crate::Quote;
use market::{Instrument, Price, Side, StateHasher};

/// What makes a wanted state unusable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadQuote {
    /// More than [`MAX_LEVELS`] levels on a side.
    TooManyLevels(Side),
    /// This price is off tick or out of bounds.
    Price(Side, Price),
    /// The quantity at this price is off lot or out of bounds.
    Qty(Side, Price),
    /// The best bid is at or above the best ask.
    Crossed,
}

impl std::fmt::Display for BadQuote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BadQuote::TooManyLevels(side) => {
                write!(f, "more than {MAX_LEVELS} {side:?} levels: quote fewer")
            }
            BadQuote::Price(side, price) => write!(
                f,
                "{side:?} price {price} is off tick or out of bounds: round with `quote_at`"
            ),
            BadQuote::Qty(side, price) => {
                write!(f, "{side:?} quantity at {price} is off lot or out of bounds")
            }
            BadQuote::Crossed => f.write_str("the best bid is at or above the best ask"),
        }
    }
}

impl std::error::Error for BadQuote {}

/// Wanted quotes of one instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    levels: [[Quote; MAX_LEVELS]; 2],
    len: [u8; 2],
}

impl Wanted {
    /// These quotes, in any order.
    ///
    /// # Errors
    /// [`BadQuote`], the first found.
    pub fn new(
        instrument: &Instrument,
        bids: &[Quote],
        asks: &[Quote],
    ) -> Result<Wanted, BadQuote> {
        let mut wanted = Wanted::default();
        for (side, quotes) in [(Side::Buy, bids), (Side::Sell, asks)] {
            if quotes.len() > MAX_LEVELS {
                return Err(BadQuote::TooManyLevels(side));
            }
            for quote in quotes {
                if !instrument.is_valid_price(quote.price) {
                    return Err(BadQuote::Price(side, quote.price));
                }
                if !quote.qty.is_positive() || !instrument.is_valid_qty(quote.qty) {
                    return Err(BadQuote::Qty(side, quote.price));
                }
                wanted.insert(side, *quote);
            }
        }
        let best = Side::BOTH.map(|side| wanted.side(side).first().map(|quote| quote.price));
        match best {
            [Some(bid), Some(ask)] if bid >= ask => Err(BadQuote::Crossed),
            _ => Ok(wanted),
        }
    }

    fn insert(&mut self, side: Side, quote: Quote) {
        let levels = &mut self.levels[side.index()];
        let mut at = usize::from(self.len[side.index()]);
        while at > 0 && side.is_better(quote.price, levels[at - 1].price) {
            levels[at] = levels[at - 1];
            at -= 1;
        }
        levels[at] = quote;
        self.len[side.index()] += 1;
    }

    /// The quotes of a side, best first.
    #[must_use]
    pub fn side(&self, side: Side) -> &[Quote] {
        &self.levels[side.index()][..usize::from(self.len[side.index()])]
    }

    /// True if these quotes, best first, are what is wanted.
    #[must_use]
    pub fn is(&self, bids: &[Quote], asks: &[Quote]) -> bool {
        self.side(Side::Buy) == bids && self.side(Side::Sell) == asks
    }

    /// True if nothing is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == [0, 0]
    }

    /// Adds everything to `hasher`.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        for side in Side::BOTH {
            hasher.word(self.side(side).len() as u64);
            for quote in self.side(side) {
                hasher.word(quote.price.raw().cast_unsigned());
                hasher.word(quote.qty.raw().cast_unsigned());
            }
        }
    }
}
