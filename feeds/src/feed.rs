//! One ITCH feed: datagrams in, events out. Joins a [`Receiver`] to a [`Decoder`].
//!
//! It marks the last event of each packet with `LAST`, and puts into the stream of events what the
//! receiver learns of it: gaps, recovery, losses, new sessions, and the end of a session as a
//! `Status` of closed, all for [`Event::ALL`]. These and,
//! if wanted, a `Mark` after each packet carry `LAST` too, so that every group of events ends
//! with exactly one. Never gives more than [`Feed::EVENTS_MAX`] events for a datagram, or for a
//! packet drained.

use crate::itch50::{Decoder, Message, side};
use crate::moldudp64::{
    Config, Datagram, FarOff, Handler, Line, MESSAGES_PER_PACKET_MAX, Receiver, Request, Session,
};
use crate::recording::{Instruments, Wanted};
use market::{Event, EventFlags, EventKind, Instrument, SideEntry, Sink, Timestamp, TradingStatus};

/// Datagrams in, events out.
#[derive(Clone, Debug)]
pub struct Feed {
    receiver: Receiver,
    decoder: Decoder,
    marks: bool,
    entries: Option<Entries>,
}

/// What no event can hold, kept for whoever records.
#[derive(Clone, Debug)]
struct Entries {
    instruments: Instruments,
    kept: Vec<SideEntry>,
    /// Slot of the next.
    slot: u64,
}

impl Feed {
    /// Most events that one datagram, or one packet drained, and a poll after it give together: two
    /// for each message, a mark, and what the receiver has to say (a reset, gaps, a loss, a
    /// recovery, the end of the session: at most eight in both).
    pub const EVENTS_MAX: usize = 2 * MESSAGES_PER_PACKET_MAX + 9;

    /// A feed of `decoder`'s instruments. `marks`: end each packet with a `Mark` event that names
    /// the sequence that comes next, for a venue that steps with the engine.
    #[must_use]
    pub fn new(config: Config, decoder: Decoder, marks: bool) -> Feed {
        Feed { receiver: Receiver::new(config), decoder, marks, entries: None }
    }

    /// From now on definitions, reasons of a status and imbalances of these instruments are kept
    /// too: an event of kind `Entry` names the slot of each, counted from 0, where it stands. For
    /// whoever records; it allocates, and a run has no use for it.
    pub fn keep_entries(&mut self, instruments: &[Instrument]) {
        let instruments = Instruments::new(&Wanted::Only(instruments.to_vec()));
        self.entries = Some(Entries { instruments, kept: Vec::new(), slot: 0 });
    }

    /// Gives those that were kept since this was asked last.
    pub fn take_entries(&mut self) -> Vec<SideEntry> {
        self.entries.as_mut().map_or_else(Vec::new, |entries| std::mem::take(&mut entries.kept))
    }

    /// The receiver, for its counters and state.
    #[must_use]
    pub fn receiver(&self) -> &Receiver {
        &self.receiver
    }

    /// The decoder, for its counters.
    #[must_use]
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Takes one datagram. The sink must have room for [`Feed::EVENTS_MAX`].
    #[inline]
    pub fn on_datagram(
        &mut self,
        line: Line,
        datagram: &Datagram<'_>,
        now: Timestamp,
        sink: &mut impl Sink,
    ) {
        let mut adapter = Adapter::new(&mut self.decoder, sink, self.marks, self.entries.as_mut());
        self.receiver.on_datagram(line, datagram, now, &mut adapter);
    }

    /// True if [`Feed::drain`] has something to do; do it before the next datagram is read.
    #[inline]
    #[must_use]
    pub fn pending(&self) -> bool {
        self.receiver.pending()
    }

    /// Gives on at most `packets_max` packets that had come early; says how many. The sink must
    /// have room for [`Feed::EVENTS_MAX`] each.
    pub fn drain(&mut self, packets_max: usize, now: Timestamp, sink: &mut impl Sink) -> usize {
        let mut adapter = Adapter::new(&mut self.decoder, sink, self.marks, self.entries.as_mut());
        self.receiver.drain(packets_max, now, &mut adapter)
    }

    /// Lets time pass; gives what to ask the request server for. The sink must have room for
    /// [`Feed::EVENTS_MAX`].
    #[inline]
    pub fn poll(&mut self, now: Timestamp, sink: &mut impl Sink) -> Option<Request> {
        let mut adapter = Adapter::new(&mut self.decoder, sink, self.marks, self.entries.as_mut());
        self.receiver.poll(now, &mut adapter)
    }

    /// True while only a snapshot can close the gap: [`crate::glimpse::Glimpse`] takes one.
    #[inline]
    #[must_use]
    pub fn awaits_snapshot(&self) -> bool {
        self.receiver.awaits_snapshot()
    }

    /// A snapshot is being asked for.
    pub(crate) fn snapshot_asked(&mut self) {
        self.receiver.snapshot_asked();
    }

    /// A snapshot begins: every book becomes empty, and stays in its gap.
    pub(crate) fn snapshot_begins(&mut self, sink: &mut impl Sink) {
        let (exchange_time, flags) = (self.decoder.exchange_time(), EventFlags::SNAPSHOT);
        let clear = Event::new(EventKind::Clear, Event::ALL);
        sink.event(Event { exchange_time, flags, ..clear });
    }

    /// Takes one message of a snapshot into the group of `sink`: at most two events.
    pub(crate) fn snapshot_message<S: Sink>(
        &mut self,
        message: &[u8],
        received: u64,
        group: &mut Group<'_, S>,
    ) {
        // Skips are counted in the decoder, and the books they concern are not believed.
        let _ = self.decoder.decode(message, received, &mut Snapshot(group));
    }

