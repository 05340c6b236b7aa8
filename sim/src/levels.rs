//! The overlay by level: our orders inside a recorded day that tells the total at each price and
//! not the orders that make it up.
//!
//! As in the [overlay by order](crate::overlay) the recording never changes and nothing is
//! published. What it cannot tell is estimated by a stated model, or decided against us.
//!
//! # Rules
//!
//! *Displayed* is what the recording last said of a level, *available* what we have not taken of it
//! yet. *Ahead* is the estimate of [`Place`]: how much of the level stands before our order there.
//!
//! | what happens | what our orders get |
//! |---|---|
//! | our order joins a level | all that is displayed there is ahead; beyond the worst level displayed, all that will be displayed there first |
//! | trade at p for q, resting side known | ours on that side at a better price are filled first, by price, then time, at their own prices; what is left takes from what is ahead of ours at p and then from ours, by time; in all up to q |
//! | … side not known | as above for both sides |
//! | … `CROSS` | nothing: an auction |
//! | a level falls, beyond what traded there since it was told last | canceled: the [`QueueModel`] says how much of it was ahead |
//! | a level rises | behind ours |
//! | a level appears or rises, at a price that crosses ours | ours it crosses are filled by price, then time, at their own prices, up to the rise; so much of it is no longer available |
//! | our order crosses | trades with what is available by price, at its prices, and takes it |
//! | a level falls | what is available falls first: what we took stays taken until less than that is displayed |
//! | a level goes, or the book is cleared | what we took of it is forgotten; after the packet nothing is ahead of ours where the displayed levels reach beyond it |
//! | snapshot levels (`SNAPSHOT`), and everything while the status is not trading | book only, no fill |
//! | status event | as on the exchange: halted refuses, closed expires |
//!
//! Without trades in the recording an order is filled only by a level that crosses it. What the
//! recording contradicts and what finds no room is skipped and counted.

mod recorded;

use crate::matching::Matching;
use crate::orders::Slot;
use crate::overlay::Skipped;
use crate::queue::{Place, QueueModel};
use crate::{
    AccountId, ExchangeLimits, OpenOrder, Output, Run, SelfTradePolicy, SetupError, Venue,
};
use market::{
    Command, Instrument, InstrumentId, OrderId, Position, Price, Qty, Side, StateHasher, Timestamp,
};
use std::collections::BTreeMap;

/// The levels of one side that the recording displays, as slots of recorded orders.
type Displayed = BTreeMap<Price, Slot>;

/// What the recording told so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Changes of levels.
    pub levels: u64,
    /// Trades outside of auctions. Without any, only crossing levels fill.
    pub trades: u64,
}

/// Our orders inside recorded levels.
#[derive(Clone, Debug)]
pub struct LevelOverlay {
    matching: Matching,
    model: QueueModel,
    /// By instrument and side.
    displayed: Box<[[Displayed; 2]]>,
    /// Places of our orders, by slot, each with the arrival number that it is of.
    places: Box<[(u64, Place)]>,
    /// Instruments of which levels changed in the packet at hand.
    changed: Vec<InstrumentId>,
    told: Told,
    skipped: Skipped,
}

impl LevelOverlay {
    /// An overlay with empty books. Of `limits`, `orders` counts levels and our orders together.
    ///
    /// # Errors
    /// [`SetupError`] names the instrument or limit that does not work.
    pub fn new(
        instruments: Vec<Instrument>,
        limits: ExchangeLimits,
        model: QueueModel,
        policy: SelfTradePolicy,
        run: Run,
    ) -> Result<Self, SetupError> {
        let displayed = instruments.iter().map(|_| Default::default()).collect();
        let matching = Matching::new(instruments, &limits, policy, run, false)?;
        Ok(LevelOverlay {
            matching,
            model,
            displayed,
            places: vec![Default::default(); limits.orders].into_boxed_slice(),
            changed: Vec::new(),
            told: Told::default(),
            skipped: Skipped::default(),
        })
    }

