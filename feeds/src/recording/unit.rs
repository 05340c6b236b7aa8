//! What a recording gives at once. Holds and decides nothing.

use market::{Event, EventFlags, EventKind, SideEntry, Sink, Timestamp};

/// What arrived together: a message, a packet, a line, a record. Reused, so that reading allocates
/// only while units grow.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    /// Bytes of the unpacked content before it.
    pub position: u64,
    /// Time by the venue's clock; zero if the unit has none.
    pub exchange_time: Timestamp,
    /// When whoever recorded it received it; zero if the recording does not say.
    pub received: Timestamp,
    /// Its events. The last one carries `LAST`; `received` of each is in nanoseconds of UTC.
    pub events: Vec<Event>,
    /// Its side entries, which events of kind `Entry` name by slot.
    pub side: Vec<SideEntry>,
    /// ITCH 5.0 messages that it is made of, if they were asked for.
    pub messages: Messages,
    /// Slot of the first entry of `side`.
    first_slot: u64,
}

impl Unit {
    /// Empties it for the unit that stands at `position`. Slots count on.
    pub fn begin(&mut self, position: u64) {
        self.first_slot += self.side.len() as u64;
        self.events.clear();
        self.side.clear();
        self.messages.clear();
        self.position = position;
        (self.exchange_time, self.received) = (Timestamp::ZERO, Timestamp::ZERO);
    }

    /// Adds a side entry, and the event that names it.
    pub fn entry(&mut self, entry: SideEntry) {
        let order = self.first_slot + self.side.len() as u64;
        let event = Event::new(EventKind::Entry, entry.instrument);
        self.events.push(Event { exchange_time: entry.exchange_time, order, ..event });
        self.side.push(entry);
    }

    /// The side entry of a slot, if it is of this unit.
    #[must_use]
    pub fn side_entry(&self, slot: u64) -> Option<&SideEntry> {
        self.side.get(usize::try_from(slot.checked_sub(self.first_slot)?).ok()?)
    }

    /// Its place in time: when it was received, or the venue's time where the recording does not
    /// say; zero if it has neither.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        if self.received == Timestamp::ZERO { self.exchange_time } else { self.received }
    }

    /// True if there is neither an event nor a time in it.
    #[must_use]
    pub fn says_nothing(&self) -> bool {
        let times = [self.exchange_time, self.received];
        self.events.is_empty() && times == [Timestamp::ZERO; 2]
    }

    /// The unit is whole: its events get their receive time, and the last of them is marked.
    pub fn end(&mut self) {
        let received = self.received.nanos();
        self.events.iter_mut().for_each(|event| event.received = received);
        if let Some(last) = self.events.last_mut() {
            last.flags = last.flags.with(EventFlags::LAST);
        }
    }
}

impl Sink for Unit {
    #[inline]
    fn event(&mut self, event: Event) {
        self.events.push(event);
    }
}

/// Messages, one behind the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Messages {
    /// Adds a message.
    pub fn push(&mut self, message: &[u8]) {
        self.bytes.extend_from_slice(message);
        self.ends.push(self.bytes.len());
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True if there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Each in turn.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.bytes[start..end])
    }

    /// Drops them all.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}
