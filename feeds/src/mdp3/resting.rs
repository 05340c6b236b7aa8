//! The orders of one security, as the venue names them: which rest in its book, and what waits for
//! a snapshot to show what it follows on. Reads no message and gives no event.
//!
//! A lower `MDOrderPriority` (37707) stands before a higher one at the same price. Numbers here are
//! those of packets: orders have none of their own, as levels have by `RptSeq`.

use super::chunks::Chunks;
use market::{Price, Qty, Side, Timestamp};
use std::collections::{HashMap, VecDeque};

/// Changes kept for a snapshot, of one security.
const KEPT_MAX: usize = 1 << 15;

/// An order in the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resting {
    pub(super) side: Side,
    pub(super) price: Price,
    pub(super) qty: Qty,
    pub(super) priority: u64,
}

/// What becomes of an order: `OrderUpdateAction` (37708), or `MDUpdateAction` (279).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    New,
    Update,
    Delete,
}

impl Act {
    pub(super) fn read(byte: u8) -> Option<Act> {
        Some(match byte {
            0 => Act::New,
            1 => Act::Update,
            2 => Act::Delete,
            _ => return None,
        })
    }
}

/// A change of one order. Price and quantity of a deletion may be missing.
#[derive(Clone, Copy, Debug)]
pub(super) struct OrderChange {
    pub(super) id: u64,
    pub(super) act: Act,
    pub(super) side: Side,
    pub(super) price: Option<Price>,
    pub(super) qty: Qty,
    pub(super) priority: u64,
    pub(super) time: Timestamp,
}

/// What a change does to the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Add(Resting),
    Change(Resting),
    /// It goes behind the others at its price, which a change alone would not say.
    Behind(Resting),
    Delete,
    /// Nothing: the order is of before the beginning.
    Unknown,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Orders {
    resting: HashMap<u64, Resting>,
    /// Number of the packet whose messages are read.
    pub(super) packet: u32,
    /// Of a book that is not known: every change of this packet and those behind it is kept.
    pub(super) since: u32,
    kept: VecDeque<(u32, OrderChange)>,
    /// The packet that the last snapshot taken holds as its last.
    pub(super) holds: Option<u32>,
    /// The snapshot that is being put together.
    pub(super) chunks: Option<Box<Chunks>>,
}

impl Orders {
    /// Applies a change. Of a book that is not known (`torn`), orders of before may be named.
    ///
    /// # Errors
    /// What contradicts the book: it is as it was then.
    pub(super) fn apply(&mut self, change: &OrderChange, torn: bool) -> Result<Told, &'static str> {
        let known = self.resting.get(&change.id).copied();
        if known.is_some_and(|known| known.side != change.side) {
            return Err("order is of the other side");
        }
        if change.act == Act::Delete {
            return match known {
                Some(_) => {
                    self.resting.remove(&change.id);
                    Ok(Told::Delete)
                }
                None if torn => Ok(Told::Unknown),
                None => Err("order that is not in the book"),
            };
        }
        let &OrderChange { side, qty, priority, .. } = change;
        let price = change.price.ok_or("order without a price")?;
        if !qty.is_positive() {
            return Err("order without a quantity");
        }
        let order = Resting { side, price, qty, priority };
        let told = match (change.act, known) {
            (Act::New, Some(_)) => return Err("new order that is in the book"),
            (Act::Update, None) if !torn => return Err("order that is not in the book"),
            (_, None) => Told::Add(order),
            (_, Some(before)) => {
                let stays = before.price == price && qty <= before.qty;
                match stays && priority > before.priority {
                    true => Told::Behind(order),
                    false => Told::Change(order),
                }
            }
        };
        self.resting.insert(change.id, order);
        Ok(told)
    }

    /// Keeps a change for a snapshot to come; the oldest goes if there are too many.
    pub(super) fn keep(&mut self, change: OrderChange) {
        if self.kept.len() >= KEPT_MAX
            && let Some((packet, _)) = self.kept.pop_front()
        {
            self.since = self.since.max(packet.saturating_add(1));
        }
        self.kept.push_back((self.packet, change));
    }

    /// A change is not kept: a snapshot must hold it.
    pub(super) fn pass(&mut self) {
        self.since = self.packet.saturating_add(1);
    }

    /// True if no order is known.
    pub(super) fn is_empty(&self) -> bool {
        self.resting.is_empty()
    }

    /// How many changes are kept.
    pub(super) fn kept(&self) -> usize {
        self.kept.len()
    }

    /// Drops what is kept: a snapshot must hold it all.
    pub(super) fn drop_kept(&mut self) {
        if let Some(&(packet, _)) = self.kept.back() {
            self.since = self.since.max(packet.saturating_add(1));
        }
        self.kept = VecDeque::new();
    }

    /// The book is unknown, or empty: nothing of what was known or kept holds any more. A snapshot
    /// must hold the packet that is read, of which a part was applied.
    pub(super) fn forget(&mut self) {
        self.resting = HashMap::new();
        self.kept = VecDeque::new();
        self.pass();
        self.holds = None;
    }

    /// True if the snapshot that was taken holds this packet.
    pub(super) fn is_held(&self, packet: u32) -> bool {
        self.holds.is_some_and(|holds| packet <= holds)
    }

    /// The book is that of a snapshot which holds everything up to `packet`; gives what is to be
    /// applied behind it.
    pub(super) fn become_of(
        &mut self,
        packet: u32,
        rows: &[(u64, Resting)],
    ) -> impl Iterator<Item = OrderChange> + use<> {
        self.resting = rows.iter().copied().collect();
        self.holds = Some(packet);
        let kept = std::mem::take(&mut self.kept);
        kept.into_iter().filter(move |&(of, _)| of > packet).map(|(_, change)| change)
    }
}
