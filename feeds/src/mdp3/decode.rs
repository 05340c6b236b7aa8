//! Messages of MDP 3.0 to events: levels by price, trades, status, figures, definitions. A message
//! that is damaged changes nothing; a security whose updates contradict its book loses it.
//!
//! Books are by level, from the real book (`MDEntryType` 0 and 1), or by order (see `orders`);
//! levels of implied orders are counted.

use super::definition;
use super::levels::Action;
use super::orders::{self, Due, ENTRIES_MAX};
use super::security::{Change, Kept, Security, Turn};
use super::spans::Span;
use super::templates::{Content, Entries, TEMPLATES, What, find};
use super::wire::{Block, Group, Message, SCHEMA, Size};
use crate::capture::Held;
use crate::recording::{Instruments, Log, Missing, Options};
use market::{
    Event, EventKind, InstrumentId, Price, Qty, Said, Side, SideEntry, Sink as _, Statistic,
    Timestamp,
};
use std::collections::{HashMap, HashSet};

/// Updates kept for snapshots, of all securities.
const KEPT_MAX: usize = 1 << 17;

/// Where a message comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct From {
    pub(super) position: u64,
    /// Its channel and packet, unless it is of a snapshot or a replay.
    pub(super) packet: Option<(usize, u32)>,
    /// When its packet was sent.
    pub(super) sent: Timestamp,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) implied: u64,
    pub(super) orders: u64,
    pub(super) before: u64,
    pub(super) others: u64,
    pub(super) old: u64,
    pub(super) breaks: u64,
    pub(super) contradictions: u64,
    pub(super) joined: u64,
    pub(super) snapshots: u64,
    pub(super) recovered: u64,
}

/// See the module.
pub(super) struct Decoder {
    pub(super) instruments: Instruments,
    pub(super) securities: Vec<Security>,
    pub(super) by_id: HashMap<i32, usize>,
    /// Instruments that have a security.
    pub(super) bound: HashSet<InstrumentId>,
    /// Messages by row of the table, and those of none.
    pub(super) by_template: Vec<u64>,
    pub(super) unknown: u64,
    pub(super) tally: Tally,
    /// Snapshots come, so that it is worth keeping updates for them.
    pub(super) snapshots: bool,
    /// Books are by order.
    pub(super) by_order: bool,
    /// Packets by channel.
    pub(super) spans: Vec<Option<Span>>,
    /// Something was told of books of no channel or of all: it cannot wait for the end of an event.
    pub(super) urgent: bool,
    pub(super) kept: usize,
    /// Prices that lost their level; empty between changes.
    gone: Vec<Price>,
}

impl Decoder {
    pub(super) fn new(options: &Options) -> Decoder {
        Decoder {
            instruments: Instruments::new(&options.wanted),
            securities: Vec::new(),
            by_id: HashMap::new(),
            bound: HashSet::new(),
            by_template: vec![0; TEMPLATES.len()],
            unknown: 0,
            tally: Tally::default(),
            snapshots: false,
            by_order: options.by_order,
            spans: Vec::new(),
            urgent: false,
            kept: 0,
            gone: Vec::new(),
        }
    }

    pub(super) fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    /// Counts a message, whatever becomes of it.
    pub(super) fn count(&mut self, message: &Message<'_>) {
        match find(message.template).filter(|_| message.schema == SCHEMA) {
            Some(row) => self.by_template[row] += 1,
            None => self.unknown += 1,
        }
    }

    /// Takes a message.
    pub(super) fn message(
        &mut self,
        message: &Message<'_>,
        from: From,
        out: &mut Held,
        log: &mut Log,
    ) {
        let Some(row) = find(message.template).filter(|_| message.schema == SCHEMA) else {
            log.skip(from.position, "template that is not known");
            return;
        };
        let content = TEMPLATES[row].content;
        let done = match content {
            Content::Counted => Ok(()),
            Content::Orders(scale) => self.orders(scale, message, from, out, log),
            Content::OrderSnapshot(scale) => self.order_snapshot(scale, message, from, out, log),
            Content::Entries(entries) => self.entries(entries, message, from, out, log),
            Content::Definition(layout) => self.definition(layout, message, out),
            Content::Status => self.status(message, out),
            Content::ChannelReset => self.channel_reset(message, from, out),
            Content::Snapshot(scale, layout) => {
                self.snapshot(scale, layout, message, from, out, log)
            }
        };
        if let Err(reason) = done {
            log.damage(from.position, reason);
            if self.by_order
                && content.tells_orders()
                && let Some((channel, packet)) = from.packet
            {
                let time = Timestamp::from_nanos(message.root.u64(0).unwrap_or(0));
                self.lost(channel, (packet, 1), time, out);
            }
        }
    }

