//! Which input tells of which instrument: its book and its trades are told by one input at a time,
//! since two at once would make one book of both. Reads and writes nothing.

use market::{EventKind, InstrumentId};

/// What one input at a time tells of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Book,
    Trades,
}

impl What {
    /// What an event is of; `None` of those that any input may give.
    pub(super) fn of(kind: Option<EventKind>) -> Option<What> {
        match kind? {
            EventKind::Entry | EventKind::Mark => None,
            EventKind::Trade => Some(What::Trades),
            _ => Some(What::Book),
        }
    }

    /// What an input does that tells it.
    pub(super) fn tells(self) -> &'static str {
        match self {
            What::Book => "it tells the book",
            What::Trades => "it tells trades",
        }
    }
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Tellers {
    /// The inputs that tell the book and the trades of each instrument of the output.
    of: Vec<[Option<usize>; 2]>,
}

impl Tellers {
    /// Who tells this of an instrument.
    pub(super) fn teller(&self, id: InstrumentId, what: What) -> Option<usize> {
        self.of.get(id.index())?[what as usize]
    }

    /// This input tells it from now on.
    pub(super) fn set(&mut self, id: InstrumentId, what: What, input: usize) {
        if self.of.len() <= id.index() {
            self.of.resize(id.index() + 1, [None; 2]);
        }
        self.of[id.index()][what as usize] = Some(input);
    }

    /// An input that has ended tells this of nothing any more: gives what it told it of, in order of
    /// ids.
    pub(super) fn release(&mut self, what: What, ended: usize) -> Vec<InstrumentId> {
        let mut released = Vec::new();
        for (id, tellers) in (0..).map(InstrumentId).zip(&mut self.of) {
            let teller = &mut tellers[what as usize];
            if *teller == Some(ended) {
                *teller = None;
                released.push(id);
            }
        }
        released
    }
}
