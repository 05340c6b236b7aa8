//! The books of a recording, by publisher and number: which instrument each is at a time, and what
//! was last shown of it.
//!
//! An instrument that several venues publish has several books: the first that is met bears the
//! symbol, the others the symbol with `#` and the publisher's number. When a symbol passes from one
//! number to another (a continuous contract rolls), its book begins anew.

use super::symbols::{Meant, Symbols};
use crate::recording::{Instruments, Known, Wanted};
use crate::shown::Shown;
use market::InstrumentId;
use market::table::IdTable;
use std::collections::HashMap;

/// Most books that are looked at; those beyond are counted only.
const MAX: usize = Instruments::MAX * 2;

/// One book.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot {
    /// Whose it is; `None` for one that is not wanted.
    pub(super) id: Option<InstrumentId>,
    /// Raw quantity units in one of the recording's.
    pub(super) unit: i64,
    /// It was another number's: the old book must go.
    pub(super) begins_anew: bool,
    /// No record has shown how it begins.
    pub(super) unproven: bool,
    /// The venue missed messages, and has not begun the book anew.
    pub(super) doubtful: bool,
    /// Levels shown last.
    pub(super) shown: Shown,
    /// Whether a top of the book stands in for orders.
    pub(super) top: [bool; 2],
    key: u64,
    /// Another slot of the number, of another publisher; the first slot, if there is none.
    beside: u32,
    /// From when to when it is this instrument.
    from: u64,
    until: u64,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    pub(super) instruments: Instruments,
    pub(super) symbols: Symbols,
    slots: Vec<Slot>,
    by_key: IdTable<u32>,
    /// The latest slot of each number.
    by_number: IdTable<u32>,
    /// Which slot an instrument's book is.
    owners: HashMap<InstrumentId, usize>,
    /// The slot found last.
    last: usize,
}

impl Slots {
    pub(super) fn new(wanted: &Wanted) -> Slots {
        // The first slot is nobody's, and never current.
        let nobody = Slot { key: u64::MAX, ..Slot::default() };
        Slots {
            instruments: Instruments::new(wanted),
            symbols: Symbols::default(),
            slots: vec![nobody],
            by_key: IdTable::growing(64),
            by_number: IdTable::growing(64),
            owners: HashMap::new(),
            last: 0,
        }
    }

    /// The book of `key` at `time`.
    #[inline]
    pub(super) fn find(&mut self, key: u64, time: u64) -> &mut Slot {
        let current = |slot: &Slot| {
            slot.key == key && time.wrapping_sub(slot.from) < slot.until.wrapping_sub(slot.from)
        };
        if !current(&self.slots[self.last]) {
            let at = self.by_key.get(key).map_or(0, |at| at as usize);
            self.last = if current(&self.slots[at]) { at } else { self.learn(key, time, at) };
        }
        &mut self.slots[self.last]
    }

    /// A number means something else from a time on: its books are looked up again.
    pub(super) fn forget(&mut self, number: u32, from: u64) {
        let mut at = self.by_number.get(number.into()).unwrap_or_default();
        while at > 0 {
            let slot = &mut self.slots[at as usize];
            slot.until = slot.until.min(from.max(slot.from));
            at = slot.beside;
        }
    }

    /// What is known of a slot's instrument.
    pub(super) fn known(&self, id: InstrumentId) -> Option<&Known> {
        self.instruments.get(id)
    }

    /// A name for `key` that is new, or holds no more.
    #[cold]
    fn learn(&mut self, key: u64, time: u64, at: usize) -> usize {
        if at == 0 && self.slots.len() >= MAX {
            return 0;
        }
        #[allow(clippy::cast_possible_truncation)]
        let number = key as u32;
        let Meant { symbol, from, until } = self.symbols.meant(number, time);
        let symbol = symbol.unwrap_or_else(|| number.to_string());
        let mut slot = Slot { key, from, until, unproven: true, ..Slot::default() };
        let target = if at == 0 { self.slots.len() } else { at };
        if let Some((id, digits, begins_anew)) = self.resolve(&symbol, target, key, time) {
            slot.id = Some(id);
            slot.unit = 10i64.pow(digits.min(market::Qty::DIGITS_MAX));
            slot.begins_anew = begins_anew;
        }
        if at > 0 {
            slot.beside = self.slots[at].beside;
            self.slots[at] = slot;
            return at;
        }
        slot.beside = self.by_number.get(number.into()).unwrap_or_default();
        self.slots.push(slot);
        insert(&mut self.by_key, key, target);
        insert(&mut self.by_number, number.into(), target);
        target
    }

    /// The instrument of a symbol, unless another book bears it now; then that of a longer name.
    /// Its quantity digits, and whether it was another number's before.
    fn resolve(
        &mut self,
        symbol: &str,
        target: usize,
        key: u64,
        time: u64,
    ) -> Option<(InstrumentId, u32, bool)> {
        let known = self.instruments.resolve(symbol, 0)?;
        let (id, digits) = (known.id, known.qty_digits);
        let owner = self.owners.get(&id).copied().filter(|&owner| owner != target);
        let Some(owner) = owner.and_then(|owner| self.slots.get(owner)) else {
            self.owners.insert(id, target);
            return Some((id, digits, false));
        };
        if owner.until <= time || owner.id != Some(id) {
            self.owners.insert(id, target);
            return Some((id, digits, true));
        }
        let (publisher, number) = (key >> 32, key & u64::from(u32::MAX));
        let name = match owner.key & u64::from(u32::MAX) == number {
            true => format!("{symbol}#{publisher}"),
            false => format!("{symbol}#{publisher}.{number}"),
        };
        let known = self.instruments.resolve(&name, 0)?;
        let (id, digits) = (known.id, known.qty_digits);
        self.owners.insert(id, target);
        Some((id, digits, false))
    }
}

/// Notes where the slot of a key is that has none.
fn insert(table: &mut IdTable<u32>, key: u64, target: usize) {
    #[allow(clippy::cast_possible_truncation)]
    let target = target as u32;
    if table.insert(key, target).is_err() && table.grow() {
        let _ = table.insert(key, target);
    }
}
