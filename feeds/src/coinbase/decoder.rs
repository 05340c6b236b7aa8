//! Frames of several products to events: what recordings and live feeds share. Asks nobody for a
//! snapshot.
//!
//! It keeps books by level or by order, as its first frame about a book has it; frames of the
//! other kind are counted only.

use super::frame::{
    Advanced, Frame, Kind, L2Event, Order, RestBook, Snapshot, TradesEvent, Unread, Update, side,
};
use super::levels::Levels;
use super::orders::{Act, Orders, Taken, Told, order_of};
use crate::digits::decimal;
use crate::frames::{NO_SNAPSHOT, NOT_NEEDED, OTHER_BOOKS};
use crate::level::{level, price_of, time};
use crate::recording::{Books, Instruments, Log, Missing, Unit, Wanted};
use market::{Event, EventKind, InstrumentId, Price, Qty, Side, Timestamp};
use std::collections::BTreeMap;

/// Fractional digits of sizes, and those of what is so cheap that a level may hold billions.
const QTY_DIGITS: u32 = 8;
const QTY_DIGITS_OF_CHEAP: u32 = 6;
const CHEAP: Price = Price::from_raw(100_000);

const NO_NUMBER: &str = "a price, size, side or time is none or does not fit";
const NO_ORDER: &str = "a message about an order that names none";
const CONTRADICTION: &str = "a message that the book contradicts";
const CAME_BEFORE: &str = "a frame whose number came before";
const UNPROVED: &str = "no number shows whether something is missing between";
const TOO_EARLY: &str = "a snapshot is older than the messages that were held";

/// One product.
struct Product {
    id: InstrumentId,
    qty_digits: u32,
    levels: Levels,
    /// Its levels are told by Advanced Trade, whose frames have numbers.
    numbered: bool,
    /// They go on from another file, and no snapshot has come in this one.
    unproved: bool,
    orders: Orders,
}

/// See the module.
pub(crate) struct Decoder {
    pub(super) instruments: Instruments,
    products: BTreeMap<u32, Product>,
    /// Which books are kept; `None` until a frame tells.
    pub(super) books: Option<Books>,
    /// Number of the last frame of Advanced Trade on this connection.
    number: Option<u64>,
    /// Number of the last frame that was told again, and the latest time of any.
    again: Option<u64>,
    sent: Timestamp,
    /// Venue time of the last frame: snapshots of Exchange have none.
    time: Timestamp,
    /// The same in the file before.
    before: Timestamp,
}

type Done = Result<(), &'static str>;

impl Decoder {
    pub(crate) fn new(wanted: &Wanted) -> Decoder {
        Decoder {
            instruments: Instruments::new(wanted),
            products: BTreeMap::new(),
            books: None,
            number: None,
            again: None,
            sent: Timestamp::ZERO,
            time: Timestamp::ZERO,
            before: Timestamp::ZERO,
        }
    }

