//! ITCH 5.0 messages to market events.
//!
//! Every message is counted by its type; one that gives no event because something is wrong with
//! it, or because nobody subscribed to its instrument, is counted by reason as well. A message
//! that would have changed a subscribed book but could not be understood becomes a `Lost` event
//! of that instrument, so that the book is not quoted on. Never keeps order state: that is the
//! book's.
//!
//! | message | events |
//! |---|---|
//! | R | none: binds locate to instrument |
//! | A, F | `Add` |
//! | E | `Execute` |
//! | C | `Execute` with `PRICED`, and `NON_PRINTABLE` if not printable |
//! | X | `Reduce` |
//! | D | `Delete` |
//! | U | `Delete` with `REPLACE`, then `Add` with `REPLACE` and no side |
//! | P | `Trade`, match number in `order`; no side, since the field says B for all |
//! | Q | `Trade` with `CROSS`; none if nothing crossed |
//! | H | `Status`: T trading, Q auction, all else halted |
//! | h | `Status`: halted while any market code says so, then what H last said |
//! | S | M, E and C: `Status` closed for all instruments. O, S and Q: none, since H says when an instrument trades and Q must not wake one that is halted |
//! | the rest | none: counted |

use super::counters::{DecoderCounters, Skip};
use super::directory::{Directory, Slot};
use super::message::{
    AddAttributed, AddOrder, Canceled, CrossTrade, Deleted, Executed, ExecutedPriced, Header,
    OperationalHalt, Replaced, StockDirectory, SystemEvent, Trade, TradingAction, length,
};
use super::{DAY, Listing, ListingError, PRICE_MAX, PRICE_UNIT};
use market::{Event, EventFlags, EventKind, Price, Qty, Side, Sink, Timestamp, TradingStatus};

/// Turns messages into events; see the module's table.
///
/// ```
/// use feeds::itch50::{Decoder, Listing};
/// use market::{Event, InstrumentId, Timestamp};
/// let arl = Listing { symbol: "ARL".into(), instrument: InstrumentId(0), qty_digits: 0 };
/// let mut decoder = Decoder::new(&[arl], Timestamp::ZERO).unwrap();
/// let mut events: Vec<Event> = Vec::new();
/// // End of market hours, at one nanosecond past midnight.
/// decoder.decode(b"S\0\0\0\0\0\0\0\0\0\x01M", 0, &mut events).unwrap();
/// assert_eq!(events.len(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct Decoder {
    directory: Directory,
    base: Timestamp,
    /// Latest time of day seen.
    time: u64,
    counters: DecoderCounters,
}

impl Decoder {
    /// A decoder of the messages of `listings`. `base` is midnight, in UTC, of the session day in
    /// the venue's own time: stamps count from it.
    ///
    /// # Errors
    /// [`ListingError`] if a symbol does not fit ITCH or stands twice.
    pub fn new(listings: &[Listing], base: Timestamp) -> Result<Decoder, ListingError> {
        let directory = Directory::new(listings)?;
        Ok(Decoder { directory, base, time: 0, counters: DecoderCounters::default() })
    }

    /// A decoder of the messages of every instrument, which are numbered from 0 as they are met;
    /// their quantities count shares. For research: it keeps a symbol for each.
    #[must_use]
    pub fn discovering(base: Timestamp) -> Decoder {
        let (directory, counters) = (Directory::discovering(), DecoderCounters::default());
        Decoder { directory, base, time: 0, counters }
    }

    /// The stock fields that were met, by instrument; empty unless it discovers.
    #[must_use]
    pub fn met(&self) -> &[[u8; 8]] {
        self.directory.met()
    }

    /// The instrument that a locate code stands for now, if events are given of it.
    #[must_use]
    pub fn instrument(&self, locate: u16) -> Option<market::InstrumentId> {
        self.directory.instrument(locate)
    }

