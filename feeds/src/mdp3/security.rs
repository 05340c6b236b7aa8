//! One security: its numbers (`RptSeq`), its levels, and whether its book is known. A security
//! whose updates were missed keeps those that come, until a snapshot shows what they follow on.

use super::levels::{Action, Levels};
use super::resting::Orders;
use market::{InstrumentId, Price, Qty, Side, Timestamp};
use std::collections::VecDeque;

/// Updates kept for a snapshot, of one security.
const KEPT_MAX: usize = 1_024;

/// A change of a level, with its numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) side: Side,
    pub(super) action: Action,
    pub(super) number: u8,
    pub(super) price: Option<Price>,
    pub(super) qty: Qty,
    pub(super) time: Timestamp,
}

/// An update that waits for a snapshot; `change` is `None` if it was no change of a level.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    /// Number of its packet, where the channel is known.
    pub(super) packet: Option<u32>,
    pub(super) rpt_seq: u32,
    pub(super) change: Option<Change>,
}

/// What a number says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is the next one.
    Next,
    /// It is the next one, and what was lost was not of this security.
    Cleared,
    /// The first that is seen of this security, whose book was not empty before.
    Joined,
    /// It was applied already.
    Old,
    /// So many before it are missing, from this number on.
    Missing {
        first: u32,
        count: u32,
        /// Packets of the channel were lost as well.
        explained: bool,
    },
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Security {
    /// What events call it; `None` if it is not wanted.
    pub(super) instrument: Option<InstrumentId>,
    /// What one contract counts in events.
    pub(super) units: i64,
    /// Which of the channels it is on, once an update came.
    pub(super) channel: Option<usize>,
    /// Group and product code, by its definition.
    pub(super) group: Option<(String, String)>,
    pub(super) depth: usize,
    /// Updates are missing: the book is not known.
    pub(super) torn: bool,
    /// Packets of its channel up to this number were lost: the next update tells whether any was
    /// its.
    pub(super) doubted: Option<u32>,
    /// Number of the last update.
    pub(super) rpt_seq: Option<u32>,
    /// Number of the last update whose trade or figure was told.
    pub(super) told: u32,
    /// The next number is the first of a new count, whatever it is.
    pub(super) afresh: bool,
    /// The packet that emptied every book of its channel: a snapshot of before is of no use.
    emptied: u32,
    pub(super) kept: VecDeque<Kept>,
    sides: [Levels; 2],
    /// What there is in place of levels, where books are by order.
    pub(super) orders: Orders,
}

impl Security {
    pub(super) fn new() -> Security {
        Security {
            instrument: None,
            units: 1,
            channel: None,
            group: None,
            depth: Levels::DEPTH,
            torn: false,
            doubted: None,
            rpt_seq: None,
            told: 0,
            afresh: false,
            emptied: 0,
            kept: VecDeque::new(),
            sides: [Levels::default(), Levels::default()],
            orders: Orders::default(),
        }
    }

    pub(super) fn levels(&mut self, side: Side) -> &mut Levels {
        &mut self.sides[usize::from(side == Side::Sell)]
    }

    /// Takes note of the number of an update.
    pub(super) fn turn(&mut self, rpt_seq: u32) -> Turn {
        let last = self.rpt_seq;
        if last.is_some_and(|last| rpt_seq <= last) {
            return Turn::Old;
        }
        self.rpt_seq = Some(rpt_seq);
        let doubted = self.doubted.take().is_some();
        match last {
            None if rpt_seq == 1 && doubted && !self.torn => Turn::Cleared,
            None if rpt_seq == 1 || std::mem::take(&mut self.afresh) && !doubted => Turn::Next,
            None => {
                self.tear();
                Turn::Joined
            }
            Some(last) if rpt_seq - last == 1 && doubted && !self.torn => Turn::Cleared,
            Some(last) if rpt_seq - last == 1 => Turn::Next,
            Some(last) => {
                self.tear();
                let (first, count) = (last + 1, rpt_seq - last - 1);
                Turn::Missing { first, count, explained: doubted }
            }
        }
    }

    /// Updates are missing: what level has which number is not known any more.
    pub(super) fn tear(&mut self) {
        self.torn = true;
        self.forget();
    }

    /// The book is empty, and that is the truth.
    pub(super) fn empty(&mut self) {
        self.believe();
        self.forget();
    }

    /// The book is known.
    pub(super) fn believe(&mut self) {
        (self.torn, self.doubted) = (false, None);
    }

    /// Numbers begin anew; if the books are empty, as of this packet.
    pub(super) fn restart(&mut self, emptied: Option<u32>) {
        self.empty();
        self.orders = Orders::default();
        (self.rpt_seq, self.told) = (None, 0);
        (self.afresh, self.emptied) = (emptied.is_some(), emptied.unwrap_or(0));
    }

    fn forget(&mut self) {
        self.sides.iter_mut().for_each(Levels::clear);
        self.kept = VecDeque::new();
        self.orders.forget();
    }

    /// True if nothing was heard of it, and no book is known.
    pub(super) fn is_new(&self) -> bool {
        let heard = self.rpt_seq.is_some() || self.afresh || self.orders.holds.is_some();
        !heard && !self.torn
    }

    /// Keeps an update for a snapshot to come; the oldest goes if there are too many.
    pub(super) fn keep(&mut self, kept: Kept) {
        if self.kept.len() >= KEPT_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back(kept);
    }

    /// Whether a snapshot that holds everything up to update `rpt_seq` and packet `packet` can be
    /// taken: what came behind it must be kept without a hole.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn admits(&self, rpt_seq: u32, packet: u32) -> Result<(), &'static str> {
        if self.rpt_seq.is_some() && !self.torn && self.doubted.is_none() {
            return Err("snapshot of a book that is known");
        }
        if packet < self.emptied || self.doubted.is_some_and(|lost| packet < lost) {
            return Err("snapshot older than what was lost");
        }
        let Some(last) = self.rpt_seq else { return Ok(()) };
        if rpt_seq >= last {
            return Ok(());
        }
        let behind = self.kept.iter().filter(|kept| kept.rpt_seq > rpt_seq);
        let reaches = self.kept.front().is_some_and(|kept| kept.rpt_seq <= rpt_seq + 1);
        if !reaches || behind.clone().count() != (last - rpt_seq) as usize {
            return Err("snapshot older than what is kept");
        }
        if behind.clone().any(|kept| kept.packet.is_some_and(|number| number <= packet)) {
            return Err("snapshot contradicts the updates");
        }
        Ok(())
    }
}
