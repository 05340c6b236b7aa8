//! Order books: what strategies and risk see of one, and the states that say whether to trust it.

pub mod applied;
pub mod by_level;
pub mod by_order;
mod digest;
mod health;
pub mod kept;
mod ladder;
mod shelf;
pub mod single;
pub mod twin;

#[cfg(test)]
mod tests;

pub use applied::{Applied, BookLimits, Contradiction, Contradictions, Touched, Unsound};
pub use by_level::LevelBooks;
pub use by_order::OrderBooks;
pub use kept::Books;
pub use single::Book;

use crate::{InstrumentId, Price, Qty, Side, Timestamp};

/// May the book be quoted on, and if not, why. The states are ordered by weight: the heaviest
/// reason wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum BookState {
    /// In sequence, bid below ask (or a side empty).
    Live = 0,
    /// Bid at ask, in sequence.
    Locked = 1,
    /// Bid above ask, in sequence.
    Crossed = 2,
    /// Nothing came for longer than allowed.
    Stale = 3,
    /// The venue prepares an auction.
    Auction = 4,
    /// The venue halted or closed the instrument.
    Halted = 5,
    /// Nothing is known yet: no message, or a new session.
    Recovering = 6,
    /// Messages are missing.
    Gap = 7,
    /// A message contradicted the book; untrusted until rebuilt.
    Suspect = 8,
}

impl BookState {
    /// Every state.
    pub const ALL: [BookState; 9] = [
        BookState::Live,
        BookState::Locked,
        BookState::Crossed,
        BookState::Stale,
        BookState::Auction,
        BookState::Halted,
        BookState::Recovering,
        BookState::Gap,
        BookState::Suspect,
    ];

    /// True only for a book that quotes may be computed from.
    #[must_use]
    pub const fn may_quote(self) -> bool {
        matches!(self, BookState::Live)
    }
}

/// One price level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// Its price.
    pub price: Price,
    /// Total displayed quantity.
    pub qty: Qty,
    /// Orders at it; zero where the feed does not tell.
    pub orders: u32,
}

/// A trade as the book understood it: with the side and price that the event may have lacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Which instrument.
    pub instrument: InstrumentId,
    /// Side of the resting order, if displayed.
    pub resting: Option<Side>,
    /// Price traded at.
    pub price: Price,
    /// Quantity traded.
    pub qty: Qty,
    /// Time by the venue's clock.
    pub exchange_time: Timestamp,
}

/// What anyone may read of one instrument's book. Reading allocates nothing.
pub trait BookView {
    /// Whether it may be trusted.
    fn state(&self) -> BookState;

    /// The level `depth` places behind the best, 0 being the best.
    fn level(&self, side: Side, depth: usize) -> Option<Level>;

    /// Levels on a side.
    fn depth(&self, side: Side) -> usize;

    /// Venue time of the last event applied.
    fn updated(&self) -> Timestamp;

    /// The best level, in O(1).
    fn best(&self, side: Side) -> Option<Level> {
        self.level(side, 0)
    }

    /// The price of the best level.
    fn best_price(&self, side: Side) -> Option<Price> {
        self.best(side).map(|level| level.price)
    }

    /// Half of best bid plus best ask, rounded down to 1e-9; `None` when a side is empty.
    fn mid(&self) -> Option<Price> {
        let bid = i128::from(self.best_price(Side::Buy)?.raw());
        let ask = i128::from(self.best_price(Side::Sell)?.raw());
        i64::try_from((bid + ask) >> 1).ok().map(Price::from_raw)
    }
}