    /// The midnight that stamps count from.
    #[must_use]
    pub fn base(&self) -> Timestamp {
        self.base
    }

    /// Lets the stamps of messages to come count from another midnight.
    pub fn set_base(&mut self, base: Timestamp) {
        self.base = base;
    }

    /// What was seen.
    #[must_use]
    pub fn counters(&self) -> &DecoderCounters {
        &self.counters
    }

    /// The latest time seen, by the venue's clock; the base before the first message.
    #[must_use]
    pub fn exchange_time(&self) -> Timestamp {
        self.base.after(market::Nanos::new(self.time))
    }

    /// Forgets the directory and the time: a new session announces its own.
    pub fn reset(&mut self) {
        self.directory.reset();
        self.time = 0;
    }

    /// Decodes one message. `received` is the raw TSC of its packet. Gives at most two events;
    /// `LAST` is for whoever knows packets to set.
    ///
    /// # Errors
    /// [`Skip`], already counted, if the message could not be used.
    #[inline]
    pub fn decode(
        &mut self,
        message: &[u8],
        received: u64,
        sink: &mut impl Sink,
    ) -> Result<(), Skip> {
        let time = self.time;
        let result = self.dispatch(message, received, sink);
        if let Err(skip) = result {
            self.counters.skipped[skip as usize] += 1;
            if !matches!(skip, Skip::Unsubscribed | Skip::UnknownLocate | Skip::UnknownType) {
                // It tells no time either: whoever waits for the present would find it.
                self.time = time;
                self.distrust(message, received, sink);
            }
        }
        result
    }

    #[inline]
    fn dispatch(
        &mut self,
        message: &[u8],
        received: u64,
        sink: &mut impl Sink,
    ) -> Result<(), Skip> {
        let &kind = message.first().ok_or(Skip::BadLength)?;
        self.counters.by_type[usize::from(kind)] += 1;
        match kind {
            AddOrder::TYPE => {
                let m = AddOrder::read(message).ok_or(Skip::BadLength)?;
                self.add(&m, received, sink)
            }
            AddAttributed::TYPE => {
                let m = AddAttributed::read(message).ok_or(Skip::BadLength)?;
                let AddAttributed { header, order, side, shares, stock, price, .. } = m;
                self.add(&AddOrder { header, order, side, shares, stock, price }, received, sink)
            }
            Deleted::TYPE => {
                let m = Deleted::read(message).ok_or(Skip::BadLength)?;
                let (event, _) = self.subject(m.header, None, received)?;
                self.give(Event { order: m.order, ..event.with_kind(EventKind::Delete) }, sink)
            }
            Replaced::TYPE => {
                let m = Replaced::read(message).ok_or(Skip::BadLength)?;
                self.replaced(&m, received, sink)
            }
            Executed::TYPE => {
                let m = Executed::read(message).ok_or(Skip::BadLength)?;
                let (event, share) = self.subject(m.header, None, received)?;
                let qty = qty(m.shares, share)?;
                let event = event.with_kind(EventKind::Execute);
                self.give(Event { order: m.order, qty, ..event }, sink)
            }
            Canceled::TYPE => {
                let m = Canceled::read(message).ok_or(Skip::BadLength)?;
                let (event, share) = self.subject(m.header, None, received)?;
                let qty = qty(m.shares, share)?;
                let event = event.with_kind(EventKind::Reduce);
                self.give(Event { order: m.order, qty, ..event }, sink)
            }
            ExecutedPriced::TYPE => {
                let m = ExecutedPriced::read(message).ok_or(Skip::BadLength)?;
                self.executed_priced(&m, received, sink)
            }
            Trade::TYPE => {
                let m = Trade::read(message).ok_or(Skip::BadLength)?;
                self.trade(&m, received, sink)
            }
            _ => self.rare(kind, message, received, sink),
        }
    }

