//! MarketDataSnapshotFullRefresh (W): a book from the beginning.
//!
//! It must never end a snapshot of which a fragment was not read.

use super::books::{Books, Keyed, Subject};
use super::entry::{Entry, sent_at};
use super::heard::State;
use super::packet::{EMPTY_BOOK, Packet, last_fragment, named, priced, side_of};
use crate::fix::{Fault, Message, RejectCode, tags};
use market::{Event, EventFlags, EventKind, Sink};

impl Books {
    pub(super) fn snapshot<S: Sink>(
        &mut self,
        message: &Message<'_>,
        packet: &mut Packet<'_, S>,
    ) -> Result<(), Fault> {
        let last = last_fragment(message);
        let place = match message.get(tags::SYMBOL).map(|symbol| self.subject(symbol)) {
            Some(Subject::Known(place)) => place,
            Some(_) => {
                self.counters.unknown_instrument += 1;
                return Ok(());
            }
            None => {
                self.lose_all(last != Ok(true), packet);
                packet.end(true);
                return Err(Fault::new(RejectCode::RequiredTagMissing, tags::SYMBOL));
            }
        };
        if !self.heard[place].fragment(last != Ok(false)) {
            self.counters.torn += 1;
            return Ok(());
        }
        packet.flags = EventFlags::SNAPSHOT;
        let outcome = last.and_then(|last| self.rebuild(place, message, last, packet));
        if outcome.is_err() {
            self.lose(place, packet);
            self.heard[place].tear(last == Ok(true));
        }
        packet.end(outcome.is_err() || last == Ok(true));
        outcome
    }

    /// One fragment of the snapshot of an instrument.
    fn rebuild<S: Sink>(
        &mut self,
        place: usize,
        message: &Message<'_>,
        last: bool,
        packet: &mut Packet<'_, S>,
    ) -> Result<(), Fault> {
        let group = message.group(tags::NO_MD_ENTRIES, tags::MD_ENTRY_TYPE)?;
        let sent = sent_at(message, tags::NO_MD_ENTRIES)?;
        let number = message.get(tags::RPT_SEQ).map(|_| message.u64(tags::RPT_SEQ)).transpose()?;
        let (id, digits) = self.scale(place);
        let stamped = |kind| Event { exchange_time: sent, ..Event::new(kind, id) };
        if !self.heard[place].goes_on() {
            // It takes back that the instrument was lost: what fails now must be told again.
            self.heard[place].state = State::Waiting;
            packet.give(stamped(EventKind::Clear));
        }
        for instance in group.instances() {
            let entry = Entry::of(&instance, self.settings.trade_id_tag)?;
            match side_of(entry.kind()?) {
                Some(side) => {
                    let event = stamped(EventKind::Level).with_side(Some(side));
                    let event = Event { exchange_time: entry.time(sent)?, ..event };
                    packet.give(match self.settings.keyed {
                        Keyed::ByLevel => priced(event, &entry, digits)?,
                        Keyed::ByOrder => {
                            let add = event.with_kind(EventKind::Add);
                            named(priced(add, &entry, digits)?, entry.id)?
                        }
                    });
                }
                // That it is empty was said by `Clear`.
                None if entry.kind()? == EMPTY_BOOK => {}
                // What was traded before is no news.
                None => self.counters.other += 1,
            }
        }
        self.heard[place].read(number, self.counters.messages, last);
        if last {
            packet.flags = EventFlags::NONE;
            packet.give(stamped(EventKind::Recovered));
        }
        Ok(())
    }
}
