//! Which records of orders belong together: those of one event of the venue, whose last record says
//! so. Only behind it is the book consistent.

use super::flags;
use super::record::Order;

/// Records further apart than this, in nanoseconds, are of different events, whatever they say.
const SPAN: u64 = 1_000_000_000;
/// Most instruments that one event concerns, before the unit ends all the same.
const OPEN_MAX: usize = 256;

/// The event that is being read.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    /// Books whose last record has not come.
    open: Vec<u64>,
    /// What the latest record was.
    snapshot: bool,
    received: u64,
}

impl Group {
    /// A record was read.
    pub(super) fn note(&mut self, order: &Order) {
        (self.snapshot, self.received) = (is_snapshot(order), order.ts_recv);
        let at = self.open.iter().position(|&key| key == order.key);
        match at {
            Some(at) if order.flags & flags::LAST != 0 => drop(self.open.swap_remove(at)),
            None if order.flags & flags::LAST == 0 => self.open.push(order.key),
            _ => {}
        }
    }

    /// Whether more records are to come.
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty() && self.open.len() <= OPEN_MAX
    }

    /// Whether it is over before `next`, though its last record did not say so.
    pub(super) fn ends_before(&self, next: &Order) -> bool {
        self.snapshot != is_snapshot(next) || next.ts_recv.abs_diff(self.received) > SPAN
    }

    /// A new event begins.
    pub(super) fn begin(&mut self) {
        self.open.clear();
    }
}

fn is_snapshot(order: &Order) -> bool {
    order.flags & flags::SNAPSHOT != 0
}
