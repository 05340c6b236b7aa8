//! Instruments by id and by symbol, looked up without allocation.

use crate::fix::padded::Padded;
use market::ids::digest64;
use market::table::IdTable;
use market::{Instrument, InstrumentId, Qty};

/// Why instruments do not make a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstrumentsError {
    /// The same id or symbol twice.
    #[error("instrument `{0}` stands twice: give each id and symbol once")]
    Twice(String),
    /// A symbol that no FIX field can hold.
    #[error("symbol `{0}` is empty or holds the field separator")]
    Symbol(String),
    /// A scale that [`Qty`] does not know.
    #[error("instrument `{0}` has more than 9 quantity digits")]
    Digits(String),
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: InstrumentId,
    /// As a field can hold it.
    pub(crate) symbol: Padded,
    pub(crate) qty_digits: u32,
}

/// No place of an instrument.
const NONE: u32 = u32::MAX;

/// What the mapping must know of each instrument.
#[derive(Clone, Debug)]
pub struct Instruments {
    entries: Box<[Entry]>,
    /// Places by id, which a run counts from 0; [`NONE`] where there is none.
    by_id: Box<[u32]>,
    by_symbol: IdTable,
}

impl Instruments {
    /// The table of these instruments, fixed from now on.
    ///
    /// # Errors
    /// [`InstrumentsError`].
    pub fn new(instruments: &[Instrument]) -> Result<Self, InstrumentsError> {
        let ids = instruments.iter().map(|instrument| instrument.id.index());
        let mut by_id = vec![NONE; ids.max().map_or(0, |most| most + 1)].into_boxed_slice();
        let mut by_symbol = IdTable::new(instruments.len());
        let mut entries = Vec::with_capacity(instruments.len());
        for (slot, instrument) in (0u32..).zip(instruments) {
            let name = || instrument.symbol.clone();
            let symbol = instrument.symbol.as_bytes();
            if symbol.is_empty() || symbol.contains(&crate::fix::SOH) {
                return Err(InstrumentsError::Symbol(name()));
            }
            if instrument.qty_digits > Qty::DIGITS_MAX {
                return Err(InstrumentsError::Digits(name()));
            }
            // Two symbols of one digest are refused like one symbol twice.
            let old_id = std::mem::replace(&mut by_id[instrument.id.index()], slot);
            let old_symbol = by_symbol.insert(digest64(symbol), slot);
            if old_id != NONE || old_symbol != Ok(None) {
                return Err(InstrumentsError::Twice(name()));
            }
            entries.push(Entry {
                id: instrument.id,
                symbol: Padded::new(symbol),
                qty_digits: instrument.qty_digits,
            });
        }
        Ok(Instruments { entries: entries.into_boxed_slice(), by_id, by_symbol })
    }

    pub(crate) fn get(&self, id: InstrumentId) -> Option<&Entry> {
        self.by_id.get(id.index()).and_then(|slot| self.at(*slot as usize))
    }

    pub(super) fn named(&self, symbol: &[u8]) -> Option<&Entry> {
        let slot = self.by_symbol.get(digest64(symbol))?;
        self.at(slot as usize).filter(|entry| entry.symbol.text() == symbol)
    }

    /// The place of a symbol among all of them.
    pub(crate) fn place(&self, symbol: &[u8]) -> Option<usize> {
        let slot = self.by_symbol.get(digest64(symbol))? as usize;
        (self.at(slot)?.symbol.text() == symbol).then_some(slot)
    }

    /// The instrument at a place.
    pub(crate) fn at(&self, place: usize) -> Option<&Entry> {
        self.entries.get(place)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Their symbols, in order.
    pub(super) fn symbols(&self) -> impl Iterator<Item = &[u8]> {
        self.entries.iter().map(|entry| entry.symbol.text())
    }

    /// The instrument of a symbol.
    #[must_use]
    pub fn id_of(&self, symbol: &[u8]) -> Option<InstrumentId> {
        self.named(symbol).map(|entry| entry.id)
    }
}
