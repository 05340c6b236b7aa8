//! Side of an order, and of the book it rests on.

/// Buy orders rest on the bid, sell orders on the ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Side {
    /// Bid.
    Buy = 1,
    /// Ask.
    Sell = 2,
}

impl Side {
    /// Both, bid first.
    pub const BOTH: [Side; 2] = [Side::Buy, Side::Sell];

    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Side {
        match self {
            Side::Buy => Side::Sell,
            Side::Sell => Side::Buy,
        }
    }

    /// +1 for a buy, −1 for a sell: what one unit bought or sold adds to a position.
    #[must_use]
    pub const fn sign(self) -> i64 {
        match self {
            Side::Buy => 1,
            Side::Sell => -1,
        }
    }

    /// 0 for the bid, 1 for the ask: index into per-side tables.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize - 1
    }

    /// The side of a stored byte; `None` for anything but 1 and 2.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Side> {
        match byte {
            1 => Some(Side::Buy),
            2 => Some(Side::Sell),
            _ => None,
        }
    }

    /// True if `price` is strictly nearer to the market than `other` on this side: higher for a
    /// bid, lower for an ask.
    #[must_use]
    pub fn is_better(self, price: crate::Price, other: crate::Price) -> bool {
        match self {
            Side::Buy => price > other,
            Side::Sell => price < other,
        }
    }

    /// True if an order of this side at `price` trades with a resting order at `resting`.
    #[must_use]
    pub fn crosses(self, price: crate::Price, resting: crate::Price) -> bool {
        match self {
            Side::Buy => price >= resting,
            Side::Sell => price <= resting,
        }
    }
}
