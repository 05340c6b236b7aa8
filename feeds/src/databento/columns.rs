//! The columns of Databento's CSV, by their names: which stand where, what schema they make, and
//! which are missing. Reads no row.

use super::record::{LEVELS_MAX, rtype};
use crate::cells::Cells;

/// Which column is which.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns {
    pub(super) count: usize,
    pub(super) ts_recv: Option<usize>,
    pub(super) ts_event: Option<usize>,
    pub(super) rtype: Option<usize>,
    pub(super) publisher: Option<usize>,
    pub(super) instrument: Option<usize>,
    pub(super) action: Option<usize>,
    pub(super) side: Option<usize>,
    pub(super) price: Option<usize>,
    pub(super) size: Option<usize>,
    pub(super) order: Option<usize>,
    pub(super) flags: Option<usize>,
    pub(super) sequence: Option<usize>,
    pub(super) symbol: Option<usize>,
    /// Price and size of bid and ask, of each level.
    pub(super) levels: Vec<[(usize, usize); 2]>,
}

impl Columns {
    pub(super) fn read(head: &[u8]) -> Option<Columns> {
        let head = std::str::from_utf8(head).ok()?;
        let names: Vec<&str> = head.split(',').take(Cells::MAX).collect();
        let of = |name: &str| names.iter().position(|&column| column == name);
        let level = |at: usize| {
            let of = |side: &str, what: &str| of(&format!("{side}_{what}_{at:02}"));
            let [bid, ask] = ["bid", "ask"].map(|side| of(side, "px").zip(of(side, "sz")));
            Some([bid?, ask?])
        };
        let columns = Columns {
            count: names.len(),
            ts_recv: of("ts_recv"),
            ts_event: of("ts_event"),
            rtype: of("rtype"),
            publisher: of("publisher_id"),
            instrument: of("instrument_id"),
            action: of("action"),
            side: of("side"),
            price: of("price"),
            size: of("size"),
            order: of("order_id"),
            flags: of("flags"),
            sequence: of("sequence"),
            symbol: of("symbol"),
            levels: (0..LEVELS_MAX).map_while(level).collect(),
        };
        let sure = columns.publisher.and(columns.instrument).and(columns.ts_event).is_some();
        sure.then_some(columns)
    }

    /// Why rows of this type cannot be read, where the file lacks a column that they need.
    pub(super) fn lacks(&self, kind: u8) -> Option<&'static str> {
        let both = [
            (self.action, "row by order or of a trade, in a file without the column action"),
            (self.price, "row by order or of a trade, in a file without the column price"),
            (self.size, "row by order or of a trade, in a file without the column size"),
        ];
        let orders = [
            (self.side, "row by order, in a file without the column side"),
            (self.order, "row by order, in a file without the column order_id"),
        ];
        let needed: &[&[_]] = match kind {
            rtype::MBO => &[&both, &orders],
            rtype::MBP_0 => &[&both],
            _ => &[],
        };
        let missing = |&&(column, _): &&(Option<usize>, _)| column.is_none();
        needed.iter().copied().flatten().find(missing).map(|&(_, why)| why)
    }

    pub(super) fn schema(&self) -> &'static str {
        match self.levels.len() {
            LEVELS_MAX => "mbp-10",
            1.. => "mbp-1",
            0 if self.order.is_some() => "mbo",
            0 if self.action.and(self.price).is_some() => "trades",
            0 => "",
        }
    }

    /// The type of rows that do not say it.
    pub(super) fn usual(&self) -> Option<u8> {
        match self.schema() {
            "mbp-10" => Some(rtype::MBP_10),
            "mbp-1" => Some(rtype::MBP_1),
            "mbo" => Some(rtype::MBO),
            "trades" => Some(rtype::MBP_0),
            _ => None,
        }
    }
}