    /// A frame: its events go into `unit`. Gives its kind.
    ///
    /// # Errors
    /// Why nobody can understand it; a book that it may have changed is lost then.
    pub(crate) fn frame(
        &mut self,
        json: &[u8],
        unit: &mut Unit,
        log: &mut Log,
    ) -> Result<Kind, &'static str> {
        let frame = Frame::parse(json).map_err(|unread| {
            self.unread(&unread, unit);
            "no frame of the venue, or one that lacks something"
        })?;
        let (kind, done) = match &frame {
            Frame::Snapshot(snapshot) => (Kind::Snapshot, self.snapshot(snapshot, unit)),
            Frame::Update(update) => (Kind::L2Update, self.update(update, unit, log)),
            Frame::Order(kind, order) => (*kind, self.order(*kind, order, unit, log)),
            Frame::L2Data(frame) => (Kind::L2Data, self.l2_data(frame, unit, log)),
            Frame::MarketTrades(frame) => {
                (Kind::MarketTrades, self.market_trades(frame, unit, log))
            }
            Frame::Numbered(kind, number, sent) => {
                (*kind, self.numbered(*number, sent.as_deref(), unit, log))
            }
            Frame::Counted(kind) => (*kind, Ok(())),
        };
        if let Err(reason) = done {
            log.skip(unit.position, reason);
        }
        Ok(kind)
    }

    /// The product of a symbol; a new one has a scale that suits its price.
    fn product(&mut self, symbol: &str, price: &str) -> Option<&mut Product> {
        let cheap = price_of(price).is_some_and(|price| price < CHEAP);
        let digits = if cheap { QTY_DIGITS_OF_CHEAP } else { QTY_DIGITS };
        let known = self.instruments.resolve(symbol, digits)?;
        let (id, qty_digits) = (known.id, known.qty_digits);
        Some(self.products.entry(id.0).or_insert_with(|| Product {
            id,
            qty_digits,
            levels: Levels::new(id, qty_digits),
            numbered: false,
            unproved: false,
            orders: Orders::new(id),
        }))
    }

    /// Keeps these books from the start, and makes place for a product that is wanted.
    pub(super) fn expect(&mut self, symbol: &str, books: Books) {
        self.books = Some(books);
        self.product(symbol, "");
    }

    /// What is expected of a product need not follow what came.
    pub(super) fn interrupt(&mut self, id: InstrumentId, events: &mut Vec<Event>) {
        let by_order = self.books == Some(Books::ByOrder);
        match self.products.get_mut(&id.0) {
            Some(product) if by_order => product.orders.interrupt(events),
            Some(product) => product.levels.interrupt(events),
            None => {}
        }
    }

    /// Messages by order of all products that wait for a snapshot.
    pub(super) fn waiting(&self) -> u64 {
        self.products.values().map(|product| product.orders.waiting()).sum()
    }

    /// True if a product needs a snapshot.
    pub(super) fn is_waiting(&self, id: InstrumentId) -> bool {
        let by_order = self.books == Some(Books::ByOrder);
        self.products.get(&id.0).is_some_and(|product| match by_order {
            true => !product.orders.is_joined(),
            false => !product.levels.is_joined(),
        })
    }

    /// True if these are the books that are kept.
    fn keeps(&mut self, books: Books) -> Result<(), &'static str> {
        if *self.books.get_or_insert(books) == books { Ok(()) } else { Err(OTHER_BOOKS) }
    }

    fn at(&mut self, text: &str, unit: &mut Unit) -> Result<Timestamp, &'static str> {
        let time = time(text).ok_or(NO_NUMBER)?;
        (self.time, unit.exchange_time) = (time, time);
        Ok(time)
    }

    /// A connection ends what the one before said.
    pub(super) fn connected(&mut self, unit: &mut Unit) {
        (self.number, self.again) = (None, None);
        for product in self.products.values_mut() {
            product.levels.gap(&mut unit.events);
            product.orders.gap(0, 0, &mut unit.events);
        }
    }

    /// What comes now is of another file. Levels of Exchange have no number that goes on.
    pub(super) fn in_another_file(&mut self) {
        self.before = self.time;
        for product in self.products.values_mut() {
            product.unproved = !product.numbered && product.levels.is_joined();
        }
    }

    fn snapshot(&mut self, snapshot: &Snapshot, unit: &mut Unit) -> Done {
        self.keeps(Books::ByLevel)?;
        let time = snapshot.time.as_ref().map_or(Ok(self.time), |time| self.at(time, unit));
        let best = snapshot.bids.first().or(snapshot.asks.first());
        let best = best.map_or("", |level| &level.0);
        let Some(product) = self.product(&snapshot.product_id, best) else { return Ok(()) };
        let Ok(time) = time else {
            product.levels.lose(Timestamp::ZERO, &mut unit.events);
            return Err(NO_NUMBER);
        };
        (product.numbered, product.unproved) = (false, false);
        let sides = [(Side::Buy, &snapshot.bids), (Side::Sell, &snapshot.asks)];
        let all = sides.iter().flat_map(|(side, levels)| {
            levels.iter().map(|(price, size)| (Some(*side), price.as_str(), size.as_str()))
        });
        product.levels.snapshot(time, all, &mut unit.events).map_err(|_| NO_NUMBER)
    }

    fn update(&mut self, update: &Update, unit: &mut Unit, log: &mut Log) -> Done {
        self.keeps(Books::ByLevel)?;
        let before = self.before;
        let time = update.time.as_ref().map_or(Ok(self.time), |time| self.at(time, unit));
        let first = update.changes.first().map_or("", |change| &change.1);
        let Some(product) = self.product(&update.product_id, first) else { return Ok(()) };
        let Ok(time) = time else {
            product.levels.lose(Timestamp::ZERO, &mut unit.events);
            return Err(NO_NUMBER);
        };
        if std::mem::take(&mut product.unproved) {
            let (name, later) = (&update.product_id, time.since(before).as_secs_f64());
            log.seam(unit.position, format!("{name}: {later:.3} s later; {UNPROVED}"));
        }
        let changes = update.changes.iter();
        let changes =
            changes.map(|(word, price, size)| (side(word), price.as_str(), size.as_str()));
        match product.levels.update(time, changes, &mut unit.events) {
            Ok(true) => Ok(()),
            Ok(false) => Err(NO_SNAPSHOT),
            Err(_) => Err(NO_NUMBER),
        }
    }

    /// A message of the full channel; of a match it may be that of the matches channel.
    fn order(&mut self, kind: Kind, order: &Order, unit: &mut Unit, log: &mut Log) -> Done {
        if kind != Kind::Match {
            self.keeps(Books::ByOrder)?;
        }
        let by_order = self.books == Some(Books::ByOrder);
        let time = self.at(&order.time, unit);
        let price = order.price.as_deref().unwrap_or_default();
        let Some(product) = self.product(&order.product_id, price) else { return Ok(()) };
        let act = time.and_then(|time| Ok((time, act(kind, order, product.qty_digits)?)));
        let (time, act) = match act {
            Ok(act) => act,
            Err(reason) => {
                if by_order {
                    product.orders.lose(unit.exchange_time, &mut unit.events);
                }
                return Err(reason);
            }
        };
        if !by_order {
            if let Act::Match { side, price, qty, trade, .. } = act {
                let event = Event::new(EventKind::Trade, product.id).with_side(Some(side));
                let event = Event { exchange_time: time, order: trade, price, qty, ..event };
                unit.events.push(event);
            }
            return Ok(());
        }
        match product.orders.message(order.sequence, time, act, &mut unit.events) {
            Told::Gap(first, count) => {
                let (position, stream) = (unit.position, order.product_id.clone());
                log.gap(|| Missing { position, stream, first, count });
                Ok(())
            }
            Told::Contradiction => Err(CONTRADICTION),
            Told::Applied | Told::Held | Told::Old => Ok(()),
        }
    }

    /// A book by order that REST gave.
    ///
    /// # Errors
    /// Why it is of no use.
    pub(crate) fn rest_book(
        &mut self,
        product: &str,
        body: &[u8],
        unit: &mut Unit,
    ) -> Result<(), &'static str> {
        let book: RestBook = serde_json::from_slice(body).map_err(|_| "a book that is none")?;
        self.keeps(Books::ByOrder)?;
        let best = book.bids.first().or(book.asks.first()).map_or("", |order| &order.0);
        let Some(product) = self.product(product, best) else { return Ok(()) };
        let digits = product.qty_digits;
        let sides = [(Side::Buy, &book.bids), (Side::Sell, &book.asks)];
        let all = sides.iter().flat_map(|(side, orders)| orders.iter().map(|o| (*side, o)));
        let mut resting = Vec::new();
        for (side, (price, size, id)) in all {
            let order = order_of(id).ok_or(NO_ORDER)?;
            // An ask beyond the range of prices is left out.
            if let Some((price, qty)) = level(side, price, size, digits).map_err(|_| NO_NUMBER)? {
                resting.push((order, side, price, some(qty)?));
            }
        }
        match product.orders.snapshot(book.sequence, &resting, &mut unit.events) {
            Taken::Joined => Ok(()),
            Taken::TooEarly => Err(TOO_EARLY),
            Taken::NotNeeded => Err(NOT_NEEDED),
            Taken::Contradiction => Err(CONTRADICTION),
        }
    }

    /// The number of a frame of Advanced Trade: those of one connection follow each other. Lower ones
    /// that were sent later, or that go on upward, are of a connection that the recorder does not tell.
    ///
    /// # Errors
    /// It came before: the frame is not to be applied again.
    fn numbered(
        &mut self,
        number: u64,
        sent: Option<&str>,
        unit: &mut Unit,
        log: &mut Log,
    ) -> Done {
        let sent = sent.and_then(time);
        let later = sent.is_some_and(|sent| sent > self.sent);
        self.sent = self.sent.max(sent.unwrap_or_default());
        let last = match self.number {
            Some(last) if number > last => last,
            Some(_) if number > 0 && !later && self.again.is_none_or(|again| number <= again) => {
                self.again = Some(number);
                return Err(CAME_BEFORE);
            }
            known => {
                if known.is_some() {
                    self.connected(unit);
                }
                self.number = Some(number);
                return Ok(());
            }
        };
        (self.number, self.again) = (Some(number), None);
        let (first, count) = (last + 1, number - last - 1);
        if count > 0 {
            let (position, stream) = (unit.position, "connection".to_owned());
            log.gap(|| Missing { position, stream, first, count });
            self.products.values_mut().for_each(|product| product.levels.gap(&mut unit.events));
        }
        Ok(())
    }

    fn l2_data(&mut self, frame: &Advanced<L2Event>, unit: &mut Unit, log: &mut Log) -> Done {
        self.numbered(frame.sequence_num, Some(&frame.timestamp), unit, log)?;
        self.keeps(Books::ByLevel)?;
        let time = self.at(&frame.timestamp, unit);
        let mut done = time.map(|_| ());
        for event in &frame.events {
            let best = event.updates.first().map_or("", |level| &level.price_level);
            let Some(product) = self.product(&event.product_id, best) else { continue };
            let Ok(time) = time else {
                product.levels.lose(Timestamp::ZERO, &mut unit.events);
                continue;
            };
            let levels = event.updates.iter().map(|level| {
                (side(&level.side), level.price_level.as_str(), level.new_quantity.as_str())
            });
            let events = &mut unit.events;
            product.numbered = true;
            let told = match event.r#type.as_str() {
                "snapshot" => product.levels.snapshot(time, levels, events).map_err(|_| NO_NUMBER),
                "update" => match product.levels.update(time, levels, events) {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(NO_SNAPSHOT),
                    Err(_) => Err(NO_NUMBER),
                },
                _ => {
                    product.levels.lose(time, events);
                    Err("neither a snapshot nor an update")
                }
            };
            done = done.and(told);
        }
        done
    }

    fn market_trades(
        &mut self,
        frame: &Advanced<TradesEvent>,
        unit: &mut Unit,
        log: &mut Log,
    ) -> Done {
        self.numbered(frame.sequence_num, Some(&frame.timestamp), unit, log)?;
        let mut done = Ok(());
        // A snapshot has trades of before the subscription; the newest stand first.
        let updates = frame.events.iter().filter(|event| event.r#type == "update");
        for trade in updates.flat_map(|event| event.trades.iter().rev()) {
            let Some(product) = self.product(&trade.product_id, &trade.price) else { continue };
            let read = (|| {
                let qty = decimal(trade.size.as_bytes(), product.qty_digits)?;
                let event = Event::new(EventKind::Trade, product.id);
                Some(Event {
                    exchange_time: time(&trade.time)?,
                    order: trade.trade_id.parse().ok()?,
                    price: price_of(&trade.price)?,
                    qty: Qty::from_raw(qty),
                    ..event.with_side(side(&trade.side))
                })
            })();
            match read {
                Some(event) => {
                    unit.exchange_time = event.exchange_time;
                    unit.events.push(event);
                }
                None => done = Err(NO_NUMBER),
            }
        }
        done
    }

    fn unread(&mut self, unread: &Unread, unit: &mut Unit) {
        let Some(product) = &unread.product else { return self.any_damaged(unit) };
        let known = self.instruments.find(product);
        if let Some(product) = known.and_then(|known| self.products.get_mut(&known.id.0)) {
            product.levels.lose(self.time, &mut unit.events);
            product.orders.lose(self.time, &mut unit.events);
        }
    }

    /// What nobody can understand may have been of any product. Where messages have numbers (the full
    /// channel, Advanced Trade) the next one shows it; levels of Exchange have none.
    pub(super) fn any_damaged(&mut self, unit: &mut Unit) {
        for product in self.products.values_mut().filter(|product| !product.numbered) {
            product.levels.lose(self.time, &mut unit.events);
        }
    }
}