    /// The snapshot is complete, and messages go on at `next`. At most [`Feed::EVENTS_MAX`] events.
    ///
    /// # Errors
    /// [`FarOff`]: another one is needed.
    pub(crate) fn resume(
        &mut self,
        next: u64,
        now: Timestamp,
        sink: &mut impl Sink,
    ) -> Result<(), FarOff> {
        let mut adapter = Adapter::new(&mut self.decoder, sink, self.marks, self.entries.as_mut());
        self.receiver.resume(next, now, &mut adapter)?;
        // A venue that steps with the engine waits for this mark.
        adapter.packet_end(next, 0);
        Ok(())
    }

    /// There is no snapshot to be had: what is missing is lost. At most [`Feed::EVENTS_MAX`]
    /// events.
    pub(crate) fn give_up(&mut self, now: Timestamp, sink: &mut impl Sink) {
        let mut adapter = Adapter::new(&mut self.decoder, sink, self.marks, self.entries.as_mut());
        self.receiver.give_up(now, &mut adapter);
    }
}

/// Marks events as those of a snapshot.
struct Snapshot<'a, S>(&'a mut S);

impl<S: Sink> Sink for Snapshot<'_, S> {
    fn event(&mut self, mut event: Event) {
        event.flags = event.flags.with(EventFlags::SNAPSHOT);
        self.0.event(event);
    }
}

/// Holds one event back, so that the last of a group can be marked once it is known to be last.
pub(crate) struct Group<'a, S> {
    sink: &'a mut S,
    held: Option<Event>,
}

impl<'a, S: Sink> Group<'a, S> {
    pub(crate) fn new(sink: &'a mut S) -> Self {
        Group { sink, held: None }
    }

    /// Where events go, for what is no part of a group.
    pub(crate) fn sink(&mut self) -> &mut S {
        self.sink
    }

    /// Ends the group: its last event is marked and given on.
    #[inline]
    pub(crate) fn end(&mut self) {
        if let Some(mut last) = self.held.take() {
            last.flags = last.flags.with(EventFlags::LAST);
            self.sink.event(last);
        }
    }
}

impl<S: Sink> Sink for Group<'_, S> {
    #[inline]
    fn event(&mut self, event: Event) {
        if let Some(before) = self.held.replace(event) {
            self.sink.event(before);
        }
    }
}

struct Adapter<'a, S> {
    decoder: &'a mut Decoder,
    group: Group<'a, S>,
    marks: bool,
    entries: Option<&'a mut Entries>,
}

impl<'a, S: Sink> Adapter<'a, S> {
    fn new(
        decoder: &'a mut Decoder,
        sink: &'a mut S,
        marks: bool,
        entries: Option<&'a mut Entries>,
    ) -> Self {
        Adapter { decoder, group: Group::new(sink), marks, entries }
    }

    /// Keeps what a message says beside its events.
    #[cold]
    fn keep(&mut self, message: &[u8], received: u64) {
        let Some(entries) = &mut self.entries else { return };
        let Ok(message) = Message::parse(message) else { return };
        let Some(id) = self.decoder.instrument(message.header().locate) else { return };
        let time = self.decoder.exchange_time();
        let known = entries.instruments.get(id);
        if let Some(entry) = known.and_then(|known| side::entry(&message, known, time)) {
            let named = Event::new(EventKind::Entry, entry.instrument);
            let (exchange_time, order) = (entry.exchange_time, entries.slot);
            self.group.event(Event { exchange_time, received, order, ..named });
            entries.kept.push(entry);
            entries.slot += 1;
        }
    }

    /// A group of one event that concerns the feed as a whole.
    fn tell(&mut self, kind: EventKind, order: u64, aux: u64) {
        let exchange_time = self.decoder.exchange_time();
        let aux = u32::try_from(aux).unwrap_or(u32::MAX);
        self.group.event(Event { exchange_time, order, aux, ..Event::new(kind, Event::ALL) });
        self.group.end();
    }
}

impl<S: Sink> Handler for Adapter<'_, S> {
    #[inline]
    fn message(&mut self, _: u64, message: &[u8], received: u64) {
        // Skips are counted in the decoder.
        let decoded = self.decoder.decode(message, received, &mut self.group);
        if self.entries.is_some() && decoded.is_ok() && side::speaks(message) {
            self.keep(message, received);
        }
    }

    #[inline]
    fn packet_end(&mut self, next: u64, received: u64) {
        if self.marks {
            let exchange_time = self.decoder.exchange_time();
            let mark = Event::new(EventKind::Mark, Event::ALL);
            self.group.event(Event { exchange_time, received, order: next, ..mark });
        }
        self.group.end();
    }

    fn gap(&mut self, first: u64, count: u64) {
        self.tell(EventKind::Gap, first, count);
    }

    fn recovered(&mut self) {
        self.tell(EventKind::Recovered, 0, 0);
    }

    fn lost(&mut self, first: u64, count: u64) {
        self.tell(EventKind::Lost, first, count);
    }

    fn session_reset(&mut self, _: Session) {
        self.decoder.reset();
        self.tell(EventKind::Reset, 0, 0);
    }

    /// Nothing more will come: no book may be quoted on, whether or not the venue's last messages
    /// said so.
    fn end_of_session(&mut self) {
        self.tell(EventKind::Status, 0, u64::from(TradingStatus::Closed as u32));
    }
}
