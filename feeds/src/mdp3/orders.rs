//! Books by order, where they are asked for: orders of their own messages (templates 43, 47) and
//! those that name a level of their message (32, 46, 64). Levels give no event then, but their
//! numbers (`RptSeq`) are judged.
//!
//! Orders have no numbers but those of their packets, so that a packet that is lost, or a message of
//! orders that is damaged, may have concerned any security of its channel: every book of it is
//! unknown until a snapshot of its own (see `order_snapshot`). There are no orders behind implied
//! levels. Source: CME Globex MDP 3.0, Market by Order Full Depth.

use super::decode::{Decoder, From, scaled, tell};
use super::resting::{Act, OrderChange, Told};
use super::security::Security;
use super::templates::{Entries, Scale};
use super::wire::{Block, Group, Message, Size};
use crate::capture::Held;
use crate::recording::Log;
use market::{Event, EventKind, InstrumentId, Qty, Side, Sink as _, Timestamp};

/// Changes kept for snapshots, of all securities.
const KEPT_MAX: usize = 1 << 18;
/// Entries that a group can have.
pub(super) const ENTRIES_MAX: usize = 256;

/// Whether an update is to be applied to its book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Now,
    /// The book holds it already: it is of a snapshot, or the update came before.
    Before,
    /// It is not of the channel of its security, or contradicts what is known.
    Never,
}

impl Decoder {
    /// Whether an update of this packet is still to be applied to the book of a security. A security
    /// is of the channel that its first update came by.
    fn due(
        &mut self,
        at: usize,
        from: From,
        time: Timestamp,
        out: &mut Held,
        log: &mut Log,
    ) -> Due {
        let Some((channel, packet)) = from.packet else { return Due::Never };
        let security = &self.securities[at];
        if security.channel.is_some_and(|its| its != channel) {
            log.skip(from.position, "update of a security of another channel");
            return Due::Never;
        }
        let goes_on = match security.orders.holds.filter(|_| security.channel.is_none()) {
            Some(holds) => self.goes_on(Some(channel), holds, from.sent),
            None => true,
        };
        let security = &mut self.securities[at];
        security.orders.packet = packet;
        if security.channel.replace(channel).is_none() {
            if security.torn {
                // What was lost may have been of another channel: this one has its own span.
                security.orders.since = 0;
            } else if !goes_on {
                lose(security, time, out);
            }
        }
        if security.orders.is_held(packet) { Due::Before } else { Due::Now }
    }

    /// The turn of an update of a book by order, whose number is taken note of.
    pub(super) fn order_turn(
        &mut self,
        at: usize,
        (id, number): (i32, u32),
        time: Timestamp,
        from: From,
        out: &mut Held,
        log: &mut Log,
    ) -> Due {
        let due = self.due(at, from, time, out, log);
        let security = &mut self.securities[at];
        match due {
            Due::Now => {}
            Due::Before => {
                security.rpt_seq = security.rpt_seq.max(Some(number));
                self.tally.old += 1;
                return due;
            }
            Due::Never => return due,
        }
        if security.rpt_seq.is_some() && std::mem::take(&mut security.afresh) {
            security.rpt_seq = Some(number);
            return due;
        }
        if security.rpt_seq.is_some_and(|last| number <= last) {
            self.contradicted(at, "number of an update before", time, from, out, log);
            self.securities[at].afresh = true;
            return Due::Never;
        }
        self.turn(at, id, number, time, from, out, log)
    }

