//! Snapshots of books by order (templates 44, 53): a book that is not known is built from all
//! chunks of one, and from the changes that were kept behind it. `LastMsgSeqNumProcessed` (369)
//! names the packet that it holds as its last; `RptSeq` is not in it.

use super::chunks::Chunks;
use super::decode::{Decoder, From, scaled, tell};
use super::orders::side;
use super::resting::Resting;
use super::templates::Scale;
use super::wire::{Group, Message, Size};
use crate::capture::Held;
use crate::recording::Log;
use market::{Event, EventFlags, EventKind, Qty, Sink as _, Timestamp};

impl Decoder {
    /// Takes a chunk of a snapshot, if it is of use.
    pub(super) fn order_snapshot(
        &mut self,
        scale: Scale,
        message: &Message<'_>,
        from: From,
        out: &mut Held,
        log: &mut Log,
    ) -> Result<(), &'static str> {
        let mut rest = message.rest;
        let group = Group::take(&mut rest, Size::Short)?;
        self.tally.orders += group.len() as u64;
        if !self.by_order {
            return Ok(());
        }
        let root = &message.root;
        let (Some(packet), Some(id), Some(count), Some(number), Some(time)) =
            (root.u32(0), root.i32(8), root.u32(12), root.u32(16), root.u64(20))
        else {
            return Err("message shorter than its fields");
        };
        if number == 0 || number > count {
            return Err("chunk of a number that its snapshot has not");
        }
        self.snapshots = true;
        self.tally.snapshots += 1;
        let Some(at) = self.security(id) else { return Ok(()) };
        if !self.wants(at, packet, from.sent) {
            return Ok(());
        }
        let units = self.securities[at].units;
        let orders = &mut self.securities[at].orders;
        let mut chunks = match orders.chunks.take() {
            Some(chunks) if chunks.packet() == packet => chunks,
            // The other line is behind.
            Some(chunks) if chunks.packet() > packet => {
                orders.chunks = Some(chunks);
                return Ok(());
            }
            _ => Box::new(Chunks::new(packet, count)),
        };
        if !chunks.take((number, count), rows(&group, scale, units)?)? {
            orders.chunks = Some(chunks);
            return Ok(());
        }
        let book = chunks.book()?;
        self.tally.recovered += 1;
        self.build_orders(at, (packet, &book), (Timestamp::from_nanos(time), from), out, log);
        Ok(())
    }

    /// Whether a security waits for a snapshot of everything up to this packet.
    fn wants(&self, at: usize, packet: u32, sent: Timestamp) -> bool {
        let security = &self.securities[at];
        let waits = match security.torn {
            true => packet.saturating_add(1) >= security.orders.since,
            false => security.is_new(),
        };
        security.instrument.is_some() && waits && self.goes_on(security.channel, packet, sent)
    }

    /// Builds a book anew, and applies what was kept behind the snapshot.
    fn build_orders(
        &mut self,
        at: usize,
        (packet, book): (u32, &[(u64, Resting)]),
        (time, from): (Timestamp, From),
        out: &mut Held,
        log: &mut Log,
    ) {
        let security = &mut self.securities[at];
        let Some(instrument) = security.instrument else { return };
        let flags = EventFlags::SNAPSHOT;
        let of = |kind| Event { exchange_time: time, flags, ..Event::new(kind, instrument) };
        out.event(of(EventKind::Clear));
        for &(order, Resting { side, price, qty, .. }) in book {
            let add = of(EventKind::Add).with_side(Some(side));
            out.event(Event { order, price, qty, ..add });
        }
        tell(out, EventKind::Recovered, security, time);
        security.believe();
        // Which number the next update has, is not said.
        security.afresh = true;
        for change in security.orders.become_of(packet, book) {
            self.order(at, Ok(change), (change.time, from), out, log);
            if self.securities[at].torn {
                break;
            }
        }
    }
}

/// The orders of a chunk.
///
/// # Errors
/// Why it is none.
fn rows(group: &Group<'_>, scale: Scale, units: i64) -> Result<Vec<(u64, Resting)>, &'static str> {
    let row = |entry: super::wire::Block<'_>| {
        let (Some(id), Some(priority), Some(qty), Some(kind)) =
            (entry.u64(0), entry.u64(8), entry.i32(24), entry.u8(28))
        else {
            return Err("entry shorter than its fields");
        };
        let side = side(Some(kind)).ok_or("snapshot of an order without a side")?;
        let known = scale.price(&entry, 16)?.filter(|_| qty > 0 && qty != i32::MAX);
        let price = known.ok_or("snapshot of an order without price or quantity")?;
        let qty = scaled(Qty::from_raw(qty.into()), units)?;
        Ok((id, Resting { side, price, qty, priority }))
    };
    group.entries().map(row).collect()
}
