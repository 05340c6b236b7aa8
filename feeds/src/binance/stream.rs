//! One symbol: frames in, events out, in the instrument's own scale. The same for recordings and live.

use super::frame::{Kind, Level, Mark, Snapshot, Trade};
use super::join::{Join, Span, Taken, Told};
use crate::cryptofeed::stamp;
use crate::digits::decimal;
use crate::level::{NotANumber, level, price_of};
use market::{
    Event, EventFlags, EventKind, InstrumentId, Nanos, Price, Qty, Side, SideEntry, Sink,
    Statistic, Timestamp,
};

/// Fractional digits of quantities where nothing else is said.
pub const QTY_DIGITS: u32 = 8;
/// The same of what is worth so little that a level may hold billions of it.
pub const QTY_DIGITS_OF_CHEAP: u32 = 4;
/// What that is: prices below 0.0001, where the venue's lots are whole units.
const CHEAP: i64 = 100_000;

/// Frames that say nothing new for so long, by the venue's clock, and whose numbers rise, are of
/// numbers that began anew.
const NOTHING_NEW: Nanos = Nanos::from_secs(10);

/// See the module.
#[derive(Clone, Debug)]
pub struct Stream {
    instrument: InstrumentId,
    qty_digits: u32,
    join: Join,
    /// Venue time of the last depth frame.
    time: Timestamp,
    /// The same of the last that said something new.
    news: Timestamp,
    /// Frames since then, or since the join, that said nothing new: since when they come, and their
    /// highest number.
    old: Option<(Timestamp, u64)>,
    /// Which kind of trades gives events: the one that came first. A symbol may have both, and they
    /// tell the same trades.
    trades: Option<Kind>,
    /// Number of the last trade: another connection may tell it once more.
    last_trade: u64,
}

impl Stream {
    /// A symbol of which nothing is known.
    #[must_use]
    pub fn new(instrument: InstrumentId, qty_digits: u32) -> Stream {
        let (join, time, news) = (Join::new(instrument), Timestamp::ZERO, Timestamp::ZERO);
        let (old, trades) = (None, None);
        Stream { instrument, qty_digits, join, time, news, old, trades, last_trade: 0 }
    }

    /// Which instrument its events name.
    #[must_use]
    pub fn instrument(&self) -> InstrumentId {
        self.instrument
    }

    /// Fractional digits of its quantities.
    #[must_use]
    pub fn qty_digits(&self) -> u32 {
        self.qty_digits
    }

    /// How snapshot and frames stand.
    #[must_use]
    pub fn join(&self) -> &Join {
        &self.join
    }

    /// The same, to change it.
    pub fn join_mut(&mut self) -> &mut Join {
        &mut self.join
    }

    /// A level of this symbol.
    #[inline]
    #[must_use]
    pub fn level(&self, time: Timestamp, side: Side, price: Price, qty: Qty) -> Event {
        let event = Event::new(EventKind::Level, self.instrument).with_side(Some(side));
        Event { exchange_time: time, price, qty, ..event }
    }

    /// A depth frame whose levels are `events` from `from` on.
    #[inline]
    pub fn depth(
        &mut self,
        span: Span,
        time: Timestamp,
        events: &mut Vec<Event>,
        from: usize,
    ) -> Told {
        self.time = time;
        if self.join.is_old(span) {
            if !self.begins_anew(span, time) {
                return self.join.frame(span, events, from);
            }
            (self.news, self.old) = (time, None);
            return self.join.anew(span, events, from);
        }
        (self.news, self.old) = (time, None);
        self.join.frame(span, events, from)
    }

    /// Whether a frame that says nothing new shows that numbers began anew. A single one does not: a
    /// snapshot may have held what the next frame of a quiet symbol tells.
    fn begins_anew(&mut self, span: Span, time: Timestamp) -> bool {
        let Some((since, highest)) = &mut self.old else {
            // Another connection may tell late what was told.
            self.old = Some((time.max(self.news), span.last));
            return false;
        };
        let rises = span.last > *highest;
        *highest = span.last.max(*highest);
        rises && time > since.after(NOTHING_NEW)
    }

