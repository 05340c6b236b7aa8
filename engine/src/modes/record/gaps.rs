//! How long the books of a recording were not whole: in a gap, or lost and not yet built again. Goes
//! by the events alone, with the rules of the books (`market`, health of books).

use market::{Event, EventKind, Nanos, Timestamp};

/// See the module.
pub(super) struct Gaps {
    /// By instrument.
    books: Vec<Book>,
}

/// One book.
#[derive(Clone, Copy, Debug, Default)]
struct Book {
    gap: bool,
    lost: bool,
    /// Since when; of no meaning while it is whole.
    since: Timestamp,
    stood: Nanos,
}

/// How long, all told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stood {
    /// Books that were not whole at some time, and those that are not at the end.
    pub(super) books: usize,
    pub(super) open: usize,
    /// Of the one that was longest so.
    pub(super) longest: Nanos,
}

impl Gaps {
    /// So many instruments, with ids from zero, of which nothing was said.
    pub(super) fn new(instruments: usize) -> Gaps {
        Gaps { books: vec![Book::default(); instruments] }
    }

    /// What came at this time.
    pub(super) fn event(&mut self, event: &Event, now: Timestamp) {
        let Some(
            kind @ (EventKind::Gap
            | EventKind::Recovered
            | EventKind::Lost
            | EventKind::Clear
            | EventKind::Reset),
        ) = event.kind()
        else {
            return;
        };
        if event.instrument == Event::ALL {
            self.books.iter_mut().for_each(|book| book.hear(kind, now));
        } else if let Some(book) = self.books.get_mut(event.instrument.index()) {
            book.hear(kind, now);
        }
    }

    /// How long books were not whole until now.
    pub(super) fn stood(&self, now: Timestamp) -> Stood {
        let mut stood = Stood::default();
        for book in &self.books {
            let book = book.until(now);
            stood.books += usize::from(book.stood > Nanos::ZERO);
            stood.open += usize::from(!book.is_whole());
            stood.longest = stood.longest.max(book.stood);
        }
        stood
    }
}

impl Book {
    fn is_whole(&self) -> bool {
        !self.gap && !self.lost
    }

    fn hear(&mut self, kind: EventKind, now: Timestamp) {
        *self = self.until(now);
        match kind {
            EventKind::Gap => self.gap = true,
            EventKind::Recovered => self.gap = false,
            EventKind::Lost => (self.gap, self.lost) = (false, true),
            EventKind::Clear => self.lost = false,
            _ => (self.gap, self.lost) = (false, false),
        }
    }

    /// The same, with the time until now counted.
    fn until(self, now: Timestamp) -> Book {
        let more = if self.is_whole() { Nanos::ZERO } else { now.since(self.since) };
        let stood = Nanos::new(self.stood.get().saturating_add(more.get()));
        Book { since: now, stood, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use market::InstrumentId;

    #[test]
    fn each_book_counts_from_gap_or_loss_until_it_is_whole() {
        let at = |seconds: u64| Timestamp::from_nanos(seconds * 1_000_000_000);
        let mut gaps = Gaps::new(3);
        let of = |kind, id| Event::new(kind, InstrumentId(id));
        assert_eq!(gaps.stood(at(9)), Stood::default());
        for (second, event) in [
            (10, Event::new(EventKind::Gap, Event::ALL)),
            (12, of(EventKind::Recovered, 0)),
            (13, of(EventKind::Lost, 1)),
            // Ends no loss.
            (14, of(EventKind::Recovered, 1)),
            (15, of(EventKind::Clear, 1)),
            (16, of(EventKind::Add, 2)),
            // Of no book.
            (17, of(EventKind::Reset, 3)),
        ] {
            gaps.event(&event, at(second));
        }
        let longest = Nanos::from_secs(10);
        assert_eq!(gaps.stood(at(20)), Stood { books: 3, open: 1, longest });
        gaps.event(&Event::new(EventKind::Reset, Event::ALL), at(20));
        assert_eq!(gaps.stood(at(30)), Stood { books: 3, open: 0, longest });
    }
}