    /// What could not be applied so far.
    #[must_use]
    pub fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// What the recording told so far.
    #[must_use]
    pub fn told(&self) -> Told {
        self.told
    }

    /// What the recording displays at a price.
    #[must_use]
    pub fn displayed(&self, instrument: InstrumentId, side: Side, price: Price) -> Qty {
        let slot = self.displayed.get(instrument.index()).and_then(|s| s[side.index()].get(&price));
        Qty::from_raw(slot.map_or(0, |&slot| self.matching.orders[slot].total))
    }

    /// The best level of which something could still be taken, and how much.
    #[must_use]
    pub fn available(&self, instrument: InstrumentId, side: Side) -> Option<(Price, Qty)> {
        let best = self.matching.books.get(instrument.index())?.recorded[side.index()].best()?;
        Some((best.price, Qty::from_raw(best.leaves)))
    }

    /// How much of the recording stands ahead of an open order at its price; more than can be
    /// counted where the recording does not show its price.
    #[must_use]
    pub fn ahead(&self, account: AccountId, order: OrderId) -> Option<Qty> {
        let slot = self.matching.desk.find(account, order)?;
        Some(self.places[slot as usize].1.ahead())
    }

    /// Gives an order that has just joined a level its place there.
    fn join(&mut self, account: AccountId, order: OrderId) {
        let Some(slot) = self.matching.desk.find(account, order) else { return };
        let resting = self.matching.orders[slot];
        let place = &mut self.places[slot as usize];
        if place.0 == resting.number {
            return;
        }
        let side = &self.displayed[resting.instrument.index()][resting.side.index()];
        let seen = is_within(side, resting.side, resting.price);
        *place = (resting.number, Place::unseen());
        if seen {
            let displayed = self.displayed(resting.instrument, resting.side, resting.price);
            self.places[slot as usize].1 = Place::behind(displayed);
        }
    }
}

/// True if a price is at or before the worst level displayed: then nothing else stands there.
fn is_within(levels: &Displayed, side: Side, price: Price) -> bool {
    let worst = match side {
        Side::Buy => levels.first_key_value(),
        Side::Sell => levels.last_key_value(),
    };
    worst.is_some_and(|(&worst, _)| !side.is_better(worst, price))
}

impl Venue for LevelOverlay {
    fn command(
        &mut self,
        account: AccountId,
        command: &Command,
        now: Timestamp,
        out: &mut dyn Output,
    ) {
        self.matching.command(account, command, now, out);
        self.join(account, command.id);
    }

    fn cancel_all(&mut self, account: AccountId, now: Timestamp, out: &mut dyn Output) {
        self.matching.cancel_where(account, |_| true, now, out);
    }

    fn position(&self, account: AccountId, instrument: InstrumentId) -> Position {
        self.matching.desk.position(account, instrument)
    }

    fn open_orders(&self, account: AccountId) -> usize {
        self.matching.desk.open_orders(account)
    }

    fn visit_open_orders(&self, account: AccountId, visit: &mut dyn FnMut(&OpenOrder)) {
        self.matching.visit(account, visit);
    }

    fn state_hash(&self, hasher: &mut StateHasher) {
        self.matching.hash_into(hasher);
        for side in self.displayed.iter().flatten() {
            for (price, &slot) in side {
                hasher.word(price.raw().cast_unsigned());
                hasher.word(self.matching.orders[slot].total.cast_unsigned());
            }
            hasher.word(u64::MAX);
        }
        for index in (0..self.displayed.len()).filter_map(|index| index.try_into().ok()) {
            for side in Side::BOTH {
                for slot in self.ours(InstrumentId(index), side, |_| true) {
                    self.places[slot as usize].1.hash_into(hasher);
                }
            }
        }
        let Skipped { unknown, contradictory, no_room, by_level } = self.skipped;
        let Told { levels, trades } = self.told;
        for count in [unknown, contradictory, no_room, by_level, levels, trades] {
            hasher.word(count);
        }
    }
}
