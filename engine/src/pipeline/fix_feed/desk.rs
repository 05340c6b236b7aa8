//! What the messages of a session of market data mean: books and trades as events, refusals and
//! definitions for what is asked next.
//!
//! It must never let a book be quoted on whose instrument the venue has otherwise than we do.

use super::wanted::Wanted;
use super::{EVENTS_MAX, FixFeedCounters};
use gateway::fix::tags::msg;
use gateway::fix::{Message, tags};
use gateway::market_data::{Books, Differs, Listed, Refusal};
use gateway::session::{Application, Meta, Verdict};
use market::{Event, Instrument, Qty, Sink, Timestamp};

/// What is known of the market, and what was said.
pub(super) struct Desk {
    pub(super) books: Books,
    pub(super) wanted: Wanted,
    /// In the order of the books'.
    pub(super) instruments: Vec<Instrument>,
    pub(super) counters: FixFeedCounters,
    /// What the operator should know, and what about.
    pub(super) said: Option<(&'static str, String)>,
    pub(super) headline: Option<String>,
    /// The run ends.
    pub(super) leaving: bool,
}

/// What the venue has otherwise, in its own units.
fn differing(differs: Differs, ours: &Instrument) -> String {
    let qty = |qty: Qty| qty.to_decimal(ours.qty_digits).normalize();
    match differs {
        Differs::Tick(tick) => format!("the tick is {tick}"),
        Differs::Lot(lot) => format!("the lot is {}", qty(lot)),
        Differs::Least(least) => format!("the smallest quantity is {}", qty(least)),
    }
}

/// The desk while events can go somewhere.
pub(super) struct Open<'a, S> {
    pub(super) desk: &'a mut Desk,
    pub(super) sink: Counted<'a, S>,
}

/// A sink that knows its room.
pub(super) struct Counted<'a, S> {
    pub(super) sink: &'a mut S,
    pub(super) room: usize,
}

impl<S: Sink> Sink for Counted<'_, S> {
    fn event(&mut self, event: Event) {
        self.room = self.room.saturating_sub(1);
        self.sink.event(event);
    }
}

impl<S: Sink> Application for Open<'_, S> {
    fn ready(&self) -> bool {
        self.sink.room >= EVENTS_MAX
    }

    fn message(&mut self, meta: &Meta, message: &Message<'_>) -> Verdict {
        let Open { desk, sink } = self;
        match message.msg_type() {
            msg::MARKET_DATA_SNAPSHOT | msg::MARKET_DATA_INCREMENTAL => {
                // Whatever cannot be read is lost, and asked for again: the venue need not know.
                let _ = desk.books.read(message, meta.tsc, sink);
            }
            msg::MARKET_DATA_REQUEST_REJECT => {
                let id = Refusal::of(message).ok().and_then(|refusal| refusal.id);
                desk.refused(meta.now, (id, None), message, sink);
            }
            msg::REJECT | msg::BUSINESS_MESSAGE_REJECT => {
                let seq = message.u64(tags::REF_SEQ_NUM).ok();
                let id = message.u64(tags::BUSINESS_REJECT_REF_ID).ok();
                desk.refused(meta.now, (id, seq), message, sink);
            }
            msg::SECURITY_LIST => desk.defined(meta.now, message, sink),
            msg::NEWS => {
                let text = message.get(tags::HEADLINE).unwrap_or_default();
                desk.headline = Some(String::from_utf8_lossy(text).into_owned());
            }
            // Status, statistics and the like: nobody asked, and nobody is answered.
            _ => desk.counters.other += 1,
        }
        Verdict::Taken
    }

    fn refused(&mut self, message: &Message<'_>) {
        self.desk.counters.faulty += 1;
        self.desk.books.refused(message, 0, &mut self.sink);
    }

    fn up(&mut self, _: Timestamp) {
        self.desk.wanted.begin();
    }

    fn down(&mut self, now: Timestamp) {
        self.desk.wanted.end();
        // At the end of a run the last prices stand: what is held is marked at them.
        if !self.desk.leaving {
            self.desk.books.down(now, &mut self.sink);
        }
    }
}

impl Desk {
    /// A request was refused. Of one that is none of ours, or only of trades, it is said.
    fn refused(
        &mut self,
        now: Timestamp,
        (id, seq): (Option<u64>, Option<u64>),
        message: &Message<'_>,
        sink: &mut impl Sink,
    ) {
        self.counters.refused += 1;
        let text = String::from_utf8_lossy(message.get(tags::TEXT).unwrap_or(b"without a reason"));
        let place = self.wanted.refused(now, id, seq);
        let symbol = place.and_then(|place| self.instruments.get(place));
        let whose = symbol.map_or("a request", |instrument| instrument.symbol.as_str());
        self.said = Some(("market data refused", format!("{whose}: {text}")));
        if let Some(place) = place {
            self.books.refuse(place, now, sink);
        }
    }

    /// A definition has come: of the instrument that was asked for, or the answer is none.
    fn defined(&mut self, now: Timestamp, message: &Message<'_>, sink: &mut impl Sink) {
        let id = message.u64(tags::SECURITY_REQ_ID).ok();
        let Some(place) = id.and_then(|id| self.wanted.definition(id)) else {
            self.counters.other += 1;
            return;
        };
        let Some(ours) = self.instruments.get(place) else { return };
        let listed = Listed::all(message).ok().and_then(|mut all| {
            all.find_map(|listed| listed.ok().filter(|l| l.symbol == ours.symbol.as_bytes()))
        });
        let Some(listed) = listed else {
            return self.refused(now, (id, None), message, sink);
        };
        let differs = match listed.differs(ours) {
            Ok(None) => return self.wanted.defined(now, place, true),
            Ok(Some(differs)) => differing(differs, ours),
            Err(fault) => fault.to_string(),
        };
        self.said = Some(("the venue's definition differs", format!("{}: {differs}", ours.symbol)));
        self.counters.barred += 1;
        self.wanted.defined(now, place, false);
        self.books.refuse(place, now, sink);
    }
}
