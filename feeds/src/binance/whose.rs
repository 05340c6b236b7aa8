//! Whose a snapshot is that does not say it, as those of spot and USD-M do not. Numbers of symbols may
//! be alike, and with symbols subscribed one after another a snapshot may come before the first frame
//! of its own. So what stands in it tells: it must be the book that a symbol's frames lead to; or, if
//! no frame is wholly before it, its number must lie within a frame, and prices of that within it.

use super::frame::Snapshot;
use super::join::Reach;
use super::stream::Stream;
use market::{Event, Price, Qty, Side, Timestamp};
use std::collections::HashMap;

/// Bytes of snapshots that are kept until frames have come as far: one of 5,000 levels a side has
/// 300,000.
const KEPT_MAX: usize = 1 << 22;
/// And how many they may be.
const SNAPSHOTS_MAX: usize = 256;

/// What the symbols that wait say of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// It is the book of the one at this place, and of no other.
    Of(usize),
    /// Frames must tell that are still to come.
    Later,
    /// Nothing tells.
    Unknown,
    /// Updates are missing between it and the only one that waits.
    TooEarly,
    /// None waits.
    Needless,
}

/// Looks at a snapshot by all streams that wait for one.
pub(super) fn whose(streams: &[Stream], snapshot: &Snapshot<'_>) -> Whose {
    let waiting = (0..).zip(streams).filter(|(_, stream)| stream.join().is_waiting());
    let (mut count, mut behind, mut ahead) = (0, 0, false);
    let (mut told, mut near) = (Vec::new(), Vec::new());
    for (at, stream) in waiting {
        count += 1;
        match stream.join().reach(snapshot.last) {
            Reach::Behind => behind += 1,
            Reach::Ahead => ahead = true,
            Reach::Within => match fit(stream, snapshot) {
                Fit::Told => told.push(at),
                Fit::Near => near.push(at),
                Fit::None => {}
            },
        }
    }
    match (told.as_slice(), near.as_slice()) {
        (&[at], _) | ([], &[at]) => Whose::Of(at),
        ([], []) if ahead || streams.is_empty() => Whose::Later,
        ([], []) if count == 0 => Whose::Needless,
        ([], []) if (count, behind) == (1, 1) => Whose::TooEarly,
        _ => Whose::Unknown,
    }
}

/// How a snapshot goes with frames within which its number lies.
enum Fit {
    /// It has every level as the frames that it covers told it last, one at least with a quantity.
    Told,
    /// They say nothing that it has, and nothing against it; but a price of theirs is within its own.
    Near,
    /// It is another book.
    None,
}

/// What the frame behind those that it covers tells may be in a snapshot or not; it has no level beyond
/// its worst.
fn fit(stream: &Stream, snapshot: &Snapshot<'_>) -> Fit {
    let mut levels = Vec::new();
    let sides = [&snapshot.bids[..], &snapshot.asks];
    if stream.levels(Timestamp::ZERO, sides, &mut levels).is_err() {
        return Fit::None;
    }
    let key = |event: &Event| (event.side, event.price);
    let shown: HashMap<_, Qty> = levels.iter().map(|event| (key(event), event.qty)).collect();
    let mut told: HashMap<_, Option<Qty>> = HashMap::new();
    for (covered, event) in stream.join().held_up_to(snapshot.last) {
        told.insert(key(event), covered.then_some(event.qty));
    }
    let of = |side: Side| {
        levels.iter().filter(move |event| event.side == side as u8).map(|event| event.price)
    };
    let (low, high) = (of(Side::Buy).min(), of(Side::Sell).max());
    let is_beyond = |side: u8, price: Price| match side == Side::Buy as u8 {
        true => low.is_none_or(|low| price < low),
        false => high.is_none_or(|high| price > high),
    };
    let (mut confirmed, mut near) = (false, false);
    for ((side, price), qty) in told {
        near |= !is_beyond(side, price);
        let Some(qty) = qty else { continue };
        match shown.get(&(side, price)) {
            Some(&shown) if shown == qty => confirmed |= qty.is_positive(),
            None if !qty.is_positive() || is_beyond(side, price) => {}
            _ => return Fit::None,
        }
    }
    match (confirmed, near) {
        (true, _) => Fit::Told,
        (false, true) => Fit::Near,
        (false, false) => Fit::None,
    }
}

/// Snapshots that are ahead of the frames, until these have come as far.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    all: Vec<One>,
    bytes: usize,
}

#[derive(Clone, Debug)]
struct One {
    last: u64,
    position: u64,
    json: Vec<u8>,
}

impl Kept {
    /// Keeps one that stands at `position`. Gives the places of those that there is no room for.
    pub(super) fn keep(&mut self, last: u64, position: u64, json: &[u8]) -> Vec<u64> {
        if json.len() > KEPT_MAX {
            return vec![position];
        }
        self.bytes += json.len();
        self.all.push(One { last, position, json: json.to_vec() });
        let mut dropped = Vec::new();
        while self.bytes > KEPT_MAX || self.all.len() > SNAPSHOTS_MAX {
            let oldest = self.all.remove(0);
            self.bytes -= oldest.json.len();
            dropped.push(oldest.position);
        }
        dropped
    }

    /// Where those stand that no frames have come as far as.
    pub(super) fn places(&self) -> impl Iterator<Item = u64> + '_ {
        self.all.iter().map(|one| one.position)
    }

    /// Takes those that frames of one symbol have reached by going on from one update to another: the
    /// places and texts.
    #[inline]
    pub(super) fn reached(&mut self, from: u64, to: u64) -> Vec<(u64, Vec<u8>)> {
        let reached = |one: &mut One| from < one.last && one.last <= to;
        let taken: Vec<One> = self.all.extract_if(.., reached).collect();
        self.bytes -= taken.iter().map(|one| one.json.len()).sum::<usize>();
        taken.into_iter().map(|one| (one.position, one.json)).collect()
    }
}