    /// An event of the header's instrument and time, its kind yet to be set, and the raw units of
    /// one share. `stock` lets a feed that was joined late learn a locate without its directory.
    #[inline]
    fn subject(
        &mut self,
        header: Header,
        stock: Option<&[u8; 8]>,
        received: u64,
    ) -> Result<(Event, i64), Skip> {
        let exchange_time = self.stamp(header.time)?;
        let Slot { instrument, share, .. } = self.directory.slot(header.locate, stock)?;
        let event = Event { exchange_time, received, ..Event::new(EventKind::Add, instrument) };
        Ok((event, share))
    }

    /// The time of a message. One that lies before an earlier message's is counted and believed.
    #[inline]
    fn stamp(&mut self, time: u64) -> Result<Timestamp, Skip> {
        if time >= DAY {
            return Err(Skip::BadTime);
        }
        if time < self.time {
            self.counters.time_backwards += 1;
        } else {
            self.time = time;
        }
        Ok(self.base.after(market::Nanos::new(time)))
    }

    #[inline]
    fn give(&mut self, event: Event, sink: &mut impl Sink) -> Result<(), Skip> {
        self.counters.events += 1;
        sink.event(event);
        Ok(())
    }

    #[inline]
    fn add(&mut self, m: &AddOrder, received: u64, sink: &mut impl Sink) -> Result<(), Skip> {
        let (event, share) = self.subject(m.header, Some(&m.stock), received)?;
        // Half of all orders buy: a branch between the two would be guessed wrong as often.
        let side = u8::from(m.side == b'B') + 2 * u8::from(m.side == b'S');
        let side = Side::from_byte(side).ok_or(Skip::BadSide)?;
        let (qty, price) = (qty(m.shares, share)?, price(m.price)?);
        let event = event.with_kind(EventKind::Add).with_side(Some(side));
        self.give(Event { order: m.order, price, qty, ..event }, sink)
    }

    #[inline]
    fn replaced(&mut self, m: &Replaced, received: u64, sink: &mut impl Sink) -> Result<(), Skip> {
        let (event, share) = self.subject(m.header, None, received)?;
        let (qty, price) = (qty(m.shares, share)?, price(m.price)?);
        let event = Event { flags: EventFlags::REPLACE, ..event };
        self.give(Event { order: m.order, ..event.with_kind(EventKind::Delete) }, sink)?;
        let event = event.with_kind(EventKind::Add);
        self.give(Event { order: m.new_order, price, qty, ..event }, sink)
    }

    fn executed_priced(
        &mut self,
        m: &ExecutedPriced,
        received: u64,
        sink: &mut impl Sink,
    ) -> Result<(), Skip> {
        let (event, share) = self.subject(m.header, None, received)?;
        let (qty, price) = (qty(m.shares, share)?, price(m.price)?);
        let flags = if m.printable == b'N' {
            EventFlags::PRICED.with(EventFlags::NON_PRINTABLE)
        } else {
            EventFlags::PRICED
        };
        let event = event.with_kind(EventKind::Execute);
        self.give(Event { order: m.order, price, qty, flags, ..event }, sink)
    }

    fn trade(&mut self, m: &Trade, received: u64, sink: &mut impl Sink) -> Result<(), Skip> {
        let (event, share) = self.subject(m.header, Some(&m.stock), received)?;
        let (qty, price) = (qty(m.shares, share)?, price(m.price)?);
        let event = event.with_kind(EventKind::Trade);
        self.give(Event { order: m.match_number, price, qty, ..event }, sink)
    }

