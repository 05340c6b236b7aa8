//! The market of the demo exchange and of the backtest: synthetic flow on the matching engine, or a
//! recorded day with the overlay that our orders live in. One packet at a time; time is the
//! caller's.

use super::market_days::Days;
use super::recorded_market::Recorded;
use feeds::recording::{Broken, Log, OpenError};
use market::{Instrument, InstrumentId, Price, Timestamp, TradingStatus};
use sim::flow::FlowParameters;
use sim::{Exchange, ExchangeLimits, Flow, Output, Run, SelfTradePolicy, SetupError, Venue};
use std::path::Path;

pub use super::recorded_market::{ByLevel, LevelsTold, Packet};

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
    /// The recording tells levels, where only orders will do.
    #[error(
        "the recording {path} ({format}) tells no orders, which is what an exchange publishes: take \
         one by order, or run `touchline backtest` on it"
    )]
    NotByOrder {
        /// Which.
        path: String,
        /// What it is.
        format: &'static str,
    },
    /// The recording keeps no books at all.
    #[error(
        "the recording {path} ({format}) keeps no book, so nobody can say what an order would have \
         met: join it with a recording of the book of the same day, `touchline convert BOOK {path} \
         day.events`, and take that"
    )]
    NoBooks {
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

    /// A recorded day by order, as an exchange may publish it; `day` is the midnight its stamps
    /// count from.
    ///
    /// # Errors
    /// [`MarketError`].
    pub fn recorded(
        instruments: Vec<Instrument>,
        path: &Path,
        day: Timestamp,
        run: Run,
    ) -> Result<Market, MarketError> {
        Market::recorded_days(instruments, [path], day, None, run)
    }

    /// Recorded days that follow each other, in order; those that tell levels if it is said how our
    /// orders live in them. Between two days every book is emptied and our orders are canceled, as
    /// a venue does it at its close; positions stay. Stamps without a date count from a midnight
    /// later for each. Recordings of lines, whose books go on in the next file, are read as one.
    ///
    /// # Errors
    /// [`MarketError`]. That a day begins before the one before it ended shows when it is read.
    pub fn recorded_days<'p>(
        instruments: Vec<Instrument>,
        paths: impl IntoIterator<Item = &'p Path>,
        day: Timestamp,
        by_level: Option<ByLevel>,
        run: Run,
    ) -> Result<Market, MarketError> {
        let days = Days::new(paths, instruments.clone(), day)?;
        let recorded = Recorded::new(instruments, days, by_level, run)?;
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
            Market::Recorded(market) => market.next().map(|packet| packet.time),
        }
    }

    /// What comes next, if this is a recording.
    #[must_use]
    pub fn next_packet(&self) -> Option<&Packet> {
        match self {
            Market::Synthetic(_) => None,
            Market::Recorded(market) => market.next(),
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
            Market::Recorded(market) => market.venue(),
        }
    }

    /// The venue, to look at.
    #[must_use]
    pub fn venue_ref(&self) -> &dyn Venue {
        match self {
            Market::Synthetic(market) => &market.exchange,
            Market::Recorded(market) => market.venue_ref(),
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

    /// What a recording by level told so far; `None` of any other market.
    #[must_use]
    pub fn levels(&self) -> Option<LevelsTold> {
        match self {
            Market::Synthetic(_) => None,
            Market::Recorded(market) => market.levels(),
        }
    }

    /// The recording that is read, for people.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Market::Synthetic(_) => "synthetic",
            Market::Recorded(market) => market.name(),
        }
    }

    /// What each recording that was read lacked so far, by its name.
    pub fn logs(&self) -> impl Iterator<Item = (&str, &Log)> {
        let recorded = match self {
            Market::Synthetic(_) => None,
            Market::Recorded(market) => Some(market.logs()),
        };
        recorded.into_iter().flatten()
    }

    /// What ended a recording before its end, if anything did.
    #[must_use]
    pub fn error(&self) -> Option<&Broken> {
        match self {
            Market::Synthetic(_) => None,
            Market::Recorded(market) => market.error(),
        }
    }
}
