//! A product that is told by level: a snapshot, then every change. The venue numbers no frame of it;
//! whoever drives it says when something is missing.

use crate::level::{NotANumber, level};
use market::{Event, EventFlags, EventKind, InstrumentId, Side, Timestamp};

/// See the module.
#[derive(Clone, Debug)]
pub struct Levels {
    instrument: InstrumentId,
    qty_digits: u32,
    /// A snapshot came, and nothing is missing since.
    joined: bool,
    in_gap: bool,
}

impl Levels {
    /// A product of which nothing is known.
    #[must_use]
    pub fn new(instrument: InstrumentId, qty_digits: u32) -> Levels {
        Levels { instrument, qty_digits, joined: false, in_gap: false }
    }

    /// Changes of levels: side, price and new size of each. False if there was no snapshot: then
    /// nothing is told.
    ///
    /// # Errors
    /// [`NotANumber`]: the book is lost.
    pub fn update<'a>(
        &mut self,
        time: Timestamp,
        changes: impl Iterator<Item = (Option<Side>, &'a str, &'a str)>,
        events: &mut Vec<Event>,
    ) -> Result<bool, NotANumber> {
        if !self.joined {
            return Ok(false);
        }
        self.tell(time, EventFlags::NONE, changes, events)?;
        Ok(true)
    }

    /// A whole book.
    ///
    /// # Errors
    /// [`NotANumber`]: the book is lost.
    pub fn snapshot<'a>(
        &mut self,
        time: Timestamp,
        levels: impl Iterator<Item = (Option<Side>, &'a str, &'a str)>,
        events: &mut Vec<Event>,
    ) -> Result<(), NotANumber> {
        let clear = Event::new(EventKind::Clear, self.instrument);
        events.push(Event { exchange_time: time, flags: EventFlags::SNAPSHOT, ..clear });
        self.tell(time, EventFlags::SNAPSHOT, levels, events)?;
        self.joined = true;
        if std::mem::take(&mut self.in_gap) {
            let recovered = Event::new(EventKind::Recovered, self.instrument);
            events.push(Event { exchange_time: time, ..recovered });
        }
        Ok(())
    }

    fn tell<'a>(
        &mut self,
        time: Timestamp,
        flags: EventFlags,
        levels: impl Iterator<Item = (Option<Side>, &'a str, &'a str)>,
        events: &mut Vec<Event>,
    ) -> Result<(), NotANumber> {
        for (side, price, size) in levels {
            let read = side.ok_or(NotANumber).and_then(|side| {
                level(side, price, size, self.qty_digits).map(|level| level.map(|l| (side, l)))
            });
            match read {
                Ok(Some((side, (price, qty)))) => {
                    let event = Event::new(EventKind::Level, self.instrument);
                    let event = event.with_side(Some(side));
                    events.push(Event { exchange_time: time, flags, price, qty, ..event });
                }
                Ok(None) => {}
                Err(error) => {
                    self.lose(time, events);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Something could not be understood: what this frame told is taken back.
    pub fn lose(&mut self, time: Timestamp, events: &mut Vec<Event>) {
        events.retain(|event| event.instrument != self.instrument);
        if std::mem::take(&mut self.joined) | std::mem::take(&mut self.in_gap) {
            let lost = Event::new(EventKind::Lost, self.instrument);
            events.push(Event { exchange_time: time, ..lost });
        }
    }

    /// Frames may be missing: a `Gap`, unless one stands, that the next snapshot ends.
    pub fn interrupt(&mut self, events: &mut Vec<Event>) {
        self.joined = false;
        if !std::mem::replace(&mut self.in_gap, true) {
            events.push(Event::new(EventKind::Gap, self.instrument));
        }
    }

    /// True if a snapshot came, and nothing is missing since.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        self.joined
    }

    /// Frames are missing.
    pub fn gap(&mut self, events: &mut Vec<Event>) {
        if std::mem::take(&mut self.joined) {
            self.in_gap = true;
            events.push(Event::new(EventKind::Gap, self.instrument));
        }
    }
}
