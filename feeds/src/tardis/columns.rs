//! The head row: what the file holds, and which column is which.

use crate::cells::Cells;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `incremental_book_L2`.
    Incremental,
    /// `book_snapshot_N`: so many levels.
    Snapshot(usize),
    /// `trades`; liquidations have the same columns.
    Trades,
    /// `quotes`.
    Quotes,
    /// Something else: its rows are counted.
    Other,
}

impl Kind {
    /// Its name.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Kind::Incremental => "incremental_book_L2".to_owned(),
            Kind::Snapshot(levels) => format!("book_snapshot_{levels}"),
            Kind::Trades => "trades".to_owned(),
            Kind::Quotes => "quotes".to_owned(),
            Kind::Other => "of a kind that is not read".to_owned(),
        }
    }
}

/// Which column is which; those that a kind does not have are zero and not looked at.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub(super) count: usize,
    pub(super) kind: Kind,
    pub(super) exchange: usize,
    pub(super) symbol: usize,
    pub(super) timestamp: usize,
    pub(super) local_timestamp: usize,
    pub(super) is_snapshot: usize,
    pub(super) id: usize,
    pub(super) side: usize,
    pub(super) price: usize,
    pub(super) amount: usize,
    /// Price and amount of bid and ask, of each level.
    pub(super) levels: Vec<[(usize, usize); 2]>,
}

impl Columns {
    /// Reads a head row; `None` if it is none of Tardis.
    pub(super) fn read(head: &[u8]) -> Option<Columns> {
        let head = std::str::from_utf8(head).ok()?;
        let names: Vec<&str> = head.split(',').take(Cells::MAX).collect();
        let of = |name: &str| names.iter().position(|&column| column == name);
        let level = |at: usize| {
            let of = |side: &str, what: &str| of(&format!("{side}[{at}].{what}"));
            let [bid, ask] = ["bids", "asks"].map(|side| of(side, "price").zip(of(side, "amount")));
            Some([bid?, ask?])
        };
        let mut levels: Vec<_> = (0..names.len()).map_while(level).collect();
        let best = |side: &str| of(&format!("{side}_price")).zip(of(&format!("{side}_amount")));
        let quote = best("bid").zip(best("ask")).filter(|_| of("strike_price").is_none());
        let sized = of("side").and(of("price")).and(of("amount")).is_some();
        let kind = match quote {
            _ if !levels.is_empty() => Kind::Snapshot(levels.len()),
            _ if sized && of("is_snapshot").is_some() => Kind::Incremental,
            _ if sized && of("id").is_some() => Kind::Trades,
            Some((bid, ask)) => {
                levels.push([bid, ask]);
                Kind::Quotes
            }
            None => Kind::Other,
        };
        let or_zero = |name: &str| of(name).unwrap_or_default();
        Some(Columns {
            count: names.len(),
            kind,
            exchange: of("exchange")?,
            symbol: of("symbol")?,
            timestamp: of("timestamp")?,
            local_timestamp: of("local_timestamp")?,
            is_snapshot: or_zero("is_snapshot"),
            id: or_zero("id"),
            side: or_zero("side"),
            price: or_zero("price"),
            amount: or_zero("amount"),
            levels,
        })
    }
}
