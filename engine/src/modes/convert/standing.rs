//! What was said of all instruments of an input and still holds, for those that are named later. Its
//! rules are those by which a book is believed again (`market`, health of books).

use market::{Event, EventKind};

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing {
    status: Option<Event>,
    lost: Option<Event>,
    gap: Option<Event>,
}

impl Standing {
    /// This was said of all.
    pub(super) fn note(&mut self, event: Event) {
        match event.kind() {
            Some(EventKind::Status) => self.status = Some(event),
            Some(EventKind::Gap) => self.gap = Some(event),
            Some(EventKind::Recovered) => self.gap = None,
            Some(EventKind::Lost) => (self.gap, self.lost) = (None, Some(event)),
            Some(EventKind::Clear) => self.lost = None,
            Some(EventKind::Reset) => *self = Standing::default(),
            _ => {}
        }
    }

    /// What holds, in the order in which a book must hear it: what is lost ends a gap.
    pub(super) fn events(&self) -> impl Iterator<Item = Event> {
        [self.status, self.lost, self.gap].into_iter().flatten()
    }
}
