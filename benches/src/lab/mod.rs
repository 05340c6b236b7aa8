//! The trading loop on a bench: settings for a generated day, and a venue that says yes at once.
//! No sockets and no threads of its own; time is the messages' own.

use crate::contest::{Contestant, PACKET, Shape, decoder};
use crate::data::Walk;
use engine::pipeline::loop_driver::{LoopDriver, NoStamps, Publish, Stamps};
use engine::pipeline::records::Start;
use engine::pipeline::tape::Tape;
use engine::trading::risk::Limits;
use engine::trading::{OpeningState, StrategySetting, TradingLoop, TradingSettings, VenueRules};
use feeds::itch50::Decoder;
use market::{
    Command, CommandKind, Event, EventFlags, EventKind, Instrument, InstrumentId, Money, Nanos,
    OrderId, Price, Qty, Report, ReportKind, Side, StateHasher, Timestamp,
};
use strategies::{Context, Parameters, Quote, QuoterSettings, Strategy};

/// A strategy, and how many instruments it quotes: the first ones.
pub type Quoting = (u32, Box<dyn Strategy>);

/// Settings of a loop over the instruments of `shape`.
#[must_use]
pub fn settings(shape: &Shape<'_>, (quoted, strategy): Quoting) -> TradingSettings {
    let count = u32::try_from(shape.limits.instruments).unwrap_or(u32::MAX);
    let limits = Limits {
        order_qty: Qty::from_raw(1_000),
        order_value: Money::from_raw(10i128.pow(18) * 1_000_000),
        position: Qty::from_raw(10_000),
        collar_bps: 500,
        reference_age: Nanos::from_secs(5),
    };
    TradingSettings {
        instruments: (0..count).map(|id| Instrument::share(id, &format!("S{}", id + 1))).collect(),
        limits: vec![Some(limits); shape.limits.instruments],
        strategies: vec![StrategySetting {
            strategy,
            instruments: (0..quoted.min(count)).map(InstrumentId).collect(),
        }],
        quoter: QuoterSettings::default(),
        books: shape.limits,
        messages: (1_000_000, 1_000_000),
        stale_after: Nanos::from_secs(60),
        answer_within: Nanos::from_secs(60),
        orders: 1_024,
        executions: 4_096,
        seed: 1,
        lockstep: false,
        shows_own_orders: false,
        venue: VenueRules::default(),
    }
}

/// Guéant–Lehalle–Fernandez-Tapia with parameters that quote near the touch.
///
/// # Panics
/// If the strategy has other parameters than it had.
#[must_use]
pub fn glft() -> Box<dyn Strategy> {
    let spec = strategies::find("glft").expect("it is built in");
    let given = [("gamma", 0.05), ("a", 1.0), ("k", 30.0), ("sigma", 0.02), ("size", 100.0)];
    let parameters = Parameters::new(spec.parameters, &given).expect("its parameters are these");
    (spec.build)(&parameters).expect("and they are valid")
}

/// Quotes so many bids and asks, from the best prices outward, and moves them with the best prices.
#[derive(Debug)]
pub struct Rungs(pub u32, pub u32);

impl Strategy for Rungs {
    fn name(&self) -> &'static str {
        "rungs"
    }

    fn on_book(&mut self, ctx: &mut dyn Context, id: InstrumentId) {
        let best = [Side::Buy, Side::Sell].map(|side| ctx.book(id).best(side));
        let [Some(bid), Some(ask)] = best else { return ctx.withdraw(id) };
        let tick = ctx.instrument(id).tick.raw();
        let rungs = |price: Price, step: i64, count: u32| -> Vec<Quote> {
            let price = |at: u32| Price::from_raw(price.raw() + step * i64::from(at) * tick);
            (0..count).map(|at| Quote { price: price(at), qty: Qty::from_raw(100) }).collect()
        };
        ctx.quote(id, &rungs(bid.price, -1, self.0), &rungs(ask.price, 1, self.1));
    }

    fn hash_into(&self, hasher: &mut StateHasher) {
        hasher.word(self.0.into());
        hasher.word(self.1.into());
    }
}

/// A venue that takes every command and fills none.
#[derive(Debug, Default)]
pub struct Prompt {
    commands: Vec<Command>,
    /// Orders, replaces and cancels taken.
    pub taken: u64,
}

impl Publish for Prompt {
    fn has_room(&self) -> bool {
        true
    }

