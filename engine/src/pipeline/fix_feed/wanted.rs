//! What is to be asked for next: of each instrument its definition, where that is wanted, its book,
//! and its trades; again where an answer does not come or a book is not whole any more.
//!
//! A state machine without session or clock. It must never ask more often than the venue allows, and
//! never for an instrument whose definition does not fit.

use market::{Nanos, Timestamp};

/// Before an instrument that was lost again is asked for again.
const AGAIN: Nanos = Nanos::SECOND;
/// Before a request that was refused is made again.
const REFUSED: Nanos = Nanos::from_secs(60);

/// How a venue is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Each instrument's definition first.
    pub definitions: bool,
    /// Trades by a request of their own.
    pub trades_apart: bool,
    /// Shortest time between two requests.
    pub every: Nanos,
    /// How long an answer may take.
    pub answer_within: Nanos,
}

/// A request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// The instrument's definition.
    Definition,
    /// The end of a subscription.
    End,
    /// Its book, and what changes.
    Book,
    /// Its trades.
    Trades,
}

/// The request to make, of the instrument at `place`, under `id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) place: usize,
    pub(super) ask: Ask,
    pub(super) id: u64,
}

/// One request that was made: its id, and the number of its message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Made {
    id: u64,
    seq: u64,
}

impl Made {
    fn is(self, id: Option<u64>, seq: Option<u64>) -> bool {
        self.id != 0 && (id == Some(self.id) || seq == Some(self.seq))
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Line {
    /// Its definition does not fit: nothing is asked any more.
    barred: bool,
    defined: bool,
    definition: Made,
    book: Made,
    /// The book's request is in force, and another needs its end.
    subscribed: bool,
    trades: Made,
    /// The book was last asked for.
    asked: Timestamp,
    due: Timestamp,
}

/// The wishes of one session.
#[derive(Debug)]
pub(super) struct Wanted {
    manner: Manner,
    lines: Box<[Line]>,
    /// The session is up.
    up: bool,
    last_id: u64,
    /// Where the search goes on, and when.
    place: usize,
    due: Timestamp,
}

impl Wanted {
    pub(super) fn new(instruments: usize, manner: Manner) -> Wanted {
        let lines = vec![Line::default(); instruments].into_boxed_slice();
        Wanted { manner, lines, up: false, last_id: 0, place: 0, due: Timestamp::ZERO }
    }

    /// A session has begun, in which nothing was asked for.
    pub(super) fn begin(&mut self) {
        self.lines.fill(Line::default());
        self.up = true;
    }

    /// The session is over.
    pub(super) fn end(&mut self) {
        self.up = false;
    }

    /// The next request, if one is due; to be called until the session has taken it. `is_whole` says
    /// of which instruments the book is.
    pub(super) fn next(
        &mut self,
        now: Timestamp,
        is_whole: impl Fn(usize) -> bool,
    ) -> Option<Next> {
        if !self.up || now < self.due {
            return None;
        }
        let count = self.lines.len();
        for step in 0..count {
            let place = (self.place + step) % count;
            let line = &mut self.lines[place];
            let ask = if is_whole(place) {
                // From now on it is lost only by what comes.
                line.due = line.due.min(line.asked.after(AGAIN));
                let trades = self.manner.trades_apart && line.trades.id == 0;
                trades.then_some(Ask::Trades)
            } else if line.barred || now < line.due {
                None
            } else if self.manner.definitions && !line.defined {
                Some(Ask::Definition)
            } else if line.subscribed {
                Some(Ask::End)
            } else {
                Some(Ask::Book)
            };
            if let Some(ask) = ask {
                self.place = place;
                let id = if ask == Ask::End { line.book.id } else { self.last_id + 1 };
                return Some(Next { place, ask, id });
            }
        }
        // Nothing is wanted; a look at each turn would cost as much as there are instruments.
        self.due = now.after(self.manner.every);
        None
    }

    /// The request was sent, as the message of this number.
    pub(super) fn asked(&mut self, now: Timestamp, next: Next, seq: u64) {
        self.due = now.after(self.manner.every);
        self.last_id = self.last_id.max(next.id);
        let Some(line) = self.lines.get_mut(next.place) else { return };
        let made = Made { id: next.id, seq };
        match next.ask {
            Ask::Definition => {
                line.definition = made;
                line.due = now.after(self.manner.answer_within);
            }
            Ask::End => line.subscribed = false,
            Ask::Book => {
                (line.book, line.subscribed, line.asked) = (made, true, now);
                line.due = now.after(self.manner.answer_within);
            }
            Ask::Trades => line.trades = made,
        }
    }

    /// A request was refused, known by its id or by the number of its message. Gives the place of an
    /// instrument that has no book for it.
    pub(super) fn refused(
        &mut self,
        now: Timestamp,
        id: Option<u64>,
        seq: Option<u64>,
    ) -> Option<usize> {
        let place = self.lines.iter().position(|line| {
            [line.definition, line.book, line.trades].iter().any(|made| made.is(id, seq))
        })?;
        let line = &mut self.lines[place];
        // Trades are not asked for again in this session: their id stays.
        if line.trades.is(id, seq) {
            return None;
        }
        if line.book.is(id, seq) {
            line.subscribed = false;
        }
        line.due = now.after(REFUSED);
        Some(place)
    }

    /// The definition of an instrument has come; `fits` if orders by ours would be taken.
    pub(super) fn defined(&mut self, now: Timestamp, place: usize, fits: bool) {
        if let Some(line) = self.lines.get_mut(place) {
            (line.defined, line.barred) = (true, !fits);
            line.due = now;
        }
    }

    /// The place of the instrument whose definition was asked for under this id.
    pub(super) fn definition(&self, id: u64) -> Option<usize> {
        self.lines.iter().position(|line| line.definition.is(Some(id), None))
    }
}

#[cfg(test)]
#[path = "wanted_tests.rs"]
mod tests;
