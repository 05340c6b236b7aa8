//! MarketDataIncrementalRefresh (X): changes of books, and trades.
//!
//! It must never change a book that is not whole, nor pass over a number in silence.

use super::books::{Books, Keyed, Subject};
use super::entry::{Entry, sent_at};
use super::heard::{Number, State};
use super::packet::{EMPTY_BOOK, Packet, TRADE, last_fragment, named, priced, side_of};
use crate::fix::message::as_u64;
use crate::fix::{Fault, Message, RejectCode, tags};
use market::{Event, EventKind, Price, Qty, Sink, Timestamp};

impl Books {
    pub(super) fn update<S: Sink>(
        &mut self,
        message: &Message<'_>,
        packet: &mut Packet<'_, S>,
    ) -> Result<(), Fault> {
        let opened = message
            .group(tags::NO_MD_ENTRIES, tags::MD_UPDATE_ACTION)
            .and_then(|group| Ok((group, last_fragment(message)?)))
            .and_then(|(group, last)| Ok((group, last, Shared::of(message)?)));
        let (group, last, shared) = match opened {
            Ok(opened) => opened,
            Err(fault) => {
                self.lose_all(false, packet);
                packet.end(true);
                return Err(fault);
            }
        };
        let mut outcome = Ok(());
        // An entry that names no instrument is of the one before, the first of the message's.
        let mut subject =
            before_group(message, tags::SYMBOL).map_or(Subject::Unnamed, |name| self.subject(name));
        for instance in group.instances() {
            if let Some(symbol) = instance.get(tags::SYMBOL) {
                subject = self.subject(symbol);
            }
            let told = match subject {
                Subject::Known(place) => Entry::of(&instance, self.settings.trade_id_tag)
                    .and_then(|entry| self.entry(place, &entry, shared, packet))
                    .inspect_err(|_| self.lose(place, packet)),
                Subject::Unknown => {
                    self.counters.unknown_instrument += 1;
                    Ok(())
                }
                Subject::Unnamed => {
                    self.lose_all(false, packet);
                    Err(Fault::new(RejectCode::RequiredTagMissing, tags::SYMBOL))
                }
            };
            outcome = outcome.and(told);
        }
        packet.end(last);
        outcome
    }

    /// One change.
    fn entry<S: Sink>(
        &mut self,
        place: usize,
        entry: &Entry<'_>,
        shared: Shared,
        packet: &mut Packet<'_, S>,
    ) -> Result<(), Fault> {
        let (id, digits) = self.scale(place);
        let (action, time) = (entry.action()?, entry.time(shared.sent)?);
        if let Some(number) = entry.number()?.or(shared.number)
            && !self.number(place, number, time, packet)
        {
            return Ok(());
        }
        let whole = self.heard[place].state == State::Whole;
        let stamped = |kind| Event { exchange_time: time, ..Event::new(kind, id) };
        // A deleted order is known by its id; FIX.4.4 does not want its type.
        let kind = match (self.settings.keyed, action, entry.kind) {
            (Keyed::ByOrder, b'2', None) => b'0',
            _ => entry.kind()?,
        };
        match (kind, side_of(kind)) {
            (_, Some(_)) if !whole => self.counters.awaiting_snapshot += 1,
            (_, Some(side)) => {
                let event = stamped(EventKind::Level).with_side(Some(side));
                match self.settings.keyed {
                    Keyed::ByLevel => packet.give(level(event, action, entry, digits)?),
                    Keyed::ByOrder => order(event, action, entry, digits, packet)?,
                }
            }
            // Before the first snapshot, or within it, a trade would pass for the end of it.
            (TRADE, None) if action == b'0' && self.heard[place].state == State::Waiting => {
                self.counters.awaiting_snapshot += 1;
            }
            (TRADE, None) if action == b'0' => {
                let trade = stamped(EventKind::Trade).with_side(entry.resting()?);
                packet.give(Event { order: entry.trade(), ..priced(trade, entry, digits)? });
            }
            (EMPTY_BOOK, None) => {
                packet.give(stamped(EventKind::Clear));
                if std::mem::replace(&mut self.heard[place].state, State::Whole) == State::Gap {
                    packet.give(stamped(EventKind::Recovered));
                }
            }
            _ => self.counters.other += 1,
        }
        Ok(())
    }

