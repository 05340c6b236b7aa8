//! Snapshot and depth frames of one symbol, joined by the venue's rule ("How to manage a local order
//! book correctly"). Asks nobody for a snapshot and knows no clock: [`Join::is_waiting`] says that one
//! is needed.
//!
//! Frames that come before the snapshot are held. The snapshot ends those that it covers; the first
//! behind it must follow it. Then each frame must follow the one before, or there is a gap and all
//! begins anew. The venue says of futures that a frame follows if its `pu` is the `u` before, and of
//! spot if its `U` is the one after the `u` before. Quantities are absolute, so a frame that also tells
//! what was told already (a second connection, another speed) follows as well: what matters is that
//! nothing is missing between.

use market::{Event, EventFlags, EventKind, InstrumentId, Timestamp};
use std::collections::VecDeque;

/// Which updates a frame tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// `U`: its first update.
    pub first: u64,
    /// `u`: its last update.
    pub last: u64,
    /// `pu`: the last update of the frame before; futures only.
    pub previous: Option<u64>,
}

impl Span {
    /// True if nothing is missing between update `id` and this frame.
    #[inline]
    #[must_use]
    pub fn follows(&self, id: u64) -> bool {
        match self.previous {
            Some(previous) => previous <= id,
            None => self.first <= id.saturating_add(1),
        }
    }
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Its events stand.
    Applied,
    /// It is held until a snapshot comes.
    Held,
    /// All it says was known already.
    Old,
    /// Updates are missing before it: a `Gap` stands instead, and the frame is held.
    Gap,
}

/// What became of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is the book now, and so are the held frames behind it.
    Joined,
    /// It is older than what was held: updates are missing between. Ask again.
    TooEarly,
    /// The book is newer than it.
    NotNeeded,
}

/// How an update stands to the frames that are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Updates are missing between it and the first of them.
    Behind,
    /// They lead from before it to it, or past it.
    Within,
    /// They do not come as far, or none is held.
    Ahead,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Join {
    instrument: InstrumentId,
    /// The last update in the book; `None` while a snapshot is waited for.
    at: Option<u64>,
    /// A `Gap` stands that `Recovered` must end.
    in_gap: bool,
    held: Held,
    /// Frames since the last update in the book that say something new; those that are no longer
    /// held as well.
    waiting: u64,
    /// Gaps met, those while waiting included, and the first update that the last one lacks.
    gaps: (u64, u64),
}

impl Join {
    /// So many changes of levels are held at most; the oldest go first.
    pub const HELD_MAX: usize = 1 << 16;

    /// A symbol of which nothing is known.
    #[must_use]
    pub fn new(instrument: InstrumentId) -> Join {
        Join {
            instrument,
            at: None,
            in_gap: false,
            held: Held::default(),
            waiting: 0,
            gaps: (0, 0),
        }
    }

