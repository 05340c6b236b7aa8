//! The market of the demo exchange and of the backtest: synthetic flow on the matching engine, or a
//! recorded day with the overlay that our orders live in. One packet at a time; time is the
//! caller's.

use feeds::file::{FileError, Reader};
use feeds::itch50::{Decoder, Listing};
use market::{Event, EventFlags, Instrument, InstrumentId, Price, Sink, Timestamp, TradingStatus};
use sim::flow::FlowParameters;
use sim::{
    Exchange, ExchangeLimits, Flow, Output, Overlay, Run, SelfTradePolicy, SetupError, Venue,
};
use std::fs::File;
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

/// A recorded day and our orders in it.
pub struct Recorded {
    overlay: Overlay,
    reader: Reader<File>,
    decoder: Decoder,
    /// The next message, its events and its time; `None` at the end.
    next: Option<Message>,
    /// What ended the recording early.
    error: Option<FileError>,
}

/// One message of a recording.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Its bytes, as they stand in the recording.
    pub bytes: Vec<u8>,
    /// What it means.
    pub events: Vec<Event>,
    /// Its sequence, from 1.
    pub sequence: u64,
    /// Venue time.
    pub time: Timestamp,
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
    /// The instruments do not fit ITCH.
    #[error(transparent)]
    Listing(#[from] feeds::itch50::ListingError),
    /// The recording cannot be opened.
    #[error("cannot open the recording {path}: {source}")]
    Open {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The recording is damaged.
    #[error("the recording {path}: {source}")]
    File {
        /// Which.
        path: String,
        /// How.
        source: FileError,
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
        let shown = || path.display().to_string();
        let open = |source| MarketError::Open { path: shown(), source };
        let reader = File::open(path).and_then(Reader::new).map_err(open)?;
        let listings: Vec<Listing> = instruments.iter().map(Listing::from).collect();
        let decoder = Decoder::new(&listings, day)?;
        let limits = ExchangeLimits { orders: 1 << 20, ..ExchangeLimits::default() };
        let overlay = Overlay::new(instruments, limits, SelfTradePolicy::default(), run)?;
        let next = Some(Message::default());
        let mut recorded = Recorded { overlay, reader, decoder, next, error: None };
        recorded.advance();
        match recorded.error.take() {
            Some(source) => Err(MarketError::File { path: shown(), source }),
            None => Ok(Market::Recorded(Box::new(recorded))),
        }
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
            Market::Recorded(market) => market.next.as_ref().map(|message| message.time),
        }
    }

    /// The message that comes next, if this is a recording.
    #[must_use]
    pub fn next_message(&self) -> Option<&Message> {
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

    /// What ended a recording before its end, if anything did.
    #[must_use]
    pub fn error(&self) -> Option<&FileError> {
        match self {
            Market::Synthetic(_) => None,
            Market::Recorded(market) => market.error.as_ref(),
        }
    }

    /// Recorded messages passed over without effect on us: for a venue that continues a session.
    pub fn skip_to(&mut self, sequence: u64, out: &mut dyn Output) {
        while self.next_message().is_some_and(|message| message.sequence < sequence) {
            self.step(out);
        }
    }
}

impl Recorded {
    fn step(&mut self, out: &mut dyn Output) {
        let Some(message) = self.next.take() else { return };
        for event in &message.events {
            self.overlay.recorded(event, message.time, out);
            out.event(*event);
        }
        self.next = Some(message);
        self.advance();
    }

    /// Reads the next message into `next`.
    fn advance(&mut self) {
        let Some(mut message) = self.next.take() else { return };
        match self.reader.next_message() {
            Ok(Some(bytes)) => {
                message.bytes.clear();
                message.bytes.extend_from_slice(bytes);
                message.events.clear();
                // What the decoder skips it counts, and the bytes are published all the same.
                let _ = self.decoder.decode(&message.bytes, 0, &mut Events(&mut message.events));
                if let Some(last) = message.events.last_mut() {
                    last.flags = last.flags.with(EventFlags::LAST);
                }
                message.sequence = self.reader.messages();
                message.time = message.time.max(self.decoder.exchange_time());
                self.next = Some(message);
            }
            Ok(None) => {}
            Err(error) => self.error = Some(error),
        }
    }
}

struct Events<'a>(&'a mut Vec<Event>);

impl Sink for Events<'_> {
    fn event(&mut self, event: Event) {
        self.0.push(event);
    }
}
