//! A live feed without I/O: told what came and what time it is, it gives events and says what to do.
//!
//! One connection is the main one. Before the venue ends it, another is opened where the venue's
//! books allow that both are read; then the first is dropped. Without any connection every book has a
//! gap. A gap ends with a snapshot, by HTTPS or by subscribing again. It never does more than the
//! venue allows in a window of time, and gives no events but of its own instruments.

use super::counters::Counters;
use super::login::Login;
use super::pace::Pace;
use super::venue::{Channels, Venue, Which, Word};
use crate::recording::{Log, Unit};
use market::{Event, EventFlags, EventKind, Instrument, Nanos, Timestamp};
use serde_json::Value;
use std::collections::VecDeque;

/// Connections at once, at most.
pub const SLOTS: usize = 2;
/// The wait for a snapshot doubles so often, at most.
const DOUBLES: u32 = 5;
/// Longest text about what went wrong.
const PROBLEM_MAX: usize = 300;
/// How often it looks what is due.
const LOOK: Nanos = Nanos::from_millis(1);

/// How a feed behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A connection without a message for longer is dropped.
    pub silence: Nanos,
    /// Age at which a connection is replaced; never when `None`.
    pub renew_after: Option<Nanos>,
    /// How long both are read then.
    pub overlap: Nanos,
    /// Messages that the venue takes, within what time.
    pub messages: (usize, Nanos),
    /// Snapshots that the venue gives, within what time.
    pub snapshots: (usize, Nanos),
    /// Wait before a book is asked for again; it doubles each time.
    pub snapshot_retry: Nanos,
}

/// What is to be done. A message may hold secrets: no formatter shows it.
pub enum Ask {
    /// Send this message by that connection.
    Send(usize, String),
    /// Get the snapshot of that instrument.
    Fetch(usize),
    /// Drop that connection; true if market data came by it.
    Drop(usize, bool),
}

/// Why a snapshot did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFetched {
    /// For people.
    pub why: String,
    /// For how long the venue wants to hear nothing more.
    pub retry_after: Option<Nanos>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Closed,
    Opening,
    /// Since when, the last message, whether market data came by it, whether that told of a book, and
    /// whether it will end soon.
    Open {
        since: Timestamp,
        heard: Timestamp,
        data: bool,
        book: bool,
        closing: bool,
    },
}

/// One instrument.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    /// Not asked for before this.
    next: Timestamp,
    tries: u32,
    /// Asked for by HTTPS, and by which of the spans between two interruptions.
    asked: Option<u64>,
    /// Since when there is a gap.
    gap: Option<Timestamp>,
}

/// See the module.
pub struct Feed {
    venue: Box<dyn Venue>,
    login: Option<Box<dyn Login>>,
    fetches: bool,
    overlaps: bool,
    settings: Settings,
    ids: Vec<u32>,
    lines: Vec<Line>,
    slots: [Slot; SLOTS],
    main: usize,
    begun: bool,
    /// Times that every book was interrupted.
    span: u64,
    looked: Timestamp,
    outgoing: VecDeque<(usize, Value)>,
    dropped: VecDeque<(usize, bool)>,
    messages: Pace,
    snapshots: Pace,
    /// The venue wants to hear of no snapshot before.
    banned: Timestamp,
    unit: Unit,
    log: Log,
    counters: Counters,
    problem: String,
}

impl Feed {
    /// A feed of these instruments, whose symbols are the venue's.
    #[must_use]
    pub fn new(
        which: Which,
        instruments: &[Instrument],
        channels: Channels,
        settings: Settings,
    ) -> Feed {
        let fetches = which.fetches(&channels.book);
        let pace = |(most, window): (usize, Nanos)| Pace::new(most, window);
        Feed {
            venue: which.open(instruments, channels),
            login: None,
            fetches,
            overlaps: which.overlaps(),
            settings,
            ids: instruments.iter().map(|instrument| instrument.id.0).collect(),
            lines: vec![Line::default(); instruments.len()],
            slots: [Slot::Closed; SLOTS],
            main: 0,
            begun: false,
            span: 0,
            looked: Timestamp::ZERO,
            outgoing: VecDeque::new(),
            dropped: VecDeque::new(),
            messages: pace(settings.messages),
            snapshots: pace(settings.snapshots),
            banned: Timestamp::ZERO,
            unit: Unit::default(),
            log: Log::default(),
            counters: Counters::default(),
            problem: String::with_capacity(PROBLEM_MAX),
        }
    }

