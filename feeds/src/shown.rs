//! A book that is shown whole, again and again: what changed since it was shown last, as `Level`
//! events.

use market::{Event, EventKind, Price, Qty, Side, Sink};

/// The levels that were shown last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Raw price and quantity, of bids and asks.
    sides: [Vec<(i64, i64)>; 2],
}

impl Shown {
    /// Nothing was shown.
    pub fn clear(&mut self) {
        self.sides.iter_mut().for_each(Vec::clear);
    }

    /// These are the levels of a side now, raw price and quantity. The events are `event` with the
    /// levels that changed: first those that are gone, then the others.
    #[inline]
    pub fn show(
        &mut self,
        side: Side,
        now: impl Iterator<Item = (i64, i64)> + Clone,
        event: &Event,
        sink: &mut impl Sink,
    ) {
        let before = &mut self.sides[side.index()];
        if now.clone().eq(before.iter().copied()) {
            return;
        }
        let mut tell = |price: i64, qty: i64| {
            let (price, qty) = (Price::from_raw(price), Qty::from_raw(qty));
            let event = Event { order: 0, price, qty, ..event.with_side(Some(side)) };
            sink.event(event.with_kind(EventKind::Level));
        };
        for &(price, _) in before.iter() {
            if !now.clone().any(|(new, _)| new == price) {
                tell(price, 0);
            }
        }
        for level in now.clone() {
            if !before.contains(&level) {
                tell(level.0, level.1);
            }
        }
        before.clear();
        before.extend(now);
    }
}