    /// Takes the number of an entry; false if the entry is old.
    fn number<S: Sink>(
        &mut self,
        place: usize,
        number: u64,
        time: Timestamp,
        packet: &mut Packet<'_, S>,
    ) -> bool {
        let (id, _) = self.scale(place);
        let heard = &mut self.heard[place];
        match heard.take(number, self.counters.messages) {
            Number::Next => true,
            Number::Old => {
                self.counters.old += 1;
                false
            }
            Number::Gap { first, missing } => {
                self.counters.gaps += 1;
                if heard.state == State::Whole {
                    heard.state = State::Gap;
                    let aux = u32::try_from(missing).unwrap_or(u32::MAX);
                    let event = Event::new(EventKind::Gap, id);
                    packet.give(Event { exchange_time: time, order: first, aux, ..event });
                }
                true
            }
        }
    }
}

/// What stands before the group, for all of its entries.
#[derive(Clone, Copy)]
struct Shared {
    sent: Timestamp,
    /// RptSeq (83), where it is not the entries'.
    number: Option<u64>,
}

impl Shared {
    fn of(message: &Message<'_>) -> Result<Shared, Fault> {
        let tag = tags::RPT_SEQ;
        let number = before_group(message, tag).map(|value| as_u64(tag, value)).transpose()?;
        Ok(Shared { sent: sent_at(message, tags::NO_MD_ENTRIES)?, number })
    }
}

/// A field that stands before the group.
fn before_group<'a>(message: &Message<'a>, tag: u32) -> Option<&'a [u8]> {
    let mut before = message.fields().take_while(|(tag, _)| *tag != tags::NO_MD_ENTRIES);
    before.find(|(found, _)| *found == tag).map(|(_, value)| value)
}

/// Ranges (279=3, 4) and overlays (5) go by positions that only who keeps the book could count.
fn unknown_action() -> Fault {
    Fault::new(RejectCode::ValueIncorrect, tags::MD_UPDATE_ACTION)
}

/// A change of a level.
fn level(event: Event, action: u8, entry: &Entry<'_>, digits: u32) -> Result<Event, Fault> {
    match action {
        b'0' | b'1' => priced(event, entry, digits),
        b'2' => Ok(Event { price: entry.price()?, qty: Qty::ZERO, ..event }),
        _ => Err(unknown_action()),
    }
}

/// A change of an order. MDEntryRefID (280) is the id that it had, if it has another now.
fn order<S: Sink>(
    event: Event,
    action: u8,
    entry: &Entry<'_>,
    digits: u32,
    packet: &mut Packet<'_, S>,
) -> Result<(), Fault> {
    let delete = Event { price: Price::ZERO, ..event }.with_kind(EventKind::Delete).with_side(None);
    match action {
        b'0' => {
            let add = event.with_kind(EventKind::Add);
            packet.give(named(priced(add, entry, digits)?, entry.id)?);
        }
        b'1' => match entry.reference.filter(|old| entry.id.is_some_and(|id| id != *old)) {
            None => {
                let change = event.with_kind(EventKind::Change).with_side(None);
                packet.give(named(priced(change, entry, digits)?, entry.id.or(entry.reference))?);
            }
            Some(old) => {
                let add = event.with_kind(EventKind::Add);
                let add = named(priced(add, entry, digits)?, entry.id)?;
                packet.give(named(delete, Some(old))?);
                packet.give(add);
            }
        },
        b'2' => packet.give(named(delete, entry.id.or(entry.reference))?),
        _ => return Err(unknown_action()),
    }
    Ok(())
}