    fn publish(&mut self, command: &Command, _stamps: Stamps, _sequence: u64) {
        self.taken += 1;
        self.commands.push(*command);
    }
}

/// What the venue says of a command.
fn answer(command: &Command) -> Option<Report> {
    let kind = match command.kind()? {
        CommandKind::New => ReportKind::Accepted,
        CommandKind::Replace => ReportKind::Replaced,
        CommandKind::Cancel => ReportKind::Canceled,
        CommandKind::MassCancel => ReportKind::MassCanceled,
        CommandKind::MassStatus => ReportKind::StatusDone,
        CommandKind::Mark | CommandKind::Status => return None,
    };
    let mut report = Report::new(kind, command.id, command.instrument);
    report.target = command.target;
    report.price = command.price;
    report.qty = command.qty;
    report.leaves_qty = command.qty;
    Some(command.side().map_or(report, |side| report.with_side(side)))
}

/// Decode, book, strategy, quoter, risk and tape: everything between the sockets.
pub struct Through<T> {
    decoder: Decoder,
    driver: LoopDriver<T, Prompt, NoStamps>,
    events: Vec<Event>,
    answers: Vec<Command>,
}

impl<T: Tape> Through<T> {
    /// A loop that is ready to quote.
    ///
    /// # Panics
    /// If the tape has no room for its first record.
    #[must_use]
    pub fn new(shape: &Shape<'_>, quoting: Quoting, tape: T) -> Self {
        let opening = OpeningState { epoch: 1, ..OpeningState::default() };
        let trading = TradingLoop::new(settings(shape, quoting), &opening);
        let start = Start { now: Timestamp::ZERO, ..Start::default() };
        let driver = LoopDriver::start(trading, tape, Prompt::default(), NoStamps, &start);
        let mut through = Through {
            decoder: decoder(&shape.days[0]),
            driver: driver.expect("the tape has room"),
            events: Vec::with_capacity(2 * PACKET),
            answers: Vec::new(),
        };
        let up = Report::new(ReportKind::SessionUp, OrderId::NONE, Event::ALL);
        through.driver.report(Timestamp::ZERO, &up);
        through.settle(Timestamp::ZERO);
        through
    }

    /// The driver.
    pub fn driver(&mut self) -> &mut LoopDriver<T, Prompt, NoStamps> {
        &mut self.driver
    }

    /// Answers what the loop sent, until it sends nothing more.
    fn settle(&mut self, now: Timestamp) {
        loop {
            std::mem::swap(&mut self.answers, &mut self.driver.publisher().commands);
            if self.answers.is_empty() {
                break;
            }
            for command in self.answers.drain(..) {
                if let Some(report) = answer(&command) {
                    self.driver.report(now, &report);
                }
            }
        }
    }

    /// The messages of one packet.
    #[inline]
    pub fn messages<'a>(&mut self, messages: impl Iterator<Item = &'a [u8]>) {
        for message in messages {
            let _ = self.decoder.decode(message, 1, &mut self.events);
        }
        self.packet();
    }

    /// What stands in `events` is a packet: the loop takes it and hears the answers.
    #[inline]
    fn packet(&mut self) {
        let Some(last) = self.events.last_mut() else { return };
        last.flags = last.flags.with(EventFlags::LAST);
        let now = last.exchange_time;
        self.driver.packet(now, &self.events);
        self.events.clear();
        self.settle(now);
    }
}

impl<T: Tape> Contestant for Through<T> {
    /// A journal's thread is slower than a loop that never waits for a market.
    fn ready(&mut self) {
        let tape =
            |through: &Self| (through.driver.tape().synced(), through.driver.tape().sequence());
        let mut patience = 10_000;
        while let (synced, written) = tape(self)
            && synced < written
            && patience > 0
        {
            std::thread::sleep(std::time::Duration::from_millis(1));
            patience -= 1;
        }
        assert!(!self.driver.is_broken(), "the journal had no room");
    }

    fn clear(&mut self) {
        self.events.push(Event::new(EventKind::Clear, Event::ALL));
        self.packet();
    }

    fn message(&mut self, message: &[u8]) {
        self.messages(std::iter::once(message));
    }

    fn block(&mut self, mut messages: Walk<'_>) {
        while !messages.rest().is_empty() {
            self.messages(messages.by_ref().take(PACKET));
        }
    }
}
