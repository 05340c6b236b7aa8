//! What books are made for, and what applying one event to them came to. Never holds a book.

use crate::{InstrumentId, Trade};

/// How large the books of one feed may grow. All memory is taken, and touched, at construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookLimits {
    /// Instruments, ids 0 to this number less one.
    pub instruments: usize,
    /// Live orders of all instruments together; by-level books keep none, and are what
    /// [`Books::new`](super::Books::new) makes of zero.
    pub orders: usize,
    /// Price levels on one side of one instrument; more than 65,536 count as that many.
    pub levels: usize,
}

impl BookLimits {
    /// Most instruments that growing books admit.
    pub const INSTRUMENTS_MAX: usize = 1 << 17;
}

/// What applying one event came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Whose book, state or update time may have changed.
    pub touched: Touched,
    /// The trade that the event told of, with the side and price of the resting order.
    pub trade: Option<Trade>,
    /// What was wrong with the event. Already counted, and the instrument already Suspect.
    pub contradiction: Option<Contradiction>,
}

/// The instruments an event concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Touched {
    /// None of these books.
    #[default]
    None,
    /// One.
    One(InstrumentId),
    /// Possibly every one.
    All,
}

/// Why an event cannot be true of the book as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Contradiction {
    /// An instrument beyond the limits; the event is ignored and no book is Suspect.
    UnknownInstrument,
    /// The kind is no kind, or does not belong to books of this type.
    WrongKind,
    /// The event must name a side and does not, or a replace names the other side.
    WrongSide,
    /// A price that has no negative; for an execution, one that is not positive.
    WrongPrice,
    /// A quantity that is not positive (negative, for a level).
    WrongQty,
    /// `aux` is no trading status.
    WrongStatus,
    /// An order id that is already in the book.
    DuplicateOrder,
    /// An order id that is not in the instrument's book.
    UnknownOrder,
    /// More executed or taken off than was open.
    TooMuch,
    /// Half of a replace without its other half.
    TornReplace,
    /// The order table is full; the order is not in the book.
    OrdersFull,
    /// A side has no room for another level; the order or level is not in the book.
    LevelsFull,
    /// A level's total passes the range of quantities; the order is not in the book.
    Overflow,
}

impl Contradiction {
    /// Every reason.
    pub const ALL: [Contradiction; 13] = [
        Contradiction::UnknownInstrument,
        Contradiction::WrongKind,
        Contradiction::WrongSide,
        Contradiction::WrongPrice,
        Contradiction::WrongQty,
        Contradiction::WrongStatus,
        Contradiction::DuplicateOrder,
        Contradiction::UnknownOrder,
        Contradiction::TooMuch,
        Contradiction::TornReplace,
        Contradiction::OrdersFull,
        Contradiction::LevelsFull,
        Contradiction::Overflow,
    ];

    /// The reason in words, saying what to change where that would help.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Contradiction::UnknownInstrument => "instrument beyond the table",
            Contradiction::WrongKind => "kind of event does not belong to this type of book",
            Contradiction::WrongSide => "side missing or contradicted",
            Contradiction::WrongPrice => "price that cannot be",
            Contradiction::WrongQty => "quantity not positive",
            Contradiction::WrongStatus => "unknown trading status",
            Contradiction::DuplicateOrder => "order id already in the book",
            Contradiction::UnknownOrder => "order id not in the book",
            Contradiction::TooMuch => "more executed or canceled than open",
            Contradiction::TornReplace => "half a replace",
            Contradiction::OrdersFull => "order table full: raise the limit of live orders",
            Contradiction::LevelsFull => "side full: raise the limit of levels",
            Contradiction::Overflow => "level total out of range",
        }
    }
}

impl std::fmt::Display for Contradiction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text())
    }
}

/// Contradictions met, counted by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contradictions([u64; Contradiction::ALL.len()]);

impl Contradictions {
    /// How often `reason` was met.
    #[must_use]
    pub const fn of(&self, reason: Contradiction) -> u64 {
        self.0[reason as usize]
    }

    /// All together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Every reason with its count.
    pub fn iter(&self) -> impl Iterator<Item = (Contradiction, u64)> + '_ {
        Contradiction::ALL.into_iter().zip(self.0)
    }

    pub(crate) fn count(&mut self, reason: Contradiction) {
        self.0[reason as usize] += 1;
    }
}

/// A book that does not hold together: found by an audit, and always a bug of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsound {
    /// Whose book.
    pub instrument: InstrumentId,
    /// What does not hold.
    pub what: &'static str,
}

impl std::fmt::Display for Unsound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the book of instrument {} is unsound: {}", self.instrument.0, self.what)
    }
}

impl std::error::Error for Unsound {}
