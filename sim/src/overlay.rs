//! The overlay: our orders inside a recorded day.
//!
//! The recording is published verbatim by someone else and never changes; the overlay keeps its
//! book, lets our orders queue in it by price and arrival, and decides what they would have got.
//! It emits no public event. Where the recording cannot tell, it decides against us.
//!
//! # Rules
//!
//! For a recorded order, *displayed* is what the recording shows and *available* what we have not
//! taken of it yet. "Ours ahead of R" are our orders on R's side at a better price, or at R's price
//! and arrived before R.
//!
//! | what happens | what our orders get |
//! |---|---|
//! | recorded execution of R for q | ours ahead of R are filled by price, then time, at their own prices, up to q in all |
//! | … with a price of its own (`PRICED`) | as above, but none whose price is beyond that price: the aggressor need not have paid it |
//! | … `CROSS` or `NON_PRINTABLE` | nothing: an auction. R still shrinks |
//! | recorded add crossing ours | ours it crosses are filled by price, then time, at their own prices, up to its quantity; so much of it is no longer available |
//! | recorded delete, reduce, or change down of R ahead of ours | ours advance: nothing else stands there |
//! | recorded replace (delete + add), or change of price or up | R leaves its place (ours advance) and arrives anew, behind ours and perhaps crossing |
//! | trade with a non-displayed order (`Trade`) at p for q | ours strictly better than p, on either side, up to q (feeds do not tell the side any more) |
//! | … `CROSS` | nothing |
//! | our order crosses | trades with available quantity and with orders of other accounts, by price, then arrival, at their prices; takes what it trades |
//! | R shrinks (execution, reduce) | the part still available shrinks first: what we took stays taken until R is gone |
//! | recorded delete or clear | what we took of R is forgotten with it |
//! | snapshot adds (`SNAPSHOT`), and everything while the status is not trading | book only, no fill |
//! | status event | as on the exchange: halted refuses, closed expires |
//!
//! What the recording contradicts (unknown or doubled orders, more executed than displayed) and
//! what finds no room is skipped and counted.

mod recorded;

use crate::matching::Matching;
use crate::orders::{NONE, Slot};
use crate::{
    AccountId, ExchangeLimits, OpenOrder, Output, Run, SelfTradePolicy, SetupError, Venue,
};
use market::table::IdTable;
use market::{Command, Instrument, InstrumentId, Position, Qty, Side, StateHasher, Timestamp};

/// Recorded events that could not be applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// On an order or instrument that is not in the book, or adding one that is.
    pub unknown: u64,
    /// Without a side or with a quantity that is not positive, or more taken than displayed (of
    /// which the displayed part was applied).
    pub contradictory: u64,
    /// Recorded orders that found no room; raise [`ExchangeLimits`].
    pub no_room: u64,
    /// By-level events: an overlay needs orders.
    pub by_level: u64,
}

/// Our orders inside recorded order flow. Order ids of the recording must be unique over its
/// instruments, as those of ITCH are.
#[derive(Clone, Debug)]
pub struct Overlay {
    matching: Matching,
    /// Recorded id to slot.
    recorded: IdTable,
    /// By instrument, the recorded order that arrived last: the head of a list of all of them.
    newest: Box<[Slot]>,
    /// Side of the order whose replace is under way, by instrument.
    replaced: Box<[Option<Side>]>,
    skipped: Skipped,
}

impl Overlay {
    /// An overlay with empty books.
    ///
    /// # Errors
    /// [`SetupError`] names the instrument or limit that does not work.
    pub fn new(
        instruments: Vec<Instrument>,
        limits: ExchangeLimits,
        policy: SelfTradePolicy,
        run: Run,
    ) -> Result<Self, SetupError> {
        let replaced = vec![None; instruments.len()].into_boxed_slice();
        let newest = vec![NONE; instruments.len()].into_boxed_slice();
        let matching = Matching::new(instruments, &limits, policy, run, false)?;
        let recorded = IdTable::new(limits.orders);
        Ok(Overlay { matching, recorded, newest, replaced, skipped: Skipped::default() })
    }

    /// What could not be applied so far.
    #[must_use]
    pub fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// Recorded orders displayed now.
    #[must_use]
    pub fn displayed(&self) -> usize {
        self.recorded.len()
    }

    /// Recorded quantity of the best level that we could still take.
    #[must_use]
    pub fn available(&self, instrument: InstrumentId, side: Side) -> Option<(market::Price, Qty)> {
        let best = self.matching.books.get(instrument.index())?.recorded[side.index()].best()?;
        Some((best.price, Qty::from_raw(best.leaves)))
    }

    /// Fills that could not be counted in a position because it left the range of arithmetic.
    #[must_use]
    pub fn unbooked(&self) -> u64 {
        self.matching.desk.unbooked
    }
}

impl Venue for Overlay {
    fn command(
        &mut self,
        account: AccountId,
        command: &Command,
        now: Timestamp,
        out: &mut dyn Output,
    ) {
        self.matching.command(account, command, now, out);
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
        for side in &self.replaced {
            hasher.word(side.map_or(0, |side| side as u64));
        }
        let Skipped { unknown, contradictory, no_room, by_level } = self.skipped;
        for count in [self.recorded.len() as u64, unknown, contradictory, no_room, by_level] {
            hasher.word(count);
        }
    }
}
