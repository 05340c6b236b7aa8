//! The market data of the bench: a few books, and ticks that move one best bid up and down, so that
//! whoever joins the best bid replaces exactly one order a tick. It sends nothing itself.

use feeds::itch50::Encoder;
use feeds::moldudp64::{PublishError, Publisher, Session};
use market::{
    Event, EventFlags, EventKind, Instrument, InstrumentId, Nanos, Price, Qty, Side, Timestamp,
};

/// Instruments that are listed and quoted.
pub const LISTED: u32 = 5;
/// Levels of each side, and orders of each level.
const LEVELS: i64 = 10;
const ORDERS: i64 = 3;
/// The best bid's lower price and the best ask, in ticks.
const BID: i64 = 10_000;
const ASK: i64 = 10_010;
/// Shares of an order; not those of a quote, which would be taken for our own.
const SHARES: i64 = 300;
/// Into the session day: the venue's time has no meaning for what is measured.
const OPENED: Nanos = Nanos::from_secs(36_000);

/// What is listed.
#[must_use]
pub fn instruments() -> Vec<Instrument> {
    (0..LISTED).map(|id| Instrument::share(id, &format!("TL{id}"))).collect()
}

/// The midnight before `now`.
#[must_use]
pub fn midnight(now: Timestamp) -> Timestamp {
    Timestamp::from_nanos(now.nanos() / Nanos::DAY.get() * Nanos::DAY.get())
}

/// The one order that is the best bid of its instrument.
#[derive(Clone, Copy, Debug, Default)]
struct Best {
    order: u64,
    up: bool,
}

/// One session of market data.
pub struct Market {
    encoder: Encoder,
    publisher: Publisher,
    instruments: Vec<Instrument>,
    time: Timestamp,
    best: Vec<Best>,
    orders: u64,
    ticks: usize,
    /// An order far behind the best price: whose, and its id.
    far: Option<(usize, u64)>,
}

impl Market {
    /// A session of the day of `now`.
    ///
    /// # Panics
    /// Never: its instruments fit ITCH.
    #[must_use]
    pub fn new(now: Timestamp) -> Market {
        let (instruments, midnight) = (instruments(), midnight(now));
        let session = Session::new("BENCH").expect("a session's name");
        Market {
            encoder: Encoder::new(&instruments, midnight).expect("shares fit ITCH"),
            publisher: Publisher::new(session, 1, 1_400, Nanos::SECOND),
            best: vec![Best::default(); instruments.len()],
            instruments,
            time: midnight.after(OPENED),
            orders: 0,
            ticks: 0,
            far: None,
        }
    }

    /// The packets with which the session opens: the directory, and every book.
    ///
    /// # Panics
    /// Never: what it says fits ITCH.
    pub fn opening(&mut self) -> Vec<Vec<u8>> {
        let mut messages: Vec<Vec<u8>> = Vec::new();
        let mut keep = |message: &[u8]| messages.push(message.to_vec());
        self.encoder.directory(self.time, &mut keep).expect("within the day");
        for at in 0..self.instruments.len() {
            for level in 0..LEVELS {
                for nth in 0..ORDERS {
                    self.orders += 2;
                    // The best bid is one order, which the ticks move.
                    if (level, nth) == (0, 0) {
                        self.best[at].order = self.orders;
                    }
                    let ask = self.add(at, Side::Sell, ASK + level, self.orders - 1);
                    self.encoder.encode(&ask, &mut keep).expect("fits ITCH");
                    if level > 0 || nth == 0 {
                        let bid = self.add(at, Side::Buy, BID - level, self.orders);
                        self.encoder.encode(&bid, &mut keep).expect("fits ITCH");
                    }
                }
            }
        }
        self.packets(&messages)
    }

    fn packets(&mut self, messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        for message in messages {
            if self.publisher.push(message) == Err(PublishError::Full) {
                packets.extend(self.publisher.take(self.time).map(<[u8]>::to_vec));
                self.publisher.push(message).expect("an empty packet has room");
            }
        }
        packets.extend(self.publisher.take(self.time).map(<[u8]>::to_vec));
        packets
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

    /// The next tick, a packet of one ITCH Replace: whose best bid moves, where to, and the bytes.
    ///
    /// # Panics
    /// Never: what it says fits ITCH.
    pub fn tick(&mut self) -> (InstrumentId, Price, &[u8]) {
        let at = self.ticks % self.instruments.len();
        self.ticks += 1;
        self.time = self.time.after(Nanos::from_micros(1));
        self.orders += 1;
        let Best { order, up } = self.best[at];
        let next = Best { order: self.orders, up: !up };
        self.best[at] = next;
        let id = self.instruments[at].id;
        let mut first = Event::new(EventKind::Delete, id);
        (first.order, first.exchange_time) = (order, self.time);
        first.flags = first.flags.with(EventFlags::REPLACE);
        let mut second = self.add(at, Side::Buy, BID + i64::from(next.up), next.order);
        second.flags = second.flags.with(EventFlags::REPLACE);
        let publisher = &mut self.publisher;
        let mut push = |message: &[u8]| {
            publisher.push(message).expect("one message fits");
        };
        self.encoder.encode(&first, &mut push).expect("fits ITCH");
        self.encoder.encode(&second, &mut push).expect("fits ITCH");
        let packet = self.publisher.take(self.time).expect("it holds a message");
        (id, second.price, packet)
    }

    /// A packet of one message far behind the best price: an order comes, or goes again.
    ///
    /// # Panics
    /// Never: what it says fits ITCH.
    pub fn quiet(&mut self) -> &[u8] {
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
        let publisher = &mut self.publisher;
        let mut push = |message: &[u8]| {
            publisher.push(message).expect("one message fits");
        };
        self.encoder.encode(&event, &mut push).expect("fits ITCH");
        self.publisher.take(self.time).expect("it holds a message")
    }
}
