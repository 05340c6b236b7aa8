//! Events of a live feed as units of an event file: what came in one packet is one unit, with the
//! time at which it arrived. Decides nothing, and waits for nothing.

use super::gaps::{Gaps, Stood};
use crate::runtime::clock::Clock;
use feeds::archive::Writer;
use feeds::recording::{Books, Clock as Times, Unit};
use market::{
    Definition, Event, EventFlags, EventKind, Instrument, Said, SideEntry, Sink, Timestamp,
};
use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// What was written, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) units: u64,
    pub(super) events: u64,
    pub(super) gaps: u64,
    pub(super) recovered: u64,
    pub(super) lost: u64,
    /// Events of the venue's: not what the feed has to say of itself.
    pub(super) market: u64,
}

/// A file that was closed.
pub(super) struct Done {
    pub(super) counts: Counts,
    pub(super) bytes: u64,
    pub(super) stood: Stood,
    /// Events of a packet that did not come whole: they are not in the file.
    pub(super) left_out: u64,
}

/// See the module.
pub(super) struct Units<W> {
    writer: Writer<W>,
    /// What the file says that its events are from.
    from: String,
    /// Events whose packet has not been written.
    events: Vec<Event>,
    /// Entries that events of them name, in order.
    entries: VecDeque<SideEntry>,
    unit: Unit,
    books: Books,
    /// Time of the last unit; the clock of a host may be set back, the order of a file is kept.
    last: Timestamp,
    counts: Counts,
    gaps: Gaps,
}

impl<W> Sink for Units<W> {
    fn event(&mut self, event: Event) {
        self.events.push(event);
    }
}

impl<W: Write> Units<W> {
    /// Begins a file of these instruments, whose events are `from` a feed and venue.
    pub(super) fn new(out: W, instruments: &[Instrument], from: String) -> io::Result<Units<W>> {
        let mut writer = Writer::new(out)?;
        for wanted in instruments {
            let known = writer.instruments().resolve(&wanted.symbol, wanted.qty_digits);
            if known.is_none_or(|known| known.id != wanted.id) {
                return Err(io::Error::other(format!("{} is listed twice", wanted.symbol)));
            }
        }
        let mut units = Units {
            writer,
            from,
            events: Vec::new(),
            entries: VecDeque::new(),
            unit: Unit::default(),
            books: Books::None,
            last: Timestamp::ZERO,
            counts: Counts::default(),
            gaps: Gaps::new(instruments.len()),
        };
        units.say_source();
        Ok(units)
    }

    /// Says what the instruments are, as they are configured.
    pub(super) fn define(&mut self, all: &[Instrument], now: Timestamp) -> io::Result<()> {
        self.unit.begin(self.writer.written());
        self.unit.received = now;
        for one in all {
            let definition = Definition {
                symbol: one.symbol.clone(),
                tick: Some(one.tick),
                lot: Some(one.lot),
                qty_digits: one.qty_digits,
                currency: one.quote.clone(),
                ..Definition::default()
            };
            let said = Said::Definition(Box::new(definition));
            self.unit.entry(SideEntry { instrument: one.id, exchange_time: now, said });
        }
        self.put()
    }

    /// Writes the packets that are whole; `entries` came with them.
    pub(super) fn write(&mut self, entries: Vec<SideEntry>, clock: &Clock) -> io::Result<()> {
        self.entries.extend(entries);
        let mut events = std::mem::take(&mut self.events);
        let mut from = 0;
        for at in 0..events.len() {
            if events[at].flags.has(EventFlags::LAST) {
                self.packet(&events[from..=at], clock)?;
                from = at + 1;
            }
        }
        events.drain(..from);
        self.events = events;
        Ok(())
    }

    /// Polls on, for so long at most, until the packet of which a part has come is whole.
    pub(super) fn settle(
        &mut self,
        patience: Duration,
        mut poll: impl FnMut(&mut Units<W>) -> io::Result<()>,
    ) -> io::Result<()> {
        let began = Instant::now();
        while !self.events.is_empty() && began.elapsed() < patience {
            poll(self)?;
        }
        Ok(())
    }

