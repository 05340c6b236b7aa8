//! ITCH 5.0 messages of a recording, however they are framed: their events, side entries, instruments
//! and counts. For research, where instruments may be discovered and memory may be taken.

use super::message::HEADER_BYTES;
use super::{DAY, Decoder, Listing, ListingError, Message, Skip, side};
use crate::recording::{Instruments, Log, Options, Unit, Wanted};
use market::{Event, EventKind, InstrumentId, Nanos, Timestamp};
use std::collections::HashSet;

/// See the module.
#[derive(Clone, Debug)]
pub struct Reading {
    decoder: Decoder,
    instruments: Instruments,
    keep_messages: bool,
    /// Messages of before were not seen: books are not whole.
    joined: bool,
    /// Of whose books that was said.
    distrusted: HashSet<InstrumentId>,
}

impl Reading {
    /// Reads what `options` want; stamps count from `base`.
    ///
    /// # Errors
    /// [`ListingError`] if a wanted instrument cannot be spoken of in ITCH.
    pub fn new(options: &Options, base: Timestamp) -> Result<Reading, ListingError> {
        let decoder = match &options.wanted {
            Wanted::All => Decoder::discovering(base),
            Wanted::Only(wanted) => {
                let listings: Vec<Listing> = wanted.iter().map(Listing::from).collect();
                Decoder::new(&listings, base)?
            }
        };
        let instruments = Instruments::new(&options.wanted);
        let (joined, distrusted) = (false, HashSet::new());
        let keep_messages = options.keep_messages;
        Ok(Reading { decoder, instruments, keep_messages, joined, distrusted })
    }

    /// The decoder, for its counters.
    #[must_use]
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Lets the stamps of messages to come count from another midnight.
    pub fn set_base(&mut self, base: Timestamp) {
        self.decoder.set_base(base);
    }

    /// A new session begins, and announces its own locate codes.
    pub fn reset(&mut self) {
        self.decoder.reset();
        self.joined = false;
        self.distrusted.clear();
    }

    /// The session was joined behind its first messages: each book is lost as soon as it changes,
    /// unless the venue opens only then.
    pub fn join(&mut self) {
        self.joined = true;
    }

    /// Every book met was told to be lost: those that are met later are not whole either.
    pub fn lost(&mut self) {
        self.joined = true;
        self.distrusted.extend(self.instruments.all().iter().map(|known| known.id));
    }

    /// The instruments met.
    #[must_use]
    pub fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    /// Adds to `unit` what the message says, which stands at `position`.
    pub fn message(&mut self, message: &[u8], position: u64, unit: &mut Unit, log: &mut Log) {
        if self.keep_messages {
            unit.messages.push(message);
        }
        if let Some(time) = time(message) {
            unit.exchange_time = self.decoder.base().after(time);
        }
        let at = unit.events.len();
        let decoded = self.decoder.decode(message, 0, unit);
        for stock in self.decoder.met().get(self.instruments.all().len()..).unwrap_or_default() {
            // The decoder's numbers and these are the same: both count from 0 as symbols come.
            let _ = self.instruments.resolve(&String::from_utf8_lossy(stock.trim_ascii_end()), 0);
        }
        if self.joined {
            self.distrust(message, at, unit);
        }
        match decoded {
            Ok(()) => self.side(message, unit),
            Err(Skip::Unsubscribed) => {}
            Err(skip) => log.skip(position, skip.text()),
        }
    }

    /// Says that a book is not whole, in front of the first change of it that was seen; `at` is where
    /// the events of the message begin.
    #[cold]
    fn distrust(&mut self, message: &[u8], at: usize, unit: &mut Unit) {
        match message.first() {
            Some(b'A' | b'F' | b'E' | b'C' | b'X' | b'D' | b'U') => {}
            // No order rests before the start of messages, or that of system hours.
            Some(b'S') => {
                let code = message.get(HEADER_BYTES);
                self.joined &= !matches!(code, Some(b'O' | b'S'));
                return;
            }
            _ => return,
        }
        let Some(&[_, high, low]) = message.first_chunk() else { return };
        let instrument = self.decoder.instrument(u16::from_be_bytes([high, low]));
        if let Some(instrument) = instrument.filter(|&id| self.distrusted.insert(id)) {
            let (kind, exchange_time) = (EventKind::Lost, unit.exchange_time);
            let lost = Event { exchange_time, ..Event::new(kind, instrument) };
            unit.events.insert(at.min(unit.events.len()), lost);
        }
    }

    /// What the message says beside its events.
    fn side(&mut self, message: &[u8], unit: &mut Unit) {
        if !side::speaks(message) {
            return;
        }
        let Ok(message) = Message::parse(message) else { return };
        let Some(id) = self.decoder.instrument(message.header().locate) else { return };
        let Some(known) = self.instruments.get(id) else { return };
        if let Some(entry) = side::entry(&message, known, unit.exchange_time) {
            if let market::Said::Definition(definition) = &entry.said {
                let symbol = known.symbol.clone();
                if let Some(known) = self.instruments.resolve(&symbol, 0) {
                    known.definition = Some(definition.clone());
                }
            }
            unit.entry(entry);
        }
    }

    /// Messages by type, in the order of the specification, and those of no type.
    #[must_use]
    pub fn by_type(&self) -> Vec<(String, u64)> {
        let counters = self.decoder.counters();
        let known = Message::TYPES.iter().map(|&kind| (char::from(kind).to_string(), kind));
        let known = known.map(|(name, kind)| (name, counters.by_type(kind)));
        let named: Vec<(String, u64)> = known.filter(|&(_, count)| count > 0).collect();
        let rest = counters.messages() - named.iter().map(|&(_, count)| count).sum::<u64>();
        let unknown = (rest > 0).then(|| ("unknown".to_owned(), rest));
        named.into_iter().chain(unknown).collect()
    }
}

/// The time of day of a message, if it is one.
#[must_use]
pub(crate) fn time(message: &[u8]) -> Option<Nanos> {
    let bytes = message.get(5..HEADER_BYTES)?;
    let time = bytes.iter().fold(0, |time, &byte| time << 8 | u64::from(byte));
    (time < DAY).then_some(Nanos::new(time))
}
