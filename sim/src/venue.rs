//! What every venue is to the rest of the house: commands in, reports and events out.
//!
//! Nothing here knows how a venue matches.

use market::{
    Command, Event, InstrumentId, OrderId, Position, Price, Qty, Report, Side, StateHasher,
    Timestamp, VenueOrderId,
};

/// Who trades: dense, below [`crate::ExchangeLimits::accounts`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct AccountId(pub u32);

impl AccountId {
    /// As an index into per-account tables.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where a venue puts what it says, in the order in which it happened.
pub trait Output {
    /// A report to one account.
    fn report(&mut self, account: AccountId, report: Report);

    /// A public market data event. The venue leaves [`market::EventFlags::LAST`] unset: only who
    /// packs events knows where a packet ends.
    fn event(&mut self, event: Event);
}

/// An [`Output`] that keeps everything, for tests and for drivers that copy it on.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    /// Reports with their accounts.
    pub reports: Vec<(AccountId, Report)>,
    /// Public events.
    pub events: Vec<Event>,
}

impl Tape {
    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.reports.clear();
        self.events.clear();
    }
}

impl Output for Tape {
    fn report(&mut self, account: AccountId, report: Report) {
        self.reports.push((account, report));
    }

    fn event(&mut self, event: Event) {
        self.events.push(event);
    }
}

/// An open order as the venue knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOrder {
    /// The id by which its owner knows it now (ClOrdID).
    pub id: OrderId,
    /// The venue's own id; stays through replaces.
    pub venue_order: VenueOrderId,
    /// Which instrument.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Limit price.
    pub price: Price,
    /// Total quantity, filled part included.
    pub qty: Qty,
    /// Filled so far.
    pub cum_qty: Qty,
}

/// A venue: the synthetic exchange or the overlay inside a recording. Times given to one venue
/// never go backwards.
pub trait Venue {
    /// Carries out one command of an account. Every refusal is a report with its reason; a `Mark`
    /// is for the driver of a stepped feed and is ignored here.
    fn command(
        &mut self,
        account: AccountId,
        command: &Command,
        now: Timestamp,
        out: &mut dyn Output,
    );

    /// Cancels every open order of an account, as on the loss of its session.
    fn cancel_all(&mut self, account: AccountId, now: Timestamp, out: &mut dyn Output);

    /// What the account holds by the venue's own count, fees included. The venue captures no
    /// spread: `spread_captured` stays zero. Zero for an unknown account or instrument.
    fn position(&self, account: AccountId, instrument: InstrumentId) -> Position;

    /// Open orders of an account.
    fn open_orders(&self, account: AccountId) -> usize;

    /// Shows every open order of an account, oldest first.
    fn visit_open_orders(&self, account: AccountId, visit: &mut dyn FnMut(&OpenOrder));

    /// Adds everything that decides what the venue will say to `hasher`.
    fn state_hash(&self, hasher: &mut StateHasher);
}