    fn packet(&mut self, events: &[Event], clock: &Clock) -> io::Result<()> {
        let stamp = events.iter().map(|event| event.received).max().unwrap_or_default();
        let received = if stamp == 0 { clock.now() } else { clock.at(stamp) };
        self.unit.begin(self.writer.written());
        self.unit.received = received.max(self.last);
        self.last = self.unit.received;
        for event in events {
            let Some(kind) = event.kind() else { continue };
            self.note(kind);
            self.gaps.event(event, self.unit.received);
            self.unit.exchange_time = self.unit.exchange_time.max(event.exchange_time);
            match kind {
                EventKind::Mark => {}
                EventKind::Entry => {
                    if let Some(entry) = self.entries.pop_front() {
                        self.unit.entry(entry);
                    }
                }
                _ => self.unit.event(Event { decoded: 0, ..*event }),
            }
        }
        self.put()
    }

    /// Counts, and learns of what kind the books are.
    fn note(&mut self, kind: EventKind) {
        match kind {
            EventKind::Gap => self.counts.gaps += 1,
            EventKind::Recovered => self.counts.recovered += 1,
            EventKind::Lost => self.counts.lost += 1,
            EventKind::Reset | EventKind::Mark => {}
            _ => self.counts.market += 1,
        }
        match kind {
            EventKind::Add | EventKind::Level if self.books == Books::None => {
                let by_order = kind == EventKind::Add;
                self.books = if by_order { Books::ByOrder } else { Books::ByLevel };
                self.say_source();
            }
            _ => {}
        }
    }

    fn say_source(&mut self) {
        self.writer.source(&self.from, self.books, Times::Utc);
    }

    fn put(&mut self) -> io::Result<()> {
        if self.unit.events.is_empty() {
            return Ok(());
        }
        self.unit.end();
        self.counts.units += 1;
        self.counts.events += self.unit.events.len() as u64;
        self.writer.unit(&self.unit, self.unit.received)
    }

    /// Brings what was written so far out of this program's hands.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// Bytes of the file, without those of the block that is being filled.
    pub(super) fn written(&self) -> u64 {
        self.writer.written()
    }
}

impl Units<std::fs::File> {
    /// Closes the file, index and all, and brings it to the disk.
    pub(super) fn finish(self, now: Timestamp) -> io::Result<Done> {
        let left_out = self.events.len() as u64;
        let (counts, stood) = (self.counts, self.gaps.stood(now.max(self.last)));
        let file = self.writer.finish()?;
        file.sync_all()?;
        Ok(Done { counts, bytes: file.metadata()?.len(), stood, left_out })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::clock;
    use feeds::recording::{Options, Source, open};

    fn add(order: u64, flags: EventFlags) -> Event {
        Event { order, flags, ..Event::new(EventKind::Add, market::InstrumentId(0)) }
    }

    /// What is in the file, and what `finish` said, when the rest of a packet comes with this poll.
    fn recorded(comes_at: u32) -> (Vec<u64>, u64) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.events");
        let share = [Instrument::share(0, "X")];
        let file = std::fs::File::create_new(&path).unwrap();
        let mut units = Units::new(file, &share, "made up".to_owned()).unwrap();
        let (clock, _calibrator) = clock::calibrate();
        units.event(add(1, EventFlags::LAST));
        units.event(add(2, EventFlags::NONE));
        units.write(Vec::new(), &clock).unwrap();
        let mut polls = 0;
        let patience = if comes_at == 0 { Duration::ZERO } else { Duration::from_secs(600) };
        let settled = units.settle(patience, |units| {
            polls += 1;
            if polls == comes_at {
                units.event(add(3, EventFlags::LAST));
            }
            units.write(Vec::new(), &clock)
        });
        settled.unwrap();
        assert_eq!(polls, comes_at);
        let done = units.finish(clock.now()).unwrap();
        let mut recording = open(&Source::file(&path), Options::default()).unwrap();
        let (mut unit, mut orders) = (Unit::default(), Vec::new());
        while recording.next_unit(&mut unit).unwrap() {
            orders.extend(unit.events.iter().map(|event| event.order));
        }
        (orders, done.left_out)
    }

    #[test]
    fn a_packet_that_has_begun_is_waited_for_or_counted() {
        assert_eq!(recorded(3), (vec![1, 2, 3], 0));
        // Nobody waits any more.
        assert_eq!(recorded(0), (vec![1], 1));
    }
}
