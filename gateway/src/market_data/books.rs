//! The decoder: which message goes where, what was heard of each instrument, and what is counted.
//!
//! Nothing is guessed: what cannot be read exactly makes its instrument `Lost` until a snapshot
//! comes. It must never allocate after construction.

use super::heard::{Heard, State};
use super::packet::Packet;
use crate::fix::tags::{self, msg};
use crate::fix::{Fault, Message};
use crate::orders::Instruments;
use market::{Event, EventFlags, EventKind, InstrumentId, Sink, Timestamp};

/// What an entry of a book is known by. The messages do not say it: it follows from what was asked
/// for, since some venues name levels by MDEntryID (278) as others name orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keyed {
    /// Side and price: each entry is the total of a level.
    #[default]
    ByLevel,
    /// MDEntryID (278): each entry is an order.
    ByOrder,
}

/// What is different from venue to venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What the entries of a book are known by.
    pub keyed: Keyed,
    /// Where the id of a trade stands; MDEntryID (278) where that is not there.
    pub trade_id_tag: u32,
}

impl Default for Settings {
    /// By level, and TradeID (1003).
    fn default() -> Self {
        Settings { keyed: Keyed::ByLevel, trade_id_tag: tags::TRADE_ID }
    }
}

/// What was read, and what gave no event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages W and X.
    pub messages: u64,
    /// Events given.
    pub events: u64,
    /// Snapshots and entries of instruments that are not ours.
    pub unknown_instrument: u64,
    /// Entries of a book that is not whole.
    pub awaiting_snapshot: u64,
    /// Entries with a number that the snapshot had already.
    pub old: u64,
    /// Entries before which numbers were left out.
    pub gaps: u64,
    /// Messages and entries that could not be read or applied.
    pub faulty: u64,
    /// Fragments of a snapshot of which one could not be read.
    pub torn: u64,
    /// Entries that are no change of a book and no new trade.
    pub other: u64,
}

/// Why a message was not taken as it was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarketDataError {
    /// The first thing that was wrong. The instruments concerned were told `Lost`.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Not W or X.
    #[error("not a snapshot or update of market data")]
    NotMarketData,
}

/// The books of one session of market data, as far as they were heard.
#[derive(Clone, Debug)]
pub struct Books {
    instruments: Instruments,
    pub(super) settings: Settings,
    /// In the order of `instruments`.
    pub(super) heard: Box<[Heard]>,
    pub(super) counters: Counters,
}

/// Of which instrument an entry is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// Nothing has named one.
    Unnamed,
    /// One that is not ours.
    Unknown,
    /// By its place.
    Known(usize),
}

impl Books {
    /// For these instruments. All memory is taken here.
    #[must_use]
    pub fn new(instruments: Instruments, settings: Settings) -> Books {
        let heard = vec![Heard::default(); instruments.len()].into_boxed_slice();
        Books { instruments, settings, heard, counters: Counters::default() }
    }

    /// Takes a message of type W or X. `received` is the stamp of its bytes; it goes into the
    /// events and decides nothing. `sink` must have room for as many events as the message has
    /// fields.
    ///
    /// # Errors
    /// [`MarketDataError`]; what else was in the message has been given.
    pub fn read(
        &mut self,
        message: &Message<'_>,
        received: u64,
        sink: &mut impl Sink,
    ) -> Result<(), MarketDataError> {
        let mut packet = Packet::new(sink, received);
        let outcome = match message.msg_type() {
            msg::MARKET_DATA_SNAPSHOT => self.snapshot(message, &mut packet),
            msg::MARKET_DATA_INCREMENTAL => self.update(message, &mut packet),
            _ => return Err(MarketDataError::NotMarketData),
        };
        self.counters.messages += 1;
        self.counters.events += packet.given;
        Ok(outcome?)
    }

    /// Takes note of a message that the session refused before anybody read it: whatever of ours it
    /// was about is lost.
    pub fn refused(&mut self, message: &Message<'_>, received: u64, sink: &mut impl Sink) {
        let snapshot = message.msg_type() == msg::MARKET_DATA_SNAPSHOT;
        if !snapshot && message.msg_type() != msg::MARKET_DATA_INCREMENTAL {
            return;
        }
        let mut packet = Packet::new(sink, received);
        let goes_on = snapshot && message.get(tags::LAST_FRAGMENT) == Some(b"N");
        self.lose_all(goes_on, &mut packet);
        packet.end(true);
        self.counters.events += packet.given;
    }

    /// The session is down: nothing is known any more. Gives a `Reset` of every instrument.
    pub fn down(&mut self, now: Timestamp, sink: &mut impl Sink) {
        self.heard.fill(Heard::default());
        self.counters.events += 1;
        let flags = EventFlags::LAST;
        sink.event(Event { exchange_time: now, flags, ..Event::new(EventKind::Reset, Event::ALL) });
    }

    /// Messages of the session were left out, and nobody knows of which instruments: gives a `Gap` of
    /// all, if there was a book.
    pub fn missed(&mut self, now: Timestamp, sink: &mut impl Sink) {
        let mut news = false;
        for heard in &mut self.heard {
            news |= heard.miss();
        }
        if news {
            self.counters.gaps += 1;
            self.counters.events += 1;
            let flags = EventFlags::LAST;
            sink.event(Event {
                exchange_time: now,
                flags,
                ..Event::new(EventKind::Gap, Event::ALL)
            });
        }
    }

    /// An instrument's request was refused: it has no book, and nothing comes that would change that.
    pub fn refuse(&mut self, place: usize, now: Timestamp, sink: &mut impl Sink) {
        let mut packet = Packet::new(sink, 0);
        if place < self.heard.len() {
            let (id, _) = self.scale(place);
            if self.heard[place].lose() {
                packet.give(Event { exchange_time: now, ..Event::new(EventKind::Lost, id) });
            }
            self.counters.events += packet.given;
        }
        packet.end(true);
    }

    /// True if every change since a snapshot was read of the instrument at this place of those given
    /// at construction. If not, ask for a snapshot.
    #[must_use]
    pub fn is_whole(&self, place: usize) -> bool {
        self.heard.get(place).is_some_and(|heard| heard.state == State::Whole)
    }

    /// What the requests are written with.
    #[must_use]
    pub const fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    /// What was counted so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    pub(super) fn subject(&self, symbol: &[u8]) -> Subject {
        self.instruments.place(symbol).map_or(Subject::Unknown, Subject::Known)
    }

    /// One instrument is lost.
    pub(super) fn lose<S: Sink>(&mut self, place: usize, packet: &mut Packet<'_, S>) {
        self.counters.faulty += 1;
        let (id, _) = self.scale(place);
        let heard = &mut self.heard[place];
        let order = heard.number();
        if heard.lose() {
            packet.flags = EventFlags::NONE;
            packet.give(Event { order, ..Event::new(EventKind::Lost, id) });
        }
    }

    /// Nobody knows which instrument is lost, and `goes_on` says that a snapshot was broken whose
    /// fragments follow.
    pub(super) fn lose_all<S: Sink>(&mut self, goes_on: bool, packet: &mut Packet<'_, S>) {
        self.counters.faulty += 1;
        let mut news = false;
        for heard in &mut self.heard {
            news |= heard.lose();
            if goes_on {
                heard.tear(false);
            }
        }
        if news {
            packet.give(Event::new(EventKind::Lost, Event::ALL));
        }
    }

    /// Id and quantity digits of an instrument.
    pub(super) fn scale(&self, place: usize) -> (InstrumentId, u32) {
        self.instruments.at(place).map_or((Event::ALL, 0), |entry| (entry.id, entry.qty_digits))
    }
}
