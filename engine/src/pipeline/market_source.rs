//! The market of the demo exchange and of the backtest: synthetic flow on the matching engine, or a
//! recorded day with the overlay that our orders live in. One packet at a time; time is the
//! caller's.

use super::market_days::Days;
use super::simulation::OURS;
use feeds::recording::{Books, Broken, Messages, OpenError, Recording, Unit};
use market::{
    Event, EventFlags, EventKind, Instrument, InstrumentId, Price, Timestamp, TradingStatus,
};
use sim::flow::FlowParameters;
use sim::{
    Exchange, ExchangeLimits, Flow, Output, Overlay, Run, SelfTradePolicy, SetupError, Venue,
};
use std::path::Path;

/// Where orders other than ours come from.
pub enum Market {
    /// Made from a seed.
    Synthetic(Box<Synthetic>),
    /// Read from a recording.
    Recorded(Box<Recorded>),
}

/// Seeded flow on the matching engine.
pub struct Synthetic {
    exchange: Exchange,
    flow: Flow,
}

/// A recorded day and our orders in it, and the days that follow.
pub struct Recorded {
    overlay: Overlay,
    recording: Box<dyn Recording>,
    days: Days,
    /// Nothing of the day that is read was given yet, and another stood before it.
    dawn: bool,
    /// What happens next; `None` at the end.
    next: Option<Packet>,
    /// What ended the recording early.
    error: Option<Broken>,
}

/// What a recording gives at once.
#[derive(Clone, Debug, Default)]
pub struct Packet {
    unit: Unit,
    /// Sequence of its last message, from 1.
    pub sequence: u64,
    /// Venue time, never before that of an earlier packet.
    pub time: Timestamp,
    /// It stands between two days: what we have open is canceled, and every book is emptied.
    night: bool,
}

impl Packet {
    /// Its messages as they stand in the recording, where that is one of ITCH 5.0.
    #[must_use]
    pub fn messages(&self) -> &Messages {
        &self.unit.messages
    }

    /// What it means.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.unit.events
    }
}

/// Why a market cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum MarketError {
    /// The matching engine refuses its instruments.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A parameter of the flow is out of range.
    #[error(transparent)]
    Flow(#[from] sim::flow::BadParameter),
    /// The recording cannot be opened.
    #[error("cannot open the recording {path}: {source}")]
    Open {
        /// Which.
        path: String,
        /// Why.
        source: OpenError,
    },
    /// The file holds several recordings, or none.
    #[error("{path} is an archive of {count} files: unpack it and name one")]
    Archive {
        /// Which.
        path: String,
        /// How many.
        count: usize,
    },
    /// The recording is damaged.
    #[error("the recording {path}: {source}")]
    Broken {
        /// Which.
        path: String,
        /// How.
        source: Broken,
    },
    /// The recording does not tell of orders.
    #[error(
        "the recording {path} ({format}) tells no orders, and our place in the queue would be a guess: \
         take one by order"
    )]
    NotByOrder {
        /// Which.
        path: String,
        /// What it is.
        format: &'static str,
    },
}

impl Market {
    /// Synthetic flow that begins at `start`, with every instrument trading.
    ///
    /// # Errors
    /// [`MarketError::Setup`] or [`MarketError::Flow`].
    pub fn synthetic(
        instruments: Vec<Instrument>,
        parameters: FlowParameters,
        seed: u64,
        start: Timestamp,
        run: Run,
    ) -> Result<Market, MarketError> {
        let flow = Flow::new(seed, parameters, &instruments, start)?;
        let limits = ExchangeLimits::default();
        let exchange = Exchange::new(instruments, limits, SelfTradePolicy::default(), run)?;
        Ok(Market::Synthetic(Box::new(Synthetic { exchange, flow })))
    }

    /// A recorded day; `day` is the midnight its stamps count from.
    ///
    /// # Errors
    /// [`MarketError`].
    pub fn recorded(
        instruments: Vec<Instrument>,
        path: &Path,
        day: Timestamp,
        run: Run,
    ) -> Result<Market, MarketError> {
        Market::recorded_days(instruments, [path], day, run)
    }