    /// Adds the levels of texts. Asks whose price is beyond [`Price`] are left out.
    ///
    /// # Errors
    /// [`NotANumber`]; what was added is taken back.
    pub fn levels(
        &self,
        time: Timestamp,
        sides: [&[Level<'_>]; 2],
        events: &mut Vec<Event>,
    ) -> Result<(), NotANumber> {
        let from = events.len();
        for (side, levels) in Side::BOTH.into_iter().zip(sides) {
            for Level(price, qty) in levels {
                match level(side, price, qty, self.qty_digits) {
                    Ok(Some((price, qty))) => events.push(self.level(time, side, price, qty)),
                    Ok(None) => {}
                    Err(error) => {
                        events.truncate(from);
                        return Err(error);
                    }
                }
            }
        }
        Ok(())
    }

    /// A snapshot; without a time of its own it has that of the last depth frame.
    ///
    /// # Errors
    /// [`NotANumber`]: nothing has changed.
    pub fn snapshot(
        &mut self,
        snapshot: &Snapshot<'_>,
        events: &mut Vec<Event>,
    ) -> Result<Taken, NotANumber> {
        let (from, sides) = (events.len(), [&snapshot.bids[..], &snapshot.asks]);
        self.levels(snapshot.time().unwrap_or(self.time), sides, events)?;
        events[from..].iter_mut().for_each(|event| event.flags = EventFlags::SNAPSHOT);
        let taken = self.join.snapshot(snapshot.last, events, from);
        if taken == Taken::Joined {
            self.old = None;
        }
        Ok(taken)
    }

    /// A depth frame could not be understood.
    pub fn lose(&mut self, events: &mut Vec<Event>) {
        self.join.lose(self.time, events);
    }

    /// What comes next need not follow what came.
    pub fn interrupt(&mut self, events: &mut Vec<Event>) {
        self.last_trade = 0;
        self.join.interrupt(self.time, events);
    }

    /// A trade; false if its kind gives no events because another kind does, or it was told before.
    ///
    /// # Errors
    /// [`NotANumber`].
    pub fn trade(
        &mut self,
        kind: Kind,
        trade: &Trade<'_>,
        out: &mut impl Sink,
    ) -> Result<bool, NotANumber> {
        let price = price_of(&trade.price).ok_or(NotANumber)?;
        let qty = decimal(trade.qty.as_bytes(), self.qty_digits).ok_or(NotANumber)?;
        let id = trade.id(kind);
        if *self.trades.get_or_insert(kind) != kind || id != 0 && id <= self.last_trade {
            return Ok(false);
        }
        self.last_trade = id;
        let resting = if trade.buyer_rested { Side::Buy } else { Side::Sell };
        let event = Event::new(EventKind::Trade, self.instrument).with_side(Some(resting));
        let (exchange_time, order) = (stamp(trade.time), id);
        let qty = Qty::from_raw(qty);
        out.event(Event { exchange_time, order, price, qty, ..event });
        Ok(true)
    }

    /// What a frame of mark prices says; figures that it leaves empty are left out.
    pub fn mark<'a>(&self, mark: &'a Mark<'a>) -> impl Iterator<Item = SideEntry> + use<'a> {
        let figures = [
            ("markPrice", Some(&mark.mark)),
            ("indexPrice", mark.index.as_ref()),
            ("estimatedSettlePrice", mark.settle.as_ref()),
            ("fundingRate", mark.funding.as_ref()),
        ];
        let (instrument, exchange_time) = (self.instrument, stamp(mark.event));
        figures.into_iter().filter_map(move |(name, text)| {
            let price = Some(text?.parse::<Price>().ok()?);
            let said = market::Said::Statistic(Statistic { name, price, qty: None });
            Some(SideEntry { instrument, exchange_time, said })
        })
    }
}

/// Digits of quantities for a symbol of which these prices were the first.
pub fn digits_for<'a>(prices: impl Iterator<Item = &'a str>) -> u32 {
    let highest = prices.filter_map(price_of).map(Price::raw).max();
    if highest.is_some_and(|price| price < CHEAP) { QTY_DIGITS_OF_CHEAP } else { QTY_DIGITS }
}
