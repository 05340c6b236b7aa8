//! How far an instrument was heard: its last number, and whether its book is whole.
//!
//! It must never let a book count as whole of which a part was not read.

/// Whether the book of an instrument may be updated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// No snapshot yet, or one that has begun.
    #[default]
    Waiting,
    /// Every change since the snapshot was read.
    Whole,
    /// Numbers were left out since.
    Gap,
    /// A change was not understood.
    Lost,
}

/// A snapshot that comes in fragments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fragments {
    /// None is under way.
    #[default]
    None,
    /// All up to now were read.
    Read,
    /// One was not: the rest of them make no book.
    Torn,
}

/// What a number (RptSeq, 83) says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// The next, or the first.
    Next,
    /// Known already, from the snapshot.
    Old,
    /// So many are missing from this one on.
    Gap {
        /// The first that is missing.
        first: u64,
        /// How many are.
        missing: u64,
    },
}

/// One instrument.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heard {
    pub(super) state: State,
    fragments: Fragments,
    number: Option<u64>,
    /// The message in which `number` came.
    message: u64,
}

impl Heard {
    /// The last number, for marks.
    pub(super) fn number(&self) -> u64 {
        self.number.unwrap_or(0)
    }

    /// Takes the number of an entry. Entries of one message may share theirs.
    pub(super) fn take(&mut self, number: u64, message: u64) -> Number {
        let last = self.number;
        let shared = last == Some(number) && self.message == message;
        let judged = match last {
            Some(last) if number <= last && !shared => return Number::Old,
            Some(last) if number - last > 1 => {
                Number::Gap { first: last + 1, missing: number - last - 1 }
            }
            _ => Number::Next,
        };
        (self.number, self.message) = (Some(number), message);
        judged
    }

    /// A fragment of a snapshot comes, the only one or the last of them if `last`. True if it is to
    /// be read; false if one before it was not.
    pub(super) fn fragment(&mut self, last: bool) -> bool {
        let readable = self.fragments != Fragments::Torn;
        if last && !readable {
            self.fragments = Fragments::None;
        }
        readable
    }

    /// True if a snapshot is under way, so that this is not its first fragment.
    pub(super) fn goes_on(&self) -> bool {
        self.fragments == Fragments::Read
    }

    /// The fragment was read.
    pub(super) fn read(&mut self, number: Option<u64>, message: u64, last: bool) {
        (self.number, self.message) = (number, message);
        match last {
            true => (self.state, self.fragments) = (State::Whole, Fragments::None),
            false => (self.state, self.fragments) = (State::Waiting, Fragments::Read),
        }
    }

    /// The fragment was not read: what follows of its snapshot is passed over.
    pub(super) fn tear(&mut self, last: bool) {
        self.fragments = if last { Fragments::None } else { Fragments::Torn };
    }

    /// Messages that may have been of it were left out. True if that is news.
    pub(super) fn miss(&mut self) -> bool {
        if self.fragments == Fragments::Read {
            self.fragments = Fragments::Torn;
        }
        let whole = self.state == State::Whole;
        if whole {
            self.state = State::Gap;
        }
        whole
    }

    /// Something was not understood. True if that is news.
    pub(super) fn lose(&mut self) -> bool {
        if self.fragments == Fragments::Read {
            self.fragments = Fragments::Torn;
        }
        std::mem::replace(&mut self.state, State::Lost) != State::Lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_apart() {
        let mut heard = Heard::default();
        assert_eq!(heard.take(7, 1), Number::Next, "the first is whatever it is");
        assert_eq!(heard.take(7, 1), Number::Next, "another entry of the same report");
        assert_eq!(heard.take(7, 2), Number::Old);
        assert_eq!(heard.take(8, 2), Number::Next);
        assert_eq!(heard.take(12, 3), Number::Gap { first: 9, missing: 3 });
        assert_eq!(heard.take(11, 3), Number::Old);
        assert_eq!(heard.take(u64::MAX, 4), Number::Gap { first: 13, missing: u64::MAX - 13 });
        assert_eq!(heard.take(u64::MAX, 5), Number::Old);
    }

    #[test]
    fn no_part_of_a_torn_snapshot_makes_a_book() {
        let mut heard = Heard::default();
        assert!(heard.fragment(false));
        heard.read(None, 1, false);
        assert!(heard.goes_on());
        assert!(heard.lose());
        assert!(!heard.fragment(false) && !heard.fragment(true), "up to the last of it");
        assert!(heard.fragment(true), "and the next is another");
        heard.read(None, 2, true);
        assert_eq!(heard.state, State::Whole);
        assert!(heard.miss() && !heard.miss(), "told once");
        heard.read(None, 3, false);
        assert!(!heard.miss(), "there is no book yet");
        assert!(!heard.fragment(true), "and this is not the end of a whole one");
    }
}
