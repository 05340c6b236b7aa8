//! Books whose best bid is one order, and ticks that move it: whoever joins the best bid replaces
//! exactly one order a tick, at a price that says which tick it was. ITCH messages; nothing is
//! packed or sent here.

use crate::wired::market::{LISTED, Listed, midnight};
use feeds::itch50::Encoder;
use market::{
    Event, EventFlags, EventKind, Instrument, InstrumentId, Nanos, Price, Qty, Side, Timestamp,
};

/// Levels of each side, and orders of each level.
const LEVELS: i64 = 10;
const ORDERS: i64 = 3;
/// The best bid's lowest price, and the best ask above its highest, in ticks.
const BID: i64 = 10_000;
const SPREAD: i64 = 9;
/// Shares of an order; not those of a quote, which would be taken for our own.
const SHARES: i64 = 300;
/// Into the session day: the venue's time has no meaning for what is measured.
const OPENED: Nanos = Nanos::from_secs(36_000);

/// Where messages go.
pub type Push<'a> = &'a mut dyn FnMut(&[u8]);

/// The one order that is the best bid of its instrument, so many ticks above the lowest.
#[derive(Clone, Copy, Debug, Default)]
struct Best {
    order: u64,
    up: i64,
}

/// The last [`LISTED`] instruments of a market, and what stands in their books.
pub struct Marks {
    encoder: Encoder,
    instruments: Vec<Instrument>,
    time: Timestamp,
    best: Vec<Best>,
    /// Prices that the best bid goes through, upwards, before it begins again.
    steps: i64,
    orders: u64,
    ticks: usize,
    /// An order far behind the best price: whose, and its id.
    far: Option<(usize, u64)>,
}

impl Marks {
    /// Marks of the day of `now`, whose orders have ids above `first`; prices come again after
    /// `steps` ticks of an instrument.
    ///
    /// # Panics
    /// Never: a bench's instruments fit ITCH.
    #[must_use]
    pub fn new(now: Timestamp, listed: &Listed, steps: i64, first: u64) -> Marks {
        let midnight = midnight(now);
        let others = listed.instruments.len() - LISTED as usize;
        Marks {
            encoder: Encoder::new(&listed.instruments, midnight).expect("shares fit ITCH"),
            instruments: listed.instruments[others..].to_vec(),
            time: midnight.after(OPENED),
            best: vec![Best::default(); LISTED as usize],
            steps,
            orders: first,
            ticks: 0,
            far: None,
        }
    }

    /// Venue time of the last message.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// What a session opens with: the directory of everything listed, and every book of the marks.
    ///
    /// # Panics
    /// Never: what it says fits ITCH.
    pub fn opening(&mut self, mut push: Push<'_>) {
        self.encoder.directory(self.time, &mut push).expect("within the day");
        for at in 0..self.instruments.len() {
            for level in 0..LEVELS {
                for nth in 0..ORDERS {
                    self.orders += 2;
                    // The best bid is one order, which the ticks move.
                    if (level, nth) == (0, 0) {
                        self.best[at].order = self.orders;
                    }
                    let ask = BID + self.steps + SPREAD - 1 + level;
                    let ask = self.add(at, Side::Sell, ask, self.orders - 1);
                    self.encoder.encode(&ask, &mut push).expect("fits ITCH");
                    if level > 0 || nth == 0 {
                        let bid = self.add(at, Side::Buy, BID - level, self.orders);
                        self.encoder.encode(&bid, &mut push).expect("fits ITCH");
                    }
                }
            }
        }
    }

    fn add(&self, at: usize, side: Side, ticks: i64, order: u64) -> Event {
        let instrument = &self.instruments[at];
        let mut event = Event::new(EventKind::Add, instrument.id).with_side(Some(side));
        event.order = order;
        event.price = Price::from_raw(instrument.tick.raw() * ticks);
        event.qty = Qty::from_raw(SHARES);
        event.exchange_time = self.time;
        event
    }

    /// The next tick, one ITCH Replace: whose best bid moves, and where to.
    ///
    /// # Panics
    /// Never: what it says fits ITCH.
    pub fn tick(&mut self, mut push: Push<'_>) -> (InstrumentId, Price) {
        let at = self.ticks % self.instruments.len();
        self.ticks += 1;
        self.time = self.time.after(Nanos::from_micros(1));
        self.orders += 1;
        let Best { order, up } = self.best[at];
        let next = Best { order: self.orders, up: (up + 1) % self.steps };
        self.best[at] = next;
        let id = self.instruments[at].id;
        let mut first = Event::new(EventKind::Delete, id);
        (first.order, first.exchange_time) = (order, self.time);
        first.flags = first.flags.with(EventFlags::REPLACE);
        let mut second = self.add(at, Side::Buy, BID + next.up, next.order);
        second.flags = second.flags.with(EventFlags::REPLACE);
        self.encoder.encode(&first, &mut push).expect("fits ITCH");
        self.encoder.encode(&second, &mut push).expect("fits ITCH");
        (id, second.price)
    }

    /// A message far behind the best price: an order comes, or goes again.
    ///
    /// # Panics
    /// Never: what it says fits ITCH.
    pub fn quiet(&mut self, mut push: Push<'_>) {
        let at = self.ticks % self.instruments.len();
        self.time = self.time.after(Nanos::from_micros(1));
        let event = match self.far.take() {
            Some((at, order)) => {
                let mut event = Event::new(EventKind::Delete, self.instruments[at].id);
                (event.order, event.exchange_time) = (order, self.time);
                self.ticks += 1;
                event
            }
            None => {
                self.orders += 1;
                self.far = Some((at, self.orders));
                self.add(at, Side::Buy, BID - LEVELS + 1, self.orders)
            }
        };
        self.encoder.encode(&event, &mut push).expect("fits ITCH");
    }
}
