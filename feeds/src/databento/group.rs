//! Which records of orders belong together: those of one event of the venue, whose last record says
//! so. Only behind it is the book consistent.

use super::flags;
use super::record::Order;

/// Records further apart than this, in nanoseconds, are of different events, whatever they say.
const SPAN: u64 = 1_000_000_000;
/// Most instruments that one event concerns, before the unit ends all the same.
const OPEN_MAX: usize = 256;
/// Most records of a unit, however long the venue's event seems to be.
const RECORDS_MAX: usize = 1 << 18;

/// The event that is being read.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    /// Books whose last record has not come.
    open: Vec<u64>,
    /// What the latest record was.
    last: Option<Order>,
    records: usize,
}

impl Group {
    /// A record of an order was read.
    pub(super) fn note(&mut self, order: &Order) {
        self.last = Some(*order);
        self.records += 1;
        let at = self.open.iter().position(|&key| key == order.key);
        match at {
            Some(at) if order.flags & flags::LAST != 0 => drop(self.open.swap_remove(at)),
            None if order.flags & flags::LAST == 0 => self.open.push(order.key),
            _ => {}
        }
    }

    /// A record of another kind was read.
    pub(super) fn pass(&mut self) {
        self.records += 1;
    }

    /// Whether more records may come.
    pub(super) fn is_open(&self) -> bool {
        let traded = self.last.is_some_and(|last| matches!(last.action, b'T' | b'F'));
        (traded || !self.open.is_empty()) && self.open.len() <= OPEN_MAX
    }

    /// Whether it has more records than any event.
    pub(super) fn is_endless(&self) -> bool {
        self.records >= RECORDS_MAX
    }

    /// Whether it is over before `next`: a record of an order, or of another kind.
    pub(super) fn ends_before(&self, next: Option<&Order>) -> bool {
        let (Some(last), Some(next)) = (&self.last, next) else { return self.open.is_empty() };
        if self.open.is_empty() {
            // One message of the venue may be a trade, a fill and a cancel, each said to be the
            // last.
            let same = |order: &Order| (order.key, order.ts_event, order.sequence);
            return same(last) != same(next) || !matches!(next.action, b'F' | b'C' | b'M');
        }
        is_snapshot(last) != is_snapshot(next) || next.time().abs_diff(last.time()) > SPAN
    }

    /// A new event begins.
    pub(super) fn begin(&mut self) {
        self.open.clear();
        self.last = None;
        self.records = 0;
    }
}

fn is_snapshot(order: &Order) -> bool {
    order.flags & flags::SNAPSHOT != 0
}