    /// Everything that comes a few times a day, or that no book needs.
    #[inline(never)]
    fn rare(
        &mut self,
        kind: u8,
        message: &[u8],
        received: u64,
        sink: &mut impl Sink,
    ) -> Result<(), Skip> {
        match kind {
            StockDirectory::TYPE => {
                let m = StockDirectory::read(message).ok_or(Skip::BadLength)?;
                self.stamp(m.header.time)?;
                self.directory.bind(m.header.locate, &m.stock)
            }
            CrossTrade::TYPE => {
                let m = CrossTrade::read(message).ok_or(Skip::BadLength)?;
                self.cross(&m, received, sink)
            }
            TradingAction::TYPE => {
                let m = TradingAction::read(message).ok_or(Skip::BadLength)?;
                let (event, _) = self.subject(m.header, Some(&m.stock), received)?;
                // A state that the specification does not know is none to trade in.
                let status = match m.trading_state {
                    b'T' => TradingStatus::Trading,
                    b'Q' => TradingStatus::Auction,
                    _ => TradingStatus::Halted,
                };
                let status = self.directory.set_status(m.header.locate, status);
                let event = event.with_kind(EventKind::Status);
                self.give(Event { aux: status as u32, ..event }, sink)
            }
            OperationalHalt::TYPE => {
                let m = OperationalHalt::read(message).ok_or(Skip::BadLength)?;
                let (event, _) = self.subject(m.header, Some(&m.stock), received)?;
                let resumed = m.action == b'T';
                let status = self.directory.set_halt(m.header.locate, m.market_code, resumed);
                let event = event.with_kind(EventKind::Status);
                self.give(Event { aux: status as u32, ..event }, sink)
            }
            SystemEvent::TYPE => {
                let m = SystemEvent::read(message).ok_or(Skip::BadLength)?;
                let exchange_time = self.stamp(m.header.time)?;
                if !matches!(m.event_code, b'M' | b'E' | b'C') {
                    return Ok(());
                }
                let event =
                    Event { exchange_time, received, ..Event::new(EventKind::Status, Event::ALL) };
                self.give(Event { aux: TradingStatus::Closed as u32, ..event }, sink)
            }
            _ => match length(kind) {
                Some(length) if length == message.len() => Ok(()),
                Some(_) => Err(Skip::BadLength),
                None => Err(Skip::UnknownType),
            },
        }
    }

    fn cross(&mut self, m: &CrossTrade, received: u64, sink: &mut impl Sink) -> Result<(), Skip> {
        let (event, share) = self.subject(m.header, Some(&m.stock), received)?;
        if m.shares == 0 {
            return Ok(()); // Nothing crossed: said daily of most instruments.
        }
        let raw = i64::try_from(m.shares).ok().and_then(|shares| shares.checked_mul(share));
        let qty = Qty::from_raw(raw.ok_or(Skip::BadQuantity)?);
        let price = price(m.price)?;
        let event = Event { flags: EventFlags::CROSS, ..event.with_kind(EventKind::Trade) };
        self.give(Event { order: m.match_number, price, qty, ..event }, sink)
    }

    /// A message that should have changed a book was dropped: the book must not be believed.
    #[cold]
    fn distrust(&mut self, message: &[u8], received: u64, sink: &mut impl Sink) {
        let Some(&[kind, high, low]) = message.first_chunk() else { return };
        let slot = self.directory.slot(u16::from_be_bytes([high, low]), None);
        if let (b'A' | b'F' | b'E' | b'C' | b'X' | b'D' | b'U', Ok(slot)) = (kind, slot) {
            let event = Event::new(EventKind::Lost, slot.instrument);
            let exchange_time = self.exchange_time();
            self.counters.events += 1;
            sink.event(Event { exchange_time, received, aux: 1, ..event });
        }
    }
}

/// Shares in the instrument's own units. At most 2^32 × 10^9 raw units: no overflow.
#[inline]
fn qty(shares: u32, share: i64) -> Result<Qty, Skip> {
    if shares == 0 {
        return Err(Skip::ZeroShares);
    }
    Ok(Qty::from_raw(i64::from(shares) * share))
}

#[inline]
fn price(price: u32) -> Result<Price, Skip> {
    if price == 0 || price > PRICE_MAX {
        return Err(Skip::BadPrice);
    }
    Ok(Price::from_raw(i64::from(price) * PRICE_UNIT))
}