    /// The same to a venue that knows us.
    #[must_use]
    pub fn signed_by(mut self, login: Box<dyn Login>) -> Feed {
        self.login = Some(login);
        self
    }

    /// What it has done.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Units that gave no events, by reason.
    pub fn skipped(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.log.skipped().map(|(reason, count, _)| (reason, count))
    }

    /// What went wrong last; empty if nothing has.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// Connections that are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.slots.iter().filter(|slot| matches!(slot, Slot::Open { .. })).count()
    }

    /// Books that have a gap now.
    #[must_use]
    pub fn gaps(&self) -> usize {
        self.lines.iter().filter(|line| line.gap.is_some()).count()
    }

    /// The connection that should be opened now, if one should.
    #[must_use]
    pub fn wants(&self, now: Timestamp) -> Option<usize> {
        match (self.slots[self.main], self.slots[other(self.main)]) {
            (Slot::Closed, Slot::Closed) => Some(self.main),
            (Slot::Open { since, closing, .. }, Slot::Closed) if self.overlaps => {
                let old = self.settings.renew_after.is_some_and(|after| now.since(since) >= after);
                (closing || old).then_some(other(self.main))
            }
            _ => None,
        }
    }

    /// An attempt to open it begins.
    pub fn opening(&mut self, slot: usize) {
        self.slots[slot] = Slot::Opening;
    }

    /// The attempt has failed.
    pub fn failed(&mut self, slot: usize, why: &str) {
        self.slots[slot] = Slot::Closed;
        self.counters.failures += 1;
        self.note(why);
    }

    /// It is open.
    pub fn opened(&mut self, slot: usize, now: Timestamp) {
        self.counters.connections += 1;
        if !matches!(self.slots[other(slot)], Slot::Open { .. }) {
            self.main = slot;
            for line in &mut self.lines {
                *line = Line { next: now.after(self.settings.snapshot_retry), ..*line };
            }
        }
        let (data, book, closing) = (false, false, false);
        self.slots[slot] = Slot::Open { since: now, heard: now, data, book, closing };
        self.outgoing.extend(self.venue.subscribe().into_iter().map(|request| (slot, request)));
    }

    /// It has ended. True if market data came by it.
    pub fn ended(&mut self, slot: usize, why: &str, now: Timestamp, out: &mut Vec<Event>) -> bool {
        self.counters.ended += 1;
        self.note(why);
        self.close(slot, now, out)
    }

    /// A ping or pong came.
    pub fn control(&mut self) {
        self.counters.controls += 1;
    }

    /// A message came by a connection, empty if it was no text: nobody can read that either.
    /// `received` is the stamp of its last bytes.
    pub fn message(
        &mut self,
        slot: usize,
        text: &[u8],
        received: u64,
        now: Timestamp,
        out: &mut Vec<Event>,
    ) {
        if !matches!(self.slots[slot], Slot::Open { .. }) {
            return;
        }
        self.counters.messages += 1;
        self.unit.begin(self.counters.messages);
        let word = self.venue.frame(text, &mut self.unit, &mut self.log);
        self.give(received, now, out);
        let Slot::Open { heard, data, book, closing, .. } = &mut self.slots[slot] else { return };
        *heard = now;
        match word {
            Ok(Word::Book) => (*data, *book) = (true, true),
            Ok(Word::Data) => *data = true,
            Ok(Word::Closing) => *closing = true,
            Ok(Word::Refused) => {
                self.counters.refused += 1;
                let said = String::from_utf8_lossy(text);
                self.note(&format!("a subscription is refused: {said}"));
                self.drop_slot(slot, now, out);
            }
            Ok(Word::Well | Word::Other) => {}
            Err(_) => self.counters.garbled += 1,
        }
    }

    /// A snapshot that was asked for came, or did not.
    pub fn fetched(
        &mut self,
        at: usize,
        body: Result<&[u8], NotFetched>,
        (received, now): (u64, Timestamp),
        out: &mut Vec<Event>,
    ) {
        let Some(line) = self.lines.get_mut(at) else { return };
        // What was asked for before the connection was lost may say nothing of now.
        if line.asked.take() != Some(self.span) {
            return;
        }
        self.unit.begin(self.counters.messages);
        let why = match body {
            Ok(body) => match self.venue.snapshot(at, body, &mut self.unit) {
                Ok(()) => None,
                Err(why) => Some(why.to_owned()),
            },
            Err(NotFetched { why, retry_after }) => {
                if let Some(after) = retry_after {
                    self.banned = now.after(after);
                }
                Some(why)
            }
        };
        if let Some(why) = why {
            self.counters.snapshots_failed += 1;
            self.note(&format!("no snapshot: {why}"));
        }
        self.give(received, now, out);
    }

    /// Lets time pass. Gives what is to be done, one thing after another, until there is nothing.
    pub fn poll(&mut self, now: Timestamp, out: &mut Vec<Event>) -> Option<Ask> {
        if !std::mem::replace(&mut self.begun, true) {
            self.interrupt(now, out);
        }
        let idle = self.dropped.is_empty() && self.outgoing.is_empty();
        if idle && now.since(self.looked) < LOOK {
            return None;
        }
        self.looked = now;
        for slot in 0..SLOTS {
            if let Slot::Open { heard, .. } = self.slots[slot]
                && now.since(heard) > self.settings.silence
            {
                self.counters.silent += 1;
                self.note("a connection was silent for too long");
                self.drop_slot(slot, now, out);
            }
        }
        self.take_over(now, out);
        if let Some((slot, lived)) = self.dropped.pop_front() {
            return Some(Ask::Drop(slot, lived));
        }
        self.ask_for_books(now);
        if self.outgoing.is_empty() || !self.messages.take(now) {
            return self.fetch(now);
        }
        let (slot, mut request) = self.outgoing.pop_front()?;
        // Not before: a signature holds for some seconds.
        if let Some(login) = &mut self.login {
            self.venue.sign(&mut request, login.as_mut(), now);
        }
        Some(Ask::Send(slot, request.to_string()))
    }

    /// The newer connection has been read for long enough: the older one goes.
    fn take_over(&mut self, now: Timestamp, out: &mut Vec<Event>) {
        let newer = other(self.main);
        if let Slot::Open { since, book: true, .. } = self.slots[newer]
            && now.since(since) >= self.settings.overlap
        {
            self.counters.renewed += 1;
            let older = std::mem::replace(&mut self.main, newer);
            self.drop_slot(older, now, out);
        }
    }

    /// Books that wait and are told from their beginning by the channel itself.
    fn ask_for_books(&mut self, now: Timestamp) {
        let open = matches!(self.slots[self.main], Slot::Open { .. });
        if self.fetches || !open || !self.outgoing.is_empty() {
            return;
        }
        for at in 0..self.lines.len() {
            if now >= self.lines[at].next && self.venue.needs(at) {
                self.asked(at, now);
                let requests = self.venue.resubscribe(at);
                self.outgoing.extend(requests.into_iter().map(|request| (self.main, request)));
            }
        }
    }

    fn fetch(&mut self, now: Timestamp) -> Option<Ask> {
        let open = matches!(self.slots[self.main], Slot::Open { .. });
        if !self.fetches || !open || now < self.banned {
            return None;
        }
        let due = |at: &usize| {
            let line = &self.lines[*at];
            line.asked.is_none() && now >= line.next && self.venue.needs(*at)
        };
        let at = (0..self.lines.len()).find(due)?;
        if !self.snapshots.take(now) {
            return None;
        }
        self.asked(at, now);
        self.lines[at].asked = Some(self.span);
        Some(Ask::Fetch(at))
    }

    fn asked(&mut self, at: usize, now: Timestamp) {
        self.counters.snapshots += 1;
        let line = &mut self.lines[at];
        let wait = self.settings.snapshot_retry.get().saturating_mul(1 << line.tries);
        line.next = now.after(Nanos::new(wait));
        line.tries = (line.tries + 1).min(DOUBLES);
    }

    /// It was our doing.
    fn drop_slot(&mut self, slot: usize, now: Timestamp, out: &mut Vec<Event>) {
        let lived = self.close(slot, now, out);
        self.dropped.push_back((slot, lived));
    }

    fn close(&mut self, slot: usize, now: Timestamp, out: &mut Vec<Event>) -> bool {
        let was = std::mem::replace(&mut self.slots[slot], Slot::Closed);
        self.outgoing.retain(|&(to, _)| to != slot);
        let rest = self.slots[other(slot)];
        if matches!(rest, Slot::Open { .. }) {
            self.main = other(slot);
        }
        // One that is open may not be subscribed yet: until it has told of a book, none is told of.
        if !matches!(rest, Slot::Open { book: true, .. }) {
            self.interrupt(now, out);
        }
        matches!(was, Slot::Open { data: true, .. })
    }

    /// Every book has a gap.
    fn interrupt(&mut self, now: Timestamp, out: &mut Vec<Event>) {
        self.span += 1;
        self.unit.begin(self.counters.messages);
        for at in 0..self.lines.len() {
            self.venue.interrupt(at, &mut self.unit.events);
        }
        self.give(0, now, out);
    }

    /// Gives the unit's events on, as one packet.
    fn give(&mut self, received: u64, now: Timestamp, out: &mut Vec<Event>) {
        for at in 0..self.unit.events.len() {
            self.take_note(self.unit.events[at], now);
        }
        // No ring carries side entries; nothing that gives them is subscribed to.
        let events = self.unit.events.iter().filter(|e| e.kind() != Some(EventKind::Entry));
        let before = out.len();
        out.extend(events.map(|&event| Event { received, ..event }));
        if let Some(last) = out[before..].last_mut() {
            last.flags = last.flags.with(EventFlags::LAST);
        }
        self.counters.events += (out.len() - before) as u64;
    }

    /// Counts gaps and their ends. A book that is lost has a gap as well, so that no part of its next
    /// snapshot can be taken for the whole.
    fn take_note(&mut self, event: Event, now: Timestamp) {
        let kind = event.kind();
        if !matches!(kind, Some(EventKind::Gap | EventKind::Lost | EventKind::Recovered)) {
            return;
        }
        let Some(at) = self.ids.iter().position(|&id| id == event.instrument.0) else { return };
        let (counters, line) = (&mut self.counters, &mut self.lines[at]);
        match kind {
            Some(EventKind::Gap) => {
                counters.gaps += 1;
                line.gap.get_or_insert(now);
            }
            Some(EventKind::Lost) => {
                counters.lost += 1;
                line.gap.get_or_insert(now);
                self.venue.interrupt(at, &mut self.unit.events);
            }
            _ => {
                let took = line.gap.take().map_or(Nanos::ZERO, |since| now.since(since));
                counters.recovered += 1;
                let all = counters.recovering.get().saturating_add(took.get());
                counters.recovering = Nanos::new(all);
                counters.recovering_longest = counters.recovering_longest.max(took);
                line.tries = 0;
            }
        }
    }

    /// A venue may repeat what we said to it.
    fn note(&mut self, why: &str) {
        let blanked = self.login.as_ref().map(|login| login.blanked(why));
        let why = blanked.as_deref().unwrap_or(why);
        self.problem.clear();
        self.problem.push_str(&why[..why.floor_char_boundary(PROBLEM_MAX)]);
    }
}

const fn other(slot: usize) -> usize {
    1 - slot
}
