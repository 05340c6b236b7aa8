//! Rows of a text whose head says how many cells each has: read, split, and judged whole or not. Knows
//! no column; quoted cells are not read.

use crate::cells::Cells;
use crate::recording::{Broken, LineEnd, Lines, Log, ended};
use std::io::Read;

/// See the module.
pub(crate) struct Rows<R> {
    lines: Lines<R>,
    cells: Cells,
    columns: usize,
}

/// One row.
pub(crate) struct Row<'a> {
    /// Bytes before it.
    pub(crate) position: u64,
    pub(crate) text: &'a [u8],
    pub(crate) cells: &'a Cells,
    /// Why it must not be used, if it must not.
    pub(crate) whole: Result<(), &'static str>,
    /// There is nothing in it.
    pub(crate) is_blank: bool,
}

impl<R: Read> Rows<R> {
    /// The rows that follow in `lines`, of so many cells.
    pub(crate) fn new(lines: Lines<R>, columns: usize) -> Rows<R> {
        Rows { lines, cells: Cells::default(), columns }
    }

    /// Bytes of the rows given so far.
    pub(crate) fn position(&self) -> u64 {
        self.lines.position()
    }

    /// The next row; `None` at the end. An end within a row is noted, and the row is not given. Nor is
    /// one that ends with the text, since nobody knows whether its last cell is whole: it is skipped.
    ///
    /// # Errors
    /// The input cannot be read.
    pub(crate) fn next_row(&mut self, log: &mut Log) -> Result<Option<Row<'_>>, Broken> {
        let position = self.lines.position();
        let line = match self.lines.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(None),
            Err(error) => return ended(&error, position, log).map(|()| None),
        };
        let split = self.cells.split(line.text);
        let is_blank = line.text.is_empty() && line.end != LineEnd::TooLong;
        if line.end == LineEnd::Open && split.is_ok_and(|cells| cells < self.columns) {
            log.cut(position, "a row that does not have all its cells");
            return Ok(None);
        }
        if line.end == LineEnd::Open {
            log.skip(position, "last row has no line end: it may be cut");
            return Ok(None);
        }
        let whole = match split {
            _ if line.end == LineEnd::TooLong => Err("row is longer than 8 MiB"),
            Err(_) => Err("row has a quoted cell, which no row has"),
            Ok(cells) if cells != self.columns => Err("row has not as many cells as the head"),
            Ok(_) => Ok(()),
        };
        Ok(Some(Row { position, text: line.text, cells: &self.cells, whole, is_blank }))
    }
}
