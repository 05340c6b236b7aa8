//! A book by order as a snapshot says it, in chunks: all of them must have come, with the same
//! `LastMsgSeqNumProcessed` (369), before it is a book. Chunks come over two lines, so that each may
//! come twice, and in any order.

use super::resting::Resting;
use market::Side;
use std::cmp::Reverse;
use std::collections::HashSet;

/// Orders of one book that are read.
const ROWS_MAX: usize = 1 << 18;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Chunks {
    /// The packet that the snapshot holds as its last.
    packet: u32,
    /// How many there are.
    count: u32,
    come: HashSet<u32>,
    rows: Vec<(u64, Resting)>,
}

impl Chunks {
    pub(super) fn new(packet: u32, count: u32) -> Chunks {
        Chunks { packet, count, come: HashSet::new(), rows: Vec::new() }
    }

    pub(super) fn packet(&self) -> u32 {
        self.packet
    }

    /// Takes chunk `number` of `count`; true if all have come.
    ///
    /// # Errors
    /// What is wrong with the snapshot, which is of no use then.
    pub(super) fn take(
        &mut self,
        (number, count): (u32, u32),
        rows: Vec<(u64, Resting)>,
    ) -> Result<bool, &'static str> {
        if count != self.count {
            return Err("chunks that differ in their number of chunks");
        }
        if self.come.insert(number) {
            self.rows.extend(rows);
        }
        if self.rows.len() > ROWS_MAX {
            return Err("snapshot of more orders than are read");
        }
        Ok(self.come.len() == self.count as usize)
    }

    /// The orders, each side's best first and those of a price in order of priority.
    ///
    /// # Errors
    /// An order is there twice.
    pub(super) fn book(self) -> Result<Vec<(u64, Resting)>, &'static str> {
        let mut rows = self.rows;
        rows.sort_unstable_by_key(|&(id, row)| {
            let away = match row.side {
                Side::Buy => (0, Some(Reverse(row.price)), None),
                Side::Sell => (1, None, Some(row.price)),
            };
            (away, row.priority, id)
        });
        let mut ids = HashSet::with_capacity(rows.len());
        match rows.iter().all(|&(id, _)| ids.insert(id)) {
            true => Ok(rows),
            false => Err("snapshot with an order twice"),
        }
    }
}