    /// Orders that name the entries of their message; those in `next` are the next of their
    /// security.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn named_orders(
        &mut self,
        (levels, orders): (&Group<'_>, &Group<'_>),
        layout: Entries,
        next: &[bool; ENTRIES_MAX],
        time: Timestamp,
        from: From,
        out: &mut Held,
        log: &mut Log,
    ) {
        for order in orders.entries() {
            let Some(entry) = named(&order).filter(|&entry| next[entry]) else { continue };
            let Some(level) = levels.entry(entry) else { continue };
            let id = level.i32(layout.security);
            let Some(&at) = id.and_then(|id| self.by_id.get(&id)) else { continue };
            let kind = layout.kind().and_then(|kind| level.u8(kind));
            let units = self.securities[at].units;
            let fields = Fields { action: 21, qty: 16, kind };
            let change = layout
                .scale
                .price(&level, 0)
                .and_then(|price| Ok(OrderChange { price, time, ..read(&order, fields, units)? }));
            self.order(at, change, (time, from), out, log);
        }
    }

    /// Orders by themselves.
    pub(super) fn orders(
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
        let time = message.root.u64(0).ok_or("message shorter than its fields")?;
        let time = Timestamp::from_nanos(time);
        if group.entry(0).is_some_and(|order| order.0.len() < 34) {
            return Err("order shorter than its fields");
        }
        for order in group.entries() {
            let Some(at) = order.i32(28).and_then(|id| self.security(id)) else {
                log.skip(from.position, "more securities than are read");
                continue;
            };
            if self.securities[at].instrument.is_none()
                || self.due(at, from, time, out, log) != Due::Now
            {
                continue;
            }
            let security = &mut self.securities[at];
            if security.is_new() {
                // Levels that come have numbers, of which this may be the first that is met.
                (security.torn, security.afresh) = (true, true);
                self.tally.joined += 1;
                tell(out, EventKind::Lost, security, time);
            }
            if order.u8(33) == Some(b'J') {
                security.empty();
                tell(out, EventKind::Clear, security, time);
                continue;
            }
            let fields = Fields { action: 32, qty: 24, kind: order.u8(33) };
            let change = read(&order, fields, security.units);
            let change = change.and_then(|change| {
                Ok(OrderChange { price: scale.price(&order, 16)?, time, ..change })
            });
            self.order(at, change, (time, from), out, log);
        }
        Ok(())
    }

    /// Applies a change of an order, if it is one.
    pub(super) fn order(
        &mut self,
        at: usize,
        change: Result<OrderChange, &'static str>,
        (time, from): (Timestamp, From),
        out: &mut Held,
        log: &mut Log,
    ) {
        let security = &mut self.securities[at];
        let (Some(instrument), torn) = (security.instrument, security.torn) else { return };
        let done = change.and_then(|change| Ok((change, security.orders.apply(&change, torn)?)));
        match done {
            Err(reason) => self.contradicted(at, reason, time, from, out, log),
            Ok((change, told)) => {
                let met = matches!(told, Told::Add(_)) && change.act == Act::Update;
                self.tally.before += u64::from(met || told == Told::Unknown);
                tell_order(out, instrument, &change, told);
                match self.snapshots {
                    true if torn => self.keep_order(at, change),
                    false if torn => self.securities[at].orders.pass(),
                    _ => {}
                }
            }
        }
    }

    fn keep_order(&mut self, at: usize, change: OrderChange) {
        self.securities[at].orders.keep(change);
        self.kept += 1;
        if self.kept > KEPT_MAX {
            self.kept = self.securities.iter().map(|security| security.orders.kept()).sum();
            if self.kept > KEPT_MAX / 2 {
                self.securities.iter_mut().for_each(|security| security.orders.drop_kept());
                self.kept = 0;
            }
        }
    }

    /// Packets of a channel up to `until` are lost, or of no use: whose orders were in them, nobody
    /// knows.
    pub(super) fn lost_orders(
        &mut self,
        channel: usize,
        (first, count): (u32, u32),
        time: Timestamp,
        out: &mut Held,
    ) {
        let until = first.saturating_add(count.saturating_sub(1));
        self.urgent = true;
        for security in &mut self.securities {
            // Of what channel a security is that is known by a snapshot alone, is not known yet.
            let concerns = security.channel.map_or(!security.is_new(), |its| its == channel);
            let Some(instrument) = security.instrument.filter(|_| concerns) else { continue };
            if security.orders.is_held(until) {
                continue;
            }
            security.orders.packet = until;
            security.afresh = true;
            if security.torn && security.orders.is_empty() {
                security.tear();
                continue;
            }
            if !security.torn {
                let event = Event::new(EventKind::Gap, instrument);
                let order = first.into();
                out.event(Event { exchange_time: time, order, aux: count, ..event });
            }
            lose(security, time, out);
        }
    }
}

/// A book is not known any more.
pub(super) fn lose(security: &mut Security, time: Timestamp, out: &mut Held) {
    security.tear();
    tell(out, EventKind::Clear, security, time);
    tell(out, EventKind::Lost, security, time);
}

/// Where the fields of an order stand that do not stand at the same place in all templates, and the
/// type of its level.
#[derive(Clone, Copy, Debug)]
struct Fields {
    action: usize,
    qty: usize,
    kind: Option<u8>,
}

/// Which entry an order of a book message names (`ReferenceID`), the first at 0.
fn named(order: &Block<'_>) -> Option<usize> {
    usize::from(order.u8(20)?).checked_sub(1)
}

/// Whether the orders of a message can be read, each with one of its `levels` entries.
///
/// # Errors
/// Why not.
pub(super) fn check(orders: &Group<'_>, levels: usize) -> Result<(), &'static str> {
    if orders.entry(0).is_some_and(|order| order.0.len() < 22) {
        return Err("order shorter than its fields");
    }
    let names = |order: Block<'_>| named(&order).is_some_and(|entry| entry < levels);
    if orders.entries().all(names) { Ok(()) } else { Err("order names an entry that is not there") }
}

/// What an order says, but for price and time.
fn read(order: &Block<'_>, fields: Fields, units: i64) -> Result<OrderChange, &'static str> {
    let side = side(fields.kind).ok_or("order of a level that has none")?;
    let act = order.u8(fields.action).and_then(Act::read).ok_or("unknown order action")?;
    let qty = order.i32(fields.qty).filter(|&qty| qty != i32::MAX).unwrap_or(0);
    let (Some(id), Some(priority)) = (order.u64(0), order.u64(8)) else {
        return Err("order shorter than its fields");
    };
    let qty = scaled(Qty::from_raw(qty.into()), units)?;
    Ok(OrderChange { id, act, side, price: None, qty, priority, time: Timestamp::ZERO })
}

/// The side of an `MDEntryType` (269) that has orders.
pub(super) fn side(kind: Option<u8>) -> Option<Side> {
    match kind? {
        b'0' => Some(Side::Buy),
        b'1' => Some(Side::Sell),
        _ => None,
    }
}

/// The events of a change.
fn tell_order(out: &mut Held, instrument: InstrumentId, change: &OrderChange, told: Told) {
    let of = |kind| Event {
        exchange_time: change.time,
        order: change.id,
        ..Event::new(kind, instrument).with_side(Some(change.side))
    };
    let add = |kind, price, qty| Event { price, qty, ..of(kind) };
    match told {
        Told::Add(order) => out.event(add(EventKind::Add, order.price, order.qty)),
        Told::Change(order) => out.event(add(EventKind::Change, order.price, order.qty)),
        Told::Behind(order) => {
            out.event(of(EventKind::Delete));
            out.event(add(EventKind::Add, order.price, order.qty));
        }
        Told::Delete => out.event(of(EventKind::Delete)),
        Told::Unknown => {}
    }
}
