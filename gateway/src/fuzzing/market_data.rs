//! Market data over any bytes: groups as a slow reader finds them, and books that are trusted only
//! while they are whole.

use super::{FIELDS, naive};
use crate::fix::{FieldIndex, Group, Message, tags};
use crate::market_data::{Books, Keyed, Listed, Refusal, Settings};
use crate::orders::Instruments;
use market::book::{BookLimits, LevelBooks, OrderBooks};
use market::{BookState, BookView, Event, EventFlags, EventKind, Instrument, InstrumentId};

/// Messages begin with this; what stands before is one as well. Sums are not looked at.
const BEGIN: &[u8] = b"8=FIX";
/// Groups that are looked for: their counts and first fields.
const GROUPS: [(u32, u32); 4] = [(268, 269), (268, 279), (146, 55), (267, 269)];
const LIMITS: BookLimits = BookLimits { instruments: 2, levels: 16, orders: 32 };

/// Groups, and every decoder of market data, over messages that follow each other.
pub fn market_data(data: &[u8]) {
    let shares = [Instrument::share(0, "ARL"), Instrument::share(1, "BRL")];
    let instruments = Instruments::new(&shares).expect("two instruments");
    let books = [Keyed::ByLevel, Keyed::ByOrder]
        .map(|keyed| Books::new(instruments.clone(), Settings { keyed, ..Settings::default() }));
    let [mut levels, mut orders] = books;
    let (mut level_judge, mut order_judge) = (LevelBooks::new(LIMITS), OrderBooks::new(LIMITS));
    let mut index = FieldIndex::new(FIELDS);
    for bytes in messages(data) {
        let message = index.parse(bytes);
        groups(&message);
        let _ = Refusal::of(&message);
        if let Ok(all) = Listed::all(&message) {
            for listed in all.flatten() {
                let _ = listed.differs(&shares[0]);
            }
        }
        for event in told(&mut levels, &message) {
            level_judge.apply(&event);
        }
        for event in told(&mut orders, &message) {
            order_judge.apply(&event);
        }
        for (place, id) in [(0, InstrumentId(0)), (1, InstrumentId(1))] {
            trusted(&levels, place, level_judge.book(id).state());
            trusted(&orders, place, order_judge.book(id).state());
        }
    }
    assert!(level_judge.audit().is_ok() && order_judge.audit().is_ok());
}

/// The bytes from one beginning of a message to the next.
fn messages(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let begins = data.windows(BEGIN.len()).enumerate().filter(|(_, part)| *part == BEGIN);
    let mut cuts: Vec<usize> = begins.map(|(at, _)| at).collect();
    cuts.insert(0, 0);
    cuts.push(data.len());
    (1..cuts.len()).map(move |at| &data[cuts[at - 1]..cuts[at]])
}

/// What a message comes to: no more events than fields, and none unmarked.
fn told(books: &mut Books, message: &Message<'_>) -> Vec<Event> {
    let mut events = Vec::new();
    match message.fault() {
        None => {
            let _ = books.read(message, 7, &mut events);
        }
        Some(_) => books.refused(message, 7, &mut events),
    }
    assert!(events.len() <= message.fields().count().max(1), "{} events", events.len());
    let marked = events.iter().filter(|event| event.flags.has(EventFlags::LAST)).count();
    let last = events.last().is_some_and(|event| event.flags.has(EventFlags::LAST));
    let fragment = message.get(tags::LAST_FRAGMENT) == Some(b"N");
    assert_eq!(marked, usize::from(last), "only the last event is marked");
    assert!(last || events.is_empty() || fragment, "the last event is not marked");
    for event in &events {
        assert!(event.kind().is_some() && event.received == 7);
        let recovered = event.kind() == Some(EventKind::Recovered);
        assert!(!(recovered && event.flags.has(EventFlags::SNAPSHOT)));
    }
    events
}

/// A book that needs a snapshot is not quoted on.
fn trusted(books: &Books, place: usize, state: BookState) {
    assert!(books.is_whole(place) || !state.may_quote(), "{place}: {state:?}");
}

/// Groups against the slow reader.
fn groups(message: &Message<'_>) {
    let fields: Vec<_> = message.fields().collect();
    for (count, first) in GROUPS {
        let ours = message.group(count, first).map(instances);
        assert_eq!(ours.ok(), naive::group(&fields, count, first));
    }
}

fn instances<'a>(group: Group<'a>) -> Vec<Vec<(u32, &'a [u8])>> {
    let all: Vec<Vec<_>> = group.instances().map(|one| one.fields().collect()).collect();
    assert_eq!(all.len(), group.len());
    all
}
