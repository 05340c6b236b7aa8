//! Whose a snapshot is that does not say it, as those of spot and USD-M do not. Where a recording has
//! one symbol, it is that one's. Where it has several, its content must tell.

use super::frame::Snapshot;
use super::stream::Stream;
use market::{Event, Side, Timestamp};
use std::collections::HashSet;

/// Symbols that depth frames were of, as far as it matters: none, one, several.
#[derive(Clone, Debug, Default)]
pub(super) struct Symbols {
    first: Option<String>,
    several: bool,
}

impl Symbols {
    #[inline]
    pub(super) fn saw(&mut self, symbol: &str) {
        match &self.first {
            Some(first) => self.several |= first != symbol,
            None => self.first = Some(symbol.to_owned()),
        }
    }

    /// The one there is; `Err` if there are several.
    pub(super) fn only(&self) -> Result<Option<&str>, ()> {
        if self.several { Err(()) } else { Ok(self.first.as_deref()) }
    }
}

/// Of the streams that wait for a snapshot, the one whose held frames have most levels in common with
/// it, price and quantity. A tie tells nothing.
pub(super) fn by_content(streams: &[Stream], snapshot: &Snapshot<'_>) -> Option<usize> {
    let waiting = (0..).zip(streams).filter(|(_, stream)| stream.join().is_waiting());
    let mut scores: Vec<(usize, usize)> =
        waiting.map(|(at, stream)| (in_common(stream, snapshot), at)).collect();
    scores.sort_unstable_by(|one, other| other.cmp(one));
    match scores.as_slice() {
        [(best, _), (second, _), ..] if best == second => None,
        [(best, at), ..] if *best > 0 => Some(*at),
        _ => None,
    }
}

fn in_common(stream: &Stream, snapshot: &Snapshot<'_>) -> usize {
    let mut levels = Vec::new();
    let sides = [&snapshot.bids[..], &snapshot.asks];
    if stream.levels(Timestamp::ZERO, sides, &mut levels).is_err() {
        return 0;
    }
    let level = |event: &Event| (event.side == Side::Buy as u8, event.price, event.qty);
    let known: HashSet<_> = levels.iter().map(level).collect();
    stream.join().held().filter(|held| known.contains(&level(held))).count()
}