    /// True if it needs a snapshot.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.at.is_none()
    }

    /// True if a frame waits for a snapshot.
    #[must_use]
    pub fn holds_frames(&self) -> bool {
        !self.held.frames.is_empty()
    }

    /// The last update in the book.
    #[must_use]
    pub fn at(&self) -> Option<u64> {
        self.at
    }

    /// Gaps met so far, and the first update that the last one lacks.
    #[must_use]
    pub fn gaps(&self) -> (u64, u64) {
        self.gaps
    }

    /// Frames that came since a snapshot is waited for and that no book has.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Changes of levels that are held.
    #[must_use]
    pub fn held(&self) -> impl ExactSizeIterator<Item = &Event> {
        self.held.events.iter()
    }

    /// The last update that was told, whether or not it is in a book.
    #[must_use]
    pub fn told(&self) -> u64 {
        self.at.or(self.held.last()).unwrap_or(self.held.floor)
    }

    /// How an update stands to the frames that are held.
    #[must_use]
    pub fn reach(&self, update: u64) -> Reach {
        match self.held.last() {
            _ if !self.held.lead_on(update) => Reach::Behind,
            Some(last) if update <= last => Reach::Within,
            _ => Reach::Ahead,
        }
    }

    /// Changes of levels of the held frames up to an update, and, with `false`, of the next frame.
    pub fn held_up_to(&self, update: u64) -> impl Iterator<Item = (bool, &Event)> {
        let covered = self.held.frames.iter().take_while(|(span, _)| span.last <= update);
        let (frames, levels) =
            covered.fold((0, 0), |(frames, sum), &(_, count)| (frames + 1, sum + count));
        let next = self.held.frames.get(frames).map_or(0, |&(_, count)| count);
        let all = self.held.events.iter().take(levels + next).enumerate();
        all.map(move |(at, event)| (at < levels, event))
    }

    /// True of a frame that says nothing that was not told.
    #[inline]
    #[must_use]
    pub fn is_old(&self, span: Span) -> bool {
        match self.at.or(self.held.last()) {
            Some(told) => span.last <= told,
            None => span.last < self.held.floor,
        }
    }

    /// Numbers began anew with a frame: neither book nor what was held leads to it.
    #[cold]
    pub fn anew(&mut self, span: Span, events: &mut Vec<Event>, from: usize) -> Told {
        self.held = Held::default();
        if let Some(at) = self.at {
            return self.gap(at, span, events, from);
        }
        self.gaps = (self.gaps.0 + 1, span.first);
        self.hold(span, events, from)
    }

    /// A frame, whose events are those of `events` from `from` on. They stay if it is applied.
    #[inline]
    pub fn frame(&mut self, span: Span, events: &mut Vec<Event>, from: usize) -> Told {
        match self.at {
            Some(at) if span.last <= at => {
                events.truncate(from);
                Told::Old
            }
            Some(at) if span.follows(at) => {
                self.at = Some(span.last);
                Told::Applied
            }
            Some(at) => self.gap(at, span, events, from),
            None => self.hold(span, events, from),
        }
    }

    #[cold]
    fn gap(&mut self, at: u64, span: Span, events: &mut Vec<Event>, from: usize) -> Told {
        let time = events.get(from).map_or(Timestamp::ZERO, |event| event.exchange_time);
        self.at = None;
        self.held.take(span, events.drain(from..));
        self.waiting += 1;
        let gap = Event::new(EventKind::Gap, self.instrument);
        self.gaps = (self.gaps.0 + 1, at.saturating_add(1));
        events.push(Event { order: self.gaps.1, exchange_time: time, ..gap });
        self.in_gap = true;
        Told::Gap
    }

    fn hold(&mut self, span: Span, events: &mut Vec<Event>, from: usize) -> Told {
        if self.is_old(span) {
            events.truncate(from);
            return Told::Old;
        }
        if let Some(last) = self.held.last()
            && !span.follows(last)
        {
            // No snapshot of before can lead past here.
            self.held = Held::default();
            self.gaps = (self.gaps.0 + 1, last.saturating_add(1));
        }
        self.held.take(span, events.drain(from..));
        self.waiting += 1;
        Told::Held
    }

    /// A snapshot as of update `last`, whose levels are the events of `events` from `from` on: they
    /// stay if it is joined, behind a `Clear`, and before what is held and newer.
    pub fn snapshot(&mut self, last: u64, events: &mut Vec<Event>, from: usize) -> Taken {
        let refused = match self.at {
            Some(at) => (last < at).then_some(Taken::NotNeeded),
            None => (!self.held.lead_on(last)).then_some(Taken::TooEarly),
        };
        if let Some(refused) = refused {
            events.truncate(from);
            return refused;
        }
        let time = events.get(from).map_or(Timestamp::ZERO, |event| event.exchange_time);
        let clear = Event::new(EventKind::Clear, self.instrument);
        events.insert(from, Event { exchange_time: time, flags: EventFlags::SNAPSHOT, ..clear });
        self.at = Some(self.held.release(last, events));
        self.waiting = 0;
        if std::mem::take(&mut self.in_gap) {
            let time = events.last().map_or(time, |event| event.exchange_time);
            let recovered = Event::new(EventKind::Recovered, self.instrument);
            events.push(Event { exchange_time: time, ..recovered });
        }
        Taken::Joined
    }

    /// A frame could not be understood: the book is not to be believed until a snapshot comes that is
    /// newer than what was told before.
    pub fn lose(&mut self, time: Timestamp, events: &mut Vec<Event>) {
        self.held = Held { floor: self.told().saturating_add(1), ..Held::default() };
        if self.at.take().is_some() || std::mem::take(&mut self.in_gap) {
            let lost = Event::new(EventKind::Lost, self.instrument);
            events.push(Event { exchange_time: time, ..lost });
        }
    }

    /// What comes next need not follow: a `Gap`, unless one stands, that the next snapshot ends. One
    /// of before what was lost stays refused.
    pub fn interrupt(&mut self, time: Timestamp, events: &mut Vec<Event>) {
        self.held = Held { floor: self.held.floor, ..Held::default() };
        self.at = None;
        if !std::mem::replace(&mut self.in_gap, true) {
            let gap = Event::new(EventKind::Gap, self.instrument);
            events.push(Event { exchange_time: time, ..gap });
        }
    }

    /// Drops what is held, to have its memory back.
    pub fn forget(&mut self) {
        let floor = self.held.last().unwrap_or(self.held.floor);
        self.held = Held { floor, ..Held::default() };
    }
}

/// Frames that wait, each following the one before.
#[derive(Clone, Debug, Default)]
struct Held {
    frames: VecDeque<(Span, usize)>,
    events: VecDeque<Event>,
    /// Frames up to this update were dropped or lost: a snapshot must cover them.
    floor: u64,
}

impl Held {
    fn take(&mut self, span: Span, events: impl Iterator<Item = Event>) {
        let before = self.events.len();
        self.events.extend(events);
        self.frames.push_back((span, self.events.len() - before));
        while self.events.len() > Join::HELD_MAX
            && let Some((span, count)) = self.frames.pop_front()
        {
            self.events.drain(..count);
            self.floor = span.last;
        }
    }

    /// The last update of them.
    fn last(&self) -> Option<u64> {
        self.frames.back().map(|(span, _)| span.last)
    }

    /// True if nothing is missing between a snapshot and these.
    fn lead_on(&self, snapshot: u64) -> bool {
        let first = self.frames.iter().find(|(span, _)| span.last > snapshot);
        snapshot >= self.floor && first.is_none_or(|(span, _)| span.follows(snapshot))
    }

    /// Gives what is newer than the snapshot and the last update that is then known; keeps nothing.
    fn release(&mut self, snapshot: u64, events: &mut Vec<Event>) -> u64 {
        let mut last = snapshot;
        for (span, count) in std::mem::take(&mut self.frames) {
            let of_frame = self.events.drain(..count);
            if span.last > last {
                last = span.last;
                events.extend(of_frame);
            }
        }
        *self = Held::default();
        last
    }
}
