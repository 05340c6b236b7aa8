//! Frames of several symbols to events: what recordings and live feeds share. Knows neither where
//! frames come from nor when to ask for a snapshot.

use super::frame::{Frame, Kind, Snapshot, Unread, symbol_of};
use super::join::{Span, Taken, Told};
use super::stream::{QTY_DIGITS, Stream, digits_for};
use super::whose::{Kept, Whose, whose};
use super::{depth, frame};
use crate::cryptofeed::stamp;
use crate::frames::NOT_NEEDED;
use crate::recording::{Instruments, Log, Missing, Unit, Wanted};
use market::Timestamp;
use std::collections::HashMap;

/// Changes of levels that all symbols together may hold: 28 MiB.
const HELD_MAX: usize = 1 << 19;
/// Symbols that are known not to be wanted.
const UNWANTED_MAX: usize = 4096;

/// Why a frame of a known kind was of no use.
const NO_NUMBER: &str = "a price or quantity is no number or does not fit";
const NOT_SAID: &str = "a snapshot does not say whose it is, and nothing else tells";
const NEEDLESS: &str = "a snapshot that does not say whose it is, while no book waits for one";
const TOO_EARLY: &str = "a snapshot is older than the frames that were held";
const TWICE: &str = "a trade that another stream tells as well, or that was told before";
const NO_SNAPSHOT: &str = "what came is no snapshot of this symbol";

/// See the module.
pub(crate) struct Decoder {
    pub(super) instruments: Instruments,
    streams: Vec<Stream>,
    /// Places in `streams`; `None` for symbols that are not wanted.
    by_symbol: HashMap<String, Option<usize>>,
    /// Snapshots that do not say whose they are, ahead of the frames that will tell.
    kept: Kept,
    /// What the frames are of, once one has told.
    pub(super) market: &'static str,
    /// At least what is held by all streams.
    held: usize,
    pub(super) frames_held: u64,
    pub(super) frames_old: u64,
    pub(super) snapshots_kept: u64,
}

impl Decoder {
    pub(crate) fn new(wanted: &Wanted) -> Decoder {
        Decoder {
            instruments: Instruments::new(wanted),
            streams: Vec::new(),
            by_symbol: HashMap::new(),
            kept: Kept::default(),
            market: "",
            held: 0,
            frames_held: 0,
            frames_old: 0,
            snapshots_kept: 0,
        }
    }