/// What a message of the full channel does.
fn act(kind: Kind, order: &Order, qty_digits: u32) -> Result<Act, &'static str> {
    let id = |id: &Option<String>| id.as_deref().and_then(order_of).ok_or(NO_ORDER);
    let rests = |size: &Option<String>| {
        let (price, size) = order.price.as_deref().zip(size.as_deref()).ok_or(NO_NUMBER)?;
        let side = side(&order.side).ok_or(NO_NUMBER)?;
        let read = level(side, price, size, qty_digits).map_err(|_| NO_NUMBER)?;
        read.map(|(price, qty)| some(qty).map(|qty| (side, price, qty))).transpose()
    };
    Ok(match kind {
        Kind::Open => {
            let order_id = id(&order.order_id)?;
            match rests(&order.remaining_size)? {
                Some((side, price, qty)) => Act::Open { order: order_id, side, price, qty },
                None => Act::Nothing,
            }
        }
        Kind::Match => {
            let (maker, trade) = (id(&order.maker_order_id)?, order.trade_id.unwrap_or(0));
            let (side, price, qty) = rests(&order.size)?.ok_or(NO_NUMBER)?;
            Act::Match { maker, side, price, qty, trade }
        }
        Kind::Done => Act::Done { order: id(&order.order_id)? },
        Kind::Change => {
            // Without a new size it is the funds of a market order that changed.
            let Some(size) = &order.new_size else { return Ok(Act::Nothing) };
            let qty = decimal(size.as_bytes(), qty_digits).map(Qty::from_raw).ok_or(NO_NUMBER)?;
            let price = order.new_price.as_deref().map(|text| price_of(text).ok_or(NO_NUMBER));
            Act::Change { order: id(&order.order_id)?, price: price.transpose()?, qty }
        }
        _ => Act::Nothing,
    })
}

/// A quantity that is more than nothing.
fn some(qty: Qty) -> Result<Qty, &'static str> {
    if qty.is_positive() { Ok(qty) } else { Err(NO_NUMBER) }
}
