//! Seeded synthetic order flow with a believable book.
//!
//! Providers keep several levels around a fair price that moves and jumps; uninformed takers work
//! parent orders in one direction and pay the spread; informed takers trade toward the fair price
//! before providers see it. The flow acts only through an exchange's commands, as anyone does. The
//! same seed, parameters and counterparties give the same flow on every machine.

mod broker;
mod crowd;
mod draw;
pub mod parameters;

use crate::{AccountId, Exchange, Output};
use broker::{Broker, Ids};
use crowd::Crowd;
use market::{Instrument, InstrumentId, Rng, StateHasher, Timestamp};
pub use parameters::{BadParameter, FlowParameters};

/// Account of the flow's liquidity providers.
pub const PROVIDERS: AccountId = AccountId(0);
/// Account of its uninformed takers.
pub const UNINFORMED: AccountId = AccountId(1);
/// Account of its informed takers.
pub const INFORMED: AccountId = AccountId(2);
/// Accounts below this belong to the flow; everyone else comes from here on.
pub const ACCOUNTS: u32 = 3;

/// Synthetic order flow for some instruments.
///
/// ```
/// use market::{Instrument, InstrumentId, Side, Timestamp};
/// use sim::{Exchange, ExchangeLimits, Flow, FlowParameters, Tape};
///
/// let instruments = vec![Instrument::share(0, "X")];
/// let mut flow = Flow::new(7, FlowParameters::default(), &instruments, Timestamp::ZERO)?;
/// let mut exchange =
///     Exchange::new(instruments, ExchangeLimits::default(), Default::default(), Default::default())?;
/// let mut tape = Tape::default();
/// while flow.next_time() < Timestamp::from_nanos(1_000_000_000) {
///     flow.step(&mut exchange, &mut tape);
/// }
/// assert!(exchange.best(InstrumentId(0), Side::Buy).is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Flow {
    crowds: Box<[Crowd]>,
    ids: Ids,
    start: Timestamp,
    next: (Timestamp, usize),
}

impl Flow {
    /// Flow for `instruments`, beginning at `start`. Without instruments nothing ever happens; a
    /// rate of zero turns its actors off.
    ///
    /// # Errors
    /// [`BadParameter`] names the first parameter outside its range.
    pub fn new(
        seed: u64,
        parameters: FlowParameters,
        instruments: &[Instrument],
        start: Timestamp,
    ) -> Result<Self, BadParameter> {
        parameters.check()?;
        let mut rng = Rng::new(seed);
        let crowds = instruments
            .iter()
            .map(|instrument| {
                Crowd::new(instrument, &parameters, rng.fork(u64::from(instrument.id.0)))
            })
            .collect();
        let mut flow = Flow { crowds, ids: Ids::default(), start, next: (start, 0) };
        flow.next = flow.earliest();
        Ok(flow)
    }

    /// Begins an instrument at a price of its own, in the quote currency, instead of the seeded one.
    /// Without effect once it has opened.
    pub fn open_at(&mut self, instrument: InstrumentId, price: f64) {
        if let Some(crowd) = self.crowds.get_mut(instrument.index()) {
            crowd.open_at(price);
        }
    }

    /// When the flow acts next.
    #[must_use]
    pub fn next_time(&self) -> Timestamp {
        self.next.0
    }

    /// Does what is due at [`Flow::next_time`]. Instruments that act at the same moment need one
    /// step each.
    pub fn step(&mut self, exchange: &mut Exchange, out: &mut dyn Output) {
        let (now, index) = self.next;
        if let Some(crowd) = self.crowds.get_mut(index) {
            crowd.act(&mut Broker { exchange, out, ids: &mut self.ids, now });
            self.next = self.earliest();
        }
    }

    fn earliest(&self) -> (Timestamp, usize) {
        let mut earliest = (f64::INFINITY, 0);
        for (index, crowd) in self.crowds.iter().enumerate() {
            let next = crowd.next();
            if next < earliest.0 {
                earliest = (next, index);
            }
        }
        // A float beyond the range, infinity included, becomes the last moment.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let since_start = market::Nanos::new((earliest.0 * 1e9) as u64);
        (self.start.after(since_start), earliest.1)
    }

    /// The fair price of an instrument in its quote currency: what informed takers know. For
    /// research and tests, never for a strategy.
    #[must_use]
    pub fn fair_price(&self, instrument: InstrumentId) -> Option<f64> {
        self.crowds.get(instrument.index()).map(Crowd::fair)
    }

    /// Adds everything that decides what the flow will do to `hasher`.
    pub fn state_hash(&self, hasher: &mut StateHasher) {
        self.ids.hash_into(hasher);
        for crowd in &self.crowds {
            crowd.hash_into(hasher);
        }
    }
}