    /// A frame: its events and entries go into `unit`. Gives its kind.
    ///
    /// # Errors
    /// Why nobody can understand it; a book that it may have changed is lost then.
    pub(crate) fn frame(
        &mut self,
        json: &[u8],
        unit: &mut Unit,
        log: &mut Log,
    ) -> Result<Kind, &'static str> {
        if self.fast(json, unit, log).is_some() {
            return Ok(Kind::DepthUpdate);
        }
        Ok(match Frame::parse(json) {
            Ok(Frame::Depth(depth)) => {
                self.depth(&depth, unit, log);
                Kind::DepthUpdate
            }
            Ok(Frame::Snapshot(snapshot)) => {
                self.snapshot(&snapshot, json, unit, log);
                Kind::Snapshot
            }
            Ok(Frame::Trade(kind, trade)) => {
                self.trade(kind, &trade, unit, log);
                kind
            }
            Ok(Frame::Mark(mark)) => {
                self.mark(&mark, unit);
                Kind::MarkPrice
            }
            Ok(Frame::Counted(kind)) => kind,
            Err(unread) => {
                self.unread(unread, json, unit);
                return Err(match unread {
                    Unread::NoFrame => "no frame of the venue",
                    Unread::Wanting(_) => "a frame that lacks something, or has it in another form",
                });
            }
        })
    }

    /// What REST answered when it was asked for the book of a symbol, which may be a refusal.
    pub(super) fn answer(
        &mut self,
        symbol: &str,
        json: &[u8],
        unit: &mut Unit,
        log: &mut Log,
    ) -> Kind {
        let Ok(Frame::Snapshot(mut snapshot)) = Frame::parse(json) else {
            log.skip(unit.position, NO_SNAPSHOT);
            return Kind::Response;
        };
        snapshot.symbol = Some(symbol.to_ascii_uppercase().into());
        self.snapshot(&snapshot, json, unit, log);
        Kind::Snapshot
    }

    /// The stream of a symbol, whose quantities have `qty_digits` if it is new and nobody said other.
    fn stream(&mut self, symbol: &str, qty_digits: impl FnOnce() -> u32) -> Option<usize> {
        if let Some(&known) = self.by_symbol.get(symbol) {
            return known;
        }
        let Some(known) = self.instruments.resolve(symbol, qty_digits()) else {
            let unwanted = self.by_symbol.len() - self.streams.len();
            if unwanted < UNWANTED_MAX && symbol.len() <= Instruments::SYMBOL_MAX {
                self.by_symbol.insert(symbol.to_owned(), None);
            }
            return None;
        };
        let at = self.streams.len();
        self.streams.push(Stream::new(known.id, known.qty_digits));
        self.by_symbol.insert(symbol.to_owned(), Some(at));
        Some(at)
    }

    /// A depth frame of the shape that the venue sends, of a symbol that was met before.
    #[inline]
    fn fast(&mut self, json: &[u8], unit: &mut Unit, log: &mut Log) -> Option<()> {
        let head = depth::head(json)?;
        let at = *self.by_symbol.get(head.symbol)?;
        let time = stamp(head.transaction.unwrap_or(head.event));
        if let Some(at) = at {
            let stream = &self.streams[at];
            let events = &mut unit.events;
            let levels = head.levels(stream.qty_digits(), |side, price, qty| {
                events.push(stream.level(time, side, price, qty));
            });
            if levels.is_none() {
                unit.events.clear();
                return None;
            }
        }
        unit.exchange_time = time;
        if let Some(at) = at {
            self.told(at, head.span, time, unit, log);
        }
        Some(())
    }

    /// A depth frame whose levels are the unit's events.
    #[inline]
    fn told(&mut self, at: usize, span: Span, time: Timestamp, unit: &mut Unit, log: &mut Log) {
        let stream = &mut self.streams[at];
        let (gaps, before) = (stream.join().gaps(), stream.join().told());
        let levels = unit.events.len();
        match stream.depth(span, time, &mut unit.events, 0) {
            Told::Applied => return,
            Told::Old => self.frames_old += 1,
            Told::Held | Told::Gap => {
                self.frames_held += 1;
                self.held += levels;
            }
        }
        let (met, first) = stream.join().gaps();
        if met > gaps.0 {
            let known = self.instruments.get(stream.instrument());
            let stream = known.map(|known| known.symbol.clone()).unwrap_or_default();
            log.gap(|| Missing { position: unit.position, stream, first, count: 0 });
        }
        self.bound();
        for (position, json) in self.kept.reached(before, span.last) {
            self.again(position, &json, unit, log);
        }
    }

    /// Keeps what is held within its bounds.
    fn bound(&mut self) {
        if self.held > HELD_MAX {
            let held = |stream: &Stream| stream.join().held().len();
            self.held = self.streams.iter().map(held).sum();
            if self.held > HELD_MAX {
                self.streams.iter_mut().for_each(|stream| stream.join_mut().forget());
                self.held = 0;
            }
        }
    }

    /// A depth frame of whatever shape.
    fn depth(&mut self, depth: &frame::Depth<'_>, unit: &mut Unit, log: &mut Log) {
        if self.market.is_empty() {
            self.market = match (&depth.pair, depth.span().previous) {
                (Some(_), _) => "COIN-M futures",
                (None, Some(_)) => "USD-M futures",
                (None, None) => "spot",
            };
        }
        let time = stamp(depth.transaction.unwrap_or(depth.event));
        unit.exchange_time = time;
        let levels = depth.bids.iter().chain(&depth.asks);
        let digits = || digits_for(levels.map(|level| &*level.0));
        let Some(at) = self.stream(&depth.symbol, digits) else { return };
        let stream = &mut self.streams[at];
        if stream.levels(time, [&depth.bids, &depth.asks], &mut unit.events).is_err() {
            stream.lose(&mut unit.events);
            log.skip(unit.position, NO_NUMBER);
            return;
        }
        self.told(at, depth.span(), time, unit, log);
    }

    fn snapshot(&mut self, snapshot: &Snapshot<'_>, json: &[u8], unit: &mut Unit, log: &mut Log) {
        unit.exchange_time = snapshot.time().unwrap_or_default();
        let Some(symbol) = &snapshot.symbol else {
            let position = unit.position;
            return self.unnamed(snapshot, position, json, unit, log);
        };
        let levels = snapshot.bids.iter().chain(&snapshot.asks);
        if let Some(at) = self.stream(symbol, || digits_for(levels.map(|level| &*level.0))) {
            self.join(at, snapshot, unit.position, unit, log);
        }
    }

    /// A snapshot that stands at `position` and does not say whose it is.
    fn unnamed(
        &mut self,
        snapshot: &Snapshot<'_>,
        position: u64,
        json: &[u8],
        unit: &mut Unit,
        log: &mut Log,
    ) {
        match whose(&self.streams, snapshot) {
            Whose::Of(at) => self.join(at, snapshot, position, unit, log),
            Whose::Later => {
                self.snapshots_kept += u64::from(position == unit.position);
                let dropped = self.kept.keep(snapshot.last, position, json);
                dropped.into_iter().for_each(|position| log.skip(position, NOT_SAID));
            }
            Whose::Unknown => log.skip(position, NOT_SAID),
            Whose::TooEarly => log.skip(position, TOO_EARLY),
            Whose::Needless => log.skip(position, NEEDLESS),
        }
    }

    /// Frames have come as far as a snapshot that was kept.
    #[cold]
    fn again(&mut self, position: u64, json: &[u8], unit: &mut Unit, log: &mut Log) {
        if let Ok(Frame::Snapshot(snapshot)) = Frame::parse(json) {
            self.unnamed(&snapshot, position, json, unit, log);
        }
    }

    fn join(
        &mut self,
        at: usize,
        snapshot: &Snapshot<'_>,
        position: u64,
        unit: &mut Unit,
        log: &mut Log,
    ) {
        match self.streams[at].snapshot(snapshot, &mut unit.events) {
            Ok(Taken::Joined) => {}
            Ok(Taken::TooEarly) => log.skip(position, TOO_EARLY),
            Ok(Taken::NotNeeded) => log.skip(position, NOT_NEEDED),
            Err(_) => log.skip(position, NO_NUMBER),
        }
    }

    /// The place of a symbol that is wanted, for the calls below.
    pub(super) fn place(&mut self, symbol: &str) -> Option<usize> {
        self.stream(symbol, || QTY_DIGITS)
    }

    /// Of which symbol a snapshot is, whoever asked for it knows.
    ///
    /// # Errors
    /// Why it is of no use.
    pub(super) fn snapshot_of(
        &mut self,
        at: usize,
        symbol: &str,
        json: &[u8],
        unit: &mut Unit,
    ) -> Result<(), &'static str> {
        let Ok(Frame::Snapshot(snapshot)) = Frame::parse(json) else { return Err(NO_SNAPSHOT) };
        if snapshot.symbol.as_ref().is_some_and(|said| said != symbol) {
            return Err(NO_SNAPSHOT);
        }
        match self.streams[at].snapshot(&snapshot, &mut unit.events) {
            Ok(Taken::Joined | Taken::NotNeeded) => Ok(()),
            Ok(Taken::TooEarly) => Err(TOO_EARLY),
            Err(_) => Err(NO_NUMBER),
        }
    }

    /// True if the symbol at a place needs a snapshot and its stream tells: without a frame its book
    /// would stand still from the snapshot on.
    pub(super) fn is_waiting(&self, at: usize) -> bool {
        let join = self.streams[at].join();
        join.is_waiting() && join.holds_frames()
    }

    /// Notes snapshots of which no frame told whose they are.
    pub(super) fn never_told(&self, log: &mut Log) {
        self.kept.places().for_each(|position| log.skip(position, NOT_SAID));
    }

    /// Depth frames of all symbols that wait for a snapshot.
    pub(super) fn waiting(&self) -> u64 {
        self.streams.iter().map(|stream| stream.join().waiting()).sum()
    }

    /// The stream at a place.
    pub(super) fn stream_at(&mut self, at: usize) -> &mut Stream {
        &mut self.streams[at]
    }

    fn trade(&mut self, kind: Kind, trade: &frame::Trade<'_>, unit: &mut Unit, log: &mut Log) {
        unit.exchange_time = stamp(trade.time);
        let digits = || digits_for(std::iter::once(&*trade.price));
        let Some(at) = self.stream(&trade.symbol, digits) else { return };
        match self.streams[at].trade(kind, trade, unit) {
            Ok(true) => {}
            Ok(false) => log.skip(unit.position, TWICE),
            Err(_) => log.skip(unit.position, NO_NUMBER),
        }
    }

    fn mark(&mut self, mark: &frame::Mark<'_>, unit: &mut Unit) {
        unit.exchange_time = stamp(mark.event);
        let digits = || digits_for(std::iter::once(&*mark.mark));
        let Some(at) = self.stream(&mark.symbol, digits) else { return };
        self.streams[at].mark(mark).for_each(|entry| unit.entry(entry));
    }

    /// What may have been a depth frame: its symbol's book is not to be believed.
    fn unread(&mut self, unread: Unread, json: &[u8], unit: &mut Unit) {
        let depth = match unread {
            Unread::Wanting(kind) => kind == Kind::DepthUpdate,
            Unread::NoFrame => memchr::memmem::find(json, b"\"depthUpdate\"").is_some(),
        };
        let symbol = depth.then(|| symbol_of(json)).flatten();
        let known = symbol.and_then(|symbol| self.by_symbol.get(&symbol).copied().flatten());
        if let Some(at) = known {
            self.streams[at].lose(&mut unit.events);
        }
    }
}
