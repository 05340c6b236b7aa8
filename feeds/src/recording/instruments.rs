//! The instruments of a recording: those that are wanted, or all, numbered as they are met.
//!
//! Never holds more than [`Instruments::MAX`], however many symbols a file makes up.

use super::Wanted;
use market::book::BookLimits;
use market::{Definition, InstrumentId};
use std::collections::HashMap;

/// One instrument as the recording knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// What events call it.
    pub id: InstrumentId,
    /// The venue's symbol.
    pub symbol: String,
    /// Fractional digits of quantities in its events.
    pub qty_digits: u32,
    /// What the recording last said of it.
    pub definition: Option<Box<Definition>>,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Instruments {
    /// In order of ids where all are wanted.
    known: Vec<Known>,
    by_symbol: HashMap<String, usize>,
    discover: bool,
}

impl Instruments {
    /// Most instruments that a recording may introduce.
    pub const MAX: usize = BookLimits::INSTRUMENTS_MAX;

    /// Those that are wanted.
    #[must_use]
    pub fn new(wanted: &Wanted) -> Instruments {
        let mut table =
            Instruments { known: Vec::new(), by_symbol: HashMap::new(), discover: true };
        if let Wanted::Only(instruments) = wanted {
            for one in instruments {
                table.insert(one.id, &one.symbol, one.qty_digits);
            }
            table.discover = false;
        }
        table
    }

    fn insert(&mut self, id: InstrumentId, symbol: &str, qty_digits: u32) -> usize {
        let (at, symbol) = (self.known.len(), symbol.to_owned());
        self.by_symbol.insert(symbol.clone(), at);
        self.known.push(Known { id, symbol, qty_digits, definition: None });
        at
    }

    /// The instrument of a symbol: a wanted one, or a new one whose quantities will have
    /// `qty_digits`. `None` if it is not wanted, or the table is full.
    pub fn resolve(&mut self, symbol: &str, qty_digits: u32) -> Option<&mut Known> {
        let at = match self.by_symbol.get(symbol) {
            Some(&at) => at,
            None if !self.discover || self.known.len() >= Self::MAX => return None,
            None => {
                let id = InstrumentId(u32::try_from(self.known.len()).ok()?);
                self.insert(id, symbol, qty_digits)
            }
        };
        self.known.get_mut(at)
    }

    /// The instrument that has this symbol, if it was met or is wanted.
    #[must_use]
    pub fn find(&self, symbol: &str) -> Option<&Known> {
        self.known.get(*self.by_symbol.get(symbol)?)
    }

    /// The instrument that events call `id`.
    #[must_use]
    pub fn get(&self, id: InstrumentId) -> Option<&Known> {
        let guess = self.known.get(id.index()).filter(|known| known.id == id);
        guess.or_else(|| self.known.iter().find(|known| known.id == id))
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Known] {
        &self.known
    }
}
