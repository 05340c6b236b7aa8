//! The instruments of a recording: those that are wanted, or all, numbered as they are met.
//!
//! Never holds more than [`Instruments::MAX`], nor symbols that are longer than any venue's, whatever
//! a file makes up.

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
    /// Bytes of all symbols.
    text: usize,
    too_long: u64,
}

impl Instruments {
    /// Most instruments that a recording may introduce.
    pub const MAX: usize = BookLimits::INSTRUMENTS_MAX;
    /// The longest symbol that a recording may introduce.
    pub const SYMBOL_MAX: usize = 256;
    /// Most bytes of all symbols that a recording introduces.
    const TEXT_MAX: usize = 64 * Self::MAX;

    /// Those that are wanted.
    #[must_use]
    pub fn new(wanted: &Wanted) -> Instruments {
        let (known, by_symbol) = (Vec::new(), HashMap::new());
        let mut table = Instruments { known, by_symbol, discover: true, text: 0, too_long: 0 };
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
        self.text += symbol.len();
        self.by_symbol.insert(symbol.clone(), at);
        self.known.push(Known { id, symbol, qty_digits, definition: None });
        at
    }

    /// The instrument of a symbol: a wanted one, or a new one whose quantities will have
    /// `qty_digits`. `None` if it is not wanted, is too long, or the table is full.
    pub fn resolve(&mut self, symbol: &str, qty_digits: u32) -> Option<&mut Known> {
        let at = match self.by_symbol.get(symbol) {
            Some(&at) => at,
            None if symbol.len() > Self::SYMBOL_MAX => {
                self.too_long += 1;
                return None;
            }
            None if !self.discover || self.is_full() => return None,
            None => {
                let id = InstrumentId(u32::try_from(self.known.len()).ok()?);
                self.insert(id, symbol, qty_digits)
            }
        };
        self.known.get_mut(at)
    }

    fn is_full(&self) -> bool {
        self.known.len() >= Self::MAX || self.text >= Self::TEXT_MAX
    }

    /// How often a symbol was refused because it is longer than [`Instruments::SYMBOL_MAX`].
    #[must_use]
    pub fn too_long(&self) -> u64 {
        self.too_long
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
