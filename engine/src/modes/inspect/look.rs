//! One recording, read to its end: counts, times, instruments, the first events, a book.

use super::book::BookView;
use crate::cli::InspectArgs;
use crate::modes::event_text::{Names, event_text};
use feeds::recording::{
    Clock, Counts, Description, Instruments, Log, OpenError, Options, Recording, Source, Unit, open,
};
use market::{InstrumentId, Nanos, Timestamp};

/// First and last of some times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
}

/// What was found in one recording.
pub(super) struct Look {
    /// Its name: of the file, or of the member of an archive.
    pub(super) name: String,
    pub(super) description: Description,
    pub(super) counts: Counts,
    pub(super) log: Log,
    pub(super) instruments: Instruments,
    /// Events of each instrument, by id.
    pub(super) events_of: Vec<u64>,
    pub(super) events: u64,
    /// By the venue's clock.
    pub(super) exchange: Option<Span>,
    /// By the clock of whoever recorded it.
    pub(super) received: Option<Span>,
    /// The first events, if they were asked for.
    pub(super) head: Vec<String>,
    /// The book, if it was asked for.
    pub(super) book: Option<BookView>,
    /// Why it could not be read to its end.
    pub(super) error: Option<String>,
}

impl Look {
    /// Reads a recording to its end.
    pub(super) fn into(source: &Source, args: &InspectArgs) -> Result<Look, OpenError> {
        let options = Options { day: args.day, by_order: args.by_order, ..Options::default() };
        let mut recording = open(source, options)?;
        let mut look = Look {
            name: source.name().to_owned(),
            description: recording.describe(),
            counts: Counts::default(),
            log: Log::default(),
            instruments: recording.instruments().clone(),
            events_of: Vec::new(),
            events: 0,
            exchange: None,
            received: None,
            head: Vec::new(),
            book: args.book.as_ref().map(BookView::new),
            error: None,
        };
        let mut unit = Unit::default();
        loop {
            match recording.next_unit(&mut unit) {
                Ok(true) => look.unit(&unit, &*recording, args),
                Ok(false) => break,
                Err(error) => {
                    look.error = Some(error.to_string());
                    break;
                }
            }
        }
        look.description = recording.describe();
        look.counts = recording.counts();
        look.log = recording.log().clone();
        look.instruments = recording.instruments().clone();
        Ok(look)
    }

    fn unit(&mut self, unit: &Unit, recording: &dyn Recording, args: &InspectArgs) {
        widen(&mut self.exchange, unit.exchange_time);
        widen(&mut self.received, unit.received);
        self.events += unit.events.len() as u64;
        for event in &unit.events {
            self.count(event.instrument);
        }
        let wanted = args.head.unwrap_or(0);
        if (self.head.len() as u64) < wanted {
            self.keep_head(unit, recording, wanted);
        }
        if let Some(book) = &mut self.book {
            book.unit(unit, recording);
        }
    }

    fn count(&mut self, id: InstrumentId) {
        let at = id.index();
        if at >= Instruments::MAX {
            return;
        }
        if at >= self.events_of.len() {
            self.events_of.resize(at + 1, 0);
        }
        self.events_of[at] += 1;
    }

    fn keep_head(&mut self, unit: &Unit, recording: &dyn Recording, wanted: u64) {
        let clock = recording.describe().clock;
        for event in &unit.events {
            if self.head.len() as u64 >= wanted {
                return;
            }
            let time = time_text(event.exchange_time, clock);
            let mut text = format!("{time} {}", event_text(event, recording.instruments()));
            if event.kind() == Some(market::EventKind::Entry)
                && let Some(entry) = unit.side_entry(event.order)
            {
                text = format!("{text}: {:?}", entry.said);
            }
            self.head.push(text);
        }
    }

    /// Instruments with events, those with most of them first.
    pub(super) fn busiest(&self) -> Vec<(&str, u32, u64)> {
        let all = self.instruments.all().iter();
        let mut rows: Vec<(&str, u32, u64)> = all
            .map(|known| {
                let events = self.events_of.get(known.id.index()).copied().unwrap_or(0);
                (known.symbol.as_str(), known.id.0, events)
            })
            .collect();
        rows.sort_by_key(|&(_, id, events)| (std::cmp::Reverse(events), id));
        rows
    }
}

fn widen(span: &mut Option<Span>, time: Timestamp) {
    if time == Timestamp::ZERO {
        return;
    }
    let Span { first, last } = span.unwrap_or(Span { first: time, last: time });
    *span = Some(Span { first: first.min(time), last: last.max(time) });
}

/// A time as a person reads it, of the kind that the recording's clock gives.
pub(super) fn time_text(time: Timestamp, clock: Clock) -> String {
    let text = time.to_string();
    match clock {
        Clock::Utc => text,
        Clock::TimeOfDay => {
            let days = time.nanos() / Nanos::DAY.get();
            let of_day = text.get(11..).unwrap_or_default().trim_end_matches('Z').to_owned();
            if days == 0 { of_day } else { format!("{of_day} (+{days} d)") }
        }
    }
}

impl Names for Instruments {
    fn name(&self, id: InstrumentId) -> Option<(&str, u32)> {
        self.get(id).map(|known| (known.symbol.as_str(), known.qty_digits))
    }
}