    fn entries(
        &mut self,
        layout: Entries,
        message: &Message<'_>,
        from: From,
        out: &mut Held,
        log: &mut Log,
    ) -> Result<(), &'static str> {
        let time = message.root.u64(0).ok_or("message shorter than its fields")?;
        let time = Timestamp::from_nanos(time);
        let mut rest = message.rest;
        let group = Group::take(&mut rest, Size::Short)?;
        let by_order = self.by_order && layout.kind().is_some();
        let mut orders = None;
        if matches!(layout.what, What::Book { .. } | What::Trade { .. }) {
            let named = Group::take(&mut rest, Size::EightBytes)?;
            self.tally.orders += named.len() as u64;
            orders = Some(named).filter(|_| by_order);
        }
        if let Some(orders) = &orders {
            orders::check(orders, group.len())?;
        }
        let needs = match layout.what {
            What::Book { level } => level + 3,
            What::Trade { action, .. } => action + 1,
            What::Figure { kind } => kind + 1,
            What::Volume | What::Limits => 0,
        };
        let needs = needs.max(layout.rpt_seq + 4);
        if group.entries().next().is_some_and(|entry| entry.0.len() < needs) {
            return Err("entry shorter than its fields");
        }
        let mut next = [false; ENTRIES_MAX];
        for (index, entry) in group.entries().enumerate() {
            let (Some(id), Some(number)) = (entry.i32(layout.security), entry.u32(layout.rpt_seq))
            else {
                continue;
            };
            let Some(at) = self.security(id) else {
                log.skip(from.position, "more securities than are read");
                continue;
            };
            if self.securities[at].instrument.is_none() {
                continue;
            }
            let due = match self.by_order {
                true => self.order_turn(at, (id, number), time, from, out, log),
                false => self.level_turn(at, id, number, time, from, out, log),
            };
            next[index] = due == Due::Now;
            // A snapshot that is ahead holds the levels of what comes, not trades and figures.
            let is_new = number > self.securities[at].told && layout.kind().is_none();
            if due == Due::Never || due == Due::Before && !is_new {
                continue;
            }
            self.securities[at].told = number;
            let change = match self.entry(at, layout, &entry, message.version, time, out) {
                Ok(_) if due == Due::Before => continue,
                Ok(change) => change,
                Err(reason) if due == Due::Before => {
                    log.damage(from.position, reason);
                    continue;
                }
                Err(reason) => {
                    // It is not kept: only a snapshot that holds it is of use.
                    self.contradicted(at, reason, time, from, out, log);
                    continue;
                }
            };
            if self.snapshots && !self.by_order && self.securities[at].torn {
                let packet = from.packet.map(|(_, packet)| packet);
                self.keep(at, Kept { packet, rpt_seq: number, change });
            }
        }
        if let Some(orders) = &orders {
            self.named_orders((&group, orders), layout, &next, time, from, out, log);
        }
        Ok(())
    }

    /// The turn of an update of a book by level.
    #[allow(clippy::too_many_arguments)]
    fn level_turn(
        &mut self,
        at: usize,
        id: i32,
        number: u32,
        time: Timestamp,
        from: From,
        out: &mut Held,
        log: &mut Log,
    ) -> Due {
        if let Some((channel, _)) = from.packet {
            self.securities[at].channel = Some(channel);
        }
        self.turn(at, id, number, time, from, out, log)
    }

    /// Takes note of an update's number.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn turn(
        &mut self,
        at: usize,
        id: i32,
        number: u32,
        time: Timestamp,
        from: From,
        out: &mut Held,
        log: &mut Log,
    ) -> Due {
        let security = &mut self.securities[at];
        match security.turn(number) {
            Turn::Next => {}
            Turn::Old => {
                self.tally.old += 1;
                return Due::Before;
            }
            Turn::Cleared => tell(out, EventKind::Recovered, security, time),
            Turn::Joined => {
                self.tally.joined += 1;
                tell(out, EventKind::Lost, security, time);
            }
            Turn::Missing { first, count, explained } => {
                self.tally.breaks += 1;
                if !explained {
                    let (position, stream) = (from.position, format!("security {id}"));
                    let (first, count) = (first.into(), count.into());
                    log.gap(|| Missing { position, stream, first, count });
                }
                tell(out, EventKind::Clear, security, time);
                tell(out, EventKind::Lost, security, time);
            }
        }
        Due::Now
    }

    /// What an entry says; gives the change if it is one of a level.
    fn entry(
        &mut self,
        at: usize,
        layout: Entries,
        entry: &Block<'_>,
        version: u16,
        time: Timestamp,
        out: &mut Held,
    ) -> Result<Option<Change>, &'static str> {
        let security = &mut self.securities[at];
        let Some(instrument) = security.instrument else { return Ok(None) };
        let figure = |name, price, qty| SideEntry {
            instrument,
            exchange_time: time,
            said: Said::Statistic(Statistic { name, price, qty }),
        };
        let price = |at| layout.scale.price(entry, at);
        let qty = layout.size.qty(entry, version)?.map(|qty| scaled(qty, security.units));
        let qty = qty.transpose()?;
        match layout.what {
            What::Book { level } => {
                return self.book(at, entry, level, (price(0)?, qty), time, out);
            }
            What::Trade { aggressor, action, id: (id, since) } => match entry.u8(action) {
                Some(0) => {
                    let (Some(price), Some(qty)) = (price(0)?, qty) else { return Ok(None) };
                    let resting = match entry.u8(aggressor) {
                        Some(1) => Some(Side::Sell),
                        Some(2) => Some(Side::Buy),
                        _ => None,
                    };
                    let id = entry.u32(id).filter(|&id| version >= since && id != u32::MAX);
                    let event = Event::new(EventKind::Trade, instrument).with_side(resting);
                    let order = id.unwrap_or(0).into();
                    out.event(Event { exchange_time: time, price, qty, order, ..event });
                }
                Some(1) => out.entry(figure("Trade changed", price(0)?, qty)),
                _ => out.entry(figure("Trade deleted", price(0)?, qty)),
            },
            What::Figure { kind } => match entry.u8(kind).and_then(definition::figure) {
                Some(name) => out.entry(figure(name, price(0)?, qty)),
                None => self.tally.others += 1,
            },
            What::Volume => out.entry(figure("ElectronicVolume", None, qty)),
            What::Limits => {
                let names = ["HighLimitPrice", "LowLimitPrice", "MaxPriceVariation"];
                for (name, at) in names.into_iter().zip([0, 8, 16]) {
                    if let Some(price) = price(at)? {
                        out.entry(figure(name, Some(price), None));
                    }
                }
            }
        }
        Ok(None)
    }

    fn book(
        &mut self,
        at: usize,
        entry: &Block<'_>,
        level: usize,
        (price, qty): (Option<Price>, Option<Qty>),
        time: Timestamp,
        out: &mut Held,
    ) -> Result<Option<Change>, &'static str> {
        let side = match entry.u8(level + 2) {
            Some(b'0') => Side::Buy,
            Some(b'1') => Side::Sell,
            Some(b'E' | b'F') => {
                self.tally.implied += 1;
                return Ok(None);
            }
            Some(b'J') => {
                let security = &mut self.securities[at];
                security.empty();
                tell(out, EventKind::Clear, security, time);
                return Ok(None);
            }
            _ => {
                self.tally.others += 1;
                return Ok(None);
            }
        };
        if self.by_order {
            return Ok(None);
        }
        let action = entry.u8(level + 1).and_then(Action::read).ok_or("unknown update action")?;
        let number = entry.u8(level).unwrap_or(0);
        let change = Change { side, action, number, price, qty: qty.unwrap_or(Qty::ZERO), time };
        self.change(at, &change, out)?;
        Ok(Some(change))
    }

    /// Applies a change of a level.
    pub(super) fn change(
        &mut self,
        at: usize,
        change: &Change,
        out: &mut Held,
    ) -> Result<(), &'static str> {
        let &Change { side, action, number, price, qty, time } = change;
        let security = &mut self.securities[at];
        let sets = matches!(action, Action::New | Action::Change | Action::Overlay);
        if sets && !qty.is_positive() {
            return Err("level without a quantity");
        }
        let Some(instrument) = security.instrument else { return Ok(()) };
        let depth = security.depth;
        self.gone.clear();
        security.levels(side).apply(action, number, price, depth, &mut self.gone)?;
        let level = Event {
            exchange_time: time,
            ..Event::new(EventKind::Level, instrument).with_side(Some(side))
        };
        // What leaves goes first, so that a book of the published depth never overflows.
        self.gone.iter().for_each(|&price| out.event(Event { price, ..level }));
        if let Some(price) = price.filter(|_| sets) {
            out.event(Event { price, qty, ..level });
        }
        Ok(())
    }

    /// The book of a security is not what the venue's is: it is unknown from here on.
    pub(super) fn contradicted(
        &mut self,
        at: usize,
        reason: &'static str,
        time: Timestamp,
        from: From,
        out: &mut Held,
        log: &mut Log,
    ) {
        self.tally.contradictions += 1;
        log.damage(from.position, reason);
        let security = &mut self.securities[at];
        security.tear();
        tell(out, EventKind::Clear, security, time);
        tell(out, EventKind::Lost, security, time);
    }

    fn keep(&mut self, at: usize, kept: Kept) {
        self.securities[at].keep(kept);
        self.kept += 1;
        if self.kept > KEPT_MAX {
            self.kept = self.securities.iter().map(|security| security.kept.len()).sum();
            if self.kept > KEPT_MAX / 2 {
                self.securities.iter_mut().for_each(|security| security.kept.clear());
                self.kept = 0;
            }
        }
    }
}

/// An event that concerns a security as a whole.
pub(super) fn tell(out: &mut Held, kind: EventKind, security: &Security, time: Timestamp) {
    if let Some(instrument) = security.instrument {
        out.event(Event { exchange_time: time, ..Event::new(kind, instrument) });
    }
}

/// A quantity by the scale that is wanted.
pub(super) fn scaled(qty: Qty, units: i64) -> Result<Qty, &'static str> {
    qty.raw().checked_mul(units).map(Qty::from_raw).ok_or("quantity out of range")
}