    /// Recorded days that follow each other, in order. Between two of them every book is emptied
    /// and our orders are canceled, as a venue does it at its close; positions stay. Stamps
    /// without a date count from a midnight later for each. Recordings of lines, whose books go
    /// on in the next file, are read as one.
    ///
    /// # Errors
    /// [`MarketError`]. That a day begins before the one before it ended shows when it is read.
    pub fn recorded_days<'p>(
        instruments: Vec<Instrument>,
        paths: impl IntoIterator<Item = &'p Path>,
        day: Timestamp,
        run: Run,
    ) -> Result<Market, MarketError> {
        let mut days = Days::new(paths, instruments.clone(), day)?;
        let none = MarketError::Archive { path: "no recording".to_owned(), count: 0 };
        let recording = days.next().ok_or(none)??;
        let shown = || days.name().to_owned();
        let limits = ExchangeLimits { orders: 1 << 20, ..ExchangeLimits::default() };
        let overlay = Overlay::new(instruments, limits, SelfTradePolicy::default(), run)?;
        let next = Some(Packet::default());
        let name = shown();
        let mut recorded = Recorded { overlay, recording, days, dawn: false, next, error: None };
        recorded.advance();
        if let Some(source) = recorded.error.take() {
            return Err(MarketError::Broken { path: name, source });
        }
        // Of a capture this is not known before its first packet.
        let description = recorded.recording.describe();
        if description.books != Books::ByOrder {
            return Err(MarketError::NotByOrder { path: name, format: description.format });
        }
        Ok(Market::Recorded(Box::new(recorded)))
    }

    /// Begins synthetic instruments at these prices where one is given, by id, instead of at seeded
    /// ones. A recording has its own.
    #[must_use]
    pub fn open_at(mut self, prices: &[Option<Price>]) -> Market {
        if let Market::Synthetic(market) = &mut self {
            for (id, price) in (0u32..).map(InstrumentId).zip(prices) {
                price.iter().for_each(|price| market.flow.open_at(id, price.to_f64()));
            }
        }
        self
    }

    /// When the next packet is due; `None` at the end of a recording.
    #[must_use]
    pub fn next_time(&self) -> Option<Timestamp> {
        match self {
            Market::Synthetic(market) => Some(market.flow.next_time()),
            Market::Recorded(market) => market.next.as_ref().map(|packet| packet.time),
        }
    }

    /// What comes next, if this is a recording.
    #[must_use]
    pub fn next_packet(&self) -> Option<&Packet> {
        match self {
            Market::Synthetic(_) => None,
            Market::Recorded(market) => market.next.as_ref(),
        }
    }

    /// Lets the next packet happen; `out` takes its public events and the reports it leads to.
    pub fn step(&mut self, out: &mut dyn Output) {
        match self {
            Market::Synthetic(market) => market.flow.step(&mut market.exchange, out),
            Market::Recorded(market) => market.step(out),
        }
    }

    /// The venue that takes our commands.
    pub fn venue(&mut self) -> &mut dyn Venue {
        match self {
            Market::Synthetic(market) => &mut market.exchange,
            Market::Recorded(market) => &mut market.overlay,
        }
    }

    /// The venue, to look at.
    #[must_use]
    pub fn venue_ref(&self) -> &dyn Venue {
        match self {
            Market::Synthetic(market) => &market.exchange,
            Market::Recorded(market) => &market.overlay,
        }
    }

    /// Says of every instrument that it trades, or no longer does (synthetic markets only: a
    /// recording speaks for itself).
    pub fn set_status(&mut self, status: TradingStatus, now: Timestamp, out: &mut dyn Output) {
        if let Market::Synthetic(market) = self {
            for index in (0..market.exchange.instruments().len()).filter_map(|i| i.try_into().ok())
            {
                market.exchange.set_status(InstrumentId(index), status, now, out);
            }
        }
    }

    /// The recording that is read, for people.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Market::Synthetic(_) => "synthetic",
            Market::Recorded(market) => market.days.name(),
        }
    }

    /// What ended a recording before its end, if anything did.
    #[must_use]
    pub fn error(&self) -> Option<&Broken> {
        match self {
            Market::Synthetic(_) => None,
            Market::Recorded(market) => market.error.as_ref(),
        }
    }
}

impl Recorded {
    fn step(&mut self, out: &mut dyn Output) {
        let Some(packet) = self.next.take() else { return };
        if packet.night {
            self.overlay.cancel_all(OURS, packet.time, out);
        }
        for event in packet.events() {
            self.overlay.recorded(event, packet.time, out);
            out.event(*event);
        }
        self.next = Some(packet);
        self.advance();
    }

    /// Reads the next packet into `next`.
    fn advance(&mut self) {
        let Some(mut packet) = self.next.take() else { return };
        let unit = &mut packet.unit;
        packet.night = false;
        match self.recording.next_unit(unit) {
            Ok(true) => {
                // Side entries are of no use to the loop; what it gets is the same live.
                unit.events.retain(|event| event.kind() != Some(EventKind::Entry));
                unit.events.iter_mut().for_each(|event| event.received = 0);
                if let Some(last) = unit.events.last_mut() {
                    last.flags = last.flags.with(EventFlags::LAST);
                }
                if self.dawn && unit.exchange_time != Timestamp::ZERO {
                    self.dawn = false;
                    self.error = self.out_of_order(unit.exchange_time, packet.time);
                    if self.error.is_some() {
                        return;
                    }
                }
                packet.sequence += packet.unit.messages.len() as u64;
                packet.time = packet.time.max(packet.unit.exchange_time);
                self.next = Some(packet);
            }
            Ok(false) => match self.cut() {
                None => self.next_day(packet),
                cut => self.error = cut,
            },
            Err(error) => self.error = Some(error),
        }
    }

    /// Goes on with the next day, if there is one, after a night.
    fn next_day(&mut self, mut night: Packet) {
        match self.days.next() {
            None => {}
            Some(Err(error)) => {
                self.error = Some(Broken { position: 0, reason: error.to_string() });
            }
            Some(Ok(recording)) => {
                (self.recording, self.dawn) = (recording, true);
                night.unit.begin(0);
                let reset = Event::new(EventKind::Reset, Event::ALL);
                night.unit.events.push(Event { exchange_time: night.time, ..reset });
                night.unit.end();
                night.night = true;
                self.next = Some(night);
            }
        }
    }

    /// What is wrong with a day whose first time is `begins`.
    fn out_of_order(&self, begins: Timestamp, ended: Timestamp) -> Option<Broken> {
        let format = self.recording.describe();
        let reason = if begins < ended {
            format!("it begins at {begins}, before the one before it ended, at {ended}")
        } else if format.books != Books::ByOrder {
            format!("it tells no orders ({})", format.format)
        } else {
            return None;
        };
        Some(Broken { position: 0, reason })
    }

    /// A day that lacks its end is no day to judge a strategy by.
    fn cut(&self) -> Option<Broken> {
        let cut = self.recording.log().is_cut()?;
        Some(Broken { position: cut.position, reason: cut.reason.clone().into_owned() })
    }
}
