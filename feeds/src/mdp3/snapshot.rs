//! Snapshots: a book whose updates were missed is built again from one, and from the updates that
//! were kept behind it. `LastMsgSeqNumProcessed` (369) names the packet, `RptSeq` (83) the update
//! that a snapshot holds as its last.

use super::decode::{Decoder, From, tell};
use super::definition;
use super::levels::Levels;
use super::templates::{Scale, Snapshot};
use super::wire::{Group, Message, Size};
use crate::capture::Held;
use crate::recording::Log;
use market::{Event, EventFlags, EventKind, Price, Qty, Side, Sink as _, Timestamp};

/// A book as a snapshot says it.
struct Book {
    sides: [Levels; 2],
    rows: Vec<(Side, Price, Qty)>,
}

impl Decoder {
    /// Takes the snapshot of one security, if it is of use.
    pub(super) fn snapshot(
        &mut self,
        scale: Scale,
        layout: Snapshot,
        message: &Message<'_>,
        from: From,
        out: &mut Held,
        log: &mut Log,
    ) -> Result<(), &'static str> {
        let root = &message.root;
        let (Some(packet), Some(id), Some(number), Some(time)) =
            (root.u32(0), root.i32(8), root.u32(12), root.u64(16))
        else {
            return Err("message shorter than its fields");
        };
        if self.by_order {
            return Ok(());
        }
        self.snapshots = true;
        self.tally.snapshots += 1;
        let Some(at) = self.security(id) else { return Ok(()) };
        if self.securities[at].instrument.is_none() {
            return Ok(());
        }
        let depth = self.securities[at].depth;
        let units = self.securities[at].units;
        let book = read(scale, layout, message, depth, units)?;
        if let Err(reason) = self.securities[at].admits(number, packet) {
            if reason == "snapshot contradicts the updates" {
                log.skip(from.position, reason);
            }
            return Ok(());
        }
        if !self.covers(at, packet, from.sent) {
            return Ok(());
        }
        self.tally.recovered += 1;
        let time = Timestamp::from_nanos(time);
        self.build(at, number, book, root.u8(34), time, from, out, log);
        Ok(())
    }

    /// Builds a book anew, and applies what was kept behind the snapshot.
    #[allow(clippy::too_many_arguments)]
    fn build(
        &mut self,
        at: usize,
        number: u32,
        book: Book,
        status: Option<u8>,
        time: Timestamp,
        from: From,
        out: &mut Held,
        log: &mut Log,
    ) {
        let security = &mut self.securities[at];
        let Some(instrument) = security.instrument else { return };
        let flags = EventFlags::SNAPSHOT;
        let of = |kind| Event { exchange_time: time, flags, ..Event::new(kind, instrument) };
        out.event(of(EventKind::Clear));
        for (side, price, qty) in book.rows {
            out.event(Event { price, qty, ..of(EventKind::Level).with_side(Some(side)) });
        }
        if let Some(status) = status.and_then(definition::status) {
            out.event(Event { aux: status as u32, ..of(EventKind::Status) });
        }
        tell(out, EventKind::Recovered, security, time);
        let kept = std::mem::take(&mut security.kept);
        let [bids, asks] = book.sides;
        *security.levels(Side::Buy) = bids;
        *security.levels(Side::Sell) = asks;
        security.believe();
        security.rpt_seq = Some(security.rpt_seq.unwrap_or(number).max(number));
        for kept in kept.iter().filter(|kept| kept.rpt_seq > number) {
            let Some(change) = &kept.change else { continue };
            if let Err(reason) = self.change(at, change, out) {
                self.contradicted(at, reason, change.time, from, out, log);
                break;
            }
        }
    }
}

/// The levels of a snapshot.
///
/// # Errors
/// Why it is none.
fn read(
    scale: Scale,
    layout: Snapshot,
    message: &Message<'_>,
    depth: usize,
    units: i64,
) -> Result<Book, &'static str> {
    let mut rest = message.rest;
    let mut book = Book { sides: [Levels::default(), Levels::default()], rows: Vec::new() };
    for entry in Group::take(&mut rest, Size::Short)?.entries() {
        let side = match entry.u8(layout.kind) {
            Some(b'0') => Side::Buy,
            Some(b'1') => Side::Sell,
            Some(_) => continue,
            None => return Err("entry shorter than its fields"),
        };
        let qty = layout.size.qty(&entry, message.version)?;
        let qty = qty.and_then(|qty| qty.raw().checked_mul(units)).filter(|&raw| raw > 0);
        let (Some(price), Some(raw), Some(number)) =
            (scale.price(&entry, 0)?, qty, entry.u8(layout.level))
        else {
            return Err("snapshot of a level without price or quantity");
        };
        if !book.sides[usize::from(side == Side::Sell)].set(number, price, depth) {
            return Err("snapshot with levels that contradict each other");
        }
        book.rows.push((side, price, Qty::from_raw(raw)));
    }
    Ok(book)
}
